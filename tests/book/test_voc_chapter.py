"""Practice 4's tables, figures and sentences say what its records hold."""

import re

import numpy as np
import pytest
from legible import assert_legible
from scipy.special import expit

from helpers.analysis import metrics
from helpers.book import voc_chapter, voc_words
from helpers.book.voc_chapter import BEST, FALSE_ALARM, RIGHT, chosen
from helpers.claims.course import PUBLISHED_VOC
from helpers.claims.voc_rules import COMPARED, F1, MAP
from helpers.runs.experiments import find, recorded
from helpers.runs.records import read_arrays


def cells(table, model):
    return table.set_index("model").loc[model]


# ---------------------------------------------------------------------------- tables


def test_the_constant_answers_have_the_known_figures():
    """The values for "person" are the course's facts about this validation set."""
    table = voc_chapter.trap_table()
    person = cells(table, "always: person")
    assert (person["accuracy"], person["F1"][:5]) == ("0.849", "0.644")
    assert person["precision"] == f"{voc_chapter.targets()[:, 0].mean():.3f}"
    nothing = cells(table, "always: nothing")
    assert (nothing["precision"], nothing["recall"], nothing["F1"]) == ("–", "0.000", "0.000")
    said = voc_words.about_trap()
    assert "**0.8494**" in said and "F1, explained below, of 0.6445" in said and "0.8525" in said


def test_every_listed_model_has_its_row_of_results():
    table = voc_chapter.results_table()
    models = [*voc_chapter.baselines(), *voc_chapter.compared()]
    assert table["model"].tolist()[: len(models)] == models
    row = cells(table, "ResNet-18")
    runs = recorded(BEST)
    assert row["trained"] == f"96 px, 20 epochs, {len(runs)} seeds"
    assert float(row["mAP"].split()[0]) == pytest.approx(
        np.mean([r.metrics[MAP] for r in runs]), abs=0.002
    )
    assert float(row["F1"].split()[0]) == pytest.approx(
        np.mean([r.metrics[F1] for r in runs]), abs=0.002
    )


def test_published_figures_stand_beside_ours():
    table = voc_chapter.published_table()
    assert table["model"].unique().tolist() == ["LeNet", "VGG", "ResNet-18", "ViT"]
    published = table[(table["model"] == "ViT") & (table["figures"] == "as published")]
    assert published["F1"].item() == f"{PUBLISHED_VOC['ViT']['f1']:.4f}"


def test_what_shows_one_run_shows_that_of_the_photographs():
    kept = read_arrays(BEST, "full", find(BEST).keep_images[0])
    np.testing.assert_allclose(voc_chapter.one_run(BEST), expit(kept["scores"].astype(float)))
    assert voc_chapter.one_run_of_each().keys() == voc_chapter.compared().keys()


# --------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    "draw",
    [
        voc_chapter.model_curves, voc_chapter.moved_threshold, voc_chapter.overfitting,
        voc_chapter.learning, voc_chapter.restless, voc_chapter.calibration,
        voc_chapter.causes, voc_chapter.long_run, voc_chapter.image_sizes,
        lambda: voc_chapter.class_curves("ViT"),
    ],
)  # fmt: skip
def test_figures_are_legible(draw):
    assert_legible(draw())


def test_the_images_with_mistakes_are_shown_with_their_classes():
    rows, classes = chosen(BEST, FALSE_ALARM, 2)
    figure = voc_chapter.mistakes()
    texts = [text.get_text() for text in figure.texts]
    for k in classes:
        assert f"✗ {voc_chapter.CLASSES[k]}" in texts
    assert len(figure.axes) == len(rows)


@pytest.mark.parametrize("name", [BEST, COMPARED["ViT"]])
def test_where_a_model_looks_is_shown_on_right_and_wrong_images(name):
    titles = [ax.get_title() for ax in voc_chapter.looks(name).axes if ax.get_title()]
    assert [title[0] for title in titles] == ["✓"] * 5 + ["✗"] * 5


# ------------------------------------------------------------------ which images are chosen


@pytest.fixture
def three(monkeypatch):
    """Three images kept: right about a cat, a false alarm about a cat, and one about a car."""
    probabilities = np.array([[0.1, 0.9, 0, 0, 0], [0.2, 0.7, 0, 0, 0], [0.8, 0, 0, 0.6, 0]])
    truth = np.array([[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
    kept = np.array([7, 8, 9]), None, probabilities, truth, None
    monkeypatch.setattr(voc_chapter, "shown", lambda name: kept)
    monkeypatch.setattr(voc_words, "shown", lambda name: kept)


def test_false_alarms_are_chosen_by_what_was_said_most_surely(three):
    assert chosen("", FALSE_ALARM, 5) == ([1, 2], [1, 3])
    assert chosen("", FALSE_ALARM, 0) == ([], [])


def test_the_first_of_every_class_comes_before_the_second_of_any(monkeypatch):
    probabilities = np.array([[0.9, 0.6], [0.8, 0], [0, 0.7]])
    kept = np.arange(3), None, probabilities, np.zeros((3, 2)), None
    monkeypatch.setattr(voc_chapter, "shown", lambda name: kept)
    assert chosen("", FALSE_ALARM, 2) == ([0, 2, 1, 0], [0, 1, 0, 1])


def test_right_answers_are_right_in_every_class(three):
    assert chosen("", RIGHT, 5) == ([0], [1])


def test_the_judged_mistakes_are_counted(three, monkeypatch):
    judged = {(8, "cat"): "there", (9, "car"): "unclear"}
    monkeypatch.setattr(voc_words, "judged", lambda: judged)
    said = voc_words.about_mistakes()
    assert "looked at all 2." in said and "from 0.60 to 0.70" in said
    assert "the mask misses it: 1. One may argue: 1. The network is wrong: 0." in said
    judged[9, "person"] = judged.pop((9, "car"))  # of another class on the same photograph
    with pytest.raises(KeyError):
        voc_words.about_mistakes()


# ------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    "say",
    [
        voc_words.runs_made, voc_words.about_ways, voc_words.about_models, voc_words.about_classes,
        lambda: " ".join(voc_words.about_size()), voc_words.about_depth,
        lambda: " ".join(voc_words.about_overfitting()), voc_words.about_calibration,
        voc_words.about_mistakes, voc_words.about_causes, voc_words.summary,
    ],
)  # fmt: skip
def test_sentences_have_their_numbers(say):
    said = say()
    assert re.search(r"\d", said) and "nan" not in said and said.endswith(".")


def test_the_best_variant_of_the_vit_is_named():
    means = {
        about: np.mean([run.metrics[MAP] for run in runs])
        for about, runs in voc_chapter.vits().items()
    }
    best = max(means, key=means.get)
    assert {"ViT", "ViT with strips"} < means.keys()
    assert f"“{best}”: its mAP is {means[best]:.3f}" in voc_words.about_causes()


def test_larger_images_are_compared_after_as_many_epochs():
    small, large = recorded(COMPARED["LeNet"]), recorded("voc128-lenet")
    assert large[0].config["epochs"] > small[0].config["epochs"] == 20
    at = [np.mean([run.history[F1][19] for run in runs]) for runs in (large, small)]
    row = voc_chapter.sizes_table().set_index("network").loc["LeNet"]
    assert row["change in F1"].startswith(f"{at[0] - at[1]:+.3f} [")
    assert (row["images"], row["runs"]) == ("128 px", "3 seeds against 3 seeds")


def test_a_single_run_on_larger_images_has_no_interval():
    rows = voc_chapter.sizes_table().set_index(["network", "images"])
    assert rows.loc[("ResNet-18", "224 px"), "runs"].startswith("1 seed against")
    assert re.fullmatch(r"\+0\.\d{3}", rows.loc[("ResNet-18", "224 px"), "change in mAP"])
    assert "VGG-11" not in rows.index.get_level_values(0)  # it has no smaller images
    table, _ = voc_words.about_size()
    whole = rows["change in F1"].str.contains("[", regex=False).sum()
    assert f"Of its {2 * whole} intervals" in table


@pytest.mark.parametrize(
    ("large", "said"),
    [
        (
            0.9,
            "ends after as many epochs at F1 0.900 and mAP 0.900. One more run at 96 pixels should",
        ),
        (0.9, "in F1 and mAP the larger images are ahead of that."),
        (0.7, "a single run cannot show that the larger images help."),
    ],
)
def test_one_run_on_larger_images_stands_beside_one_more_run_on_smaller_ones(large, said):
    ends = [np.array([large]), np.array([0.69, 0.70, 0.71])]
    sentence = voc_words._alone("ResNet-18", 224, {"F1": ends, "mAP": ends})
    assert said in sentence and "at 224 pixels, the published size, ends" in sentence
    assert "at 128 pixels ends" in voc_words._alone("VGG", 128, {"F1": ends, "mAP": ends})


def test_vgg11_stands_beside_the_other_vgg_after_as_many_epochs():
    (deep,), (flat,) = recorded("voc128-vgg11"), recorded("voc128-course-vgg")
    assert deep.config["epochs"] < flat.config["epochs"]
    epoch = deep.config["epochs"] - 1
    said = voc_words.about_depth()
    assert f"mAP {deep.history[MAP][epoch]:.3f} against {flat.history[MAP][epoch]:.3f}." in said
    assert f"have {flat.parameters:,} and {deep.parameters:,} parameters" in said
    assert flat.parameters < deep.parameters and "VGG-11 needs 2." in said
    assert f"VGG-11 at 128 px ({epoch + 1} epochs, 1 seed)" in voc_words.runs_made()


def test_the_summary_gives_the_recorded_means():
    mean = np.mean([run.metrics[MAP] for run in recorded(BEST)])
    assert f"ResNet-18 reaches a mAP of {mean:.3f}" in voc_words.summary()
    assert f"{find(BEST).config.epochs} epochs" in voc_words.summary()


def test_the_easiest_and_the_hardest_class_are_counted_over_the_networks():
    found = [
        np.mean(
            [metrics.average_precisions(p, voc_chapter.targets()) for p in said.probabilities], 0
        )
        for said in voc_chapter.compared().values()
    ]
    easy, hard = (
        [pick(ap) for ap in found].count(k) for pick, k in ((np.argmax, 0), (np.argmin, 3))
    )
    said = voc_words.about_classes()
    assert f"the easiest class is person for {easy} of {len(found)} networks" in said
    assert f"the hardest car for {hard};" in said


def test_the_gaps_between_models_are_those_of_their_records():
    means = {a: np.mean([r.metrics[MAP] for r in recorded(n)]) for a, n in COMPARED.items()}
    said = voc_words.about_models()
    for sentence, one, other in (
        ("ResNet-18 minus VGG", "ResNet-18", "VGG"),
        ("that ViT minus LeNet", "ViT", "LeNet"),
        ("true patches minus strips", "ViT", "ViT with strips"),
    ):
        assert f"{sentence} {means[one] - means[other]:+.3f} [" in said


def test_the_originals_accuracy_is_that_of_the_table():
    table = voc_chapter.published_table()
    ours = table[(table["model"] == "ResNet-18") & (table["figures"] != "as published")]
    theirs, whole = ours["accuracy"].astype(float).iloc[:2]
    side = "above" if theirs > whole else "below"
    gap = re.search(rf"that is (0\.\d+) {side} the accuracy", voc_words.about_ways())
    assert float(gap[1]) == pytest.approx(abs(theirs - whole), abs=6e-4)


def test_what_is_stated_of_the_heaviest_class_is_the_mean_probability():
    said, share = voc_chapter.answers(BEST).probabilities, voc_chapter.targets().mean(axis=0)
    assert (
        f"it states {said[..., 4].mean():.3f} [" in voc_words.about_calibration()
        and f"in the mean, where {share[4]:.3f} of the images have one"
        in voc_words.about_calibration()
    )
