"""Walk the rendered HTML of every page: what a reader would stumble over fails here.

What shows only when a page is opened is the business of `test_browser.py`.
"""

import re
import sys
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from rendered import ROOT, collect
from test_project import machine_paths

LIMIT = 3_000_000  # bytes of a page with its pictures
HEAVIER = {"activation_gallery.html": 5_000_000}  # sixteen animations, one below the other
LEFTOVERS = re.compile(
    r"`{3,}\{|:{3,}\s*\{|\{[a-z][\w:-]*\}`|\]\([\w./#:-]+\)|(?<!\w)\$\$|\\[a-z]{2,}\b"
)
FILE_NAME = re.compile(r"^[\w./\\-]+\.(?:png|jpe?g|gif|svg|webp)$", re.IGNORECASE)
DATA_URI = re.compile(r"data:[a-z]+/[a-z+.-]+;base64,[A-Za-z0-9+/=]+")
FAULTY = ".traceback, .output_error, .stderr, .system-message, .problematic, .output .error"


def anchors(soup):
    """Return what links can lead to within a page."""
    named = {tag["name"] for tag in soup.find_all("a", attrs={"name": True})}
    return named | {tag["id"] for tag in soup.find_all(id=True)}


def bad_links(page, site, parsed, places):
    """List links and sources of a page that lead nowhere inside the site.

    `parsed(path)` returns the soup of a page of the site, and `places(path)` its anchors.
    """
    found = []
    for tag in parsed(page).find_all(True):
        for target in filter(None, map(tag.get, ("href", "src", "poster"))):
            url = urlsplit(target)
            if url.scheme or url.netloc or (tag.name, target) == ("a", "#"):
                continue
            file = (page.parent / unquote(url.path)).resolve() if url.path else page
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file() or not file.is_relative_to(site):
                found.append(target)
            elif url.fragment and file.suffix == ".html":
                place = unquote(url.fragment)
                place = "playground" if place.startswith("playground_") else place  # and settings
                found += [target] if place not in places(file) else []
    return found


def pictures_without_alt(soup):
    """List images, and drawings in the page, that say nothing to one who can't see them.

    The first of several side by side may speak for all: the others then have an empty text.
    """
    found = []
    for image in soup.find_all("img"):
        alt, first = image.get("alt"), image.parent.find("img", recursive=False)
        text = (first if alt == "" else image).get("alt") or ""
        if not text.strip() or FILE_NAME.match(text.strip()):
            found.append(image)
    for svg in soup.find_all("svg"):
        hidden = svg.find_parent(attrs={"aria-hidden": "true"}) or svg.get("aria-hidden") == "true"
        if not (hidden or svg.get("aria-label") or svg.find("title")):
            found.append(svg)
    return [str(picture)[:120] for picture in found]


def error_output(soup):
    """List tracebacks, warnings and messages of the build that became part of a page."""
    traceback = "Traceback (most recent call last)"
    found = [tag.get_text()[:120] for tag in soup.select(FAULTY)]
    return found + [traceback] * (traceback in soup.get_text())


def prose(tag):
    """Yield the texts of an element that are neither code nor formulas."""
    for child in tag.children:
        if type(child) is NavigableString:
            yield child
        elif isinstance(child, Tag) and not (
            child.name in ("code", "pre", "script", "style") or "math" in child.get("class", ())
        ):
            yield from prose(child)


def leftovers(soup):
    """List markup that was meant to be rendered and was not."""
    return LEFTOVERS.findall("".join(prose(soup.find("article") or soup)))


def places_of_the_machine(soup):
    """List absolute paths of the machine that built the page."""
    text = DATA_URI.sub("", str(soup))
    return machine_paths(text) + [place for place in {str(ROOT), sys.prefix} if place in text]


def weight(page, soup):
    """Return the bytes of a page and of the site's pictures and films that it shows."""
    files = {page}
    for tag in soup.find_all(["img", "source", "video", "object", "embed"]):
        target = tag.get("src") or tag.get("data") or ""
        if target and not urlsplit(target).scheme:
            files.add((page.parent / unquote(urlsplit(target).path)).resolve())
    return sum(file.stat().st_size for file in files if file.is_file())


# ------------------------------------------------------------------ the rendered book


def test_no_link_is_broken(site, pages, parsed):
    places = cache(lambda path: anchors(parsed(path)))
    assert collect(pages, lambda page: bad_links(page, site.resolve(), parsed, places)) == {}


@pytest.mark.parametrize(
    "check", [pictures_without_alt, error_output, leftovers, places_of_the_machine]
)
def test_no_page_has_a_fault(pages, parsed, check):
    assert collect(pages, lambda page: check(parsed(page))) == {}


def test_no_page_is_too_heavy(pages, parsed):
    weights = {page: weight(page, parsed(page)) for page in pages}
    assert {page: n for page, n in weights.items() if n >= HEAVIER.get(page.name, LIMIT)} == {}


# ------------------------------------------------------------------ the checks themselves


def soup_of(html):
    return BeautifulSoup(html, "html.parser")


@pytest.mark.parametrize(
    ("html", "broken"),
    [
        ('<a href="missing.html">x</a>', 1),
        ('<a href="other.html#nowhere">x</a><a href="#nowhere">x</a>', 2),
        ('<img src="missing.png" alt="a line that rises"><script src="missing.js"></script>', 2),
        ('<a href="../outside.html">x</a>', 1),
        ('<a href="other.html#here">x</a><a href="other.html?q=1#old">x</a>', 0),
        ('<p id="top">x</p><a href="#top">x</a><a href="#">x</a><a href="folder/">x</a>', 0),
        ('<a href="https://example.org/missing">x</a><a href="mailto:a@example.org">x</a>', 0),
        ('<img src="data:image/png;base64,AAAA" alt="a line that rises">', 0),
    ],
)
def test_broken_links_are_found(tmp_path, html, broken):
    (tmp_path / "folder").mkdir()
    page, other = tmp_path / "page.html", '<p id="here">x</p><a name="old">y</a>'
    for path, text in ((page, html), ("other.html", other), ("folder/index.html", "<p>x</p>")):
        (tmp_path / path).write_text(text)

    def parsed(path):
        return soup_of(path.read_text())

    assert len(bad_links(page, tmp_path, parsed, lambda path: anchors(parsed(path)))) == broken


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (pictures_without_alt, '<img src="x.png">', '<img src="x.png" alt="Two moons">'),
        (pictures_without_alt, '<img src="x.png" alt=" ">', '<img src="x.png" alt="a.png shows">'),
        (pictures_without_alt, '<img alt="../_images/1f0c.png">', "<svg><title>x</title></svg>"),
        (pictures_without_alt, "<svg/>", '<span aria-hidden="true"><svg></svg></span>'),
        (error_output, '<div class="output traceback">x</div>', '<div class="output">x</div>'),
        (error_output, '<div class="output stderr">UserWarning</div>', "<p>a warning</p>"),
        (error_output, "<pre>Traceback (most recent call last)</pre>", "<p>a traceback</p>"),
        (leftovers, "<p>```{note}</p>", "<p>a <code>```{note}</code> directive</p>"),
        (leftovers, "<p>:::{figure} x</p>", "<p>a::b</p>"),
        (leftovers, "<p>see {ref}`x`</p>", "<p>the set {a}</p>"),
        (leftovers, "<p>see [here](x.html)</p>", "<p>on [0, 1] (both ends)</p>"),
        (leftovers, "<p>$$ x $$</p>", '<p>$5</p><div class="math">$$ x $$</div>'),
        (leftovers, r"<p>a small $-\log s_y$</p>", r"<p>the slope of <code>\log</code></p>"),
        (places_of_the_machine, "<p>in /ho" + "me/ann/book</p>", '<a href="../home/x">x</a>'),
        (places_of_the_machine, "<p>C:\\U" + "sers\\a</p>", "<p>https://example.org/tmp/x</p>"),
        (places_of_the_machine, f"<p>{ROOT}</p>", '<i x="data:image/a;base64,AA/' + 'tmp/A="/>'),
    ],
)
def test_each_check_tells_bad_from_good(check, bad, good):
    assert check(soup_of(bad)) != [] == check(soup_of(good))
