"""The claims of practice 5 put to the test, by the rules that `findings.rule` describes."""

import numpy as np

from helpers.analysis.activations import (
    DISTANCES,
    EXPECTED,
    FITTING,
    fit_share,
    recorded_extrapolation,
)
from helpers.analysis.stats import NO, YES, difference_interval, wilson
from helpers.claims.findings import FAILS, FAITHFUL, HOLDS, LIMITED, MAINLY, fits
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import recorded_ensemble

WELL_BEHAVED = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published]
FAILURES = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published is False]


def label(name):
    """Return what readers call a combination."""
    return ACTIVATION_PAIRS[name].label


def _verdict(parts):
    return HOLDS if all(parts) else LIMITED if any(parts) else FAILS


def _each(names, answer, recorded):
    """Test whether pairs get an answer: verdict, share of seeds that fit for each, and seeds."""
    shares = {label(name): fit_share(recorded(name)) for name in names}
    (n,) = {share.n for share in shares.values()}
    verdict = _verdict([fits(share) is answer for share in shares.values()])
    return verdict, {"shares": shares, "n": n}


def c5_1(recorded=recorded_ensemble):
    """Test whether the nine combinations fit."""
    verdict, values = _each(WELL_BEHAVED, YES, recorded)
    not_always = [label(name) for name in WELL_BEHAVED if not recorded(name).fits.all()]
    return verdict, values | {"not_always": not_always}


def c5_2(recorded=recorded_ensemble):
    """Test whether the three failures fail."""
    verdict, values = _each(FAILURES, NO, recorded)
    sometimes = [label(name) for name in FAILURES if recorded(name).fits.any()]
    return verdict, values | {"sometimes": sometimes}


def c5_3(recorded=recorded_ensemble):
    """Test whether sorting and permuting are enough."""
    verdict, values = _each(("sort", "permute"), YES, recorded)
    without = fit_share(recorded("linear"))
    return verdict if fits(without) is NO else FAILS, values | {"without": without}


def learned(setting="frozen"):
    """Return how much more often networks fit with all layers trained than with the last alone.

    The `Interval` is of the mean over the well-behaved combinations, over seeds.
    """
    return difference_interval(_fits_of_each_seed(), _fits_of_each_seed(setting), paired=True)


def _fits_of_each_seed(setting="plain"):
    """Return the share of the well-behaved pairs that fit, for each seed."""
    return np.mean([recorded_ensemble(name, setting).fits for name in WELL_BEHAVED], axis=0)


def best_read_out(name):
    """Return the share of seeds that a converged last layer on random ones makes fit."""
    found = recorded_extrapolation()["best_read_outs"][name]
    return wilson(sum(found), len(found))


def learned_beyond():
    """Return how much more often networks fit than the best last layer on random ones."""
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
    shapes = all(share.low >= FAITHFUL for share in faithful.values())
    mainly = all(agreement[d].explained.above(MAINLY) is YES for d in DISTANCES)
    least = min(faithful, key=lambda name: faithful[name].estimate)
    return _verdict([gain.low > MAINLY, beyond.low > MAINLY, shapes, mainly]), {
        "gain": gain,
        "beyond": beyond,
        "pairs": len(WELL_BEHAVED),
        "least": faithful[least],
        "least_of": label(least),
        "near": agreement[0],
        "distance": max(DISTANCES),
        "far": agreement[max(DISTANCES)],
    }
