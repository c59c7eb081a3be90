"""Trains a linear classifier for several labels on features: one logistic regression a class.

How strongly it is regularised is chosen on training examples that are held out in turn.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from helpers.training.config import rounded
from helpers.training.losses import accuracy_per_example, binary_cross_entropy, evaluate


class LinearTrainer:
    """One run, all of it in one epoch.

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
    """

    diverged = False

    def __init__(self, config, data, seed):
        self.config, self.data, self.seed = config, data, seed
        self.epoch, self.history, self.classifier = 0, {}, None

    def run_epoch(self):
        """Try every strength on held-out examples, and train with the best."""
        data, strengths = self.data, self.config.strengths
        losses = [rounded(self.held_out_loss(strength)) for strength in strengths]
        best = strengths[int(np.argmin(losses))]
        self.classifier = fit(data.x, data.y, best)
        trained = as_tensors(self.classifier.logits(data.x), data.y)
        figures = {
            "loss": binary_cross_entropy(*trained).mean(),
            "accuracy": accuracy_per_example(*trained).mean(),
            **evaluate(binary_cross_entropy, *as_tensors(self.scores(), data.y_eval)),
        }
        self.history = {
            "epoch": list(range(len(losses) + 1)),
            "strength": [*strengths, best],
            "held_out_loss": [*losses, None],
            **{name: [None] * len(losses) + [rounded(v)] for name, v in figures.items()},
        }
        self.epoch = 1

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
        return self.classifier is not None

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
