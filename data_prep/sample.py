"""The sample picture that a step leaves beside the data: proof for the eye."""

from pathlib import Path

import numpy as np
from PIL import Image

CELL_GAP = 2
ENLARGEMENT = 2


def class_grid(images: np.ndarray, labels: np.ndarray, columns: int = 20) -> np.ndarray:
    """Arrange the first images of each class in rows, one class a row.

    Parameters
    ----------
    images : ndarray of uint8, [N, H, W]
        Grey values, 0 for background.
    labels : ndarray of int, [N]
        The class of each image.
    columns : int
        How many images of a class to show; a class with fewer leaves blanks.

    Returns
    -------
    ndarray of uint8, [rows * (H + gap) + gap, columns * (W + gap) + gap]
        Dark ink on white.

    Raises
    ------
    ValueError
        If the arrays have another form.
    """
    if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != (len(images),):
        raise ValueError("images are uint8 [N, H, W], and labels [N].")
    classes = np.unique(labels)
    height, width = images.shape[1] + CELL_GAP, images.shape[2] + CELL_GAP
    canvas = np.zeros((len(classes) * height + CELL_GAP, columns * width + CELL_GAP), np.uint8)
    for row, label in enumerate(classes):
        for column, index in enumerate(np.flatnonzero(labels == label)[:columns]):
            top, left = row * height + CELL_GAP, column * width + CELL_GAP
            canvas[top : top + images.shape[1], left : left + images.shape[2]] = images[index]
    return 255 - canvas


def write_sample(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write `class_grid` of the images as a PNG file, enlarged for the eye.

    Parameters
    ----------
    path : Path
        The file to write.
    images, labels : ndarray
        As for `class_grid`.
    """
    picture = Image.fromarray(class_grid(images, labels))
    size = (picture.width * ENLARGEMENT, picture.height * ENLARGEMENT)
    picture.resize(size, Image.Resampling.NEAREST).save(path, format="PNG", optimize=True)
