"""The data sets as arrays: MNIST, whole or the part that the project keeps, and the half-moons.

This module only reads. ``data_prep`` fetches and verifies the whole, and has made the part.
Images stay uint8 until a network wants them as numbers. Last comes what is known of the half-moons
exactly: their densities, and with them the best possible classifier.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.integrate import trapezoid
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

from data_prep.errors import PrepError
from data_prep.idx import read_idx
from data_prep.paths import command, data_dir, display_path

SCALES = ("embedded", "full")

#: `Dataset.checksum` of MNIST and of the part that the project keeps.
CHECKSUMS = {
    "mnist-subset": "734efb38e7ba2316dddaeab46c0420fed0f02c707a7f47f976374d48ad35cd31",
    "mnist": "c9c899568825c0192b158204e056115690ebe9e01a8a467321a8e34a416b7a26",
}

SUBSET = Path(__file__).with_name("mnist_subset.npz")  # `data_prep.kept_mnist` makes it


class DataNotPrepared(FileNotFoundError):
    """A data set is not there, or is not what it should be; the message says how to mend it."""


def data_folder(name):
    """Return the folder of a prepared data set; `DataNotPrepared` if it cannot be told."""
    try:
        return data_dir() / name
    except PrepError as error:
        raise DataNotPrepared(str(error)) from error


@dataclass(frozen=True)
class Dataset:
    """What a network learns from, and what it is evaluated on, as arrays or tensors.

    Attributes
    ----------
    x, x_eval : points [N, D], or images uint8 [N, S, S] or, in RGB, [N, S, S, 3].
    y, y_eval : the class of each, int [N], or a 0 or 1 for each class, [N, K]; a ValueError is
        raised if they are anything else.
    name, checksum : of the whole data set; the checksum is a hexadecimal SHA-256 over its arrays.
    hints : what a teacher makes of each example of `x`, float [N, D], if there is one.
    """

    x: np.ndarray
    y: np.ndarray
    x_eval: np.ndarray
    y_eval: np.ndarray
    name: str = ""
    checksum: str = ""
    hints: np.ndarray | None = None

    def __post_init__(self):
        for x, y in (self.x, self.y), (self.x_eval, self.y_eval):
            whole = "int" in str(y.dtype) and bool((y >= 0).all())
            if len(x) != len(y) or not (whole if y.ndim == 1 else ((y == 0) | (y == 1)).all()):
                raise ValueError("each example needs a class from 0 on, or a 0 or 1 for each class")

    @property
    def classes(self):
        """How many classes there are."""
        if self.y.ndim == 2:
            return self.y.shape[1]
        return 1 + int(max(self.y.max(), self.y_eval.max()))

    def part(self, rows, rows_eval=None):
        """Return some rows of `x` to learn from and, if given, others of them to evaluate on."""
        arrays = {"x": self.x[rows], "y": self.y[rows]}
        if self.hints is not None:
            arrays["hints"] = self.hints[rows]
        if rows_eval is not None:
            arrays |= {"x_eval": self.x[rows_eval], "y_eval": self.y[rows_eval]}
        return replace(self, **arrays)


def read_only(name, *arrays):
    """Return the data set of those four arrays, which nobody can change any more."""
    for array in arrays:
        array.setflags(write=False)
    return Dataset(*arrays, name, checksum(arrays))


def split_at(name, x, y, train):
    """Return the `Dataset` whose first `train` rows are to learn from, the others to evaluate on."""
    return read_only(name, x[:train], y[:train], x[train:], y[train:])


def check_choice(what, chosen, choices):
    """Raise a `ValueError` that names the choices if `chosen` is none of them."""
    if chosen not in choices:
        listed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f'{what} must be {listed}, not "{chosen}".')


def load_mnist(scale="embedded", evaluate_on="test", validation=0, train_size=None):
    """Load MNIST, or the part of it that the project keeps.

    The full data are MNIST's 60,000 training and 10,000 test images, the embedded data 6,000
    and 1,000 of these, always the same, with the share of each digit kept. No writer of a test
    image wrote a training image. Each is read once per process, and the arrays are read-only.

    Parameters
    ----------
    scale : "embedded" or "full".
    evaluate_on : "test" or "validation", the part that `x_eval` and `y_eval` are.
    validation : how many of the training images, always the same, are the validation part.
    train_size : how many of the others to learn from, always the same; None for all.

    Returns
    -------
    Dataset
        Grey values uint8 [N, 28, 28], 0 for background and 255 for full ink, and the digits.

    Raises
    ------
    ValueError
        If there is no such scale, no such part to evaluate on, or not as many images.
    DataNotPrepared
        If the full data have not been prepared, or have been altered since.

    References
    ----------
    LeCun, Cortes and Burges, "The MNIST database of handwritten digits",
    https://yann.lecun.com/exdb/mnist, CC BY-SA 3.0.
    """
    check_choice("scale", scale, SCALES)
    check_choice("evaluate_on", evaluate_on, ("test", "validation") if validation else ("test",))
    data = _embedded() if scale == "embedded" else _full(data_folder("mnist"))
    if not validation and train_size is None:
        return data
    rest, chosen = np.arange(len(data.y)), None
    if validation:
        rest, chosen = stratified_split(data.y, validation, seed=0)
    if train_size is not None:
        rest = rest[stratified_split(data.y[rest], train_size, seed=0)[1]]
    return data.part(rest, chosen if evaluate_on == "validation" else None)


@lru_cache(maxsize=1)
def _embedded():
    with np.load(SUBSET) as kept:
        x, y, x_eval, y_eval = (kept[name] for name in ("x", "y", "x_eval", "y_eval"))
    return read_only("mnist-subset", x, y.astype(np.int64), x_eval, y_eval.astype(np.int64))


@lru_cache(maxsize=2)
def _full(folder):
    try:
        arrays = []
        for part in ("train", "t10k"):
            arrays.append(read_idx(folder / f"{part}-images-idx3-ubyte", (None, 28, 28)))
            labels = read_idx(folder / f"{part}-labels-idx1-ubyte", (None,))
            arrays.append(labels.astype(np.int64))
    except PrepError as error:
        raise DataNotPrepared(
            f"MNIST is not prepared in {display_path(folder)}: run `{command('mnist', folder)}`."
        ) from error
    data = read_only("mnist", *arrays)
    if data.checksum != CHECKSUMS["mnist"]:
        raise DataNotPrepared(
            f"The files in {display_path(folder)} are not MNIST as published: "
            f"run `{command('mnist', folder)}` to replace them."
        )
    return data


def load_half_moons(seed, n, noise, held_out, data_seed=None):
    """Draw half-moons to learn from and, from a seed that no training set has, to evaluate on.

    There are `n` and `held_out` of them. Where every run shall have the same points, a `data_seed`
    takes the place of the run's `seed`.
    """
    seed = seed if data_seed is None else data_seed
    arrays = *half_moons(n, noise, seed), *half_moons(held_out, noise, 1_000_000 + seed)
    return Dataset(*arrays, f"half-moons n={n} noise={noise} seed={seed}", checksum(arrays))


def half_moons(n, noise, seed):
    """Draw two interleaved half circles of radius 1, with `n` points in all, one per class.

    Returns
    -------
    x : ndarray of float64, [n, 2]
        The points, with Gaussian noise of this standard deviation on each coordinate.
    y : ndarray of int64, [n]
        0 for the upper half circle, 1 for the lower.
    """
    x, y = make_moons(n_samples=n, noise=noise, random_state=seed)
    return x, y.astype(np.int64)


def pixels(images, dtype=np.float32):
    """Return images uint8 [N, 28, 28] as rows [N, 784] of numbers from 0 to 1."""
    if images.dtype != np.uint8:
        raise ValueError(f"images must be uint8, from 0 to 255; got {images.dtype}")
    flat = images.reshape(len(images), -1).astype(dtype)
    flat /= 255  # in place: dividing afresh would hold the whole set twice
    return flat


def vectors(data, dtype):
    """Return a data set with its images, if it has any, as rows of pixels."""
    if data.x.dtype != np.uint8:
        return data
    return replace(data, x=pixels(data.x, dtype), x_eval=pixels(data.x_eval, dtype))


def stratified_split(labels, size, seed):
    """Choose `size` examples with labels [N] at random, keeping each class's share.

    Returns
    -------
    rest, chosen : ndarray of int64, [N - size] and [size]
        Indices in increasing order; together they are every example once.
    """
    rest, chosen = train_test_split(
        np.arange(len(labels)), test_size=size, stratify=labels, random_state=seed
    )
    return np.sort(rest), np.sort(chosen)


def checksum(arrays):
    """Return the SHA-256 over each array's shape and little-endian bytes, in turn."""
    digest = hashlib.sha256()
    for array in arrays:
        little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{little_endian.dtype.str}{little_endian.shape}".encode())
        digest.update(little_endian.data)
    return digest.hexdigest()


# ---------------------------------------------------------------------- the half-moons, exactly

ANGLES = (np.arange(1000) + 0.5) / 1000 * np.pi  # evenly along a half circle
CENTRES = (
    np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1),  # class 0, the upper one [1000, 2]
    np.stack([1 - np.cos(ANGLES), 0.5 - np.sin(ANGLES)], axis=1),  # class 1, the lower one
)

#: What of the half-moons' plane is shown: the points and a margin.
LIMITS = ((-2.1, 3.1), (-1.6, 2.1))


def plane_grid(x_limits, y_limits, step=0.02):
    """Return points [rows * columns, 2] `step` apart over a rectangle, and their two axes."""
    xs = np.arange(x_limits[0], x_limits[1] + step / 2, step)
    ys = np.arange(y_limits[0], y_limits[1] + step / 2, step)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2), xs, ys


def check_noise(noise):
    """Raise a ValueError unless there is noise: without any there is no density."""
    if not 0 < noise < np.inf:
        raise ValueError(f"noise must be positive, for there to be a density; got {noise}")


def densities(xs, ys, noise):
    """Return each class's probability density, [2, rows, columns], on a grid with these two axes.

    The points of a class lie evenly along a half circle, plus Gaussian noise of this positive
    standard deviation.
    """
    check_noise(noise)

    def along(axis, centre):  # [points of the axis, 1000]
        return np.exp(-((axis[:, None] - centre) ** 2) / (2 * noise**2))

    # A Gaussian in the plane is a product of two on the line, so that the mean over the
    # circle's points is a matrix product.
    scale = len(ANGLES) * 2 * np.pi * noise**2
    return np.stack(
        [along(ys, centres[:, 1]) @ along(xs, centres[:, 0]).T / scale for centres in CENTRES]
    )


def bayes_accuracy(noise, step=0.01):
    """Compute the accuracy of the best possible classifier, when both classes are as frequent.

    It always names the class whose density is larger, and is right half the time of the
    larger density (the Bayes classifier). The integration's points are `step` apart.
    """
    reach = 1 + 7 * noise  # beyond it less than 1e-11 of the points lie
    axis = np.arange(-reach, 1 + reach, step)
    larger = densities(axis, axis, noise).max(axis=0)
    return float(trapezoid(trapezoid(larger, axis), axis) / 2)


def bayes_predict(points, noise):
    """Return the class, int64 [N], that the best possible classifier names for points [N, 2]."""
    check_noise(noise)
    squares = [cdist(points, centres, "sqeuclidean") for centres in CENTRES]
    upper, lower = (logsumexp(-square / (2 * noise**2), axis=1) for square in squares)
    return (lower > upper).astype(np.int64)
