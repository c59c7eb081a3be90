"""Makes a recorded run: trains with checkpoints, resumes, and writes the record.

Which runs there are stands in `helpers.registry`; this module can make any of them.
"""

import json
import time
import zipfile

import numpy as np

from helpers import datasets
from helpers.numpy_net import predict
from helpers.numpy_training import Training, TrainingData
from helpers.records import (
    ROOT,
    RUNS,
    Record,
    arrays_path,
    environment,
    source_commit,
    write,
    write_atomically,
)

CHECKPOINTS = ROOT / "checkpoints"


class CheckpointError(ValueError):
    """A checkpoint does not belong to the run that should be resumed."""


def load_data(experiment, scale, seed):
    """Load what an experiment trains and evaluates on.

    Returns
    -------
    TrainingData, str, str
        The arrays, the name of the data set, and its checksum.
    """
    options = experiment.data
    if options["name"] == "half-moons":
        return _load_moons(options, seed)
    images = datasets.load_mnist(scale)
    dtype = experiment.config.dtype
    x, labels = datasets.pixels(images.train_images, dtype), images.train_labels
    x_test, labels_test = datasets.pixels(images.test_images, dtype), images.test_labels
    if validation := options.get("validation"):
        # The split is the same for every experiment and seed.
        rest, chosen = datasets.stratified_split(labels, validation, seed=0)
        if train_size := options.get("train_size"):
            rest = rest[datasets.stratified_split(labels[rest], train_size, seed=0)[1]]
        if options["evaluate_on"] == "validation":
            x_test, labels_test = x[chosen], labels[chosen]
        x, labels = x[rest], labels[rest]
    return TrainingData(x, labels, x_test, labels_test), images.name, images.checksum


def _load_moons(options, seed):
    data_seed = options["data_seed"] if options["data_seed"] is not None else seed
    x, labels = datasets.half_moons(options["n"], options["noise"], data_seed)
    # Held-out points come from seeds that no training set uses.
    held_out = datasets.half_moons(options["held_out"], options["noise"], 1_000_000 + data_seed)
    name = f"half-moons n={options['n']} noise={options['noise']} seed={data_seed}"
    return TrainingData(x, labels, *held_out), name, datasets.checksum((x, labels, *held_out))


def prepare(experiment, scale, seed):
    """Return the `Training` of a run, ready to start, and its data's name and checksum."""
    data, data_name, data_checksum = load_data(experiment, scale, seed)
    weight_seed = experiment.weight_seed if experiment.weight_seed is not None else seed
    return Training(experiment.config, data, weight_seed), data_name, data_checksum


def run(experiment, scale, seed, resume=False, after_epoch=None, runs=RUNS,
        checkpoints=CHECKPOINTS, checkpoint_seconds=5.0):  # fmt: skip
    """Train one run to its end and write its record.

    Parameters
    ----------
    experiment : helpers.registry.Experiment
    scale : {"full", "embedded"}
    seed : int
    resume : bool
        Continue from the run's checkpoint if there is one.
    after_epoch : callable, optional
        Called with the `Training` after every epoch, for example to show progress.
    runs, checkpoints : Path
        Where records and checkpoints go.
    checkpoint_seconds : float
        A checkpoint is written after an epoch if the last one is at least this old.

    Returns
    -------
    Record

    Raises
    ------
    CheckpointError
        If the checkpoint to resume from was made by another configuration.
    """
    commit = source_commit()
    training, data_name, data_checksum = prepare(experiment, scale, seed)
    identity = {"config": experiment.as_json(), "data_checksum": data_checksum}
    checkpoint = checkpoints / experiment.name / f"{scale}-seed-{seed}.npz"
    clock = Clock()
    if resume and checkpoint.exists():
        clock.add(_restore(training, checkpoint, identity))

    saved = time.monotonic()
    while not training.done:
        training.run_epoch()
        if after_epoch:
            after_epoch(training)
        if not training.done and time.monotonic() - saved >= checkpoint_seconds:
            _save(training, checkpoint, identity | clock.read())
            saved = time.monotonic()

    record = Record(
        experiment=experiment.name,
        scale=scale,
        seed=seed,
        config=experiment.as_json(),
        data=data_name,
        data_checksum=data_checksum,
        parameters=training.network.parameter_count,
        environment=environment(),
        commit=commit,
        **{name: round(seconds, 3) for name, seconds in clock.read().items()},
        history=training.history,
        metrics=final_metrics(training),
        diverged=training.diverged,
        complete=True,
    )
    if experiment.keep:
        arrays = kept_arrays(training)
        write_atomically(
            arrays_path(experiment.name, scale, seed, runs),
            lambda file: np.savez_compressed(file, **arrays),
        )
    write(record, runs)
    checkpoint.unlink(missing_ok=True)
    return record


class Clock:
    """Wall and processor seconds since it was made, plus those of earlier sittings."""

    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def add(self, earlier):
        """Count earlier seconds in."""
        self.wall -= earlier["wall_seconds"]
        self.cpu -= earlier["cpu_seconds"]

    def read(self):
        """Return the seconds so far."""
        return {
            "wall_seconds": time.perf_counter() - self.wall,
            "cpu_seconds": time.process_time() - self.cpu,
        }


def _save(training, path, facts):
    arrays, state = training.state()
    text = np.array(json.dumps(facts | {"state": state}))
    write_atomically(path, lambda file: np.savez(file, facts=text, **arrays))


def _restore(training, path, identity):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            if {name: facts[name] for name in identity} != identity:
                raise CheckpointError(
                    f"{path} was made by another configuration or other data: "
                    "delete it, or run without --resume"
                )
            training.restore(arrays, facts["state"])
    except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"{path} cannot be read ({error}): delete it, or run without --resume"
        ) from error
    return facts


def final_metrics(training):
    """Return the figures of the last logged epoch that has them, and the best one seen.

    The best evaluation accuracy is kept to show how far the last epoch is from it; the book
    reports the last.
    """
    history = training.history
    evaluated = [value for value in history["eval_accuracy"] if value is not None]
    losses = [value for value in history["eval_loss"] if value is not None]
    return {
        "train_loss": history["loss"][-1],
        "train_penalty": history["penalty"][-1],
        "train_accuracy": history["accuracy"][-1],
        "eval_loss": losses[-1] if losses else None,
        "eval_accuracy": evaluated[-1] if evaluated else None,
        "best_eval_accuracy": max(evaluated, default=None),
    }


def kept_arrays(training, units=64, mistakes=24):
    """Return what figures need of a finished run on 28×28 images, in little space.

    Returns
    -------
    dict of ndarray
        `scores` float16 [N, K] on the evaluation images and their `labels` uint8 [N];
        `first_weights` float16 [units, 28, 28] of the hidden units with the largest outgoing
        weights; `mistake_images` uint8 [mistakes, 28, 28], those whose highest score lies
        furthest above the right class's, and `mistake_indices`, their places in the
        evaluation data.
    """
    data, network = training.data, training.network
    scores = predict(network, data.x_eval)
    top = scores.max(axis=1)
    at_label = scores[np.arange(len(scores)), data.labels_eval]
    worst = np.argsort(at_label - top, kind="stable")[:mistakes]
    first, *_, last = network.dense_layers
    strongest = np.argsort(-np.linalg.norm(last.weight, axis=1), kind="stable")[:units]
    return {
        "scores": scores.astype(np.float16),
        "labels": data.labels_eval.astype(np.uint8),
        "first_weights": first.weight.T[strongest].reshape(-1, 28, 28).astype(np.float16),
        "mistake_images": np.rint(data.x_eval[worst] * 255).astype(np.uint8).reshape(-1, 28, 28),
        "mistake_indices": worst,
    }
