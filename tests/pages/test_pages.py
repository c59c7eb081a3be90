"""The pages about the book as a whole: notation, glossary, contributing, changes."""

import importlib.util
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = sorted((ROOT / "book").glob("*.md"))
GREEK = re.compile(
    r"\\(alpha|beta|gamma|delta|varepsilon|epsilon|eta|theta|lambda|mu|sigma|tau|[Pp]hi|rho|odot)\b"
)
SHAPE = re.compile(r"\[([A-Za-z0-9²/ ]{1,20}(?:, [A-Za-z0-9²/ ]{1,20})+)\]")


@cache
def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def cells(path, kind):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == kind]


# ------------------------------------------------------------------------- the notation


def section(text, title):
    """Return what stands below a heading of the second level."""
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S).group(1)


def first_cells(text):
    """Return the first cell of each row of the tables in a text, without their heads."""
    rows = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return [row for row in rows if row != "---"]


def letters_of_shapes(text):
    """Return the capital letters that stand for the length of an axis in a text's shapes."""
    return {
        letter
        for shape in SHAPE.findall(text)
        for letter in re.findall(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])", shape)
    }


def test_letters_of_shapes_are_found():
    text = "[B, C, S/2, 10], [b, c], [N, C p p], x[A], [W1, b1]"
    assert letters_of_shapes(text) == {"B", "C", "S", "N"}


def test_every_letter_of_a_shape_is_in_the_notation():
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "helpers").rglob("*.py"))
    text += "\n".join(cell for path in NOTEBOOKS for cell in cells(path, "code"))
    text += "\n".join(cell for path in NOTEBOOKS for cell in cells(path, "markdown"))
    listed = set(re.findall(r"`([A-Za-z])`", " ".join(first_cells(section_of_shapes()))))
    assert letters_of_shapes(text) == {letter for letter in listed if letter.isupper()}


def section_of_shapes():
    return section(page("book/notation.md"), "Shapes")


def test_every_greek_letter_of_the_chapters_is_in_the_notation():
    for path in NOTEBOOKS:
        used = {name for cell in cells(path, "markdown") for name in GREEK.findall(cell)}
        listed = set(GREEK.findall(section(page("book/notation.md"), "In formulas")))
        assert used <= listed, path.name


def test_every_name_of_the_notation_is_in_the_code():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "helpers").rglob("*.py"))
    rows = re.findall(r"^\| .*? \| (.*?) \|$", section(page("book/notation.md"), "In code"), re.M)
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(names) > 10
    assert {name for name in names if not re.search(rf"\b{name}\b", code)} == set()


# ------------------------------------------------------------------------- the glossary


@cache
def terms():
    """Return the glossary as dict term -> definition."""
    body = re.search(r"```\{glossary\}\n(.*?)```", page("book/glossary.md"), re.S).group(1)
    entries = re.findall(r"^(\S.*)\n  (.*)$", body, re.MULTILINE)
    assert len(entries) == len([line for line in body.splitlines() if line and line[0] != " "])
    assert len(entries) == len(dict(entries))
    return dict(entries)


def unknown_terms(text):
    """Return the terms that a text links to and that the glossary lacks; Sphinx ignores case."""
    shown = re.findall(r"\{term\}`([^`]+)`", text)
    named = {name.rsplit("<", 1)[-1].rstrip(">") for name in shown}
    return {name for name in named if name.lower() not in map(str.lower, terms())}


def test_unknown_terms_are_found():
    assert unknown_terms("{term}`token`, {term}`Tokens <token>`, {term}`Token`, {ref}`x`") == set()
    assert unknown_terms("a {term}`tiken` and {term}`token <taken>`") == {"tiken", "taken"}


def test_the_glossary_is_in_order():
    assert list(terms()) == sorted(terms(), key=str.lower)
    assert 40 <= len(terms()) <= 100


@pytest.mark.parametrize("term", terms())
def test_a_definition_is_short_and_whole(term):
    definition = terms()[term]
    assert definition[0].isupper() or definition[0] == "{"
    assert definition.endswith(".")
    assert len(definition.split()) <= 60


def test_every_linked_term_is_in_the_glossary():
    texts = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
    texts |= {path.name: "\n".join(cells(path, "markdown")) for path in NOTEBOOKS}
    missing = {name: unknown_terms(text) for name, text in texts.items()}
    assert {name: found for name, found in missing.items() if found} == {}


# ----------------------------------------------------------- contributing, and the changes


def test_commands_of_contributing_name_what_there_is():
    text = page("CONTRIBUTING.md")
    modules = {name for name in re.findall(r"python -m ([\w.]+)", text) if name != "pytest"}
    assert modules >= {"helpers.runs", "benchmarks.notebook_times"}
    for module in modules:
        assert importlib.util.find_spec(module), module
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", text)) - {"its"} <= targets


def test_files_of_contributing_exist():
    """All but those that a reader is told to make."""
    text = page("CONTRIBUTING.md")
    made = {"helpers/networks/perceptron.py", "notebooks/06_perceptron.ipynb"}
    named = set(re.findall(r"(?:book|helpers|notebooks|tests)/[\w/]+\.(?:py|md|ipynb)", text))
    assert len(named) > 15
    assert {name for name in named - made if not (ROOT / name).is_file()} == set()
    assert {name for name in made if (ROOT / name).is_file()} == set()


def test_the_experiment_to_follow_is_one_that_can_be_added():
    text = page("CONTRIBUTING.md")
    listing = page("helpers/runs/catalogue/vision.py")
    assert '"small-lenet-short": small("LeNet, two epochs", "lenet", 0.002, 2),' in text
    assert '"small-lenet": small("LeNet", "lenet", ' in listing
    for name, path in (
        ("MODELS", "helpers/training/torch_trainer.py"),
        ("SMALL", "tests/analysis/test_layers.py"),
        ("SMALL", "tests/networks/test_vision_networks.py"),
    ):
        assert f"`{name}` in" in text and f"`{path}`" in text
        assert re.search(rf"^{name} = ", page(path), re.MULTILINE)


def test_the_changelog_keeps_its_form():
    lines = page("CHANGELOG.md").splitlines()
    assert lines[0] == "# Changelog"
    heads = [line for line in lines if line.startswith("## ")]
    assert heads[0] == "## [Unreleased]"
    assert all(re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in heads[1:])
    kinds = {line for line in lines if line.startswith("### ")}
    allowed = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
    assert kinds and kinds <= {f"### {kind}" for kind in allowed}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_files_beside_the_book_lead_somewhere(name):
    targets = re.findall(r"(?<!!)\[[^\]]+\]\(([^)#]+)\)", page(name))
    assert targets
    assert [t for t in targets if "://" not in t and not (ROOT / t).is_file()] == []
