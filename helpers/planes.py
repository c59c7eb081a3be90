"""Figures of functions on the plane: what a network with two inputs makes of every point.

In the style of `helpers.figures`, and with its conventions.
"""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from helpers.figures import BLUE, MARKERS, VERMILLION, axes_or_new

#: From class 0 (blue) through white to class 1 (vermillion), pale enough for points of both
#: colours to stand out.
GROUND = LinearSegmentedColormap.from_list("book-ground", ["#7FB8DB", "#FFFFFF", "#ECAF80"])

#: What of the half-moons' plane is shown: the points and a margin.
LIMITS = ((-2.1, 3.1), (-1.6, 2.1))


def plane_grid(x_limits, y_limits, step=0.02):
    """Return points [rows * columns, 2] that cover a rectangle, and their two axes.

    Parameters
    ----------
    x_limits, y_limits : (float, float)
        The rectangle.
    step : float
        Distance between neighbours.

    Returns
    -------
    points : ndarray [rows * columns, 2]
    xs, ys : ndarray [columns], [rows]
    """
    xs = np.arange(x_limits[0], x_limits[1] + step / 2, step)
    ys = np.arange(y_limits[0], y_limits[1] + step / 2, step)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2), xs, ys


def field(xs, ys, values, levels, ax, colours=GROUND, line=None):
    """Fill the plane by discrete levels of `values`, and draw one level as a line.

    Parameters
    ----------
    xs, ys : ndarray [columns], [rows]
    values : ndarray [rows * columns]
        At the points of `plane_grid`.
    levels : sequence of float
        Borders of the levels; what lies outside takes the first or last colour.
    ax : Axes
    colours : Colormap
    line : float, optional
        The level to draw in black, for example the decision boundary.

    Returns
    -------
    QuadContourSet
        For a colour bar.
    """
    values = np.asarray(values).reshape(len(ys), len(xs))
    filled = ax.contourf(xs, ys, values, levels=levels, cmap=colours, extend="both")
    if line is not None:
        ax.contour(xs, ys, values, levels=[line], colors="black", linewidths=2)
    ax.set_aspect("equal")
    ax.grid(visible=False)
    return filled


def class_points(x, labels, ax, names=("class 0", "class 1"), size=26):
    """Draw points of two classes: blue circles and vermillion triangles, edged in black."""
    for k, (name, colour) in enumerate(zip(names, (BLUE, VERMILLION), strict=True)):
        chosen = x[labels == k]
        ax.scatter(
            chosen[:, 0], chosen[:, 1], s=size, c=colour, marker=MARKERS[k], label=name,
            edgecolors="black", linewidths=0.6,
        )  # fmt: skip


def decision_boundary(probability, x, labels, limits=LIMITS, colour_bar=True, ax=None):
    """Draw P(class 1) over the plane, the boundary where it is one half, and the points.

    Parameters
    ----------
    probability : callable
        Maps points [N, 2] to P(class 1) [N].
    x, labels : ndarray [N, 2], [N]
        The points to draw.
    limits : ((float, float), (float, float))
        The rectangle to show.
    colour_bar : bool
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    ax = axes_or_new(ax, height=4.0)
    points, xs, ys = plane_grid(*limits)
    levels = np.linspace(0.1, 0.9, 9)
    filled = field(xs, ys, probability(points), levels, ax, line=0.5)
    class_points(x, labels, ax)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=limits[0], ylim=limits[1])
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    if colour_bar:
        ax.figure.colorbar(filled, ax=ax, label="P(class 1)", shrink=0.8, ticks=levels[::2])
    return ax.figure
