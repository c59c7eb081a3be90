"""The loop in NumPy: its figures, its batches, its state."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.data.datasets import Dataset
from helpers.networks.mlp import evaluate
from helpers.training.numpy_trainer import NumpyConfig, NumpyTrainer, shift_images, train

TINY = NumpyConfig(sizes=(5, 8, 2), epochs=6, schedule={"name": "constant", "lr": 0.5})


def data(n=40):
    x = np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    return Dataset(x, y, x, y)


def history(**changes):
    return train(replace(TINY, **changes), data(), seed=0).history


def test_training_learns_and_measures_before_each_step():
    found = history(epochs=60, schedule={"name": "warmup-cosine", "peak_lr": 0.8})
    assert found["learning_rate"][:2] == [0.4, 0.8] and found["learning_rate"][-1] > 0
    assert found["epoch"] == list(range(60))
    assert found["accuracy"][-1] > 0.9 > found["accuracy"][0]
    # The data are the evaluation's, too: it finds after a step what is measured before the next.
    assert found["eval_loss"][:-1] == pytest.approx(found["loss"][1:], rel=1e-5)


def test_the_figures_of_an_epoch_are_means_over_its_images():
    frozen = replace(TINY, batch_size=30, schedule={"name": "constant", "lr": 0.0})
    trainer = NumpyTrainer(frozen, data(), seed=0)
    before = evaluate(trainer.network, trainer.loss, data().x, data().y)
    trainer.run_epoch()  # batches of 30 and 10 that see the same network
    assert trainer.history["loss"] == [pytest.approx(before["loss"], rel=1e-5)]
    assert trainer.history["accuracy"] == [pytest.approx(before["accuracy"])]


def test_a_gradient_that_is_not_averaged_is_larger_by_the_batch():
    mean, total = (history(epochs=1, mean_gradient=mean) for mean in (True, False))
    assert total["gradient_norm"] == [pytest.approx(40 * mean["gradient_norm"][0], rel=1e-5)]


def test_the_full_batch_is_the_very_data_and_mini_batches_hold_each_example_once():
    trainer = NumpyTrainer(TINY, data(), seed=0)
    [(x, y)] = trainer.batches()
    assert x is trainer.data.x and y is trainer.data.y
    batches = list(NumpyTrainer(replace(TINY, batch_size=7), data(), seed=0).batches())
    assert [len(y) for _, y in batches] == [7, 7, 7, 7, 7, 5]
    rows = np.concatenate([x for x, _ in batches])
    assert not np.array_equal(rows, data().x)
    np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(data().x, axis=0))


def test_the_seed_decides_and_restored_state_continues_bit_for_bit():
    config = replace(TINY, batch_size=7, momentum=0.9)
    whole, other = (train(config, data(), seed) for seed in (1, 2))
    assert whole.history != other.history
    first, second = (NumpyTrainer(config, data(), seed=1) for _ in range(2))
    first.run_epoch()
    second.restore(*first.state())
    while not second.done:
        second.run_epoch()
    assert second.history == whole.history
    for ours, theirs in zip(second.network.parameters(), whole.network.parameters(), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])


def test_divergence_ends_the_run_and_is_noted():
    config = replace(TINY, loss="mse", schedule={"name": "constant", "lr": 1e6}, epochs=50)
    trainer = train(config, data(), seed=0)
    assert trainer.diverged and trainer.epoch < 50
    assert trainer.history["eval_loss"][-1] is trainer.history["eval_accuracy"][-1] is None


def test_it_is_evaluated_and_logged_at_the_first_epoch_the_last_and_every_so_many():
    evaluated = [value is not None for value in history(epochs=10, evaluate_every=4)["eval_loss"]]
    assert np.flatnonzero(evaluated).tolist() == [0, 3, 7, 9]
    assert history(epochs=10, log_every=5)["epoch"] == [0, 4, 9]


def test_shifted_images_go_to_every_place_and_what_leaves_the_image_is_lost():
    x = np.zeros((400, 28, 28), np.uint8)
    x[:, 10, 12] = 255
    x[:, 0, 0] = 255
    y = np.arange(400) % 2
    config = NumpyConfig(sizes=(784, 2), batch_size=400, shift=2)
    [(moved, _)] = NumpyTrainer(config, Dataset(x, y, x, y), seed=0).batches()
    moved = moved.reshape(-1, 28, 28)
    assert moved.dtype == np.float32 and set(moved.sum(axis=(1, 2))) == {1, 2}
    places = {tuple(place[1:]) for place in np.argwhere(moved[:, 6:, 6:] == 1) + 6}
    assert places == {(10 + i, 12 + j) for i in range(-2, 3) for j in range(-2, 3)}
    still = x.reshape(-1, 784)
    assert np.array_equal(shift_images(still, 0, np.random.default_rng(0)), still)
