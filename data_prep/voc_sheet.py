"""The sample picture of a data set with masks: proof for the eye that the labels are true."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_prep.voc_labels import CLASSES, PALETTE, Colour, classes_of

CELL, CAPTION, GAP = 128, 18, 6  # pixels
PER_CLASS = 4


def choose(labels: dict[str, tuple[int, ...]]) -> list[str]:
    """Return the first images of each class, a class after the other, none of them twice.

    An image with two classes is shown with the rarer one, so that each class has its own.
    """
    counts = np.bincount(
        [c for classes in labels.values() for c in classes], minlength=len(CLASSES)
    )
    rarest = {i: min(classes, key=lambda c: counts[c]) for i, classes in labels.items()}
    chosen = []
    for label in range(len(CLASSES)):
        chosen += [i for i, rare in rarest.items() if rare == label][:PER_CLASS]
    return chosen


def contact_sheet(scenes: list[tuple[str, Image.Image, np.ndarray]]) -> Image.Image:
    """Arrange scenes in a table: each photograph, its mask, and its id and labels in words.

    Parameters
    ----------
    scenes : list of (str, Image, ndarray of uint8 [H, W])
        Ids, photographs and masks; `PER_CLASS` in a row.

    Returns
    -------
    Image
        RGB.
    """
    rows = -(-len(scenes) // PER_CLASS)
    width = PER_CLASS * (2 * CELL + GAP) + GAP
    sheet = Image.new("RGB", (width, rows * (CELL + CAPTION + GAP) + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for place, (identifier, photo, mask) in enumerate(scenes):
        left = GAP + place % PER_CLASS * (2 * CELL + GAP)
        top = GAP + place // PER_CLASS * (CELL + CAPTION + GAP)
        sheet.paste(photo.resize((CELL, CELL), Image.Resampling.LANCZOS), (left, top))
        sheet.paste(
            mask_picture(mask).resize((CELL, CELL), Image.Resampling.NEAREST), (left + CELL, top)
        )
        words = ", ".join(CLASSES[index] for index in classes_of(mask))
        pen.text((left, top + CELL + 1), f"{identifier}: {words}", fill="black", font=font)
    return sheet


def mask_picture(mask: np.ndarray, colours: Sequence[Colour] = PALETTE) -> Image.Image:
    """Return a mask, uint8 [H, W], as a palette image whose indices are its values."""
    picture = Image.fromarray(mask)
    picture.putpalette([channel for colour in colours for channel in colour])
    return picture
