"""Makes a recorded run: trains with checkpoints, resumes, and writes the record.

Which runs there are stands in `helpers.runs.experiments`; this module can make any of them.
"""

import io
import json
import time
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from helpers.data.datasets import load_half_moons, load_mnist
from helpers.data.features import load_voc_features
from helpers.data.voc import load_tiny_voc
from helpers.runs.experiments import Ensemble, find
from helpers.runs.records import (
    RUNS,
    Record,
    arrays_path,
    display,
    environment,
    source_commit,
    write,
    write_atomically,
)
from helpers.training.config import LinearConfig
from helpers.training.numpy_trainer import NumpyConfig, NumpyTrainer


class CheckpointError(ValueError):
    """A checkpoint does not belong to the run that should be resumed."""


# ----------------------------------------------------------------------------- data

LOADERS = {
    "half-moons": lambda scale, seed, **options: load_half_moons(seed, **options),
    "mnist": lambda scale, seed, **options: load_mnist(scale, **options),
    "tiny-voc": lambda scale, seed, **options: load_tiny_voc(scale, **options),
    "tiny-voc-features": lambda scale, seed, **options: load_voc_features(
        scale, seed=seed, **options
    ),
}


def load_data(experiment, scale, seed):
    """Return the `Dataset` of an experiment: its `data` have a key of `LOADERS` as their `name`."""
    options = dict(experiment.data)
    return LOADERS[options.pop("name")](scale, seed, **options)


def prepare(experiment, scale, seed, device="auto"):
    """Return the trainer of a run, ready to start, and the `Dataset` it was given.

    It is a `NumpyTrainer`, a `LinearTrainer`, or, of a `TrainConfig`, a `TorchTrainer` or a
    `DistillationTrainer`, which may run on another device.
    """
    data, config = load_data(experiment, scale, seed), experiment.config
    weight_seed = experiment.weight_seed if experiment.weight_seed is not None else seed
    if isinstance(config, NumpyConfig):
        return NumpyTrainer(config, data, weight_seed), data
    # Here: the NumPy chapters need not wait for torch.
    from helpers.training import distillation, linear_trainer, torch_trainer

    if isinstance(config, LinearConfig):
        return linear_trainer.LinearTrainer(config, data, weight_seed), data
    device = torch_trainer.choose_device(device)
    trainer = distillation.DistillationTrainer if config.hint_weight else torch_trainer.TorchTrainer
    return trainer(config, data, weight_seed, device), data


def train(name, seed=0, scale="embedded"):
    """Train one run of the experiment of that name with a progress bar, and write nothing.

    It returns the finished trainer, whose `history` and `network` or `model` can be looked at. A
    ValueError says that practice 5's ensembles have no single run.
    """
    experiment = find(name)
    if isinstance(experiment, Ensemble):
        raise ValueError(f"{name} is an ensemble: use trained_ensemble in ensemble_runner")
    training = prepare(experiment, scale, seed)[0]
    with tqdm(total=experiment.config.epochs, unit="epoch") as bar:
        while not training.done:
            training.run_epoch()
            bar.update()
    return training


def limited_threads(threads):
    """Let the linear algebra, PyTorch's too, use so many threads inside; None for any number."""
    if threads:
        import torch  # only what is loaded can be limited

        torch.get_num_threads()  # and only once it has chosen its own number
    return threadpool_limits(threads)


# ------------------------------------------------------------------------------ run


def run(experiment, scale, seed, folder=RUNS, resume=False, device="auto", title=None,
        checkpoint_seconds=5.0):  # fmt: skip
    """Train one run to its end with a progress bar, write its record, and return it.

    Parameters
    ----------
    experiment : helpers.runs.experiments.Experiment
        Or an `Ensemble`, which has no seed and is trained in one go.
    folder : where the record goes; checkpoints go into `checkpoints` beside it.
    resume : continue from the run's checkpoint if there is one.
    device : of a PyTorch model: "cpu", "cuda", "mps", or "auto" for the fastest there is.
    title : what the progress bar says.
    checkpoint_seconds : how old the last checkpoint is when an epoch's end brings the next.

    Raises
    ------
    CheckpointError
        If the checkpoint to resume from was made by another run, configuration or data.
    """
    if isinstance(experiment, Ensemble):
        from helpers.runs import ensemble_runner  # here: it brings PyTorch with it

        return ensemble_runner.run(experiment, folder, title)
    commits, clock = [source_commit()], Clock()
    training, data = prepare(experiment, scale, seed, device)
    machine = environment() | training.hardware()
    identity = {
        "run": [experiment.name, scale, seed],
        "config": experiment.as_json(),
        "data_checksum": data.checksum,
    }
    checkpoint = checkpoint_path(experiment, scale, seed, folder)
    if resume and checkpoint.exists():
        earlier = _restore(training, checkpoint, identity)
        clock.earlier = {name: earlier[name] for name in clock.earlier}
        commits = list(dict.fromkeys(earlier["commits"] + commits))

    saved, epochs = time.monotonic(), experiment.config.epochs
    with progress(total=epochs, initial=training.epoch, title=title, unit="epoch") as bar:
        while not training.done:
            training.run_epoch()
            bar.update()
            if not training.done and time.monotonic() - saved >= checkpoint_seconds:
                _save(training, checkpoint, identity | clock.read() | {"commits": commits})
                saved = time.monotonic()

    if experiment.keep:
        arrays = artifacts(experiment, seed, training, data)
        write_atomically(
            arrays_path(experiment.name, scale, seed, folder),
            lambda file: np.savez_compressed(file, **arrays),
        )
    record = Record(
        **made(experiment, data, clock, machine, commits), scale=scale, seed=seed,
        parameters=training.parameter_count, history=training.history,
        metrics=final_metrics(training.history), diverged=training.diverged,
    )  # fmt: skip
    write(record, folder)
    checkpoint.unlink(missing_ok=True)
    return record


def progress(title, **options):
    """Return a progress bar, on a terminal alone; one without a title vanishes in the end."""
    return tqdm(desc=title, leave=title is not None, disable=None, **options)


def made(experiment, data, clock, machine, commits):
    """Return what the record of any finished run says of how it was made."""
    return {
        "experiment": experiment.name, "config": experiment.as_json(), "data": data.name,
        "data_checksum": data.checksum, "environment": machine, "commit": ", ".join(commits),
        **clock.read(), "complete": True,
    }  # fmt: skip


def checkpoint_path(experiment, scale, seed, folder=RUNS):
    """Return where the checkpoint of a run is while it is not finished: beside the records."""
    return Path(folder).parent / "checkpoints" / experiment.name / f"{scale}-seed-{seed}.npz"


class Clock:
    """Wall and processor seconds since it was made, and those of `earlier` sittings."""

    def __init__(self):
        self.start = time.perf_counter(), time.process_time()
        self.earlier = {"wall_seconds": 0.0, "cpu_seconds": 0.0}

    def read(self):
        """Return the seconds so far."""
        now = time.perf_counter(), time.process_time()
        spent = zip(self.earlier.items(), self.start, now, strict=True)
        return {name: round(before + end - start, 3) for (name, before), start, end in spent}


def _save(training, path, facts):
    arrays, state = training.state()
    text = np.array(json.dumps(facts | {"state": state}))
    write_atomically(path, lambda file: np.savez(file, facts=text, **arrays))


def _restore(training, path, identity):
    """Let a trainer go on from a checkpoint; return what else the file says."""
    mend = "delete it, or run without --resume"
    try:
        with np.load(path) as file:
            arrays = dict(file)
        facts = json.loads(str(arrays.pop("facts")))
        if ours := {name: facts[name] for name in identity} == identity:
            training.restore(arrays, facts["state"])
    except Exception as error:  # of another version or device, or damaged: each fails in its way
        raise CheckpointError(f"{display(path)} cannot be used ({error}): {mend}") from error
    if not ours:
        raise CheckpointError(
            f"{display(path)} was made by another run, configuration or data: {mend}"
        )
    return facts


def final_metrics(history):
    """Return the figures of the last epoch, None if it diverged, and the best accuracy on the way.

    The best one is kept to show how far the last epoch is from it; the book reports the last.
    """
    metrics = {
        f"train_{name}": history[name][-1]
        for name in ("loss", "penalty", "accuracy")
        if name in history
    }
    metrics |= {name: values[-1] for name, values in history.items() if name.startswith("eval_")}
    evaluated = [value for value in history["eval_accuracy"] if value is not None]
    return metrics | {"best_eval_accuracy": max(evaluated, default=None)}


# ------------------------------------------------------- what is kept beside the record


def artifacts(experiment, seed, training, data):
    """Return what figures need of a finished run on images, arrays by name, in little space.

    They are `scores` on the evaluation images, [N, K], and their `labels` uint8 [N] or [N, K]; the
    training's own `artifacts`; with one label an image, `mistakes`; for the seeds that the
    experiment names, the model's weights with `samples`, and `examples`.
    """
    scores, labels = training.scores(), data.y_eval
    kept = training.artifacts()
    kept |= {"scores": scores.astype(np.float32), "labels": labels.astype(np.uint8)}
    if labels.ndim == 1:
        kept |= mistakes(scores, data)
    if seed in experiment.keep_model:
        kept |= training.weights() | samples(data)
    if seed in experiment.keep_images:
        kept |= examples(training, data)
    return kept


def mistakes(scores, data):
    """Return the 24 images, and their places, whose score lies furthest above the right one's."""
    labels = data.y_eval
    behind = scores.max(axis=1) - scores[np.arange(len(scores)), labels]
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    worst = wrong[np.argsort(-behind[wrong], kind="stable")[:24]]
    return {"mistake_images": data.x_eval[worst], "mistake_indices": worst}


def samples(data):
    """Return the first two images of each class, to show a kept model without the data."""
    labels = data.y_eval
    rows = np.concatenate([np.flatnonzero(labels == k)[:2] for k in np.unique(labels)])
    return {"sample_images": data.x_eval[rows], "sample_labels": labels[rows].astype(np.uint8)}


def examples(training, data):
    """Return the images that tell most of a finished run with several labels an image.

    `examples` int [M] are their places in the evaluation data, `example_images` are encoded, and
    `example_saliency` float16, if the model has it, is that of `helpers.networks.probes`.
    """
    places = select_examples(training.scores(), data.y_eval)
    kept = {"examples": places, "example_images": encode_images(data.x_eval[places])}
    saliency = training.saliency(places)
    return kept if saliency is None else kept | {"example_saliency": saliency.astype(np.float16)}


def select_examples(logits, targets, each=2, doubtful=10):
    """Choose the images that tell most of a model's predictions, logits [N, K] to targets [N, K].

    Places int [M], each once: first the most confident false alarms, then the most confident
    misses, then the most confident hits on images that are all right, at most `each` of a kind and
    class; last the `doubtful` ones with a logit closest to 0. Class by class, since otherwise the
    class that a model predicts most often would take every place.
    """
    logits, there = np.asarray(logits, dtype=np.float64), np.asarray(targets) > 0.5
    right = ((logits > 0) == there).all(axis=1, keepdims=True)
    kinds = (
        np.where(~there & (logits > 0), logits, -np.inf),
        np.where(there & (logits <= 0), -logits, -np.inf),
        np.where(there & right, logits, -np.inf),
    )
    chosen = [place for worth in kinds for column in worth.T for place in largest(column, each)]
    chosen += largest(-np.abs(logits).min(axis=1), doubtful)
    return np.array(list(dict.fromkeys(chosen)), dtype=int)


def largest(worth, most):
    """Return the places of the largest values [N], at most `most`, without those of -inf."""
    order = np.argsort(-np.asarray(worth), kind="stable")[:most]
    return [int(place) for place in order if np.isfinite(worth[place])]


def encode_images(images):
    """Return images uint8 [M, S, S, 3] as one compressed picture, uint8 [bytes]."""
    images = np.asarray(images)
    buffer = io.BytesIO()
    tower = Image.fromarray(images.reshape(-1, *images.shape[2:]))
    tower.save(buffer, format="WEBP", quality=75, method=6)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)


def decode_images(picture):
    """Return the images [M, S, S, 3] of `encode_images`, as they look after the compression."""
    with Image.open(io.BytesIO(np.asarray(picture, dtype=np.uint8).tobytes())) as tower:
        pixels = np.asarray(tower.convert("RGB"))
    return pixels.reshape(-1, pixels.shape[1], pixels.shape[1], 3)
