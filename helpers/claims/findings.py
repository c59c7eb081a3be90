"""What the original course published and claimed, each claim put to the test, and the verdicts.

The course is the report "深度学习实战" (Deep Learning in Practice). Its numbers stand in
`published.toml`, its claims and what our tests of them say in `texts.toml`; nothing else in the
book types them. A claim has one part or several. The rules of each practice take its recorded runs
and give each part a verdict, by the limits fixed here; the verdict on the claim follows from them.
"""

import json
import re
import string
import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from helpers.analysis.stats import NO, UNCLEAR, prediction_interval
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

WIDE_DIGITS = 0.01  # accuracy: how far one more run may lie from the mean and still tell something
WIDE_PHOTOS = 0.05  # F1 and the like on photographs: the same
WIDE_LOSS = 0.1  # of the published loss: the same
LITTLE = 0.005  # accuracy: a difference inside ±0.005 changes nobody's choice
FAR = 0.05  # accuracy: who ends this far behind the best has not arrived
OFTEN, SELDOM = 0.9, 0.1  # of the seeds: a network works; it does not
FASTER = 1.5  # times the epochs or the seconds: nobody would call less “far”
COSTLY = 2.0  # times the seconds: much
FAITHFUL = 0.95  # of the rays: the activation decides the shape
MAINLY = 0.5  # of the variance: the activation decides the class more than the seed does
LIMITS = {name: value for name, value in globals().items() if isinstance(value, float)}

# ---------------------------------------------------------------------------- verdicts


class Verdict(StrEnum):
    """What our runs say to a claim, or to a part of one."""

    REPRODUCED = "reproduced"
    PARTLY = "partly"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"

    @classmethod
    def from_answers(cls, *answers):
        """Return the verdict on what must be so in every setting, from Answers or bools."""
        answers = set(answers)
        if answers & {NO, False}:
            return cls.NOT_REPRODUCED
        return cls.INCONCLUSIVE if UNCLEAR in answers else cls.REPRODUCED

    @classmethod
    def if_above(cls, limit, *intervals):
        """Return the verdict on what must be above a limit in every setting."""
        return cls.from_answers(*(interval.above(limit) for interval in intervals))

    @classmethod
    def from_number(cls, ours, published, wide):
        """Judge a published number, which is one run, by ours, one number a seed.

        It is reproduced if it lies where one more run of ours should lie (`prediction_interval`),
        and not reproduced if it lies outside. It is inconclusive if that interval reaches further
        than `wide` from our mean, so that it holds too much, or if there is but one run of ours.
        """
        if len(ours) == 1:
            return cls.INCONCLUSIVE
        expected = prediction_interval(ours)
        if not expected.contains(published):
            return cls.NOT_REPRODUCED
        return cls.REPRODUCED if expected.high - expected.estimate <= wide else cls.INCONCLUSIVE

    @classmethod
    def from_share(cls, share, works=True):
        """Judge that a network works, or does not, by the share of seeds with which it does.

        It works if the whole interval of the share is at least `OFTEN`, and does not if it is at
        most `SELDOM`. Otherwise it does with some seeds, or, if all agree, they are too few.
        """
        if share.low >= OFTEN or share.high <= SELDOM:
            return cls.from_answers(works == (share.low >= OFTEN))
        return cls.PARTLY if 0 < share.estimate < 1 else cls.INCONCLUSIVE

    @classmethod
    def overall(cls, parts):
        """Return the verdict on a whole from those on its parts."""
        parts = set(parts)
        if len(parts) == 1:
            return parts.pop()
        return cls.PARTLY if parts & {cls.REPRODUCED, cls.PARTLY} else cls.NOT_REPRODUCED


def one_more(ours, published):
    """Return what a sentence says of a published number and ours, one number a seed."""
    found = prediction_interval(ours)
    ends = {"ours": found.estimate, "low": found.low, "high": found.high}
    return ends | {"n": len(ours), "published": published}


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
            names = {name: name + ":" if name[-1].isdigit() else name for name in value}
            return "; ".join(f"{names[name]} {one:{spec}}" for name, one in value.items()) or "none"
        if isinstance(value, list):
            return join_words(format(one, spec) for one in value)
        return super().format_field(value, spec)


@dataclass(frozen=True)
class Finding:
    """A claim's test.

    Attributes
    ----------
    claim : its number.
    parts : dict part -> Verdict.
    values : what was measured, for the claim's sentences in `texts.toml`; those of one part alone
        under "each", by part.
    """

    claim: str
    parts: dict
    values: dict

    @property
    def verdict(self):
        """The verdict on the whole claim."""
        return Verdict.overall(self.parts.values())

    @property
    def title(self):
        """The claim's number and verdict, with how many of its parts are reproduced."""
        n, of = list(self.parts.values()).count(Verdict.REPRODUCED), len(self.parts)
        return f"{self.claim}: {self.verdict}" + (f" ({n} of {of} parts)" if 0 < n < of else "")

    @property
    def lead(self):
        """One plain sentence that says what our runs show."""
        yes, some, no, unclear = map(self._clauses, Verdict)
        shown = [_listed(yes, "that", "and")] if yes else []
        shown += [f"only in part {_listed(some, 'that', 'and')}"] if some else []
        text = f"Our runs show {', and '.join(shown)}" if shown else ""
        if no:
            text = f"{text}, but not " if text else "Our runs do not show "
            text += _listed(no, "that", "or")
        if unclear:
            text += "; it stays open " if text else "It stays open "
            text += _listed(unclear, "whether", "and")
        return text + "."

    def _clauses(self, verdict):
        text = TEXTS[self.claim]
        parts = [part for part, found in self.parts.items() if found is verdict]
        if "each" not in text:
            return [self._write(text["parts"][part][0]) for part in parts]
        form = text["each"]["many" if len(parts) > 1 else "one"]
        return [self._write(form, {"part": join_words(parts)})] if parts else []

    @property
    def measured(self):
        """What was measured for each part: list of (Verdict, sentence)."""
        text, each = TEXTS[self.claim], self.values.get("each", {})
        says = {
            part: text["each"]["says"] if each else text["parts"][part][1] for part in self.parts
        }
        return [
            (verdict, self._write(says[part], {"part": part} | each.get(part, {})))
            for part, verdict in self.parts.items()
        ]

    @property
    def test(self):
        """What was compared, in a few words."""
        return self._write(TEXTS[self.claim]["test"])

    @property
    def besides(self):
        """What else our runs say, if anything."""
        return self._write(TEXTS[self.claim].get("besides", ""))

    def _write(self, text, values=()):
        return _Sentence().format(text, **LIMITS | self.values | dict(values))


def _listed(clauses, word, glue):
    *first, last = (f"{word} {clause}" for clause in clauses)
    return f"{', '.join(first)} {glue} {last}" if first else last


#: The module with a practice's rules, imported when asked for: 1 and 2 need no PyTorch.
MODULES = {"1": "mlp", "2": "mlp", "3": "vision", "4": "voc", "5": "activation"}


def rule(claim):
    """Return the function that tests a claim, a key of `CLAIMS`, or raise KeyError.

    It takes the function that reads recorded runs by name (for practice 5, by activation pair and
    setting), and returns dict part -> Verdict and the values for the sentences.
    """
    if claim not in CLAIMS:
        raise KeyError(f"unknown claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    practice = claim[1:].split(".")[0]
    rules = import_module(f"helpers.claims.{MODULES[practice]}_rules")
    return getattr(rules, claim.lower().replace(".", "_"))


def finding(claim):
    """Test one claim of `CLAIMS`, and return its `Finding`."""
    return Finding(claim, *rule(claim)())


def with_runs(claim):
    """Return a claim's `Finding`, and the runs that its rule reads: experiment -> seeds."""
    with track_records_read() as runs:
        return finding(claim), runs


# ------------------------------------------------------------------- what stands behind it


@cache
def sections():
    """Return title and address of the section of the evidence that shows each claim's verdict.

    Looked up in the notebooks, so that a link can't name a section that is gone. The address is
    that of the rendered book, beside a page of the evidence; Sphinx makes its end of the title.
    """
    found = {}
    for path in sorted((ROOT / "notebooks" / "evidence").glob("0*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                for heading in re.findall(r"^#+ (.+)$", source, re.MULTILINE):
                    title = heading.replace("`", "")
            for claim in re.findall(r'show_verdict\("(.+?)"\)', source):
                plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore")
                name = re.sub(r"[^a-z0-9]+", "-", plain.decode()).strip("-")
                found.setdefault(claim, (title, f"{path.stem}.html#{name}"))
    return found


def records_address(experiments):
    """Return where the page of all records shows just those of some experiments, at full scale."""
    rows = "full " + "|".join(f"={name}" for name in experiments)
    return f"../../book/all_runs.html?rows={quote(rows)}#all-runs-experiments"
