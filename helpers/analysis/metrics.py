"""How good multi-label predictions are: precision, recall, F1, and their curves.

Everywhere `scores` is float [N, K], a number for each image and class, larger the more confident
the model is, and `targets` is 0 or 1, [N, K]. Curves and average precisions need only the order
of the scores, so logits and probabilities give the same. What decides takes `thresholds`, one or
one a class, in the scores' own unit: 0 for logits is 0.5 for probabilities. A class is predicted
where its score reaches its threshold.

Every figure is computed once from all images, by scikit-learn; a mean over batches is another
number, which `batch_means` keeps for comparison. How far a figure can be trusted, `bootstrap` says.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from data_prep.voc_labels import CLASSES
from helpers.analysis.stats import Interval
from helpers.runs.experiments import find, recorded
from helpers.runs.records import read_arrays
from helpers.training.losses import (
    average_precisions,
    checked,
    precision_recall_f1,
)

ORIGINAL_BATCH = 64  # images, of the original's evaluation
#: The metrics that decisions have: key in `summarise` -> name.
DECISION_METRICS = {name.lower(): name for name in ("accuracy", "precision", "recall", "F1")}


@dataclass(frozen=True)
class Predictions:
    """What networks that differ in their seed predict for the evaluation images.

    Attributes
    ----------
    probabilities : ndarray of float, [S, N, K]
    records : of the S runs; empty for predictions that no run gave, such as constant ones.
    thresholds : float or ndarray [K]; a class is predicted from this probability on.
    """

    probabilities: np.ndarray
    records: tuple = ()
    thresholds: float | np.ndarray = 0.5

    def __post_init__(self):
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            raise ValueError("probabilities must lie between 0 and 1: of logits, take the sigmoid")

    def summaries(self, targets):
        """Return `summarise` of each seed."""
        return [summarise(p, targets, self.thresholds) for p in self.probabilities]

    def in_original_way(self, targets):
        """Return each seed's final metrics as the original course computed them.

        Returns
        -------
        list of dict of float
            `accuracy`: mean over all epochs so far, since the original never emptied its list
            (those of the history are over all images, which unless the last batch is smaller is
            the mean over the batches, too); `precision` and `recall`: the last epoch's
            `batch_means`; `f1`: of those two.
        """
        found = []
        for run, p in zip(self.records, self.probabilities, strict=True):
            last = batch_means(p, targets, self.thresholds, ORIGINAL_BATCH)
            before = [value for value in run.history["eval_accuracy"][:-1] if value is not None]
            product, both = last["precision"] * last["recall"], last["precision"] + last["recall"]
            accuracy = float(np.mean([*before, last["accuracy"]]))
            found.append(last | {"accuracy": accuracy, "f1": 2 * product / both if both else 0.0})
        return found


def recorded_predictions(name, thresholds=0.5):
    """Return the `Predictions` of an experiment's recorded seeds."""
    return replace(_at_one_half(name), thresholds=thresholds)


@cache
def _at_one_half(name):
    runs = recorded(name)
    scores = [read_arrays(name, "full", run.seed)["scores"] for run in runs]
    return Predictions(expit(np.array(scores, dtype=np.float64)), tuple(runs))


def recorded_targets(name):
    """Return the targets [N, K] of the images that an experiment was evaluated on."""
    return read_arrays(name, "full", find(name).seeds[0])["labels"]


def constant_baselines(targets):
    """Return the `Predictions` of three models that never look at an image, by name.

    "nothing", "person", which is one of the classes, and "class priors", the targets' own shares
    of positives, which can only flatter them.
    """
    rows = {
        "nothing": np.zeros(len(CLASSES)),
        "person": np.eye(len(CLASSES))[CLASSES.index("person")],
        "class priors": np.mean(targets, axis=0),
    }
    return {name: Predictions(np.tile(row, (1, len(targets), 1))) for name, row in rows.items()}


def choose_thresholds(scores, targets, per_class=False):
    """Find the thresholds of the best F1 on held-out images, which are not the test set.

    Each is half-way between the lowest score that is predicted and the next below it: that of the
    best micro F1 for all classes, or with `per_class` that of each one's own best F1, [K].
    """
    scores, targets = checked(scores, targets)
    if per_class:
        return np.array([_best_threshold(s, t) for s, t in zip(scores.T, targets.T, strict=True)])
    return _best_threshold(scores.ravel(), targets.ravel())


def _best_threshold(scores, targets):
    curve = pr_curve(scores, targets)
    sums = curve.precision + curve.recall
    f1 = 2 * curve.precision * curve.recall / np.where(sums > 0, sums, 1)
    best = int(f1[:-1].argmax())  # the last point has no threshold
    below, lowest = curve.thresholds[max(best - 1, 0)], curve.thresholds[best]
    middle = (below + lowest) / 2
    return float(middle if middle > below else lowest)  # neighbouring floats have no middle


@dataclass(frozen=True)
class PRCurve:
    """Precision against recall as the threshold falls.

    Attributes
    ----------
    precision, recall : ndarray [P + 1]
        From the lowest threshold to the highest; then the point (recall 0, precision 1), which
        stands for predicting nothing.
    thresholds : ndarray [P]
        Every score that occurs, rising: point i predicts from `thresholds[i]` on.
    average_precision : float
        Sum of the precisions, each weighted by the recall that it adds.
    """

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray
    average_precision: float

    def at(self, threshold):
        """Return (recall, precision) of predicting from `threshold` on."""
        point = np.searchsorted(self.thresholds, threshold)
        return float(self.recall[point]), float(self.precision[point])


def decide(scores, thresholds):
    """Predict every class whose score [N, K] reaches its threshold, or the one for all."""
    scores, thresholds = np.asarray(scores), np.asarray(thresholds, dtype=np.float64)
    fit = thresholds.shape in ((), scores.shape[1:])
    if not fit or np.isnan(thresholds).any() or np.isnan(scores).any():
        raise ValueError("there must be one threshold, or one for each class, and no nan")
    return scores >= thresholds


def pr_curve(scores, targets):
    """Compute the `PRCurve` of one class, [N], or the micro one of all pairs, [N, K].

    At least one target is 1. In the micro curve a common threshold falls for all classes.

    References
    ----------
    Davis and Goadrich (2006), "The relationship between precision-recall and ROC curves", ICML.
    """
    if np.shape(scores) != np.shape(targets):
        raise ValueError(f"got scores {np.shape(scores)} for targets {np.shape(targets)}")
    scores, targets = np.reshape(scores, (-1, 1)), np.reshape(targets, (-1, 1))
    (area,) = average_precisions(scores, targets)
    curve = sklearn_metrics.precision_recall_curve(targets.astype(int), scores)
    return PRCurve(*curve, float(area))


def summarise(scores, targets, thresholds):
    """Compute the metrics of predictions over all images and classes.

    Returns
    -------
    dict of float
        `accuracy`: share of right pairs of image and class; `precision`, `recall` and `f1`
        (micro); `macro_f1`; and `mean_average_precision`, which no threshold enters.
    """
    scores, targets = checked(scores, targets)
    decisions = decide(scores, thresholds)
    precision, recall, f1 = precision_recall_f1(decisions, targets)
    found = {
        "accuracy": (decisions == targets).mean(),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "macro_f1": precision_recall_f1(decisions, targets, "macro")[2],
        "mean_average_precision": average_precisions(scores, targets).mean(),
    }
    return {name: float(value) for name, value in found.items()}


def batch_means(scores, targets, thresholds, batch_size):
    """Compute accuracy, precision and recall batch by batch, and average over the batches.

    A small last batch weighs as much as a full one, and a batch's precision as much however few
    its predictions: these are not the figures of the whole set.

    Returns
    -------
    dict of float
        `accuracy`, `precision`, `recall`; the last two micro-averaged within a batch.
    """
    scores, targets = checked(scores, targets)
    starts = range(batch_size, len(scores), batch_size)
    batches = (np.split(part, starts) for part in (decide(scores, thresholds), targets))
    rows = [
        ((yes == true).mean(), *precision_recall_f1(yes, true)[:2])
        for yes, true in zip(*batches, strict=True)
    ]
    means = np.mean(rows, axis=0).tolist()
    return dict(zip(("accuracy", "precision", "recall"), means, strict=True))


RESAMPLES = 2000


def bootstrap(scores, targets, thresholds, rng, resamples=RESAMPLES):
    """Estimate F1 and mAP, with 95% percentile intervals over images.

    A test set is a sample of images; another sample would have given other figures. Whole images
    are drawn, since the classes of one image are not independent.

    Parameters
    ----------
    scores : array of float, [S, N, K]
        Those of S seeds; a figure is the mean over the seeds, which all see the same images
        drawn.
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
    weights = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    whole = [summarise(*seed, thresholds) for seed in seeds]
    drawn = [_weighted(*seed, thresholds, weights.astype(np.float32)) for seed in seeds]
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
    aps = [_weighted_ap(s, t, weights) for s, t in zip(scores.T, targets.T, strict=True)]
    return {"f1": _ratio(2 * hits, both), "mean_average_precision": np.mean(aps, axis=0)}


def _weighted_ap(scores, targets, weights):
    """Compute one class's average precision under each row of weights: [R], 0 without the class."""
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
