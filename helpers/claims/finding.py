"""What the test of a claim ends in, and the words and limits that all tests share."""

from dataclasses import dataclass

from helpers.claims.course import VERDICTS

CLOSE = 0.003  # accuracy: near enough to a published value to say that it came out again
LITTLE = 0.005  # accuracy: a difference inside ±0.005 changes nobody's choice
FAR = 0.05  # accuracy: who ends this far behind the best has not arrived

HOLDS, LIMITED, FAILS, UNTOLD = VERDICTS


@dataclass(frozen=True)
class Finding:
    """A claim's test.

    Attributes
    ----------
    claim : its number.
    test : what was compared, in a few words.
    effect : what was measured, with intervals and numbers of runs.
    answer : one of `helpers.claims.course.VERDICTS`.
    """

    claim: str
    test: str
    effect: str
    answer: str


def runs_of(records):
    """Say on how many seeds a figure rests."""
    return "1 seed" if len(records) == 1 else f"{len(records)} seeds"


def seeds_of(difference):
    """Say on how many seeds a difference rests."""
    if isinstance(difference.n, int):
        return f"n = {difference.n} seeds, paired"
    return "n = {} and {} seeds".format(*difference.n)


def compared(differences, spec):
    """Write "name difference; name difference (n = 3 seeds, paired)"."""
    text = "; ".join(f"{name} {amount:{spec}}" for name, amount in differences.items())
    return f"{text} ({'; '.join(dict.fromkeys(map(seeds_of, differences.values())))})"


def listed(words):
    """Write "a, b and c", or "none"."""
    *first, last = [*words] or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def not_repeated(close):
    """Say which published values did not come out again.

    Parameters
    ----------
    close : dict name -> bool or None
        Whether a value did; None where too few runs decide.
    """
    missed = [name for name, came in close.items() if came is not None and not came]
    return f" Not repeated: {listed(missed)}." if missed else ""
