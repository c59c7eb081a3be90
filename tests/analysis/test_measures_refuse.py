"""What is not as documented is refused in a sentence, and nothing is computed from it."""

import numpy as np
import pytest

from helpers.analysis import metrics, stats
from helpers.training import losses

SCORES = np.array([[0.9, 0.1], [0.8, 0.3], [0.6, 0.7], [0.2, 0.2]])
TARGETS = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
A = [0.91, 0.95, 0.93, 0.97]


def bootstrap(scores, targets):
    return metrics.bootstrap([scores], targets, 0.5, np.random.default_rng(0), 2)


@pytest.mark.parametrize(
    ("compute", "arguments", "message"),
    [
        (stats.mean_interval, ([1.0],), "at least 2 observations"),
        (stats.mean_interval, ([[1.0, 2.0]],), r"shape is \[1, 2\]"),
        (stats.mean_interval, ([1.0, np.nan],), "values must be finite"),
        (stats.difference_interval, (A, [1.0, np.inf]), "b must be finite"),
        (stats.reliability_curve, (SCORES * 9, TARGETS), "take the sigmoid"),
        (stats.reliability_curve, (SCORES, SCORES), "0 or 1 for each"),
        (stats.reliability_curve, (SCORES, TARGETS[:, :1]), r"\[4, 2\] and \[4, 1\]"),
        (metrics.pr_curve, (SCORES, TARGETS * 0), "must hold a 1"),
        (metrics.summarise, (SCORES[:, :1], TARGETS[:, :1], 0.5), "at least 2 classes"),
        (bootstrap, (SCORES[:3], TARGETS), r"got \[3, 2\] and \[4, 2\]"),
        (bootstrap, (SCORES * np.nan, TARGETS), "finite"),
        (bootstrap, (SCORES, TARGETS * [1, 0]), "must hold a 1"),
        (metrics.average_precisions, (SCORES[:, 0], TARGETS[:, 0]), r"both \[images, classes\]"),
        (metrics.average_precisions, (SCORES, 2 * TARGETS), "0 or 1"),
        (losses.precision_recall_f1, (TARGETS == 1, SCORES), "targets 0 or 1"),
    ],
)  # fmt: skip
def test_it_is_refused(compute, arguments, message):
    with pytest.raises(ValueError, match=message):
        compute(*arguments)
