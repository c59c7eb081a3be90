"""Recorded runs: one JSON file per run, written whole or not at all, read with suspicion.

Everything that the book says about a long run is computed from these files. What a run is stands
in `helpers.runs.experiments`, how it is made in `helpers.runs.runner`.
"""

import argparse
import errno
import glob
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields
from functools import cache, partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from data_prep.errors import printable

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
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say whose it is
        raise


def remove_remains(path):
    """Remove the temporary files of `write_atomically` that killed processes left."""
    for remains in Path(path).parent.glob(f".{glob.escape(Path(path).name)}.*"):
        remains.unlink(missing_ok=True)


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
    keys : which entries there must be, and no others; a dataclass is made of them, and those of
        type str, int, float, dict, list or bool are looked at.
    schema : the version that the code reads.
    mend : what to do where the file can't be used.
    parts : dict key -> callable, which makes of an entry's plain JSON types what it stands for.
    """
    name, parts = display(path), parts or {}
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"{name} is missing: {mend}") from error
    except (OSError, ValueError, RecursionError) as error:
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
    types = {field.name: field.type for field in fields(keys)} if made_of is keys else {}
    odd = set(content) ^ set(types or keys)
    plain = {name: TYPES[kind] for name, kind in types.items() if kind in TYPES}
    odd |= {name for name in plain.keys() - odd if type(content[name]) not in plain[name]}
    for part in parts.keys() - odd:
        try:
            content[part] = parts[part](content[part])
        except (TypeError, KeyError, AttributeError, ValueError):
            odd.add(part)
    if odd:
        odd = ", ".join(sorted(odd))
        raise RecordError(f"{name} has not the fields of its results: look at {odd}")
    return made_of(**content)


#: What a value of each type may be in JSON, which has one kind of number for 1.0 and 1.
TYPES = {str: (str,), int: (int,), float: (float, int), bool: (bool,), list: (list,), dict: (dict,)}


def read(path, kind=Record, anew="record the run anew"):
    """Read a `Record` or an `EnsembleRecord`, as `read_json` does."""
    record, name = read_json(path, kind, SCHEMA, f"record it with {anew}"), display(path)
    if kind is EnsembleRecord:
        seeds, finite = range(len(record.train_accuracy)), record.train_accuracy
        lists = [finite, record.held_out_accuracy, record.first_fit_step, record.first_nan_step]
        length = record.config.get("seeds")
    else:
        seeds, finite, lists = [record.seed], [], list(record.history.values())
        length = len(lists[0]) if lists and type(lists[0]) is list else None
    if any(type(part) is not list or len(part) != length for part in lists):
        raise RecordError(f"{name} has lists that differ in length: {anew}")
    figures = chain(*lists, getattr(record, "metrics", {}).values())
    if None in finite or not {type(figure) for figure in figures} <= {int, float, type(None)}:
        raise RecordError(f"{name} has figures that are no numbers: {anew}")
    note(record.experiment, *seeds)
    return record


def read_npz(path):
    """Return the arrays of an .npz file as a dict; a ValueError says what is wrong with it."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise ValueError("it is missing") from None
    except Exception as error:  # a damaged archive fails in a dozen ways
        raise ValueError(f"it is damaged, or something else ({error})") from error


def read_arrays(experiment, scale, seed, folder=RUNS):
    """Return the arrays kept beside a record, as a dict."""
    path = arrays_path(experiment, scale, seed, folder)
    try:
        arrays = read_npz(path)
    except ValueError as error:
        raise RecordError(f"{display(path)} is missing or damaged: record the run anew") from error
    if seed is not None:
        note(experiment, seed)
    return arrays


# ------------------------------------------------------- what a run was made with, and ends


def environment():
    """Describe the software and hardware of this process; None for what can't be told."""

    def blas():
        return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]

    versions = {name: partial(version, name) for name in PACKAGES}
    questions = versions | {
        "python": platform.python_version,
        "system": platform.system,
        "cpu": _cpu_model,
        "cores": os.cpu_count,
        "threads": lambda: max((pool["num_threads"] for pool in blas()), default=1),
        "blas": lambda: ", ".join(sorted({f"{p['internal_api']} {p['version']}" for p in blas()})),
    }
    return {name: or_none(ask) for name, ask in questions.items()}


def or_none(ask):
    """Return what `ask()` returns, None if it can't: a description must not cost a result."""
    try:
        return ask()
    except Exception:
        return None


def _cpu_model():
    info = or_none(Path("/proc/cpuinfo").read_text) or ""
    models = [line.split(":", 1)[1].strip() for line in info.splitlines() if "model name" in line]
    return models[0] if models else platform.processor() or platform.machine()


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
    except (OSError, ValueError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+changes" if changes else "")


def _git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        super().error(printable(message))


def command_line(call, text):
    """Return the parser of a command; from now on, what the console can't show is a "?"."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    raw = argparse.RawDescriptionHelpFormatter
    return _Parser(call, description=text, formatter_class=raw)


def exit_status(action, errors, kept, stopped):
    """Do what a command is for, and turn what goes wrong into a sentence and an exit status.

    It is the action's own status or 0; 2 if something is wrong (one of the `errors`, or a file
    that can't be read or written: what is `kept` is named); 130 if the reader `stopped` it; 1 if
    nobody reads the output any more.
    """
    try:
        try:
            status = action() or 0
        except SystemExit as stop:  # the command line's: help, or a wrong call
            status = stop.code
        sys.stdout.flush()  # what can't be shown fails here, and not when Python ends
        return status
    except errors as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the output, such as `head`, has seen enough
        _mute()
        return 1
    except OSError as error:
        shown = error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF)
        where = "the output" if shown else error.filename or "the system"
        what = f"{where}: {error.strerror}; {kept} is intact" if error.errno else str(error)
        print(f"error: {printable(what)}", file=sys.stderr)
        if shown:
            _mute()
        return 2
    except KeyboardInterrupt:
        print(f"\n{stopped}", file=sys.stderr)
        return 130


def _mute():
    """Send what Python has still to print nowhere: it could not."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
