"""The linear classifier: how its strength is chosen, and what it may not see."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.data.datasets import Dataset
from helpers.training.config import LinearConfig
from helpers.training.linear_trainer import LinearTrainer, fit

CONFIG = LinearConfig(strengths=(1e-6, 0.01, 1e4), folds=3)


def data(n=90, features=30, seed=0):
    """Three labels that depend on one feature each, and are wrong now and then."""
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, size=(2 * n, features)).astype(np.float32)
    y = (x[:, :3] + rng.normal(0, 1, size=(2 * n, 3)) > 3).astype(np.uint8)
    return Dataset(x[:n], y[:n], x[n:], y[n:])


def trained(data, config=CONFIG, seed=0):
    trainer = LinearTrainer(config, data, seed)
    trainer.run_epoch()
    return trainer


def test_the_strength_is_best_on_held_out_examples_and_the_figures_are_of_the_last_classifier():
    trainer = trained(data())
    history = trainer.history
    assert np.argmin(history["held_out_loss"][:3]) == 1  # too simple, right, memorised
    assert history["strength"] == [1e-6, 0.01, 1e4, 0.01]
    assert history["held_out_loss"][3] is None and history["eval_f1"][:3] == [None] * 3
    right = (trainer.scores() > 0) == trainer.data.y_eval
    assert history["eval_accuracy"][3] == pytest.approx(right.mean()) and right.mean() > 0.7
    assert trainer.parameter_count == 3 * 31


def test_the_evaluation_data_decide_nothing():
    once = trained(data())
    other = trained(replace(data(), x_eval=data(seed=1).x, y_eval=data(seed=1).y))
    assert np.array_equal(once.classifier.weights, other.classifier.weights)


def test_a_class_that_all_have_or_none_is_predicted_as_such():
    x, y = data(12).x, data(12).y
    y[:, 0], y[:, 1] = 0, 1
    logits = fit(x, y, strength=0.01).logits(x)
    assert (logits[:, 0] < -2).all() and (logits[:, 1] > 2).all() and np.ptp(logits[:, 2]) > 0.01
