"""What a network that knows ImageNet sees in Tiny-VOC's photographs: features, and five labels.

A classifier is trained on them in seconds. The project keeps them for all photographs, reduced
to 96 numbers each, with 72 of the photographs; ``data_prep`` computes all 1,280.
"""

from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.errors import PrepError
from data_prep.features import read_features
from data_prep.own_photographs import Photographs, read_prepared
from data_prep.paths import data_dir
from data_prep.voc_labels import label_matrix
from data_prep.voc_store import ABOUT, read_labels, read_splits
from helpers.data.datasets import (
    SCALES,
    DataNotPrepared,
    check_choice,
    checksum,
    read_only,
    split_at,
)

KEPT = Path(__file__).with_name("voc_features.npz")
SIZE = 224  # pixels, of the photographs that the kept features are of

#: `Dataset.checksum` of the kept features.
KEPT_CHECKSUM = "3eec250725863a71c81778b57a3d821b3a10030ff1823694bae4696d96e745d4"


def load_voc_features(scale="embedded", size=SIZE, train_size=None, seed=0):
    """Load the pooled features that EfficientNet-Lite0 makes of Tiny-VOC's photographs.

    Parameters
    ----------
    scale : {"embedded", "full"}
        Those that the project keeps: principal components of the training images' features, of
        a signed byte each. Or all, as ``python -m data_prep features`` has computed them.
    size : int
        Height and width of the photographs in pixels; the kept ones are of 224.
    train_size : int, optional
        How many of the training images to learn from, drawn by `seed`; all where it is not given.

    Returns
    -------
    Dataset
        Features float32, [6000, D] and [624, D], D being 96 or 1,280; and uint8 [N, 5], 1 where a
        class of `data_prep.voc_labels.CLASSES` is in the image. The rows are those of Tiny-VOC.
        The checksum of the full data is of the photographs, weights and labels.

    Raises
    ------
    ValueError
        If there is no such scale, or nothing of that size is kept.
    DataNotPrepared
        If the full data have not been prepared at this size.
    """
    check_choice("scale", scale, SCALES)
    if scale == "embedded":
        check_choice("size", size, (SIZE,))
    data = _kept() if scale == "embedded" else _full(data_dir(), size)
    if train_size is None:
        return data
    return data.part(np.random.default_rng(seed).permutation(len(data.x))[:train_size])


def load_own_features(held_out=0.2, seed=0):
    """Load the features of one's own photographs that ``python -m data_prep photographs`` made.

    Parameters
    ----------
    held_out : float
        Share of the photographs, drawn by `seed`, to evaluate on.

    Returns
    -------
    data : Dataset
        Features float32 [N, 1280], and uint8 [N, K]: 1 where a photograph shows a class.
    classes : tuple of str, [K]

    Raises
    ------
    ValueError
        If one part would be without any photograph.
    DataNotPrepared
        If there are none, or they are damaged.
    """
    try:
        features, targets, classes = read_prepared(data_dir() / Photographs.name)
    except PrepError as error:
        raise DataNotPrepared(
            f"{error} The command is `python -m data_prep {Photographs.usage}`."
        ) from error
    count = round(held_out * len(features))
    if not 0 < count < len(features):
        raise ValueError(f"of {len(features)} photographs, {held_out:g} leaves one part empty")
    rows = np.random.default_rng(seed).permutation(len(features))
    parts = (part[some] for some in (rows[count:], rows[:count]) for part in (features, targets))
    return read_only("own photographs", *parts), classes


def project(features):
    """Reduce pooled features [N, 1280] of other photographs as the kept ones are, to [N, 96]."""
    kept = kept_arrays()
    components = kept["components"] * kept["component_scale"][:, None]
    return (features - kept["mean"]) @ components.T


def photographs():
    """Return the photographs that the project keeps, small and squashed to squares.

    Returns
    -------
    dict row -> bytes
        WebP files of 128×128 pixels, by their rows among Tiny-VOC's photographs: 24 of all
        classes; six groups of one to evaluate on, and the five training photographs whose kept
        features are nearest to its; and twelve on which a linear classifier is most wrong.
    """
    return dict(zip(kept_arrays()["photo_rows"].tolist(), _files("photo"), strict=True))


def masks():
    """Return the masks of these, dict row -> bytes of a PNG.

    0 is background, elsewhere a pixel is a class's index plus one.
    """
    return dict(zip(kept_arrays()["photo_rows"].tolist(), _files("mask"), strict=True))


def decoded(file):
    """Return the pixels of such a file, uint8 [128, 128, 3], or [128, 128] of a mask."""
    with Image.open(BytesIO(file)) as picture:
        return np.asarray(picture)


@lru_cache(maxsize=1)
def kept_arrays():
    """Return the arrays that the project keeps, by name; see `data_prep.kept_features`."""
    with np.load(KEPT, allow_pickle=False) as file:
        return dict(file)


@lru_cache(maxsize=1)
def _kept():
    kept = kept_arrays()
    features = kept["features"] * kept["scale"]
    return split_at("tiny-voc features, reduced", features, kept["labels"], int(kept["train"]))


@lru_cache(maxsize=2)
def _full(folder, size):
    lists = folder / "tiny-voc"
    try:
        features, labels = read_features(folder / "features", size), read_labels(lists)
        train = len(read_splits(lists)["train"])
        made_from = (folder / "features" / str(size) / ABOUT).read_bytes()
        if len(features) != len(labels):
            raise PrepError("The features and the labels are of different images.")
    except (PrepError, OSError) as error:
        raise DataNotPrepared(
            f"There are no features of Tiny-VOC at {size} pixels: prepare the images with `python "
            f"-m data_prep tiny-voc --source FOLDER-OR-ZIP --size {size} --compact-only`, then "
            f"run `python -m data_prep features --size {size}`."
        ) from error
    targets = label_matrix(labels.values())
    data = split_at("tiny-voc features", np.array(features), targets, train)
    return replace(data, checksum=checksum([np.frombuffer(made_from, "u1"), targets]))


def _files(name):
    kept = kept_arrays()
    return [part.tobytes() for part in np.split(kept[f"{name}s"], kept[f"{name}_ends"][:-1])]
