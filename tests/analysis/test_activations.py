"""What practice 5's networks say far away, against known answers."""

import numpy as np
import pytest
import torch

from helpers.analysis import activations
from helpers.networks.ensemble import ACTIVATION_PAIRS, MLPEnsemble


def test_agreement_of_votes_that_are_known():
    rng = np.random.default_rng(0)
    ones, zeros = np.ones((10, 6), bool), np.zeros((10, 6), bool)
    opposed = activations.estimate_agreement([ones, zeros], rng)
    assert (opposed.within.estimate, opposed.between.estimate) == (1, 0)
    assert opposed.explained.estimate == 1
    two = np.array([[True], [False]])  # of two seeds that never agree
    assert activations.estimate_agreement([two, two], rng).within.estimate == 0
    coins = [rng.random((400, 50)) > 0.5 for _ in range(2)]
    tossed = activations.estimate_agreement(coins, rng)
    assert tossed.within.estimate == pytest.approx(0.5, abs=0.01)
    assert tossed.explained.estimate < 0.02


@pytest.mark.parametrize(
    ("name", "shape"),
    [("linear", "linear"), ("sigmoid", "constant"), ("square", "power"), ("exp", "explodes")],
)
def test_shapes_far_away(name, shape):
    networks = MLPEnsemble(ACTIVATION_PAIRS[name], range(3), dtype=torch.float64)
    assert (activations.ray_shapes(networks, directions=6) == shape).mean() > 0.8


def test_votes_do_not_overflow():
    networks = MLPEnsemble(ACTIVATION_PAIRS["exp"], range(4), dtype=torch.float64)
    near = activations.circle(1)
    expected = (networks.logits(torch.tensor(near)) > 0).numpy()
    assert (activations.class_1_votes(networks, near) == expected).all()
