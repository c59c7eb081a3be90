"""Measures how long each notebook takes to execute, and reads the measurements back.

    python -m benchmarks.notebook_times                  # all of them
    python -m benchmarks.notebook_times 05_activations   # some, the others' figures stay
    python -m benchmarks.notebook_times evidence/04_tiny_voc

Each is executed once, at the scale that needs no download, and its outputs are thrown away: what
is in `notebooks/` stays as it is. The seconds include starting Python, and belong to the machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date

from helpers.runs import records

NOTEBOOKS = records.ROOT / "notebooks"
PATH = records.ROOT / "benchmarks" / "notebook_times.json"
SCHEMA = 1


class NotebookError(ValueError):
    """A notebook can't be executed; the message says why."""


@dataclass(frozen=True)
class NotebookTime:
    """How long a notebook took.

    Attributes
    ----------
    seconds : by the clock.
    processor_seconds : None where the system doesn't count them (a busy machine lengthens the
        others, not these).
    environment, commit : as in `helpers.runs.records.Record`.
    date : ISO.
    """

    seconds: float
    processor_seconds: float | None
    environment: dict
    commit: str
    date: str


def measure(path):
    """Execute one notebook, and return its `NotebookTime`; a `NotebookError` if a cell fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute",
                   "--ExecutePreprocessor.timeout=-1", "--output-dir", folder,
                   str(path)]  # fmt: skip
        start, used = time.perf_counter(), _children_seconds()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds, used = time.perf_counter() - start, _children_seconds() - used
    if done.returncode:
        why = (done.stderr.split() and done.stderr.strip().splitlines()[-1]) or "it said nothing"
        raise NotebookError(f"{path.name} can't be executed: {why}")
    return NotebookTime(
        seconds=round(seconds, 1),
        processor_seconds=round(used, 1) or None,
        environment=records.environment() | {"device": "cpu"},
        commit=records.source_commit(),
        date=date.today().isoformat(),
    )


def _children_seconds():
    spent = os.times()
    return spent.children_user + spent.children_system


def read(path=PATH):
    """Return what was measured, a `NotebookTime` by the notebook's path without ending.

    A file that can't be used is a `helpers.runs.records.RecordError`.
    """
    parts = {"notebooks": lambda times: {name: NotebookTime(**t) for name, t in times.items()}}
    mend = "measure anew with python -m benchmarks.notebook_times"
    return records.read_json(path, ("schema", "notebooks"), SCHEMA, mend, parts)["notebooks"]


def write(times, path=PATH):
    """Write measurements, by notebook, where they belong."""
    notebooks = {name: asdict(each) for name, each in sorted(times.items())}
    records.write_json({"schema": SCHEMA, "notebooks": notebooks}, path)


def main(arguments=None, path=PATH, notebooks=NOTEBOOKS):
    """Run the command line; return the exit status."""
    parser = records.command_line("python -m benchmarks.notebook_times", __doc__)
    parser.add_argument("names", nargs="*", help="below notebooks/, without ending; default: all")
    options = parser.parse_args(arguments)

    def act():
        files = sorted([*notebooks.glob("*.ipynb"), *notebooks.glob("evidence/*.ipynb")])
        there = {f.relative_to(notebooks).with_suffix("").as_posix(): f for f in files}
        if odd := [name for name in options.names if name not in there]:
            raise NotebookError(f"there is no notebook {odd[0]!r}: take {', '.join(there)}")
        times = read(path) if path.exists() else {}
        times = {name: entry for name, entry in times.items() if name in there}
        for name in options.names or there:
            times[name] = measure(there[name])
            write(times, path)
            print(f"{name}: {times[name].seconds / 60:.1f} minutes", flush=True)

    errors = (NotebookError, records.RecordError)
    return records.exit_status(act, errors)


if __name__ == "__main__":
    sys.exit(main())
