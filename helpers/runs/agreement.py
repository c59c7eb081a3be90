"""The rule by which a run that was made again agrees with the recorded ones.

Numbers in, a verdict out: `helpers.runs.verify` makes the runs and reads the records.
"""

import numpy as np
from scipy import stats

from helpers.analysis.stats import CONFIDENCE, Interval

NEARLY = 1e-4  # one of the 10,000 examples that most runs are evaluated on
FEWEST = 3  # recorded seeds
AS_RECORDED, WITHIN, OUTSIDE, INCONCLUSIVE = "as recorded", "within", "OUTSIDE", "can't be told"


def prediction_interval(values, new=1, confidence=CONFIDENCE):
    """Say where the mean of some new runs should lie, by Student's t.

    Parameters
    ----------
    values : sequence of float, [n]
        What the recorded runs came to; at least two.
    new : int
        How many new runs there are.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    helpers.analysis.stats.Interval

    Raises
    ------
    ValueError
        If there are fewer than two values.

    References
    ----------
    Hahn and Meeker (1991), "Statistical Intervals", chapter 4.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        raise ValueError("values must hold at least 2 runs: one has no spread.")
    mean, sd, n = float(values.mean()), float(values.std(ddof=1)), len(values)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sd * np.sqrt(1 / new + 1 / n)
    return Interval(mean, float(mean - half), float(mean + half), n, sd)


def nearly(a, b):
    """Whether two results are the same to 0.0001; None stands for a run that diverged."""
    return a is b if a is None or b is None else abs(a - b) <= NEARLY * (1 + 1e-9)


def judge(recorded, seed, new):
    """Give the verdict on one new run.

    Parameters
    ----------
    recorded : dict of int to float or None
        What each recorded seed came to; None if it diverged.
    seed : int
    new : float or None
        What the new run came to.

    Returns
    -------
    verdict : str
        `AS_RECORDED`, `WITHIN`, `OUTSIDE` or `INCONCLUSIVE`.
    expected : helpers.analysis.stats.Interval or None
        Where a new run should lie; None with fewer than three recorded runs that ended well.
    """
    finite = [value for value in recorded.values() if value is not None]
    expected = prediction_interval(finite) if len(finite) >= FEWEST else None
    if seed in recorded and nearly(recorded[seed], new):
        return AS_RECORDED, expected
    if len(recorded) < FEWEST:
        return INCONCLUSIVE, expected
    if new is None:
        return (WITHIN if len(finite) < len(recorded) else OUTSIDE), expected
    if not finite:
        return OUTSIDE, expected
    return _by_interval(expected, new), expected


def judge_batch(recorded, new):
    """Give the verdict on a new batch of networks, from their accuracies [R] and [M]."""
    expected = prediction_interval(recorded, len(new))
    same = len(recorded) == len(new) and all(map(nearly, recorded, new))
    return AS_RECORDED if same else _by_interval(expected, float(np.mean(new))), expected


def _by_interval(expected, new):
    if expected is None or (expected.low <= 0 and expected.high >= 1):
        return INCONCLUSIVE
    return WITHIN if expected.low - NEARLY <= new <= expected.high + NEARLY else OUTSIDE
