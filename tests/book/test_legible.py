"""Every figure's text is on the page, large enough, and nothing lies on top of it."""

import numpy as np
import pytest
import torch
from legible import assert_legible

from helpers.analysis.metrics import constant_baselines
from helpers.analysis.stats import Interval
from helpers.book import decision_boundary, figures, multilabel, pictures, widgets
from helpers.book.activation_gallery import draw_linear_regions
from helpers.networks.ensemble import ACTIVATION_PAIRS, MLPEnsemble
from helpers.networks.lenet import LeNet
from helpers.networks.mlp import mlp
from helpers.networks.resnet import BasicBlock
from helpers.networks.vgg import VGG11
from helpers.networks.vit import ViT

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (28, 28)).astype(np.uint8)
NAMES = ("LeNet", "VGG as the original", "ResNet-18", "ViT, strips", "ViT, true patches")
CHANCES = {name: RNG.dirichlet(np.ones(10)) for name in ("LeNet", "VGG-11", "ResNet-18", "ViT")}
INTERVALS = {name: Interval(0.7, 0.6, 0.8, 3) for name in NAMES}
CURVES = {name: RNG.random((3, 20)) for name in ("training", "test")}
POINTS, SIDES = RNG.normal(size=(50, 2)), np.arange(50) % 2
MOONS = mlp((2, 6, 2), "tanh", rng=RNG)

ONE_OF_SORTED = MLPEnsemble(ACTIVATION_PAIRS["sort"], [0])

CLASSES = ("person", "cat", "plane", "car", "bird")
TARGETS = (RNG.random((200, 5)) < [0.7, 0.1, 0.1, 0.15, 0.1]).astype(int)
SCORES = (TARGETS + RNG.random((200, 5))) / 2
BASELINES = {n: p.probabilities[0] for n, p in constant_baselines(TARGETS).items()}
PHOTOS = RNG.integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
TITLES = ["✓ person", "✗ cat", "○ plane", "car", "bird", "cat"]


with torch.device("meta"):  # without its numbers
    VGG = VGG11()

FIGURES = {
    "LeNet": lambda: pictures.network_diagram(LeNet()),
    "VGG-11": lambda: pictures.network_diagram(VGG),
    "block": lambda: pictures.residual_block_diagram(BasicBlock(64, 64), 7),
    "ViT": lambda: pictures.vit_diagram(ViT(), GREY),
    "fields": lambda: pictures.receptive_field_figure(GREY, LeNet()),
    "patches": lambda: pictures.patches_figure(GREY),
    "maps": lambda: pictures.feature_maps_figure(LeNet(), GREY),
    "attention": lambda: pictures.attention_figure(torch.full((6, 17, 17), 1 / 17), GREY),
    "bars": lambda: widgets.bar_panels(CHANCES, GREY, "15° to the left"),
    "curves": lambda: figures.curves(range(20), CURVES, ylabel="loss"),
    "sweep": lambda: figures.sweep(
        [1, 10, 50, 100, 200], list(INTERVALS.values()), "λ", "accuracy"
    ),
    "intervals": lambda: figures.interval_plot(INTERVALS, "accuracy", 0.9, "published"),
    "grid": lambda: figures.image_grid(PHOTOS, TITLES),
    "confusions": lambda: figures.confusion_matrix(RNG.integers(0, 1100, (10, 10))),
    "reliability": lambda: figures.reliability(SCORES.max(axis=1), TARGETS[:, 0] == 1),
    "boundary": lambda: decision_boundary.boundary_figure(lambda x: x[:, 0] > 0, POINTS, SIDES),
    "hidden units": lambda: decision_boundary.hidden_units(MOONS),
    "linear regions": lambda: draw_linear_regions(ONE_OF_SORTED, "sort"),
    "classes": lambda: multilabel.class_curves_figure(SCORES, TARGETS, CLASSES, "LeNet"),
    "models": lambda: multilabel.models_figure(dict.fromkeys(NAMES, SCORES), TARGETS, BASELINES),
    "thresholds": lambda: multilabel.threshold_figure(SCORES[:, 3], TARGETS[:, 3]),
    "not understood": lambda: widgets.activation_trial("z.x", "ReLU", 3, 0.1, 0)[0],
}


@pytest.mark.parametrize("name", FIGURES)
def test_legible(name):
    assert_legible(FIGURES[name]())


def test_legible_beside_the_sliders():
    assert_legible(widgets.moons_trial(10, 0.001, 0.3, 0.2, 0)[0], width=9.5)


@pytest.mark.parametrize(
    ("x", "words", "size"), [(0.5, "upon", 12), (1, "beyond", 12), (0.1, "tiny", 9)]
)
def test_what_cannot_be_read_is_noticed(x, words, size):
    figure, ax = figures.new_figure()
    with pytest.raises(AssertionError, match="x"):  # its axis has no label
        assert_legible(figure)
    ax.axis("off")
    figure.text(0.5, 0.5, "text")
    figure.text(x, 0.5, words, fontsize=size)
    with pytest.raises(AssertionError, match=words):
        assert_legible(figure)
