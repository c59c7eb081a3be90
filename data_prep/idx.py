"""Reading IDX files, the format in which MNIST is published.

An IDX file is a big-endian header (two zero bytes, a type code, the number of
dimensions, then each dimension as a 32-bit integer) followed by the values in C order.
Only unsigned bytes are read here, the one type that MNIST uses.

Source: https://yann.lecun.com/exdb/mnist (LeCun, Cortes and Burges), "The IDX file format".
"""

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from data_prep.errors import PrepError
from data_prep.files import LARGEST_FILE, read_bytes, too_large
from data_prep.paths import display_path

UNSIGNED_BYTE = 0x08


def read_content(path: Path) -> bytes:
    """Return the uncompressed bytes of a file that may be gzipped, whatever its name.

    Raises
    ------
    PrepError
        If the file is missing, unreadable, too large, or a damaged gzip archive.
    """
    shown = display_path(path)
    raw = read_bytes(Path(path), "prepare it or name the right folder")
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(LARGEST_FILE + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PrepError(
            f"{shown} is a damaged or truncated gzip archive ({error}); fetch it again."
        ) from error
    if len(content) > LARGEST_FILE:
        raise too_large(shown, len(content))
    return content


def parse_idx(content: bytes, name: str, shape: tuple[int | None, ...] | None = None) -> np.ndarray:
    """Parse the bytes of an IDX file of unsigned bytes.

    Parameters
    ----------
    content : bytes
        The uncompressed file.
    name : str
        What to call the file in an error message.
    shape : tuple of int or None, optional
        The shape that the file must have; None in a place accepts any length there.

    Returns
    -------
    ndarray of uint8
        A read-only view of `content`, of the shape that its header states.

    Raises
    ------
    PrepError
        If the magic number, the dimensions or the number of values is not as expected.
    """
    if len(content) < 4 or content[0:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise PrepError(
            f"{name} is not an IDX file of unsigned bytes: it begins with the bytes "
            f"{content[:4].hex(' ')}, not with 00 00 08; fetch it again."
        )
    rank = content[3]
    header = 4 + 4 * rank
    if len(content) < header:
        raise PrepError(f"{name} ends inside its header; fetch it again.")
    found = struct.unpack(f">{rank}I", content[4:header])
    if shape is not None and (
        rank != len(shape)
        or any(want not in (None, got) for want, got in zip(shape, found, strict=True))
    ):
        raise PrepError(
            f"{name} holds an array of shape {found}, not {shape}; "
            "fetch the file that belongs here."
        )
    if len(content) - header != math.prod(found):
        raise PrepError(
            f"{name} holds {len(content) - header} values where its header of shape {found} "
            f"announces {math.prod(found)}; fetch it again."
        )
    try:
        return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(found)
    except ValueError:  # as with more lengths than an array can have
        raise PrepError(
            f"{name} announces an array of shape {found}, which there cannot be; fetch it again."
        ) from None


def read_idx(path: Path, shape: tuple[int | None, ...] | None = None) -> np.ndarray:
    """Read an IDX file, plain or gzip-compressed; see `read_content` and `parse_idx`."""
    return parse_idx(read_content(path), display_path(path), shape)
