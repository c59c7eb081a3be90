"""How far multi-label metrics can be trusted: intervals over images, and calibration.

A test set is a sample of images; another sample would have given other figures. The bootstrap
draws such samples from the one at hand, whole images at a time, since the classes of one image
are not independent.
"""

import numpy as np

from helpers.analysis.metrics import (
    check_positives,
    check_probabilities,
    checked,
    decide,
    summarise,
)
from helpers.analysis.stats import Interval, wilson

RESAMPLES = 2000

# ------------------------------------------------------------------------- other images


def bootstrap(scores, targets, thresholds, rng, resamples=RESAMPLES):
    """Estimate F1 and mAP, with 95% percentile intervals over images.

    Parameters
    ----------
    scores : array of float, [S, N, K]
        Those of S seeds; a figure is the mean over the seeds, which all see the same images
        drawn.
    targets : array of 0 and 1, [N, K]
    thresholds : float or array [K]
        In the scores' unit.
    rng : numpy.random.Generator
    resamples : int
        How many times to draw N images with replacement.

    Returns
    -------
    dict name -> Interval
        `f1` and `mean_average_precision`, as in `summarise`; `n` is the number of images.

    References
    ----------
    Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 13.
    """
    images = len(targets)
    seeds = [checked(one, targets) for one in scores]
    check_positives(seeds[0][1])
    weights = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    drawn = [_weighted(*seed, thresholds, weights.astype(np.float32)) for seed in seeds]
    whole = [summarise(*seed, thresholds) for seed in seeds]
    found = {}
    for name in drawn[0]:
        ends = np.quantile(np.mean([seed[name] for seed in drawn], axis=0), [0.025, 0.975])
        estimate = np.mean([seed[name] for seed in whole])
        found[name] = Interval(float(estimate), *ends.tolist(), images)
    return found


def _weighted(scores, targets, thresholds, weights):
    """Compute F1 and mAP under each row of weights [R, N] at once: dict name -> [R]."""
    decisions, true = decide(scores, thresholds), targets == 1
    hits = weights @ (decisions & true).sum(axis=1, dtype=np.float32)
    both = weights @ (decisions.sum(axis=1) + targets.sum(axis=1)).astype(np.float32)
    aps = [
        weighted_average_precision(s, t, weights) for s, t in zip(scores.T, targets.T, strict=True)
    ]
    return {"f1": _ratio(2 * hits, both), "mean_average_precision": np.mean(aps, axis=0)}


def weighted_average_precision(scores, targets, weights):
    """Compute the average precision of one class under many weightings at once.

    Parameters
    ----------
    scores : array of float, [N]
    targets : array of 0 and 1, [N]
    weights : array, [R, N]
        How often each image counts.

    Returns
    -------
    ndarray of float64, [R]
        0 where no image with the class was drawn.
    """
    order = np.argsort(-scores, kind="stable")
    scores, weights = scores[order], weights[:, order]
    positive = np.flatnonzero(targets[order])
    # Equal scores come in together: precision is that after the last of them.
    end = np.searchsorted(-scores, -scores[positive], side="right") - 1  # [P]
    last = np.searchsorted(positive, end, side="right") - 1
    gained = weights[:, positive]  # [R, P]
    hits = gained.cumsum(axis=1)
    precision = _ratio(hits[:, last], weights.cumsum(axis=1)[:, end])
    return _ratio((gained * precision).sum(axis=1, dtype=float), hits[:, -1])


def _ratio(part, whole):
    """Divide counts, 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)


# ------------------------------------------------------------------------- calibration


def reliability_curve(probabilities, targets, bins=10):
    """Compare predicted probabilities with how often the class is there.

    Every pair of image and class counts; give one column to look at one class. Pairs of one
    image are not independent, so over several classes the intervals are a little too narrow.

    Parameters
    ----------
    probabilities : array of float, [N, K]
        Between 0 and 1: not logits.
    targets : array of 0 and 1, [N, K]
    bins : int
        Groups of equal width; an empty one is left out.

    Returns
    -------
    confidence : ndarray of float64, [G]
        Mean probability of each group.
    share : list of Interval, [G]
        Share of the group in which the class is there, with Wilson's interval; `n` is the
        number of pairs.
    """
    probabilities, targets = checked(probabilities, targets)
    check_probabilities(probabilities)
    p = probabilities.ravel()
    group = np.minimum((p * bins).astype(int), bins - 1)
    sizes = np.bincount(group, minlength=bins)
    used = sizes > 0
    positives = np.bincount(group, targets.ravel(), minlength=bins)[used].astype(int)
    shares = [wilson(hits, n) for hits, n in zip(positives, sizes[used], strict=True)]
    return np.bincount(group, p, minlength=bins)[used] / sizes[used], shares


def expected_calibration_error(probabilities, targets, bins=10):
    """Return the mean gap between predicted probability and share, weighted by pairs.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML.
    """
    confidence, shares = reliability_curve(probabilities, targets, bins)
    gaps = np.abs(confidence - [share.estimate for share in shares])
    return float(np.average(gaps, weights=[share.n for share in shares]))
