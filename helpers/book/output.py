"""Sentences with computed numbers, source code in the text, and the verdicts' boxes.

What the notebooks show here reads the same in Jupyter Lab and in the built book.
"""

import html
import inspect
import textwrap

from IPython.display import Markdown

from helpers.book.animation import Html
from helpers.claims.course import CLAIMS, VERDICTS
from helpers.claims.findings import finding


def say(*paragraphs):
    """Show paragraphs of Markdown, usually f-strings with numbers computed from records."""
    return Markdown("\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs))


def source(*functions):
    """Show the source code of functions, without docstrings and the formatter's marks.

    Parameters
    ----------
    *functions : functions or methods of this project

    Returns
    -------
    Markdown
    """
    return Markdown("```python\n" + "\n\n".join(map(_without_docstring, functions)) + "\n```")


def _without_docstring(function):
    code = textwrap.dedent(inspect.getsource(function)).rstrip().replace("  # fmt: skip", "")
    start = code.find('"""')
    if start < 0:
        return code
    end = code.index('"""', start + 3) + 3
    before, after = code[:start].rstrip(), code[end:].lstrip("\n")
    return f"{before}\n{after}"


#: The theme's kind of box for each verdict: green, orange, red, and blue for what can't be told.
BOXES = dict(zip(VERDICTS, ("tip", "attention", "danger", "note"), strict=True))


def show_verdict(claim):
    """Show a box with a claim of the original course and what came of it.

    Parameters
    ----------
    claim : str
        Its number, a key of `helpers.claims.course.CLAIMS`.

    Returns
    -------
    Html
    """
    found = finding(claim)
    why = f"{found.test}. {found.effect}"
    return Html(
        f'<div class="admonition {BOXES[found.verdict]}">\n'
        f'<p class="admonition-title">{claim}: {html.escape(found.verdict)}</p>\n'
        f"<p><em>The claim: {html.escape(CLAIMS[claim])}</em></p>\n"
        f"<p>{html.escape(why)}</p>\n</div>",
        f"{claim}: {found.verdict}. {why}",
    )


# ------------------------------------------------------------------------- tables

LONG = 42  # characters: a cell with more of them is a sentence, and is broken into lines
UNITS = ("px", "epochs", "epoch", "seeds", "seed")  # stay with their number
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
    return value.markup if isinstance(value, Marked) else html.escape(str(value))


def _folded(value):
    """Return a cell's markup in which no line breaks inside a range, a name, or before a unit."""
    text = _markup(value)
    if isinstance(value, Marked):
        return text
    text = text.replace(" [", " <span>[").replace("]", "]</span>")
    for name in NAMES:
        text = text.replace(name, f"<span>{name}</span>")
    for unit in UNITS:
        text = text.replace(f" {unit}", f"\u00a0{unit}")
    return text


def _long(value):
    return ' class="long"' if len(str(value)) > LONG else ""


class Shown:
    """A table as a notebook shows it: HTML in the book, aligned text elsewhere."""

    def __init__(self, frame, stacked=False, folded=False):
        self.frame, self.stacked, self.folded = frame, stacked, folded

    def _repr_html_(self):
        heads = [html.escape(str(name)) for name in self.frame.columns]
        cells = "".join(f"<th>{head}</th>" for head in heads)
        lines = [f"<thead><tr>{cells}</tr></thead>", "<tbody>"]
        # A phone shows the rows of a stacked table one below the other, without its head.
        labels = [f' data-label="{head}"' if self.stacked else "" for head in heads[1:]]
        markup = _folded if self.folded else _markup
        for row in self.frame.itertuples(index=False):
            first, *rest = row
            cells = "".join(
                f"<td{label or _long(value)}>{markup(value)}</td>"
                for label, value in zip(labels, rest, strict=True)
            )
            lines.append(f'<tr><th scope="row">{markup(first)}</th>{cells}</tr>')
        kind = "table" + " stacked" * self.stacked + " folded" * self.folded
        table = "\n".join([f'<table class="{kind}">', *lines, "</tbody>", "</table>"])
        # A wide table scrolls inside its own box on a phone, not the whole page.
        return f'<div style="overflow-x: auto">\n{table}\n</div>'

    def __repr__(self):
        return self.frame.astype(str).to_string(index=False)


def show_table(frame, stacked=False, folded=False):
    """Show a table of text without its index.

    Parameters
    ----------
    frame : DataFrame of str or Marked
    stacked : bool
        Whether its cells hold sentences: they are wrapped, and on a phone each row is a block.
    folded : bool
        Whether an interval may stand below its mean, for a table with many of them.

    Returns
    -------
    Shown
        Displayed when it is the last line of a notebook cell.
    """
    return Shown(frame, stacked, folded)
