"""What training makes small, and what is measured of a network's answers.

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


def asymmetric_loss(logits, targets, smoothing=0.0, gamma_neg=2.0, clip=0.05):
    """Binary cross-entropy in which easy absent classes count little.

    Parameters
    ----------
    gamma_neg : float
        Power of an absent class's probability that its loss is multiplied by.
    clip : float
        Probabilities of an absent class below this cost nothing.

    References
    ----------
    Ridnik et al. (2021), "Asymmetric loss for multi-label classification", ICCV.
    """
    targets = targets * (1 - smoothing) + smoothing / 2
    present = functional.logsigmoid(logits)
    probability = (torch.sigmoid(logits) - clip).clamp(min=0)
    absent = probability**gamma_neg * torch.log1p(-probability.clamp(max=1 - 1e-6))
    return -(targets * present + (1 - targets) * absent).mean(1)


LOSSES = {
    "cross-entropy": cross_entropy,
    "binary-cross-entropy": binary_cross_entropy,
    "asymmetric": asymmetric_loss,
}


def choose_loss(loss):
    """Return the loss of that name, or of {"name": ..., and its arguments}."""
    options = {"name": loss} if isinstance(loss, str) else dict(loss)
    return partial(choose(LOSSES, options.pop("name"), "loss"), **options)


def accuracy_per_example(logits, targets):
    """Return the share of right answers per example [B]: 0 or 1, or over K labels."""
    if targets.ndim == 1:
        return (logits.argmax(dim=1) == targets).float()
    return ((logits > 0) == (targets > 0.5)).float().mean(dim=1)


def average_precision(scores, targets, average="macro"):
    """Compute the average precision of scores against targets of 0 and 1, [N] or [N, K].

    With K classes the mean over them, the mAP; each one's, [K], where `average` is None.
    """
    return average_precision_score(targets, scores, average=average)


def precision_recall_f1(decisions, targets, average="micro"):
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
    pair = np.asarray(targets, dtype=int), np.asarray(decisions, dtype=int)
    if pair[0].ndim != 2 or pair[0].shape[1] < 2:  # scikit-learn takes one column for two classes
        raise ValueError(f"there must be at least 2 classes; got {list(pair[0].shape)}.")
    found = precision_recall_fscore_support(*pair, average=average, zero_division=0)
    return found[:3]


def metric_names(targets):
    """Name what `evaluate` finds with such targets."""
    several = ("eval_mean_average_precision", "eval_f1") if targets.ndim == 2 else ()
    return ("eval_loss", "eval_accuracy", *several)


def evaluate(loss, logits, targets):
    """Measure a network's answers to all of the evaluation data at once.

    Parameters
    ----------
    loss : callable
        As `choose_loss` returns it.
    logits : tensor [N, K]
    targets : tensor [N] or [N, K]

    Returns
    -------
    dict of float
        `eval_loss` and `eval_accuracy`; with several labels an image, the accuracy is the share
        of right yes-or-no answers, and there are `eval_mean_average_precision` (over the
        classes) and `eval_f1` (of all answers together, yes where a logit is above 0).
    """
    each = loss(logits, targets), accuracy_per_example(logits, targets)
    found = [values.double().mean() for values in each]
    if targets.ndim == 2:
        truth, scores = targets.cpu().numpy(), logits.nan_to_num().cpu().numpy()
        found.append(average_precision(scores, truth))
        found.append(precision_recall_f1(scores > 0, truth)[2])
    return dict(zip(metric_names(targets), map(float, found), strict=True))
