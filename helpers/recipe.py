"""Everything that decides a run of a PyTorch model, as data; it does not import torch.

What is done with it stands in `helpers.training`.
"""

from dataclasses import asdict, dataclass, field


class NoSuchDevice(ValueError):
    """The device that was asked for is not there."""


@dataclass(frozen=True)
class Recipe:
    """A model and how it is trained, but for the data and the seed.

    Attributes
    ----------
    model : a key of `helpers.models.MODELS`.
    arguments : of the model, besides the input's channels and size and the classes.
    loss : a key of `helpers.training.LOSSES`.
    label_smoothing : share of the target that is spread over all classes.
    optimiser : {"name": "adam", "adamw" or "sgd", and its arguments without the learning rate}.
    schedule : {"name": a key of `helpers.training.SCHEDULES`, and its arguments}.
    epochs : passes over the training data.
    batch_size : examples per step, over all processes together.
    augment : arguments of `helpers.augment.distort`; none if empty.
    precision : "float32", or "bfloat16" for autocast in the products and convolutions.
    channels_last : keep images and filters in the memory order [B, H, W, C].
    evaluate_every : epochs between evaluations; the last is always evaluated.
    """

    model: str
    arguments: dict = field(default_factory=dict)
    loss: str = "cross-entropy"
    label_smoothing: float = 0.0
    optimiser: dict = field(default_factory=lambda: {"name": "adam"})
    schedule: dict = field(default_factory=lambda: {"name": "constant", "rate": 0.001})
    epochs: int = 10
    batch_size: int = 64
    augment: dict = field(default_factory=dict)
    precision: str = "float32"
    channels_last: bool = False
    evaluate_every: int = 1

    def as_json(self):
        """Return the recipe as plain JSON types."""
        return asdict(self)
