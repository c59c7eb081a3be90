"""Losses by hand, and what is measured of answers."""

import math

import numpy as np
import pytest
import torch

from helpers.training import losses


def test_multi_label_loss_and_accuracy_by_hand():
    logits = torch.tensor([[0.0, 2.0], [-1.0, 3.0]])
    targets = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    sigmoid = torch.sigmoid(logits)
    expected = (
        -torch.stack([(1 - sigmoid[0, 0]).log() + sigmoid[0, 1].log(), sigmoid[1].log().sum()]) / 2
    )
    torch.testing.assert_close(losses.binary_cross_entropy(logits, targets), expected)
    assert losses.accuracy_per_example(logits, targets).tolist() == [1.0, 0.5]


def test_positive_weights_count_present_classes_more():
    logits, targets = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    weighted = losses.choose_loss({"name": "binary-cross-entropy", "positive_weights": [3.0, 7.0]})
    assert float(weighted(logits, targets)) == pytest.approx((3 + 1) / 2 * math.log(2))


def test_smoothing_moves_both_targets_towards_one_half():
    logits = torch.tensor([[2.0, -2.0]])
    smooth = losses.binary_cross_entropy(logits, torch.tensor([[1.0, 0.0]]), smoothing=0.2)
    exact = losses.binary_cross_entropy(logits, torch.tensor([[0.9, 0.1]]))
    torch.testing.assert_close(smooth, exact)


def test_the_asymmetric_loss_by_hand_and_without_asymmetry():
    logits, targets = torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0, 0.0]])
    p = 1 / (1 + math.exp(-1))
    absent = 1 - p - 0.05  # its probability, less the margin
    expected = -(math.log(p) + absent**2 * math.log(1 - absent)) / 2
    assert float(losses.asymmetric_loss(logits, targets)) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(
        losses.asymmetric_loss(logits, targets, gamma_neg=0.0, clip=0.0),
        losses.binary_cross_entropy(logits, targets),
    )


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
    # Yes: three, two of them rightly; present: three, two of them found... of four yes answers.
    yes, right, present = 4, 2, 3
    assert found["eval_f1"] == pytest.approx(2 * right / (yes + present))
    assert found["eval_accuracy"] == pytest.approx(5 / 8)
    # Class 0, from the highest score down: present, absent, present; class 1: the highest.
    assert found["eval_mean_average_precision"] == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)


def test_answers_that_are_not_numbers_are_measured_as_such():
    logits = torch.full((4, 2), float("nan"))
    found = losses.evaluate(losses.binary_cross_entropy, logits, torch.eye(2).repeat(2, 1))
    assert np.isnan(found["eval_loss"])


def test_one_label_an_image_has_loss_and_accuracy():
    logits, labels = torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1])
    found = losses.evaluate(losses.choose_loss("cross-entropy"), logits, labels)
    assert tuple(found) == losses.metric_names(labels) == ("eval_loss", "eval_accuracy")
    assert found["eval_accuracy"] == 0.5
