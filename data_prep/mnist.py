"""The step `mnist`: fetch or find MNIST's four IDX files, verify them, prepare them.

The prepared data are the four files, uncompressed and under their published names, and a
picture of some samples. Wherever the files come from, the same checks decide.

MNIST is by LeCun, Cortes and Burges; its home is https://yann.lecun.com/exdb/mnist.
"""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.downloads import download_mnist
from data_prep.errors import PrepError
from data_prep.files import explained_reads, whole_folder
from data_prep.idx import parse_idx, read_content
from data_prep.paths import display_path, expanded
from data_prep.steps import SAMPLE, Step

CELL_GAP, ENLARGEMENT = 2, 2  # of the sample: pixels between its cells, and how often each


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


@dataclass(frozen=True)
class Mnist(Step):
    """Prepare and verify MNIST in a folder of its own; see `data_prep.steps.Step`.

    Attributes
    ----------
    parts : tuple of Part
        What is published: training images and labels, test images and labels.
    """

    parts: tuple[Part, Part, Part, Part] = PARTS

    name = usage = "mnist"
    title = "MNIST, 70,000 handwritten digits (LeCun, Cortes and Burges)"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the step's own options to its command."""
        parser.add_argument(
            "--source",
            type=expanded,
            metavar="DIR",
            help="a folder with the four IDX files, plain or gzip-compressed, or with MNIST/raw "
            "below it; without this they are downloaded (11 MB)",
        )

    def is_there(self, folder: Path) -> bool:
        """Tell whether any of the four prepared files is in `folder`."""
        return any((folder / part.name).exists() for part in self.parts)

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for each prepared file that is missing or not as published."""
        found = []
        for part in self.parts:
            try:
                read_part(folder / part.name, part)
            except PrepError as error:
                found.append(str(error))
        return found

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Make `folder` hold the verified data, downloaded if `source` is None, and the sample.

        On any failure it is as it was before.

        Raises
        ------
        PrepError
            If the files cannot be had, are not as published, or cannot be written.
        """
        if not self.problems(folder):
            if (folder / SAMPLE).is_file():
                return False
            source = folder
        contents = None if source is None else self._read(source)
        with whole_folder(folder) as new:
            if contents is None:
                download_mnist(new.parent)
                contents = self._read(new.parent)
            for part, content in zip(self.parts, contents, strict=True):
                (new / part.name).write_bytes(content)
            images, labels = self._arrays(contents)[:2]
            write_sample(new / SAMPLE, images, labels)
        return True

    def summary(self, folder: Path) -> str:
        """Return a table of the prepared data: a row per split, with its class counts."""
        arrays = self._arrays(self._read(folder))
        classes = np.unique(np.concatenate([arrays[1], arrays[3]]))
        lines = ["split   images  shape  " + "".join(f"{label:>7}" for label in classes)]
        for split, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
            shape = f"{images.shape[1]}x{images.shape[2]}"
            counts = "".join(f"{np.sum(labels == label):>7,}" for label in classes)
            lines.append(f"{split:<6} {len(images):>7,}  {shape:<7}{counts}")
        return "\n".join(lines)

    def _read(self, source: Path) -> list[bytes]:
        """Return the four verified contents."""
        return [read_part(find_part(source, part), part) for part in self.parts]

    def _arrays(self, contents: list[bytes]) -> list[np.ndarray]:
        return [parse_idx(c, part.name) for c, part in zip(contents, self.parts, strict=True)]


def find_part(source: Path, part: Part) -> Path:
    """Return the file of `source`, or of ``MNIST/raw`` below it, that should hold `part`.

    Raises
    ------
    PrepError
        If `source` is no readable folder, or none of the usual names is there.
    """
    shown = display_path(source)
    dotted = part.name.replace("-idx", ".idx")
    names = [part.name, part.name + ".gz", dotted, dotted + ".gz"]
    with explained_reads(shown):
        if not source.is_dir():
            raise PrepError(f"{shown} is not a folder; name one that exists with --source.")
        for folder in (source, source / "MNIST" / "raw"):
            for name in names:
                if (folder / name).is_file():
                    return folder / name
    raise PrepError(
        f"{part.name} is missing: neither it nor {part.name}.gz is in {shown} or in MNIST/raw "
        "below it; put MNIST's four files there, or name their folder with --source."
    )


def read_part(path: Path, part: Part) -> bytes:
    """Return the uncompressed content of one file, verified.

    Raises
    ------
    PrepError
        If the file is damaged, has another shape, or has another content than published.
    """
    shown = display_path(path)
    content = read_content(path)
    parse_idx(content, shown, part.shape)
    found = hashlib.sha256(content).hexdigest()
    if found != part.sha256:
        raise PrepError(
            f"{shown} is not {part.name} as published: the SHA-256 of its uncompressed content "
            f"is {found}, not {part.sha256}; fetch it again."
        )
    return content


def write_sample(path: Path, images: np.ndarray, labels: np.ndarray, columns: int = 20) -> None:
    """Write the first images of each class, a class a row, as a PNG file, enlarged for the eye.

    Parameters
    ----------
    path : Path
        The file.
    images : ndarray of uint8, [N, H, W]
        Grey values, 0 for background; they are drawn as dark ink on white.
    labels : ndarray of int, [N]
        The class of each image.
    columns : int
        How many images of a class to show; a class with fewer leaves blanks.
    """
    classes = np.unique(labels)
    height, width = images.shape[1] + CELL_GAP, images.shape[2] + CELL_GAP
    canvas = np.zeros((len(classes) * height + CELL_GAP, columns * width + CELL_GAP), np.uint8)
    for row, label in enumerate(classes):
        for column, index in enumerate(np.flatnonzero(labels == label)[:columns]):
            top, left = row * height + CELL_GAP, column * width + CELL_GAP
            canvas[top : top + images.shape[1], left : left + images.shape[2]] = images[index]
    picture = Image.fromarray(255 - canvas)
    size = (picture.width * ENLARGEMENT, picture.height * ENLARGEMENT)
    picture.resize(size, Image.Resampling.NEAREST).save(path, format="PNG", optimize=True)
