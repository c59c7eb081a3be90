"""Records and checkpoints that are damaged, foreign or odd: refused in a sentence, or used."""

import copy
import io
import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.runs import experiments, records, runner
from helpers.runs.experiments import Experiment
from helpers.runs.records import RecordError
from helpers.training.config import TrainConfig

sys.path.insert(0, str(Path(__file__).parent))
from test_recorded import TINY
from test_runner import make, stop_at

LENET = Experiment(
    "lenet", "", TrainConfig("lenet", epochs=3),
    {"name": "mnist", "validation": 1200, "train_size": 100, "evaluate_on": "validation"},
)  # fmt: skip
ODD = [None, [], {}, "", "x\x1b", True, -1, 0, 1e300, [[]], {"a": []}, [1, "b"]]
ROUNDS = 300


def damaged(content, rng):
    """Return bytes with one thing wrong: cut off, or some of them lost, others, twice or zero."""
    place, end = sorted(rng.integers(0, len(content) + 1, 2))
    between = [b"", rng.bytes(end - place), content[place:end] * 2, bytes(end - place)]
    return rng.choice([content[:place], *(content[:place] + b + content[end:] for b in between)])


def odd_json(content, rng):
    """Return JSON content with one value, at any depth, lost or odd."""
    content, parts = copy.deepcopy(content), []

    def walk(part):
        parts.extend((part, key) for key in (part if isinstance(part, dict) else range(len(part))))
        for value in part.values() if isinstance(part, dict) else part:
            if isinstance(value, dict | list):
                walk(value)

    walk(content)
    part, key = parts[rng.integers(len(parts))]
    part[key] = ODD[rng.integers(len(ODD))]
    if rng.random() < 0.2:
        del part[key]
    return content


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def stopped(folder, experiment=TINY, **options):
    """Run an experiment until its second epoch, which leaves a checkpoint."""
    scale = "full" if experiment.name == "tiny" else "embedded"
    runner.run(experiment, scale, 0, device="cpu", runs=folder / "other", checkpoint_seconds=0,
               checkpoints=folder / "c", after_epoch=stop_at(2), **options)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a record, and the checkpoints of two other runs."""
    folder = tmp_path_factory.mktemp("damaged")
    make(folder)
    for experiment in (TINY, LENET):
        with pytest.raises(KeyboardInterrupt):
            stopped(folder, experiment)
    return folder


def test_records_of_any_kind_are_read_or_refused(folder, tmp_path):
    content = records.record_path("tiny", "full", 0, folder / "runs").read_bytes()
    path, rng = records.record_path("tiny", "full", 0, tmp_path), np.random.default_rng(0)
    path.parent.mkdir()
    kept, refused = packed(scores=np.ones((4, 2)), labels=np.arange(4)), 0
    for _ in range(ROUNDS):
        odd = json.dumps(odd_json(json.loads(content), rng)).encode()
        path.write_bytes(odd if rng.random() < 0.5 else damaged(content, rng))
        try:
            record = experiments.recorded_run(TINY, "full", 0, tmp_path)
            runner.final_metrics(record.history), f"{record.wall_seconds:.0f}"
        except RecordError as error:
            refused += path.name in str(error)
        path.with_suffix(".npz").write_bytes(damaged(kept, rng))
        with suppress(RecordError):
            records.read_arrays("tiny", "full", 0, tmp_path)
    assert refused > ROUNDS / 2


def test_checkpoints_of_any_kind_are_resumed_or_refused(folder):
    path = runner.checkpoint_path(TINY, "full", 0, folder / "c")
    content, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(ROUNDS // 3):
        path.write_bytes(damaged(content, rng))
        try:
            stopped(folder, resume=True)
        except runner.CheckpointError as error:
            refused += "delete it, or run without --resume" in str(error)
        except KeyboardInterrupt:  # it was resumed, and stopped again
            pass
    path.write_bytes(content)
    assert refused > ROUNDS / 6


@pytest.mark.parametrize(
    ("experiment", "arrays", "facts"),
    [
        (TINY, {"parameter_0": np.zeros(())}, {}),
        (TINY, {"velocity_1": np.zeros((9, 9))}, {}),
        (TINY, {}, {"config": {}}),
        (TINY, {}, {"run": None}),
        (TINY, {}, {"state": [1]}),
        (TINY, {}, {"commits": 3}),
        (TINY, {}, {"wall_seconds": None}),
        (LENET, {"rng/dropout": np.zeros(16, np.uint8)}, {}),  # a GPU's
        (LENET, {"rng/order": np.zeros(3)}, {}),
        (LENET, {"model/features.0.bias": np.zeros(7, "f")}, {}),
        (LENET, {"optimiser/x/step": np.zeros(1)}, {}),
        (LENET, {"no-slash": np.zeros(1)}, {}),
    ],
)
def test_a_checkpoint_that_is_another_s_is_refused(folder, experiment, arrays, facts):
    scale = "full" if experiment is TINY else "embedded"
    path = runner.checkpoint_path(experiment, scale, 0, folder / "c")
    content, whole = path.read_bytes(), records.read_npz(path)
    facts = json.dumps(json.loads(str(whole.pop("facts"))) | facts)
    path.write_bytes(packed(**whole | arrays, facts=np.array(facts)))
    with pytest.raises(runner.CheckpointError, match="delete it, or run without --resume"):
        stopped(folder, experiment, resume=True)
    path.write_bytes(content)
    with pytest.raises(runner.CheckpointError, match="another run, configuration or data"):
        stopped(folder, replace(experiment, weight_seed=7), resume=True)
