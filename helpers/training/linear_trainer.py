"""Trains a linear classifier for several labels on features: one logistic regression a class.

How strongly it is regularised is chosen on training examples that are held out in turn.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from helpers.training.config import rounded
from helpers.training.losses import (
    accuracy_per_example,
    binary_cross_entropy,
    evaluate,
    metric_names,
)


class LinearTrainer:
    """One run, advanced a strength at a time.

    Parameters
    ----------
    config : helpers.training.config.LinearConfig
    data : helpers.data.datasets.Dataset
        Features [N, D], and targets of 0 and 1 [N, K].
    seed : int
        Decides which examples are held out together.

    Attributes
    ----------
    history : dict of lists
        One entry for each strength, with the `held_out_loss`, and a last one for the best, with
        all other figures, None before.
    classifier : helpers.training.linear_trainer.Linear
        The last one.
    """

    def __init__(self, config, data, seed):
        self.config, self.data, self.seed = config, data, seed
        self.epoch, self.diverged, self.history, self.classifier = 0, False, {}, None

    def run_epoch(self):
        """Try the next strength on held-out examples, or train with the best."""
        data, tried = self.data, self.epoch < len(self.config.strengths)
        figures = dict.fromkeys(("held_out_loss", "loss", "accuracy", *metric_names(data.y_eval)))
        if tried:
            strength = self.config.strengths[self.epoch]
            figures["held_out_loss"] = self.held_out_loss(strength)
        else:
            best = int(np.argmin(self.history["held_out_loss"]))
            strength = self.config.strengths[best]
            self.classifier = fit(data.x, data.y, strength)
            trained = as_tensors(self.classifier.logits(data.x), data.y)
            figures["loss"] = binary_cross_entropy(*trained).mean()
            figures["accuracy"] = accuracy_per_example(*trained).mean()
            figures |= evaluate(binary_cross_entropy, *as_tensors(self.scores(), data.y_eval))
        for name, value in {"epoch": self.epoch, "strength": strength, **figures}.items():
            self.history.setdefault(name, []).append(rounded(value))
        self.epoch += 1

    def held_out_loss(self, strength):
        """Return the cross-entropy of examples that the classifier was not trained on."""
        x, y = self.data.x, self.data.y
        logits = np.empty(y.shape, np.float32)
        parts = KFold(self.config.folds, shuffle=True, random_state=self.seed)
        for rows, held_out in parts.split(x):
            logits[held_out] = fit(x[rows], y[rows], strength).logits(x[held_out])
        return float(binary_cross_entropy(*as_tensors(logits, y)).mean())

    @property
    def done(self):
        """Whether the classifier is trained."""
        return self.epoch >= self.config.epochs

    @property
    def parameter_count(self):
        """How many numbers are trained."""
        return (self.data.x.shape[1] + 1) * self.data.classes

    def hardware(self):
        """Name what the run was made on."""
        return {"device": "cpu"}

    def scores(self):
        """Return the logits [N, K] of the evaluation data."""
        return self.classifier.logits(self.data.x_eval)

    def artifacts(self):
        """Return nothing: the scores say it all."""
        return {}

    def state(self):
        """Return (arrays, facts): all that `restore` needs to go on."""
        return {}, {"epoch": self.epoch, "history": self.history}

    def restore(self, arrays, facts):
        """Continue from what `state` returned."""
        self.epoch, self.history = facts["epoch"], facts["history"]


@dataclass(frozen=True)
class Linear:
    """A linear classifier: weights [D, K] and bias [K]."""

    weights: np.ndarray
    bias: np.ndarray

    def logits(self, x):
        """Map features [N, D] to logits [N, K]."""
        return x @ self.weights + self.bias


def fit(x, y, strength):
    """Return the `Linear` of features [N, D] and targets [N, K], regularised with that `C`.

    The features are taken as they are: all are of one kind, and those that hardly vary say little.
    A class that all examples have, or none, gets a logit of its own whatever the features.
    """
    count, classes = y.shape
    weights, bias = np.zeros((x.shape[1], classes), x.dtype), np.zeros(classes, x.dtype)
    for k, found in enumerate(y.T.astype(bool)):
        if 0 < (present := found.sum()) < count:
            model = LogisticRegression(C=strength, max_iter=1000).fit(x, found)
            weights[:, k], bias[k] = model.coef_[0], model.intercept_[0]
        else:
            bias[k] = np.log((present + 0.5) / (count - present + 0.5))
    return Linear(weights, bias)


def as_tensors(logits, targets):
    """Return arrays [N, K] as the losses take them."""
    return torch.tensor(logits), torch.tensor(targets, dtype=torch.float32)
