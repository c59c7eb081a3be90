"""Move the thresholds of recorded answers, and see what becomes of precision and recall.

With a kernel a widget draws anew; in the built page `helpers.book.threshold_panel` does the same.
Nothing is trained: the scores are fixed, only what counts as a yes changes.
"""

from dataclasses import dataclass

import numpy as np

from helpers.analysis import metrics
from helpers.book import figures
from helpers.book.pr_figures import KINDS, verdicts
from helpers.book.widgets import Playground, slider

STEPS = 50
GRID = np.arange(STEPS + 1) / STEPS  # the thresholds that a slider can take
START = STEPS // 2
SHOWN = 8  # images at most that the widget draws


@dataclass(frozen=True)
class Sweep:
    """What each class's decisions are at every threshold of `GRID`.

    Attributes
    ----------
    classes : tuple of str, [K]
    positives : ndarray of int, [K]
        How many images hold the class.
    hits, said : ndarray of int, [K, T]
        How many of the images that it is said of hold it, and of how many it is said.
    """

    classes: tuple
    positives: np.ndarray
    hits: np.ndarray
    said: np.ndarray

    @classmethod
    def of(cls, probabilities, targets, classes):
        """Count for probabilities and targets [N, K].

        Raises
        ------
        ValueError
            If a probability lies outside [0, 1], or the classes are not one a column.
        """
        scores, targets = metrics.checked(probabilities, targets)
        metrics.check_positives(targets)
        if scores.min() < 0 or scores.max() > 1:
            raise ValueError("probabilities must lie between 0 and 1; got logits, it seems.")
        if len(classes) != scores.shape[1]:
            raise ValueError(f"classes must be {scores.shape[1]} names; got {len(classes)}.")
        yes = scores.T[:, None] >= GRID[:, None]  # [K, T, N]
        hits = (yes & (targets.T[:, None] == 1)).sum(axis=2)
        return cls(tuple(classes), targets.sum(axis=0), hits, yes.sum(axis=2))

    def at(self, steps):
        """Return the counts at one step of `GRID` for each class, and in all.

        Returns
        -------
        list of (name, positives, hits, said)
            One for each class, and "all" of them last.
        """
        k = np.arange(len(self.classes))
        columns = self.positives, self.hits[k, steps], self.said[k, steps]
        rows = list(zip(self.classes, *(column.tolist() for column in columns), strict=True))
        return [*rows, ("all", *(int(column.sum()) for column in columns))]


def shares(positives, hits, said):
    """Return precision, recall and F1 from counts; the precision of saying nothing is nan."""
    precision = hits / said if said else float("nan")
    return precision, hits / positives, 2 * hits / (positives + said)


# ----------------------------------------------------------------------------- the widget


def threshold_playground(probabilities, targets, classes, images=None):
    """Let the reader set a threshold for each class.

    Parameters
    ----------
    probabilities, targets : array [N, K]
        A model's recorded answers, and the truth.
    classes : sequence of str, [K]
    images : dict int -> array of uint8 [S, S, 3], optional
        Pictures of some of the N images, to show those that change sides.

    Returns
    -------
    Playground
        A slider for each class; precision, recall, F1 and counts of each class; and the images
        whose answers are now others than at 0.5.
    """
    sweep = Sweep.of(probabilities, targets, classes)
    probabilities, targets = np.asarray(probabilities), np.asarray(targets)
    before = metrics.decide(probabilities, GRID[START])
    options = [f"{threshold:.2f}" for threshold in GRID]
    controls = {name: slider(options, options[START], name) for name in classes}

    def draw(**chosen):
        steps = [options.index(chosen[name]) for name in classes]
        decisions = metrics.decide(probabilities, GRID[steps])
        changed = np.flatnonzero((decisions != before).any(axis=1))
        pictures = [i for i in changed if i in (images or {})][:SHOWN]
        lines = verdicts(targets[pictures], decisions[pictures], classes)
        shown = [(images[i], line) for i, line in zip(pictures, lines, strict=True)]
        rows = sweep.at(steps)
        return figure_at(rows, shown), _sentence(rows, len(changed))

    return Playground(controls, draw)


def worth(positives, hits, said):
    """Say what counts of answers are worth, as `shares`, in words."""
    precision, recall, f1 = shares(positives, hits, said)
    precise = f"precision {precision:.3f}" if said else "no precision, since nothing is said"
    return f"{precise}, recall {recall:.3f}, F1 {f1:.3f}"


def _sentence(rows, changed):
    """Say what the decisions of all classes are worth."""
    *_, (_, positives, hits, said) = rows
    return (
        f"All classes: {worth(positives, hits, said)}; {hits} found, "
        f"{positives - hits} missed, {said - hits} false alarms. Other answers than at "
        f"{GRID[START]:.2f}: {changed} {'image' if changed == 1 else 'images'}."
    )


def figure_at(rows, shown=()):
    """Draw precision, recall and F1 of each class, with its counts, and some images.

    Parameters
    ----------
    rows : list of (name, positives, hits, said)
        As from `Sweep.at`.
    shown : sequence of (image, lines)
        An image of uint8 [S, S, 3], and its lines as from `helpers.book.pr_figures.verdicts`.

    Returns
    -------
    Figure
    """
    table, row, side, line, columns = 0.42 * len(rows), 0.42, 1.5, 0.23, 4  # inches
    bands = [shown[i : i + columns] for i in range(0, len(shown), columns)]
    heights = [side + 0.15 + line * max(len(lines) for _, lines in band) for band in bands]
    extra = sum(heights) + (0.4 if bands else 0)
    height = table + 1.35 + extra
    figure = figures.BookFigure(figsize=(figures.WIDTH, height))
    inch = 1 / height
    # Placed by hand: measuring the texts would take longer than drawing.
    ax = figure.add_axes((0.17, (extra + 0.6) * inch, 0.48, table * inch))
    _dots(ax, rows)
    for title, x in (("found", 0.73), ("missed", 0.84), ("false", 0.95)):
        figure.text(x, 1 - 0.66 * inch, title, fontsize=12, ha="center")
    for i, (_, positives, hits, said) in enumerate(rows):
        y = (extra + 0.6 + table - (i + 0.5) * row) * inch
        for count, x in zip((hits, positives - hits, said - hits), (0.73, 0.84, 0.95), strict=True):
            figure.text(x, y, str(count), fontsize=12, ha="center", va="center")
    for i, band in enumerate(bands):
        _images(figure, band, (extra - sum(heights[:i])) * inch, side, line)
    if bands:
        for at, (symbol, colour, meaning) in zip((0.12, 0.46, 0.82), KINDS, strict=True):
            text = f"{symbol} {meaning}"
            figure.text(at, 0.1 * inch, text, color=colour, fontsize=12, ha="center")
    return figure


def _dots(ax, rows):
    """Draw the three figures of each class as dots in one row."""
    y = np.arange(len(rows))
    values = np.array([shares(*counts) for _, *counts in rows])
    names = ("precision", "recall", "F1")
    for i, (name, column) in enumerate(zip(names, values.T, strict=True)):
        ax.plot(
            column, y, figures.MARKERS[i], color=figures.PALETTE[i], linestyle="none",
            markersize=9, label=name, clip_on=False,
        )  # fmt: skip
    ax.set_yticks(y, [name for name, *_ in rows])
    ax.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, columnspacing=1, handletextpad=0
    )
    ax.tick_params(axis="y", length=0)


def _images(figure, band, top, side, line):
    """Draw a row of images with their lines below; `top` is its upper edge in the figure."""
    inch = 1 / figure.get_figheight()
    for column, (image, lines) in enumerate(band):
        box = (column + 0.04) / 4, top - side * inch, 0.92 / 4, 0.92 * side * inch
        ax = figure.add_axes(box)
        ax.axis("off")
        ax.imshow(image)
        for k, (symbol, colour, name) in enumerate(lines):
            figure.text(
                (column + 0.5) / 4, top - (side + 0.04 + k * line) * inch, f"{symbol} {name}",
                color=colour, fontsize=12, ha="center", va="top",
            )  # fmt: skip
