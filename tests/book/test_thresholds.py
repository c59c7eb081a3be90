"""Moving thresholds: widget and page count what the metrics count."""

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup
from sklearn.metrics import precision_recall_fscore_support

from helpers.analysis import metrics
from helpers.book import thresholds
from helpers.book.multilabel import MARKS, marked
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


def panel(**options):
    return threshold_panel(PROBABILITIES, TARGETS, CLASSES, "A <caption>.", **options)


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


# ---------------------------------------------------------------------------- the page


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


def test_without_a_script_the_page_shows_thresholds_of_one_half_and_asks_for_nothing():
    content = panel(images=IMAGES)._repr_html_()
    soup = BeautifulSoup(content, "html.parser")
    assert table(soup) == expected_table([START] * 5)
    assert gallery(soup) == expected_gallery([START] * 5)
    assert [slider["value"] for slider in soup.select("input")] == [str(START)] * 6
    names = [slider["aria-label"] for slider in soup.select("input")]
    assert names == [*(f"threshold for {name}" for name in CLASSES), "threshold for all classes"]
    assert soup.figcaption.text == "A <caption>."
    whole = metrics.summarise(PROBABILITIES, TARGETS, 0.5)
    assert f"at 0.50 for every class: precision {whole['precision']:.3f}" in repr(panel())
    assert not soup.select("script, link, iframe") and "http" not in content
    for index, image in zip(IMAGES, soup.select("img"), strict=True):
        there = [name for name, target in zip(CLASSES, TARGETS[index], strict=True) if target]
        assert image["src"].startswith("data:image/webp;base64,")
        assert image["alt"] == "An image with " + (" and ".join(there) or "nothing")
    assert len(content) < 3_000 * len(IMAGES) + 30_000  # noise; photographs take less


def at(data, k, threshold):
    """Where the dot of a class belongs, by its precision-recall curve."""
    recall, precision = metrics.pr_curve(PROBABILITIES[:, k], TARGETS[:, k]).at(threshold)
    return data["left"] + data["plane"] * recall, data["top"] + data["plane"] * (1 - precision)


def test_curves_and_dots_lie_where_the_counts_say():
    soup = BeautifulSoup(panel()._repr_html_(), "html.parser")
    data = json.loads(soup.figure["data-sweep"])
    lines = soup.select("polyline")
    for k, (line, dot) in enumerate(zip(lines, soup.select("circle"), strict=True)):
        points = np.array([pair.split(",") for pair in line["points"].split()], float)
        expected = np.array([at(data, k, threshold) for threshold in THRESHOLDS])
        assert points == pytest.approx(expected, abs=0.06)
        assert [float(dot["cx"]), float(dot["cy"])] == points[START].tolist()
    assert len({line["stroke-dasharray"] for line in lines}) == 5


@pytest.mark.parametrize(
    ("moves", "steps"),
    [
        ({1: 40, 3: 5, 0: 50}, [50, 40, START, 5, START]),
        ({2: 3, 5: 45}, [45] * 5),  # the sixth slider moves all others
    ],
)
def test_a_browser_shows_what_was_counted(browser, tmp_path, moves, steps):
    page = tmp_path / "page.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><body>{panel(images=IMAGES)._repr_html_()}</body>',
        encoding="utf-8",
    )
    browser.open(page.as_uri())
    for i, step in moves.items():
        browser.run(MOVE, browser.all("input")[i], step)
    soup = BeautifulSoup(browser.driver.page_source, "html.parser")
    assert table(soup) == expected_table(steps)
    assert gallery(soup) == expected_gallery(steps)
    changed = sum(framed for _, framed in expected_gallery(steps))
    assert soup.select_one("p output").text == str(changed) and changed
    data = json.loads(soup.figure["data-sweep"])
    for k, dot in enumerate(soup.select("circle")):
        place = float(dot["cx"]), float(dot["cy"])
        assert place == pytest.approx(at(data, k, THRESHOLDS[steps[k]]))
    for span in soup.select(".images span:not([hidden])"):
        (colour,) = [m[1] for m in MARKS.values() if m[0] == span.text[0]]
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        as_set = f"rgb({red}, {green}, {blue})"  # how it reads once the handler has set it anew
        assert as_set in span["style"] or colour in span["style"]
