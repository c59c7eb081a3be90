"""The rules that turn records into verdicts, on records made up for the purpose."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers import claims
from helpers.course import CLAIMS, VERDICTS
from helpers.registry import (
    EXPERIMENTS,
    MINI_BATCH_TRIALS,
    TUNING_GRIDS,
    TUNING_SEED,
    tuning_name,
)


def run(loss=(), accuracy=(), diverged=False, **metrics):
    history = {
        "epoch": list(range(len(loss) or len(accuracy))),
        "loss": list(loss),
        "accuracy": list(accuracy),
    }
    return SimpleNamespace(history=history, metrics=metrics, diverged=diverged)


@pytest.mark.parametrize("claim", claims.TESTS)
def test_every_finding_has_a_verdict_and_says_on_how_many_runs_it_rests(claim):
    found = claims.finding(claim)
    assert found.claim == claim
    assert found.answer in VERDICTS
    assert found.test and found.effect.endswith(".")


def test_every_claim_of_the_course_so_far_is_tested():
    assert set(claims.TESTS) == set(CLAIMS)
    with pytest.raises(KeyError, match=r"unknown claim 'C9\.9'"):
        claims.finding("C9.9")


def test_a_loss_that_only_slows_down_has_no_breakthrough():
    assert claims.breakthrough(run(loss=np.exp(-np.arange(200) / 30))) is None
    assert claims.breakthrough(run(loss=np.linspace(8, 1, 200))) is None


def test_coming_down_from_a_spike_is_no_breakthrough():
    loss = np.exp(-np.arange(200) / 30)
    loss[100:110] += 5
    assert claims.breakthrough(run(loss=loss)) is None


def test_a_step_after_a_plateau_is_a_breakthrough_at_its_place():
    step = np.r_[np.full(100, 2.0), np.linspace(2, 0.5, 20), np.full(80, 0.5)]
    assert claims.breakthrough(run(loss=step)) == pytest.approx(100, abs=1)
    tiny = np.r_[np.linspace(9, 2, 60), np.full(80, 2.0), np.linspace(2, 1.9, 20), np.full(40, 1.9)]
    assert claims.breakthrough(run(loss=tiny)) is None  # a step, but a hundredth of the fall


def test_epochs_to_an_accuracy():
    assert claims.epochs_to(run(accuracy=[0.1, 0.5, 0.9, 0.95]), 0.9) == 3
    assert claims.epochs_to(run(accuracy=[0.1, None]), 0.9) is None


def test_rates_far_behind_are_those_below_or_diverged():
    sweep = {
        0.01: [run(eval_accuracy=0.80)] * 2,
        0.1: [run(eval_accuracy=0.93)] * 2,
        0.2: [run(eval_accuracy=0.95)] * 2,
        1.0: [run(eval_accuracy=0.95), run(eval_accuracy=None, diverged=True)],
    }
    assert claims.rates_far_behind(sweep) == (0.2, [0.01, 1.0])


def test_counts_read_as_sentences():
    assert claims.count(0, 3) == "none of 3 seeds"
    assert claims.count(2, 3) == "2 of 3 seeds"
    assert claims.count(3, 3) == "all 3 seeds"


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
