"""The command line: ``python -m data_prep {mnist,tiny-voc,toy-voc,features,verify} [options]``."""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from data_prep.errors import PrepError, printable
from data_prep.folders import alone
from data_prep.paths import (
    PROJECT_ROOT,
    command,
    data_dir,
    display_path,
    expanded,
    same_place,
)

if TYPE_CHECKING:
    from data_prep.steps import Step


def main(arguments: Sequence[str] | None = None, steps: "Mapping[str, Step] | None" = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line; `sys.argv` where it is not given.
    steps : mapping of str to Step, optional
        The data sets that can be prepared; all where it is not given.

    Returns
    -------
    int
        The exit status: 0, or 2 if something is wrong. What is printed and cannot be shown
        changes nothing of it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed from the beginning
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        if hasattr(getattr(sys, name), "reconfigure"):  # for a console without our letters
            getattr(sys, name).reconfigure(errors="backslashreplace")
    try:
        return _run(arguments, steps or _all_steps())
    except PrepError as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("there is too little memory; end other programs and give the command again.")
    except OSError as error:
        what = display_path(error.filename) if error.filename else "something of the system's"
        return _fail(f"{what} cannot be used ({error.strerror or error}); mend that.")
    except KeyboardInterrupt:
        _fail("interrupted; what was there before is untouched, and the same command goes on.")
        return 130
    finally:
        _say(end="")  # the help too


def _all_steps() -> "Mapping[str, Step]":
    try:
        from data_prep.steps import STEPS  # here, where Ctrl-C is answered: it takes a moment
    except (ImportError, SystemError) as error:
        raise PrepError(
            f"What this needs cannot be loaded ({str(error).strip().splitlines()[-1]}); install "
            f"{display_path(PROJECT_ROOT / 'requirements.txt')} with pip, or free some memory."
        ) from error
    return STEPS


def _run(arguments: Sequence[str] | None, steps: "Mapping[str, Step]") -> int:
    options = _parser(steps).parse_args(arguments)
    dest = options.dest or data_dir()
    if options.command == "verify":
        return _verify(dest, steps, chosen=options.dest is not None)
    step = steps[options.command].with_options(options)
    with alone(dest):
        _prepare(step, getattr(options, "source", None), dest / step.name)
    if not same_place(dest, data_dir()):
        _say(f"Set COURSE_DATA={shlex.quote(os.path.abspath(dest))} to use this folder.")
    return 0


def _prepare(step: "Step", source: Path | None, folder: Path) -> None:
    if step.prepare(source, folder):
        _say(f"{step.name} is verified and prepared in {display_path(folder)}.")
    else:
        _say(f"{step.name} is already prepared in {display_path(folder)}, and verified again.")
    _say(f"\n{step.summary(folder)}\n\nSamples: {display_path(step.sample(folder))}")


def _verify(dest: Path, steps: "Mapping[str, Step]", chosen: bool) -> int:
    """Report on every data set; a folder that the user named must exist."""
    if chosen and not dest.is_dir():
        raise PrepError(f"{display_path(dest)} is not a folder; name one that exists with --dest.")
    status = 0
    for step in steps.values():
        folder = dest / step.name
        if not step.is_there(folder):
            _say(f"{step.name}: not prepared in {display_path(folder)}.")
            continue
        problems = step.problems(folder)
        for problem in problems:
            status = _fail(problem)
        if problems:
            _say(f"{step.name}: wrong; run `{command(step.usage, folder)}` to prepare it anew.")
        else:
            _say(f"{step.name}: verified in {display_path(folder)}.")
    return status


def _fail(sentence: str) -> int:
    _say(f"data_prep: {printable(sentence)}", sys.stderr)
    return 2


def _say(text: str = "", stream: TextIO | None = None, end: str = "\n") -> None:
    """Print; where nobody reads any more, or a disk is full, say so and go on."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, end=end, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # for what follows
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            _fail(f"the output cannot be written ({error.strerror}); the work itself is not hurt.")


def _parser(steps: "Mapping[str, Step]") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep",
        description="Fetch, verify and prepare the data sets. Each appears whole or not at all.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    parsers = {}
    for step in steps.values():
        parsers[step.name] = commands.add_parser(
            step.name, help=step.title, description=f"Prepare {step.title}."
        )
        step.add_arguments(parsers[step.name])
    about = "re-check whatever has been prepared"
    parsers["verify"] = commands.add_parser("verify", help=about, description=about.capitalize())
    for command_parser in parsers.values():
        command_parser.add_argument(
            "--dest",
            type=expanded,
            metavar="DIR",
            help="the folder of data sets, each in a folder of its own below it "
            "(default: the environment variable COURSE_DATA, or data)",
        )
    return parser


if __name__ == "__main__":
    # Reading pictures asks nothing of OpenBLAS, whose threads some machines would not start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
