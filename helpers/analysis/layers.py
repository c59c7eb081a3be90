"""What a network is made of, layer by layer: shapes, parameters, multiply-adds, receptive fields.

Read by hooks while one empty image passes through the finished model, so that the model's own
code stays free of it. Nothing is drawn here; `helpers.book.diagrams` does that.
"""

from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import nn

from helpers.networks.resnet import BasicBlock
from helpers.networks.vit import Attention, ViT


@dataclass(frozen=True)
class Field:
    """The squares of input pixels that can reach the units of a map.

    Attributes
    ----------
    side : int
        Of a square, in pixels. It may exceed the image: then the image is all that is seen.
    jump : int
        From a unit's square to its neighbour's, in pixels.
    start : float
        Centre of the first unit's square; pixel 0 has its centre at 0.

    References
    ----------
    Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural
    networks", Distill.
    """

    side: int = 1
    jump: int = 1
    start: float = 0.0

    def after(self, kernel, stride, padding):
        """Return the field behind a window of that size, stride and margin."""
        start = self.start + ((kernel - 1) / 2 - padding) * self.jump
        return Field(self.side + (kernel - 1) * self.jump, self.jump * stride, start)

    def first_pixel(self, unit):
        """Return where the square of a unit begins, along one axis; in the margin below 0."""
        return round(self.start + unit * self.jump - (self.side - 1) / 2)


@dataclass(frozen=True)
class Layer:
    """One row of a network's table.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of the output: a map's (C, H, W), tokens' (T, D), or (K,).
    parameters : int
    multiply_adds : int
        For one image.
    field : Field or None
        None where every unit sees the whole image.
    """

    name: str
    shape: tuple
    parameters: int
    multiply_adds: int
    field: Field | None


def layers(model, channels=1, size=28):
    """List the layers of a model in the order in which an image passes through them.

    What changes no shape and has no parameters (ReLU, dropout) is left out, a residual block is
    one layer, and batch normalisation belongs to its convolution.

    Parameters
    ----------
    model : torch.nn.Module
        Of `helpers.networks`, or built of the same layers.
    channels, size : int
        Of the square input images.

    Returns
    -------
    list of Layer
    """
    rows = []

    def note(module, inputs, output):
        _add(rows, module, inputs[0], output)

    hooks = [part.register_forward_hook(note) for part in _parts(model)]
    training, device = model.training, next(model.parameters()).device
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, channels, size, size, device=device))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return _with_tokens(model, channels, rows) if isinstance(model, ViT) else rows


def multiply_adds(model, channels=1, size=28):
    """Count the multiplications, each with its addition, that one image takes.

    Convolutions, linear layers and attention's two products count. As is usual, a convolution
    counts in full where its kernel lies on the margin, although zeros add nothing there; so the
    numbers compare with published ones. `helpers.networks.convolution.Conv3x3` does leave the margin
    out on the tiniest maps, and takes fewer there than are counted.

    Parameters
    ----------
    model, channels, size
        As for `layers`.

    Returns
    -------
    int
    """
    return sum(layer.multiply_adds for layer in layers(model, channels, size))


def receptive_fields(model, channels=1, size=28):
    """List the layers that widen what a unit sees, as long as it is a square around it.

    Of a residual block the longest way counts, through both convolutions.

    Parameters
    ----------
    model, channels, size
        As for `layers`.

    Returns
    -------
    list of Layer
        Empty for a ViT.
    """
    found, side = [], 1
    for layer in layers(model, channels, size):
        if layer.field and layer.field.side > side:
            found.append(layer)
            side = layer.field.side
    return found


def nested_squares(rows):
    """Follow one unit in the middle of the last map back to the image.

    Parameters
    ----------
    rows : list of Layer
        As from `receptive_fields`.

    Returns
    -------
    list of (row, column, side)
        The first pixel and the side of a square for each layer, every one inside the next.
    """
    squares, first, last = [], None, None
    for layer in reversed(rows):
        field, units = layer.field, layer.shape[-1]
        centres = [field.start + unit * field.jump for unit in range(units)]
        if last is None:
            first = last = centres[(units - 1) // 2]
        # Of the units that the next layer's window takes in, the one in its middle; of two, the
        # one that does not lead further away from where the way began.
        last = min(centres, key=lambda centre: (abs(centre - last), abs(centre - first)))
        pixel = field.first_pixel(centres.index(last))
        squares.append((pixel, pixel, field.side))
    return squares[::-1]


def shape_table(model, channels=1, size=28):
    """Tabulate a model's layers for `helpers.book.output.show_table`.

    Parameters
    ----------
    model, channels, size
        As for `layers`.

    Returns
    -------
    DataFrame of str
        The last row has the sums. A convolutional network's table has two columns more: the
        receptive field's side, and the step from one unit's to its neighbour's, in pixels.
    """
    rows = layers(model, channels, size)
    table = pd.DataFrame(
        {
            "layer": [row.name for row in rows] + ["in all"],
            "output": [shape_text(row.shape) for row in rows] + [""],
            "parameters": _with_sum([row.parameters for row in rows]),
            "multiply-adds": _with_sum([row.multiply_adds for row in rows]),
        }
    )
    if any(row.field for row in rows):
        sides = [f"{row.field.side}×{row.field.side}" if row.field else "all" for row in rows]
        table["receptive field"] = [*sides, ""]
        table["step"] = [str(row.field.jump) if row.field else "" for row in rows] + [""]
    return table


def shape_text(shape):
    """Write a shape as the book does: 6×28×28."""
    return "×".join(f"{n:,}" if len(shape) == 1 else str(n) for n in shape)


def _with_sum(counts):
    return [f"{count:,}" for count in [*counts, sum(counts)]]


# ------------------------------------------------------------------ one layer's numbers

PARTS = (
    nn.ZeroPad2d, nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.Linear,
    nn.LayerNorm, BasicBlock, Attention,
)  # fmt: skip


def _parts(module):
    """Yield the modules that make a row; what is inside one of them makes none."""
    if isinstance(module, PARTS):
        yield module
        return
    for child in module.children():
        yield from _parts(child)


def _add(rows, module, x, y):
    """Add to the rows the layer that a module is, which maps x to y."""
    if isinstance(module, nn.BatchNorm2d):
        name = f"{rows[-1].name}, batch normalisation"
        count = rows[-1].parameters + _parameters(module)
        rows[-1] = replace(rows[-1], name=name, parameters=count)
        return
    if x.shape == y.shape and not _parameters(module):
        return  # averages over windows of one pixel, for example
    name, products, windows = _describe(module, x, y)
    field = rows[-1].field if rows else Field()
    for window in windows or ():
        field = field and field.after(*window)
    field = None if windows is None else field
    rows.append(Layer(name, tuple(y.shape[1:]), _parameters(module), products, field))


def _parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def _describe(module, x, y):
    """Return a layer's name, its multiply-adds, and its windows (kernel, stride, margin).

    The windows are None where every output depends on every input.
    """
    if isinstance(module, nn.ZeroPad2d):
        return f"a margin of zeros, to {y.shape[-1]}×{y.shape[-1]}", 0, [(1, 1, module.padding[0])]
    if isinstance(module, nn.Conv2d):
        window = _window(module)
        return f"convolution {_window_text(*window)}", _convolution(module, y), [window]
    if isinstance(module, nn.MaxPool2d):
        window = (module.kernel_size, module.stride, module.padding)
        return f"max-pooling {_window_text(*window, usual=module.kernel_size)}", 0, [window]
    if isinstance(module, nn.AdaptiveAvgPool2d):
        side, share = y.shape[-1], max(1, x.shape[-1] // y.shape[-1])
        return f"average-pooling to {side}×{side}", 0, [(share, share, 0)]
    if isinstance(module, BasicBlock):
        convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
        products = sum(_convolution(part, y) for part in convolutions)  # each has the map y
        stride = module.conv1.stride[0]
        name = "residual block" + (f", stride {stride}" if stride > 1 else "")
        return name, products, [_window(module.conv1), _window(module.conv2)]
    if isinstance(module, Attention):
        length, width = y.shape[1:]
        linear = length * (module.qkv.weight.numel() + module.output.weight.numel())
        return "attention", linear + 2 * length**2 * width, None  # queries·keys, weights·values
    if isinstance(module, nn.LayerNorm):
        return "layer normalisation", 0, None
    products = y.numel() // y.shape[-1] * module.weight.numel()  # at every token, if there are any
    return "linear" + (", on each token" if y.ndim == 3 else ""), products, None


def _convolution(module, y):
    return y.shape[-2] * y.shape[-1] * module.weight.numel()


def _window(module):
    return module.kernel_size[0], module.stride[0], module.padding[0]


def _window_text(kernel, stride, _, usual=1):
    return f"{kernel}×{kernel}" + (f", stride {stride}" if stride != usual else "")


def _with_tokens(model, channels, rows):
    """Add to a ViT's layers the two steps that are no modules of their own."""
    length, embed_dim = model.positions.shape[1:]
    side = model.patch
    patches = Layer(f"patches {side}×{side}", (length - 1, channels * side**2), 0, 0, None)
    added = model.class_token.numel() + model.positions.numel()
    embed = replace(rows[0], name="linear, on each patch")
    tokens = Layer("class token and positions", (length, embed_dim), added, 0, None)
    return [patches, embed, tokens, *rows[1:]]
