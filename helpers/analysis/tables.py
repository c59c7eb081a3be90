"""From recorded runs to the book's tables and to the numbers in its prose.

Everything is turned into text here, in one way, so that a table looks the same on every
machine. The statistics are `helpers.analysis.stats`'; reading the runs is `helpers.runs.experiments`'.
"""

import html
import re

import numpy as np
import pandas as pd

from helpers.analysis.stats import difference_interval, mean_interval


def values(records, metric):
    """Return one number per run.

    Parameters
    ----------
    records : sequence of Record, [n]
    metric : str
        A key of the records' `metrics`, or a numeric attribute such as `wall_seconds`.

    Returns
    -------
    ndarray of float64, [n]
        nan where a run has no such figure because it diverged.

    Raises
    ------
    KeyError
        If a record has no figure of that name.
    """
    return np.array([_value(record, metric) for record in records], dtype=np.float64)


def _value(record, metric):
    if metric in record.metrics:
        return record.metrics[metric]
    if isinstance(value := getattr(record, metric, None), (int, float)):
        return value
    raise KeyError(
        f"{record.experiment} has no figure {metric!r}: choose one of {', '.join(record.metrics)}"
    )


def interval(records, metric):
    """Return the mean of a figure over its runs with Student's interval, None if one diverged."""
    measured = values(records, metric)
    return mean_interval(measured) if np.isfinite(measured).all() else None


def difference(records, baseline, metric):
    """Estimate how much larger a figure is in some runs than in the baseline's.

    Runs of the same seeds on the same data are compared pair by pair, others by Welch's interval.

    Parameters
    ----------
    records, baseline : sequence of Record
    metric : str
        As for `values`.

    Returns
    -------
    Interval
    """
    shared = [(record.seed, record.data_checksum) for record in records]
    paired = shared == [(record.seed, record.data_checksum) for record in baseline]
    return difference_interval(values(records, metric), values(baseline, metric), paired)


def same_seeds(records, others):
    """Return those records whose seed is among the others', so that both can be paired."""
    seeds = {record.seed for record in others}
    return [record for record in records if record.seed in seeds]


def history(records, name):
    """Return the course of a figure over the epochs.

    Parameters
    ----------
    records : sequence of Record, [n]
        Logged at the same epochs.
    name : str
        A key of the records' `history`.

    Returns
    -------
    epochs : ndarray of int, [T]
    values : ndarray [n, T]
        nan where not measured.

    Raises
    ------
    ValueError
        If the runs were not logged at the same epochs.
    """
    epochs = records[0].history["epoch"]
    for record in records:
        if record.history["epoch"] != epochs:
            raise ValueError(
                f"{record.experiment}, seed {record.seed}, was logged at other epochs than "
                f"{records[0].experiment}, seed {records[0].seed}: draw them separately."
            )
    courses = [record.history[name] for record in records]
    return np.array(epochs, dtype=np.int64), np.array(courses, dtype=np.float64)


def summary(settings, metrics, head="setting"):
    """Tabulate settings: one row each, with mean and interval of every figure.

    Parameters
    ----------
    settings : dict name -> sequence of Record
        From top to bottom; the name is what the reader sees.
    metrics : dict metric -> (label, format)
        The columns; the metric as for `values`, the format as of a float, for example
        `{"eval_accuracy": ("test accuracy", ".4f")}`.
    head : str
        Title of the first column.

    Returns
    -------
    DataFrame of str
        Each cell is "mean [low, high]"; a single run gives its value alone, a setting in
        which runs diverged says how many did.
    """
    rows = []
    for name, records in settings.items():
        row = {head: name, "seeds": str(len(records))}
        for metric, (label, spec) in metrics.items():
            row[label] = cell(values(records, metric), spec)
        rows.append(row)
    return pd.DataFrame(rows)


def cell(measured, spec):
    """Write the mean of some runs' figures with its interval, or one run's alone.

    Parameters
    ----------
    measured : ndarray [n]
        nan where a run diverged; then it is said how many did.
    spec : str
        Format of a float.

    Returns
    -------
    str
    """
    lost = int((~np.isfinite(measured)).sum())
    if lost:
        return f"{lost} of {len(measured)} diverged"
    if len(measured) == 1:
        return f"{measured[0]:{spec}}"
    return f"{mean_interval(measured):{spec}}"


INTERVAL = re.compile(r"(\S+) (\[[^]]+\]|\([^)]+\))")  # a figure and its range
#: A number with its unit, and a name like ResNet-18.
KEPT = re.compile(r"\b(\d[\d,]* (?:px|epochs?|seeds?)|[^\W\d]{2,}-\d+)\b")
LONG = 42  # characters: a cell with more of them is a sentence, and is broken into lines


class Marked:
    """A table's cell with markup: HTML in the book, its text elsewhere."""

    def __init__(self, text, markup):
        self.text, self.markup = text, markup

    def __str__(self):
        return self.text


def link(text, target):
    """Return a cell that leads to another place of the book, an address below the notebook's."""
    return Marked(text, f'<a href="{html.escape(target)}">{html.escape(text)}</a>')


def named(text, name):
    """Return a cell that can be linked to by its name."""
    return Marked(text, f'<span id="{html.escape(name)}">{html.escape(text)}</span>')


def joined(parts, glue=" "):
    """Return a cell of several, with some text between them."""
    parts = list(parts)
    return Marked(glue.join(map(str, parts)), html.escape(glue).join(map(_markup, parts)))


def _markup(value):
    return value.markup if isinstance(value, Marked) else html.escape(str(value))


def _folded(value):
    """Return a cell's markup, in which no line breaks inside a range or inside what is `KEPT`."""
    found = INTERVAL.fullmatch(str(value))
    if found:
        return f"{found[1]} <span>{found[2]}</span>"
    return _markup(value) if isinstance(value, Marked) else KEPT.sub(_span, _markup(value))


def _span(found):
    return f"<span>{found[1]}</span>"


def _long(value):
    return ' class="long"' if len(str(value)) > LONG else ""


class Shown:
    """A table as a notebook shows it: HTML in the book, aligned text elsewhere."""

    def __init__(self, frame, stacked=False, folded=False):
        self.frame, self.stacked, self.folded = frame, stacked, folded

    def _repr_html_(self):
        heads = [html.escape(str(name)) for name in self.frame.columns]
        cells = "".join(f"<th>{head}</th>" for head in heads)
        lines = [f"<thead><tr>{cells}</tr></thead>", "<tbody>"]
        # A phone shows the rows of a stacked table one below the other, without its head.
        labels = [f' data-label="{head}"' if self.stacked else "" for head in heads[1:]]
        markup = _folded if self.folded else _markup
        for row in self.frame.itertuples(index=False):
            first, *rest = row
            cells = "".join(
                f"<td{label or _long(value)}>{markup(value)}</td>"
                for label, value in zip(labels, rest, strict=True)
            )
            lines.append(f'<tr><th scope="row">{markup(first)}</th>{cells}</tr>')
        kind = "table" + " stacked" * self.stacked + " folded" * self.folded
        table = "\n".join([f'<table class="{kind}">', *lines, "</tbody>", "</table>"])
        # A wide table scrolls inside its own box on a phone, not the whole page.
        return f'<div style="overflow-x: auto">\n{table}\n</div>'

    def __repr__(self):
        return self.frame.astype(str).to_string(index=False)


def show(frame, stacked=False, folded=False):
    """Show a table of text without its index.

    Parameters
    ----------
    frame : DataFrame of str or Marked
    stacked : bool
        Whether its cells hold sentences: they are wrapped, and on a phone each row is a block.
    folded : bool
        Whether an interval may stand below its mean, for a table with many of them.

    Returns
    -------
    Shown
        Displayed when it is the last line of a notebook cell.
    """
    return Shown(frame, stacked, folded)
