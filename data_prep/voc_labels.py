"""Tiny-VOC's five classes: their order, their mask values, and the course's label file.

A mask value is the class's index plus one; 0 is background. A line of the label file is the
image's id and the indices of the classes in it, in increasing order: ``00000,0,2``.
"""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from data_prep.errors import PrepError

CLASSES = ("person", "cat", "plane", "car", "bird")
VOID = 255  # what PASCAL VOC draws along an outline; Tiny-VOC has none

Colour = tuple[int, int, int]

_LINE = re.compile(r"([\w-]+)((?:,\d{1,9})+)", re.ASCII)


def voc_colour(value: int) -> Colour:
    """Return PASCAL VOC's colour of a mask value, 0 to 255: its bits, dealt out by threes."""
    return tuple(
        sum((value >> 3 * turn + channel & 1) << 7 - turn for turn in range(3))
        for channel in range(3)
    )


#: In which colour a mask's values are shown, 0 for background first.
PALETTE = tuple(voc_colour(value) for value in range(len(CLASSES) + 1))


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

    Raises
    ------
    ValueError
        If the mask has another shape or other values.
    """
    counts = np.bincount(mask.ravel(), minlength=len(CLASSES) + 1)
    if mask.ndim != 2 or len(counts) > len(CLASSES) + 1:
        raise ValueError(f"a mask is [H, W], and its values are from 0 to {len(CLASSES)}.")
    return tuple(int(index) for index in np.flatnonzero(counts[1:]))


def format_labels(labels: Iterable[tuple[str, tuple[int, ...]]]) -> str:
    """Write ids and their classes as a label file, one line an image.

    Raises
    ------
    PrepError
        If `parse_labels` would not read it.
    """
    rows = list(labels)
    text = "".join(
        ",".join([identifier, *map(str, classes)]) + "\n" for identifier, classes in rows
    )
    if list(parse_labels(text, "the label file")) != [identifier for identifier, _ in rows]:
        raise PrepError("An id holds a comma or the end of a line; name the images otherwise.")
    return text


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
    """Return the classes of N images as 0 and 1: an array of uint8, [N, 5].

    Raises
    ------
    ValueError
        If a class is not from 0 to 4.
    """
    rows = list(labels)
    matrix = np.zeros((len(rows), len(CLASSES)), np.uint8)
    for row, classes in zip(matrix, rows, strict=True):
        if not set(classes) <= set(range(len(CLASSES))):
            raise ValueError(f"classes are from 0 to {len(CLASSES) - 1}, not {classes}.")
        row[list(classes)] = 1
    return matrix


def class_table(splits: Mapping[str, Iterable[tuple[int, ...]]]) -> str:
    """Return a table of how many images show each class, of each part's images' classes."""
    lines = ["split   images" + "".join(f"{name:>8}" for name in CLASSES)]
    for split, labels in splits.items():
        matrix = label_matrix(labels)
        counts = "".join(f"{count:>8,}" for count in matrix.sum(axis=0, dtype=int))
        lines.append(f"{split:<6} {len(matrix):>7,}{counts}")
    return "\n".join(lines)
