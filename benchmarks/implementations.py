"""One epoch of the same network, computed in four ways, for `benchmarks.numpy_speed`.

The network is 784-1024-10 with ReLU, cross-entropy and an L2 penalty. `Ours`, `Textbook` and
`PyTorch` start from the same parameters, keep them in `weights` as [W1, b1, W2, b2], and have
a method `epoch()` that takes one full-batch step and returns the mean loss before it, without
the penalty. `Products` computes the matrix products of `Ours` and nothing else.

Shapes: N examples, B of them at a time, D inputs, H hidden units, K classes.
"""

import time

import numpy as np

from helpers.data.datasets import DataNotPrepared, Dataset, half_moons, load_mnist, pixels
from helpers.networks.mlp import (
    CHUNK,
    SGD,
    SoftmaxCrossEntropy,
    gradient_error,
    loss_and_gradients,
    mlp,
)
from helpers.runs.experiments import EXPERIMENTS
from helpers.runs.records import environment
from helpers.training.numpy_trainer import NumpyConfig, NumpyTrainer

SIZES = (784, 1024, 10)
RATE, DECAY = 0.1, 0.01
MEND = "mend that before comparing their times"


class Disagreement(RuntimeError):
    """Two implementations do not compute the same, so that their times cannot be compared."""


def load(images):
    """Return (name, x [N, 784] float32, labels [N]) of MNIST, or of noise as sparse as it."""
    try:
        mnist = load_mnist("full")
    except DataNotPrepared:
        rng = np.random.default_rng(0)
        x = rng.random((images, SIZES[0]), dtype=np.float32)
        x *= rng.random(x.shape, dtype=np.float32) < 0.19  # the share of MNIST's pixels with ink
        return "synthetic images", x, rng.integers(0, SIZES[-1], images)
    return "MNIST", pixels(mnist.x[:images]), mnist.y[:images]


def initial_network():
    """Return the network from which all start, always the same."""
    return mlp(SIZES, "relu", np.random.default_rng(0))


def initial_weights():
    """Return that network's [W1, b1, W2, b2], float32."""
    return [parameter for parameter, _ in initial_network().parameters()]


class Ours:
    """The network of `helpers.networks.mlp`, computed as everywhere in this book."""

    def __init__(self, x, labels):
        self.x, self.labels, self.network = x, labels, initial_network()
        self.loss, self.optimiser = SoftmaxCrossEntropy(), SGD(self.network)
        self.weights = [parameter for parameter, _ in self.network.parameters()]

    def epoch(self):
        """Take one step; return the loss before it."""
        figures = loss_and_gradients(self.network, self.loss, self.x, self.labels, DECAY)
        self.optimiser.step(RATE)
        return figures["loss"]

    def arrays_that_must_exist(self):
        """List the inputs, labels, parameters, gradients and velocities."""
        gradients = [gradient for _, gradient in self.network.parameters()]
        return [self.x, self.labels, *self.weights, *gradients, *self.optimiser.velocities]


class Textbook:
    """The epoch as a textbook writes it: float64, whole-batch arrays, one line a formula.

    Source: the two-layer network of https://cs231n.github.io/neural-networks-case-study/.
    """

    def __init__(self, x, labels):
        self.x, self.labels = x.astype(np.float64), labels
        self.one_hot = np.eye(SIZES[-1])[labels]
        self.weights = [weight.astype(np.float64) for weight in initial_weights()]

    def epoch(self):
        """Take one step; return the loss before it."""
        x, y, n = self.x, self.one_hot, len(self.x)
        W1, b1, W2, b2 = self.weights
        hidden = np.maximum(0, x @ W1 + b1)  # [N, H]
        scores = hidden @ W2 + b2  # [N, K]
        exp = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = exp / exp.sum(axis=1, keepdims=True)
        loss = -np.log(probabilities[np.arange(n), self.labels]).mean()
        d_scores = (probabilities - y) / n
        d_hidden = (d_scores @ W2.T) * (hidden > 0)
        d_W2, d_b2 = hidden.T @ d_scores + DECAY * W2, d_scores.sum(axis=0)
        d_W1, d_b1 = x.T @ d_hidden + DECAY * W1, d_hidden.sum(axis=0)
        self.weights = [W1 - RATE * d_W1, b1 - RATE * d_b1, W2 - RATE * d_W2, b2 - RATE * d_b2]
        return float(loss)


class PyTorch:
    """The epoch in PyTorch: float32, with as many threads as NumPy's products have.

    It takes `chunk` examples at a time and accumulates their gradients. It does not count
    the right answers, which `Ours` does.
    """

    def __init__(self, x, labels, chunk):
        import torch  # here, so that who only reads results need not wait for it

        torch.set_num_threads(environment()["threads"])
        self.functional, self.n, self.chunk = torch.nn.functional, len(x), chunk
        xs, ys = torch.tensor(x).split(chunk), torch.tensor(labels).split(chunk)
        self.batches = list(zip(xs, ys, strict=True))
        self.tensors = [  # PyTorch's layout is [outputs, inputs]
            torch.tensor(weight.T.copy()).requires_grad_() for weight in initial_weights()
        ]
        groups = [{"params": self.tensors[::2], "weight_decay": DECAY},
                  {"params": self.tensors[1::2]}]  # fmt: skip
        self.optimiser = torch.optim.SGD(groups, lr=RATE)

    @property
    def weights(self):
        """The parameters in NumPy's layout."""
        return [tensor.detach().numpy().T for tensor in self.tensors]

    def epoch(self):
        """Take one step; return the loss before it."""
        (W1, b1, W2, b2), f = self.tensors, self.functional
        self.optimiser.zero_grad()
        total = 0.0
        for x, labels in self.batches:
            hidden = f.relu(f.linear(x, W1, b1), inplace=True)
            scores = f.linear(hidden, W2, b2)
            loss = f.cross_entropy(scores, labels, reduction="sum") / self.n
            loss.backward()
            total += loss.item()
        self.optimiser.step()
        return total


def fastest_pytorch(x, labels):
    """Return `PyTorch` with the number of examples at a time that suits it best."""
    seconds = {}
    for chunk in sorted({min(size, len(x)) for size in (512, 1024, 2048, 4096, len(x))}):
        candidate = PyTorch(x, labels, chunk)
        candidate.epoch()
        seconds[chunk] = min(timed(candidate.epoch)[0] for _ in range(2))
    return PyTorch(x, labels, min(seconds, key=seconds.get))


class Products:
    """The matrix products of `Ours.epoch` alone, into arrays that are there already."""

    def __init__(self, x):
        self.x, (self.W1, _, self.W2, _) = x, initial_weights()
        size = min(CHUNK, len(x))
        self.hidden, self.d_hidden = np.zeros((2, size, SIZES[1]), x.dtype)  # [B, H] each
        self.scores = np.zeros((size, SIZES[2]), x.dtype)  # [B, K]
        self.d_W1, self.d_W2 = np.zeros_like(self.W1), np.zeros_like(self.W2)

    def all(self):
        """Yield (formula, left factor, right factor, result) in the epoch's order."""
        for start in range(0, len(self.x), CHUNK):
            x = self.x[start : start + CHUNK]  # [B, D]
            hidden, scores, d_hidden = (
                array[: len(x)] for array in (self.hidden, self.scores, self.d_hidden)
            )
            yield "x W1", x, self.W1, hidden
            yield "h W2", hidden, self.W2, scores
            yield "hᵀ δ2", hidden.T, scores, self.d_W2
            yield "δ2 W2ᵀ", scores, self.W2.T, d_hidden
            yield "xᵀ δ1", x.T, d_hidden, self.d_W1

    def flops(self):
        """Count an epoch's multiplications and additions, by formula."""
        count = {}
        for formula, left, right, _ in self.all():
            count[formula] = count.get(formula, 0) + 2 * left.shape[0] * right.size
        return count

    def epoch(self):
        """Compute every product; return the seconds by formula."""
        seconds = {}
        for formula, left, right, out in self.all():
            start = time.perf_counter()
            np.matmul(left, right, out=out)
            spent = time.perf_counter() - start
            seconds[formula] = seconds.get(formula, 0.0) + spent
        return seconds


def mini_batch_epoch(x, labels):
    """Return a function that trains `Ours` for one epoch of mini-batches of 128."""
    config = NumpyConfig(SIZES, batch_size=128, momentum=0.9)
    training = NumpyTrainer(config, Dataset(x, labels, x, labels), seed=0)

    def epoch():
        for batch in training.batches():
            training.step(*batch, learning_rate=0.01)

    return epoch


def half_moons_epochs(count):
    """Return a function that trains the 2-10-2 network on the half-moons for `count` epochs."""
    x, labels = half_moons(200, noise=0.2, seed=0)
    config = EXPERIMENTS["moons-published"].config
    training = NumpyTrainer(config, Dataset(x, labels, x, labels), seed=0)

    def epochs():
        for _ in range(count):
            training.step(x, labels, learning_rate=0.1)

    return epochs


def check_losses(losses):
    """Raise `Disagreement` unless the losses, by implementation, are equal to float32 precision."""
    for name, loss in losses.items():
        if not np.isclose(loss, losses["ours"], rtol=1e-4, atol=0):
            raise Disagreement(
                f"the loss of {name} is {loss:.6f}, ours {losses['ours']:.6f}: {MEND}"
            )


def check_first_step(implementations):
    """Let each take its first step; raise `Disagreement` unless they are the same."""
    check_losses({name: each.epoch() for name, each in implementations.items()})
    start = initial_weights()
    steps = {
        name: [after - before for after, before in zip(each.weights, start, strict=True)]
        for name, each in implementations.items()
    }
    for name, step in steps.items():
        # A step is small beside the weight it changes, and loses digits to that.
        if max(map(gradient_error, steps["ours"], step)) > 1e-3:
            raise Disagreement(f"{name} takes another first step than ours: {MEND}")


def timed(function):
    """Call a function; return the seconds it took and what it returned."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result
