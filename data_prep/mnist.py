"""The step `mnist`: fetch or find MNIST's four IDX files, verify them, prepare them.

The prepared data are the four files, uncompressed and under their published names, and a
picture of some samples. Whatever the source, the same checks decide.

MNIST is by LeCun, Cortes and Burges; its home is https://yann.lecun.com/exdb/mnist.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_prep.errors import PrepError
from data_prep.idx import parse_idx, read_content


@dataclass(frozen=True)
class Part:
    """One published file: its name, the SHA-256 of its uncompressed content, its shape."""

    name: str
    sha256: str
    shape: tuple[int, ...]


PARTS = (
    Part(
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        (60_000, 28, 28),
    ),
    Part(
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        (60_000,),
    ),
    Part(
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        (10_000, 28, 28),
    ),
    Part(
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        (10_000,),
    ),
)


def find_part(source: Path, part: Part) -> Path:
    """Return the file of `source`, or of ``MNIST/raw`` below it, that holds `part`.

    Raises
    ------
    PrepError
        If none of the usual names is there.
    """
    dotted = part.name.replace("-idx", ".idx")
    names = [part.name, part.name + ".gz", dotted, dotted + ".gz"]
    for folder in (source, source / "MNIST" / "raw"):
        for name in names:
            if (folder / name).is_file():
                return folder / name
    raise PrepError(
        f"{source} holds no {part.name} (plain or .gz, also looked for in MNIST/raw): "
        "put MNIST's four files there, or name their folder with --source."
    )


def read_part(path: Path, part: Part) -> tuple[bytes, np.ndarray]:
    """Read and verify one file.

    Returns
    -------
    content : bytes
        The uncompressed file.
    values : ndarray of uint8
        What it holds.

    Raises
    ------
    PrepError
        If the file is damaged, has another shape, or has another content than published.
    """
    content = read_content(path)
    values = parse_idx(content, str(path), part.shape)
    found = hashlib.sha256(content).hexdigest()
    if found != part.sha256:
        raise PrepError(
            f"{path} is not MNIST's {part.name} as published: the SHA-256 of its uncompressed "
            f"content is {found}, not {part.sha256}; fetch it again."
        )
    return content, values
