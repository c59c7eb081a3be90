"""Move the thresholds of recorded predictions, and see what becomes of precision and recall.

With a kernel a widget draws anew; in the built page a panel of plain HTML does the same. Nothing
is trained: the scores are fixed, only what counts as a yes changes.
"""

import base64
import html
import io
import json
from string import Template

import numpy as np
from PIL import Image

from helpers.analysis import metrics
from helpers.analysis.metrics import THRESHOLDS
from helpers.book import figures
from helpers.book.multilabel import MARKS, contact_sheet, marked
from helpers.book.output import HTMLOutput
from helpers.book.widgets import Playground, slider
from helpers.runs.records import ROOT

START = 25  # in `THRESHOLDS`

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
    counts = metrics.threshold_counts(probabilities, targets)
    before = metrics.decide(probabilities, THRESHOLDS[START])
    options = [f"{threshold:.2f}" for threshold in THRESHOLDS]
    controls = {name: slider(options, options[START], name) for name in classes}

    def draw(**chosen):
        steps = [options.index(chosen[name]) for name in classes]
        decisions = metrics.decide(probabilities, THRESHOLDS[steps])
        changed = np.flatnonzero((decisions != before).any(axis=1))
        pictures = [i for i in changed if i in (images or {})][:most]
        lines = marked(targets[pictures], decisions[pictures], classes)
        rows = metrics.counts_at(counts, steps, classes)
        figure = _dots(rows, [images[i] for i in pictures], lines)
        return figure, (
            f"All classes: {_worth(*rows[-1][1:])}. Other answers than at "
            f"{THRESHOLDS[START]:.2f}: {len(changed)} images."
        )

    return Playground(controls, draw)


def _worth(positives, hits, predicted):
    """Say what counts are worth."""
    precision, recall, f1 = metrics.ratios(positives, hits, predicted)
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
    values = np.array([metrics.ratios(*counts) for _, *counts in rows])
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

STATIC = ROOT / "book" / "_static"
THUMBNAIL = 72  # pixels
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
    counts = positives, hits, predicted = metrics.threshold_counts(probabilities, targets)
    found, false_alarm, missed = (mark[:2] for mark in MARKS.values())
    data = {
        "classes": classes, "grid": [f"{threshold:.2f}" for threshold in THRESHOLDS],
        "start": START, "positives": positives.tolist(), "hits": hits.tolist(),
        "predicted": predicted.tolist(), "marks": [None, false_alarm, missed, found],
        "left": LEFT, "top": TOP, "plane": PLANE,
    }  # fmt: skip
    rows = metrics.counts_at(counts, [START] * len(classes), classes)
    part = {suffix: (STATIC / f"threshold_panel.{suffix}").read_text("utf-8").strip()
            for suffix in ("html", "css", "js")}  # fmt: skip
    names = html.escape(", ".join(classes))
    content = Template(part["html"]).substitute(
        data=html.escape(json.dumps(data, ensure_ascii=False, separators=(",", ":"))),
        handler=html.escape(part["js"]),
        style=part["css"],
        height=TOP + PLANE + 50 + 22 * -(-len(classes) // 3),
        label=f"Precision against recall of {names}; a dot on each curve marks its threshold.",
        curves="\n".join(
            _curve(k, name, *(c[k] for c in counts)) for k, name in enumerate(classes)
        ),
        rows="\n".join(_row(*row) for row in rows),
        gallery=_gallery(np.asarray(probabilities), np.asarray(targets), classes, images or {}),
        caption=html.escape(caption),
    )
    worth = _worth(*rows[-1][1:])
    return HTMLOutput(
        content, f"Thresholds to move; at {THRESHOLDS[START]:.2f} for every class: {worth}."
    )


def _row(name, *counts):
    """Return a row of the table, with its slider at the start."""
    positives, hits, predicted = counts
    shares = ["–" if np.isnan(value) else f"{value:.3f}" for value in metrics.ratios(*counts)]
    cells = (*shares, hits, positives - hits, predicted - hits)
    values = "".join(f'<td class="value">{cell}</td>' for cell in cells)
    label, start = html.escape(name), f"{THRESHOLDS[START]:.2f}"
    whose = "all classes" if name == "all" else label
    return (
        f'<tr><th scope="row">{label}</th><td><input type="range" min="0" '
        f'max="{len(THRESHOLDS) - 1}" step="1" value="{START}" autocomplete="off" '
        f'aria-label="threshold for {whose}" aria-valuetext="{start}"> '
        f"<output>{start}</output></td>{values}</tr>"
    )


def _curve(k, name, positives, hits, predicted):
    """Return a class's curve in the plane, its dot at the start, and its entry in the legend."""
    x = LEFT + PLANE * hits / positives
    precision = np.where(predicted, hits / np.maximum(predicted, 1), 1)  # nothing predicted: 1
    y = TOP + PLANE * (1 - precision)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    look = f'stroke="{figures.PALETTE[k]}" stroke-dasharray="{DASHES[k]}"'
    left, key = 14 + 100 * (k % 3), TOP + PLANE + 58 + 22 * (k // 3)
    return (
        f'<polyline points="{line}" fill="none" stroke-width="2" {look}/>'
        f'<circle cx="{x[START]:.1f}" cy="{y[START]:.1f}" r="6" fill="{figures.PALETTE[k]}" '
        'stroke="#fff" stroke-width="1.5"/>'
        f'<path d="M{left} {key} h34" stroke-width="2" {look}/>'
        f'<text x="{left + 40}" y="{key + 4}">{html.escape(name)}</text>'
    )


def _gallery(probabilities, targets, classes, images):
    """Return small pictures with what is predicted for them at the start."""
    if not images:
        return ""
    lines = []
    for index, image in images.items():
        # The last step that still predicts the class; deciding then is comparing integers.
        steps = np.searchsorted(THRESHOLDS, probabilities[index], side="right") - 1
        truth = targets[index].astype(int).tolist()
        spans = ""
        for name, *pair in zip(classes, truth, (steps >= START).astype(int), strict=True):
            mark = MARKS.get(tuple(pair))
            look = (
                f' style="color: {mark[1]}">{mark[0]} {html.escape(name)}' if mark else " hidden>"
            )
            spans += f"<span{look}</span>"
        there = " and ".join(name for name, t in zip(classes, truth, strict=True) if t) or "nothing"
        lines.append(
            f'<div data-steps="{steps.tolist()}" data-truth="{truth}"><img '
            f'src="{_thumbnail(image)}" width="{THUMBNAIL}" height="{THUMBNAIL}" '
            f'alt="An image with {html.escape(there)}">{spans}</div>'
        )
    key = "; ".join(f"{symbol} {meaning}" for symbol, _, meaning in MARKS.values())
    return (
        f"<p>{key}. Framed: other answers than at {THRESHOLDS[START]:.2f}, now "
        f"<output>0</output> of {len(images)} images.</p>\n"
        '<div class="images">\n' + "\n".join(lines) + "\n</div>"
    )


def _thumbnail(image):
    buffer = io.BytesIO()
    small = Image.fromarray(np.asarray(image, dtype=np.uint8)).resize((THUMBNAIL, THUMBNAIL))
    small.save(buffer, format="WEBP", quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
