"""What a notebook shows: tables, and pictures that move."""

import base64
import io
import re

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup
from PIL import Image

from helpers.book import output
from helpers.book.output import gif_bytes, player


def test_a_table_escapes_all_but_its_own_links():
    cell = output.join_cells([output.anchor("C1.1", "c1-1"), output.link("a < b", "x?y&z")], "; ")
    assert str(cell) == "C1.1; a < b"
    assert cell.markup == '<span id="c1-1">C1.1</span>; <a href="x?y&amp;z">a &lt; b</a>'
    shown = output.show_table(pd.DataFrame([["a < b", cell]]))
    assert f'<th scope="row">a &lt; b</th><td>{cell.markup}</td>' in shown._repr_html_()
    assert "a < b" in repr(shown)


def test_negative_numbers_have_a_minus_sign_and_names_their_hyphen():
    sentence = "VGG-11 changes by -0.2 [-0.3, +0.1], at a rate of 1e-05, $-1$"
    expected = "VGG-11 changes by −0.2 [−0.3, +0.1], at a rate of 1e-05, $-1$"
    assert output.show_text(sentence).data == expected
    whole = expected.replace("VGG-11", "<span>VGG-11</span>")  # no line breaks in it
    assert whole in output.show_table(pd.DataFrame([["a", sentence]]))._repr_html_()


# A blue square that moves over white, with a grey bar that stays.
FRAMES = np.full((6, 64, 64, 3), 255, np.uint8)
FRAMES[:, :8] = 128
for i, frame in enumerate(FRAMES):
    frame[20:40, 5 + 6 * i : 25 + 6 * i] = (0, 114, 178)


def decoded(uri, kind):
    head, content = uri.split(",", 1)
    assert head == f"data:image/{kind};base64"
    return base64.b64decode(content)


def near(encoded, frame):
    pixels = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB")).astype(int)
    return np.abs(pixels - frame).max() <= 1


def shown_by(gif):
    """Decode a GIF: its frames, [N, height, width, 3], and the milliseconds that each stays."""
    gif, frames, durations = Image.open(io.BytesIO(gif)), [], []
    for i in range(gif.n_frames):
        gif.seek(i)
        frames.append(np.asarray(gif.convert("RGB")).astype(int))
        durations.append(gif.info["duration"])
    assert gif.info["loop"] == 0
    return np.array(frames), durations


def test_gif_keeps_every_frame_and_its_colours():
    seen, durations = shown_by(gif_bytes(FRAMES))
    assert np.abs(seen - FRAMES).max() <= 1 and durations == [150] * 5 + [2000]


def test_what_stands_still_does_not_flicker_and_paper_stays_white():
    frames = FRAMES.copy()
    frames[:, 45:] = np.random.default_rng(0).integers(0, 256, (6, 19, 64, 3))  # many colours
    seen, _ = shown_by(gif_bytes(frames))
    assert (seen[:, :8] == seen[0, :8]).all() and (seen[:, 10:18] == 255).all()


def test_player_shows_one_frame_at_a_time_and_names_it():
    labels = [f"epoch {100 * i}" for i in range(6)]
    content = player(FRAMES, labels, "Square", "It's <i>.", name="epoch", start=-1)._repr_html_()
    page = BeautifulSoup(content, "html.parser")
    images, slider = page.find_all("img"), page.input
    assert [image["alt"] for image in images] == [f"Square: {label}" for label in labels]
    assert [image.has_attr("hidden") for image in images] == [True] * 5 + [False]
    assert all(near(decoded(i["src"], "webp"), f) for i, f in zip(images, FRAMES, strict=True))
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "5", "5")
    assert slider["aria-label"] == "epoch" and page.figcaption.text == "It's <i>."
    assert slider["aria-valuetext"] == page.output.text == "epoch 500"
    assert "this.value" in slider["oninput"] and "<script" not in content  # Jupyter runs none
    assert not re.search(r"https?:|src=\"(?!data:)", content)
