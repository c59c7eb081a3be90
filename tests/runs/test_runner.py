"""What a run is given and what it leaves: data splits, final figures, kept arrays, time."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.data import datasets
from helpers.data.voc import load_tiny_voc
from helpers.runs import records, runner
from helpers.runs.examples import unpacked
from helpers.runs.registry import EXPERIMENTS, Experiment
from helpers.training.config import TrainConfig
from helpers.training.numpy_trainer import NumpyConfig

MOONS = EXPERIMENTS["moons-published"]
DIGITS = EXPERIMENTS["mnist-corrected"]


def rows(images):
    """Return the images as a set of byte strings."""
    return {image.tobytes() for image in images}


def split(**options):
    return runner.load_data(
        replace(DIGITS, data={"name": "mnist"} | options), scale="embedded", seed=0
    )


# ----------------------------------------------------------------------------- data


def test_validation_images_come_from_the_training_part_and_are_not_trained_on():
    whole = datasets.load_mnist("embedded")
    data = split(validation=200, train_size=500, evaluate_on="validation")
    assert data.x.shape == (500, 28, 28) and data.x_eval.shape == (200, 28, 28)
    assert data.labels.shape == (500,) and data.labels_eval.shape == (200,)
    assert rows(data.x) | rows(data.x_eval) <= rows(whole.train_images)
    assert not rows(data.x) & rows(data.x_eval)
    assert np.bincount(data.labels).min() >= 45  # every class keeps its share


def test_the_test_part_is_used_where_asked_and_the_training_part_is_the_same():
    whole = datasets.load_mnist("embedded")
    tuned = split(validation=200, train_size=500, evaluate_on="validation")
    final = split(validation=200, train_size=500, evaluate_on="test")
    np.testing.assert_array_equal(final.x_eval, whole.test_images)
    np.testing.assert_array_equal(final.labels_eval, whole.test_labels)
    np.testing.assert_array_equal(final.x, tuned.x)
    np.testing.assert_array_equal(split(evaluate_on="test").x, whole.train_images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluate_on": "validation"}, "cannot evaluate on 'validation': there is test"),
        ({"evaluate_on": "valid", "validation": 100}, "cannot evaluate on 'valid'"),
        ({"name": "imagenet", "evaluate_on": "test"}, "unknown data 'imagenet'"),
    ],
)
def test_unclear_data_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        split(**options)


def test_half_moons_have_the_seed_of_the_run_or_their_own():
    data = runner.load_data(MOONS, "full", seed=3)
    x, labels = datasets.half_moons(200, 0.2, 3)
    np.testing.assert_array_equal(data.x, x)
    np.testing.assert_array_equal(data.labels, labels)
    x_eval, _ = datasets.half_moons(10_000, 0.2, 1_000_003)
    np.testing.assert_array_equal(data.x_eval, x_eval)
    same = [runner.load_data(EXPERIMENTS["moons-same-data"], "full", seed).x for seed in (0, 3)]
    np.testing.assert_array_equal(*same)


def test_an_experiment_can_fix_the_seed_of_the_weights():
    def first_weights(name, seed):
        return runner.prepare(EXPERIMENTS[name], "full", seed)[0].network.layers[0].weight

    same = first_weights("moons-same-weights", 1), first_weights("moons-same-weights", 2)
    np.testing.assert_array_equal(*same)
    assert (first_weights("moons-published", 1) != first_weights("moons-published", 2)).all()


def test_images_become_vectors_of_the_configured_precision():
    training, data = runner.prepare(DIGITS, "embedded", 0)
    assert data.x.dtype == np.uint8
    assert training.data.x.shape == (len(data.x), 784) and training.data.x.dtype == np.float32
    np.testing.assert_allclose(training.data.x_eval[0] * 255, data.x_eval[0].ravel(), atol=1e-4)


# --------------------------------------------------------------------------- results


def test_final_figures_are_those_of_the_last_epoch():
    history = {
        "epoch": [0, 1, 2],
        "loss": [3.0, 2.0, 1.0],
        "accuracy": [0.1, 0.2, 0.3],
        "eval_loss": [3.0, None, 1.5],
        "eval_accuracy": [0.4, None, 0.3],
    }
    assert runner.final_metrics(history) == {
        "train_loss": 1.0,
        "train_accuracy": 0.3,
        "eval_loss": 1.5,
        "eval_accuracy": 0.3,
        "best_eval_accuracy": 0.4,
    }


def test_a_run_that_diverged_has_no_final_figures():
    history = {name: [1.0, None] for name in ("loss", "accuracy", "eval_loss", "eval_accuracy")}
    metrics = runner.final_metrics(history)
    assert metrics.pop("best_eval_accuracy") == 1.0
    assert set(metrics.values()) == {None}


def test_kept_mistakes_are_wrong_and_the_worst_come_first():
    scores = np.array([[3, 1], [0, 2], [5, 0], [1, 0.5]], np.float32)
    training = SimpleNamespace(scores=lambda: scores, artifacts=lambda: {"own": np.ones(2)})
    images = np.arange(4 * 28 * 28, dtype=np.uint8).reshape(4, 28, 28)
    data = SimpleNamespace(x_eval=images, labels_eval=np.array([0, 0, 1, 1]))
    kept = runner.kept_arrays(training, data)
    assert kept["mistake_indices"].tolist() == [2, 1, 3]
    np.testing.assert_array_equal(kept["mistake_images"], images[[2, 1, 3]])
    assert set(kept) == {"scores", "labels", "mistake_images", "mistake_indices", "own"}
    assert len(runner.kept_arrays(training, data, mistakes=2)["mistake_indices"]) == 2


def test_the_units_kept_are_those_that_the_output_listens_to_most():
    experiment = Experiment("small", "", NumpyConfig(sizes=(784, 5, 10)), DIGITS.data)
    training, _ = runner.prepare(experiment, "embedded", 0)
    first, second = training.network.dense_layers
    second.weight[:] = np.array([1, 5, 0, 3, 2])[:, None]
    kept = training.artifacts(units=2)["first_weights"]
    assert kept.shape == (2, 28, 28)
    np.testing.assert_allclose(kept[0].ravel(), first.weight[:, 1], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(kept[1].ravel(), first.weight[:, 3], rtol=1e-3, atol=1e-6)


def test_a_model_is_kept_with_samples_for_the_seeds_that_are_named(tmp_path):
    data = {"name": "mnist", "validation": 200, "train_size": 100, "evaluate_on": "validation"}
    recipe = TrainConfig("resnet18", model_kwargs={"width": 2}, epochs=1)
    experiment = Experiment("small", "", recipe, data, keep=True, keep_model=(1,))
    finished, kept = {}, {}
    for seed in (0, 1):
        runner.run(
            experiment, "embedded", seed, after_epoch=lambda run: finished.update(last=run),
            device="cpu", runs=tmp_path / "runs", checkpoints=tmp_path / "checkpoints",
        )  # fmt: skip
        kept[seed] = records.read_arrays("small", "embedded", seed, tmp_path / "runs")
    more = kept[1].keys() - kept[0].keys()
    state = finished["last"].model.state_dict()
    assert more == {f"model/{name}" for name in state} | {"sample_images", "sample_labels"}
    assert "stem.1.running_mean" in state  # what no gradient trains is needed as well
    for name, value in state.items():
        array = kept[1][f"model/{name}"]
        assert array.dtype == np.float16 and array.shape == tuple(value.shape)
        np.testing.assert_allclose(array, value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "arguments", "shape"),
    [
        ("resnet18", {"width": 2}, (5, 2, 2)),
        ("vit", {"patch": 16, "embed_dim": 8, "heads": 2, "hidden": 8}, (16,)),
        ("lenet", {}, None),
    ],
)
def test_telling_images_are_kept_with_where_the_model_looks(tmp_path, model, arguments, shape):
    recipe = TrainConfig(model, model_kwargs=arguments, epochs=1, loss="binary-cross-entropy")
    data = {"name": "tiny-voc", "size": 64, "evaluate_on": "validation", "train_size": 32}
    experiment = Experiment("small", "", recipe, data, keep=True, keep_images=(1,))
    kept = {}
    for seed in (0, 1):
        runner.run(
            experiment, "embedded", seed, device="cpu", runs=tmp_path / "runs",
            checkpoints=tmp_path / "checkpoints",
        )  # fmt: skip
        kept[seed] = records.read_arrays("small", "embedded", seed, tmp_path / "runs")
    more = kept[1].keys() - kept[0].keys()
    assert more == {"shown", "shown_images"} | ({"shown_saliency"} if shape else set())
    images = unpacked(kept[1]["shown_images"])
    places = kept[1]["shown"]
    assert images.shape == (len(places), 64, 64, 3)
    originals = load_tiny_voc().val_images[places]
    assert np.abs(images.astype(int) - originals).mean() < 10
    if shape:
        assert kept[1]["shown_saliency"].shape == (len(places), *shape)


def test_samples_are_the_first_of_each_class():
    labels = np.array([2, 0, 2, 1, 0, 2, 1, 0])
    images = np.arange(8 * 28 * 28).reshape(8, 28, 28).astype(np.uint8)
    found = runner.samples(SimpleNamespace(x_eval=images, labels_eval=labels))
    assert found["sample_labels"].tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal(found["sample_images"], images[[1, 4, 3, 6, 0, 2]])
    assert found["sample_images"].dtype == found["sample_labels"].dtype == np.uint8


def test_a_resumed_run_counts_its_earlier_seconds_and_names_both_commits(tmp_path, monkeypatch):
    tiny = replace(MOONS, name="tiny", config=replace(MOONS.config, epochs=6))
    folders = {"runs": tmp_path / "runs", "checkpoints": tmp_path / "checkpoints"}

    def stop(training):
        if training.epoch == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner, "source_commit", lambda: "first")
    monkeypatch.setattr(runner.Clock, "read", lambda _: {"wall_seconds": 50, "cpu_seconds": 40})
    with pytest.raises(KeyboardInterrupt):
        runner.run(tiny, "full", 0, after_epoch=stop, checkpoint_seconds=0, **folders)
    monkeypatch.undo()
    monkeypatch.setattr(runner, "source_commit", lambda: "second")
    record = runner.run(tiny, "full", 0, resume=True, **folders)
    assert record.commit == "first, second"
    assert 50 < record.wall_seconds < 100 and 40 < record.cpu_seconds < 90


def test_checkpoints_are_not_written_more_often_than_asked(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(runner, "_save", lambda training, *_: saved.append(training.epoch))
    tiny = replace(MOONS, name="tiny", config=replace(MOONS.config, epochs=5))
    folders = {"runs": tmp_path / "runs", "checkpoints": tmp_path / "checkpoints"}
    runner.run(tiny, "full", 0, checkpoint_seconds=1e9, **folders)
    assert saved == []
    runner.run(tiny, "full", 0, checkpoint_seconds=0, **folders)
    assert saved == [1, 2, 3, 4]
