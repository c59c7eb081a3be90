"""The steps of the race to 99%: each changes one thing of the step before it, as data.

Every number that a step changes was chosen on a validation part of the training images. How
the steps are run and timed stands in `benchmarks.race`.
"""

from dataclasses import dataclass, replace

from helpers.training.config import TrainConfig

GOAL = 0.99
SEEDS = 20  # of the last step


@dataclass(frozen=True)
class Step:
    """A way to train.

    Attributes
    ----------
    name, change : in two or three words, and in a sentence.
    config : how it trains.
    per_image : whether a `DataLoader` collects each batch from single images.
    stop_at : the accuracy at which training stops; None if it goes on to the last epoch.
    seeds : how many runs are measured; few where one takes minutes.
    """

    name: str
    change: str
    config: TrainConfig
    per_image: bool = False
    stop_at: float | None = None
    seeds: int = 3

    def then(self, name, change, stop_at=None, seeds=3, **changes):
        """Return the next step, which differs in some fields of the configuration."""
        config = replace(self.config, **changes)
        return Step(name, change, config, stop_at=stop_at, seeds=seeds)


def _one_cycle(peak):
    return {"name": "one-cycle", "peak_lr": peak, "rise": 0.3, "start": 10.0}


FIRST = Step(
    "PyTorch's example",
    "Adadelta at rate 1, times 0.7 after each epoch; batches of 64, an image at a time",
    TrainConfig(
        "example",
        optimiser={"name": "adadelta"},
        schedule={"name": "step-decay", "lr": 1.0, "factor": 0.7, "stairs": 14},
        epochs=14,
    ),
    per_image=True,
    stop_at=GOAL,
    seeds=2,
)
SGD = {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}

#: What each later step changes: name, sentence, and what `Step.then` takes.
CHANGES = (
    (
        "data in memory",
        "all images lie in memory as bytes; a batch is normalised at once, to [-1, 1]",
        {"stop_at": GOAL, "seeds": 2},
    ),
    (
        "one cycle",
        "SGD with Nesterov momentum, its rate in one cycle up to 0.05 and down, for 3 epochs",
        {
            "optimiser": SGD,
            "schedule": _one_cycle(0.05),
            "epochs": 3,
            "evaluate_every": 3,
            "seeds": 2,
        },
    ),
    (
        "small network",
        "QuickNet: the first convolution strides, each is batch-normalised, no dropout",
        {"model": "quick"},
    ),
    ("channels last", "a pixel's channels lie together in memory", {"channels_last": True}),
    ("batches of 128", "128 images a step instead of 64", {"batch_size": 128}),
    ("larger rate", "a peak rate of 0.4 instead of 0.05", {"schedule": _one_cycle(0.4)}),
    ("one epoch", "the whole cycle in 1 epoch instead of 3", {"epochs": 1}),
    ("smooth labels", "a label smoothing of 0.1", {"label_smoothing": 0.1}),
    (
        "narrower middle",
        "24 channels instead of 32 in the second convolution",
        {"model_kwargs": {"widths": [16, 24, 64]}, "seeds": SEEDS},
    ),
)
STEPS = [FIRST]
for _name, _change, _options in CHANGES:
    STEPS.append(STEPS[-1].then(_name, _change, **_options))


#: Networks whose waiting for data is measured: name, configuration, and over how many batches.
WAITING = (("LeNet", TrainConfig("lenet"), 300), ("ResNet-18", TrainConfig("resnet18"), 30))
ROUNDS = 3  # of each of them
