"""Where a reader finds what stands behind a number: the section of a chapter, and the records.

Addresses are those of the rendered book, below a notebook's page. The sections are looked up in
the notebooks, so that a link can't name one that is gone.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from helpers.analysis.summaries import link
from helpers.runs.records import ROOT

HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


class NoSuchSection(LookupError):
    """No chapter shows what was looked for; the message says what that was."""


@dataclass(frozen=True)
class Section:
    """A section of a notebook.

    Attributes
    ----------
    notebook : the stem of its file.
    title : as the reader sees it.
    """

    notebook: str
    title: str

    @property
    def address(self):
        """Where it is in the rendered book; made of the title as Sphinx makes it."""
        plain = unicodedata.normalize("NFKD", self.title.lower()).encode("ascii", "ignore")
        name = re.sub(r"[^a-z0-9]+", "-", plain.decode()).strip("-")
        return f"{self.notebook}.html#{name}"

    @property
    def link(self):
        """A cell that leads to it."""
        return link(self.title, self.address)


@cache
def _cells():
    """Return (section, kind, source) of every cell of the chapters, in the book's order."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        title = None
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown" and (titles := HEADING.findall(source)):
                title = titles[-1].replace("`", "")
            found.append((Section(path.stem, title), cell["cell_type"], source))
    return found


def section_with(code):
    """Find the section of a chapter in which a cell has some code.

    Parameters
    ----------
    code : str
        A part of it, such as `show_verdict("C2.2")`.

    Returns
    -------
    Section
        The first one, if there are several.

    Raises
    ------
    NoSuchSection
        If no code cell of a chapter has it.
    """
    for section, kind, source in _cells():
        if kind == "code" and code in source:
            return section
    raise NoSuchSection(f"no code cell of notebooks/0*.ipynb has {code}")


def records_address(experiments):
    """Return where the page of all records shows just those of some experiments, at full scale.

    Parameters
    ----------
    experiments : iterable of str
        As the page calls them.
    """
    rows = "full " + "|".join(f"={name}" for name in experiments)
    return f"../book/all_runs.html?rows={quote(rows)}#all-runs-experiments"


def records_link(text, experiments):
    """Return a cell that leads to the records of some experiments."""
    return link(text, records_address(experiments))
