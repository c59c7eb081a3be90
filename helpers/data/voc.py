"""Tiny-VOC as arrays, or Toy-VOC, which stands in for it: photographs with five labels each.

This module only reads and draws. ``data_prep`` turns the published masks into labels and
brings the photographs to one size. Images stay uint8, the labels are 0 and 1.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from data_prep.errors import PrepError
from data_prep.paths import display_path
from data_prep.photograph import read_photograph  # noqa: F401 - for the notebooks, here
from data_prep.toy_voc import SPLIT_SIZES, draw_set
from data_prep.voc_labels import classes_of, label_matrix
from data_prep.voc_store import (
    prepare_command,
    read_about,
    read_images,
    read_labels,
    read_splits,
)
from helpers.data.datasets import SCALES, DataNotPrepared, check_choice, data_folder, split_at
from helpers.data.features import load_voc_features

SIZES = {"embedded": 64, "full": 128}  # pixels, where no other size is asked for

#: `Dataset.checksum` of Toy-VOC at 64 pixels, the same on every machine.
TOY_CHECKSUM = "156c07fc1d714f7e828ea5aa03cba836d140be9bace70faa2ef93c2148674532"


def load_tiny_voc(
    scale="embedded", size=None, evaluate_on="validation", held_out=0, train_size=None, hints=False
):
    """Load Tiny-VOC, or the drawn scenes that stand in for it.

    The full data are Tiny-VOC's 6,000 training photographs and the 624 that it calls validation
    photographs, the book's test set, each squashed to a square, as ``python -m data_prep
    tiny-voc --size SIZE`` has prepared them. The embedded stand-in is Toy-VOC: 800 and 200
    scenes, drawn in memory from a fixed seed in a few seconds. Each is made once per process
    and size, and the arrays are read-only.

    Parameters
    ----------
    scale : "embedded" or "full".
    size : height and width of the images in pixels; None for that of `SIZES`.
    evaluate_on : "validation" or "held-out", the part that `x_eval` and `y_eval` are.
    held_out : how many of the training images, always the same, are held out for choosing settings.
    train_size : how many of the others to learn from, always the same; None for all.
    hints : whether to add the kept features of `helpers.data.features` as hints, at full scale.

    Returns
    -------
    Dataset
        RGB uint8 [N, size, size, 3], which at full scale stay on the disk until they are
        looked at, and uint8 [N, 5]: 1 where a class of `data_prep.voc_labels.CLASSES` is in
        the image. `name` is "tiny-voc" or "toy-voc"; "voc2012" where that was prepared in its
        place.

    Raises
    ------
    ValueError
        If there is no such scale or part to evaluate on, not as many images, no hints on them, or
        `size` is below 16.
    DataNotPrepared
        If the full data have not been prepared at this size, or their files do not fit together.

    References
    ----------
    Everingham, Van Gool, Williams, Winn and Zisserman, "The PASCAL Visual Object Classes
    (VOC) Challenge", International Journal of Computer Vision 88 (2010).
    """
    check_choice("scale", scale, SCALES)
    parts = ("validation", "held-out") if held_out else ("validation",)
    check_choice("evaluate_on", evaluate_on, parts)
    size = SIZES[scale] if size is None else size
    if size < 16:
        raise ValueError(f"size must be at least 16 pixels, not {size}.")
    data = _toy(size) if scale == "embedded" else _tiny(data_folder("tiny-voc"), size)
    if hints:
        kept = load_voc_features()
        if not np.array_equal(kept.y, data.y):
            raise ValueError("only Tiny-VOC's own photographs have hints")
        data = replace(data, hints=kept.x)
    rest = len(data.x) - held_out
    if held_out < 0 or not 0 < (rest if train_size is None else train_size) <= rest:
        raise ValueError(f"{len(data.x)} images are too few to hold out {held_out} and learn from "
                         f"{train_size or 'some'} others")  # fmt: skip
    if not held_out and train_size is None:
        return data
    order = np.random.default_rng(0).permutation(len(data.x))
    chosen, rest = np.sort(order[:held_out]), np.sort(order[held_out:][:train_size])
    return data.part(rest, chosen if evaluate_on == "held-out" else None)


@lru_cache(maxsize=2)
def _toy(size):
    images, masks = draw_set(0, sum(SPLIT_SIZES.values()), size)
    return split_at("toy-voc", images, label_matrix(map(classes_of, masks)), SPLIT_SIZES["train"])


@lru_cache(maxsize=4)
def _tiny(folder, size):
    try:
        labels, splits = read_labels(folder), read_splits(folder)
        images, about = read_images(folder, size), read_about(folder)
        if read_about(folder / str(size)) != about or len(images) != len(labels):
            raise PrepError(f"{display_path(folder / str(size))} was prepared from other files.")
    except PrepError as error:
        raise DataNotPrepared(
            f"Tiny-VOC is not prepared at {size} pixels in {display_path(folder)}: run "
            f"`{prepare_command(folder, size)} --compact-only`."
        ) from error
    return split_at(about.name, images, label_matrix(labels.values()), len(splits["train"]))
