"""Figures of functions on the plane: what a network with two inputs makes of every point.

In the style of `helpers.book.figures`, and with its conventions.
"""

from functools import cache

import numpy as np
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image
from scipy.special import expit

from helpers.book.figures import MARKERS, PALETTE, axes_or_new, new_figure, to_pixels
from helpers.data.datasets import LIMITS, plane_grid
from helpers.networks.mlp import predict

#: From class 0 (blue) through white to class 1 (vermillion), pale enough for points of both
#: colours to stand out.
GROUND = LinearSegmentedColormap.from_list("book-ground", ["#7FB8DB", "#FFFFFF", "#ECAF80"])
LEVELS = np.linspace(0.1, 0.9, 9)  # of P(class 1)
SCALE = 60  # pixels to a unit of the plane, where it is painted pixel by pixel


def field(xs, ys, values, levels, ax, line=None, norm=None):
    """Fill the plane by discrete levels of `values`, and draw one level as a line.

    Parameters
    ----------
    xs, ys, values : ndarray [columns], [rows] and [rows * columns], as from `plane_grid`.
    levels : their borders; what lies outside takes the first or last colour.
    line : the level to draw in black, for example the decision boundary.
    norm : how values become colours; linear by default.

    Returns
    -------
    what a colour bar needs
    """
    values = np.asarray(values).reshape(len(ys), len(xs))
    filled = ax.contourf(xs, ys, values, levels=levels, cmap=GROUND, norm=norm, extend="both")
    if line is not None:
        ax.contour(xs, ys, values, levels=[line], colors="black", linewidths=2)
    ax.set_aspect("equal")
    ax.grid(visible=False)
    return filled


def class_points(x, labels, ax, size=26):
    """Draw points [N, 2] of class 0, blue circles, and 1, vermillion triangles, edged in black."""
    if np.shape(labels) != (len(x),) or not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1, one for each point")
    for k in (0, 1):
        ax.scatter(
            *x[labels == k].T, s=size, c=PALETTE[k], marker=MARKERS[k], label=f"class {k}",
            edgecolors="black", linewidths=0.02 * size,
        )  # fmt: skip


def boundary_figure(probability, x, labels, size=26, colour_bar=True, ax=None):
    """Draw P(class 1) over the plane, the boundary where it is one half, and the points.

    Parameters
    ----------
    probability : maps points [N, 2] to P(class 1) [N].
    x, labels : ndarray [N, 2], [N], the points to draw.
    size : of the points, in square points.
    """
    ax = axes_or_new(ax, height=4.0)
    points, xs, ys = plane_grid(*LIMITS)
    filled = field(xs, ys, _of_points(probability, points), LEVELS, ax, line=0.5)
    class_points(x, labels, ax, size=size)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=LIMITS[0], ylim=LIMITS[1])
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2,
        markerscale=(26 / size) ** 0.5,
    )  # fmt: skip
    if colour_bar:
        ax.figure.colorbar(filled, ax=ax, label="P(class 1)", shrink=0.8, ticks=LEVELS[::2])
    return ax.figure


def _of_points(probability, points):
    """Return P(class 1) of points [N, 2], [N]."""
    p = np.asarray(probability(points))
    if p.shape != (len(points),) or (p < 0).any() or (p > 1).any():
        raise ValueError("probability must map N points to as many numbers between 0 and 1")
    return p


def class_1_probability(network):
    """Return the function from points [N, 2] to P(class 1) [N] of a network with two scores.

    The softmax of two scores is the logistic sigmoid of their difference.
    """

    def probability(points):
        scores = predict(network, points)
        return expit(scores[:, 1] - scores[:, 0])

    return probability


def boundary_frame(network, x, labels, title):
    """Draw a network's decision boundary for an animation: uint8 [height, width, 3]."""
    figure, ax = new_figure(width=5, height=3.9)
    boundary_figure(class_1_probability(network), x, labels, colour_bar=False, ax=ax)
    ax.set_title(title, loc="right")
    return to_pixels(figure)


# ---------------------------------------------------------------------- pixel by pixel


@cache
def pixel_points():
    """Return the points of the plane at the middles of the pixels, [H, W, 2], the top row first."""
    half = 0.5 / SCALE
    inside = [(low + half, high - half) for low, high in LIMITS]
    points, xs, ys = plane_grid(*inside, step=1 / SCALE)
    return points.reshape(len(ys), len(xs), 2)[::-1]


def points_layer(x, labels):
    """Draw points on nothing, to lie over `plane_pixels`: uint8 RGBA [H, W, 4]."""
    height, width, _ = pixel_points().shape
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    figure.patch.set_alpha(0)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.axis("off")
    class_points(x, labels, ax, size=18)
    ax.set(xlim=LIMITS[0], ylim=LIMITS[1])
    return to_pixels(figure, channels=4)


def plane_pixels(probability, layer=None):
    """Paint P(class 1) over the plane, without axes and fast enough for many frames.

    Parameters
    ----------
    probability : maps points [N, 2] to P(class 1) [N].
    layer : ndarray of uint8, [H, W, 4], from `points_layer`.

    Returns
    -------
    ndarray of uint8, [H, W, 3]: ten levels, the boundary in black, grey where there is no number
    """
    points = pixel_points()
    p = _of_points(probability, points.reshape(-1, 2)).reshape(points.shape[:2])
    colours = (255 * GROUND(np.linspace(0, 1, len(LEVELS) + 1))[:, :3]).round().astype(np.uint8)
    pixels = colours[np.digitize(p, LEVELS)]
    pixels[np.isnan(p)] = 160  # grey
    above = p > 0.5
    edge = np.zeros_like(above)
    edge[:, :-1] |= above[:, 1:] != above[:, :-1]
    edge[:-1] |= above[1:] != above[:-1]
    edge[:, 1:] |= edge[:, :-1]  # two pixels wide
    pixels[edge] = 0
    if layer is None:
        return pixels
    image = Image.fromarray(pixels).convert("RGBA")
    image.alpha_composite(Image.fromarray(layer))
    return np.asarray(image.convert("RGB"))


# ------------------------------------------------------------------------ hidden units


def hidden_units(network):
    """Draw what each hidden unit of a network adds to the score difference, and the sum of all.

    The units go from the largest of the `contributions` to the smallest, each with the line on
    which it adds nothing; the last plane is the sum with the biases, and its line the decision
    boundary.
    """
    points, xs, ys = plane_grid(*LIMITS, step=0.05)
    parts, bias = contributions(network, points)  # [N, H], float
    order = np.argsort(-np.ptp(parts, axis=0), kind="stable")
    planes = [(f"unit {h + 1}", parts[:, h]) for h in order] + [("sum", parts.sum(axis=1) + bias)]
    rows = -(-len(planes) // 4)
    figure, axes = new_figure(rows, 4, height=1.35 * rows + 1, sharex=True, sharey=True)
    levels = [-6, -4, -2, -1, -0.5, 0.5, 1, 2, 4, 6]
    norm = BoundaryNorm(levels, GROUND.N, extend="both")
    for ax, (title, values) in zip(axes.flat, planes, strict=False):
        filled = field(xs, ys, values, levels, ax, line=0, norm=norm)
        ax.set(title=title, xlabel="$x_1$", ylabel="$x_2$")
        ax.label_outer()
    for ax in axes.flat[len(planes) :]:
        ax.axis("off")
    figure.colorbar(
        filled, ax=axes, location="bottom", shrink=0.9, aspect=40, format="{x:g}",
        label="added to $s_1 - s_0$",
    )  # fmt: skip
    return figure


def contributions(network, points):
    """Split the score difference `s_1 - s_0` of a network with one hidden layer into its terms.

    Returns what each hidden unit adds to it at the points [N, 2], ndarray [N, H], and what the
    output biases add.
    """
    first, activation, last = network.layers
    hidden = activation.forward(first.forward(points))  # [N, H]
    parts = hidden * (last.weight[:, 1] - last.weight[:, 0])
    return parts, float(last.bias[1] - last.bias[0])
