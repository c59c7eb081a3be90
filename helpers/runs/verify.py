"""Trains recorded runs again and compares, to check the book against this machine.

The rule: a result agrees if it is the recorded one of the same seed, to 0.0001. On a CPU with the
same libraries and precision it should be. Otherwise it must lie in the 95% prediction interval that
the recorded seeds give for a new run, mean ± t(n-1) · SD · √(1 + 1/n), which takes their results
for normally distributed. An ensemble of practice 5 is compared by the mean of its networks. Nothing
can be told from fewer than three recorded seeds, nor from seeds so far apart that the interval
holds all of [0, 1]. A run whose loss stops being finite agrees if a recorded seed's did, too.

Exit status: 0 all agree, 1 some lie outside, 2 something is wrong with the call or the records,
3 none lie outside, but of some it can't be told (make turns each of them into its own 2). Nothing
is written, neither records nor checkpoints.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from helpers.runs import experiments, records, runner
from helpers.runs.experiments import Measurement

#: Of practices 1, 2, 3 and 5, and without any download; half a minute of one core in all.
QUICK = ("moons-published", "mnist-corrected", "small-lenet", "activation-relu/plain")
METRICS = ("eval_mean_average_precision", "eval_accuracy")
SURROUNDINGS = ("numpy", "scipy", "torch", "system", "cpu")
SURROUNDINGS += ("device", "precision", "threads", "blas")
NEARLY = 1e-4 * (1 + 1e-9)  # one of the 10,000 examples that most runs are evaluated on
FEWEST = 3  # recorded seeds
AS_RECORDED, WITHIN, OUTSIDE = "as recorded", "within", "OUTSIDE"
INCONCLUSIVE = "can't be told"
COLUMNS = "{:{width}}  {:8}  {:>4}  {:>21}  {:>16}  {:>8}  {}"


@dataclass(frozen=True)
class Outcome:
    """What a new run came to, None if it diverged, and how it compares with the recorded ones."""

    new: float | None
    verdict: str
    recorded: list
    note: str = ""


# ------------------------------------------------------------------------------- the rule


def expected(values, new=1):
    """Return where the mean of `new` runs should lie, from what at least two recorded came to."""
    n, sd = len(values), np.std(values, ddof=1)
    half = stats.t.ppf(0.975, n - 1) * sd * np.sqrt(1 / new + 1 / n)
    return np.mean(values) - half, np.mean(values) + half


def same(a, b):
    """Whether two results are the same to 0.0001; None stands for a run that diverged."""
    return a is b if a is None or b is None else abs(a - b) <= NEARLY


def judge(recorded, seed, new):
    """Give the verdict on a run, from what each recorded seed came to, a dict, and it itself."""
    finite = [value for value in recorded.values() if value is not None]
    if seed in recorded and same(recorded[seed], new):
        return AS_RECORDED
    if len(recorded) < FEWEST:
        return INCONCLUSIVE
    if new is None:
        return WITHIN if len(finite) < len(recorded) else OUTSIDE
    if len(finite) < FEWEST:
        return INCONCLUSIVE if finite else OUTSIDE
    return _by_interval(*expected(finite), new)


def judge_ensemble(recorded, new):
    """Give the verdict on an ensemble, from its networks' accuracies, [R] and [M]."""
    if len(recorded) == len(new) and all(map(same, recorded, new)):
        return AS_RECORDED
    return _by_interval(*expected(recorded, len(new)), np.mean(new))


def _by_interval(low, high, new):
    if low <= 0 and high >= 1:
        return INCONCLUSIVE
    return WITHIN if low - NEARLY <= new <= high + NEARLY else OUTSIDE


# ------------------------------------------------------------------------------ the checks


def verify(experiment, scale, seed, recorded, device="cpu"):
    """Train an experiment or an ensemble again, and return the `Outcome` beside its records."""
    before = next((record for record in recorded if record.place[-1] == seed), None)
    threads = (before or recorded[0]).environment["threads"]
    with tempfile.TemporaryDirectory() as folder, runner.limited_threads(threads):
        record = runner.run_with_bar(
            experiment, scale, seed, device=device, leave=False,
            runs=folder, checkpoints=Path(folder) / "checkpoints",
        )  # fmt: skip
    if seed is None:
        values, new = before.held_out_accuracy, record.held_out_accuracy
        verdict, new = judge_ensemble(values, new), float(np.mean(new))
    else:
        metric = next((m for m in METRICS if m in recorded[0].metrics), METRICS[-1])
        results = {r.seed: None if r.diverged else r.metrics[metric] for r in recorded}
        new = None if record.diverged else record.metrics[metric]
        verdict, values = judge(results, seed, new), list(results.values())
    return Outcome(new, verdict, values, "" if before is None else _note(verdict, record, before))


def _note(verdict, new, before):
    """Say how a repeated seed compares with its record, and what could explain a difference."""
    if new.data_checksum != before.data_checksum:
        return "the data are not those of the record, see book/data.md"
    if verdict == AS_RECORDED:
        return "its history to the last digit" if new.history == before.history else ""
    others = [
        f"{name} {new.environment[name]}, recorded with {before.environment[name]}"
        for name in SURROUNDINGS
        if new.environment.get(name, before.environment.get(name)) != before.environment.get(name)
    ]
    return "; ".join(others) or "though libraries and processor are those of the record"


def checks_of(patterns, scale=None, seeds=None):
    """Return (experiment, scale, seed) of the runs that some patterns stand for.

    Without a scale, the embedded one is taken where there is one; without seeds, the first.
    """
    checks = []
    for experiment in experiments.matching(patterns, scale):
        at = scale or ("embedded" if experiment.seeds_at("embedded") else "full")
        listed = experiment.seeds_at(at)
        if not isinstance(experiment, Measurement):
            chosen = listed if listed == (None,) else seeds or listed[:1]
            checks += [(experiment, at, seed) for seed in chosen]
    return checks


def row(check, outcome, width):
    """Return the line of the table that tells of an outcome."""
    experiment, scale, seed = check
    values = [value for value in outcome.recorded if value is not None]
    spread = interval = "-"
    if len(values) >= FEWEST:
        low, high = expected(values, len(values) if seed is None else 1)
        spread = f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f} ({len(outcome.recorded)})"
        interval = f"{max(low, 0):.4f} to {min(high, 1):.4f}"
    return COLUMNS.format(
        experiment.name, scale, "all" if seed is None else seed, spread, interval,
        "diverged" if outcome.new is None else f"{outcome.new:.4f}",
        outcome.verdict + (f": {outcome.note}" if outcome.note else ""), width=width,
    )  # fmt: skip


def verify_all(checks, device="cpu", folder=records.RUNS):
    """Make all checks, print the table, and return the exit status.

    All records are read first: a missing one is found before anything is trained.
    """
    against = [experiments.recorded(check[0].name, check[1], folder) for check in checks]
    width = max(len(check[0].name) for check in checks)
    print(f'"{AS_RECORDED}": the recorded result of that seed; "{WITHIN}": where 95% of new runs '
          "should lie, judged by the recorded seeds.\n")  # fmt: skip
    print(COLUMNS.format("experiment", "scale", "seed", "recorded mean ± SD (n)",
                         "new run expected", "new", "verdict", width=width))  # fmt: skip
    verdicts = []
    for check, recorded in zip(checks, against, strict=True):
        outcome = verify(*check, recorded, device)
        verdicts.append(outcome.verdict)
        print(row(check, outcome, width), flush=True)
    outside, unsure = verdicts.count(OUTSIDE), verdicts.count(INCONCLUSIVE)
    print(f"\n{len(verdicts) - outside - unsure} of {len(verdicts)} agree with the records", end="")
    print(f", {outside} outside" if outside else "", end="")
    print(f", {unsure} can't be told: too few recorded seeds, or too far apart" if unsure else "")
    return 1 if outside else 3 if unsure else 0
