"""The course's claims, each put to the test: what was measured, and the verdict that follows.

`helpers.claims.numpy_rules`, `vision_claims`, `voc_claims` and `activation_claims` take the recorded
runs of one claim each and apply a rule that is fixed in code, so that new records change the
verdict and nobody's wish does. Chapters and the findings page show the same `Finding`.
"""

import pandas as pd

from helpers.analysis.summaries import joined, link, named
from helpers.claims import (
    activation_rules as activation_claims,
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
from helpers.claims.course import CLAIMS, VERDICTS
from helpers.claims.evidence import records_link, section_with
from helpers.claims.finding import INCONCLUSIVE
from helpers.runs.records import track_records_read

RULES = numpy_claims.RULES | vision_claims.RULES | voc_claims.RULES | activation_claims.RULES


def finding(claim):
    """Test one claim.

    Parameters
    ----------
    claim : str
        Its number, a key of `helpers.claims.course.CLAIMS`.

    Returns
    -------
    Finding

    Raises
    ------
    KeyError
        If there is no such claim.
    """
    if claim not in CLAIMS:
        raise KeyError(f"unknown claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    return RULES[claim]()


def _behind(claim):
    """Return a claim's `Finding`, and the runs that its test reads: experiment -> seeds."""
    with track_records_read() as runs:
        return finding(claim), runs


def _name(claim):
    """Return the name by which a claim's row is linked to; the theme's scripts can't take a dot."""
    return claim.lower().replace(".", "-")


def _runs_behind(found, runs):
    """Return what two columns say of the runs: how many a setting, and the way to all of them."""
    each = sorted({len(seeds) for seeds in runs.values() if seeds})
    if not each:
        return "–", "no run yet" if found.verdict == INCONCLUSIVE else "no run: computed here"
    n = f"{each[0]:,}" if len(each) == 1 else f"{each[0]:,} to {each[-1]:,}"
    total = sum(map(len, runs.values()))
    return n, records_link("one run" if total == 1 else f"{total:,} runs", runs)


def table(practice):
    """Tabulate the claims of a practice: the test, the effect, the verdict, and the way there.

    Parameters
    ----------
    practice : int
        From 1 to 5.

    Returns
    -------
    DataFrame of str and helpers.analysis.summaries.Marked
    """
    rows = []
    for claim in (claim for claim in RULES if claim.startswith(f"C{practice}.")):
        found, runs = _behind(claim)
        n, records = _runs_behind(found, runs)
        section = section_with(f'show_verdict("{claim}")')
        rows.append(
            {
                "claim": joined([named(claim, _name(claim)), CLAIMS[claim]]),
                "verdict": found.verdict,
                "test": f"{found.test}.",
                "effect": found.effect,
                "n": n,
                "behind it": joined([section.link, records], "; "),
            }
        )
    return pd.DataFrame(rows)


def verdicts():
    """Tabulate which claims have which verdict, with links to their rows."""
    claims = {answer: [] for answer in VERDICTS}
    for claim in RULES:
        claims[finding(claim).verdict].append(link(claim, f"#{_name(claim)}"))
    return pd.DataFrame(
        {
            "verdict": answer,
            "claims": str(len(those)),
            "which": joined(those or ["none"], ", "),
        }
        for answer, those in claims.items()
    )
