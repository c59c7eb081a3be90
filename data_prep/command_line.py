"""The command line: ``python -m data_prep STEP [options]``, or ``verify`` for all of them."""

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.errors import PrepError, make_steady, say, tell
from data_prep.files import alone
from data_prep.paths import PROJECT_ROOT, command, data_dir, display_path, expanded, same_place

if TYPE_CHECKING:
    from data_prep.steps import Step


def main(arguments: Sequence[str] | None = None, steps: "Sequence[Step] | None" = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line; `sys.argv` where it is not given.
    steps : sequence of Step, optional
        The data sets that can be prepared; all where it is not given.

    Returns
    -------
    int
        The exit status: 0, or 2 if something is wrong. What is printed and cannot be shown
        changes nothing of it.
    """
    make_steady()
    try:
        steps = all_steps() if steps is None else steps
        return _run(arguments, {step.name: step for step in steps})
    except PrepError as error:
        why = str(error)
    except MemoryError:
        why = "there is too little memory; end other programs and give the command again."
    except OSError as error:
        what = display_path(error.filename) if error.filename else "something of the system's"
        why = f"{what} cannot be used ({error.strerror or error}); mend that."
    except KeyboardInterrupt:
        tell("interrupted; what was there before is untouched, and the same command goes on.")
        return 130
    finally:
        say(end="")  # the help too
    tell(why)
    return 2


def all_steps() -> "list[Step]":
    """Return what can be prepared; PrepError if it cannot be loaded."""
    try:  # here, where Ctrl-C is answered: it takes a moment
        from data_prep.features import Features
        from data_prep.mnist import Mnist
        from data_prep.own_photographs import Photographs
        from data_prep.tiny_voc import TinyVoc
    except (ImportError, SystemError) as error:
        raise PrepError(
            f"What this needs cannot be loaded ({str(error).strip().splitlines()[-1]}); install "
            f"{display_path(PROJECT_ROOT / 'requirements.txt')} with pip, or free some memory."
        ) from error
    return [Mnist(), TinyVoc(), Features(), Photographs()]


def _run(arguments: Sequence[str] | None, steps: "Mapping[str, Step]") -> int:
    options = _parser(steps).parse_args(arguments)
    dest = options.dest or data_dir()
    if options.command == "verify":
        return _verify(dest, steps, chosen=options.dest is not None)
    step = steps[options.command].with_options(options)
    with alone(dest):
        _prepare(step, getattr(options, "source", None), dest / step.name)
    if not same_place(dest, data_dir()):
        say(f"Set COURSE_DATA={shlex.quote(os.path.abspath(dest))} to use this folder.")
    return 0


def _prepare(step: "Step", source: Path | None, folder: Path) -> None:
    if step.prepare(source, folder):
        say(f"{step.name} is verified and prepared in {display_path(folder)}.")
    else:
        say(f"{step.name} is already prepared in {display_path(folder)}, and verified again.")
    say(f"\n{step.summary(folder)}\n\nSamples: {display_path(step.sample(folder))}")


def _verify(dest: Path, steps: "Mapping[str, Step]", chosen: bool) -> int:
    """Report on every data set; a folder that the user named must exist."""
    if chosen and not dest.is_dir():
        raise PrepError(f"{display_path(dest)} is not a folder; name one that exists with --dest.")
    status = 0
    for step in steps.values():
        folder = dest / step.name
        if not step.is_there(folder):
            say(f"{step.name}: not prepared in {display_path(folder)}.")
            continue
        problems = step.problems(folder)
        for problem in problems:
            tell(problem)
        if problems:
            status = 2
            say(f"{step.name}: wrong; run `{command(step.usage, folder)}` to prepare it anew.")
        else:
            say(f"{step.name}: verified in {display_path(folder)}.")
    return status


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
