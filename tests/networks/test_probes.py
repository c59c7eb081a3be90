"""What happens inside a ViT, against attention and units that are known beforehand."""

import pytest
import torch

from helpers.networks.lenet import LeNet
from helpers.networks.probes import attention_maps, attention_statistics
from helpers.networks.vit import ViT

IMAGES = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def vit():
    torch.manual_seed(0)
    return ViT(embed_dim=24, heads=4, depth=2, hidden=8, patch=14, dropout=0.5)  # 5 tokens


@pytest.mark.parametrize(
    ("scores", "std", "entropy"),
    [
        (torch.zeros(5, 5), 0, 1),  # every token alike
        (2000.0 * torch.eye(5)[[2] * 5], 800, 0),  # one of 5 numbers is 2000 above the rest
        (torch.randn(5, 1).expand(5, 5), 0, 1),  # a row's level changes no attention weight
    ],
)
def test_statistics_of_known_scores(vit, monkeypatch, scores, std, entropy):
    known = scores.expand(3, 4, 5, 5), torch.zeros(3, 4, 5, 6)
    for layer in vit.layers:
        monkeypatch.setattr(layer.attention, "scores", lambda x: known)
    found = attention_statistics(vit, IMAGES)
    assert found["score_std"] == pytest.approx(std, abs=1e-6)
    assert found["attention_entropy"] == pytest.approx(entropy, abs=1e-6)
    expected = scores.softmax(dim=-1).expand(3, 2, 4, 5, 5)
    torch.testing.assert_close(attention_maps(vit, IMAGES), expected)


def test_a_unit_is_dead_only_if_it_is_for_every_image_and_token(vit, monkeypatch):
    inputs = torch.full((3, 5, 8), -1.0)
    inputs[2, 4, 0] = inputs[0, 0, 1] = 1.0
    inputs[..., 2] = 0.0  # not above zero
    for layer in vit.layers:
        monkeypatch.setattr(layer.fc1, "forward", lambda x: inputs)
    found = attention_statistics(vit, IMAGES)
    assert found["active_units"] == pytest.approx(2 / (3 * 5 * 8))
    assert found["dead_units"] == pytest.approx(6 / 8)
    assert attention_statistics(LeNet(), IMAGES) == {}


def test_the_maps_are_of_each_layer_and_nothing_is_dropped(vit):
    maps = attention_maps(vit.train(), IMAGES)
    scores, _ = vit.layers[0].attention.scores(vit.layers[0].norm1(vit.embed(IMAGES)))
    torch.testing.assert_close(maps[:, 0], scores.softmax(dim=-1))
    assert not any(module._forward_hooks for module in vit.modules())
