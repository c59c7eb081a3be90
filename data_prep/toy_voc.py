"""Toy-VOC, the stand-in for Tiny-VOC: drawn scenes with exact masks, from a seed.

Each scene shows one to three of the five classes as drawn figures, at any place, in many sizes
and colours, on a textured background among other shapes. The sets of classes come as often
together as in Tiny-VOC. Nothing is read or downloaded.
"""

import colorsys
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from data_prep.toy_figures import DARK, FIGURES, LIGHT, MAIN, SECOND
from data_prep.voc_labels import CLASSES

SEED = 2012
SPLIT_SIZES = {"train": 800, "val": 200}
OVERSAMPLING = 2  # edges are drawn finer than the image and averaged
SMALLEST_AREA = 0.012  # share of the image that each class must show of itself

#: How often each set of classes occurs among Tiny-VOC's 6,624 images.
LABEL_SETS = {
    (0,): 3462, (1,): 1012, (3,): 568, (4,): 505, (2,): 461, (0, 3): 425, (0, 1): 66,
    (0, 2): 53, (0, 4): 30, (2, 3): 24, (0, 2, 3): 10, (1, 3): 4, (1, 4): 2, (3, 4): 1,
    (0, 1, 3): 1,
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A picture and its mask.

    Attributes
    ----------
    image : ndarray of uint8, [H, W, 3]
        RGB.
    mask : ndarray of uint8, [H, W]
        0 for background, otherwise the class's index plus one.
    """

    image: np.ndarray
    mask: np.ndarray


def draw_scene(index: int, height: int, width: int, seed: int = SEED) -> Scene:
    """Draw one scene of Toy-VOC.

    Parameters
    ----------
    index : int
        Which scene; each has a generator of its own, so any one can be drawn alone.
    height, width : int
        In pixels, at least 16.
    seed : int
        Seed of the whole set.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If the scene is too small for its figures to be told.
    """
    if min(height, width) < 16:
        raise ValueError(f"a scene has at least 16 pixels a side, not {height} x {width}.")
    rng = np.random.default_rng([seed, index])
    sets, counts = list(LABEL_SETS), np.array(list(LABEL_SETS.values()))
    classes = sets[rng.choice(len(sets), p=counts / counts.sum())]
    while True:  # rarely more than once: a figure may stand behind another or outside
        canvas = _Canvas(rng, height * OVERSAMPLING, width * OVERSAMPLING)
        canvas.clutter(int(rng.integers(4, 10)))
        for label in rng.permutation(np.repeat(classes, rng.integers(1, 3))):
            canvas.figure(int(label), crowd=len(classes))
        canvas.clutter(int(rng.integers(0, 3)), largest=0.1)
        scene = canvas.finish()
        areas = np.bincount(scene.mask.ravel(), minlength=len(CLASSES) + 1) / scene.mask.size
        if all(areas[label + 1] >= SMALLEST_AREA for label in classes):
            return scene


class _Canvas:
    """A picture and its mask, painted side by side at `OVERSAMPLING` times their size."""

    def __init__(self, rng: np.random.Generator, height: int, width: int):
        self.rng = rng
        self.size = np.array([width, height])
        self.image = _texture(rng, height, width)
        self.mask = Image.new("L", (width, height))
        self._image, self._mask = ImageDraw.Draw(self.image), ImageDraw.Draw(self.mask)

    def paint(self, points: np.ndarray, colour: tuple[int, int, int], value: int) -> None:
        """Fill a polygon, [n, 2] in pixels, in both; whole pixels are the same on any machine."""
        corners = [(int(x), int(y)) for x, y in np.rint(points)]
        self._image.polygon(corners, fill=colour)
        self._mask.polygon(corners, fill=value)

    def clutter(self, count: int, largest: float = 0.22) -> None:
        """Paint shapes that are none of the classes; they hide what is below, in the mask too."""
        for _ in range(count):
            corners = int(self.rng.choice([3, 4, 5, 16]))
            around = 2 * math.pi * (np.arange(corners) + self.rng.uniform()) / corners
            radii = self.rng.uniform(0.04, largest, size=2) * self.size.min()
            shape = np.stack([radii[0] * np.cos(around), radii[1] * np.sin(around)], axis=1)
            centre = self.rng.uniform(0, 1, size=2) * self.size
            self.paint(shape + centre, _colour(self.rng), 0)

    def figure(self, label: int, crowd: int) -> None:
        """Paint one figure of a class; the more classes in the scene, the smaller."""
        rng, figure = self.rng, FIGURES[label]
        parts = figure.poses[rng.integers(len(figure.poses))](rng)
        angle = math.radians(rng.uniform(-figure.lean, figure.lean))
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        scale = rng.uniform(0.2, 0.46 if crowd == 1 else 0.34) * self.size.min()
        mirror = np.array([rng.choice([-1, 1]), 1])
        centre = rng.uniform(0.22, 0.78, size=2) * self.size
        tones = _tones(rng, label)
        for part in parts:
            points = np.array(part.points) * mirror @ turn * scale + centre
            self.paint(points, tones[part.tone], label + 1)

    def finish(self) -> Scene:
        """Bring the picture to its size, with a photograph's noise and exposure."""
        fine = np.asarray(self.image.reduce(OVERSAMPLING), dtype=np.int64)
        contrast, light = self.rng.integers(160, 257), self.rng.integers(-20, 21)  # in 1/256
        noise = self.rng.integers(-9, 10, size=fine.shape)
        image = ((fine - 128) * contrast >> 8) + 128 + light + noise
        mask = np.asarray(self.mask)[::OVERSAMPLING, ::OVERSAMPLING].copy()
        return Scene(np.clip(image, 0, 255).astype(np.uint8), mask)


def _texture(rng: np.random.Generator, height: int, width: int) -> Image.Image:
    """Return a background: patches of two colours, coarse and fine, blended."""
    coarse, fine = rng.integers(2, 7), rng.integers(16, 40)
    low, high = (np.array(_colour(rng), dtype=np.int64) for _ in range(2))
    share = rng.integers(0, 257, size=(coarse, coarse, 1))
    patches = (low * share + high * (256 - share)) >> 8
    grain = np.repeat(rng.integers(0, 256, size=(fine, fine, 1)), 3, axis=2)
    layers = [
        Image.fromarray(layer.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        for layer in (patches, grain)
    ]
    return Image.blend(*layers, alpha=float(rng.choice([0.1, 0.2, 0.3])))


def _colour(
    rng: np.random.Generator, value: tuple[float, float] = (0.2, 1.0)
) -> tuple[int, int, int]:
    """Return a colour of any hue, its brightness within `value`."""
    rgb = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.1, 0.9), rng.uniform(*value))
    return tuple(round(255 * channel) for channel in rgb)


def _tones(rng: np.random.Generator, label: int) -> dict[int, tuple[int, int, int]]:
    """Return the colours of one figure; only a person's skin keeps to a range of its own."""
    tones = {MAIN: _colour(rng), SECOND: _colour(rng)}
    tones[DARK] = _colour(rng, (0.05, 0.35))
    tones[LIGHT] = _colour(rng, (0.75, 1.0))
    if CLASSES[label] == "person":
        skin = colorsys.hsv_to_rgb(rng.uniform(0.04, 0.1), 0.45, rng.uniform(0.35, 1.0))
        tones[LIGHT] = tuple(round(255 * channel) for channel in skin)
    return tones


def draw_set(first: int, count: int, size: int, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Draw square scenes one after another.

    Parameters
    ----------
    first, count : int
        The scenes `first` to `first + count - 1`.
    size : int
        Height and width in pixels.
    seed : int
        Seed of the whole set.

    Returns
    -------
    images : ndarray of uint8, [count, size, size, 3]
    masks : ndarray of uint8, [count, size, size]
    """
    images = np.empty((count, size, size, 3), np.uint8)
    masks = np.empty((count, size, size), np.uint8)
    for row in range(count):
        scene = draw_scene(first + row, size, size, seed)
        images[row], masks[row] = scene.image, scene.mask
    return images, masks
