"""A photograph and its mask, decoded and checked; and what a whole data set must satisfy.

Tiny-VOC and PASCAL VOC 2012 differ in where the masks are and in what their values mean; a
`Layout` says so. Everything that can be wrong with the files is told here, in a sentence.
"""

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from data_prep.errors import PrepError
from data_prep.voc_files import PHOTOS, Files, fingerprint, open_files
from data_prep.voc_labels import CLASSES, VOID, Colour, classes_of, voc_colour
from data_prep.voc_store import SPLITS

LARGEST_IMAGE = 25_000_000  # pixels
ORIENTATION = 0x0112  # of a photograph, in its EXIF data


@dataclass(frozen=True)
class Layout:
    """How a data set is laid out.

    Attributes
    ----------
    name : str
        The data set.
    masks, lists : str
        The folders of the masks and of the split files.
    values : dict of int to int
        What each value of its masks is here: 0 for background, or the class's index plus one.
    colours : tuple of (int, int, int)
        In which colour all of its masks draw each value.
    pattern : str
        The regular expression of its ids.
    selective : bool
        True if it also holds photographs without a mask and without any of our classes, which
        are passed over.
    """

    name: str
    masks: str
    lists: str
    values: dict[int, int]
    colours: tuple[Colour, ...]
    pattern: str
    selective: bool = False


TINY_VOC = Layout(
    "tiny-voc", "Annotations", "ImageSets",
    {value: value for value in range(len(CLASSES) + 1)},
    tuple(voc_colour(value)[::-1] for value in range(256)),  # red and blue are exchanged in it
    r"[\w-]+",
)  # fmt: skip

#: PASCAL VOC numbers its twenty classes from aeroplane, 1, to tvmonitor, 20; ours are 15, 8, 1,
#: 7 and 3 there. The void along the outlines, 255, is background like every other class. The ids
#: of VOC2007 have no year.
VOC2012 = Layout(
    "voc2012", "SegmentationClass", "ImageSets/Segmentation",
    dict.fromkeys([*range(21), VOID], 0) | {15: 1, 8: 2, 1: 3, 7: 4, 3: 5},
    tuple(voc_colour(value) for value in range(256)),
    r"20\d\d_\d{6}", selective=True,
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A data set whose lists and files fit together.

    Attributes
    ----------
    path : Path
        The folder or archive.
    root : str
        Where in it the data set is; see `data_prep.voc_files.Files`.
    layout : Layout
        How it is laid out.
    splits : dict of str to tuple of str
        The ids of the training and the validation images.
    fingerprint : str
        A SHA-256 that stands for the content of all its files.
    """

    path: Path
    root: str
    layout: Layout
    splits: dict[str, tuple[str, ...]]
    fingerprint: str

    def files(self) -> Files:
        """Open it."""
        return open_files(self.path, self.root)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids: the training images, then the validation images."""
        return self.splits["train"] + self.splits["val"]


def open_source(path: Path, layout: Layout) -> Source:
    """Read the lists of a data set and see that every file is there.

    Raises
    ------
    PrepError
        If a list is missing, empty or malformed, an id is listed twice or has no files, a
        photograph and a mask do not come in pairs, or it is another data set.
    """
    files = open_files(path)
    _refuse_other_years(files, layout, path)
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
    return Source(path, files.root, layout, splits, fingerprint(files, names))


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
        If either is damaged or too large, they differ in size, the mask is none, or the
        photograph is to be turned.
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
    values, palette = np.asarray(mask), mask.getpalette("RGB")
    table = np.zeros(256, np.uint8)
    for value in np.unique(values)[::-1].tolist():
        if value not in layout.values:
            void = ", PASCAL VOC's void," if value == VOID else ""
            raise PrepError(
                f"{name} in {files.shown} has the value {value}{void} but {layout.name}'s masks go "
                f"from 0 to {max(layout.values)}; fetch it again."
            )
        colour = tuple(palette[3 * value :][:3])
        if colour != layout.colours[value]:
            raise PrepError(
                f"{name} in {files.shown} draws the value {value} in the colour "
                f"{colour or 'none'}, not in {layout.colours[value]} as all masks of {layout.name} "
                "do, so its classes cannot be told; fetch it again."
            )
        table[value] = layout.values[value]
    return table[values]


def _names(layout: Layout, identifier: str) -> tuple[str, str]:
    return f"{PHOTOS}/{identifier}.jpg", f"{layout.masks}/{identifier}.png"


def _decode(files: Files, name: str, form: str) -> Image.Image:
    """Decode a whole image, having looked at its announced size first."""
    content = files.read(name)
    try:
        image = Image.open(io.BytesIO(content), formats=[form])
        if image.width * image.height > LARGEST_IMAGE:
            raise ValueError(
                f"it announces more than {LARGEST_IMAGE:,} pixels, as a decompression bomb does"
            )
        image.load()
        turned = form == "JPEG" and _is_turned(image)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's for damage are of every kind
        unknown = isinstance(error, Image.UnidentifiedImageError)
        why = f"not a {form} image, or damaged" if unknown else f"damaged or truncated ({error})"
        raise PrepError(f"{name} in {files.shown} is {why}; fetch it again.") from error
    if turned:
        raise PrepError(
            f"{name} in {files.shown} lies on its side or is mirrored, and nothing says whether "
            "its mask does, too; turn both upright and save them without an EXIF orientation."
        )
    return image


def _is_turned(image: Image.Image) -> bool:
    try:
        return image.getexif().get(ORIENTATION) in range(2, 9)
    except Exception:  # the EXIF data are damaged, and say nothing
        return False


def _refuse_other_years(files: Files, layout: Layout, path: Path) -> None:
    if layout is TINY_VOC and files.has(f"{VOC2012.lists}/train.txt"):
        raise PrepError(f"{files.shown} is laid out as PASCAL VOC 2012; add --voc2012.")
    year = re.fullmatch(r"VOC\d{4}", PurePosixPath(files.root).name or path.absolute().stem)
    if layout is VOC2012 and year and year[0] != "VOC2012":
        raise PrepError(f"{files.shown} holds {year[0]}, not VOC2012; name that with --source.")


def _read_split(files: Files, layout: Layout, split: str) -> tuple[str, ...]:
    name = f"{layout.lists}/{split}.txt"
    where = f"{name} in {files.shown}"
    content = files.read(name)
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell writes
    ids = content.decode("utf-16" if wide else "utf-8-sig", errors="replace").split()
    if not ids:
        raise PrepError(f"{where} lists no image; write one id a line.")
    seen = set()
    for identifier in ids:
        if not re.fullmatch(layout.pattern, identifier, re.ASCII):
            raise PrepError(
                f'{where} lists "{identifier[:40]}", which is no id of {layout.name}; '
                "write one id a line, without a suffix."
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
