"""The tables, figures and sentences of practice 3 show the records that they are given."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from legible import assert_legible
from made_up import of_network, run, runs, shaky, steady

from helpers.book import vision, vision_words
from helpers.claims import vision_rules as vision_claims
from helpers.claims.course import PUBLISHED_VISION
from helpers.claims.vision_rules import NAMES, REPEATED
from helpers.data.datasets import Dataset
from helpers.networks.vit import ViT
from helpers.runs.catalogue.vision import ORIGINAL_VARIANTS, POINTS, Point
from helpers.runs.experiments import Experiment
from helpers.training.config import TrainConfig
from helpers.training.torch_trainer import TorchTrainer, normalise


@pytest.fixture
def recorded(monkeypatch):
    """Return a dict whose entries take the place of all experiments and their recorded runs."""
    made_up = {}
    for module in (vision, vision_claims, vision_words):
        monkeypatch.setattr(module, "recorded", made_up.__getitem__)
        monkeypatch.setattr(module, "EXPERIMENTS", made_up, raising=False)
    monkeypatch.setattr(vision_claims.pair, "__defaults__", (made_up.__getitem__,))
    return made_up


@pytest.fixture
def kept(monkeypatch):
    """Return a dict (experiment, seed) -> arrays that takes the place of those on file."""
    made_up = {}
    monkeypatch.setattr(vision, "read_arrays", lambda name, scale, seed: made_up[name, seed])
    return made_up


def learned(*courses, minutes=1.0, **options):
    """One run for each course of the test accuracy; an epoch takes so many minutes."""
    epochs = len(courses[0])
    made = runs([course[-1] for course in courses], cpu_seconds=60.0 * minutes * epochs)
    for record, course in zip(made, courses, strict=True):
        record.history |= {"epoch": list(range(epochs)), "eval_accuracy": list(course)}
        record.history["eval_loss"] = [1 - value for value in course]
    return of_network(made, epochs, **options)


def labelled(figure):
    """Whether every axis says what it shows; panels that share an abscissa need it once."""
    return all(
        ax.get_ylabel() and (ax.get_xlabel() or not ax.xaxis.get_tick_params()["labelbottom"])
        for ax in figure.axes
    )


# ------------------------------------------------------------------------- the table


def test_our_accuracies_stand_beside_the_published_ones(recorded):
    recorded |= {"mnist-vit": learned([0.5, 0.97], [0.5, 0.98]), "mnist-vit-unscaled": steady(0.9)}
    recorded |= {"mnist-lenet": of_network(runs([0.98, 0.99, 1.0])), "small-vit": []}
    of_network(recorded["mnist-vit-unscaled"])
    table = vision.published_table().set_index("model")
    squares = ["ViT, true squares", "ViT, true squares, without 1/√d"]
    assert table.index.tolist() == ["LeNet", *squares]  # what is not listed has no row
    published = f"{PUBLISHED_VISION['LeNet']['test_accuracy']:.4f} (10 epochs)"
    assert table.loc["LeNet"].tolist() == [
        published, "0.9900 [0.9652, 1.0148]", "0.0100", "3", "10",
    ]  # fmt: skip
    assert table.loc[squares, "published"].tolist() == ["–", "–"]
    assert table.loc[squares[0], ["seeds", "epochs"]].tolist() == ["2", "2"]


def test_one_run_is_shown_as_one(recorded):
    recorded["mnist-vgg11"] = of_network(runs([0.98]))
    (row,) = vision.published_table().to_dict("records")
    assert [row[name] for name in ("ours: test accuracy", "sd", "seeds")] == ["0.9800", "–", "1"]


@pytest.mark.parametrize(
    ("half", "said"),
    [(steady(0.95), ": a clear difference."), (shaky(0.95), ": no clear difference, but the i")],
)
def test_half_precision_is_compared_with_whole(recorded, half, said):
    recorded |= {"tenth-resnet18": half, "tenth-resnet18-float32": steady(0.97)}
    recorded |= {f"mnist-{name}": steady(0.99) for name in ("lenet", "vgg11", "resnet18")}
    text = vision_words.about_precision()
    assert "-0.0200 [" in text and said in text


@pytest.mark.parametrize(
    ("meant", "said"),
    [
        (steady(0.97), "the mistakes cost accuracy"),
        (steady(0.95), "did not even cost"),
        (shaky(0.96), "is open"),
    ],
)
def test_the_vit_as_it_is_meant_is_compared_with_the_originals(recorded, meant, said):
    recorded |= {"mnist-vit": of_network(meant), vision.REPEATED["ViT"]: steady(0.96)}
    assert said in vision_words.about_squares()


def test_costs_are_counted_until_the_level_is_reached(recorded):
    early, late, never = [0.9, 0.97, 0.96, 0.98], [0.9, 0.9, 0.9, 0.97], [0.9, 0.9, 0.9, 0.96]
    size = {"parameters": 2**20}
    recorded |= {"mnist-lenet": learned(early, late, minutes=2, **size)}
    recorded |= {"mnist-vgg11": learned(early, never, parameters=61_706)}
    table = vision.cost_table().set_index("model")
    # After two epochs, and after four: three in the mean, of two minutes each.
    assert table.loc["LeNet"].tolist() == ["1,048,576", "4.0", "120", "6.0"]
    assert table.loc["VGG-11"].tolist() == ["61,706", "0.2", "60", "not reached"]
    assert table.columns[-1] == "processor minutes to 97%"
    other = vision.cost_table(level=0.9).set_index("model")
    assert other["processor minutes to 90%"].tolist() == ["2.0", "1.0"]


def test_epochs_that_were_not_evaluated_reach_no_level():
    assert vision._first_at([None, None, 0.97], 0.97) == 3
    assert vision._first_at([None, 0.5], 0.97) is None


def test_gaps_on_little_data_are_training_minus_validation(recorded):
    for model in NAMES:
        recorded[f"hundredth-{model}"] = runs([0.90, 0.91, 0.92], train_accuracy=1.0)
    recorded[Point().name(True)] = runs([0.95, 0.95, 0.95], train_accuracy=0.94)
    table = vision.small_data_table().set_index("model")
    assert table.index.tolist() == ["LeNet", "VGG-11", "ResNet-18", "ViT"]
    assert table["600 images"].tolist() == ["0.910 [0.885, 0.935]"] * 4
    assert table["gap at 600"].tolist() == ["0.090"] * 4
    assert table["6,000 images"].tolist() == ["not recorded"] * 3 + ["0.950 [0.950, 0.950]"]
    assert table["gap at 6,000"].tolist() == ["–"] * 3 + ["-0.010"]


# ------------------------------------------------------------------------- the curves


def test_learning_curves_put_batches_and_epochs_on_one_abscissa(recorded, kept):
    recorded["mnist-vit"] = learned([0.9, 0.95], [0.8, 0.96])
    curve = np.r_[np.zeros(20), np.ones(20)]
    kept["mnist-vit", 0] = {"curve_loss": 1 - curve, "curve_accuracy": curve}
    figure = vision.learning_curves("mnist-vit")
    loss, accuracy = figure.axes
    batches, first, second = accuracy.lines
    assert batches.get_xdata()[[0, 19, -1]] == pytest.approx([0.05, 1, 2])
    # Smoothed over ten entries that end there, so it begins to rise after the first epoch.
    assert batches.get_ydata()[[19, 24, 29]] == pytest.approx([0, 0.5, 1])
    assert first.get_xdata().tolist() == [1, 2]
    assert [first.get_ydata().tolist(), second.get_ydata().tolist()] == [[0.9, 0.95], [0.8, 0.96]]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "training, batch by batch", "test, each seed",
    ]  # fmt: skip
    assert accuracy.get_ylim()[0] <= 0.8 and loss.get_ylim()[1] >= 0.2
    assert labelled(figure)
    assert_legible(figure)


def test_time_is_that_of_the_epochs_so_far(recorded):
    recorded |= {"mnist-lenet": learned([0.95, 0.97], [0.97, 0.99], minutes=2)}
    recorded |= {"mnist-vit": learned([0.91, 0.93, 0.95], [0.91, 0.93, 0.95], minutes=3)}
    recorded |= {"mnist-vit-unscaled": learned([0.9, 0.9, 0.9], [0.9, 0.9, 0.9])}
    figure = vision.accuracy_against_time()
    (ax,) = figure.axes
    assert ax.get_legend() is None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "LeNet", "ViT, true squares",
    ]  # fmt: skip
    lenet, vit = ax.lines
    assert lenet.get_xdata() == pytest.approx([2, 4]) and vit.get_xdata() == pytest.approx(
        [3, 6, 9]
    )
    assert lenet.get_ydata() == pytest.approx([0.96, 0.98])
    assert labelled(figure)
    assert_legible(figure)


def test_the_warm_up_is_each_seeds_first_two_epochs(recorded, kept):
    name = vision.REPEATED["ViT"]
    recorded[name] = learned([0.5] * 4, [0.5] * 4)
    for seed in (0, 1):
        kept[name, seed] = {"curve_accuracy": np.arange(40) / 40 + seed / 10}
    figure = vision.warm_up()
    (ax,) = figure.axes
    one, other = ax.lines
    assert one.get_xdata()[[0, -1]] == pytest.approx([0.1, 2])
    assert one.get_ydata()[[0, -1]] == pytest.approx([0, 17 / 40])  # the mean of 15 to 19
    assert other.get_ydata() - one.get_ydata() == pytest.approx(np.full(20, 0.1))
    assert labelled(figure)
    assert_legible(figure)


# ------------------------------------------------------------------ the answer to C3.4


def test_quirks_are_compared_with_the_sweeps_middle(recorded):
    recorded[Point().name(True)] = steady(0.95)
    for i, name in enumerate(ORIGINAL_VARIANTS):
        recorded[f"tenth-vit-{name}"] = steady(0.94 - i / 100)
    recorded["tenth-vit-last-token"] = shaky(0.95)
    effects = vision.quirks()
    assert list(effects) == [about for about, _ in ORIGINAL_VARIANTS.values()]
    ends = [round(effect.estimate, 6) for effect in effects.values()]
    assert ends == [-0.01, 0.0, -0.03, -0.04]
    said = vision_words.about_quirks()
    assert said.startswith("These make a clear difference: strips for patches -0.010 [")
    assert "all three, as the original -0.040 [-0.040, -0.040] (n = 3 seeds, paired)." in said
    assert "last token" not in said and "Whether the rest would" in said
    for name in ORIGINAL_VARIANTS:
        if name != "original":
            recorded[f"tenth-vit-{name}"] = shaky(0.95)
    said = vision_words.about_quirks()
    assert said.startswith("Only this makes a clear difference: all three, as the original -0.04")
    assert "the others, each alone, would" in said
    recorded["tenth-vit-original"] = shaky(0.95)
    assert vision_words.about_quirks().startswith("None of these four")


def swept(gains, spreads):
    """Records of every point; both are without 1/√d, in the order of the points."""
    made = {}
    for point, gain, spread in zip(POINTS, gains, spreads, strict=True):
        for scaled in (True, False):
            ends = steady(0.95 - (0 if scaled else gain))
            signs = {"score_std": [9.0, 0.5 if scaled else spread]}
            signs["attention_entropy"] = [9.0, 0.95 if scaled else 0.25]
            made[point.name(scaled)] = of_network(ends, **signs)
    return made


GAINS = np.linspace(-0.01, 0.11, len(POINTS))


def test_the_sweeps_table_has_with_before_without(recorded):
    recorded |= swept(GAINS, np.linspace(1, 7, len(POINTS)))
    table = vision.sweep_table()
    assert table["setting"].tolist() == [point.label(True) for point in POINTS]
    assert table.iloc[-1].tolist() == [
        POINTS[-1].label(True), "0.950", "0.840", "+0.110 [+0.110, +0.110]",
        "0.50 / 7.00", "0.95 / 0.25",
    ]  # fmt: skip
    assert table.loc[0, "difference"].startswith("-0.010")


def test_every_point_of_the_sweep_is_drawn_once(recorded):
    spreads = np.geomspace(0.1, 100, len(POINTS))
    recorded |= swept(GAINS, spreads)
    figure = vision.sweep_figure()
    (ax,) = figure.axes
    points = [container.lines[0].get_xydata()[0] for container in ax.containers]
    assert sorted(map(tuple, points)) == [
        pytest.approx(pair) for pair in zip(spreads, GAINS, strict=True)
    ]
    assert len(figure.legends[0].get_texts()) == 3
    assert labelled(figure)
    assert_legible(figure)


def test_the_gains_are_told_apart_by_the_spread_of_the_scores(recorded):
    gains = np.zeros(len(POINTS))
    gains[[0, 7]] = 0.01, 0.12
    spreads = np.ones(len(POINTS))
    spreads[[0, 7]] = 50.0, 20.0  # both in the half of wide scores, which has one more
    recorded |= swept(gains, spreads)
    said = vision_words.about_sweep()
    assert f"0.005 of accuracy in 2 of {len(POINTS)} settings" in said
    assert f"most at {POINTS[7].label(True)}: +0.120 [+0.120, +0.120]" in said
    wide = len(POINTS) - len(POINTS) // 2
    assert f"In the {len(POINTS) // 2} settings whose scores lie closest together" in said
    assert f"it brings +0.000 in the mean, in the other {wide} {0.13 / wide:+.3f}." in said


# -------------------------------------------------------------------- the kept models


@pytest.mark.parametrize(
    ("model", "arguments"),
    [("vit", {"embed_dim": 16, "heads": 2, "hidden": 32}), ("resnet18", {"width": 4})],
)
def test_a_kept_model_answers_as_the_trained_one_does(kept, monkeypatch, model, arguments):
    recipe = TrainConfig(model, model_kwargs=arguments, epochs=1, batch_size=8)
    images = torch.randint(0, 256, (16, 1, 28, 28), dtype=torch.uint8)
    labels = torch.arange(16) % 10
    trained = TorchTrainer(recipe, Dataset(images, labels, images, labels), seed=1)
    trained.run_epoch()
    sample = {"sample_images": images[:3, 0].numpy(), "sample_labels": np.array([0, 1, 2])}
    kept["made-up", 1] = trained.weights() | sample | {"scores": np.zeros(3)}
    experiment = Experiment("made-up", "", recipe, {})
    monkeypatch.setattr(vision, "find", {"made-up": experiment}.__getitem__)
    model, seen, truth = vision.kept_model("made-up", seed=1)
    assert not model.training
    assert truth.tolist() == [0, 1, 2]
    with torch.inference_mode():
        logits = model(normalise(torch.from_numpy(seen)[:, None]))
    torch.testing.assert_close(logits, trained.predict(images[:3]), rtol=0.01, atol=0.01)


def answers(*digits):
    """Arrays as kept with a run that gives these answers to images that are all of a 3."""
    scores = np.zeros((len(digits), 10), np.float16)
    scores[range(len(digits)), digits] = 1
    return {"scores": scores, "labels": np.full(len(digits), 3, np.uint8)}


@pytest.fixture
def mistaken(recorded, kept):
    """Three models of which all get images 1, 4 and 5 wrong; the pictures of 1 and 5 are kept."""
    said = {
        "mnist-lenet": answers(3, 5, 3, 8, 8, 2),
        "mnist-vgg11": answers(3, 8, 3, 3, 8, 2),
        "mnist-vit": answers(7, 5, 3, 8, 8, 2),
        "mnist-vit-unscaled": answers(3, 3, 3, 3, 3, 3),  # it is not asked
    }
    for name, arrays in said.items():
        recorded[name] = [run()]
        kept[name, 0] = arrays | {
            "mistake_indices": np.zeros(0, int), "mistake_images": np.zeros((0, 28, 28), np.uint8),
        }  # fmt: skip
    pictures = {1: np.full((28, 28), 10, np.uint8), 3: np.zeros((28, 28), np.uint8)}
    kept["mnist-lenet", 0] |= {
        "mistake_indices": np.array([3, 1]),
        "mistake_images": np.array([pictures[3], pictures[1]]),
    }
    kept["mnist-vit", 0] |= {
        "mistake_indices": np.array([5, 0]),
        "mistake_images": np.array([np.full((28, 28), 50), np.zeros((28, 28))], np.uint8),
    }


@pytest.mark.usefixtures("mistaken")
def test_common_mistakes_are_those_of_every_model_asked():
    indices, said, labels, wrong = vision.common_mistakes()
    assert indices.tolist() == [1, 4, 5] and labels.tolist() == [3, 3, 3]
    assert {about: values.tolist() for about, values in said.items()} == {
        "LeNet": [5, 8, 2], "VGG-11": [8, 8, 2], "ViT, true squares": [5, 8, 2],
    }  # fmt: skip
    assert wrong == {"LeNet": 4, "VGG-11": 3, "ViT, true squares": 5}
    words = vision_words.about_common_mistakes()
    assert "LeNet 4; VGG-11 3; ViT, true squares 5. All of these models" in words
    assert "together fail on 3." in words


@pytest.mark.usefixtures("mistaken")
def test_the_common_mistakes_that_are_kept_are_drawn_with_their_answers():
    figure = vision.common_mistakes_figure()
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in shown] == ["3: 5, 8", "3: 2"]
    assert [ax.images[0].get_array().max() for ax in shown] == [10, 50]
    assert_legible(figure)
    fewer = vision.common_mistakes_figure(most=1)
    assert [ax.get_title() for ax in fewer.axes if ax.images] == ["3: 5, 8"]


# ------------------------------------------------------------------------- sentences


def listed(shorter=(), missing=()):
    """Experiments of the table's rows, some with half of the epochs, some not there."""
    return {
        name: SimpleNamespace(
            config=SimpleNamespace(
                epochs=PUBLISHED_VISION.get(about, PUBLISHED_VISION["ViT"])["epochs"]
                // (2 if about in shorter else 1)
            )
        )
        for about, name in (REPEATED | vision.SQUARES).items()
        if about not in missing
    }


def test_the_chapter_says_which_rows_are_shorter_or_missing(monkeypatch):
    monkeypatch.setattr(vision_words, "EXPERIMENTS", listed())
    assert vision_words.runs_made().endswith("nothing was chosen on the test images.")
    made = listed(shorter=["ViT", "ViT, true squares"], missing=["VGG-11", "ResNet-18"])
    monkeypatch.setattr(vision_words, "EXPERIMENTS", made)
    said = vision_words.runs_made()
    assert "time: ViT (25 epochs instead of 50) and ViT, true squares (25 epochs ins" in said
    assert "yet: VGG-11 and ResNet-18; the section" in said


def test_positions_are_alike_by_their_distance_on_the_grid():
    model = ViT(embed_dim=32, heads=2, hidden=8)
    model.positions.data.zero_()
    for i in range(16):
        row, column = divmod(i, 4)
        # Cosine 1/2 if one of row and column is the same, 1 if both are, 0 if none is.
        model.positions.data[0, 1 + i, [row, 4 + column]] = 7.0
    said = vision_words.about_positions(model)
    assert "is +0.50 for patches beside each other, +0.50 for patches one above the other" in said
    assert "+0.00 for patches four or more steps apart" in said and "So does this one" in said


def test_the_summary_has_the_numbers_of_its_runs(recorded):
    recorded |= {"mnist-lenet": steady(0.99)}
    recorded |= {vision.REPEATED["ViT"]: of_network(steady(0.97), epochs=20)}
    recorded |= {Point(128, 3e-3).name(True): steady(0.95)}
    recorded |= {Point(128, 3e-3).name(False): steady(0.92)}
    said = vision_words.summary()
    assert "LeNet reaches 0.9900 [" in said
    assert "computed it 0.9700 [0.9675, 0.9725] in 20." in said
    assert "at d = 128, rate 0.003 it is worth +0.030 [+0.030, +0.030] in accuracy" in said
