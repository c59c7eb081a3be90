"""The page of the helpers: every module and every public name stands there, with its line."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import public_surface  # noqa: E402

MODULES = public_surface.modules()


def render(folder, page, root=ROOT):
    """Render one page with the extension; return what Sphinx said, and where the page is."""
    (folder / "book").mkdir(parents=True)
    (folder / "book" / "helpers.md").write_text(page, encoding="utf-8")
    for name in ("architecture", "data"):
        (folder / "book" / f"{name}.md").write_text("# Another page\n", encoding="utf-8")
    contents = "# Contents\n```{toctree}\nbook/helpers\nbook/architecture\nbook/data\n```\n"
    (folder / "index.md").write_text(contents, encoding="utf-8")
    lines = [
        f"import sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})",
        "extensions = ['myst_parser', 'public_surface']",
        f"public_surface_root = {str(root)!r}",
        "smartquotes = False",  # lines as they are in the sources
    ]
    (folder / "conf.py").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", str(folder), str(folder / "site")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done, folder / "site" / "book" / "helpers.html"


@pytest.fixture(scope="module")
def soup(tmp_path_factory):
    page = (ROOT / "book" / "helpers.md").read_text(encoding="utf-8")
    done, html = render(tmp_path_factory.mktemp("source") / "book", page)
    assert done.returncode == 0, done.stderr
    return BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")


def plain(text):
    """Return a text without backticks and with straight apostrophes."""
    return text.replace("`", "").replace("\u2019", "'").strip()


def heads(soup):
    """Return the line of every module by its name, and what is folded below it."""
    tags = soup.select("details > summary, p.public-module")
    return {tag.find("code").get_text(): tag for tag in tags}


def test_every_module_is_on_the_page_once_with_its_line(soup):
    shown = heads(soup)
    assert shown.keys() == MODULES.keys()
    assert len(soup.select("details > summary, p.public-module")) == len(MODULES)
    for name, module in MODULES.items():
        assert plain(shown[name].get_text()) == f"{name} {plain(module.summary)}"


def test_every_public_name_is_below_its_module_with_its_line(soup):
    for name, module in MODULES.items():
        tag = heads(soup)[name]
        lines = [plain(item.get_text()) for item in tag.parent.select(".public-names > li")]
        if tag.name == "p":
            lines = []
        assert lines == [
            f"{public}{'' if kind == 'class' else '()'} {plain(summary)}"
            for public, kind, summary in module.names
        ], name


def test_every_line_is_one_short_sentence():
    lines = {name: module.summary for name, module in MODULES.items()}
    for name, module in MODULES.items():
        lines |= {f"{name}.{public}": summary for public, _, summary in module.names}
    assert [name for name, line in lines.items() if not line.endswith(".")] == []
    assert [name for name, line in lines.items() if not 5 < len(line) <= 100] == []


@pytest.mark.parametrize(
    "name", ["helpers.networks.mlp", "helpers.analysis.stats", "data_prep.mnist"]
)
def test_the_names_are_those_that_python_finds(name):
    module = importlib.import_module(name)
    own = {
        public
        for public, value in vars(module).items()
        if not public.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == name
    }
    assert {public for public, _, _ in MODULES[name].names} == own


def test_nothing_is_imported_to_make_the_page():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
        "import public_surface; public_surface.modules()\n"
        "print({'torch', 'numpy', 'helpers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


# ------------------------------------------------------------------ pages that must not build


@pytest.fixture
def package(tmp_path):
    """Write a small package; return a function that renders a page about it."""
    for name in public_surface.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'"""The package {name}."""\n')
    code = '"""A module."""\n\n\ndef shown():\n    """Return <one> with `x`."""\n'
    code += "\n\ndef _hidden():\n    pass\n"
    (tmp_path / "helpers" / "one.py").write_text(code)

    def rendered(*lines):
        page = "\n".join(["# The page", "```{public-surface}", *lines, "```"])
        return render(tmp_path / "book", page, tmp_path)

    return rendered


def test_a_page_with_everything_builds(package):
    done, html = package("helpers*", "data_prep")
    assert done.returncode == 0, done.stderr
    soup = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")
    items = soup.select("details .public-names > li")
    assert [item.get_text().strip() for item in items] == ["shown() Return <one> with x."]
    assert [code.get_text() for code in items[0].select("code")] == ["shown()", "x"]


def test_a_pattern_gathers_what_stands_nowhere_above(package):
    done, html = package("helpers.one", "*")
    assert done.returncode == 0, done.stderr
    soup = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")
    assert list(heads(soup)) == ["helpers.one", "data_prep", "helpers"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["helpers", "data_prep"], "the module helpers.one is listed nowhere"),
        (["helpers*", "helpers.one", "data_prep"], "the module helpers.one is listed 2 times"),
        (["helpers.x*", "*"], "there is no module helpers.x*"),
        (["helpers*", "helpers.two", "data_prep"], "there is no module helpers.two"),
    ],
)
def test_a_page_that_forgets_or_invents_a_module_does_not_build(package, lines, message):
    done, _ = package(*lines)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("x = 1\n", "helpers.two has no docstring"),
        ('"""A module."""\nclass Mute: pass\n', "helpers.two.Mute has no docstring"),
        ('"""A module."""\nasync def mute(): pass\n', "helpers.two.mute has no docstring"),
    ],
)
def test_what_has_no_docstring_is_an_error(package, tmp_path, code, what):
    (tmp_path / "helpers" / "two.py").write_text(code)
    with pytest.raises(ExtensionError, match=what):
        public_surface.modules(tmp_path)
