"""Practice 4's table of results and its figures: curves, photographs with predictions, saliency.

Scores are probabilities, [N, K] between 0 and 1; targets are 0 or 1, [N, K]. Last comes a panel of
plain HTML with thresholds to move.
"""

import json
import math
from itertools import compress

import numpy as np
import pandas as pd
import torch
from PIL import Image
from scipy.special import expit
from torch.nn import functional

from helpers.analysis import metrics
from helpers.analysis.summaries import format_seeds
from helpers.book import figures
from helpers.book.output import HTMLOutput, data_uri, fill, webp_bytes
from helpers.book.pictures import ATTENTION
from helpers.data.augment import LUMINANCE
from helpers.runs.experiments import find
from helpers.runs.records import read_arrays
from helpers.runs.runner import decode_images, largest

GREY = "#767676"
#: How a prediction about one class is shown: symbol and meaning.
FOUND = ("✓", "found")
FALSE_ALARM = ("✗", "predicted, but not there")
MISSED = ("○", "there, but missed")
MARKS = {(1, 1): FOUND, (0, 1): FALSE_ALARM, (1, 0): MISSED}  # by (there, predicted)

# ------------------------------------------------------------------------------ tables


def results_table(predictions, targets, rng):
    """Tabulate how good each model's predictions are, and what the model is.

    Parameters
    ----------
    predictions : dict name -> `helpers.analysis.metrics.Predictions`, from top to bottom.
    targets : array of 0 and 1, [N, K]
    rng : numpy.random.Generator, for the intervals.

    Returns
    -------
    DataFrame of str
        Each figure is computed over all images and averaged over the seeds; F1 and mAP have
        95% intervals over images. A precision where a seed predicts nothing is left open. A
        checkpoint is every parameter in float32.
    """
    rows = []
    seed = rng.integers(2**32)  # all rows are of the same resampled images
    for name, model in predictions.items():
        row = {"model": name, "trained": "–", "parameters (checkpoint)": "–"}
        if model.records:
            size = model.records[0].parameters
            row["trained"] = trained(model.records)
            row["parameters (checkpoint)"] = f"{size:,} ({size * 4 / 2**20:.1f} MiB)"
        each = pd.DataFrame(model.summaries(targets))
        for key in ("accuracy", "precision", "recall"):
            row[key] = f"{each[key].mean():.3f}"
        if not all((p >= model.thresholds).any() for p in model.probabilities):
            row["precision"] = "–"
        images = np.random.default_rng(seed)
        found = metrics.bootstrap(model.probabilities, targets, model.thresholds, images)
        for key, title in {"f1": "F1", "mean_average_precision": "mAP"}.items():
            value = found[key] if found[key].low < found[key].high else found[key].estimate
            row[title] = f"{value:.3f}"
        rows.append(row)
    return pd.DataFrame(rows)


def trained(records):
    """Say on which images, how long and how often a model was trained."""
    config = records[0].config
    return f"{config['data']['size']} px, {config['epochs']} epochs, {format_seeds(records)}"


# --------------------------------------------------------- precision against recall


def class_curves_figure(scores, targets, classes, title):
    """Draw each class's precision-recall curve, with its average precision in the legend."""
    curves = [metrics.pr_curve(s, t) for s, t in zip(scores.T, targets.T, strict=True)]
    figure, ax = figures.new_figure(height=6.2)
    _plane(ax)
    for i, (name, curve) in enumerate(zip(classes, curves, strict=True)):
        _draw(ax, curve, f"{name}, AP {curve.average_precision:.3f}", i)
    mean = np.mean([curve.average_precision for curve in curves])
    figure.suptitle(f"{title}: mAP {mean:.3f}", fontsize=13)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def models_figure(scores, targets, baselines):
    """Draw the micro precision-recall curves of several models; baselines as points.

    Parameters
    ----------
    scores : dict name -> array [N, K], of at most six models.
    targets : array of 0 and 1, [N, K]
    baselines : dict name -> array [N, K] of probabilities, which are decided at 0.5. Those that
        decide alike share a point; one that never predicts anything has no precision, and no point.
    """
    figure, ax = figures.new_figure(height=6.4)
    _plane(ax)
    for i, (name, values) in enumerate(scores.items()):
        curve = metrics.pr_curve(values, targets)
        _draw(ax, curve, f"{name}: {curve.average_precision:.3f}", i)
    points = {}
    for name, values in baselines.items():
        decisions = values >= 0.5
        if decisions.any():
            precision, recall, _ = metrics.precision_recall_f1(decisions, targets)
            points.setdefault((recall, precision), []).append(name)
    for i, (point, names) in enumerate(points.items()):
        _point(ax, point, i, color=figures.BLACK, label=" = ".join(names), markersize=9)
    legend = {"title": "micro AP", "ncols": 2, "handlelength": 1.8, "columnspacing": 1}
    figure.legend(loc="outside lower center", **legend)
    return figure


def threshold_figure(scores, targets):
    """Show how a curve comes about: every threshold cuts the scores, and gives one point.

    Above, the probabilities [N] of the images with a class and without it, cut by three thresholds;
    below, the curve with each threshold's point.
    """
    curve = metrics.pr_curve(scores, targets)
    figure, (above, below) = figures.new_figure(2, 1, height=8.4, height_ratios=(2, 3))
    bins = np.linspace(0, 1, 26)
    above.hist(scores[targets == 0], bins, color=figures.SKY, label="images without the class")
    above.hist(
        scores[targets == 1], bins, histtype="step", linewidth=2, color=figures.BLACK,
        linestyle="-", label="images with the class",
    )  # fmt: skip
    above.set(xlabel="probability that the model gives the class", ylabel="images", yscale="log")
    above.set_ylim(bottom=0.7)
    figure.legend(loc="outside upper center", ncols=2, columnspacing=1)
    _plane(below)
    _draw(below, curve, None, 0)
    foot = above.get_xaxis_transform()
    for i, threshold in enumerate((0.2, 0.5, 0.8), start=1):
        colour = figures.PALETTE[i]
        above.axvline(threshold, color=colour, linewidth=1.5, linestyle="-")
        _point(above, (threshold, 0), i, color=colour, transform=foot)
        recall, precision = curve.at(threshold)
        label = f"yes from {threshold:g}: precision {precision:.2f}, recall {recall:.2f}"
        _point(below, (recall, precision), i, color=colour, label=label)
    figure.legend(handles=below.get_legend_handles_labels()[0], loc="outside lower center")
    return figure


def _plane(ax):
    """Prepare the plane of recall and precision, with faint lines of equal F1."""
    for f1 in (0.2, 0.4, 0.6, 0.8):
        recall = np.linspace(f1 / (2 - f1), 1, 200)
        ax.plot(
            recall, f1 * recall / (2 * recall - f1), color=GREY, linewidth=0.8, linestyle="-",
            alpha=0.6, zorder=1,
        )  # fmt: skip
        ax.text(1.015, f1 / (2 - f1), f"F1 {f1:g}", color=GREY, fontsize=12, va="center")
    ax.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="recall", ylabel="precision")


def _draw(ax, curve, label, i):
    """Draw a curve as the steps that its average precision is the area under."""
    look = {"color": figures.PALETTE[i], "linestyle": figures.LINES[i], "zorder": 2}
    ax.step(curve.recall, curve.precision, where="post", label=label, **look)


def _point(ax, point, i, markersize=10, **look):
    look |= {"linestyle": "none", "clip_on": False, "zorder": 5}
    ax.plot(*point, figures.MARKERS[i], markersize=markersize, **look)


# --------------------------------------------------------------------- kept photographs


def examples(name):
    """Return the photographs that an experiment keeps, from the seed that keeps them.

    Returns
    -------
    places : ndarray of int, [M]
        In the test set.
    images : ndarray of uint8, [M, S, S, 3]
    probabilities, targets : ndarray [M, K]
    saliency : ndarray or None
        As from `helpers.networks.probes.saliency`.
    """
    arrays = read_arrays(name, "full", find(name).keep_images[0])
    places = arrays["examples"]
    probabilities = expit(arrays["scores"][places].astype(np.float64))
    images, targets = decode_images(arrays["example_images"]), arrays["labels"][places]
    return places, images, probabilities, targets, arrays.get("example_saliency")


def most_confident(probabilities, targets, kind, each):
    """Find the most confident false alarms or hits at 0.5, at most so many of `each` class.

    Parameters
    ----------
    probabilities, targets : array [M, K]
    kind : FALSE_ALARM, or FOUND, which counts on images that are right in every class.
    each : int

    Returns
    -------
    rows, classes : list of int: the first of every class, then the second of every class, and so on
    """
    if kind not in (FOUND, FALSE_ALARM):
        raise ValueError("kind must be FOUND or FALSE_ALARM")
    predicted, there = probabilities >= 0.5, targets == 1
    right = (predicted == there).all(axis=1, keepdims=True)
    wanted = predicted & (~there if kind == FALSE_ALARM else there & right)
    pairs = sorted(
        (rank, k, row)
        for k, column in enumerate(np.where(wanted, probabilities, -np.inf).T)
        for rank, row in enumerate(largest(column, each))
    )
    return [row for _, _, row in pairs], [k for _, k, _ in pairs]


def marked(targets, decisions, classes):
    """Return the lines below each image: symbol and class where one is there or predicted.

    Targets and decisions are bool or 0 and 1, [N, K].
    """
    lines = []
    for pairs in np.stack([targets, decisions], axis=2).astype(int).tolist():  # of [N, K, 2]
        marks = zip(classes, map(MARKS.get, map(tuple, pairs)), strict=True)
        lines.append([f"{mark[0]} {name}" for name, mark in marks if mark])
    return lines


# ---------------------------------------------------------------------------- saliency


def saliency_on_images(saliency, classes, size):
    """Bring what `helpers.networks.probes.saliency` found to the size of the images.

    Parameters
    ----------
    saliency : tensor [B, K, s, s] of a ResNet, or [B, N] of a ViT whose patches are squares.
    classes : sequence of int, [B]: which class's map to take on each image; a ViT's attention is
        the same for all.
    size : int, the side of the images.

    Returns
    -------
    ndarray of float32, [B, S, S]
        ResNet: what the place adds to the logit, smoothly enlarged. ViT: the attention to the patch
        that a pixel is in.
    """
    saliency = torch.as_tensor(saliency).float()
    if saliency.ndim == 2:
        side = math.isqrt(saliency.shape[1])
        found, mode = saliency.reshape(-1, 1, side, side), "nearest"
    elif len(classes) == len(saliency) and 0 <= min(classes) <= max(classes) < saliency.shape[1]:
        found, mode = saliency[range(len(saliency)), list(classes)][:, None], "bilinear"
    else:
        raise ValueError(f"classes must be a class for each image, from 0; got {list(classes)}")
    return functional.interpolate(found, (size, size), mode=mode)[:, 0].numpy()


def overlaid(image, found, signed):
    """Lay over an image where a network looks on it.

    Parameters
    ----------
    image : array of uint8, [S, S, 3]
    found : array [S, S], as from `saliency_on_images`.
    signed : whether it speaks for a class (vermillion) and against it (blue), as a ResNet's maps,
        and is not attention (orange). The colours are relative to its largest value.

    Returns
    -------
    ndarray of uint8, [S, S, 3]
        Grey where the network does not look: a colour is as opaque as the map is large there.
    """
    found = found / max(np.abs(found).max(), 1e-9)
    grey = (image @ LUMINANCE)[..., None] / 255
    colours = figures.DIVERGING((found + 1) / 2) if signed else ATTENTION(found)
    opacity = 0.8 * np.abs(found)[..., None]
    return np.uint8(255 * (grey * (1 - opacity) + colours[..., :3] * opacity))


# -------------------------------------------------------------------- thresholds to move

THRESHOLDS = np.arange(51) / 50
START = 25  # in `THRESHOLDS`
LEFT, TOP, PLANE = 46, 10, 250  # of the plane in threshold_panel.html, in SVG units
DASHES = ("", "8 4", "8 3 2 3", "2 3", "10 3 2 3 2 3", "14 5")


def threshold_panel(probabilities, targets, classes, caption, images):
    """Show a table and a plane whose figures follow sliders, one for each class and one for all.

    It is plain HTML with every count inside, from `book/_static/threshold_panel.*`; it works
    offline, with mouse, finger and keyboard, and without any script it shows thresholds of 0.5.

    Parameters
    ----------
    probabilities, targets : array [N, K]
    classes : sequence of str, [K], at most six, each of which some image shows (or a ValueError).
    caption : str
    images : dict int -> array of uint8 [S, S, 3]: some of the N images, shown small with what is
        predicted for them now.
    """
    if len(classes) > len(DASHES) or not targets.any(axis=0).all():
        raise ValueError("at most six classes can be told apart, and some image must show each")
    yes = probabilities.T[:, None] >= THRESHOLDS[:, None]  # [K, T, N]
    hits, predicted = (yes & (targets.T[:, None] == 1)).sum(axis=2), yes.sum(axis=2)  # [K, T]
    positives, grid = targets.sum(axis=0), [f"{threshold:.2f}" for threshold in THRESHOLDS]
    counts = np.array([positives, hits[:, START], predicted[:, START]])  # [3, K]
    counts = np.column_stack([counts, counts.sum(axis=1)]).T.tolist()
    rows = [(name, _cells(*three)) for name, three in zip([*classes, "all"], counts, strict=True)]
    precision = np.where(predicted, hits / np.maximum(predicted, 1), 1)  # nothing predicted: 1
    points = np.stack([LEFT + PLANE * hits / positives[:, None], TOP + PLANE * (1 - precision)], -1)
    data = {
        "classes": classes, "grid": grid, "start": START, "positives": positives.tolist(),
        "hits": hits.tolist(), "predicted": predicted.tolist(),
        "marks": [None, FALSE_ALARM[0], MISSED[0], FOUND[0]], "left": LEFT, "top": TOP,
        "plane": PLANE,
    }  # fmt: skip
    content = fill(
        "threshold_panel.html",
        **data,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        curves=list(zip(classes, points.tolist(), figures.PALETTE, DASHES, strict=False)),
        rows=rows,
        images=[_small(x, probabilities[i], targets[i], classes) for i, x in images.items()],
        key="; ".join(f"{symbol} {meaning}" for symbol, meaning in MARKS.values()),
        caption=caption,
    )
    worth = "precision {}, recall {}, F1 {}; {} found, {} missed, {} false alarms"
    worth = worth.format(*rows[-1][1])
    return HTMLOutput(content, f"Thresholds to move; at {grid[START]} for every class: {worth}.")


def _cells(positives, hits, predicted):
    """Return a row of the table: precision, recall and F1, hits, misses and false alarms."""
    precision = f"{hits / predicted:.3f}" if predicted else "–"
    recall, f1 = f"{hits / positives:.3f}", f"{2 * hits / (positives + predicted):.3f}"
    return precision, recall, f1, hits, positives - hits, predicted - hits


def _small(image, probabilities, there, classes):
    """Return a thumbnail, the last step at which each class is predicted, and which are there."""
    small = Image.fromarray(image).resize((72, 72))
    steps = np.searchsorted(THRESHOLDS, probabilities, side="right") - 1
    truth = there.astype(int).tolist()
    names = " and ".join(compress(classes, truth)) or "nothing"
    uri = data_uri(webp_bytes(small, lossless=False, quality=80), "image/webp")
    return uri, steps.tolist(), truth, names
