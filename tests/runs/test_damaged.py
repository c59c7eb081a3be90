"""Records and checkpoints that are damaged, foreign or odd: refused in a sentence, or read."""

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
    """Return bytes with one thing wrong: cut off, some of them others, some twice, none."""
    place, end = sorted(rng.integers(0, len(content) + 1, 2))
    between = [b"", rng.bytes(end - place), content[place:end] * 2, bytes(end - place)]
    return rng.choice([content[:place], *(content[:place] + b + content[end:] for b in between)])


def places(content):
    """Yield every dict or list in JSON content, with each of its keys."""
    for key in content if isinstance(content, dict) else range(len(content)):
        yield content, key
        if isinstance(content[key], (dict, list)):
            yield from places(content[key])


def odd_json(content, rng):
    """Return JSON content with one value lost or odd."""
    content = copy.deepcopy(content)
    every = list(places(content))
    part, key = every[rng.integers(len(every))]
    if rng.random() < 0.2:
        del part[key]
    else:
        part[key] = ODD[rng.integers(len(ODD))]
    return content


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a record, the checkpoint of another run, and a PyTorch model's."""
    folder = tmp_path_factory.mktemp("damaged")
    make(folder)
    for experiment in (TINY, LENET):
        with pytest.raises(KeyboardInterrupt):
            make_small(folder, experiment)
    return folder


def make_small(folder, experiment=TINY, **options):
    runner.run(experiment, "embedded" if experiment.name == "lenet" else "full", 0, device="cpu",
               runs=folder / "other", checkpoints=folder / "checkpoints", checkpoint_seconds=0,
               after_epoch=stop_at(2), **options)  # fmt: skip


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
            refused += str(path.name) in str(error)
        path.with_suffix(".npz").write_bytes(damaged(kept, rng))
        with suppress(RecordError):
            records.read_arrays("tiny", "full", 0, tmp_path)
    assert refused > ROUNDS / 2


@pytest.mark.parametrize("text", ["", "[" * 100_000, "\ud800", "NaN", "1" * 5000, "\xff"])
def test_what_is_no_record_is_refused(text, tmp_path):
    path = records.record_path("tiny", "full", 0, tmp_path)
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1", "replace"))
    with pytest.raises(RecordError, match="full-seed-0"):
        experiments.recorded_run(TINY, "full", 0, tmp_path)


def test_checkpoints_of_any_kind_are_resumed_or_refused(folder):
    path = runner.checkpoint_path(TINY, "full", 0, folder / "checkpoints")
    content, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(ROUNDS // 3):
        path.write_bytes(damaged(content, rng))
        try:
            make_small(folder, resume=True)
        except runner.CheckpointError as error:
            refused += "delete it, or run without --resume" in str(error)
        except KeyboardInterrupt:  # it was resumed, and stopped again
            pass
    path.write_bytes(content)
    assert refused > ROUNDS / 6


def with_facts(arrays, **changes):
    facts = json.loads(str(arrays["facts"])) | changes
    return arrays | {"facts": np.array(json.dumps(facts))}


@pytest.mark.parametrize(
    ("experiment", "change"),
    [
        (TINY, lambda arrays: {}),
        (TINY, lambda arrays: {"facts": np.array("[]")}),
        (TINY, lambda arrays: {"facts": arrays["facts"]}),
        (TINY, lambda arrays: arrays | {"parameter_0": np.zeros(())}),
        (TINY, lambda arrays: arrays | {"velocity_1": np.zeros((9, 9))}),
        (TINY, lambda arrays: with_facts(arrays, config={})),
        (TINY, lambda arrays: with_facts(arrays, run=None)),
        (TINY, lambda arrays: with_facts(arrays, state=[1])),
        (TINY, lambda arrays: with_facts(arrays, commits=3)),
        (TINY, lambda arrays: with_facts(arrays, wall_seconds=None)),
        (LENET, lambda arrays: arrays | {"rng/dropout": arrays["rng/dropout"][:16]}),  # a GPU's
        (LENET, lambda arrays: arrays | {"rng/order": np.zeros(3)}),
        (LENET, lambda arrays: arrays | {"model/features.0.bias": np.zeros(7, "f")}),
        (LENET, lambda arrays: arrays | {"optimiser/x/step": np.zeros(1)}),
        (LENET, lambda arrays: arrays | {"no-slash": np.zeros(1)}),
    ],
)
def test_a_checkpoint_that_is_another_s_is_refused(folder, experiment, change):
    scale = "embedded" if experiment.name == "lenet" else "full"
    path = runner.checkpoint_path(experiment, scale, 0, folder / "checkpoints")
    content = path.read_bytes()
    path.write_bytes(packed(**change(records.read_npz(path))))
    with pytest.raises(runner.CheckpointError, match="delete it, or run without --resume"):
        make_small(folder, experiment, resume=True)
    path.write_bytes(content)
    other = replace(experiment, weight_seed=7)
    with pytest.raises(runner.CheckpointError, match="another run, configuration or data"):
        make_small(folder, replace(other, name=experiment.name), resume=True)
