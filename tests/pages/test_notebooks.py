"""What every notebook keeps to, beside giving the same outputs again (nbval checks that)."""

import re
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

TESTS = Path(__file__).resolve().parents[1]
FOLDER = TESTS.parent / "notebooks"
NOTEBOOKS = sorted([*FOLDER.glob("*.ipynb"), *FOLDER.glob("evidence/*.ipynb")])
LONGEST_CELL = 13  # lines in sight
COMPARED = 4 / 5  # the least share of code cells whose outputs are compared
HIDING_TAGS = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
EXEMPTING_TAGS = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"}
EXEMPTING_COMMENT = re.compile(
    r"^\s*#\s*(NBVAL_IGNORE_OUTPUT|NBVAL_SKIP|NBVAL_RAISES_EXCEPTION|PYTEST_VALIDATE_IGNORE_OUTPUT)",
    re.MULTILINE,
)


def code_cells(notebook):
    """Return the code cells that hold anything."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def exempt(notebook):
    """Number the code cells (from 1) whose outputs nbval does not compare."""
    return [
        number
        for number, cell in enumerate(code_cells(notebook), start=1)
        if tags(cell) & EXEMPTING_TAGS or EXEMPTING_COMMENT.search(cell.source)
    ]


def out_of_order(notebook):
    """List the execution counts of code cells that were not run in order, from a fresh kernel."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    return [count for place, count in enumerate(counts, start=1) if count != place]


def errors(notebook):
    """List the errors and warnings among the outputs."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [
        output.get("evalue", output.get("text", ""))
        for output in outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def shows_an_image(cell):
    return any(
        kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})
    )


def images_without_words(notebook):
    """Number the code cells that show an image without both alt text and a caption."""
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        settings = cell.metadata.get("mystnb", {})
        alt = settings.get("image", {}).get("alt", "").strip()
        caption = settings.get("figure", {}).get("caption", "").strip()
        if shows_an_image(cell) and "remove-cell" not in tags(cell) and not (alt and caption):
            found.append(number)
    return found


def long_cells(notebook):
    """Number the code cells in sight that are longer than a reader wants to follow."""
    return [
        number
        for number, cell in enumerate(code_cells(notebook), start=1)
        if len(cell.source.strip().splitlines()) > LONGEST_CELL and not tags(cell) & HIDING_TAGS
    ]


def open_in_lab(notebook):
    """Number the code cells that the book folds away and Lab shows whole, but for the setup."""
    cells = list(enumerate(code_cells(notebook), start=1))
    setup = next((n for n, cell in cells if "hide-input" in tags(cell)), None)
    return [
        number
        for number, cell in cells
        if tags(cell) & HIDING_TAGS - {"remove-cell"}
        and number != setup
        and not cell.metadata.get("jupyter", {}).get("source_hidden")
    ]


def saved_widget_state(notebook):
    """List the keys of widget state in the notebook's metadata."""
    return [key for key in notebook.metadata if key == "widgets"]


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_the_kernel_is_every_machine_s_own(notebook):
    assert notebook.metadata.kernelspec.name == "python3"


def test_outputs_are_compared(notebook):
    cells = code_cells(notebook)
    assert len(cells) - len(exempt(notebook)) >= COMPARED * len(cells)


def test_every_code_cell_was_run_in_order(notebook):
    assert out_of_order(notebook) == []


def test_no_output_is_an_error_or_a_warning(notebook):
    assert errors(notebook) == []


def test_every_image_has_alt_text_and_a_caption(notebook):
    assert images_without_words(notebook) == []


def test_no_cell_in_sight_is_long(notebook):
    assert long_cells(notebook) == []


def test_what_the_book_folds_is_folded_in_lab(notebook):
    assert open_in_lab(notebook) == []


def test_no_widget_state_is_saved(notebook):
    assert saved_widget_state(notebook) == []


# ------------------------------------------------------------------ the checks themselves


def a_notebook(source="1", count=1, output=None, **metadata):
    cell = nbformat.v4.new_code_cell(source, execution_count=count, metadata=metadata)
    cell.outputs = [output] if output else []
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text"), cell])


IMAGE = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
WORDS = {"image": {"alt": "A line that rises"}, "figure": {"caption": "The loss."}}


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (exempt, a_notebook(tags=["nbval-skip"]), a_notebook(tags=["hide-input"])),
        (exempt, a_notebook("# NBVAL_IGNORE_OUTPUT\n1"), a_notebook("# see nbval\n1")),
        (exempt, a_notebook("1\n#PYTEST_VALIDATE_IGNORE_OUTPUT"), a_notebook("1")),
        (out_of_order, a_notebook(count=2), a_notebook(count=1)),
        (out_of_order, a_notebook(count=None), a_notebook("", count=None)),
        (
            errors,
            a_notebook(output=nbformat.v4.new_output("error", ename="E", evalue="x")),
            a_notebook(output=nbformat.v4.new_output("stream", name="stdout", text="x")),
        ),
        (
            errors,
            a_notebook(output=nbformat.v4.new_output("stream", name="stderr", text="x")),
            a_notebook(),
        ),
        (images_without_words, a_notebook(output=IMAGE), a_notebook()),
        (
            images_without_words,
            a_notebook(output=IMAGE, mystnb={"image": WORDS["image"]}),
            a_notebook(output=IMAGE, mystnb=WORDS),
        ),
        (
            images_without_words,
            a_notebook(output=IMAGE, mystnb={"figure": WORDS["figure"]}),
            a_notebook(output=IMAGE, tags=["remove-cell"]),
        ),
        (long_cells, a_notebook("1\n" * 14), a_notebook("1\n" * 13)),
        (
            long_cells,
            a_notebook("1\n" * 15, tags=["other"]),
            a_notebook("1\n" * 15, tags=["hide-input"]),
        ),
        (
            open_in_lab,
            a_notebook(tags=["hide-cell"]),
            a_notebook(tags=["hide-cell"], jupyter={"source_hidden": True}),
        ),
        (open_in_lab, a_notebook(tags=["remove-input"]), a_notebook(tags=["hide-input"])),
    ],
)
def test_each_check_tells_bad_from_good(check, bad, good):
    assert check(bad) != []
    assert check(good) == []


def test_widget_state_is_found():
    notebook = a_notebook()
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    assert saved_widget_state(notebook) == ["widgets"]


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
