"""The commands that run tests and notebooks: all of them at once, or as other processors would."""

from pathlib import Path

import nbformat
import pytest
from portable import compare

from tests.__main__ import ROOT, parts
from tests.__main__ import main as run_parts

STORED = "one thread"


@pytest.fixture
def notebook(tmp_path):
    """A notebook that prints something else on two threads than is stored."""
    one = f"import os\nprint({STORED!r} if os.environ['OMP_NUM_THREADS'] == '1' else 'more')"
    cells = [nbformat.v4.new_code_cell(text, execution_count=1) for text in ("two = 2", one)]
    cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{STORED}\n")]
    path = tmp_path / "threads.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_difference_is_found_with_its_cell_and_both_texts(notebook, capsys):
    assert compare({"threads": notebook}, ["own-2"], None) == ["own-2: threads"]
    said = capsys.readouterr().out
    found = said.split("own-2: threads: differs")[1]
    assert "Cell 1" in found and STORED in found and "more" in found


def test_what_a_machine_lacks_is_skipped_with_a_sentence(capsys):
    assert not compare({"a": "a.py"}, ["own-1", "avx512-2"], "AVX2", lambda path, told: "")
    said = capsys.readouterr().out
    assert "avx512-2: skipped, since this machine is not an x86 processor with AVX512\n" in said


# ------------------------------------------------------------------------- all of them at once


def test_the_parts_are_all_that_pytest_collects(request):
    listed = {name for part in parts() for name in part if not name.startswith("-")}
    paths = (path.relative_to(ROOT) for path in (ROOT / "notebooks").rglob("*.ipynb"))
    notebooks = {path.as_posix() for path in paths if ".ipynb_checkpoints" not in path.parts}
    assert listed == {"tests", "tests/pages"} | notebooks
    assert request.config.getini("testpaths") == ["tests", "notebooks"]
    assert Path(request.config.option.nbval_sanitize_with).is_absolute()  # from any folder


def test_one_part_that_fails_fails_the_whole(tmp_path, capsys):
    for name, line in {"good": "pass", "bad": "assert False"}.items():
        (tmp_path / f"test_{name}.py").write_text(f"def test_it():\n    {line}\n")
    assert run_parts([[str(path)] for path in tmp_path.iterdir()]) == 1
    said = capsys.readouterr().out.splitlines()[-1]
    assert "1 passed" in said and "1 failed" in said
