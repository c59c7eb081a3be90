"""Measures how long each notebook takes to execute, and reads the measurements back.

    python -m benchmarks.notebook_times                  # all of them
    python -m benchmarks.notebook_times 05_activations   # some, the others' figures stay

Each is executed once, at the scale that needs no download, and its outputs are thrown away: what
is in `notebooks/` stays as it is. The seconds include starting Python, and belong to the machine.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from helpers.runs import records
from helpers.runs.records import exit_status

NOTEBOOKS = records.ROOT / "notebooks"
PATH = records.ROOT / "benchmarks" / "notebooks.json"
SCHEMA = 1
FIELDS = {"seconds", "processor_seconds", "environment", "commit", "date"}
COLOURS = re.compile(r"\x1b\[[\d;]*m")  # of a terminal, in an error message
ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt)\b")


class NotebookTimesError(ValueError):
    """A notebook can't be executed or the measurements can't be used; the message says why."""


def measure(path):
    """Execute one notebook.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        `seconds` by the clock; `processor_seconds`, None where the system doesn't count them
        (a busy machine lengthens the first, not the second); `environment` and `commit` as in
        `helpers.runs.records.Record`; `date`, ISO.

    Raises
    ------
    NotebookTimesError
        If a cell fails.
    """
    surroundings = {k: value for k, value in os.environ.items() if k != "COURSE_SCALE"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute",
                   "--ExecutePreprocessor.timeout=-1", "--output-dir", folder,
                   str(path)]  # fmt: skip
        start, used = time.perf_counter(), _children_seconds()
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings)
        seconds, used = time.perf_counter() - start, _children_seconds() - used
    if done.returncode:
        raise NotebookTimesError(f"{path.name} can't be executed: {_reason(done.stderr)}")
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(used, 1) or None,
        "environment": records.environment() | {"device": "cpu"},
        "commit": records.source_commit(),
        "date": date.today().isoformat(),
    }


def _reason(text):
    """Return the last line of an error message that names the error, or else the last line."""
    lines = COLOURS.sub("", text).strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if ERROR.match(line)), lines[-1])


def _children_seconds():
    spent = os.times()
    return spent.children_user + spent.children_system


def read(path=PATH):
    """Return what was measured, by the notebook's name without ending.

    Returns
    -------
    dict of dict
        As `measure` returns it.

    Raises
    ------
    NotebookTimesError
        If the file is missing, damaged, or of another schema version.
    """
    anew = "measure anew with python -m benchmarks.notebook_times"
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotebookTimesError(f"{Path(path).name} is missing: {anew}") from error
    except (OSError, ValueError) as error:
        raise NotebookTimesError(f"{Path(path).name} can't be read ({error}): {anew}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise NotebookTimesError(f"{Path(path).name} is not of schema version {SCHEMA}: {anew}")
    for name, entry in content["notebooks"].items():
        if set(entry) != FIELDS:
            raise NotebookTimesError(f"{Path(path).name} has odd fields for {name}: {anew}")
    return content["notebooks"]


def write(times, path=PATH):
    """Write measurements, by notebook, where they belong."""
    text = json.dumps({"schema": SCHEMA, "notebooks": dict(sorted(times.items()))}, indent=2)
    records.write_atomically(path, lambda file: file.write(f"{text}\n".encode()))


def main(arguments=None, path=PATH, notebooks=NOTEBOOKS):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.notebook_times",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="of notebooks, without ending; default: all")
    options = parser.parse_args(arguments)

    def act():
        there = {file.stem: file for file in sorted(notebooks.glob("*.ipynb"))}
        if odd := [name for name in options.names if name not in there]:
            raise NotebookTimesError(f"there is no notebook {odd[0]!r}: take {', '.join(there)}")
        times = read(path) if Path(path).exists() else {}
        times = {name: entry for name, entry in times.items() if name in there}
        for name in options.names or there:
            times[name] = measure(there[name])
            print(f"{name}: {times[name]['seconds'] / 60:.1f} minutes", flush=True)
            write(times, path)

    return exit_status(act, (NotebookTimesError,), "what was there before", "stopped")


if __name__ == "__main__":
    sys.exit(main())
