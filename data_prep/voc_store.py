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

import errno
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from data_prep.errors import PrepError
from data_prep.files import read_bytes
from data_prep.paths import command, display_path
from data_prep.voc_labels import parse_labels

SPLITS = ("train", "val")
ABOUT, ARRAY, CLASS_NAMES, LABELS = "about.json", "images.npy", "classes.txt", "labels.txt"
PNGS = "images"
MEND = "prepare the data anew"


@dataclass(frozen=True)
class About:
    """Where prepared data come from.

    Attributes
    ----------
    name : str
        "tiny-voc" or "voc2012".
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
    try:
        about = About(**json.loads(read_text(folder / ABOUT)))
        if not (re.fullmatch(r"[\w-]+", about.name) and isinstance(about.source, str)):
            raise ValueError(f"{about} is of none of our data sets")
        return about
    except (ValueError, TypeError, RecursionError) as error:
        raise PrepError(f"{display_path(folder / ABOUT)} is damaged; {MEND}.") from error


def read_labels(folder: Path) -> dict[str, tuple[int, ...]]:
    """Read the label file; PrepError if it is missing or a line of it is malformed."""
    return parse_labels(read_text(folder / LABELS), display_path(folder / LABELS))


def read_splits(folder: Path) -> dict[str, list[str]]:
    """Read the ids of both parts; PrepError if they are not those of the label file, in turn."""
    splits = {split: read_text(folder / f"{split}.txt").split() for split in SPLITS}
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
        if re.fullmatch(r"[1-9]\d*", entry.name, re.ASCII) and (entry / ARRAY).is_file()
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
    try:
        images = np.lib.format.open_memmap(path, mode="r")
        if images.shape[1:] == (size, size, 3) and images.dtype == np.uint8:
            return images
        what = f"holds {images.dtype} values of shape {images.shape}"
    except FileNotFoundError:
        what = "is missing"
    except Exception as error:  # of as many kinds as there are ways to be damaged
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            raise MemoryError from error
        what = f"cannot be read ({error})"
    raise PrepError(f"{display_path(path)} {what}; run `{prepare_command(folder, size)}`.")


def prepare_command(folder: Path, size: int) -> str:
    """Return the command that prepares the images of one size in `folder`."""
    return command(f"tiny-voc --source FOLDER-OR-ZIP --size {size}", folder)


def read_text(path: Path) -> str:
    """Read a small file; PrepError if it is missing. What is no UTF-8 in it becomes U+FFFD."""
    return read_bytes(path, MEND).decode("utf-8-sig", errors="replace")
