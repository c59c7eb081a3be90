"""What all measurements share: results are read with suspicion, and kept before they are shown."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from benchmarks import augment, comparison, notebook_times, numpy_speed, race
from benchmarks.comparison import compare, whole_number
from helpers.runs import records
from helpers.runs.records import RecordError

MALFORMED = [
    (numpy_speed, {"rows": [{"name": "a"}]}),
    (race, {"steps": [{"name": "a"}]}),
    (race, {"waiting": 3}),
    (augment, {"pil": 3}),
    (augment, {"shares": {"a": {}}}),
    (notebook_times, {"notebooks": {"x": {"seconds": 1}}}),
    *[(module, {"colour": "red"}) for module in (numpy_speed, race, augment, notebook_times)],
    *[(module, {"schema": 99}) for module in (numpy_speed, race, augment, notebook_times)],
]


@pytest.mark.parametrize(("module", "change"), MALFORMED)
def test_results_that_cannot_be_used_are_refused(module, change, tmp_path):
    path, content = tmp_path / "found.json", json.loads(module.PATH.read_text("utf-8"))
    records.write_json(content, path)
    assert module.read(path) == module.read()
    path.write_text(json.dumps(content | change), "utf-8")
    with pytest.raises(RecordError, match=rf"found\.json has .*{next(iter(change))}"):
        module.read(path)
    with pytest.raises(RecordError, match=f"is missing: .*python -m {module.__name__}"):
        module.read(tmp_path / "none.json")


def test_ratios_are_taken_round_by_round():
    row = compare("a", "µs", [1, 2, 4], [10, 30, 20], target=10.0)
    assert (row.ours, row.other, row.ratio, row.low, row.high, row.met) == (2, 20, 10, 5, 15, True)
    row = compare("a", "µs", [1, 2, 4], [10, 30, 20], target=0.09, share=True)
    assert (row.ratio, row.high, row.met) == (pytest.approx(0.1), pytest.approx(0.2), False)


def command(folder, *arguments, measure=lambda n: {"n": n}):
    options = {"n": {"type": whole_number(2, 20, step=2), "default": 10}}
    return comparison.command(
        "made_up", "", measure, str, options, (KeyError,), folder / "book.json", [*arguments]
    )


def test_only_a_whole_measurement_becomes_the_book_s(tmp_path):
    assert command(tmp_path, "--n", "4") == 0 and not [*tmp_path.iterdir()]
    assert command(tmp_path, "--n", "4", "--output", str(tmp_path / "new" / "try.json")) == 0
    assert command(tmp_path) == 0
    assert json.loads((tmp_path / "new" / "try.json").read_text()) == {"n": 4}
    assert json.loads((tmp_path / "book.json").read_text()) == {"n": 10}
    for n in ("0", "3", "22", "2.0", "many"):
        with pytest.raises(SystemExit, match="2"):
            command(tmp_path, "--n", n)


def fail(error):
    raise error


@pytest.mark.parametrize("error", [KeyError("no data"), OSError(28, "No space left", "a.json")])
def test_a_failure_is_one_sentence_and_keeps_what_was_there(error, tmp_path, capsys):
    (tmp_path / "book.json").write_text("before")
    assert command(tmp_path, measure=lambda n: fail(error)) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "book.json").read_text() == "before"


SHOW_MUCH = """
import sys
from pathlib import Path
from benchmarks.comparison import command
show = lambda found: "λ and more " * 10_000
sys.exit(command("x", "", lambda: {"found": 1}, show, {}, (), Path(sys.argv[1]), []))
"""


@pytest.mark.parametrize(
    ("console", "status", "said"),
    [("", 1, ""), ("/dev/full", 2, "error: [Errno 28] No space left on ")],
)
def test_results_are_kept_with_a_closed_pipe_and_a_full_disk(console, status, said, tmp_path):
    if not Path(console).exists():
        pytest.skip(f"this system has no {console}")
    read, write = os.pipe()
    os.close(read)
    with open(console or write, "w") as output:
        done = subprocess.run(
            [sys.executable, "-c", SHOW_MUCH, tmp_path / "found.json"], cwd=records.ROOT,
            env=os.environ | {"PYTHONIOENCODING": "ascii"}, stdout=output, stderr=subprocess.PIPE,
        )  # fmt: skip
    error = done.stderr.decode()
    assert done.returncode == status and error.startswith(said) and error.count("\n") == bool(said)
    assert json.loads((tmp_path / "found.json").read_text()) == {"found": 1}


def test_a_measurement_that_was_changed_is_not_the_commit_s(tmp_path):
    for folder in ("helpers", "benchmarks", "data_prep"):
        shutil.copytree(records.ROOT / folder, tmp_path / folder)
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
        subprocess.run(git + arguments, check=True)
    code = "from benchmarks import comparison; print(comparison.records.source_commit())"
    said = []
    for line in ("", "# changed"):
        with (tmp_path / "benchmarks" / "comparison.py").open("a") as file:
            file.write(line)
        said.append(subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True))
    assert said[1] == f"{said[0].strip()}+changes\n" and len(said[0]) == 13


# ------------------------------------------------------------------- the notebooks' times

TIME = notebook_times.NotebookTime(90.0, 30.0, {"cpu": "x", "threads": 2}, "abc", "2020-02-20")


def notebook(folder, name, source):
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbformat.write(content, folder / f"{name}.ipynb")


def test_notebooks_are_executed_and_left_as_they_were(tmp_path, capsys):
    (tmp_path / "evidence").mkdir()
    notebook(tmp_path, "evidence/quick", "import time; time.sleep(0.2); open('quick.ipynb')")
    (tmp_path / "worse.ipynb").write_text("{}")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.ipynb")}
    path = tmp_path / "times.json"
    notebook_times.write({"gone": TIME, "worse": TIME}, path)
    assert notebook_times.main([], path, tmp_path) == 2
    assert "worse.ipynb can't be executed: " in capsys.readouterr().err
    times = notebook_times.read(path)
    assert set(times) == {"evidence/quick", "worse"}  # a notebook that is gone is forgotten
    assert times["evidence/quick"].seconds > 0.2 and times["worse"] == TIME
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.ipynb")} == before
    assert notebook_times.main(["slow"], path, tmp_path) == 2
    assert "there is no notebook 'slow': take evidence/quick, worse" in capsys.readouterr().err
