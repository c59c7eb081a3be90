"""Where the prepared data sets live; nothing here reads or writes them."""

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Return the folder of prepared data sets.

    Returns
    -------
    Path
        The folder named by the environment variable ``COURSE_DATA``, or ``data``
        below the project root. It need not exist yet.
    """
    named = os.environ.get("COURSE_DATA")
    return Path(named).expanduser() if named else PROJECT_ROOT / "data"


def display_path(path: Path) -> str:
    """Return `path` relative to the working directory where it lies below it."""
    path = Path(path).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
