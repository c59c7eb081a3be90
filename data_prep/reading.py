"""Reading a small file, and saying in a sentence why something could not be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.errors import PrepError
from data_prep.paths import display_path

LARGEST_FILE = 64 * 2**20  # bytes, unpacked: more than any file that a data set has


@contextmanager
def explained_reads(shown: str) -> Iterator[None]:
    """Turn an OSError while reading what is called `shown` into a PrepError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise PrepError(f"{shown} cannot be read ({why}); mend that first.") from error


def read_bytes(path: Path, mend: str) -> bytes:
    """Return a file's content.

    Raises
    ------
    PrepError
        If it is missing (and `mend` is to be done), unreadable, or larger than `LARGEST_FILE`.
    """
    shown = display_path(path)
    with explained_reads(shown):
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise too_large(shown, path.stat().st_size)
            return path.read_bytes()
        except FileNotFoundError:
            raise PrepError(f"{shown} is missing; {mend}.") from None


def too_large(shown: str, size: int) -> PrepError:
    """Return the error of a file of `size` bytes, or more, once it is unpacked."""
    return PrepError(
        f"{shown} would take {size / 2**20:,.0f} MiB unpacked, more than any file of a data set "
        f"({LARGEST_FILE >> 20} MiB at most); it may be a decompression bomb: fetch it again "
        "from where it can be trusted."
    )
