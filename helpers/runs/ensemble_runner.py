"""Makes the recorded batches of practice 5, and lists them.

python -m helpers.runs.ensemble_runner list
python -m helpers.runs.ensemble_runner run 'activation-relu/*' --resume
python -m helpers.runs.ensemble_runner run --all --resume
"""

import argparse
import fnmatch
import sys
import time

import numpy as np
import torch
from tqdm import tqdm

from helpers.data.datasets import checksum, half_moons
from helpers.data.moons import LIMITS, plane_grid
from helpers.networks.ensemble import (
    PIECEWISE_LINEAR,
    EnsembleTrainer,
    MLPEnsemble,
    count_linear_regions,
)
from helpers.runs import records
from helpers.runs.catalogue.activations import HALF_MOONS_SEED, STUDIES
from helpers.runs.commands import exit_status
from helpers.runs.ensemble_records import FIT, Batch, recorded, weights_path, write
from helpers.runs.records import RecordError

HELD_OUT = 10_000
HELD_OUT_SEED = 1_000_000 + HALF_MOONS_SEED  # no training points have it
REGION_SEEDS = 20  # networks whose linear regions are counted
#: Width between two poles, and where the first is, in units of the width.
POLES = {"tan": (np.pi, 0.5), "reciprocal": (np.inf, 0.0)}


def points(study):
    """Return a study's training points and the held-out points.

    Returns
    -------
    x, y : ndarray [N, 2], [N], or [R, N, 2], [R, N] where each network has its own
    x_held_out, y_held_out : ndarray [10000, 2], [10000]
    """
    if study.data_seed is None:
        drawn = [
            half_moons(study.n, study.noise, HALF_MOONS_SEED + seed) for seed in range(study.seeds)
        ]
        x, y = (np.stack(part) for part in zip(*drawn, strict=True))
    else:
        x, y = half_moons(study.n, study.noise, study.data_seed)
    return x, y, *half_moons(HELD_OUT, study.noise, HELD_OUT_SEED)


def logged(iterations):
    """Return the iterations whose figures are logged: dense at first, about 40 in all."""
    return sorted({0, *np.geomspace(1, iterations, 40).round().astype(int).tolist()})


def branches(name, z):
    """Tell, for each pre-activation, between which two poles it lies."""
    width, first = POLES[name]
    return torch.sign(z) if np.isinf(width) else torch.floor(z / width + first)


class History:
    """Collects the medians over seeds at the logged iterations of a training."""

    def __init__(self, training, study):
        self.training, self.study = training, study
        self.at, self.lists, self.before = set(logged(study.iterations)), {}, None
        grid = plane_grid(*LIMITS, step=0.05)[0]
        self.grid = torch.tensor(grid, dtype=torch.float32)

    def add(self):
        """Look at the training after a step; log what belongs into the history."""
        step = self.training.iteration - 1
        crossed = self._crossings()
        if step not in self.at:
            return
        entry = {"iteration": step, "loss": self.training.loss}
        entry["accuracy"] = self.training.accuracy
        norms = self.training.gradient_norms()
        entry |= {f"gradient_{layer + 1}": norms[layer] for layer in range(3)}
        entry |= crossed | self._regions()
        for name, values in entry.items():
            self.lists.setdefault(name, []).append(_median(values))

    def _crossings(self):
        """Return the share of each layer's pre-activations that the step took across a pole."""
        if self.study.combination not in POLES or self.study.frozen:
            return {}
        with torch.no_grad():
            layers = self.training.networks.hidden(self.training.x)
            now = [branches(self.study.combination, z) for z in layers]
        before, self.before = self.before or now, now
        return {
            f"crossings_{layer + 1}": (now[layer] != before[layer]).float().mean()
            for layer in range(2)
        }

    def _regions(self):
        if self.study.combination not in PIECEWISE_LINEAR or not self.study.keep:
            return {}
        networks = self.training.networks.only(*range(min(REGION_SEEDS, self.study.seeds)))
        return {"regions": count_linear_regions(networks, self.grid).float()}


def _median(values):
    """Return the median as a float that JSON can hold, None where it is not finite."""
    if isinstance(values, int):
        return values
    middle = float(np.median(values.numpy()))
    return float(f"{middle:.6g}") if np.isfinite(middle) else None


@torch.no_grad()
def held_out_accuracy(networks, x, y, part=2000):
    """Return each network's accuracy [R] on points [N, 2], a part at a time to save memory."""
    shares = [
        networks.accuracy(some, labels) * len(some)
        for some, labels in zip(x.split(part), y.split(part), strict=True)
    ]
    return torch.stack(shares).sum(0) / len(x)


def run(study, folder=records.RUNS, progress=None):
    """Train a study's networks all at once, and write the record.

    Parameters
    ----------
    study : Study
    folder : Path
        Where records go.
    progress : callable, optional
        Called after every step.

    Returns
    -------
    Batch
    """
    commit, wall, cpu = records.source_commit(), time.perf_counter(), time.process_time()
    arrays = points(study)
    x, y, x_out, y_out = (torch.tensor(part, dtype=torch.float32) for part in arrays)
    networks = MLPEnsemble(study.parts, range(study.seeds), study.width)
    training = EnsembleTrainer(networks, x, y, study.learning_rate, study.frozen, study.clip)
    history = History(training, study)
    fitted, broke = [None] * study.seeds, [None] * study.seeds
    for step in range(study.iterations):
        training.step()
        _first(fitted, training.accuracy >= FIT, step)
        _first(broke, ~training.loss.isfinite(), step)
        history.add()
        if progress:
            progress()
    with torch.no_grad():
        accuracy = networks.accuracy(x, training.y)
    _first(fitted, accuracy >= FIT, study.iterations)
    name = f"half-moons n={study.n} noise={study.noise}"
    batch = Batch(
        study=study.name,
        config=study.as_json(),
        data=name + (f" seed={study.data_seed}" if study.data_seed is not None else ""),
        data_checksum=checksum(arrays),
        parameters=sum(part[0].numel() for part in training.trained),
        environment=records.environment() | {"threads": torch.get_num_threads()},
        commit=commit,
        wall_seconds=round(time.perf_counter() - wall, 3),
        cpu_seconds=round(time.process_time() - cpu, 3),
        train_accuracy=_rounded(accuracy),
        held_out_accuracy=_rounded(held_out_accuracy(networks, x_out, y_out)),
        fitted_at=fitted,
        broke_at=broke,
        history=history.lists,
        complete=True,
    )
    if study.keep:
        kept = {str(i): part.detach().numpy() for i, part in enumerate(networks.weights)}
        records.write_atomically(
            weights_path(study.name, folder), lambda file: np.savez_compressed(file, **kept)
        )
    write(batch, folder)
    return batch


def _first(places, reached, step):
    """Note the step for the seeds that have reached something for the first time."""
    for seed in torch.nonzero(reached).flatten().tolist():
        if places[seed] is None:
            places[seed] = step


def _rounded(values):
    return [round(value, 5) for value in values.tolist()]


# ---------------------------------------------------------------------- command line


def is_recorded(name):
    """Whether the record of a study is there and can be used."""
    try:
        recorded(*name.removeprefix("activation-").split("/"))
    except RecordError:
        return False
    return True


def names_of(patterns):
    """Return the names of the studies that some patterns stand for, or raise RecordError."""
    names = {}
    for pattern in patterns:
        found = fnmatch.filter(STUDIES, pattern)
        if not found:
            raise RecordError(
                f"there is no study {pattern!r}: python -m helpers.runs.ensemble_runner list shows "
                "them all"
            )
        names |= dict.fromkeys(found)
    return list(names)


def run_all(names, resume):
    """Make the batches of some studies; with `resume` only those that are not recorded."""
    todo = [name for name in names if not (resume and is_recorded(name))]
    for number, name in enumerate(todo, start=1):
        study = STUDIES[name]
        title = f"[{number}/{len(todo)}] {name}"
        with tqdm(total=study.iterations, desc=title, unit="step", disable=None) as bar:
            batch = run(study, progress=bar.update)
        print(f"{name}: {batch.share:.1%} fit, {batch.wall_seconds:.0f} s", flush=True)
    print(f"{len(todo)} batches made; their records are in runs/")


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.runs.ensemble_runner",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    sub = commands.add_parser("run")
    sub.add_argument("names", nargs="*", help="names, or patterns such as 'activation-relu/*'")
    sub.add_argument("--all", action="store_true", help="every study")
    sub.add_argument("--resume", action="store_true", help="skip what is recorded")
    options = parser.parse_args(arguments)
    if options.command == "list":
        for name in STUDIES:
            print(f"{'recorded' if is_recorded(name) else 'missing ':8}  {name}")
        return 0
    patterns = ["*"] if options.all else options.names
    if not patterns:
        parser.error("name a study, or say --all")
    # The tensors are small: a second thread would cost more than it brings.
    torch.set_num_threads(1)
    return exit_status(
        lambda: run_all(names_of(patterns), options.resume), (RecordError,),
        "what was recorded before", "stopped; go on with --resume",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
