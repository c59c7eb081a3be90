"""From runs to numbers, and from numbers to text."""

import numpy as np
import pytest
from made_up import run, runs

from helpers.analysis import summaries
from helpers.analysis.stats import difference_interval, mean_interval


def test_a_diverged_run_is_not_averaged_away():
    some = runs([0.9, None])
    assert np.isnan(summaries.values(some, "eval_accuracy")).tolist() == [False, True]
    assert summaries.interval(some, "eval_accuracy") is None
    table = summaries.summary({"one": some[:1], "lost": some}, {"eval_accuracy": ("it", ".3f")})
    assert table["it"].tolist() == ["0.900", "1 of 2 diverged"]
    with pytest.raises(ValueError, match="a must be finite"):
        summaries.difference(some, some[:1] * 2, "eval_accuracy")


@pytest.mark.parametrize(
    ("metric", "ends", "text"),
    [
        ("eval_accuracy", (0.9, 0.95, 1.0), "1.0 (0.9, 0.9, 1.0)"),  # a share ends at 1
        ("eval_loss", (0.1, 0.5, 1.5), "0.7 (0.1, 0.5, 1.5)"),  # and a loss at 0
        ("eval_loss", (0.5, 0.6, 0.7), f"{mean_interval([0.5, 0.6, 0.7]):.1f}"),
    ],
)
def test_an_interval_stays_in_its_figures_range(metric, ends, text):
    some = [run(seed=seed, **{metric: end}) for seed, end in enumerate(ends)]
    assert f"{summaries.interval(some, metric):.1f}" == text
    assert summaries.cell(np.array(ends), ".1f", metric) == text


def test_difference_pairs_runs_of_the_same_seeds_and_data_only():
    x, y = [0.90, 0.92, 0.95], [0.89, 0.91, 0.93]
    a, b, other_data = runs(x), runs(y), runs(y)
    other_seeds = [run(seed=seed + 5, eval_accuracy=end) for seed, end in enumerate(y)]
    other_data[0].data_checksum = "another"
    assert summaries.difference(a, b, "eval_accuracy") == difference_interval(x, y, paired=True)
    for unpaired in (other_seeds, other_data):
        assert summaries.difference(a, unpaired, "eval_accuracy") == difference_interval(x, y)
    assert summaries.same_seeds(a, other_seeds) == []
    assert summaries.same_seeds(a, b[1:]) == a[1:]


def test_history_stacks_runs_and_keeps_gaps():
    some = [run(loss=[1.0, None], epoch=[0, 10]), run(loss=[1.0, 0.5], epoch=[0, 10])]
    epochs, loss = summaries.history(some, "loss")
    assert epochs.tolist() == [0, 10]
    assert np.array_equal(loss, [[1.0, np.nan], [1.0, 0.5]], equal_nan=True)
    with pytest.raises(ValueError, match="seed 2, was logged at other epochs"):
        summaries.history([*some, run(loss=[1, 1], epoch=[0, 5], seed=2)], "loss")


SLOW = np.exp(-np.arange(200) / 30)
SUDDEN = np.r_[np.full(100, 2.0), np.linspace(2, 0.5, 20), np.full(80, 0.5)]


SPIKED = SLOW + np.where(abs(np.arange(200) - 105) < 5, 5, 0)
TINY = np.r_[np.linspace(9, 2, 60), np.full(80, 2.0), np.linspace(2, 1.9, 20), np.full(40, 1.9)]


@pytest.mark.parametrize(
    ("loss", "at"),
    [
        (SLOW, None),  # it only slows down
        (np.linspace(8, 1, 200), None),
        (SLOW[:30], None),  # too short to tell
        (SPIKED, None),  # coming down from a spike is no sudden drop
        (TINY, None),  # a step, but a hundredth of the fall
        (SUDDEN, 100),
        ([*SUDDEN, None], 100),  # it diverged afterwards
    ],
)
def test_a_sudden_drop_follows_a_plateau_and_is_dated_in_epochs(loss, at):
    found = summaries.sudden_drop(run(loss=loss))
    assert found is at or found == pytest.approx(at, abs=1)
    logged = [0, *range(49, 10_100, 50)][: len(loss)]
    found = summaries.sudden_drop(run(loss=loss, epoch=logged))
    assert found is at or (found == pytest.approx(at * 50 - 1, abs=50) and found in logged)


def test_still_falling_means_at_every_one_of_the_last_epochs():
    loss = np.r_[np.ones(60), np.linspace(1, 0.5, 41)]
    assert summaries.still_falling(run(loss=loss))
    assert not summaries.still_falling(run(loss=loss), window=41)
    loss[-2] = loss[-3]
    assert not summaries.still_falling(run(loss=loss))


def test_epochs_to_an_accuracy():
    assert summaries.epochs_to(run(accuracy=[0.1, 0.5, 0.9, 0.95]), 0.9) == 3
    assert summaries.epochs_to(run(accuracy=[0.1, None]), 0.9) is None
    assert summaries.epochs_to(run(accuracy=[0.1, 0.95], epoch=[0.0, 49.0]), 0.9) == 50
