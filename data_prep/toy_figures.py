"""The five things that Toy-VOC shows, as polygons: person, cat, plane, car and bird.

A figure is drawn around the origin, about two units tall or wide, y pointing down. Its parts
are painted in their order, each in a tone of the figure's own palette. Nothing here knows
where in a scene it will stand.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

MAIN, SECOND, DARK, LIGHT = range(4)  # the tones of a figure
Point = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """A polygon in one tone."""

    points: Sequence[Point]
    tone: int


@dataclass(frozen=True)
class Figure:
    """How a class is drawn: its poses, and how far it may lean, in degrees."""

    poses: tuple[Callable[[np.random.Generator], list[Part]], ...]
    lean: float


def ellipse(x: float, y: float, rx: float, ry: float, tilt: float = 0.0) -> list[Point]:
    """Return an ellipse as a polygon of 20 corners, turned by `tilt` degrees."""
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    around = [2 * math.pi * k / 20 for k in range(20)]
    corners = [(rx * math.cos(a), ry * math.sin(a)) for a in around]
    return [(x + cos * u - sin * v, y + sin * u + cos * v) for u, v in corners]


def limb(start: Point, end: Point, width: float) -> list[Point]:
    """Return a straight bar from one point to another."""
    along = (end[0] - start[0], end[1] - start[1])
    half = width / 2 / (math.hypot(*along) or 1)
    u, v = -along[1] * half, along[0] * half
    return [
        (start[0] + u, start[1] + v),
        (end[0] + u, end[1] + v),
        (end[0] - u, end[1] - v),
        (start[0] - u, start[1] - v),
    ]


def person(rng: np.random.Generator) -> list[Part]:
    """Draw somebody standing or walking, the arms anywhere from hanging to waving."""
    stride = rng.uniform(0.02, 0.32)
    parts = [
        Part(limb((-0.1, 0.1), (-0.08 - stride, 1.0), 0.2), DARK),
        Part(limb((0.1, 0.1), (0.08 + stride, 1.0), 0.2), DARK),
        Part([(-0.27, -0.52), (0.27, -0.52), (0.2, 0.2), (-0.2, 0.2)], MAIN),
    ]
    for side in (-1, 1):
        angle = math.radians(rng.uniform(-10, 150))  # 0 hangs straight down
        shoulder = (0.24 * side, -0.45)
        hand = (shoulder[0] + side * 0.6 * math.sin(angle), shoulder[1] + 0.6 * math.cos(angle))
        parts += [Part(limb(shoulder, hand, 0.14), MAIN), Part(ellipse(*hand, 0.09, 0.09), LIGHT)]
    parts.append(Part(ellipse(0, -0.78, 0.19, 0.22), SECOND))  # hair
    parts.append(Part(ellipse(0, -0.72, 0.16, 0.18), LIGHT))
    return parts


def _cat_head(x: float, y: float) -> list[Part]:
    ears = [
        Part([(x + s * 0.33, y - 0.1), (x + s * 0.3, y - 0.55), (x + s * 0.04, y - 0.24)], MAIN)
        for s in (-1, 1)
    ]
    eyes = [Part(ellipse(x + s * 0.13, y - 0.05, 0.08, 0.08), LIGHT) for s in (-1, 1)]
    pupils = [Part(ellipse(x + s * 0.13, y - 0.05, 0.03, 0.07), DARK) for s in (-1, 1)]
    nose = [Part([(x - 0.06, y + 0.08), (x + 0.06, y + 0.08), (x, y + 0.15)], DARK)]
    return [*ears, Part(ellipse(x, y, 0.34, 0.29), MAIN), *eyes, *pupils, *nose]


def walking_cat(rng: np.random.Generator) -> list[Part]:
    """Draw a cat on its four legs, the tail in the air."""
    step = rng.uniform(-0.15, 0.15)
    bend = rng.uniform(-0.2, 0.2)
    legs = [
        Part(limb((x, 0.3), (x + step * sign, 0.85), 0.14), tone)
        for x, sign, tone in (
            (-0.35, -1, SECOND), (0.5, 1, SECOND), (-0.2, 1, MAIN), (0.62, -1, MAIN)
        )
    ]  # fmt: skip
    tail = [
        Part(limb((0.6, 0.2), (0.9, -0.2), 0.12), MAIN),
        Part(limb((0.9, -0.15), (0.85 + bend, -0.7), 0.11), MAIN),
    ]
    stripes = [Part(limb((x, 0.0), (x + 0.06, 0.35), 0.07), SECOND) for x in (0.05, 0.25, 0.45)]
    body = Part(ellipse(0.15, 0.22, 0.62, 0.28), MAIN)
    return [*tail, *legs, body, *stripes, *_cat_head(-0.55, -0.12)]


def sitting_cat(rng: np.random.Generator) -> list[Part]:
    """Draw a cat that sits and looks at us, the tail to one side."""
    height = rng.uniform(0.4, 0.55)
    tail = [
        Part(limb((0.3, 0.75), (0.8, 0.7), 0.13), MAIN),
        Part(limb((0.76, 0.73), (0.92, 0.3), 0.12), MAIN),
    ]
    paws = [Part(ellipse(x, 0.85, 0.13, 0.1), LIGHT) for x in (-0.15, 0.15)]
    body = Part(ellipse(0, 0.42, 0.42, height), MAIN)
    return [*tail, body, Part(ellipse(0, 0.5, 0.2, 0.3), SECOND), *paws, *_cat_head(0, -0.35)]


def plane(rng: np.random.Generator) -> list[Part]:
    """Draw an aeroplane from the side and a little from above, its nose to the left."""
    sweep = rng.uniform(0.2, 0.5)
    span = rng.uniform(0.45, 0.7)
    windows = [Part(ellipse(x, -0.05, 0.035, 0.035), DARK) for x in np.arange(-0.65, 0.6, 0.15)]
    return [
        Part([(-0.15, -0.05), (0.2, -0.05), (sweep + 0.2, -span), (sweep + 0.03, -span)], SECOND),
        Part([(0.6, -0.03), (0.82, -0.5), (1.0, -0.5), (0.95, 0)], SECOND),
        Part(ellipse(0, 0, 1.0, 0.16), MAIN),
        Part(limb((-0.9, 0.05), (0.9, 0.05), 0.05), SECOND),
        *windows,
        Part([(-0.97, -0.02), (-0.8, -0.1), (-0.76, -0.02)], DARK),
        Part([(-0.2, 0.05), (0.2, 0.05), (sweep + 0.25, span), (sweep + 0.02, span)], LIGHT),
        Part([(0.65, 0.02), (0.85, 0.02), (1.0, 0.25), (0.9, 0.25)], LIGHT),
    ]


def car(rng: np.random.Generator) -> list[Part]:
    """Draw a car from the side: a flat one, a tall one, or one in between."""
    roof = -rng.uniform(0.38, 0.62)
    back = rng.uniform(0.35, 0.8)
    cabin = [(-0.55, -0.1), (-0.3, roof), (back - 0.1, roof), (back + 0.12, -0.1)]
    front = [(-0.45, -0.12), (-0.26, roof + 0.07), (0.02, roof + 0.07), (0.02, -0.12)]
    rear = [(0.1, -0.12), (0.1, roof + 0.07), (back - 0.13, roof + 0.07), (back, -0.12)]
    body = [(-1, 0.3), (-1, 0.05), (-0.9, -0.08), (0.95, -0.1), (1.0, 0.0), (1.0, 0.3)]
    wheels = []
    for x in (-0.58, 0.58):
        wheels.append(Part(ellipse(x, 0.3, 0.23, 0.23), DARK))
        wheels.append(Part(ellipse(x, 0.3, 0.11, 0.11), LIGHT))
    lamp = Part(ellipse(-0.93, 0.06, 0.07, 0.07), LIGHT)
    return [Part(cabin, MAIN), Part(body, MAIN), Part(front, SECOND), Part(rear, SECOND)] + [
        *wheels,
        lamp,
    ]


def flying_bird(rng: np.random.Generator) -> list[Part]:
    """Draw a bird in the air, its wings anywhere between up and down."""
    tip = rng.uniform(0.55, 0.9) * rng.choice([-1, 1])
    far = [(-0.15, 0.0), (0.25, 0.0), (0.55, tip * 0.9), (0.25, tip)]
    near = [(-0.25, 0.02), (0.2, 0.02), (0.1, tip), (-0.15, tip * 1.05)]
    return [
        Part(far, SECOND),
        Part([(0.4, -0.05), (0.95, -0.18), (0.9, 0.02), (0.95, 0.18), (0.4, 0.08)], SECOND),
        Part(ellipse(0, 0, 0.55, 0.2), MAIN),
        Part(ellipse(-0.55, -0.12, 0.2, 0.17), MAIN),
        Part([(-0.7, -0.18), (-1.0, -0.08), (-0.7, -0.03)], LIGHT),
        Part(ellipse(-0.6, -0.15, 0.045, 0.045), DARK),
        Part(near, SECOND),
    ]


def perched_bird(rng: np.random.Generator) -> list[Part]:
    """Draw a bird that stands on its two legs."""
    tilt = rng.uniform(15, 45)
    legs = [Part(limb((x, 0.4), (x - 0.03, 0.95), 0.06), DARK) for x in (-0.08, 0.14)]
    return [
        *legs,
        Part([(0.35, 0.2), (0.95, 0.5), (0.85, 0.7), (0.25, 0.45)], SECOND),
        Part(ellipse(0.05, 0.1, 0.58, 0.34, tilt), MAIN),
        Part(ellipse(0.18, 0.15, 0.4, 0.2, tilt + 10), SECOND),
        Part(ellipse(-0.42, -0.42, 0.26, 0.24), MAIN),
        Part([(-0.6, -0.52), (-0.98, -0.4), (-0.6, -0.32)], LIGHT),
        Part(ellipse(-0.48, -0.47, 0.055, 0.055), DARK),
    ]


#: The figures in the order of `data_prep.voc_labels.CLASSES`.
FIGURES = (
    Figure((person,), lean=8),
    Figure((walking_cat, sitting_cat), lean=10),
    Figure((plane,), lean=35),
    Figure((car,), lean=8),
    Figure((flying_bird, perched_bird), lean=20),
)
