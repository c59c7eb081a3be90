"""Practice 5's networks as they train: frames, their linear regions, many of them side by side.

The pictures of the gallery, from which these are taken, are drawn by `book.draw_gallery`.
"""

from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from helpers.book.decision_boundary import LIMITS, pixel_points, plane_pixels, points_layer
from helpers.book.figures import BLACK, axes_or_new
from helpers.data.datasets import half_moons
from helpers.networks.ensemble import (
    ACTIVATION_PAIRS,
    EnsembleTrainer,
    MLPEnsemble,
    linear_map,
    linear_regions,
)
from helpers.runs.catalogue.mlps import HALF_MOONS_SEED
from helpers.runs.records import ROOT

FRAMES = 40
#: Iterations shown, ever further apart: most happens at the start.
ITERATIONS = [round(1000 * (i / (FRAMES - 1)) ** 2) for i in range(FRAMES)]
BAND = 30  # pixels of the line of text above an animation's frame

PICTURES = ROOT / "book" / "_static" / "activations"


# ----------------------------------------------------------------------------- frames


def training_points(noise=0.1):
    """Return practice 5's 100 points as tensors, [100, 2] and [100]."""
    x, y = half_moons(100, noise, HALF_MOONS_SEED)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


@cache
def _layer(noise):
    return points_layer(*(part.numpy() for part in training_points(noise)))


@torch.no_grad()
def frame(networks, noise=0.1):
    """Paint what one network makes of the plane, with the training points: uint8 [H, W, 3]."""

    def probability(points):
        return networks.logits(torch.tensor(points, dtype=torch.float32))[0].sigmoid().numpy()

    return plane_pixels(probability, _layer(noise))


def training_frames(pair, seed, iterations=ITERATIONS, width=10, noise=0.1):
    """Train one network of an `ActivationPair`, and paint it as it is at some iterations.

    Parameters
    ----------
    seed : of the initial weights.
    iterations : when to paint, increasing.
    width : units of each hidden layer.
    noise : of the points.

    Returns
    -------
    list of ndarray of uint8, [H, W, 3], and of the accuracies on the training points
    """
    x, y = training_points(noise)
    networks = MLPEnsemble(pair, [seed], width)
    training, frames, accuracies = EnsembleTrainer(networks, x, y), [], []
    for iteration in iterations:
        while training.iteration < iteration:
            training.step()
        now = networks.only(0)
        frames.append(frame(now, noise))
        accuracies.append(float(now.accuracy(x, y)[0]))
    return frames, accuracies


def draw_linear_regions(networks, title, ax=None):
    """Draw the linear regions of a network, and arrows for its logit's slope on the 14 largest.

    It is an `MLPEnsemble` of one, of a pair in `helpers.networks.ensemble.PIECEWISE_LINEAR`.
    """
    ax = axes_or_new(ax, height=4.4)
    points = pixel_points()  # [H, W, 2]
    grid = torch.tensor(points.reshape(-1, 2), dtype=torch.float32)
    region = linear_regions(networks, grid)[0].numpy()
    numbers = region.reshape(points.shape[:2])
    border = np.zeros_like(numbers, dtype=bool)
    border[:, 1:] |= numbers[:, 1:] != numbers[:, :-1]
    border[1:] |= numbers[1:] != numbers[:-1]
    image = frame(networks).copy()
    image[border] //= 2
    ax.imshow(image, extent=(*LIMITS[0], *LIMITS[1]), interpolation="antialiased")
    found, sizes = np.unique(region, return_counts=True)
    nearest = []  # of each of the largest regions the pixel next to its middle
    for number in found[np.argsort(-sizes)[:14]]:
        (members,) = np.nonzero(region == number)
        distance = (grid[members] - grid[members].mean(0)).square().sum(1)
        nearest.append(members[int(distance.argmin())])
    slope = linear_map(networks, grid[nearest])[0][0].numpy()
    slope /= np.linalg.norm(slope, axis=1, keepdims=True) + 1e-12
    ax.quiver(
        *grid[nearest].T, *slope.T, angles="xy", scale_units="xy", scale=3.2, width=0.008,
        color=BLACK, pivot="middle",
    )  # fmt: skip
    ax.set(xlim=LIMITS[0], ylim=LIMITS[1], xticks=[], yticks=[])
    ax.set_title(f"{title}: {len(found)} regions")
    return ax.figure


# -------------------------------------------------------------------------- side by side


def titled(pixels, left, right="", size=15):
    """Set a line of text above a frame, uint8 [H + BAND, W, 3]."""
    height, width, _ = pixels.shape
    image = Image.new("RGB", (width, height + BAND), "white")
    image.paste(Image.fromarray(pixels), (0, BAND))
    font = ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
    draw = ImageDraw.Draw(image)
    draw.text((2, BAND / 2), left, "black", font, anchor="lm")
    draw.text((width - 2, BAND / 2), right, "black", font, anchor="rm")
    return np.asarray(image)


def side_by_side(names):
    """Return frames that show sixteen networks at once, from the gallery's pictures, at half size.

    The names are keys of `ACTIVATION_PAIRS`, row by row in four columns. Every second frame is
    taken, and the last one. Returns lists of uint8 [H, W, 3] and of the iterations that they show.
    """
    strips = [np.asarray(Image.open(PICTURES / f"{name}.webp").convert("RGB")) for name in names]
    chosen, frames = [*range(0, FRAMES, 2), FRAMES - 1], []
    for i in chosen:
        tiles = []
        for name, strip in zip(names, strips, strict=True):
            small = np.asarray(Image.fromarray(np.split(strip, FRAMES)[i]).reduce(2))
            tile = titled(small, ACTIVATION_PAIRS[name].label, size=17)
            tiles.append(np.pad(tile, ((0, 0), (0, 8), (0, 0)), constant_values=255))
        frames.append(np.vstack([np.hstack(tiles[k : k + 4]) for k in range(0, len(tiles), 4)]))
    return frames, [ITERATIONS[i] for i in chosen]
