"""The claims of practice 5 put to the test, by the rules that `findings.rule` describes."""

import numpy as np

from helpers.analysis.activations import (
    DISTANCES,
    EXPECTED,
    FITTING,
    fit_share,
    recorded_extrapolation,
)
from helpers.analysis.stats import difference_interval, wilson
from helpers.claims.findings import FAITHFUL, MAINLY, Verdict
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import recorded_ensemble

WELL_BEHAVED = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published]
FAILURES = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published is False]


def label(name):
    """Return what readers call a combination."""
    return ACTIVATION_PAIRS[name].label


def _each(names, recorded, works=True):
    """Judge whether each of some pairs works, or does not, by the share of seeds that fit."""
    shares = {label(name): fit_share(recorded(name)) for name in names}
    (n,) = {share.n for share in shares.values()}
    parts = {about: Verdict.from_share(share, works) for about, share in shares.items()}
    each = {about: {"share": share} for about, share in shares.items()}
    return parts, {"each": each, "n": n}


def c5_1(recorded=recorded_ensemble):
    """Test whether the nine combinations fit."""
    return _each(WELL_BEHAVED, recorded)


def c5_2(recorded=recorded_ensemble):
    """Test whether the three failures fail."""
    return _each(FAILURES, recorded, works=False)


def c5_3(recorded=recorded_ensemble):
    """Test whether sorting and permuting are enough, which needs that nothing else is."""
    parts, values = _each(("sort", "permute"), recorded)
    without = fit_share(recorded("linear"))
    if Verdict.from_share(without, works=False) is not Verdict.REPRODUCED:
        parts = dict.fromkeys(parts, Verdict.NOT_REPRODUCED)
    return parts, values | {"without": without}


def learned(setting="frozen"):
    """Return how much more often networks fit with all layers trained than with the last alone.

    The `Interval` is of the mean over the well-behaved combinations, over seeds.
    """
    return difference_interval(_fits_of_each_seed(), _fits_of_each_seed(setting), paired=True)


def _fits_of_each_seed(setting="plain"):
    """Return the share of the well-behaved pairs that fit, for each seed."""
    return np.mean([recorded_ensemble(name, setting).fits for name in WELL_BEHAVED], axis=0)


def best_read_out(name):
    """Return the share of seeds that a logistic regression on random layers makes fit."""
    found = recorded_extrapolation()["best_read_outs"][name]
    return wilson(sum(found), len(found))


def learned_beyond():
    """Return how much more often networks fit than a logistic regression on random layers."""
    read_outs = recorded_extrapolation()["best_read_outs"]
    best = np.mean([read_outs[name] for name in WELL_BEHAVED], axis=0)
    return difference_interval(_fits_of_each_seed(), best, paired=True)


def shape_shares():
    """Return the share of rays with the shape that the formula lets one expect, by combination."""
    return {
        name: wilson(sum(counts[shape] for shape in EXPECTED[name]), sum(counts.values()))
        for name, counts in recorded_extrapolation()["shapes"].items()
    }


def c5_4(extrapolation=recorded_extrapolation):
    """Test the closing conjecture: direction from the activation, fit from back-propagation."""
    gain, beyond = learned(), learned_beyond()
    faithful = {name: share for name, share in shape_shares().items() if name in FITTING}
    agreement = extrapolation()["agreement"]
    explained = [agreement[distance].explained.above(MAINLY) for distance in DISTANCES]
    least = min(faithful, key=lambda name: faithful[name].low)
    decided = [agreement[distance].explained.estimate for distance in DISTANCES]
    alone = float(np.mean([best_read_out(name).estimate for name in WELL_BEHAVED]))
    return {
        "learned": Verdict.if_above(MAINLY, gain),
        "beyond": Verdict.if_above(MAINLY, beyond),
        "shape": Verdict.if_above(FAITHFUL, faithful[least]),
        "class": Verdict.from_answers(*explained),
    }, {
        "gain": gain,
        "beyond": beyond,
        "alone": alone,
        "room": 1 - alone,
        "lowest": min(decided),
        "highest": max(decided),
        "pairs": len(WELL_BEHAVED),
        "least": faithful[least],
        "least_of": label(least),
        "near": agreement[0],
        "distance": max(DISTANCES),
        "far": agreement[max(DISTANCES)],
    }
