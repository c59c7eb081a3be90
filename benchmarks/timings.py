"""What the race to 99% found: its types, and the file that holds them.

It neither measures nor draws; `benchmarks.race` does.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from benchmarks.stages import GOAL
from helpers.analysis.stats import mean_interval, wilson
from helpers.runs import records

PATH = records.ROOT / "benchmarks" / "ninety_nine.json"
SCHEMA = 1


@dataclass(frozen=True)
class Measured:
    """What came of a stage: lists have one entry a seed.

    Attributes
    ----------
    name, change, recipe, stop_at : the stage's; the recipe as plain JSON types.
    parameters : how many numbers are trained.
    seconds, cpu_seconds : wall and processor seconds of training, without evaluation.
    evaluation_seconds : wall seconds of the evaluations.
    epochs : trained.
    accuracies : on the test images, at the end.
    """

    name: str
    change: str
    recipe: dict
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
        return mean_interval(self.accuracies) if len(self.accuracies) > 2 else None

    @property
    def reached(self):
        """The share of the seeds that reached the goal, with Wilson's interval."""
        return wilson(sum(a >= GOAL for a in self.accuracies), len(self.accuracies))


@dataclass(frozen=True)
class Waiting:
    """How long a network waited for its batches.

    Attributes
    ----------
    network, batches : what trained, and where its batches came from.
    steps, batch_size : a round's.
    shares : of a round's seconds that went by before the batch was there; one a round.
    images_per_second : trained; one a round.
    """

    network: str
    batches: str
    steps: int
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
    stages : list of `Measured`.
    waiting : list of `Waiting`.
    schema : version of this format.
    """

    environment: dict
    commit: str
    data: str
    data_checksum: str
    scale: str
    images: int
    stages: list
    waiting: list
    schema: int = SCHEMA

    @cached_property
    def speedups(self):
        """How many times less each stage trains than the first: ratios of mean seconds."""
        return [self.stages[0].mean_seconds / stage.mean_seconds for stage in self.stages]


# ------------------------------------------------------------------------------ files


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
    parts = {
        "stages": lambda entries: [Measured(**entry) for entry in entries],
        "waiting": lambda entries: [Waiting(**entry) for entry in entries],
    }
    mend = f"measure it with python -m benchmarks.race --output {records.display(path)}"
    return records.read_json(path, Results, SCHEMA, mend, parts)
