"""The course's claims, each put to the test: what was measured, and the verdict that follows.

`helpers.numpy_claims`, `vision_claims`, `voc_claims` and `activation_claims` take the recorded
runs of one claim each and apply a rule that is fixed in code, so that new records change the
verdict and nobody's wish does. Chapters and the findings page show the same `Finding`.
"""

import pandas as pd

from helpers import activation_claims, numpy_claims, vision_claims, voc_claims
from helpers.course import CLAIMS
from helpers.prose import verdict

TESTS = numpy_claims.TESTS | vision_claims.TESTS | voc_claims.TESTS | activation_claims.TESTS


def finding(claim):
    """Test one claim.

    Parameters
    ----------
    claim : str
        Its number, a key of `helpers.course.CLAIMS`.

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
    return TESTS[claim]()


def show(claim):
    """Show a claim's verdict in a box, for a chapter."""
    found = finding(claim)
    return verdict(claim, found.answer, f"{found.test}. {found.effect}")


def overview():
    """Tabulate every claim that has a test, with its verdict.

    Returns
    -------
    DataFrame of str
    """
    return pd.DataFrame(
        [
            {
                "what the course says": f"{claim} {CLAIMS[claim]}",
                "verdict": finding(claim).answer,
            }
            for claim in TESTS
        ]
    )


def details():
    """Say what was tested and measured for each claim, one paragraph of Markdown each."""
    return [
        f"**{found.claim}: {found.answer}.** {found.test}. {found.effect}"
        for found in map(finding, TESTS)
    ]
