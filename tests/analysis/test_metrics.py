"""Multi-label metrics against cases worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
import torch

from helpers.analysis import metrics
from helpers.claims.voc_rules import F1, MAP
from helpers.training import losses

# Four images, two classes. At 0.5 the first class has 2 hits, 1 false alarm, 0 misses, the
# second 1 hit, 0 false alarms, 1 miss: 6 of 8 pairs are right.
SCORES = np.array([[0.9, 0.1], [0.8, 0.3], [0.6, 0.7], [0.2, 0.2]])
TARGETS = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
# By hand: sorted by score, class 0 reads 1 0 1 0, class 1 reads 1 0 1 0 too.
AP_BY_HAND = (1 + 2 / 3) / 2


def draws(seed=0, images=300):
    """Make scores that are right more often than not."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((images, 5)) < [0.6, 0.2, 0.1, 0.15, 0.1]).astype(int)
    return rng.normal(size=targets.shape) + 1.5 * targets, targets


def test_chosen_thresholds_by_hand():
    """Of all pairs, 0.6 and more lets in 4, of which 3 are right: F1 6/8, against 8/11 at 0.2.

    Class 0 stops at 0.6 with 2 right of 3, F1 4/5; class 1 at 0.2, with the same.
    """
    assert metrics.choose_thresholds(SCORES, TARGETS) == pytest.approx((0.6 + 0.3) / 2)
    chosen = metrics.choose_thresholds(SCORES, TARGETS, per_class=True)
    assert chosen == pytest.approx([(0.6 + 0.2) / 2, (0.2 + 0.1) / 2])
    assert metrics.choose_thresholds([[0.2, 0.3]], [[1, 1]]) == 0.2  # everything is let in
    below, lowest = 0.7, np.nextafter(0.7, 1)
    assert metrics.choose_thresholds([[below, lowest]], [[0, 1]]) == lowest  # none is between them


def test_a_curve_by_hand():
    curve = metrics.pr_curve(SCORES[:, 0], TARGETS[:, 0])
    assert curve.thresholds.tolist() == [0.2, 0.6, 0.8, 0.9]
    assert curve.recall.tolist() == [1, 1, 0.5, 0.5, 0]
    assert curve.precision == pytest.approx([1 / 2, 2 / 3, 1 / 2, 1, 1])
    assert curve.average_precision == pytest.approx(AP_BY_HAND)
    assert curve.at(0.7) == curve.at(0.8) == (0.5, 0.5)
    assert curve.at(0.95) == (0, 1) and curve.at(0) == (1, 0.5)
    equal_scores = metrics.pr_curve([0.7, 0.7, 0.7, 0.1], [1, 0, 0, 1])  # come in together
    assert equal_scores.average_precision == pytest.approx(0.5 * (1 / 3) + 0.5 * (2 / 4))
    # Sorted, all pairs read 1 0 1 1 0 1 and 0 together at 0.2, 0: precisions 1, 2/3, 3/4, 4/7.
    micro = metrics.pr_curve(SCORES, TARGETS).average_precision
    assert micro == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 7) / 4)


def test_metrics_by_hand():
    found = metrics.summarise(SCORES, TARGETS, 0.5)
    assert found == pytest.approx(
        {
            "accuracy": 6 / 8, "precision": 3 / 4, "recall": 3 / 4, "f1": 3 / 4,
            "macro_f1": (4 / 5 + 2 / 3) / 2, "mean_average_precision": AP_BY_HAND,
        }
    )  # fmt: skip
    assert metrics.summarise(SCORES, TARGETS, [0.6, 0.3])["recall"] == 3 / 4  # 0.6 is a yes
    nothing = metrics.summarise(SCORES, TARGETS, 2)
    assert [nothing[key] for key in metrics.DECISION_METRICS] == [0.5, 0, 0, 0]


def test_logits_and_probabilities_give_the_same_metrics_as_the_training():
    logits, targets = draws()
    logits[:5] = 0  # a probability of one half is a yes
    probabilities = 1 / (1 + np.exp(-logits))
    found = metrics.summarise(logits, targets, 0)
    assert found == metrics.summarise(probabilities, targets, 0.5)
    truth = torch.tensor(targets).float()
    recorded = losses.evaluate(losses.binary_cross_entropy, torch.tensor(logits), truth)
    assert recorded[MAP] == found["mean_average_precision"]
    assert recorded[F1] == pytest.approx(found["f1"], abs=1e-15)
    assert recorded["eval_accuracy"] == pytest.approx(found["accuracy"], abs=1e-7)


def test_an_aggregate_is_no_mean_of_batch_means():
    """Two batches: one predicts much and is right a tenth of the time, one little and always."""
    scores, targets = np.zeros((11, 2)), np.zeros((11, 2), int)
    scores[:, 0], targets[[0, 10], 0], targets[10, 1], scores[10, 1] = 1, 1, 1, 1
    whole = metrics.summarise(scores, targets, 0.5)
    parts = metrics.batch_means(scores, targets, 0.5, batch_size=10)
    assert whole["precision"] == pytest.approx(3 / 12) and whole["recall"] == 1
    assert parts["precision"] == pytest.approx((1 / 10 + 2 / 2) / 2)
    assert parts["accuracy"] == pytest.approx((11 / 20 + 1) / 2)
    together = metrics.batch_means(scores, targets, 0.5, batch_size=11)
    assert together == {name: pytest.approx(whole[name]) for name in together}


def test_bootstrapped_metrics_are_those_of_the_images_drawn():
    targets = draws()[1][:80]
    seeds = [draws(seed)[0][:80].round(1) for seed in (0, 1)]  # with many ties
    found = metrics.bootstrap(seeds, targets, 0.5, np.random.default_rng(3), 10)
    weights = np.random.default_rng(3).multinomial(80, np.full(80, 1 / 80), size=10)
    redone = []
    for counts in weights:
        rows = np.repeat(np.arange(80), counts)
        each = [metrics.summarise(s[rows], targets[rows], 0.5) for s in seeds]
        redone.append([np.mean([seed[name] for seed in each]) for name in found])
    for name, values in zip(found, np.transpose(redone), strict=True):
        whole = np.mean([metrics.summarise(s, targets, 0.5)[name] for s in seeds])
        ends = np.quantile(values, [0.025, 0.975])
        assert found[name].estimate == whole
        assert [found[name].low, found[name].high] == pytest.approx(ends, abs=1e-6)
