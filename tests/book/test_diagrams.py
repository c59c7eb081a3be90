"""The drawings of the networks show the layers that the networks have."""

import numpy as np
import pytest
import torch
from legible import assert_legible, words
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from helpers.analysis.layers import layers, shape_text
from helpers.book import diagrams
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import BasicBlock, ResNet18
from helpers.networks.vgg import VGG11
from helpers.networks.vit import ViT
from helpers.networks.vit_variants import ViTVariant

with torch.device("meta"):  # drawn without their numbers
    CONVOLUTIONAL = {
        "LeNet": (LeNet(), 1, 28),
        "VGG-11": (VGG11(), 1, 28),
        "ResNet-18": (ResNet18(), 1, 28),
        "ResNet-18, 3×3": (ResNet18(stem="3x3"), 1, 28),
        "LeNet, colours": (LeNet(3, 64), 3, 64),
        "VGG-11, colours": (VGG11(3, 64, 20, pool=2), 3, 64),
        "ResNet-18, colours": (ResNet18(3, 64, 20), 3, 64),
    }
VITS = {
    "ViT": ViT(),
    "as the original": ViTVariant(
        patching="flattened", pool="last", normalised_shortcut=True, activation="relu"
    ),
    "colours": ViT(3, 64, 20, patch=8, depth=4),
}


def patches_of(figure, kind):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, kind)]


# --------------------------------------------------------------------- feature maps


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_every_layer_is_drawn_in_order_and_legibly(name):
    model, channels, size = CONVOLUTIONAL[name]
    figure = diagrams.network_diagram(model, channels, size)
    assert_legible(figure)
    rows = layers(model, channels, size)
    title, first, *rest = words(figure)
    assert title == (
        f"{sum(row.parameters for row in rows):,} parameters, "
        f"{sum(row.multiply_adds for row in rows):,} multiply-adds"
    )
    assert first == f"{channels}×{size}×{size}"
    shapes = [shape_text(row.shape) for row in rows]
    assert [text for text in rest if text in shapes] == shapes


def test_lenet_s_words():
    assert words(diagrams.network_diagram(LeNet(), title="LeNet")) == [
        "LeNet", "1×28×28", "convolution\n5×5", "6×28×28", "max-pooling\n2×2", "6×14×14",
        "convolution\n5×5", "16×10×10", "max-pooling\n2×2", "16×5×5", "linear", "120", "linear",
        "84", "linear", "10",
    ]  # fmt: skip


def test_strides_and_blocks_are_named():
    found = words(diagrams.network_diagram(CONVOLUTIONAL["ResNet-18"][0]))
    assert found.count("residual\nblock") == 8
    assert found.count("stride 2") == 2 + 3  # both steps of the stem, and three of the stages


def test_squares_follow_the_maps():
    sheets = patches_of(diagrams.network_diagram(LeNet()), Rectangle)
    widths = [round(sheet.get_width(), 3) for sheet in sheets[:-3]]  # then there are vectors
    drawn = [(28, 1), (28, 4), (14, 4), (10, 5), (5, 5)]  # 1, 6 and 16 channels
    area = [round(0.75 * (side / 28) ** 0.5, 3) for side, count in drawn for _ in range(count)]
    assert widths == area
    heights = [sheet.get_height() for sheet in sheets[-3:]]
    assert heights == sorted(heights, reverse=True)


def test_a_new_size_begins_a_new_line():
    figure = diagrams.network_diagram(CONVOLUTIONAL["VGG-11"][0])
    where = {}
    for text in figure.axes[0].texts:
        if text.get_text().count("×") == 2:
            where.setdefault(text.get_text().split("×")[1], set()).add(text.get_position()[0])
    counts = {side: len(columns) for side, columns in where.items()}
    assert counts == {"28": 1, "32": 2, "16": 2, "8": 3, "4": 3, "2": 3, "1": 1}


def test_layers_can_be_given_instead_of_a_model():
    given = diagrams.network_diagram(layers(LeNet()))
    assert words(given) == words(diagrams.network_diagram(LeNet()))


# ------------------------------------------------------------------------ a block


@pytest.mark.parametrize(
    ("block", "shortcut", "end"),
    [
        (BasicBlock(64, 64), "shortcut:\nx as it is", "64×7×7"),
        (BasicBlock(64, 128, 2), "convolution 1×1\nstride 2\nbatch normalisation", "128×4×4"),
        (BasicBlock(64, 128), "convolution 1×1\nbatch normalisation", "128×7×7"),
    ],
    ids=["same", "half", "wider"],
)
def test_a_block_with_its_shortcut(block, shortcut, end):
    figure = diagrams.residual_block_diagram(block, size=7)
    assert_legible(figure)
    found = words(figure)
    assert found[0] == "x: 64×7×7" and found[-1] == end
    assert shortcut in found
    assert [text for text in found if text.startswith("convolution 3×3")] == (
        ["convolution 3×3, stride 2" if block.conv1.stride[0] == 2 else "convolution 3×3"]
        + ["convolution 3×3"]
    )


def test_the_shortcut_ends_in_the_sum():
    figure = diagrams.residual_block_diagram(BasicBlock(8, 8), size=7)
    (plus,) = patches_of(figure, Circle)
    (way,) = figure.axes[0].lines
    assert way.get_xdata()[0] == plus.center[0] and way.get_ydata()[-1] == plus.center[1]
    first = min(box.get_y() for box in patches_of(figure, FancyBboxPatch))
    assert way.get_ydata()[0] < first  # it starts before anything is done to x


# ---------------------------------------------------------------------------- ViT


@pytest.mark.parametrize("name", VITS)
def test_a_vit_says_what_it_does(name):
    model = VITS[name]
    figure = diagrams.network_diagram(model)
    assert_legible(figure)
    found = "\n".join(words(figure))
    sizes = {"colours": ("3×64×64", 64, 192, 65, 4)}.get(name, ("1×28×28", 16, 49, 17, 1))
    shape, patches, numbers, tokens, depth = sizes
    kind = "strips" if name == "as the original" else "squares"
    assert f"image {shape},\ncut into {patches} {kind}\nof {numbers} numbers" in found
    assert f"linear: {numbers} numbers to 128" in found
    assert f"{tokens} tokens of 128 numbers" in found
    assert f"encoder\nlayer\n× {depth}" in found
    assert "attention, 8 heads" in found
    activation, read = ("ReLU", "last") if name == "as the original" else ("GELU", "class")
    assert f"linear 512, {activation}, linear" in found
    assert f"of the {read} token only" in found
    assert f"{model.classifier.out_features} scores" in found


@pytest.mark.parametrize("behind", [False, True])
def test_shortcuts_start_where_the_model_s_do(behind):
    figure = diagrams.vit_diagram(ViTVariant(normalised_shortcut=behind))
    boxes = patches_of(figure, FancyBboxPatch)
    norms = sorted(box.get_y() for box in boxes)[1:4:2]  # after the frame: norm, attention, norm
    ways = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert len(ways) == len(patches_of(figure, Circle)) == 2
    for way, norm in zip(ways, norms, strict=True):
        assert (way.get_ydata()[0] > norm) == behind


def test_a_vit_s_patches_are_the_image_s():
    image = np.arange(784, dtype=np.int64).reshape(28, 28).astype(np.uint8)
    figure = diagrams.vit_diagram(ViT(), image)
    whole, *pieces = [shown.get_array() for shown in figure.axes[0].images]
    assert np.array_equal(whole, image)
    assert len(pieces) == 16
    assert np.array_equal(pieces[5], image[7:14, 7:14])
    strips = diagrams.vit_diagram(ViTVariant(patching="flattened"), image).axes[0].images
    assert np.array_equal(strips[6].get_array().ravel(), image.ravel()[5 * 49 : 6 * 49])


def test_colours_are_pale_behind_text():
    assert min(diagrams._pale("black")) > 0.6
    assert np.allclose(diagrams._pale("white"), to_rgb("white"))


@pytest.mark.parametrize(
    ("x", "words", "size", "what"),
    [(0.6, "upon", 12, "upon"), (5.9, "beyond", 12, "beyond"), (3, "tiny", 9, "tiny")],
)
def test_what_cannot_be_read_is_noticed(x, words, size, what):
    figure, ax = diagrams._canvas(1)
    diagrams._text(ax, 0.5, 0.5, "text")
    assert_legible(figure)
    diagrams._text(ax, x, 0.5, words, fontsize=size)
    with pytest.raises(AssertionError, match=what):
        assert_legible(figure)
