"""What holds for the project as a whole: files, requirements, README, order of imports."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from data_prep.mnist import PARTS
from helpers.data.datasets import load_mnist
from helpers.data.voc import load_tiny_voc
from helpers.runs.records import SCHEMA, Record

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 3_000_000  # bytes of a file

# Assembled, so that this file does not contain what it looks for.
FORBIDDEN = [f"/{folder}/" for folder in ["home", "root", "Users", "work", "mnt"]] + [
    f"C:\\{'Users'}",
    f"C:\\\\{'Users'}",
    f"{'/tmp'}/",
    f"{'/var'}/",
    f"..{'/shared'}",
]

ROOMS = ("networks", "data", "training", "runs", "analysis", "claims", "book")


def tracked_files():
    """Return the files that belong to the project: those git tracks, or all in a bare copy."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
    )
    if done.returncode == 0:
        names = done.stdout.decode().split("\0")
        return sorted(ROOT / name for name in names if name and (ROOT / name).is_file())
    made = {".git", ".venv", "_build", "data", "checkpoints", "__pycache__"}
    return sorted(p for p in ROOT.rglob("*") if p.is_file() and not made & set(p.parts))


FILES = tracked_files()


def machine_paths(text):
    """List the absolute paths of some machine that a text mentions."""
    return [path for path in FORBIDDEN if re.search(r"(?<![\w.:~{}-])" + re.escape(path), text)]


def test_no_file_mentions_a_path_of_a_machine():
    found = {}
    for path in FILES:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or an archive
        if paths := machine_paths(text):
            found[path.relative_to(ROOT).as_posix()] = paths
    assert found == {}


def test_paths_of_machines_are_found():
    assert machine_paths("saved to /ho" + "me/ann/x") == ["/ho" + "me/"]
    assert machine_paths("https://example.org/ho" + "me/ann") == []
    assert machine_paths("notebooks/home/x") == []


def test_every_file_is_small():
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in FILES}
    assert {name: size for name, size in sizes.items() if size >= LARGEST} == {}


def test_every_requirement_is_pinned_exactly():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    assert wanted
    assert [line for line in wanted if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


OWN = {"helpers", "data_prep", "benchmarks", "tests"}
OWN |= {path.stem for folder in ("tests", "book/_ext") for path in (ROOT / folder).rglob("*.py")}


def test_what_the_code_imports_is_required():
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": None, "bs4": "beautifulsoup4"}
    names["efficientnet_lite_pytorch"] = "efficientnet-lite-pytorch"
    # These come with Jupyter, matplotlib and Sphinx.
    unlisted = {"nbformat", "IPython", "cycler", "sphinx", "docutils", "jinja2"}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower().splitlines()
    required = {line.split("==")[0] for line in lines}
    found = {}
    for path in FILES:
        if path.suffix == ".py":
            outside = imported(path) - set(sys.stdlib_module_names) - OWN
            missing = {
                name
                for name in outside - unlisted
                if names.get(name, name) is not None and names.get(name, name) not in required
            }
            if missing:
                found[path.name] = missing
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


def test_a_room_imports_only_from_itself_and_those_above_it():
    found = {}
    for number, room in enumerate(ROOMS):
        allowed = {f"helpers.{above}" for above in ROOMS[: number + 1]}
        for path in (ROOT / "helpers" / room).rglob("*.py"):
            own = {n for n in imported(path, 2) if n.split(".")[0] in ("helpers", "benchmarks")}
            if own - allowed:
                found[path.relative_to(ROOT).as_posix()] = own - allowed
    assert found == {}
    assert {path.name for path in (ROOT / "helpers").iterdir()} - {"__pycache__"} == {
        "__init__.py", *ROOMS,
    }  # fmt: skip


def test_data_prep_uses_nothing_of_helpers_but_a_network():
    for path in (ROOT / "data_prep").glob("*.py"):
        used = {name for name in imported(path, 2) if name.startswith("helpers.")}
        assert used <= {"helpers.networks"}, path.name
    for path in (ROOT / "helpers" / "networks").glob("*.py"):
        assert "data_prep" not in imported(path), path.name


@pytest.mark.parametrize("folder", [".", "notebooks"])
def test_helpers_import_the_same_from_the_root_and_from_the_notebooks(folder):
    lines = [
        "import sys",
        "sys.path[:0] = ['..'] if " + repr(folder == "notebooks") + " else ['.']",
        "import helpers.data.datasets, pathlib",
        "print(pathlib.Path(helpers.data.datasets.__file__).resolve())",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT / folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == str(ROOT / "helpers" / "data" / "datasets.py"), done.stderr


def test_the_readme_s_make_targets_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(
        re.findall(
            r"\bmake ([a-z]+)",
            "\n".join(re.findall(r"`[^`]+`|^    .*$|```.*?```", readme, re.DOTALL | re.MULTILINE)),
        )
    )
    assert {"book", "test", "lab", "data", "runs"} <= named
    assert named <= targets


def test_the_page_on_data_is_true():
    page = (ROOT / "book" / "data.md").read_text(encoding="utf-8")
    digits = load_mnist("embedded")
    row = {
        "training images": (len(digits.y), PARTS[0].shape[0]),
        "test images": (len(digits.y_eval), PARTS[2].shape[0]),
    }
    for what, (embedded, full) in row.items():
        assert f"| {what} | {embedded:,} | {full:,} |" in page
    toy = load_tiny_voc("embedded")
    splits = {"training": (len(toy.y), 6_000), "validation": (len(toy.y_eval), 624)}
    for what, (embedded, full) in splits.items():
        assert f"| images for {what} | {embedded:,} | {full:,} |" in page
    for part in PARTS:
        assert f"| `{part.name}` | `{part.sha256}` |" in page


def test_the_page_on_records_names_every_field():
    page = (ROOT / "book" / "recorded_runs.md").read_text(encoding="utf-8")
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {field.name for field in fields(Record)}
    assert f"this format, now {SCHEMA} |" in page


def test_the_page_on_architecture_names_every_module_in_its_room():
    page = (ROOT / "book" / "architecture.md").read_text(encoding="utf-8")
    sections = re.split(r"^#+ `?", page, flags=re.MULTILINE)
    named = {(room, module) for room in ROOMS for section in sections if section.startswith(room)
             for module in re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)}  # fmt: skip
    paths = [(room, path) for room in ROOMS for path in (ROOT / "helpers" / room).rglob("*.py")]
    there = {(room, ".".join(path.relative_to(ROOT / "helpers" / room).with_suffix("").parts))
             for room, path in paths if path.name != "__init__.py"}  # fmt: skip
    assert named == there


def test_make_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) - {"help"}
    assert set(re.findall(r'@echo "make ([a-z]+) ', makefile)) == targets


def test_the_readme_s_pictures_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", readme)
    assert pictures
    for words, path in pictures:
        assert words.strip() and (ROOT / path).is_file(), path


# ------------------------------------------------------------ what checks run elsewhere

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8"))
EVENTS = WORKFLOW[True]  # YAML 1.1 takes the word "on" for yes
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
CHECKS = ["make book", "make test", "make lint"]


def readme_commands():
    """Return the commands of make that stand in the README, as a reader would type them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^    (make [a-z]+)\b", readme, re.MULTILINE)


def made(script):
    """Return the commands of make in a script, one a line."""
    return re.findall(r"^\s*(make [a-z]+)\b", script, re.MULTILINE)


def test_the_workflow_runs_the_checks_of_the_readme():
    steps = WORKFLOW["jobs"]["check"]["steps"]
    assert [command for step in steps for command in made(step.get("run", ""))] == CHECKS
    assert set(CHECKS) <= set(readme_commands())
    assert not any("continue-on-error" in step or "if" in step for step in steps if "run" in step)
    assert made((ROOT / ".ci" / "run").read_text(encoding="utf-8")) == CHECKS


def test_the_workflow_uses_the_oldest_python_that_is_promised():
    python = next(step for step in WORKFLOW["jobs"]["check"]["steps"]
                  if step.get("uses", "").startswith("actions/setup-python@"))  # fmt: skip
    version = python["with"]["python-version"]
    assert f"Python {version} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {version} or newer" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_only_what_is_on_main_and_passes_is_published():
    assert EVENTS.keys() == {"push", "pull_request"}
    check, publish = WORKFLOW["jobs"]["check"], WORKFLOW["jobs"]["publish"]
    upload = check["steps"][-1]
    on_main = "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    assert upload["uses"].startswith("actions/upload-pages-artifact@")
    assert upload["with"]["path"] == "_build/html"
    assert upload["if"] == publish["if"] == on_main
    assert publish["needs"] == "check"
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in check
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert WORKFLOW["concurrency"]["group"].endswith("${{ github.ref }}")


def test_the_workflow_runs_the_notebooks_on_other_processors():
    job = WORKFLOW["jobs"]["portable"]
    assert [made(step["run"]) for step in job["steps"] if "run" in step] == [["make portable"]]
    assert "make portable" in readme_commands() and job["runs-on"] == "${{ matrix.os }}"
    runners = job["strategy"]["matrix"]["os"]
    assert any(name.endswith("-arm") for name in runners)
    assert {name.split("-")[0] for name in runners} == {"ubuntu", "macos"}


def test_the_workflow_uses_official_actions_alone():
    used = [step["uses"] for job in WORKFLOW["jobs"].values()
            for step in job["steps"] if "uses" in step]  # fmt: skip
    assert used
    assert [name for name in used if not re.fullmatch(r"actions/[\w-]+@v\d+", name)] == []


def hooks():
    """Return the hooks that run before a commit, by name."""
    assert {repo["repo"] for repo in HOOKS["repos"]} == {"local"}  # nothing is cloned
    return {hook["id"]: hook for repo in HOOKS["repos"] for hook in repo["hooks"]}


def test_hooks_have_the_version_of_ruff_that_is_required():
    required = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    needed = [name for hook in hooks().values() for name in hook["additional_dependencies"]]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", name) for name in needed)
    assert {name for name in needed if name.startswith("ruff")} == {
        name for name in required if name.startswith("ruff==")
    }


def test_hooks_change_no_notebook_and_no_record():
    for name, hook in hooks().items():
        if name == "ruff-check":
            assert "--fix" not in hook["entry"]
        elif name == "ruff-format":
            assert hook["types"] == ["python"]  # a notebook's type is jupyter
        elif name != "large-files":
            assert re.search(hook["exclude"], "notebooks/01_half_moons.ipynb"), name
            assert re.search(hook["exclude"], "runs/mnist-lenet/full-seed-0.json"), name


def test_hooks_and_tests_agree_on_the_largest_file():
    kilobytes = int(re.search(r"--maxkb=(\d+)", hooks()["large-files"]["entry"]).group(1))
    assert kilobytes == LARGEST // 1024
