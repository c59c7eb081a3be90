"""The page of the helpers: every module and every public name stands there, with its line."""

from types import SimpleNamespace

import public_surface
import pytest
from sphinx.errors import ExtensionError

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


# ------------------------------------------------------------------ pages that must not build


@pytest.fixture
def package(tmp_path):
    """Write a small package."""
    for name in public_surface.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'"""The package {name}."""\n')
    (tmp_path / "helpers" / "one.py").write_text('"""A module."""\n')
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        (["helpers.one", "*"], None),
        (["helpers", "data_prep"], "the module helpers.one is listed nowhere"),
        (["helpers*", "helpers.one", "data_prep"], "the module helpers.one is listed 2 times"),
    ],
)
def test_a_page_that_forgets_or_repeats_a_module_is_found(package, lines, warning):
    env = SimpleNamespace(docname="page", note_dependency=lambda path: None)
    config = SimpleNamespace(public_surface_root=package)
    directive = SimpleNamespace(env=env, config=config, content=lines, error=ExtensionError)
    public_surface.PublicSurface.run(directive)
    warnings = public_surface.forgotten(env, config)
    assert len(warnings) == bool(warning) and all(warning in found for found in warnings)
