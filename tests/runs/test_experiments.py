"""Recorded runs: what is on file is complete and as listed; interruption loses nothing."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.runs import experiments, records, runner
from helpers.runs.records import RecordError
from helpers.runs.registry import EXPERIMENTS, Experiment
from helpers.training.numpy_trainer import NumpyConfig

ROOT = Path(__file__).resolve().parents[2]

TINY = Experiment(
    "tiny",
    "a quick run",
    NumpyConfig(sizes=(2, 6, 2), epochs=12, batch_size=16, momentum=0.9),
    {"name": "half-moons", "n": 64, "noise": 0.2, "held_out": 50, "data_seed": None},
    seeds=(0, 1),
)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "tiny", TINY)
    return TINY


def make(experiment, folder, **options):
    options = {"resume": False, "checkpoint_seconds": 0} | options
    return runner.run(experiment, "full", 0, runs=folder / "runs",
                      checkpoints=folder / "checkpoints", **options)  # fmt: skip


# --------------------------------------------------------------- the records on file


def listed_runs():
    return [
        (name, scale)
        for name, experiment in EXPERIMENTS.items()
        for scale in ("full", "embedded")
        if experiment.seeds_at(scale)
    ]


@pytest.mark.parametrize(("name", "scale"), listed_runs())
def test_every_listed_run_is_recorded_complete_and_as_configured(name, scale):
    for record in experiments.recorded(name, scale):
        assert record.diverged or record.metrics["eval_accuracy"] is not None
        size = records.record_path(name, scale, record.seed).stat().st_size
        assert size < 200_000
        if EXPERIMENTS[name].keep:
            arrays = records.read_arrays(name, scale, record.seed)
            scores, labels = arrays["scores"].astype(np.float32), arrays["labels"]
            said = scores > 0 if labels.ndim == 2 else scores.argmax(axis=1)
            correct = said == labels
            # Scores are kept in half precision, which can tie the two highest.
            assert correct.mean() == pytest.approx(record.metrics["eval_accuracy"], abs=5e-4)


def records_on_file():
    """Return path -> record of all runs; practice 5's batches are of another kind."""
    paths = [p for p in records.RUNS.rglob("*.json") if not p.parent.name.startswith("activation-")]
    return {path: records.read(path) for path in paths}


def test_no_record_on_file_is_unlisted():
    for path, record in records_on_file().items():
        assert record.seed in EXPERIMENTS[record.experiment].seeds_at(record.scale), path


def test_runs_of_one_data_set_agree_on_its_checksum():
    checksums = {}
    for record in records_on_file().values():
        data = record.data, record.config["data"].get("size")  # photographs come in several sizes
        assert checksums.setdefault(data, record.data_checksum) == record.data_checksum


# --------------------------------------------------------------------- making records


def test_a_run_writes_a_record_that_reads_back(tiny, tmp_path):
    made = make(tiny, tmp_path)
    [path] = (tmp_path / "runs").rglob("*.json")
    assert path == records.record_path("tiny", "full", 0, tmp_path / "runs")
    read = records.read(path)
    assert read == made
    assert read.complete and not read.diverged
    assert read.parameters == 2 * 6 + 6 + 6 * 2 + 2
    assert read.config == json.loads(json.dumps(tiny.as_json()))
    assert read.environment["numpy"] == np.__version__
    assert read.metrics["eval_accuracy"] == read.history["eval_accuracy"][-1]
    assert not list((tmp_path / "checkpoints").rglob("*.npz"))


def test_an_interrupted_run_resumes_to_the_same_history(tiny, tmp_path):
    whole = make(tiny, tmp_path / "whole")

    def stop(training):
        if training.epoch == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tiny, tmp_path / "broken", after_epoch=stop)
    epochs = []
    resumed = make(tiny, tmp_path / "broken", resume=True,
                   after_epoch=lambda training: epochs.append(training.epoch))  # fmt: skip
    assert epochs == list(range(5, 13))  # epoch 5 was not saved yet when the run stopped
    assert resumed.history == whole.history


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from helpers.runs import runner
from helpers.training import numpy_trainer
from tests.runs.test_experiments import TINY, make
step = numpy_trainer.NumpyTrainer.step
count = 0
def slow_step(self, *arguments):
    global count
    count += 1
    if count == {steps}:
        print("mid-epoch", flush=True)
        time.sleep(60)
    return step(self, *arguments)
numpy_trainer.NumpyTrainer.step = slow_step
make(TINY, Path({folder!r}))
"""


def test_a_run_killed_in_mid_epoch_resumes_to_the_bit_identical_history(tiny, tmp_path):
    whole = make(tiny, tmp_path / "whole")
    steps = 4 * 7 + 2  # four steps an epoch: the kill comes in the middle of the eighth
    code = KILLED.format(root=str(ROOT), folder=str(tmp_path / "killed"), steps=steps)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout.readline().strip() == "mid-epoch"
    process.kill()
    assert process.wait() != 0
    assert not list((tmp_path / "killed" / "runs").rglob("*.json"))

    epochs = []
    resumed = make(tiny, tmp_path / "killed", resume=True,
                   after_epoch=lambda training: epochs.append(training.epoch))  # fmt: skip
    assert epochs[0] == 8  # seven epochs were saved
    assert resumed.history == whole.history
    assert resumed.metrics == whole.metrics


def test_a_checkpoint_of_another_configuration_is_refused(tiny, tmp_path):
    def stop(training):
        if training.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tiny, tmp_path, after_epoch=stop)
    other = replace(tiny, config=replace(tiny.config, weight_decay=0.5))
    with pytest.raises(runner.CheckpointError, match="another run, configuration or data"):
        make(other, tmp_path, resume=True)
    [checkpoint] = (tmp_path / "checkpoints").rglob("*.npz")
    checkpoint.write_bytes(checkpoint.read_bytes()[:200])
    with pytest.raises(runner.CheckpointError, match="cannot be read"):
        make(tiny, tmp_path, resume=True)


def test_divergence_is_recorded_with_its_epoch(tiny, tmp_path):
    wild = replace(
        tiny, config=replace(tiny.config, loss="mse", schedule={"name": "constant", "lr": 1e9})
    )
    record = make(wild, tmp_path)
    assert record.diverged and record.complete
    assert record.history["loss"][-1] is None
    assert record.metrics["eval_accuracy"] is None
    assert records.read(records.record_path("tiny", "full", 0, tmp_path / "runs")).diverged


def test_a_full_disk_leaves_the_old_record_intact(tiny, tmp_path, monkeypatch):
    make(tiny, tmp_path)
    [path] = (tmp_path / "runs").rglob("*.json")
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        make(tiny, tmp_path, checkpoint_seconds=1e9)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# -------------------------------------------------------------------- reading records


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 99}, "schema version 99, but this code reads version 1"),
        ({"schema": None}, "schema version None"),
        ({"extra": 1}, "does not have the fields of a record: look at extra"),
        ({"history": {"a": [1], "b": []}}, "lists differ in length"),
    ],
)
def test_a_record_that_is_not_understood_is_refused(tiny, tmp_path, change, message):
    make(tiny, tmp_path)
    [path] = (tmp_path / "runs").rglob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RecordError, match=message):
        records.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "cannot be read as JSON"), ("[]", "is not a record"), ("{}", "no schema version")],
)
def test_a_file_that_is_no_record_is_refused(tmp_path, text, message):
    path = tmp_path / "full-seed-0.json"
    path.write_text(text)
    with pytest.raises(RecordError, match=message):
        records.read(path)


def test_recorded_refuses_missing_incomplete_and_foreign_records(tiny, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    make(tiny, tmp_path)
    with pytest.raises(RecordError, match=r"full-seed-1\.json is missing: .* run tiny --seeds 1$"):
        experiments.recorded("tiny", folder=folder)

    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(tiny, seeds=(0,)))
    assert [record.seed for record in experiments.recorded("tiny", folder=folder)] == [0]

    changed = replace(tiny, seeds=(0,), config=replace(tiny.config, weight_decay=0.5))
    monkeypatch.setitem(EXPERIMENTS, "tiny", changed)
    with pytest.raises(RecordError, match=r"another configuration .*\(weight_decay\)"):
        experiments.recorded("tiny", folder=folder)

    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(tiny, seeds=(0,)))
    [path] = folder.rglob("*.json")
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"complete": False}))
    with pytest.raises(RecordError, match="incomplete"):
        experiments.recorded("tiny", folder=folder)
    path.write_text(json.dumps(content | {"seed": 5}))
    with pytest.raises(RecordError, match="record of another run"):
        experiments.recorded("tiny", folder=folder)
    with pytest.raises(RecordError, match="no seeds at embedded scale"):
        experiments.recorded("tiny", "embedded", folder=folder)
    with pytest.raises(KeyError, match="unknown experiment 'huge'"):
        experiments.recorded("huge")


# ----------------------------------------------------------------------- command line


def test_command_line_makes_what_is_missing_and_skips_what_is_recorded(
    tiny, tmp_path, monkeypatch, capsys
):
    record = make(tiny, tmp_path)
    calls = []

    def fake_run(experiment, scale, seed, resume, after_epoch, device):
        calls.append((experiment.name, scale, seed, resume))
        return record

    monkeypatch.setattr(records, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(runner, "run", fake_run)
    assert experiments.main(["run", "tin*", "--resume"]) == 0
    assert calls == [("tiny", "full", 1, True)]
    printed = capsys.readouterr().out
    assert f"accuracy {record.metrics['eval_accuracy']:.4f}" in printed
    assert "1 were recorded already; without --resume they are made again" in printed
    assert experiments.main(["run", "tiny", "--seeds", "0-2"]) == 0
    assert calls[1:] == [("tiny", "full", seed, False) for seed in (0, 1, 2)]


def test_command_line_ends_quietly_when_nobody_reads_on():
    command = [sys.executable, "-m", "helpers.runs.experiments", "list"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_command_line_lists_what_is_recorded(tiny, tmp_path, monkeypatch, capsys):
    make(tiny, tmp_path)
    monkeypatch.setattr(records, "RUNS", tmp_path / "runs")
    assert experiments.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(bool(e.seeds) for e in EXPERIMENTS.values())
    assert any(line.split()[:2] == ["tiny", "1/2"] for line in lines)
    assert any(line.split()[:2] == ["moons-published", "0/50"] for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "huge"], "there is no experiment 'huge' at full scale"),
        (["run", "tenth-reference", "--scale", "embedded"], "it has runs with --scale full"),
        (["run", "moons-published", "--threads", "-1"], "is not a whole number from 1 on"),
        (["run"], "name an experiment, or say --all"),
        (["run", "moons-published", "--seeds", "a-b"], "is not a list of seeds such as 0-4"),
        (["run", "moons-published", "--scale", "tiny"], "invalid choice"),
    ],
)
def test_command_line_answers_bad_input_with_a_sentence(arguments, message):
    done = subprocess.run(
        [sys.executable, "-m", "helpers.runs.experiments", *arguments],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_command_line_says_when_the_data_are_not_there(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "helpers.runs.experiments", "run", "mnist-published"],
        cwd=ROOT, capture_output=True, text=True, env=os.environ | {"COURSE_DATA": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "python -m data_prep mnist" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "seeds"), [("0-4", [0, 1, 2, 3, 4]), ("0,2,7", [0, 2, 7]), ("3", [3])]
)
def test_seed_lists(text, seeds):
    assert experiments.parse_seeds(text) == seeds
