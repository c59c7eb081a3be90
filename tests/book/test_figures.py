"""Figures show the numbers that they are given; tables turn them into the same text."""

from types import SimpleNamespace

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from data_prep.toy_voc import draw_set
from helpers.analysis.stats import Interval
from helpers.book import decision_boundary, figures
from helpers.networks.mlp import mlp


def record(seed=0, accuracy=0.9, history=None, data="the same"):
    return SimpleNamespace(
        experiment="trial",
        seed=seed,
        data_checksum=data,
        wall_seconds=2.0,
        metrics={"eval_accuracy": accuracy},
        history=history or {"epoch": [0, 10], "loss": [1.0, 0.5 + seed], "eval_loss": [None, 0.6]},
    )


# -------------------------------------------------------------------------- figures


def test_a_notebook_shows_a_figure_once():
    before = plt.get_fignums()  # pyplot shows every figure that it knows by itself
    figure = figures.curves([0, 1], {"a": [1, 2]})
    assert plt.get_fignums() == before
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure._repr_jpeg_() is None


def test_a_figure_with_photographs_is_shown_once_and_is_smaller():
    scenes, _ = draw_set(first=0, count=2, size=160)
    figure = figures.image_grid(scenes, columns=2)
    png = figure._repr_png_()
    assert figures.photographic(figure) is figure and figure._repr_png_() is None
    jpeg = figure._repr_jpeg_()
    assert jpeg.startswith(b"\xff\xd8") and len(jpeg) < len(png)


def test_curves_draw_mean_and_range_over_runs():
    runs = np.array([[1.0, 3.0, np.nan], [3.0, 5.0, np.nan]])
    figure = figures.curves([0, 1, 2], {"two": runs, "one": [1.0, 2.0, 3.0]}, ylabel="loss")
    (ax,) = figure.axes
    two, one = ax.lines
    assert two.get_xdata().tolist() == [0, 1]  # what was not measured is not drawn
    assert two.get_ydata().tolist() == [2.0, 4.0]
    (band,) = ax.collections
    assert band.get_paths()[0].get_extents().bounds == (0.0, 1.0, 1.0, 4.0)
    assert one.get_ydata().tolist() == [1.0, 2.0, 3.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["two", "one"]


def test_curves_can_draw_every_run():
    figure = figures.curves([0, 1], {"all": [[1.0, 2.0], [3.0, 4.0]], "b": [0.0, 0.0]}, each=True)
    (ax,) = figure.axes
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 2], [3, 4], [0, 0]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["all", "b"]


def test_a_gap_in_one_run_is_no_gap_in_the_others():
    figure = figures.curves([0, 1, 2], {"all": [[1, np.nan, 3], [4, 5, 6]]}, each=True)
    (ax,) = figure.axes
    assert [line.get_xdata().tolist() for line in ax.lines] == [[0, 2], [0, 1, 2]]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 3], [4, 5, 6]]


def test_no_two_lines_differ_by_colour_alone():
    figure = figures.curves([0, 1], {str(i): [i, i] for i in range(6)})
    styles = [str(line._dash_pattern) for line in figure.axes[0].lines]
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert len(set(styles)) == len(set(colours)) == 6


def test_colours_of_the_palette_differ_in_lightness_from_white():
    for colour in figures.PALETTE:
        red, green, blue = to_rgb(colour)
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.72


def test_interval_plot_puts_each_setting_on_its_row():
    intervals = {"a": Interval(0.5, 0.4, 0.7, 3), "b": Interval(0.9, 0.8, 0.95, 3)}
    (ax,) = figures.interval_plot(intervals, "accuracy", reference=0.6).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.yaxis_inverted()
    points, bars = ax.containers[0][0], ax.containers[0][2][0]
    assert points.get_xdata().tolist() == [0.5, 0.9]
    assert np.allclose(
        [segment[:, 0] for segment in bars.get_segments()], [[0.4, 0.7], [0.8, 0.95]]
    )


def test_sweep_marks_what_diverged():
    figure = figures.sweep([0.1, 1, 10], [Interval(0.5, 0.4, 0.6, 3), None, None], "rate", "loss")
    (ax,) = figure.axes
    crosses = [line for line in ax.lines if line.get_label() == "diverged"]
    assert crosses[0].get_xdata().tolist() == [1, 10]


def test_plane_grid_covers_its_rectangle_row_by_row():
    points, xs, ys = decision_boundary.plane_grid((0, 1), (-1, 1), step=0.5)
    assert xs.tolist() == [0, 0.5, 1] and ys.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert points[:4].tolist() == [[0, -1], [0.5, -1], [1, -1], [0, -0.5]]
    assert len(points) == 15


def test_decision_boundary_lies_where_probability_is_one_half():
    figure = decision_boundary.boundary_figure(
        lambda points: 1 / (1 + np.exp(-4 * (points[:, 0] - 0.7))),
        np.array([[0.0, 0.0], [1.0, 1.0]]),
        np.array([0, 1]),
    )
    line = [c for c in figure.axes[0].collections if getattr(c, "levels", None) is not None][1]
    assert line.levels.tolist() == [0.5]
    assert np.allclose(line.get_paths()[0].vertices[:, 0], 0.7, atol=1e-3)


def test_contributions_add_up_to_the_score_difference():
    network = mlp((2, 10, 2), "tanh", np.random.default_rng(0), dtype=np.float64)
    network.dense_layers[1].bias[:] = 0.5, 2.0
    points = np.random.default_rng(1).normal(size=(7, 2))
    parts, bias = decision_boundary.contributions(network, points)
    scores = network.forward(points)
    assert parts.shape == (7, 10) and bias == 1.5
    assert np.allclose(parts.sum(axis=1) + bias, scores[:, 1] - scores[:, 0])
    probability = decision_boundary.class_1_probability(network)(points)
    assert np.allclose(probability, np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1))


def test_hidden_units_are_drawn_from_the_largest_to_the_smallest():
    network = mlp((2, 4, 2), "tanh", np.random.default_rng(0), dtype=np.float64)
    network.dense_layers[1].weight[:, 1] += [0.0, 10.0, 5.0, 0.0]
    figure = decision_boundary.hidden_units(network)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles[:2] == ["unit 2", "unit 3"] and titles[-1] == "sum"
    assert len(titles) == 5
    planes_drawn = np.array(figure.axes[:6]).reshape(2, 3)
    assert [ax.get_ylabel() for ax in planes_drawn[:, 0]] == ["$x_2$"] * 2
    assert [ax.get_xlabel() for ax in planes_drawn[1]] == ["$x_1$"] * 3


def test_directions_do_not_count_which_side_is_high():
    network = mlp((2, 4, 2), "tanh", np.random.default_rng(0), dtype=np.float64)
    network.layers[0].weight[:] = [[2, 0, 1, -1], [0, -3, 1, -1]]
    assert np.allclose(decision_boundary.directions(network), [0, 90, 45, 45])


def test_boundary_frames_are_of_one_size():
    network = mlp((2, 3, 2), "tanh", np.random.default_rng(0), dtype=np.float64)
    x, labels = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    shapes = {
        decision_boundary.boundary_frame(network, x, labels, f"{i:,}").shape for i in (1, 5000)
    }
    assert len(shapes) == 1


def test_image_grid_has_a_place_for_each_image():
    figure = figures.image_grid(np.zeros((7, 4, 4)), titles=list("abcdefg"), columns=3)
    assert len(figure.axes) == 9
    assert [ax.get_title() for ax in figure.axes] == [*"abcdefg", "", ""]
    assert not any(ax.axison for ax in figure.axes)


def test_confusion_matrix_writes_every_count_and_colours_mistakes_only():
    counts = np.array([[5, 2], [0, 7]])
    (ax,) = figures.confusion_matrix(counts, names=["cat", "dog"]).axes
    assert [text.get_text() for text in ax.texts] == ["5", "2", "·", "7"]
    assert ax.images[0].get_array().tolist() == [[0, 2], [0, 0]]
    assert ax.get_ylabel() == "true class"


def test_reliability_groups_by_confidence():
    confidence = np.repeat([0.6, 0.9, 1.0], 50)
    correct = np.r_[np.arange(50) < 25, np.arange(50) < 45, np.ones(50, bool)]
    (ax,) = figures.reliability(confidence, correct, bins=4).axes
    (points,) = ax.containers
    line, _, (bars,) = points.lines
    assert np.allclose(line.get_xdata(), [0.6, 0.95])  # 0.9 and 1 fall into the last group
    assert np.allclose(line.get_ydata(), [0.5, 0.95])
    (low, high), _ = (segment[:, 1] for segment in bars.get_segments())
    assert low < 0.5 < high and np.isclose(low + high, 1)


def test_reliability_of_a_network_that_is_always_sure():
    (ax,) = figures.reliability(np.ones(20), np.arange(20) < 15).axes
    line, *_ = ax.containers[0].lines
    assert line.get_xdata().tolist() == [1.0] and line.get_ydata().tolist() == [0.75]


def test_pixels_of_a_figure():
    figure, _ = figures.new_figure(width=2, height=1)
    pixels = figures.to_pixels(figure)
    assert pixels.dtype == np.uint8 and pixels.shape == (130, 260, 3)
    assert (pixels[0, 0] == 255).all()
