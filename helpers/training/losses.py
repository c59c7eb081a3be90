"""Losses, and what is measured of a network's predictions.

A loss maps logits [B, K] and targets to one number per example [B]. Targets are labels, int64
[B], or a 0 or 1 for each class, float32 [B, K].
"""

from functools import partial

import numpy as np
import torch
from sklearn.metrics import average_precision_score, precision_recall_fscore_support
from torch.nn import functional

from helpers.networks.mlp import choose


def cross_entropy(logits, labels, smoothing=0.0):
    """Softmax cross-entropy against labels [B]."""
    return functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")


def binary_cross_entropy(logits, targets, smoothing=0.0, positive_weights=None):
    """Binary cross-entropy, mean over the classes, against targets [B, K] of 0 and 1.

    Parameters
    ----------
    smoothing : float
        Share by which both targets move towards one half.
    positive_weights : sequence of float [K], optional
        How much more a present class counts than an absent one.
    """
    targets = targets * (1 - smoothing) + smoothing / 2
    if positive_weights is not None:
        positive_weights = torch.tensor(positive_weights, device=logits.device)
    return functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=positive_weights, reduction="none"
    ).mean(1)


LOSSES = {"cross-entropy": cross_entropy, "binary-cross-entropy": binary_cross_entropy}


def choose_loss(loss):
    """Return the loss of that name, or of {"name": ..., and its arguments}."""
    options = {"name": loss} if isinstance(loss, str) else dict(loss)
    return partial(choose(LOSSES, options.pop("name"), "loss"), **options)


def accuracy_per_example(logits, targets):
    """Return the accuracy of each example [B]: 0 or 1, or over K labels.

    Of several labels, yes is a logit of 0 and more, which is a probability of 0.5 and more.
    """
    if targets.shape not in (logits.shape, logits.shape[:1]):
        raise ValueError(f"targets {list(targets.shape)} do not fit logits {list(logits.shape)}")
    if targets.ndim == 1:
        return (logits.argmax(dim=1) == targets).float()
    return ((logits >= 0) == (targets > 0.5)).float().mean(dim=1)


def checked(scores, targets):
    """Return scores float64 [N, K] and targets int [N, K], or raise a ValueError if they aren't."""
    scores, targets = np.asarray(scores, dtype=np.float64), np.asarray(targets)
    fit = scores.ndim == 2 and scores.shape == targets.shape and scores.size
    if not (fit and np.isfinite(scores).all() and np.isin(targets, (0, 1)).all()):
        raise ValueError(
            "scores must be finite numbers and targets 0 or 1, both [images, classes]; got "
            f"{list(scores.shape)} and {list(targets.shape)}"
        )
    return scores, targets.astype(int)


def average_precisions(scores, targets):
    """Return each class's average precision, ndarray [K]; their mean is the mAP.

    Scores are float [N, K] and targets 0 or 1, with a 1 in every class.
    """
    scores, targets = checked(scores, targets)
    if (targets.sum(axis=0) == 0).any():
        raise ValueError("targets must hold a 1 in every class: recall has no meaning without")
    return np.ravel(average_precision_score(targets, scores, average=None))


def precision_recall_f1(decisions, targets, average="micro"):
    """Return precision, recall and F1 of decisions [N, K] against targets, both of 0 and 1.

    There are at least two classes. The figures are counted over all pairs of image and class
    together ("micro"), are the mean of the classes' ("macro"), or those themselves, [K] (None); 0
    where the denominator is: the precision of a class that is never predicted, say.
    """
    decisions, targets = checked(decisions, targets)
    if targets.shape[1] < 2:  # scikit-learn takes one column for two classes
        raise ValueError(f"there must be at least 2 classes; got {list(targets.shape)}.")
    found = precision_recall_fscore_support(targets, decisions, average=average, zero_division=0)
    return found[:3]


def metric_names(targets):
    """Name what `evaluate` finds with such targets."""
    several = ("eval_mean_average_precision", "eval_f1") if targets.ndim == 2 else ()
    return ("eval_loss", "eval_accuracy", *several)


def evaluate(loss, logits, targets):
    """Measure a network's predictions for all of the evaluation data at once.

    Parameters
    ----------
    loss : as `choose_loss` returns it.
    logits, targets : tensors [N, K], and [N] or [N, K]; labels from 0 to K - 1, or 0 and 1.

    Returns
    -------
    dict of float
        `eval_loss` and `eval_accuracy`; with several labels an image, the accuracy is the share
        of right yes-or-no predictions, and there are `eval_mean_average_precision` (over the
        classes, each of which must be there) and `eval_f1` (of all predictions together).
    """
    each = loss(logits, targets), accuracy_per_example(logits, targets)
    found = [values.double().mean() for values in each]
    if targets.ndim == 2:
        truth, scores = targets.cpu().numpy(), logits.nan_to_num().cpu().numpy()
        found.append(average_precisions(scores, truth).mean())
        found.append(precision_recall_f1((logits >= 0).cpu().numpy(), truth)[2])
    return dict(zip(metric_names(targets), map(float, found), strict=True))
