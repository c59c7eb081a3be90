"""99% in seconds: from PyTorch's MNIST example to a few seconds, one change at a time.

    python -m benchmarks.race
    python -m benchmarks.race --scale embedded --seeds 1 --output try.json

Each stage of `benchmarks.stages` changes one thing of the stage before it. The test images are
read when a run ends. Only the first two stages, whose number of epochs isn't planned, end with
the first epoch that reaches the goal on them: it can make their times only shorter.

The runs of all stages are mixed, so that whatever else the machine does befalls them alike.
The same command measures how long training waits for its data.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.commands import whole_number
from benchmarks.stages import CONTESTS, GOAL, ROUNDS, SEEDS, STAGES
from benchmarks.timings import PATH, Measured, Results, Waiting, read
from helpers.data.datasets import SCALES, DataNotPrepared, load_mnist
from helpers.runs import records
from helpers.runs.records import exit_status

TICKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)  # of the figure's axis
EMBEDDED_IMAGES = 32  # at the embedded scale, which shows that it runs and not how fast


class Diverged(RuntimeError):
    """A run's loss stopped being finite."""


# ----------------------------------------------------------------------- measurement


def measure(scale="full", seeds=SEEDS):
    """Run the race.

    Parameters
    ----------
    scale : {"full", "embedded"}
    seeds : int
        Of the last stage; no other has more.

    Returns
    -------
    Results

    Raises
    ------
    DataNotPrepared
        If MNIST is not there.
    Diverged
        If a run came to nothing.
    """
    from benchmarks import stopwatch  # noqa: F401 (part of the code whose commit is noted)

    commit = records.source_commit()  # of all that is loaded by now
    mnist = load_mnist(scale)
    most = EMBEDDED_IMAGES if scale == "embedded" else None
    few = {name: getattr(mnist, name)[:most] for name in ("x", "y", "x_eval", "y_eval")}
    data = replace(mnist, **few)
    return Results(
        environment=records.environment() | {"device": "cpu"},
        commit=commit,
        data=mnist.name,
        data_checksum=mnist.checksum,
        scale=scale,
        images=len(data.x),
        waiting=measure_waiting(data, rounds=1 if scale == "embedded" else ROUNDS),
        stages=measure_stages(data, seeds),
    )


def measure_stages(data, seeds=SEEDS, stages=STAGES):
    """Train every stage with each of its seeds.

    Parameters
    ----------
    data : helpers.data.datasets.Dataset
    seeds : int
        Of the last stage; no other has more.
    stages : sequence of Stage

    Returns
    -------
    list of Measured
    """
    from benchmarks.stopwatch import PerImage, Timed

    counts = [min(stage.seeds, seeds) for stage in stages[:-1]] + [seeds]
    runs = [(i, seed) for i, count in enumerate(counts) for seed in range(count)]
    runs.sort(key=lambda run: (run[1] + 0.5) / counts[run[0]])  # each stage's evenly spread
    measured = [None] * len(stages)
    for i, seed in tqdm(runs, "runs", disable=None):
        stage = stages[i]
        training = (PerImage if stage.per_image else Timed)(stage.recipe, data, seed)
        accuracy = training.train(stage.stop_at)
        if training.diverged:
            raise Diverged(f"the run of {stage.name!r}, seed {seed}, diverged")
        measured[i] = measured[i] or Measured(
            stage.name, stage.change, stage.recipe.as_json(), stage.stop_at,
            training.parameter_count,
        )  # fmt: skip
        _note(measured[i], training, accuracy)
    return measured


def _note(measured, training, accuracy):
    wall, cpu = training.seconds()
    measured.seconds.append(wall)
    measured.cpu_seconds.append(cpu)
    measured.evaluation_seconds.append(training.evaluation_clock.wall)
    measured.epochs.append(training.epoch)
    measured.accuracies.append(accuracy)


def measure_waiting(data, rounds, contests=CONTESTS):
    """Let each network train on batches of either origin in turn.

    Returns
    -------
    list of Waiting
    """
    from benchmarks.stopwatch import PerImage, Timed

    racers = []
    for contest in contests:
        for batches, kind in (("in memory, whole", Timed), ("image by image", PerImage)):
            training = kind(contest.recipe, data, seed=0)
            steps = min(contest.steps, training.steps_per_epoch)
            training.wait_for_data(1)  # the first step prepares much
            size = contest.recipe.batch_size
            racers.append((training, Waiting(contest.name, batches, steps, size)))
    for _ in range(rounds):
        for training, found in racers:
            waited, whole, images = training.wait_for_data(found.steps)
            found.shares.append(waited / whole)
            found.images_per_second.append(images / whole)
    return [found for _, found in racers]


# --------------------------------------------------------------------- what it shows


def table(results=None):
    """Tabulate the stages.

    Parameters
    ----------
    results : Results, optional
        Those of the book if not given.

    Returns
    -------
    DataFrame of str
        One row a stage, ready for `helpers.book.output.show_table`.
    """
    results = results or read()
    return pd.DataFrame(
        {
            "stage": stage.name,
            "the one change": stage.change,
            "parameters": f"{stage.parameters:,}",
            "epochs": _span(stage.epochs, "d"),
            "seconds of training [fewest, most]": _mean_and_span(stage.seconds, ".1f"),
            "times faster": f"{speedup:.1f}",
            "test accuracy": _accuracy(stage),
            f"seeds at {GOAL:.0%}": f"{stage.reached.estimate * stage.reached.n:.0f} of "
            f"{stage.reached.n}",
        }
        for stage, speedup in zip(results.stages, results.speedups, strict=True)
    )


def data_table(results=None):
    """Tabulate how long training waits for its data.

    Parameters
    ----------
    results : Results, optional
        Those of the book if not given.

    Returns
    -------
    DataFrame of str
        One row for each network and origin of its batches.
    """
    return pd.DataFrame(
        {
            "network": row.network,
            "batches": row.batches,
            "time spent waiting [least, most]": _mean_and_span(row.shares, ".1%"),
            "images/s": f"{np.mean(row.images_per_second):,.0f}",
        }
        for row in (results or read()).waiting
    )


def _span(values, spec):
    low, high = min(values), max(values)
    return f"{low:{spec}}" if low == high else f"{low:{spec}}–{high:{spec}}"


def _mean_and_span(values, spec):
    if len(values) == 1:
        return f"{values[0]:{spec}}"
    return f"{np.mean(values):{spec}} [{min(values):{spec}}, {max(values):{spec}}]"


def _accuracy(stage):
    return f"{stage.accuracy or np.mean(stage.accuracies):.4f}"


def figure(results=None, ax=None):
    """Draw each stage's training seconds on a logarithmic axis: a dot a seed, and their mean.

    Parameters
    ----------
    results : Results, optional
        Those of the book if not given.
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    from helpers.book import figures  # here, so that the race itself need not wait for matplotlib

    stages = (results or read()).stages
    ax = figures.axes_or_new(ax, height=1.3 + 0.42 * len(stages))
    for row, stage in enumerate(stages):
        ax.plot(
            stage.seconds, [row] * len(stage.seconds), "o", color=figures.BLUE, alpha=0.5,
            linestyle="none",
        )  # fmt: skip
        mean = stage.mean_seconds
        ax.plot(mean, row, "|", color=figures.VERMILLION, markersize=18, markeredgewidth=3)
        ax.annotate(
            f"{mean:,.0f} s" if mean >= 100 else f"{mean:.1f} s", (max(stage.seconds), row),
            (10, 0), textcoords="offset points", va="center", fontsize=12,
        )  # fmt: skip
    every = [seconds for stage in stages for seconds in stage.seconds]
    ax.set(xscale="log", xlabel="seconds of training (logarithmic)")
    ax.set_xlim(min(every) / 1.5, 3 * max(every))  # to the right there is room for the label
    ticks = [tick for tick in TICKS if min(every) / 1.5 <= tick <= 3 * max(every)]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(stages)), [stage.name for stage in stages])
    ax.set_ylim(len(stages) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    return ax.figure


def describe(results):
    """Say in a few lines what was measured on what, and what came of it."""
    machine, last = results.environment, results.stages[-1]
    accuracy = last.accuracy or f"{np.mean(last.accuracies):.4f}"
    return (
        f"{results.images:,} images of {results.data}; {machine['cpu']}, threads: "
        f"{machine['threads']}; PyTorch {machine['torch']}\n"
        f"From {results.stages[0].mean_seconds:.1f} s to {last.mean_seconds:.1f} s of training: "
        f"{results.speedups[-1]:.1f} times faster, at a test accuracy of {accuracy}"
    )


# ---------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.race",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scale", choices=SCALES, default="full", help="of the data")
    parser.add_argument(
        "--seeds", type=whole_number(), default=SEEDS, help="of the last stage, at least"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: the book's results, if it's all run"
    )
    options = parser.parse_args(arguments)
    whole = options.scale == "full" and options.seeds >= SEEDS
    output = options.output or (PATH if whole else None)

    def act():
        results = measure(options.scale, options.seeds)
        print(describe(results), end="\n\n")
        print(table(results).drop(columns="the one change").to_string(index=False), end="\n\n")
        print(data_table(results).to_string(index=False))
        if output:
            records.write_json(results, output)
            print(f"\nThe results are in {output}")

    errors = (DataNotPrepared, Diverged)
    return exit_status(act, errors, "what was there before", "stopped; nothing was written")


if __name__ == "__main__":
    sys.exit(main())
