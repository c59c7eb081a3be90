"""Estimates with their uncertainty: every number that the book compares passes through here.

A thin layer over `scipy.stats` that returns one small type, `Interval`. It knows nothing of
records: what comes in is plain numbers, and a ValueError says what can't be used, such as fewer
than two values or one that is not finite.
"""

import warnings
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from scipy import stats

CONFIDENCE = 0.95  # of every interval


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
    estimate, low, high : the mean, the share or the difference, and the interval's ends.
    n : how many observations it rests on; a pair for two unpaired samples.
    sd : standard deviation of the observations (with n - 1), where that has a meaning.
    values : the observations, where they are too few for an interval of what they measure.
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


def mean_interval(values, low=-np.inf, high=np.inf):
    """Estimate a mean, with Student's t interval.

    An interval of few observations may leave the range of what they measure. It is cut off at
    the range's ends, which loses none of its confidence; of at most `FEW` observations nothing
    useful is left then, and they are shown themselves.

    Parameters
    ----------
    values : sequence of float, [n]
        Independent observations, for example one per seed; at least two.
    low, high : float
        The range of what is measured, such as 0 and 1 for an accuracy.
    """
    values = _sample(values, "values")
    if values.min() < low or values.max() > high:
        raise ValueError(f"values must lie between {low} and {high}; got {values.tolist()}.")
    found = _student(values, 1 / len(values))
    if low <= found.low and found.high <= high:
        return found
    few = tuple(values.tolist()) if len(values) <= FEW else ()
    return replace(found, low=max(found.low, low), high=min(found.high, high), values=few)


def prediction_interval(values):
    """Say where one new run should lie, by Student's t, from what recorded runs came to.

    References
    ----------
    Hahn and Meeker (1991), "Statistical Intervals", chapter 4.
    """
    values = _sample(values, "values")
    return _student(values, 1 + 1 / len(values))


def _student(values, variance):
    """Return the mean of a sample; the interval is of what varies by so many of its variances."""
    mean, sd = values.mean(), values.std(ddof=1)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * sd * np.sqrt(variance)
    return Interval(float(mean), float(mean - half), float(mean + half), len(values), float(sd))


def wilson(successes, n):
    """Estimate a share from a count out of `n` independent trials, with Wilson's score interval.

    Unlike the textbook's `p ± 1.96 sqrt(p (1 - p) / n)` it stays inside [0, 1] and does
    not shrink to nothing when every trial succeeds.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22.
    """
    ends = stats.binomtest(int(successes), int(n)).proportion_ci(CONFIDENCE, "wilson")
    return Interval(float(successes / n), float(ends.low), float(ends.high), int(n))


def median_interval(values):
    """Estimate a median, with a percentile bootstrap interval.

    References
    ----------
    Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 13.
    """
    values = _sample(values, "values")
    ends = stats.bootstrap((values,), np.median, method="percentile", rng=0).confidence_interval
    return Interval(float(np.median(values)), float(ends.low), float(ends.high), len(values))


def difference_interval(a, b, paired=False):
    """Estimate how much larger the mean of `a` is than that of `b`.

    Parameters
    ----------
    a, b : sequence of float
    paired : bool
        Whether `a[i]` and `b[i]` belong together, as two runs from one seed do. Then the
        interval is that of the differences; otherwise it is Welch's, which assumes
        neither equal variances nor equal sizes.

    Returns
    -------
    Interval
        Of mean(a) - mean(b). If it contains 0, the samples do not tell them apart. `n` is
        the number of pairs, or the two sample sizes.

    References
    ----------
    Welch (1947), "The generalization of 'Student's' problem when several different
    population variances are involved", Biometrika 34.
    """
    a, b = _sample(a, "a"), _sample(b, "b")
    if paired:
        return mean_interval(a - b)
    # scipy warns of a sample without spread, and does the right thing with it.
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        ends = stats.ttest_ind(a, b, equal_var=False).confidence_interval(CONFIDENCE)
    difference = float(a.mean() - b.mean())
    return Interval(difference, float(ends.low), float(ends.high), (len(a), len(b)))


BINS = 10


def reliability_curve(probabilities, targets, lowest=0.0):
    """Compare predicted probabilities with how often what they are of is there.

    Every pair of image and class counts; give one column to look at one class. Pairs of one
    image are not independent, so over several classes the intervals are a little too narrow.

    Parameters
    ----------
    probabilities, targets : array of float, and of 0 and 1, of one shape
    lowest : float
        The probabilities from here to 1 are put into `BINS` groups of equal width; an empty one
        is left out.

    Returns
    -------
    confidence : ndarray of float64, [G]
        Mean probability of each group.
    share : list of Interval, [G]
        Share of the group that is there, with Wilson's interval; `n` is the number of pairs.

    References
    ----------
    DeGroot and Fienberg (1983), "The comparison and evaluation of forecasters", The
    Statistician 32.
    """
    p, there = np.asarray(probabilities, dtype=np.float64), np.asarray(targets)
    possible = (lowest <= p) & (p <= 1)
    if p.shape != there.shape or not possible.all() or not np.isin(there, (0, 1)).all():
        raise ValueError(
            f"probabilities must lie between {lowest:g} and 1 (of logits, take the sigmoid), with "
            f"0 or 1 for each; got shapes {list(p.shape)} and {list(there.shape)}."
        )
    p, there = p.ravel(), there.ravel()
    group = np.minimum((p - lowest) * BINS / (1 - lowest or 1), BINS - 1).astype(int)
    sizes = np.bincount(group, minlength=BINS)
    used = sizes > 0
    positives = np.bincount(group, there, minlength=BINS)[used]
    shares = [wilson(hits, n) for hits, n in zip(positives, sizes[used], strict=True)]
    return np.bincount(group, p, minlength=BINS)[used] / sizes[used], shares


def expected_calibration_error(probabilities, targets):
    """Return the mean gap of the `reliability_curve` from its diagonal, weighted by pairs.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML.
    """
    confidence, shares = reliability_curve(probabilities, targets)
    gaps = np.abs(confidence - [share.estimate for share in shares])
    return float(np.average(gaps, weights=[share.n for share in shares]))


def _sample(values, name):
    """Return `values` as a float array of at least two finite observations, or say why not."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"{name} must be a list of at least 2 observations, since one has no spread; its "
            f"shape is {list(values.shape)}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; it holds nan or infinity.")
    return values
