"""The page of the helpers: every module and every public name stands there, with its line."""

import public_surface
import pytest

MODULES = public_surface.modules()


@pytest.fixture(scope="module")
def soup(site, parsed):
    return parsed(site / "book" / "helpers.html")


def plain(text):
    """Return a text without backticks and with straight quotes."""
    typed = {"`": "", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
    return text.translate(str.maketrans(typed | {"–": "--", "…": "..."})).strip()


def test_every_module_and_public_name_is_on_the_page_with_its_line(soup):
    shown = {}
    for tag in soup.select("details > summary, p.public-module"):
        names = tag.parent.select(".public-names > li") if tag.name == "summary" else []
        assert tag.find("code").get_text() not in shown
        shown[tag.find("code").get_text()] = [plain(part.get_text()) for part in (tag, *names)]
    assert shown == {
        name: [f"{name} {plain(module.summary)}"] + [
            f"{public}{'' if kind == 'class' else '()'} {plain(summary)}"
            for public, kind, summary in module.names
        ]
        for name, module in MODULES.items()
    }  # fmt: skip
