"""Moving thresholds: widget and page count what the metrics count."""

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup
from sklearn.metrics import precision_recall_fscore_support

from helpers.analysis import metrics
from helpers.book import thresholds
from helpers.book.multilabel import marked
from helpers.book.thresholds import START, THRESHOLDS, threshold_panel

CLASSES = ("person", "cat", "plane", "car", "bird")
RNG = np.random.default_rng(0)
TARGETS = (RNG.random((60, 5)) < [0.7, 0.2, 0.2, 0.2, 0.2]).astype(int)
PROBABILITIES = (1 / (1 + np.exp(-RNG.normal(size=(60, 5)) - 2 * TARGETS + 1))).round(2)
PROBABILITIES[:4] = THRESHOLDS[START]  # on the threshold itself
IMAGES = {i: RNG.integers(256, size=(16, 16, 3), dtype=np.uint8) for i in range(0, 60, 2)}


MOVE = """
arguments[0].value = arguments[1];
arguments[0].dispatchEvent(new Event("input", {bubbles: true}));
"""


def counts_at(steps):
    counts = thresholds.threshold_counts(PROBABILITIES, TARGETS)
    return thresholds.counts_at(counts, steps, CLASSES)


@pytest.mark.parametrize("steps", [[START] * 5, [0, 10, 20, 30, 50], [50] * 5])
def test_counts_are_those_of_the_decisions(steps):
    decisions = metrics.decide(PROBABILITIES, THRESHOLDS[steps])
    by_class = precision_recall_fscore_support(TARGETS, decisions, zero_division=0)[:3]
    whole = metrics.precision_recall_f1(decisions, TARGETS)
    expected = [*np.transpose(by_class), whole]
    for row, figures in zip(counts_at(steps), expected, strict=True):
        assert np.nan_to_num(thresholds.ratios(*row[1:])) == pytest.approx(figures)


def table(soup):
    """The table's rows: name, threshold, figures and counts."""
    return [
        [row.th.text, row.output.text, *(cell.text for cell in row.select("td.value"))]
        for row in soup.select("tbody tr")
    ]


def expected_table(steps):
    labels = [f"{THRESHOLDS[step]:.2f}" for step in steps]
    labels.append(labels[0] if len(set(labels)) == 1 else "mixed")
    rows = []
    for label, (name, *counts) in zip(labels, counts_at(steps), strict=True):
        positives, hits, predicted = counts
        shares = ["–" if np.isnan(v) else f"{v:.3f}" for v in thresholds.ratios(*counts)]
        rows.append([name, label, *shares, *map(str, (hits, positives - hits, predicted - hits))])
    return rows


def gallery(soup):
    """What stands below each picture, and whether it is framed."""
    return [
        ([line.text for line in picture.select("span:not([hidden])")], "changed" in
         picture.get("class", []))
        for picture in soup.select(".images > div")
    ]  # fmt: skip


def expected_gallery(steps):
    index = list(IMAGES)
    decisions = metrics.decide(PROBABILITIES[index], THRESHOLDS[steps])
    changed = (decisions != metrics.decide(PROBABILITIES[index], 0.5)).any(axis=1)
    marks = marked(TARGETS[index], decisions, CLASSES)
    lines = [[f"{symbol} {name}" for symbol, _, name in one] for one in marks]
    return list(zip(lines, changed.tolist(), strict=True))


PANEL = threshold_panel(PROBABILITIES, TARGETS, CLASSES, "A <caption>.", IMAGES)._repr_html_()


def assert_shows(soup, steps):
    """What was counted at these thresholds stands in the table, below the images, in the plane."""
    assert table(soup) == expected_table(steps)
    assert gallery(soup) == expected_gallery(steps)
    data, dots = json.loads(soup.figure["data-sweep"]), soup.select("circle")
    for k, dot in enumerate(dots):
        curve = metrics.pr_curve(PROBABILITIES[:, k], TARGETS[:, k])
        recall, precision = curve.at(THRESHOLDS[steps[k]])
        x, y = data["left"] + data["plane"] * recall, data["top"] + data["plane"] * (1 - precision)
        assert [float(dot["cx"]), float(dot["cy"])] == pytest.approx([x, y], abs=0.06)


def test_without_a_script_the_page_shows_thresholds_of_one_half_and_asks_for_nothing():
    soup = BeautifulSoup(PANEL, "html.parser")
    assert_shows(soup, [START] * 5)
    assert soup.figcaption.text == "A <caption>."
    for index, image in zip(IMAGES, soup.select("img"), strict=True):
        assert [name in image["alt"] for name in CLASSES] == (TARGETS[index] == 1).tolist()
    assert not soup.select("script, link, iframe") and "http" not in PANEL
    assert len(PANEL) < 3_000 * len(IMAGES) + 30_000  # noise; photographs take less
    for line, dot in zip(soup.select("polyline"), soup.select("circle"), strict=True):
        assert line["points"].split()[START] == f"{dot['cx']},{dot['cy']}"


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
    changed = sum(framed for _, framed in expected_gallery(steps))
    assert soup.select_one("p output").text == str(changed) and changed
