"""Precision against recall, drawn; and images with what a model said about them.

Scores are probabilities, [N, K] between 0 and 1; targets are 0 or 1, [N, K].
"""

import numpy as np

from helpers.analysis import metrics
from helpers.book import figures

LEVELS = (0.2, 0.4, 0.6, 0.8)
GREY = "#767676"
#: How an answer about one class is shown: symbol, colour and meaning.
FOUND = ("✓", figures.BLUE, "found")
FALSE_ALARM = ("✗", figures.VERMILLION, "said, but not there")
MISSED = ("○", "#8A5A00", "there, but missed")  # orange, dark enough to be read
KINDS = (FOUND, FALSE_ALARM, MISSED)


# ------------------------------------------------------------------------------ curves


def class_curves_figure(scores, targets, classes, about):
    """Draw each class's precision-recall curve, with its average precision in the legend.

    Parameters
    ----------
    scores, targets : array [N, K]
    classes : sequence of str, [K]
    about : str
        Whose curves these are, for the title.

    Returns
    -------
    Figure
    """
    curves = metrics.pr_curves(scores, targets, classes)
    mean = np.mean([curve.average_precision for curve in curves.values()])
    figure, ax = figures.new_figure(height=6.2)
    _plane(ax)
    for i, (name, curve) in enumerate(curves.items()):
        _draw(ax, curve, f"{name}, AP {curve.average_precision:.3f}", i)
    figure.suptitle(f"{about}: mAP {mean:.3f}", fontsize=13)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def models_figure(scores, targets, baselines=None):
    """Draw the micro precision-recall curves of several models; baselines as points.

    Parameters
    ----------
    scores : dict name -> array [N, K]
        At most six models.
    targets : array of 0 and 1, [N, K]
    baselines : dict name -> array [N, K], optional
        Probabilities that are decided at 0.5. Those that decide alike share a point; one that
        never says anything has no precision, and no point.

    Returns
    -------
    Figure
    """
    figure, ax = figures.new_figure(height=6.4)
    _plane(ax)
    for i, (name, values) in enumerate(scores.items()):
        curve = metrics.micro_pr_curve(values, targets)
        _draw(ax, curve, f"{name}: {curve.average_precision:.3f}", i)
    points = {}
    for name, values in (baselines or {}).items():
        decisions = metrics.decide(values, 0.5)
        if decisions.any():
            precision, recall, _ = metrics.precision_recall_f1(decisions, targets, "micro")
            points.setdefault((recall, precision), []).append(name)
    for i, (point, names) in enumerate(points.items()):
        marker = figures.MARKERS[i % len(figures.MARKERS)]
        ax.plot(
            *point, marker, color=figures.BLACK, markersize=9, linestyle="none",
            label=" = ".join(names), clip_on=False, zorder=5,
        )  # fmt: skip
    legend = {"title": "micro AP", "ncols": 2, "handlelength": 1.8, "columnspacing": 1}
    figure.legend(loc="outside lower center", **legend)
    return figure


def threshold_figure(scores, targets, thresholds=(0.2, 0.5, 0.8)):
    """Show how a curve comes about: every threshold cuts the scores, and gives one point.

    Parameters
    ----------
    scores : array of float, [N]
        Probabilities of one class.
    targets : array of 0 and 1, [N]
    thresholds : sequence of float
        At most six.

    Returns
    -------
    Figure
        Above, the scores of the images with the class and without it, cut by the thresholds;
        below, the curve with each threshold's point.
    """
    scores, targets = np.asarray(scores), np.asarray(targets)
    curve = metrics.pr_curve(scores, targets)
    figure, (above, below) = figures.new_figure(2, 1, height=8.4, height_ratios=(2, 3))
    bins = np.linspace(0, 1, 26)
    above.hist(
        scores[targets == 0], bins, color=figures.SKY, label="images without the class"
    )  # fmt: skip
    above.hist(
        scores[targets == 1], bins, histtype="step", linewidth=2, color=figures.BLACK,
        linestyle="-", label="images with the class",
    )  # fmt: skip
    above.set(xlabel="probability that the model gives the class", ylabel="images", yscale="log")
    above.set_ylim(bottom=0.7)
    figure.legend(loc="outside upper center", ncols=2, columnspacing=1)
    _plane(below)
    _draw(below, curve, None, 0)
    for i, threshold in enumerate(thresholds):
        _mark(above, below, curve, threshold, i + 1)
    figure.legend(handles=below.get_legend_handles_labels()[0], loc="outside lower center")
    return figure


def _mark(above, below, curve, threshold, i):
    """Draw one threshold as a line through the scores and as a point on the curve."""
    colour = figures.PALETTE[i % len(figures.PALETTE)]
    marker = figures.MARKERS[i % len(figures.MARKERS)]
    above.axvline(threshold, color=colour, linewidth=1.5, linestyle="-")
    foot = above.get_xaxis_transform()
    above.plot(
        threshold, 0, marker, color=colour, markersize=10, transform=foot, clip_on=False, zorder=5
    )  # fmt: skip
    recall, precision = curve.at(threshold)
    label = f"yes from {threshold:g}: precision {precision:.2f}, recall {recall:.2f}"
    below.plot(
        recall, precision, marker, color=colour, markersize=10, clip_on=False, zorder=5,
        linestyle="none", label=label,
    )  # fmt: skip


def _plane(ax):
    """Prepare the plane of recall and precision, with faint lines of equal F1."""
    for f1 in LEVELS:
        recall = np.linspace(f1 / (2 - f1), 1, 200)
        ax.plot(
            recall, f1 * recall / (2 * recall - f1), color=GREY, linewidth=0.8, linestyle="-",
            alpha=0.6, zorder=1,
        )  # fmt: skip
        ax.text(
            1.015, f1 / (2 - f1), f"F1 {f1:g}", color=GREY, fontsize=12, va="center"
        )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="recall", ylabel="precision")


def _draw(ax, curve, label, i):
    """Draw a curve as the steps that its average precision is the area under."""
    ax.step(
        curve.recall, curve.precision, where="post", label=label, zorder=2,
        color=figures.PALETTE[i % len(figures.PALETTE)],
        linestyle=figures.LINES[i % len(figures.LINES)],
    )  # fmt: skip


# ------------------------------------------------------------------------------ images


def verdicts(targets, decisions, classes):
    """Return what is to be said about each image: a list of (symbol, colour, class) for each.

    A class that is neither there nor said is passed over.
    """
    kinds = {(1, 1): FOUND, (0, 1): FALSE_ALARM, (1, 0): MISSED}
    return [
        [
            (*kinds[truth, said][:2], name)
            for name, truth, said in zip(classes, true, answer, strict=True)
            if truth or said
        ]
        for true, answer in zip(
            np.asarray(targets, int).tolist(), np.asarray(decisions, int).tolist(), strict=True
        )
    ]


def contact_sheet(images, targets, decisions, classes, columns=4):
    """Draw images with the classes that are there and those that a model said.

    Parameters
    ----------
    images : array of uint8, [N, S, S, 3]
    targets, decisions : array of bool or 0 and 1, [N, K]
    classes : sequence of str, [K]
    columns : int

    Returns
    -------
    Figure
        Below each image one line a class, right or wrong by symbol and colour.
    """
    lines = verdicts(targets, decisions, classes)
    side, line, gap, key = figures.WIDTH / columns, 0.23, 0.1, 0.4  # inches
    rows = [lines[i : i + columns] for i in range(0, len(lines), columns)]
    heights = [side + gap + line * max(map(len, row)) for row in rows]
    figure = figures.BookFigure(figsize=(figures.WIDTH, sum(heights) + key))
    inch = 1 / figure.get_figheight()
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        top = 1 - sum(heights[:row]) * inch
        ax = figure.add_axes(
            ((column + 0.03) / columns, top - side * inch, 0.94 / columns, 0.94 * side * inch)
        )
        ax.axis("off")
        ax.imshow(image, interpolation="antialiased")
        for k, (symbol, colour, name) in enumerate(lines[i]):
            figure.text(
                (column + 0.5) / columns, top - (side + 0.04 + k * line) * inch,
                f"{symbol} {name}", color=colour, fontsize=12, ha="center", va="top",
            )  # fmt: skip
    for at, (symbol, colour, meaning) in zip((0.12, 0.46, 0.82), KINDS, strict=True):
        figure.text(at, 0.1 * inch, f"{symbol} {meaning}", color=colour, fontsize=12, ha="center")
    return figures.photographic(figure)
