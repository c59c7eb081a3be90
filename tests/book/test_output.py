"""What a notebook shows: sentences, listings, verdicts, tables, and pictures that move."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from helpers.book import output
from helpers.book.output import gif_bytes, player
from helpers.claims.findings import CLAIMS


def documented(x):
    """Return x."""
    # why
    return x


def plain(x):
    return f"""{2*x}"""  # fmt: skip


def test_source_starts_at_the_margin_without_docstrings_and_text_is_joined():
    expected = "def documented(x):\n    # why\n    return x\n\ndef plain(x):\n    return "
    shown = output.show_source(documented, plain).data
    assert shown == f'```python\n{expected}f"""{{2*x}}"""\n```'
    assert output.show_source(output.HTMLOutput.__repr__).data.startswith("```python\ndef __repr__")
    assert output.show_text("One\n    sentence.", "Another.").data == "One sentence.\n\nAnother."


@pytest.mark.parametrize("claim", ["C2.6", "C3.1"])
def test_a_box_opens_with_its_sentence_and_has_its_verdicts_colour(claim):
    found = output.finding(claim)
    page = output.show_verdict(claim, output.link("why", "x.html"))._repr_html_()
    box = BeautifulSoup(page, "html.parser").div
    title, lead, quoted, *rest = (part.text for part in box.find_all("p"))
    assert (title, lead) == (found.title, found.lead) and CLAIMS[claim] in quoted
    parts = [part.text for part in box.find_all("li")] or rest[:1]
    assert all(text.endswith(says) for text, (_, says) in zip(parts, found.measured, strict=True))
    assert box.find("a")["href"] == "x.html" and found.test in rest[-1]
    assert output.BOXES[found.verdict] in box["class"]


def shown(*cells, **options):
    return output.show_table(pd.DataFrame([cells]), **options)._repr_html_()


def test_a_table_escapes_and_has_no_index():
    page = shown("a < b", "0.9895 [0.9881, 0.9910]", "a sentence " * 5)
    assert '<th scope="row">a &lt; b</th><td>0.9895 [' in page and page.count("<tr>") == 2
    assert '<td class="long">a sentence' in page
    assert '<td data-label="1">a sentence' in shown("a", "a sentence " * 5, stacked=True)
    assert "a < b" in repr(output.show_table(pd.DataFrame([["a < b"]])))


def test_a_cell_breaks_before_an_interval_and_not_in_a_name_and_can_be_a_link():
    cells = "ResNet-18, 128 px", "0.9895 [0.9881, 0.9910]", "1,000 epochs, 1 seed"
    page = shown(*cells, folded=True)
    assert '<table class="table folded">' in page
    assert '<th scope="row"><span>ResNet-18</span>, 128\u00a0px</th>' in page
    assert "<td>0.9895 <span>[0.9881, 0.9910]</span></td><td>1,000\u00a0epochs, 1\u00a0seed" in page
    assert "span" not in shown(*cells)
    cell = output.join_cells([output.anchor("C1.1", "c1-1"), output.link("a < b", "x?y&z")], "; ")
    assert str(cell) == "C1.1; a < b"
    assert cell.markup == '<span id="c1-1">C1.1</span>; <a href="x?y&amp;z">a &lt; b</a>'
    assert f"<td>{cell.markup}</td>" in shown("one", cell)


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
    seen, durations = shown_by(gif_bytes(FRAMES, seconds_per_frame=0.2, last_seconds=1.5))
    assert np.abs(seen - FRAMES).max() <= 1 and durations == [200] * 5 + [1500]


def test_what_stands_still_does_not_flicker_and_paper_stays_white():
    frames = FRAMES.copy()
    frames[:, 45:] = np.random.default_rng(0).integers(0, 256, (6, 19, 64, 3))  # many colours
    frames[:, 41:45] = 250
    seen, _ = shown_by(gif_bytes(frames, colours=16))
    assert (seen[:, :8] == seen[0, :8]).all()
    assert (seen[:, 10:18] == 255).all()


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
