"""Verifying the book: every verdict, every exit status, and nothing left behind."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from helpers.runs import ensemble_runner as activation_runs
from helpers.runs import records, runner, verify
from helpers.runs.agreement import (
    AS_RECORDED,
    INCONCLUSIVE,
    OUTSIDE,
    WITHIN,
    judge,
    judge_batch,
    prediction_interval,
)
from helpers.runs.catalogue.activations import STUDIES, Study
from helpers.runs.experiments import UnknownExperiment
from helpers.runs.registry import EXPERIMENTS, Experiment
from helpers.runs.verify import Check
from helpers.training.numpy_trainer import NumpyConfig

TINY = Experiment(
    "tiny",
    "a quick run",
    NumpyConfig(sizes=(2, 6, 2), epochs=30, batch_size=16, evaluate_every=30),
    {"name": "half-moons", "n": 64, "noise": 0.2, "held_out": 500, "data_seed": None},
    seeds=(0, 1, 2),
)
STUDY = Study("tanh", "tiny", n=20, iterations=4, seeds=5)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tiny", TINY)


@pytest.fixture
def on_file(tiny, tmp_path):
    """A folder with the records of three runs."""
    for seed in TINY.seeds:
        runner.run(TINY, "full", seed, runs=tmp_path, checkpoints=tmp_path / "checkpoints")
    return tmp_path


def change(folder, seed=0, name="tiny", **changes):
    """Write a record anew with other content."""
    path = records.record_path(name, "full", seed, folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def last_line(text):
    return text.strip().splitlines()[-1]


# ------------------------------------------------------------------------------- the rule

SPREAD = {0: 0.90, 1: 0.92, 2: 0.94}  # mean 0.92, SD 0.02


@pytest.mark.parametrize(
    ("recorded", "seed", "new", "verdict"),
    [
        (SPREAD, 1, 0.92009, AS_RECORDED),
        (SPREAD, 1, 0.9202, WITHIN),
        # 0.92 ± 4.302653 · 0.02 · √(4/3) = 0.820634 to 1.019366
        (SPREAD, 7, 0.8206, WITHIN),
        (SPREAD, 7, 0.8203, OUTSIDE),
        (SPREAD, 7, None, OUTSIDE),
        ({0: 0.9, 1: 0.9, 2: 0.9}, 7, 0.90005, WITHIN),
        ({0: 0.9, 1: 0.9, 2: 0.9}, 7, 0.9002, OUTSIDE),
        ({0: 0.9, 1: 0.92}, 1, 0.92, AS_RECORDED),  # few seeds, but the same one
        ({0: 0.9, 1: 0.92}, 1, 0.91, INCONCLUSIVE),
        ({0: 0.9, 1: 0.92}, 7, None, INCONCLUSIVE),
        ({0: 0.1, 1: 0.95, 2: 0.5}, 7, 0.2, INCONCLUSIVE),  # the interval holds all of [0, 1]
        (SPREAD | {3: None}, 3, None, AS_RECORDED),
        (SPREAD | {3: None}, 7, None, WITHIN),
        (SPREAD | {3: None}, 3, 0.93, WITHIN),
        ({0: 0.9, 1: 0.92, 2: None}, 2, 0.91, INCONCLUSIVE),
        ({0: None, 1: None, 2: None}, 7, 0.9, OUTSIDE),
    ],
)
def test_the_rule(recorded, seed, new, verdict):
    assert judge(recorded, seed, new)[0] == verdict


def test_the_interval_holds_the_next_run_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(0.9, 0.01, (4000, 6))
    hits = [prediction_interval(row[:5]).contains(row[5]) for row in draws]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)
    means = [prediction_interval(row[:3], new=3).contains(row[3:].mean()) for row in draws]
    assert np.mean(means) == pytest.approx(0.95, abs=0.012)


def test_one_run_has_no_interval():
    with pytest.raises(ValueError, match="at least 2"):
        prediction_interval([0.9])


def test_a_batch_is_judged_network_by_network_and_then_by_its_mean():
    recorded = [0.90, 0.91, 0.92, 0.93, 0.94]
    assert judge_batch(recorded, recorded)[0] == AS_RECORDED
    assert judge_batch(recorded, recorded[::-1])[0] == WITHIN
    assert judge_batch(recorded, [value - 0.05 for value in recorded])[0] == OUTSIDE


# ------------------------------------------------------------------------------ the checks


def test_a_repeated_run_is_as_recorded(on_file, capsys):
    assert verify.main(["tiny"], on_file) == 0
    printed = capsys.readouterr().out
    assert "as recorded: its history to the last digit" in printed
    assert last_line(printed) == "1 of 1 agree with the records"


def test_a_new_seed_lies_within(on_file, capsys):
    assert verify.main(["tiny", "--seeds", "5"], on_file) == 0
    assert " within" in capsys.readouterr().out


def test_a_result_outside_is_told_and_fails(on_file, capsys):
    for seed in TINY.seeds:
        change(on_file, seed, metrics={"eval_accuracy": 0.2 + 0.001 * seed})
    assert verify.main(["tiny"], on_file) == 1
    printed = capsys.readouterr().out
    assert "OUTSIDE" in printed
    assert last_line(printed) == "0 of 1 agree with the records, 1 outside"


def test_two_recorded_seeds_are_too_few(on_file, monkeypatch, capsys):
    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(TINY, seeds=(0, 1)))
    assert verify.main(["tiny", "--seeds", "5"], on_file) == 3
    assert "1 can't be told: too few recorded seeds" in last_line(capsys.readouterr().out)
    assert verify.main(["tiny"], on_file) == 0  # the same seed can be told


def test_one_outside_outweighs_what_cannot_be_told(on_file, tiny, monkeypatch):
    few = replace(TINY, name="tiny-few", seeds=(0,))
    monkeypatch.setitem(EXPERIMENTS, "tiny-few", few)
    runner.run(few, "full", 0, runs=on_file, checkpoints=on_file)
    for seed in TINY.seeds:
        change(on_file, seed, metrics={"eval_accuracy": 0.2})
    assert verify.main(["tiny*", "--seeds", "5"], on_file) == 1


def test_a_run_that_diverges_is_outside_unless_a_recorded_one_did(on_file, monkeypatch, capsys):
    wild = replace(TINY, config=replace(TINY.config, schedule={"name": "constant", "lr": 1e200}))
    monkeypatch.setitem(EXPERIMENTS, "tiny", wild)
    for seed in TINY.seeds:
        change(on_file, seed, config=wild.as_json())
    assert verify.main(["tiny"], on_file) == 1
    assert "diverged  OUTSIDE" in capsys.readouterr().out
    change(on_file, 0, diverged=True, metrics={})
    assert verify.main(["tiny"], on_file) == 0
    assert "diverged  as recorded" in capsys.readouterr().out


def test_what_differs_from_the_record_is_named(on_file, capsys):
    path = records.record_path("tiny", "full", 0, on_file)
    record = json.loads(path.read_text())
    changed = {"environment": record["environment"] | {"numpy": "0.1"}}
    metrics = {"eval_accuracy": record["metrics"]["eval_accuracy"] + 0.001}
    change(on_file, 0, **changed, metrics=metrics)
    verify.main(["tiny"], on_file)
    assert "recorded with 0.1" in capsys.readouterr().out
    change(on_file, 0, environment=record["environment"])
    verify.main(["tiny"], on_file)
    assert "though libraries and processor are those of the record" in capsys.readouterr().out
    change(on_file, 0, data_checksum="another")
    verify.main(["tiny"], on_file)
    assert "the data are not those of the record" in capsys.readouterr().out


def test_several_labels_are_compared_by_the_mean_average_precision():
    several = {"eval_accuracy": 0.9, "eval_mean_average_precision": 0.7}
    assert verify.metric_of([{}, several]) == "eval_mean_average_precision"
    assert verify.metric_of([{"eval_accuracy": 0.9}]) == "eval_accuracy"


def test_a_batch_of_practice_5_is_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(STUDIES, STUDY.name, STUDY)
    batch = activation_runs.run(STUDY, tmp_path)
    before = snapshot(tmp_path)
    assert verify.main([STUDY.name], tmp_path) == 0
    assert f"{np.mean(batch.held_out_accuracy):.4f}  as recorded" in capsys.readouterr().out
    assert snapshot(tmp_path) == before
    path = tmp_path / f"{STUDY.name}.json"
    path.write_text(json.dumps(asdict(batch) | {"held_out_accuracy": [0.1, 0.1, 0.1, 0.1, 0.11]}))
    assert verify.main([STUDY.name], tmp_path) == 1


def test_nothing_is_written_and_threads_are_given_back(on_file, monkeypatch, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    made_before = snapshot(on_file), sorted(records.RUNS.rglob("*")), torch.get_num_threads()
    verify.main(["tiny", "--seeds", "0-1"], on_file)
    made_after = snapshot(on_file), sorted(records.RUNS.rglob("*")), torch.get_num_threads()
    assert made_after == made_before
    assert not list(here.iterdir())


# ------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such"], "there is no experiment 'no-such': python -m helpers.runs.verify --list"),
        (["tiny", "--scale", "embedded"], "'tiny' at embedded scale"),
        (["activation-tanh/plain", "--seeds", "0"], "leave --seeds out"),
    ],
)
def test_a_wrong_call_is_a_sentence(tiny, arguments, said, capsys):
    assert verify.main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_missing_record_is_found_before_anything_is_trained(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(verify, "verify", lambda *_: pytest.fail("trained"))
    assert verify.main(["tiny"], tmp_path) == 2
    assert "is missing: record it with" in capsys.readouterr().err


def test_the_default_set_is_listed_recorded_and_needs_no_download():
    checks = verify.checks_of(verify.QUICK)
    assert [check.name for check in checks] == list(verify.QUICK)
    for check in checks:
        assert verify.recorded_of(check)
        data = EXPERIMENTS[check.name].data["name"] if check.seed is not None else "half-moons"
        assert check.scale == "embedded" or data == "half-moons"


def test_names_become_checks():
    assert verify.checks_of(["small-lenet"]) == [Check("small-lenet", "embedded", 0)]
    assert verify.checks_of(["mnist-lenet"], seeds=[3, 9]) == [
        Check("mnist-lenet", "full", 3),
        Check("mnist-lenet", "full", 9),
    ]
    assert len(verify.checks_of(["activation-relu/*", "activation-relu/plain"])) == 9
    with pytest.raises(UnknownExperiment):
        verify.checks_of(["small-lenet", "no-such"])


def test_the_list_names_everything_and_marks_the_default_set(capsys):
    assert verify.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = sum(bool(e.seeds_at(scale)) for e in EXPERIMENTS.values() for scale in verify.SCALES)
    assert len(lines) == listed + len(STUDIES)
    marked = [line for line in lines if line.endswith("in the default set")]
    assert {line.split()[0] for line in marked} == set(verify.QUICK)
