"""A feed-forward network in NumPy, with back-propagation written out by hand.

In each layer and loss, `backward` stands right below `forward` and is its derivative. First
comes the network as it is taught, then the same in less time and memory, last the losses that
the original course compared. Training is in `helpers.training.numpy_trainer`.

Shapes: B examples in a batch, D inputs, H hidden units, K classes.
"""

from itertools import pairwise

import numpy as np

# -------------------------------------------------------------------------------------- the network


class Dense:
    """Affine layer: `z = x W + b`, with a weight [D, H] and a bias [H]."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
        self.d_weight, self.d_bias = np.zeros_like(weight), np.zeros_like(bias)

    def forward(self, x):
        """Map inputs [B, D] to pre-activations [B, H]."""
        self.x = x
        return x @ self.weight + self.bias  # [B, D] @ [D, H] -> [B, H]

    def backward(self, d_z):
        """Add this batch's dL/dW and dL/db, and return dL/dx [B, D]."""
        self.d_weight += self.x.T @ d_z  # [D, B] @ [B, H] -> [D, H]
        self.d_bias += d_z.sum(axis=0)
        return d_z @ self.weight.T  # [B, H] @ [H, D] -> [B, D]


class ReLU:
    """Rectified linear unit: `a = max(z, 0)`."""

    def forward(self, z):
        """Map pre-activations [B, H] to activations [B, H]."""
        self.a = np.maximum(z, 0)
        return self.a

    def backward(self, d_a):
        """Turn dL/da [B, H] into dL/dz [B, H]."""
        return d_a * (self.a > 0)


class Tanh:
    """Hyperbolic tangent: `a = tanh(z)`."""

    def forward(self, z):
        """Map pre-activations [B, H] to activations [B, H]."""
        self.a = np.tanh(z)
        return self.a

    def backward(self, d_a):
        """Turn dL/da [B, H] into dL/dz [B, H]."""
        return d_a * (1 - self.a**2)


class Sigmoid:
    """Logistic sigmoid: `a = 1 / (1 + exp(-z))`, computed as `(1 + tanh(z / 2)) / 2`."""

    def forward(self, z):
        """Map pre-activations [B, H] to activations [B, H]."""
        self.a = 0.5 * (1 + np.tanh(0.5 * z))  # unlike exp(-z), tanh cannot overflow
        return self.a

    def backward(self, d_a):
        """Turn dL/da [B, H] into dL/dz [B, H]."""
        return d_a * (self.a * (1 - self.a))


class SoftmaxCrossEntropy:
    """Cross-entropy of the softmax of the scores: `L = log(sum_k exp(s_k)) - s_y`."""

    def forward(self, scores, labels):
        """Map scores [B, K] and labels [B] to one loss per example [B]."""
        self.labels = labels
        shifted = scores - scores.max(axis=1, keepdims=True)  # exp cannot overflow
        exp = np.exp(shifted)
        total = exp.sum(axis=1, keepdims=True)
        self.probabilities = exp / total
        return np.log(total[:, 0]) - shifted[np.arange(len(labels)), labels]

    def backward(self):
        """Return dL/ds [B, K]: `p - y`, with y the one-hot label."""
        d_scores = self.probabilities.copy()
        d_scores[np.arange(len(self.labels)), self.labels] -= 1
        return d_scores


class Network:
    """Layers applied one after the other."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        """Map inputs [B, D] to class scores [B, K]."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, d_scores):
        """Propagate dL/ds [B, K] through the layers; each Dense layer adds its gradients."""
        gradient = d_scores
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)

    @property
    def dense_layers(self):
        """The Dense layers, from input to output."""
        return [layer for layer in self.layers if isinstance(layer, Dense)]

    def parameters(self):
        """Return pairs (parameter, its gradient), weights before biases, input to output."""
        pairs = []
        for layer in self.dense_layers:
            pairs += [(layer.weight, layer.d_weight), (layer.bias, layer.d_bias)]
        return pairs

    def zero_gradients(self):
        """Set every gradient to zero."""
        for _, gradient in self.parameters():
            gradient[...] = 0

    @property
    def parameter_count(self):
        """How many numbers training adjusts."""
        return sum(parameter.size for parameter, _ in self.parameters())


class SGD:
    """Gradient descent with momentum: `v = μ v + g`, then `θ = θ - η v`.

    With momentum 0 this is plain gradient descent. Sutskever et al. (2013), "On the importance
    of initialization and momentum in deep learning".
    """

    def __init__(self, network, momentum=0.0):
        self.network, self.momentum = network, momentum
        self.velocities = [np.zeros_like(parameter) for parameter, _ in network.parameters()]

    def step(self, learning_rate):
        """Move every parameter one step against its gradient."""
        for (parameter, gradient), velocity in zip(
            self.network.parameters(), self.velocities, strict=True
        ):
            velocity *= self.momentum
            velocity += gradient
            parameter -= learning_rate * velocity


# ------------------------------------------------------------------------------- the gradient check


def numerical_gradient(function, array, step=1e-6):
    """Estimate d function() / d array by central differences, one entry at a time.

    The function reads `array` of float64, which is changed in place and put back. A ValueError
    refuses another type: in single precision a step of 1e-6 is lost.
    """
    if array.dtype != np.float64:
        raise ValueError(f"the gradient check needs an array of float64; got {array.dtype}")
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def gradient_error(analytic, numerical):
    """Relative error `‖a - n‖ / (‖a‖ + ‖n‖)`: 0 when equal, 1 when opposite, 0 if both vanish."""
    if np.shape(analytic) != np.shape(numerical):
        raise ValueError("the two gradients must have the same shape")
    scale = np.linalg.norm(analytic) + np.linalg.norm(numerical)
    return float(np.linalg.norm(analytic - numerical) / scale) if scale else 0.0


# --------------------------------------------------------------------------------- the same, faster


class FastDense(Dense):
    """A `Dense` layer with fewer passes over memory; the first one returns no dL/dx."""

    first = False

    def forward(self, x):
        """Map inputs [B, D] to pre-activations [B, H]."""
        self.x = x
        z = x @ self.weight
        z += self.bias
        return z

    def backward(self, d_z):
        """Add this batch's dL/dW and dL/db, and return dL/dx [B, D] unless it is the first."""
        self.d_bias += d_z.sum(axis=0)  # while d_z is still in the processor's cache
        self.d_weight += self.x.T @ d_z
        return None if self.first else d_z @ self.weight.T


class FastReLU(ReLU):
    """A `ReLU` that writes over what it is given: the layer before it does not need it again."""

    def forward(self, z):
        """Map pre-activations [B, H] to activations [B, H], in place."""
        self.a = np.clip(z, 0, np.inf, out=z)  # three times as fast as np.maximum(z, 0)
        return self.a

    def backward(self, d_a):
        """Turn dL/da [B, H] into dL/dz [B, H], in place."""
        d_a *= self.a > 0
        return d_a


CHUNK = 2048  # examples at a time: large enough for BLAS, small enough for the cache


def loss_and_gradients(network, loss, x, labels, weight_decay=0.0, gradient_scale=1.0, chunk=CHUNK):
    """Compute the objective on a batch [B, D] with labels [B]; leave its gradient in the layers.

    The gradient of a sum is the sum of gradients, so the batch is taken a chunk at a time:
    the result is the full batch's, the memory that of one chunk, and no data are copied.

    Parameters
    ----------
    weight_decay : the L2 coefficient λ: adds `λ/2 · ‖W‖²` over all weights (not biases).
    gradient_scale : multiplies the data term's gradient; all but 1 is a mistake to be studied.
    chunk : examples at a time.

    Returns
    -------
    dict
        `loss`, the mean loss per example without the penalty; `penalty`, the L2 term;
        `accuracy`, the share of examples whose label has the highest score.
    """
    check_labels(labels, len(x))
    total_loss, correct = 0.0, 0
    network.zero_gradients()
    for start in range(0, len(x), chunk):
        y = labels[start : start + chunk]
        scores = network.forward(x[start : start + chunk])  # [b, K]
        total_loss += float(loss.forward(scores, y).sum(dtype=np.float64))
        correct += int((scores.argmax(axis=1) == y).sum())
        d_scores = loss.backward()
        d_scores *= gradient_scale / len(x)
        network.backward(d_scores)

    penalty = 0.0
    for layer in network.dense_layers:
        penalty += 0.5 * weight_decay * float(np.vdot(layer.weight, layer.weight))
        if weight_decay:
            layer.d_weight += weight_decay * layer.weight
    return {"loss": total_loss / len(x), "penalty": penalty, "accuracy": correct / len(x)}


def check_labels(labels, examples):
    """Raise a ValueError unless there is one whole number from 0 on for each example, [B]."""
    if labels.shape != (examples,) or labels.dtype.kind not in "iu" or (labels < 0).any():
        raise ValueError(f"labels must be {examples} whole numbers from 0 on, one an example")


def predict(network, x, chunk=CHUNK):
    """Return the class scores [B, K] of inputs [B, D], a chunk at a time."""
    return np.concatenate(
        [network.forward(x[start : start + chunk]) for start in range(0, len(x), chunk)]
    )


def evaluate(network, loss, x, labels):
    """Return the mean `loss` and the `accuracy` on inputs [B, D] with labels [B]."""
    check_labels(labels, len(x))
    scores = predict(network, x)
    return {
        "loss": float(loss.forward(scores, labels).mean(dtype=np.float64)),
        "accuracy": float((scores.argmax(axis=1) == labels).mean()),
    }


# --------------------------------------------------------------------- the original course's losses


class MeanSquaredError:
    """Mean squared distance to the one-hot label: `L = mean_k (s_k - y_k)^2`."""

    def forward(self, scores, labels):
        """Map scores [B, K] and labels [B] to one loss per example [B]."""
        self.residual = scores.copy()
        self.residual[np.arange(len(labels)), labels] -= 1
        return (self.residual**2).mean(axis=1)

    def backward(self):
        """Return dL/ds [B, K]: `2 (s - y) / K`."""
        return self.residual * (2 / self.residual.shape[1])


class MulticlassHinge:
    """Multi-class SVM loss, margin 1: `L = sum_{k != y} max(0, 1 + s_k - s_y)`.

    Weston and Watkins (1999), "Support vector machines for multi-class pattern recognition".
    """

    def forward(self, scores, labels):
        """Map scores [B, K] and labels [B] to one loss per example [B]."""
        self.labels, rows = labels, np.arange(len(labels))
        margins = scores - scores[rows, labels][:, None]
        margins += 1
        margins[rows, labels] = 0
        self.margins = np.maximum(margins, 0, out=margins)
        return self.margins.sum(axis=1)

    def backward(self):
        """Return dL/ds [B, K]: 1 for each class inside the margin, minus their count at y."""
        d_scores = (self.margins > 0).astype(self.margins.dtype)
        d_scores[np.arange(len(self.labels)), self.labels] = -d_scores.sum(axis=1)
        return d_scores


class BareCrossEntropy:
    """The original course's "cross-entropy" without a softmax: `L = -log(s_y + epsilon)`.

    It takes scores, which a ReLU must keep from being negative, for probabilities, though nothing
    makes them sum to one: not to be used, but to reproduce the course's comparison of losses.
    """

    epsilon = 1e-7  # our choice: the smallest that float32 still tells from zero beside one

    def forward(self, scores, labels):
        """Map non-negative scores [B, K] and labels [B] to one loss per example [B]."""
        self.labels, self.scores = labels, scores
        self.at_label = scores[np.arange(len(labels)), labels] + self.epsilon
        return -np.log(self.at_label)

    def backward(self):
        """Return dL/ds [B, K]: `-1 / (s_y + epsilon)` at the label, 0 elsewhere."""
        d_scores = np.zeros_like(self.scores)
        d_scores[np.arange(len(self.labels)), self.labels] = -1 / self.at_label
        return d_scores


# ------------------------------------------------------------------------------------------ by name

ACTIVATIONS = {"relu": FastReLU, "tanh": Tanh, "sigmoid": Sigmoid}
LOSSES = {
    "cross-entropy": SoftmaxCrossEntropy,
    "mse": MeanSquaredError,
    "hinge": MulticlassHinge,
    "bare-cross-entropy": BareCrossEntropy,
}

# Standard deviation of the initial weights, given the layer's fan-in and fan-out.
INITIALISATIONS = {
    "he": lambda fan_in, fan_out: np.sqrt(2 / fan_in),  # He et al. (2015), for ReLU
    "glorot": lambda fan_in, fan_out: np.sqrt(2 / (fan_in + fan_out)),  # Glorot, Bengio (2010)
}


def choose(table, name, what):
    """Return `table[name]`, or raise a ValueError that lists the names there are."""
    if name not in table:
        raise ValueError(f"unknown {what} {name!r}: choose one of {', '.join(table)}")
    return table[name]


def mlp(sizes, activation, rng, init="he", output_activation=None, dtype=np.float32):
    """Build a multi-layer perceptron with Gaussian weights and zero biases.

    Parameters
    ----------
    sizes : units per layer, from input to output, for example `(784, 1024, 10)`.
    activation : a key of `ACTIVATIONS`, applied after every layer but the last.
    rng : source of the weights. They are drawn in float64, so that float32 and float64, the two
        that `dtype` may be, start from the same network.
    init : a key of `INITIALISATIONS`, the scale of the initial weights.
    output_activation : applied to the scores. A classifier wants none; the original had a ReLU.
    """
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64; got {dtype!r}")
    scale = choose(INITIALISATIONS, init, "initialisation")
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        weight = rng.standard_normal((fan_in, fan_out)) * scale(fan_in, fan_out)
        layers += [
            FastDense(weight.astype(dtype), np.zeros(fan_out, dtype)),
            choose(ACTIVATIONS, activation, "activation")(),
        ]
    layers.pop()
    layers[0].first = True
    if output_activation is not None:
        layers.append(choose(ACTIVATIONS, output_activation, "activation")())
    return Network(layers)
