"""No result is typed into a text: a folded cell computes it, or it stands in a list of settings."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from data_prep.toy_voc import LABEL_SETS
from data_prep.voc_labels import label_matrix
from helpers.analysis.metrics import recorded_targets
from helpers.claims.voc_rules import COMPARED
from tests.__main__ import NOTEBOOKS

ROOT = Path(__file__).resolve().parents[2]
MADE_FROM_RECORDS = {
    "activation_gallery.md"
}  # by a command; test_activation_gallery.py makes it again
TEXTS = [
    *NOTEBOOKS,
    *(page for page in (ROOT / "book").glob("*.md") if page.name not in MADE_FROM_RECORDS),
    ROOT / "README.md",
]

# What is no sentence: code, formulas, markup, addresses, and what exercises have to compute.
NO_PROSE = re.compile(
    r"^```.*?^```|^    .*?$|`[^`]+`|\$\$.*?\$\$|\$[^$\n]+\$|<(style|svg)\b.*?</\1>|<[^>]+>"
    r"|\]\([^)]*\)|^### Check$.*?^### Modify$",
    re.DOTALL | re.MULTILINE,
)
# A number of one digit below 1, such as a rate of 0.05, is a setting. Results say more.
RESULT = re.compile(
    r"(?<![\w.,])(?:\d*[1-9]\d*\.\d+|0\.0*[1-9]\d+)(?: ?%)?|(?<![\w.])\d+ ?%"
    r"|±|\d ?×(?! ?\w)|\d[\d,.]* times\b"
)
# What looks like a result and is none, and why.
SETTINGS = {
    "01_half_moons.ipynb": {"99%": "what some network may say"},
    "02_mnist_numpy.ipynb": {"90%": "what calibration means"},
    "evidence/02_mnist_numpy.ipynb": {
        "2%": "the schedule's decay",
        "92%": "below it, a class is called lost",
        "95%": "the level of the intervals",
    },
    "03_vision.ipynb": {"99%": "the race's goal"},
    "evidence/01_half_moons.ipynb": {"95%": "the level of the intervals"},
    "evidence/03_vision.ipynb": {"95%": "the level of the intervals", "99%": "the race's goal"},
    "evidence/04_tiny_voc.ipynb": {"95%": "the level of the intervals"},
    "05_activations.ipynb": {"99%": "what is called a fit"},
    "evidence/05_activations.ipynb": {
        "95%": "the level of the intervals",
        "99%": "what is called a fit",
        "80%": "the share that is shown",
    },
    "findings.ipynb": {"95%": "the level of the intervals"},
    "architecture.md": {"99%": "the race's goal"},
    "recorded_runs.md": {"95%": "the level of the intervals"},
    "README.md": dict.fromkeys(("2.0", "3.0", "3.11", "4.0"), "a version"),
    "data.md": {"100%": "a whole", "2.0": "a version", "3.0": "a version"},
}


def prose_of(path):
    """Return a page's sentences, or those of a notebook's cells of text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return NO_PROSE.sub("", text)


def counted():
    """Return what the page of the data says of Tiny-VOC, counted in all labels and in a record."""
    everywhere = np.repeat(label_matrix(LABEL_SETS), [*LABEL_SETS.values()], axis=0)  # [N, 5]
    val = recorded_targets(COMPARED["LeNet"])  # [624, 5]
    train = (everywhere.sum(0) - val.sum(0)) / (len(everywhere) - len(val))
    person_and_car = everywhere[:, [0, 3]].all(axis=1).sum()
    always_person = (val == [1, 0, 0, 0, 0]).mean()
    shares = [*train, *val.mean(axis=0), always_person]
    return {f"{person_and_car} times", *(f"{share:.2%}" for share in shares)}


def typed_results(text):
    """List the numbers in a text that look like results."""
    return [match[0] for match in RESULT.finditer(text)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_result_is_typed(path):
    """A cell that computes it from records says it instead; settings are listed, none in vain."""
    facts = counted() if path.name == "data.md" else set()
    name = path.relative_to(path.parents[1]).as_posix()
    settings = SETTINGS.get(name, SETTINGS.get(path.name, ()))
    assert set(typed_results(prose_of(path))) == facts | set(settings)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("accuracy 0.9568, 97.1 % are right, about 97%", ["0.9568", "97.1 %", "97%"]),
        ("3.4 times as fast, 7 times, 0.5 ± 0.12", ["3.4", "7 times", "±", "0.12"]),
        ("at a rate of 0.05, 28×28 pixels, claim C2.4, abs×abs, 60,000 images, ten times", []),
        ("`0.12` $0.34$ [a](0.56)\n```\n0.78\n```\n<b title='0.91'>0.23</b>\n", ["0.23"]),
    ],
)
def test_typed_results_are_found(tmp_path, text, found):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert typed_results(prose_of(page)) == found
