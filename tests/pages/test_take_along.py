"""The EPUB and the PDF: whole, well formed, and without what needs a browser."""

import re
import runpy
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

MAKE = runpy.run_path(str(Path(__file__).parents[2] / "book" / "take_along" / "make.py"))
EPUB = "{http://www.idpf.org/2007/opf}"


@pytest.fixture(scope="module")
def epub(site, tmp_path_factory):
    path = tmp_path_factory.mktemp("epub") / "book.epub"
    MAKE["make_epub"](MAKE["chapters"](site, MAKE["LEFT_OUT"]["epub"]), site, path)
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def elements(epub, name):
    return [(e.tag.split("}")[-1], e) for e in ET.fromstring(epub[name]).iter()]


def test_the_epub_lists_every_file_and_every_page_is_well_formed(epub):
    listed = {item.get("href") for item in ET.fromstring(epub["content.opf"]).iter(f"{EPUB}item")}
    assert listed | {"mimetype", "META-INF/container.xml", "content.opf"} == set(epub)
    assert next(iter(epub)) == "mimetype"
    assert {"notebooks-01_half_moons.xhtml", "notebooks-evidence-04_tiny_voc.xhtml"} <= set(epub)


def test_every_link_and_image_of_the_epub_is_in_it(epub):
    pages = [name for name in epub if name.endswith(".xhtml")]
    ids = {name: {e.get("id") for _, e in elements(epub, name)} for name in pages}
    formulas = 0
    for name in pages:
        for tag, element in elements(epub, name):
            assert tag not in ("script", "input", "button", "iframe"), (name, tag)
            assert not any(attribute.startswith("on") for attribute in element.attrib)
            formulas += tag == "math"
            if tag == "img":
                assert element.get("src") in epub, (name, element.get("src"))
                assert element.get("alt") is not None, name
            href = element.get("href", "")
            if tag == "a" and not re.match("[a-z]+:", href):
                target, _, place = href.partition("#")
                assert not place or place in ids[target or name], (name, href)
                assert not target or target in epub, (name, href)
    assert formulas > 100


def test_chromium_prints_chapters(site, browser, tmp_path):
    left_out = {*MAKE["LEFT_OUT"]["pdf"], "Practices"}
    MAKE["make_pdf"](MAKE["chapters"](site, left_out), site, tmp_path / "book.pdf")
    printed = (tmp_path / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF-") and b"/Outlines" in printed


def test_without_pages_or_chromium_the_mend_is_named(tmp_path, monkeypatch, capsys):
    assert MAKE["main"]("epub", tmp_path) == 2
    assert "make book" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MAKE["NotMade"], match="Chromium"):
        MAKE["make_pdf"]([], tmp_path, tmp_path / "book.pdf")
