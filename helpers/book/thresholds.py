"""Move the thresholds of recorded predictions, and see what becomes of precision and recall.

With a kernel a widget draws anew; in the built page a panel of plain HTML does the same. Nothing
is trained: the scores are fixed, only what counts as a yes changes.
"""

import json
from itertools import compress

import numpy as np
from PIL import Image

from helpers.analysis import metrics
from helpers.book import figures
from helpers.book.multilabel import MARKS, contact_sheet, marked
from helpers.book.output import HTMLOutput, data_uri, fill, webp_bytes
from helpers.book.widgets import Playground, slider

THRESHOLDS = np.arange(51) / 50
OPTIONS = [f"{threshold:.2f}" for threshold in THRESHOLDS]
START = 25  # in `THRESHOLDS`


def threshold_counts(probabilities, targets):
    """Count positives [K], and hits and predicted positives at each of `THRESHOLDS`, [K, T]."""
    scores, targets = metrics.checked(probabilities, targets)
    metrics.check_positives(targets)
    metrics.check_probabilities(scores)
    yes = scores.T[:, None] >= THRESHOLDS[:, None]  # [K, T, N]
    hits = (yes & (targets.T[:, None] == 1)).sum(axis=2)
    return targets.sum(axis=0), hits, yes.sum(axis=2)


def counts_at(counts, steps, classes):
    """Return (name, positives, hits, predicted) at one step for each class, then of "all"."""
    k = np.arange(len(classes))
    columns = np.array([counts[0], counts[1][k, steps], counts[2][k, steps]])  # [3, K]
    rows = np.column_stack([columns, columns.sum(axis=1)]).T.tolist()
    return [(name, *row) for name, row in zip([*classes, "all"], rows, strict=True)]


def ratios(positives, hits, predicted):
    """Return precision, recall and F1 from counts; with nothing predicted, precision is nan."""
    precision = hits / predicted if predicted else float("nan")
    return precision, hits / positives, 2 * hits / (positives + predicted)


# --------------------------------------------------------------------- with a kernel


def threshold_playground(probabilities, targets, classes, images=None, most=8):
    """Let the reader set a threshold for each class.

    Parameters
    ----------
    probabilities, targets : array [N, K]
    classes : sequence of str, [K]
    images : dict int -> array of uint8 [S, S, 3], optional
        Some of the N images, to show those that change sides.
    most : int
        How many of them to show at most.

    Returns
    -------
    Playground
        A slider for each class; precision, recall, F1 and counts of each class; and the images
        whose predictions are now others than at 0.5.
    """
    counts = threshold_counts(probabilities, targets)
    before = metrics.decide(probabilities, THRESHOLDS[START])
    controls = {name: slider(OPTIONS, OPTIONS[START], name) for name in classes}

    def draw(**chosen):
        steps = [OPTIONS.index(chosen[name]) for name in classes]
        decisions = metrics.decide(probabilities, THRESHOLDS[steps])
        changed = np.flatnonzero((decisions != before).any(axis=1))
        pictures = [i for i in changed if i in (images or {})][:most]
        lines = marked(targets[pictures], decisions[pictures], classes)
        rows = counts_at(counts, steps, classes)
        figure = _dots(rows, [images[i] for i in pictures], lines)
        return figure, (
            f"All classes: {_worth(*rows[-1][1:])}. Other answers than at {OPTIONS[START]}: "
            f"{len(changed)} images."
        )

    return Playground(controls, draw)


def _worth(positives, hits, predicted):
    """Say what counts are worth."""
    precision, recall, f1 = ratios(positives, hits, predicted)
    return (
        f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}; {hits} found, "
        f"{positives - hits} missed, {predicted - hits} false alarms"
    )


def _dots(rows, images, lines):
    """Draw precision, recall and F1 of each class, with its counts, above some images."""
    row = 0.42  # inches
    table = row * len(rows)
    figure = contact_sheet(images, lines, above=table + 0.95)
    inch = 1 / figure.get_figheight()
    # Placed by hand: measuring the texts would take longer than drawing.
    ax = figure.add_axes((0.17, 1 - (table + 0.5) * inch, 0.48, table * inch))
    values = np.array([ratios(*counts) for _, *counts in rows])
    for i, (name, column) in enumerate(zip(("precision", "recall", "F1"), values.T, strict=True)):
        ax.plot(
            column, range(len(rows)), figures.MARKERS[i], color=figures.PALETTE[i], label=name,
            linestyle="none", markersize=9, clip_on=False,
        )  # fmt: skip
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    legend = {"ncols": 3, "columnspacing": 1, "handletextpad": 0}
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), **legend)
    for k, (_, positives, hits, predicted) in enumerate(rows, start=-1):
        texts = (hits, positives - hits, predicted - hits)
        y = 1 - (0.5 + (k + 1.5) * row) * inch
        for x, text in zip((0.73, 0.84, 0.95), texts, strict=True):
            figure.text(x, y, str(text), fontsize=12, ha="center", va="center")
    for x, title in zip((0.73, 0.84, 0.95), ("found", "missed", "false"), strict=True):
        figure.text(x, 1 - 0.4 * inch, title, fontsize=12, ha="center")
    return figure


# ------------------------------------------------------------------- in the built page

LEFT, TOP, PLANE = 46, 10, 250  # of the plane in threshold_panel.html, in SVG units
DASHES = ("", "8 4", "8 3 2 3", "2 3", "10 3 2 3 2 3", "14 5")


def threshold_panel(probabilities, targets, classes, caption, images=None):
    """Show a table and a plane whose figures follow sliders, one for each class and one for all.

    It is plain HTML with every count inside, from `book/_static/threshold_panel.*`; it works
    offline, with mouse, finger and keyboard, and without any script it shows thresholds of 0.5.

    Parameters
    ----------
    probabilities, targets : array [N, K]
    classes : sequence of str, [K]
        At most six.
    caption : str
    images : dict int -> array of uint8 [S, S, 3], optional
        Some of the N images, shown small with what is predicted for them now.

    Returns
    -------
    HTMLOutput
    """
    figures.check_few(classes)
    counts = positives, hits, predicted = threshold_counts(probabilities, targets)
    rows = counts_at(counts, [START] * len(classes), classes)
    found, false_alarm, missed = (mark[:2] for mark in MARKS.values())
    data = {
        "classes": classes, "grid": OPTIONS, "start": START, "positives": positives.tolist(),
        "hits": hits.tolist(), "predicted": predicted.tolist(),
        "marks": [None, false_alarm, missed, found], "left": LEFT, "top": TOP, "plane": PLANE,
    }  # fmt: skip
    precision = np.where(predicted, hits / np.maximum(predicted, 1), 1)  # nothing predicted: 1
    points = np.stack([LEFT + PLANE * hits / positives[:, None], TOP + PLANE * (1 - precision)], -1)
    looks = zip(classes, points.tolist(), figures.PALETTE, DASHES, strict=False)
    content = fill(
        "threshold_panel.html",
        **data,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        curves=list(looks),
        rows=[(name, _cells(*row)) for name, *row in rows],
        images=[
            _small(image, probabilities[i], targets[i], classes)
            for i, image in (images or {}).items()
        ],
        key="; ".join(f"{symbol} {meaning}" for symbol, _, meaning in MARKS.values()),
        caption=caption,
    )
    worth = _worth(*rows[-1][1:])
    return HTMLOutput(content, f"Thresholds to move; at {OPTIONS[START]} for every class: {worth}.")


def _cells(positives, hits, predicted):
    """Return the figures and counts of one row of the table."""
    shares = ratios(positives, hits, predicted)
    shares = ["–" if np.isnan(value) else f"{value:.3f}" for value in shares]
    return *shares, hits, positives - hits, predicted - hits


def _small(image, probabilities, there, classes):
    """Return a thumbnail, the last step at which each class is predicted, and which are there."""
    small = Image.fromarray(figures.as_pixels(image)).resize((72, 72))
    steps = np.searchsorted(THRESHOLDS, probabilities, side="right") - 1
    truth = there.astype(int).tolist()
    names = " and ".join(compress(classes, truth)) or "nothing"
    uri = data_uri(webp_bytes(small, lossless=False, quality=80), "image/webp")
    return uri, steps.tolist(), truth, names
