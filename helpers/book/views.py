"""What the networks make of an image: receptive fields, patches, feature maps, attention.

Images are uint8, [S, S] or [C, S, S]; models are those of `helpers.networks`.
"""

import math

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from helpers.analysis.layers import nested_squares, receptive_fields
from helpers.book.figures import (
    BLUE,
    DIVERGING,
    LINES,
    ORANGE,
    PALETTE,
    VERMILLION,
    WIDTH,
    BookFigure,
    new_figure,
)
from helpers.networks.vit import square_patches
from helpers.networks.vit_variants import flattened_patches
from helpers.training.torch_trainer import normalise

#: From white to orange: black ink stays visible on it.
ATTENTION = LinearSegmentedColormap.from_list("book-orange", ["#FFFFFF", "#F6D58E", ORANGE])
BAR = {"location": "bottom", "aspect": 30, "shrink": 0.8}
LEGEND = {"columnspacing": 0.8, "handlelength": 1.8, "handletextpad": 0.4, "borderpad": 0}
HALO = withStroke(linewidth=4.5, foreground="white")  # so that lines stand out from ink
BORDER = "#8C8C8C"
MARGIN = 0.5  # from the centre of the first pixel to its edge


def as_batch(image):
    """Turn an image of uint8, [S, S] or [C, S, S], into a batch of one in [-1, 1]."""
    image = torch.tensor(np.array(image))
    return normalise(image[None, None] if image.ndim == 2 else image[None])


# ---------------------------------------------------------------------- receptive fields


def receptive_field_figure(image, model):
    """Draw on an image what one unit in the middle of each layer sees.

    Parameters
    ----------
    image : array of uint8, [S, S] or [C, S, S]
    model : torch.nn.Module
        A convolutional network.

    Returns
    -------
    Figure
        A square for every layer that widens the field, until it is as large as the image.
    """
    batch = as_batch(image)
    size = batch.shape[-1]
    rows = receptive_fields(model, batch.shape[1], size)
    inside = [row for row in rows if row.field.side < size]
    figure, ax = new_figure(height=3.9 + 0.24 * -(-(len(inside) + 1) // 2))
    _frame(_show(ax, image))
    handles = []
    squares = nested_squares(inside)
    for i, (row, (top, left, side)) in enumerate(zip(inside, squares, strict=True)):
        look = {"color": PALETTE[i % len(PALETTE)], "linestyle": LINES[i % len(LINES)]}
        corner = left - MARGIN, top - MARGIN
        ax.add_patch(
            Rectangle(corner, side, side, fill=False, linewidth=2.5, path_effects=[HALO], **look)
        )
        handles.append(Line2D([], [], label=f"{side}×{side}: {row.name.split(', ')[0]}", **look))
    if len(rows) > len(inside):
        name = rows[len(inside)].name.split(", ")[0]
        handles.append(Line2D([], [], linestyle="none", label=f"whole image: {name}"))
    edges = [(s - MARGIN, s + side - MARGIN) for s, _, side in squares]
    low = min(-MARGIN, *(edge[0] for edge in edges)) - 0.5
    high = max(size - MARGIN, *(edge[1] for edge in edges)) + 0.5
    ax.set(xlim=(low, high), ylim=(high, low))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, **LEGEND)
    return figure


# -------------------------------------------------------------------------------- patches


def patches_figure(image, patch=7):
    """Draw how an image is cut into squares, and into the strips that `reshape` makes.

    Parameters
    ----------
    image : array of uint8, [S, S]
    patch : int
        Side p of a square; a strip has as many pixels.

    Returns
    -------
    Figure
        On the left the squares, on the right the strips; above in the image, below as the
        network sees them, each as p×p pixels.
    """
    batch = torch.tensor(np.array(image))[None, None]
    size = batch.shape[-1]
    rows, columns = np.indices((size, size)) // patch
    strip = np.arange(size**2).reshape(size, size) // patch**2
    kinds = {  # pieces, the piece that each pixel is in, which of them to tint
        "squares": (square_patches, rows * (size // patch) + columns, (rows + columns) % 2),
        "strips": (flattened_patches, strip, strip % 2),
    }
    figure, axes = new_figure(2, 2, height=6.4)
    for (above, below), (kind, (cut, owner, tinted)) in zip(axes.T, kinds.items(), strict=True):
        _frame(_show(above, image))
        above.imshow(tinted[..., None] * to_rgba(BLUE, 0.22))
        _borders(above, owner)
        above.set_title(f"{owner.max() + 1} {kind}")
        _pieces(below, cut(batch, patch)[0].reshape(-1, patch, patch).numpy(), size // patch)
        below.set_title("as the network sees them")
    return figure


def _borders(ax, owner):
    """Draw lines between pixels [S, S] of different pieces."""
    upright = [[(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)] for y, x in _changes(owner)]
    lying = [[(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for x, y in _changes(owner.T)]
    ax.add_collection(LineCollection(upright + lying, colors=VERMILLION, linewidths=1.5))


def _changes(owner):
    return np.argwhere(owner[:, 1:] != owner[:, :-1])


def _pieces(ax, pieces, columns):
    """Draw pieces [N, p, p] row by row, with gaps between them."""
    patch = pieces.shape[-1]
    step = patch + 1.2
    for i, piece in enumerate(pieces):
        x, y = i % columns * step, i // columns * step
        _frame(_show(ax, piece, extent=(x, x + patch, y + patch, y)))
    end = columns * step - 1.2
    ax.set(xlim=(-0.3, end + 0.3), ylim=(end + 0.3, -0.3))


# --------------------------------------------------------------------------- feature maps


@torch.inference_mode()
def feature_maps_figure(model, image):
    """Draw LeNet at work: its first filters, and what each convolution makes of an image.

    Parameters
    ----------
    model : helpers.networks.lenet.LeNet
        Left in evaluation mode.
    image : array of uint8, [S, S] or [C, S, S]
        With several channels, a filter is shown as its mean over them.

    Returns
    -------
    Figure
        The maps after ReLU; all maps of a convolution share one scale, from white at 0.
    """
    filters = model.features[0].weight.mean(dim=1)  # [6, 5, 5]
    first = model.eval().features[:2](as_batch(image))  # [1, 6, S, S]
    second = model.features[2:5](first)  # [1, 16, s, s]
    figure = BookFigure(figsize=(WIDTH, 6.4), layout="constrained")
    top, one, two, three = figure.subfigures(4, 1, height_ratios=[1.65, 1.35, 1.35, 1.95])
    _frame(_show(top.subplots(), image))
    top.suptitle("the image", fontsize=13)
    largest = float(filters.abs().max())
    look = {"cmap": DIVERGING, "vmin": -largest, "vmax": largest}
    shown = _strip(one, filters, f"{len(filters)} filters of 5×5", **look)
    one.colorbar(shown, ax=one.axes, ticks=[0], pad=0.01).ax.set_yticklabels(["0"])
    for part, maps, columns, name in ((two, first[0], 6, "first"), (three, second[0], 8, "second")):
        title = f"{len(maps)} maps of {maps.shape[-1]}×{maps.shape[-1]}, {name} convolution"
        _strip(part, maps, title, columns, vmin=0, vmax=float(maps.max()))
    return figure


def _strip(part, maps, title, columns=6, **look):
    """Draw maps [N, h, w] in rows of a subfigure; return the last image."""
    part.suptitle(title, fontsize=13)
    axes = part.subplots(-(-len(maps) // columns), columns, squeeze=False)
    for ax, one in zip(axes.flat, maps.numpy(), strict=True):
        _frame(shown := _show(ax, one, **look))
    return shown


# ----------------------------------------------------------------------- inside the ViT


def attention_figure(weights, image, columns=4):
    """Draw for each head how the class token's attention is spread over the patches.

    Parameters
    ----------
    weights : tensor [h, T, T]
        Attention weights of one layer, as from `helpers.networks.probes.attention_maps`; token 0 is the
        class token, the others are a square grid of patches.
    image : array of uint8, [S, S]
    columns : int

    Returns
    -------
    Figure
        Patches from white (no attention) to orange (the most that any head gives a patch). A
        head's title says what is left for the class token itself.
    """
    weights = torch.as_tensor(weights).cpu().numpy()[:, 0]  # [h, T], the class token's
    heads, side = len(weights), math.isqrt(weights.shape[1] - 1)
    patches = weights[:, 1:].reshape(heads, side, side)
    rows, size = -(-heads // columns), len(image)
    figure, axes = new_figure(rows, columns, height=0.75 + rows * 2.05, squeeze=False)
    ink = np.zeros((size, size, 4))
    ink[..., 3] = np.asarray(image) / 255  # black, as thick as the ink
    edges = (-MARGIN, size - MARGIN, size - MARGIN, -MARGIN)
    for head, ax in enumerate(axes.flat):
        ax.axis("off")
        if head >= heads:
            continue
        shown = ax.imshow(
            patches[head], cmap=ATTENTION, vmin=0, vmax=patches.max(), extent=edges,
            interpolation="nearest",
        )  # fmt: skip
        _frame(ax.imshow(ink, interpolation="nearest"))
        ax.set_title(f"head {head + 1}\n{weights[head, 0]:.0%} to itself", fontsize=12)
    figure.colorbar(shown, ax=axes, label="share of the attention", format="{x:.0%}", **BAR)
    return figure


def position_similarity_figure(positions):
    """Draw how alike a ViT's learned position embeddings are, patch by patch.

    Parameters
    ----------
    positions : tensor [1, 1 + N, D] or [1 + N, D]
        The first is the class token's, and is left out; the others are a square grid's.

    Returns
    -------
    Figure
        At each patch's place a map: its embedding's cosine similarity to every patch's. A dot
        marks the patch itself.

    References
    ----------
    Dosovitskiy et al. (2021), figure 7 (middle).
    """
    embeddings = torch.as_tensor(positions).detach().cpu().squeeze(0)[1:].double()  # [N, D]
    unit = embeddings / embeddings.norm(dim=1, keepdim=True)
    similarity = (unit @ unit.T).numpy()
    side = math.isqrt(len(similarity))
    figure, axes = new_figure(side, side, height=6.7, squeeze=False)
    for patch, ax in enumerate(axes.flat):
        near = similarity[patch].reshape(side, side)
        shown = ax.imshow(near, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
        ax.plot(patch % side, patch // side, "o", color="black", markersize=4)
        ax.axis("off")
    label, ticks = "cosine similarity of the positions", [-1, -0.5, 0, 0.5, 1]
    figure.colorbar(shown, ax=axes, label=label, ticks=ticks, **BAR)
    return figure


def _frame(shown):
    """Draw the border of an image, which may be as white as the page."""
    left, right, bottom, top = shown.get_extent()
    shown.axes.add_patch(
        Rectangle(
            (left, top), right - left, bottom - top, fill=False, edgecolor=BORDER, linewidth=1,
            clip_on=False,
        )
    )  # fmt: skip


def _show(ax, image, **options):
    """Draw an image [S, S] or [C, S, S] without axes; grey ones have dark ink."""
    image = np.asarray(image)
    if image.ndim == 3:
        image = np.moveaxis(image, 0, -1) if len(image) == 3 else image[0]
    if image.dtype == np.uint8:
        options = {"vmin": 0, "vmax": 255} | options
    ax.axis("off")
    return ax.imshow(image, interpolation="nearest", **options)
