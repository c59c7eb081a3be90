"""Walk the rendered HTML of every page: what a reader would stumble over fails here.

What shows only when a page is opened is the business of `test_browser.py`.
"""

import re
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from rendered import ROOT, collect, pages_of_the_contents

MEGABYTE = 1_000_000
PAGE_LIMIT, GIF_LIMIT = 3 * MEGABYTE, MEGABYTE
HEAVIER = {"activation_gallery.html": 5 * MEGABYTE}  # fourteen animations, one below the other

# Assembled, so that these lines are not what they look for.
MACHINE_PATHS = re.compile(
    r"(?<![\w.:/~-])/(?:" + "|".join(["home", "work", "root", "tmp", "Users", "mnt"]) + r")/\w"
    r"|[A-Z]:\\{1,2}" + "Users"
)
LEFTOVERS = re.compile(
    r"`{3,}\{|:{3,}\s*\{|\{[a-z][\w:-]*\}`|\]\([\w./#:-]+\)|(?<!\w)\$\$|\\[a-z]{2,}\b"
)
FILE_NAME = re.compile(r"^[\w./\\-]+\.(?:png|jpe?g|gif|svg|webp)$", re.IGNORECASE)
DATA_GIF = re.compile(r"data:image/gif;base64,([A-Za-z0-9+/=]+)")
DATA_URI = re.compile(r"data:[a-z]+/[a-z+.-]+;base64,[A-Za-z0-9+/=]+")


# ------------------------------------------------------------------ what is checked


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
        for attribute in ("href", "src", "poster"):
            target = tag.get(attribute)
            if target is None or (tag.name, target) == ("a", "#"):
                continue
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            file = (page.parent / unquote(url.path)).resolve() if url.path else page
            if file.is_dir():
                file /= "index.html"
            if not file.is_file() or not file.is_relative_to(site):
                found.append(target)
            elif url.fragment and file.suffix == ".html":
                found += [target] if unquote(url.fragment) not in places(file) else []
    return found


def asked_of_other_hosts(soup):
    """List what a browser would load from another host without being asked to."""
    loading = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
    found = [
        tag[attribute]
        for name, attribute in loading.items()
        for tag in soup.find_all(name, attrs={attribute: True})
    ]
    for tag in soup.find_all(srcset=True):
        found += [part.split()[0] for part in tag["srcset"].split(", ") if part.strip()]
    links = {"stylesheet", "preload", "icon", "modulepreload", "prefetch"}
    links |= {"preconnect", "dns-prefetch"}  # no request yet, but the other host is told
    for tag in soup.find_all("link", href=True):
        if set(tag.get("rel", [])) & links:
            found.append(tag["href"])
    return [target for target in found if urlsplit(target).netloc]


def pictures_without_alt(soup):
    """List images, and drawings in the page, that say nothing to one who can't see them."""
    found = [
        str(image)[:120]
        for image in soup.find_all("img")
        if not (image.get("alt") or "").strip() or FILE_NAME.match(image["alt"].strip())
    ]
    for svg in soup.find_all("svg"):
        hidden = svg.find_parent(attrs={"aria-hidden": "true"}) or svg.get("aria-hidden") == "true"
        if not (hidden or svg.get("aria-label") or svg.find("title")):
            found.append(str(svg)[:120])
    return found


def error_output(soup):
    """List tracebacks, warnings and messages of the build that became part of a page."""
    marked = soup.select(
        ".traceback, .output_error, .stderr, .system-message, .problematic, .output .error"
    )
    found = [tag.get_text()[:120] for tag in marked]
    if "Traceback (most recent call last)" in soup.get_text():
        found.append("Traceback")
    return found


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


def machine_paths(html):
    """List absolute paths of the machine that built the page."""
    text = DATA_URI.sub("", html)
    found = [match.group() for match in MACHINE_PATHS.finditer(text)]
    return found + [place for place in {str(ROOT), sys.prefix} if place in text]


def weight(page, site, soup):
    """Return the bytes of a page and of the site's pictures and films that it shows."""
    files = {page}
    for tag in soup.find_all(["img", "source", "video", "object", "embed"]):
        target = tag.get("src") or tag.get("data") or ""
        if target and not urlsplit(target).scheme:
            files.add((page.parent / unquote(urlsplit(target).path)).resolve())
    return sum(file.stat().st_size for file in files if file.is_file())


def heavy_gifs(html):
    """List the sizes of GIFs inside a page that are over the limit."""
    sizes = [len(match.group(1)) * 3 // 4 for match in DATA_GIF.finditer(html)]
    return [size for size in sizes if size >= GIF_LIMIT]


OF_TEXT = (machine_paths, heavy_gifs)  # the other checks take a page's soup


# ------------------------------------------------------------------ the rendered book


def test_every_page_of_the_contents_is_rendered(site):
    assert [name for name in pages_of_the_contents() if not (site / name).is_file()] == []


def test_every_notebook_is_in_the_contents():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {
        Path(name).stem for name in pages_of_the_contents() if name.startswith("notebooks/")
    }


def test_no_link_is_broken(site, pages, parsed):
    places = cache(lambda path: anchors(parsed(path)))
    assert collect(pages, lambda page: bad_links(page, site.resolve(), parsed, places)) == {}


@pytest.mark.parametrize(
    "check",
    [
        asked_of_other_hosts,
        pictures_without_alt,
        error_output,
        leftovers,
        machine_paths,
        heavy_gifs,
    ],
)
def test_no_page_has_a_fault(pages, parsed, check):
    seen = (lambda page: page.read_text(encoding="utf-8")) if check in OF_TEXT else parsed
    assert collect(pages, lambda page: check(seen(page))) == {}


def test_no_page_is_too_heavy(site, pages, parsed):
    weights = {page.name: weight(page, site, parsed(page)) for page in pages}
    limits = dict.fromkeys(weights, PAGE_LIMIT) | HEAVIER
    assert {name: size for name, size in weights.items() if size >= limits[name]} == {}


def test_no_gif_beside_the_pages_is_too_heavy(site):
    sizes = {path.name: path.stat().st_size for path in site.rglob("*.gif")}
    assert {name: size for name, size in sizes.items() if size >= GIF_LIMIT} == {}


def test_the_site_brings_its_own_mathjax(site, pages, parsed):
    assert (site / "_static" / "mathjax" / "tex-svg-full.js").stat().st_size > MEGABYTE
    with_maths = [page for page in pages if parsed(page).select(".math")]
    assert with_maths, "no page has a formula"
    for page in with_maths:
        assert parsed(page).select('script[src*="mathjax/tex-svg-full.js"]'), page.name


# ------------------------------------------------------------------ the checks themselves


def soup_of(html):
    return BeautifulSoup(html, "html.parser")


@pytest.fixture
def small_site(tmp_path):
    (tmp_path / "other.html").write_text('<p id="here">x</p><a name="old">y</a>')
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("<p>x</p>")

    def links(html):
        page = tmp_path / "page.html"
        page.write_text(html)

        def parsed(path):
            return soup_of(path.read_text())

        return bad_links(page, tmp_path, parsed, lambda path: anchors(parsed(path)))

    return links


@pytest.mark.parametrize(
    "html",
    [
        '<a href="missing.html">x</a>',
        '<a href="other.html#nowhere">x</a>',
        '<a href="#nowhere">x</a>',
        '<img src="missing.png" alt="a line that rises">',
        '<a href="../outside.html">x</a>',
        '<script src="missing.js"></script>',
    ],
)
def test_broken_links_are_found(small_site, html):
    assert len(small_site(html)) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="other.html#here">x</a>',
        '<a href="other.html?q=1#old">x</a>',
        '<p id="top">x</p><a href="#top">x</a><a href="#">x</a>',
        '<a href="folder/">x</a>',
        '<a href="https://example.org/missing">x</a><a href="mailto:a@example.org">x</a>',
        '<img src="data:image/png;base64,AAAA" alt="a line that rises">',
    ],
)
def test_sound_links_pass(small_site, html):
    assert small_site(html) == []


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (
            asked_of_other_hosts,
            '<script src="https://example.org/x.js"></script>',
            '<a href="https://example.org">x</a><script src="x.js"></script>',
        ),
        (
            asked_of_other_hosts,
            '<link rel="stylesheet" href="//example.org/x.css">',
            '<link rel="next" href="https://example.org/x.html">',
        ),
        (
            asked_of_other_hosts,
            '<link rel="preconnect" href="https://example.org">',
            '<link rel="author" href="https://example.org">',
        ),
        (
            asked_of_other_hosts,
            '<source srcset="https://example.org/x.png 2x">',
            '<source srcset="data:image/png;base64,AAAA"><source srcset="x.png, y.png 2x">',
        ),
        (pictures_without_alt, '<img src="x.png">', '<img src="x.png" alt="Two moons">'),
        (pictures_without_alt, '<img src="x.png" alt=" ">', '<img src="x.png" alt="a.png shows">'),
        (
            pictures_without_alt,
            '<img src="x.png" alt="../_images/1f0c.png">',
            "<svg><title>Two moons</title></svg>",
        ),
        (
            pictures_without_alt,
            "<svg><path/></svg>",
            '<svg aria-label="x"></svg><span aria-hidden="true"><svg></svg></span>',
        ),
        (error_output, '<div class="output traceback">x</div>', '<div class="output">x</div>'),
        (error_output, '<div class="output stderr">UserWarning</div>', "<p>a warning</p>"),
        (error_output, "<pre>Traceback (most recent call last)</pre>", "<p>a traceback</p>"),
        (error_output, '<div class="system-message">x</div>', "<p>x</p>"),
        (leftovers, "<p>```{note}</p>", "<p>a <code>```{note}</code> directive</p>"),
        (leftovers, "<p>:::{figure} x</p>", "<p>a::b</p>"),
        (leftovers, "<p>see {ref}`x`</p>", "<p>the set {a}</p>"),
        (leftovers, "<p>see [here](x.html)</p>", "<p>on [0, 1] (both ends)</p>"),
        (leftovers, "<p>$$ x $$</p>", '<p>$5</p><div class="math">$$ x $$</div>'),
        (leftovers, r"<p>a small $-\log s_y$</p>", r"<p>the slope of <code>\log</code></p>"),
        (leftovers, r"<p>\frac{a}{b}</p>", r'<span class="math">\frac{a}{b}</span>'),
        (machine_paths, "<p>in /ho" + "me/ann/book</p>", '<a href="../home/index.html">x</a>'),
        (machine_paths, "<p>C:\\U" + "sers\\ann</p>", "<p>https://example.org/tmp/x</p>"),
        (heavy_gifs, f'<img src="data:image/gif;base64,{"A" * 1_400_000}">', "<p>x</p>"),
        (
            heavy_gifs,
            f'<img src="data:image/gif;base64,{"A" * 1_400_000}">',
            f'<img src="data:image/gif;base64,{"A" * 1000}">',
        ),
    ],
)
def test_each_check_tells_bad_from_good(check, bad, good):
    seen = str if check in OF_TEXT else soup_of
    assert check(seen(bad)) != [] == check(seen(good))


def test_a_machine_path_inside_a_picture_is_no_path():
    assert machine_paths('<img src="data:image/png;base64,AA/' + 'tmp/AA=">') == []


def test_weight_counts_the_page_and_its_pictures_once(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<img src="a.png"><img src="a.png"><img src="https://example.org/b.png">')
    (tmp_path / "a.png").write_bytes(bytes(1000))
    assert weight(page, tmp_path, soup_of(page.read_text())) == 1000 + page.stat().st_size
