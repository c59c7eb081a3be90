"""Practice 5's rules end in the verdicts that made-up records ask for."""

from dataclasses import replace

import pytest

from helpers.claims import activation_rules as rules
from helpers.claims.findings import rule
from helpers.runs.experiments import recorded_ensemble


def made_up(fits):
    """Stand-in for `recorded`: so many of 200 seeds of each pair fit."""
    batch = recorded_ensemble("relu")

    def read(name):
        share = fits.get(name, 0)
        return replace(batch, train_accuracy=[1.0] * share + [0.5] * (200 - share))

    return read


@pytest.mark.parametrize(
    ("claim", "fits", "verdicts"),
    [
        ("C5.1", dict.fromkeys(rules.WELL_BEHAVED, 200), "RRRRRRRRR"),
        ("C5.1", dict.fromkeys(rules.WELL_BEHAVED, 200) | {"abs": 170}, "PRRRRRRRR"),
        ("C5.1", {}, "NNNNNNNNN"),
        ("C5.2", {}, "RRR"),
        ("C5.2", dict(zip(rules.FAILURES, (200, 100, 0), strict=True)), "NPR"),
        ("C5.3", {"sort": 200, "permute": 200}, "RR"),
        ("C5.3", {"sort": 200, "permute": 100}, "RP"),
        ("C5.3", {"sort": 200, "permute": 200, "linear": 200}, "NN"),
    ],
)
def test_the_rules(claim, fits, verdicts):
    parts, _ = rule(claim)(made_up(fits))
    assert "".join(verdict.name[0] for verdict in parts.values()) == verdicts
