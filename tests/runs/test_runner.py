"""Making runs: interruption loses nothing, data splits are clean, and what is kept is right."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made_up import TINY, stopped_at

from helpers.data import datasets
from helpers.runs import ensemble_runner, experiments, records, runner
from helpers.runs.experiments import ENSEMBLES, EXPERIMENTS, Experiment
from helpers.training import numpy_trainer
from helpers.training.config import LinearConfig, TrainConfig
from helpers.training.torch_trainer import TorchTrainer

ROOT = Path(__file__).resolve().parents[2]


def make(folder, experiment=TINY, scale="full", **options):
    options = {"checkpoint_seconds": 0, "device": "cpu"} | options
    return runner.run(experiment, scale, 0, folder / "runs", **options)


def stopped(folder, epoch, trainer=numpy_trainer.NumpyTrainer, **options):
    """Make a run until so many epochs are done, which leaves a checkpoint."""
    with stopped_at(epoch, trainer), pytest.raises(KeyboardInterrupt):
        make(folder, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the record of an unbroken run, and where it was made."""
    folder = tmp_path_factory.mktemp("whole")
    return make(folder), folder


# --------------------------------------------------------------- whole or not at all


def test_a_run_writes_a_record_that_reads_back(whole):
    made, folder = whole
    assert len([path for path in (folder / "runs").rglob("*") if path.is_file()]) == 1
    assert experiments.recorded_run(TINY, "full", 0, folder / "runs") == made
    assert made.complete and not made.diverged
    assert made.parameters == 2 * 6 + 6 + 6 * 2 + 2
    assert made.environment["numpy"] == np.__version__
    assert made.metrics["eval_accuracy"] == made.history["eval_accuracy"][-1]
    assert made.metrics["best_eval_accuracy"] == max(made.history["eval_accuracy"])
    assert not list((folder / "checkpoints").rglob("*.npz"))


KILLED = """
import sys, time
from pathlib import Path
sys.path[:0] = [{root!r}, {root!r} + "/tests", {here!r}]
from helpers.training import numpy_trainer
from test_runner import make
Trainer = next(t for t in vars(numpy_trainer).values() if hasattr(t, "run_epoch"))
step, count = Trainer.step, 0
def slow_step(self, *arguments):
    global count
    count += 1
    if count == {steps}:
        print("mid-epoch", flush=True)
        time.sleep(60)
    return step(self, *arguments)
Trainer.step = slow_step
make(Path({folder!r}))
"""


def test_a_run_killed_in_mid_epoch_resumes_to_the_bit_identical_history(whole, tmp_path):
    steps = 4 * 7 + 2  # four steps an epoch: the kill comes in the middle of the eighth
    code = KILLED.format(root=str(ROOT), here=str(Path(__file__).parent), folder=str(tmp_path),
                         steps=steps)  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout.readline().strip() == "mid-epoch"
    process.kill()
    assert process.wait() != 0
    assert not list((tmp_path / "runs").rglob("*.json"))

    facts = json.loads(str(np.load(*(tmp_path / "checkpoints").rglob("*.npz"))["facts"]))
    assert facts["state"]["epoch"] == 7
    resumed = make(tmp_path, resume=True)
    assert (resumed.history, resumed.metrics) == (whole[0].history, whole[0].metrics)


def test_a_resumed_run_counts_its_earlier_seconds_and_names_both_commits(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(runner, "source_commit", lambda: "first")
        patched.setattr(runner.Clock, "read", lambda _: {"wall_seconds": 50, "cpu_seconds": 40})
        stopped(tmp_path, 4)
    monkeypatch.setattr(runner, "source_commit", lambda: "second")
    record = make(tmp_path, resume=True)
    assert record.commit == "first, second"
    assert 50 < record.wall_seconds < 100 and 40 < record.cpu_seconds < 90


LENET = Experiment(
    "lenet", "", TrainConfig("lenet", epochs=3),
    {"name": "mnist", "validation": 1200, "train_size": 100, "evaluate_on": "validation"},
)  # fmt: skip


def test_a_checkpoint_that_is_damaged_or_another_s_is_refused(tmp_path):
    run = {"experiment": LENET, "scale": "embedded"}
    stopped(tmp_path, 2, TorchTrainer, **run)
    path = runner.checkpoint_path(LENET, "embedded", 0, tmp_path / "runs")
    content, arrays = path.read_bytes(), dict(np.load(path))
    with pytest.raises(runner.CheckpointError, match="another run, configuration or data"):
        make(tmp_path, replace(LENET, weight_seed=7), "embedded", resume=True)
    np.savez(path, **arrays | {"rng/dropout": np.zeros(16, np.uint8)})  # a GPU's
    for damaged in (path.read_bytes(), content[:-100], b""):
        path.write_bytes(damaged)
        with pytest.raises(runner.CheckpointError, match="delete it, or run without --resume"):
            make(tmp_path, **run, resume=True)


def test_an_ensemble_is_recorded_and_its_networks_come_back(tmp_path):
    quick = replace(ENSEMBLES["activation-relu/plain"], iterations=3, seeds=4)
    made = ensemble_runner.run(quick, tmp_path)
    assert records.read(records.record_path(*made.place, tmp_path), type(made)) == made
    assert made.parameters == 151 and len(made.train_accuracy) == 4
    one = ensemble_runner.trained_ensemble("relu", 2, tmp_path)
    assert one.weights[0].shape == (1, 2, 10)
    with pytest.raises(records.RecordError, match="missing or damaged"):
        ensemble_runner.trained_ensemble("tan", folder=tmp_path)


# ----------------------------------------------------------------------------- data


def test_points_and_weights_have_the_seed_of_the_run_or_their_own():
    data = runner.load_data(EXPERIMENTS["moons-published"], "full", seed=3)
    np.testing.assert_array_equal(data.x, datasets.half_moons(200, 0.2, 3)[0])
    np.testing.assert_array_equal(data.x_eval, datasets.half_moons(10_000, 0.2, 1_000_003)[0])
    for name, points, weights in ("data", True, False), ("weights", False, True):
        (one, x), (other, y) = (
            runner.prepare(EXPERIMENTS[f"moons-same-{name}"], "full", seed) for seed in (1, 2)
        )
        assert np.array_equal(x.x, y.x) == points
        first = (run.network.layers[0].weight for run in (one, other))
        assert np.array_equal(*first) == weights


# ---------------------------------------------------------- what is kept beside a record


def test_kept_mistakes_are_wrong_and_the_worst_come_first():
    scores = np.array([[3, 1], [0, 2], [5, 0], [1, 0.5]], np.float32)
    data = SimpleNamespace(x_eval=np.arange(4), y_eval=np.array([0, 0, 1, 1]))
    assert runner.mistakes(scores, data)["mistake_indices"].tolist() == [2, 1, 3]


def kept_of(folder, config, data, seed=1, **keep):
    experiment = Experiment("small", "", config, data, keep=True, **keep)
    runner.run(experiment, "embedded", seed, folder / "runs", device="cpu")
    return records.read_arrays("small", "embedded", seed, folder / "runs")


def test_a_model_is_kept_with_two_samples_of_each_class(tmp_path):
    data = {"name": "mnist", "validation": 200, "train_size": 100, "evaluate_on": "validation"}
    kept = kept_of(tmp_path, TrainConfig("lenet", epochs=1), data, keep_model=(1,))
    assert kept["model/features.0.weight"].dtype == np.float16
    assert kept["sample_labels"].tolist() == sorted([*range(10)] * 2)
    config = numpy_trainer.NumpyConfig((784, 8, 10), epochs=1)
    in_numpy = kept_of(tmp_path, config, data, keep_model=(1,))
    assert in_numpy["model/0.weight"].shape == (784, 8) and "model/1.bias" in in_numpy
    plain = kept_of(tmp_path, TrainConfig("lenet", epochs=1), data, seed=0, keep_model=(1,))
    assert not any(name.startswith(("model", "sample")) for name in plain)


def test_a_linear_classifier_is_recorded_with_its_scores(tmp_path):
    data = {"name": "tiny-voc-features", "size": 224, "train_size": 60}
    kept = kept_of(tmp_path, LinearConfig(strengths=(0.1, 0.3), folds=2), data)
    record = records.read(records.record_path("small", "embedded", 1, tmp_path / "runs"))
    right = (kept["scores"] > 0) == kept["labels"]
    assert record.metrics["eval_accuracy"] == pytest.approx(right.mean()) and right.mean() > 0.9
    assert record.history["strength"][2] in (0.1, 0.3) and record.parameters == 5 * 97


#                    alarm 0  alarm 1   miss 0   right     right     nearly 0
LOGITS = np.array([[9, -5], [-7, 8], [-6, 5.0], [4, -9], [8, -6], [7, -0.1]])
TARGETS = np.array([[0, 0], [0, 0], [1, 1], [1, 0], [1, 0], [1, 0]])


def test_examples_come_kind_by_kind_and_class_by_class_each_once():
    assert runner.select_examples(LOGITS, TARGETS, each=1, doubtful=1).tolist() == [0, 1, 2, 4, 5]
    found = runner.select_examples(LOGITS, TARGETS).tolist()
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    greedy = np.array([[9, -1], [8, -1], [7, -1], [-1, 0.5]])
    assert runner.select_examples(greedy, np.zeros((4, 2)), 1, 0).tolist() == [0, 3]
    faultless = np.where(TARGETS, 3.0, -2.0)
    assert runner.select_examples(faultless, TARGETS, 9, 0).tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("saliency", [np.ones((6, 4)), None])
def test_examples_come_encoded_with_where_the_model_looks(saliency):
    ramp = np.linspace(0, 255, 32)
    images = np.stack([np.outer(ramp, ramp) / 255 * k / 6 for k in range(1, 7)])
    images = np.repeat(images[..., None], 3, axis=-1).astype(np.uint8)
    training = SimpleNamespace(scores=lambda: LOGITS, saliency=lambda places: saliency)
    data = SimpleNamespace(x_eval=images, y_eval=TARGETS)
    kept = runner.examples(training, data)
    assert ("example_saliency" in kept) == (saliency is not None)
    again = runner.decode_images(kept["example_images"]).astype(int)
    assert kept["example_images"].nbytes < images.nbytes / 4
    assert np.abs(again - images[kept["examples"]]).mean() < 4
