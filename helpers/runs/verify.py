"""Checks the book against this machine: trains recorded runs again and compares.

    python -m helpers.runs.verify                                 # quick runs of practices 1, 2, 3 and 5
    python -m helpers.runs.verify tenth-reference --seeds 0-2     # any listed experiment
    python -m helpers.runs.verify 'activation-tan/*'              # any batch of practice 5
    python -m helpers.runs.verify --list

The rule: a result agrees if it is the recorded one of the same seed, to 0.0001. On a CPU with the
same libraries it should be. Otherwise it must lie in the 95% prediction interval that the
recorded seeds give for a new run, mean ± t(n-1) · SD · √(1 + 1/n), which takes their results for
normally distributed. A batch of practice 5 is compared by the mean of its networks. Nothing can be
told from fewer than three recorded seeds, nor from seeds so far apart that the interval holds all
of [0, 1]. A run whose loss stops being finite agrees if a recorded seed's did, too.

Exit status: 0 all agree, 1 some lie outside, 2 something is wrong with the call or the records,
3 none lie outside, but of some it can't be told (make turns each of them into its own 2). Nothing
is written, neither records nor checkpoints.
"""

import argparse
import contextlib
import fnmatch
import sys
import tempfile
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from helpers.analysis.stats import CONFIDENCE, Interval
from helpers.data.datasets import DataNotPrepared
from helpers.runs import (
    ensemble_records as activation_records,
)
from helpers.runs import (
    ensemble_runner as activation_runs,
)
from helpers.runs import (
    experiments,
    records,
    runner,
)
from helpers.runs.agreement import (
    AS_RECORDED,
    INCONCLUSIVE,
    NEARLY,
    OUTSIDE,
    WITHIN,
    judge,
    judge_batch,
)
from helpers.runs.catalogue.activations import STUDIES
from helpers.runs.commands import exit_status
from helpers.runs.experiments import UnknownExperiment
from helpers.runs.records import RecordError
from helpers.runs.registry import EXPERIMENTS, SCALES
from helpers.training.config import NoSuchDevice

#: Of practices 1, 2, 3 and 5, and without any download; half a minute of one core in all.
QUICK = ("moons-published", "mnist-corrected", "small-lenet", "activation-relu/plain")
METRICS = ("eval_mean_average_precision", "eval_accuracy")
SURROUNDINGS = ("numpy", "scipy", "torch", "system", "cpu", "device", "threads", "blas")


class WrongCall(ValueError):
    """What was asked for doesn't fit together; the message says what to leave out."""


# ------------------------------------------------------------------------------ the checks


@dataclass(frozen=True)
class Check:
    """One run to make again: an experiment's, or a whole batch of practice 5 (no seed)."""

    name: str
    scale: str
    seed: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of a check.

    Attributes
    ----------
    check : Check
    expected : helpers.analysis.stats.Interval or None
        As `judge` returns it.
    n : int
        How many recorded seeds there are.
    new : float or None
        None if the run diverged.
    verdict : str
    note : str
        What else there is to say of it.
    """

    check: Check
    expected: Interval | None
    n: int
    new: float | None
    verdict: str
    note: str


def checks_of(patterns, scale=None, seeds=None):
    """Return the checks that some names or patterns stand for.

    Parameters
    ----------
    patterns : sequence of str
        Of experiments or of practice 5's studies.
    scale : {"full", "embedded"} or None
        None takes the embedded scale where an experiment is recorded at it.
    seeds : list of int or None
        None takes the first recorded one.

    Returns
    -------
    list of Check

    Raises
    ------
    UnknownExperiment
        If a pattern stands for nothing.
    WrongCall
        If seeds are chosen for a study of practice 5.
    """
    found = {}
    for pattern in patterns:
        some = _experiments(pattern, scale, seeds) + _studies(pattern, seeds)
        if not some:
            where = f" at {scale} scale" if scale else ""
            raise UnknownExperiment(
                f"there is no experiment {pattern!r}{where}: python -m helpers.runs.verify --list "
                "shows them all"
            )
        found |= dict.fromkeys(some)
    return list(found)


def _experiments(pattern, scale, seeds):
    found = []
    for name in fnmatch.filter(EXPERIMENTS, pattern):
        experiment = EXPERIMENTS[name]
        at = scale or ("embedded" if experiment.embedded_seeds else "full")
        if listed := experiment.seeds_at(at):
            found += [Check(name, at, seed) for seed in seeds or listed[:1]]
    return found


def _studies(pattern, seeds):
    names = fnmatch.filter(STUDIES, pattern)
    if names and seeds:
        raise WrongCall(
            f"{names[0]} trains all its networks at once: leave --seeds out, or name others"
        )
    return [Check(name, "full", None) for name in names]


def recorded_of(check, folder=records.RUNS):
    """Return the records that a check compares with: a list of `Record`, or a `Batch`.

    Raises
    ------
    RecordError
        If one is missing, or can't be used.
    """
    if check.seed is None:
        return activation_records.recorded(*_combination(check.name), folder=folder)
    return experiments.recorded(check.name, check.scale, folder)


def _combination(name):
    return name.removeprefix("activation-").split("/")


def verify(check, recorded, device="cpu"):
    """Train again what a check names, and judge the result.

    Parameters
    ----------
    check : Check
    recorded : list of helpers.runs.records.Record, or helpers.runs.ensemble_records.Batch
        As `recorded_of` returns it.
    device : str
        Of PyTorch models: "cpu", "cuda" or "auto".

    Returns
    -------
    Outcome
    """
    return (_verify_batch if check.seed is None else _verify_run)(check, recorded, device)


def _verify_run(check, recorded, device):
    same = next((record for record in recorded if record.seed == check.seed), None)
    with limited_threads((same or recorded[0]).environment["threads"]):
        training, data = runner.prepare(EXPERIMENTS[check.name], check.scale, check.seed, device)
        with _bar(check, EXPERIMENTS[check.name].config.epochs, "epoch") as bar:
            while not training.done:
                training.run_epoch()
                bar.update()
        environment = records.environment() | training.hardware()
    metrics = {} if training.diverged else runner.final_metrics(training.history)
    name = metric_of([record.metrics for record in recorded] + [metrics])
    results = {r.seed: None if r.diverged else r.metrics[name] for r in recorded}
    verdict, expected = judge(results, check.seed, metrics.get(name))
    note = "" if same is None else _note(
        verdict, environment, same.environment, training.history == same.history,
        data.checksum == same.data_checksum,
    )  # fmt: skip
    return Outcome(check, expected, len(recorded), metrics.get(name), verdict, note)


def _verify_batch(check, recorded, device):
    study = STUDIES[check.name]
    with (
        limited_threads(recorded.environment["threads"]),
        tempfile.TemporaryDirectory() as folder,
        _bar(check, study.iterations, "step") as bar,
    ):
        new = activation_runs.run(study, folder, bar.update)
    verdict, expected = judge_batch(recorded.held_out_accuracy, new.held_out_accuracy)
    note = _note(
        verdict, new.environment, recorded.environment, new.history == recorded.history,
        new.data_checksum == recorded.data_checksum,
    )  # fmt: skip
    n, mean = len(recorded.held_out_accuracy), float(np.mean(new.held_out_accuracy))
    return Outcome(check, expected, n, mean, verdict, note)


def _bar(check, total, unit):
    title = check.name if check.seed is None else f"{check.name} seed {check.seed}"
    return tqdm(total=total, desc=title, unit=unit, leave=False, disable=None)


def metric_of(all_metrics):
    """Return what runs are compared by: the mean average precision if there are several labels."""
    measured = {name for metrics in all_metrics for name in metrics}
    return next((name for name in METRICS if name in measured), METRICS[-1])


@contextlib.contextmanager
def limited_threads(threads):
    """Let the linear algebra use as many threads as the record did: sums depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


def _note(verdict, environment, before, same_history, same_data):
    """Say how a repeated seed compares with its record, and what could explain a difference."""
    if verdict == AS_RECORDED and same_history:
        return "its history to the last digit"
    if not same_data:
        return "the data are not those of the record, see book/data.md"
    others = [
        f"{name} {environment[name]}, recorded with {before[name]}"
        for name in SURROUNDINGS
        if name in before and name in environment and before[name] != environment[name]
    ]
    why = "; ".join(others) or "though libraries and processor are those of the record"
    return f"the rounding differs, {why}" if verdict == AS_RECORDED else why


# ------------------------------------------------------------------------- the command line

RULE = f"""\
Trains again and compares: "{AS_RECORDED}" is the recorded result of that seed, to {NEARLY:g};
"{WITHIN}" lies where {CONFIDENCE:.0%} of new runs should, judged by the recorded seeds.
"""
COLUMNS = "{:{width}}  {:8}  {:>4}  {:>21}  {:>16}  {:>8}  {}"


def row(outcome, width):
    """Return the line of the table that tells of an outcome."""
    check, expected = outcome.check, outcome.expected
    spread = interval = "-"
    if expected:
        spread = f"{expected.estimate:.4f} ± {expected.sd:.4f}"
        interval = f"{max(expected.low, 0):.4f} to {min(expected.high, 1):.4f}"
    return COLUMNS.format(
        check.name, check.scale, "all" if check.seed is None else check.seed,
        f"{spread} ({outcome.n})", interval,
        "diverged" if outcome.new is None else f"{outcome.new:.4f}",
        outcome.verdict + (f": {outcome.note}" if outcome.note else ""), width=width,
    )  # fmt: skip


def run_all(checks, device="cpu", folder=records.RUNS):
    """Make all checks, print the table, and return the exit status.

    All records are read first: a missing one is found before anything is trained.
    """
    against = [recorded_of(check, folder) for check in checks]
    width = max(len(check.name) for check in checks)
    print(RULE)
    print(COLUMNS.format("experiment", "scale", "seed", "recorded mean ± SD (n)",
                         "new run expected", "new", "verdict", width=width))  # fmt: skip
    outcomes = []
    for check, recorded in zip(checks, against, strict=True):
        outcomes.append(verify(check, recorded, device))
        print(row(outcomes[-1], width), flush=True)
    verdicts = [outcome.verdict for outcome in outcomes]
    outside, untold = verdicts.count(OUTSIDE), verdicts.count(INCONCLUSIVE)
    agree = len(verdicts) - outside - untold
    print(f"\n{agree} of {len(verdicts)} agree with the records", end="")
    print(f", {outside} outside" if outside else "", end="")
    print(f", {untold} can't be told: too few recorded seeds, or too far apart" if untold else "")
    return 1 if outside else 3 if untold else 0


def list_all(folder=records.RUNS):
    """Print everything that can be verified, with the seconds that a recorded run took."""
    everything = [
        Check(name, scale, experiment.seeds_at(scale)[0])
        for name, experiment in EXPERIMENTS.items()
        for scale in SCALES
        if experiment.seeds_at(scale)
    ]
    everything += [Check(name, "full", None) for name in STUDIES]
    quick = checks_of(QUICK)
    width = max(len(check.name) for check in everything)
    for check in everything:
        try:
            recorded = recorded_of(check, folder)
        except RecordError:
            said = "not recorded"
        else:
            many = [recorded] if check.seed is None else recorded
            runs = "batch" if check.seed is None else f"{len(many)} seeds"
            said = f"{runs:>8}  {median(record.wall_seconds for record in many):8,.0f} s a run"
        mark = "  in the default set" if check in quick else ""
        print(f"{check.name:{width}}  {check.scale:8}  {said}{mark}")


def main(arguments=None, folder=records.RUNS):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.runs.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", help=f"names, or patterns such as 'tenth-*'; default: {' '.join(QUICK)}"
    )
    parser.add_argument("--scale", choices=SCALES, help="default: embedded where it is recorded")
    parser.add_argument("--seeds", type=experiments.parse_seeds,
                        help="such as 0-4; default: the first recorded one")  # fmt: skip
    parser.add_argument("--device", default="cpu",
                        help="of PyTorch models: cpu (as recorded), cuda or auto")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="what there is, and how long it took")
    options = parser.parse_args(arguments)
    status = 0

    def act():
        nonlocal status
        if options.list:
            list_all(folder)
            return
        checks = checks_of(options.names or QUICK, options.scale, options.seeds)
        status = run_all(checks, options.device, folder)

    errors = (UnknownExperiment, WrongCall, DataNotPrepared, RecordError, NoSuchDevice)
    return exit_status(act, errors, "what was recorded", "stopped; nothing was written") or status


if __name__ == "__main__":
    sys.exit(main())
