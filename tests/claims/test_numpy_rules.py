"""The rules that turn records of practices 1 and 2 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import run, runs, shaky, steady

from helpers.analysis.stats import NO, UNCLEAR, YES
from helpers.claims import numpy_rules
from helpers.claims.course import FAILS, HOLDS, INCONCLUSIVE, LIMITED
from helpers.runs.catalogue.mlps import (
    HIDDEN_SIZES,
    LEARNING_RATES,
    MINI_BATCH_TRIALS,
    TUNING_GRIDS,
    TUNING_SEED,
    WEIGHT_DECAYS,
    tuning_name,
)
from helpers.runs.experiments import find, recorded


def learners(epochs, accuracy, last=100):
    """Runs that reach 90% training accuracy after so many epochs, or never (None)."""
    made = accuracy if isinstance(accuracy, list) else steady(accuracy)
    for record, needed in zip(made, epochs, strict=True):
        reached = [0.95 if needed and epoch + 1 >= needed else 0.5 for epoch in range(last)]
        record.history |= {"epoch": list(range(last)), "accuracy": reached}
    return made


# -------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("ends", "later", "answer"),
    [
        ([0.96] * 20, [0.962] * 20, HOLDS),
        ([0.96] * 20, [0.969] * 20, LIMITED),  # the boundary has not settled
        ([0.96] * 20, [0.94, 0.98] * 10, LIMITED),  # or nobody can tell
        ([0.96] * 18 + [0.87] * 2, [0.962] * 20, LIMITED),
        ([0.96] * 10 + [0.87] * 10, [0.962] * 20, INCONCLUSIVE),
        ([0.96] * 2 + [0.87] * 18, [0.962] * 20, FAILS),
        ([0.87] * 20, [0.962] * 20, FAILS),
    ],
)
def test_moons_are_separated_by_most_seeds_and_for_good(judge, ends, later, answer):
    found = judge("C1.1", {"moons-published": runs(ends), "moons-long": runs(later)})
    assert found.verdict == answer
    assert ("The others end at 0.87" in found.effect) == (0.87 in ends)


@pytest.mark.parametrize(
    ("ends", "answer"),
    [
        ([0.956, 0.957, 0.9595], HOLDS),
        ([0.956, 0.957, 0.930], INCONCLUSIVE),
        ([0.970, 0.971, 0.972], FAILS),
    ],
)
def test_the_published_accuracy_comes_out_again_or_not(judge, ends, answer):
    lost = [run(train_accuracy=0.96), run(train_accuracy=0.88)]
    found = judge("C2.1", {"mnist-published": runs(ends), "tenth-output-relu-wide": lost})
    assert found.verdict == answer
    assert "1 of 2 seeds lose a class" in found.effect


@pytest.mark.parametrize(
    ("original", "tuned", "answer"),
    [
        ((steady(0.10), steady(0.80)), (steady(0.93), steady(0.92)), HOLDS),
        ((steady(0.91), steady(0.91)), (steady(0.93), steady(0.92)), HOLDS),
        ((steady(0.10), steady(0.80)), (shaky(0.93), steady(0.92)), LIMITED),
        ((steady(0.10), steady(0.80)), (shaky(0.93), shaky(0.93)), LIMITED),
        ((steady(0.10), steady(0.80)), (steady(0.95), steady(0.92)), FAILS),
        ((steady(0.10), steady(0.91)), (shaky(0.93), steady(0.92)), FAILS),
        ((steady(0.10), shaky(0.90)), (shaky(0.93), steady(0.92)), INCONCLUSIVE),
        ((shaky(0.90), shaky(0.90)), (shaky(0.93), shaky(0.93)), INCONCLUSIVE),
    ],
)
def test_the_hinge_is_best_if_every_other_loss_is_worse(judge, original, tuned, answer):
    names = ("tenth-loss-cross-entropy", "tenth-loss-mse")
    records = {"tenth-output-relu": steady(0.9), "tenth-loss-hinge-tuned": steady(0.94)}
    records |= {f"{name}-original": ends for name, ends in zip(names, original, strict=True)}
    records |= {f"{name}-tuned": ends for name, ends in zip(names, tuned, strict=True)}
    assert judge("C2.2", records).verdict == answer


WORSE = learners([50, 52, 48], 0.90)  # a sigmoid as the course describes it


@pytest.mark.parametrize(
    ("same", "higher", "answer"),
    [
        (WORSE, WORSE, HOLDS),
        (learners([None, None, None], 0.90), WORSE, HOLDS),
        (learners([None, 90, 80], 0.90), WORSE, HOLDS),
        (WORSE, learners([11, 12, 11], 0.90), LIMITED),
        (WORSE, learners([50, 52, 48], 0.95), LIMITED),
        (WORSE, learners([10, 20, 40], 0.90), LIMITED),
        (learners([11, 12, 11], 0.90), WORSE, FAILS),
        (learners([50, 52, 48], 0.95), WORSE, FAILS),
        (learners([10, 20, 40], 0.90), WORSE, INCONCLUSIVE),
        (learners([None, 50, 48], 0.90), WORSE, INCONCLUSIVE),
        (learners([50, 52, 48], shaky(0.94)), WORSE, INCONCLUSIVE),
    ],
)
def test_relu_must_be_far_faster_and_better_at_either_rate(judge, same, higher, answer):
    records = {"tenth-sigmoid-glorot": same, "tenth-sigmoid-glorot-3": higher}
    found = judge("C2.3", records | {"tenth-reference": learners([10, 10, 10], 0.94)})
    assert found.verdict == answer


@pytest.mark.parametrize(
    ("ours", "theirs", "times", "faster"),
    [
        ([10, 10, 10], [50, 50, 50], 5, YES),
        ([10, 10, 10], [None, 50, 50], 20 / 3, UNCLEAR),
        ([10, 10, 10], [None, 90, 80], 9, YES),
        ([10, 10, 10], [None, None, None], 10, YES),
        ([90, 90, 90], [None, None, None], 10 / 9, UNCLEAR),
        ([10, 10, None], [50, 50, None], 11 / 3, UNCLEAR),
        ([10, 10, None], [50, 50, 50], 3.5, NO),
    ],
)
def test_a_run_that_never_reaches_the_level_is_counted(ours, theirs, times, faster):
    factor, found = numpy_rules.speed(learners(ours, 0.94), learners(theirs, 0.90))
    assert factor.estimate == pytest.approx(times)
    assert found is faster


SLOW = np.exp(-np.arange(200) / 30)
SUDDEN = np.r_[np.full(100, 2.0), np.linspace(2, 0.5, 20), np.full(80, 0.5)]


@pytest.mark.parametrize(
    ("small", "large", "loss", "answer"),
    [
        (0.5, 0.2, SUDDEN, HOLDS),
        (0.5, 0.2, SLOW, LIMITED),
        (0.5, 0.94, SUDDEN, FAILS),  # no rate is too large
        (0.94, 0.2, SUDDEN, FAILS),  # none is too small
        (0.94, 0.94, SLOW, FAILS),
    ],
)
def test_rates_fail_at_both_ends_and_the_loss_falls_suddenly(judge, small, large, loss, answer):
    ends = {rate: small if rate < 0.2 else large if rate > 0.2 else 0.94 for rate in LEARNING_RATES}
    records = {f"tenth-rate-{rate}": steady(end, loss=loss) for rate, end in ends.items()}
    found = judge("C2.4", records, others=steady(0.9, loss=loss))
    assert found.verdict == answer
    falling = "none of 21 runs" if loss is SUDDEN else "all 21 runs"
    assert f"last 40 epochs in {falling}" in found.effect


def test_one_sudden_fall_is_not_enough(judge):
    records = {f"tenth-rate-{rate}": steady(0.5, loss=SLOW) for rate in LEARNING_RATES}
    records |= {"tenth-rate-0.2": steady(0.94), "tenth-rate-0.01": steady(0.94, loss=SUDDEN)}
    found = judge("C2.4", records, others=steady(0.9, loss=SLOW))
    assert found.verdict == LIMITED
    assert "0.5 (0.50), 1 (0.50) and 2 (0.50)" in found.effect
    assert "suddenly in 3 of 21 runs" in found.effect


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        ((steady(0.941), steady(0.94), steady(0.939)), HOLDS),
        ((steady(0.94), steady(0.96), steady(0.96)), LIMITED),
        ((steady(0.94), shaky(0.94), shaky(0.94)), LIMITED),
        ((steady(0.96), shaky(0.94), shaky(0.94)), FAILS),
        ((steady(0.92), steady(0.92), steady(0.92)), FAILS),
        ((shaky(0.94), shaky(0.94), shaky(0.94)), INCONCLUSIVE),
    ],
)
def test_decay_makes_little_difference_if_every_interval_is_small(judge, others, answer):
    names = ("tenth-decay-off", "tenth-rate-0.2", "tenth-decay-to-zero")
    records = dict(zip(names, others, strict=True)) | {"tenth-reference": steady(0.94)}
    assert judge("C2.5", records).verdict == answer


@pytest.mark.parametrize(
    ("strongest", "answer"),
    [(steady(0.8), HOLDS), (steady(0.96), FAILS), (shaky(0.945), INCONCLUSIVE)],
)
def test_the_strongest_decay_is_compared_with_the_best_of_the_others(judge, strongest, answer):
    records = {
        numpy_rules.lambda_name(decay): steady(0.90, train_loss=0.2) for decay in WEIGHT_DECAYS
    }
    records |= {"tenth-reference": steady(0.93, train_loss=0.2)}
    records |= {"tenth-lambda-0.1": steady(0.95, train_loss=0.1), "tenth-lambda-1": strongest}
    for record in strongest:
        record.metrics["train_loss"] = 2.0
    found = judge("C2.6", records)
    assert found.verdict == answer
    assert "λ = 0.1 is best" in found.effect and "2.00 instead of 0.10" in found.effect


@pytest.mark.parametrize(
    ("few", "many", "answer"),
    [
        (steady(0.90), steady(0.942), HOLDS),
        (steady(0.90), steady(0.93), HOLDS),
        (steady(0.90), steady(0.96), LIMITED),
        (steady(0.90), shaky(0.94), LIMITED),
        (steady(0.95), steady(0.94), FAILS),
        (steady(0.95), steady(0.96), FAILS),
        (shaky(0.94), steady(0.94), INCONCLUSIVE),
        (steady(0.94), steady(0.94), INCONCLUSIVE),  # no difference is not a worse end
    ],
)
def test_few_units_end_worse_and_many_bring_little(judge, few, many, answer):
    records = {numpy_rules.hidden_name(units): steady(0.94) for units in (*HIDDEN_SIZES, 256)}
    records |= {"tenth-hidden-16": few, "tenth-hidden-4096": many}
    for name, group in records.items():
        for record in group:
            record.metrics["cpu_seconds"] = 60.0 if name == "tenth-hidden-4096" else 5.0
    found = judge("C2.7", records)
    assert found.verdict == answer
    assert "12 times the processor time" in found.effect


def test_rates_far_behind_are_those_below_or_diverged():
    sweep = {
        0.01: runs([0.80] * 2),
        0.1: runs([0.93] * 2),
        0.2: runs([0.95] * 20),
        1: [*runs([0.95] * 30), run(eval_accuracy=None, diverged=True)],
        2: [*runs([0.99] * 30), run(eval_accuracy=0.1, diverged=True)],
    }
    assert numpy_rules.rates_far_behind(sweep) == (0.2, [0.01, 1, 2])


# ------------------------------------------------------------------- what was chosen


@pytest.mark.parametrize("loss", TUNING_GRIDS)
def test_the_tuned_setting_of_each_loss_is_the_best_of_its_trials(loss):
    """The catalogue's choice is the one that the validation accuracy of the trials makes."""
    trials = {
        setting: recorded(tuning_name(loss, *setting))[0].metrics["eval_accuracy"]
        for setting in TUNING_GRIDS[loss]
    }
    scale, weight_decay = max(trials, key=trials.get)
    chosen = find(f"tenth-loss-{loss}-tuned")
    assert chosen.config.schedule == {"name": "course", "scale": scale}
    assert chosen.config.weight_decay == weight_decay
    assert TUNING_SEED not in chosen.seeds


def test_the_mini_batch_setting_is_the_best_of_its_trials():
    """The catalogue's choice is the one that the validation accuracy of the trials makes."""
    trials = {
        name: recorded(f"mnist-sgd-{name}")[0].metrics["eval_accuracy"]
        for name in MINI_BATCH_TRIALS
    }
    chosen = find("mnist-sgd")
    best = find(f"mnist-sgd-{max(trials, key=trials.get)}")
    assert chosen.config == best.config
    assert chosen.data["evaluate_on"] == "test" and best.data["evaluate_on"] == "validation"
    assert TUNING_SEED not in chosen.seeds
