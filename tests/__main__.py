"""Runs every test, and every notebook again: some at once, one on each core of the processor.

    python -m tests

Each part is a `python -m pytest` of its own, on one thread. What it says is shown when it has
ended; the last line adds them up.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(
    path for place in ("*", "evidence/*") for path in (ROOT / "notebooks").glob(f"{place}.ipynb")
)
TIMES = ROOT / "benchmarks" / "notebook_times.json"
MOST = 4  # at once; each takes up to 2 GB
ONE_THREAD = {"OMP_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}


def parts():
    """List what pytest is told of each part, the longest first."""
    times = json.loads(TIMES.read_text(encoding="utf-8"))["notebooks"]
    seconds = {f"notebooks/{name}.ipynb": one["seconds"] for name, one in times.items()}
    notebooks = [path.relative_to(ROOT).as_posix() for path in NOTEBOOKS]
    notebooks.sort(key=lambda name: seconds.get(name, 1e9), reverse=True)
    return [["tests/pages"], ["tests", "--ignore=tests/pages"], *([name] for name in notebooks)]


def run(part):
    """Run pytest on a part and show what it says; return its exit status and its summary."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *part]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, text=True, **streams)
    print(f"\n{' '.join(part)}\n{done.stdout.rstrip()}", flush=True)
    return done.returncode, done.stdout.rstrip().rpartition("\n")[2]


def total(summaries):
    """Add up the summaries of pytest: "5 passed, 1 skipped in 2 s" and the like."""
    count = Counter()
    for summary in summaries:
        for number, what in re.findall(r"(\d+) ([a-z]+)", summary.partition(" in ")[0]):
            count[what.rstrip("s")] += int(number)
    return ", ".join(f"{count[what]} {what}" for what in count)


def main(chosen=None):
    """Run parts, all if none are given; return the exit status, 1 if one of them fails."""
    start = time.monotonic()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    chosen = chosen or parts()
    with ThreadPoolExecutor(min(cores, MOST)) as pool:
        statuses, summaries = zip(*pool.map(run, chosen), strict=True)
    for part in [part for part, status in zip(chosen, statuses, strict=True) if status]:
        print(f"\nNot passed: python -m pytest {' '.join(part)}")
    print(f"\n====== {total(summaries)} in {time.monotonic() - start:.0f} s ======")
    return int(any(statuses))


if __name__ == "__main__":
    argparse.ArgumentParser("python -m tests", description=__doc__.splitlines()[0]).parse_args()
    sys.exit(main())
