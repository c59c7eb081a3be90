"""The command line: ``python -m data_prep {mnist,tiny-voc,toy-voc,features,verify} [options]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_prep.errors import PrepError
from data_prep.paths import data_dir, display_path
from data_prep.steps import STEPS, Step


def main(arguments: Sequence[str] | None = None, steps: dict[str, Step] = STEPS) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line; `sys.argv` where it is not given.
    steps : dict of str to Step
        The data sets that can be prepared.

    Returns
    -------
    int
        The exit status: 0, or 2 if something is wrong.
    """
    options = _parser(steps).parse_args(arguments)
    dest = (options.dest or data_dir()).expanduser()
    try:
        if options.command == "verify":
            return _verify(dest, steps, chosen=options.dest is not None)
        step = steps[options.command].with_options(options)
        source = getattr(options, "source", None)
        source = source and source.expanduser()
        _prepare(step, source, dest / step.name)
        if dest.resolve() != data_dir().resolve():
            print(f"Set COURSE_DATA={display_path(dest)} to use this folder.")
        return 0
    except PrepError as error:
        print(f"data_prep: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"data_prep: {error.filename} cannot be used ({error.strerror}); mend that.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print(
            "data_prep: interrupted; what was there before is untouched, and the same command "
            "goes on.",
            file=sys.stderr,
        )
        return 130


def _prepare(step: Step, source: Path | None, folder: Path) -> None:
    if step.prepare(source, folder):
        print(f"{step.name} is verified and prepared in {display_path(folder)}.")
    else:
        print(f"{step.name} is already prepared in {display_path(folder)}, and verified again.")
    print(f"\n{step.summary(folder)}\n\nSamples: {display_path(step.sample(folder))}")


def _verify(dest: Path, steps: dict[str, Step], chosen: bool) -> int:
    """Report on every data set; a folder that the user named must exist."""
    if chosen and not dest.is_dir():
        raise PrepError(f"{display_path(dest)} is not a folder; name one that exists with --dest.")
    status = 0
    for step in steps.values():
        folder = dest / step.name
        if not step.is_there(folder):
            print(f"{step.name}: not prepared in {display_path(folder)}.")
            continue
        problems = step.problems(folder)
        for problem in problems:
            print(f"data_prep: {problem}", file=sys.stderr)
        if problems:
            print(f"{step.name}: wrong; run `python -m data_prep {step.name}` to prepare it anew.")
            status = 2
        else:
            print(f"{step.name}: verified in {display_path(folder)}.")
    return status


def _parser(steps: dict[str, Step]) -> argparse.ArgumentParser:
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
    for command in parsers.values():
        command.add_argument(
            "--dest",
            type=Path,
            metavar="DIR",
            help="the folder of data sets, each in a folder of its own below it "
            "(default: the environment variable COURSE_DATA, or data)",
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
