"""Where networks look, against networks whose view is known beforehand."""

import numpy as np
import pytest
import torch
from legible import assert_legible
from torch import nn

from helpers.book import looking
from helpers.networks import probes as inside
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vit import ViT
from helpers.networks.vit_variants import ViTVariant
from helpers.training.torch_trainer import normalise

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
BATCH = normalise(torch.tensor(IMAGES).permute(0, 3, 1, 2))


@pytest.fixture
def resnet():
    torch.manual_seed(0)
    return ResNet18(channels=3, size=32, classes=5, stem="3x3", width=4)  # a last map of 4×4


@pytest.fixture
def vit():
    torch.manual_seed(0)
    return ViT(3, 32, 5, patch=16, embed_dim=24, heads=4, depth=2, hidden=8)  # 5 tokens


def attend(model, weights, monkeypatch):
    """Let each layer of a ViT attend by given weights [T, T], one matrix a layer."""
    for layer, rows in zip(model.layers, weights, strict=True):
        scores = torch.as_tensor(rows, dtype=torch.float32).log().expand(3, 4, 5, 5)
        answer = scores, torch.zeros(3, 4, 5, 6)
        monkeypatch.setattr(layer.attention, "scores", lambda x, answer=answer: answer)


# ------------------------------------------------------------- class-activation maps


def test_a_class_activation_map_adds_up_to_the_logit(resnet):
    resnet.train()
    resnet(BATCH)  # gives the running means something to be
    found = inside.class_activation_maps(resnet, BATCH)
    assert found.shape == (3, 5, 4, 4) and not resnet.training
    with torch.inference_mode():
        logits = resnet(BATCH)
    torch.testing.assert_close(found.mean(dim=(2, 3)) + resnet.classifier[-1].bias, logits)


def test_a_class_activation_map_by_hand(resnet):
    """Without its layers the network sees colours: class 0 wants red, class 1 no blue."""
    resnet.stem = resnet.stages = nn.Identity()
    linear = resnet.classifier[-1] = nn.Linear(3, 5)
    linear.weight.data.zero_()
    linear.weight.data[0, 0], linear.weight.data[1, 2] = 2, -1
    found = inside.class_activation_maps(resnet, BATCH)
    torch.testing.assert_close(found[:, 0], 2 * BATCH[:, 0])
    torch.testing.assert_close(found[:, 1], -BATCH[:, 2])
    assert not found[:, 2:].any()
    chosen = looking.enlarged(found, [0, 1, 2], 32)
    assert chosen[0] == pytest.approx(2 * BATCH[0, 0].numpy())
    assert chosen[1] == pytest.approx(-BATCH[1, 2].numpy())
    assert not chosen[2].any()


def test_a_map_is_enlarged_to_the_image_without_a_change_of_its_sum():
    one = torch.zeros(3, 5, 4, 4)
    one[:, 2, 1, 2] = 1
    found = looking.enlarged(one, [2, 2, 0], 32)
    assert found.shape == (3, 32, 32)
    top, left = np.unravel_index(found[0].argmax(), (32, 32))
    assert (top // 8, left // 8) == (1, 2)
    assert found[0].mean() == pytest.approx(1 / 16) and not found[2].any()


# -------------------------------------------------------------------------- attention

FIRST = np.full((5, 5), 0.2)
LAST = 0.1 * np.eye(5) + 0.9 * np.roll(np.eye(5), 2, axis=1)  # everyone looks two ahead
LAST = 0.9 * LAST + 0.02


@pytest.mark.parametrize(("pool", "row"), [("class", 0), ("last", 4)])
def test_attention_is_that_of_the_answering_token(vit, monkeypatch, pool, row):
    vit.pool = {"class": 0, "last": -1}[pool]
    attend(vit, [FIRST, LAST], monkeypatch)
    found = inside.token_attention(vit, BATCH).numpy()
    assert found == pytest.approx(np.tile(LAST[row, 1:], (3, 1)), abs=1e-6)


def test_attention_is_the_mean_over_heads(vit):
    weights = inside.attention_maps(vit, BATCH)[:, -1]  # [3, h, 5, 5]
    found = inside.token_attention(vit, BATCH)
    torch.testing.assert_close(found, weights[:, :, 0, 1:].mean(dim=1))
    assert (found.sum(dim=1) < 1).all()  # the rest it gives itself


@pytest.mark.parametrize("patching", ["squares", "flattened"])
def test_attention_lies_on_the_pixels_that_the_patch_was_cut_from(patching):
    model = ViTVariant(
        channels=3, size=32, classes=5, patch=8, embed_dim=24, heads=4, hidden=8, patching=patching
    )
    for patch in range(16):
        attention = torch.zeros(1, 16)
        attention[0, patch] = 1
        found = looking.on_pixels(attention, patching, 3, 32)
        image = torch.zeros(1, 3, 32, 32, requires_grad=True)
        model.patching(image, 8)[0, patch].sum().backward()
        assert torch.equal(found, image.grad.mean(dim=1)), patch


def test_a_vits_map_is_in_units_of_looking_everywhere_alike(vit, monkeypatch):
    even = np.full((5, 5), 0.2)
    even[0] = [0.0, 0.25, 0.25, 0.25, 0.25]
    attend(vit, [FIRST, even], monkeypatch)
    found = looking.enlarged(inside.saliency(vit, BATCH), [0, 0, 0], 32)
    assert found == pytest.approx(np.ones((3, 32, 32)))


def test_other_networks_have_no_such_map():
    assert inside.saliency(LeNet(), BATCH) is None


# -------------------------------------------------------------------------- the figure


def panels(figure):
    """The rows of axes: images and, below them, maps; without the colour bar."""
    return [ax for ax in figure.axes if ax.images]


@pytest.mark.parametrize("kind", ["resnet", "vit"])
def test_the_figure_lays_each_map_on_its_own_image(kind, request):
    model = request.getfixturevalue(kind)
    images, classes = np.concatenate([IMAGES, IMAGES[:2]]), [0, 1, 2, 3, 4]
    titles = ["✓ person", "✗ cat", "○ plane", "car", "bird"]
    found = looking.enlarged(inside.saliency(model, torch.cat([BATCH, BATCH[:2]])), classes, 32)
    figure = looking.looking_figure(found, images, titles, signed=kind == "resnet")
    above, below = ([ax for ax in panels(figure) if len(ax.images) == layers] for layers in (1, 2))
    assert [ax.get_title() for ax in above] == titles
    assert all(np.array_equal(ax.images[0].get_array(), i) for ax, i in zip(above, images))  # noqa: B905
    found = found / np.abs(found).max(axis=(1, 2), keepdims=True)
    for ax, map_ in zip(below, found, strict=True):
        shown = ax.images[1]
        np.testing.assert_allclose(shown.get_array(), map_)
        assert shown.get_clim() == (-1 if kind == "resnet" else 0, 1)
        assert shown.get_alpha() == pytest.approx(0.8 * np.abs(map_))
    boxes = [(a.get_position(), b.get_position()) for a, b in zip(above, below, strict=True)]
    assert all(a.x0 == b.x0 and a.y0 > b.y1 for a, b in boxes)
    assert_legible(figure)
