"""The widget of practice 5: pick or type two activations, and see the boundary train.

What a reader types is parsed, never evaluated as Python: numbers, z, + - * / **, and the
functions in `FUNCTIONS`.
"""

import ast
import operator
from functools import lru_cache

import ipywidgets
import numpy as np
import torch

from helpers.book.decision_boundary import GROUND, LIMITS, class_points, plane_grid
from helpers.book.figures import new_figure
from helpers.book.widgets import Playground, slider
from helpers.data.datasets import half_moons
from helpers.networks.ensemble import ACTIVATIONS, ActivationPair, EnsembleTrainer, MLPEnsemble

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
FUNCTIONS = {
    name: getattr(torch, name)
    for name in ("sin", "cos", "tan", "exp", "abs", "sign", "tanh", "sigmoid", "relu", "sqrt")
} | {"log": torch.log, "maximum": torch.maximum, "minimum": torch.minimum}
LOOKS = (0, 10, 30, 100, 300, 1000)  # the iterations that the widget shows
LONGEST = 60  # characters of an expression


def parse(text):
    """Turn an expression in z into a function of a tensor.

    Parameters
    ----------
    text : str
        A key of `ACTIVATIONS`, or an expression such as "sin(z) + 0.1 * z".

    Returns
    -------
    callable
        From Tensor to Tensor of the same shape.

    Raises
    ------
    ValueError
        If the text is neither; the message says which part is not understood.
    """
    if text in ACTIVATIONS:
        return ACTIVATIONS[text]
    if len(text) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters: shorten it")
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no expression such as sin(z) + 0.1 * z") from error
    _check(tree)
    return lambda z: _value(tree, z)


def _check(node):
    """Refuse whatever is not on the list, before anything is computed."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        parts = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        parts = [node.operand]
    elif isinstance(node, ast.Call) and not node.keywords and isinstance(node.func, ast.Name):
        if node.func.id not in FUNCTIONS:
            raise ValueError(f"unknown function {node.func.id}: take {', '.join(FUNCTIONS)}")
        wanted = 2 if node.func.id in ("maximum", "minimum") else 1
        if len(node.args) != wanted:
            raise ValueError(f"{node.func.id} takes {wanted} argument{'s' * (wanted - 1)}")
        parts = node.args
    elif _is_number(node) or (isinstance(node, ast.Name) and node.id == "z"):
        parts = []
    else:
        raise ValueError(f"{ast.unparse(node)!r} is not understood: take z, numbers, + - * / **")
    for part in parts:
        _check(part)


def _is_number(node):
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _value(node, z):
    if isinstance(node, ast.Name):
        return z
    if isinstance(node, ast.Constant):
        return torch.full_like(z, float(node.value))
    if isinstance(node, ast.Call):
        return FUNCTIONS[node.func.id](*(_value(part, z) for part in node.args))
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](_value(node.operand, z))
    return OPERATORS[type(node.op)](_value(node.left, z), _value(node.right, z))


class Typed(ActivationPair):
    """A combination whose functions are typed."""

    def after_first(self, z):
        """Return what the second layer is given."""
        return parse(self.first)(z)

    def after_second(self, z, before):
        """Return what the last layer is given; `before` are the first layer's outputs."""
        return (
            super().after_second(z, before) if self.second == "permute" else parse(self.second)(z)
        )


@lru_cache(maxsize=8)
def trained(first, second, width, noise, seed):
    """Train one network, and keep it as it is at each of `LOOKS`.

    Returns
    -------
    x, y : Tensor [100, 2], [100]
        The points.
    looks : list of (MLPEnsemble, float)
        The network, and its accuracy on the points.
    """
    x, y = (torch.tensor(part, dtype=torch.float32) for part in half_moons(100, noise, 42))
    networks = MLPEnsemble(Typed("typed", "typed", first, second, None), [seed], width)
    training, looks = EnsembleTrainer(networks, x, y), []
    for look in LOOKS:
        while training.iteration < look:
            training.step()
        with torch.no_grad():
            accuracy = float(networks.accuracy(x, y[None])[0])
        looks.append((networks.only(0), accuracy))
    return x, y, looks


def activation_trial(first, second, width, noise, seed):
    """Train one network and draw it at six moments.

    Parameters
    ----------
    first, second : str
        What follows the layers, as `parse` takes it; `second` may be "permute".
    width : int
        Units of each hidden layer.
    noise : float
    seed : int
        Of the weights.

    Returns
    -------
    Figure
    str
        What came of it, or what of the text is not understood.
    """
    figure, axes = new_figure(2, 3, height=3.6)
    for ax in axes.flat:
        ax.axis("off")
    try:
        parse(first)
        if second != "permute":
            parse(second)
    except ValueError as error:
        return figure, str(error)
    x, y, looks = trained(first, second, width, noise, seed)
    points, xs, ys = plane_grid(*LIMITS, step=0.05)
    levels = np.linspace(0.1, 0.9, 9)
    for ax, look, (networks, accuracy) in zip(axes.flat, LOOKS, looks, strict=True):
        with torch.no_grad():
            p = networks.logits(torch.tensor(points, dtype=torch.float32))[0].sigmoid().numpy()
        p = np.nan_to_num(p, nan=0.5).reshape(len(ys), len(xs))
        ax.contourf(xs, ys, p, levels=levels, cmap=GROUND, extend="both")
        if p.min() <= 0.5 < p.max():
            ax.contour(xs, ys, p, levels=[0.5], colors="black", linewidths=1)
        class_points(x.numpy(), y.numpy(), ax, size=6)
        ax.set_title(f"{look}: {accuracy:.0%}", fontsize=12)
    return figure, (
        f"{first} after the first layer, {second} after the second: after {LOOKS[-1]} iterations "
        f"{looks[-1][1]:.0%} of the training points are right."
    )


def activation_playground():
    """Let the reader choose what follows the layers, the width, the noise and the seed.

    Returns
    -------
    Playground
    """

    def choice(options, value, words):
        return ipywidgets.Combobox(
            options=options, value=value, description=words, continuous_update=False,
            style={"description_width": "9em"}, layout={"width": "min(100%, 32em)"},
        )  # fmt: skip

    controls = {
        "first": choice([*ACTIVATIONS, "sin(z) + 0.1 * z"], "ReLU", "after layer 1"),
        "second": choice([*ACTIVATIONS, "permute", "maximum(z, 0.1 * z)"], "ReLU", "after layer 2"),
        "width": slider([2, 3, 5, 10, 20, 50], 10, "units a layer"),
        "noise": slider([0.0, 0.1, 0.2, 0.3, 0.4], 0.1, "noise"),
        "seed": slider(list(range(10)), 0, "seed"),
    }
    return Playground(controls, activation_trial)
