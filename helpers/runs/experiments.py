"""The recorded runs: list them, run them, and read them back.

    python -m helpers.runs.experiments list
    python -m helpers.runs.experiments run mnist-published --seeds 0-2 --resume
    python -m helpers.runs.experiments run 'tenth-*' --resume

The list itself stands in `helpers.runs.registry`.
"""

import argparse
import fnmatch
import sys

from threadpoolctl import threadpool_limits
from tqdm import tqdm
from tqdm.auto import tqdm as notebook_tqdm

from helpers.data.datasets import DataNotPrepared
from helpers.runs import records, runner
from helpers.runs.commands import exit_status, whole_number
from helpers.runs.records import RecordError
from helpers.runs.registry import EXPERIMENTS, SCALES
from helpers.training.config import NoSuchDevice, TrainConfig

# ---------------------------------------------------------------------- reading back


class UnknownExperiment(KeyError):
    """There is no experiment of that name; the message says how to list them."""


def find(name):
    """Return the experiment of that name, or raise `UnknownExperiment`."""
    if name not in EXPERIMENTS:
        raise UnknownExperiment(
            f"unknown experiment {name!r}: python -m helpers.runs.experiments list shows them all"
        )
    return EXPERIMENTS[name]


def recorded(name, scale="full", folder=records.RUNS):
    """Return the records of all listed seeds of an experiment.

    Parameters
    ----------
    name : str
        A key of `helpers.runs.registry.EXPERIMENTS`.
    scale : {"full", "embedded"}
    folder : Path
        Where the records are.

    Returns
    -------
    list of helpers.runs.records.Record

    Raises
    ------
    UnknownExperiment
        If there is no such experiment.
    RecordError
        If a record is missing, incomplete, or was made by another configuration than the one
        listed.
    """
    experiment = find(name)
    if not experiment.seeds_at(scale):
        (other,) = set(SCALES) - {scale}
        raise RecordError(
            f"{name} lists no seeds at {scale} scale: recorded({name!r}, {other!r}) reads others"
        )
    return [_checked(experiment, scale, seed, folder) for seed in experiment.seeds_at(scale)]


def _checked(experiment, scale, seed, folder):
    path = records.record_path(experiment.name, scale, seed, folder)
    place = f"runs/{experiment.name}/{path.name}"
    anew = f"python -m helpers.runs.experiments run {experiment.name} --seeds {seed}"
    anew += "" if scale == "full" else f" --scale {scale}"
    if not path.exists():
        raise RecordError(f"{place} is missing: record it with {anew}")
    record = records.read(path)
    if (record.experiment, record.scale, record.seed) != (experiment.name, scale, seed):
        raise RecordError(f"{place} is the record of another run: restore it, or {anew}")
    if not record.complete:
        raise RecordError(f"{place} is incomplete: {anew} --resume")
    listed = experiment.as_json()
    if record.config != listed:
        changed = sorted(
            key for key in listed.keys() | record.config.keys()
            if listed.get(key) != record.config.get(key)
        )  # fmt: skip
        raise RecordError(
            f"{place} was made by another configuration than the one listed "
            f"({', '.join(changed)}): {anew}"
        )
    return record


# ------------------------------------------------------------------------ in a notebook


def train(name, seed=0, scale="embedded"):
    """Train one run of an experiment with a progress bar, and write nothing.

    Parameters
    ----------
    name : str
        A key of `helpers.runs.registry.EXPERIMENTS`.
    seed : int
    scale : {"full", "embedded"}

    Returns
    -------
    helpers.training.numpy_trainer.NumpyTrainer
        Finished; its `history` and `network` are there to look at.
    """
    experiment = find(name)
    training = runner.prepare(experiment, scale, seed)[0]
    with notebook_tqdm(total=experiment.config.epochs, unit="epoch") as bar:
        while not training.done:
            training.run_epoch()
            bar.update()
    return training


# ---------------------------------------------------------------------- command line


def parse_seeds(text):
    """Turn "0-4" or "0,2,7" into a list of seeds."""
    try:
        seeds = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            seeds += range(int(first), int(last or first) + 1)
    except ValueError:
        seeds = []
    if not seeds:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of seeds such as 0-4 or 0,2,7")
    return seeds


def names_of(patterns, scale):
    """Return the names of the experiments that some patterns stand for, at one scale.

    Raises
    ------
    UnknownExperiment
        If a pattern stands for none.
    """
    names = {}
    for pattern in patterns:
        found = [n for n in fnmatch.filter(EXPERIMENTS, pattern) if EXPERIMENTS[n].seeds_at(scale)]
        if not found:
            (other,) = set(SCALES) - {scale}
            there = any(
                EXPERIMENTS[n].seeds_at(other) for n in fnmatch.filter(EXPERIMENTS, pattern)
            )
            raise UnknownExperiment(
                f"there is no experiment {pattern!r} at {scale} scale: "
                + (f"it has runs with --scale {other}; " if there else "")
                + f"python -m helpers.runs.experiments list --scale {scale} shows them all"
            )
        names |= dict.fromkeys(found)
    return list(names)


def list_experiments(scale):
    """Print every experiment of a scale with how many of its seeds are recorded."""
    names = names_of(["*"], scale)
    width = max(map(len, names))
    for experiment in map(find, names):
        seeds = experiment.seeds_at(scale)
        have = sum(_is_recorded(experiment, scale, seed) for seed in seeds)
        print(f"{experiment.name:{width}}  {have:2}/{len(seeds)} recorded  {experiment.about}")


def _is_recorded(experiment, scale, seed):
    try:
        _checked(experiment, scale, seed, records.RUNS)
    except RecordError:
        return False
    return True


def run_all(names, scale, seeds, resume, device):
    """Run experiments, all listed seeds or those given; with `resume` skip what is recorded."""
    wanted = [
        (EXPERIMENTS[name], seed)
        for name in names
        for seed in (seeds if seeds is not None else EXPERIMENTS[name].seeds_at(scale))
    ]
    todo = [run for run in wanted if not (resume and _is_recorded(run[0], scale, run[1]))]
    for number, (experiment, seed) in enumerate(todo, start=1):
        title = f"[{number}/{len(todo)}] {experiment.name} seed {seed}"
        with tqdm(total=experiment.config.epochs, desc=title, unit="epoch", disable=None) as bar:

            def show(training, bar=bar):
                bar.update(training.epoch - bar.n)

            record = runner.run(
                experiment, scale, seed, resume=resume, after_epoch=show, device=device
            )
        if record.diverged:
            epoch = record.history["epoch"][-1]
            print(f"  the loss stopped being finite in epoch {epoch}; recorded as such")
        else:
            print(
                f"  {experiment.name}, seed {seed}: accuracy {record.metrics['eval_accuracy']:.4f}"
            )
    if skipped := len(wanted) - len(todo):
        print(f"{skipped} were recorded already; without --resume they are made again")
    print(f"{len(todo)} runs made; their records are in runs/")


def limit_threads(names, threads):
    """Let PyTorch, too, use no more than so many threads, if any of the runs needs it."""
    if threads and any(isinstance(EXPERIMENTS[name].config, TrainConfig) for name in names):
        import torch  # here: the NumPy experiments need not wait for torch

        torch.set_num_threads(threads)


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.runs.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("list", "run"):
        sub = commands.add_parser(command)
        sub.add_argument("--scale", choices=SCALES, default="full")
    sub.add_argument("names", nargs="*", help="names, or patterns such as 'tenth-*'")
    sub.add_argument("--all", action="store_true", help="every experiment")
    sub.add_argument("--seeds", type=parse_seeds, help="such as 0-4; default: those listed")
    sub.add_argument("--resume", action="store_true",
                     help="skip what is recorded, continue from checkpoints")  # fmt: skip
    sub.add_argument(
        "--threads", type=whole_number(), help="of the linear algebra library; default: all"
    )
    sub.add_argument("--device", default="auto", help="of PyTorch models: cpu, cuda or auto")
    options = parser.parse_args(arguments)

    def act():
        if options.command == "list":
            list_experiments(options.scale)
            return
        patterns = ["*"] if options.all else options.names
        if not patterns:
            parser.error("name an experiment, or say --all")
        names = names_of(patterns, options.scale)
        with threadpool_limits(options.threads):
            limit_threads(names, options.threads)
            run_all(names, options.scale, options.seeds, options.resume, options.device)

    errors = (
        UnknownExperiment, DataNotPrepared, RecordError, runner.CheckpointError, NoSuchDevice
    )  # fmt: skip
    return exit_status(act, errors, "what was recorded before", "stopped; go on with --resume")


if __name__ == "__main__":
    sys.exit(main())
