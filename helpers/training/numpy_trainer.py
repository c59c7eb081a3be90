"""The training loop for `helpers.networks.mlp`: schedules, batches, and a state to resume from.

It knows neither files nor data sets; `helpers.runs.runner` brings those.
"""

import math
from dataclasses import asdict, dataclass, field

import numpy as np

from helpers.networks.mlp import (
    LOSSES,
    SGD,
    choose,
    evaluate,
    loss_and_gradients,
    mlp,
    predict,
)

# ------------------------------------------------------------------------ schedules
# A schedule maps an epoch (0, 1, ...) to a learning rate.


def constant(lr):
    """Return the schedule that always gives `lr`."""
    return lambda epoch: lr


def course(scale=1.0, decay=0.98):
    """Return the original course's schedule for 400 epochs, times `scale`.

    Warm-up over 20 epochs to 0.2; then a cosine of period 80 between 0.05 and 0.2 whose
    swing is multiplied by `decay` every ten epochs; the last 20 epochs at 0.05.
    """

    def lr(epoch):
        if epoch < 20:
            return scale * (0.05 + 0.15 * (epoch + 1) / 20)
        if epoch < 380:
            swing = 1 + math.cos(math.pi * (epoch - 10) / 40)
            return scale * (0.05 + 0.5 * 0.15 * swing * decay ** ((epoch - 20) // 10))
        return scale * 0.05

    return lr


def warmup_cosine(peak_lr, epochs, warmup=1):
    """Return a linear rise to `peak_lr` over `warmup` epochs, then half a cosine down to 0.

    Source: Loshchilov and Hutter (2017), "SGDR: Stochastic gradient descent with warm
    restarts", ICLR (without the restarts); the warm-up: Goyal et al. (2017).
    """

    def lr(epoch):
        if epoch < warmup:
            return peak_lr * (epoch + 1) / (warmup + 1)
        return 0.5 * peak_lr * (1 + math.cos(math.pi * (epoch - warmup) / (epochs - warmup)))

    return lr


SCHEDULES = {"constant": constant, "course": course, "warmup-cosine": warmup_cosine}


# -------------------------------------------------------------------- configuration


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
    schedule : {"name": a key of `SCHEDULES`, and its arguments}.
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

    def as_json(self):
        """Return the configuration as plain JSON types."""
        return asdict(self) | {"sizes": list(self.sizes)}


@dataclass(frozen=True)
class TrainingData:
    """Inputs [N, D] and labels [N] to train on, and to evaluate on."""

    x: np.ndarray
    labels: np.ndarray
    x_eval: np.ndarray
    labels_eval: np.ndarray


# ----------------------------------------------------------------------------- loop


def shift_images(x, largest, rng):
    """Move each flattened 28×28 image [B, 784] by up to `largest` pixels, filling with 0."""
    batch = len(x)
    side = 28 + 2 * largest
    padded = np.zeros((batch, side, side), x.dtype)
    padded[:, largest : largest + 28, largest : largest + 28] = x.reshape(batch, 28, 28)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    top, left = rng.integers(0, 2 * largest + 1, size=(2, batch))
    return windows[np.arange(batch), top, left].reshape(batch, 784)


class NumpyTrainer:
    """One training run, advanced an epoch at a time.

    Parameters
    ----------
    config : NumpyConfig
    data : TrainingData
    seed : int
        Decides the initial weights and, apart from those, the order of the batches.

    Attributes
    ----------
    epoch : int
        How many epochs are done.
    history : dict of lists
        One entry per logged epoch. Training figures are measured during the epoch, before
        the step (mean over the steps; the gradient's norm: at the last step); `eval_` figures
        after it, None where not evaluated.
    diverged : bool
        True once a loss was not finite; training is then over.
    """

    def __init__(self, config, data, seed):
        self.config, self.data = config, data
        weight_seed, batch_seed = np.random.SeedSequence(seed).spawn(2)
        self.network = mlp(
            config.sizes,
            config.activation,
            np.random.default_rng(weight_seed),
            init=config.init,
            output_activation=config.output_activation,
            dtype=config.dtype,
        )
        self.batch_rng = np.random.default_rng(batch_seed)
        self.loss = choose(LOSSES, config.loss, "loss")()
        self.optimiser = SGD(self.network, config.momentum)
        arguments = dict(config.schedule)
        self.learning_rate = choose(SCHEDULES, arguments.pop("name"), "schedule")(**arguments)
        self.epoch, self.diverged = 0, False
        self.history = {
            name: []
            for name in ("epoch", "learning_rate", "loss", "penalty", "accuracy", "gradient_norm")
            + ("eval_loss", "eval_accuracy")
        }

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

    def artifacts(self, units=64):
        """Return what figures show of a network trained on 28×28 images.

        Returns
        -------
        dict of ndarray
            `first_weights` float16 [units, 28, 28], of the first hidden layer's units with the
            largest outgoing weights.
        """
        first, second, *_ = self.network.dense_layers
        strongest = np.argsort(-np.linalg.norm(second.weight, axis=1), kind="stable")[:units]
        return {"first_weights": first.weight.T[strongest].reshape(-1, 28, 28).astype(np.float16)}

    def batches(self):
        """Yield (x, labels) for each step of one epoch; the full batch is not copied."""
        size = self.config.batch_size
        if size is None:
            yield self.data.x, self.data.labels
            return
        order = self.batch_rng.permutation(len(self.data.x))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            x = self.data.x[chosen]
            if self.config.shift:
                x = shift_images(x, self.config.shift, self.batch_rng)
            yield x, self.data.labels[chosen]

    def step(self, x, labels, learning_rate):
        """Take one gradient step on a batch, and return the figures measured before it."""
        figures = loss_and_gradients(
            self.network, self.loss, x, labels, self.config.weight_decay,
            gradient_scale=1 if self.config.mean_gradient else len(x),
        )  # fmt: skip
        self.optimiser.step(learning_rate)
        return figures

    # Overflow is not an accident here but a result: it ends the run, and is recorded.
    @np.errstate(over="ignore", invalid="ignore")
    def run_epoch(self):
        """Train one epoch and log it."""
        config, learning_rate = self.config, self.learning_rate(self.epoch)
        steps = [(len(y), self.step(x, y, learning_rate)) for x, y in self.batches()]
        weights = [size for size, _ in steps]
        figures = {
            name: float(np.average([measured[name] for _, measured in steps], weights=weights))
            for name in ("loss", "penalty", "accuracy")
        }
        self.epoch += 1
        self.diverged = not math.isfinite(figures["loss"] + figures["penalty"])
        if self.epoch == 1 or self.epoch % config.log_every == 0 or self.done:
            self._log(learning_rate, figures)

    def _log(self, learning_rate, figures):
        gradient_norm = math.sqrt(
            sum(float(np.vdot(gradient, gradient)) for _, gradient in self.network.parameters())
        )
        due = self.epoch == 1 or self.epoch % self.config.evaluate_every == 0 or self.done
        measured = {"loss": None, "accuracy": None}
        if due and not self.diverged:
            measured = evaluate(self.network, self.loss, self.data.x_eval, self.data.labels_eval)
            if not math.isfinite(measured["loss"]):  # the last step's doing
                self.diverged, measured = True, dict.fromkeys(measured)
        row = {
            "epoch": self.epoch - 1,
            "learning_rate": learning_rate,
            **figures,
            "gradient_norm": gradient_norm,
            **{f"eval_{name}": value for name, value in measured.items()},
        }
        for name, value in row.items():
            self.history[name].append(_rounded(value))

    def state(self):
        """Return (arrays, facts): all that `restore` needs to go on bit for bit."""
        arrays = {f"parameter_{i}": p for i, (p, _) in enumerate(self.network.parameters())}
        arrays |= {f"velocity_{i}": v for i, v in enumerate(self.optimiser.velocities)}
        facts = {
            "epoch": self.epoch,
            "diverged": self.diverged,
            "history": self.history,
            "batch_rng": self.batch_rng.bit_generator.state,
        }
        return arrays, facts

    def restore(self, arrays, facts):
        """Continue from what `state` returned."""
        for i, (parameter, _) in enumerate(self.network.parameters()):
            parameter[...] = arrays[f"parameter_{i}"]
            self.optimiser.velocities[i][...] = arrays[f"velocity_{i}"]
        self.epoch, self.diverged = facts["epoch"], facts["diverged"]
        self.history = facts["history"]
        self.batch_rng.bit_generator.state = facts["batch_rng"]


def _rounded(value):
    """Seven significant digits: all that float32 holds, and a third of the file size.

    None stands for what was not measured or is not finite (JSON has no NaN).
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.7g}")


def train(config, data, seed):
    """Train to the end and return the finished `NumpyTrainer`."""
    training = NumpyTrainer(config, data, seed)
    while not training.done:
        training.run_epoch()
    return training
