"""Where the prepared data sets live, and how paths and commands read in a sentence."""

import os
import shlex
from pathlib import Path

from data_prep.errors import PrepError, printable

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Return the folder of prepared data sets.

    Returns
    -------
    Path
        The folder named by the environment variable ``COURSE_DATA``, or ``data``; below the
        project root where it is relative, whatever the working directory. It need not exist yet.

    Raises
    ------
    PrepError
        If ``COURSE_DATA`` names a home folder that is not known.
    """
    return PROJECT_ROOT / expanded(os.environ.get("COURSE_DATA") or "data")


def expanded(text: str) -> Path:
    """Return a path with a leading ``~`` written out; PrepError if it is empty or homeless."""
    if not text:
        raise PrepError("A path is empty; name a folder.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise PrepError(f"{text} names a home folder that is not known; write it out.") from None


def display_path(path: Path) -> str:
    """Return `path`, printable, and relative to the working directory where it lies below it."""
    try:
        here = Path.cwd()
    except OSError:  # it was removed
        return printable(str(path))
    path = here / path
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))


def command(arguments: str, folder: Path) -> str:
    """Return a command of ``python -m data_prep`` that works in the user's working directory.

    Parameters
    ----------
    arguments : str
        The step and its options.
    folder : Path
        The prepared data set, below the folder of data sets.
    """
    line = f"python -m data_prep {arguments}"
    if not same_place(folder.parent, data_dir()):
        line += f" --dest {shlex.quote(os.path.abspath(folder.parent))}"
    if display_path(PROJECT_ROOT) != ".":
        line = f"cd {shlex.quote(str(PROJECT_ROOT))}; {line}"  # as PowerShell has it, too
    return line


def same_place(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to the same place, which need not exist."""
    return os.path.realpath(one) == os.path.realpath(other)
