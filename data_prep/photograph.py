"""Reading a picture of any kind, as a network for photographs takes it, and packing one."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps


class NotAPhotograph(ValueError):
    """A file from which no photograph can be read."""


def read_photograph(file: Path | str | BinaryIO, size: int = 224) -> np.ndarray:
    """Read any picture as a network sees it: upright, in colour, squashed to a square.

    Parameters
    ----------
    file : path or binary file
        Of any format, size and colour space that Pillow reads. It is turned as its EXIF data
        say; what is transparent becomes white; of an animation the first picture counts.
    size : int
        Height and width of the result in pixels.

    Returns
    -------
    ndarray of uint8, [size, size, 3]

    Raises
    ------
    NotAPhotograph
        If there is no such file, or it is no picture, damaged, or too large to be unpacked safely.
    """
    try:
        with Image.open(file) as picture:
            picture.draft("RGB", (2 * size, 2 * size))  # a huge JPEG is unpacked at half its size
            picture = ImageOps.exif_transpose(picture)
            if picture.mode.startswith("I;16"):  # 16 bits of grey, which `convert` would cut off
                picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            if picture.has_transparency_data:
                white = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(white, picture.convert("RGBA"))
            picture = picture.convert("RGB")
            return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS))
    except FileNotFoundError:
        raise NotAPhotograph(f"There is no file {file}: name one with its path.") from None
    except Image.DecompressionBombError as error:
        raise NotAPhotograph(f"{file} is too large to be unpacked safely: shrink it.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAPhotograph(f"{file} cannot be read as a picture ({error}).") from error


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return a picture as the content of a file, as Pillow's `save` would write it."""
    content = BytesIO()
    picture.save(content, format=form, **options)
    return content.getvalue()
