"""What the original course published, and how it is judged: data, limits and verdicts.

The course is the report "深度学习实战" (Deep Learning in Practice). Its numbers stand in
`published.toml`, its claims and what our tests of them say in `texts.toml`; nothing else in the
book types them.
"""

import tomllib
from pathlib import Path

from helpers.analysis.stats import NO, UNCLEAR, YES, prediction_interval


def _read(name):
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


PUBLISHED = _read("published.toml")
PUBLISHED_MNIST = PUBLISHED["mnist"]
PUBLISHED_VISION = PUBLISHED["vision"]
PUBLISHED_VOC = PUBLISHED["voc"]
PUBLISHED_SIDE = 224  # pixels, of practice 4's photographs

TEXTS = _read("texts.toml")
CLAIMS = {number: text["claim"] for number, text in TEXTS.items()}

VERDICTS = HOLDS, LIMITED, FAILS, INCONCLUSIVE = (
    "holds", "holds with limits", "does not hold", "can't be told",
)  # fmt: skip

CLOSE = 0.003  # accuracy: near enough to a published value to reproduce it
NEAR = 0.01  # F1: the same for photographs
LITTLE = 0.005  # accuracy: a difference inside ±0.005 changes nobody's choice
FAR = 0.05  # accuracy: who ends this far behind the best has not arrived
OFTEN, SELDOM = 0.9, 0.1  # of the seeds: a combination of activations fits; it does not
FAITHFUL = 0.95  # of the rays: the activation decides the shape
MAINLY = 0.5  # of the variance: the activation decides the class more than the seed does

AGAIN, HIGHER, LOWER, UNDECIDED = "again", "higher", "lower", "unclear"


def outcome(ours, published, tolerance):
    """Judge whether a published value came out again: the one rule of claims and tables.

    Parameters
    ----------
    ours : sequence of float
        One a seed.
    published : float
    tolerance : float
        A mean that is as near as this repeats the value.

    Returns
    -------
    str
        `AGAIN`; `HIGHER` or `LOWER` if the value, which is one run, lies outside the prediction
        interval for one more run of ours; `UNDECIDED` if it lies inside, or if there is but one
        run of ours.
    """
    mean = sum(ours) / len(ours)
    if abs(mean - published) <= tolerance:
        return AGAIN
    if len(ours) == 1 or prediction_interval(ours).contains(published):
        return UNDECIDED
    return HIGHER if mean > published else LOWER


def fits(share):
    """Answer whether a combination of activations works, from its share of seeds that fit."""
    return YES if share.low >= OFTEN else NO if share.high <= SELDOM else UNCLEAR


def overall(parts):
    """Return the verdict on a claim with several parts, an Answer each."""
    parts = set(parts)
    if YES in parts:
        return HOLDS if parts == {YES} else LIMITED
    return FAILS if parts == {NO} else INCONCLUSIVE


def judged(outcomes):
    """Return the verdict on a claim that some values come out again, and which of them do.

    Parameters
    ----------
    outcomes : dict model -> str
        As from `outcome`.

    Returns
    -------
    str
    dict of list
        The models whose value came out "again", is "different", or is "unclear".
    """
    sorts = {"again": [], "different": [], "unclear": []}
    for model, found in outcomes.items():
        sorts["different" if found in (HIGHER, LOWER) else found].append(model)
    says = {"again": YES, "different": NO, "unclear": UNCLEAR}
    return overall(says[sort] for sort, models in sorts.items() if models), sorts
