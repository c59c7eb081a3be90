"""Records of practice 5: one JSON file for a batch of networks, one list entry a seed.

Kept and read as `helpers.runs.records` does with single runs: written whole or not at all, read
with suspicion.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch

from helpers.analysis.stats import mean_interval, wilson
from helpers.networks.ensemble import ACTIVATION_PAIRS, MLPEnsemble
from helpers.runs import records
from helpers.runs.catalogue.activations import STUDIES
from helpers.runs.records import RecordError

SCHEMA = 1
FIT = 0.99  # of the training points right: the network fits


@dataclass
class Batch:
    """What one batch of networks was and what came of it.

    Attributes
    ----------
    study, config : its name in `STUDIES`, and the whole configuration.
    data, data_checksum, environment, commit, wall_seconds, cpu_seconds : as in
        `helpers.runs.records.Record`.
    parameters : how many numbers were trained, of one network.
    train_accuracy, held_out_accuracy : at the end; one entry a seed.
    fitted_at : the first iteration with `FIT` of the training points right, or None.
    broke_at : the first iteration whose loss was not finite, or None.
    history : per logged iteration; medians over the seeds, None where not finite.
    complete, schema : as in `helpers.runs.records.Record`.
    """

    study: str
    config: dict
    data: str
    data_checksum: str
    parameters: int
    environment: dict
    commit: str
    wall_seconds: float
    cpu_seconds: float
    train_accuracy: list
    held_out_accuracy: list
    fitted_at: list
    broke_at: list
    history: dict = field(default_factory=dict)
    complete: bool = False
    schema: int = SCHEMA

    @property
    def fits(self):
        """Which networks fit at the end, ndarray of bool [R]."""
        return np.array(self.train_accuracy) >= FIT

    @property
    def share(self):
        """The share of the seeds that fit, with Wilson's interval."""
        return wilson(int(self.fits.sum()), len(self.fits))

    @property
    def held_out(self):
        """The mean held-out accuracy of all seeds, with Student's interval."""
        return mean_interval(self.held_out_accuracy)

    @property
    def broken(self):
        """How many networks' loss stopped being finite."""
        return sum(at is not None for at in self.broke_at)


def batch_path(name, folder=records.RUNS):
    """Return where the record of a study belongs."""
    return Path(folder) / f"{name}.json"


def write(batch, folder=records.RUNS):
    """Write a record where it belongs, one list a line, and return its path."""
    text = ",\n".join(
        f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in asdict(batch).items()
    )
    path = batch_path(batch.study, folder)
    records.write_atomically(path, lambda file: file.write(f"{{\n{text}\n}}\n".encode()))
    return path


def recorded(combination, setting="plain", folder=records.RUNS):
    """Return the record of a study.

    Parameters
    ----------
    combination, setting : str
        As in `helpers.runs.catalogue.activations.Study`.
    folder : Path
        Where the records are.

    Returns
    -------
    Batch

    Raises
    ------
    RecordError
        If there is no such study, or its record is missing, incomplete, cut, of another schema
        version, or made by another configuration than the one listed.
    """
    name = f"activation-{combination}/{setting}"
    if name not in STUDIES:
        raise RecordError(
            f"unknown study {name!r}: python -m helpers.runs.ensemble_runner list shows them all"
        )
    batch = _read(name, folder)
    listed = STUDIES[name].as_json()
    changed = sorted(
        key for key in listed.keys() | batch.config.keys()
        if listed.get(key) != batch.config.get(key)
    )  # fmt: skip
    anew = f"record it anew with python -m helpers.runs.ensemble_runner run {name}"
    if changed:
        listed = ", ".join(changed)
        raise RecordError(
            f"runs/{name}.json was made by another configuration than the one listed ({listed}): "
            f"{anew}"
        )
    if not batch.complete:
        raise RecordError(f"runs/{name}.json is incomplete: {anew}")
    lists = (batch.train_accuracy, batch.held_out_accuracy, batch.fitted_at, batch.broke_at)
    if {len(values) for values in lists} != {batch.config["seeds"]}:
        raise RecordError(f"runs/{name}.json has not one entry for each seed: {anew}")
    records.note(name, *range(batch.config["seeds"]))
    return batch


def _read(name, folder):
    anew = f"record it with python -m helpers.runs.ensemble_runner run {name}"
    try:
        content = json.loads(batch_path(name, folder).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"runs/{name}.json is missing: {anew}") from error
    except (OSError, ValueError) as error:
        raise RecordError(f"runs/{name}.json cannot be read as JSON ({error}): {anew}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise RecordError(
            f"runs/{name}.json is not a record of schema version {SCHEMA}: use the matching "
            f"version of the code, or {anew}"
        )
    if odd := set(content) ^ {entry.name for entry in fields(Batch)}:
        listed = ", ".join(sorted(odd))
        raise RecordError(
            f"runs/{name}.json does not have the fields of a record: look at {listed}"
        )
    return Batch(**content)


def weights_path(name, folder=records.RUNS):
    """Return where the trained weights of a study belong."""
    return Path(folder) / f"{name}.npz"


def trained_weights(combination, folder=records.RUNS):
    """Return the trained weights of all seeds of a combination, as `MLPEnsemble.weights`.

    Returns
    -------
    list of ndarray of float32

    Raises
    ------
    RecordError
        If they are missing.
    """
    name = f"activation-{combination}/plain"
    try:
        with np.load(weights_path(name, folder), allow_pickle=False) as arrays:
            return [arrays[str(i)] for i in range(len(arrays.files))]
    except (OSError, ValueError, KeyError) as error:
        raise RecordError(
            f"runs/{name}.npz is missing or damaged: record it anew with "
            f"python -m helpers.runs.ensemble_runner run {name}"
        ) from error


def one_trained(combination, seed=None, folder=records.RUNS):
    """Return a recorded network of a combination, all of them if no seed is given.

    Returns
    -------
    helpers.networks.ensemble.MLPEnsemble
    """
    networks = MLPEnsemble(ACTIVATION_PAIRS[combination], [0])
    networks.weights = [torch.tensor(part) for part in trained_weights(combination, folder)]
    return networks if seed is None else networks.only(int(seed))
