"""Practice 5's rules end in the verdict that made-up records ask for."""

from dataclasses import replace

import pytest

from helpers.claims import activation_rules as rules
from helpers.claims.findings import FAILS, HOLDS, LIMITED, rule
from helpers.runs.experiments import recorded_ensemble


def made_up(fits):
    """Stand-in for `recorded`: so many of 200 seeds of each pair fit."""
    batch = recorded_ensemble("relu")

    def read(name):
        share = fits.get(name, 0)
        return replace(batch, train_accuracy=[1.0] * share + [0.5] * (200 - share))

    return read


@pytest.mark.parametrize(
    ("claim", "fits", "answer"),
    [
        ("C5.1", dict.fromkeys(rules.WELL_BEHAVED, 200), HOLDS),
        ("C5.1", dict.fromkeys(rules.WELL_BEHAVED, 200) | {"abs": 170}, LIMITED),
        ("C5.1", {}, FAILS),
        ("C5.2", {}, HOLDS),
        ("C5.2", {"tan": 200}, LIMITED),
        ("C5.2", dict.fromkeys(rules.FAILURES, 100), FAILS),
        ("C5.3", {"sort": 200, "permute": 200}, HOLDS),
        ("C5.3", {"sort": 200, "permute": 100}, LIMITED),
        ("C5.3", {"sort": 200, "permute": 200, "linear": 200}, FAILS),
    ],
)
def test_the_rules(claim, fits, answer):
    verdict, _ = rule(claim)(made_up(fits))
    assert verdict == answer
