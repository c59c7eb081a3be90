"""SHA256SUMS: a folder's own list of what its files hold, as ``sha256sum -c`` reads it."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

from data_prep.errors import PrepError
from data_prep.files import read_bytes
from data_prep.paths import display_path

SUMS = "SHA256SUMS"
_UMASK = os.umask(0)  # it can only be read by setting it, which is for one thread alone
os.umask(_UMASK)


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file, which may be larger than the memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it: it appears whole or not at all."""
    handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(scratch, 0o666 & ~_UMASK)  # mkstemp's files are closed to other users
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def write_arrays(path: Path, arrays: Mapping) -> None:
    """Write arrays as one compressed file, whole or not at all, and print their sizes."""
    import numpy as np  # here: the other functions need not wait for it

    content = BytesIO()
    np.savez_compressed(content, **arrays)
    write_whole(path, content.getvalue())
    print(f"{path.name}: {len(content.getvalue()):,} bytes")
    for name, array in arrays.items():
        print(f"  {name:16} {array.dtype!s:8} {array.shape}")


def write_sums(folder: Path, digests: Mapping[str, str]) -> None:
    """Write SHA256SUMS; `digests` maps paths in the folder to hexadecimal digests."""
    lines = [f"{digest}  {name}\n" for name, digest in digests.items()]
    write_whole(folder / SUMS, "".join(lines).encode())


def problems(folder: Path, expected: Iterable[str]) -> list[str]:
    """Return a sentence for every file of a folder's SHA256SUMS that is missing or was altered.

    The files that are `expected` must be listed, as paths in the folder.
    """
    try:
        text = read_bytes(folder / SUMS, "prepare the data anew").decode(errors="replace")
    except PrepError as error:
        return [str(error)]
    found, unlisted = [], set(expected)
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
            return [f"{display_path(folder / SUMS)} is damaged; prepare the data anew."]
        unlisted.discard(name)
        shown = display_path(folder / name)
        try:
            if sha256(folder / name) != digest:
                found.append(f"{shown} is not what was prepared; prepare the data anew.")
        except FileNotFoundError:
            found.append(f"{shown} is missing; prepare the data anew.")
        except OSError as error:
            found.append(f"{shown} cannot be read ({error.strerror}); mend that first.")
    if unlisted:
        found.append(
            f"{display_path(folder / SUMS)} does not list {min(unlisted)}; prepare the data anew."
        )
    return found
