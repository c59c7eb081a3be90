"""Everything that decides a run of a PyTorch model, as data; it does not import torch.

What is done with it stands in `helpers.training.torch_trainer`, and in `linear_trainer`.
"""

import math
from dataclasses import asdict, dataclass, field, replace

from helpers.networks.mlp import choose


class NoSuchDevice(ValueError):
    """The device that was asked for is not there."""


@dataclass(frozen=True)
class TrainConfig:
    """A model and how it is trained, but for the data and the seed.

    Attributes
    ----------
    model : a key of `helpers.training.torch_trainer.MODELS`.
    model_kwargs : of the model, besides the input's channels and size and the classes.
    loss : a key of `helpers.training.losses.LOSSES`, or {"name": such a key, and its arguments}.
    label_smoothing : share of the target that is spread over all classes.
    optimiser : {"name": "adam", "adamw" or "sgd", and its arguments without the learning rate}.
    schedule : {"name": a key of `helpers.training.optimisers.SCHEDULES`, and its arguments}.
    epochs : passes over the training data.
    batch_size : examples per step, over all processes together.
    augment : arguments of `helpers.data.augment.augment`; none if empty.
    mixup : largest share of another image, as `helpers.data.augment.mixup` takes it.
    precision : "float32", "bfloat16" for autocast in the products and convolutions, or "auto":
        bfloat16 where the machine computes it natively, float32 elsewhere.
    channels_last : keep images and filters in the memory order [B, H, W, C].
    evaluate_every : epochs between evaluations; the last is always evaluated.
    evaluate_train : whether an evaluation also takes the training images, as they are and with
        dropout off: `eval_train_accuracy`.
    ema_decay : if not 0, an exponential average of the weights is evaluated instead of the last
        ones; the share of it that each step keeps.
    flip_tta : evaluate the mean of the logits of an image and of its mirror image.
    head_epochs : in so many epochs, the first, only the model's `classifier` learns.
    body_lr_scale : the learning rate of all but the `classifier`, as a share of the schedule's.
    freeze_batch_norm : batch normalisation keeps the means and variances that it starts with.
    hint_weight : what the teacher's hints count beside the labels; with 0 there is no teacher.
    """

    model: str
    model_kwargs: dict = field(default_factory=dict)
    loss: str | dict = "cross-entropy"
    label_smoothing: float = 0.0
    optimiser: dict = field(default_factory=lambda: {"name": "adam"})
    schedule: dict = field(default_factory=lambda: {"name": "constant", "lr": 0.001})
    epochs: int = 10
    batch_size: int = 64
    augment: dict = field(default_factory=dict)
    mixup: float = 0.0
    precision: str = "float32"
    channels_last: bool = False
    evaluate_every: int = 1
    evaluate_train: bool = False
    ema_decay: float = 0.0
    flip_tta: bool = False
    head_epochs: int = 0
    body_lr_scale: float | None = None
    freeze_batch_norm: bool = False
    hint_weight: float = 0.0

    def __post_init__(self):
        check_whole(self, "epochs", "batch_size", "evaluate_every")
        if not (0 <= self.label_smoothing <= 1 and 0 <= self.ema_decay < 1):
            raise ValueError("label_smoothing and ema_decay must be shares, the latter below 1")
        choose(PRECISIONS, self.precision, "precision")

    def as_json(self):
        """Return the config as plain JSON types; what is `OPTIONAL` only where it is used."""
        return {k: v for k, v in asdict(self).items() if v or k not in OPTIONAL}


PRECISIONS = dict.fromkeys(("float32", "bfloat16", "auto"))
#: Younger than the first records, which lack them.
OPTIONAL = (
    "ema_decay", "flip_tta", "mixup", "head_epochs", "body_lr_scale", "freeze_batch_norm",
    "evaluate_train", "hint_weight",
)  # fmt: skip


def check_whole(config, *names):
    """Raise a ValueError unless those attributes are whole numbers from 1 on."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number from 1 on; got {value}")


@dataclass(frozen=True)
class LinearConfig:
    """A linear classifier for several labels on features, but for the data and the seed.

    Attributes
    ----------
    strengths : of scikit-learn's `C`, the smaller the simpler; the one with the smallest
        cross-entropy on held-out training examples is taken, for all classes.
    folds : parts of the training examples, each held out once.
    """

    strengths: tuple = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    folds: int = 5

    epochs = 1  # everything is done at once

    def as_json(self):
        """Return the config as plain JSON types."""
        return {"model": "linear"} | asdict(self) | {"strengths": list(self.strengths)}


def one_after_the_other(start, changes):
    """Return name -> (about, `TrainConfig`), each change on top of those before it.

    The changes are name -> (about, dict): what each is, in words and in a config's attributes.
    """
    steps, config = {}, start
    for name, (about, change) in changes.items():
        config = replace(config, **change)
        steps[name] = about, config
    return steps


def chosen(kinds, named, what):
    """Return what {"name": a key of `kinds`, and its arguments} stands for.

    `kinds` are name -> callable; a name that is none of theirs is a ValueError that says of `what`.
    """
    arguments = dict(named)
    return choose(kinds, arguments.pop("name"), what)(**arguments)


def rounded(value):
    """Seven significant digits: all that float32 holds, and a third of the file size.

    None stands for what was not measured or is not finite (JSON has no NaN).
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.7g}")
