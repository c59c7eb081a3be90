"""Losses and metrics by hand."""

import math

import numpy as np
import pytest
import torch

from helpers.training import losses

LN2, SIGMOID_1 = math.log(2), 1 / (1 + math.exp(-1))
#: loss; logits and targets of one image with two classes; its loss
BY_HAND = [
    ("binary-cross-entropy", [0.0, 1.0], [0.0, 1.0], (LN2 - math.log(SIGMOID_1)) / 2),
    ({"name": "binary-cross-entropy", "positive_weights": [3.0, 7.0]},
     [0.0, 0.0], [1.0, 0.0], (3 + 1) / 2 * LN2),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "logits", "targets", "expected"), BY_HAND)
def test_losses_by_hand(loss, logits, targets, expected):
    found = losses.choose_loss(loss)(torch.tensor([logits]), torch.tensor([targets]))
    assert found.tolist() == [pytest.approx(expected, rel=1e-5)]


def test_smoothing_moves_both_targets_towards_one_half():
    logits = torch.tensor([[2.0, -2.0]])
    smooth = losses.binary_cross_entropy(logits, torch.tensor([[1.0, 0.0]]), smoothing=0.2)
    exact = losses.binary_cross_entropy(logits, torch.tensor([[0.9, 0.1]]))
    torch.testing.assert_close(smooth, exact)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_losses_are_finite_where_the_network_is_very_sure(name):
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    targets = torch.tensor([0]) if name == "cross-entropy" else torch.tensor([[0.0, 1.0]])
    loss = losses.choose_loss(name)(logits, targets).sum()
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_what_is_measured_of_several_labels():
    logits = torch.tensor([[3.0, -1.0], [1.0, 2.0], [-2.0, 1.0], [-1.0, -3.0]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    found = losses.evaluate(losses.binary_cross_entropy, logits, targets)
    assert tuple(found) == losses.metric_names(targets)
    yes, right, present = 4, 2, 3
    assert found["eval_f1"] == pytest.approx(2 * right / (yes + present))
    assert found["eval_accuracy"] == pytest.approx(5 / 8)
    # Class 0, from the highest score down: present, absent, present; class 1: the highest.
    assert found["eval_mean_average_precision"] == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)
    nothing = losses.evaluate(losses.binary_cross_entropy, logits * math.nan, targets)
    assert np.isnan(nothing["eval_loss"])


def test_one_label_an_image_has_loss_and_accuracy():
    logits, labels = torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1])
    found = losses.evaluate(losses.choose_loss("cross-entropy"), logits, labels)
    assert tuple(found) == losses.metric_names(labels) == ("eval_loss", "eval_accuracy")
    assert found["eval_accuracy"] == 0.5
