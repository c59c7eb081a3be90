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
import tempfile
import zipfile
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
FIT = 0.99  # of the training points right: a network of an ensemble fits


class RecordError(ValueError):
    """A record is missing or cannot be used; the message says why and what to do."""


@dataclass
class Record:
    """What one run was and what came of it.

    Attributes
    ----------
    experiment, scale, seed : which run; scale is "full" or "embedded".
    config : the whole configuration, as plain JSON types.
    data, data_checksum : name and SHA-256 of the data it was trained and measured on.
    parameters : how many numbers were trained.
    environment : Python, package versions, device, CPU model, threads.
    commit : source commit, with "+changes" if the code that ran differed from it.
    wall_seconds, cpu_seconds : of training and evaluation, over all its sittings.
    history : per logged epoch, lists of equal length; None where not measured.
    metrics : the figures at the end.
    diverged : the loss stopped being finite in the last epoch of the history.
    complete : the run reached its end (a run that diverged did).
    schema : version of this format.
    """

    experiment: str
    scale: str
    seed: int
    config: dict
    data: str
    data_checksum: str
    parameters: int
    environment: dict
    commit: str
    wall_seconds: float
    cpu_seconds: float
    history: dict
    metrics: dict
    diverged: bool = False
    complete: bool = False
    schema: int = SCHEMA

    @property
    def place(self):
        """Which record it is: experiment, scale and seed."""
        return self.experiment, self.scale, self.seed


@dataclass
class EnsembleRecord:
    """What an ensemble of practice 5 was and what came of it; the rest is as in `Record`.

    Attributes
    ----------
    experiment : its name.
    parameters : how many numbers were trained, of one network.
    train_accuracy, held_out_accuracy : at the end; one entry a seed.
    first_fit_step : the first iteration with `FIT` of the training points right, or None.
    first_nan_step : the first iteration whose loss was not finite, or None.
    history : per logged iteration; medians over the seeds, None where not finite.
    """

    experiment: str
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
    first_fit_step: list
    first_nan_step: list
    history: dict
    complete: bool = False
    schema: int = SCHEMA

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
    """Let `write(file)` fill a temporary file, then rename it to `path`: all of it or nothing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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


def read_json(path, keys, schema, mend, parts=None):
    """Read a JSON file of results, or raise a RecordError that says what to do.

    Parameters
    ----------
    path : Path
    keys : iterable of str, or a dataclass
        Which entries there must be, and no others; a dataclass is made of them.
    schema : int
        The version that the code reads.
    mend : str
        What to do where the file can't be used.
    parts : dict key -> callable, optional
        Makes of an entry's plain JSON types what it stands for.

    Returns
    -------
    dict, or the dataclass
    """
    name, parts = display(path), parts or {}
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"{name} is missing: {mend}") from error
    except (OSError, ValueError) as error:
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
    odd = set(content) ^ set(keys if made_of is dict else (field.name for field in fields(keys)))
    for part in parts.keys() - odd:
        try:
            content[part] = parts[part](content[part])
        except (TypeError, KeyError, AttributeError):
            odd.add(part)
    if odd:
        odd = ", ".join(sorted(odd))
        raise RecordError(f"{name} has not the fields of its results: look at {odd}")
    return made_of(**content)


def read(path, kind=Record, anew="record the run anew"):
    """Read a `Record` or an `EnsembleRecord`, as `read_json` does."""
    record, seeds = read_json(path, kind, SCHEMA, f"record it with {anew}"), ()
    lists = list(record.history.values())
    if kind is EnsembleRecord:
        seeds, lists = range(record.config["seeds"]), [record.train_accuracy]
        lists += [record.held_out_accuracy, record.first_fit_step, record.first_nan_step, seeds]
    if len(set(map(len, lists))) > 1:
        raise RecordError(f"{display(path)} has lists that differ in length: {anew}")
    note(record.experiment, *(seeds or [record.seed]))
    return record


def read_arrays(experiment, scale, seed, folder=RUNS):
    """Return the arrays kept beside a record, as a dict."""
    path = arrays_path(experiment, scale, seed, folder)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise RecordError(f"{display(path)} is missing or damaged: record the run anew") from error
    if seed is not None:
        note(experiment, seed)
    return arrays


# ------------------------------------------------------- what a run was made with, and ends


def environment():
    """Describe the software and hardware of this process."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "scikit-learn", "torch")},
        "system": platform.system(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": max((pool["num_threads"] for pool in pools), default=1),
        "blas": ", ".join(sorted({f"{p['internal_api']} {p['version']}" for p in pools})),
    }


def _cpu_model():
    if platform.system() == "Linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@cache
def source_commit():
    """Return the commit of the code that is running, "unknown" outside a git checkout.

    "+changes" is added if a loaded module of the project differs from the commit. The first call's
    answer stands: files that change later are not the code that runs.
    """
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    own = {ROOT / folder for folder in ("helpers", "benchmarks", "data_prep")}
    loaded = [file for file in files if own & {*Path(file).parents}]
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changes = _git("status", "--porcelain", "--", *loaded)
    except (OSError, subprocess.CalledProcessError):
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


def exit_status(action, errors, kept, stopped):
    """Do what a command is for, and turn what goes wrong into a sentence and an exit status.

    It is the action's own status or 0; 2 if something is wrong (one of the `errors`, or a file
    that can't be read or written: what is `kept` is named); 130 if the reader `stopped` it; 1 if
    nobody reads the output any more.
    """
    try:
        status = action() or 0
        sys.stdout.flush()  # what can't be shown fails here, and not when Python ends
        return status
    except errors as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the output, such as `head`, has seen enough
        _mute()
        return 1
    except OSError as error:
        what = f"{error.filename or 'the output'}: {error.strerror or error}"
        print(f"error: {what}; {kept} is intact", file=sys.stderr)
        if not error.filename:
            _mute()
        return 2
    except KeyboardInterrupt:
        print(f"\n{stopped}", file=sys.stderr)
        return 130


def _mute():
    """Send what Python has still to print nowhere: it could not."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
