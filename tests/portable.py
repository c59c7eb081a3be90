"""Runs the notebooks, and the tests that train, as other processors would.

    python -m tests.portable                                          # all of them: an hour or so
    python -m tests.portable --notebooks 05_activations --settings sse-1 avx2-2
    python -m tests.portable --tests                                  # the tests that train, too

Processors round differently, and training multiplies that. Libraries can be told to use the
instructions of an older processor, so that one machine shows what others would. Under each setting
the notebooks are executed as `pytest` does it, and what they print is compared with what is stored.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from helpers.commands import exit_status

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
# The tests that train a network and judge what came of it.
TRAINING = ["test_activations", "test_exercises", "test_numpy_training", "test_training"]

LEVELS = ["DEFAULT", "AVX2", "AVX512"]  # as PyTorch names what a processor has
NEWER = "X86_V4 AVX512_ICL AVX512_SPR"  # NumPy's name for what came after AVX2
# A processor: the level of x86 that it takes, None for any processor, and what is told to PyTorch,
# oneDNN, MKL, OpenBLAS and NumPy.
PROCESSORS = {
    "own": (None, {}),
    "sse": ("DEFAULT", {
        "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": f"X86_V3 {NEWER}",
    }),
    "avx2": ("AVX2", {
        "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": NEWER,
    }),
    "avx512": ("AVX512", {
        "ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "OPENBLAS_CORETYPE": "SkylakeX",
    }),
}  # fmt: skip
THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"]
SETTINGS = {
    f"{name}-{threads}": (level, variables | dict.fromkeys(THREADS, str(threads)))
    for name, (level, variables) in PROCESSORS.items()
    for threads in (1, 2)
}
CHOSEN = {"COURSE_SCALE", *(name for _, told in SETTINGS.values() for name in told)}


class PortableError(ValueError):
    """Something asked for does not exist; the message says what there is."""


def surroundings(variables):
    """Return this process's environment with a setting's variables and no other setting's."""
    return {key: text for key, text in os.environ.items() if key not in CHOSEN} | variables


def level_here():
    """Return the x86 level of this machine, as in `LEVELS`; None for another processor."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return None
    code = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=surroundings({}), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def lacking(wanted, here):
    """Say why a machine of level `here` can't simulate one of level `wanted`; None if it can."""
    if wanted is None or (here in LEVELS and LEVELS.index(wanted) <= LEVELS.index(here)):
        return None
    return f"needs an x86 processor with {wanted}" if here else "needs an x86 processor"


def differences(report):
    """List what went wrong in a report of pytest's in JUnit's format: where, and both texts."""
    found = []
    for case in ElementTree.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            found += [(case.get("name"), problem.text or "") for problem in case.iter(kind)]
    return found


def check(path, variables):
    """Run pytest on one file under a setting; return what differs, as `differences` lists it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", str(path), "-q", "--color=no",
                   "-p", "no:cacheprovider", f"--junitxml={report}"]  # fmt: skip
        done = subprocess.run(
            command, cwd=ROOT, env=surroundings(variables), capture_output=True, text=True
        )
        found = differences(report) if report.exists() else []
    if done.returncode and not found:
        found = [("pytest", f"ended with status {done.returncode}:\n{done.stdout}{done.stderr}")]
    return found


def table(results, names):
    """Lay out results, by setting and then by name, as lines of text; a skipped setting is "-"."""
    width = max(map(len, names))
    lines = [" " * width + "".join(f"{setting:>10}" for setting in results)]
    for name in names:
        cells = ("-" if one is None else len(one[name]) or "same" for one in results.values())
        lines.append(f"{name:{width}}" + "".join(f"{cell:>10}" for cell in cells))
    return lines


def compare(names, settings, paths, here, checked=check):
    """Check every file under every setting, and print what differs and a table.

    Parameters
    ----------
    names, settings : list of str
    paths : dict of Path
        The file of each name.
    here : str or None
        This machine's level, as `level_here` returns it.
    checked : callable
        As `check`.

    Returns
    -------
    bool
        Whether nothing differs.
    """
    results = {}
    for setting in settings:
        level, variables = SETTINGS[setting]
        if reason := lacking(level, here):
            print(f"{setting}: skipped, since it {reason}", flush=True)
            results[setting] = None
            continue
        results[setting] = {}
        for name in names:
            start = time.perf_counter()
            found = results[setting][name] = checked(paths[name], variables)
            seconds = time.perf_counter() - start
            print(f"{setting}: {name}: {len(found)} differ ({seconds:.0f} s)", flush=True)
            for where, texts in found:
                print(f"\n--- {setting}, {name}, {where}\n{texts}\n", flush=True)
    print("\nHow many cells or tests differ:\n", *table(results, names), sep="\n")
    return not any(found for one in results.values() if one for found in one.values())


def main(arguments=None):
    """Run the command line; return the exit status: 0 all the same, 1 a difference, 2 an error."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.portable",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--notebooks", nargs="*", default=NOTEBOOKS, help="by name; default: all")
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), help=", ".join(SETTINGS))
    parser.add_argument("--tests", action="store_true", help="the tests that train as well")
    options = parser.parse_args(arguments)
    same = []

    def act():
        for asked, there in ((options.notebooks, NOTEBOOKS), (options.settings, SETTINGS)):
            if odd := [name for name in asked if name not in there]:
                raise PortableError(f"there is no {odd[0]!r}: take {', '.join(there)}")
        paths = {name: ROOT / "notebooks" / f"{name}.ipynb" for name in options.notebooks}
        if options.tests:
            paths |= {name: ROOT / "tests" / f"{name}.py" for name in TRAINING}
        same.append(compare(list(paths), options.settings, paths, level_here()))

    status = exit_status(act, (PortableError,), "every notebook", "stopped; nothing was changed")
    return status or int(not same[0])


if __name__ == "__main__":
    sys.exit(main())
