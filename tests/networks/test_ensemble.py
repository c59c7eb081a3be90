"""Practice 5's networks: what follows a layer, many seeds at once, linear regions."""

import pytest
import torch
from torch import nn

from helpers.data.datasets import half_moons
from helpers.networks.ensemble import (
    ACTIVATION_PAIRS,
    MENDED,
    PIECEWISE_LINEAR,
    EnsembleTrainer,
    MLPEnsemble,
    linear_map,
    linear_regions,
    permute,
    sort,
)

X, Y = (torch.tensor(part) for part in half_moons(100, 0.1, 42))


def test_sort_and_permute_are_what_the_course_defines():
    z1 = torch.tensor([[[3.0, 1.0, 2.0]]])
    z2 = torch.tensor([[[10.0, 20.0, 30.0]]])
    assert sort(z1).tolist() == [[[1, 2, 3]]]
    assert permute(z2, before=z1).tolist() == [[[20, 30, 10]]]


def test_networks_start_as_pytorch_s_layers_do():
    networks = MLPEnsemble(ACTIVATION_PAIRS["relu"], [7])
    with torch.random.fork_rng():
        torch.manual_seed(7)
        layers = [nn.Linear(2, 10), nn.Linear(10, 10), nn.Linear(10, 1)]
    x = X.float()
    expected = layers[2](layers[1](layers[0](x).relu()).relu())[:, 0]
    assert torch.equal(networks.weights[0][0].T, layers[0].weight)
    assert torch.allclose(networks.logits(x)[0], expected, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATION_PAIRS)
def test_a_seed_in_the_batch_equals_the_seed_alone(name):
    trained = []
    for seeds in (range(5), [3]):
        networks = MLPEnsemble(ACTIVATION_PAIRS[name], seeds, dtype=torch.float64)
        networks.weights[0][: len(seeds) - 1][:1] = torch.nan  # a broken neighbour
        training = EnsembleTrainer(networks, X, Y)
        for _ in range(10):
            training.step()
        trained.append([part.detach()[3 if len(seeds) > 1 else 0] for part in networks.weights])
    for among, alone in zip(*trained, strict=True):
        torch.testing.assert_close(among, alone, rtol=1e-7, atol=1e-9)


def test_the_sign_passes_no_gradient_on_and_its_remedies_do():
    norms = {}
    for name, combination in (ACTIVATION_PAIRS | MENDED).items():
        training = EnsembleTrainer(MLPEnsemble(combination, range(3)), X.float(), Y)
        training.step()
        norms[name] = training.gradient_norms()
    assert (norms["sgn"][:2] == 0).all() and (norms["sgn"][2] > 0).all()
    assert (norms["sgn-straight"] > 0).all() and (norms["sgn-surrogate"] > 0).all()


def test_frozen_layers_stay_and_clipped_gradients_are_short():
    networks = MLPEnsemble(ACTIVATION_PAIRS["relu"], range(2))
    before = [part.clone() for part in networks.weights]
    EnsembleTrainer(networks, X.float(), Y, frozen=True).step()
    changed = [not torch.equal(a, b) for a, b in zip(before, networks.weights, strict=True)]
    assert changed == [False] * 4 + [True] * 2
    clipped = EnsembleTrainer(
        MLPEnsemble(ACTIVATION_PAIRS["tan"], range(4)), X.float(), Y, clip=0.5
    )
    clipped.step()
    assert (clipped.gradient_norms().square().sum(0).sqrt() <= 0.5 + 1e-5).all()


@pytest.mark.parametrize("name", PIECEWISE_LINEAR)
def test_on_a_linear_region_the_network_is_linear(name):
    networks = MLPEnsemble(ACTIVATION_PAIRS[name], range(2), dtype=torch.float64)
    slope, height = linear_map(networks, X)
    near = X + 1e-6
    same = linear_regions(networks, X) == linear_regions(networks, near)
    assert same.float().mean() > 0.9
    there = (slope * near).sum(-1) + height
    assert torch.allclose(there[same], networks.logits(near)[same], atol=1e-10)
