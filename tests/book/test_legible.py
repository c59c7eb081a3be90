"""Every figure's text is on the page, large enough, and nothing lies on top of it."""

import numpy as np
import pytest
import torch
from legible import assert_legible

from helpers.book import figures, pictures, readers
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import BasicBlock, ResNet18
from helpers.networks.vgg import VGG11
from helpers.networks.vit import ViT

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (28, 28)).astype(np.uint8)
COLOURS = RNG.integers(0, 256, (3, 64, 64)).astype(np.uint8)
CHANCES = {name: RNG.dirichlet(np.ones(10)) for name in ("LeNet", "VGG-11", "ResNet-18", "ViT")}


def unloaded(build, *sizes, **options):
    with torch.device("meta"):  # without its numbers
        return build(*sizes, **options)


FIGURES = {
    "LeNet": lambda: pictures.network_diagram(LeNet()),
    "VGG-11": lambda: pictures.network_diagram(unloaded(VGG11)),
    "ResNet-18": lambda: pictures.network_diagram(unloaded(ResNet18)),
    "ResNet-18, 3×3": lambda: pictures.network_diagram(unloaded(ResNet18, stem="3x3")),
    "LeNet, colours": lambda: pictures.network_diagram(LeNet(3, 64), 3, 64),
    "VGG-11, colours": lambda: pictures.network_diagram(unloaded(VGG11, 3, 64, pool=2), 3, 64),
    "block": lambda: pictures.residual_block_diagram(BasicBlock(64, 64), 7),
    "block, half": lambda: pictures.residual_block_diagram(BasicBlock(64, 128, 2), 7),
    "ViT": lambda: pictures.vit_diagram(ViT(), GREY),
    "ViT, colours": lambda: pictures.vit_diagram(ViT(3, 64, 20, patch=8, depth=4), COLOURS),
    "fields of LeNet": lambda: pictures.receptive_field_figure(GREY, LeNet()),
    "fields of VGG-11": lambda: pictures.receptive_field_figure(GREY, VGG11(width=1, hidden=8)),
    "fields, colours": lambda: pictures.receptive_field_figure(COLOURS, ResNet18(3, 64, width=1)),
    "patches": lambda: pictures.patches_figure(GREY),
    "maps": lambda: pictures.feature_maps_figure(LeNet(), GREY),
    "maps, colours": lambda: pictures.feature_maps_figure(LeNet(3, 64), COLOURS),
    "attention": lambda: pictures.attention_figure(torch.full((8, 17, 17), 1 / 17), GREY),
    "bars of one": lambda: readers.bar_panels({"ViT": CHANCES["ViT"]}, GREY, "upright"),
    "bars of four": lambda: readers.bar_panels(CHANCES, GREY, "15° to the left"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_legible(name):
    assert_legible(FIGURES[name]())


@pytest.mark.parametrize(
    ("x", "words", "size"), [(0.5, "upon", 12), (1, "beyond", 12), (0.1, "tiny", 9)]
)
def test_what_cannot_be_read_is_noticed(x, words, size):
    figure, _ = figures.new_figure(height=1)
    figure.text(0.5, 0.5, "text")
    figure.text(x, 0.5, words, fontsize=size)
    with pytest.raises(AssertionError, match=words):
        assert_legible(figure)
