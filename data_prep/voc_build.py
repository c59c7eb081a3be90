"""Making the images of one size: an array first, then pictures from it where they are wanted.

The work is done in pieces of 64 images, on several cores, in a hidden folder. A piece counts
as done when its label lines are there, which are written after its rows; so a run that was
interrupted, however it was, goes on with the pieces that are missing. The finished folder
appears by one renaming.
"""

import functools
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from data_prep import sums
from data_prep.errors import PrepError
from data_prep.files import put_in_place
from data_prep.paths import display_path
from data_prep.photograph import encoded
from data_prep.voc_files import Files
from data_prep.voc_labels import classes_of, format_labels, parse_labels
from data_prep.voc_scenes import Layout, Source, read_scene
from data_prep.voc_store import ABOUT, ARRAY, PNGS, About, read_images, read_text

DONE = "pieces"  # the folder of the label lines of finished pieces
PIECE = 64  # images; at 224x224 a piece is 9 MiB
COMPRESSION = 3  # of a PNG, from 0 to 9: from 6 on they take thrice as long and save 3%

Labels = dict[str, tuple[int, ...]]
Piece = tuple[int, tuple[str, ...]]  # its first row, and its ids


def squash(photo: Image.Image, size: int) -> Image.Image:
    """Bring a photograph to `size` x `size` pixels in RGB, all of it, whatever its proportions.

    Cutting out the middle square would keep the proportions but lose what is at the sides, and
    with it the truth of the labels. Lanczos's filter takes every pixel into account that falls
    into a smaller one, so that nothing aliases.
    """
    return photo.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


# ------------------------------------------------------------------------- the array


def build_array(source: Source, size: int, folder: Path, jobs: int) -> Labels:
    """Fill the array of one size, or what is missing of it, in ``.SIZE.partial`` of `folder`.

    Returns
    -------
    dict of str to tuple of int
        Every image's classes.

    Raises
    ------
    PrepError
        If a photograph or mask is not as it should be, or shows none of the classes.
    """
    folder = _begin_array(source, size, folder)
    files, count = source.files(), len(source.ids)
    pieces = _pieces(source.ids, folder / DONE)
    try:
        fill = functools.partial(_fill, files, source.layout, count, size, folder)
        for _ in _work(fill, pieces, jobs, f"{source.layout.name} {size}x{size}"):
            pass
    except PrepError:
        shutil.rmtree(folder)  # no use once the source is mended
        raise
    labels: Labels = {}
    for path in sorted((folder / DONE).glob("[0-9]*.txt")):
        labels |= parse_labels(read_text(path), display_path(path))
    return labels


def finish_array(folder: Path, size: int) -> None:
    """Let a full array appear as ``SIZE/images.npy`` in `folder`."""
    partial, target = folder / f".{size}.partial", folder / str(size)
    sums.write_sums(partial, {name: sums.sha256(partial / name) for name in (ARRAY, ABOUT)})
    before = (target / ABOUT).read_bytes() if (target / ABOUT).is_file() else None
    if before not in (None, (partial / ABOUT).read_bytes()):
        shutil.rmtree(target)  # its pictures too are of other files
    put_in_place(partial, target)
    shutil.rmtree(target / DONE)


def _begin_array(source: Source, size: int, folder: Path) -> Path:
    """Return the hidden folder of an array: begun anew, or as it was left."""
    partial = folder / f".{size}.partial"
    about = About(source.layout.name, source.fingerprint).to_json().encode()
    if not (partial / ABOUT).is_file() or (partial / ABOUT).read_bytes() != about:
        shutil.rmtree(partial, ignore_errors=True)  # begun from other files
        (partial / DONE).mkdir(parents=True)
        shape = (len(source.ids), size, size, 3)
        with (partial / ARRAY).open("wb") as file:  # a map would ask for memory for all of it
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + math.prod(shape))
        sums.write_whole(partial / ABOUT, about)
    return partial


def _fill(files: Files, layout: Layout, count: int, size: int, folder: Path, piece: Piece) -> None:
    """Write the rows of one piece of `count` images, then its label lines."""
    first, ids = piece
    rows = np.empty((len(ids), size, size, 3), np.uint8)
    labels = []
    for row, identifier in zip(rows, ids, strict=True):
        photo, mask = read_scene(files, layout, identifier)
        row[:] = np.asarray(squash(photo, size))
        labels.append((identifier, classes_of(mask)))
        if not labels[-1][1]:
            raise PrepError(
                f"The mask of {identifier} in {files.shown} shows none of the classes; "
                "remove the id from its list."
            )
    with (folder / ARRAY).open("r+b") as array:
        array.seek((first - count) * rows[0].nbytes, os.SEEK_END)
        array.write(rows.data)
        array.flush()
        os.fsync(array.fileno())  # on the disk before the lines that say so
    sums.write_whole(folder / DONE / f"{first:06d}.txt", format_labels(labels).encode())


# ------------------------------------------------------------------------- the pictures


def build_pictures(folder: Path, size: int, ids: tuple[str, ...], jobs: int) -> None:
    """Make ``SIZE/images`` in `folder` from ``SIZE/images.npy``, or what is missing of it.

    The pictures' names are `ids`, in the order of the array's rows.
    """
    new = folder / str(size) / f".{PNGS}.partial"
    new.mkdir(exist_ok=True)
    images, pieces, digests = read_images(folder, size), _pieces(ids), {}
    draw = functools.partial(_draw, images, new)
    for done in _work(draw, pieces, jobs, f"PNG {size}x{size}"):
        digests |= done
    sums.write_sums(new, dict(sorted(digests.items())))
    put_in_place(new, folder / str(size) / PNGS)


def _draw(images: np.ndarray, folder: Path, piece: Piece) -> dict[str, str]:
    """Write the pictures of one piece that are not there, and return all their digests."""
    first, ids = piece
    digests = {}
    for row, identifier in zip(images[first : first + len(ids)], ids, strict=True):
        path = folder / f"{identifier}.png"
        if not path.exists():
            content = encoded(Image.fromarray(row), "PNG", compress_level=COMPRESSION)
            sums.write_whole(path, content)
        digests[path.name] = sums.sha256(path)
    return digests


# ------------------------------------------------------------------------- both


def _pieces(ids: tuple[str, ...], done: Path | None = None) -> list[Piece]:
    """Part the ids into pieces, without those whose label lines are in `done`."""
    return [
        (first, ids[first : first + PIECE])
        for first in range(0, len(ids), PIECE)
        if done is None or not (done / f"{first:06d}.txt").exists()
    ]


def _work(
    function: Callable[[Piece], Any], pieces: Sequence[Piece], jobs: int, title: str
) -> Iterator[Any]:
    """Yield ``function(piece)`` for every piece, as each is done, `jobs` at once.

    They share one process: Pillow, which takes nearly all the time, lets go of Python's lock. If
    one raises an error, those that have not begun are dropped; those that have are finished. A
    progress bar called `title` shows on a terminal.
    """
    count = sum(len(ids) for _, ids in pieces)
    bar = tqdm(total=count, unit="image", desc=title, disable=None)
    with bar, ThreadPoolExecutor(jobs) as pool:
        try:
            futures = {pool.submit(function, piece): len(piece[1]) for piece in pieces}
            for future in as_completed(futures):
                yield future.result()
                bar.update(futures[future])
        finally:
            pool.shutdown(cancel_futures=True)
