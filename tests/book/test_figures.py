"""Figures show the numbers that they are given."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from helpers.analysis.stats import Interval
from helpers.book import decision_boundary, figures
from helpers.networks.mlp import mlp


def test_a_notebook_shows_a_figure_once():
    before = plt.get_fignums()  # pyplot shows every figure that it knows by itself
    figure = figures.image_grid(np.zeros((2, 8, 8)), columns=2)
    assert plt.get_fignums() == before and figure._repr_png_().startswith(b"\x89PNG")


def test_no_two_lines_differ_by_colour_alone_and_none_is_pale():
    lines = figures.curves([0, 1], {str(i): [i, i] for i in range(6)}).axes[0].lines
    assert len({str(line._dash_pattern) for line in lines}) == 6
    assert len({line.get_color() for line in lines}) == 6
    for colour in figures.PALETTE:
        assert np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) < 0.72


def test_curves_draw_mean_and_range_over_runs():
    runs = np.array([[1.0, 3.0, np.nan], [3.0, 5.0, np.nan]])
    (ax,) = figures.curves([0, 1, 2], {"two": runs, "one": [1.0, 2.0, 3.0]}).axes
    two, one = ax.lines
    assert two.get_xdata().tolist() == [0, 1]  # what was not measured is not drawn
    assert two.get_ydata().tolist() == [2.0, 4.0]
    (band,) = ax.collections
    assert band.get_paths()[0].get_extents().bounds == (0.0, 1.0, 1.0, 4.0)
    assert one.get_ydata().tolist() == [1.0, 2.0, 3.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["two", "one"]
    runs = {"all": [[1, np.nan, 3], [4, 5, 6]]}
    (ax,) = figures.curves([0, 1, 2], runs, each=True).axes
    found = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines]
    assert found == [([0, 2], [1, 3]), ([0, 1, 2], [4, 5, 6])]


def test_each_interval_is_in_its_place_and_what_diverged_is_marked():
    intervals = {"a": Interval(0.5, 0.4, 0.7, 3), "b": Interval(0.9, 0.8, 0.95, 3)}
    (ax,) = figures.interval_plot(intervals, "accuracy", reference=0.6).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.yaxis_inverted()
    points, _, (bars,) = ax.containers[0]
    assert points.get_xdata().tolist() == [0.5, 0.9]
    ends = [segment[:, 0] for segment in bars.get_segments()]
    assert np.allclose(ends, [[0.4, 0.7], [0.8, 0.95]])
    figure = figures.sweep([0.1, 1, 10], [None, Interval(0.5, 0.4, 0.7, 3), None], "rate", "loss")
    points, crosses = figure.axes[0].lines[0], figure.axes[0].lines[-1]
    assert points.get_xdata().tolist() == [1] and points.get_ydata().tolist() == [0.5]
    assert crosses.get_label() == "diverged" and crosses.get_xdata().tolist() == [0.1, 10]


def test_every_image_has_its_place_and_every_confusion_its_count():
    images = np.random.default_rng(0).random((7, 4, 4))
    axes = figures.image_grid(images, titles=list("abcdefg"), columns=3).axes
    assert np.array_equal([ax.images[0].get_array() for ax in axes[:7]], images)
    assert [ax.get_title() for ax in axes] == [*"abcdefg", "", ""]
    (ax,) = figures.confusion_matrix(np.array([[5, 2], [0, 7]])).axes
    assert [text.get_text() for text in ax.texts] == ["5", "2", "·", "7"]
    assert ax.images[0].get_array().tolist() == [[0, 2], [0, 0]]


def test_reliability_groups_by_confidence_from_the_lowest_on():
    for sure, right, at, shares in (
        ([0.5, 0.93, 0.92, 1.0], [10, 18, 18, 20], [0.5, 0.925, 1], [0.5, 0.9, 1]),
        ([1.0], [15], [1], [0.75]),
    ):
        correct = np.concatenate([np.arange(20) < count for count in right])
        (ax,) = figures.reliability(np.repeat(sure, 20), correct).axes
        line = ax.containers[0].lines[0]
        assert np.allclose(line.get_xdata(), at) and np.allclose(line.get_ydata(), shares)


def right_of(place):
    return lambda points: 1 / (1 + np.exp(-4 * (points[:, 0] - place)))


def test_decision_boundary_lies_where_probability_is_one_half():
    x, labels = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1])
    ax = decision_boundary.boundary_figure(right_of(0.7), x, labels).axes[0]
    line = [c for c in ax.collections if getattr(c, "levels", None) is not None][1]
    assert line.levels.tolist() == [0.5]
    assert np.allclose(line.get_paths()[0].vertices[:, 0], 0.7, atol=1e-3)
    assert [ax.collections[-2 + k].get_offsets().tolist() for k in labels] == [[[0, 0]], [[1, 1]]]


def test_painted_pixels_have_their_boundary_and_their_points_at_the_same_place():
    (left, _), (_, top) = decision_boundary.LIMITS
    layer = decision_boundary.points_layer(np.array([[2.0, 1.0]]), np.array([1]))
    pixels = decision_boundary.plane_pixels(right_of(0.7), layer)
    black = (pixels == 0).all(axis=2).mean(axis=0) > 0.9  # columns
    assert np.allclose(np.flatnonzero(black) / decision_boundary.SCALE + left, 0.7, atol=0.03)
    row, column = (round(d * decision_boundary.SCALE) for d in (top - 1.0, 2.0 - left))
    assert (pixels[row, column] == (0xD5, 0x5E, 0x00)).all()  # vermillion
    pixels = decision_boundary.plane_pixels(lambda at: np.where(at[:, 0] > 2, np.nan, at[:, 1] > 0))
    (red, _, blue), right = pixels.T.astype(int), pixels[:, -5]
    assert (red > blue)[5, 5] and (red < blue)[5, -5]  # class 1 above, class 0 below
    assert (right == 160).all()  # grey where there is no number


def test_contributions_add_up_to_the_score_difference_and_the_largest_is_drawn_first():
    network = mlp((2, 4, 2), "tanh", np.random.default_rng(0), dtype=np.float64)
    network.dense_layers[1].bias[:] = 0.5, 2.0
    points = np.random.default_rng(1).normal(size=(7, 2))
    parts, bias = decision_boundary.contributions(network, points)
    scores = network.forward(points)
    assert parts.shape == (7, 4) and bias == 1.5
    assert np.allclose(parts.sum(axis=1) + bias, scores[:, 1] - scores[:, 0])
    probability = decision_boundary.class_1_probability(network)(points)
    assert np.allclose(probability, np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1))
    network.dense_layers[1].weight[:, 1] += [0.0, 10.0, 5.0, 0.0]
    titles = [ax.get_title() for ax in decision_boundary.hidden_units(network).axes]
    assert titles[:2] == ["unit 2", "unit 3"] and titles[4] == "sum"
