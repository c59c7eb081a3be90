"""The claims as the book shows them: each has a test, and rests on the runs that it names."""

import html
import re

import pytest
from linked import listed, on_record

from helpers.analysis.summaries import same_seeds
from helpers.book import output
from helpers.claims import (
    activation_rules as activation_claims,
)
from helpers.claims import (
    findings as claims,
)
from helpers.claims import (
    numpy_rules as numpy_claims,
)
from helpers.claims import (
    vision_rules as vision_claims,
)
from helpers.claims import (
    voc_rules as voc_claims,
)
from helpers.claims.course import CLAIMS
from helpers.claims.evidence import NoSuchSection, Section, section_with
from helpers.claims.finding import FAILS, HOLDS, INCONCLUSIVE, LIMITED, Finding
from helpers.runs.experiments import recorded
from helpers.runs.records import read_arrays, track_records_read


@pytest.mark.parametrize("claim", claims.RULES)
def test_every_finding_says_on_how_many_runs_it_rests(claim, monkeypatch):
    modules = (numpy_claims, vision_claims, voc_claims, activation_claims)
    module = next(module for module in modules if claim in module.RULES)
    reader = "recorded" if hasattr(module, "recorded") else "recorded_ensemble"
    recorded, used = getattr(module, reader), set()

    def counting(*which):
        records = recorded(*which)
        # Practice 5's records are of ensembles, with one entry a seed.
        used.add(len(records) if isinstance(records, list) else len(records.fits))
        return records

    def cutting(records, others):
        kept = same_seeds(records, others)
        if len(kept) < len(records):
            used.discard(len(records))
        used.add(len(kept))
        return kept

    monkeypatch.setattr(module, reader, counting)
    monkeypatch.setattr(module, "same_seeds", cutting, raising=False)
    found = claims.finding(claim)
    assert found.verdict in (HOLDS, LIMITED, FAILS, INCONCLUSIVE)
    assert found.test and found.effect.endswith(".")
    said = re.findall(r"(\d+)(?: and (\d+))? seeds?", found.effect)
    assert {int(number) for pair in said for number in pair if number} >= used


def test_every_claim_of_the_course_so_far_is_tested():
    assert set(claims.RULES) == set(CLAIMS)
    with pytest.raises(KeyError, match=r"unknown claim 'C9\.9'"):
        claims.finding("C9.9")


@pytest.fixture(scope="module")
def tables():
    return {practice: claims.table(practice) for practice in range(1, 6)}


def test_every_claim_has_a_row_with_its_runs(tables):
    rows = [row for table in tables.values() for row in table.to_dict("records")]
    assert [str(row["claim"]) for row in rows] == [f"{c} {text}" for c, text in CLAIMS.items()]
    names = [re.search(r'id="([a-z0-9-]+)"', row["claim"].markup)[1] for row in rows]
    assert names == [claim.lower().replace(".", "-") for claim in CLAIMS]
    without = {}
    for row in rows:
        if row["n"] == "–":
            without[str(row["claim"])[:4]] = row["verdict"]
        else:
            numbers = re.findall(r"[\d,]+", row["n"])
            assert 1 <= int(numbers[0]) <= int(numbers[-1].replace(",", ""))
    assert without.pop("C3.5") == HOLDS  # it asks PyTorch, not a run
    assert set(without.values()) <= {INCONCLUSIVE}


def test_the_way_from_a_claim_leads_to_its_box_and_to_runs_that_are_there(tables):
    for practice, table in tables.items():
        for row in table.to_dict("records"):
            addresses = re.findall('href="([^"]+)"', row["behind it"].markup)
            section, *runs = map(html.unescape, addresses)
            assert re.fullmatch(rf"0{practice}_\w+\.html#[a-z0-9-]+", section)
            assert len(runs) == (row["n"] != "–")
            assert [
                name for address in runs for name in listed(address) if not on_record(name)
            ] == []


def test_a_claim_is_found_below_the_heading_that_shows_it():
    found = section_with('show_verdict("C2.2")')
    assert (found.notebook, found.title) == ("02_mnist_numpy", "C2.2 Which loss?")
    assert found.address == "02_mnist_numpy.html#c2-2-which-loss"
    assert Section("x", "C3.4 What is the 1/√d for?").address == "x.html#c3-4-what-is-the-1-d-for"
    with pytest.raises(NoSuchSection, match=r"C9\.9"):
        section_with('show_verdict("C9.9")')


def test_each_verdict_counts_and_links_its_claims(monkeypatch):
    made = {claim: lambda claim=claim: Finding(claim, "What", "So.", HOLDS) for claim in CLAIMS}
    made["C1.1"] = lambda: Finding("C1.1", "What", "So.", FAILS)
    monkeypatch.setattr(claims, "RULES", made)
    table = claims.verdicts()
    assert table["claims"].tolist() == [str(len(CLAIMS) - 1), "0", "1", "0"]
    assert [str(cell) for cell in table["which"][1:]] == ["none", "C1.1", "none"]
    assert table["which"][2].markup == '<a href="#c1-1">C1.1</a>'
    assert "C2.1: holds. What. So." in repr(output.show_verdict("C2.1"))


def test_runs_are_noted_only_inside():
    with track_records_read() as outer:
        recorded("moons-published")
        with track_records_read() as inner:
            read_arrays("mnist-lenet", "full", 2)
    recorded("moons-long")
    assert outer == {"moons-published": set(range(50))}
    assert inner == {"mnist-lenet": {2}}
