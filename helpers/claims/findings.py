"""What the original course published and claimed, each claim put to the test, and the verdicts.

The course is the report "深度学习实战" (Deep Learning in Practice). Its numbers stand in
`published.toml`, its claims and what our tests of them say in `texts.toml`; nothing else in the
book types them. The rules of each practice take its recorded runs and apply the limits fixed
here, so that new records change a verdict and nobody's wish does.
"""

import json
import re
import string
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from helpers.analysis.stats import NO, UNCLEAR, YES, prediction_interval
from helpers.analysis.summaries import format_count, format_n, join_words
from helpers.runs.records import ROOT, track_records_read


def _read(name):
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


PUBLISHED = _read("published.toml")
PUBLISHED_MNIST = PUBLISHED["mnist"]
PUBLISHED_VISION = PUBLISHED["vision"]
PUBLISHED_VOC = PUBLISHED["voc"]
PUBLISHED_SIDE = 224  # pixels, of practice 4's photographs

TEXTS = _read("texts.toml")
CLAIMS = {number: text["claim"] for number, text in TEXTS.items()}

CLOSE = 0.003  # accuracy: near enough to a published value to reproduce it
NEAR = 0.01  # F1: the same for photographs
LITTLE = 0.005  # accuracy: a difference inside ±0.005 changes nobody's choice
FAR = 0.05  # accuracy: who ends this far behind the best has not arrived
OFTEN, SELDOM = 0.9, 0.1  # of the seeds: a combination of activations fits; it does not
FAITHFUL = 0.95  # of the rays: the activation decides the shape
MAINLY = 0.5  # of the variance: the activation decides the class more than the seed does
LIMITS = {name: value for name, value in globals().items() if isinstance(value, float)}

# ---------------------------------------------------------------------------- verdicts

VERDICTS = HOLDS, LIMITED, FAILS, INCONCLUSIVE = (
    "holds", "holds with limits", "does not hold", "can't be told",
)  # fmt: skip

AGAIN, HIGHER, LOWER, UNDECIDED = "again", "higher", "lower", "unclear"


def outcome(ours, published, tolerance):
    """Judge whether a published value came out again: the one rule of claims and tables.

    `AGAIN` if the mean of ours, one value a seed, is as near as the tolerance; `HIGHER` or `LOWER`
    if the published value, which is one run, lies outside the prediction interval for one more run
    of ours; `UNDECIDED` if it lies inside, or if there is but one run of ours.
    """
    mean = sum(ours) / len(ours)
    if abs(mean - published) <= tolerance:
        return AGAIN
    if len(ours) == 1 or prediction_interval(ours).contains(published):
        return UNDECIDED
    return HIGHER if mean > published else LOWER


def fits(share):
    """Answer whether a combination of activations works, from its share of seeds that fit."""
    return YES if share.low >= OFTEN else NO if share.high <= SELDOM else UNCLEAR


def overall(parts):
    """Return the verdict on a claim with several parts, an Answer each."""
    parts = set(parts)
    if YES in parts:
        return HOLDS if parts == {YES} else LIMITED
    return FAILS if parts == {NO} else INCONCLUSIVE


def judged(outcomes):
    """Return the verdict on a claim that some values come out again, and which of them do.

    From dict model -> `outcome` comes a dict of lists: the models whose value came out "again", is
    "different", or is "unclear".
    """
    sorts = {"again": [], "different": [], "unclear": []}
    for model, found in outcomes.items():
        sorts["different" if found in (HIGHER, LOWER) else found].append(model)
    says = {"again": YES, "different": NO, "unclear": UNCLEAR}
    return overall(says[sort] for sort, models in sorts.items() if models), sorts


# ---------------------------------------------------------------------------- findings


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
    verdict : one of `VERDICTS`.
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


#: The module with a practice's rules. It is imported when one of its claims is asked for:
#: practices 1 and 2 need no PyTorch.
MODULES = dict(zip("12345", ("numpy", "numpy", "vision", "voc", "activation"), strict=True))


def rule(claim):
    """Return the function that tests a claim, a key of `CLAIMS`, or raise KeyError.

    It takes the function that reads recorded runs by their experiment's name (for practice 5, by
    activation pair and setting), and returns the verdict with the values for the claim's sentence.
    """
    if claim not in CLAIMS:
        raise KeyError(f"unknown claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    rules = import_module(f"helpers.claims.{MODULES[claim[1]]}_rules")
    return getattr(rules, claim.lower().replace(".", "_"))


def finding(claim):
    """Test one claim of `CLAIMS`, and return its `Finding`."""
    return Finding(claim, *rule(claim)())


def with_runs(claim):
    """Return a claim's `Finding`, and the runs that its rule reads: experiment -> seeds."""
    with track_records_read() as runs:
        return finding(claim), runs


# ------------------------------------------------------------------- what stands behind it

HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@cache
def _code_cells():
    """Return (notebook, title of the section, source) of every code cell of the chapters."""
    found = []
    folder = ROOT / "notebooks"
    for path in sorted([*folder.glob("0*.ipynb"), *folder.glob("evidence/*.ipynb")]):
        title, page = None, path.relative_to(folder).with_suffix("").as_posix()
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                found.append((page, title, source))
            elif cell["cell_type"] == "markdown" and (titles := HEADING.findall(source)):
                title = titles[-1].replace("`", "")
    return found


def section_with(code):
    """Return title and address of the first section of a chapter with some code in a cell.

    Looked up in the notebooks, so that a link can't name a section that is gone. The address is
    that of the rendered book, below a notebook's page, and made of the title as Sphinx makes it.
    """
    for notebook, title, source in _code_cells():
        if code in source:
            plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore")
            name = re.sub(r"[^a-z0-9]+", "-", plain.decode()).strip("-")
            return title, f"{notebook}.html#{name}"
    raise LookupError(f"no code cell of notebooks/ has {code}")


def records_address(experiments):
    """Return where the page of all records shows just those of some experiments, at full scale."""
    rows = "full " + "|".join(f"={name}" for name in experiments)
    return f"../book/all_runs.html?rows={quote(rows)}#all-runs-experiments"
