"""What every notebook keeps to, beside giving the same outputs again (nbval checks that)."""

import re
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

from tests.__main__ import NOTEBOOKS

TESTS = Path(__file__).resolve().parents[1]
LONGEST_CELL = 13  # lines in sight
LONGEST_WHOLE = 30  # of a cell with the tag "whole": a complete model or loop
COMPARED = 4 / 5  # the least share of code cells whose outputs are compared
HIDING_TAGS = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
EXEMPTING_TAGS = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"}
EXEMPTING_COMMENT = re.compile(
    r"^\s*#\s*(NBVAL_IGNORE_OUTPUT|NBVAL_SKIP|NBVAL_RAISES_EXCEPTION|PYTEST_VALIDATE_IGNORE_OUTPUT)",
    re.MULTILINE,
)


def tags(cell):
    return set(cell.metadata.get("tags", []))


def numbered(notebook):
    """Return the code cells that hold anything, with their numbers from 1."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return list(enumerate(cells, start=1))


def exempt(number, cell):
    """Whether nbval does not compare the outputs."""
    return tags(cell) & EXEMPTING_TAGS or EXEMPTING_COMMENT.search(cell.source)


def out_of_order(number, cell):
    """Whether the cell was not run in its place, by a fresh kernel."""
    return cell.execution_count != number


def failed(number, cell):
    """Whether an error or a warning is among the outputs."""
    return any(
        output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs
    )


def image_without_words(number, cell):
    """Whether the cell shows an image without both alt text and a caption."""
    shown = [kind for output in cell.outputs for kind in output.get("data", {})]
    settings = cell.metadata.get("mystnb", {})
    alt = settings.get("image", {}).get("alt", "").strip()
    caption = settings.get("figure", {}).get("caption", "").strip()
    pictures = any(kind.startswith("image/") for kind in shown)
    return pictures and "remove-cell" not in tags(cell) and not (alt and caption)


def long(number, cell):
    """Whether the cell is in sight, and longer than a reader wants to follow."""
    longest = LONGEST_WHOLE if "whole" in tags(cell) else LONGEST_CELL
    return len(cell.source.strip().splitlines()) > longest and not tags(cell) & HIDING_TAGS


def open_in_lab(number, cell):
    """Whether the book folds the cell away and Lab shows it whole."""
    folded = tags(cell) & HIDING_TAGS - {"remove-cell"}
    return folded and not cell.metadata.get("jupyter", {}).get("source_hidden")


CHECKS = [out_of_order, failed, image_without_words, long]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_tidy(path):
    notebook = nbformat.read(path, as_version=4)
    cells = numbered(notebook)
    assert notebook.metadata.kernelspec.name == "python3"  # every machine's own
    assert "widgets" not in notebook.metadata  # their state
    for check in CHECKS:
        assert [number for number, cell in cells if check(number, cell)] == [], check.__name__
    setup = next((number for number, cell in cells if "hide-input" in tags(cell)), 1)
    assert {number for number, cell in cells if open_in_lab(number, cell)} <= {setup}
    assert sum(bool(exempt(*each)) for each in cells) <= (1 - COMPARED) * len(cells)


def test_the_comparison_leaves_out_picture_bytes_and_nothing_else():
    patterns = get_sanitize_patterns((TESTS / "nbval_sanitize.cfg").read_text(encoding="utf-8"))

    def sanitized(text):
        for pattern, replacement in patterns:
            text = re.sub(pattern, replacement, text)
        return text

    html = '<img src="data:image/webp;base64,{}" alt="after {} epochs">'
    assert sanitized(html.format("UklGRg==", 20)) == sanitized(html.format("AAAA/+w=", 20))
    assert sanitized(html.format("UklGRg==", 20)) != sanitized(html.format("UklGRg==", 40))
    assert sanitized("R0lGODlhAQAB\n") == sanitized("R0lGODdhAgAC\n")
    assert sanitized("accuracy 0.9568") == "accuracy 0.9568"
