"""Pictures of networks show their layers, and every square, patch, map and share of attention."""

import numpy as np
import pytest
import torch
from legible import words
from matplotlib.patches import Rectangle

from helpers.analysis.layers import layers, nested_squares, receptive_fields, shape_text
from helpers.book import pictures
from helpers.data.datasets import load_mnist
from helpers.networks.lenet import LeNet
from helpers.networks.probes import attention_maps
from helpers.networks.vgg import VGG11
from helpers.networks.vit import ViT

IMAGE = load_mnist("embedded").x[5]


def arrays(ax):
    return [np.asarray(shown.get_array()) for shown in ax.images]


@pytest.mark.parametrize("build", [LeNet, VGG11])
def test_a_network_s_layers_are_drawn_in_order(build):
    with torch.device("meta"):  # drawn without their numbers
        model = build()
    _, first, *rest = words(pictures.network_diagram(model))
    shapes = [shape_text(row.shape) for row in layers(model)]
    assert first == "1×28×28"
    assert [text for text in rest if text in shapes] == shapes


def test_a_vit_s_patches_are_the_image_s():
    whole, *pieces = arrays(pictures.vit_diagram(ViT(), IMAGE).axes[0])
    assert np.array_equal(whole, IMAGE)
    assert len(pieces) == 16 and np.array_equal(pieces[5], IMAGE[7:14, 7:14])


def test_the_squares_are_the_receptive_fields():
    figure, rows = pictures.receptive_field_figure(IMAGE, LeNet()), receptive_fields(LeNet())
    drawn = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    squares = [(square.get_x() + 0.5, square.get_width()) for square in drawn[1:]]  # in the border
    assert squares == nested_squares(rows)
    labels = [label.split(":")[0] for label in words(figure)]
    assert labels == [f"{row.field.side}×{row.field.side}" for row in rows]


def test_patches_and_strips_are_what_the_network_gets():
    figure = pictures.patches_figure(IMAGE)
    squares, strips = (arrays(ax) for ax in figure.axes[2:])
    assert len(squares) == len(strips) == 16
    for k in range(16):
        y, x = 7 * (k // 4), 7 * (k % 4)
        assert np.array_equal(squares[k], IMAGE[y : y + 7, x : x + 7])
        assert np.array_equal(strips[k].ravel(), IMAGE.ravel()[49 * k : 49 * (k + 1)])


def test_feature_maps_are_the_model_s():
    model, batch = LeNet(), pictures.as_batch(IMAGE)
    figure = pictures.feature_maps_figure(model, IMAGE)
    shown = [arrays(ax)[0] for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert len(shown) == 1 + 6 + 6 + 16
    with torch.inference_mode():
        first, second = model.features[:2](batch)[0], model.features[:5](batch)[0]
    assert np.array_equal(shown[1:7], model.features[0].weight.detach().mean(dim=1))
    assert np.allclose(shown[7:13], first, atol=1e-6)
    assert np.allclose(shown[13:], second, atol=1e-6)


def test_attention_is_the_class_token_s():
    maps = attention_maps(ViT(), pictures.as_batch(IMAGE))[0, 0]  # [8, 17, 17]
    for head, ax in enumerate(pictures.attention_figure(maps, IMAGE).axes[:8]):
        patches = next(shown for shown in ax.images if shown.get_array().shape == (4, 4))
        assert np.allclose(patches.get_array(), maps[head, 0, 1:].reshape(4, 4))
        assert patches.get_extent() == [-0.5, 27.5, 27.5, -0.5]
        assert f"{maps[head, 0, 0]:.0%}" in ax.get_title()
