"""Tiny-VOC as arrays, or Toy-VOC, which stands in for it: photographs with five labels each.

This module only reads and draws. ``data_prep`` turns the published masks into labels and
brings the photographs to one size. Images stay uint8, the labels are 0 and 1.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from data_prep.errors import PrepError
from data_prep.paths import data_dir, display_path
from data_prep.toy_voc import SPLIT_SIZES, draw_set
from data_prep.voc_labels import CLASSES, classes_of, label_matrix
from data_prep.voc_store import read_about, read_images, read_labels, read_splits
from helpers.data.datasets import SCALES, DataNotPrepared, checksum

SIZES = {"embedded": 64, "full": 128}  # pixels, where no other size is asked for

#: `VocData.checksum` of Toy-VOC at 64 pixels, the same on every machine.
TOY_CHECKSUM = "156c07fc1d714f7e828ea5aa03cba836d140be9bace70faa2ef93c2148674532"


@dataclass(frozen=True)
class VocData:
    """Images with a set of classes each, in a training and a validation part.

    Attributes
    ----------
    name : str
        "tiny-voc" or "toy-voc"; "voc2012" where that was prepared in its place.
    scale : str
        "full" or "embedded".
    classes : tuple of str
        The names of the five classes, in the order of the targets' columns.
    size : int
        Height and width of each image, in pixels.
    train_images, val_images : ndarray of uint8, [N, size, size, 3]
        RGB. Read-only; at full scale they stay on the disk until they are looked at.
    train_targets, val_targets : ndarray of uint8, [N, 5]
        1 where the class is in the image, 0 where it is not. Read-only.
    train_ids, val_ids : tuple of str
        What each image is called in the data set.
    checksum : str
        Hexadecimal SHA-256 over the four arrays.
    """

    name: str
    scale: str
    classes: tuple[str, ...]
    size: int
    train_images: np.ndarray
    train_targets: np.ndarray
    val_images: np.ndarray
    val_targets: np.ndarray
    train_ids: tuple[str, ...]
    val_ids: tuple[str, ...]
    checksum: str


def load_tiny_voc(scale: str = "embedded", size: int | None = None) -> VocData:
    """Load Tiny-VOC, or the drawn scenes that stand in for it.

    The full data are Tiny-VOC's 6,000 training and 624 validation photographs, each squashed
    to a square, as ``python -m data_prep tiny-voc --size SIZE`` has prepared them. The
    embedded stand-in is Toy-VOC: 800 and 200 scenes, drawn in memory from a fixed seed in a
    few seconds. Each is made once per process and size, and the arrays are read-only.

    Parameters
    ----------
    scale : {"embedded", "full"}
        Which of the two.
    size : int, optional
        Height and width of the images in pixels; 64 for the embedded data and 128 for the
        full where it is not given.

    Returns
    -------
    VocData

    Raises
    ------
    ValueError
        If `scale` is neither, or `size` is below 16.
    DataNotPrepared
        If the full data have not been prepared at this size, or their files do not fit together.

    References
    ----------
    Everingham, Van Gool, Williams, Winn and Zisserman, "The PASCAL Visual Object Classes
    (VOC) Challenge", International Journal of Computer Vision 88 (2010).
    """
    if scale not in SCALES:
        raise ValueError(f'scale must be "embedded" or "full", not "{scale}".')
    size = SIZES[scale] if size is None else size
    if size < 16:
        raise ValueError(f"size must be at least 16 pixels, not {size}.")
    return _toy(size) if scale == "embedded" else _tiny(data_dir() / "tiny-voc", size)


@lru_cache(maxsize=2)
def _toy(size: int) -> VocData:
    images, masks = draw_set(0, sum(SPLIT_SIZES.values()), size)
    targets = label_matrix(map(classes_of, masks))
    ids = tuple(f"{index:05d}" for index in range(len(images)))
    return _voc_data("toy-voc", "embedded", images, targets, ids, SPLIT_SIZES["train"])


@lru_cache(maxsize=4)
def _tiny(folder: Path, size: int) -> VocData:
    command = f"python -m data_prep tiny-voc --source FOLDER-OR-ZIP --size {size} --compact-only"
    try:
        labels, splits = read_labels(folder), read_splits(folder)
        images, about = read_images(folder, size), read_about(folder)
        if read_about(folder / str(size)) != about or len(images) != len(labels):
            raise PrepError(f"{display_path(folder / str(size))} was prepared from other files.")
    except PrepError as error:
        raise DataNotPrepared(
            f"Tiny-VOC is not prepared at {size} pixels in {display_path(folder)}: run `{command}`."
        ) from error
    return _voc_data(
        about.name,
        "full",
        images,
        label_matrix(labels.values()),
        tuple(labels),
        len(splits["train"]),
    )


def _voc_data(
    name: str,
    scale: str,
    images: np.ndarray,
    targets: np.ndarray,
    ids: tuple[str, ...],
    train: int,
) -> VocData:
    """Part the rows: the first `train` are for training, the others for validation."""
    arrays = images[:train], targets[:train], images[train:], targets[train:]
    for array in arrays:
        array.setflags(write=False)
    return VocData(
        name, scale, CLASSES, images.shape[1], *arrays, ids[:train], ids[train:], checksum(arrays)
    )
