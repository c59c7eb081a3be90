"""A reader's own picture: turned, grey, in odd colours, huge, tiny or broken."""

import io

import numpy as np
import pytest
from PIL import Image

from data_prep.photograph import NotAPhotograph, read_photograph

RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(mode="RGB", size=(40, 20), **options):
    """Return a file of a picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    picture, file = picture.convert(mode), io.BytesIO()
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(size).point(lambda v: 255 * (v > 127)))
    picture.save(file, **({"format": "PNG"} | options))
    return io.BytesIO(file.getvalue())


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return halves(format="JPEG", exif=exif, quality=95)


def near(pixel, colour):
    return np.abs(pixel.astype(int) - colour).max() < 40


@pytest.mark.parametrize(
    ("file", "place", "colour"),
    [
        (halves(), (5, 2), RED),
        (turned(6), (2, 5), RED),  # its left side is above
        (turned(3), (5, 2), BLUE),  # upside down
        (halves("L"), (5, 2), (76, 76, 76)),
        (halves("P"), (5, 2), RED),
        (halves("CMYK", format="JPEG", quality=95), (5, 2), RED),
        (halves("RGBA"), (1, 2), (255, 255, 255)),  # transparent above
        (halves(size=(6000, 4000), format="JPEG"), (5, 2), RED),
        (halves(size=(2, 1)), (5, 0), RED),
    ],
)
def test_a_picture_of_any_kind(file, place, colour):
    pixels = read_photograph(file, size=10)
    assert pixels.shape == (10, 10, 3) and pixels.dtype == np.uint8
    assert near(pixels[place], colour)


def test_sixteen_bits_of_grey_keep_their_brightness(tmp_path):
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(tmp_path / "grey.png")
    assert (read_photograph(tmp_path / "grey.png", size=4) == 0x80).all()


@pytest.mark.parametrize("content", [b"", b"no picture", halves().getvalue()[:60]])
def test_what_is_no_picture_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    for bad in (path, tmp_path, tmp_path / "missing.jpg"):
        with pytest.raises(NotAPhotograph, match=r"cannot be read as a picture|no file"):
            read_photograph(bad)
