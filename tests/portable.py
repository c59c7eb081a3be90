"""Runs the notebooks, and the tests that train, as other processors would.

    python -m tests.portable                  # every notebook under every setting
    python -m tests.portable --notebooks 05_activations --settings sse-1 avx2-2
    python -m tests.portable --tests          # the tests that train as well

Processors round differently, and training multiplies that. The libraries can be told to take an
older processor's instructions, so one machine shows what others would print. Under each setting
pytest executes the notebooks, and compares what they print with what is stored.
"""

import argparse
import os
import platform
import subprocess
import sys
import time

from tests.__main__ import NOTEBOOKS, ROOT

NAMED = {
    path.relative_to(ROOT / "notebooks").with_suffix("").as_posix(): path for path in NOTEBOOKS
}
# The folders of tests in which a network is trained and judged.
TRAINING = ["networks", "training", "runs", "book", "benchmarks", "data_prep"]

LEVELS = ["DEFAULT", "AVX2", "AVX512"]  # of x86 processors, as PyTorch names them
NEWER = "X86_V4 AVX512_ICL AVX512_SPR"  # NumPy's names for what came after AVX2
# For each processor the level that a machine must have to pass for it, None for any machine,
# and what PyTorch, oneDNN, MKL, OpenBLAS and NumPy are told.
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
    f"{name}-{threads}": (level, told | dict.fromkeys(THREADS, str(threads)))
    for name, (level, told) in PROCESSORS.items()
    for threads in (1, 2)
}
CHOSEN = {name for _, told in SETTINGS.values() for name in told}


def surroundings(told):
    """Return this process's environment with what one setting tells, and nothing of the others."""
    kept = {key: text for key, text in os.environ.items() if key not in CHOSEN}
    return kept | told | {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait leave the cores alone


def level_here():
    """Return this machine's level, as in `LEVELS`; None if it is not an x86 processor."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return None
    command = [sys.executable, "-c", "import torch; print(torch.backends.cpu.get_cpu_capability())"]
    return subprocess.check_output(command, env=surroundings({}), text=True).strip()


def lacking(wanted, here):
    """Say what a machine of level `here` lacks to pass for one of level `wanted`, None if nothing.

    A machine above all levels has them all.
    """
    if wanted is None or (here and here not in LEVELS[: LEVELS.index(wanted)]):
        return None
    return f"an x86 processor with {wanted}" if here else "an x86 processor"


def check(path, told):
    """Run pytest on one file under a setting; return what it says of failures, "" if all passed."""
    command = [sys.executable, "-m", "pytest", str(path), "-vv", "-c", "pyproject.toml",
               "-p", "no:cacheprovider", "--color=no"]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, env=surroundings(told), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout if done.returncode else ""


def compare(paths, settings, here, checked=check):
    """Check files, given by name, under each setting; print it all; return what differs."""
    different = []
    for setting in settings:
        level, told = SETTINGS[setting]
        if missing := lacking(level, here):
            print(f"{setting}: skipped, since this machine is not {missing}", flush=True)
            continue
        for name, path in paths.items():
            start = time.perf_counter()
            found = checked(path, told)
            seconds = time.perf_counter() - start
            same = "differs" if found else "the same"
            print(f"{setting}: {name}: {same} ({seconds:.0f} s)\n{found}", end="", flush=True)
            different += [f"{setting}: {name}"] if found else []
    return different


def main(arguments=None):
    """Run the command line; return the exit status: 1 if anything differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.portable",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, there in (("notebooks", list(NAMED)), ("settings", list(SETTINGS))):
        parser.add_argument(f"--{name}", nargs="*", choices=there, default=there, metavar="NAME",
                            help=f"of {', '.join(there)}; default: all")  # fmt: skip
    parser.add_argument("--tests", action="store_true", help="the tests that train as well")
    options = parser.parse_args(arguments)
    paths = {name: NAMED[name] for name in options.notebooks}
    paths |= {name: ROOT / "tests" / name for name in TRAINING if options.tests}
    different = compare(paths, options.settings, level_here())
    print("\nDifferent:", *different or ["nothing"], sep="\n  ")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
