"""Verdicts: what each follows from, and where a claim's is shown."""

import re

import pytest

from helpers.analysis.stats import wilson
from helpers.claims.findings import CLAIMS, Verdict, finding, sections

REPRODUCED, PARTLY, NOT_REPRODUCED, INCONCLUSIVE = Verdict


@pytest.mark.parametrize(
    ("values", "target", "verdict"),
    [
        ((0.970, 0.971, 0.972), 0.9725, REPRODUCED),
        ((0.970, 0.971, 0.972), 0.9755, REPRODUCED),  # outside our mean's interval: it is one run
        ((0.970, 0.971, 0.972), 0.98, NOT_REPRODUCED),
        ((0.970, 0.971, 0.972), 0.96, NOT_REPRODUCED),  # better than published is no repetition
        ((0.90, 0.95, 1.00), 0.95, INCONCLUSIVE),  # as near as can be, and anything else would be
        ((0.90, 0.95, 1.00), 0.50, NOT_REPRODUCED),
        ((0.989,), 0.989, INCONCLUSIVE),  # one run
    ],
)
def test_a_number_is_reproduced_if_it_might_be_one_more_run(values, target, verdict):
    assert Verdict.from_number(values, target, wide=0.01) == verdict


@pytest.mark.parametrize(
    ("worked", "of", "claim", "verdict"),
    [
        (200, 200, True, REPRODUCED), (0, 200, False, REPRODUCED), (0, 200, True, NOT_REPRODUCED),
        (200, 200, False, NOT_REPRODUCED), (170, 200, True, PARTLY), (2, 3, False, PARTLY),
        (3, 3, True, INCONCLUSIVE),
    ],
)  # fmt: skip
def test_a_share_must_be_high_or_low_with_its_whole_interval(worked, of, claim, verdict):
    assert Verdict.from_share(wilson(worked, of), claim) == verdict


@pytest.mark.parametrize(
    ("parts", "whole"),
    [("RR", "R"), ("NN", "N"), ("II", "I"), ("RN", "P"), ("RI", "P"), ("PN", "P"), ("NI", "N")],
)
def test_the_verdict_on_a_claim_follows_from_those_on_its_parts(parts, whole):
    of = {verdict.name[0]: verdict for verdict in Verdict}
    assert Verdict.overall(of[part] for part in parts) == of[whole]


def test_a_claim_is_found_below_the_heading_that_shows_it():
    for claim in CLAIMS:
        title, address = sections()[claim]
        assert re.match(rf"(evidence/)?0{claim[1]}_\w+\.html#[a-z0-9-]+$", address), title
    with pytest.raises(LookupError, match=r"C9\.9"):
        finding("C9.9")
