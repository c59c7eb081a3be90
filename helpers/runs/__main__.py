"""The recorded runs of all five practices: list them, make them, make them again to compare.

    python -m helpers.runs list
    python -m helpers.runs run mnist-published --seeds 0-2 --resume
    python -m helpers.runs run 'tenth-*' --resume
    python -m helpers.runs verify                                 # quick ones
    python -m helpers.runs verify tenth-reference --seeds 0-2

What there is to run stands in `helpers.runs.catalogue`.
"""

import argparse
import contextlib
import sys
from statistics import median

from helpers.data.datasets import DataNotPrepared
from helpers.runs import experiments, records, runner, verify
from helpers.runs.experiments import SCALES, Measurement, UnknownExperiment, matching
from helpers.runs.records import RecordError, command_line, exit_status
from helpers.training.config import NoSuchDevice

ERRORS = (UnknownExperiment, DataNotPrepared, RecordError, runner.CheckpointError, NoSuchDevice)


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


def number_of_threads(text):
    """Turn text into a whole number from 1 on."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def on_file(experiment, scale, seeds, folder=records.RUNS):
    """Return those of some records that are there and can be used."""
    found = []
    for seed in seeds:
        with contextlib.suppress(RecordError):
            found.append(experiments.recorded_run(experiment, scale, seed, folder))
    return found


def list_all(patterns, scale=None, folder=records.RUNS):
    """Print what there is, how much of it is recorded, and the seconds that a run took."""
    listed = matching(patterns or ["*"], scale)
    width = max(len(experiment.name) for experiment in listed)
    for experiment in listed:
        for at in filter(experiment.seeds_at, [scale] if scale else SCALES):
            seeds, measured = experiment.seeds_at(at), isinstance(experiment, Measurement)
            found = on_file(experiment, at, seeds, folder)
            seconds = [r["wall_seconds"] if measured else r.wall_seconds for r in found]
            took = f"{median(seconds):,.0f} s a run" if found else "-"
            mark = ", verified by default" if experiment.name in verify.QUICK else ""
            print(f"{experiment.name:{width}}  {at:8}  {len(found):2}/{len(seeds)} recorded  "
                  f"{took:>16}  {experiment.label}{mark}")  # fmt: skip


def run_all(listed, options, folder=records.RUNS):
    """Make runs, of all listed seeds or those given; with `--resume` skip what is recorded."""
    scale, wanted = options.scale, []
    for experiment in listed:
        seeds = experiment.seeds_at(scale)
        seeds = options.seeds if options.seeds and None not in seeds else seeds
        wanted += [(experiment, seed) for seed in seeds]
    todo = [
        (experiment, seed) for experiment, seed in wanted
        if not (options.resume and on_file(experiment, scale, [seed], folder))
    ]  # fmt: skip
    for number, (experiment, seed) in enumerate(todo, start=1):
        title = f"[{number}/{len(todo)}] {experiment.name}"
        # An ensemble's tensors are small: a second thread costs more than it brings.
        with runner.limited_threads(options.threads or (1 if seed is None else None)):
            if isinstance(experiment, Measurement):
                print(title, flush=True)
                path = records.record_path(experiment.name, scale, seed, folder)
                records.write_json(experiment.functions.measure(), path)
                continue
            record = runner.run_with_bar(
                experiment, scale, seed, title + ("" if seed is None else f" seed {seed}"),
                runs=folder, resume=options.resume, device=options.device,
            )  # fmt: skip
        print(f"  {experiment.name}: {outcome(record)}", flush=True)
    if skipped := len(wanted) - len(todo):
        print(f"{skipped} were recorded already; without --resume they are made again")
    print(f"{len(todo)} records made; they are in {records.display(folder)}/")


def outcome(record):
    """Say in a few words what a run came to."""
    if isinstance(record, records.EnsembleRecord):
        return f"{record.fits.mean():.1%} of the networks fit"
    if record.diverged:
        epoch = record.history["epoch"][-1]
        return f"the loss stopped being finite in epoch {epoch}; recorded as such"
    return f"seed {record.seed}, accuracy {record.metrics['eval_accuracy']:.4f}"


def parsed(arguments):
    """Return what the command line asks for."""
    parser = command_line("python -m helpers.runs", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, what in (("list", __doc__), ("run", __doc__), ("verify", verify.__doc__)):
        sub = commands.add_parser(
            command, description=what, formatter_class=parser.formatter_class
        )
        sub.add_argument("names", nargs="*", help="names, or patterns such as 'tenth-*'")
        sub.add_argument("--scale", choices=SCALES, default="full" if command == "run" else None)
        if command == "list":
            continue
        sub.add_argument("--seeds", type=parse_seeds, help="such as 0-4; default: those listed, "
                         "of verify the first")  # fmt: skip
        sub.add_argument("--device", default="auto" if command == "run" else "cpu",
                         help="of PyTorch models: cpu, cuda, mps or auto")  # fmt: skip
        if command == "run":
            sub.add_argument("--all", action="store_true", help="every experiment")
            sub.add_argument("--resume", action="store_true",
                             help="skip what is recorded, continue from checkpoints")  # fmt: skip
            sub.add_argument("--threads", type=number_of_threads,
                             help="of the linear algebra library; default: all")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.command == "run" and not (options.names or options.all):
        parser.error("name an experiment, or say --all")
    return options


def main(arguments=None, folder=records.RUNS):
    """Run the command line; return the exit status."""
    options = parsed(arguments)

    def act():
        if options.command == "list":
            list_all(options.names, options.scale, folder)
        elif options.command == "verify":
            checks = verify.checks_of(options.names or verify.QUICK, options.scale, options.seeds)
            return verify.verify_all(checks, options.device, folder)
        else:
            names = matching(["*"] if options.all else options.names, options.scale)
            run_all(names, options, folder)

    stopped = "stopped; go on with --resume" if options.command == "run" else "stopped"
    return exit_status(act, ERRORS, "what was recorded before", stopped)


if __name__ == "__main__":
    sys.exit(main())
