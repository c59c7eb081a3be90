"""A folder of prepared Tiny-VOC: what is in it, and reading it back.

::

    labels.txt  classes.txt  train.txt  val.txt     one line an image, a class, an id
    about.json                                      which data set, and from which files
    sample.png                                      some images, their masks and labels
    128/images.npy                                  uint8 [N, 128, 128, 3], one such folder a size
    128/images/00000.png ...                        the same as pictures, where asked for

The rows of every array are the lines of ``labels.txt``: first the training images, then the
validation images. Each folder has its own SHA256SUMS.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from data_prep.errors import PrepError
from data_prep.paths import display_path
from data_prep.voc_labels import parse_labels

SPLITS = ("train", "val")
ABOUT, ARRAY, CLASS_NAMES, LABELS, SAMPLE = (
    "about.json", "images.npy", "classes.txt", "labels.txt", "sample.png"
)  # fmt: skip
PNGS = "images"
MEND = "run `python -m data_prep tiny-voc` to prepare it anew"


@dataclass(frozen=True)
class About:
    """Where prepared data come from.

    Attributes
    ----------
    name : str
        "tiny-voc", "voc2012" or "toy-voc".
    source : str
        The fingerprint of the files that it was made from.
    """

    name: str
    source: str

    def to_json(self) -> str:
        """Return the content of ``about.json``."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_about(folder: Path) -> About:
    """Read ``about.json``; PrepError if it is missing or damaged."""
    return parse_about(_read(folder / ABOUT), display_path(folder / ABOUT))


def parse_about(text: str | bytes, name: str, mend: str = MEND) -> About:
    """Read the content of ``about.json``.

    Parameters
    ----------
    text : str or bytes
        The content.
    name, mend : str
        What to call it in an error message, and what to do about it.
    """
    try:
        return About(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise PrepError(f"{name} is damaged; {mend}.") from error


def read_labels(folder: Path) -> dict[str, tuple[int, ...]]:
    """Read the label file; PrepError if it is missing or a line of it is malformed."""
    return parse_labels(_read(folder / LABELS), display_path(folder / LABELS))


def read_splits(folder: Path) -> dict[str, list[str]]:
    """Read the ids of both parts; PrepError if they are not those of the label file, in turn."""
    splits = {split: _read(folder / f"{split}.txt").split() for split in SPLITS}
    if [*splits["train"], *splits["val"]] != list(read_labels(folder)):
        raise PrepError(
            f"{display_path(folder / LABELS)} does not list the images of train.txt and val.txt "
            f"in their order; {MEND}."
        )
    return splits


def sizes(folder: Path) -> list[int]:
    """Return the sizes that are prepared, in increasing order."""
    if not folder.is_dir():
        return []
    return sorted(
        int(entry.name)
        for entry in folder.iterdir()
        if entry.name.isdecimal() and (entry / ARRAY).is_file()
    )


def read_images(folder: Path, size: int) -> np.ndarray:
    """Map the images of one size into memory.

    Returns
    -------
    memmap of uint8, [N, size, size, 3]
        Read-only; a row is read from the disk when it is used.

    Raises
    ------
    PrepError
        If the file is missing, damaged, or not of this form.
    """
    path = folder / str(size) / ARRAY
    shown = display_path(path)
    try:
        images = np.load(path, mmap_mode="r")
    except FileNotFoundError:
        raise PrepError(f"{shown} is missing; {MEND} with --size {size}.") from None
    except (OSError, ValueError) as error:
        raise PrepError(f"{shown} cannot be read ({error}); {MEND} with --size {size}.") from error
    if images.shape[1:] != (size, size, 3) or images.dtype != np.uint8:
        raise PrepError(
            f"{shown} holds {images.dtype} values of shape {images.shape}, not uint8 of shape "
            f"(N, {size}, {size}, 3); {MEND} with --size {size}."
        )
    return images


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PrepError(f"{display_path(path)} is missing; {MEND}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PrepError(f"{display_path(path)} cannot be read ({error}); {MEND}.") from error
