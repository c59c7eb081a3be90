"""A notebook runs from top to bottom in Jupyter Lab, and its widget answers a reader's key.

nbval executes all of them. In Lab, one is opened, and the others where the environment variable
COURSE_LAB is "all".
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from lab import Notebook, jupyter_lab

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PATIENCE = 900  # seconds for one notebook, however busy the machine
FIRST = "05_activations"  # the quickest one with a widget


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Lab on a copy of the notebooks: what it saves by itself changes nothing here."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    for package in ("benchmarks", "helpers", "data_prep"):
        (folder / package).symlink_to(ROOT / package)
    with jupyter_lab(folder, tmp_path_factory.mktemp("settings")) as address:
        yield address


def those_to_open():
    """Return the notebooks as parameters, all but the first skipped unless they are asked for."""
    unasked = pytest.mark.skipif(
        os.environ.get("COURSE_LAB") != "all",
        reason="COURSE_LAB=all opens every notebook in Jupyter Lab",
    )
    return [
        pytest.param(path, id=path.stem, marks=[] if path.stem == FIRST else [unasked])
        for path in NOTEBOOKS
    ]


@pytest.mark.parametrize("path", those_to_open())
def test_it_runs_from_top_to_bottom_and_its_widget_moves(browser, address, path):
    notebook = Notebook(browser, address, f"notebooks/{path.name}", PATIENCE)
    notebook.run_all()
    cells = notebook.cells()
    assert [error for cell in cells for error in cell["errors"]] == []
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))
    widgets = [cell["index"] for cell in cells if cell["widget"]]
    assert widgets or not re.match(r"\d\d_", path.stem), "a practice has a widget to play with"
    for index in widgets[-1:]:
        before, after = notebook.moved(index)
        assert before and after
