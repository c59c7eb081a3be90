"""Recorded runs: one JSON file per run, written whole or not at all, read with suspicion.

Everything that the book says about a long run is computed from these files. What a run is stands
in `helpers.runs.experiments`, how it is made in `helpers.runs.runner`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "runs"
SCHEMA = 2
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")
FIT = 0.99  # of the training points right: a network of an ensemble fits


class RecordError(ValueError):
    """A record is missing or cannot be used; the message says why and what to do."""


@dataclass(kw_only=True)
class _Made:
    experiment: str
    config: dict
    data: str
    data_checksum: str
    parameters: int
    environment: dict
    commit: str
    wall_seconds: float
    cpu_seconds: float
    history: dict
    complete: bool = False
    schema: int = SCHEMA


@dataclass(kw_only=True)
class Record(_Made):
    """What one run was and what came of it; `book/recorded_runs.md` explains each field."""

    scale: str
    seed: int
    metrics: dict
    diverged: bool = False

    @property
    def place(self):
        """Which record it is: experiment, scale and seed."""
        return self.experiment, self.scale, self.seed


@dataclass(kw_only=True)
class EnsembleRecord(_Made):
    """What an ensemble of practice 5 was and what came of it; the rest is as in `Record`.

    Attributes
    ----------
    parameters : how many numbers were trained, of one network.
    train_accuracy, held_out_accuracy : at the end; one entry a seed.
    first_fit_step, first_nan_step : the first iteration with `FIT` of the training points right,
        and the first whose loss was not finite, or None.
    history : per logged iteration; medians over the seeds, None where not finite.
    """

    train_accuracy: list
    held_out_accuracy: list
    first_fit_step: list
    first_nan_step: list

    @property
    def place(self):
        """Which record it is; it has all seeds."""
        return self.experiment, "full", None

    @property
    def fits(self):
        """Which networks fit at the end, ndarray of bool [R]."""
        return np.array(self.train_accuracy) >= FIT


# --------------------------------------------------------------- who reads which record

_notes = ContextVar("notes", default=None)


@contextmanager
def track_records_read():
    """Yield a dict that fills with experiment -> seeds of the runs that are read inside."""
    token = _notes.set({})
    try:
        yield _notes.get()
    finally:
        _notes.reset(token)


def note(experiment, *seeds):
    """Note that runs are read, inside `track_records_read`."""
    if (notes := _notes.get()) is not None:
        notes.setdefault(experiment, set()).update(seeds)


# ------------------------------------------------------------------------------- writing


def record_path(experiment, scale, seed, folder=RUNS):
    """Return where the record of a run belongs; what has one record for all has the seed None."""
    if seed is None:
        return Path(folder) / f"{experiment}.json"
    return Path(folder) / experiment / f"{scale}-seed-{seed}.json"


def arrays_path(experiment, scale, seed, folder=RUNS):
    """Return where the arrays kept beside a record belong."""
    return record_path(experiment, scale, seed, folder).with_suffix(".npz")


def display(path):
    """Return a path as messages name it: below the project, if it lies there."""
    path = Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def write_atomically(path, write):
    """Let `write(file)` fill a file beside `path`, then rename it: all of it or nothing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say whose it is
        raise
    finally:
        part.unlink(missing_ok=True)


def as_text(content, indent=""):
    """Return plain JSON types as text, one entry of a dict a line, with its list of numbers."""
    inner = indent + "  "
    if isinstance(content, dict) and content:
        lines = [f"{json.dumps(key)}: {as_text(value, inner)}" for key, value in content.items()]
        start, end = "{}"
    elif isinstance(content, list) and content and isinstance(content[0], dict):
        lines, (start, end) = [as_text(value, inner) for value in content], "[]"
    else:
        return json.dumps(content, ensure_ascii=False, allow_nan=False)
    return f"{start}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{end}"


def write_json(content, path):
    """Write plain JSON types, or a dataclass of them, whole or not at all."""
    text = as_text(content if isinstance(content, dict) else asdict(content)) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def write(record, folder=RUNS):
    """Write a `Record` or an `EnsembleRecord` where it belongs, and return its path."""
    path, content = record_path(*record.place, folder), asdict(record)
    content["history"] = content.pop("history")  # the longest part comes last
    write_json(content, path)
    return path


# ------------------------------------------------------------------------------- reading

#: What an entry may be in JSON, which has one kind of number for 1.0 and 1.
PLAIN = {float: (float, int)} | {kind: kind for kind in (str, int, bool, dict, list)}


def read_json(path, keys, schema, mend, parts=None):
    """Read a JSON file of results, or raise a RecordError that says what to do.

    Parameters
    ----------
    keys : which entries there must be, and no others; a dataclass is made of them, and those of
        a type in `PLAIN` are looked at.
    schema : the version that the code reads.
    mend : what to do where the file can't be used.
    parts : dict key -> callable, which makes of an entry's plain JSON types what it stands for.
    """
    name = display(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"{name} is missing: {mend}") from error
    except ValueError as error:
        raise RecordError(f"{name} cannot be read as JSON ({error}): {mend}") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise RecordError(f"{name} holds no results, it has no schema version: {mend}")
    if content["schema"] == 1 and schema == SCHEMA:
        raise RecordError(f"{name} has the names of schema version 1: run python runs/migrate.py")
    if content["schema"] != schema:
        raise RecordError(
            f"{name} has schema version {content['schema']!r}, but this code reads version "
            f"{schema}: use the matching version of the code, or {mend}"
        )
    made_of = keys if isinstance(keys, type) else dict
    types = {} if made_of is dict else {field.name: field.type for field in fields(keys)}
    odd = content.keys() ^ (types or keys)
    odd |= {
        key for key in content.keys() & types
        if not isinstance(content[key], PLAIN.get(types[key], object))
    }  # fmt: skip
    for part, make in (parts or {}).items():
        try:
            content[part] = make(content[part])
        except (TypeError, KeyError, AttributeError, ValueError):
            odd.add(part)
    if odd:
        odd = ", ".join(sorted(odd))
        raise RecordError(f"{name} has not the fields of its results: look at {odd}")
    return made_of(**content)


def read(path, kind=Record, mend="record the run anew"):
    """Read a `Record` or an `EnsembleRecord`, as `read_json` does."""
    record = read_json(path, kind, SCHEMA, mend)
    many = kind is EnsembleRecord
    figures = record.held_out_accuracy if many else [*record.metrics.values()]
    if not figures or any(isinstance(figure, (str, list, dict)) for figure in figures):
        name = display(path)
        raise RecordError(f"{name} has figures that are no numbers: {mend}")
    note(record.experiment, *(range(len(record.train_accuracy)) if many else [record.seed]))
    return record


def read_arrays(experiment, scale, seed, folder=RUNS):
    """Return the arrays kept beside a record, as a dict."""
    path = arrays_path(experiment, scale, seed, folder)
    try:
        with np.load(path) as file:
            arrays = dict(file)
    except Exception as error:  # a damaged archive fails in a dozen ways
        raise RecordError(f"{display(path)} is missing or damaged: record the run anew") from error
    if seed is not None:
        note(experiment, seed)
    return arrays


# ------------------------------------------------------- what a run was made with, and ends


def environment():
    """Describe the software and hardware of this process."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {name: version(name) for name in PACKAGES} | {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": max((pool["num_threads"] for pool in blas), default=1),
        "blas": ", ".join(sorted({f"{p['internal_api']} {p['version']}" for p in blas})),
    }


def _cpu_model():
    info = Path("/proc/cpuinfo")  # which Linux alone has
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return models[0] if models else platform.processor() or platform.machine()


@cache
def source_commit():
    """Return the commit of the code that is running, "unknown" outside a git checkout.

    "+changes" is added if a module of the project differs from the commit, one that is loaded or
    that a run may load later. The first call's answer stands: files that change later are not the
    code that runs.
    """
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    own = {ROOT / folder for folder in ("helpers", "benchmarks", "data_prep")}
    code = [file for file in files if own & {*Path(file).parents}]
    code += [f"helpers/{room}" for room in ("networks", "data", "training")]  # some of them late
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changes = _git("status", "--porcelain", "--", *code)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+changes" if changes else "")


def _git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def command_line(call, text):
    """Return the parser of a command; from now on, what the console can't show is a "?"."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    raw = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(call, description=text, formatter_class=raw)


def exit_status(action, errors, stopped="stopped"):
    """Do what a command is for, and turn what goes wrong into a sentence and an exit status.

    It is the action's own status or 0; 2 if something is wrong (one of the `errors`, or a file or
    the output that can't be read or written); 130 if the reader `stopped` it; 1 if nobody reads
    the output any more.
    """
    try:
        status = action() or 0
        sys.stdout.flush()  # what can't be shown fails here, and not when Python ends
        return status
    except KeyboardInterrupt:
        print(f"\n{stopped}", file=sys.stderr)
        return 130
    except (*errors, OSError) as error:
        if isinstance(error, OSError) and error.errno and not error.filename:  # the output's
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # who reads it, such as `head`, has seen enough
            return 1
        print(f"error: {error}", file=sys.stderr)
        return 2
