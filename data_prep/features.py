"""The step `features`: what EfficientNet-Lite0 sees in every prepared photograph.

The network has learned from ImageNet; the 1,280 numbers that it makes of a photograph before its
last layer are kept, so that other classifiers can be trained on them in seconds. Several sizes
can stand beside one another: ``224/features.npy``, float32 [N, 1280], in the order of the images.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image
from tqdm import tqdm

from data_prep import sums
from data_prep.errors import PrepError
from data_prep.files import explained_writes, put_in_place
from data_prep.paths import display_path
from data_prep.photograph import encoded
from data_prep.steps import SAMPLE, SizedStep
from data_prep.tiny_voc import TinyVoc
from data_prep.voc_store import ABOUT, ARRAY, read_images

FEATURES, DONE = "features.npy", "pieces"
PIECE = 64  # images
FEW = 4  # of them at once: with more, the maps no longer fit into the processor's caches
SHOWN, NEIGHBOURS, CELL = 6, 5, 128  # of the sample: photographs, of each, and pixels


@dataclass(frozen=True)
class Features(SizedStep):
    """Compute and verify the features; see `data_prep.steps.Step`.

    Its size is that of the prepared images that they are made from.
    """

    name = "features"
    usage = "features --size SIZE"
    title = "EfficientNet-Lite0's features of Tiny-VOC's photographs, prepared before"

    def is_there(self, folder: Path) -> bool:
        """Tell whether features of any size have been computed in `folder`."""
        return bool(_sizes(folder))

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for each file that is missing or was altered, at any size."""
        return [problem for size in _sizes(folder) for problem in _problems(folder / str(size))]

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Compute the features of one size; False if they were there already.

        An interrupted run is taken up where it was.

        Raises
        ------
        PrepError
            If the images or the network's weights are missing, or `folder` can't be written.
        """
        images = read_images(folder.parent / TinyVoc.name, self.size)
        target, partial = folder / str(self.size), folder / f".{self.size}.partial"
        about = _about(folder.parent / TinyVoc.name / str(self.size) / ARRAY)
        if not _problems(target) and (target / ABOUT).read_text("utf-8") == about:
            return False
        with explained_writes(folder):
            make_features(images, about, partial, target)
        return True

    def summary(self, folder: Path) -> str:
        """Return how many there are, of each size."""
        shapes = {size: read_features(folder, size).shape for size in _sizes(folder)}
        return "\n".join(
            f"{size}x{size}: {rows:,} images, {columns:,} features each"
            for size, (rows, columns) in shapes.items()
        )

    def sample(self, folder: Path) -> Path:
        """Return the path of the sample: photographs, and those with the nearest features."""
        return folder / str(self.size) / SAMPLE


def make_features(
    images: Sequence[np.ndarray], about: str, partial: Path, target: Path,
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Make a folder with the features of images and what belongs to them.

    What was computed before a run broke off, of the same images, is taken up.

    Parameters
    ----------
    images : sequence of uint8, [N, S, S, 3]
        A slice of them is an array.
    about : str
        What they are made from, which the folder keeps.
    partial, target : Path
        A folder to fill, and where it appears when it is full.
    more : mapping of str to bytes
        Other files that it shall hold.
    """
    if not (partial / ABOUT).is_file() or (partial / ABOUT).read_text("utf-8") != about:
        shutil.rmtree(partial, ignore_errors=True)  # begun from other images
        (partial / DONE).mkdir(parents=True)
        sums.write_whole(partial / ABOUT, about.encode())
    features = np.concatenate([np.load(piece) for piece in _compute(images, partial)])
    contents = {FEATURES: _npy(features), SAMPLE: _sheet(images, features), **more}
    for name, content in contents.items():
        sums.write_whole(partial / name, content)
    sums.write_sums(partial, {name: sums.sha256(partial / name) for name in (*contents, ABOUT)})
    put_in_place(partial, target)
    shutil.rmtree(target / DONE)


def read_features(folder: Path, size: int) -> np.ndarray:
    """Map the features of one size into memory, float32 [N, 1280], or raise PrepError."""
    try:
        return np.load(folder / str(size) / FEATURES, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise PrepError(
            f"{display_path(folder / str(size) / FEATURES)} is missing or damaged; run "
            f"`python -m data_prep features --size {size}`."
        ) from error


def _sizes(folder: Path) -> list[int]:
    found = folder.glob(f"[0-9]*/{FEATURES}")
    return sorted(int(path.parent.name) for path in found)


def _problems(target: Path) -> list[str]:
    return sums.problems(target, [FEATURES, ABOUT, SAMPLE])


def _about(images: Path) -> str:
    """Say what the features are made from."""
    from helpers.networks import efficientnet  # here: it brings PyTorch with it

    made_from = {"images": sums.sha256(images), "weights": efficientnet.SHA256}
    return json.dumps(made_from, indent=1) + "\n"


def _compute(images: Sequence[np.ndarray], partial: Path) -> list[Path]:
    """Compute the pieces that are missing, and return the paths of all."""
    firsts = range(0, len(images), PIECE)
    pieces = {first: partial / DONE / f"{first:06d}.npy" for first in firsts}
    missing = [(first, path) for first, path in pieces.items() if not path.exists()]
    lengths = [min(PIECE, len(images) - first) for first, _ in missing]
    with tqdm(total=sum(lengths), unit="image", desc="features", disable=None) as bar:
        for (first, path), length in zip(missing, lengths, strict=True):
            sums.write_whole(path, _npy(features_of(images[first : first + PIECE])))
            bar.update(length)
    return list(pieces.values())


def features_of(images: np.ndarray) -> np.ndarray:
    """Compute the pooled features, float32 [B, 1280], of images uint8 [B, S, S, 3].

    Raises
    ------
    PrepError
        If the weights are not there.
    """
    import torch  # here: reading features does not need it

    pixels = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        return torch.cat([_network().features(few) for few in pixels.split(FEW)]).numpy()


@lru_cache(maxsize=1)
def _network():
    import torch

    from helpers.networks.efficientnet import EfficientNetLite0

    try:
        network = EfficientNetLite0(weights="imagenet").eval()
    except OSError as error:
        raise PrepError(f"{error}.") from error
    return network.to(memory_format=torch.channels_last)


def _npy(array: np.ndarray) -> bytes:
    content = BytesIO()
    np.save(content, array)
    return content.getvalue()


def nearest(features: np.ndarray, row: int, count: int, among: int | None = None) -> np.ndarray:
    """Return the rows of features [N, D] that point most nearly where a row points.

    They are `count`, and of the first `among` rows where that is given.
    """
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    order = np.argsort(-(unit[:among] @ unit[row]), kind="stable")
    return order[order != row][:count]


def _sheet(images: Sequence[np.ndarray], features: np.ndarray) -> bytes:
    """Draw some photographs, each at the head of a row of those with the nearest features."""
    rows = np.linspace(0, len(images) - 1, min(SHOWN, len(images))).astype(int)
    sheet = Image.new("RGB", ((1 + NEIGHBOURS) * CELL, len(rows) * CELL))
    for top, row in enumerate(rows):
        for left, place in enumerate([row, *nearest(features, row, NEIGHBOURS)]):
            cell = Image.fromarray(images[place]).resize((CELL, CELL), Image.Resampling.LANCZOS)
            sheet.paste(cell, (left * CELL, top * CELL))
    return encoded(sheet, "PNG", optimize=True)
