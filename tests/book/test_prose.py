"""Computed sentences, listings and verdicts say what they were given; no other text has results."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup

from data_prep.toy_voc import LABEL_SETS
from data_prep.voc_labels import label_matrix
from helpers.analysis.metrics import recorded_targets
from helpers.book import output as prose
from helpers.claims.course import CLAIMS
from helpers.claims.voc_rules import COMPARED

ROOT = Path(__file__).resolve().parents[2]
MADE_FROM_RECORDS = {"activation_gallery.md"}  # by a command, and tested by itself
TEXTS = [
    *(ROOT / "notebooks").glob("*.ipynb"),
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
    "02_mnist_numpy.ipynb": {
        "400 times": "the course's steps",
        "2%": "the schedule's decay",
        "90%": "what calibration means",
        "95%": "the level of the intervals",
    },
    "03_vision.ipynb": {"99%": "the race's goal"},
    "04_tiny_voc.ipynb": {"1.5": "the course's weights of classes"},
    "05_activations.ipynb": {"99%": "what is called a fit", "80%": "the share that is shown"},
    "findings.ipynb": {"95%": "the level of the intervals"},
    "architecture.md": {"99%": "the race's goal"},
    "recorded_runs.md": {"95%": "the level of the intervals"},
    "README.md": {"3.11": "a version", "4.0": "a version", "2.0": "a version"},
    "data.md": {"100%": "a whole", "3.0": "a version", "4.0": "a version"},
}
# The same between the computed numbers of sentences.
SETTINGS_IN_CODE = {
    "01_half_moons.ipynb": {"95%": "the level of the intervals", "99%": "what is called sure"},
    "02_mnist_numpy.ipynb": {"92%": "what a silent class costs", "99%": "what is called sure"},
    "published.ipynb": {"95%": "the level of the intervals"},
    "vision_words.py": {"95%": "the level of the intervals", "99%": "the race's goal"},
}
WORDS = [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "helpers/book").glob("*_words.py")]


def prose_of(path):
    """Return a page's sentences, or those of a notebook's cells of text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return NO_PROSE.sub("", text)


def words_in_code(path):
    """Return what a module, or a notebook's cells that `say` something, say between numbers."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(c.source for c in cells if c.cell_type == "code" and "say(" in c.source)
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and isinstance(node.body[0], ast.Expr)
    }
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]
    return "\n".join(strings)


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


def documented(x):
    """Return x.

    Twice, says the docstring.
    """
    # why
    return x


def plain(x):
    return 2*x  # fmt: skip


def test_say_joins_lines_and_parts_paragraphs():
    shown = prose.say(
        """One
        sentence.""",
        "Another.",
    )
    assert shown.data == "One sentence.\n\nAnother."


def test_source_leaves_out_docstrings():
    expected = "def documented(x):\n    # why\n    return x\n\ndef plain(x):\n    return 2*x"
    assert prose.source(documented, plain).data == f"```python\n{expected}\n```"


def test_source_of_a_method_starts_at_the_margin():
    assert prose.source(prose.Html.__repr__).data.startswith("```python\ndef __repr__")


def test_a_box_quotes_the_claim_and_has_its_verdicts_colour(monkeypatch):
    found = SimpleNamespace(test="In 3 < 4 runs", effect="So.", verdict="holds with limits")
    monkeypatch.setattr(prose, "finding", lambda claim: found)
    shown = prose.show_verdict("C1.1")
    box = BeautifulSoup(shown._repr_html_(), "html.parser")
    title, claim, why = (part.text for part in box.find_all("p"))
    assert title == "C1.1: holds with limits"
    assert CLAIMS["C1.1"] in claim
    assert why == "In 3 < 4 runs. So."
    assert box.div["class"] == ["admonition", "attention"]
    assert repr(shown) == "C1.1: holds with limits. In 3 < 4 runs. So."


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_result_is_typed(path):
    """A cell that computes it from records says it instead; settings are listed, none in vain."""
    facts = counted() if path.name == "data.md" else set()
    assert set(typed_results(prose_of(path))) == facts | set(SETTINGS.get(path.name, ()))


@pytest.mark.parametrize("path", WORDS, ids=lambda path: path.name)
def test_no_result_is_typed_between_computed_ones(path):
    assert set(typed_results(words_in_code(path))) == set(SETTINGS_IN_CODE.get(path.name, ()))


@pytest.mark.parametrize("path", [*TEXTS, *WORDS], ids=lambda path: path.name)
def test_a_percentage_is_not_torn_apart(path):
    """The English form has no space, at which a line could break."""
    assert not re.search(r"\d\s%", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    ["accuracy 0.9568", "97.1 % are right", "about 97%", "3.4× faster", "0.5 ± 0.1", "1.7 times"],
)
def test_typed_results_are_found(text):
    assert typed_results(text)


@pytest.mark.parametrize(
    "text",
    ["at a rate of 0.05", "28×28 pixels", "claim C2.4", "abs×abs", "60,000 images", "ten times"],
)
def test_other_numbers_are_no_results(text):
    assert not typed_results(text)


def test_what_is_no_prose_is_left_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`0.12` $0.34$ [a](0.56)\n```\n0.78\n```\n<b title='0.91'>0.23</b>\n")
    assert typed_results(prose_of(page)) == ["0.23"]
