"""What holds for the project as a whole: files, requirements, imports, commands, and its pages."""

import ast
import io
import json
import re
import runpy
import subprocess
import sys
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import torch  # noqa: F401 - before a command is run here
import yaml

from data_prep.mnist import PARTS
from helpers.data.datasets import load_mnist
from helpers.data.voc import load_tiny_voc
from helpers.runs.records import SCHEMA, Record

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 3_000_000  # bytes of a file
ROOMS = ("networks", "data", "training", "runs", "analysis", "claims", "book")
MACHINE_PATH = re.compile(  # assembled, so that these lines are not what they look for
    r"(?<![\w.:/~{}-])/(?:" + "|".join(["home", "root", "Users", "work", "mnt", "tmp", "var"])
    + r")/|[A-Z]:\\{1,2}" + "Users" + r"|\.\./" + "shared"
)  # fmt: skip


def tracked_files():
    """Return the files that belong to the project: those git tracks, or all in a bare copy."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)
    if done.returncode == 0:
        names = done.stdout.decode().split("\0")
        return sorted(ROOT / name for name in names if name and (ROOT / name).is_file())
    made = {".git", ".venv", "_build", "data", "checkpoints", "__pycache__"}
    return sorted(p for p in ROOT.rglob("*") if p.is_file() and not made & set(p.parts))


FILES = tracked_files()
MODULES = [path for path in FILES if path.suffix == ".py"]


@cache
def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def machine_paths(text):
    """List the absolute paths of some machine that a text mentions."""
    return MACHINE_PATH.findall(text)


# --------------------------------------------------------------------------- files, imports


def test_no_file_is_named_like_an_option():
    """Nor a folder: a command that takes `--help` for its output folder has left one behind."""
    odd = [path for path in FILES if path.relative_to(ROOT).parts[0].startswith("-")]
    assert not odd


def test_files_are_small_and_mention_no_path_of_a_machine():
    found = {}
    for path in FILES:
        content = path.read_bytes()
        text = content.decode(errors="ignore") if b"\0" not in content[:1024] else ""
        if len(content) >= LARGEST or machine_paths(text):
            found[path.relative_to(ROOT).as_posix()] = len(content), machine_paths(text)
    assert found == {}


def imported(path, depth=1):
    """Return what a module imports, as far down as `depth` names: {"helpers.data"} for 2."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {".".join(name.split(".")[:depth]) for name in names}


def test_every_requirement_is_pinned_and_what_the_code_imports_is_required():
    lines = [line for line in text_of("requirements.txt").lower().splitlines() if line]
    required = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert all(re.fullmatch(r"[\w.]+", version) for version in required.values())
    named = {"sklearn": "scikit-learn", "pil": "pillow", "bs4": "beautifulsoup4"}
    # These come with Jupyter, matplotlib and Sphinx.
    known = {"nbformat", "ipython", "cycler", "sphinx", "docutils", "jinja2", "yaml", *required}
    known |= {"nbconvert", "pygments"}
    known |= {"helpers", "data_prep", "benchmarks", *(path.stem for path in MODULES)}
    known |= {"book", "tests", *sys.stdlib_module_names}
    known |= {name.replace("-", "_") for name in required}
    names = {path.name: {name.lower() for name in imported(path)} for path in MODULES}
    found = {name: {named.get(n, n) for n in used} - known for name, used in names.items()}
    assert {name: missing for name, missing in found.items() if missing} == {}


def test_a_room_imports_only_from_itself_and_those_above_it():
    allowed = {"data_prep": ("helpers.networks",), "helpers/networks": ("helpers.networks",)}
    for above, room in pairwise(ROOMS):
        allowed[f"helpers/{room}"] = (*allowed[f"helpers/{above}"], f"helpers.{room}")
    found = {}
    for folder, names in allowed.items():
        for path in (ROOT / folder).rglob("*.py"):
            own = {n for n in imported(path, 2) if n.startswith(("helpers.", "benchmarks"))}
            if own - {*names}:
                found[path.relative_to(ROOT).as_posix()] = own - {*names}
    assert found == {}
    assert all("data_prep" not in imported(p) for p in (ROOT / "helpers/networks").glob("*.py"))


def test_importing_helpers_does_not_load_torch_and_lets_torchvision_work():
    code = (
        "import helpers, sys; assert 'torch' not in sys.modules; import torch, torchvision.utils;"
        "print(torchvision.utils.make_grid(torch.zeros(2, 1, 4, 4), padding=0).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "torch.Size([3, 4, 8])\n", done.stderr


# --------------------------------------------------------------------------------- commands

COMMANDS = [
    path.relative_to(ROOT).as_posix() for path in MODULES
    if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8")
]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_only_helps_on_any_console(monkeypatch, name):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(ROOT / name, run_name="__main__")
    console.flush()
    assert not end.value.code and console.buffer.getvalue().startswith(b"usage: ")


def targets():
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_what_the_texts_tell_to_run_is_there(name):
    code = "\n".join(re.findall(r"`[^`]+`|^    .*$", text_of(name), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", code))
    assert {"book", "test"} <= named <= targets()
    modules = re.findall(r"python -m ([\w.]+)", code)
    assert modules and all(map(find_spec, modules))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_what_the_texts_link_to_is_there(name):
    """All but what a reader is told to make."""
    text, file = text_of(name), r"\b(?:book|helpers|notebooks|tests)/[\w/]+\.(?:py|md|ipynb)"
    named = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    named |= set(re.findall(file, text))
    made = {"helpers/networks/perceptron.py", "notebooks/06_perceptron.ipynb"}
    assert named and {name for name in named - made if not (ROOT / name).is_file()} == set()


def test_the_workflow_and_the_readme_have_the_same_checks():
    made = re.compile(r"^\s*(make [a-z]+)\b", re.MULTILINE)
    checks = ["make book", "make test", "make lint"]
    workflow = yaml.safe_load(text_of(".github/workflows/book.yml"))
    steps = workflow["jobs"]["check"]["steps"]
    found = [command for step in steps for command in made.findall(step.get("run", ""))]
    assert found == [*checks, "make epub"]  # which is published
    assert not any("continue-on-error" in step or "if" in step for step in steps if "run" in step)
    assert made.findall(text_of(".ci/run")) == checks
    assert set(checks) <= set(made.findall(text_of("README.md")))
    (setup,) = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    for name in ("README.md", "Makefile"):
        assert f"Python {setup['python-version']} or newer" in text_of(name)


# ------------------------------------------------------------------------- the book's pages


def test_the_page_on_data_is_true():
    page = text_of("book/data.md")
    digits, toy = load_mnist("embedded"), load_tiny_voc("embedded")
    sizes = [(digits, PARTS[0].shape[0], PARTS[2].shape[0]), (toy, 6_000, 624)]
    for embedded, training, test in sizes:
        assert f"| training images | {len(embedded.y):,} | {training:,} |" in page
        assert f"| test images | {len(embedded.y_eval):,} | {test:,} |" in page
    for part in PARTS:
        assert f"| `{part.name}` | `{part.sha256}` |" in page


def test_the_page_on_records_names_every_field():
    page = text_of("book/recorded_runs.md")
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {field.name for field in fields(Record)}
    assert f"this format, now {SCHEMA} |" in page


def test_the_page_on_architecture_names_every_module_in_its_room():
    sections = re.split(r"^#+ `?", text_of("book/architecture.md"), flags=re.MULTILINE)
    for room in ROOMS:
        own = "".join(section for section in sections if section.startswith(room))
        named = re.findall(r"^\| `([\w.]+)` \|", own, re.MULTILINE)
        folder = ROOT / "helpers" / room
        paths = [p.relative_to(folder) for p in folder.rglob("*.py") if p.name != "__init__.py"]
        assert sorted(named) == sorted(".".join(path.with_suffix("").parts) for path in paths)


def test_every_symbol_of_the_chapters_is_in_the_notation():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "helpers").rglob("*.py")]
    for path in (ROOT / "notebooks").rglob("[a-z0-9]*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells]
    notation = text_of("book/notation.md")
    greek = r"\\(?:alpha|beta|gamma|delta|varepsilon|eta|theta|lambda|mu|sigma|tau|[Pp]hi|rho)\b"
    assert set(re.findall(greek, "\n".join(texts))) <= set(re.findall(greek, notation))
    axis = "[A-Za-z0-9²/ ]{1,20}"
    shapes = re.findall(rf"\[({axis}(?:, {axis})+)\]", "\n".join(texts))
    letters = re.findall(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])", "\n".join(shapes))
    rows = re.findall(r"^\| (`.*?) \|", notation, re.MULTILINE)
    assert set(letters) == set(re.findall("`([A-Z])`", "\n".join(rows)))
