"""The speed of the NumPy network: what is compared computes the same, and all of it is counted."""

import numpy as np
import pytest

from benchmarks import implementations, numpy_speed
from benchmarks.implementations import SIZES, Disagreement, Ours, PyTorch, Textbook

IMAGES = 300


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    x = rng.random((IMAGES, SIZES[0]), dtype=np.float32)
    x *= rng.random(x.shape) < 0.2
    return x, rng.integers(0, SIZES[-1], IMAGES)


@pytest.mark.parametrize("chunk", [None, 128, IMAGES])
def test_all_take_the_same_epochs(data, chunk):
    ours, other = Ours(*data), PyTorch(*data, chunk) if chunk else Textbook(*data)
    implementations.check_first_step({"ours": ours, "the other": other})
    losses = []
    for _ in range(3):
        losses.append(ours.epoch())
        implementations.check_losses({"ours": losses[-1], "the other": other.epoch()})
    assert losses == sorted(losses, reverse=True)
    for mine, theirs in zip(ours.weights, other.weights, strict=True):
        # A unit on its kink may be on for one of them and off for the other.
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=3e-5)


def test_another_gradient_is_found_behind_the_same_loss(data):
    ours, other = Ours(*data), Textbook(*data)
    other.one_hot = other.one_hot[:, ::-1]
    with pytest.raises(Disagreement, match="the other takes another first step"):
        implementations.check_first_step({"ours": ours, "the other": other})


def test_memory_counts_what_an_epoch_allocates_and_that_is_little():
    n = 5 * 2048
    x = np.zeros((n, SIZES[0]), np.float32)
    ours = Ours(x, np.arange(n) % 10)
    must, added = numpy_speed.memory_rows(ours)
    assert added.ratio < 1  # no copy of the images
    assert must.other == pytest.approx((x.nbytes + 8 * n + 3 * 4 * (794 * 1024 + 1034)) / 2**20)
    step = ours.epoch
    ours.epoch = lambda: (step(), np.ones(100 * 2**20, np.uint8))
    assert numpy_speed.memory_rows(ours)[1].ours >= 100


def test_a_run_has_the_rows_of_the_book_s():
    results, book = numpy_speed.measure(images=IMAGES, rounds=2), numpy_speed.read()
    assert (book.images, book.data) == (numpy_speed.IMAGES, "MNIST")
    assert not book.commit.endswith("+changes")
    kept = ("name", "unit", "target", "at_most")
    listed, measured = (
        [[getattr(row, field) for field in kept] for row in found.rows] for found in (book, results)
    )
    assert listed == measured
    assert numpy_speed.table(results)["what"].tolist() == [row.name for row in results.rows]
    for row in results.rows:
        assert row.ours > 0 and (row.ratio is None or 0 < row.low <= row.ratio <= row.high)
