"""The rules that turn records of practices 1, 2 and 5 into verdicts, on records made up for it."""

from dataclasses import replace

import numpy as np
import pytest
from made_up import run, runs, shaky, steady

from helpers.analysis.stats import NO, UNCLEAR, YES
from helpers.claims import activation_rules, mlp_rules
from helpers.claims.findings import rule
from helpers.runs.catalogue import mlps
from helpers.runs.experiments import find, recorded, recorded_ensemble

SLOW = np.exp(-np.arange(200) / 30)
SUDDEN = np.r_[np.full(100, 2.0), np.linspace(2, 0.5, 20), np.full(80, 0.5)]


def moons(ends, later):
    return {"moons-published": runs(ends), "moons-long": runs(later)}


def published(*ends):
    lost = [run(train_accuracy=0.96), run(train_accuracy=0.88)]
    made = runs(ends)
    for seed, record in enumerate(made):
        others = {"train_accuracy": 0.9603, "train_loss": 0.2081, "eval_loss": 0.2226}
        record.metrics |= {name: value + 0.001 * seed for name, value in others.items()}
    return {"mnist-published": made, "tenth-output-relu-wide": lost}


def losses(original, tuned):
    """The hinge at 0.9 in the original's way and at 0.94 tuned, and the two other losses."""
    names = ("tenth-loss-cross-entropy", "tenth-loss-mse")
    records = {"tenth-output-relu": steady(0.9), "tenth-loss-hinge-tuned": steady(0.94)}
    records |= {f"{name}-original": ends for name, ends in zip(names, original, strict=True)}
    return records | {f"{name}-tuned": ends for name, ends in zip(names, tuned, strict=True)}


def learners(epochs, accuracy, last=100):
    """Runs that reach 90% training accuracy after so many epochs, or never (None)."""
    made = accuracy if isinstance(accuracy, list) else steady(accuracy)
    for record, needed in zip(made, epochs, strict=True):
        reached = [0.95 if needed and epoch + 1 >= needed else 0.5 for epoch in range(last)]
        record.history |= {"epoch": list(range(last)), "accuracy": reached}
        record.metrics["cpu_seconds"] = 20.0
    return made


WORSE = learners([50, 52, 48], 0.90)  # a sigmoid as the course describes it


def sigmoids(tuned, same=WORSE):
    records = {"tenth-sigmoid-glorot": same, "tenth-sigmoid-tuned": tuned}
    names = ("tenth-reference", "tenth-loss-hinge-tuned")
    return records | dict.fromkeys(names, learners([10, 10, 10], 0.94))


def rates(small, large, loss):
    """Constant rates, of which 0.2 is good; at small ones all networks have that loss."""
    ends = {
        rate: small if rate < 0.2 else large if rate > 0.2 else 0.94 for rate in mlps.LEARNING_RATES
    }
    records = {f"tenth-rate-{rate}": steady(end, loss=loss) for rate, end in ends.items()}
    return dict.fromkeys(mlp_rules.SMALL_RATE_NAMES, steady(0.9, loss=loss)) | records


def decays(*others):
    names = ("tenth-decay-off", "tenth-rate-0.2", "tenth-decay-to-zero")
    return dict(zip(names, others, strict=True)) | {"tenth-reference": steady(0.94)}


def weight_decays(strongest):
    """λ = 0.1 is the best of those below 1."""
    records = {
        mlp_rules.lambda_name(decay): steady(0.90, train_loss=0.2)
        for decay in (*mlps.WEIGHT_DECAYS, 0.01)
    }
    records |= {"tenth-lambda-0.1": steady(0.95, train_loss=0.1), "tenth-lambda-1": strongest}
    for record in strongest:
        record.metrics["train_loss"] = 2.0
    return records


def units(few, many, seconds=60.0):
    records = {mlp_rules.hidden_name(size): steady(0.94) for size in (*mlps.HIDDEN_SIZES, 256)}
    records |= {"tenth-hidden-16": few, "tenth-hidden-4096": many}
    for name, group in records.items():
        for record in group:
            record.metrics["cpu_seconds"] = seconds if name == "tenth-hidden-4096" else 5.0
    return records


DIVERGED = runs([0.99], diverged=True)
STARTED = steady(0.10), steady(0.80)
BETWEEN = shaky(0.93)  # nobody can tell it from 0.94


@pytest.mark.parametrize(
    ("claim", "records", "verdicts"),
    [
        ("C1.1", moons([0.96] * 40, [0.962] * 40), "RR"),
        ("C1.1", moons([0.96] * 40, [0.969] * 40), "RN"),  # the boundary has not settled
        ("C1.1", moons([0.96] * 40, [0.93, 0.98] * 20), "RI"),  # or nobody can tell
        ("C1.1", moons([0.96] * 20, [0.962] * 20), "IR"),  # too few seeds for nearly all
        ("C1.1", moons([0.96] * 18 + [0.87] * 2, [0.962] * 20), "PR"),
        ("C1.1", moons([0.87] * 40, [0.962] * 40), "NI"),
        ("C2.1", published(0.956, 0.957, 0.9595), "RRRR"),
        ("C2.1", published(0.956, 0.957, 0.930), "RRRI"),
        ("C2.1", published(0.970, 0.971, 0.972), "RRRN"),
        ("C2.2", losses(STARTED, (steady(0.93), steady(0.92))), "RRR"),
        ("C2.2", losses(STARTED, (BETWEEN, steady(0.92))), "RRI"),
        ("C2.2", losses(STARTED, (steady(0.95), steady(0.92))), "RRN"),
        ("C2.2", losses((steady(0.10), shaky(0.90)), (BETWEEN, steady(0.92))), "IRI"),
        ("C2.3", sigmoids(WORSE), "RRR"),
        ("C2.3", sigmoids(learners([11, 12, 11], 0.90)), "NNR"),
        ("C2.3", sigmoids(learners([10, 20, 40], 0.90)), "IIR"),
        ("C2.3", sigmoids(learners([50, 52, 48], shaky(0.94))), "RRI"),
        ("C2.4", rates(0.5, 0.2, SUDDEN), "RRR"),
        ("C2.4", rates(0.5, 0.2, SLOW), "RRN"),
        ("C2.4", rates(0.5, 0.2, SLOW) | {"tenth-rate-0.01": steady(0.9, loss=SUDDEN)}, "RRP"),
        ("C2.4", rates(0.5, 0.94, SUDDEN), "NRR"),  # no rate is too large
        ("C2.4", rates(0.5, 0.94, SUDDEN) | {"tenth-rate-1": DIVERGED}, "RRR"),
        ("C2.4", rates(0.94, 0.2, SUDDEN), "RNR"),  # none is too small
        ("C2.5", decays(steady(0.941), steady(0.94), steady(0.939)), "RRR"),
        ("C2.5", decays(steady(0.92), shaky(0.94), steady(0.94)), "NIR"),
        ("C2.6", weight_decays(steady(0.93)), "R"),  # behind the best, not behind most
        ("C2.6", weight_decays(steady(0.96)), "N"),
        ("C2.6", weight_decays(shaky(0.945)), "I"),
        ("C2.7", units(steady(0.90), steady(0.942)), "RRR"),
        ("C2.7", units(steady(0.95), steady(0.96)), "NRN"),
        ("C2.7", units(shaky(0.94), shaky(0.94), seconds=6.0), "INI"),
    ],
)  # fmt: skip
def test_verdicts_follow_from_the_records(judge, claim, records, verdicts):
    found, _ = judge(claim, records)
    assert found == verdicts


@pytest.mark.parametrize(
    ("ours", "theirs", "times", "faster"),
    [
        ([10, 10, 10], [50, 50, 50], 5, YES),
        ([10, 10, 10], [None, 50, 50], 20 / 3, UNCLEAR),  # a run that never gets there counts
        ([10, 10, None], [50, 50, 50], 3.5, NO),
    ],
)
def test_speed_is_in_epochs_or_in_seconds_which_have_a_price(ours, theirs, times, faster):
    relu, sigmoid = learners(ours, 0.94), learners(theirs, 0.90)
    factor, found = mlp_rules.speed(relu, sigmoid)
    assert (factor.estimate, found) == (pytest.approx(times), faster)
    for record in relu:
        record.metrics["cpu_seconds"] *= 2
    in_seconds, _ = mlp_rules.speed(relu, sigmoid, seconds=True)
    assert in_seconds.estimate == pytest.approx(times / 2)


TRIALS = {
    f"tenth-loss-{loss}-tuned": [mlps.tuning_name(loss, *setting) for setting in grid]
    for loss, grid in mlps.TUNING_GRIDS.items()
} | {"mnist-sgd": [f"mnist-sgd-{name}" for name in mlps.MINI_BATCH_TRIALS]}


@pytest.mark.parametrize("name", TRIALS)
def test_a_tuned_setting_is_the_best_of_its_trials_on_other_images_and_seeds(name):
    trials = {trial: recorded(trial)[0].metrics["eval_accuracy"] for trial in TRIALS[name]}
    chosen, best = find(name), find(max(trials, key=trials.get))
    assert chosen.config == best.config
    assert chosen.data["evaluate_on"] == "test" and best.data["evaluate_on"] == "validation"
    assert mlps.TUNING_SEED not in chosen.seeds


def ensembles(fits):
    """Stand-in for `recorded`: so many of 200 seeds of each pair fit."""
    batch = recorded_ensemble("relu")

    def read(name):
        share = fits.get(name, 0)
        return replace(batch, train_accuracy=[1.0] * share + [0.5] * (200 - share))

    return read


@pytest.mark.parametrize(
    ("claim", "fits", "verdicts"),
    [
        ("C5.1", dict.fromkeys(activation_rules.WELL_BEHAVED, 200), "RRRRRRRRR"),
        ("C5.1", dict.fromkeys(activation_rules.WELL_BEHAVED, 200) | {"abs": 170}, "PRRRRRRRR"),
        ("C5.1", {}, "NNNNNNNNN"),
        ("C5.2", {}, "RRR"),
        ("C5.2", dict(zip(activation_rules.FAILURES, (200, 100, 0), strict=True)), "NPR"),
        ("C5.3", {"sort": 200, "permute": 200}, "RR"),
        ("C5.3", {"sort": 200, "permute": 100}, "RP"),
        ("C5.3", {"sort": 200, "permute": 200, "linear": 200}, "NN"),
    ],
)
def test_verdicts_on_activations(claim, fits, verdicts):
    parts, _ = rule(claim)(ensembles(fits))
    assert "".join(verdict.name[0] for verdict in parts.values()) == verdicts
