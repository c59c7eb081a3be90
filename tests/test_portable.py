"""The command that runs notebooks as other processors would: what it finds, and what it says."""

import nbformat
import pytest
from portable import LEVELS, SETTINGS, TRAINING, check, compare, lacking, main, surroundings

SECRET = "one thread"


@pytest.fixture
def notebook(tmp_path):
    """A notebook that prints something else on two threads than is stored."""
    source = (
        f"import os\nprint({SECRET!r} if os.environ['OMP_NUM_THREADS'] == '1' else 'more threads')"
    )
    stored = nbformat.v4.new_output("stream", name="stdout", text=f"{SECRET}\n")
    cells = [nbformat.v4.new_code_cell(text, execution_count=1) for text in ("two = 2", source)]
    cells[1].outputs = [stored]
    path = tmp_path / "threads.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_difference_is_found_with_its_cell_and_both_texts(notebook, capsys):
    assert not compare({"threads": notebook}, ["own-1", "own-2"], None)
    said = capsys.readouterr().out
    assert "own-1: threads: 0 differ" in said and "own-2: threads: 1 differ" in said
    assert said.count("--- own-") == 1
    found = said.split("--- own-2, threads, Cell 1\n")[1]
    assert SECRET in found and "more threads" in found
    assert said.splitlines()[-1].split() == ["threads", "same", "1"]


def test_a_run_that_breaks_off_is_no_success(tmp_path):
    ((where, texts),) = check(tmp_path / "missing.ipynb", {})
    assert where == "pytest" and "missing.ipynb" in texts


def test_what_a_machine_lacks_is_skipped_with_a_sentence(capsys):
    assert compare({"a": "a.py"}, ["own-1", "avx512-2"], "AVX2", lambda path, told: [])
    said = capsys.readouterr().out
    assert "avx512-2: skipped, since this machine is not an x86 processor with AVX512\n" in said
    assert said.splitlines()[-1].split() == ["a", "same", "–"]


@pytest.mark.parametrize(
    ("here", "passed_for"),
    [(None, 0), ("DEFAULT", 1), ("AVX2", 2), ("AVX512", 3), ("AVX1024", 3)],
)
def test_a_machine_passes_for_those_that_have_less(here, passed_for):
    assert [lacking(level, here) for level in LEVELS].count(None) == passed_for
    assert lacking(None, here) is None


def test_settings_do_not_mix(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("COURSE_SCALE", "full")
    assert not {"OPENBLAS_CORETYPE", "COURSE_SCALE"} & surroundings({}).keys()
    assert surroundings(SETTINGS["sse-2"][1])["OPENBLAS_CORETYPE"] == "Nehalem"
    different = {tuple(sorted(told.items())) for _, told in SETTINGS.values()}
    assert len(different) == len(SETTINGS) >= 4


def test_the_tests_that_train_are_there(request):
    assert [name for name in TRAINING if not (request.path.parent / name).is_dir()] == []


def test_what_does_not_exist_is_refused(capsys):
    for option in (["--notebooks", "06_nothing"], ["--settings", "sse-3"]):
        with pytest.raises(SystemExit, match="2"):
            main(option)
        assert f"invalid choice: '{option[1]}'" in capsys.readouterr().err
