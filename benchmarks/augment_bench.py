"""How fast images reach the network: batched augmentation, waiting for data, preparation.

    python -m benchmarks.augment_bench
    python -m benchmarks.augment_bench --images 64 --rounds 3 --output try.json

On scenes of Toy-VOC, one thread. What is compared takes turns, so that whatever else the machine
does befalls all alike; each round gives one ratio. Nothing here trains a network to any end.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks import numpy_speed as bench
from benchmarks.commands import whole_number
from benchmarks.numpy_speed import Row
from helpers.analysis.summaries import join_words
from helpers.runs import records
from helpers.runs.catalogue.tiny_voc import VOC_MODELS
from helpers.runs.records import exit_status

PATH = records.ROOT / "benchmarks" / "augment.json"
SCHEMA = 1
SIZE = 128  # pixels
IMAGES, ROUNDS = 320, 7
PREPARED, PREPARATIONS = 400, 3  # scenes, and how often with either number of processes
PARTS = 5  # a fifth of the scenes is for validation
PATCH = 16  # pixels: the ViT cuts its images into such squares
NETWORKS = ("resnet18", "lenet", "vit")  # of practice 4's table
TIMES_FASTER, SHARE = 10.0, 0.05  # the goals
COMMAND = "python -m benchmarks.augment_bench"


@dataclass(frozen=True)
class Results:
    """What one run of the benchmark found.

    Attributes
    ----------
    environment, commit : as in `helpers.runs.records.Record`; with the load average at the start,
        None where the system keeps none.
    data : name of the data.
    size, images : side in pixels, and how many of them an epoch has.
    rounds : how often each contestant ran.
    prepared : how many scenes were prepared.
    pil, v2 : batched augmentation against the two ways of torchvision, in processor time.
    shares : of each network, by name: waiting for its data against whole steps.
    preparation : two processes against one.
    schema : version of this format.
    """

    environment: dict
    commit: str
    data: str
    size: int
    images: int
    rounds: int
    prepared: int
    pil: Row
    v2: Row
    shares: dict
    preparation: Row
    schema: int = SCHEMA

    @property
    def rows(self):
        """All comparisons, as `benchmarks.numpy_speed.table` has them."""
        return [self.pil, self.v2, *self.shares.values(), self.preparation]


# ---------------------------------------------------------------------- measurement


def measure(images=IMAGES, rounds=ROUNDS, size=SIZE, prepared=PREPARED):
    """Run the benchmark.

    Parameters
    ----------
    images : int
        How many an epoch has.
    rounds : int
        How often each contestant runs; the preparation at most `PREPARATIONS` times.
    size : int
        Of the images, in pixels.
    prepared : int
        How many scenes are prepared, at least 2.

    Returns
    -------
    Results

    Raises
    ------
    PreparationFailed
        If the data's preparation ends with an error.
    """
    import torch  # here, so that who only reads results need not wait for it

    from benchmarks.data_paths import scenes

    commit = records.source_commit()  # of all that is loaded by now
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # before we add to it
    preparation = measure_preparation(prepared, min(rounds, PREPARATIONS))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        data = scenes(images, size)
        paths, shares = measure_paths(data, rounds), measure_shares(data, rounds)
    finally:
        torch.set_num_threads(threads)
    versions = {name: version(name) for name in ("torchvision", "pillow")}
    machine = {"device": "cpu", "threads": 1, "load_average": load}
    return Results(
        environment=records.environment() | versions | machine,
        commit=commit,
        data="toy-voc",
        size=size,
        images=images,
        rounds=rounds,
        prepared=prepared,
        **paths,
        shares=shares,
        preparation=preparation,
    )


def measure_paths(data, rounds):
    """Let batches come in each way in turn, and count the processor's seconds.

    Parameters
    ----------
    data : helpers.data.datasets.Dataset
    rounds : int

    Returns
    -------
    dict of Row
        Microseconds an image, `pil` and `v2`.
    """
    from benchmarks.data_paths import loaders
    from benchmarks.stopwatch import Clock
    from helpers.training.torch_trainer import TorchTrainer

    recipe = VOC_MODELS["lenet"][1]  # its batches are like every other's
    training = TorchTrainer(recipe, data, seed=0)
    ways = {"ours": training.batches}
    ways |= {name: found.__iter__ for name, found in loaders(data, recipe.batch_size).items()}
    spent = {name: [] for name in ways}
    for _ in tqdm(range(rounds + 1), "augmentation", disable=None):
        for name, way in ways.items():
            clock = Clock()
            with clock.on():
                for _ in way():
                    pass
            spent[name].append(clock.cpu / len(data.x) * 1e6)
    spent = {name: values[1:] for name, values in spent.items()}  # the first prepares much
    names = {"pil": "with PIL", "v2": "with torchvision.transforms.v2"}
    return {
        key: compare(f"batched augmentation against image by image, {how}", "µs", spent["ours"],
                     spent[key], target=TIMES_FASTER if key == "pil" else None)
        for key, how in names.items()
    }  # fmt: skip


def measure_shares(data, rounds):
    """Let each network train an epoch in turn, and count how long it waits for its batches.

    Returns
    -------
    dict title -> Row
        Microseconds an image.
    """
    from benchmarks.stopwatch import Timed

    runs = {}
    for name in NETWORKS:
        title, recipe = VOC_MODELS[name]
        runs[title] = Timed(recipe, data, seed=0)
        runs[title].wait_for_data(1)  # the first step prepares much
    spent = {title: [] for title in runs}
    for _ in tqdm(range(rounds), "training", disable=None):
        for title, training in runs.items():
            waited, whole, images = training.wait_for_data(training.steps_per_epoch)
            spent[title].append((waited / images * 1e6, whole / images * 1e6))
    return {
        title: compare(f"{title}: waiting for data against the whole step", "µs",
                       *np.transpose(pairs), target=SHARE, share=True)
        for title, pairs in spent.items()
    }  # fmt: skip


def measure_preparation(count, rounds):
    """Prepare Toy-VOC's files with one process and with two in turn, by the command itself."""
    from benchmarks.data_paths import prepare
    from data_prep.toy_step import ToyVoc

    spent = {1: [], 2: []}
    with tempfile.TemporaryDirectory(prefix="toy-voc-") as scratch:
        source = Path(scratch, "drawn")
        ToyVoc({"train": count - count // PARTS, "val": count // PARTS}).prepare(None, source)
        for turn in range(rounds):
            for jobs in spent:
                target = Path(scratch, f"prepared-{turn}-{jobs}")
                start = time.perf_counter()
                prepare(source, target, jobs)
                spent[jobs].append(time.perf_counter() - start)
    return compare(f"preparing {count} scenes: 2 processes against 1", "s", spent[2], spent[1])


def compare(name, unit, first, second, target=None, share=False):
    """Turn what two took in every round into a row: the ratio of the second to the first.

    Parameters
    ----------
    name, unit, target
        As in `benchmarks.numpy_speed.Row`.
    first, second : sequence of float, [rounds]
    share : bool
        Take the first's share of the second instead; the target is then the most it should be.

    Returns
    -------
    benchmarks.numpy_speed.Row
    """
    ratios = np.divide(first, second) if share else np.divide(second, first)
    figures = np.median(first), np.median(second), np.median(ratios), ratios.min(), ratios.max()
    return Row(name, unit, *map(float, figures), target, share)


# -------------------------------------------------------------------------- results


def read(path=PATH):
    """Read results, which `helpers.runs.records.write_json` has written.

    Returns
    -------
    Results

    Raises
    ------
    RecordError
        If the file is missing, holds no results, or is of another schema version.
    """
    parts = dict.fromkeys(("pil", "v2", "preparation"), lambda row: Row(**row))
    parts["shares"] = lambda shares: {title: Row(**row) for title, row in shares.items()}
    mend = f"measure it with {COMMAND} --output {records.display(path)}"
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
    results = results or read()
    names = {"what": "the first against the second", "ours": "the first", "other": "the second"}
    found = bench.table(results)[[*names, "met"]].rename(columns=names)
    found.insert(3, "median ratio [smallest, largest]", [_ratio(row) for row in results.rows])
    found.insert(4, "goal", [_goal(row) for row in results.rows])
    return found


def _ratio(row):
    """Write a share in per cent, and otherwise how many times as long the second takes."""
    if row.at_most:
        return f"first: {row.ratio:.1%} [{row.low:.1%}, {row.high:.1%}] of second"
    return f"second: {_spread(row)} times as long"


def _goal(row):
    if row.target is None:
        return "–"
    return f"≤ {row.target:.0%}" if row.at_most else f"≥ {row.target:g} times"


def sentence(results=None):
    """Say what was found, and whether the goals are reached.

    Parameters
    ----------
    results : Results, optional
        Those of the book if not given.

    Returns
    -------
    str
    """
    found = results or read()
    pil, two = found.pil, found.preparation
    shares = [f"{row.ratio:.1%} with {title}" for title, row in found.shares.items()]
    missed = [title for title, row in found.shares.items() if not row.met]
    verdict = f"is not reached with {join_words(missed)}" if missed else "is reached"
    return (
        f"At {found.size} pixels and with one thread, an image takes {pil.ours / 1e3:.2f} ms of "
        f"processor time in a batch, and {pil.other / 1e3:.2f} ms when the same operations go "
        f"image by image through PIL: {_spread(pil)} times as long. The goal of {pil.target:g} "
        f"times is {'' if pil.met else 'not '}reached. Without PIL, by torchvision.transforms.v2, "
        f"it is {_spread(found.v2)} times. Waiting for data and augmentation takes "
        f"{join_words(shares)} of an epoch; the goal of at most {SHARE:.0%} {verdict}. Preparing "
        f"{found.prepared} small scenes is {_spread(two)} times as fast with two processes as "
        f"with one.{_busy(found)}"
    )


def _spread(row):
    return f"{row.ratio:.1f} [{row.low:.1f}, {row.high:.1f}]"


def _busy(results):
    load, cores = results.environment["load_average"], results.environment["cores"]
    if load is None or load < 0.5:
        return ""
    return (
        f" Other programs ran at the same time (a load of {load:.1f} on {cores} cores): what two "
        "processes gain on cores of their own is not shown by that."
    )


# --------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=whole_number(2), default=IMAGES, help="in an epoch")
    parser.add_argument(
        "--rounds", type=whole_number(2), default=ROUNDS, help="turns of each contestant"
    )
    parser.add_argument(
        "--size", type=whole_number(PATCH, step=PATCH), default=SIZE, help="in pixels"
    )
    parser.add_argument(
        "--prepared", type=whole_number(PARTS), default=PREPARED, help="scenes to prepare"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: the book's results, if it's all run"
    )
    chosen = vars(parser.parse_args(arguments))
    output = chosen.pop("output")
    if all(chosen[name] == parser.get_default(name) for name in chosen):
        output = output or PATH

    def act():
        results = measure(**chosen)
        print(table(results).to_string(index=False), end="\n\n")
        print(sentence(results))
        if output:
            records.write_json(results, output)
            print(f"\nThe results are in {output}")

    from benchmarks.data_paths import PreparationFailed

    errors = (PreparationFailed,)
    return exit_status(act, errors, "what was there before", "stopped; nothing was written")


if __name__ == "__main__":
    sys.exit(main())
