"""The table and figures of practice 4 show the predictions and records that they are given."""

import json

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from legible import words
from matplotlib.colors import to_hex
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from helpers.analysis import metrics
from helpers.book import multilabel
from helpers.book.multilabel import FALSE_ALARM, FOUND, START, THRESHOLDS, marked
from helpers.networks import probes
from helpers.networks.efficientnet import EfficientNetLite0
from helpers.networks.resnet import ResNet18
from helpers.networks.vit import square_patches
from helpers.training.torch_trainer import normalise

CLASSES = ("person", "cat", "plane", "car", "bird")
RNG = np.random.default_rng(0)
TARGETS = (RNG.random((200, 5)) < [0.7, 0.1, 0.1, 0.15, 0.1]).astype(int)
BASELINES = metrics.constant_baselines(TARGETS)
IMAGES = RNG.integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
BATCH = normalise(torch.tensor(IMAGES).permute(0, 3, 1, 2))


def probabilities(skill, seed=0):
    noise = np.random.default_rng(seed).normal(size=TARGETS.shape)
    return 1 / (1 + np.exp(-noise - skill * (2 * TARGETS - 1)))


def legend(figure):
    return [text.get_text() for part in figure.legends for text in part.get_texts()]


def test_each_classs_curve_has_its_average_precision_in_the_legend():
    scores = probabilities(1)
    figure = multilabel.class_curves_figure(scores, TARGETS, CLASSES, "LeNet")
    found = metrics.average_precisions(scores, TARGETS)
    assert legend(figure) == [f"{n}, AP {ap:.3f}" for n, ap in zip(CLASSES, found, strict=True)]
    assert f"LeNet: mAP {found.mean():.3f}" in words(figure)
    for (x, y), area in zip(
        [line.get_data() for line in figure.axes[0].lines][-5:], found, strict=True
    ):
        assert -np.diff(x) @ y[:-1] == pytest.approx(area)  # what AP is the area of


def test_all_models_share_a_plane_with_the_baselines_as_points():
    scores = {name: probabilities(0.3 + 0.1 * i) for i, name in enumerate("abcde")}
    points = {name: model.probabilities[0] for name, model in BASELINES.items()}
    figure = multilabel.models_figure(scores, TARGETS, points)
    areas = [metrics.pr_curve(s, TARGETS).average_precision for s in scores.values()]
    expected = [f"{name}: {area:.3f}" for name, area in zip(scores, areas, strict=True)]
    assert legend(figure) == [*expected, "person = class priors"]
    (point,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    (person,) = BASELINES["person"].summaries(TARGETS)
    assert point.get_xydata()[0] == pytest.approx([person["recall"], person["precision"]])


def test_every_threshold_cuts_the_scores_and_gives_a_point():
    scores, targets = probabilities(1)[:, 3], TARGETS[:, 3]
    figure = multilabel.threshold_figure(scores, targets)
    above, below = figure.axes
    cuts = [line for line in above.lines if len(line.get_xdata()) == 2]
    points = [line for line in below.lines if len(line.get_xdata()) == 1]
    for threshold, point, cut in zip((0.2, 0.5, 0.8), points, cuts, strict=True):
        predicted = scores >= threshold
        assert cut.get_xdata()[0] == threshold
        expected = [predicted[targets == 1].mean(), targets[predicted].mean()]
        assert point.get_xydata()[0] == pytest.approx(expected)
        assert to_hex(point.get_color()) == to_hex(cut.get_color())


def test_the_most_confident_of_every_class_come_first():
    p = np.array([[0.1, 0.9, 0, 0], [0.2, 0.7, 0, 0], [0.8, 0.6, 0, 0.6]])
    truth = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    assert multilabel.most_confident(p, truth, FALSE_ALARM, 1) == ([1, 2], [1, 3])
    assert multilabel.most_confident(p, truth, FALSE_ALARM, 5) == ([1, 2, 2], [1, 3, 1])
    assert multilabel.most_confident(p, truth, FOUND, 5) == ([0], [1])  # right in every class


def test_what_is_there_or_predicted_is_marked():
    assert marked([[1, 1, 0, 0]], [[1, 0, 1, 0]], CLASSES[:4]) == [["✓ person", "○ cat", "✗ plane"]]


def test_a_map_colours_the_image_where_it_is_large():
    image = np.full((2, 2, 3), 100, np.uint8)
    shown = multilabel.overlaid(image, np.array([[2.0, 0], [0, -2]]), signed=True).astype(int)
    assert (abs(shown[[0, 1], [1, 0]] - 100) <= 1).all()
    assert shown[0, 0, 0] > shown[0, 0, 2] + 50 and shown[1, 1, 2] > shown[1, 1, 0] + 50


@pytest.mark.parametrize("build", [ResNet18, EfficientNetLite0])
def test_a_class_activation_map_adds_up_to_the_logit(build):
    torch.manual_seed(0)
    model = build(channels=3, size=32, classes=5).train()
    model(BATCH)  # gives the running means something to be
    found = probes.saliency(model, BATCH)
    with torch.inference_mode():
        logits = model(BATCH)
    torch.testing.assert_close(found.mean(dim=(2, 3)) + model.classifier[-1].bias, logits)


def test_a_class_activation_map_is_that_of_the_class_smoothly_enlarged():
    one = torch.zeros(1, 5, 4, 4)
    one[0, 2, 1, 2] = 1
    assert not multilabel.saliency_on_images(one, [1], 32).any()
    (smooth,) = multilabel.saliency_on_images(one, [2], 32)
    top, left = np.unravel_index(smooth.argmax(), (32, 32))
    assert (top // 8, left // 8) == (1, 2) and smooth.mean() == pytest.approx(1 / 16)


def test_attention_lies_on_the_pixels_that_the_patch_was_cut_from():
    image = torch.rand(1, 1, 32, 32)
    for patch, values in enumerate(square_patches(image, 8)[0]):
        found = multilabel.saliency_on_images(torch.eye(16)[[patch]], [0], 32)
        assert torch.equal(image[0][torch.tensor(found) > 0], values), patch


# ------------------------------------------------------------------- thresholds to move

SCORES = probabilities(1).round(2)[:60]
SCORES[:4] = THRESHOLDS[START]  # on the threshold itself
THERE = TARGETS[:60]
PHOTOS = {i: RNG.integers(256, size=(16, 16, 3), dtype=np.uint8) for i in range(0, 60, 2)}
PANEL = multilabel.threshold_panel(SCORES, THERE, CLASSES, "A <caption>.", PHOTOS)._repr_html_()
MOVE = """
arguments[0].value = arguments[1];
arguments[0].dispatchEvent(new Event("input", {bubbles: true}));
"""


def table_row(true, decisions):
    _, alarms, missed, hits = confusion_matrix(true, decisions).ravel()
    metrics = precision_score, recall_score, f1_score
    shares = [metric(true, decisions, zero_division=np.nan) for metric in metrics]
    shown = ["–" if np.isnan(share) else f"{share:.3f}" for share in shares]
    return [*shown, *map(str, (hits, missed, alarms))]


def assert_shows(soup, steps):
    """What scikit-learn counts at these thresholds stands in the table and in the plane, and the
    right marks below the images, of which those that changed are framed.
    """
    decisions, labels = THRESHOLDS[steps] <= SCORES, [f"{THRESHOLDS[step]:.2f}" for step in steps]
    rows = soup.select("tbody tr")
    every = [*zip(THERE.T, decisions.T, strict=True), (THERE.ravel(), decisions.ravel())]
    labels.append(labels[0] if len(set(labels)) == 1 else "mixed")
    for row, name, label, pair in zip(rows, [*CLASSES, "all"], labels, every, strict=True):
        assert [row.th.text, row.output.text] == [name, label]
        assert [cell.text for cell in row.select("td.value")] == table_row(*pair)
    for k, dot in enumerate(soup.select("circle")):
        recall, precision = metrics.pr_curve(SCORES[:, k], THERE[:, k]).at(THRESHOLDS[steps[k]])
        place = float(dot["cx"]), float(dot["cy"])
        assert place == pytest.approx((46 + 250 * recall, 10 + 250 * (1 - precision)), abs=0.06)
    for i, image in zip(PHOTOS, soup.select(".images > div"), strict=True):
        (lines,) = marked(THERE[[i]], decisions[[i]], CLASSES)
        shown = [line.text for line in image.select("span:not([hidden])")]
        assert shown == lines
        changed = (decisions[i] != (SCORES[i] >= 0.5)).any()
        assert ("changed" in image.get("class", [])) == changed


def test_without_a_script_the_panel_shows_thresholds_of_one_half_and_asks_for_nothing():
    soup = BeautifulSoup(PANEL, "html.parser")
    assert_shows(soup, [START] * 5)
    assert soup.figcaption.text == "A <caption>."
    for i, image in zip(PHOTOS, soup.select("img"), strict=True):
        assert [name in image["alt"] for name in CLASSES] == (THERE[i] == 1).tolist()
    assert not soup.select("script, link, iframe") and "http" not in PANEL
    data = json.loads(soup.figure["data-sweep"])
    for step, threshold in enumerate(THRESHOLDS):
        yes = threshold <= SCORES
        assert [row[step] for row in data["hits"]] == (yes & (THERE == 1)).sum(axis=0).tolist()
        assert [row[step] for row in data["predicted"]] == yes.sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("moves", "steps"),
    [
        ({1: 40, 3: 5, 0: 50}, [50, 40, START, 5, START]),
        ({2: 3, 5: 45}, [45] * 5),  # the sixth slider moves all others
    ],
)
def test_a_browser_shows_what_was_counted(browser, tmp_path, moves, steps):
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><meta charset="utf-8"><body>{PANEL}</body>', "utf-8")
    browser.open(page.as_uri())
    for i, step in moves.items():
        browser.run(MOVE, browser.all("input")[i], step)
    soup = BeautifulSoup(browser.driver.page_source, "html.parser")
    assert_shows(soup, steps)
    assert soup.select_one("p output").text == str(len(soup.select(".changed"))) != "0"
