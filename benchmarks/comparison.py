"""What the measurements share: two things compared over rounds, and a command that keeps them."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.runs import records


@dataclass(frozen=True)
class Comparison:
    """One figure of ours beside another, and their ratio.

    Attributes
    ----------
    name : what is measured, against what.
    unit : of `ours` and `other`.
    ours, other : medians over the rounds; None where there is nothing to compare with.
    ratio, low, high : median, smallest and largest of the rounds' ratios.
    target : what the median ratio should be, at least or (`at_most`) at most.
    """

    name: str
    unit: str
    ours: float
    other: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def met(self):
        """Whether the target is met; None if there is none."""
        if self.target is None:
            return None
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def compare(name, unit, ours, other, target=None, share=False):
    """Compare what two took in every round.

    Parameters
    ----------
    name, unit, target
        As in `Comparison`.
    ours, other : sequence of float, [rounds]
    share : bool
        The ratio is our share of the other; the target is then the most it should be. Otherwise
        it is how many times as long the other takes.

    Returns
    -------
    Comparison
    """
    ratios = np.divide(ours, other) if share else np.divide(other, ours)
    figures = np.median(ours), np.median(other), np.median(ratios), ratios.min(), ratios.max()
    return Comparison(name, unit, *map(float, figures), target, share)


def spread(row, spec=".2f"):
    """Write a ratio with its smallest and largest; a dash where there is none."""
    if row.ratio is None:
        return "–"
    around = "" if row.low == row.high else f" [{row.low:{spec}}, {row.high:{spec}}]"
    return f"{row.ratio:{spec}}{around}"


def table(rows):
    """Tabulate comparisons: a DataFrame of str, ready for `helpers.book.output.show_table`."""
    return pd.DataFrame(
        {
            "what": row.name,
            "ours": _quantity(row.ours, row.unit),
            "other": _quantity(row.other, row.unit),
            "ratio [smallest, largest]": spread(row),
            "target": f"{'≤' if row.at_most else '≥'} {row.target:.2f}" if row.target else "–",
            "met": {True: "yes", False: "no", None: "–"}[row.met],
        }
        for row in rows
    )


def _quantity(value, unit):
    return "–" if value is None else f"{value:,.{2 if unit == 's' else 0}f} {unit}"


# --------------------------------------------------------------------- command line


def whole_number(least=1):
    """Return a parser, for argparse, of whole numbers of at least `least`."""

    def parse(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return parse


def command(name, text, measure, tables, options, errors, path, arguments=None):
    """Measure, keep the results, then show them; return the exit status.

    Parameters
    ----------
    name, text : str
        Of the module: what ``python -m`` takes, and what it says of itself.
    measure : callable
        `measure(**options)` returns the results, which have an `environment`.
    tables : list of callable
        Each makes of the results a DataFrame that shows them.
    options : dict name -> dict
        What `argparse` is told of each; all at their defaults are the whole measurement.
    errors : tuple of exception classes
        That `measure` raises and whose message is for the reader.
    path : Path
        Where a whole measurement is kept: the book's results.
    arguments : list of str, optional
    """
    parser = records.command_line(f"python -m {name}", text)
    for option, told in options.items():
        parser.add_argument(f"--{option}", **told)
    about = "default: the book's results, if all is measured"
    parser.add_argument("--output", type=Path, metavar="FILE", help=about)
    chosen = vars(parser.parse_args(arguments))
    output = chosen.pop("output")
    if all(chosen[option] == told["default"] for option, told in options.items()):
        output = output or path

    def act():
        results = measure(**chosen)
        if output:  # kept before anything is shown, which could fail
            records.write_json(results, output)
        machine = results.environment
        print(f"On {machine['cpu']}, threads: {machine['threads']}; PyTorch {machine['torch']}")
        for table in tables:
            print(f"\n{table(results).to_string(index=False)}")
        if output:
            print(f"\nThe results are in {output}")

    return records.exit_status(act, errors, "stopped; nothing was written")


def read(path, kind, module, parts):
    """Read results of a kind, a dataclass; see `helpers.runs.records.read_json`."""
    mend = f"measure it with python -m benchmarks.{module} --output {records.display(path)}"
    return records.read_json(path, kind, kind.schema, mend, parts)
