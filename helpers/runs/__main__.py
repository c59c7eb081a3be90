"""The recorded runs of all five practices: list them, make them, make them again to compare.

    python -m helpers.runs list
    python -m helpers.runs run mnist-published --seeds 0-2 --resume
    python -m helpers.runs run 'tenth-*' --resume
    python -m helpers.runs verify                                 # quick ones
    python -m helpers.runs verify tenth-reference --seeds 0-2

What there is to run stands in `helpers.runs.catalogue`.
"""
# ruff: noqa: E402 - Ctrl-C is heeded before the libraries are loaded, which takes seconds

import os
import signal
import sys


def _stop(*_):
    os.write(2, b"\nstopped\n")
    os._exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _stop)

import contextlib
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from scipy import stats

from data_prep.errors import PrepError
from helpers.data.datasets import SCALES, DataNotPrepared
from helpers.runs import experiments, records, runner
from helpers.runs.experiments import UnknownExperiment, matching
from helpers.runs.records import EnsembleRecord, RecordError, command_line, exit_status
from helpers.training.config import NoSuchDevice

ERRORS = (UnknownExperiment, DataNotPrepared, PrepError, RecordError, NoSuchDevice)
ERRORS += (runner.CheckpointError,)

# ----------------------------------------------------------------------------- list, run


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
        for at in filter(experiment.seeds_at, [scale] if scale else SCALES[::-1]):
            seeds = experiment.seeds_at(at)
            found = on_file(experiment, at, seeds, folder)
            took = f"{median(r.wall_seconds for r in found):,.0f} s a run" if found else "-"
            mark = ", verified by default" if experiment.name in QUICK else ""
            print(f"{experiment.name:{width}}  {at:8}  {len(found):2}/{len(seeds)} recorded  "
                  f"{took:>16}  {experiment.label}{mark}")  # fmt: skip


def run_all(listed, options, folder=records.RUNS):
    """Make runs, of all listed seeds or those given; with `--resume` skip what is recorded.

    A run that has a checkpoint was begun anew and stopped: `--resume` goes on with it.
    """
    scale, wanted = options.scale, []
    for experiment in listed:
        seeds = experiment.seeds_at(scale)
        seeds = options.seeds if options.seeds and None not in seeds else seeds
        wanted += [(experiment, seed) for seed in seeds]
    todo = [
        (experiment, seed) for experiment, seed in wanted
        if not options.resume
        or runner.checkpoint_path(experiment, scale, seed, folder).exists()
        or not on_file(experiment, scale, [seed], folder)
    ]  # fmt: skip
    for number, (experiment, seed) in enumerate(todo, start=1):
        title = f"[{number}/{len(todo)}] {experiment.name}"
        title += "" if seed is None else f" seed {seed}"
        # An ensemble's tensors are small: a second thread costs more than it brings.
        with runner.limited_threads(options.threads or (1 if seed is None else None)):
            record = runner.run(
                experiment, scale, seed, folder, options.resume, options.device, title
            )
        metric = "mAP" if METRICS[0] in vars(record).get("metrics", ()) else "accuracy"
        print(f"  {title}, {metric}: {mean(results(record))}", flush=True)
    if skipped := len(wanted) - len(todo):
        print(f"{skipped} were recorded already; without --resume they are made again")
    print(f"{len(todo)} records made; they are in {records.display(folder)}/")


def results(record):
    """Return what a record's runs came to, dict seed -> share, None for one that diverged."""
    if isinstance(record, EnsembleRecord):
        return dict(enumerate(record.held_out_accuracy))
    return {record.seed: next(record.metrics[m] for m in METRICS if m in record.metrics)}


def mean(found):
    """Write the mean of such results."""
    return "diverged" if None in found.values() else f"{np.mean([*found.values()]):.4f}"


# -------------------------------------------------------------------------------- verify

VERIFY = """Trains recorded runs again and compares, to check the book against this machine.

The rule: a result agrees if it is the recorded one of the same seed, to 0.0001. On a CPU with the
same libraries and precision it should be. Otherwise it must lie in the 95% prediction interval that
the recorded seeds give for a new run, mean ± t(n-1) · SD · √(1 + 1/n), which takes their results
for normally distributed. An ensemble of practice 5 is compared by the mean of its networks. Nothing
can be told from fewer than three recorded seeds, nor from seeds so far apart that the interval
holds all of [0, 1]. A run whose loss stops being finite agrees if a recorded seed's did, too.

Exit status: 0 all agree, 1 some lie outside, 2 something is wrong with the call or the records,
3 none lie outside, but some are inconclusive (make turns each of them into its own 2). Nothing
is written, neither records nor checkpoints.
"""
#: Of practices 1, 2, 3 and 5, and without any download; half a minute of one core in all.
QUICK = ("moons-published", "mnist-sgd", "small-lenet", "activation-relu/plain")
METRICS = ("eval_mean_average_precision", "eval_accuracy")
SURROUNDINGS = ("numpy", "scipy", "torch", "system", "cpu")
SURROUNDINGS += ("device", "precision", "threads", "blas")
NEARLY = 1e-4 * (1 + 1e-9)  # one of the 10,000 examples that most runs are evaluated on
FEWEST = 3  # recorded seeds
AS_RECORDED, WITHIN, OUTSIDE = "as recorded", "within", "OUTSIDE"
INCONCLUSIVE = "inconclusive"
COLUMNS = "{:{width}}  {:8}  {:>4}  {:>21}  {:>16}  {:>8}  {}"


def expected(values, new):
    """Return where the mean of `new` runs should lie, from what at least two recorded came to."""
    n = len(values)
    half = stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) * np.sqrt(1 / new + 1 / n)
    return np.mean(values) - half, np.mean(values) + half


def same(a, b):
    """Whether two results are the same to 0.0001; None stands for a run that diverged."""
    return a is b if a is None or b is None else abs(a - b) <= NEARLY


def judge(recorded, new):
    """Give the verdict on new results, both dict seed -> result; of several, on their mean."""
    finite = [value for value in recorded.values() if value is not None]
    if all(seed in recorded and same(recorded[seed], value) for seed, value in new.items()):
        return AS_RECORDED
    if len(recorded) < FEWEST:
        return INCONCLUSIVE
    if None in new.values():
        return WITHIN if len(finite) < len(recorded) else OUTSIDE
    if len(finite) < FEWEST:
        return INCONCLUSIVE if finite else OUTSIDE
    low, high = expected(finite, len(new))
    if low <= 0 and high >= 1:
        return INCONCLUSIVE
    inside = low - NEARLY <= np.mean([*new.values()]) <= high + NEARLY
    return WITHIN if inside else OUTSIDE


def verify(experiment, scale, seed, recorded, device="cpu"):
    """Train an experiment or an ensemble again, and compare it with its records.

    Return the verdict, and a line of the table that tells of it.
    """
    before = next((record for record in recorded if record.place[-1] == seed), None)
    threads = (before or recorded[0]).environment.get("threads")
    with tempfile.TemporaryDirectory() as folder, runner.limited_threads(threads):
        record = runner.run(experiment, scale, seed, Path(folder) / "runs", device=device)
    new, old = results(record), {k: v for each in recorded for k, v in results(each).items()}
    verdict, finite = judge(old, new), [value for value in old.values() if value is not None]
    spread = interval = "-"
    if len(finite) >= FEWEST:
        low, high = expected(finite, len(new))
        spread = f"{np.mean(finite):.4f} ± {np.std(finite, ddof=1):.4f} ({len(old)})"
        interval = f"{max(low, 0):.4f} to {min(high, 1):.4f}"
    note = _note(verdict, record, before) if before else ""
    return verdict, (experiment.name, scale, "all" if seed is None else seed, spread, interval,
                     mean(new), f"{verdict}: {note}" if note else verdict)  # fmt: skip


def _note(verdict, new, before):
    """Say how a repeated seed compares with its record, and what could explain a difference."""
    if new.data_checksum != before.data_checksum:
        return "the data are not those of the record, see book/data.md"
    if verdict == AS_RECORDED:
        return "its history to the last digit" if new.history == before.history else ""
    others = [
        f"{name} {new.environment[name]}, recorded with {before.environment.get(name)}"
        for name in SURROUNDINGS
        if new.environment.get(name, before.environment.get(name)) != before.environment.get(name)
    ]
    return "; ".join(others) or "though libraries and processor are those of the record"


def checks_of(patterns, scale=None, seeds=None):
    """Return (experiment, scale, seed) of the runs that some patterns stand for.

    Without a scale, the embedded one is taken where there is one; without seeds, the first.
    """
    checks = []
    for experiment in matching(patterns, scale):
        at = scale or ("embedded" if experiment.seeds_at("embedded") else "full")
        listed = experiment.seeds_at(at)
        chosen = listed if listed == (None,) else seeds or listed[:1]
        checks += [(experiment, at, seed) for seed in chosen]
    return checks


def verify_all(checks, device="cpu", folder=records.RUNS):
    """Make all checks, print the table, and return the exit status.

    All records are read first: a missing one is found before anything is trained.
    """
    against = [experiments.recorded(check[0].name, check[1], folder) for check in checks]
    width = max(len(experiment.name) for experiment, *_ in checks)
    print(f'"{AS_RECORDED}": the recorded result of that seed; "{WITHIN}": where 95% of new runs '
          "should lie, judged by the recorded seeds.\n")  # fmt: skip
    print(COLUMNS.format("experiment", "scale", "seed", "recorded mean ± SD (n)",
                         "new run expected", "new", "verdict", width=width))  # fmt: skip
    verdicts = []
    for check, recorded in zip(checks, against, strict=True):
        verdict, row = verify(*check, recorded, device)
        verdicts.append(verdict)
        print(COLUMNS.format(*row, width=width), flush=True)
    outside, unsure = verdicts.count(OUTSIDE), verdicts.count(INCONCLUSIVE)
    print(f"\n{len(verdicts) - outside - unsure} of {len(verdicts)} agree with the records", end="")
    print(f", {outside} outside" if outside else "", end="")
    print(f", {unsure} inconclusive: too few recorded seeds, or too far apart" if unsure else "")
    return 1 if outside else 3 if unsure else 0


# ---------------------------------------------------------------------- the command line


def list_of_seeds(text):
    """Turn "0-4" or "0,2,7" into a list of seeds."""
    seeds = {}
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not (span := range(int(first), int(last or first) + 1)):
            raise ValueError  # argparse says so
        seeds |= dict.fromkeys(span)
    return list(seeds)


def parsed(arguments):
    """Return what the command line asks for."""
    parser = command_line("python -m helpers.runs", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, what in (("list", __doc__), ("run", __doc__), ("verify", VERIFY)):
        sub = commands.add_parser(command, description=what, formatter_class=parser.formatter_class)
        sub.add_argument("names", nargs="*", help="names, or patterns such as 'tenth-*'")
        sub.add_argument("--scale", choices=SCALES, default="full" if command == "run" else None)
        if command == "list":
            continue
        sub.add_argument("--seeds", type=list_of_seeds, help="such as 0-4; default: those listed, "
                         "of verify the first")  # fmt: skip
        sub.add_argument("--device", default="auto" if command == "run" else "cpu",
                         help="of PyTorch models: cpu, cuda, mps or auto")  # fmt: skip
        if command == "run":
            sub.add_argument("--all", action="store_true", help="every experiment")
            sub.add_argument("--resume", action="store_true",
                             help="skip what is recorded, continue from checkpoints")  # fmt: skip
            sub.add_argument("--threads", type=int,
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
            checks = checks_of(options.names or QUICK, options.scale, options.seeds)
            return verify_all(checks, options.device, folder)
        else:
            names = matching(["*"] if options.all else options.names, options.scale)
            run_all(names, options, folder)

    stopped = "stopped; python -m helpers.runs run goes on with --resume"
    return exit_status(act, ERRORS, stopped)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
