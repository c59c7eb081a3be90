"""What a notebook shows: sentences, source code, verdicts, tables, and pictures that move.

It reads the same in Jupyter Lab and in the built book. Pictures that move are plain HTML with
their frames inside: they work offline and without a kernel, and the same frames give the same
bytes. Frames are uint8 RGB arrays, [height, width, 3], such as `helpers.book.figures.to_pixels`
returns.
"""

import ast
import base64
import html
import inspect
import io
import re
import textwrap

import numpy as np
from IPython.display import Markdown
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from helpers.claims.findings import CLAIMS, Verdict, finding
from helpers.runs.records import ROOT

STATIC = ROOT / "book" / "_static"


def fill(template, **values):
    """Fill a template of `book/_static`; the template itself says what it escapes."""
    environment = Environment(
        loader=FileSystemLoader(STATIC), undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["e"] = lambda value: html.escape(str(value))
    environment.filters["typeset"] = typeset
    return environment.get_template(template).render(values)


def typeset(text):
    """Return a text in which each negative number has a minus sign instead of a hyphen."""
    return re.sub(r"(?<![\w./${-])-(?=\d)", "−", text)


class HTMLOutput:
    """HTML that a notebook shows, with a sentence for where HTML is not shown."""

    def __init__(self, content, text):
        self.content, self.text = content, text

    def _repr_html_(self):
        return self.content

    def __repr__(self):
        return self.text


def show_text(*paragraphs):
    """Show paragraphs of Markdown, usually f-strings with numbers computed from records."""
    return Markdown(typeset("\n\n".join(" ".join(each.split()) for each in paragraphs)))


def show_source(*methods):
    """Show the source code of methods under their classes' names, without docstrings."""
    classes = {}
    for method in methods:
        name = method.__qualname__.split(".")[0]
        classes.setdefault(f"class {name}:\n", []).append(_without_docstring(method))
    code = (head + textwrap.indent("\n\n".join(each), "    ") for head, each in classes.items())
    return Markdown("```python\n" + "\n\n".join(code) + "\n```")


def _without_docstring(function):
    code = textwrap.dedent(inspect.getsource(function)).rstrip()
    (definition,) = ast.parse(code).body
    if ast.get_docstring(definition) is None:
        return code
    lines, docstring = code.splitlines(), definition.body[0]
    before, after = lines[: docstring.lineno - 1], lines[docstring.end_lineno :]
    return "\n".join(before + after[after[:1] == [""] :])


#: The theme's kind of box for each verdict: green, orange, red, and blue for inconclusive.
BOXES = dict(zip(Verdict, ("tip", "attention", "danger", "note"), strict=True))


def show_verdict(claim, behind=""):
    """Show a box that says whether a claim is reproduced, and what was measured for each part.

    The claim is a key of `helpers.claims.findings.CLAIMS`, or the `Finding` that came of it; the
    last line says what stands `behind` it, str or `Marked`.
    """
    found = finding(claim) if isinstance(claim, str) else claim
    content = fill(
        "verdict.html", found=found, box=BOXES[found.verdict], claim=CLAIMS[found.claim],
        behind=_markup(behind),
    )  # fmt: skip
    return HTMLOutput(content, f"{found.title}. {found.lead}")


# ------------------------------------------------------------------------- tables

UNITS = ("px", "epochs", "epoch", "seeds", "seed", "µs")  # stay with their number
NAMES = ("ResNet-18", "VGG-11")  # are not broken at their hyphen


class Marked:
    """A table's cell with markup: HTML in the book, its text elsewhere."""

    def __init__(self, text, markup):
        self.text, self.markup = text, markup

    def __str__(self):
        return self.text

    __repr__ = __str__

    def _repr_html_(self):
        return f"<p>{self.markup}</p>"


def link(text, target):
    """Return a cell that leads to another place of the book, an address below the notebook's."""
    return Marked(text, f'<a href="{html.escape(target)}">{html.escape(text)}</a>')


def anchor(text, name):
    """Return a cell that can be linked to by its name."""
    return Marked(text, f'<span id="{html.escape(name)}">{html.escape(text)}</span>')


def join_cells(parts, glue=" "):
    """Return a cell of several, with some text between them."""
    parts = list(parts)
    return Marked(glue.join(map(str, parts)), html.escape(glue).join(map(_markup, parts)))


def _markup(value):
    return value.markup if isinstance(value, Marked) else html.escape(typeset(str(value)))


def _unbroken(value, folded):
    """Return a cell's markup in which no line breaks inside a name, or before a unit.

    In a folded table, none breaks inside an interval either.
    """
    text = _markup(value)
    if isinstance(value, Marked):
        return text
    if folded:
        text = text.replace(" [", " <span>[").replace("]", "]</span>")
    for name in NAMES:
        text = text.replace(name, f"<span>{name}</span>")
    for unit in UNITS:
        text = text.replace(f" {unit}", f"\u00a0{unit}")
    return text


def show_table(frame, stacked=False, folded=False):
    """Show a table of text without its index.

    Parameters
    ----------
    frame : DataFrame of str or `Marked`
    stacked : whether its cells hold sentences: they are wrapped, and on a phone each row is a
        block.
    folded : whether an interval may stand below its mean, for a table with many of them.
    """
    rows = [
        [(str(value), _unbroken(value, folded)) for value in row]
        for row in frame.itertuples(index=False)
    ]
    content = fill("table.html", heads=frame.columns, rows=rows, stacked=stacked, folded=folded)
    return HTMLOutput(content, frame.astype(str).to_string(index=False))


# --------------------------------------------------------------- pictures that move


def gif_bytes(frames):
    """Encode frames as an endless GIF, all in one palette so that nothing flickers.

    The frames are uint8 [height, width, 3], all of one size. Each stays for 0.15 seconds, the last
    one for two.
    """
    images, buffer = _in_one_palette(frames), io.BytesIO()
    images[0].save(
        buffer, format="GIF", save_all=True, append_images=images[1:],
        duration=[150] * (len(images) - 1) + [2000], loop=0, optimize=False,
    )  # fmt: skip
    return buffer.getvalue()


def player(frames, labels, alt, caption, name="frame", start=0):
    """Show frames with a slider and a button to play them, for mouse, finger and keyboard.

    Parameters
    ----------
    frames : as for `gif_bytes`
    labels : what each frame is, for example "epoch 200".
    alt : what the frames show; each frame's own text is this and its label.
    name : what the slider moves along, for those who hear the page instead of seeing it.
    start : the frame to show first.
    """
    images = _in_one_palette(frames)
    sources = [data_uri(webp_bytes(image), "image/webp") for image in images]
    content = fill(
        "player.html",
        frames=list(zip(sources, labels, strict=True)),
        start=range(len(images))[start],
        alt=alt,
        caption=caption,
        name=name,
        # On the elements themselves, since Jupyter Lab runs no script of a notebook's output.
        show=_handler("player_show.js"),
        play=_handler("player_play.js"),
    )
    return HTMLOutput(content, f"Frames to drag through: {alt}")


def _handler(file):
    return " ".join((STATIC / file).read_text(encoding="utf-8").split())


def photo_grid(groups, width, caption=""):
    """Show photographs in as many columns as the page has room for, each with lines below it.

    Parameters
    ----------
    groups : sequence of (files, alt, lines): one or several WebP or PNG files' bytes, side by side;
        what they show, in words; and a list of str.
    width : of the narrowest column, in pixels.
    """
    shown = [
        ([data_uri(f, f"image/{'png' if f[1:4] == b'PNG' else 'webp'}") for f in files], *rest)
        for files, *rest in groups
    ]
    content = fill("photographs.html", groups=shown, width=width, caption=caption)
    return HTMLOutput(content, "; ".join(alt for _, alt, _ in groups))


def _in_one_palette(frames):
    """Return frames as PIL images that share 64 colours, chosen all along the animation."""
    images = [Image.fromarray(frame) for frame in frames]
    width, height = images[0].size
    sample = np.linspace(0, len(images) - 1, 8).round().astype(int)
    strip = Image.new("RGB", (width, height * len(sample)))
    for row, i in enumerate(sample):
        strip.paste(images[i], (0, row * height))
    palette = strip.quantize(colors=64, method=Image.Quantize.MEDIANCUT)
    # Median cut averages nearly white with white; paper must stay white beside the page's.
    levels = np.array(palette.getpalette()).reshape(-1, 3)
    levels[levels.min(axis=1) >= 247] = 255
    palette.putpalette(levels.ravel().tolist())
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]


def webp_bytes(image, lossless=True, **options):
    """Encode a PIL image. Without loss, flat colours are sharp, and smaller than with it."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", lossless=lossless, **{"method": 4} | options)
    return buffer.getvalue()


def data_uri(content, kind):
    """Return the address that is a file's bytes themselves, such as an "image/webp"."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
