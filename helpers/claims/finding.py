"""What the test of a claim ends in, and the words and limits that all tests share."""

from dataclasses import dataclass

from helpers.analysis.stats import NO
from helpers.analysis.summaries import join_words
from helpers.claims.course import VERDICTS

CLOSE = 0.003  # accuracy: near enough to a published value to say that it came out again
LITTLE = 0.005  # accuracy: a difference inside ±0.005 changes nobody's choice
FAR = 0.05  # accuracy: who ends this far behind the best has not arrived

HOLDS, LIMITED, FAILS, INCONCLUSIVE = VERDICTS


@dataclass(frozen=True)
class Finding:
    """A claim's test.

    Attributes
    ----------
    claim : its number.
    test : what was compared, in a few words.
    effect : what was measured, with intervals and numbers of runs.
    verdict : one of `helpers.claims.course.VERDICTS`.
    """

    claim: str
    test: str
    effect: str
    verdict: str


def not_repeated(close):
    """Say which published values did not come out again.

    Parameters
    ----------
    close : dict name -> Answer
        Whether a value did.
    """
    missed = [name for name, came in close.items() if came is NO]
    return f" Not repeated: {join_words(missed)}." if missed else ""
