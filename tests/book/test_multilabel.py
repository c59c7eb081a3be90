"""The tables and figures of practice 4 show the answers and records that they are given."""

import numpy as np
import pytest
from legible import assert_legible, words
from made_up import of_network, run
from matplotlib.colors import to_hex

from helpers.analysis import metrics
from helpers.book import figures, multilabel, pr_figures
from helpers.book.multilabel import Answers

CLASSES = ("person", "cat", "plane", "car", "bird")
RNG = np.random.default_rng(0)
TARGETS = (RNG.random((200, 5)) < [0.7, 0.1, 0.1, 0.15, 0.1]).astype(int)
BASELINES = metrics.constant_baselines(TARGETS.mean(axis=0), CLASSES, len(TARGETS))


def logits(skill, seed=0):
    noise = np.random.default_rng(seed).normal(size=TARGETS.shape)
    return noise + skill * (2 * TARGETS - 1)


def trained(losses=(0.5, 0.4), seed=0, size=128, parameters=2**20):
    """A record of a run on images of that size, two epochs by default."""
    (made,) = of_network([run(loss=losses, seed=seed)], len(losses), parameters)
    made.config["data"] = {"name": "tiny-voc", "size": size}
    made.history |= {"eval_loss": [loss + 0.1 for loss in losses], "eval_accuracy": [0.8, 0.9]}
    return made


def answers(skill, seeds=1, **options):
    records = [trained(seed=seed, **options) for seed in range(seeds)]
    return Answers.of_runs(records, [logits(skill, seed) for seed in range(seeds)])


def legend(figure):
    return [text.get_text() for part in figure.legends for text in part.get_texts()]


# ------------------------------------------------------------------------------ tables


def test_kept_scores_become_probabilities():
    said = Answers.of_runs([trained()], [np.array([[0.0, 100.0]], np.float16)])
    assert said.probabilities.tolist() == [[[0.5, 1.0]]]


def test_results_have_figures_over_all_images_and_say_what_was_trained():
    rows = {name: Answers.constant(values) for name, values in BASELINES.items()}
    rows |= {"LeNet": answers(0.5, seeds=3), "ResNet-18": answers(1.5, size=224, parameters=61_706)}
    rng = np.random.default_rng(1)
    table = multilabel.results_table(rows, TARGETS, rng, resamples=200).set_index("model")
    assert table.index.tolist() == [*BASELINES, "LeNet", "ResNet-18"]
    sizes = ["trained", "parameters (checkpoint)"]
    assert table.loc["LeNet", sizes].tolist() == [
        "128 px, 2 epochs, 3 seeds", "1,048,576 (4.0 MiB)",
    ]  # fmt: skip
    assert table.loc["ResNet-18", sizes].tolist() == [
        "224 px, 2 epochs, 1 seed", "61,706 (0.2 MiB)",
    ]  # fmt: skip
    assert table.loc["person", sizes].tolist() == ["–"] * 2
    seeds = [metrics.summarise(logits(0.5, seed), TARGETS, 0) for seed in range(3)]
    for key, title in (multilabel.DECIDED | multilabel.RANKED).items():
        expected = np.mean([seed[key] for seed in seeds])
        assert table.loc["LeNet", title].startswith(f"{expected:.3f}"), title
    for title in ("F1", "mAP"):
        estimate, rest = table.loc["ResNet-18", title].split(" [")
        low, high = map(float, rest.removesuffix("]").split(", "))
        assert low < float(estimate) < high
        assert high - low < 0.15


def test_saying_nothing_has_no_precision():
    rows = {name: Answers.constant(values) for name, values in BASELINES.items()}
    table = multilabel.results_table(rows, TARGETS, RNG, resamples=20).set_index("model")
    assert table.loc["nothing", ["precision", "recall", "F1"]].tolist() == ["–", "0.000", "0.000"]
    assert table.loc["person", "precision"] == f"{TARGETS[:, 0].mean():.3f}"
    columns = ["accuracy", "precision", "recall"]
    columns.append("F1")  # with its interval, since the same images are drawn for every row
    assert table.loc["person", columns].equals(table.loc["class priors", columns])


def test_published_figures_stand_beside_ours_in_both_ways():
    published = {"LeNet": {"accuracy": 0.89, "precision": 0.77, "recall": 0.745, "f1": 0.75771}}
    rows = {"LeNet": [answers(0.5, seeds=2)], "ViT, true patches": [answers(0.4)]}
    table = multilabel.published_table(rows, TARGETS, published, 30)
    trained = table.pop("trained").tolist()
    assert trained == [
        "–",
        *["128 px, 2 epochs, 2 seeds"] * 2,
        "–",
        *["128 px, 2 epochs, 1 seed"] * 2,
    ]
    table = table.set_index(["model", "figures"])
    assert table.loc["LeNet", "as published"].tolist() == ["0.8900", "0.7700", "0.7450", "0.7577"]
    assert table.loc["ViT, true patches", "as published"].tolist() == ["–"] * 4
    parts = [metrics.batch_means(logits(0.5, seed), TARGETS, 0, 30) for seed in range(2)]
    theirs = table.loc["LeNet", "ours, in the original's way"]
    # The first epoch's accuracy is on record; the second is that of the answers.
    accuracy = np.mean([(0.8 + part["accuracy"]) / 2 for part in parts])
    assert theirs["accuracy"] == f"{accuracy:.4f}"
    assert theirs["precision"] == f"{np.mean([part['precision'] for part in parts]):.4f}"
    whole = [metrics.summarise(logits(0.5, seed), TARGETS, 0) for seed in range(2)]
    ours = table.loc["LeNet", "ours, over all images"]
    assert ours["F1"] == f"{np.mean([seed['f1'] for seed in whole]):.4f}"
    assert ours["accuracy"] != theirs["accuracy"] and ours["precision"] != theirs["precision"]


def test_a_network_may_have_been_trained_at_several_sizes():
    rows = {"LeNet": [answers(0.5), answers(1.5, size=224)]}
    table = multilabel.published_table(rows, TARGETS, {}, 30)
    sizes = [trained.split(",")[0] for trained in table["trained"]]
    assert sizes == ["–", "128 px", "128 px", "224 px", "224 px"]
    ours = table[table["figures"] == "ours, over all images"]["F1"]
    assert float(ours.iloc[0]) < float(ours.iloc[1])


def test_epochs_without_evaluation_are_left_out_of_the_originals_mean():
    record = trained((0.5, 0.4, 0.3))
    record.history["eval_accuracy"] = [None, 0.6, 0.9]
    found = multilabel.original_figures(record, logits(1), TARGETS, 0, 50)
    last = metrics.batch_means(logits(1), TARGETS, 0, 50)
    assert found["accuracy"] == pytest.approx((0.6 + last["accuracy"]) / 2)


# ------------------------------------------------------------ epochs, and calibration


def test_the_gap_is_validation_minus_training_loss():
    one, other = [trained((0.5, loss)) for loss in (0.2, 0.4)], [trained((0.6, 0.5))]
    one[0].history["eval_loss"] = [0.5, 0.8]
    figure = multilabel.gap_figure({"augmentation": one, "nothing": other})
    above, below = figure.axes
    assert above.lines[0].get_xdata().tolist() == [1, 2]
    assert above.lines[0].get_ydata() == pytest.approx([0.55, 0.65])
    assert below.lines[0].get_ydata() == pytest.approx([0.05, 0.35])
    assert below.lines[1].get_ydata() == pytest.approx([0.1, 0.1])
    assert legend(figure) == ["augmentation", "nothing"]
    assert_legible(figure)


def test_reliability_draws_each_model_beside_the_diagonal():
    rows = {"LeNet": answers(0.3).probabilities[0], "always person": BASELINES["person"]}
    figure = multilabel.reliability_figure(rows, TARGETS)
    (ax,) = figure.axes
    diagonal, *_ = ax.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    first, second = ax.containers
    assert second.lines[0].get_xdata().tolist() == [0, 1]  # it states nothing between
    shares = [TARGETS[:, 1:].mean(), TARGETS[:, 0].mean()]
    assert second.lines[0].get_ydata() == pytest.approx(shares)
    assert len(first.lines[0].get_xdata()) > 5
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[0] == "perfectly calibrated"
    assert said[2] == "always person"
    assert_legible(figure)


# ------------------------------------------------------------------------------ curves


def steps(ax):
    """The curves drawn, without the faint lines of equal F1."""
    return [line for line in ax.lines if line.get_drawstyle() == "steps-post"]


def test_each_classs_curve_has_its_average_precision_in_the_legend():
    figure = pr_figures.class_curves_figure(logits(1), TARGETS, CLASSES, "LeNet")
    (ax,) = figure.axes
    found = metrics.average_precisions(logits(1), TARGETS)
    assert legend(figure) == [f"{n}, AP {ap:.3f}" for n, ap in zip(CLASSES, found, strict=True)]
    assert f"LeNet: mAP {found.mean():.3f}" in words(figure)
    for k, line in enumerate(steps(ax)):
        curve = metrics.pr_curve(logits(1)[:, k], TARGETS[:, k])
        assert np.array_equal(line.get_xdata(), curve.recall)
        assert np.array_equal(line.get_ydata(), curve.precision)
        area = -np.diff(line.get_xdata()) @ line.get_ydata()[:-1]  # what AP is the area of
        assert area == pytest.approx(found[k])
    assert_legible(figure)


def test_faint_lines_are_of_equal_f1():
    figure = pr_figures.class_curves_figure(logits(1), TARGETS, CLASSES, "LeNet")
    faint = [line for line in figure.axes[0].lines if line.get_drawstyle() != "steps-post"]
    for f1, line in zip(pr_figures.LEVELS, faint, strict=True):
        recall, precision = line.get_data()
        assert 2 * precision * recall / (precision + recall) == pytest.approx(np.full(200, f1))
        assert precision.max() == pytest.approx(1) and recall.max() == 1


def test_all_models_share_a_plane_with_the_baselines_as_points():
    scores = {"LeNet": logits(0.4), "VGG as the original": logits(0.5), "ResNet-18": logits(1)}
    scores |= {"ViT, strips": logits(0.3), "ViT, true patches": logits(0.35)}
    figure = pr_figures.models_figure(scores, TARGETS, BASELINES)
    (ax,) = figure.axes
    areas = [metrics.micro_pr_curve(s, TARGETS).average_precision for s in scores.values()]
    expected = [f"{name}: {area:.3f}" for name, area in zip(scores, areas, strict=True)]
    assert legend(figure) == [*expected, "person = class priors"]
    assert len(steps(ax)) == 5
    (point,) = [line for line in ax.lines if line.get_marker() == "o"]
    person = metrics.summarise(BASELINES["person"], TARGETS, 0.5)
    assert point.get_xydata()[0] == pytest.approx([person["recall"], person["precision"]])
    assert_legible(figure)


def test_every_threshold_cuts_the_scores_and_gives_a_point():
    scores, targets = 1 / (1 + np.exp(-logits(1)[:, 3])), TARGETS[:, 3]
    figure = pr_figures.threshold_figure(scores, targets, (0.3, 0.6))
    above, below = figure.axes
    cuts = [line for line in above.lines if len(line.get_xdata()) == 2]
    assert [line.get_xdata()[0] for line in cuts] == [0.3, 0.6]
    points = [line for line in below.lines if len(line.get_xdata()) == 1]
    for threshold, point, cut in zip((0.3, 0.6), points, cuts, strict=True):
        said = scores >= threshold
        recall, precision = said[targets == 1].mean(), targets[said].mean()
        assert point.get_xydata()[0] == pytest.approx([recall, precision])
        assert to_hex(point.get_color()) == to_hex(cut.get_color())
        line = f"yes from {threshold:g}: precision {precision:.2f}, recall {recall:.2f}"
        assert line in legend(figure)
    drawn = sum(bar.get_height() for bar in above.containers[0])
    assert drawn == (targets == 0).sum()
    assert_legible(figure)


# ------------------------------------------------------------------------------ images


def test_right_and_wrong_are_told_by_symbol_and_colour():
    said = pr_figures.verdicts([[1, 1, 0, 0]], [[1, 0, 1, 0]], ("person", "cat", "plane", "car"))
    symbols = [(symbol, name) for symbol, _, name in said[0]]
    assert symbols == [("✓", "person"), ("○", "cat"), ("✗", "plane")]
    assert len({colour for _, colour, _ in said[0]}) == 3


def test_a_contact_sheet_says_below_each_image_what_was_found():
    images = RNG.integers(256, size=(6, 16, 16, 3), dtype=np.uint8)
    decisions = TARGETS[:6] ^ np.eye(6, 5, dtype=int)
    figure = pr_figures.contact_sheet(images, TARGETS[:6], decisions, CLASSES)
    assert_legible(figure)
    shown = [ax.images[0].get_array() for ax in figure.axes]
    assert np.array_equal(shown, images)
    expected = [line for lines in pr_figures.verdicts(TARGETS[:6], decisions, CLASSES)
                for line in lines]  # fmt: skip
    drawn = [(text.get_text(), text.get_color()) for text in figure.texts]
    assert drawn[: len(expected)] == [(f"{s} {name}", colour) for s, colour, name in expected]
    key = [words for words, _ in drawn[len(expected) :]]
    assert key == [f"{symbol} {meaning}" for symbol, _, meaning in pr_figures.KINDS]
    # Each line stands below its own image: left to right, then the next row.
    first = [text for text in figure.texts if text.get_text().endswith(" person")]
    boxes = [ax.get_position() for ax in figure.axes]
    for text in first:
        x, y = text.get_position()
        assert any(box.x0 < x < box.x1 and y < box.y0 for box in boxes)


def test_colours_of_symbols_can_be_read_on_white():
    def luminance(colour):
        parts = np.array([int(to_hex(colour)[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for colour in (figures.BLUE, pr_figures.GREY, *(kind[1] for kind in pr_figures.KINDS)):
        assert 1.05 / (luminance(colour) + 0.05) > 3.8, colour
