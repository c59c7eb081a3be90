"""How good multi-label answers are: precision, recall, F1, their curves, and accuracy.

Everywhere `scores` is float [N, K], a number for each image and class that is larger the surer
the model is, and `targets` is 0 or 1, [N, K]. Curves and average precisions need only the order
of the scores, so logits and probabilities give the same. What decides takes thresholds in the
scores' own unit: 0 for logits is 0.5 for probabilities.

Every figure is computed once from all images: a mean over batches is another number (see
`batch_means`, which keeps it for comparison). The computing is scikit-learn's; how far a figure
can be trusted is `helpers.analysis.uncertainty`'s.
"""

from dataclasses import dataclass

import numpy as np
from sklearn import metrics as sklearn_metrics

# ---------------------------------------------------------------------------- deciding


def decide(scores, thresholds):
    """Say yes to every class whose score reaches its threshold.

    Parameters
    ----------
    scores : array of float, [N, K]
    thresholds : float or array [K]
        One for all classes or one for each, in the scores' unit.

    Returns
    -------
    ndarray of bool, [N, K]

    Raises
    ------
    ValueError
        If there is neither one threshold nor one for each class, or one is not a number.
    """
    scores, thresholds = np.asarray(scores), np.asarray(thresholds, dtype=np.float64)
    if thresholds.shape not in ((), scores.shape[1:]) or np.isnan(thresholds).any():
        raise ValueError(
            f"thresholds must be one number or one for each of the {scores.shape[-1]} classes; "
            f"got {thresholds.tolist()}."
        )
    return scores >= thresholds


def choose_thresholds(scores, targets, per_class=False):
    """Find the thresholds of the best F1 on held-out images, which are not those of the verdict.

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
        Half-way between the lowest score that is let in and the next below it.
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
        stands for saying nothing.
    thresholds : ndarray [P]
        Every score that occurs, rising: point i says yes from `thresholds[i]` on.
    average_precision : float
        Sum of the precisions, each weighted by the recall that it adds.
    """

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray
    average_precision: float

    def at(self, threshold):
        """Return (recall, precision) of saying yes from `threshold` on."""
        point = np.searchsorted(self.thresholds, threshold)
        return float(self.recall[point]), float(self.precision[point])


def pr_curve(scores, targets):
    """Compute the precision-recall curve of one class.

    Parameters
    ----------
    scores : array of float, [N]
    targets : array of 0 and 1, [N]
        At least one is 1.

    Returns
    -------
    PRCurve

    References
    ----------
    Davis and Goadrich (2006), "The relationship between precision-recall and ROC curves", ICML.
    """
    scores, targets = checked(np.asarray(scores)[:, None], np.asarray(targets)[:, None])
    check_positives(targets)
    scores, targets = scores[:, 0], targets[:, 0]
    precision, recall, thresholds = sklearn_metrics.precision_recall_curve(targets, scores)
    area = sklearn_metrics.average_precision_score(targets, scores)
    return PRCurve(precision, recall, thresholds, float(area))


def pr_curves(scores, targets, classes):
    """Compute every class's own curve: dict class name -> PRCurve."""
    scores, targets = checked(scores, targets)
    columns = zip(classes, scores.T, targets.T, strict=True)
    return {name: pr_curve(class_scores, truth) for name, class_scores, truth in columns}


def micro_pr_curve(scores, targets):
    """Compute the one curve of all pairs of image and class: a common threshold falls."""
    scores, targets = checked(scores, targets)
    return pr_curve(scores.ravel(), targets.ravel())


def average_precisions(scores, targets):
    """Return each class's average precision, ndarray [K]; their mean is the mAP."""
    scores, targets = checked(scores, targets)
    check_positives(targets)
    return np.array(sklearn_metrics.average_precision_score(targets, scores, average=None)).ravel()


# ----------------------------------------------------------------------------- figures


def precision_recall_f1(decisions, targets, average):
    """Compute precision, recall and F1 of decisions.

    Parameters
    ----------
    decisions, targets : array of bool or 0 and 1, [N, K]
    average : {"micro", "macro", None}
        Count over all pairs of image and class together; or take the mean over the classes of
        each one's figure; or give the classes' figures, [K].

    Returns
    -------
    precision, recall, f1 : float or ndarray [K]
        0 where the denominator is: the precision of a class that is never predicted, say.
    """
    return sklearn_metrics.precision_recall_fscore_support(
        _indicators(targets), _indicators(decisions), average=average, zero_division=0
    )[:3]


def summarise(scores, targets, thresholds):
    """Compute the figures of a model's answers over all images and classes.

    Parameters
    ----------
    scores : array of float, [N, K]
    targets : array of 0 and 1, [N, K]
    thresholds : float or array [K]
        In the scores' unit.

    Returns
    -------
    dict of float
        `accuracy`: share of right pairs of image and class; `exact_match`: share of images with
        all classes right; `precision`, `recall`, `f1` (micro) and `macro_precision`,
        `macro_recall`, `macro_f1`; `mean_average_precision` (macro) and
        `micro_average_precision`, which no threshold enters.
    """
    scores, targets = checked(scores, targets)
    decisions = decide(scores, thresholds)
    right = decisions == (targets == 1)
    found = {"accuracy": right.mean(), "exact_match": right.all(axis=1).mean()}
    for average, prefix in (("micro", ""), ("macro", "macro_")):
        values = precision_recall_f1(decisions, targets, average)
        names = (f"{prefix}precision", f"{prefix}recall", f"{prefix}f1")
        found |= dict(zip(names, values, strict=True))
    found["mean_average_precision"] = average_precisions(scores, targets).mean()
    found["micro_average_precision"] = micro_pr_curve(scores, targets).average_precision
    return {name: float(value) for name, value in found.items()}


def by_class(scores, targets, thresholds):
    """Compute each class's figures.

    Parameters
    ----------
    scores, targets, thresholds
        As for `summarise`.

    Returns
    -------
    dict of ndarray [K]
        `precision`, `recall`, `f1`, `average_precision`; and the counts that the decisions
        rest on: `hits`, `false_alarms`, `misses`, `rejections`.
    """
    scores, targets = checked(scores, targets)
    decisions = decide(scores, thresholds)
    figures = precision_recall_f1(decisions, targets, None)
    counts = sklearn_metrics.multilabel_confusion_matrix(
        _indicators(targets), _indicators(decisions)
    )  # [K, 2, 2]: true no and yes, said no and yes
    return dict(zip(("precision", "recall", "f1"), figures, strict=True)) | {
        "average_precision": average_precisions(scores, targets),
        "hits": counts[:, 1, 1],
        "false_alarms": counts[:, 0, 1],
        "misses": counts[:, 1, 0],
        "rejections": counts[:, 0, 0],
    }


# --------------------------------------------------- answers that do not look, and batches


def constant_baselines(prevalence, classes, images):
    """Return the answers of three models that never look at an image.

    Parameters
    ----------
    prevalence : array [K]
        Share of the training images that hold each class.
    classes : sequence of str, [K]
        "person" is one of them.
    images : int
        N, how many images to answer for.

    Returns
    -------
    dict name -> ndarray of float64, [N, K]
        Probabilities, to be decided at 0.5: "nothing", "person" and "class priors".
    """
    prevalence = np.asarray(prevalence, dtype=np.float64)
    rows = {
        "nothing": np.zeros(len(classes)),
        "person": np.array([name == "person" for name in classes], dtype=np.float64),
        "class priors": prevalence,
    }
    return {name: np.tile(row, (images, 1)) for name, row in rows.items()}


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
        said, true = (part[start : start + batch_size] for part in (decisions, targets))
        accuracy = (said == (true == 1)).mean()
        rows.append((accuracy, *precision_recall_f1(said, true, "micro")[:2]))
    means = np.mean(rows, axis=0)
    return dict(zip(("accuracy", "precision", "recall"), means.tolist(), strict=True))


def original_way(epochs):
    """Compute the final figures from all epochs as the original course did.

    Parameters
    ----------
    epochs : sequence of dict
        What `batch_means` gives after each epoch, the last epoch last.

    Returns
    -------
    dict of float
        `accuracy`: mean over all epochs so far, since the original never emptied its list;
        `precision` and `recall`: the last epoch's means over batches; `f1`: of those two.
    """
    if not epochs:
        raise ValueError("epochs must hold the figures of at least one epoch.")
    precision, recall = epochs[-1]["precision"], epochs[-1]["recall"]
    both = precision + recall
    return {
        "accuracy": float(np.mean([epoch["accuracy"] for epoch in epochs])),
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


def _indicators(answers):
    """Return answers [N, K] as int; scikit-learn would take one column for two classes."""
    answers = np.asarray(answers, dtype=int)
    if answers.ndim != 2 or answers.shape[1] < 2:
        raise ValueError(
            f"decisions and targets must be [images, classes], with at least 2 classes; got "
            f"{list(answers.shape)}."
        )
    return answers


def check_positives(targets):
    """Raise ValueError if some class of targets [N, K] is never there."""
    without = np.flatnonzero(targets.sum(axis=0) == 0).tolist()
    if without:
        raise ValueError(
            f"targets must hold a 1 in every class; column {', '.join(map(str, without))} has "
            "none, and recall has no meaning there."
        )
