"""Recorded runs: one JSON file per run, written whole or not at all, read with suspicion.

Everything that the book says about a long run is computed from these files. What a run is
and how it is made stands in `helpers.runs.registry` and `helpers.runs.runner`.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
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
SCHEMA = 1


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


_notes = ContextVar("notes", default=None)


@contextmanager
def noting():
    """Note which runs are read inside.

    Yields
    ------
    dict experiment -> set of int
        It fills with the seeds of the runs that are read; with none for what belongs to no seed.
    """
    token = _notes.set({})
    try:
        yield _notes.get()
    finally:
        _notes.reset(token)


def note(experiment, *seeds):
    """Note that runs are read, if anybody is `noting`."""
    if (notes := _notes.get()) is not None:
        notes.setdefault(experiment, set()).update(seeds)


def record_path(experiment, scale, seed, folder=RUNS):
    """Return where the record of a run belongs."""
    return Path(folder) / experiment / f"{scale}-seed-{seed}.json"


def arrays_path(experiment, scale, seed, folder=RUNS):
    """Return where the arrays kept beside a record belong."""
    return record_path(experiment, scale, seed, folder).with_suffix(".npz")


def write_atomically(path, write):
    """Let `write(file)` fill a temporary binary file, then rename it to `path`.

    Whatever was at `path` stays intact unless everything was written.
    """
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


def write_measured(results, path):
    """Write a dataclass of measurements as JSON, whole or not at all."""
    text = json.dumps(asdict(results), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def read_measured(path, kind, parts, schema, command):
    """Read a file of measurements: the JSON form of a dataclass, with its schema's version.

    Parameters
    ----------
    path : Path
    kind : dataclass
        What the file holds; all of its fields must be there, and no others.
    parts : dict field -> callable
        Makes of a field's plain JSON types what the dataclass holds.
    schema : int
        The version that the code reads.
    command : str
        What measures it anew.

    Returns
    -------
    kind

    Raises
    ------
    RecordError
        If the file is missing, holds no such results, or is of another schema version.
    """
    path = Path(path)
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    mend = f"measure it with {command} --output {name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["schema"]
    except FileNotFoundError as error:
        raise RecordError(f"{name} is missing: {mend}") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecordError(f"{name} holds no results: {mend}") from error
    if found != schema:
        raise RecordError(
            f"{name} has schema version {found!r}, but this code reads version {schema}: "
            f"use the matching version of the code, or {mend}"
        )
    odd = set(content) ^ {field.name for field in fields(kind)}
    made = {}
    for part in parts.keys() - odd:
        try:
            made[part] = parts[part](content[part])
        except (TypeError, KeyError, AttributeError):
            odd.add(part)
    if odd:
        raise RecordError(
            f"{name} has not the fields of its results: look at {', '.join(sorted(odd))}"
        )
    return kind(**content | made)


def write(record, folder=RUNS):
    """Write a record where it belongs, and return its path."""
    path = record_path(record.experiment, record.scale, record.seed, folder)
    head = {name: value for name, value in asdict(record).items() if name != "history"}
    # The history's lists go on one line each: a record stays short to scroll and to diff.
    lines = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(values, allow_nan=False)}"
        for name, values in record.history.items()
    )
    text = json.dumps(head, indent=2, allow_nan=False).removesuffix("\n}")
    text += ',\n  "history": {\n' + lines + "\n  }\n}\n"
    write_atomically(path, lambda file: file.write(text.encode()))
    return path


def read(path):
    """Read a record.

    Raises
    ------
    RecordError
        If the file is missing, is not a record, or is of another schema version.
    """
    name = Path(path).relative_to(ROOT) if Path(path).is_relative_to(ROOT) else Path(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(
            f"{name} is missing: record it with python -m helpers.runs.experiments run"
        ) from error
    except (OSError, ValueError) as error:
        raise RecordError(
            f"{name} cannot be read as JSON ({error}): restore it or record it anew"
        ) from error
    if not isinstance(content, dict) or "schema" not in content:
        raise RecordError(f"{name} is not a record of a run: it has no schema version")
    if content["schema"] != SCHEMA:
        raise RecordError(
            f"{name} has schema version {content['schema']!r}, but this code reads version "
            f"{SCHEMA}: use the matching version of the code, or record the run anew"
        )
    expected = {field.name for field in fields(Record)}
    if set(content) != expected:
        odd = ", ".join(sorted(set(content) ^ expected))
        raise RecordError(f"{name} does not have the fields of a record: look at {odd}")
    lengths = {len(values) for values in content["history"].values()}
    if len(lengths) > 1:
        raise RecordError(f"{name} has a history whose lists differ in length")
    note(content["experiment"], content["seed"])
    return Record(**content)


def read_arrays(experiment, scale, seed, folder=RUNS):
    """Return the arrays kept beside a record, as a dict."""
    path = arrays_path(experiment, scale, seed, folder)
    if not path.exists():
        raise RecordError(f"{path.name} of {experiment} is missing: record the run anew")
    note(experiment, seed)
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


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

    "+changes" is added if a loaded module of `helpers` differs from the commit (what prepared
    the data does not matter: their checksum is in the record). The first call's answer
    stands: files that change later are not the code that runs.
    """
    loaded = [
        module.__file__
        for name, module in list(sys.modules.items())
        if name.split(".")[0] == "helpers" and getattr(module, "__file__", None)
    ]
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changes = _git("status", "--porcelain", "--", *loaded)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+changes" if changes else "")


def _git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
