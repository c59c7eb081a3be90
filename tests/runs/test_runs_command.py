"""The command line, and verifying the book: every verdict, and nothing left behind."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import made_up
import numpy as np
import pytest
import torch

from helpers.runs import __main__ as command
from helpers.runs import ensemble_runner, records, runner
from helpers.runs.__main__ import (
    AS_RECORDED,
    INCONCLUSIVE,
    OUTSIDE,
    WITHIN,
    judge,
    main,
)
from helpers.runs.experiments import ENSEMBLES, EXPERIMENTS, Ensemble, UnknownExperiment

TINY = replace(made_up.TINY, data=made_up.TINY.data | {"held_out": 500})
ENSEMBLE = Ensemble("tanh", "tiny", n=20, iterations=4, seeds=5)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tiny", TINY)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the records of three runs."""
    folder = tmp_path_factory.mktemp("made")
    return [runner.run(TINY, "full", seed, folder / "runs") for seed in TINY.seeds]


@pytest.fixture
def on_file(tiny, made, tmp_path):
    """Return a folder with the records of three runs."""
    for record in made:
        records.write(record, tmp_path / "runs")
    return tmp_path / "runs"


def verdict(recorded, seed=0, experiment=TINY):
    return command.verify(experiment, "full", seed, recorded)[1][-1]


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
    assert judge(recorded, {seed: new}) == verdict


# ------------------------------------------------------------------------------ the checks


def with_accuracy(made, value):
    return [replace(r, metrics={"eval_accuracy": value + 0.001 * r.seed}) for r in made]


def test_a_repeated_run_is_as_recorded_and_a_result_outside_is_told(on_file, made, capsys):
    before = {path: path.read_bytes() for path in on_file.rglob("*.json")}
    threads = torch.get_num_threads()
    assert main(["verify", "tiny"], on_file) == 0
    printed = capsys.readouterr().out
    assert "as recorded: its history to the last digit" in printed
    assert printed.strip().endswith("1 of 1 agree with the records")
    assert {path: path.read_bytes() for path in on_file.rglob("*.*")} == before
    assert torch.get_num_threads() == threads
    for record in with_accuracy(made, 0.2):
        records.write(record, on_file)
    assert main(["verify", "tiny"], on_file) == 1
    assert capsys.readouterr().out.strip().endswith("0 of 1 agree with the records, 1 outside")


def test_what_differs_from_the_record_is_named(made):
    moved = with_accuracy(made, made[0].metrics["eval_accuracy"] + 1e-3)
    moved = [replace(r, environment=r.environment | {"device": "cuda"}) for r in moved]
    assert verdict(moved) == f"{WITHIN}: device cpu, recorded with cuda"
    odd = with_accuracy(made, 0.2)
    assert "though libraries and processor are those of the record" in verdict(odd)
    odd[0] = replace(odd[0], data_checksum="another")
    assert "the data are not those of the record" in verdict(odd)
    assert verdict(made, seed=5) == WITHIN


def test_a_run_that_diverges_is_outside_unless_a_recorded_one_did(made):
    schedule = dict.fromkeys(TINY.config.schedule, 1e200) | {"name": "constant"}
    wild = replace(TINY, config=replace(TINY.config, schedule=schedule))
    assert verdict(made, experiment=wild).startswith(OUTSIDE)
    lost = [replace(made[0], diverged=True, metrics={"eval_accuracy": None}), *made[1:]]
    assert verdict(lost, experiment=wild) == AS_RECORDED


def test_an_ensemble_is_verified_network_by_network_and_then_by_its_mean(
    tmp_path, monkeypatch, capsys
):
    recorded = [0.90, 0.91, 0.92, 0.93, 0.94]
    assert judge(dict(enumerate(recorded)), dict(enumerate(recorded[::-1]))) == WITHIN
    monkeypatch.setitem(ENSEMBLES, ENSEMBLE.name, ENSEMBLE)
    record = ensemble_runner.run(ENSEMBLE, tmp_path)
    assert main(["verify", ENSEMBLE.name], tmp_path) == 0
    assert f"{np.mean(record.held_out_accuracy):.4f}  as recorded" in capsys.readouterr().out
    records.write(replace(record, held_out_accuracy=[0.1, 0.1, 0.1, 0.1, 0.11]), tmp_path)
    assert main(["verify", ENSEMBLE.name], tmp_path) == 1


def test_a_missing_record_is_found_before_anything_is_trained(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "verify", lambda *_: pytest.fail("trained"))
    assert main(["verify", "tiny"], tmp_path) == 2
    assert "is missing: record it with" in capsys.readouterr().err


def test_names_become_checks_and_the_default_ones_need_no_download():
    assert command.checks_of(["small-lenet"]) == [(EXPERIMENTS["small-lenet"], "embedded", 0)]
    assert command.checks_of(["mnist-lenet"], seeds=[3, 9])[1][1:] == ("full", 9)
    assert len(command.checks_of(["activation-relu/*", "activation-relu/plain"])) == 9
    with pytest.raises(UnknownExperiment):
        command.checks_of(["small-lenet", "no-such"])
    for experiment, scale, _ in command.checks_of(command.QUICK):
        assert scale == "embedded" or experiment.name.startswith(("moons", "activation"))


# ------------------------------------------------------------------------- the command line


def test_run_makes_what_is_missing_and_skips_what_is_recorded(on_file, capsys):
    [first, *_] = sorted(on_file.rglob("*.json"))
    first.unlink()
    before = {path: path.stat().st_mtime_ns for path in on_file.rglob("*.json")}
    assert main(["run", "tin*", "--resume", "--threads", "1"], on_file) == 0
    assert "2 were recorded already; without --resume they are made again" in (
        capsys.readouterr().out
    )
    assert first.exists() and all(p.stat().st_mtime_ns == time for p, time in before.items())


def test_resume_goes_on_with_a_recorded_run_that_was_begun_anew(on_file, made, monkeypatch):
    arguments = ["run", "tiny", "--seeds", "1"]
    monkeypatch.setattr(runner.time, "monotonic", iter(range(0, 10_000, 10)).__next__)
    with made_up.stopped_at(8):
        assert main(arguments, on_file) == 130
    [checkpoint] = (on_file.parent / "checkpoints").rglob("*.npz")
    assert main([*arguments, "--resume"], on_file) == 0
    assert not checkpoint.exists()
    again = records.read(records.record_path("tiny", "full", 1, on_file))
    assert again.history == made[1].history and again.wall_seconds != made[1].wall_seconds


def test_list_says_what_is_recorded_and_how_long_it_took(on_file, capsys):
    (on_file / "tiny" / "full-seed-1.json").unlink()
    assert main(["list", "moons-long", "tiny", "activation-relu/*"], on_file) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0][:3] == ["moons-long", "full", "0/50"]
    assert lines[1][:4] == ["tiny", "full", "2/3", "recorded"]
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run huge", "there is no experiment 'huge'"),
        ("run tenth-reference --scale embedded", "'tenth-reference' at embedded scale"),
        ("verify huge", "there is no experiment 'huge': python -m helpers.runs list"),
        ("verify small-lenet --device meta", "no device 'meta': take cpu or auto"),
        ("run", "name an experiment, or say --all"),
        ("run moons-published --seeds a-b", "invalid list_of_seeds value: 'a-b'"),
        ("run moons-published --seeds 0,3-1", "invalid list_of_seeds value: '0,3-1'"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(arguments, message, capsys):
    with suppress(SystemExit):  # argparse's
        assert main(arguments.split()) == 2
    assert message in capsys.readouterr().err


def test_missing_data_are_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert main(["run", "mnist-published"], tmp_path) == 2
    assert "python -m data_prep mnist" in capsys.readouterr().err


def test_a_full_disk_leaves_the_old_record_intact(on_file, capsys, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    before = {path: path.read_bytes() for path in on_file.rglob("*.json")}
    monkeypatch.setattr(os, "fsync", full)
    assert main(["run", "tiny", "--seeds", "0"], on_file) == 2
    assert capsys.readouterr().err.endswith("full-seed-0.json'\n")
    after = {path: path.read_bytes() for path in on_file.rglob("*") if path.is_file()}
    assert after == before and len(after) == 3


def test_ctrl_c_while_the_libraries_are_loading_is_heeded(tmp_path):
    (tmp_path / "scipy.py").write_text("import time\nprint('loading', flush=True)\ntime.sleep(60)")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "helpers.runs", "list"]
    path = os.pathsep.join([str(tmp_path), str(records.ROOT)])
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, **pipes) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert (process.returncode, said) == (130, "\nstopped\n")
