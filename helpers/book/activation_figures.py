"""The figures of practice 5, from recorded batches and from trained networks."""

import numpy as np
import torch
from matplotlib.ticker import NullLocator

from helpers.analysis.activations import FITTING, recorded_extrapolation
from helpers.book import activation_frames as frames
from helpers.book.decision_boundary import LIMITS
from helpers.book.figures import BLACK, SEQUENTIAL, axes_or_new, curves, new_figure, sweep
from helpers.claims.activation_rules import label
from helpers.networks.ensemble import PIECEWISE_LINEAR, linear_map, linear_regions
from helpers.runs.experiments import recorded_ensemble

LAYERS = ("first layer", "second layer", "last layer")
INSIDE = 1  # where the abscissa, which is logarithmic, shows what is measured inside the data


def planes(networks, titles, columns=3):
    """Draw what several networks make of the plane, in small.

    Parameters
    ----------
    networks : sequence of MLPEnsemble
        Each with one network.
    titles : sequence of str

    Returns
    -------
    Figure
    """
    rows = -(-len(networks) // columns)
    figure, axes = new_figure(rows, columns, height=1.75 * rows, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, some, title in zip(axes.flat, networks, titles, strict=False):
        ax.imshow(frames.frame(some), interpolation="antialiased")
        ax.set_title(title, fontsize=12)
    return figure


def gradients(names, titles=None):
    """Draw the length of each layer's gradient over the training, one panel a study.

    Parameters
    ----------
    names : sequence of (combination, setting)
    titles : sequence of str, optional

    Returns
    -------
    Figure
        Medians over the seeds; a layer without any gradient lies on the bottom line.
    """
    figure, axes = new_figure(1, len(names), height=3.4, sharey=True)
    lowest = 1e-4  # stands for none
    for ax, study, title in zip(np.atleast_1d(axes), names, titles or names, strict=True):
        history = recorded_ensemble(*study).history
        steps = np.array(history["iteration"]) + 1
        lengths = {
            name: np.maximum(np.array(history[f"gradient_{k + 1}"], dtype=float), lowest)
            for k, name in enumerate(LAYERS)
        }
        curves(steps, lengths, xlabel="iteration", log=True, ax=ax)
        ax.set(xscale="log", ylim=(lowest / 1.5, None), title=title)
        ax.get_legend().remove()
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("length of the gradient")
    first.set_yticks([lowest, 1e-3, 1e-2, 1e-1, 1], ["none", "0.001", "0.01", "0.1", "1"])
    handles, labels = first.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def draw_linear_regions(networks, title="", arrows=14, ax=None):
    """Draw the linear regions of a network, and the slope of its logit on the largest.

    Parameters
    ----------
    networks : MLPEnsemble
        One, of a combination in `helpers.networks.ensemble.PIECEWISE_LINEAR`.
    title : str
    arrows : int
        On how many of the largest regions an arrow shows the slope's direction.
    ax : Axes, optional

    Returns
    -------
    Figure
    """
    ax = axes_or_new(ax, height=4.4)
    points = frames.pixel_grid()
    grid = torch.tensor(points, dtype=torch.float32)
    codes = linear_regions(networks, grid)[0].numpy().reshape(frames.HEIGHT, frames.WIDTH)
    image = frames.frame(networks).copy()
    border = np.zeros_like(codes, dtype=bool)
    border[:, 1:] |= codes[:, 1:] != codes[:, :-1]
    border[1:] |= codes[1:] != codes[:-1]
    image[border] = image[border] // 2
    extent = (*LIMITS[0], *LIMITS[1])
    ax.imshow(image, extent=extent, interpolation="antialiased")
    found, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    largest = np.argsort(-counts)[:arrows]
    middles = np.array([points[where.ravel() == k].mean(axis=0) for k in largest])
    nearest = [
        np.argmin(((points - m) ** 2).sum(1) + 1e9 * (where.ravel() != k))
        for k, m in zip(largest, middles, strict=True)
    ]
    slope = linear_map(networks, grid[nearest])[0][0].numpy()
    slope /= np.linalg.norm(slope, axis=1, keepdims=True) + 1e-12
    at = points[nearest]
    ax.quiver(
        *at.T, *slope.T, angles="xy", scale_units="xy", scale=3.2, width=0.008, color=BLACK,
        pivot="middle",
    )  # fmt: skip
    ax.grid(visible=False)
    ax.set(xlim=LIMITS[0], ylim=LIMITS[1], xticks=[], yticks=[])
    ax.set_title(f"{title}: {len(found)} regions" if title else f"{len(found)} regions")
    return ax.figure


def region_counts():
    """Draw how many linear regions the networks have over the training, from the records."""
    found = {
        label(name): np.array(recorded_ensemble(name).history["regions"], dtype=float)
        for name in PIECEWISE_LINEAR
    }
    steps = np.array(recorded_ensemble("relu").history["iteration"]) + 1
    figure = curves(steps, found, xlabel="iteration", ylabel="linear regions in sight", log=True)
    (ax,) = figure.axes
    ax.set_xscale("log")
    ax.set_yticks([100, 200, 300, 400], ["100", "200", "300", "400"])
    ax.yaxis.set_minor_locator(NullLocator())
    return figure


def agreement():
    """Draw how often two networks agree, by their distance from the data."""
    found = recorded_extrapolation()["agreement"]
    at = [distance or INSIDE for distance in found]
    labels = {"xlabel": "distance from the middle of the data", "ylabel": "agreement"}
    ax = axes_or_new(None)
    for i, (kind, words) in enumerate(
        (("within", "two seeds, one activation"), ("between", "two activations"))
    ):
        intervals = [getattr(each, kind) for each in found.values()]
        sweep(at, intervals, **labels, label=words, index=i, ax=ax)
    ax.axhline(0.5, color=BLACK, linestyle=":", label="tossing a coin")
    ax.set_xticks(at, ["inside", *map(str, list(found)[1:])])
    ax.minorticks_off()
    ax.set_ylim(0.45, 1.02)
    ax.legend()
    return ax.figure


def pairs(distance=8):
    """Draw how often two networks of any two activations agree at a distance, as a matrix."""
    table, names = recorded_extrapolation()["pairs"][distance], [label(name) for name in FITTING]
    ax = axes_or_new(None, height=5.6)
    ax.imshow(table, cmap=SEQUENTIAL, vmin=0.4, vmax=1)
    for (i, j), share in np.ndenumerate(table):
        ax.text(j, i, f"{share:.2f}"[1:] if share < 0.995 else "1", ha="center", va="center",
                fontsize=12, color="white" if share > 0.75 else "black")  # fmt: skip
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    ax.grid(visible=False)
    return ax.figure
