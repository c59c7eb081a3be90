"""99% in seconds: from PyTorch's MNIST example to a few seconds, one change at a time.

    python -m benchmarks.race
    python -m benchmarks.race --scale embedded --seeds 1 --output try.json

Each of `benchmarks.steps` changes one thing of the step before it. The test images are read when
a run ends. Only the first two steps, whose number of epochs isn't planned, end with the first
epoch that reaches the goal on them: it can make their times only shorter.

The runs of all steps are mixed, so that whatever else the machine does befalls them alike. The
same command measures how long training waits for its data.
"""

import sys
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks import comparison
from benchmarks.comparison import command, whole_number
from benchmarks.steps import GOAL, ROUNDS, SEEDS, STEPS, WAITING
from benchmarks.stopwatch import PerImage, Timed, register
from helpers.analysis.stats import mean_interval, wilson
from helpers.book import figures
from helpers.data.datasets import SCALES, DataNotPrepared, load_mnist
from helpers.runs import records

PATH = records.ROOT / "benchmarks" / "race.json"
TICKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)  # of the figure's axis
EMBEDDED_IMAGES = 32  # at the embedded scale, which shows that it runs and not how fast


class Diverged(RuntimeError):
    """A run's loss stopped being finite."""


@dataclass(frozen=True)
class Measured:
    """What came of a step: lists have one entry a seed.

    Attributes
    ----------
    name, change, config, stop_at : the step's; the configuration as plain JSON types.
    parameters : how many numbers are trained.
    seconds, cpu_seconds : wall and processor seconds of training, without evaluation.
    evaluation_seconds : wall seconds of the evaluations.
    epochs : trained.
    accuracies : on the test images, at the end.
    """

    name: str
    change: str
    config: dict
    stop_at: float | None
    parameters: int
    seconds: list = field(default_factory=list)
    cpu_seconds: list = field(default_factory=list)
    evaluation_seconds: list = field(default_factory=list)
    epochs: list = field(default_factory=list)
    accuracies: list = field(default_factory=list)

    @property
    def mean_seconds(self):
        """Mean wall seconds of training."""
        return float(np.mean(self.seconds))

    @property
    def accuracy(self):
        """The mean test accuracy with its interval; None for less than three seeds."""
        return mean_interval(self.accuracies, 0, 1) if len(self.accuracies) > 2 else None

    @property
    def reached(self):
        """The share of the seeds that reached the goal, with Wilson's interval."""
        return wilson(sum(a >= GOAL for a in self.accuracies), len(self.accuracies))


@dataclass(frozen=True)
class Waiting:
    """How long a network waited for its batches.

    Attributes
    ----------
    network, source : what trained, and where its batches came from.
    batches, batch_size : of a round.
    shares : of a round's seconds that went by before the batch was there; one a round.
    images_per_second : trained; one a round.
    """

    network: str
    source: str
    batches: int
    batch_size: int
    shares: list = field(default_factory=list)
    images_per_second: list = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    """What one run of the race found.

    Attributes
    ----------
    environment, commit, data, data_checksum, scale : as in `helpers.runs.records.Record`.
    images : how many were trained on.
    steps : list of `Measured`.
    waiting : list of `Waiting`.
    schema : version of this format.
    """

    environment: dict
    commit: str
    data: str
    data_checksum: str
    scale: str
    images: int
    steps: list
    waiting: list
    schema: int = 2

    @property
    def speedups(self):
        """How many times less each step trains than the first: ratios of mean seconds."""
        return [self.steps[0].mean_seconds / step.mean_seconds for step in self.steps]


def read(path=PATH):
    """Read results; a file that can't be used is a `helpers.runs.records.RecordError`."""
    parts = {
        "steps": lambda entries: [Measured(**entry) for entry in entries],
        "waiting": lambda entries: [Waiting(**entry) for entry in entries],
    }
    return comparison.read(path, Results, "race", parts)


# ----------------------------------------------------------------------- measurement


def measure(scale="full", seeds=SEEDS):
    """Run the race, and return its `Results`.

    Parameters
    ----------
    scale : {"full", "embedded"}
    seeds : int
        Of the last step; no other has more.

    Raises
    ------
    DataNotPrepared
        If MNIST is not there.
    Diverged
        If a run came to nothing.
    """
    commit = records.source_commit()  # of all that is loaded by now
    mnist = load_mnist(scale)
    most = EMBEDDED_IMAGES if scale == "embedded" else None
    arrays = ("x", "y", "x_eval", "y_eval")
    data = replace(mnist, **{name: getattr(mnist, name)[:most] for name in arrays})
    return Results(
        environment=records.environment() | {"device": "cpu"},
        commit=commit,
        data=mnist.name,
        data_checksum=mnist.checksum,
        scale=scale,
        images=len(data.x),
        waiting=measure_waiting(data, rounds=1 if scale == "embedded" else ROUNDS),
        steps=measure_steps(data, seeds),
    )


def measure_steps(data, seeds=SEEDS, steps=STEPS):
    """Train every `Step` with each of its seeds; return a list of `Measured`."""
    register()
    counts = [min(step.seeds, seeds) for step in steps[:-1]] + [seeds]
    runs = [(i, seed) for i, count in enumerate(counts) for seed in range(count)]
    runs.sort(key=lambda run: (run[1] + 0.5) / counts[run[0]])  # each step's evenly spread
    measured = [None] * len(steps)
    for i, seed in tqdm(runs, "runs", disable=None):
        step = steps[i]
        training = (PerImage if step.per_image else Timed)(step.config, data, seed)
        accuracy = training.train(step.stop_at)
        if training.diverged:
            raise Diverged(f"the run of {step.name!r}, seed {seed}, diverged")
        measured[i] = measured[i] or Measured(
            step.name, step.change, step.config.as_json(), step.stop_at, training.parameter_count
        )
        wall, cpu = training.seconds()
        measured[i].seconds.append(wall)
        measured[i].cpu_seconds.append(cpu)
        measured[i].evaluation_seconds.append(training.evaluation_clock.wall)
        measured[i].epochs.append(training.epoch)
        measured[i].accuracies.append(accuracy)
    return measured


def measure_waiting(data, rounds, networks=WAITING):
    """Let each network train on batches of either source in turn; return a list of `Waiting`."""
    pairs = []
    for name, config, batches in networks:
        for source, kind in (("in memory, whole", Timed), ("image by image", PerImage)):
            training = kind(config, data, seed=0)
            training.wait_for_data(1)  # the first step prepares much
            batches = min(batches, training.steps_per_epoch)
            pairs.append((training, Waiting(name, source, batches, config.batch_size)))
    for _ in range(rounds):
        for training, found in pairs:
            waited, whole, images = training.wait_for_data(found.batches)
            found.shares.append(waited / whole)
            found.images_per_second.append(images / whole)
    return [found for _, found in pairs]


# --------------------------------------------------------------------- what it shows


def table(results=None):
    """Tabulate the steps of the results, the book's if none are given: a DataFrame of str."""
    results = results or read()
    return pd.DataFrame(
        {
            "step": step.name,
            "the one change": step.change,
            "parameters": f"{step.parameters:,}",
            "epochs": "–".join(f"{n}" for n in sorted({min(step.epochs), max(step.epochs)})),
            "seconds of training [fewest, most]": _mean_and_span(step.seconds, ".1f"),
            "times faster": f"{speedup:.1f}",
            "test accuracy": f"{step.accuracy or np.mean(step.accuracies):.4f}",
            f"seeds at {GOAL:.0%}": f"{step.reached.estimate * step.reached.n:.0f} of "
            f"{step.reached.n}",
        }
        for step, speedup in zip(results.steps, results.speedups, strict=True)
    )


def data_table(results=None):
    """Tabulate how long training waits for its data, a row for each network and source."""
    return pd.DataFrame(
        {
            "network": row.network,
            "batches": row.source,
            "time spent waiting [least, most]": _mean_and_span(row.shares, ".1%"),
            "images/s": f"{np.mean(row.images_per_second):,.0f}",
        }
        for row in (results or read()).waiting
    )


def _mean_and_span(values, spec):
    span = f" [{min(values):{spec}}, {max(values):{spec}}]" if len(values) > 1 else ""
    return f"{np.mean(values):{spec}}{span}"


def figure(results=None, ax=None):
    """Draw each step's training seconds on a logarithmic axis: a dot a seed, and their mean."""
    steps = (results or read()).steps
    ax = figures.axes_or_new(ax, height=1.3 + 0.42 * len(steps))
    for row, step in enumerate(steps):
        ax.plot(
            step.seconds, [row] * len(step.seconds), "o", color=figures.BLUE, alpha=0.5,
            linestyle="none",
        )  # fmt: skip
        mean = step.mean_seconds
        ax.plot(mean, row, "|", color=figures.VERMILLION, markersize=18, markeredgewidth=3)
        ax.annotate(
            f"{mean:,.0f} s" if mean >= 100 else f"{mean:.1f} s", (max(step.seconds), row),
            (10, 0), textcoords="offset points", va="center", fontsize=12,
        )  # fmt: skip
    every = [seconds for step in steps for seconds in step.seconds]
    low, high = min(every) / 1.5, 3 * max(every)  # to the right there is room for the label
    ax.set(xscale="log", xlabel="seconds of training (logarithmic)", xlim=(low, high))
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(steps)), [step.name for step in steps])
    ax.set_ylim(len(steps) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    return ax.figure


OPTIONS = {
    "scale": {"choices": SCALES, "default": "full", "help": "of the data"},
    "seeds": {"type": whole_number(), "default": SEEDS, "help": "of the last step, at least"},
}

if __name__ == "__main__":
    sys.exit(command("benchmarks.race", __doc__, measure, [table, data_table], OPTIONS,
                     (DataNotPrepared, Diverged), PATH))  # fmt: skip
