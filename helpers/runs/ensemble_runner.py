"""Makes the recorded ensembles of practice 5, and gives the trained networks back."""

import numpy as np
import torch

from helpers.data.datasets import LIMITS, Dataset, checksum, half_moons, plane_grid
from helpers.networks.ensemble import (
    ACTIVATION_PAIRS,
    PIECEWISE_LINEAR,
    EnsembleTrainer,
    MLPEnsemble,
    linear_regions,
)
from helpers.runs import records
from helpers.runs.catalogue.mlps import HALF_MOONS_SEED
from helpers.runs.records import FIT, EnsembleRecord
from helpers.runs.runner import Clock, made, progress

HELD_OUT = 10_000
HELD_OUT_SEED = 1_000_000 + HALF_MOONS_SEED  # no training points have it
REGION_SEEDS = 20  # networks whose linear regions are counted
#: Width between two poles, and where the first is, in units of the width.
POLES = {"tan": (np.pi, 0.5), "reciprocal": (np.inf, 0.0)}


def load_points(ensemble):
    """Return the `Dataset` of an ensemble; where each network has its own points, `x` [R, N, 2]."""
    name = f"half-moons n={ensemble.n} noise={ensemble.noise}"
    if ensemble.data_seed is None:
        seeds = range(HALF_MOONS_SEED, HALF_MOONS_SEED + ensemble.seeds)
        drawn = [half_moons(ensemble.n, ensemble.noise, seed) for seed in seeds]
        x, y = (np.stack(part) for part in zip(*drawn, strict=True))
    else:
        x, y = half_moons(ensemble.n, ensemble.noise, ensemble.data_seed)
        name += f" seed={ensemble.data_seed}"
    arrays = x, y, *half_moons(HELD_OUT, ensemble.noise, HELD_OUT_SEED)
    return Dataset(*arrays, name, checksum(arrays))


def branches(name, z):
    """Tell, for each pre-activation, between which two poles it lies."""
    width, first = POLES[name]
    return torch.sign(z) if np.isinf(width) else torch.floor(z / width + first)


class History:
    """Collects the medians over seeds at some 40 iterations of a training, most of them early."""

    def __init__(self, training, ensemble):
        self.training, self.ensemble, self.lists, self.before = training, ensemble, {}, None
        self.at = {0, *np.geomspace(1, ensemble.iterations, 40).round().astype(int).tolist()}
        grid = plane_grid(*LIMITS, step=0.05)[0]
        self.grid = torch.tensor(grid, dtype=torch.float32)

    def add(self):
        """Look at the training after a step; log what belongs into the history."""
        training, crossed = self.training, self._crossings()
        step = training.iteration - 1
        if step not in self.at:
            return
        entry = {"iteration": step, "loss": training.loss, "accuracy": training.accuracy}
        entry |= {f"gradient_{i}": norm for i, norm in enumerate(training.gradient_norms(), 1)}
        for name, values in (entry | crossed | self._regions()).items():
            self.lists.setdefault(name, []).append(_median(values))

    def _crossings(self):
        """Return the share of each layer's pre-activations that the step took across a pole."""
        if self.ensemble.activation_pair not in POLES or self.ensemble.frozen:
            return {}
        with torch.no_grad():
            layers = self.training.networks.hidden(self.training.x)
            now = [branches(self.ensemble.activation_pair, z) for z in layers]
        before, self.before = self.before or now, now
        return {
            f"crossings_{layer + 1}": (now[layer] != before[layer]).float().mean()
            for layer in range(2)
        }

    def _regions(self):
        if self.ensemble.activation_pair not in PIECEWISE_LINEAR or not self.ensemble.keep:
            return {}
        networks = self.training.networks.only(*range(min(REGION_SEEDS, self.ensemble.seeds)))
        found = linear_regions(networks, self.grid)
        return {"regions": torch.tensor([len(row.unique()) for row in found]).float()}


def _median(values):
    """Return the median as a float that JSON can hold, None where it is not finite."""
    if isinstance(values, int):
        return values
    middle = float(np.median(values.numpy()))
    return float(f"{middle:.6g}") if np.isfinite(middle) else None


def run(ensemble, folder=records.RUNS, title=None):
    """Train an `Ensemble` with a progress bar, write its record, and return it."""
    commit, clock, data = records.source_commit(), Clock(), load_points(ensemble)
    machine = records.environment() | {"threads": torch.get_num_threads()}
    x, y, x_eval, y_eval = (
        torch.tensor(part, dtype=torch.float32)
        for part in (data.x, data.y, data.x_eval, data.y_eval)
    )
    networks = MLPEnsemble(ensemble.pair, range(ensemble.seeds), ensemble.width)
    training = EnsembleTrainer(
        networks, x, y, ensemble.learning_rate, ensemble.frozen, ensemble.clip
    )
    history = History(training, ensemble)
    fitted, broke = [None] * ensemble.seeds, [None] * ensemble.seeds
    for step in progress(title, iterable=range(ensemble.iterations), unit="step"):
        training.step()
        _first(fitted, training.accuracy >= FIT, step)
        _first(broke, ~training.loss.isfinite(), step)
        history.add()
    with torch.no_grad():
        accuracy = networks.accuracy(x, training.y)
        parts = zip(x_eval.split(2000), y_eval.split(2000), strict=True)  # to save memory
        held_out = torch.stack([networks.accuracy(*part) for part in parts]).mean(0)
    _first(fitted, accuracy >= FIT, ensemble.iterations)
    record = EnsembleRecord(
        **made(ensemble, data, clock, machine, [commit]), history=history.lists,
        parameters=sum(part[0].numel() for part in training.trained),
        train_accuracy=_rounded(accuracy), held_out_accuracy=_rounded(held_out),
        first_fit_step=fitted, first_nan_step=broke,
    )  # fmt: skip
    if ensemble.keep:
        kept = {str(i): part.detach().numpy() for i, part in enumerate(networks.weights)}
        path = records.arrays_path(*record.place, folder)
        records.write_atomically(path, lambda file: np.savez_compressed(file, **kept))
    records.write(record, folder)
    return record


def _first(places, reached, step):
    """Note the step for the seeds that have reached something for the first time."""
    for seed in torch.nonzero(reached).flatten().tolist():
        if places[seed] is None:
            places[seed] = step


def _rounded(values):
    return [round(value, 5) for value in values.tolist()]


# ----------------------------------------------------------------------- the trained networks


def trained_weights(activation_pair, folder=records.RUNS):
    """Return the recorded weights of all seeds, as `MLPEnsemble.weights`, or raise RecordError."""
    name = f"activation-{activation_pair}/plain"
    arrays = records.read_arrays(name, "full", None, folder)
    return [arrays[i] for i in "012345"]


def trained_ensemble(activation_pair, seed=None, folder=records.RUNS):
    """Return a recorded network of a pair of activations, all of them if no seed is given."""
    networks = MLPEnsemble(ACTIVATION_PAIRS[activation_pair], [0])
    networks.weights = [torch.tensor(part) for part in trained_weights(activation_pair, folder)]
    return networks if seed is None else networks.only(int(seed))
