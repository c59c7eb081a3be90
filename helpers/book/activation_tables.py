"""The tables of practice 5, each computed from its recorded batches."""

import numpy as np
import pandas as pd

from helpers.analysis.activations import (
    EXPECTED,
    FITTING,
    SHAPES,
    fit_share,
    held_out_mean,
    recorded_extrapolation,
)
from helpers.analysis.stats import difference_interval
from helpers.claims.activation_rules import best_read_out, label, shape_shares
from helpers.data.moons import best_accuracy
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.catalogue.activations import NOISES, POINT_COUNTS
from helpers.runs.experiments import recorded_ensemble

SAYS = {True: "fits", False: "does not fit", None: "not tried"}


def fits():
    """Tabulate how often, how fast and how well every combination fits.

    Returns
    -------
    DataFrame of str
    """
    rows = []
    for name, parts in ACTIVATION_PAIRS.items():
        batch = recorded_ensemble(name)
        rows.append(
            {
                "after the layers": parts.label,
                "the course": SAYS[parts.published],
                "seeds that fit": f"{fit_share(batch):.1%}",
                "held-out accuracy": f"{held_out_mean(batch):.4f}",
                "of those that fit": _of_those(batch),
                "iterations to fit": iterations_to_fit(batch),
                "lost it again": str(lost(batch)),
                "not finite": str(sum(at is not None for at in batch.first_nan_step)),
            }
        )
    return pd.DataFrame(rows)


def _of_those(batch):
    accuracy = np.array(batch.held_out_accuracy)[batch.fits]
    return f"{accuracy.mean():.4f}" if len(accuracy) else "–"


def iterations_to_fit(batch):
    """Write the median and the middle 80% of the iterations at which seeds first fit."""
    reached = [at for at in batch.first_fit_step if at is not None]
    if not reached:
        return "never"
    low, middle, high = np.percentile(reached, (10, 50, 90))
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


def lost(batch):
    """Count the seeds that fitted at some iteration and do not at the end."""
    pairs = zip(batch.first_fit_step, batch.fits, strict=True)
    return sum(at is not None and not fit for at, fit in pairs)


#: Each failure, and what is done about it: (combination, setting, in words).
REMEDIES = {
    "sgn": [
        ("sgn", "plain", "as it is"),
        ("sgn-straight", "plain", "straight-through gradient"),
        ("sgn-surrogate", "plain", "the gradient of tanh"),
    ],
    "reciprocal": [
        ("reciprocal", "plain", "as it is"),
        ("reciprocal", "clipped", "gradient clipped to length 1"),
        ("reciprocal", "slow", "a tenth of the learning rate"),
        ("reciprocal-bounded", "plain", "bounded: z / (z² + 0.1)"),
    ],
    "tan": [
        ("tan", "plain", "as it is"),
        ("tan", "clipped", "gradient clipped to length 1"),
        ("tan", "slow", "a tenth of the learning rate"),
        ("tan-bounded", "plain", "bounded: sin z cos z / (cos² z + 0.1)"),
    ],
}


def remedies():
    """Tabulate what mends the failures: same seeds, one thing changed.

    Returns
    -------
    DataFrame of str
        The gain is that in training accuracy over the row "as it is", paired by seeds.
    """
    rows = []
    for name, tried in REMEDIES.items():
        plain = recorded_ensemble(name)
        for combination, setting, words in tried:
            batch = recorded_ensemble(combination, setting)
            gain = difference_interval(batch.train_accuracy, plain.train_accuracy, paired=True)
            rows.append(
                {
                    "after the layers": label(name),
                    "changed": words,
                    "seeds that fit": f"{fit_share(batch):.1%}",
                    "gain in training accuracy": "–" if batch.experiment == plain.experiment
                    else f"{gain:+.3f}",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def frozen():
    """Tabulate how often combinations fit with all layers trained and with the last alone.

    "The best last layer" is one that is trained until it converges.

    Returns
    -------
    DataFrame of str
    """
    return pd.DataFrame(
        [
            {
                "after the layers": parts.label,
                "all layers": f"{fit_share(recorded_ensemble(name)):.1%}",
                "the last alone": f"{fit_share(recorded_ensemble(name, 'frozen')):.1%}",
                "the best last layer": f"{best_read_out(name):.1%}",
                "the last alone, 100 units": f"{fit_share(recorded_ensemble(name, 'frozen-wide')):.1%}",
            }
            for name, parts in ACTIVATION_PAIRS.items()
        ]
    )


def shapes():
    """Tabulate the logit's shape far from the data, as shares of rays, beside the expected one.

    Returns
    -------
    DataFrame of str
    """
    found, faithful = recorded_extrapolation(), shape_shares()
    rows = []
    for name in FITTING:
        counts = found["shapes"][name]
        total = sum(counts.values())
        seen = {shape: counts[shape] / total for shape in SHAPES if counts[shape]}
        rows.append(
            {
                "after the layers": label(name),
                "the formula says": " or ".join(s for s in SHAPES if s in EXPECTED[name]),
                "measured": ", ".join(f"{s} {share:.1%}" for s, share in seen.items()),
                "as expected": f"{faithful[name]:.1%}",
                "networks": str(found["networks"][name]),
            }
        )
    return pd.DataFrame(rows)


def harder():
    """Tabulate held-out accuracy as the noise grows and the points get fewer.

    Returns
    -------
    DataFrame of str
        Means over seeds that each have their own points, with Student's intervals. The first
        row is the best possible classifier's.
    """
    columns = {f"noise-{noise}": f"noise {noise}" for noise in NOISES}
    columns |= {f"points-{n}": f"{n} points" for n in POINT_COUNTS}
    best = {"after the layers": "the best possible"}
    best |= {
        head: f"{best_accuracy(float(setting.split('-')[1]) if 'noise' in setting else 0.1):.3f}"
        for setting, head in columns.items()
    }
    rows = [
        {"after the layers": label(name)}
        | {
            head: f"{held_out_mean(recorded_ensemble(name, setting)):.3f}"
            for setting, head in columns.items()
        }
        for name in [*FITTING, "linear"]
    ]
    return pd.DataFrame([best, *rows])
