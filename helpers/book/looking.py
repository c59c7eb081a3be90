"""Where a network looks: class-activation maps of a ResNet, and the attention of a ViT.

The two are not the same kind of thing. A class-activation map adds up to the class's logit, so
that it says what speaks for the class and what against; attention says where a ViT's answering
token took numbers from, for all classes together.
"""

import math

import numpy as np
import torch
from torch.nn import functional

from helpers.book import figures
from helpers.book.views import ATTENTION


def on_pixels(attention, patching, channels, size):
    """Lay a ViT's attention to its patches on the pixels that the patches were cut from.

    Parameters
    ----------
    attention : tensor [B, N]
    patching : {"squares", "flattened"}
        As for `helpers.networks.vit_variants.ViTVariant`.
    channels, size : int
        Of the images.

    Returns
    -------
    tensor [B, S, S]
        A strip lies in one colour plane, wherever in the image that is; a pixel has the mean
        over its planes.
    """
    batch, patches = attention.shape
    if patching == "flattened":
        values = channels * size**2 // patches  # that went into a patch
        planes = attention.repeat_interleave(values, dim=1).reshape(batch, channels, size, size)
        return planes.mean(dim=1)
    side = math.isqrt(patches)
    grid = attention.reshape(batch, side, side)
    return grid.repeat_interleave(size // side, dim=1).repeat_interleave(size // side, dim=2)


def enlarged(views, classes, size, patching="squares"):
    """Bring what `helpers.networks.probes.views` found to the size of the images.

    Parameters
    ----------
    views : tensor [B, K, s, s] or [B, N]
        Of a ResNet or of a ViT.
    classes : sequence of int, [B]
        Which class's map to take on each image; a ViT's attention is the same for all.
    size : int
        Side of the images, of three colours.
    patching : {"squares", "flattened"}
        How the ViT cuts its patches.

    Returns
    -------
    ndarray of float32, [B, S, S]
        ResNet: what the place adds to the logit, smoothly enlarged. ViT: how many times the
        attention that would be everywhere alike.
    """
    views = torch.as_tensor(views).float()
    if views.ndim == 2:
        return on_pixels(views * views.shape[1], patching, 3, size).numpy()
    found = views[range(len(views)), list(classes)][:, None]
    options = {"size": (size, size), "mode": "bilinear", "align_corners": False}
    return functional.interpolate(found, **options)[:, 0].numpy()


def looking_figure(found, images, titles, signed, columns=4):
    """Draw images, and below each the same image with where a network looks.

    Parameters
    ----------
    found : array [B, S, S]
        As from `enlarged`.
    images : array of uint8, [B, S, S, 3]
    titles : sequence of str, [B]
        A short line for each image, such as what was said of it.
    signed : bool
        Whether the maps speak for and against a class, as a ResNet's, and not of attention.
    columns : int

    Returns
    -------
    Figure
        Vermillion speaks for the class, blue against it; or, the more orange, the more
        attention. Relative to the largest value of each image.
    """
    found = found / np.maximum(np.abs(found).max(axis=(1, 2), keepdims=True), 1e-9)
    rows = -(-len(images) // columns)
    height = 0.95 + rows * (2 * figures.WIDTH / columns + 0.4)
    figure, axes = figures.new_figure(2 * rows, columns, height=height, squeeze=False)
    figure.get_layout_engine().set(h_pad=0.06)
    colours, label = ATTENTION, "attention; 1: the most"
    if signed:
        colours, label = figures.DIVERGING, "against (blue), for (orange) the class; 1: the most"
    for ax in axes.flat:
        ax.axis("off")
    for i, (image, map_) in enumerate(zip(images, found, strict=True)):
        row, column = divmod(i, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.imshow(image)
        above.set_title(titles[i], fontsize=12)
        below.imshow(_grey(image), cmap="gray", vmin=0, vmax=255)
        # As opaque as the map is large: where the network does not look, the image is left.
        shown = below.imshow(
            map_, cmap=colours, vmin=-1 if signed else 0, vmax=1, alpha=0.8 * np.abs(map_),
        )  # fmt: skip
    ticks = [-1, 0, 1] if signed else [0, 0.5, 1]
    bar = {"location": "bottom", "aspect": 30, "shrink": 0.8, "ticks": ticks}
    figure.colorbar(shown, ax=axes, label=label, **bar)
    return figures.photographic(figure)


def _grey(image):
    """Return an image [S, S, 3] as luminance [S, S]."""
    return np.asarray(image, dtype=np.float64) @ [0.299, 0.587, 0.114]
