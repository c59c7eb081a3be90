"""The data sets as arrays: MNIST or its embedded stand-in, and the half-moons.

This module only reads. ``data_prep`` fetches and verifies the real data; the stand-in
comes with scikit-learn. Images stay uint8 until `pixels` turns them into network inputs.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import train_test_split

from data_prep.errors import PrepError
from data_prep.idx import read_idx
from data_prep.paths import data_dir, display_path

SCALES = ("embedded", "full")

#: `ImageData.checksum` of the two data sets, the same on every machine.
CHECKSUMS = {
    "digits": "a89ffc9a20dee9fcbaa77cc05ce2810335918cfc5c0c8511c9891bc30b344b0a",
    "mnist": "c9c899568825c0192b158204e056115690ebe9e01a8a467321a8e34a416b7a26",
}

DIGITS_TEST_SIZE = 450
DIGITS_SPLIT_SEED = 0


class DataNotPrepared(FileNotFoundError):
    """A data set is not there, or is not what it should be; the message says the mend."""


@dataclass(frozen=True)
class ImageData:
    """Images with labels, in a training and a test part.

    Attributes
    ----------
    name : str
        "mnist" or "digits".
    scale : str
        "full" or "embedded".
    train_images, test_images : ndarray of uint8, [N, 28, 28]
        Grey values: 0 is background, 255 is full ink. Read-only.
    train_labels, test_labels : ndarray of int64, [N]
        The digit, 0 to 9. Read-only.
    checksum : str
        Hexadecimal SHA-256 over the four arrays.
    """

    name: str
    scale: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    checksum: str


def available_scale() -> str:
    """Return the scale that the reader asked for, "embedded" or "full".

    Returns
    -------
    str
        The environment variable ``COURSE_SCALE``, or "embedded" where it is not set.

    Raises
    ------
    ValueError
        If ``COURSE_SCALE`` is anything else.
    """
    scale = os.environ.get("COURSE_SCALE") or "embedded"
    _check_scale(scale, "The environment variable COURSE_SCALE")
    return scale


def load_mnist(scale: str = "embedded") -> ImageData:
    """Load MNIST, or the small data set that stands in for it.

    The full data are MNIST's 60,000 training and 10,000 test images. The embedded
    stand-in is scikit-learn's 1,797 digits of 8x8 pixels, enlarged to 20x20 in the middle
    of 28x28 as MNIST's digits are, of which 450 are the test part; the split is fixed and
    keeps the shares of the ten classes.

    The stand-in is easier than MNIST in a way that is easy to miss. Its digits come from
    13 writers, form after form (the labels repeat every 130 digits), and who wrote which
    is not recorded. A random split therefore puts every writer into both parts: its test
    accuracy says how well a network reads new digits of *known* writers. Holding out the
    last 450 digits instead costs a nearest-neighbour classifier about two points. No
    writer of MNIST's test part is in its training part.

    Each data set is read once per process, and the arrays are read-only.

    Parameters
    ----------
    scale : {"embedded", "full"}
        Which of the two.

    Returns
    -------
    ImageData

    Raises
    ------
    ValueError
        If `scale` is neither.
    DataNotPrepared
        If the full data have not been prepared, or have been altered since.

    References
    ----------
    LeCun, Cortes and Burges, "The MNIST database of handwritten digits",
    https://yann.lecun.com/exdb/mnist. Alpaydin and Kaynak, "Cascading Classifiers",
    Kybernetika 34 (1998); the UCI repository's "Optical Recognition of Handwritten
    Digits", whose test part scikit-learn bundles.
    """
    _check_scale(scale, "scale")
    return _embedded() if scale == "embedded" else _full(data_dir() / "mnist")


def pixels(images: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Turn images into network inputs.

    Parameters
    ----------
    images : ndarray of uint8, [N, 28, 28]
        Grey values, 0 to 255.
    dtype : floating type
        Type of the result.

    Returns
    -------
    ndarray of `dtype`, [N, 784]
        One row per image, values from 0 to 1. A new array.
    """
    flat = images.reshape(len(images), -1).astype(dtype)
    flat /= 255  # in place: dividing afresh would hold the whole set twice
    return flat


def stratified_split(labels: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose `size` examples at random, keeping each class's share.

    Parameters
    ----------
    labels : ndarray of int, [N]
        The class of each example.
    size : int
        How many to choose.
    seed : int
        Seed of the choice; the same seed makes the same choice.

    Returns
    -------
    rest, chosen : ndarray of int64, [N - size] and [size]
        Indices in increasing order; together they are every example once.

    Raises
    ------
    ValueError
        If `size` leaves either part with fewer examples than there are classes.
    """
    classes = len(np.unique(labels))
    if not classes <= size <= len(labels) - classes:
        raise ValueError(
            f"size must be from {classes} to {len(labels) - classes} to split {len(labels)} "
            f"examples of {classes} classes, not {size}."
        )
    rest, chosen = train_test_split(
        np.arange(len(labels)), test_size=size, stratify=labels, random_state=seed
    )
    return np.sort(rest), np.sort(chosen)


def half_moons(n: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two interleaved half circles, one per class.

    Parameters
    ----------
    n : int
        Number of points, both classes together.
    noise : float
        Standard deviation of the Gaussian noise added to each coordinate; the half
        circles have radius 1.
    seed : int
        Seed of the noise and of the order.

    Returns
    -------
    x : ndarray of float64, [n, 2]
        The points.
    labels : ndarray of int64, [n]
        0 for the upper half circle, 1 for the lower.
    """
    x, labels = make_moons(n_samples=n, noise=noise, random_state=seed)
    return x, labels.astype(np.int64)


def resize_digits(images: np.ndarray) -> np.ndarray:
    """Enlarge 8x8 images of ink counts to MNIST's format: a 20x20 digit amid 28x28 pixels.

    Bicubic interpolation (Keys's kernel, a = -1/2), with nothing but background around
    the 8x8 image. The enlargement is 2.5, so every distance is a whole number of tenths
    and every weight a whole number of two-thousandths: the computation is done in
    integers and gives the same bytes on every machine.

    Parameters
    ----------
    images : ndarray of int64, [N, 8, 8]
        Values from 0 to 16.

    Returns
    -------
    ndarray of uint8, [N, 28, 28]
        Grey values, 0 to 255.

    References
    ----------
    Keys, "Cubic convolution interpolation for digital image processing", IEEE
    Transactions on Acoustics, Speech, and Signal Processing 29 (1981).
    """
    # Output pixel i lies at (i - 4 + 1/2) / 2.5 - 1/2 = (4 i - 19) / 10 of the input.
    output, source = np.arange(28)[:, None], np.arange(8)
    d = np.abs(4 * output - 19 - 10 * source)  # [28, 8], distance in tenths of a source pixel
    near = 3 * d**3 - 50 * d**2 + 2000
    far = -(d**3) + 50 * d**2 - 800 * d + 4000
    weights = np.where(d <= 10, near, np.where(d < 20, far, 0))  # [28, 8], in 1/2000
    weights[[0, 1, 2, -3, -2, -1]] = 0  # so near the border, only negative lobes reach
    ink = weights @ images @ weights.T  # [N, 28, 28]
    full = 16 * 2000 * 2000
    # Cubic weights overshoot beside a sharp edge; the grey values stop at 0 and 255.
    return np.clip((ink * 255 + full // 2) // full, 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _embedded() -> ImageData:
    digits = load_digits()
    images = resize_digits(digits.images.astype(np.int64))
    labels = digits.target.astype(np.int64)
    train, test = stratified_split(labels, DIGITS_TEST_SIZE, DIGITS_SPLIT_SEED)
    arrays = images[train], labels[train], images[test], labels[test]
    return _image_data("digits", "embedded", arrays)


@lru_cache(maxsize=2)
def _full(folder: Path) -> ImageData:
    try:
        arrays = []
        for part in ("train", "t10k"):
            arrays.append(read_idx(folder / f"{part}-images-idx3-ubyte", (None, 28, 28)))
            labels = read_idx(folder / f"{part}-labels-idx1-ubyte", (None,))
            arrays.append(labels.astype(np.int64))
    except PrepError as error:
        raise DataNotPrepared(
            f"MNIST is not prepared in {display_path(folder)}: run `python -m data_prep mnist`."
        ) from error
    data = _image_data("mnist", "full", arrays)
    if data.checksum != CHECKSUMS["mnist"]:
        raise DataNotPrepared(
            f"The files in {display_path(folder)} are not MNIST as published: "
            "run `python -m data_prep mnist` to replace them."
        )
    return data


def _image_data(name: str, scale: str, arrays: Sequence[np.ndarray]) -> ImageData:
    for array in arrays:
        array.setflags(write=False)
    return ImageData(name, scale, *arrays, checksum=checksum(arrays))


def checksum(arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 over each array's shape and little-endian bytes, in turn."""
    digest = hashlib.sha256()
    for array in arrays:
        little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{little_endian.dtype.str}{little_endian.shape}".encode())
        digest.update(little_endian.data)
    return digest.hexdigest()


def _check_scale(scale: str, what: str) -> None:
    if scale not in SCALES:
        raise ValueError(f'{what} must be "embedded" or "full", not "{scale}".')
