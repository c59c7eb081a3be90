"""The book's figures, in one style: each function draws one kind of plot.

Every function takes plain arrays and an optional `ax`, and returns the matplotlib Figure,
which a notebook shows when it is a cell's last line. Colours are Okabe and Ito's, which
colour-blind readers can tell apart, and always come with a line style, a marker or a label.

Source: Okabe and Ito (2008), "Color universal design".
"""

import io

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.analysis.stats import reliability_curve

BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, PURPLE, SKY, BLACK = "#E69F00", "#CC79A7", "#56B4E9", "#000000"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, BLACK)
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKERS = ("o", "^", "s", "D", "v", "P")

#: From class 0 (blue) through white to class 1 (vermillion).
DIVERGING = LinearSegmentedColormap.from_list("book", [BLUE, "#FFFFFF", VERMILLION])

#: From white to blue, for counts and shares.
SEQUENTIAL = LinearSegmentedColormap.from_list("book-blue", ["#FFFFFF", SKY, BLUE, "#003455"])

WIDTH = 6.0  # inches: at 13 points, text stays readable when a phone shows it at 360 pixels
mpl.rcParams.update({
    "figure.dpi": 130,
    "figure.facecolor": "white",  # also in the dark theme: transparent would hide the axes
    "savefig.facecolor": "white",
    "font.size": 13,
    "axes.titlesize": 13,
    "axes.labelsize": 13,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E5E5E5",
    "lines.linewidth": 2,
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=LINES),
    "image.cmap": "gray_r",
    "svg.hashsalt": "book",
})  # fmt: skip


class BookFigure(Figure):
    """A figure that a notebook shows once, whether or not pyplot is in use."""

    def _repr_png_(self):
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def new_figure(rows=1, columns=1, width=WIDTH, height=None, **subplot_options):
    """Return a `BookFigure` with a grid of axes, and its axes, an array if there are several.

    Parameters
    ----------
    width, height : in inches; by default each row is 0.62 of its column's width.
    **subplot_options : for `Figure.subplots`, for example `sharey=True`.
    """
    height = height or 0.62 * width / columns * rows
    figure = BookFigure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **subplot_options)


def axes_or_new(ax, height=None):
    """Return `ax`, or the axes of a new figure if it is None."""
    return ax if ax is not None else new_figure(height=height)[1]


def legend_above(ax, ncols):
    """Put the legend of `ax` above its figure, where it lies on no curve."""
    if legend := ax.get_legend():
        legend.remove()
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=ncols)


# --------------------------------------------------------------------------- curves


def curves(x, runs, xlabel="epoch", ylabel=None, log=False, each=False, ax=None):
    """Draw one line per setting: the mean over its runs, and a band from lowest to highest.

    Parameters
    ----------
    x : array [T], or dict name -> array [T], where each setting has its own.
    runs : dict name -> array [T] or [runs, T], with nan or None where not measured. The name goes
        into the legend.
    log : whether the ordinate is logarithmic.
    each : draw every run as a thin line of its own instead.
    """
    ax = axes_or_new(ax)
    for i, (name, values) in enumerate(runs.items()):
        steps = np.asarray(x[name] if isinstance(x, dict) else x)
        values = np.atleast_2d(np.asarray(values, dtype=np.float64))  # [runs, T]
        known = np.isfinite(values)
        if each:
            for run, measured in zip(values, known, strict=True):
                ax.plot(steps[measured], run[measured], linewidth=1, label=name, **_look(i))
                name = None  # the legend names a setting once
            continue
        # A mean over other runs at some epochs than at others would jump between them.
        steps, values = steps[known.all(axis=0)], values[:, known.all(axis=0)]
        (line,) = ax.plot(steps, values.mean(axis=0), label=name, **_look(i))
        if len(values) > 1:
            band = values.min(axis=0), values.max(axis=0)
            ax.fill_between(steps, *band, color=line.get_color(), alpha=0.18, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    if xlabel == "epoch":
        ax.xaxis.set_major_locator(MaxNLocator(9, integer=True))  # no half epochs
    if len(runs) > 1:
        ax.legend()
    return ax.figure


def sweep(x, intervals, xlabel, ylabel, log_x=True, label=None, index=0, ax=None):
    """Draw a measured quantity against a setting, with the interval of each point.

    Parameters
    ----------
    x : sequence of float, [S], the settings.
    intervals : sequence of Interval, [S], measured at each; None where there is none (a diverged
        run), which is marked by a cross on the axis.
    log_x : whether the settings are spaced logarithmically.
    label, index : where several sweeps share an `ax`: for the legend, and which colour, line and
        marker of the book's to take.
    """
    ax = axes_or_new(ax)
    x, known = np.asarray(x), np.array([interval is not None for interval in intervals])
    mean, error = _bars([interval for interval in intervals if interval is not None])
    ax.errorbar(
        x[known], mean, yerr=error, capsize=4, label=label,
        marker=MARKERS[index % len(MARKERS)], **_look(index),
    )  # fmt: skip
    missing = x[~known]
    if len(missing):
        ax.plot(
            missing, np.zeros(len(missing)), "x", color=BLACK, markersize=10, clip_on=False,
            transform=ax.get_xaxis_transform(), label="diverged",
        )  # fmt: skip
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if log_x else "linear")
    if label or len(missing):
        ax.legend()
    return ax.figure


def interval_plot(intervals, xlabel, reference=None, reference_label=None):
    """Draw one row per setting: a dot for the estimate, a bar for its interval.

    Parameters
    ----------
    intervals : dict name -> Interval, from top to bottom.
    xlabel : what is measured, with its unit.
    reference, reference_label : where to draw a vertical line, for example at a published value or
        at no difference, and what it stands for.
    """
    figure, ax = new_figure(height=1.3 + 0.42 * len(intervals))
    rows = np.arange(len(intervals))
    mean, error = _bars(intervals.values())
    ax.errorbar(mean, rows, xerr=error, fmt="o", capsize=4, color=BLUE)
    if reference is not None:
        ax.axvline(reference, color=VERMILLION, linestyle="--", label=reference_label)
        if reference_label:
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
    ax.set_yticks(rows, list(intervals))
    ax.set(xlabel=xlabel, ylim=(len(intervals) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    return figure


def image_grid(images, titles=None, columns=5, colours="gray_r", limits=None):
    """Draw small images in rows, each with an optional title.

    Parameters
    ----------
    images : array [N, height, width], or [N, height, width, 3] in colours
    colours : a Colormap; grey with dark ink by default; take `DIVERGING` for weights.
    limits : values of the first and last colour, common to all; each image's own by default.
    """
    rows = -(-len(images) // columns)
    title_lines = 1 + max(title.count("\n") for title in titles) if titles else 0
    shape = images[0].shape[0] / images[0].shape[1]
    height = rows * (shape * WIDTH / columns + 0.28 * title_lines)
    figure, axes = new_figure(rows, columns, height=height, squeeze=False)
    low, high = limits or (None, None)
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(images):
            ax.imshow(images[i], cmap=colours, vmin=low, vmax=high, interpolation="nearest")
            if titles:
                ax.set_title(titles[i], fontsize=12)
    return figure


# -------------------------------------------------------------- how a model is wrong


def confusion_matrix(counts):
    """Draw a confusion matrix; the diagonal is left white, so that mistakes stand out.

    Of the array of int [K, K], `counts[i, j]` is how many of class i were called j.
    """
    figure, ax = new_figure(height=5.6)
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    ax.imshow(mistakes, cmap=SEQUENTIAL, vmin=0)
    for (i, j), count in np.ndenumerate(counts):
        dark = i != j and count > 0.55 * mistakes.max()
        ax.text(
            j, i, count if count else "·", ha="center", va="center", fontsize=12,
            color="white" if dark else "black", fontweight="bold" if i == j else "normal",
        )  # fmt: skip
    classes = range(len(counts))
    ax.set(xticks=classes, yticks=classes, xlabel="predicted class", ylabel="true class")
    ax.grid(visible=False)
    return figure


def reliability(confidence, correct):
    """Draw a classifier's accuracy against its confidence.

    The confidence [N] is the probability of the predicted class; `correct` [N], bool, is whether
    the prediction was right.
    """
    _, ax = new_figure(height=4.6)
    lowest = np.min(confidence)
    said, shares = reliability_curve(confidence, correct, lowest)
    ax.plot([lowest, 1], [lowest, 1], color=BLACK, linestyle=":", label="perfectly calibrated")
    labels = "confidence", "accuracy"
    return sweep(said, shares, *labels, log_x=False, label="this network", ax=ax)


def _bars(intervals):
    """Return the estimates [S] and how far the bars reach below and above them, [2, S]."""
    mean, low, high = np.array([(i.estimate, i.low, i.high) for i in intervals]).T
    return mean, (mean - low, high - mean)


def _look(i):
    return {"color": PALETTE[i % len(PALETTE)], "linestyle": LINES[i % len(LINES)]}


def to_pixels(figure, channels=3):
    """Draw a figure and return its pixels as uint8, [height, width, channels], 4 with opacity."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :channels].copy()
