"""What the networks see is drawn as it is: every square, patch, map and share of attention."""

import numpy as np
import pytest
import torch
from legible import assert_legible, words
from matplotlib.patches import Rectangle

from helpers.analysis.layers import nested_squares, receptive_fields
from helpers.book import views
from helpers.data.datasets import load_mnist
from helpers.networks.lenet import LeNet
from helpers.networks.probes import attention_maps
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11
from helpers.networks.vit import ViT

IMAGE = load_mnist("embedded").x[5]
COLOURS = np.random.default_rng(0).integers(0, 256, (3, 32, 32)).astype(np.uint8)


def arrays(ax):
    return [np.asarray(shown.get_array()) for shown in ax.images]


def test_as_batch():
    assert views.as_batch(IMAGE).shape == (1, 1, 28, 28)
    assert views.as_batch(COLOURS).shape == (1, 3, 32, 32)
    assert views.as_batch(np.array([[0, 255]], np.uint8)).tolist() == [[[[-1, 1]]]]


# ------------------------------------------------------------------ receptive fields


@pytest.mark.parametrize(
    ("image", "model", "sides"),
    [
        (IMAGE, LeNet(), [5, 6, 14, 16]),
        (COLOURS, LeNet(3, 32), [5, 6, 14, 16]),
        (IMAGE, VGG11(width=1, hidden=8), [3, 4, 8, 10, 18, 26]),
        (IMAGE, ResNet18(width=1), [7, 11, 27]),
        (IMAGE, ResNet18(width=1, stem="3x3"), [3, 7, 11, 17, 25]),
    ],
    ids=["LeNet", "LeNet, colours", "VGG-11", "ResNet-18", "ResNet-18, 3×3"],
)
def test_the_squares_are_the_receptive_fields(image, model, sides):
    figure = views.receptive_field_figure(image, model)
    assert_legible(figure)
    (ax,) = figure.axes
    border, *drawn = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert border.get_width() == image.shape[-1]
    assert [(square.get_width(), square.get_height()) for square in drawn] == [
        (side, side) for side in sides
    ]
    size = image.shape[-1]
    rows = receptive_fields(model, 1 if image.ndim == 2 else 3, size)[: len(sides)]
    corners = [(left - 0.5, top - 0.5) for top, left, _ in nested_squares(rows)]
    assert [square.get_xy() for square in drawn] == corners
    assert len({square.get_linestyle() for square in drawn}) > 1 or len(drawn) == 1
    labels = words(figure)
    assert [label.split(":")[0] for label in labels][: len(sides)] == [f"{s}×{s}" for s in sides]
    assert any(label.startswith("whole image") for label in labels) == (
        not isinstance(model, LeNet)
    )


# --------------------------------------------------------------------------- patches


def test_patches_and_strips_are_what_the_network_gets():
    figure = views.patches_figure(IMAGE)
    assert_legible(figure)
    assert words(figure) == [
        "16 squares", "16 strips", "as the network sees them", "as the network sees them",
    ]  # fmt: skip
    squares, strips = (arrays(ax) for ax in figure.axes[2:])
    assert len(squares) == len(strips) == 16
    for k in range(16):
        y, x = 7 * (k // 4), 7 * (k % 4)
        assert np.array_equal(squares[k], IMAGE[y : y + 7, x : x + 7])
        assert np.array_equal(strips[k].ravel(), IMAGE.ravel()[49 * k : 49 * (k + 1)])


def test_neighbouring_pieces_differ_in_tint_and_have_a_border():
    figure = views.patches_figure(IMAGE)
    for ax, count in zip(figure.axes[:2], (3 * 28 * 2, 15 * 28 + 12), strict=True):
        _, tint = arrays(ax)
        tinted = tint[..., 3] > 0
        (borders,) = ax.collections
        segments = borders.get_segments()
        assert len(segments) == count
        for (x0, y0), (x1, y1) in segments:
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            step = (0.5, 0) if x0 == x1 else (0, 0.5)
            before = tinted[round(y - step[1]), round(x - step[0])]
            assert before != tinted[round(y + step[1]), round(x + step[0])]


# ---------------------------------------------------------------------- feature maps


@pytest.mark.parametrize(
    ("model", "image"), [(LeNet(), IMAGE), (LeNet(3, 32), COLOURS)], ids=["grey", "colours"]
)
def test_feature_maps_are_the_model_s(model, image):
    figure = views.feature_maps_figure(model.train(), image)
    assert_legible(figure)
    shown = [arrays(ax)[0] for ax in figure.axes if ax.get_label() != "<colorbar>"]
    side = image.shape[-1]
    assert len(shown) == 1 + 6 + 6 + 16
    batch = views.as_batch(image)
    with torch.inference_mode():
        first = model.features[1](model.features[0](batch))[0]
        second = model.features[:5](batch)[0]
    weights = model.features[0].weight.detach().mean(dim=1)
    assert np.array_equal(shown[1:7], weights)
    assert np.allclose(shown[7:13], first, atol=1e-6)
    assert np.allclose(shown[13:], second, atol=1e-6)
    assert words(figure)[:4] == [
        "the image", "6 filters of 5×5", f"6 maps of {side}×{side}, first convolution",
        f"16 maps of {side // 2 - 4}×{side // 2 - 4}, second convolution",
    ]  # fmt: skip


# -------------------------------------------------------------------------- attention


def test_attention_is_the_class_token_s():
    maps = attention_maps(ViT(), views.as_batch(IMAGE))[0, 0]  # [8, 17, 17]
    figure = views.attention_figure(maps, IMAGE)
    assert_legible(figure)
    panels = figure.axes[:8]
    for head, ax in enumerate(panels):
        patches, ink = arrays(ax)
        assert np.allclose(patches, maps[head, 0, 1:].reshape(4, 4))
        assert np.allclose(ink[..., 3], IMAGE / 255)
        own = f"{maps[head, 0, 0]:.0%}"
        assert ax.get_title() == f"head {head + 1}\n{own} to itself"
        assert ax.images[0].get_extent() == ax.images[1].get_extent()


def test_panels_without_a_head_stay_empty():
    weights = torch.full((5, 17, 17), 1 / 17)
    figure = views.attention_figure(weights, IMAGE)
    assert [len(ax.images) for ax in figure.axes[:8]] == [2] * 5 + [0] * 3


def test_positions_are_compared_by_their_direction():
    positions = torch.zeros(1, 17, 3)
    positions[0, 1:, 0] = torch.arange(1, 17)  # all in one direction, of different lengths
    positions[0, 1] = torch.tensor([0.0, 2.0, 0.0])  # the first patch's stands across
    positions[0, 16] *= -1  # the last one's is opposite
    figure = views.position_similarity_figure(positions)
    assert_legible(figure)
    first, second = (arrays(ax)[0] for ax in figure.axes[:2])
    assert np.allclose(first.ravel(), [1] + 15 * [0])
    assert np.allclose(second.ravel(), [0] + 14 * [1] + [-1])
    dots = [ax.lines[0].get_xydata()[0].tolist() for ax in figure.axes[:16]]
    assert dots == [[k % 4, k // 4] for k in range(16)]
