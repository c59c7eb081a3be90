"""What the networks look like, drawn from the models themselves, and what they make of an image.

What draws returns a `Figure`; an image is uint8 [28, 28], grey, and models are those of
`helpers.networks` for such images. In diagrams the unit is an inch, from the top left.
"""

import math

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle
from matplotlib.patheffects import withStroke

from helpers.analysis.layers import Layer, layers, nested_squares, receptive_fields, shape_text
from helpers.book import figures
from helpers.book.figures import BLUE, DIVERGING, GREEN, ORANGE, SKY, VERMILLION, WIDTH, new_figure
from helpers.networks.vit import square_patches
from helpers.networks.vit_variants import flattened_patches
from helpers.training.torch_trainer import normalise

GREY, BORDER = "#595959", "#8C8C8C"
ARROW = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
SHORTCUT = {"color": VERMILLION, "linewidth": 2}
#: From white to orange: black ink stays visible on it.
ATTENTION = LinearSegmentedColormap.from_list("book-orange", ["#FFFFFF", "#F6D58E", ORANGE])

# ---------------------------------------------------------------------- a network's maps

#: How a layer is called beside its arrow, in short lines, and its colour.
SHORT = {
    "image": ("", "#D9D9D9"),
    "zero padding": ("zero\npadding", "#D9D9D9"),
    "convolution": ("convolution", SKY),
    "max-pooling": ("max-pooling", ORANGE),
    "linear": ("linear", GREEN),
}


def network_diagram(model):
    """Draw a LeNet or VGG-11 as its feature maps; a new size begins a new line.

    The area of a square follows the side of the map, and the number of squares the logarithm
    of its channels; a bar stands for a vector.
    """
    rows = [Layer("image", (1, 28, 28), 0, 0, None), *layers(model)]
    largest = max(row.shape[1] for row in rows if len(row.shape) == 3)
    lines, used = [], 0
    for drawn in [_Map(row, largest) for row in rows]:
        needed = drawn.arrow + drawn.room + 0.06
        if not lines or drawn.shape[1:] != lines[-1][-1].shape[1:] or used + needed > WIDTH - 0.2:
            lines.append([])
            used = 0
        lines[-1].append(drawn)
        used += needed
    extents = [(max(m.over for m in line), max(m.below for m in line)) for line in lines]
    figure, ax = _canvas(0.5 + sum(map(sum, extents)))
    parameters = sum(row.parameters for row in rows)
    products = sum(row.multiply_adds for row in rows)
    _text(ax, 3, 0.25, f"{parameters:,} parameters, {products:,} multiply-adds", fontsize=13)
    y, end = 0.5, None
    for line, (above, below) in zip(lines, extents, strict=True):
        end = _draw_line(ax, line, y, y + above, end)
        y += above + below
    return figure


class _Map:
    """A layer's output as drawn: `sheets` shifted rectangles, and its words."""

    def __init__(self, layer, largest):
        self.shape, self.label = layer.shape, shape_text(layer.shape)
        kind = next(kind for kind in SHORT if layer.name.startswith(kind))
        name, self.colour = SHORT[kind]
        size = layer.name.split(", ")[0].removeprefix(kind).strip()
        self.above = "\n".join(filter(None, [name, size]))
        if len(self.shape) == 3:
            self.sheets = round(1 + math.log2(self.shape[0]))
            self.width = self.height = 0.75 * math.sqrt(self.shape[1] / largest)
        else:
            self.sheets, self.width = 1, 0.12
            self.height = 0.1 + 0.2 * math.log10(self.shape[0])
        self.depth = 0.045 * (self.sheets - 1)
        self.room = max(self.width + self.depth, 0.105 * len(self.label))
        self.arrow = 0.15 if kind == "image" else 1.12
        self.half = (self.height + self.depth) / 2
        self.over = max(self.half, 0.25 + 0.2 * self.above.count("\n")) + 0.1  # the line's middle
        self.below = self.half + 0.44

    def draw(self, ax, left, middle):
        """Draw the sheets, the furthest first, the shape under them and the arrow before them."""
        if self.above:
            _arrow(ax, (left, middle), (left + self.arrow - 0.06, middle))
            _text(ax, left + self.arrow / 2 - 0.03, middle - 0.06, self.above, va="bottom")
        centre = left + self.arrow + self.room / 2
        x, y = centre - (self.width + self.depth) / 2, middle - self.half
        for shift in np.linspace(self.depth, 0, self.sheets):
            corner = x + shift, y + self.depth - shift
            ax.add_patch(Rectangle(corner, self.width, self.height, fc=self.colour, ec="black"))
        _text(ax, centre, middle + self.half + 0.15, self.label)


def _draw_line(ax, line, top, middle, end):
    """Draw a line of maps; return where the way to the next one starts, and where it turns."""
    x = 0.06
    if end is not None:  # from the end of the line before, as in a text
        start, turn = end
        way = [start, (turn, start[1]), (turn, top), (x, top), (x, middle)]
        ax.plot(*zip(*way, strict=True), color=GREY, linewidth=1.2, linestyle="-")
    for drawn in line:
        drawn.draw(ax, x, middle)
        x += drawn.arrow + drawn.room + 0.06
    edge = x - 0.03 - (drawn.room - drawn.width - drawn.depth) / 2
    return (edge, middle), max(edge + 0.08, x)


# ------------------------------------------------------------- a residual block, and a ViT


def residual_block_diagram(block, size):
    """Draw a `BasicBlock` of stride 1 on maps of `size`×`size`, from top to bottom."""
    x, way, shape = 1.75, 4.5, f"{block.conv1.in_channels}×{size}×{size}"
    figure, ax = _canvas(4.4)
    _text(ax, x, 0.2, f"x: {shape}", weight="bold")
    y = _step(ax, x, 0.33, "convolution 3×3", 0.4, SKY)
    y = _step(ax, x, y, "batch normalisation, ReLU", 0.2)
    y = _step(ax, x, y, "convolution 3×3", 0.2, SKY)
    y = _step(ax, x, y, "batch normalisation", 0.2)
    _text(ax, x - 0.12, y + 0.14, "correction f(x)", ha="right")
    y = _add(ax, x, y, 0.35, way, 0.48)
    _text(ax, way - 0.12, 1.7, "shortcut:\nx as it is", ha="right", color=VERMILLION)
    y = _step(ax, x, y, "ReLU", 0.25)
    _arrow(ax, (x, y), (x, y + 0.25))
    _text(ax, x, y + 0.39, shape, weight="bold")
    return figure


def vit_diagram(model, image):
    """Draw a ViT from top to bottom: image, patches, tokens, an encoder layer, scores."""
    length, embed_dim = model.positions.shape[1:]
    patch, pixels = model.patch, model.patch**2
    figure, ax = _canvas(9.05)
    _picture(ax, image, 0.9, 0.15, 1.15)
    words = f"image 1×28×28,\ncut into {length - 1} squares\nof {pixels} numbers"
    _text(ax, 2.5, 0.72, words, ha="left")
    _arrow(ax, (1.475, 1.3), (1.475, 1.53))
    _draw_tokens(ax, square_patches(torch.tensor(image)[None, None], patch).view(-1, patch, patch))
    _arrow(ax, (3, 1.92), (3, 2.27))
    _text(ax, 3.15, 2.08, f"linear: {pixels} numbers to {embed_dim}", ha="left")
    _text(ax, 3, 3.06, f"{length} tokens of {embed_dim} numbers, plus positions")
    _arrow(ax, (3, 3.2), (3, 3.62))
    y = _draw_encoder(ax, model.layers, 3.62)
    y = _step(ax, 3, y, "layer normalisation", 0.4)
    _text(ax, 3.15, y + 0.16, "of the class token only", ha="left")
    y = _step(ax, 3, y, "linear", 0.36, GREEN)
    _arrow(ax, (3, y), (3, y + 0.25))
    _text(ax, 3, y + 0.4, f"{model.classifier.out_features} scores", weight="bold")
    return figure


def _draw_tokens(ax, patches):
    """Draw patches [N, p, p] in a row, and the tokens as bars, the class's hatched."""
    for i, patch in enumerate(patches):
        _picture(ax, patch, 3.03 + 0.34 * (i - len(patches) / 2), 1.56, 0.28)
    left = 3.04 - 0.14 * len(patches)
    for i in range(len(patches) + 1):
        look = {"facecolor": SKY} if i else {"facecolor": VERMILLION, "hatch": "//"}
        ax.add_patch(Rectangle((left + 0.28 * i, 2.33), 0.12, 0.55, edgecolor="black", **look))
    _text(ax, left - 0.06, 2.6, "class\ntoken", ha="right", color=VERMILLION)


def _draw_encoder(ax, encoder, top):
    """Draw an encoder layer with its two shortcuts in a frame; return where it ends."""
    _text(ax, 0.85, top + 0.45, f"encoder\nlayer\n× {len(encoder)}", weight="bold")
    y, heads = top, f"attention, {encoder[0].attention.heads} heads"
    mlp = f"linear {encoder[0].fc1.out_features}, GELU, linear"
    for words, colour in ((heads, BLUE), (mlp, GREEN)):
        start = y + 0.1
        y = _step(ax, 3, y, "layer normalisation", 0.28)
        y = _step(ax, 3, y, words, 0.28, colour)
        y = _add(ax, 3, y, 0.2, 5, start)
    _box(ax, 0.25, top, WIDTH - 0.5, y + 0.1 - top, 0.1, "#F4F4F4", GREY, zorder=0)
    return y


def _canvas(height):
    """Make a figure whose coordinates are inches, downwards."""
    figure = figures.BookFigure(figsize=(WIDTH, height))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    ax.axis("off")
    return figure, ax


def _text(ax, x, y, words, **options):
    options = {"ha": "center", "va": "center", "fontsize": 12, "linespacing": 1.15} | options
    ax.text(x, y, words, **options)


def _arrow(ax, start, end, **look):
    ax.annotate("", xy=end, xytext=start, arrowprops=ARROW | look)


def _box(ax, x, y, width, height, rounding, face, edge="black", **options):
    style = f"round,pad=0,rounding_size={rounding}"
    look = {"boxstyle": style, "facecolor": face, "edgecolor": edge} | options
    ax.add_patch(FancyBboxPatch((x, y), width, height, **look))


def _step(ax, x, y, words, gap, colour="white"):
    """Draw an arrow of length `gap` down from y, and a box under it; return where that ends."""
    _arrow(ax, (x, y), (x, y + gap))
    pale = [1 - 0.35 * (1 - part) for part in to_rgb(colour)]  # black text stands out
    _box(ax, x - 1.45, y + gap, 2.9, 0.34, 0.06, pale)
    _text(ax, x, y + gap + 0.17, words)
    return y + gap + 0.34


def _add(ax, x, y, gap, way, start):
    """Draw a sum under y, and a shortcut into it from `start` over `way`; return where it ends."""
    _arrow(ax, (x, y), (x, y + gap))
    y += gap + 0.13
    ax.add_patch(Circle((x, y), 0.13, facecolor="white", edgecolor="black"))
    _text(ax, x, y, "+", fontsize=15)
    ax.plot([x, way, way], [start, start, y], linestyle="-", zorder=0.5, **SHORTCUT)
    _arrow(ax, (way, y), (x + 0.13, y), **SHORTCUT)
    return y + 0.13


def _picture(ax, image, left, top, side):
    """Draw an image [h, w] of uint8 in a square of a diagram."""
    shown = _show(ax, image, extent=(left, left + side, top + side, top), aspect="auto")
    _frame(shown, edgecolor="black", linewidth=0.8)


# ------------------------------------------------------------- receptive fields and patches


def as_batch(image):
    """Turn an image into a batch of one, [1, 1, 28, 28] in [-1, 1]."""
    return normalise(torch.tensor(image)[None, None])


def receptive_field_figure(image, model):
    """Draw on an image what one unit in the middle of each layer of LeNet sees.

    There is a square for every layer that widens the field.
    """
    rows = receptive_fields(model)
    figure, ax = new_figure(height=4.62)
    _frame(_show(ax, image))
    halo = withStroke(linewidth=4.5, foreground="white")  # so that lines stand out from ink
    outline = {"fill": False, "linewidth": 2.5, "path_effects": [halo]}
    handles = []
    for i, (row, (first, side)) in enumerate(zip(rows, nested_squares(rows), strict=True)):
        look = {"color": figures.PALETTE[i], "linestyle": figures.LINES[i]}
        ax.add_patch(Rectangle((first - 0.5, first - 0.5), side, side, **outline, **look))
        handles.append(Line2D([], [], label=f"{side}×{side}: {row.name}", **look))
    ax.set(xlim=(-1, 28), ylim=(28, -1))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=2, columnspacing=0.8,
        handlelength=1.8, handletextpad=0.4, borderpad=0,
    )  # fmt: skip
    return figure


def patches_figure(image):
    """Draw how an image is cut into squares, and into the strips that `reshape` makes.

    On the left the squares, on the right the strips; above in the image, below each as 7×7
    pixels.
    """
    rows, columns = np.indices((28, 28)) // 7
    strip = np.arange(28 * 28).reshape(28, 28) // 49
    kinds = {  # how to cut, the piece that each pixel is in, which of them to tint
        "squares": (square_patches, 4 * rows + columns, (rows + columns) % 2),
        "strips": (flattened_patches, strip, strip % 2),
    }
    figure, axes = new_figure(2, 2, height=6.4)
    for (above, below), (kind, (cut, owner, tinted)) in zip(axes.T, kinds.items(), strict=True):
        _frame(_show(above, image))
        above.imshow(tinted[..., None] * to_rgba(BLUE, 0.22))
        _borders(above, owner)
        above.set_title(f"{owner.max() + 1} {kind}")
        pieces = cut(torch.tensor(image)[None, None], 7).view(-1, 7, 7)
        for i, piece in enumerate(pieces):  # row by row, with gaps between them
            y, x = np.multiply(divmod(i, 4), 8.2)
            _frame(_show(below, piece, extent=(x, x + 7, y + 7, y)))
        end = x + 7
        below.set(xlim=(-0.3, end + 0.3), ylim=(end + 0.3, -0.3), title="each as 7×7 numbers")
    return figure


def _borders(ax, owner):
    """Draw lines between pixels [S, S] of different pieces."""
    upright = np.argwhere(owner[:, 1:] != owner[:, :-1])
    lying = np.argwhere(owner[1:] != owner[:-1])
    lines = [[(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)] for y, x in upright]
    lines += [[(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for y, x in lying]
    ax.add_collection(LineCollection(lines, colors=VERMILLION, linewidths=1.5))


# ------------------------------------------------------------- feature maps and attention


@torch.inference_mode()
def feature_maps_figure(model, image):
    """Draw LeNet at work: its first filters, and what each convolution makes of an image.

    A filter is shown as its mean over the input channels, maps after ReLU. All maps of a
    convolution share one scale, from white at 0. The model is left in evaluation mode.
    """
    filters = model.features[0].weight.mean(dim=1)  # [6, 5, 5]
    first = model.eval().features[:2](as_batch(image))  # [1, 6, S, S]
    second = model.features[2:5](first)  # [1, 16, s, s]
    figure = figures.BookFigure(figsize=(WIDTH, 6.4), layout="constrained")
    top, one, two, three = figure.subfigures(4, 1, height_ratios=[1.65, 1.35, 1.35, 1.95])
    _frame(_show(top.subplots(), image))
    top.suptitle("the image", fontsize=13)
    shown = _strip(one, filters, "filters of {0}×{0}", cmap=DIVERGING, vmin=-filters.abs().max())
    one.colorbar(shown, ax=one.axes, ticks=[0], pad=0.01).ax.set_yticklabels(["0"])
    _strip(two, first[0], "maps of {0}×{0}, first convolution", vmin=0)
    _strip(three, second[0], "maps of {0}×{0}, second convolution", columns=8, vmin=0)
    return figure


def _strip(part, maps, title, columns=6, **look):
    """Draw maps [N, h, w] in rows of a subfigure, with one scale; return the last image."""
    part.suptitle(f"{len(maps)} " + title.format(maps.shape[-1]), fontsize=13)
    axes = part.subplots(len(maps) // columns, columns, squeeze=False)
    for ax, one in zip(axes.flat, maps, strict=True):
        _frame(shown := _show(ax, one, vmax=maps.abs().max(), **look))
    return shown


def attention_figure(weights, image):
    """Draw for each head how the class token's attention is spread over the patches.

    The weights [h, T, T] are one layer's, as from `helpers.networks.probes.attention_maps`, with
    the class token first. Patches go from white (no attention) to orange (the most that any head
    gives a patch); a title says what is left for the class token itself.
    """
    weights = np.asarray(weights)[:, 0]  # [h, T], the class token's
    side, rows = math.isqrt(weights.shape[1] - 1), math.ceil(len(weights) / 4)
    patches = weights[:, 1:].reshape(-1, side, side)
    figure, axes = new_figure(rows, 4, height=0.75 + rows * 2.05, squeeze=False)
    look = {"cmap": ATTENTION, "vmin": 0, "vmax": patches.max()}
    for ax in axes.flat[len(weights) :]:
        ax.axis("off")
    for head, ax in enumerate(axes.flat[: len(weights)]):
        ink = _show(ax, image, vmin=-1, vmax=0, alpha=image / 255)  # black
        shown = _show(ax, patches[head], extent=ink.get_extent(), zorder=-1, **look)
        _frame(ink)
        ax.set_title(f"head {head + 1}\n{weights[head, 0]:.0%} to itself", fontsize=12)
    figure.colorbar(
        shown, ax=axes, label="share of the attention", format="{x:.0%}", location="bottom",
        aspect=30, shrink=0.8,
    )  # fmt: skip
    return figure


def _frame(shown, **look):
    """Draw the border of an image, which may be as white as the page."""
    left, right, bottom, top = shown.get_extent()
    look = {"edgecolor": BORDER, "linewidth": 1, "clip_on": False} | look
    shown.axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, **look))


def _show(ax, image, **options):
    """Draw an image [S, S] without axes, with dark ink."""
    image = np.asarray(image)
    if image.dtype == np.uint8:
        options = {"vmin": 0, "vmax": 255} | options
    ax.axis("off")
    return ax.imshow(image, interpolation="nearest", **options)
