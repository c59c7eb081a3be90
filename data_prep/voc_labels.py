"""Tiny-VOC's five classes: their order, their mask values, and the course's label file.

A mask value is the class's index plus one; 0 is background. A line of the label file is the
image's id and the indices of the classes in it, in increasing order: ``00000,0,2``.
"""

import re
from collections.abc import Iterable

import numpy as np

from data_prep.errors import PrepError

CLASSES = ("person", "cat", "plane", "car", "bird")
VOID = 255  # what PASCAL VOC draws along an outline; Tiny-VOC has none

#: Colours of the mask values in a palette PNG, 0 for background first: PASCAL VOC's first six.
PALETTE = ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128))

_LINE = re.compile(r"([\w-]+)((?:,\d+)+)", re.ASCII)


def classes_of(mask: np.ndarray) -> tuple[int, ...]:
    """Return the indices of the classes of which a mask has at least one pixel.

    Parameters
    ----------
    mask : ndarray of uint8, [H, W]
        Values 0 to 5.

    Returns
    -------
    tuple of int
        In increasing order; empty where there is nothing but background.
    """
    counts = np.bincount(mask.ravel(), minlength=len(CLASSES) + 1)
    return tuple(int(index) for index in np.flatnonzero(counts[1:]))


def format_labels(labels: Iterable[tuple[str, tuple[int, ...]]]) -> str:
    """Write ids and their classes as a label file, one line an image."""
    return "".join(
        ",".join([identifier, *map(str, classes)]) + "\n" for identifier, classes in labels
    )


def parse_labels(text: str, name: str) -> dict[str, tuple[int, ...]]:
    """Read a label file.

    Parameters
    ----------
    text : str
        The file's content.
    name : str
        What to call the file in an error message.

    Returns
    -------
    dict of str to tuple of int
        The classes of each id, in the file's order.

    Raises
    ------
    PrepError
        If a line is not an id and class indices, names an unknown class, or repeats itself.
    """
    labels = {}
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"Line {number} of {name}"
        match = _LINE.fullmatch(line)
        if match is None:
            raise PrepError(
                f'{where} is "{line[:40]}", not an id and class indices such as "00000,0,2"; '
                "mend it or prepare the data anew."
            )
        classes = tuple(map(int, match[2][1:].split(",")))
        if max(classes) >= len(CLASSES):
            raise PrepError(
                f"{where} names the class {max(classes)}, but classes go from 0 to "
                f"{len(CLASSES) - 1}; mend it or prepare the data anew."
            )
        if list(classes) != sorted(set(classes)):
            raise PrepError(
                f"{where} does not name each class once and in increasing order; "
                "mend it or prepare the data anew."
            )
        if match[1] in labels:
            raise PrepError(f"{where} repeats the id {match[1]}; remove one of the two lines.")
        labels[match[1]] = classes
    return labels


def label_matrix(labels: Iterable[tuple[int, ...]]) -> np.ndarray:
    """Return the classes of N images as 0 and 1: an array of uint8, [N, 5]."""
    rows = list(labels)
    matrix = np.zeros((len(rows), len(CLASSES)), np.uint8)
    for row, classes in zip(matrix, rows, strict=True):
        row[list(classes)] = 1
    return matrix
