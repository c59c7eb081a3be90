"""How fast the NumPy network is: ratios, measured side by side in one run.

    python -m benchmarks.numpy_speed
    python -m benchmarks.numpy_speed --images 6000 --rounds 3 --output try.json

The contestants of `benchmarks.implementations` take turns, so that whatever else the machine does
befalls them alike. Each round gives one ratio; the table shows the median, the smallest and
the largest. All must report the same loss in every round.
"""

import argparse
import sys
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks import implementations as contestants
from benchmarks.commands import whole_number
from benchmarks.implementations import Disagreement, timed
from helpers.runs import records
from helpers.runs.records import exit_status

PATH = records.ROOT / "benchmarks" / "cpu.json"
SCHEMA = 1
IMAGES = 60_000
MOONS_EPOCHS = 200
PAUSE = 0.2  # seconds before a contestant: the last one's idle threads have gone to sleep


@dataclass(frozen=True)
class Row:
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


@dataclass(frozen=True)
class Results:
    """What one run of the benchmark found.

    Attributes
    ----------
    environment, commit : as in `helpers.runs.records.Record`.
    data : name of the data.
    images : how many make the full batch.
    rounds : how often each contestant ran.
    pytorch_chunk : examples at a time with which PyTorch was fastest.
    gigaflops : median rate of each matrix product, in 10⁹ operations a second.
    rows : the table, a list of `Row`.
    schema : version of this format.
    """

    environment: dict
    commit: str
    data: str
    images: int
    rounds: int
    pytorch_chunk: int
    gigaflops: dict
    rows: list
    schema: int = SCHEMA


# ---------------------------------------------------------------------- measurement


def measure(images=IMAGES, rounds=7):
    """Run the benchmark.

    Parameters
    ----------
    images : int
        How many make the full batch, at most 60,000.
    rounds : int
        How often each contestant runs.

    Returns
    -------
    Results

    Raises
    ------
    Disagreement
        If the contestants do not compute the same.
    """
    commit = records.source_commit()
    data, x, labels = contestants.load(images)
    memory = memory_rows(contestants.Ours(x, labels))
    racers = {
        "ours": contestants.Ours(x, labels),
        "PyTorch": contestants.fastest_pytorch(x, labels),
        "the textbook": contestants.Textbook(x, labels),
    }
    contestants.check_first_step(racers)  # and so all are warm
    products = contestants.Products(x)
    products.epoch()
    alone = {
        "mini-batches": contestants.mini_batch_epoch(x, labels),
        "half-moons": contestants.half_moons_epochs(MOONS_EPOCHS),
    }
    flops = products.flops()
    seconds = {name: [] for name in (*flops, *racers, *alone)}
    for _ in tqdm(range(rounds), "rounds", disable=None):
        time.sleep(PAUSE)
        for formula, spent in products.epoch().items():
            seconds[formula].append(spent)
        losses = {}
        for name, racer in racers.items():
            time.sleep(PAUSE)
            spent, losses[name] = timed(racer.epoch)
            seconds[name].append(spent)
        contestants.check_losses(losses)
        for name, function in alone.items():
            seconds[name].append(timed(function)[0])
    return Results(
        environment=records.environment() | {"device": "cpu"},
        commit=commit,
        data=data,
        images=images,
        rounds=rounds,
        pytorch_chunk=racers["PyTorch"].chunk,
        gigaflops={name: n / float(np.median(seconds[name])) / 1e9 for name, n in flops.items()},
        rows=time_rows(seconds, flops, images) + memory,
    )


def time_rows(seconds, flops, images):
    """Turn the seconds of every round, by what took them, into rows of the table."""
    ours = seconds["ours"]
    counts = np.array(list(flops.values()))[:, None]  # [products, 1]
    products = np.array([seconds[formula] for formula in flops])  # [products, rounds]
    fastest = (counts / products).max(axis=0)  # operations a second, [rounds]
    mini_batches, moons = np.median(seconds["mini-batches"]), np.median(seconds["half-moons"])
    return [
        _compare("epoch against its matrix products alone", ours, products.sum(axis=0), 0.9),
        _compare("epoch against all at its fastest product's rate", ours, counts.sum() / fastest),
        _compare("epoch against the textbook's, float64", ours, seconds["the textbook"], 4.0),
        _compare("epoch against PyTorch's", ours, seconds["PyTorch"], 1.0),
        Row("epoch of mini-batches of 128", "images/s", images / float(mini_batches)),
        Row("half-moons epoch, 2-10-2", "µs", float(moons) / MOONS_EPOCHS * 1e6),
    ]


def _compare(name, ours, other, target=None):
    ratios = np.divide(other, ours)
    figures = np.median(ours), np.median(other), np.median(ratios), ratios.min(), ratios.max()
    return Row(name, "s", *map(float, figures), target)


def memory_rows(ours):
    """Measure what one epoch allocates beside the arrays that must exist."""
    must = sum(array.nbytes for array in ours.arrays_that_must_exist()) / 2**20
    tracemalloc.start()  # NumPy reports its arrays to it
    try:
        ours.epoch()
        added = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    comparisons = [
        ("peak memory against the arrays that must exist", must + added, must, 1.5),
        # A copy of the images would make this 1.
        ("memory an epoch adds against the images", added, ours.x.nbytes / 2**20, 1.0),
    ]
    return [
        Row(name, "MiB", mine, other, mine / other, mine / other, mine / other, target, True)
        for name, mine, other, target in comparisons
    ]


# -------------------------------------------------------------------------- results


def read(path=PATH):
    """Read results.

    Returns
    -------
    Results

    Raises
    ------
    RecordError
        If the file is missing, holds no results, or is of another schema version.
    """
    parts = {"rows": lambda rows: [Row(**row) for row in rows]}
    mend = f"measure it with python -m benchmarks.numpy_speed --output {records.display(path)}"
    return records.read_json(path, Results, SCHEMA, mend, parts)


def table(results=None):
    """Tabulate results.

    Parameters
    ----------
    results : Results, optional
        Those of the book if not given.

    Returns
    -------
    DataFrame of str
        One row a comparison, ready for `helpers.book.output.show_table`.
    """
    return pd.DataFrame(
        {
            "what": row.name,
            "ours": _quantity(row.ours, row.unit),
            "other": _quantity(row.other, row.unit),
            "ratio [smallest, largest]": _ratio(row),
            "target": f"{'≤' if row.at_most else '≥'} {row.target:.2f}" if row.target else "–",
            "met": {True: "yes", False: "no", None: "–"}[row.met],
        }
        for row in (results or read()).rows
    )


def missed(results=None):
    """Say which targets are missed, and what was measured instead."""
    rows = [row for row in (results or read()).rows if row.target is not None]
    points = [
        f"“{row.name}” comes to {_ratio(row)} and was to be at "
        f"{'most' if row.at_most else 'least'} {row.target:.2f}"
        for row in rows
        if not row.met
    ]
    if not points:
        return "Every target is met."
    number = "One" if len(points) == 1 else len(points)
    verb = "is" if len(points) == 1 else "are"
    return f"{number} of the {len(rows)} targets {verb} missed: {'; '.join(points)}."


def _quantity(value, unit):
    return "–" if value is None else f"{value:,.{2 if unit == 's' else 0}f} {unit}"


def _ratio(row):
    if row.ratio is None:
        return "–"
    spread = "" if row.low == row.high else f" [{row.low:.2f}, {row.high:.2f}]"
    return f"{row.ratio:.2f}{spread}"


def describe(results):
    """Say in two lines what was measured on what."""
    machine = results.environment
    rates = ", ".join(f"{name} {rate:.0f}" for name, rate in results.gigaflops.items())
    return (
        f"{results.images:,} images of {results.data}, {results.rounds} rounds; "
        f"{machine['cpu']}, threads: {machine['threads']}; NumPy {machine['numpy']} with "
        f"{machine['blas']}; PyTorch {machine['torch']}, {results.pytorch_chunk:,} at a time\n"
        f"Matrix products, GFLOP/s: {rates}"
    )


# --------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.numpy_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--images", type=whole_number(most=IMAGES), default=IMAGES, help="in the full batch"
    )
    parser.add_argument(
        "--rounds", type=whole_number(most=1000), default=7, help="turns of each contestant"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the results there, too")
    options = parser.parse_args(arguments)

    def act():
        results = measure(options.images, options.rounds)
        print(describe(results), end="\n\n")
        print(table(results).set_index("what").rename_axis(None).to_string())
        if options.images < IMAGES:
            print(f"\nThe targets are meant for {IMAGES:,} images.")
        if options.output:
            records.write_json(results, options.output)
            print(f"\nThe results are in {options.output}")

    return exit_status(
        act, (Disagreement,), "what was there before", "stopped; nothing was written"
    )


if __name__ == "__main__":
    sys.exit(main())
