"""What an experiment is: one configuration, its data, and the seeds it is recorded with.

Which experiments there are stands in `helpers.runs.catalogue.numpy_networks` (practices 1 and 2),
`helpers.runs.catalogue.vision` (practice 3) and `helpers.runs.catalogue.tiny_voc` (practice 4);
`helpers.runs.registry` has them all.
"""

from dataclasses import dataclass, field

from helpers.training.config import TrainConfig
from helpers.training.numpy_trainer import NumpyConfig

SCALES = ("full", "embedded")


@dataclass(frozen=True)
class Experiment:
    """One configuration, its data, and the seeds it is recorded with.

    Attributes
    ----------
    name : unique, and the name of its folder under `runs/`.
    about : what is tried, in a few words for tables and legends.
    config : helpers.training.numpy_trainer.NumpyConfig, or of a PyTorch model
        helpers.training.config.TrainConfig
    data : which data, and how they are split.
    seeds : the recorded seeds at full scale.
    embedded_seeds : the recorded seeds on the embedded data; () if it is for real data only.
    weight_seed : the seed of the weights if it is not the run's seed.
    keep : also keep scores, weights and mistakes, for figures.
    keep_model : the seeds whose whole model is kept as well, small models only.
    keep_images : the seeds with which the most telling images are kept, and where on them the
        model looks; for several labels an image.
    """

    name: str
    about: str
    config: NumpyConfig | TrainConfig
    data: dict
    seeds: tuple = (0, 1, 2)
    embedded_seeds: tuple = ()
    weight_seed: int | None = None
    keep: bool = field(default=False, compare=False)
    keep_model: tuple = field(default=(), compare=False)
    keep_images: tuple = field(default=(), compare=False)

    def as_json(self):
        """Return what a record keeps of the experiment: configuration and data."""
        return self.config.as_json() | {"data": self.data, "weight_seed": self.weight_seed}

    def seeds_at(self, scale):
        """Return the recorded seeds at "full" or "embedded" scale."""
        return self.seeds if scale == "full" else self.embedded_seeds


EXPERIMENTS = {}


def add(name, about, config, data, **options):
    """List an experiment; its name must be new."""
    if name in EXPERIMENTS:
        raise ValueError(f"two experiments are called {name}")
    EXPERIMENTS[name] = Experiment(name, about, config, data, **options)
