"""Moving thresholds: widget and page count what the metrics count."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from bs4 import BeautifulSoup
from legible import assert_legible, words

from helpers.analysis import metrics
from helpers.book import threshold_panel, thresholds
from helpers.book.pr_figures import KINDS, verdicts
from helpers.book.thresholds import GRID, START, Sweep, shares

CLASSES = ("person", "cat", "plane", "car", "bird")
RNG = np.random.default_rng(0)
TARGETS = (RNG.random((60, 5)) < [0.7, 0.2, 0.2, 0.2, 0.2]).astype(int)
PROBABILITIES = (1 / (1 + np.exp(-RNG.normal(size=(60, 5)) - 2 * TARGETS + 1))).round(2)
PROBABILITIES[:4] = GRID[START]  # on the threshold itself
IMAGES = {i: RNG.integers(256, size=(16, 16, 3), dtype=np.uint8) for i in range(0, 60, 2)}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def panel(**options):
    return threshold_panel.threshold_panel(
        PROBABILITIES, TARGETS, CLASSES, "A <caption>.", **options
    )


# -------------------------------------------------------------------------- the counts


@pytest.mark.parametrize("steps", [[START] * 5, [0, 10, 20, 30, 50], [50] * 5])
def test_counts_are_those_of_the_decisions(steps):
    rows = Sweep.of(PROBABILITIES, TARGETS, CLASSES).at(steps)
    found = metrics.by_class(PROBABILITIES, TARGETS, GRID[steps])
    assert [row[0] for row in rows] == [*CLASSES, "all"]
    for k, (_, positives, hits, said) in enumerate(rows[:-1]):
        assert (hits, said - hits) == (found["hits"][k], found["false_alarms"][k])
        assert positives - hits == found["misses"][k]
        precision, recall, f1 = shares(positives, hits, said)
        assert np.isnan(precision) if not said else precision == found["precision"][k]
        assert (recall, f1) == pytest.approx((found["recall"][k], found["f1"][k]))
    whole = metrics.summarise(PROBABILITIES, TARGETS, GRID[steps])
    precision, recall, f1 = shares(*rows[-1][1:])
    assert (recall, f1) == pytest.approx((whole["recall"], whole["f1"]))
    assert whole["precision"] == pytest.approx(np.nan_to_num(precision))


@pytest.mark.parametrize(
    ("probabilities", "classes", "message"),
    [
        (10 * PROBABILITIES, CLASSES, "between 0 and 1"),
        (PROBABILITIES, CLASSES[:4], "5 names; got 4"),
        (PROBABILITIES[:9], CLASSES, "scores and targets"),
    ],
)
def test_bad_input_is_told(probabilities, classes, message):
    with pytest.raises(ValueError, match=message):
        Sweep.of(probabilities, TARGETS, classes)


# -------------------------------------------------------------------------- the widget


def test_the_widget_has_a_slider_for_each_class_and_says_what_they_do():
    playground = thresholds.threshold_playground(PROBABILITIES, TARGETS, CLASSES, IMAGES)
    assert list(playground.controls) == list(CLASSES)
    assert "Other answers than at 0.50: 0 images." in playground.sentence.value
    for step, (name, control) in zip((0, 10, 40, 45, 50), playground.controls.items(), strict=True):
        before = playground.picture.value
        control.value = f"{GRID[step]:.2f}"
        assert playground.picture.value != before, name
    at = GRID[[0, 10, 40, 45, 50]]
    whole = metrics.summarise(PROBABILITIES, TARGETS, at)
    decisions = metrics.decide(PROBABILITIES, at)
    changed = (decisions != metrics.decide(PROBABILITIES, 0.5)).any(axis=1).sum()
    said = playground.sentence.value
    assert f"precision {whole['precision']:.3f}, recall {whole['recall']:.3f}" in said
    assert f"F1 {whole['f1']:.3f}; {(decisions & (TARGETS == 1)).sum()} found" in said
    assert f"Other answers than at 0.50: {changed} images." in said


def test_the_widget_shows_images_that_change_sides():
    playground = thresholds.threshold_playground(PROBABILITIES, TARGETS, CLASSES, IMAGES)
    chosen = {name: "0.50" for name in CLASSES} | {"cat": "0.60"}
    figure, _ = playground.draw(**chosen)
    changed = (PROBABILITIES[:, 1] >= 0.5) & (PROBABILITIES[:, 1] < 0.6)
    expected = [i for i in np.flatnonzero(changed) if i in IMAGES][: thresholds.SHOWN]
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(expected) > 1
    assert np.array_equal(shown, [IMAGES[i] for i in expected])
    decisions = metrics.decide(PROBABILITIES[expected], [0.5, 0.6, 0.5, 0.5, 0.5])
    for lines in verdicts(TARGETS[expected], decisions, CLASSES):
        assert {f"{symbol} {name}" for symbol, _, name in lines} <= set(words(figure))
    assert_legible(figure)


def test_the_widget_works_without_images_and_where_nothing_is_said():
    playground = thresholds.threshold_playground(PROBABILITIES, TARGETS, CLASSES)
    figure, said = playground.draw(**{name: "1.00" for name in CLASSES})
    assert "no precision, since nothing is said" in said and "0 false alarms" in said
    assert not any(ax.images for ax in figure.axes)
    assert_legible(figure)


def test_dots_and_counts_are_each_classs():
    rows = Sweep.of(PROBABILITIES, TARGETS, CLASSES).at([START] * 5)
    figure = thresholds.figure_at(rows)
    (ax,) = figure.axes
    drawn = np.array([line.get_xdata() for line in ax.lines]).T
    assert drawn == pytest.approx(np.array([shares(*counts) for _, *counts in rows]))
    for _, positives, hits, said in rows:
        assert {str(hits), str(positives - hits), str(said - hits)} <= set(words(figure))
    assert_legible(figure)


# ---------------------------------------------------------------------------- the page


def table(soup):
    """The table's rows: name, threshold, figures and counts."""
    rows = []
    for row in soup.select("tbody tr"):
        values = [cell.get_text() for cell in row.select("td.value")]
        rows.append([row.th.get_text(), row.output.get_text(), *values])
    return rows


def expected_table(steps):
    rows = []
    labels = [f"{GRID[step]:.2f}" for step in steps]
    labels.append(labels[0] if len(set(labels)) == 1 else "mixed")
    counts = Sweep.of(PROBABILITIES, TARGETS, CLASSES).at(steps)
    for label, (name, positives, hits, said) in zip(labels, counts, strict=True):
        figures = ["–" if np.isnan(v) else f"{v:.3f}" for v in shares(positives, hits, said)]
        cells = [str(count) for count in (hits, positives - hits, said - hits)]
        rows.append([name, label, *figures, *cells])
    return rows


def gallery(soup):
    """What stands below each picture, and whether it is framed."""
    pictures = []
    for picture in soup.select(".images > div"):
        lines = [span.get_text() for span in picture.select("span") if not span.has_attr("hidden")]
        pictures.append((lines, "changed" in picture.get("class", [])))
    return pictures


def expected_gallery(steps):
    index = list(IMAGES)
    decisions = metrics.decide(PROBABILITIES[index], GRID[steps])
    changed = (decisions != metrics.decide(PROBABILITIES[index], 0.5)).any(axis=1)
    said = verdicts(TARGETS[index], decisions, CLASSES)
    lines = [[f"{symbol} {name}" for symbol, _, name in one] for one in said]
    return list(zip(lines, changed.tolist(), strict=True))


def test_without_a_script_the_page_shows_thresholds_of_one_half():
    soup = BeautifulSoup(panel(images=IMAGES)._repr_html_(), "html.parser")
    assert table(soup) == expected_table([START] * 5)
    assert gallery(soup) == expected_gallery([START] * 5)
    assert [slider["value"] for slider in soup.select("input")] == [str(START)] * 6
    assert soup.figcaption.get_text() == "A <caption>."
    whole = metrics.summarise(PROBABILITIES, TARGETS, 0.5)
    assert f"at 0.50 for every class: precision {whole['precision']:.3f}" in repr(panel())
    assert not BeautifulSoup(panel()._repr_html_(), "html.parser").select("img")


def test_the_page_asks_for_nothing_outside_and_is_the_same_every_time():
    content = panel(images=IMAGES)._repr_html_()
    soup = BeautifulSoup(content, "html.parser")
    assert content == panel(images=IMAGES)._repr_html_()
    assert not soup.select("script, link, iframe")
    assert all(image["src"].startswith("data:image/webp;base64,") for image in soup.select("img"))
    assert all(image["alt"].startswith("An image with ") for image in soup.select("img"))
    assert "http" not in content
    names = [slider["aria-label"] for slider in soup.select("input")]
    assert names == [*(f"threshold for {name}" for name in CLASSES), "threshold for all classes"]
    assert len(content) < 3_000 * len(IMAGES) + 30_000  # noise; photographs take less


def test_curves_and_dots_lie_where_the_counts_say():
    soup = BeautifulSoup(panel()._repr_html_(), "html.parser")
    data = json.loads(soup.figure["data-sweep"])
    left, top, plane = (data[key] for key in ("left", "top", "plane"))
    for k, (line, dot) in enumerate(
        zip(soup.select("polyline"), soup.select("circle"), strict=True)
    ):
        points = np.array([pair.split(",") for pair in line["points"].split()], float)
        recall, precision = (points[:, 0] - left) / plane, 1 - (points[:, 1] - top) / plane
        curve = metrics.pr_curve(PROBABILITIES[:, k], TARGETS[:, k])
        expected = np.array([curve.at(threshold) for threshold in GRID])
        assert np.column_stack([recall, precision]) == pytest.approx(expected, abs=5e-4)
        assert [float(dot["cx"]), float(dot["cy"])] == points[START].tolist()
    assert len({line["stroke-dasharray"] for line in soup.select("polyline")}) == 5


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to move the sliders in")
@pytest.mark.parametrize(
    ("moves", "steps"),
    [
        ({1: 40, 3: 5, 0: 50}, [50, 40, START, 5, START]),
        ({2: 3, 5: 45}, [45] * 5),  # the sixth slider moves all others
    ],
)
def test_a_browser_shows_what_was_counted(tmp_path, moves, steps):
    script = "\n".join(
        f"sliders[{i}].value = {step}; "
        f"sliders[{i}].dispatchEvent(new Event('input', {{bubbles: true}}));"
        for i, step in moves.items()
    )
    page = tmp_path / "page.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><body>{panel(images=IMAGES)._repr_html_()}'
        f"<script>const sliders = document.querySelectorAll('input');\n{script}</script></body>",
        encoding="utf-8",
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120)
    soup = BeautifulSoup(done.stdout, "html.parser")
    assert table(soup) == expected_table(steps)
    assert gallery(soup) == expected_gallery(steps)
    changed = sum(framed for _, framed in expected_gallery(steps))
    assert soup.select_one("p output").get_text() == str(changed) and changed
    data = json.loads(soup.figure["data-sweep"])
    for k, dot in enumerate(soup.select("circle")):
        recall, precision = metrics.pr_curve(PROBABILITIES[:, k], TARGETS[:, k]).at(GRID[steps[k]])
        assert float(dot["cx"]) == pytest.approx(data["left"] + data["plane"] * recall)
        assert float(dot["cy"]) == pytest.approx(data["top"] + data["plane"] * (1 - precision))
    for span in soup.select(".images span:not([hidden])"):
        (colour,) = [kind[1] for kind in KINDS if kind[0] == span.get_text()[0]]
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        as_set = f"rgb({red}, {green}, {blue})"  # how it reads once the handler has set it anew
        assert as_set in span["style"] or colour in span["style"]
