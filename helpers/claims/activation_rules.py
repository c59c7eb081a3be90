"""The claims of practice 5 put to the test.

A rule takes the function that reads recorded batches of networks by their activation pair and
setting, and returns its verdict with the values for the claim's sentence.
"""

import numpy as np

from helpers.analysis.activations import (
    DISTANCES,
    EXPECTED,
    FITTING,
    fit_share,
    recorded_extrapolation,
)
from helpers.analysis.stats import NO, YES, difference_interval, wilson
from helpers.claims.course import FAILS, FAITHFUL, HOLDS, LIMITED, MAINLY, fits
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import recorded_ensemble

WELL_BEHAVED = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published]
FAILURES = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published is False]


def label(name):
    """Return what readers call a combination."""
    return ACTIVATION_PAIRS[name].label


def _shares(names, recorded):
    """Return the share of seeds that fit, pair by pair, and the number of seeds."""
    found = {label(name): fit_share(recorded(name)) for name in names}
    (n,) = {share.n for share in found.values()}
    return found, n


def _verdict(parts):
    return HOLDS if all(parts) else LIMITED if any(parts) else FAILS


def _c5_1(recorded=recorded_ensemble):
    """Test whether the nine combinations fit."""
    found, n = _shares(WELL_BEHAVED, recorded)
    return _verdict([fits(share) is YES for share in found.values()]), {
        "shares": found,
        "n": n,
        "not_always": [label(name) for name in WELL_BEHAVED if not recorded(name).fits.all()],
    }


def _c5_2(recorded=recorded_ensemble):
    """Test whether the three failures fail."""
    found, n = _shares(FAILURES, recorded)
    return _verdict([fits(share) is NO for share in found.values()]), {
        "shares": found,
        "n": n,
        "sometimes": [label(name) for name in FAILURES if recorded(name).fits.any()],
    }


def _c5_3(recorded=recorded_ensemble):
    """Test whether sorting and permuting are enough."""
    found, n = _shares(("sort", "permute"), recorded)
    without = fit_share(recorded("linear"))
    enough = [fits(share) is YES and fits(without) is NO for share in found.values()]
    return _verdict(enough), {"shares": found, "n": n, "without": without}


def learned(setting="frozen"):
    """Return how much more often networks fit with all layers trained than with the last alone.

    Returns
    -------
    Interval
        Of the mean over the well-behaved combinations, over seeds.
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


def _c5_4(extrapolation=recorded_extrapolation):
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


RULES = {"C5.1": _c5_1, "C5.2": _c5_2, "C5.3": _c5_3, "C5.4": _c5_4}
