"""How good multi-label predictions are: precision, recall, F1, and their curves.

Everywhere `scores` is float [N, K], a number for each image and class that is larger the surer
the model is, and `targets` is 0 or 1, [N, K]. Curves and average precisions need only the order
of the scores, so logits and probabilities give the same. What decides takes thresholds in the
scores' own unit: 0 for logits is 0.5 for probabilities.

Every figure is computed once from all images, by scikit-learn; a mean over batches is another
number, which `batch_means` keeps for comparison. How far a figure can be trusted is
`helpers.analysis.uncertainty`'s.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from data_prep.voc_labels import CLASSES
from helpers.runs.experiments import find, recorded
from helpers.runs.records import read_arrays
from helpers.training.losses import average_precision, precision_recall_f1

ORIGINAL_BATCH = 64  # images, of the original's evaluation
#: The metrics that decisions have: key in `summarise` -> name.
DECISION_METRICS = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}

# ------------------------------------------------------------------------- predictions


@dataclass(frozen=True)
class Predictions:
    """What networks that differ in their seed predict for the evaluation images.

    Attributes
    ----------
    probabilities : ndarray of float, [S, N, K]
    records : tuple of Record, [S]
        Empty for predictions that no run gave, such as constant ones.
    thresholds : float or ndarray [K]
        A class is predicted from this probability on.
    """

    probabilities: np.ndarray
    records: tuple = ()
    thresholds: float | np.ndarray = 0.5

    def summaries(self, targets):
        """Return `summarise` of each seed."""
        return [summarise(p, targets, self.thresholds) for p in self.probabilities]

    def in_original_way(self, targets, batch_size=ORIGINAL_BATCH):
        """Return `original_way` of each seed."""
        rows = zip(self.records, self.probabilities, strict=True)
        return [original_way(run, p, targets, self.thresholds, batch_size) for run, p in rows]


@cache
def recorded_predictions(name, thresholds=0.5):
    """Return the `Predictions` of an experiment's recorded seeds."""
    runs = recorded(name)
    scores = [read_arrays(name, "full", run.seed)["scores"] for run in runs]
    return Predictions(expit(np.array(scores, dtype=np.float64)), tuple(runs), thresholds)


def recorded_targets(name):
    """Return the targets [N, K] of the images that an experiment was evaluated on."""
    return read_arrays(name, "full", find(name).seeds[0])["labels"]


def constant_baselines(targets, classes=CLASSES):
    """Return the predictions of three models that never look at an image.

    Parameters
    ----------
    targets : array of 0 and 1, [N, K]
        Its shares of positives are the class priors, which can only flatter them.
    classes : sequence of str, [K]
        "person" is one of them.

    Returns
    -------
    dict name -> Predictions
        "nothing", "person" and "class priors".
    """
    rows = {
        "nothing": np.zeros(len(classes)),
        "person": np.array([name == "person" for name in classes], dtype=np.float64),
        "class priors": np.mean(targets, axis=0),
    }
    return {name: Predictions(np.tile(row, (1, len(targets), 1))) for name, row in rows.items()}


# ------------------------------------------------------------------------- thresholds


def decide(scores, thresholds):
    """Predict every class whose score reaches its threshold.

    Parameters
    ----------
    scores : array of float, [N, K]
    thresholds : float or array [K]
        One for all classes or one for each, in the scores' unit.

    Returns
    -------
    ndarray of bool, [N, K]
    """
    scores, thresholds = np.asarray(scores), np.asarray(thresholds, dtype=np.float64)
    if thresholds.shape not in ((), scores.shape[1:]) or np.isnan(thresholds).any():
        raise ValueError(
            f"thresholds must be one number or one for each of the {scores.shape[-1]} classes; "
            f"got {thresholds.tolist()}."
        )
    return scores >= thresholds


def choose_thresholds(scores, targets, per_class=False):
    """Find the thresholds of the best F1 on held-out images, which are not the test set.

    Parameters
    ----------
    scores : array of float, [N, K]
    targets : array of 0 and 1, [N, K]
    per_class : bool
        Give each class the threshold of its own best F1, instead of giving all classes the one
        of the best micro F1.

    Returns
    -------
    float or ndarray [K]
        Half-way between the lowest score that is predicted and the next below it.
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
    return float(curve.thresholds[max(best - 1, 0) : best + 1].mean())


# ------------------------------------------------------------------------------ curves


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


def pr_curve(scores, targets):
    """Compute the precision-recall curve of one class, or of all pairs of image and class.

    Parameters
    ----------
    scores : array of float, [N] or [N, K]
        With K columns the curve is the micro one: a common threshold falls for all classes.
    targets : array of 0 and 1, of the same shape
        At least one is 1.

    Returns
    -------
    PRCurve

    References
    ----------
    Davis and Goadrich (2006), "The relationship between precision-recall and ROC curves", ICML.
    """
    scores, targets = checked(np.reshape(scores, (-1, 1)), np.reshape(targets, (-1, 1)))
    check_positives(targets)
    scores, targets = scores[:, 0], targets[:, 0]
    curve = sklearn_metrics.precision_recall_curve(targets, scores)
    return PRCurve(*curve, float(average_precision(scores, targets)))


def average_precisions(scores, targets):
    """Return each class's average precision, ndarray [K]; their mean is the mAP."""
    scores, targets = checked(scores, targets)
    check_positives(targets)
    return np.ravel(average_precision(scores, targets, average=None))


# ------------------------------------------------------------- metrics of one prediction


def summarise(scores, targets, thresholds):
    """Compute the metrics of predictions over all images and classes.

    Parameters
    ----------
    scores : array of float, [N, K]
    targets : array of 0 and 1, [N, K]
    thresholds : float or array [K]
        In the scores' unit.

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
        "accuracy": (decisions == (targets == 1)).mean(),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "macro_f1": precision_recall_f1(decisions, targets, "macro")[2],
        "mean_average_precision": average_precisions(scores, targets).mean(),
    }
    return {name: float(value) for name, value in found.items()}


# ------------------------------------------------------------- counts at many thresholds

THRESHOLDS = np.arange(51) / 50


def threshold_counts(probabilities, targets):
    """Count positives [K], and hits and predicted positives at each of `THRESHOLDS`, [K, T].

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1], or a class is never there.
    """
    scores, targets = checked(probabilities, targets)
    check_positives(targets)
    check_probabilities(scores)
    yes = scores.T[:, None] >= THRESHOLDS[:, None]  # [K, T, N]
    hits = (yes & (targets.T[:, None] == 1)).sum(axis=2)
    return targets.sum(axis=0), hits, yes.sum(axis=2)


def counts_at(counts, steps, classes):
    """Return (name, positives, hits, predicted) at one step for each class, then of "all"."""
    k = np.arange(len(classes))
    columns = np.array([counts[0], counts[1][k, steps], counts[2][k, steps]])  # [3, K]
    rows = np.column_stack([columns, columns.sum(axis=1)]).T.tolist()
    return [(name, *row) for name, row in zip([*classes, "all"], rows, strict=True)]


def ratios(positives, hits, predicted):
    """Return precision, recall and F1 from counts; with nothing predicted, precision is nan."""
    precision = hits / predicted if predicted else float("nan")
    return precision, hits / positives, 2 * hits / (positives + predicted)


# ------------------------------------------------------------------ in the original's way


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
    decisions = decide(scores, thresholds)
    rows = []
    for start in range(0, len(scores), batch_size):
        predicted, true = (part[start : start + batch_size] for part in (decisions, targets))
        accuracy = (predicted == (true == 1)).mean()
        rows.append((accuracy, *precision_recall_f1(predicted, true)[:2]))
    means = np.mean(rows, axis=0)
    return dict(zip(("accuracy", "precision", "recall"), means.tolist(), strict=True))


def original_way(record, probabilities, targets, thresholds, batch_size):
    """Compute a run's final metrics as the original course did.

    Parameters
    ----------
    record : Record
        Its history has `eval_accuracy`, over all images, after each epoch. Unless the last batch
        is smaller than the others, that is the mean over the batches, too.
    probabilities, targets : array [N, K]
        After the last epoch.
    thresholds : float or array [K]
    batch_size : int

    Returns
    -------
    dict of float
        `accuracy`: mean over all epochs so far, since the original never emptied its list;
        `precision` and `recall`: the last epoch's means over batches; `f1`: of those two.
    """
    last = batch_means(probabilities, targets, thresholds, batch_size)
    before = [value for value in record.history["eval_accuracy"][:-1] if value is not None]
    precision, recall = last["precision"], last["recall"]
    both = precision + recall
    return {
        "accuracy": float(np.mean([*before, last["accuracy"]])),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
    }


# ------------------------------------------------------------------------------ checks


def checked(scores, targets):
    """Return scores float64 [N, K] and targets int [N, K].

    Raises
    ------
    ValueError
        If they are empty or differ in shape, a score is not finite, a target not 0 or 1.
    """
    scores, targets = np.asarray(scores, dtype=np.float64), np.asarray(targets)
    if scores.ndim != 2 or scores.shape != targets.shape or not scores.size:
        raise ValueError(
            "scores and targets must both be [images, classes], with at least one of each; got "
            f"{list(scores.shape)} and {list(targets.shape)}."
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite; they hold nan or infinity.")
    if not np.isin(targets, (0, 1)).all():
        raise ValueError("targets must be 0 or 1 for each image and class.")
    return scores, targets.astype(int)


def check_positives(targets):
    """Raise ValueError if some class of targets [N, K] is never there."""
    without = np.flatnonzero(targets.sum(axis=0) == 0).tolist()
    if without:
        raise ValueError(
            f"targets must hold a 1 in every class; column {', '.join(map(str, without))} has "
            "none, and recall has no meaning there."
        )


def check_probabilities(scores):
    """Raise ValueError if a score lies outside [0, 1]."""
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError("probabilities must lie between 0 and 1: apply the sigmoid first.")
