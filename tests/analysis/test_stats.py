"""The intervals against scipy, hand computation and simulation."""

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


T = 4.302653  # t(0.975, 2 degrees of freedom), from any printed table
# Wilson's formula for 8 of 10.
Z2 = 1.959964**2
CENTRE, MARGIN = 0.8 + Z2 / 20, (Z2 * (0.8 * 0.2 / 10 + Z2 / 400)) ** 0.5


@pytest.mark.parametrize(
    ("interval", "estimate", "low", "high"),
    [
        (mean_interval([1, 2, 3]), 2, 2 - T / 3**0.5, 2 + T / 3**0.5),  # sd 1
        (prediction_interval([1, 2, 3]), 2, 2 - T * (4 / 3) ** 0.5, 2 + T * (4 / 3) ** 0.5),
        (wilson(8, 10), 0.8, (CENTRE - MARGIN) / (1 + Z2 / 10), (CENTRE + MARGIN) / (1 + Z2 / 10)),
        # All the spread is that of one sample, with its 2 degrees of freedom.
        (difference_interval([1, 2, 3], [1] * 3), 1, 1 - T / 3**0.5, 1 + T / 3**0.5),
    ],
)
def test_intervals_by_hand(interval, estimate, low, high):
    found = interval.estimate, interval.low, interval.high
    assert found == pytest.approx((estimate, low, high), abs=1e-6)


def test_the_bootstrap_of_a_median_agrees_with_theory():
    values = np.random.default_rng(1).normal(size=400)
    low, middle, high = np.sort(values)[[180, 199, 220]]  # 200 ± 1.96 times half of √400
    found = median_interval(values)
    assert ends(found) == pytest.approx((low, high), abs=0.03)
    assert found.estimate == pytest.approx(middle, abs=0.01)


def test_differences_agree_with_scipy_and_pairing_removes_what_pairs_share():
    welch, paired = difference_interval(A, B), difference_interval(A, B, paired=True)
    for interval, test in (
        (welch, scipy_stats.ttest_ind(A, B, equal_var=False)),
        (paired, scipy_stats.ttest_rel(A, B)),
    ):
        expected = test.confidence_interval()
        assert ends(interval) == pytest.approx((expected.low, expected.high))
        assert interval.estimate == pytest.approx(np.mean(A) - np.mean(B))
    assert welch.n == (4, 4) and -welch == difference_interval(B, A)
    shared = np.array([0.0, 10.0, 20.0])
    shifted = shared + [1.0, 1.1, 0.9]
    assert not difference_interval(shifted, shared, paired=True).contains(0)
    assert difference_interval(shifted, shared).contains(0)


def test_an_interval_says_yes_or_no_or_neither():
    interval = Interval(0.02, 0.01, 0.03, n=3)
    at = [interval.above(limit) for limit in (0.005, 0.01, 0.02, 0.03, 0.04)]
    assert at == [YES, UNCLEAR, UNCLEAR, UNCLEAR, NO]
    for either in (interval, -interval):
        assert [either.inside(limit) for limit in (0.03, 0.02, 0.005)] == [YES, UNCLEAR, NO]
    assert Interval(0, -0.03, 0.03, n=3).inside(0.02) is UNCLEAR
    with pytest.raises(TypeError, match="compare it with `is`"):
        bool(interval.above(0))


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
