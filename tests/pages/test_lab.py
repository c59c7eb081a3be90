"""Every notebook runs from top to bottom in Jupyter Lab, and its widget answers a reader's key.

Practices 2 to 4 train for minutes, and nbval executes them as well: they are opened in Lab only
where the environment variable COURSE_LAB is "all".
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
LONG = {"02_mnist_numpy", "03_vision", "04_tiny_voc"}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Lab on a copy of the notebooks: what it saves by itself changes nothing here."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    for package in ("helpers", "data_prep"):
        (folder / package).symlink_to(ROOT / package)
    with jupyter_lab(folder, tmp_path_factory.mktemp("settings")) as address:
        yield address


def those_to_open():
    """Return the notebooks as parameters, the long ones skipped unless they are asked for."""
    unasked = pytest.mark.skipif(
        os.environ.get("COURSE_LAB") != "all",
        reason="trains for minutes: COURSE_LAB=all opens practices 2 to 4 in Jupyter Lab, too",
    )
    return [
        pytest.param(path, id=path.stem, marks=[unasked] if path.stem in LONG else [])
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
