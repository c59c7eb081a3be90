"""What all measurements share: results are read with suspicion, and kept before they are shown."""

import json
from dataclasses import dataclass, field

import nbformat
import pytest
from pandas import DataFrame

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


@dataclass
class Found:
    n: int
    environment: dict = field(default_factory=lambda: dict.fromkeys(("cpu", "threads", "torch")))


def command(folder, *arguments, measure=Found):
    options, tables = {"n": {"type": whole_number(2), "default": 10}}, [lambda found: DataFrame()]
    path = folder / "book.json"
    return comparison.command("x", "", measure, tables, options, (KeyError,), path, [*arguments])


def test_only_a_whole_measurement_becomes_the_book_s(tmp_path):
    assert command(tmp_path, "--n", "4") == 0 and not [*tmp_path.iterdir()]
    assert command(tmp_path, "--n", "4", "--output", str(tmp_path / "new" / "try.json")) == 0
    assert command(tmp_path) == 0
    assert json.loads((tmp_path / "new" / "try.json").read_text())["n"] == 4
    assert json.loads((tmp_path / "book.json").read_text())["n"] == 10
    for n in ("1", "-2", "2.0", "many"):
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
