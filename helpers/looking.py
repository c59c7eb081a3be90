"""Where a network looks: class-activation maps of a ResNet, and the attention of a ViT.

The two are not the same kind of thing. A class-activation map adds up to the class's logit, so
that it says what speaks for the class and what against; attention says where a ViT's answering
token took numbers from, for all classes together.
"""

import numpy as np
import torch
from torch.nn import functional

from helpers import figures
from helpers.inside import attention_maps
from helpers.models import ResNet18, ViT
from helpers.models.vit import strip_patches
from helpers.training import normalise
from helpers.views import ATTENTION

LAYERS = ("last", "rollout")


@torch.inference_mode()
def class_activation_maps(model, images):
    """Compute what each place of the last map adds to each class's logit.

    A ResNet ends in a mean over places and a linear layer. The two can change places: apply the
    linear layer at every place first, and the mean of what it gives is the logit, but for the
    bias. So this map is exact, not an approximation.

    Parameters
    ----------
    model : helpers.models.ResNet18
        Left in evaluation mode.
    images : tensor [B, C, S, S]
        In [-1, 1].

    Returns
    -------
    tensor [B, K, s, s]
        The mean over places plus the classifier's bias is the logit.

    References
    ----------
    Zhou, Khosla, Lapedriza, Oliva and Torralba (2016), "Learning deep features for
    discriminative localization", CVPR.
    """
    features = model.eval().stages(model.stem(images))  # [B, D, s, s]
    linear = model.classifier[-1]
    return functional.conv2d(features, linear.weight[:, :, None, None])


@torch.inference_mode()
def token_attention(model, images, layers="last"):
    """Compute how much a ViT's answering token takes from each patch.

    Parameters
    ----------
    model : helpers.models.ViT
        Left in evaluation mode.
    images : tensor [B, C, S, S]
        In [-1, 1].
    layers : {"last", "rollout"}
        The last layer's attention, mean over the heads; or that of all layers in a chain, each
        mixed half and half with the shortcut that passes the attention by.

    Returns
    -------
    tensor [B, N]
        Shares that, with what the class token gives itself, sum to 1.

    References
    ----------
    Abnar and Zuidema (2020), "Quantifying attention flow in transformers", ACL (rollout).
    """
    if layers not in LAYERS:
        raise ValueError(f"layers must be one of {', '.join(LAYERS)}; got {layers!r}.")
    weights = attention_maps(model, images).float().mean(dim=2)  # [B, layers, T, T]
    flow = weights[:, -1]
    if layers == "rollout":
        identity = torch.eye(weights.shape[-1], device=weights.device)
        flow = identity.expand_as(flow)
        for layer in range(weights.shape[1]):
            flow = (weights[:, layer] + identity) / 2 @ flow
    return flow[:, model.read, 1:]


def on_pixels(model, attention, channels, size):
    """Lay a ViT's attention to its patches on the pixels that the patches were cut from.

    Parameters
    ----------
    model : helpers.models.ViT
    attention : tensor [B, N]
    channels, size : int
        Of the images.

    Returns
    -------
    tensor [B, S, S]
        A strip lies in one colour plane, wherever in the image that is; a pixel has the mean
        over its planes.
    """
    batch = len(attention)
    if model.cut is strip_patches:
        values = channels * size**2 // attention.shape[1]  # that went into a patch
        planes = attention.repeat_interleave(values, dim=1).reshape(batch, channels, size, size)
        return planes.mean(dim=1)
    side = size // model.patch
    grid = attention.reshape(batch, side, side)
    return grid.repeat_interleave(model.patch, dim=1).repeat_interleave(model.patch, dim=2)


def maps(model, images, classes, layers="last"):
    """Compute where a network looks on some images, one map each.

    Parameters
    ----------
    model : helpers.models.ResNet18 or helpers.models.ViT
    images : array of uint8, [B, S, S, 3]
    classes : sequence of int, [B]
        Which class's map to take on each image; a ViT's attention is the same for all.
    layers : {"last", "rollout"}
        Of a ViT, as for `token_attention`.

    Returns
    -------
    ndarray of float32, [B, S, S]
        ResNet: what the place adds to the logit, smoothly enlarged. ViT: how many times the
        attention that would be everywhere alike.

    Raises
    ------
    TypeError
        If the model is neither.
    """
    batch = normalise(torch.tensor(np.asarray(images)).permute(0, 3, 1, 2).contiguous())
    channels, size = batch.shape[1], batch.shape[-1]
    if isinstance(model, ResNet18):
        found = class_activation_maps(model, batch)[range(len(batch)), list(classes)]
        enlarged = {"size": (size, size), "mode": "bilinear", "align_corners": False}
        return functional.interpolate(found[:, None], **enlarged)[:, 0].numpy()
    if isinstance(model, ViT):
        attention = token_attention(model, batch, layers)
        return on_pixels(model, attention * attention.shape[1], channels, size).numpy()
    raise TypeError(f"model must be a ResNet18 or a ViT; got a {type(model).__name__}.")


def looking_figure(model, images, classes, titles, columns=4, layers="last"):
    """Draw images, and below each the same image with where a network looks.

    Parameters
    ----------
    model, images, classes, layers
        As for `maps`.
    titles : sequence of str, [B]
        A short line for each image, such as what was said of it.
    columns : int

    Returns
    -------
    Figure
        ResNet: vermillion speaks for the class, blue against it. ViT: the more orange, the more
        attention. All images share one scale.
    """
    found = maps(model, images, classes, layers)
    signed = isinstance(model, ResNet18)
    rows = -(-len(images) // columns)
    height = 0.95 + rows * (2 * figures.WIDTH / columns + 0.4)
    figure, axes = figures.new_figure(2 * rows, columns, height=height, squeeze=False)
    figure.get_layout_engine().set(h_pad=0.06)
    limit = float(np.abs(found).max()) or 1.0
    colours, label = ATTENTION, "attention (1: to all patches alike)"
    if signed:
        colours, label = figures.DIVERGING, "for the class (blue: against it)"
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
            map_, cmap=colours, vmin=-limit if signed else 0, vmax=limit,
            alpha=0.8 * np.abs(map_) / limit,
        )  # fmt: skip
    bar = {"location": "bottom", "aspect": 30, "shrink": 0.8}
    figure.colorbar(shown, ax=axes, label=label, **bar)
    return figure


def _grey(image):
    """Return an image [S, S, 3] as luminance [S, S]."""
    return np.asarray(image, dtype=np.float64) @ [0.299, 0.587, 0.114]
