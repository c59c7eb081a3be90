"""Move the thresholds of recorded predictions, and see what becomes of precision and recall.

A panel of plain HTML, which needs no kernel. Nothing is trained: the scores are fixed, only what
counts as a yes changes.
"""

import json
from itertools import compress

import numpy as np
from PIL import Image

from helpers.analysis import metrics
from helpers.book import figures
from helpers.book.multilabel import MARKS
from helpers.book.output import HTMLOutput, data_uri, fill, webp_bytes

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


def _worth(positives, hits, predicted):
    """Say what counts are worth."""
    precision, recall, f1 = ratios(positives, hits, predicted)
    return (
        f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}; {hits} found, "
        f"{positives - hits} missed, {predicted - hits} false alarms"
    )


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
