"""The few photographs of Tiny-VOC that the book shows, small, with their masks.

::

    python -m data_prep.kept_photographs FOLDER-OR-ZIP

makes the folder ``photographs`` anew: squares, named by their numbers, and their masks.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.voc_build import squash
from data_prep.voc_files import open_files
from data_prep.voc_scenes import TINY_VOC, read_scene
from data_prep.voc_sheet import mask_picture

SIDE = 128
KEPT = Path(__file__).with_name("photographs")

#: The numbers of the photographs, which are their rows as well; test photographs from 6,000 on.
OPENING = (
    2574, 3918, 4577, 5967, 3584, 2963, 1841, 3516, 5270, 2198, 4316, 17, 3970, 520, 3771,
    2023, 60, 1708, 3241, 5423, 3658, 648, 2406, 2960,
)  # fmt: skip
NEIGHBOURS = {6050: (), 6333: (), 6377: ()}
ROWS = (*OPENING, *(row for query, found in NEIGHBOURS.items() for row in (query, *found)))


def main(source: str) -> None:
    """Take the photographs and masks from Tiny-VOC, a folder or an archive."""
    files = open_files(Path(source))
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.iterdir():
        old.unlink()
    for row in ROWS:
        photo, mask = read_scene(files, TINY_VOC, f"{row:05}")
        squash(photo, SIDE).save(KEPT / f"{row:05}.webp", quality=78, method=6)
        small = mask_picture(mask).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        small.save(KEPT / f"{row:05}.png", optimize=True)


def read_mask(row: int) -> np.ndarray:
    """Return a kept mask, uint8 [128, 128]: 0 for background, else the class's index plus one."""
    return np.asarray(Image.open(KEPT / f"{row:05}.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
