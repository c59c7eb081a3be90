"""The claims of practice 5 put to the test: rules that turn records into verdicts."""

import numpy as np

from helpers.analysis.activations import (
    DISTANCES,
    EXPECTED,
    FITTING,
    fit_share,
    recorded_extrapolation,
)
from helpers.analysis.stats import YES, difference_interval, wilson
from helpers.analysis.summaries import join_words
from helpers.claims.finding import FAILS, HOLDS, LIMITED, Finding
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import recorded_ensemble

OFTEN, SELDOM = 0.9, 0.1  # of the seeds: the combination fits; it does not
FAITHFUL = 0.95  # of the rays: the activation decides the shape
MAINLY = 0.5  # of the variance: the activation decides the class more than the seed does

WELL_BEHAVED = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published]
FAILURES = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published is False]


def label(name):
    """Return what readers call a combination."""
    return ACTIVATION_PAIRS[name].label


def shares(names, setting="plain"):
    """Return the share of seeds that fit, with Wilson's interval, for each combination."""
    return {name: fit_share(recorded_ensemble(name, setting)) for name in names}


def _said(found):
    return "; ".join(f"{label(name)} {share:.1%}" for name, share in found.items())


def _n(found):
    return f"(n = {join_words(map(str, sorted({share.n for share in found.values()})))} seeds each)"


FIT = "At least 99% of the training points right after 1,000 iterations"


def _c5_1():
    """Test whether the nine combinations fit."""
    found = shares(WELL_BEHAVED)
    passed = [share.low >= OFTEN for share in found.values()]
    not_always = [label(name) for name in found if not recorded_ensemble(name).fits.all()]
    effect = (
        f"Share of seeds that fit: {_said(found)} {_n(found)}. Not with every seed: "
        f"{join_words(not_always)}."
    )
    answer = HOLDS if all(passed) else LIMITED if any(passed) else FAILS
    test = f"{FIT}, with at least {OFTEN:.0%} of the seeds"
    return Finding("C5.1", test, effect, answer)


def _c5_2():
    """Test whether the three failures fail."""
    found = shares(FAILURES)
    seldom = [share.high <= SELDOM for share in found.values()]
    lucky = [label(name) for name in found if recorded_ensemble(name).fits.any()]
    effect = (
        f"Share of seeds that fit: {_said(found)} {_n(found)}. Fits with some seed: "
        f"{join_words(lucky)}."
    )
    answer = HOLDS if all(seldom) else LIMITED if any(seldom) else FAILS
    test = f"{FIT}, with at most {SELDOM:.0%} of the seeds"
    return Finding("C5.2", test, effect, answer)


def _c5_3():
    """Test whether sorting and permuting are enough."""
    found, control = shares(("sort", "permute")), fit_share(recorded_ensemble("linear"))
    effect = f"Share of seeds that fit: {_said(found)}; without either {control:.1%} {_n(found)}."
    enough = [share.low >= OFTEN and control.high <= SELDOM for share in found.values()]
    answer = HOLDS if all(enough) else LIMITED if any(enough) else FAILS
    test = "Sorted or permuted units against the same network without, which is linear"
    return Finding("C5.3", test, effect, answer)


def learned(setting="frozen"):
    """Return how much more often networks fit with all layers trained than with the last alone.

    Returns
    -------
    Interval
        Of the mean over the well-behaved combinations, over seeds.
    """
    whole, last = (
        sum(recorded_ensemble(name, kind).fits.astype(float) for name in WELL_BEHAVED)
        / len(WELL_BEHAVED)
        for kind in ("plain", setting)
    )
    return difference_interval(whole, last, paired=True)


def best_read_out(name):
    """Return the share of seeds that a converged last layer on random ones makes fit."""
    found = recorded_extrapolation()["best_read_outs"][name]
    return wilson(sum(found), len(found))


def learned_beyond():
    """Return how much more often networks fit than the best last layer on random ones."""
    whole = sum(recorded_ensemble(name).fits.astype(float) for name in WELL_BEHAVED)
    read_outs = recorded_extrapolation()["best_read_outs"]
    best = sum(np.array(read_outs[name], float) for name in WELL_BEHAVED)
    return difference_interval(whole / len(WELL_BEHAVED), best / len(WELL_BEHAVED), paired=True)


def shape_shares():
    """Return the share of rays with the shape that the formula lets one expect, by combination."""
    return {
        name: wilson(sum(counts[shape] for shape in EXPECTED[name]), sum(counts.values()))
        for name, counts in recorded_extrapolation()["shapes"].items()
    }


def _c5_4():
    """Test the closing conjecture: direction from the activation, fit from back-propagation."""
    gain, beyond = learned(), learned_beyond()
    faithful = {n: s for n, s in shape_shares().items() if n in FITTING}
    far = {d: recorded_extrapolation()["agreement"][d] for d in DISTANCES}
    near, furthest = recorded_extrapolation()["agreement"][0], far[max(far)]
    shapes = all(share.low >= FAITHFUL for share in faithful.values())
    mainly = [found.explained.above(MAINLY) is YES for found in far.values()]
    least = min(faithful, key=lambda name: faithful[name].estimate)
    effect = (
        f"Training all layers instead of the last alone adds {gain:+.2f} to the share that fits "
        f"(mean of {len(WELL_BEHAVED)} combinations, n = {gain.n} seeds), and {beyond:+.2f} over "
        f"the best last layer there is on the same random ones. The logit far away has "
        f"the activation's own shape on at least {faithful[least].estimate:.1%} of the rays "
        f"({label(least)}). Two seeds of one activation agree on {near.within.estimate:.1%} of "
        f"fresh points, networks of two activations on {near.between.estimate:.1%}; at distance "
        f"{max(far)} on {furthest.within:.2f} and {furthest.between:.2f}, and there the activation "
        f"decides {furthest.explained:.2f} of the votes' variance, the seed the rest."
    )
    parts = [gain.low > MAINLY, beyond.low > MAINLY, shapes, all(mainly)]
    answer = HOLDS if all(parts) else LIMITED if any(parts) else FAILS
    test = (
        f"Four parts: back-propagation through all layers adds more than {MAINLY} to the share "
        f"that fits, and more than that over the best last layer on random ones; the shape far "
        f"away is the activation's on {FAITHFUL:.0%} of the rays; the class far away is decided "
        f"more by the activation than by the seed, at every distance"
    )
    return Finding("C5.4", test, effect, answer)


RULES = {"C5.1": _c5_1, "C5.2": _c5_2, "C5.3": _c5_3, "C5.4": _c5_4}
