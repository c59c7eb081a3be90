"""Open every page of the book in a real browser, from a server and from the folder, offline.

Nothing may be asked of another host, and everything must work: formulas, players, search.
The checks themselves are tried on pages made to fail them.
"""

import re
import time
from dataclasses import fields
from itertools import count

import numpy as np
import pytest
from browser import FADES, MOVING, PATIENCE, PHONE, SHOWN, Visit, served, small_page
from rendered import collect, pages_of_the_contents
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from helpers.book.output import player, show_animation
from helpers.book.thresholds import threshold_panel

WORD = "softmax"  # what the search is tried with
MAY_MOVE = re.compile(r'image/gif|\.gif|type="range"|<video|@keyframes')


@pytest.fixture(scope="module")
def served_site(site):
    with served(site) as address:
        yield address


@pytest.fixture(scope="module", params=["http", "file"])
def address(request, site):
    """Where the site's folder is, for a reader with a server and for one without."""
    if request.param == "file":
        return site.resolve().as_uri()
    return request.getfixturevalue("served_site")


@pytest.fixture(scope="module")
def visits(browser, served_site, site, pages):
    """What is wrong with each page opened from the folder; some are opened over a server, too."""
    names = [page.relative_to(site).as_posix() for page in pages]
    found = {name: browser.visit(f"{site.resolve().as_uri()}/{name}") for name in names}
    for name in ("book/welcome.html", "book/all_runs.html", "notebooks/01_half_moons.html"):
        found[f"http: {name}"] = browser.visit(f"{served_site}/{name}", accessibility=False)
    return found


def wait_for(browser, selector):
    """Wait until a selector matches something, and return it."""
    return WebDriverWait(browser.driver, PATIENCE).until(lambda _: browser.all(selector))


# ------------------------------------------------------------------ the rendered book


@pytest.mark.parametrize("field", [field.name for field in fields(Visit)])
def test_no_page_has_a_fault(visits, field):
    """Other hosts, errors, raw formulas, stuck sliders, sideways scrolling, accessibility."""
    assert set(pages_of_the_contents()) <= visits.keys()
    wrong = {name: getattr(seen, field) for name, seen in visits.items()}
    assert {name: faults for name, faults in wrong.items() if faults} == {}


def test_a_table_fades_out_where_it_goes_on(browser, served_site):
    boxes = []
    for page in ("notebooks/04_tiny_voc", "book/data"):
        browser.open(f"{served_site}/{page}.html", PHONE)
        boxes += (found := browser.run(FADES))
        assert [True, True] in found
    assert [False, False] in boxes and all(goes_on == fades for goes_on, fades in boxes)


def test_search_finds_a_word_and_leads_there(browser, address):
    browser.open(f"{address}/book/welcome.html")  # index.html only leads there
    browser.all(".search-button-field")[0].click()
    field = wait_for(browser, "#pst-search-dialog[open] input[type=search]")[0]
    field.send_keys(WORD + Keys.ENTER)
    wait_for(browser, "#search-results li a")
    assert browser.driver.current_url.startswith(f"{address}/search.html?q={WORD}")
    titles = wait_for(browser, "#search-results li a")
    assert len(titles) > 1
    titles[0].click()
    assert wait_for(browser, ".highlighted")  # the word, on the page that was found
    browser.open(f"{address}/search.html?q=pomegranate")
    wait_for(browser, "#search-results .search-summary, #search-results > p")
    assert browser.all("#search-results li") == []
    assert browser.faults() == []


def test_the_gallery_plays_and_pauses(browser, address):
    browser.open(f"{address}/book/activation_gallery.html")
    slider, button = (browser.all(f".side-by-side {name}")[0] for name in ("input", "button"))
    before = browser.run(SHOWN, slider)["picture"]
    button.click()
    WebDriverWait(browser.driver, PATIENCE).until(
        lambda _: browser.run(SHOWN, slider)["picture"] != before
    )
    button.click()
    before = browser.run(SHOWN, slider)
    time.sleep(0.5)  # more than three frames
    assert browser.run(SHOWN, slider) == before


def test_nothing_moves_for_a_reader_who_asks_for_rest(browser, served_site, site, pages):
    def moving(page):
        browser.open(f"{served_site}/{page.relative_to(site).as_posix()}")
        sliders = browser.all("input[type=range]")
        before = [browser.run(SHOWN, slider) for slider in sliders]
        time.sleep(0.5 if sliders else 0)
        started = [
            slider.get_attribute("aria-label")
            for slider, shown in zip(sliders, before, strict=True)
            if browser.run(SHOWN, slider) != shown
        ]
        return browser.run(MOVING) + started

    could_move = [page for page in pages if MAY_MOVE.search(page.read_text(encoding="utf-8"))]
    gallery = site / "book" / "activation_gallery.html"
    assert moving(gallery) != []  # its GIFs, for everyone else
    browser.prefer(reduced_motion="reduce")
    try:
        assert collect(could_move, moving) == {}
    finally:
        browser.prefer()


# ------------------------------------------------------------------ pages made for the test

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="


@pytest.fixture(scope="module")
def visit_of(browser, tmp_path_factory):
    """Visit a small page with the given content, by name of the scheme."""
    folder, names = tmp_path_factory.mktemp("made"), (f"{i}.html" for i in count())

    def visit(content, scheme="http", accessibility=False):
        name = next(names)  # a new one each time, which no cache knows
        (folder / name).write_text(small_page(content), encoding="utf-8")
        where = address if scheme == "http" else folder.as_uri()
        return browser.visit(f"{where}/{name}", accessibility)

    with served(folder) as address:
        yield visit


def test_the_helpers_players_and_panels_work(visit_of):
    rng = np.random.default_rng(0)
    frames = rng.integers(256, size=(6, 24, 24, 3), dtype=np.uint8)
    truth = rng.integers(2, size=(40, 3))
    answers = ((truth + rng.random((40, 3))) / 2).round(2)
    shown = [
        player(frames, list("abcdef"), "noise", "A player.", start=-1),
        threshold_panel(answers, truth, ["cat", "car", "bird"], "A panel.", {0: frames[0]}),
        show_animation(frames, "noise", "An animation."),
    ]
    seen = visit_of("\n".join(part._repr_html_() for part in shown), accessibility=True)
    assert {name: faults for name, faults in vars(seen).items() if faults} == {}


# ------------------------------------------------------------------ the checks themselves


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_sound_page_passes(visit_of, scheme):
    sound = visit_of(
        '<p>Text, and <a href="https://example.org">a link</a>.</p>'
        '<div style="overflow-x: auto" tabindex="0"><div style="width: 900px">x</div></div>'
        '<label>size <input type="text"></label>'
        f'<img src="{PIXEL}" alt="a dot"><span class="math"><mjx-container><svg></svg>'
        "</mjx-container></span><script>console.warn('only a warning')</script>",
        scheme,
        accessibility=True,
    )
    assert [fault for faults in vars(sound).values() for fault in faults] == []


STUCK = (
    f'<figure class="player"><img src="{PIXEL}" alt="a dot"><input type="range" aria-label="at" '
    'max="9" value="0" oninput="{handler}"><output>0</output></figure>'
)

DARK_ON_DARK = (
    "<style>@media (prefers-color-scheme: dark) { body { background: #222 } }</style>"
    '<p style="color: #111">dark</p>'
)


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        ("<script>console.error('broken')</script>", "faults", "broken"),
        ("<script>throw new Error('thrown')</script>", "faults", "thrown"),
        ('<img src="https://example.org/x.png" alt="x">', "faults", "asks another host: https"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "faults", "asks another host"),
        ("<script>fetch('https://example.org').catch(e => 0)</script>", "faults", "another host"),
        ("<script>new WebSocket('wss://example.org')</script>", "faults", "another host: wss"),
        ('<img src="missing.png" alt="x">', "faults", "status 404"),
        ('<img src="data:image/png;base64,AAAA" alt="x">', "faults", "no picture"),
        ("<script>fetch('missing.json')</script>", "faults", "status 404"),
        (r'<span class="math">\(x^2\)</span>', "raw_maths", r"\(x^2\)"),
        ('<div style="width: 900px">x</div>', "too_wide", '<div style="width: 900px">'),
        ("<p>" + "long" * 90 + "</p>", "too_wide", "px wide"),
        ('<input type="text">', "inaccessible", "label (critical) input"),
        ('<p style="color: #aaa">pale</p>', "inaccessible", "color-contrast (serious) p"),
        (DARK_ON_DARK, "inaccessible", "in the dark: color-contrast (serious) p"),
        (STUCK.format(handler=""), "stuck", "at: the picture did not change"),
        (STUCK.format(handler="this.nextSibling.value = this.value"), "stuck", "at: the picture"),
        (STUCK.replace("<input", f'<img src="{PIXEL}" alt="y"><input'), "stuck", "2 frames"),
    ],
)
def test_what_is_wrong_with_a_page_is_found(visit_of, content, field, reason):
    seen = visit_of(content, accessibility=field == "inaccessible")
    assert reason in "\n".join(getattr(seen, field))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('<img src="https://example.org/x.png" alt="x">', "asks another host: https"),
        ('<img src="missing.png" alt="x">', "failed (net::ERR_FILE_NOT_FOUND)"),
        ("<script>fetch('other.html')</script>", "Failed to fetch"),
    ],
)
def test_what_is_wrong_without_a_server_is_found(visit_of, content, reason):
    assert reason in "\n".join(visit_of(content, "file").faults)


@pytest.mark.parametrize("url", ["https://example.org/", "http://192.0.2.1/"])
def test_other_hosts_are_out_of_reach(browser, url):
    browser.open("about:blank")
    browser.run("fetch(arguments[0], {mode: 'no-cors'}).catch(() => 0)", url)
    WebDriverWait(browser.driver, PATIENCE).until(
        lambda _: f"failed (net::ERR_NAME_NOT_RESOLVED): {url}" in browser.faults()
    )
