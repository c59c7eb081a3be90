"""How fast the NumPy network is: ratios, measured side by side in one run.

    python -m benchmarks.numpy_speed
    python -m benchmarks.numpy_speed --images 6000 --rounds 3 --output try.json

`benchmarks.implementations` take turns, so that whatever else the machine does befalls them
alike. Each round gives one ratio; the table shows the median, the smallest and the largest. All
must report the same loss in every round.
"""

import sys
import time
import tracemalloc
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from benchmarks import comparison, implementations
from benchmarks.comparison import Comparison, command, compare, whole_number
from benchmarks.implementations import Disagreement, timed
from helpers.runs import records

PATH = records.ROOT / "benchmarks" / "numpy_speed.json"
IMAGES = 60_000
MOONS_EPOCHS = 200
PAUSE = 0.2  # seconds before each: the last one's idle threads have gone to sleep


@dataclass(frozen=True)
class Results:
    """What one run of the benchmark found.

    Attributes
    ----------
    environment, commit : as in `helpers.runs.records.Record`.
    data : name of the data.
    images : how many make the full batch.
    rounds : how often each ran.
    pytorch_chunk : examples at a time with which PyTorch was fastest.
    gigaflops : median rate of each matrix product, in 10⁹ operations a second.
    rows : the table, a list of `Comparison`.
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
    schema: int = 1


# ---------------------------------------------------------------------- measurement


def measure(images=IMAGES, rounds=7):
    """Run the benchmark on at most 60,000 images, and return its `Results`.

    Raises
    ------
    Disagreement
        If the implementations do not compute the same.
    """
    commit = records.source_commit()
    data, x, labels = implementations.load(images)
    memory = memory_rows(implementations.Ours(x, labels))
    racers = {
        "ours": implementations.Ours(x, labels),
        "PyTorch": implementations.fastest_pytorch(x, labels),
        "the textbook": implementations.Textbook(x, labels),
    }
    implementations.check_first_step(racers)  # and so all are warm
    products = implementations.Products(x)
    products.epoch()
    alone = {
        "mini-batches": implementations.mini_batch_epoch(x, labels),
        "half-moons": implementations.half_moons_epochs(MOONS_EPOCHS),
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
        implementations.check_losses(losses)
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
        compare(f"epoch against {name}", "s", ours, other, target)
        for name, other, target in (
            ("its matrix products alone", products.sum(axis=0), 0.9),
            ("all at its fastest product's rate", counts.sum() / fastest, None),
            ("the textbook's, float64", seconds["the textbook"], 4.0),
            ("PyTorch's", seconds["PyTorch"], 1.0),
        )
    ] + [
        Comparison("epoch of mini-batches of 128", "images/s", images / float(mini_batches)),
        Comparison("half-moons epoch, 2-10-2", "µs", float(moons) / MOONS_EPOCHS * 1e6),
    ]


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
        Comparison(name, "MiB", mine, other, mine / other, mine / other, mine / other, target, True)
        for name, mine, other, target in comparisons
    ]


# -------------------------------------------------------------------------- results


def read(path=PATH):
    """Read results; a file that can't be used is a `helpers.runs.records.RecordError`."""
    parts = {"rows": lambda rows: [Comparison(**row) for row in rows]}
    return comparison.read(path, Results, "numpy_speed", parts)


def table(results=None):
    """Tabulate results, those of the book if none are given, as `benchmarks.comparison.table`."""
    return comparison.table((results or read()).rows)


OPTIONS = {
    "images": {"type": whole_number(), "default": IMAGES, "help": "in the full batch"},
    "rounds": {"type": whole_number(), "default": 7, "help": "turns of each"},
}

if __name__ == "__main__":
    sys.exit(command("benchmarks.numpy_speed", __doc__, measure, [table], OPTIONS,
                     (Disagreement,), PATH))  # fmt: skip
