"""Makes a recorded run: trains with checkpoints, resumes, and writes the record.

Which runs there are stands in `helpers.runs.registry`; this module can make any of them.
"""

import json
import time
import zipfile
from dataclasses import dataclass

import numpy as np

from helpers.data import datasets, voc
from helpers.runs.examples import packed, telling
from helpers.runs.records import (
    ROOT,
    RUNS,
    Record,
    arrays_path,
    environment,
    source_commit,
    write,
    write_atomically,
)
from helpers.training.config import TrainConfig
from helpers.training.numpy_trainer import NumpyTrainer, TrainingData

CHECKPOINTS = ROOT / "checkpoints"


class CheckpointError(ValueError):
    """A checkpoint does not belong to the run that should be resumed."""


# ----------------------------------------------------------------------------- data


@dataclass(frozen=True)
class Data:
    """What a run trains on and is measured on, as it was loaded.

    Attributes
    ----------
    x, x_eval : ndarray
        Points, or images uint8 [N, 28, 28] or [N, S, S, 3].
    labels, labels_eval : ndarray of int [N], or of float32 [N, K], a 0 or 1 for each class
    name, checksum : str
        Of the data set.
    """

    x: np.ndarray
    labels: np.ndarray
    x_eval: np.ndarray
    labels_eval: np.ndarray
    name: str
    checksum: str

    @property
    def classes(self):
        """How many classes there are."""
        return self.labels.shape[1] if self.labels.ndim == 2 else int(self.labels.max()) + 1


def load_data(experiment, scale, seed):
    """Load and split the data of an experiment.

    Parameters
    ----------
    experiment : helpers.runs.experiment.Experiment
        Its `data` have a `name`, a key of `LOADERS`, and what that loader takes.
    scale : {"full", "embedded"}
    seed : int
        Of the run.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If there are no such data, or no such part to evaluate on.
    """
    options = dict(experiment.data)
    name = options.pop("name")
    if name not in LOADERS:
        raise ValueError(f"unknown data {name!r}: choose one of {', '.join(LOADERS)}")
    return LOADERS[name](scale, seed, **options)


def _load_mnist(scale, seed, evaluate_on, validation=None, train_size=None):
    """Load MNIST, all or `train_size` of its training images; the split is always the same."""
    images = datasets.load_mnist(scale)
    x, labels = images.train_images, images.train_labels
    parts = {"test": (images.test_images, images.test_labels)}
    if validation:
        rest, chosen = datasets.stratified_split(labels, validation, seed=0)
        parts["validation"] = x[chosen], labels[chosen]
        if train_size:
            rest = rest[datasets.stratified_split(labels[rest], train_size, seed=0)[1]]
        x, labels = x[rest], labels[rest]
    if evaluate_on not in parts:
        raise ValueError(f"cannot evaluate on {evaluate_on!r}: there is {', '.join(parts)}")
    return Data(x, labels, *parts[evaluate_on], images.name, images.checksum)


def _load_moons(scale, seed, n, noise, held_out, data_seed):
    """Draw half-moons, with the run's seed or with one of their own."""
    data_seed = data_seed if data_seed is not None else seed
    # Held-out points come from seeds that no training set uses.
    arrays = (
        *datasets.half_moons(n, noise, data_seed),
        *datasets.half_moons(held_out, noise, 1_000_000 + data_seed),
    )
    name = f"half-moons n={n} noise={noise} seed={data_seed}"
    return Data(*arrays, name, datasets.checksum(arrays))


def _load_tiny_voc(scale, seed, size, evaluate_on, held_out=0, train_size=None):
    """Load Tiny-VOC; `held_out` of its training images, always the same, are for choosing."""
    images = voc.load_tiny_voc(scale, size)
    parts = {"validation": (images.val_images, images.val_targets.astype(np.float32))}
    order = np.random.default_rng(0).permutation(len(images.train_images))
    chosen, rest = np.sort(order[:held_out]), np.sort(order[held_out:][:train_size])
    targets = images.train_targets.astype(np.float32)
    if held_out:
        parts["held-out"] = images.train_images[chosen], targets[chosen]
    if evaluate_on not in parts:
        raise ValueError(f"cannot evaluate on {evaluate_on!r}: there is {', '.join(parts)}")
    x, labels = images.train_images[rest], targets[rest]
    return Data(x, labels, *parts[evaluate_on], images.name, images.checksum)


LOADERS = {"half-moons": _load_moons, "mnist": _load_mnist, "tiny-voc": _load_tiny_voc}


def prepare(experiment, scale, seed, device="auto"):
    """Return the `NumpyTrainer` of a run, ready to start, and the `Data` it was given.

    For a `TrainConfig` it is a `TorchTrainer`, which may run on another device.
    """
    data = load_data(experiment, scale, seed)
    weight_seed = experiment.weight_seed if experiment.weight_seed is not None else seed
    if isinstance(experiment.config, TrainConfig):
        from helpers.training import (
            torch_trainer as training,  # here: the NumPy chapters need not wait for torch
        )

        device = training.choose_device(device)
        tensors = training.tensors(data)
        return training.TorchTrainer(experiment.config, tensors, weight_seed, device), data
    x, x_eval = (_vectors(part, experiment.config.dtype) for part in (data.x, data.x_eval))
    vectors = TrainingData(x, data.labels, x_eval, data.labels_eval)
    return NumpyTrainer(experiment.config, vectors, weight_seed), data


def _vectors(x, dtype):
    """Return points as they are, and images [N, 28, 28] as rows of pixels in [0, 1]."""
    return datasets.pixels(x, dtype) if x.dtype == np.uint8 else x


# ------------------------------------------------------------------------------ run


def run(experiment, scale, seed, resume=False, after_epoch=None, device="auto", runs=RUNS,
        checkpoints=CHECKPOINTS, checkpoint_seconds=5.0):  # fmt: skip
    """Train one run to its end and write its record.

    Parameters
    ----------
    experiment : helpers.runs.experiment.Experiment
    scale : {"full", "embedded"}
    seed : int
    resume : bool
        Continue from the run's checkpoint if there is one.
    after_epoch : callable, optional
        Called with the `NumpyTrainer` after every epoch, for example to show progress.
    device : str
        Where a PyTorch model is trained: "cpu", "cuda", or "auto" for the fastest there is.
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
        If the checkpoint to resume from was made by another run, configuration or data.
    """
    commits, clock = [source_commit()], Clock()
    training, data = prepare(experiment, scale, seed, device)
    identity = {
        "run": [experiment.name, scale, seed],
        "config": experiment.as_json(),
        "data_checksum": data.checksum,
    }
    checkpoint = checkpoints / experiment.name / f"{scale}-seed-{seed}.npz"
    if resume and checkpoint.exists():
        facts = _restore(training, checkpoint, identity)
        clock.add(facts)
        commits = list(dict.fromkeys(facts["commits"] + commits))

    saved = time.monotonic()
    while not training.done:
        training.run_epoch()
        if after_epoch:
            after_epoch(training)
        if not training.done and time.monotonic() - saved >= checkpoint_seconds:
            _save(training, checkpoint, identity | clock.read() | {"commits": commits})
            saved = time.monotonic()

    if experiment.keep:
        arrays = kept_arrays(training, data)
        if seed in experiment.keep_model:
            arrays |= training.weights() | samples(data)
        if seed in experiment.keep_images:
            arrays |= shown_arrays(training, data)
        write_atomically(
            arrays_path(experiment.name, scale, seed, runs),
            lambda file: np.savez_compressed(file, **arrays),
        )
    record = Record(
        experiment=experiment.name,
        scale=scale,
        seed=seed,
        config=experiment.as_json(),
        data=data.name,
        data_checksum=data.checksum,
        parameters=training.parameter_count,
        environment=environment() | training.hardware(),
        commit=", ".join(commits),
        **{name: round(seconds, 3) for name, seconds in clock.read().items()},
        history=training.history,
        metrics=final_metrics(training.history),
        diverged=training.diverged,
        complete=True,
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
                    f"{path} was made by another run, configuration or data: "
                    "delete it, or run without --resume"
                )
            arrays = {name: arrays[name] for name in arrays if name != "facts"}
            training.restore(arrays, facts["state"])
    except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"{path} cannot be read ({error}): delete it, or run without --resume"
        ) from error
    return facts


def final_metrics(history):
    """Return the figures of the last epoch, and the best evaluation accuracy on the way.

    The best one is kept to show how far the last epoch is from it; the book reports the last.
    A run that diverged has no figures at its end.
    """
    metrics = {
        f"train_{name}": history[name][-1]
        for name in ("loss", "penalty", "accuracy")
        if name in history
    }
    metrics |= {name: values[-1] for name, values in history.items() if name.startswith("eval_")}
    evaluated = [value for value in history["eval_accuracy"] if value is not None]
    return metrics | {"best_eval_accuracy": max(evaluated, default=None)}


def samples(data, each=2):
    """Return the first images of each class, to show a kept model without the data.

    Returns
    -------
    dict of ndarray
        `sample_images` uint8 [K each, 28, 28], class by class, and `sample_labels` uint8.
    """
    classes = np.unique(data.labels_eval)
    rows = np.concatenate([np.flatnonzero(data.labels_eval == k)[:each] for k in classes])
    return {
        "sample_images": data.x_eval[rows],
        "sample_labels": data.labels_eval[rows].astype(np.uint8),
    }


def shown_arrays(training, data):
    """Return the most telling images of a finished run with several labels an image.

    Returns
    -------
    dict of ndarray
        `shown` int [M], their places in the evaluation data; `shown_images`, packed; and, if the
        model has such a thing, `shown_saliency` float16, as from `probes.saliency`.
    """
    places = telling(training.scores(), data.labels_eval)
    kept = {"shown": places, "shown_images": packed(data.x_eval[places])}
    saliency = training.saliency(places)
    return kept if saliency is None else kept | {"shown_saliency": saliency.astype(np.float16)}


def kept_arrays(training, data, mistakes=24):
    """Return what figures need of a finished run on images, in little space.

    Returns
    -------
    dict of ndarray
        `scores` float16 [N, K] on the evaluation images and their `labels` uint8 [N] or
        [N, K]; the training's own `artifacts`; and, if there is one label an image,
        `mistake_images` uint8 [M, 28, 28], wrong answers whose score lies furthest above the
        right class's, at most `mistakes`, and `mistake_indices`, their places in the
        evaluation data.
    """
    scores, labels = training.scores(), data.labels_eval
    kept = {"scores": scores.astype(np.float16), "labels": labels.astype(np.uint8)}
    if labels.ndim == 2:
        return training.artifacts() | kept
    behind = scores.max(axis=1) - scores[np.arange(len(scores)), labels]
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    worst = wrong[np.argsort(-behind[wrong], kind="stable")[:mistakes]]
    return (
        training.artifacts()
        | kept
        | {
            "mistake_images": data.x_eval[worst],
            "mistake_indices": worst,
        }
    )
