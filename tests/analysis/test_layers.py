"""What is said of a network's layers agrees with work by hand and with measurements."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.analysis.layers import (
    Field,
    layers,
    multiply_adds,
    nested_squares,
    receptive_fields,
    shape_table,
)
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11
from helpers.networks.vit import ViT
from helpers.training.torch_trainer import MODELS

SMALL = {
    "lenet": {},
    "vgg11": {"width": 1, "hidden": 8, "batch_norm": True},
    "course-vgg": {"classes": 10},
    "resnet18": {"width": 1},
    "vit": {"embed_dim": 16, "hidden": 32, "depth": 2},
    "vit-variant": {"embed_dim": 16, "hidden": 32, "depth": 2},
}


def sides(model, size=28):
    return [layer.field.side for layer in receptive_fields(model, size=size)]


def jumps(model, size=28):
    return [layer.field.jump for layer in receptive_fields(model, size=size)]


# --------------------------------------------------------------- rows and their sums


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 56)])
def test_every_parameter_is_in_one_row(name, channels, size):
    size = max(size, 32) if name == "course-vgg" else size  # its smallest
    model = MODELS[name](channels=channels, size=size, **SMALL[name])
    rows = layers(model, channels, size)
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in model.parameters())
    assert rows[-1].shape == (10,)


def test_looking_changes_nothing():
    model = ResNet18(width=1).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layers(model)
    assert model.training and not any(part._forward_hooks for part in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_changes_nothing_makes_no_row():
    names = [row.name for row in layers(VGG11(width=1, hidden=8))]  # its last map is 1×1 already
    assert "average-pooling to 1×1" not in names
    assert names[0] == "a margin of zeros, to 32×32" and len(names) == 1 + 8 + 5 + 3


def test_lenet_row_by_row():
    rows = [(row.name, row.shape, row.parameters, row.multiply_adds) for row in layers(LeNet())]
    assert rows == [
        ("convolution 5×5", (6, 28, 28), 6 * 26, 28 * 28 * 6 * 25),
        ("max-pooling 2×2", (6, 14, 14), 0, 0),
        ("convolution 5×5", (16, 10, 10), 16 * 151, 10 * 10 * 16 * 6 * 25),
        ("max-pooling 2×2", (16, 5, 5), 0, 0),
        ("linear", (120,), 401 * 120, 400 * 120),
        ("linear", (84,), 121 * 84, 120 * 84),
        ("linear", (10,), 850, 840),
    ]
    assert multiply_adds(LeNet()) == 117_600 + 240_000 + 48_000 + 10_080 + 840


def test_the_table_is_text_with_a_last_row_of_sums():
    table = shape_table(LeNet())
    assert list(table.columns) == [
        "layer", "output", "parameters", "multiply-adds", "receptive field", "step",
    ]  # fmt: skip
    assert table.iloc[2].tolist() == [
        "convolution 5×5", "16×10×10", "2,416", "240,000", "14×14", "2",
    ]  # fmt: skip
    assert table.iloc[4, -2] == "all"
    assert table.iloc[-1].tolist() == ["in all", "", "61,706", "416,520", "", ""]
    assert "receptive field" not in shape_table(ViT())


# ------------------------------------------------------------------------ multiply-adds


def test_published_multiply_adds():
    with torch.device("meta"):  # shapes without numbers: 133 million parameters are not needed
        vgg, resnet = VGG11(3, 224, 1000, pool=7), ResNet18(3, 224, 1000)
    assert multiply_adds(vgg, 3, 224) == 7_609_090_048
    assert multiply_adds(resnet, 3, 224) == 1_814_073_344


def test_vit_by_hand():
    embedding = 16 * 49 * 128
    attention = 17 * 128 * 3 * 128 + 2 * 17 * 17 * 128 + 17 * 128 * 128
    token_network = 2 * 17 * 128 * 512
    assert multiply_adds(ViT()) == embedding + attention + token_network + 1280
    assert multiply_adds(ViT(depth=3)) == embedding + 3 * (attention + token_network) + 1280
    assert multiply_adds(ViT(heads=1)) == multiply_adds(ViT())  # heads share the same work
    names = [row.name for row in layers(ViT())]
    assert names == [
        "patches 7×7", "linear, on each patch", "class token and positions", "layer normalisation",
        "attention", "layer normalisation", "linear, on each token", "linear, on each token",
        "layer normalisation", "linear",
    ]  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_pytorch_counts_the_same(name):
    model = MODELS[name](channels=3, size=56, **SMALL[name]).eval()  # no map is tiny
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, 56, 56))
    assert counter.get_total_flops() == 2 * multiply_adds(model, 3, 56)


def test_a_margin_counts_even_where_it_is_left_out():
    model = ResNet18(width=4)  # its last stage has 1×1 maps
    last = layers(model)[-2]
    assert last.shape == (32, 1, 1)
    assert last.multiply_adds == 2 * 32 * 32 * 9


# --------------------------------------------------------------------- receptive fields


def test_lenet_s_receptive_fields_by_hand():
    assert (sides(LeNet()), jumps(LeNet())) == ([5, 6, 14, 16], [1, 2, 2, 4])


def test_vgg11_s_receptive_fields_by_hand():
    model = VGG11(width=1, hidden=8)
    assert sides(model) == [3, 4, 8, 10, 18, 26, 30, 46, 62, 70, 102, 134, 150]
    assert jumps(model) == [1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32]


def test_resnet18_s_receptive_fields_by_hand():
    paper, small = ResNet18(width=1), ResNet18(width=1, stem="3x3")
    assert sides(paper, 224)[:-1] == [7, 11, 27, 43, 67, 99, 147, 211, 307, 435]
    assert jumps(paper, 224)[:-1] == [2, 4, 4, 4, 8, 8, 16, 16, 32, 32]
    assert sides(paper, 224)[-1] == 435 + 6 * 32  # the mean over the last 7×7 map
    assert sides(small)[:-1] == [3, 7, 11, 17, 25, 37, 53, 77, 109]
    assert sides(small)[-1] == 109 + 3 * 8  # over a 4×4 map


def test_a_vit_has_none():
    assert receptive_fields(ViT()) == []


def reached(model, part, unit, size):
    """Light one pixel after the other; return where that reaches one unit of a part's map."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    seen = []
    hook = part.register_forward_hook(lambda *call: seen.append(call[2][:, 0, unit, unit]))
    with torch.inference_mode():
        model.eval()(torch.eye(size**2).view(-1, 1, size, size))
    hook.remove()
    return (seen[0] > 0).view(size, size)


def square(first, side, size):
    mask = torch.zeros(size, size, dtype=torch.bool)
    mask[max(0, first) : first + side, max(0, first) : first + side] = True
    return mask


@pytest.mark.parametrize(
    ("model", "size", "parts"),
    [
        (LeNet(), 28, lambda m: [m.features[i] for i in (0, 2, 3, 5)]),
        (VGG11(width=1, hidden=8), 28, lambda m: [m.features[i] for i in (1, 3, 4, 6, 7, 9, 11)]),
        (
            ResNet18(size=40, width=1),
            40,
            lambda m: [m.stem[0], m.stem[3], *[block for stage in m.stages for block in stage][:4]],
        ),
        (
            ResNet18(width=1, stem="3x3"),
            28,
            lambda m: [m.stem[0], *[block for stage in m.stages for block in stage][:4]],
        ),
    ],
    ids=["LeNet", "VGG-11", "ResNet-18", "ResNet-18, 3×3"],
)
def test_exactly_the_pixels_of_the_square_reach_a_unit(model, size, parts):
    rows = receptive_fields(model, size=size)
    for row, part in zip(rows, parts(model), strict=False):
        for unit in (0, row.shape[-1] // 2):
            expected = square(row.field.first_pixel(unit), row.field.side, size)
            assert torch.equal(reached(model, part, unit, size), expected), (row.name, unit)


@pytest.mark.parametrize("name", ["lenet", "vgg11", "resnet18"])
def test_squares_lie_in_each_other(name):
    rows = receptive_fields(MODELS[name](**SMALL[name]))
    squares = nested_squares(rows)
    assert [side for *_, side in squares] == [row.field.side for row in rows]
    for (row, column, side), (top, left, larger) in pairwise(squares):
        assert top <= row and left <= column
        assert row + side <= top + larger and column + side <= left + larger


def test_lenet_s_squares():
    assert [first for first, _, _ in nested_squares(receptive_fields(LeNet()))] == [11, 10, 6, 6]


def test_a_field_grows_by_the_kernel_times_the_jump():
    field = Field().after(3, 2, 1)
    assert field == Field(3, 2, 0.0)
    assert field.after(3, 1, 1) == Field(7, 2, 0.0)
    assert field.after(2, 2, 0) == Field(5, 4, 1.0)
    assert [field.first_pixel(unit) for unit in (0, 1)] == [-1, 1]
