"""The intervals against scipy, hand computation and simulation."""

import warnings

import numpy as np
import pytest
from scipy import stats as scipy_stats

from helpers.analysis.stats import (
    NO,
    UNCLEAR,
    YES,
    Interval,
    difference_interval,
    expected_calibration_error,
    mean_interval,
    median_interval,
    prediction_interval,
    reliability_curve,
    wilson,
)

A = [0.91, 0.95, 0.93, 0.97]
B = [0.90, 0.92, 0.95, 0.91]


def ends(interval):
    return interval.low, interval.high


def test_mean_interval_by_hand():
    interval = mean_interval([1.0, 2.0, 3.0])
    # sd = 1, t(0.975, 2 degrees of freedom) = 4.302653 from any printed table
    assert interval.estimate == 2.0
    assert interval.sd == 1.0
    assert interval.n == 3
    assert ends(interval) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-6)


def test_mean_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = sum(mean_interval(rng.normal(7, 3, 5)).contains(7) for _ in range(2000))
    assert wilson(hits, 2000).contains(0.95)


def test_wilson_by_hand():
    # Wilson's formula for 8 of 10 with z = 1.959964
    z = 1.959964
    centre = (0.8 + z**2 / 20) / (1 + z**2 / 10)
    half = z / (1 + z**2 / 10) * (0.8 * 0.2 / 10 + z**2 / 400) ** 0.5
    assert wilson(8, 10).estimate == 0.8
    assert ends(wilson(8, 10)) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_prediction_interval_by_hand():
    half = 4.302653 * (1 + 1 / 3) ** 0.5  # as above, with the new run's own variance
    assert ends(prediction_interval([1.0, 2.0, 3.0])) == pytest.approx(
        (2 - half, 2 + half), abs=1e-6
    )


def test_the_bootstrap_of_a_median_agrees_with_theory():
    values = np.random.default_rng(1).normal(size=400)
    low, middle, high = np.sort(values)[[180, 199, 220]]  # 200 ± 1.96 times half of √400
    found = median_interval(values)
    assert ends(found) == pytest.approx((low, high), abs=0.03)
    assert found.estimate == pytest.approx(middle, abs=0.01)


def test_welch_agrees_with_scipy():
    expected = scipy_stats.ttest_ind(A, B, equal_var=False).confidence_interval()
    interval = difference_interval(A, B)
    assert ends(interval) == pytest.approx((expected.low, expected.high))
    assert interval.estimate == pytest.approx(np.mean(A) - np.mean(B))
    assert interval.n == (4, 4)


def test_paired_agrees_with_scipy_and_removes_what_pairs_share():
    expected = scipy_stats.ttest_rel(A, B).confidence_interval()
    assert ends(difference_interval(A, B, paired=True)) == pytest.approx(
        (expected.low, expected.high)
    )
    shared = np.array([0.0, 10.0, 20.0])
    shifted = shared + [1.0, 1.1, 0.9]
    assert not difference_interval(shifted, shared, paired=True).contains(0)
    assert difference_interval(shifted, shared).contains(0)


def test_a_sample_without_spread_has_an_interval_and_no_warning():
    same, other = [0.1124] * 3, [0.2, 0.3, 0.4]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        interval = difference_interval(other, same)
    # All the spread is that of the other three: sd 0.1, with their 2 degrees of freedom.
    half = 4.302653 * 0.1 / 3**0.5
    assert ends(interval) == pytest.approx((0.1876 - half, 0.1876 + half), abs=1e-6)


def test_an_interval_says_yes_or_no_or_neither():
    interval = Interval(0.02, 0.01, 0.03, n=3)
    at = [interval.above(limit) for limit in (0.005, 0.01, 0.02, 0.03, 0.04)]
    assert at == [YES, UNCLEAR, UNCLEAR, UNCLEAR, NO]
    for either in (interval, -interval):
        assert [either.inside(limit) for limit in (0.03, 0.02, 0.005)] == [YES, UNCLEAR, NO]
    assert Interval(0, -0.03, 0.03, n=3).inside(0.02) is UNCLEAR
    with pytest.raises(TypeError, match="compare it with `is`"):
        bool(interval.above(0))


def test_an_interval_is_written_and_turned_round():
    interval = Interval(0.95714, 0.95628, 0.95791, n=3, sd=0.0003)
    assert f"{interval:.4f}" == str(interval) == "0.9571 [0.9563, 0.9579]"
    assert f"{interval:.1%}" == "95.7% [95.6%, 95.8%]"
    assert -difference_interval(A, B) == difference_interval(B, A)


def test_an_interval_does_not_leave_the_possible_range():
    values = [0.005, 0.007, 0.012]
    few = mean_interval(values, low=0, high=1)
    assert few.low == 0 and few.high == mean_interval(values).high
    assert f"{few:.3f}" == "0.008 (0.005, 0.007, 0.012)" and f"{-few:.3f}".endswith("-0.012)")
    assert f"{mean_interval([0.9, 0.91, 0.92], low=0, high=1):.2f}" == "0.91 [0.89, 0.93]"
    more = mean_interval([*values, 0.001], low=0, high=1)
    assert more.low == 0 and not more.values
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        mean_interval([0.9, 1.1], low=0, high=1)


def test_calibration_by_hand():
    probabilities = np.array([[0.05, 0.15], [0.15, 0.95], [1.0, 0.95]])
    targets = np.array([[0, 1], [0, 1], [1, 0]])
    confidence, shares = reliability_curve(probabilities, targets)
    assert confidence == pytest.approx([0.05, 0.15, (0.95 + 0.95 + 1) / 3])
    assert [share.estimate for share in shares] == pytest.approx([0, 1 / 2, 2 / 3])
    assert [share.n for share in shares] == [1, 2, 3]
    error = expected_calibration_error(probabilities, targets)
    by_hand = (1 * 0.05 + 2 * (0.5 - 0.15) + 3 * (2.9 / 3 - 2 / 3)) / 6
    assert error == pytest.approx(by_hand)
