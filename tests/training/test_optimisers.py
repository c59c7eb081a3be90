"""Schedules against rates computed by hand."""

import numpy as np
import pytest

from helpers.training.config import chosen
from helpers.training.optimisers import SCHEDULES

#: name, arguments, how many steps; then step -> rate
BY_HAND = [
    ("constant", {"lr": 0.3}, 100, {0: 0.3, 99: 0.3}),
    ("constant", {"lr": 2.0, "warmup": 0.1}, 100, {0: 0.2, 4: 1.0, 9: 2.0, 10: 2.0, 99: 2.0}),
    (
        "cosine", {"peak_lr": 2.0, "warmup": 0.1}, 100,
        {0: 0.2, 4: 1.0, 9: 2.0, 10: 2.0, 55: 1.0, 99: 1 + np.cos(np.pi * 89 / 90)},
    ),
    (
        "warmup-cosine", {"peak_lr": 0.4, "warmup": 3}, 12,
        {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 6: 0.3, 11: 0.2 * (1 + np.cos(np.pi * 8 / 9))},
    ),
    (
        "course", {}, 400,
        {
            0: 0.05 + 0.15 / 20, 19: 0.2, 20: 0.05 + 0.075 * (1 + np.cos(np.pi / 4)),
            50: 0.05, 90: 0.05 + 0.15 * 0.98**7,
            379: 0.05 + 0.075 * (1 + np.cos(np.pi * 369 / 40)) * 0.98**35, 380: 0.05, 399: 0.05,
        },
    ),
    ("course", {"scale": 3, "decay": 1}, 400, {0: 0.1725, 330: 0.6, 399: 0.15}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "steps", "rates"), BY_HAND)
def test_rates(name, arguments, steps, rates):
    schedule = chosen(SCHEDULES, {"name": name} | arguments, "schedule")
    assert {step: schedule(step, steps) for step in rates} == pytest.approx(rates)
