"""Open every page of the book in a real browser from its folder, some from a server; offline.

Nothing may be asked of another host, and everything must work: formulas, players, search, the
tables of all runs. The checks themselves are tried on pages made to fail them.
"""

import re
import time
from dataclasses import fields

import pytest
from browser import MOVING, SHOWN, Visit, served
from rendered import collect
from selenium.webdriver.common.keys import Keys

WORD = "softmax"  # what the search is tried with
MAY_MOVE = re.compile(r'image/gif|\.gif|type="range"|<video|@keyframes')


@pytest.fixture(scope="module")
def address(site):
    """Where the site's folder is, for a reader without a server."""
    return site.resolve().as_uri()


@pytest.fixture(scope="module")
def visits(browser, address, site, pages):
    """What is wrong with each page opened from the folder."""
    names = [page.relative_to(site).as_posix() for page in pages]
    return {name: browser.visit(f"{address}/{name}") for name in names}


def wait_for(browser, selector):
    """Wait until a selector matches something, and return it."""
    return browser.wait(lambda: browser.all(selector))


@pytest.mark.parametrize("field", [field.name for field in fields(Visit)])
def test_no_page_has_a_fault(visits, field):
    """Other hosts, errors, raw formulas, stuck sliders, sideways scrolling, accessibility."""
    wrong = {name: getattr(seen, field) for name, seen in visits.items()}
    assert {name: faults for name, faults in wrong.items() if faults} == {}


def test_search_finds_a_word_and_leads_there(browser, address):
    browser.open(f"{address}/book/welcome.html")  # index.html only leads there
    browser.all(".search-button-field")[0].click()
    field = wait_for(browser, "#pst-search-dialog[open] input[type=search]")[0]
    field.send_keys(WORD + Keys.ENTER)
    assert WORD in wait_for(browser, "#search-results li .context")[0].text.lower()
    wait_for(browser, "#search-results li a")[0].click()
    assert wait_for(browser, ".highlighted")  # the word, on the page that was found
    browser.open(f"{address}/search.html?q=pomegranate")
    wait_for(browser, "#search-results .search-summary, #search-results > p")
    assert browser.all("#search-results li") == []
    assert browser.faults() == []


@pytest.mark.parametrize(
    ("page", "box"),
    [("book/activation_gallery", ".side-by-side"), ("notebooks/01_half_moons", ".player")],
)
def test_pictures_play_and_pause(browser, address, page, box):
    browser.open(f"{address}/{page}.html")
    slider, button = (browser.all(f"{box} {name}")[0] for name in ("input", "button"))
    before = browser.run(SHOWN, slider)["picture"]
    button.send_keys(Keys.ENTER)
    browser.wait(lambda: browser.run(SHOWN, slider)["picture"] != before)
    button.send_keys(Keys.ENTER)
    before = browser.run(SHOWN, slider)
    time.sleep(0.5)  # more than three of their frames
    assert browser.run(SHOWN, slider) == before


def test_nothing_moves_for_a_reader_who_asks_for_rest(browser, site, pages):
    """The pages come from a server here, and nothing may fail there, either."""

    def moving(page):
        browser.open(f"{served_site}/{page.relative_to(site).as_posix()}")
        sliders = browser.all("input[type=range]")
        before = [browser.run(SHOWN, slider) for slider in sliders]
        time.sleep(0.5 if sliders else 0)
        names = [slider.get_attribute("aria-label") for slider in sliders]
        now = zip(names, sliders, before, strict=True)
        return browser.run(MOVING) + [
            n for n, slider, old in now if browser.run(SHOWN, slider) != old
        ]

    with served(site) as served_site:
        assert moving(site / "book" / "activation_gallery.html") != []  # its GIFs, for all others
        browser.prefer(reduced_motion="reduce")
        try:
            could_move = [page for page in pages if MAY_MOVE.search(page.read_text("utf-8"))]
            assert collect(could_move, moving) == {}
        finally:
            browser.prefer()
    assert browser.faults() == []


# Sorts the longest table by a column's head, or filters it; returns the cells that are shown.
RUNS = """
const box = document.querySelector("#all-runs-runs"), [column, text] = arguments;
if (column !== null) box.querySelectorAll("thead button")[column].click();
const input = box.querySelector("input");
input.value = text;
input.dispatchEvent(new Event("input"));
return [...box.querySelectorAll("tbody tr")].filter(row => !row.hidden)
  .map(row => [...row.cells].map(cell => cell.textContent));
"""


def test_the_table_of_all_runs_sorts_and_filters(browser, address):
    browser.open(f"{address}/book/all_runs.html?rows=full%20%3Dmoons-published%7C%3Dabsent")
    asked = browser.run(RUNS, None, "full =moons-published|=absent")
    assert browser.all("details[open] #all-runs-runs, #all-runs-runs details[open]")
    assert {row[0] for row in asked} == {"moons-published"} and len(asked) == 50
    shown = browser.run("return document.querySelector('#all-runs-runs output').value")
    assert shown.startswith("50 of ")
    for column in (2, 3):  # seeds and results: as numbers, and what is none comes last
        for reverse in (False, True):
            cells = [row[column] for row in browser.run(RUNS, column, "moons-")]
            numbers = [float(cell) for cell in cells if re.fullmatch(r"[\d.]+", cell)]
            assert numbers == sorted(numbers, reverse=reverse) and len(set(numbers)) > 10
            assert not any(re.fullmatch(r"[\d.]+", cell) for cell in cells[len(numbers) :])
    assert {row[0] for row in browser.run(RUNS, None, "MOONS-PUB full")} == {"moons-published"}


# ------------------------------------------------------------------ the checks themselves

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="
STUCK = (
    f'<figure class="player"><img src="{PIXEL}" alt="a dot"><img src="{PIXEL}" alt="another">'
    '<input type="range" aria-label="at" max="9" value="0"><output>0</output></figure>'
)
DARK_ON_DARK = (
    "<style>@media (prefers-color-scheme: dark) { body { background: #222 } }</style>"
    '<p style="color: #111">dark</p>'
)
HEAD = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
    '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    "</head><body><main><h1>A page</h1>"
)
FAULTY = {
    "faults": [
        ("<script>console.error('broken')</script>", "broken"),
        ("<script>throw new Error('thrown')</script>", "thrown"),
        ('<img src="https://example.org/x.png" alt="x">', "asks another host: https"),
        ('<link rel="stylesheet" href="//example.com/x.css">', "example.com/x.css"),
        (
            "<script>fetch('https://example.net').catch(e => 0)</script>",
            "host: https://example.net",
        ),
        ("<script>new WebSocket('wss://example.org')</script>", "another host: wss"),
        ('<img src="missing.png" alt="x">', "status 404"),
        ('<img src="data:image/png;base64,AAAA" alt="x">', "no picture"),
    ],
    "raw_maths": [(r'<span class="math">\(x^2\)</span>', r"\(x^2\)")],
    "too_wide": [('<div style="width: 900px">x</div>', '<div style="width: 900px">')],
    "inaccessible": [
        ('<input type="text">', "label (critical) input"),
        (DARK_ON_DARK, "in the dark: color-contrast (serious) p"),
    ],
    "stuck": [(STUCK, "at: the picture did not change"), ("", "2 frames")],
}
FAULTY_IN_A_FOLDER = {
    "faults": [
        ('<img src="https://example.org/x.png" alt="x">', "asks another host"),
        ('<img src="missing.png" alt="x">', "failed (net::ERR_FILE_NOT_FOUND)"),
    ],
    "too_wide": [("<p>" + "long" * 90 + "</p>", "px wide")],
}


@pytest.mark.parametrize("faulty", [FAULTY, FAULTY_IN_A_FOLDER])
def test_what_is_wrong_with_a_page_is_found(browser, tmp_path, faulty):
    contents = [content for faults in faulty.values() for content, _ in faults]
    (tmp_path / "page.html").write_text(HEAD + "".join(contents), encoding="utf-8")
    with served(tmp_path) as address:
        where = address if faulty is FAULTY else tmp_path.as_uri()
        seen = browser.visit(f"{where}/page.html")
    for field in fields(Visit):
        said = "\n".join(getattr(seen, field.name))
        reasons = [reason for _, reason in faulty.get(field.name, ())]
        assert bool(said) == bool(reasons) and all(reason in said for reason in reasons)
