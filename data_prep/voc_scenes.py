"""A photograph and its mask, decoded and checked; and what a whole data set must satisfy.

Tiny-VOC and PASCAL VOC 2012 differ in where the masks are and in what their values mean; a
`Layout` says so. Everything that can be wrong with the files is told here, in a sentence.
"""

import codecs
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from data_prep.errors import PrepError
from data_prep.voc_files import PHOTOS, Files, fingerprint, open_files
from data_prep.voc_labels import CLASSES, VOID, Colour, classes_of, voc_colour
from data_prep.voc_store import ABOUT, SPLITS, parse_about

LARGEST_IMAGE = 25_000_000  # pixels
UNKNOWN = 255  # in a table of values: no such value may occur

#: How to turn a photograph upright whose EXIF orientation says that it lies on its side.
TURNS = {
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112


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
    colours : tuple of (int, int, int)
        In which colour all of its masks draw each value.
    identifier : str
        An id, for example.
    pattern : str
        The regular expression of all ids.
    selective : bool
        True if it also holds photographs without a mask and without any of our classes, which
        are passed over.
    """

    name: str
    masks: str
    lists: str
    values: tuple[int, ...]
    colours: tuple[Colour, ...]
    identifier: str
    pattern: str
    selective: bool = False


TINY_VOC = Layout(
    "tiny-voc", "Annotations", "ImageSets",
    _table({value: value for value in range(len(CLASSES) + 1)}, UNKNOWN),
    tuple(voc_colour(value)[::-1] for value in range(256)),  # red and blue are exchanged in it
    "00000", r"[\w-]+",
)  # fmt: skip

#: PASCAL VOC numbers its twenty classes from aeroplane, 1, to tvmonitor, 20; ours are 15, 8, 1,
#: 7 and 3 there. The void along the outlines, 255, is background like every other class. The ids
#: of VOC2007 have no year.
VOC2012 = Layout(
    "voc2012", "SegmentationClass", "ImageSets/Segmentation",
    _table({15: 1, 8: 2, 1: 3, 7: 4, 3: 5}, 0),
    tuple(voc_colour(value) for value in range(256)),
    "2007_000032", r"20\d\d_\d{6}", selective=True,
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
    root: str
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
        If a list is missing, empty or malformed, an id is listed twice or has no files, a
        photograph and a mask do not come in pairs, or it is another data set.
    """
    files = open_files(path)
    _refuse_other_layout(files, layout, path)
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
    return Source(path, files.root, name, layout, splits, fingerprint(files, names))


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
        If either is damaged or too large, they differ in size, the mask is none, or a turned
        photograph does not say which of the two its mask belongs to.
    """
    photo_name, mask_name = _names(layout, identifier)
    photo = _decode(files, photo_name, "JPEG")
    mask = read_mask(files, layout, identifier)
    photo, mask = _upright(photo, mask, f"{photo_name} in {files.shown}")
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
    for value in np.flatnonzero(np.bincount(values.ravel()))[::-1].tolist():
        palette = mask.getpalette("RGB")[3 * value :][:3]
        _check_value(value, tuple(palette), layout, f"{name} in {files.shown}")
    return np.array(layout.values, np.uint8)[values]


def _check_value(value: int, colour: Colour, layout: Layout, where: str) -> None:
    """Refuse a value of a mask that has no meaning, or another colour than it should."""
    if layout.values[value] == UNKNOWN:
        if value == VOID:
            raise PrepError(
                f"{where} has void pixels ({VOID}), as PASCAL VOC's own masks have and "
                "Tiny-VOC's have not; fetch the mask again."
            )
        raise PrepError(
            f"{where} has the value {value}, but a mask's values go from 0 to {len(CLASSES)}; "
            "fetch it again."
        )
    if colour != layout.colours[value]:
        raise PrepError(
            f"{where} draws the value {value} in the colour {colour or 'none'}, not in "
            f"{layout.colours[value]} as all masks of {layout.name} do, so its classes cannot be "
            "told; fetch it again."
        )


def _upright(photo: Image.Image, mask: np.ndarray, where: str) -> tuple[Image.Image, np.ndarray]:
    """Turn a photograph as its EXIF orientation says, and its mask, where that is not yet."""
    try:
        with warnings.catch_warnings(action="ignore"):
            orientation = photo.getexif().get(ORIENTATION)
    except Exception:  # damaged in any way; then nothing says that it is to be turned
        orientation = None
    if orientation not in range(2, 9):
        return photo, mask
    if orientation not in TURNS or photo.width == photo.height:
        raise PrepError(
            f"{where} is to be turned (its EXIF orientation is {orientation}), and its size does "
            "not tell whether its mask is; turn both upright and save them so."
        )
    if photo.size == mask.shape[::-1]:
        mask = np.asarray(Image.fromarray(mask).transpose(TURNS[orientation]))
    return photo.transpose(TURNS[orientation]), mask


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
            warnings.simplefilter("ignore")  # of what else a camera has written
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=[form])
            if image.width * image.height > LARGEST_IMAGE:
                raise bomb
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise bomb from None
    except Image.UnidentifiedImageError:
        raise PrepError(f"{where} is not a {form} image, or damaged; fetch it again.") from None
    except (PrepError, MemoryError):
        raise
    except Exception as error:  # Pillow's for damage are of every kind
        raise PrepError(f"{where} is damaged or truncated ({error}); fetch it again.") from error
    return image


def _refuse_other_layout(files: Files, layout: Layout, path: Path) -> None:
    """Refuse what is laid out as the other data set, or says that it is of another year."""
    other = TINY_VOC if layout is VOC2012 else VOC2012
    way = "leave out" if layout is VOC2012 else "add"
    if not files.has(f"{layout.lists}/train.txt") and files.has(f"{other.lists}/train.txt"):
        raise PrepError(
            f"{files.shown} is laid out as {other.name}, not as {layout.name}; {way} --voc2012."
        )
    year = re.fullmatch(r"VOC(\d{4})", PurePosixPath(files.root).name or path.absolute().stem)
    if layout is VOC2012 and year and year[1] != "2012":
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
                f'{where} lists "{identifier[:40]}", which is no id of {layout.name} such as '
                f"{layout.identifier}; write one id a line, without a suffix."
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
