"""The claims as the book shows them: each has a test, and rests on the runs that it names."""

import re

import pytest

from helpers import activation_claims, claims, numpy_claims, vision_claims, voc_claims
from helpers.course import CLAIMS
from helpers.finding import FAILS, HOLDS, LIMITED, UNTOLD, Finding


@pytest.mark.parametrize("claim", claims.TESTS)
def test_every_finding_says_on_how_many_runs_it_rests(claim, monkeypatch):
    modules = (numpy_claims, vision_claims, voc_claims, activation_claims)
    module = next(module for module in modules if claim in module.TESTS)
    recorded, used = module.recorded, set()

    def counting(*which):
        records = recorded(*which)
        # Practice 5's records are batches, with one entry a seed.
        used.add(len(records) if isinstance(records, list) else len(records.fits))
        return records

    monkeypatch.setattr(module, "recorded", counting)
    found = claims.finding(claim)
    assert found.answer in (HOLDS, LIMITED, FAILS, UNTOLD)
    assert found.test and found.effect.endswith(".")
    said = re.findall(r"(\d+)(?: and (\d+))? seeds?", found.effect)
    assert {int(number) for pair in said for number in pair if number} >= used


def test_every_claim_of_the_course_so_far_is_tested():
    assert set(claims.TESTS) == set(CLAIMS)
    with pytest.raises(KeyError, match=r"unknown claim 'C9\.9'"):
        claims.finding("C9.9")


def test_the_findings_page_has_a_row_and_a_paragraph_for_each_claim(monkeypatch):
    made = {claim: lambda claim=claim: Finding(claim, "What", "So.", HOLDS) for claim in CLAIMS}
    monkeypatch.setattr(claims, "TESTS", made)
    table = claims.overview()
    assert table["what the course says"].tolist() == [f"{c} {text}" for c, text in CLAIMS.items()]
    assert set(table["verdict"]) == {HOLDS}
    assert claims.details() == [f"**{claim}: {HOLDS}.** What. So." for claim in CLAIMS]
    assert "C2.1: holds. What. So." in repr(claims.show("C2.1"))
