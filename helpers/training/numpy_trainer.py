"""Trains a network of `helpers.networks.mlp`: batch, loss and gradients, step.

It knows neither files nor data sets; `helpers.runs.runner` brings those.
"""

import math
from dataclasses import asdict, dataclass, field

import numpy as np

from helpers.data.datasets import vectors
from helpers.networks.mlp import LOSSES, SGD, choose, evaluate, loss_and_gradients, mlp, predict
from helpers.training.config import check_whole, chosen, rounded
from helpers.training.optimisers import SCHEDULES


@dataclass(frozen=True)
class NumpyConfig:
    """Everything that decides a training run, but for the data and the seed.

    Attributes
    ----------
    sizes : units per layer, from input to output.
    activation, init, output_activation, dtype : as in `helpers.networks.mlp.mlp`.
    loss : a key of `helpers.networks.mlp.LOSSES`.
    mean_gradient : divide the gradient by the batch size (the original's cross-entropy did not).
    weight_decay : the L2 coefficient λ, on weights, not on biases.
    schedule : {"name": a key of `helpers.training.optimisers.SCHEDULES`, and its arguments}; its
        steps are epochs.
    momentum : of `helpers.networks.mlp.SGD`.
    epochs : passes over the training data.
    batch_size : examples per step; None takes the whole training set in one step.
    shift : augment each mini-batch by moving its 28×28 images up to this many pixels.
    log_every, evaluate_every : epochs between entries of the history, and evaluations.
    """

    sizes: tuple
    activation: str = "relu"
    init: str = "he"
    output_activation: str | None = None
    dtype: str = "float32"
    loss: str = "cross-entropy"
    mean_gradient: bool = True
    weight_decay: float = 0.0
    schedule: dict = field(default_factory=lambda: {"name": "constant", "lr": 0.1})
    momentum: float = 0.0
    epochs: int = 10
    batch_size: int | None = None
    shift: int = 0
    log_every: int = 1
    evaluate_every: int = 1

    def __post_init__(self):
        whole = ["batch_size"] if self.batch_size is not None else []
        check_whole(self, "epochs", "log_every", "evaluate_every", *whole)
        if not (0 <= self.momentum < 1 and self.weight_decay >= 0 and self.shift >= 0):
            raise ValueError("momentum must be from 0 to below 1, weight decay and shift from 0 on")

    def as_json(self):
        """Return the configuration as plain JSON types."""
        return asdict(self) | {"sizes": list(self.sizes)}


class NumpyTrainer:
    """One training run, advanced an epoch at a time.

    Parameters
    ----------
    config : NumpyConfig
    data : helpers.data.datasets.Dataset of points, or of images, which are turned into vectors.
    seed : decides the initial weights and, apart from those, the order of the batches.

    Attributes
    ----------
    epoch : how many epochs are done.
    history : dict of lists, one entry per logged epoch. Training figures are measured during the
        epoch, before the step (mean over its images; the gradient's norm: at the last step);
        `eval_` figures after it, None where not evaluated.
    diverged : True once a loss was not finite; training is then over.
    """

    def __init__(self, config, data, seed):
        self.config, self.data = config, vectors(data, config.dtype)
        weight_seed, batch_seed = np.random.SeedSequence(seed).spawn(2)
        self.network = mlp(
            config.sizes, config.activation, np.random.default_rng(weight_seed),
            config.init, config.output_activation, config.dtype,
        )  # fmt: skip
        self.batch_rng = np.random.default_rng(batch_seed)
        self.loss = choose(LOSSES, config.loss, "loss")()
        self.optimiser = SGD(self.network, config.momentum)
        self.learning_rate = chosen(SCHEDULES, config.schedule, "schedule")
        self.epoch, self.diverged, self.history = 0, False, {}

    # Overflow is not an accident here but a result: it ends the run, and is recorded.
    @np.errstate(over="ignore", invalid="ignore")
    def run_epoch(self):
        """Take one step for each batch of the training data, then evaluate and log."""
        learning_rate = self.learning_rate(self.epoch, self.config.epochs)
        steps = [(len(y), self.step(x, y, learning_rate)) for x, y in self.batches()]
        self.epoch += 1
        self.log(learning_rate, steps)

    def batches(self):
        """Yield (x, y) for each step of one epoch; the full batch is not copied."""
        size = self.config.batch_size
        if size is None:
            yield self.data.x, self.data.y
            return
        order = self.batch_rng.permutation(len(self.data.x))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            x = self.data.x[rows]
            if self.config.shift:
                x = shift_images(x, self.config.shift, self.batch_rng)
            yield x, self.data.y[rows]

    def step(self, x, y, learning_rate):
        """Take one gradient step on a batch, and return the figures measured before it."""
        figures = loss_and_gradients(
            self.network, self.loss, x, y, self.config.weight_decay,
            gradient_scale=1 if self.config.mean_gradient else len(x),
        )  # fmt: skip
        self.optimiser.step(learning_rate)
        return figures

    def log(self, learning_rate, steps):
        """Add an epoch to the history, where it is due: the means over its images."""
        sizes = [size for size, _ in steps]
        figures = {
            name: float(np.average([measured[name] for _, measured in steps], weights=sizes))
            for name in ("loss", "penalty", "accuracy")
        }
        self.diverged = not math.isfinite(figures["loss"] + figures["penalty"])
        if not self.due(self.config.log_every):
            return
        gradients = [gradient for _, gradient in self.network.parameters()]
        row = {
            "epoch": self.epoch - 1,
            "learning_rate": learning_rate,
            **figures,
            "gradient_norm": math.sqrt(sum(float(np.vdot(g, g)) for g in gradients)),
            **self.evaluate(),
        }
        for name, value in row.items():
            self.history.setdefault(name, []).append(rounded(value))

    def due(self, every):
        """Whether this epoch is the first, the last, or a multiple of `every`."""
        return self.epoch == 1 or self.epoch % every == 0 or self.done

    def evaluate(self):
        """Return `eval_loss` and `eval_accuracy`, None where they are not due or not finite."""
        found = {"eval_loss": None, "eval_accuracy": None}
        if self.due(self.config.evaluate_every) and not self.diverged:
            data = self.data
            measured = evaluate(self.network, self.loss, data.x_eval, data.y_eval)
            self.diverged = not math.isfinite(measured["loss"])  # the last step's doing
            if not self.diverged:
                found = {f"eval_{name}": value for name, value in measured.items()}
        return found

    @property
    def done(self):
        """Whether all epochs are done, or the run diverged."""
        return self.diverged or self.epoch >= self.config.epochs

    @property
    def parameter_count(self):
        """How many numbers are trained."""
        return self.network.parameter_count

    def hardware(self):
        """Name what the run was made on."""
        return {"device": "cpu"}

    def scores(self):
        """Return the class scores [N, K] of the evaluation data."""
        return predict(self.network, self.data.x_eval)

    def artifacts(self):
        """Return what figures show of a network trained on 28×28 images.

        It is `first_weights` float16 [64, 28, 28], of the first hidden layer's units with the
        largest outgoing weights.
        """
        first, second, *_ = self.network.dense_layers
        strongest = np.argsort(-np.linalg.norm(second.weight, axis=1), kind="stable")[:64]
        return {"first_weights": first.weight.T[strongest].reshape(-1, 28, 28).astype(np.float16)}

    def weights(self):
        """Return the network's parameters, float16, as `model/<number of the layer>.weight`."""
        return {
            f"model/{i}.{name}": getattr(layer, name).astype(np.float16)
            for i, layer in enumerate(self.network.dense_layers) for name in ("weight", "bias")
        }  # fmt: skip

    def state(self):
        """Return (arrays, facts): all that `restore` needs to go on bit for bit."""
        arrays = {f"parameter_{i}": p for i, (p, _) in enumerate(self.network.parameters())}
        arrays |= {f"velocity_{i}": v for i, v in enumerate(self.optimiser.velocities)}
        facts = {"epoch": self.epoch, "diverged": self.diverged, "history": self.history}
        return arrays, facts | {"batch_rng": self.batch_rng.bit_generator.state}

    def restore(self, arrays, facts):
        """Continue from what `state` returned."""
        for i, (parameter, _) in enumerate(self.network.parameters()):
            saved = np.stack([arrays[f"parameter_{i}"], arrays[f"velocity_{i}"]])
            parameter[...], self.optimiser.velocities[i][...] = saved.reshape(2, *parameter.shape)
        self.epoch, self.diverged = facts["epoch"], facts["diverged"]
        self.history = facts["history"]
        self.batch_rng.bit_generator.state = facts["batch_rng"]


def shift_images(x, largest, rng):
    """Move each flattened 28×28 image [B, 784] by up to `largest` pixels, filling with 0."""
    batch = len(x)
    side = 28 + 2 * largest
    padded = np.zeros((batch, side, side), x.dtype)
    padded[:, largest : largest + 28, largest : largest + 28] = x.reshape(batch, 28, 28)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    top, left = rng.integers(0, 2 * largest + 1, size=(2, batch))
    return windows[np.arange(batch), top, left].reshape(batch, 784)


def train(config, data, seed):
    """Train to the end and return the finished `NumpyTrainer`."""
    training = NumpyTrainer(config, data, seed)
    while not training.done:
        training.run_epoch()
    return training
