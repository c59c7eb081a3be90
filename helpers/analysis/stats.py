"""Estimates with their uncertainty: every number that the book compares passes through here.

A thin layer over `scipy.stats` that returns one small type. It knows nothing of records:
what comes in is plain numbers.
"""

import warnings
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


class Answer(Enum):
    """What an interval says to a question: yes, no, or that it does not decide.

    Ask with `is`: none of the three is true or false by itself.
    """

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"

    def __bool__(self):
        raise TypeError(f"{self} is neither true nor false: compare it with `is`.")


YES, NO, UNCLEAR = Answer


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    `f"{interval:.4f}"` gives `0.9571 [0.9563, 0.9579]`; any format of a float works, as
    does `.1%`. `str(interval)` uses four decimals. With `values`, those stand instead of the
    interval: `0.008 (0.004, 0.007, 0.013)`.

    Attributes
    ----------
    estimate : float
        The mean, the share, or the difference.
    low, high : float
        Ends of the interval.
    n : int or (int, int)
        How many observations it rests on; a pair for two unpaired samples.
    sd : float or None
        Standard deviation of the observations (with n - 1), where that has a meaning.
    values : tuple of float
        The observations, where they are too few for an interval of what they measure.
    """

    estimate: float
    low: float
    high: float
    n: int | tuple[int, int]
    sd: float | None = None
    values: tuple[float, ...] = ()

    def __format__(self, spec):
        spec = spec or ".4f"
        if self.values:
            return (
                f"{self.estimate:{spec}} ({', '.join(f'{value:{spec}}' for value in self.values)})"
            )
        return f"{self.estimate:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self):
        return format(self)

    def __neg__(self):
        values = tuple(-value for value in self.values)
        return replace(self, estimate=-self.estimate, low=-self.high, high=-self.low, values=values)

    def contains(self, value):
        """Whether `value` lies inside the interval, ends included."""
        return self.low <= value <= self.high

    def above(self, limit):
        """Answer whether the true value is above `limit`; UNCLEAR if only a part of it is."""
        return YES if self.low > limit else NO if self.high < limit else UNCLEAR

    def inside(self, limit):
        """Answer whether the true value is within ±`limit`; UNCLEAR if only a part of it is."""
        if self.low > limit or self.high < -limit:
            return NO
        return YES if -limit <= self.low and self.high <= limit else UNCLEAR


FEW = 3  # observations: where their interval leaves the possible range, they are shown instead


def mean_interval(values, confidence=CONFIDENCE, low=-np.inf, high=np.inf):
    """Estimate a mean, with Student's t interval.

    An interval of few observations may leave the range of what they measure. It is cut off at
    the range's ends, which loses none of its confidence; of at most `FEW` observations nothing
    useful is left then, and they are shown themselves.

    Parameters
    ----------
    values : sequence of float, [n]
        Independent observations, for example one per seed; at least two.
    confidence : float
        Share of such intervals that would hold the true mean, between 0 and 1.
    low, high : float
        The range of what is measured, such as 0 and 1 for an accuracy.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If there are fewer than two values, or one is not finite or outside the range.
    """
    values = _sample(values, "values")
    _check_confidence(confidence)
    if values.min() < low or values.max() > high:
        raise ValueError(f"values must lie between {low} and {high}; got {values.tolist()}.")
    mean, sd = values.mean(), values.std(ddof=1)
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * sd / np.sqrt(len(values))
    ends = max(mean - half, low), min(mean + half, high)
    found = _interval(mean, *ends, len(values), sd)
    leaves = ends != (mean - half, mean + half)
    few = leaves and len(values) <= FEW
    return replace(found, values=tuple(values.tolist())) if few else found


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
    Interval

    Raises
    ------
    ValueError
        If there are fewer than two values, or one is not finite.

    References
    ----------
    Hahn and Meeker (1991), "Statistical Intervals", chapter 4.
    """
    values = _sample(values, "values")
    _check_confidence(confidence)
    mean, sd, n = values.mean(), values.std(ddof=1), len(values)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * sd * np.sqrt(1 / new + 1 / n)
    return _interval(mean, mean - half, mean + half, n, sd)


def wilson(successes, n, confidence=CONFIDENCE):
    """Estimate a share from a count, with Wilson's score interval.

    Unlike the textbook's `p ± 1.96 sqrt(p (1 - p) / n)` it stays inside [0, 1] and does
    not shrink to nothing when every trial succeeds.

    Parameters
    ----------
    successes, n : int
        `successes` out of `n` independent trials.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If `n` is not positive or `successes` is not between 0 and `n`.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(
            f"successes must be from 0 to n, and n at least 1; got {successes} of {n}."
        )
    _check_confidence(confidence)
    low, high = stats.binomtest(int(successes), int(n)).proportion_ci(confidence, "wilson")
    return _interval(successes / n, low, high, int(n))


def bootstrap_interval(values, statistic=np.mean, seed=0, confidence=CONFIDENCE, resamples=9999):
    """Estimate any statistic of a sample, with a percentile bootstrap interval.

    Parameters
    ----------
    values : array, [n, ...]
        Independent observations along the first axis; at least two.
    statistic : callable
        Maps an array like `values` to a float.
    seed : int or numpy.random.Generator
        Source of the resampling.
    confidence : float
        Between 0 and 1.
    resamples : int
        How many times to draw n observations with replacement.

    Returns
    -------
    Interval
        `sd` is left out: it belongs to means.

    Raises
    ------
    ValueError
        If there are fewer than two observations, or one is not finite.

    References
    ----------
    Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 13.
    """
    values = _sample(values, "values", any_shape=True)
    _check_confidence(confidence)
    # Rows are drawn by index, so that an observation may be an array (a score and a label).
    low, high = stats.bootstrap(
        (np.arange(len(values)),),
        lambda rows: statistic(values[rows]),
        vectorized=False,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        rng=seed,
    ).confidence_interval
    return _interval(statistic(values), low, high, len(values))


def difference_interval(a, b, paired=False, confidence=CONFIDENCE):
    """Estimate how much larger the mean of `a` is than that of `b`.

    Parameters
    ----------
    a, b : sequence of float
        Two samples, each of at least two values.
    paired : bool
        Whether `a[i]` and `b[i]` belong together, as two runs from one seed do. Then the
        interval is that of the differences; otherwise it is Welch's, which assumes
        neither equal variances nor equal sizes.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Of mean(a) - mean(b). If it contains 0, the samples do not tell them apart. `n` is
        the number of pairs, or the two sample sizes.

    Raises
    ------
    ValueError
        If a sample is too small or not finite, or paired samples differ in length.

    References
    ----------
    Welch (1947), "The generalization of 'Student's' problem when several different
    population variances are involved", Biometrika 34.
    """
    a, b = _sample(a, "a"), _sample(b, "b")
    _check_confidence(confidence)
    if paired:
        if len(a) != len(b):
            raise ValueError(f"paired samples must have one length; got {len(a)} and {len(b)}.")
        return mean_interval(a - b, confidence)
    difference = a.mean() - b.mean()
    # scipy warns of a sample without spread, and does the right thing with it.
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(confidence)
    return _interval(difference, low, high, (len(a), len(b)))


def _interval(estimate, low, high, n, sd=None):
    """Build an Interval of plain Python floats, which print the same everywhere."""
    return Interval(float(estimate), float(low), float(high), n, None if sd is None else float(sd))


def _sample(values, name, any_shape=False):
    """Return `values` as a float array of at least two finite observations, or say why not."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 and not any_shape:
        raise ValueError(f"{name} must be one-dimensional; it has shape {values.shape}.")
    if values.ndim == 0 or len(values) < 2:
        raise ValueError(f"{name} must hold at least 2 observations: one has no spread.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; it holds nan or infinity.")
    return values


def _check_confidence(confidence):
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}.")
