"""The networks as drawings, made from the models themselves.

Units are inches, from the top left, and text has 12 points or more, so that it can be read on
a phone. What a network makes of an image is drawn by `helpers.book.views`.
"""

import math

import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from helpers.analysis.layers import Layer, layers, shape_text
from helpers.book.figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, WIDTH, new_figure
from helpers.networks.vit import ViT, square_patches

FONT = 12
LETTER = 0.105  # width of a letter of that size
GREY = "#595959"

#: How a layer is called beside its arrow, in short lines, and its colour.
SHORT = {
    "image": ("", "#D9D9D9"),
    "a margin of zeros": ("margin\nof zeros", "#D9D9D9"),
    "convolution": ("convolution", SKY),
    "max-pooling": ("max-pooling", ORANGE),
    "average-pooling": ("averaging", ORANGE),
    "residual block": ("residual\nblock", PURPLE),
    "linear": ("linear", GREEN),
}


def network_diagram(model, channels=1, size=28, title=None):
    """Draw a network as its feature maps, in lines from left to right; a new size, a new line.

    The area of a square follows the side of the map, and the number of squares the logarithm
    of its channels; a bar stands for a vector.

    Parameters
    ----------
    model : torch.nn.Module, or list of Layer
        A convolutional network or its layers; a `ViT` is handed on to `vit_diagram`.
    channels, size : int
        Of the square input images.
    title : str, optional
        The numbers of parameters and of multiply-adds by default.

    Returns
    -------
    Figure
    """
    if isinstance(model, ViT):
        return vit_diagram(model)
    rows = model if isinstance(model, list) else layers(model, channels, size)
    if title is None:
        title = (
            f"{sum(row.parameters for row in rows):,} parameters, "
            f"{sum(row.multiply_adds for row in rows):,} multiply-adds"
        )
    maps = [Layer("image", (channels, size, size), 0, 0, None), *rows]
    largest = max(row.shape[1] for row in maps if len(row.shape) == 3)
    lines = _lines([_Map(row, largest) for row in maps])
    height = 0.5 + sum(line[0] + line[1] for line in map(_extent, lines))
    figure, ax = _canvas(height)
    _text(ax, WIDTH / 2, 0.25, title, fontsize=13)
    y, end = 0.5, None
    for line in lines:
        above, below = _extent(line)
        end = _draw_line(ax, line, y, y + above, end)
        y += above + below
    return figure


class _Map:
    """A layer's output as drawn: `sheets` shifted rectangles, and its words."""

    LEFT, ARROW, SHIFT, GAP = 0.06, 1.12, 0.045, 0.06

    def __init__(self, layer, largest):
        self.shape, self.label = layer.shape, shape_text(layer.shape)
        kind = next(kind for kind in SHORT if layer.name.startswith(kind))
        first, *more = layer.name.split(", ")
        name, self.colour = SHORT[kind]
        kernel = first.removeprefix(kind).strip()
        self.above = "\n".join(filter(None, [name, kernel]))
        self.under = next((word for word in more if word.startswith("stride")), "")
        if len(self.shape) == 3:
            self.sheets = round(1 + math.log2(self.shape[0]))
            self.width = self.height = 0.75 * math.sqrt(self.shape[1] / largest)
        else:
            self.sheets, self.width = 1, 0.12
            self.height = 0.1 + 0.2 * math.log10(self.shape[0])
        depth = self.SHIFT * (self.sheets - 1)
        self.stack = self.width + depth, self.height + depth
        self.room = max(self.stack[0], LETTER * len(self.label))
        self.arrow = 0.15 if kind == "image" else self.ARROW

    def draw(self, ax, left, middle):
        """Draw the sheets, the furthest first, and the shape under them."""
        x = left + (self.room - self.stack[0]) / 2
        y = middle - self.stack[1] / 2  # the top, where the furthest sheet is
        for i in reversed(range(self.sheets)):
            corner = x + i * self.SHIFT, y + (self.sheets - 1 - i) * self.SHIFT
            ax.add_patch(
                Rectangle(corner, self.width, self.height, facecolor=self.colour, edgecolor="black")
            )
        _text(ax, left + self.room / 2, middle + self.stack[1] / 2 + 0.15, self.label)


def _lines(maps):
    """Break maps into lines: where their side changes, and where the width ends."""
    lines, used = [], 0.0
    for drawn in maps:
        needed = drawn.arrow + drawn.room + drawn.GAP
        if not lines or drawn.shape[1:] != lines[-1][-1].shape[1:] or used + needed > WIDTH - 0.14:
            lines.append([])
            used = drawn.LEFT
        lines[-1].append(drawn)
        used += needed
    return lines


def _extent(line):
    """Return how much a line needs above its arrows and below them."""
    tallest = max(drawn.stack[1] for drawn in line) / 2
    words = max(drawn.above.count("\n") + 1 for drawn in line)
    stride = 0.4 if any(drawn.under for drawn in line) else 0
    return max(tallest, 0.05 + 0.2 * words) + 0.1, max(tallest + 0.3, stride) + 0.14


def _draw_line(ax, line, top, middle, end):
    """Draw a line of maps; return where the way to the next one starts."""
    x = _Map.LEFT
    if end is not None:  # from the end of the line before, as in a text
        start, turn = end
        way = [start, (turn, start[1]), (turn, top), (x, top), (x, middle)]
        ax.plot(*zip(*way, strict=True), color=GREY, linewidth=1.2, linestyle="-")
    for drawn in line:
        if drawn.arrow == drawn.ARROW:
            _arrow(ax, (x, middle), (x + drawn.arrow - 0.06, middle))
            centre = x + drawn.arrow / 2 - 0.03
            _text(ax, centre, middle - 0.06, drawn.above, va="bottom")
            _text(ax, centre, middle + 0.07, drawn.under, va="top")
        x += drawn.arrow
        drawn.draw(ax, x, middle)
        x += drawn.room + drawn.GAP
    last = line[-1]
    edge = x - last.GAP - (last.room - last.stack[0]) / 2 + 0.03
    return (edge, middle), max(edge + 0.08, x)


# ------------------------------------------------------------------- a residual block


def residual_block_diagram(block, size=28):
    """Draw a residual block from top to bottom, with its shortcut.

    Parameters
    ----------
    block : helpers.networks.resnet.BasicBlock
    size : int
        Side of its input map.

    Returns
    -------
    Figure
    """
    channels, width = block.conv1.in_channels, block.conv1.out_channels
    stride, x, way = block.conv1.stride[0], 1.75, 4.5
    side = -(-size // stride)
    strided = f", stride {stride}" if stride > 1 else ""
    figure, ax = _canvas(4.4)
    _text(ax, x, 0.2, f"x: {channels}×{size}×{size}", weight="bold")
    y = _step(ax, x, 0.33, "convolution 3×3" + strided, 0.4, SKY)
    y = _step(ax, x, y, "batch normalisation, ReLU", 0.2)
    y = _step(ax, x, y, "convolution 3×3", 0.2, SKY)
    y = _step(ax, x, y, "batch normalisation", 0.2)
    _arrow(ax, (x, y), (x, y + 0.35))
    _text(ax, x - 0.12, y + 0.14, "correction f(x)", ha="right")
    _way_round(ax, x, way, 0.48, y + 0.48)
    _plus(ax, x, y + 0.48)
    if len(block.shortcut):
        _text(ax, way - 0.12, 0.68, "shortcut", ha="right", color=VERMILLION)
        words = "\n".join(filter(None, ["convolution 1×1", strided[2:], "batch normalisation"]))
        _step(ax, way, 1.2, words, 0, SKY, width=2.2, lines=words.count("\n") + 1)
    else:
        _text(ax, way - 0.12, 1.7, "shortcut:\nx as it is", ha="right", color=VERMILLION)
    y = _step(ax, x, y + 0.61, "ReLU", 0.25)
    _arrow(ax, (x, y), (x, y + 0.25))
    _text(ax, x, y + 0.39, f"{width}×{side}×{side}", weight="bold")
    return figure


# -------------------------------------------------------------------------------- ViT


def vit_diagram(model, image=None):
    """Draw a ViT from top to bottom: image, patches, tokens, an encoder layer, scores.

    Parameters
    ----------
    model : helpers.networks.vit.ViT
    image : array of uint8, [S, S] or [C, S, S], optional
        To show in patches; without it they are empty.

    Returns
    -------
    Figure
    """
    length, embed_dim = model.positions.shape[1:]
    pixels, patch = model.patch_embed.in_features, model.patch
    channels, side = pixels // patch**2, patch * math.isqrt(length - 1)
    if image is None:
        image = np.full((channels, side, side), 0 if channels == 1 else 255, np.uint8)
    image = np.reshape(image, (channels, side, side))
    figure, ax = _canvas(9.05)
    kind = "squares" if model.patching is square_patches else "strips"
    _picture(ax, image, 0.9, 0.15, 1.15)
    words = f"image {channels}×{side}×{side},\ncut into {length - 1} {kind}\nof {pixels} numbers"
    _text(ax, 2.5, 0.72, words, ha="left")
    _draw_patches(ax, model.patching(torch.tensor(image)[None], patch)[0].numpy(), channels, patch)
    _arrow(ax, (3, 1.92), (3, 2.27))
    _text(ax, 3.15, 2.08, f"linear: {pixels} numbers to {embed_dim}", ha="left")
    _draw_tokens(ax, length)
    _text(ax, 3, 3.06, f"{length} tokens of {embed_dim} numbers, plus positions")
    _arrow(ax, (3, 3.2), (3, 3.62))
    y = _draw_encoder(ax, model.layers, 3.62)
    pool = "class token" if model.pool == 0 else "last token"
    y = _step(ax, 3, y, "layer normalisation", 0.4)
    _text(ax, 3.15, y + 0.16, f"of the {pool} only", ha="left")
    y = _step(ax, 3, y, "linear", 0.36, GREEN)
    _arrow(ax, (3, y), (3, y + 0.25))
    _text(ax, 3, y + 0.4, f"{model.classifier.out_features} scores", weight="bold")
    return figure


def _draw_patches(ax, patches, channels, patch):
    """Draw up to 16 patches [N, C p p] in a row, and the way to them from the image."""
    shown, side = min(len(patches), 16), 0.28
    left = (WIDTH - shown * 0.34 + 0.06) / 2
    _arrow(ax, (1.475, 1.3), (1.475, 1.53))
    for i, pixels in enumerate(patches[:shown]):
        _picture(ax, pixels.reshape(channels, patch, patch), left + 0.34 * i, 1.56, side)
    if len(patches) > shown:
        _text(ax, WIDTH - 0.12, 1.7, "…")


def _draw_tokens(ax, length):
    """Draw up to 17 tokens as bars, the class token first, hatched."""
    shown = min(length, 17)
    left = (WIDTH - 0.28 * shown + 0.16) / 2 + 0.1
    for i in range(shown):
        look = {"facecolor": VERMILLION, "hatch": "//"} if i == 0 else {"facecolor": SKY}
        ax.add_patch(Rectangle((left + 0.28 * i, 2.33), 0.12, 0.55, edgecolor="black", **look))
    _text(ax, left - 0.06, 2.5, "class", ha="right", color=VERMILLION)
    _text(ax, left - 0.06, 2.7, "token", ha="right", color=VERMILLION)
    if length > shown:
        _text(ax, left + 0.28 * shown + 0.05, 2.6, "…")


def _draw_encoder(ax, encoder, top):
    """Draw an encoder layer with its two shortcuts in a frame; return where it ends."""
    layer, x, way = encoder[0], 3.0, 5.0
    times = f"encoder\nlayer\n× {len(encoder)}"
    _text(ax, 0.85, top + 0.45, times, weight="bold")
    heads = f"attention, {layer.attention.heads} heads"
    relu = getattr(layer, "activation", None) is torch.relu  # a plain ViT's has GELU
    network = f"linear {layer.fc1.out_features}, {'ReLU' if relu else 'GELU'}, linear"
    y = top
    for words, colour in ((heads, BLUE), (network, GREEN)):
        start = y + 0.1
        y = _step(ax, x, y, "layer normalisation", 0.28)
        start = y + 0.1 if getattr(layer, "normalised_shortcut", False) else start
        y = _step(ax, x, y, words, 0.28, colour)
        _arrow(ax, (x, y), (x, y + 0.2))
        y += 0.33
        _plus(ax, x, y)
        _way_round(ax, x, way, start, y)
        y += 0.13
    frame = FancyBboxPatch(
        (0.25, top), WIDTH - 0.5, y + 0.1 - top, boxstyle="round,pad=0,rounding_size=0.1",
        facecolor="#F4F4F4", edgecolor=GREY, zorder=0,
    )  # fmt: skip
    ax.add_patch(frame)
    return y


# ------------------------------------------------------------------------- what is drawn


def _canvas(height):
    """Make a figure whose coordinates are inches, downwards."""
    figure, ax = new_figure(width=WIDTH, height=height)
    figure.set_layout_engine(None)
    ax.set_position([0, 0, 1, 1])
    ax.set(xlim=(0, WIDTH), ylim=(height, 0))
    ax.axis("off")
    return figure, ax


def _text(ax, x, y, words, **options):
    options = {"ha": "center", "va": "center", "fontsize": FONT, "linespacing": 1.15} | options
    if words:
        ax.text(x, y, words, **options)


def _arrow(ax, start, end):
    look = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=end, xytext=start, arrowprops=look)


def _step(ax, x, y, words, gap, colour="white", width=2.9, lines=1):
    """Draw an arrow of length `gap` down from y, and a box under it; return where that ends."""
    _arrow(ax, (x, y), (x, y + gap))
    height = 0.14 + 0.2 * lines
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y + gap), width, height, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=_pale(colour), edgecolor="black",
        )
    )  # fmt: skip
    _text(ax, x, y + gap + height / 2, words)
    return y + gap + height


def _pale(colour):
    """Mix a colour with white, so that black text stands out and lines behind do not show."""
    return tuple(1 - 0.35 * (1 - part) for part in to_rgb(colour))


def _plus(ax, x, y):
    ax.add_patch(Circle((x, y), 0.13, facecolor="white", edgecolor="black"))
    _text(ax, x, y, "+", fontsize=15)


def _way_round(ax, x, way, start, end):
    """Draw a shortcut: out to the right at `start`, and into the sum at `end`."""
    path = [x, way, way], [start, start, end]
    ax.plot(*path, color=VERMILLION, linewidth=2, linestyle="-", zorder=0.5)  # behind the boxes
    look = {"arrowstyle": "-|>", "color": VERMILLION, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=(x + 0.13, end), xytext=(way, end), arrowprops=look)


def _picture(ax, image, left, top, side):
    """Draw an image [C, h, w] of uint8 in a square of the drawing."""
    limits = ax.get_xlim(), ax.get_ylim()
    shown = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    ax.imshow(
        shown, vmin=0, vmax=255, extent=(left, left + side, top + side, top), aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    ax.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor="black", linewidth=0.8))
    ax.set(xlim=limits[0], ylim=limits[1])
