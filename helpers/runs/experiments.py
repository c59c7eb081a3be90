"""Every experiment that the book reports, and the records of its runs.

What is tried stands in `helpers.runs.catalogue`, one file for each kind of network.
"""

import fnmatch
from dataclasses import asdict, dataclass, field

from helpers.data.datasets import SCALES, check_choice
from helpers.runs import records
from helpers.runs.catalogue import mlps, tiny_voc, vision
from helpers.runs.records import RecordError
from helpers.training.config import LinearConfig, TrainConfig
from helpers.training.numpy_trainer import NumpyConfig


class UnknownExperiment(LookupError):
    """There is no experiment of that name; the message says how to list them."""

    def __init__(self, name, scale=None):
        where = f" at {scale} scale" if scale else ""
        super().__init__(
            f"there is no experiment {name!r}{where}: python -m helpers.runs list shows them all"
        )


@dataclass(frozen=True)
class Experiment:
    """One configuration, its data, and the seeds it is recorded with.

    Attributes
    ----------
    name : unique, and the name of its folder under `runs/`.
    label : what is tried, in a few words for tables and legends.
    config : a NumPy network's, a PyTorch model's, or a linear classifier's.
    data : which data, and how they are split.
    seeds : the recorded seeds at full scale.
    embedded_seeds : the recorded seeds on the embedded data; () if it is for real data only.
    weight_seed : the seed of the weights if it is not the run's seed.
    keep : also keep scores, weights and mistakes, for figures.
    keep_model : the seeds whose whole model is kept as well, small models only.
    keep_images : the seeds whose most telling images are kept, of several labels each, and where
        the model looks on them.
    """

    name: str
    label: str
    config: NumpyConfig | TrainConfig | LinearConfig
    data: dict
    seeds: tuple = (0, 1, 2)
    embedded_seeds: tuple = ()
    weight_seed: int | None = None
    keep: bool = field(default=False, compare=False)
    keep_model: tuple = field(default=(), compare=False)
    keep_images: tuple = field(default=(), compare=False)

    record = records.Record

    def as_json(self):
        """Return what a record keeps of the experiment: configuration and data."""
        return self.config.as_json() | {"data": self.data, "weight_seed": self.weight_seed}

    def seeds_at(self, scale):
        """Return the seeds that have a record at "full" or "embedded" scale."""
        return self.seeds if scale == "full" else self.embedded_seeds


@dataclass(frozen=True)
class Ensemble:
    """Many networks of practice 5 that are trained at once, one for each seed.

    Attributes
    ----------
    activation_pair : a key of `helpers.networks.ensemble.ACTIVATION_PAIRS` or `MENDED`.
    setting : what is varied, and the name of the record.
    width : units of each hidden layer.
    n, noise : how many points, and their noise.
    data_seed : of the points; None if each network has its own.
    iterations, learning_rate : of AdamW on the full batch.
    frozen, clip : as `helpers.networks.ensemble.EnsembleTrainer` takes them.
    seeds : how many networks, with seeds from 0.
    keep : also keep the trained weights.
    """

    activation_pair: str
    setting: str = "plain"
    width: int = 10
    n: int = 100
    noise: float = 0.1
    data_seed: int | None = mlps.HALF_MOONS_SEED
    iterations: int = 1000
    learning_rate: float = 0.01
    frozen: bool = False
    clip: float | None = None
    seeds: int = 200
    keep: bool = False

    record = records.EnsembleRecord

    @property
    def name(self):
        """Where the record is: folder and file, without ending."""
        return f"activation-{self.activation_pair}/{self.setting}"

    @property
    def label(self):
        """What is tried, in a few words."""
        return f"{self.seeds} networks with {self.activation_pair}, {self.setting}"

    @property
    def pair(self):
        """What follows the two hidden layers: an `ActivationPair`."""
        # Here: it brings PyTorch with it.
        from helpers.networks.ensemble import ACTIVATION_PAIRS, MENDED

        return (ACTIVATION_PAIRS | MENDED)[self.activation_pair]

    def as_json(self):
        """Return what a record keeps of it."""
        return asdict(self) | {"first": self.pair.first, "second": self.pair.second}

    def seeds_at(self, scale):
        """Return None for its one record; points are drawn, so there is one scale alone."""
        return (None,) if scale == "full" else ()


EXPERIMENTS = {
    name: Experiment(name, **what)
    for name, what in (mlps.EXPERIMENTS | vision.EXPERIMENTS | tiny_voc.EXPERIMENTS).items()
}
ENSEMBLES = {e.name: e for e in (Ensemble(*key, **what) for key, what in mlps.ENSEMBLES.items())}


def find(name):
    """Return the `Experiment` or `Ensemble` of that name, or raise `UnknownExperiment`."""
    if found := EXPERIMENTS.get(name) or ENSEMBLES.get(name):
        return found
    raise UnknownExperiment(name)


def matching(patterns, scale=None):
    """Return the experiments and ensembles that some patterns, such as 'tenth-*', stand for.

    With a scale, only those that have runs at it. A pattern that stands for none raises
    `UnknownExperiment`.
    """
    there = (EXPERIMENTS | ENSEMBLES).values()
    listed = [each.name for each in there if not scale or each.seeds_at(scale)]
    names = {}
    for pattern in patterns:
        if not (found := fnmatch.filter(listed, pattern)):
            raise UnknownExperiment(pattern, scale)
        names |= dict.fromkeys(found)
    return list(map(find, names))


# ---------------------------------------------------------------------- reading back


def recorded(name, scale="full", folder=records.RUNS):
    """Return the `Record` of each listed seed of an experiment at "full" or "embedded" scale.

    Raises
    ------
    ValueError
        If there is no such scale.
    UnknownExperiment
    RecordError
        If a record is missing, or of another configuration than the one listed.
    """
    check_choice("scale", scale, SCALES)
    experiment = find(name)
    if not experiment.seeds_at(scale):
        raise RecordError(f"{name} lists no seeds at {scale} scale: it has others")
    return [recorded_run(experiment, scale, seed, folder) for seed in experiment.seeds_at(scale)]


def recorded_ensemble(activation_pair, setting="plain", folder=records.RUNS):
    """Return the `EnsembleRecord` of practice 5, under the same conditions as `recorded`."""
    return recorded(f"activation-{activation_pair}/{setting}", folder=folder)[0]


def recorded_run(experiment, scale, seed, folder=records.RUNS):
    """Return one record of an experiment or an ensemble, or raise RecordError."""
    mend = f"record it with python -m helpers.runs run {experiment.name}"
    mend += "" if seed is None else f" --seeds {seed}"
    mend += "" if scale == "full" else f" --scale {scale}"
    path = records.record_path(experiment.name, scale, seed, folder)
    record, place = records.read(path, experiment.record, mend), records.display(path)
    if record.place != (experiment.name, scale, seed):
        raise RecordError(f"{place} is the record of another run: restore it, or {mend}")
    listed = experiment.as_json()
    if record.config != listed:
        changed = sorted(
            key for key in listed.keys() | record.config.keys()
            if listed.get(key) != record.config.get(key)
        )  # fmt: skip
        raise RecordError(
            f"{place} was made by another configuration than the one listed "
            f"({', '.join(changed)}): {mend}"
        )
    return record
