"""Reading a file, and writing a folder as a whole or not at all; each failure in a sentence."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from data_prep.errors import PrepError, tell
from data_prep.paths import display_path

with suppress(ImportError):  # on Windows
    import fcntl

_FULL = "the disk is full; free some space"
_FORBIDDEN = "permission is denied; allow it"
_NO_FOLDER = "a file stands where a folder is needed; move it"
_REASONS = {
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.ENOTDIR: _NO_FOLDER, errno.EEXIST: _NO_FOLDER,
    errno.EACCES: _FORBIDDEN, errno.EPERM: _FORBIDDEN, errno.EROFS: _FORBIDDEN,
}  # fmt: skip
_SYSTEM = (errno.EMFILE, errno.ENFILE, errno.EAGAIN)  # no fault of the folder's
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


@contextmanager
def explained_writes(target: Path) -> Iterator[None]:
    """Turn an OSError while writing `target` into a PrepError that says the mend.

    Raises
    ------
    PrepError
        In place of an OSError from the body that the folder may be to blame for.
    MemoryError
        If there was no memory for it.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        if error.errno in _SYSTEM:
            raise
        why = _REASONS.get(error.errno, f"{error.strerror or error}; mend that")
        raise PrepError(
            f"{display_path(target)} cannot be written: {why}, or name another folder with --dest."
        ) from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make `folder` and keep other preparations out of it; where one is at work, wait for it.

    Raises
    ------
    PrepError
        If it cannot be made.
    """
    made = not folder.exists()
    with explained_writes(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if made:
            stack.callback(_remove_if_empty, folder)
        with suppress(OSError, NameError):  # not every system has locks, nor every file system
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                tell(f"another preparation is at work in {display_path(folder)}; waiting for it.")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give out a new folder to fill, which takes the place of `target` at the end.

    The new folder is made beside `target`, on the same disk, and renamed when the body
    has ended; on any failure it is removed and `target` is as it was. What stood in
    `target` and has no successor of the same name is kept.

    A process killed between the two renames leaves the former folder under the name
    ``.<target>.previous``; the next call puts it back before it begins.

    Raises
    ------
    PrepError
        If the disk is full, permission is denied, or a file stands in the way.
    """
    target = Path(os.path.realpath(target))  # where target is a link, it stays one
    previous = target.with_name(f".{target.name}.previous")
    with explained_writes(target):
        if target.exists() and not target.is_dir():
            raise FileExistsError(errno.EEXIST, "not a folder", str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(previous, target)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            new = scratch / "new"  # mkdtemp's own folder is closed to other users, this is not
            new.mkdir()
            yield new
            _replace(target, new, previous)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def put_in_place(new: Path, target: Path) -> None:
    """Rename a finished folder to `target`, on the same disk; see `whole_folder`.

    What stood in `target` and has no successor of the same name is kept.
    """
    previous = target.with_name(f".{target.name}.previous")
    _recover(previous, target)
    _replace(target, new, previous)


def _replace(target: Path, new: Path, previous: Path) -> None:
    """Rename `new` to `target`, keeping what only the old `target` holds."""
    if not target.exists():
        os.rename(new, target)
        return
    os.rename(target, previous)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(previous, target)
        raise
    _recover(previous, target)


def _recover(previous: Path, target: Path) -> None:
    """Put back what is left of a former `target`, where `target` lacks it."""
    if not previous.exists():
        return
    if not target.exists():
        os.rename(previous, target)
        return
    for entry in previous.iterdir():
        if not (target / entry.name).exists():
            os.rename(entry, target / entry.name)
    shutil.rmtree(previous)
