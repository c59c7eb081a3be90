"""A build that is stopped by warnings shows them again at its end."""

import io
import re
import sys
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "_ext"
BROKEN = "# A page\n\n{ref}`no-such-place`\n\n[there](no_such_page.md)\n"
HEAD = "2 warnings; with -W, each is an error:"


def build(folder, page, monkeypatch, **settings):
    """Render one page; return the lines of what is said on stdout."""
    monkeypatch.setattr(sys, "path", [str(EXTENSIONS), *sys.path])
    (folder / "index.md").write_text(page, encoding="utf-8")
    settings |= {"extensions": ["myst_parser", "warnings_last"], "nitpicky": True}
    said = io.StringIO()
    with docutils_namespace():
        app = Sphinx(folder, None, folder / "site", folder / "trees", "dummy",
                     confoverrides=settings, status=said, warning=io.StringIO())  # fmt: skip
        app.build()
    return re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).splitlines()


def test_the_warnings_come_again_at_the_end(tmp_path, monkeypatch):
    lines = build(tmp_path, BROKEN, monkeypatch)
    head = lines.index(HEAD)
    places = ["index.md:3: WARNING: undefined label", "index.md:5: WARNING: 'myst' cross-reference"]
    again = sorted(lines[head + 1 : head + 3])
    assert all(place in line for place, line in zip(places, again, strict=True))
    assert len([line for line in lines[head + 3 :] if line]) <= 2  # what Sphinx itself ends with


@pytest.mark.parametrize("page", ["# A page\n", "# A page\n\n[there](no_such_page.md)\n"])
def test_a_build_without_warnings_or_with_suppressed_ones_ends_as_ever(tmp_path, monkeypatch, page):
    lines = build(tmp_path, page, monkeypatch, suppress_warnings=["myst.xref_missing"])
    assert not any("each is an error" in line for line in lines)
