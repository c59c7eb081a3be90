"""Every exercise is graded and has a folded solution, and every solution is run.

An exercise to *check* leaves something open in its cell. Its solution is a code block that
defines the same names; here it is put in their place, and the cell must accept it. Any other
solution is a folded code cell, which nbval runs with the rest of the notebook.
"""

import ast
import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import pytest
from test_notebooks import EXEMPTING_TAGS, tags

PRACTICES = sorted((Path(__file__).parents[2] / "notebooks").glob("0*.ipynb"))
GRADES = ["Check", "Modify", "Explore"]
FOLD = re.compile(r"<details>\n<summary>([^\n]+)</summary>\n\n(.+?)\n\n</details>", re.DOTALL)
CODE = re.compile(r"```python\n(.+?)\n```", re.DOTALL)

# What readers get wrong: a piece of the solution, and what stands there instead.
MISTAKES = {
    "01_half_moons": {1: ("+ 2", "+ 1"), 2: ("-self.z", "self.z")},
    "02_mnist_numpy": {1: ("2 * inputs", "3 * inputs"), 2: ("0.1", "1")},
    "03_vision": {1: (" + 1)", ")"), 2: ("1 +", "3 +")},
    "04_tiny_voc": {1: ("2 * 80 / (100 + 160)", "(0.8 + 0.5) / 2"), 2: ("9 / 11", "9 / 10")},
    "05_activations": {1: ("5 * h", "4 * h"), 2: ("1]", "0]")},
}


@dataclass
class Exercise:
    number: int
    grade: str
    text: str = ""  # up to the next exercise
    cells: list = field(default_factory=list)

    @property
    def folds(self):
        """What is folded in the text, by its title."""
        return dict(FOLD.findall(self.text))

    @property
    def open_code(self):
        return "\n".join(cell.source for cell in self.cells if "hide-cell" not in tags(cell))


def exercises(notebook):
    """List a notebook's exercises in their order."""
    found, grade = [], None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if found:
                found[-1].cells.append(cell)
            continue
        for line in cell.source.splitlines():
            if line.startswith("### "):
                grade = line[4:]
            elif start := re.match(r"\*\*(\d+)\.\*\* ", line):
                found.append(Exercise(int(start[1]), grade))
            if found:
                found[-1].text += line + "\n"
    return found


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def all_exercises(*grades):
    return [
        pytest.param(path, exercise, id=f"{path.stem}-{exercise.number}")
        for path in PRACTICES
        for exercise in exercises(read(path))
        if exercise.grade in grades
    ]


def defined(statement):
    """Return what a statement defines, in words that another definition of it shares."""
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets)
    return getattr(statement, "name", None)


def answered(code, answer):
    """Put an answer's definitions in the place of the code's own."""
    given = {defined(statement): statement for statement in ast.parse(answer).body}
    tree = ast.parse(code)
    tree.body = [given.pop(defined(statement), statement) for statement in tree.body]
    assert not given, f"the exercise does not leave open {list(given)}"
    return ast.unparse(tree)


def imports(notebook):
    """Return all of a notebook's imports, which is all that an exercise may need of it."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    wanted = (ast.Import, ast.ImportFrom)
    return "\n".join(ast.unparse(s) for s in ast.parse(code).body if isinstance(s, wanted))


def verdicts(path, code):
    """Run an exercise's cells, and return what each line that they print ends with."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(f"{imports(read(path))}\n{code}", {"__name__": "exercise"})
    lines = printed.getvalue().splitlines()
    return [re.search(r"(not yet|right|)$", line)[0] for line in lines]


@pytest.mark.parametrize("path", PRACTICES, ids=lambda path: path.stem)
def test_exercises_are_numbered_and_graded(path):
    found = exercises(read(path))
    assert [exercise.number for exercise in found] == list(range(1, len(found) + 1))
    grades = [exercise.grade for exercise in found]
    assert grades == sorted(grades, key=GRADES.index)
    assert min(map(grades.count, GRADES)) >= 2
    for exercise in found:
        assert exercise.text.count("<details") == len(exercise.folds)


@pytest.mark.parametrize(("path", "exercise"), all_exercises("Check"))
def test_a_check_cell_accepts_the_solution_and_nothing_else(path, exercise):
    (solution,) = CODE.findall(exercise.folds["Solution"])
    old, new = MISTAKES[path.stem][exercise.number]
    assert old in solution
    mistaken = answered(exercise.open_code, solution.replace(old, new))
    assert set(verdicts(path, answered(exercise.open_code, solution))) == {"right"}
    assert set(verdicts(path, exercise.open_code)) == {"not yet"}
    assert "not yet" in verdicts(path, mistaken)


@pytest.mark.parametrize(("path", "exercise"), all_exercises("Modify", "Explore"))
def test_any_other_solution_is_a_folded_cell_that_nbval_runs(path, exercise):
    assert exercise.cells and exercise.open_code == ""
    assert "What it shows" in exercise.folds
    for cell in exercise.cells:
        assert not tags(cell) & EXEMPTING_TAGS
        assert cell.metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}
