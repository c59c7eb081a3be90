"""What happens inside a ViT, against attention and units that are known beforehand."""

import pytest
import torch

from helpers.networks.lenet import LeNet
from helpers.networks.probes import attention_maps, attention_statistics, watched
from helpers.networks.vit import ViT

IMAGES = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def vit():
    torch.manual_seed(0)
    return ViT(embed_dim=24, heads=4, depth=2, hidden=8, patch=14, dropout=0.5)  # 5 tokens


def set_queries_and_keys(model, bias):
    """Let queries and keys be the same numbers for every token, those of a bias [2 D]."""
    for layer in model.layers:
        layer.attention.qkv.weight.data[:48] = 0
        layer.attention.qkv.bias.data[:48] = bias


def test_equal_scores_look_everywhere_alike(vit):
    set_queries_and_keys(vit, 0.0)
    found = attention_statistics(vit, IMAGES)
    assert found["score_std"] == 0
    assert found["attention_entropy"] == pytest.approx(1)
    maps = attention_maps(vit, IMAGES)
    torch.testing.assert_close(maps, torch.full((3, 2, 4, 5, 5), 0.2))


def test_huge_scores_look_at_one_token(vit, monkeypatch):
    hot = torch.full((3, 4, 5, 5), -1000.0)
    hot[..., 2] = 1000.0
    for layer in vit.layers:
        monkeypatch.setattr(layer.attention, "scores", lambda x: (hot, torch.zeros(3, 4, 5, 6)))
    found = attention_statistics(vit, IMAGES)
    assert found["attention_entropy"] == 0
    assert found["score_std"] == pytest.approx(800)  # one of 5 numbers is 2000 above the rest
    assert attention_maps(vit, IMAGES)[..., 2].eq(1).all()


def test_the_spread_is_within_what_one_token_gives(vit, monkeypatch):
    """Scores that differ from row to row, but not within one, change no attention weight."""
    rows = torch.randn(3, 4, 5, 1).expand(3, 4, 5, 5)
    for layer in vit.layers:
        monkeypatch.setattr(layer.attention, "scores", lambda x: (rows, torch.zeros(3, 4, 5, 6)))
    assert attention_statistics(vit, IMAGES)["score_std"] == pytest.approx(0, abs=1e-6)


def test_spread_and_entropy_are_those_of_the_weights(vit):
    found, weights = attention_statistics(vit, IMAGES), attention_maps(vit, IMAGES)
    spread = weights.log().std(dim=-1, correction=0)  # a softmax only shifts the scores
    assert found["score_std"] == pytest.approx(float(spread.mean()), rel=1e-4)
    entropy = -(weights * weights.log()).sum(dim=-1) / torch.tensor(5.0).log()
    assert found["attention_entropy"] == pytest.approx(float(entropy.mean()), rel=1e-5)


def test_active_and_dead_units_by_hand(vit):
    for layer, bias in zip(vit.layers, ([1.0] * 6 + [-1.0] * 2, [1.0] + [-1.0] * 7), strict=True):
        layer.fc1.weight.data[:] = 0
        layer.fc1.bias.data[:] = torch.tensor(bias)
    found = attention_statistics(vit, IMAGES)
    assert found["active_units"] == pytest.approx((6 / 8 + 1 / 8) / 2)
    assert found["dead_units"] == pytest.approx((2 / 8 + 7 / 8) / 2)


def test_a_unit_is_dead_only_if_it_is_for_every_image_and_token(vit, monkeypatch):
    for layer in vit.layers:
        inputs = torch.full((3, 5, 8), -1.0)
        inputs[2, 4, 0] = inputs[0, 0, 1] = 1.0
        inputs[..., 2] = 0.0  # not above zero
        monkeypatch.setattr(layer.fc1, "forward", lambda x, inputs=inputs: inputs)
    found = attention_statistics(vit, IMAGES)
    assert found["active_units"] == pytest.approx(2 / (3 * 5 * 8))
    assert found["dead_units"] == pytest.approx(6 / 8)


def test_other_networks_have_no_such_signs():
    assert attention_statistics(LeNet(), IMAGES) == {}


def test_attention_maps_are_weights_of_the_finished_model(vit):
    vit.train()
    maps = attention_maps(vit, IMAGES)
    assert maps.shape == (3, 2, 4, 5, 5)
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(3, 2, 4, 5))
    assert torch.equal(maps, attention_maps(vit, IMAGES))  # nothing is dropped
    scores, _ = vit.layers[0].attention.scores(vit.layers[0].norm1(vit.embed(IMAGES)))
    torch.testing.assert_close(maps[:, 0], scores.softmax(dim=-1))


def test_looking_leaves_no_hooks_and_draws_no_random_numbers(vit):
    before = torch.get_rng_state()
    attention_statistics(vit, IMAGES)
    attention_maps(vit, IMAGES)
    with pytest.raises(RuntimeError), watched(vit):
        vit(IMAGES[:, :, :5])
    assert not any(module._forward_hooks for module in vit.modules())
    assert torch.equal(torch.get_rng_state(), before)
