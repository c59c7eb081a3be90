"""Which batches of networks practice 5 records: a combination, its data, what is varied.

Making them is `helpers.runs.ensemble_runner`'s business.
"""

from dataclasses import asdict, dataclass

from helpers.networks.ensemble import ACTIVATION_PAIRS, MENDED

HALF_MOONS_SEED = 42  # the course's points
NOISES = (0.1, 0.2, 0.4)
SIZES = (10, 20, 50)


@dataclass(frozen=True)
class Study:
    """One batch of networks.

    Attributes
    ----------
    combination : a key of `ACTIVATION_PAIRS` or `MENDED`.
    setting : what is varied, and the name of the record.
    width : units of each hidden layer.
    n, noise : how many points, and their noise.
    data_seed : of the points; None if each network has its own.
    iterations, learning_rate : of AdamW on the full batch.
    frozen, clip : as `helpers.networks.ensemble.EnsembleTrainer` takes them.
    seeds : how many networks, with seeds from 0.
    keep : also keep the trained weights.
    """

    combination: str
    setting: str = "plain"
    width: int = 10
    n: int = 100
    noise: float = 0.1
    data_seed: int | None = HALF_MOONS_SEED
    iterations: int = 1000
    learning_rate: float = 0.01
    frozen: bool = False
    clip: float | None = None
    seeds: int = 200
    keep: bool = False

    @property
    def name(self):
        """Where the record is: folder and file, without ending."""
        return f"activation-{self.combination}/{self.setting}"

    @property
    def parts(self):
        """The `ActivationPair`."""
        return (ACTIVATION_PAIRS | MENDED)[self.combination]

    def as_json(self):
        """Return what a record keeps of it."""
        facts = asdict(self)
        return facts | {"first": self.parts.first, "second": self.parts.second}


def _studies():
    for name in ACTIVATION_PAIRS:
        yield Study(name, keep=True)
        yield Study(name, "frozen", frozen=True)
        yield Study(name, "frozen-wide", frozen=True, width=100)
        own = {"data_seed": None, "seeds": 50}
        for noise in NOISES:
            yield Study(name, f"noise-{noise}", noise=noise, **own)
        for n in SIZES:
            yield Study(name, f"points-{n}", n=n, **own)
    for name in MENDED:
        yield Study(name)
    for name in ("reciprocal", "tan"):
        yield Study(name, "clipped", clip=1.0)
        yield Study(name, "slow", learning_rate=0.001)


STUDIES = {study.name: study for study in _studies()}
