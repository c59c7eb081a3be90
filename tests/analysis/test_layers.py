"""What is said of a network's layers agrees with work by hand and with measurements."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.analysis import layers as analysis
from helpers.analysis.layers import layers, multiply_adds, receptive_fields
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11
from helpers.training.torch_trainer import MODELS

SMALL = {
    "lenet": {},
    "vgg11": {"width": 1, "hidden": 8, "batch_norm": True},
    "course-vgg": {"classes": 10},
    "resnet18": {"width": 1},
    "efficientnet-lite0": {"classes": 10},
    "vit": {"embed_dim": 16, "hidden": 32, "depth": 2},
    "vit-variant": {"embed_dim": 16, "hidden": 32, "depth": 2},
}


@pytest.mark.parametrize("name", MODELS)
def test_pytorch_counts_the_same(name):
    model = MODELS[name](channels=3, size=56, **SMALL[name]).eval()  # no map is tiny
    rows, counter = layers(model, 3, 56), FlopCounterMode(display=False)
    with counter, torch.no_grad():
        assert rows[-1].shape == model(torch.zeros(1, 3, 56, 56)).shape[1:]
    assert counter.get_total_flops() == 2 * multiply_adds(model, 3, 56)
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in model.parameters())


def test_padding_counts_even_where_it_is_left_out():
    last = layers(ResNet18(width=4))[-2]  # the last stage has 1×1 maps
    assert last.shape == (32, 1, 1)
    assert last.multiply_adds == 2 * 32 * 32 * 9


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


def blocks(resnet):
    return [resnet.stem[0], resnet.stem[3], *resnet.stages[0], *resnet.stages[1]]


@pytest.mark.parametrize(
    ("model", "size", "parts"),
    [
        (LeNet(), 28, lambda m: [m.features[i] for i in (0, 2, 3, 5)]),
        (VGG11(width=1, hidden=8), 28, lambda m: [m.features[i] for i in (1, 3, 4, 6, 7, 9, 11)]),
        (ResNet18(size=40, width=1), 40, blocks),
    ],
    ids=["LeNet", "VGG-11", "ResNet-18"],
)
def test_exactly_the_pixels_of_the_square_reach_a_unit(model, size, parts):
    rows = receptive_fields(model, size=size)
    for row, part in zip(rows, parts(model), strict=False):
        for unit in (0, row.shape[-1] // 2):
            first, side = row.field.first_pixel(unit), row.field.side
            inside = (torch.arange(size) >= first) & (torch.arange(size) < first + side)
            square = inside[:, None] & inside
            assert torch.equal(reached(model, part, unit, size), square), (row.name, unit)


def test_squares_lie_in_each_other():
    rows = receptive_fields(LeNet())
    squares = analysis.nested_squares(rows)
    assert [side for _, side in squares] == [row.field.side for row in rows]
    for (first, side), (outer, larger) in pairwise(squares):
        assert outer <= first and first + side <= outer + larger


@pytest.mark.parametrize("batch_first", [True, False])
def test_only_with_batch_first_an_image_attends_to_itself(batch_first):
    change = analysis.influence(analysis.encoder(batch_first))  # [image, token]
    own, other = (change, change[1:]) if batch_first else (change.T, change[0, 1:])
    assert (own[0] > 1e-3).all()
    assert (other < 1e-5).all()
