"""What a network is made of, layer by layer: shapes, parameters, multiply-adds, receptive fields.

Read by hooks while one empty image passes through the finished model, so that the model's own
code stays free of it. `influence` measures what an output depends on, where axes are mixed up.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from helpers.networks.resnet import BasicBlock
from helpers.networks.vit import Attention, ViT


@dataclass(frozen=True)
class Field:
    """The squares of input pixels that can reach a map's units (Araujo, Norris and Sim, 2019)."""

    side: int = 1  # of a square, in pixels; where it exceeds the image, all of that is seen
    jump: int = 1  # from a unit's square to its neighbour's, in pixels
    start: float = 0.0  # centre of the first unit's square; pixel 0 has its centre at 0

    def after(self, kernel, stride, padding):
        """Return the field behind a window of that size, stride and padding."""
        start = self.start + ((kernel - 1) / 2 - padding) * self.jump
        return Field(self.side + (kernel - 1) * self.jump, self.jump * stride, start)

    def first_pixel(self, unit):
        """Return where the square of a unit begins, along one axis; in the padding below 0."""
        return round(self.start + unit * self.jump - (self.side - 1) / 2)


@dataclass(frozen=True)
class Layer:
    """One row of a network's table."""

    name: str
    shape: tuple  # of the output: a map's (C, H, W), tokens' (T, D), or (K,)
    parameters: int
    multiply_adds: int  # for one image
    field: Field | None  # None where every unit sees the whole image


def layers(model, channels=1, size=28):
    """List the layers of a model in the order in which an image passes through them.

    What changes no shape and has no parameters (ReLU, dropout) is left out, a residual block is
    one layer, and batch normalisation belongs to its convolution. The model is one of
    `helpers.networks`, or built of the same layers, for square images of so many channels.
    """
    rows = []
    hooks = [
        part.register_forward_hook(lambda part, inputs, y: _add(rows, part, inputs[0], y))
        for part in _parts(model)
    ]
    training, device = model.training, next(model.parameters()).device
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, channels, size, size, device=device))
    finally:  # a model for other images is left as it was
        model.train(training)
        for hook in hooks:
            hook.remove()
    return _with_tokens(model, channels, rows) if isinstance(model, ViT) else rows


def multiply_adds(model, channels=1, size=28):
    """Count the multiplications, each with its addition, that one image takes.

    Convolutions, linear layers and attention's two products count. As is usual, a convolution
    counts in full where its kernel lies on the padding, although zeros add nothing there; so the
    numbers compare with published ones. (`helpers.networks.vgg.Conv3x3` does leave the
    padding out on the tiniest maps.)
    """
    return sum(layer.multiply_adds for layer in layers(model, channels, size))


def receptive_fields(model, channels=1, size=28):
    """List the layers that widen what a unit sees, as long as it is a square around it.

    Of a residual block the longest way counts, through both convolutions. A ViT has none.
    """
    first = {1: None}  # by the side of the field
    for layer in layers(model, channels, size):
        if layer.field:
            first.setdefault(layer.field.side, layer)
    return list(first.values())[1:]


def nested_squares(rows):
    """Follow one unit in the middle of the last of the `receptive_fields` back to the image.

    Returns for each layer (pixel, side): where its square begins, along both axes. Every square
    lies in the next.
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
        squares.append((field.first_pixel(centres.index(last)), field.side))
    return squares[::-1]


def shape_table(model):
    """Tabulate a model's layers for grey images of 28×28, sums in the last row: a DataFrame of str.

    A convolutional network's has two columns more: the receptive field's side, and the step from
    one unit's to its neighbour's, in pixels.
    """
    rows = layers(model)
    parameters = sum(row.parameters for row in rows)
    products = sum(row.multiply_adds for row in rows)
    cells = [
        {
            "layer": row.name,
            "output": shape_text(row.shape),
            "parameters": f"{row.parameters:,}",
            "multiply-adds": f"{row.multiply_adds:,}",
            "receptive field": f"{row.field.side}×{row.field.side}" if row.field else "all",
            "step": str(row.field.jump) if row.field else "",
        }
        for row in [*rows, Layer("in all", (), parameters, products, None)]
    ]
    cells[-1]["receptive field"] = ""
    table = pd.DataFrame(cells)
    return table if any(row.field for row in rows) else table.iloc[:, :4]


def shape_text(shape):
    """Write a shape as the book does: 6×28×28."""
    return "×".join(f"{n:,}" if len(shape) == 1 else str(n) for n in shape)


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
    parameters = sum(parameter.numel() for parameter in module.parameters())
    if isinstance(module, nn.BatchNorm2d):
        name, parameters = f"{rows[-1].name}, batch normalisation", rows[-1].parameters + parameters
        rows[-1] = replace(rows[-1], name=name, parameters=parameters)
    elif x.shape != y.shape or parameters:  # averaging over windows of one pixel does nothing
        name, products, windows = _describe(module, x, y)
        field = rows[-1].field if rows else Field()
        for window in windows or ():
            field = field and field.after(*window)
        field = None if windows is None else field
        rows.append(Layer(name, tuple(y.shape[1:]), parameters, products, field))


def _describe(module, x, y):
    """Return a layer's name, its multiply-adds, and its windows (kernel, stride, padding).

    The windows are None where every output depends on every input.
    """
    side = y.shape[-1]
    match module:
        case nn.ZeroPad2d():
            return f"zero padding, to {side}×{side}", 0, [(1, 1, module.padding[0])]
        case nn.Conv2d():
            window = _window(module)
            name = f"convolution {window[0]}×{window[0]}" + _stride(window[1])
            return name, side**2 * module.weight.numel(), [window]
        case nn.MaxPool2d(kernel_size=kernel, stride=stride):
            name = f"max-pooling {kernel}×{kernel}" + _stride(stride, usual=kernel)
            return name, 0, [(kernel, stride, module.padding)]
        case nn.AdaptiveAvgPool2d():
            share = max(1, x.shape[-1] // side)
            return f"average-pooling to {side}×{side}", 0, [(share, share, 0)]
        case BasicBlock():
            convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
            products = side**2 * sum(part.weight.numel() for part in convolutions)
            windows = [_window(module.conv1), _window(module.conv2)]
            return "residual block" + _stride(module.conv1.stride[0]), products, windows
        case Attention():
            length, width = y.shape[1:]
            linear = length * (module.qkv.weight.numel() + module.output.weight.numel())
            return "attention", linear + 2 * length**2 * width, None  # queries·keys, weights·values
        case nn.LayerNorm():
            return "layer normalisation", 0, None
    name = "linear" + (", on each token" if y.ndim == 3 else "")
    return name, y.shape[1:-1].numel() * module.weight.numel(), None


def _window(module):
    return module.kernel_size[0], module.stride[0], module.padding[0]


def _stride(stride, usual=1):
    return f", stride {stride}" if stride != usual else ""


def _with_tokens(model, channels, rows):
    """Add to a ViT's layers the two steps that are no modules of their own."""
    length, embed_dim = model.positions.shape[1:]
    side = model.patch
    patches = Layer(f"patches {side}×{side}", (length - 1, channels * side**2), 0, 0, None)
    added = model.class_token.numel() + model.positions.numel()
    embed = replace(rows[0], name="linear, on each patch")
    tokens = Layer("class token and positions", (length, embed_dim), added, 0, None)
    return [patches, embed, tokens, *rows[1:]]


# --------------------------------------------------------- what batch_first=True is about


def encoder(batch_first, width=32):
    """Return one of PyTorch's encoder layers, with four heads and always the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.TransformerEncoderLayer(
            width, 4, dim_feedforward=64, dropout=0.0, batch_first=batch_first
        ).eval()


@torch.no_grad()
def influence(layer):
    """Measure which inputs decide a layer's output for the first token of the first image.

    The layer maps tokens [4, 5, 32] to tokens [4, 5, 32]. Returns an ndarray [4, 5]: the largest
    change of that output when one token of one image is replaced.
    """
    tokens, others = torch.randn(2, 4, 5, 32, generator=torch.Generator().manual_seed(0))
    before, change = layer(tokens)[0, 0], torch.zeros(4, 5)
    for place in np.ndindex(4, 5):
        changed = tokens.clone()
        changed[place] = others[place]
        change[place] = (layer(changed)[0, 0] - before).abs().max()
    return change.numpy()
