"""Makes a recorded run: trains with checkpoints, resumes, and writes the record.

Which runs there are stands in `helpers.runs.registry`; this module can make any of them.
"""

import json
import time
import zipfile

import numpy as np

from helpers.data.datasets import load_half_moons, load_mnist
from helpers.data.voc import load_tiny_voc
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
from helpers.training.numpy_trainer import NumpyTrainer

CHECKPOINTS = ROOT / "checkpoints"


class CheckpointError(ValueError):
    """A checkpoint does not belong to the run that should be resumed."""


# ----------------------------------------------------------------------------- data

LOADERS = {
    "half-moons": lambda scale, seed, **options: load_half_moons(seed, **options),
    "mnist": lambda scale, seed, **options: load_mnist(scale, **options),
    "tiny-voc": lambda scale, seed, **options: load_tiny_voc(scale, **options),
}


def load_data(experiment, scale, seed):
    """Load the data of an experiment.

    Parameters
    ----------
    experiment : helpers.runs.experiment.Experiment
        Its `data` have a `name`, a key of `LOADERS`, and what that loader takes.
    scale : {"full", "embedded"}
    seed : int
        Of the run.

    Returns
    -------
    helpers.data.datasets.Dataset

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


def prepare(experiment, scale, seed, device="auto"):
    """Return the trainer of a run, ready to start, and the `Dataset` it was given.

    For a `TrainConfig` it is a `TorchTrainer`, which may run on another device.
    """
    data, config = load_data(experiment, scale, seed), experiment.config
    weight_seed = experiment.weight_seed if experiment.weight_seed is not None else seed
    if not isinstance(config, TrainConfig):
        return NumpyTrainer(config, data, weight_seed), data
    from helpers.training import torch_trainer  # here: the NumPy chapters need not wait for torch

    device = torch_trainer.choose_device(device)
    return torch_trainer.TorchTrainer(config, data, weight_seed, device), data


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
    classes = np.unique(data.y_eval)
    rows = np.concatenate([np.flatnonzero(data.y_eval == k)[:each] for k in classes])
    return {
        "sample_images": data.x_eval[rows],
        "sample_labels": data.y_eval[rows].astype(np.uint8),
    }


def shown_arrays(training, data):
    """Return the most telling images of a finished run with several labels an image.

    Returns
    -------
    dict of ndarray
        `shown` int [M], their places in the evaluation data; `shown_images`, packed; and, if the
        model has such a thing, `shown_saliency` float16, as from `probes.saliency`.
    """
    places = telling(training.scores(), data.y_eval)
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
    scores, labels = training.scores(), data.y_eval
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
