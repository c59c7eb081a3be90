"""The networks of practice 5: two hidden layers, any activation, many seeds trained at once.

The weights of R networks stand side by side in one tensor, so that one step trains all of
them; no network feels the others. The data come from outside, and nothing is written.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch.nn import functional

SOFTEN = 0.1  # what the bounded variants add to the denominator that vanishes at a pole


def sign_with_gradient_of(function):
    """Return the sign as an activation that passes back another function's gradient.

    Bengio, Léonard and Courville (2013), "Estimating or propagating gradients through
    stochastic neurons for conditional computation"; there the function is z held in [-1, 1].
    """

    def activation(z):
        smooth = function(z)
        return smooth + (torch.sign(z) - smooth).detach()

    return activation


def sort(z):
    """Sort each point's units, the smallest first."""
    return z.sort(dim=-1).values


def permute(z, before):
    """Put each point's units into the order that sorts `before`, an earlier layer's outputs."""
    return z.gather(-1, before.argsort(dim=-1))


#: What may follow the first layer, and all but `sort` the second; z is [R, N, H].
ACTIVATIONS = {
    "linear": lambda z: z,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "exp": torch.exp,
    "cos": torch.cos,
    "sin": torch.sin,
    "x²": torch.square,
    "ReLU": torch.relu,
    "sigmoid": torch.sigmoid,
    "GELU": functional.gelu,
    "SiLU": functional.silu,
    "sort": sort,
    "1/x": torch.reciprocal,
    "tan": torch.tan,
    "sgn": torch.sign,
    "sgn, straight-through": sign_with_gradient_of(functional.hardtanh),
    "sgn, tanh's gradient": sign_with_gradient_of(torch.tanh),
    "1/x, bounded": lambda z: z / (z.square() + SOFTEN),
    "tan, bounded": lambda z: z.sin() * z.cos() / (z.cos().square() + SOFTEN),
}


@dataclass(frozen=True)
class ActivationPair:
    """What follows the first layer and what follows the second.

    Attributes
    ----------
    name : for files and commands.
    label : for readers.
    first, second : keys of `ACTIVATIONS`, or functions of a tensor; `second` may also be
        "permute", which takes the order from the first layer's outputs.
    published : whether the course says that it fits; None for what the course did not try.
    """

    name: str
    label: str
    first: str | Callable
    second: str | Callable
    published: bool | None

    def after_first(self, z):
        """Return what the second layer is given."""
        return ACTIVATIONS.get(self.first, self.first)(z)

    def after_second(self, z, before):
        """Return what the last layer is given; `before` are the first layer's outputs."""
        if self.second == "permute":
            return permute(z, before)
        return ACTIVATIONS.get(self.second, self.second)(z)


ACTIVATION_PAIRS = {
    pair.name: pair
    for pair in (
        ActivationPair("abs", "abs×abs", "abs", "abs", True),
        ActivationPair("exp", "exp×exp", "exp", "exp", True),
        ActivationPair("exp-cos", "exp×cos", "exp", "cos", True),
        ActivationPair("sin", "sin×sin", "sin", "sin", True),
        ActivationPair("square", "x²", "x²", "x²", True),
        ActivationPair("relu", "ReLU", "ReLU", "ReLU", True),
        ActivationPair("sigmoid", "sigmoid", "sigmoid", "sigmoid", True),
        ActivationPair("sort", "sort", "sort", "linear", True),
        ActivationPair("permute", "permute", "linear", "permute", True),
        ActivationPair("reciprocal", "1/x × 1/x", "1/x", "1/x", False),
        ActivationPair("tan", "tan×tan", "tan", "tan", False),
        ActivationPair("sgn", "sgn", "sgn", "sgn", False),
        ActivationPair("linear", "linear", "linear", "linear", None),
        ActivationPair("tanh", "tanh", "tanh", "tanh", None),
        ActivationPair("gelu", "GELU", "GELU", "GELU", None),
        ActivationPair("silu", "SiLU", "SiLU", "SiLU", None),
    )
}

#: The same with one thing mended, for the failures.
MENDED = {
    name: ActivationPair(name, label, label, label, None)
    for name, label in {
        "sgn-straight": "sgn, straight-through",
        "sgn-surrogate": "sgn, tanh's gradient",
        "reciprocal-bounded": "1/x, bounded",
        "tan-bounded": "tan, bounded",
    }.items()
}


class MLPEnsemble:
    """R networks 2→H→H→1 of one `ActivationPair`, one for each seed.

    Each starts as `torch.nn.Linear` layers do after `torch.manual_seed(seed)`. Its `weights` are
    the weight [R, in, out] and the bias [R, 1, out] of each of the three layers in turn.
    """

    def __init__(self, pair, seeds, width=10, dtype=torch.float32):
        self.pair = pair
        networks = [_initial(seed, (2, width, width, 1)) for seed in seeds]
        self.weights = [torch.stack(parts).to(dtype) for parts in zip(*networks, strict=True)]

    def hidden(self, x):
        """Return the outputs [R, N, H] of the first and the second layer, not yet activated.

        x is [N, 2], or [R, N, 2] if each network has its own points.
        """
        first, first_bias, second, second_bias = self.weights[:4]
        if x.ndim == 2:
            x = x.expand(len(first), *x.shape)
        z1 = torch.baddbmm(first_bias, x, first)
        return z1, torch.baddbmm(second_bias, self.pair.after_first(z1), second)

    def features(self, x):
        """Return what the last layer is given, [R, N, H]."""
        z1, z2 = self.hidden(x)
        return self.pair.after_second(z2, z1)

    def logits(self, x):
        """Return the logit of class 1 for each network and point, [R, N]."""
        return torch.baddbmm(self.weights[5], self.features(x), self.weights[4]).squeeze(-1)

    def accuracy(self, x, y):
        """Return the accuracy of each network, [R], on points with labels 0 or 1, [N] or [R, N]."""
        return _accuracy(self.logits(x), y)

    def only(self, *indices):
        """Return some of the networks on their own, with their present weights."""
        alone = copy(self)
        alone.weights = [part[list(indices)].detach() for part in self.weights]
        return alone


def _accuracy(logits, y):
    return ((logits > 0) == (y > 0.5).expand_as(logits)).float().mean(dim=1)


def _initial(seed, sizes):
    """Draw one network's weights [in, out] and biases [1, out] as `torch.nn.Linear` does."""
    generator, parts = torch.Generator().manual_seed(seed), []
    for inputs, outputs in pairwise(sizes):
        bound = inputs**-0.5
        for shape in (outputs, inputs), (outputs, 1):
            drawn = torch.empty(shape).uniform_(-bound, bound, generator=generator)
            parts.append(drawn.T.contiguous())
    return parts


class EnsembleTrainer:
    """Trains R networks at once on the full batch, by AdamW on the binary cross-entropy.

    Parameters
    ----------
    networks : MLPEnsemble
    x, y : Tensor [N, 2] or [R, N, 2], and 0 or 1 [N] or [R, N]
    frozen : leave the first two layers as they were drawn, and train the last alone.
    clip : scale each network's gradient down to this length where it is longer.

    Attributes
    ----------
    iteration : steps taken.
    loss, accuracy : Tensor [R], of the last step, before its weights changed.
    """

    def __init__(self, networks, x, y, learning_rate=0.01, frozen=False, clip=None):
        if ((y != 0) & (y != 1)).any():
            raise ValueError("y must be 0 or 1 for each point")
        self.networks, self.x, self.frozen, self.clip = networks, x, frozen, clip
        self.y = y.to(x.dtype).expand(len(networks.weights[0]), -1)
        self.trained = networks.weights[4:] if frozen else networks.weights
        for part in self.trained:
            part.requires_grad_()
        self.optimiser = torch.optim.AdamW(self.trained, lr=learning_rate)
        self.iteration, self.loss, self.accuracy = 0, None, None

    def step(self):
        """Take one step."""
        logits = self.networks.logits(self.x)
        losses = functional.binary_cross_entropy_with_logits(logits, self.y, reduction="none")
        self.loss = losses.mean(dim=1)  # [R]
        self.optimiser.zero_grad()
        self.loss.sum().backward()  # a network's weights are in its own loss alone
        if self.clip is not None:
            scale = (self.clip / self.gradient_norms().square().sum(0).sqrt()).clamp(max=1)
            for part in self.trained:
                part.grad *= scale[:, None, None]
        self.optimiser.step()
        self.loss = self.loss.detach()
        self.accuracy = _accuracy(logits.detach(), self.y)
        self.iteration += 1

    def gradient_norms(self):
        """Return the length of the last step's gradient, [layers, R]; 0 for a frozen layer."""
        norms = torch.zeros(3, len(self.y))
        for layer in range(3):
            parts = [p.grad for p in self.networks.weights[2 * layer : 2 * layer + 2]]
            if parts[0] is not None:
                norms[layer] = torch.cat([p.flatten(1) for p in parts], dim=1).norm(dim=1)
        return norms


# ------------------------------------------------------------------------ linear regions

#: What stays the same on a region on which a network is linear: which units are positive,
#: or the order of the first layer's units.
PIECEWISE_LINEAR = {"relu": "signs", "abs": "signs", "sort": "order", "permute": "order"}


@torch.no_grad()
def linear_regions(networks, points):
    """Give each of the points [N, 2] the number of its linear region, for each network, [R, N].

    Points of one network with the same number lie in the same region. The networks' pair is one in
    `PIECEWISE_LINEAR`.
    """
    z1, z2 = networks.hidden(points)  # [R, N, H]
    if PIECEWISE_LINEAR[networks.pair.name] == "signs":
        digits, base = torch.cat([z1 > 0, z2 > 0], dim=-1).long(), 2
    else:
        digits, base = z1.argsort(dim=-1), z1.shape[-1]
    place = base ** torch.arange(digits.shape[-1])  # 10^9 and 2^19 fit in 64 bits
    return (digits * place).sum(-1)


def linear_map(networks, points):
    """Return the logit's slope at each point, [R, N, 2], and its height at the origin, [R, N].

    On a linear region both are the same everywhere: `logit = slope · point + height`.
    """
    points = points.expand(len(networks.weights[0]), *points.shape).clone().requires_grad_()
    logits = networks.logits(points)
    (slope,) = torch.autograd.grad(logits.sum(), points)
    return slope, (logits - (slope * points).sum(-1)).detach()
