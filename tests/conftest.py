"""What tests share: no window opens; the book is rendered once, and one browser opened."""

import os
from functools import cache

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib

import pytest
from browser import Browser, find_browser
from bs4 import BeautifulSoup
from rendered import pages_of_the_contents, rendered_book

import helpers  # noqa: F401 - before any test imports torchvision


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return rendered_book(lambda: tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def pages(site):
    found = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    assert {site / name for name in pages_of_the_contents()} <= {*found}
    return found


@pytest.fixture(scope="session")
def parsed():
    """What parses a page, each once."""
    return cache(lambda path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium; without one, what needs it is skipped visibly."""
    found = find_browser()
    if found is None:
        pytest.skip(
            "no Chromium and chromedriver on the PATH: install them to test pages and notebooks in "
            "a browser (on Debian: apt install chromium chromium-driver)"
        )
    browser = Browser(*found, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()
