"""Schedules against hand-computed rates, and the training loop's behaviour."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.numpy_net import evaluate
from helpers.numpy_training import (
    SCHEDULES,
    Config,
    Training,
    TrainingData,
    course,
    shift_images,
    train,
    warmup_cosine,
)


def tiny_data(n=40, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype(dtype)
    labels = (x[:, 0] > 0).astype(np.int64)
    return TrainingData(x, labels, x[:10], labels[:10])


FROZEN = {"name": "constant", "rate": 0.0}
TINY = Config(sizes=(5, 8, 2), epochs=6, schedule={"name": "constant", "rate": 0.5})


def config(**changes):
    return replace(TINY, **changes)


# ------------------------------------------------------------------------- schedules


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [
        (0, 0.05 + 0.15 / 20),
        (19, 0.2),
        (20, 0.05 + 0.075 * (1 + np.cos(np.pi / 4))),
        (50, 0.05 + 0.075 * (1 + np.cos(np.pi)) * 0.98**3),
        (90, 0.05 + 0.075 * 2 * 0.98**7),
        (379, 0.05 + 0.075 * (1 + np.cos(np.pi * 369 / 40)) * 0.98**35),
        (380, 0.05),
        (399, 0.05),
    ],
)
def test_course_schedule(epoch, rate):
    assert course()(epoch) == pytest.approx(rate)
    assert course(scale=3)(epoch) == pytest.approx(3 * rate)


def test_course_schedule_without_decay_swings_back_to_its_peak():
    assert course(decay=1)(330) == pytest.approx(0.2)
    assert course()(330) < 0.14


def test_warmup_cosine_rises_and_falls_to_nothing():
    rate = warmup_cosine(peak=0.4, epochs=12, warmup=3)
    assert [rate(e) for e in range(3)] == pytest.approx([0.1, 0.2, 0.3])
    assert rate(3) == pytest.approx(0.4)
    assert rate(12) == pytest.approx(0)
    assert all(rate(e) > rate(e + 1) for e in range(3, 11))


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="unknown schedule 'step': choose one of constant"):
        Training(config(schedule={"name": "step"}), tiny_data(), seed=0)
    assert set(SCHEDULES) == {"constant", "course", "warmup-cosine"}


# ------------------------------------------------------------------------------ loop


def test_training_learns_and_logs_every_epoch():
    history = train(config(epochs=60), tiny_data(), seed=0).history
    assert history["epoch"] == list(range(60))
    assert history["accuracy"][-1] > 0.9 > history["accuracy"][0]
    assert history["loss"][-1] < history["loss"][0] / 2
    assert {len(values) for values in history.values()} == {60}


def test_training_figures_are_measured_before_the_step_and_evaluation_after_it():
    data = tiny_data()
    data = TrainingData(data.x, data.labels, data.x, data.labels)  # evaluate on the same data
    history = train(config(epochs=5), data, seed=0).history
    assert history["eval_loss"][:-1] == pytest.approx(history["loss"][1:], rel=1e-5)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    runs = [train(config(batch_size=7), tiny_data(), seed).history for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0]["loss"] != runs[2]["loss"]


def test_full_batch_is_one_step_over_the_very_data():
    training = Training(TINY, tiny_data(), seed=0)
    [(x, labels)] = training.batches()
    assert x is training.data.x
    assert labels is training.data.labels


def test_mini_batches_take_every_example_once():
    data = tiny_data()
    training = Training(config(batch_size=7), data, seed=0)
    batches = list(training.batches())
    assert [len(y) for _, y in batches] == [7, 7, 7, 7, 7, 5]
    rows = np.concatenate([x for x, _ in batches])
    assert not np.array_equal(rows, data.x)
    np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(data.x, axis=0))


def test_restored_state_continues_bit_for_bit():
    options = config(batch_size=7, momentum=0.9, epochs=8)
    whole = train(options, tiny_data(), seed=1)
    first = Training(options, tiny_data(), seed=1)
    for _ in range(3):
        first.run_epoch()
    second = Training(options, tiny_data(), seed=1)
    second.restore(*first.state())
    while not second.done:
        second.run_epoch()
    assert second.history == whole.history
    for (ours, _), (theirs, _) in zip(
        second.network.parameters(), whole.network.parameters(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_divergence_ends_the_run_and_is_noted():
    options = config(loss="mse", schedule={"name": "constant", "rate": 1e6}, epochs=50)
    training = train(options, tiny_data(), seed=0)
    assert training.diverged
    assert training.epoch < 50
    assert training.history["eval_loss"][-1] is None
    assert training.history["eval_accuracy"][-1] is None


def test_the_figures_of_an_epoch_are_means_over_its_images():
    training = Training(config(batch_size=30, schedule=FROZEN), tiny_data(n=40), seed=0)
    before = evaluate(training.network, training.loss, training.data.x, training.data.labels)
    training.run_epoch()  # batches of 30 and 10; at a rate of 0 each sees the same network
    assert training.history["loss"] == [pytest.approx(before["loss"], rel=1e-5)]
    assert training.history["accuracy"] == [pytest.approx(before["accuracy"])]
    assert training.history["gradient_norm"][0] > 0


def test_gradient_that_is_not_averaged_is_larger_by_the_batch():
    norms = [
        train(config(epochs=1, mean_gradient=mean), tiny_data(n=40), seed=0).history[
            "gradient_norm"
        ][0]
        for mean in (True, False)
    ]
    assert norms[1] == pytest.approx(40 * norms[0], rel=1e-5)


def test_evaluation_and_log_intervals():
    history = train(config(epochs=10, evaluate_every=4), tiny_data(), seed=0).history
    evaluated = [e for e, v in zip(history["epoch"], history["eval_loss"], strict=True) if v]
    assert evaluated == [0, 3, 7, 9]
    history = train(config(epochs=10, log_every=5), tiny_data(), seed=0).history
    assert history["epoch"] == [0, 4, 9]


# ---------------------------------------------------------------------- augmentation


def test_shifted_images_are_moved_not_wrapped():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 10, 12] = 1
    places = set()
    rng = np.random.default_rng(0)
    for _ in range(200):
        [moved] = shift_images(image.reshape(1, 784), 2, rng).reshape(1, 28, 28)
        assert moved.sum() == 1
        places.add(tuple(int(i) for i in np.argwhere(moved == 1)[0]))
    assert places == {(10 + i, 12 + j) for i in range(-2, 3) for j in range(-2, 3)}


def test_mini_batches_are_shifted_where_asked():
    x = np.zeros((40, 784), np.float32)
    x[:, 14 * 28 + 14] = 1
    data = TrainingData(x, np.arange(40) % 2, x, np.arange(40) % 2)
    options = config(sizes=(784, 2), batch_size=10)
    for shift, places in ((0, 1), (2, 25)):
        training = Training(replace(options, shift=shift), data, seed=0)
        seen = {int(i) for _ in range(20) for rows, _ in training.batches() for i in rows.argmax(1)}
        assert len(seen) == places


def test_what_is_shifted_out_is_lost():
    corner = np.zeros((200, 28, 28), np.float32)
    corner[:, 0, 0] = 1
    moved = shift_images(corner.reshape(200, 784), 1, np.random.default_rng(0))
    assert set(moved.sum(axis=1)) == {0, 1}
