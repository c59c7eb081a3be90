"""The small files of prepared Tiny-VOC, and whether everything is still as it was prepared."""

from io import BytesIO
from pathlib import Path

from data_prep import sums
from data_prep.errors import PrepError
from data_prep.paths import display_path
from data_prep.voc_labels import CLASSES, format_labels
from data_prep.voc_scenes import Source, read_scene
from data_prep.voc_sheet import choose, contact_sheet
from data_prep.voc_store import (
    ABOUT,
    ARRAY,
    CLASS_NAMES,
    LABELS,
    MEND,
    PNGS,
    SAMPLE,
    SPLITS,
    About,
    read_about,
    read_images,
    read_labels,
    read_splits,
)


def write_lists(folder: Path, source: Source, labels: dict[str, tuple[int, ...]]) -> None:
    """Write the label file, the classes, the ids of both parts and where they come from."""
    contents = {
        LABELS: format_labels((identifier, labels[identifier]) for identifier in source.ids),
        CLASS_NAMES: "".join(f"{name}\n" for name in CLASSES),
        ABOUT: About(source.name, source.fingerprint).to_json(),
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
    content = BytesIO()
    contact_sheet(scenes).save(content, format="PNG", optimize=True)
    sums.write_whole(folder / SAMPLE, content.getvalue())


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
