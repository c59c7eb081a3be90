"""A photograph and its mask, decoded and checked; and what a whole data set must satisfy.

Tiny-VOC and PASCAL VOC 2012 differ in where the masks are and in what their values mean; a
`Layout` says so. Everything that can be wrong with the files is told here, in a sentence.
"""

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.errors import PrepError
from data_prep.voc_files import PHOTOS, Files, fingerprint, open_files
from data_prep.voc_labels import CLASSES, VOID, classes_of
from data_prep.voc_store import ABOUT, SPLITS, parse_about

LARGEST_IMAGE = 25_000_000  # pixels
UNKNOWN = 255  # in a table of values: no such value may occur


def _table(known: dict[int, int], default: int) -> tuple[int, ...]:
    return tuple(known.get(value, default) for value in range(256))


@dataclass(frozen=True)
class Layout:
    """How a data set is laid out.

    Attributes
    ----------
    name : str
        The data set.
    masks, lists : str
        The folders of the masks and of the split files.
    values : tuple of int
        What each of the 256 values of its masks is here: 0 for background, the class's index
        plus one, or `UNKNOWN`.
    selective : bool
        True if it also holds photographs without a mask and without any of our classes, which
        are passed over.
    """

    name: str
    masks: str
    lists: str
    values: tuple[int, ...]
    selective: bool = False


TINY_VOC = Layout(
    "tiny-voc", "Annotations", "ImageSets",
    _table({value: value for value in range(len(CLASSES) + 1)}, UNKNOWN),
)  # fmt: skip

#: PASCAL VOC numbers its twenty classes from aeroplane, 1, to tvmonitor, 20; ours are 15, 8, 1,
#: 7 and 3 there. The void along the outlines, 255, is background like every other class.
VOC2012 = Layout(
    "voc2012", "SegmentationClass", "ImageSets/Segmentation",
    _table({15: 1, 8: 2, 1: 3, 7: 4, 3: 5}, 0), selective=True,
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A data set whose lists and files fit together.

    Attributes
    ----------
    path : Path
        The folder or archive.
    name : str
        The layout's name, unless ``about.json`` beside the photographs says another, as it
        does in Toy-VOC's folder: a stand-in must not pass for the real data.
    layout : Layout
        How it is laid out.
    splits : dict of str to tuple of str
        The ids of the training and the validation images.
    fingerprint : str
        A SHA-256 that stands for the content of all its files.
    """

    path: Path
    name: str
    layout: Layout
    splits: dict[str, tuple[str, ...]]
    fingerprint: str

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids: the training images, then the validation images."""
        return self.splits["train"] + self.splits["val"]


def open_source(path: Path, layout: Layout) -> Source:
    """Read the lists of a data set and see that every file is there.

    Raises
    ------
    PrepError
        If a list is missing, empty or malformed, an id is listed twice or has no files, or a
        photograph and a mask do not come in pairs.
    """
    files = open_files(path)
    splits = {split: _read_split(files, layout, split) for split in SPLITS}
    if both := set(splits["train"]) & set(splits["val"]):
        raise PrepError(
            f"{files.shown} lists {min(both)} in train.txt and in val.txt; remove it from one."
        )
    photos, masks = files.stems(PHOTOS, ".jpg"), files.stems(layout.masks, ".png")
    listed = set(splits["train"]) | set(splits["val"])
    _refuse(files, listed - photos - masks, "is listed but has neither photograph nor mask")
    considered = listed if layout.selective else photos | masks
    _refuse(files, considered & photos - masks, f"has a photograph but no mask in {layout.masks}")
    _refuse(files, considered & masks - photos, f"has a mask but no photograph in {PHOTOS}")
    if layout.selective:
        splits = {split: _with_a_class(files, layout, ids) for split, ids in splits.items()}
        for split, ids in splits.items():
            if not ids:
                raise PrepError(
                    f"No image of {split}.txt in {files.shown} shows any of the classes; "
                    "check that the archive is whole."
                )
    names = [f"{layout.lists}/{split}.txt" for split in SPLITS]
    for identifier in splits["train"] + splits["val"]:
        names += _names(layout, identifier)
    name = layout.name
    if files.has(ABOUT):
        name = parse_about(files.read(ABOUT), f"{ABOUT} in {files.shown}", "remove it").name
    return Source(path, name, layout, splits, fingerprint(files, names))


def read_scene(files: Files, layout: Layout, identifier: str) -> tuple[Image.Image, np.ndarray]:
    """Decode one photograph and its mask.

    Returns
    -------
    photo : Image
        RGB.
    mask : ndarray of uint8, [H, W]
        0 for background, otherwise the class's index plus one.

    Raises
    ------
    PrepError
        If either is damaged or too large, they differ in size, or the mask is none.
    """
    photo_name, mask_name = _names(layout, identifier)
    photo = _decode(files, photo_name, "JPEG")
    mask = read_mask(files, layout, identifier)
    if photo.size != mask.shape[::-1]:
        raise PrepError(
            f"{photo_name} is {photo.width}x{photo.height} pixels and {mask_name} is "
            f"{mask.shape[1]}x{mask.shape[0]} in {files.shown}; a mask must be of its "
            "photograph's size."
        )
    return photo.convert("RGB"), mask


def read_mask(files: Files, layout: Layout, identifier: str) -> np.ndarray:
    """Decode one mask alone; see `read_scene`."""
    name = _names(layout, identifier)[1]
    mask = _decode(files, name, "PNG")
    if mask.mode != "P":
        raise PrepError(
            f"{name} in {files.shown} is a PNG of mode {mask.mode}, not a palette image; "
            "save the mask with a palette whose indices are the classes."
        )
    values = np.asarray(mask)
    classes = np.array(layout.values, np.uint8)[values]
    unknown = np.unique(values[classes == UNKNOWN])
    if VOID in unknown:
        raise PrepError(
            f"{name} in {files.shown} has void pixels ({VOID}), as PASCAL VOC's own masks have "
            "and Tiny-VOC's have not; use --voc2012 for these, or fetch the mask again."
        )
    if len(unknown):
        raise PrepError(
            f"{name} in {files.shown} has the value {unknown[0]}, but a mask's values go from 0 "
            f"to {len(CLASSES)}; fetch it again."
        )
    return classes


def _names(layout: Layout, identifier: str) -> tuple[str, str]:
    return f"{PHOTOS}/{identifier}.jpg", f"{layout.masks}/{identifier}.png"


def _decode(files: Files, name: str, form: str) -> Image.Image:
    """Decode a whole image, having looked at its announced size first."""
    content = files.read(name)
    where = f"{name} in {files.shown}"
    bomb = PrepError(
        f"{where} announces more than {LARGEST_IMAGE:,} pixels; it may be a decompression bomb: "
        "fetch it again from where it can be trusted."
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=[form])
        if image.width * image.height > LARGEST_IMAGE:
            raise bomb
        image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise bomb from None
    except Image.UnidentifiedImageError:
        raise PrepError(f"{where} is not a {form} image; fetch it again.") from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's for damage of every kind
        raise PrepError(f"{where} is damaged or truncated ({error}); fetch it again.") from error
    return image


def _read_split(files: Files, layout: Layout, split: str) -> tuple[str, ...]:
    name = f"{layout.lists}/{split}.txt"
    where = f"{name} in {files.shown}"
    ids = files.read(name).decode("utf-8", errors="replace").split()
    if not ids:
        raise PrepError(f"{where} lists no image; write one id a line.")
    seen = set()
    for identifier in ids:
        if not re.fullmatch(r"[\w-]+", identifier, re.ASCII):
            raise PrepError(
                f'{where} lists "{identifier[:40]}", which is no id such as 00000; '
                "write one id a line."
            )
        if identifier in seen:
            raise PrepError(f"{where} lists {identifier} twice; remove one of the two lines.")
        seen.add(identifier)
    return tuple(ids)


def _refuse(files: Files, wrong: set[str], what: str) -> None:
    if wrong:
        others = f" (and so do {len(wrong) - 1} others)" if len(wrong) > 1 else ""
        raise PrepError(f"{min(wrong)} {what}{others} in {files.shown}; complete or remove it.")


def _with_a_class(files: Files, layout: Layout, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the images of which at least one class is ours."""
    return tuple(
        identifier for identifier in ids if classes_of(read_mask(files, layout, identifier))
    )
