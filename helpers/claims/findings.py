"""The course's claims, each put to the test: what was measured, and the verdict that follows.

The rules of one practice each take its recorded runs and apply what is fixed in code, so that new
records change the verdict and nobody's wish does. Chapters and the findings page show the same
`Finding`. Where a reader finds what stands behind it is looked up in the notebooks, so that a
link can't name a section that is gone; addresses are those of the rendered book, below a
notebook's page.
"""

import json
import re
import string
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from urllib.parse import quote

from helpers.analysis.summaries import format_count, format_n, join_words
from helpers.claims import course
from helpers.claims.course import CLAIMS, TEXTS
from helpers.runs.records import ROOT, track_records_read

#: The module with the rules of a practice. It is imported when one of its claims is asked for:
#: practices 1 and 2 need no PyTorch.
MODULES = {
    "1": "numpy_rules",
    "2": "numpy_rules",
    "3": "vision_rules",
    "4": "voc_rules",
    "5": "activation_rules",
}
LIMITS = {name: value for name, value in vars(course).items() if isinstance(value, float)}


class _Sentence(string.Formatter):
    """Formats the sentences of `texts.toml`, whose head says how."""

    def convert_field(self, value, conversion):
        if conversion == "c":
            return format_count(*value)
        if conversion == "n":
            differences = value.values() if isinstance(value, dict) else [value]
            return "; ".join(dict.fromkeys(map(format_n, differences)))
        return super().convert_field(value, conversion)

    def format_field(self, value, spec):
        if isinstance(value, dict):
            return "; ".join(f"{name} {one:{spec}}" for name, one in value.items()) or "none"
        if isinstance(value, list):
            return join_words(format(one, spec) for one in value)
        return super().format_field(value, spec)


@dataclass(frozen=True)
class Finding:
    """A claim's test.

    Attributes
    ----------
    claim : its number.
    verdict : one of `helpers.claims.course.VERDICTS`.
    values : what was measured, for the claim's sentences in `texts.toml`.
    """

    claim: str
    verdict: str
    values: dict

    @property
    def test(self):
        """What was compared, in a few words."""
        return self._write("test", LIMITS | self.values)

    @property
    def effect(self):
        """What was measured, with intervals and numbers of runs."""
        values = LIMITS | self.values
        if "rows" in values:
            values["rows"] = "; ".join(self._write("row", row) for row in values["rows"])
        return self._write("effect", values)

    def _write(self, part, values):
        return _Sentence().format(TEXTS[self.claim][part], **values)


def rule(claim):
    """Return the rule of a claim in `CLAIMS`."""
    return import_module(f"helpers.claims.{MODULES[claim[1]]}").RULES[claim]


def finding(claim):
    """Test one claim.

    Parameters
    ----------
    claim : str
        Its number, a key of `helpers.claims.course.CLAIMS`.

    Returns
    -------
    Finding

    Raises
    ------
    KeyError
        If there is no such claim.
    """
    if claim not in CLAIMS:
        raise KeyError(f"unknown claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    return Finding(claim, *rule(claim)())


def with_runs(claim):
    """Return a claim's `Finding`, and the runs that its rule reads: experiment -> seeds."""
    with track_records_read() as runs:
        return finding(claim), runs


# ------------------------------------------------------------------- what stands behind it

HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


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
    """Return the first section of a chapter with some code in a cell, or raise LookupError."""
    for section, kind, source in _cells():
        if kind == "code" and code in source:
            return section
    raise LookupError(f"no code cell of notebooks/0*.ipynb has {code}")


def records_address(experiments):
    """Return where the page of all records shows just those of some experiments, at full scale."""
    rows = "full " + "|".join(f"={name}" for name in experiments)
    return f"../book/all_runs.html?rows={quote(rows)}#all-runs-experiments"
