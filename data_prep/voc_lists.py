"""The small files of prepared Tiny-VOC, and whether everything is still as it was prepared.

The sample picture among them is proof for the eye that the labels are true.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_prep import sums
from data_prep.errors import PrepError
from data_prep.paths import display_path
from data_prep.photograph import encoded
from data_prep.steps import SAMPLE
from data_prep.voc_labels import CLASSES, PALETTE, Colour, classes_of, format_labels
from data_prep.voc_scenes import Source, read_scene
from data_prep.voc_store import (
    ABOUT,
    ARRAY,
    CLASS_NAMES,
    LABELS,
    MEND,
    PNGS,
    SPLITS,
    About,
    read_about,
    read_images,
    read_labels,
    read_splits,
)

CELL, CAPTION, GAP = 128, 18, 6  # pixels
PER_CLASS = 4


def write_lists(folder: Path, source: Source, labels: dict[str, tuple[int, ...]]) -> None:
    """Write the label file, the classes, the ids of both parts and where they come from."""
    contents = {
        LABELS: format_labels((identifier, labels[identifier]) for identifier in source.ids),
        CLASS_NAMES: "".join(f"{name}\n" for name in CLASSES),
        ABOUT: About(source.layout.name, source.fingerprint).to_json(),
    }
    for split, ids in source.splits.items():
        contents[f"{split}.txt"] = "".join(f"{identifier}\n" for identifier in ids)
    for name, content in contents.items():
        sums.write_whole(folder / name, content.encode())
    sums.write_sums(folder, {name: sums.sha256(folder / name) for name in contents})


def write_sample(folder: Path, source: Source) -> None:
    """Write the picture of some images, their masks and their labels."""
    files = source.files()
    scenes = [
        (identifier, *read_scene(files, source.layout, identifier))
        for identifier in choose(read_labels(folder))
    ]
    sums.write_whole(folder / SAMPLE, encoded(contact_sheet(scenes), "PNG", optimize=True))


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


def lists_problems(folder: Path) -> list[str]:
    """Return a sentence for every small file that is wrong."""
    splits = [f"{split}.txt" for split in SPLITS]
    found = sums.problems(folder, [LABELS, CLASS_NAMES, ABOUT, *splits])
    try:
        read_about(folder)
        read_splits(folder)
    except PrepError as error:
        found = found or [str(error)]
    return found


def array_problems(folder: Path, size: int) -> list[str]:
    """Return a sentence for everything that is wrong with the array of one size."""
    at_size = folder / str(size)
    found = sums.problems(at_size, [ARRAY, ABOUT])
    try:
        if not found and read_about(at_size) != read_about(folder):
            found = [
                f"{display_path(at_size)} was prepared from other files than "
                f"{display_path(folder / LABELS)}; {MEND}."
            ]
        if not found and len(read_images(folder, size)) != len(read_labels(folder)):
            found = [f"{display_path(at_size)} has not a row for every label; {MEND}."]
    except PrepError as error:
        found.append(str(error))
    return found


def picture_problems(folder: Path, size: int) -> list[str]:
    """Return a sentence for every picture of one size that is missing or altered."""
    try:
        pictures = [f"{identifier}.png" for identifier in read_labels(folder)]
    except PrepError as error:
        return [str(error)]
    return sums.problems(folder / str(size) / PNGS, pictures)
