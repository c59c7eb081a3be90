"""A build that is stopped by warnings shows them again at its end."""

import subprocess
import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "_ext"
BROKEN = "# A page\n\n{ref}`no-such-place`\n\n[there](no_such_page.md)\n"


def build(folder, page, config=""):
    """Render one page as `make book` does; return the exit status and the lines on stdout."""
    folder.mkdir()
    (folder / "index.md").write_text(page, encoding="utf-8")
    setting = f"import sys; sys.path.insert(0, {str(EXTENSIONS)!r})\n"
    setting += f"extensions = ['myst_parser', 'warnings_last']\n{config}\n"
    (folder / "conf.py").write_text(setting, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "--no-color"]
    command += [str(folder), str(folder / "site")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout.splitlines()


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    return build(tmp_path_factory.mktemp("broken") / "book", BROKEN)


def test_the_warnings_come_again_at_the_end(broken):
    status, lines = broken
    assert status == 1
    head = next(
        i for i, line in enumerate(lines) if line == "2 warnings; with -W, each is an error:"
    )
    places = ["index.md:3: WARNING: undefined label", "index.md:5: WARNING: 'myst' cross-reference"]
    again = sorted(lines[head + 1 : head + 3])
    assert all(place in line for place, line in zip(places, again, strict=True))
    assert head > max(i for i, line in enumerate(lines) if "index" in line and "%" in line)
    assert len([line for line in lines[head + 3 :] if line]) <= 1  # what Sphinx itself ends with


def test_a_warning_that_is_suppressed_is_none(tmp_path):
    page = "# A page\n\n[there](no_such_page.md)\n"
    status, lines = build(tmp_path / "book", page, "suppress_warnings = ['myst.xref_missing']")
    assert status == 0
    assert not any("each is an error" in line for line in lines)


def test_a_build_without_warnings_ends_as_ever(tmp_path):
    status, lines = build(tmp_path / "book", "# A page\n")
    assert status == 0
    assert not any("each is an error" in line for line in lines)


def test_the_book_is_built_with_it():
    config = (EXTENSIONS.parent.parent / "_config.yml").read_text(encoding="utf-8")
    assert "warnings_last: book/_ext" in config and "- warnings_last" in config
