"""Frames of a network of practice 5 as it trains: P(class 1) over the plane, drawn fast.

Nothing is drawn by matplotlib but the points, once: fourteen networks with forty frames each
take seconds. Colours are those of `helpers.book.decision_boundary`.
"""

from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from scipy.special import expit

from helpers.book.decision_boundary import GROUND, LIMITS, class_points
from helpers.data.datasets import half_moons
from helpers.networks.ensemble import ACTIVATION_PAIRS, EnsembleTrainer, MLPEnsemble
from helpers.runs.catalogue.activations import HALF_MOONS_SEED
from helpers.runs.experiments import Ensemble

FRAMES = 40
#: Iterations shown, ever further apart: most happens at the start.
ITERATIONS = [round(1000 * (i / (FRAMES - 1)) ** 2) for i in range(FRAMES)]
SCALE = 60  # pixels to a unit of the plane
WIDTH, HEIGHT = (round(SCALE * (high - low)) for low, high in LIMITS)
BAND = 30  # pixels of the line of text above an animation's frame
LEVELS = np.linspace(0.1, 0.9, 9)
NOWHERE = (160, 160, 160)  # where the network gives no number


def training_points():
    """Return the course's 100 points as tensors, [100, 2] and [100]."""
    study = Ensemble("relu")
    x, y = half_moons(study.n, study.noise, HALF_MOONS_SEED)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def trajectory(combination, seed, iterations=ITERATIONS):
    """Train one network, and stop to look.

    Parameters
    ----------
    combination : ActivationPair or str
        Or its name in `ACTIVATION_PAIRS`.
    seed : int
    iterations : sequence of int
        When to look, increasing.

    Yields
    ------
    iteration : int
    networks : MLPEnsemble
        The one network, as it is then.
    accuracy : float
        On the training points.
    """
    if isinstance(combination, str):
        combination = ACTIVATION_PAIRS[combination]
    x, y = training_points()
    networks = MLPEnsemble(combination, [seed])
    training = EnsembleTrainer(networks, x, y, Ensemble("relu").learning_rate)
    for iteration in iterations:
        while training.iteration < iteration:
            training.step()
        now = networks.only(0)
        yield iteration, now, float(now.accuracy(x, y[None])[0])


@torch.no_grad()
def probability(networks, points):
    """Return P(class 1) of one network at points [N, 2], ndarray [N]; nan where it has none."""
    return expit(networks.logits(torch.tensor(points, dtype=torch.float32))[0].numpy())


@cache
def pixel_grid():
    """Return the plane's points at the middles of the pixels, from the top left."""
    (left, _), (_, top) = LIMITS
    half = 0.5 / SCALE
    xs = left + half + np.arange(WIDTH) / SCALE
    ys = top - half - np.arange(HEIGHT) / SCALE
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


@cache
def _points_layer():
    """Draw the training points on nothing, uint8 RGBA [H, W, 4]."""
    x, y = (part.numpy() for part in training_points())
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    figure.patch.set_alpha(0)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.axis("off")
    class_points(x, y, ax, size=18)
    ax.set(xlim=LIMITS[0], ylim=LIMITS[1])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def frame(networks):
    """Draw one network's plane with the training points.

    Parameters
    ----------
    networks : MLPEnsemble
        One of them.

    Returns
    -------
    ndarray of uint8, [HEIGHT, WIDTH, 3]
        P(class 1) in ten levels, the boundary in black, grey where there is no number.
    """
    p = probability(networks, pixel_grid()).reshape(HEIGHT, WIDTH)
    colours = (255 * GROUND(np.linspace(0, 1, len(LEVELS) + 1))[:, :3]).round().astype(np.uint8)
    pixels = colours[np.digitize(p, LEVELS)]
    pixels[np.isnan(p)] = NOWHERE
    above = p > 0.5
    edge = np.zeros_like(above)
    edge[:, :-1] |= above[:, 1:] != above[:, :-1]
    edge[:-1] |= above[1:] != above[:-1]
    edge[:, 1:] |= edge[:, :-1]  # two pixels wide
    pixels[edge] = 0
    image = Image.fromarray(pixels).convert("RGBA")
    image.alpha_composite(Image.fromarray(_points_layer()))
    return np.asarray(image.convert("RGB"))


@cache
def _font(size=15):
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def titled(pixels, left, right):
    """Set a line of text above a frame.

    Parameters
    ----------
    pixels : ndarray of uint8, [H, W, 3]
    left, right : str

    Returns
    -------
    ndarray of uint8, [H + BAND, W, 3]
    """
    height, width, _ = pixels.shape
    image = Image.new("RGB", (width, height + BAND), "white")
    image.paste(Image.fromarray(pixels), (0, BAND))
    draw = ImageDraw.Draw(image)
    draw.text((2, BAND / 2), left, "black", _font(), anchor="lm")
    draw.text((width - 2, BAND / 2), right, "black", _font(), anchor="rm")
    return np.asarray(image)


def training_frames(combination, seed, iterations=ITERATIONS):
    """Draw one network's training.

    Returns
    -------
    frames : list of ndarray of uint8, [HEIGHT, WIDTH, 3]
    accuracies : list of float
        On the training points.
    """
    shown = [
        (frame(now), accuracy) for _, now, accuracy in trajectory(combination, seed, iterations)
    ]
    frames, accuracies = zip(*shown, strict=True)
    return list(frames), list(accuracies)
