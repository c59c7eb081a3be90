"""The rules that turn records into verdicts, on records made up for the purpose."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import claims, measures
from helpers.claims import FAILS, HOLDS, LIMITED, UNTOLD
from helpers.course import CLAIMS
from helpers.numpy_experiments import (
    HIDDEN_SIZES,
    LAMBDAS,
    MINI_BATCH_TRIALS,
    RATES,
    TUNING_GRIDS,
    TUNING_SEED,
    tuning_name,
)
from helpers.registry import EXPERIMENTS


def run(loss=(), accuracy=(), epoch=None, seed=0, diverged=False, **metrics):
    steps = range(len(loss) or len(accuracy))
    history = {
        "epoch": list(steps if epoch is None else epoch),
        "loss": list(loss),
        "accuracy": list(accuracy),
    }
    return SimpleNamespace(
        experiment="made-up",
        scale="full",
        seed=seed,
        data_checksum="the same",
        config={"data": {"noise": 0.2}},
        history=history,
        metrics=metrics,
        diverged=diverged,
    )


def runs(accuracies, **shared):
    """One run for each final accuracy, with seeds from 0."""
    return [run(seed=seed, eval_accuracy=end, **shared) for seed, end in enumerate(accuracies)]


def steady(accuracy, **shared):
    """Three runs that differ from any others of this kind by the same amount in every pair."""
    return runs([accuracy - 0.001, accuracy, accuracy + 0.001], **shared)


def shaky(accuracy, **shared):
    """Three runs that nobody can tell from `steady` ones close by."""
    return runs([accuracy + 0.03, accuracy, accuracy - 0.03], **shared)


def learners(epochs, accuracy, last=100):
    """Runs that reach 90 % training accuracy after so many epochs, or never (None)."""
    made = accuracy if isinstance(accuracy, list) else steady(accuracy)
    for record, needed in zip(made, epochs, strict=True):
        reached = [0.95 if needed and epoch + 1 >= needed else 0.5 for epoch in range(last)]
        record.history |= {"epoch": list(range(last)), "accuracy": reached}
    return made


@pytest.fixture
def find(monkeypatch):
    """Return a function that tests a claim on made-up records."""

    def find(claim, records, others=None):
        monkeypatch.setattr(claims, "recorded", lambda name: records.get(name, others))
        found = claims.finding(claim)
        assert found.claim == claim and found.test and found.effect.endswith(".")
        assert "nan" not in found.effect
        return found

    return find


# -------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("ends", "later", "answer"),
    [
        ([0.96] * 20, [0.962] * 20, HOLDS),
        ([0.96] * 20, [0.969] * 20, LIMITED),  # the boundary has not settled
        ([0.96] * 20, [0.94, 0.98] * 10, LIMITED),  # or nobody can tell
        ([0.96] * 18 + [0.87] * 2, [0.962] * 20, LIMITED),
        ([0.96] * 10 + [0.87] * 10, [0.962] * 20, UNTOLD),
        ([0.96] * 2 + [0.87] * 18, [0.962] * 20, FAILS),
        ([0.87] * 20, [0.962] * 20, FAILS),
    ],
)
def test_moons_are_separated_by_most_seeds_and_for_good(find, ends, later, answer):
    found = find("C1.1", {"moons-published": runs(ends), "moons-long": runs(later)})
    assert found.answer == answer
    assert ("The others end at 0.87" in found.effect) == (0.87 in ends)


@pytest.mark.parametrize(
    ("ends", "answer"),
    [
        ([0.956, 0.957, 0.9595], HOLDS),
        ([0.956, 0.957, 0.940], LIMITED),
        ([0.970, 0.940, 0.940], FAILS),
    ],
)
def test_the_published_accuracy_comes_out_again_or_not(find, ends, answer):
    lost = [run(train_accuracy=0.96), run(train_accuracy=0.88)]
    found = find("C2.1", {"mnist-published": runs(ends), "tenth-output-relu-wide": lost})
    assert found.answer == answer
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
        ((steady(0.10), shaky(0.90)), (shaky(0.93), steady(0.92)), UNTOLD),
        ((shaky(0.90), shaky(0.90)), (shaky(0.93), shaky(0.93)), UNTOLD),
    ],
)
def test_the_hinge_is_best_if_every_other_loss_is_worse(find, original, tuned, answer):
    names = ("tenth-loss-cross-entropy", "tenth-loss-mse")
    records = {"tenth-output-relu": steady(0.9), "tenth-loss-hinge-tuned": steady(0.94)}
    records |= {f"{name}-original": ends for name, ends in zip(names, original, strict=True)}
    records |= {f"{name}-tuned": ends for name, ends in zip(names, tuned, strict=True)}
    assert find("C2.2", records).answer == answer


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
        (learners([10, 20, 40], 0.90), WORSE, UNTOLD),
        (learners([None, 50, 48], 0.90), WORSE, UNTOLD),
        (learners([50, 52, 48], shaky(0.94)), WORSE, UNTOLD),
    ],
)
def test_relu_must_be_far_faster_and_better_at_either_rate(find, same, higher, answer):
    records = {"tenth-sigmoid-glorot": same, "tenth-sigmoid-glorot-3": higher}
    found = find("C2.3", records | {"tenth-reference": learners([10, 10, 10], 0.94)})
    assert found.answer == answer


@pytest.mark.parametrize(
    ("ours", "theirs", "said", "faster"),
    [
        ([10, 10, 10], [50, 50, 50], "5.0 [5.0, 5.0] times as many", True),
        ([10, 10, 10], [None, 50, 50], "at least 6.7 times as many", None),
        ([10, 10, 10], [None, 90, 80], "2 of 3 seeds reach it", True),
        ([10, 10, 10], [None, None, None], "none of 3 seeds reach it", True),
        ([90, 90, 90], [None, None, None], "at least 1.1 times as many", None),
        ([10, 10, None], [50, 50, None], "2 of 3 seeds with ReLU and 2 of 3 seeds", None),
        ([10, 10, None], [50, 50, 50], "2 of 3 seeds with ReLU and all 3 seeds", False),
    ],
)
def test_a_run_that_never_reaches_the_level_is_counted(ours, theirs, said, faster):
    sentence, found = claims._speed(learners(ours, 0.94), learners(theirs, 0.90))
    assert said in sentence
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
def test_rates_fail_at_both_ends_and_the_loss_falls_suddenly(find, small, large, loss, answer):
    ends = {rate: small if rate < 0.2 else large if rate > 0.2 else 0.94 for rate in RATES}
    records = {f"tenth-rate-{rate}": steady(end, loss=loss) for rate, end in ends.items()}
    found = find("C2.4", records, others=steady(0.9, loss=loss))
    assert found.answer == answer
    falling = "none of 21 runs" if loss is SUDDEN else "all 21 runs"
    assert f"last 40 epochs in {falling}" in found.effect


def test_one_sudden_fall_is_not_enough(find):
    records = {f"tenth-rate-{rate}": steady(0.5, loss=SLOW) for rate in RATES}
    records |= {"tenth-rate-0.2": steady(0.94), "tenth-rate-0.01": steady(0.94, loss=SUDDEN)}
    found = find("C2.4", records, others=steady(0.9, loss=SLOW))
    assert found.answer == LIMITED
    assert "0.5 (0.50), 1 (0.50) and 2 (0.50)" in found.effect
    assert "suddenly in 3 of 21 runs" in found.effect


def test_a_rate_that_diverges_is_too_large(find):
    records = {f"tenth-rate-{rate}": steady(0.94, loss=SLOW) for rate in RATES}
    records["tenth-rate-0.0001"] = steady(0.5, loss=SLOW)
    records["tenth-rate-2"][1] = run(seed=1, diverged=True, eval_accuracy=None)
    found = find("C2.4", records, others=steady(0.9, loss=SLOW))
    assert found.answer == LIMITED
    assert "of the larger rates, 2 (1 of 3 diverge)" in found.effect


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        ((steady(0.941), steady(0.94), steady(0.939)), HOLDS),
        ((steady(0.94), steady(0.96), steady(0.96)), LIMITED),
        ((steady(0.94), shaky(0.94), shaky(0.94)), LIMITED),
        ((steady(0.96), shaky(0.94), shaky(0.94)), FAILS),
        ((steady(0.92), steady(0.92), steady(0.92)), FAILS),
        ((shaky(0.94), shaky(0.94), shaky(0.94)), UNTOLD),
    ],
)
def test_decay_makes_little_difference_if_every_interval_is_small(find, others, answer):
    names = ("tenth-decay-off", "tenth-rate-0.2", "tenth-decay-to-zero")
    records = dict(zip(names, others, strict=True)) | {"tenth-reference": steady(0.94)}
    assert find("C2.5", records).answer == answer


@pytest.mark.parametrize(
    ("strongest", "answer"),
    [(steady(0.8), HOLDS), (steady(0.96), FAILS), (shaky(0.945), UNTOLD)],
)
def test_the_strongest_decay_is_compared_with_the_best_of_the_others(find, strongest, answer):
    records = {claims.lambda_name(decay): steady(0.90, train_loss=0.2) for decay in LAMBDAS}
    records |= {"tenth-reference": steady(0.93, train_loss=0.2)}
    records |= {"tenth-lambda-0.1": steady(0.95, train_loss=0.1), "tenth-lambda-1": strongest}
    for record in strongest:
        record.metrics["train_loss"] = 2.0
    found = find("C2.6", records)
    assert found.answer == answer
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
        (shaky(0.94), steady(0.94), UNTOLD),
        (steady(0.94), steady(0.94), UNTOLD),  # no difference is not a worse end
    ],
)
def test_few_units_end_worse_and_many_bring_little(find, few, many, answer):
    records = {claims.hidden_name(units): steady(0.94) for units in (*HIDDEN_SIZES, 256)}
    records |= {"tenth-hidden-16": few, "tenth-hidden-4096": many}
    for name, group in records.items():
        for record in group:
            record.metrics["cpu_seconds"] = 60.0 if name == "tenth-hidden-4096" else 5.0
    found = find("C2.7", records)
    assert found.answer == answer
    assert "12 times the processor time" in found.effect


# ------------------------------------------------------------------- the real records


@pytest.mark.parametrize("claim", claims.TESTS)
def test_every_finding_says_on_how_many_runs_it_rests(claim, monkeypatch):
    recorded, used = claims.recorded, set()

    def counting(name):
        records = recorded(name)
        used.add(len(records))
        return records

    monkeypatch.setattr(claims, "recorded", counting)
    found = claims.finding(claim)
    assert found.answer in (HOLDS, LIMITED, FAILS, UNTOLD)
    assert found.test and found.effect.endswith(".")
    said = re.findall(r"(\d+)(?: and (\d+))? seeds", found.effect)
    assert {int(number) for pair in said for number in pair if number} >= used


def test_every_claim_of_the_course_so_far_is_tested():
    assert set(claims.TESTS) == set(CLAIMS)
    with pytest.raises(KeyError, match=r"unknown claim 'C9\.9'"):
        claims.finding("C9.9")


def test_the_findings_page_has_a_row_and_a_paragraph_for_each_claim(monkeypatch):
    made = {
        claim: lambda claim=claim: claims.Finding(claim, "What", "So.", HOLDS) for claim in CLAIMS
    }
    monkeypatch.setattr(claims, "TESTS", made)
    table = claims.overview()
    assert table["what the course says"].tolist() == [f"{c} {text}" for c, text in CLAIMS.items()]
    assert set(table["verdict"]) == {HOLDS}
    assert claims.details() == [f"**{claim}: {HOLDS}.** What. So." for claim in CLAIMS]
    assert "C2.1: holds. What. So." in repr(claims.show("C2.1"))


# ------------------------------------------------------------------- what a run shows


def test_a_loss_that_only_slows_down_has_no_breakthrough():
    assert claims.breakthrough(run(loss=SLOW)) is None
    assert claims.breakthrough(run(loss=np.linspace(8, 1, 200))) is None
    assert claims.breakthrough(run(loss=SLOW[:30])) is None  # too short to tell


def test_coming_down_from_a_spike_is_no_breakthrough():
    loss = SLOW.copy()
    loss[100:110] += 5
    assert claims.breakthrough(run(loss=loss)) is None


def test_a_step_after_a_plateau_is_a_breakthrough_at_its_place():
    assert claims.breakthrough(run(loss=SUDDEN)) == pytest.approx(100, abs=1)
    tiny = np.r_[np.linspace(9, 2, 60), np.full(80, 2.0), np.linspace(2, 1.9, 20), np.full(40, 1.9)]
    assert claims.breakthrough(run(loss=tiny)) is None  # a step, but a hundredth of the fall


def test_a_breakthrough_is_dated_in_epochs_not_in_entries():
    logged = [0, *range(49, 10_000, 50)][: len(SUDDEN)]
    found = claims.breakthrough(run(loss=SUDDEN, epoch=logged))
    assert found == pytest.approx(100 * 50 - 1, abs=50) and found in logged


def test_still_falling_means_at_every_one_of_the_last_epochs():
    loss = np.r_[np.ones(60), np.linspace(1, 0.5, 41)]
    assert claims.still_falling(run(loss=loss))
    assert not claims.still_falling(run(loss=loss), window=41)
    loss[-2] = loss[-3]
    assert not claims.still_falling(run(loss=loss))


def test_epochs_to_an_accuracy():
    assert claims.epochs_to(run(accuracy=[0.1, 0.5, 0.9, 0.95]), 0.9) == 3
    assert claims.epochs_to(run(accuracy=[0.1, None]), 0.9) is None
    assert claims.epochs_to(run(accuracy=[0.1, 0.95], epoch=[0.0, 49.0]), 0.9) == 50


def test_rates_far_behind_are_those_below_or_diverged():
    sweep = {
        0.01: runs([0.80] * 2),
        0.1: runs([0.93] * 2),
        0.2: runs([0.95] * 20),
        1: [*runs([0.95] * 30), run(eval_accuracy=None, diverged=True)],
        2: [*runs([0.99] * 30), run(eval_accuracy=0.1, diverged=True)],
    }
    assert claims.rates_far_behind(sweep) == (0.2, [0.01, 1, 2])


def test_counts_read_as_sentences():
    assert claims.count(0, 3) == "none of 3 seeds"
    assert claims.count(2, 3) == "2 of 3 seeds"
    assert claims.count(3, 3, "runs") == "all 3 runs"


def test_span_is_from_the_lowest_to_the_highest():
    assert claims.span(runs([0.93, 0.95, 0.91]), "eval_accuracy") == (0.91, 0.95)


def test_a_run_without_one_digit_is_crippled():
    assert claims.crippled(run(train_accuracy=0.91))
    assert not claims.crippled(run(train_accuracy=0.95))


def test_silent_classes_are_those_that_no_image_gets(monkeypatch):
    scores = np.zeros((5, 5))
    scores[range(5), [0, 0, 2, 3, 2]] = 1.0
    monkeypatch.setattr(measures, "read_arrays", lambda *place: {"scores": scores})
    assert claims.silent_classes(run()) == 2


# ------------------------------------------------------------------- what was chosen


@pytest.mark.parametrize("loss", TUNING_GRIDS)
def test_the_tuned_setting_of_each_loss_is_the_best_of_its_trials(loss):
    """The registry's choice is the one that the validation accuracy of the trials makes."""
    trials = {
        setting: claims.recorded(tuning_name(loss, *setting))[0].metrics["eval_accuracy"]
        for setting in TUNING_GRIDS[loss]
    }
    scale, weight_decay = max(trials, key=trials.get)
    chosen = EXPERIMENTS[f"tenth-loss-{loss}-tuned"]
    assert chosen.config.schedule == {"name": "course", "scale": scale}
    assert chosen.config.weight_decay == weight_decay
    assert TUNING_SEED not in chosen.seeds


def test_the_mini_batch_setting_is_the_best_of_its_trials():
    """The registry's choice is the one that the validation accuracy of the trials makes."""
    trials = {
        name: claims.recorded(f"mnist-sgd-{name}")[0].metrics["eval_accuracy"]
        for name in MINI_BATCH_TRIALS
    }
    chosen = EXPERIMENTS["mnist-sgd"]
    best = EXPERIMENTS[f"mnist-sgd-{max(trials, key=trials.get)}"]
    assert chosen.config == best.config
    assert chosen.data["evaluate_on"] == "test" and best.data["evaluate_on"] == "validation"
    assert TUNING_SEED not in chosen.seeds
