"""How the book is built: its pages are found wherever it lies, and warnings come at the end."""

import io
import re
from pathlib import Path

import pytest
import yaml
from sphinx.application import Sphinx
from sphinx.project import Project
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).resolve().parents[2]
BROKEN = "# A page\n\n{ref}`no-such-place`\n\n[there](no_such_page.md)\n"
HEAD = "2 warnings; with -W, each is an error:"


@pytest.mark.parametrize("name", ["book", "a [1]"])
def test_the_pages_are_those_of_the_book_in_any_folder(tmp_path, name):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    pages = ["book/welcome.md", "notebooks/01.ipynb"]
    for page in [*pages, "README.md", "tests/axe-core/README.md", "_build/book/welcome.md"]:
        path = tmp_path / name / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert "only_build_toc_files" not in config  # takes the folder's name for a pattern
    project = Project(tmp_path / name, {".md": "markdown", ".ipynb": "notebook"})
    include = config["sphinx"]["config"]["include_patterns"]
    found = project.discover(config["exclude_patterns"], include)
    assert found == {Path(page).with_suffix("").as_posix() for page in pages}


def build(folder, page, **settings):
    """Render one page; return the lines of what is said on stdout."""
    (folder / "index.md").write_text(page, encoding="utf-8")
    settings |= {"extensions": ["myst_parser", "warnings_last"], "nitpicky": True}
    said = io.StringIO()
    with docutils_namespace():
        app = Sphinx(folder, None, folder / "site", folder / "trees", "dummy",
                     confoverrides=settings, status=said, warning=io.StringIO())  # fmt: skip
        app.build()
    return re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).splitlines()


def test_the_warnings_come_again_at_the_end(tmp_path):
    lines = build(tmp_path, BROKEN)
    head = lines.index(HEAD)
    places = ["index.md:3: WARNING: undefined label", "index.md:5: WARNING: 'myst' cross-reference"]
    again = sorted(lines[head + 1 : head + 3])
    assert all(place in line for place, line in zip(places, again, strict=True))
    assert len([line for line in lines[head + 3 :] if line]) <= 2  # what Sphinx itself ends with
