"""Published results and claims: every one is there, rests on runs on record, and is judged once."""

import html
import json
import re

import numpy as np
import pytest
from linked import listed, on_record

from helpers.analysis.stats import wilson
from helpers.claims import published
from helpers.claims.findings import CLAIMS, PUBLISHED, Verdict, finding, section_with, with_runs
from helpers.runs.experiments import find, recorded
from helpers.runs.records import ROOT

REPRODUCED, PARTLY, NOT_REPRODUCED, INCONCLUSIVE = Verdict

# Copied from the course's report by hand: what must not be missing, whatever the code says.
NUMBERS = {
    1: [1.0],
    2: [0.2081, 0.9603, 0.2226, 0.9568],
    3: [0.9917, 0.9857, 0.9942, 0.9714, 0.9715, 0.0011, 0.0261, 0.0128],
    4: [
        0.8906, 0.7703, 0.7454, 0.7577, 0.8828, 0.7716, 0.7386, 0.7547,
        0.9153, 0.8512, 0.8114, 0.8308, 0.8525, 0.7141, 0.6878, 0.7007,
    ],
}  # fmt: skip
SECOND_ATTEMPT = [0.659, 0.854, 0.894, 0.686, 0.684, 0.718]
FITTING = ["abs×abs", "exp×exp", "exp×cos", "sin×sin", "x²", "ReLU", "sigmoid", "sort", "permute"]
FAILING = ["1/x × 1/x", "tan×tan", "sgn"]


@pytest.fixture(scope="module")
def rows():
    return {practice: make() for practice, make in published.PRACTICES.items()}


def test_every_published_number_has_a_row_and_one_only(rows):
    for practice, numbers in NUMBERS.items():
        assert [row.published for row in rows[practice]] == numbers
    assert [*PUBLISHED["single_label"].values()] == SECOND_ATTEMPT
    assert [*PUBLISHED["voc_sizes"].values()] == [[21], [432], [43], [83, 169]]
    assert [row.model for row in rows[5] if row.published] == FITTING
    assert [row.model for row in rows[5] if not row.published] == FAILING


def test_ours_are_the_records_own_figures(rows):
    by = {(row.model, row.figure): row for row in rows[3] + rows[4]}
    accuracies = [run.metrics["eval_accuracy"] for run in recorded("mnist-lenet")]
    assert list(by["LeNet", published.ACCURACY].ours.values) == accuracies
    assert list(by["LeNet", published.ACCURACY].best.values) != accuracies
    for model, name in published.BEST_VISION.items():
        assert find(name).config.epochs >= PUBLISHED["vision"][model]["epochs"]
    best = by["ViT", published.F1].best
    own = [run.metrics["eval_f1"] for run in recorded(best.experiment)]
    assert best.values == pytest.approx(own, abs=1e-3)  # over all images, as the runs measured it
    for row in (row for some in rows.values() for row in some):
        for found in filter(None, (row.ours, row.best)):
            assert np.isfinite(found.mean) and on_record(found.experiment)


def test_claims_and_published_results_have_the_same_verdicts(rows):
    """Boxes and findings show the claims' parts; table and chart of published results, the rows."""
    for claim, practice, figure in (
        ("C2.1", 2, "training loss"),
        ("C2.1", 2, published.ACCURACY),
        ("C3.1", 3, published.ACCURACY),
        ("C4.3", 4, published.F1),
        ("C5.1", 5, published.SHARE),
        ("C5.2", 5, published.SHARE),
    ):
        parts = finding(claim).parts
        found = {row.model: row.verdict for row in rows[practice] if row.figure == figure}
        if practice == 2:
            assert found == {"NumPy network": parts[figure]}
        else:
            assert found.items() >= parts.items()


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


@pytest.fixture(scope="module")
def findings():
    return {claim: with_runs(claim) for claim in CLAIMS}


def test_every_claim_is_tested_on_runs_and_says_on_how_many(findings):
    for claim, (found, runs) in findings.items():
        text = " ".join(
            [found.lead, *(says for _, says in found.measured), found.besides, found.test]
        )
        assert "{" not in text
        assert all(map(on_record, runs)) and bool(runs) == (claim != "C3.5")
        said = {int(n) for n in re.findall(r"\b(\d+)(?= (?:and \d+ )?seeds?)", text)}
        used = {len(seeds) for seeds in runs.values() if seeds}
        assert used <= {1} or said & used, claim
    with pytest.raises(KeyError, match=r"unknown claim 'C9\.9'"):
        finding("C9.9")


def test_a_claim_is_found_below_the_heading_that_shows_it():
    for claim in CLAIMS:
        page = section_with(f'show_verdict("{claim}")')[1].removeprefix("evidence/")
        assert page.startswith(f"0{claim[1]}_")
    title, address = section_with('show_verdict("C3.4")')
    assert (
        "√d" in title and address.startswith("evidence/03_vision.html#c3-4-") and address.isascii()
    )
    with pytest.raises(LookupError, match=r"C9\.9"):
        section_with('show_verdict("C9.9")')


def shown_by(path):
    """Return the HTML of a notebook's stored outputs."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)


BOX = re.compile('class="admonition-title">(C\\d.*?)</p>\n<p>(.*?)</p>')


def test_a_claim_has_one_verdict_on_every_page(findings):
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        for title, lead in BOX.findall(html.unescape(shown_by(path))):
            found, _ = findings[title[:4]]
            assert (title, lead) == (found.title, found.lead), path.name


@pytest.mark.parametrize("name", ["findings", "published"])
def test_every_link_of_the_pages_leads_to_a_section_or_to_records_that_are_there(name):
    shown = shown_by(ROOT / "notebooks" / f"{name}.ipynb")
    links = {html.unescape(address) for address in re.findall('href="([^"]+)"', shown)}
    records = {address for address in links if "all_runs" in address}
    assert all(on_record(experiment) for address in records for experiment in listed(address))
    names = {f"#{claim.lower().replace('.', '-')}" for claim in CLAIMS}
    sections = {link for link in links if re.match(r"(evidence/)?0\d_\w+\.html#", link)}
    assert links - records - sections == (names if name == "findings" else set())
    assert len(records) > 20
