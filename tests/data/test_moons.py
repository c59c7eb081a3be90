"""The exact half-moons against sampled ones, and against theory."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from helpers.analysis.stats import wilson
from helpers.data.datasets import half_moons
from helpers.data.moons import bayes_accuracy, bayes_predict, densities

XS, YS = np.linspace(-3, 4, 701), np.linspace(-3, 3.5, 651)


def test_a_density_holds_one_class_and_has_the_mean_of_its_samples():
    x, y = half_moons(20_000, 0.2, seed=0)
    for k, density in enumerate(densities(XS, YS, 0.2)):
        assert trapezoid(trapezoid(density, XS), YS) == pytest.approx(1, abs=1e-6)
        mean_x = trapezoid(trapezoid(density * XS, XS), YS)
        mean_y = trapezoid(trapezoid(density, XS) * YS, YS)
        assert np.allclose((mean_x, mean_y), x[y == k].mean(axis=0), atol=0.01)


def test_bayes_accuracy_is_what_its_predictions_score():
    x, y = half_moons(5000, 0.2, seed=1)
    right = (bayes_predict(x, 0.2) == y).sum()
    assert wilson(right, len(x)).contains(bayes_accuracy(0.2))
    far = np.array([[0.5, 100.0], [0.5, -100.0]])  # where both densities are 0 in floating point
    assert bayes_predict(far, 0.2).tolist() == [0, 1]
