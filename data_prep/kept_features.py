"""Makes ``helpers/data/voc_features.npz``, the part of the real data that the project keeps.

    python -m data_prep.kept_features --source tinyseg.zip

It holds the features that ``python -m data_prep features`` has computed of all photographs,
reduced to some hundred numbers of a byte each, and a few of the photographs, small.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep import sums
from data_prep.errors import PrepError, tell
from data_prep.features import nearest, read_features
from data_prep.paths import PROJECT_ROOT, data_dir
from data_prep.photograph import encoded
from data_prep.voc_build import squash
from data_prep.voc_files import open_files
from data_prep.voc_labels import label_matrix
from data_prep.voc_lists import mask_picture
from data_prep.voc_scenes import TINY_VOC, open_source, read_scene
from data_prep.voc_store import ABOUT, read_labels, read_splits

KEPT = PROJECT_ROOT / "helpers" / "data" / "voc_features.npz"
SIZE, COMPONENTS, STEPS = 224, 96, 8
#: Photographs of every class, and with two; these are kept with their masks.
SHOWN = (
    2225, 190, 4630, 3406, 4314, 4649, 261, 2060, 1550, 3243, 5404, 5839,
    4709, 1210, 5788, 4381, 3189, 2888, 3665, 5097, 5074, 3575, 275, 2141,
)  # fmt: skip
#: Test photographs that are kept with the training photographs nearest to each.
ASKED, NEIGHBOURS = (6043, 6499, 6496, 6226, 6362, 6539), 5
#: The most confident mistakes of the linear classifier at that size (seed 0): six photographs
#: with a false alarm, six with something missed.
MISTAKES = (
    6341, 6522, 6023, 6566, 6001, 6584,
    6053, 6604, 6469, 6414, 6077, 6403,
)  # fmt: skip
PIXELS, QUALITY = 128, 70


def reduced(features: np.ndarray, train: int, count: int) -> dict[str, np.ndarray]:
    """Reduce features to their principal components, one signed byte each.

    Parameters
    ----------
    features : ndarray of float, [N, D]
        Those of the training images first.
    train : int
        How many these are; nothing is learned from the others.
    count : int
        K, how many components.

    Returns
    -------
    dict of ndarray
        `mean` float32 [D]; `components` int8 [K, D] and `component_scale` float32 [K];
        `features` int8 [N, K] and `scale` float32 [K]. What is in int8 is to be multiplied by
        its scale. A component's standard deviation is `STEPS` steps, whose rounding adds a
        thousandth of its variance.
    """
    mean = features[:train].mean(axis=0, dtype=np.float64)
    centred = features - mean
    _, vectors = np.linalg.eigh(centred[:train].T @ centred[:train])
    vectors = vectors.T[::-1][:count]  # [K, D], the largest variance first
    vectors *= np.sign(vectors[range(count), abs(vectors).argmax(axis=1)])[:, None]
    component_scale = abs(vectors).max(axis=1).astype(np.float32) / 127
    components = np.round(vectors / component_scale[:, None]).astype(np.int8)
    found = centred @ (components * component_scale[:, None]).T
    scale = found[:train].std(axis=0).astype(np.float32) / STEPS
    return {
        "mean": mean.astype(np.float32),
        "components": components,
        "component_scale": component_scale,
        "features": np.clip(np.round(found / scale), -127, 127).astype(np.int8),
        "scale": scale,
    }


def photographs(source: Path, rows: list[int]) -> dict[str, np.ndarray]:
    """Return some photographs, `PIXELS` a side, as WebP files, and their masks as PNG files.

    The files stand one behind the other, uint8 [bytes]; `photo_ends` and `mask_ends` say where
    each ends.
    """
    opened = open_source(source, TINY_VOC)
    files, photos, masks = open_files(opened.path), [], []
    for row in rows:
        photo, mask = read_scene(files, TINY_VOC, opened.ids[row])
        photos.append(encoded(squash(photo, PIXELS), "WEBP", quality=QUALITY, method=6))
        small = mask_picture(mask).resize((PIXELS, PIXELS), Image.Resampling.NEAREST)
        masks.append(encoded(small, "PNG", optimize=True))
    return _joined("photo", photos) | _joined("mask", masks)


def _joined(name: str, contents: list[bytes]) -> dict[str, np.ndarray]:
    ends = np.cumsum([len(content) for content in contents])
    return {f"{name}s": np.frombuffer(b"".join(contents), np.uint8), f"{name}_ends": ends}


def main() -> None:
    """Write the file and print how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, metavar="DIR-or-ZIP")
    source = parser.parse_args().source
    lists, folder = data_dir() / "tiny-voc", data_dir() / "features"
    train = len(read_splits(lists)["train"])
    kept = reduced(read_features(folder, SIZE), train, COMPONENTS)
    close = [
        row
        for asked in ASKED
        for row in (asked, *nearest(kept["features"] * kept["scale"], asked, NEIGHBOURS, train))
    ]
    commit = subprocess.run(
        ["git", "-C", PROJECT_ROOT, "log", "-1", "--format=%h", "--abbrev=12", "--", __file__],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    made_from = json.loads((folder / str(SIZE) / ABOUT).read_text("utf-8"))
    kept |= photographs(source, [*SHOWN, *close, *MISTAKES]) | {
        "labels": label_matrix(read_labels(lists).values()),
        "train": np.array(train),
        "photo_rows": np.array([*SHOWN, *close, *MISTAKES]),
        "about": np.array(json.dumps(made_from | {"commit": commit.stdout.strip()})),
    }
    sums.write_arrays(KEPT, kept)


if __name__ == "__main__":
    try:
        main()
    except PrepError as error:
        tell(str(error))
        sys.exit(2)
