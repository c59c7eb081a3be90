"""Practice 5's sentences with numbers, each computed from its recorded batches."""

import numpy as np

from helpers.analysis.activations import (
    DISTANCES,
    FITTING,
    fit_share,
    held_out_mean,
    recorded_extrapolation,
)
from helpers.analysis.summaries import join_words
from helpers.book.activation_tables import lost
from helpers.claims.activation_rules import (
    WELL_BEHAVED,
    best_read_out,
    label,
    learned,
    learned_beyond,
)
from helpers.runs.experiments import recorded_ensemble


def what_you_should_see(name, setting="plain"):
    """Say how many recorded seeds of a combination fit, and when."""
    batch = recorded_ensemble(name, setting)
    reached = [at for at in batch.first_fit_step if at is not None]
    low, high = np.percentile(reached, (5, 95))
    failed = np.array(batch.train_accuracy)[~batch.fits]
    return (
        f"Of {len(batch.fits)} recorded seeds, {int(batch.fits.sum())} fit, nine in ten of them "
        f"between iteration {low:.0f} and {high:.0f}. The others end with "
        f"{failed.min():.0%} to {failed.max():.0%} "
        "of the training points right."
    )


def hidden_failures():
    """Say which combinations that fit do not always do so, and in which of two ways they fail."""
    said = []
    for name in WELL_BEHAVED:
        batch = recorded_ensemble(name)
        failed = int((~batch.fits).sum())
        if failed:
            said.append(
                f"with {label(name)}, {failed} of {len(batch.fits)} seeds fail, "
                f"{of_which(lost(batch), failed)} had fitted before"
            )
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def of_which(part, whole):
    """Say how many of some seeds it was."""
    if part == whole > 1:
        return "both of which" if whole == 2 else "all of which"
    return f"{part or 'none'} of which"


def crossings(name):
    """Say how much of the second layer one step takes across a pole, at first and at the end."""
    shares = recorded_ensemble(name).history["crossings_2"]
    return (
        f"With {label(name)}, the first steps take {np.mean(shares[1:6]):.1%} of the second "
        f"layer's outputs across a pole, the last {shares[-1]:.1%}"
    )


def frozen():
    """Say how many of the well-behaved fit with random first layers, narrow and wide."""
    wide = [
        label(n) for n in WELL_BEHAVED if fit_share(recorded_ensemble(n, "frozen-wide")).low > 0.5
    ]
    failing = [
        label(name)
        for name in ("reciprocal", "tan", "sgn")
        if fit_share(recorded_ensemble(name, "frozen-wide")).low > 0.5
    ]
    return (
        f"With ten units a layer, training everything adds {learned():+.2f} to the share that "
        f"fits, averaged over the course's nine; measured against a hundred random units a layer "
        f"it adds only {learned('frozen-wide'):+.2f}: most seeds then fit without any "
        f"back-propagation through {join_words(wide)}, and, of those that fail when trained, "
        f"{join_words(failing)}."
    )


def beyond():
    """Say how often the best last layer suffices, and what training all layers adds to it."""
    shares = {label(name): best_read_out(name).estimate for name in WELL_BEHAVED}
    most, least = max(shares, key=shares.get), min(shares, key=shares.get)
    mean = np.mean(list(shares.values()))
    return (
        f"With a last layer that is as good as it can be, {mean:.0%} of the networks with the "
        f"course's nine fit on ten random units, from {shares[least]:.0%} with {least} to "
        f"{shares[most]:.0%} with {most}. Training all layers adds {learned_beyond():+.2f} to that."
    )


def alike(limit=0.9, distance=8):
    """Say which pairs of different activations agree at a distance."""
    table = recorded_extrapolation()["pairs"][distance]
    pairs = [
        f"{label(FITTING[i])} with {label(FITTING[j])}"
        for i in range(len(FITTING))
        for j in range(i)
        if table[i, j] >= limit
    ]
    own = {label(name): table[i, i] for i, name in enumerate(FITTING)}
    most, least = max(own, key=own.get), min(own, key=own.get)
    return (
        f"At distance {distance}, two seeds of {most} agree on {own[most]:.0%} of the directions, "
        f"two of {least} on {own[least]:.0%}. Some networks of *different* activations agree on at "
        f"least {limit:.0%}: {join_words(pairs)}."
    )


def explained():
    """Say how much of the votes' variance the activation decides, near and far."""
    found = recorded_extrapolation()["agreement"]
    shares = [found[distance].explained for distance in DISTANCES]
    return (
        f"From distance {DISTANCES[0]} to {DISTANCES[-1]}, the activation decides "
        f"{min(s.estimate for s in shares):.0%} to {max(s.estimate for s in shares):.0%} of the "
        "variance of the votes; the initial weights decide the rest."
    )


def spread(setting):
    """Say between which activations held-out accuracy is highest and lowest in a setting."""
    means = {name: held_out_mean(recorded_ensemble(name, setting)) for name in FITTING}
    best = max(means, key=lambda name: means[name].estimate)
    worst = min(means, key=lambda name: means[name].estimate)
    return (
        f"{label(best)} is best with {means[best]:.3f}, {label(worst)} worst with "
        f"{means[worst]:.3f}"
    )
