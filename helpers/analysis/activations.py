"""Extrapolation: what practice 5's networks predict away from their data, and how alike.

Everything is computed from the recorded weights; nothing is trained.

    python -m helpers.analysis.activations

measures it all and keeps it in `runs/activation-extrapolation/extrapolation.json`.
"""

import sys
import time
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from helpers.analysis.stats import Interval, wilson
from helpers.data.datasets import checksum, half_moons
from helpers.networks.ensemble import ACTIVATION_PAIRS, MLPEnsemble
from helpers.runs.catalogue.mlps import EXTRAPOLATION, HALF_MOONS_SEED
from helpers.runs.ensemble_runner import HELD_OUT_SEED, trained_ensemble, trained_weights
from helpers.runs.experiments import recorded_ensemble
from helpers.runs.records import (
    FIT,
    RUNS,
    RecordError,
    command_line,
    display,
    environment,
    exit_status,
    note,
    read_json,
    record_path,
    source_commit,
    write_json,
)

CENTRE = (0.5, 0.25)  # of the half-moons
DISTANCES = (2, 4, 8, 16, 32, 64)  # from it; the moons end at about 1.6
INSIDE = 500  # fresh points of the half-moons
RESAMPLES = 500

SCHEMA = 2
KEYS = {
    "schema", "commit", "environment", "weights_checksum", "networks", "agreement", "pairs",
    "shapes", "best_read_outs", "wall_seconds", "complete",
}  # fmt: skip
#: Those that the course says fit, and three that it did not try and that do.
FITTING = [name for name, parts in ACTIVATION_PAIRS.items() if parts.published]
FITTING += ["tanh", "gelu", "silu"]

#: The combinations that fail, and what is changed about each: (combination, setting, label).
REMEDIES = {
    "sgn": [
        ("sgn-straight", "plain", "straight-through gradient"),
        ("sgn-surrogate", "plain", "the gradient of tanh"),
    ],
    "reciprocal": [
        ("reciprocal", "clipped", "gradient clipped to length 1"),
        ("reciprocal", "slow", "a tenth of the learning rate"),
        ("reciprocal-bounded", "plain", "bounded: z / (z² + 0.1)"),
    ],
    "tan": [
        ("tan", "clipped", "gradient clipped to length 1"),
        ("tan", "slow", "a tenth of the learning rate"),
        ("tan-bounded", "plain", "bounded: sin z cos z / (cos² z + 0.1)"),
    ],
}

#: Shapes along a ray far away, in the order in which they are looked for.
SHAPES = ("oscillates", "explodes", "constant", "linear", "power")

#: What each combination's formula lets one expect.
EXPECTED = {
    "abs": {"linear"},
    "exp": {"explodes", "constant"},  # constant where every exponent falls
    "exp-cos": {"oscillates", "constant"},
    "sin": {"oscillates"},
    "square": {"power"},
    "relu": {"linear", "constant"},  # constant where every unit is off
    "sigmoid": {"constant"},
    "sort": {"linear"},
    "permute": {"linear"},
    "reciprocal": {"constant"},
    "tan": {"oscillates"},
    "sgn": {"constant"},
    "linear": {"linear"},
    "tanh": {"constant"},
    "gelu": {"linear", "constant"},
    "silu": {"linear", "constant"},
}


def fit_share(record):
    """Return the share of an ensemble's networks that fit, with Wilson's interval."""
    return wilson(int(record.fits.sum()), len(record.fits))


def fitting_networks(name):
    """Return a combination's recorded networks in float64, those that fit, or all if none does."""
    networks = trained_ensemble(name)
    networks.weights = [part.double() for part in networks.weights]
    fits = np.flatnonzero(recorded_ensemble(name).fits)
    return networks.only(*fits.tolist()) if len(fits) else networks


def circle(distance, directions=72):
    """Return points evenly spaced around the half-moons, float64 [directions, 2]."""
    angle = 2 * np.pi * np.arange(directions) / directions
    return np.array(CENTRE) + distance * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def probe_points():
    """Return where votes are counted, [P, 2] by distance: under 0 fresh points, then circles."""
    inside = half_moons(INSIDE, 0.1, HELD_OUT_SEED)[0]
    return {0: inside} | {distance: circle(distance) for distance in DISTANCES}


@torch.no_grad()
def class_1_votes(networks, points):
    """Return which networks predict class 1 at which points, ndarray of bool [R, P]."""
    points = torch.tensor(points, dtype=torch.float64)
    if networks.pair.second != "exp":
        return (networks.logits(points) > 0).numpy()
    # e to the thousands overflows. All terms of the sum times e^-m have the same sign.
    _, z2 = networks.hidden(points)  # [R, P, H]
    m = z2.amax(dim=-1, keepdim=True).clamp(min=0)
    total = (z2 - m).exp() @ networks.weights[4] + networks.weights[5] * (-m).exp()
    return (total > 0).squeeze(-1).numpy()


def agreement_table(p, seeds):
    """Return how often two networks of two activations predict the same class, [B, A, A].

    Parameters
    ----------
    p : ndarray [A, B, P]
        Share of class 1 among the seeds of each activation, at P points.
    seeds : ndarray of int, [A]
        How many; on the table's diagonal are two different ones of an activation.
    """
    p = np.swapaxes(p, 0, 1)  # [B, A, P]
    table = (p @ p.mT + (1 - p) @ (1 - p).mT) / p.shape[-1]
    places = np.arange(len(seeds))
    table[:, places, places] = 1 - 2 * (p * (1 - p)).mean(axis=-1) * seeds / (seeds - 1)
    return table


@dataclass(frozen=True)
class Agreement:
    """How often networks predict the same class at one distance, with intervals over seeds.

    Attributes
    ----------
    within : that two seeds of one activation agree; the mean over activations.
    between : that two networks of different activations agree; the mean over pairs.
    explained : the share of the votes' variance that the activation decides; the seed
        decides the rest.
    """

    within: Interval
    between: Interval
    explained: Interval


def estimate_agreement(votes, rng):
    """Estimate the `Agreement` of votes, with bootstrap intervals over the seeds.

    The votes are those from `class_1_votes`, [R_a, P] for each activation, at the same points, of
    at least two networks each.
    """
    seeds, p = np.array([len(some) for some in votes]), []  # p [A, 1 + B, P], first as they are
    for n, some in zip(seeds, votes, strict=True):
        drawn = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)
        p.append(np.vstack([np.ones(n, int), drawn]) @ some / n)
    p, a = np.stack(p), len(seeds)
    table = agreement_table(p, seeds)
    within = np.trace(table, axis1=1, axis2=2) / a
    between = (table.sum(axis=(1, 2)) - a * within) / (a * (a - 1))
    of_activation, of_seed = p.var(axis=0).mean(axis=-1), (1 - within) / 2
    whole = of_activation + of_seed
    shares = np.stack([within, between, of_activation / np.where(whole > 0, whole, 1)])
    ends = np.percentile(shares[:, 1:], (2.5, 97.5), axis=1).T
    found = np.column_stack([shares[:, 0], ends]).tolist()
    return Agreement(*(Interval(*three, int(seeds.sum())) for three in found))


def agreement_by_distance(names):
    """Return the `Agreement` of some combinations at each of the `probe_points`, by distance."""
    networks, rng = [fitting_networks(name) for name in names], np.random.default_rng(0)
    return {
        distance: estimate_agreement([class_1_votes(some, points) for some in networks], rng)
        for distance, points in probe_points().items()
    }


def pairwise_agreement(names, distance):
    """Return the `agreement_table` of some combinations at a distance, ndarray [A, A]."""
    points = probe_points()[distance]
    votes = [class_1_votes(fitting_networks(name), points) for name in names]
    p = np.stack([some.mean(axis=0, keepdims=True) for some in votes])
    return agreement_table(p, np.array([len(some) for some in votes]))[0]


@torch.no_grad()
def ray_shapes(networks, directions=24):
    """Name the shape of the logit of an `MLPEnsemble` along rays far from the data.

    Returns
    -------
    ndarray of str, [R, directions]
        One of `SHAPES`: four turns or more between 30 and 130 from the data; then, between
        10,000 and 20,000 from them: no number any more or growing faster than r^8; changing
        by less than a hundredth; growing like r; growing like another power.
    """

    def along(distances):  # [R, directions, distances]
        rays = np.stack([circle(r, directions) for r in distances], axis=1)
        logits = networks.logits(torch.tensor(rays.reshape(-1, 2)))
        return logits.numpy().reshape(-1, directions, len(distances))

    near, (first, last) = along(np.linspace(30, 130, 401)), np.moveaxis(along([1e4, 2e4]), -1, 0)
    with np.errstate(all="ignore"):
        step = np.diff(near)
        moves = np.abs(step) > 1e-9 * (1 + np.abs(near[..., 1:]))  # False where NaN
        turns = (moves[..., 1:] & moves[..., :-1] & (step[..., 1:] * step[..., :-1] < 0)).sum(-1)
        power = np.log2(np.abs(last / first))
        found = [
            turns >= 4,
            ~np.isfinite(first + last) | (power > 8),
            np.abs(last - first) <= 0.01 * (1 + np.abs(first)),
            np.abs(power - 1) < 0.25,
        ]
    return np.select(found, SHAPES[:-1], SHAPES[-1])


def best_last_layer_fits(name, seeds=200):
    """Tell for which seeds random first layers suffice, if a logistic regression reads them.

    A thousand steps may be too few for a last layer whose features are nearly alike; this one
    runs until it converges. A list of bool: whether `FIT` of the course's training points are
    right.
    """
    x, y = half_moons(100, 0.1, HALF_MOONS_SEED)
    networks = MLPEnsemble(ACTIVATION_PAIRS[name], range(seeds), dtype=torch.float64)
    features = networks.features(torch.tensor(x)).numpy()
    spread = features.std(1, keepdims=True) + 1e-9  # a unit that is off everywhere stays zero
    features = (features - features.mean(1, keepdims=True)) / spread
    model = LogisticRegression(C=1e4, max_iter=5000)
    return [bool(model.fit(some, y).score(some, y) >= FIT) for some in features]


def weights_checksum(folder=RUNS):
    """Return the SHA-256 over the recorded weights that everything here is computed from."""
    return checksum(part for name in ACTIVATION_PAIRS for part in trained_weights(name, folder))


def measure():
    """Measure everything, and return it as plain JSON types."""
    started = time.perf_counter()
    rays = {name: ray_shapes(fitting_networks(name)) for name in ACTIVATION_PAIRS}
    return {
        "schema": SCHEMA,
        "commit": source_commit(),
        "environment": environment(),
        "weights_checksum": weights_checksum(),
        "networks": {name: len(fitting_networks(name).weights[0]) for name in ACTIVATION_PAIRS},
        "agreement": {str(d): asdict(found) for d, found in agreement_by_distance(FITTING).items()},
        "pairs": {str(d): pairwise_agreement(FITTING, d).round(4).tolist() for d in probe_points()},
        "shapes": {
            name: {shape: int((found == shape).sum()) for shape in SHAPES}
            for name, found in rays.items()
        },
        "best_read_outs": {name: best_last_layer_fits(name) for name in ACTIVATION_PAIRS},
        "wall_seconds": round(time.perf_counter() - started, 1),
        "complete": True,
    }


def recorded_extrapolation(folder=RUNS):
    """Return what `measure` found, with each `Agreement` under its distance.

    A RecordError says if it is missing, damaged, or of other weights than those on record.
    """
    note(EXTRAPOLATION)
    return _read(folder)


@cache
def _read(folder):
    path = record_path(EXTRAPOLATION, "full", None, folder)
    mend = "measure it with python -m helpers.analysis.activations"

    def agreement(kinds):
        return Agreement(**{kind: Interval(**found) for kind, found in kinds.items()})

    parts = {
        "agreement": lambda found: {int(d): agreement(kinds) for d, kinds in found.items()},
        "pairs": lambda found: {int(d): np.array(table) for d, table in found.items()},
    }
    content = read_json(path, KEYS, SCHEMA, mend, parts)
    if not content["complete"] or content["weights_checksum"] != weights_checksum(folder):
        raise RecordError(f"{display(path)} does not belong to the weights on record: {mend}")
    return content


if __name__ == "__main__":
    command_line("python -m helpers.analysis.activations", __doc__).parse_args()
    place = record_path(EXTRAPOLATION, "full", None)
    sys.exit(exit_status(lambda: write_json(measure(), place), (RecordError,)))
