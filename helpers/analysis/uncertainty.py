"""How far multi-label figures can be trusted: intervals over images, and calibration.

A validation set is a sample of images; another sample would have given other figures. The
bootstrap draws such samples from the one at hand, whole images at a time, since the classes of
one image are not independent.
"""

import numpy as np

from helpers.analysis.metrics import check_positives, checked, decide
from helpers.analysis.stats import CONFIDENCE, Interval, wilson

RESAMPLES = 2000

# --------------------------------------------------------------------- over images


def bootstrap(scores, targets, thresholds, rng, resamples=RESAMPLES, confidence=CONFIDENCE):
    """Estimate a model's figures, with percentile intervals over images.

    Parameters
    ----------
    scores : array of float, [N, K] or [S, N, K]
        One model's, or those of S seeds; then a figure is the mean over the seeds, which all
        see the same images drawn.
    targets : array of 0 and 1, [N, K]
    thresholds : float or array [K]
        In the scores' unit.
    rng : numpy.random.Generator
    resamples : int
        How many times to draw N images with replacement.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    dict name -> Interval
        `accuracy`, `exact_match`, `precision`, `recall`, `f1`, `macro_f1` and
        `mean_average_precision`, as in `helpers.analysis.metrics.summarise`; `n` is the number of images.

    References
    ----------
    Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 13.
    """
    seeds = _seeds(scores, targets)
    weights = _draws(len(targets), rng, resamples)
    return _intervals(_mean_figures(seeds, thresholds, weights), len(targets), confidence)


def _seeds(scores, targets):
    """Return each seed's checked (scores, targets)."""
    scores = np.asarray(scores)
    seeds = [checked(one, targets) for one in (scores if scores.ndim == 3 else scores[None])]
    check_positives(seeds[0][1])
    return seeds


def _draws(images, rng, resamples):
    """Return how often each image is drawn, [1 + R, N]; the first row is the sample itself."""
    drawn = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    return np.vstack([np.ones(images), drawn]).astype(np.float32)  # holds such counts exactly


def _intervals(figures, images, confidence):
    """Turn each figure's values, [1 + R], into an interval around the first."""
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    return {
        name: Interval(float(values[0]), *np.quantile(values[1:], ends).tolist(), images)
        for name, values in figures.items()
    }


def _mean_figures(seeds, thresholds, weights):
    """Compute the figures under each row of weights, mean over seeds: dict name -> [1 + R]."""
    found = [_figures(*seed, thresholds, weights) for seed in seeds]
    return {name: np.mean([figures[name] for figures in found], axis=0) for name in found[0]}


def _figures(scores, targets, thresholds, weights):
    """Compute every figure under each row of weights [R, N] at once: dict name -> [R]."""
    images, classes = targets.shape
    decisions, true = decide(scores, thresholds), targets == 1
    right = decisions == true
    hits, false_alarms, misses = (
        weights @ part.astype(np.float32)  # [R, K]
        for part in (decisions & true, decisions & ~true, ~decisions & true)
    )
    sums = [count.sum(axis=1) for count in (hits, false_alarms, misses)]
    by_class = [
        weighted_average_precision(scores[:, k], targets[:, k], weights) for k in range(classes)
    ]
    return {
        "accuracy": weights @ right.sum(axis=1) / right.size,
        "exact_match": weights @ right.all(axis=1) / images,
        "precision": _share(sums[0], sums[0] + sums[1]),
        "recall": _share(sums[0], sums[0] + sums[2]),
        "f1": _share(2 * sums[0], 2 * sums[0] + sums[1] + sums[2]),
        "macro_f1": _share(2 * hits, 2 * hits + false_alarms + misses).mean(axis=1),
        "mean_average_precision": np.mean(by_class, axis=0),
    }


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
    precision = _share(hits[:, last], weights.cumsum(axis=1)[:, end])
    return _share((gained * precision).sum(axis=1, dtype=float), hits[:, -1])


def _share(part, whole):
    """Divide counts, 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)


# --------------------------------------------------------------------- calibration


def reliability_curve(probabilities, targets, bins=10):
    """Compare the probabilities that a model states with how often it is right.

    Every pair of image and class counts; give one column to look at one class. Pairs of one
    image hang together, so over several classes the intervals are a little too narrow.

    Parameters
    ----------
    probabilities : array of float, [N, K]
        Between 0 and 1: not logits.
    targets : array of 0 and 1, [N, K]
    bins : int
        Groups of equal width; an empty one is left out.

    Returns
    -------
    stated : ndarray of float64, [G]
        Mean probability of each group.
    true : list of Interval, [G]
        Share of the group in which the class is there, with Wilson's interval; `n` is the
        number of pairs.

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1].
    """
    stated, positives, sizes = _groups(probabilities, targets, bins)
    return stated, [wilson(hits, n) for hits, n in zip(positives, sizes, strict=True)]


def expected_calibration_error(probabilities, targets, bins=10):
    """Return the mean gap between stated probability and share of truth, weighted by pairs.

    Parameters
    ----------
    probabilities, targets, bins
        As for `reliability_curve`.

    Returns
    -------
    float
        0 if the model is calibrated in every group.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML.
    """
    stated, positives, sizes = _groups(probabilities, targets, bins)
    return float((sizes / sizes.sum() * np.abs(stated - positives / sizes)).sum())


def _groups(probabilities, targets, bins):
    """Return mean probability, positives and size of each group that is not empty, [G] each."""
    probabilities, targets = checked(probabilities, targets)
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise ValueError(
            "probabilities must lie between 0 and 1; put logits through a sigmoid first."
        )
    p, t = probabilities.ravel(), targets.ravel()
    group = np.minimum((p * bins).astype(int), bins - 1)
    sizes = np.bincount(group, minlength=bins)
    used = sizes > 0
    stated = np.bincount(group, p, minlength=bins)[used] / sizes[used]
    return stated, np.bincount(group, t, minlength=bins)[used].astype(int), sizes[used]
