"""A Sphinx extension: the directive `public-surface`, which lists what modules offer.

Its content are names of modules, one a line, or patterns such as `helpers.networks.*`; a pattern
leaves out what stands further up on the page, so that a last `*` gathers the rest. Of each module
it shows the first sentence of the docstring, and folded below it every public function and class
with its own. All of it is read from the source files; nothing is imported. A module that is
listed nowhere, or twice, is a warning, and so stops the build of the book.
"""

import ast
import fnmatch
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("data_prep", "helpers")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Module:
    """What the page says of one module.

    Attributes
    ----------
    name : as it is imported.
    path : of its source file.
    summary : the first sentence of its docstring.
    names : list of (name, kind, summary), kind being "function" or "class".
    """

    name: str
    path: Path
    summary: str
    names: list


def modules(root=ROOT, packages=PACKAGES):
    """Return every module below some packages by its name, as dict str -> Module.

    Parameters
    ----------
    root : Path
        The folder in which the packages are.
    packages : sequence of str

    Raises
    ------
    ExtensionError
        If a module, or something public in it, has no docstring.
    """
    paths = [path for package in packages for path in sorted((Path(root) / package).rglob("*.py"))]
    return {_name(path, root): read(_name(path, root), path) for path in paths}


def _name(path, root):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(name, path):
    """Return what the page says of the module in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = {ast.FunctionDef: "function", ast.AsyncFunctionDef: "function", ast.ClassDef: "class"}
    public = [node for node in tree.body if type(node) in kinds and not node.name.startswith("_")]
    return Module(
        name, path, _summary(tree, name),
        [(node.name, kinds[type(node)], _summary(node, f"{name}.{node.name}")) for node in public],
    )  # fmt: skip


def _summary(node, name):
    """Return the first paragraph of a docstring in one line."""
    paragraph = (ast.get_docstring(node) or "").split("\n\n")[0]
    if not paragraph:
        raise ExtensionError(f"{name} has no docstring: say in one line what it is for")
    return " ".join(paragraph.split())


class PublicSurface(SphinxDirective):
    """Lists modules and what is public in them, folded."""

    has_content = True

    def run(self):
        """Return a folded list for each module."""
        known = modules(self.config.public_surface_root)
        shown = []
        for line in filter(None, map(str.strip, self.content)):
            found = fnmatch.filter(known, line)
            if not found:
                raise self.error(f"there is no module {line}")
            above = listed(self.env).setdefault(self.env.docname, [])
            if "*" in line:
                found = [name for name in found if name not in above]
            above += found
            for name in found:
                self.env.note_dependency(str(known[name].path))
                shown += folded(known[name])
        return shown


def folded(module):
    """Return the nodes of one module: its name and summary, and below them its public names."""
    head = f"<code>{escape(module.name)}</code> {_html(module.summary)}"
    if not module.names:
        return [_raw(f'<p class="public-module">{head}</p>')]
    entries = nodes.bullet_list(classes=["public-names"])
    for name, kind, summary in module.names:
        written = name if kind == "class" else f"{name}()"
        line = nodes.paragraph("", "", nodes.literal(written, written), nodes.Text(" "))
        line += _inline(summary)
        entries += nodes.list_item("", line)
    return [_raw(f"<details><summary>{head}</summary>"), entries, _raw("</details>")]


def _raw(html):
    return nodes.raw("", html, format="html")


def _parts(text):
    """Split a line of a docstring into (text, whether it stands between backticks)."""
    split = re.split(r"`+([^`]+)`+", text)
    return [(part, place % 2 == 1) for place, part in enumerate(split) if part]


def _html(text):
    return "".join(
        f"<code>{escape(part)}</code>" if code else escape(part.replace("'", "\u2019"), quote=False)
        for part, code in _parts(text)
    )  # with the apostrophe that Sphinx gives the other lines


def _inline(text):
    return [nodes.literal(part, part) if code else nodes.Text(part) for part, code in _parts(text)]


def listed(env):
    """Return which modules each page lists, as dict page -> list of names."""
    if not hasattr(env, "public_surface"):
        env.public_surface = {}
    return env.public_surface


def forget(app, env, docname):
    """Forget what a page listed, before it is read again."""
    listed(env).pop(docname, None)


def merge(app, env, docnames, other):
    """Take over what pages list that another process has read."""
    listed(env).update({page: names for page, names in listed(other).items() if page in docnames})


def check_that_all_are_listed(app, env):
    """Warn of modules that the pages do not list, or list twice."""
    for warning in forgotten(env, app.config):
        logger.warning(warning)


def forgotten(env, config):
    """Return a sentence for each module that the pages do not list, or list twice."""
    names = [name for page in listed(env).values() for name in page]
    times = {name: names.count(name) for name in modules(config.public_surface_root)}
    return [
        f"the module {name} is listed {f'{n} times' if n else 'nowhere'}: name it once in "
        "public-surface"
        for name, n in times.items()
        if n != 1
    ]


def setup(app):
    """Register the directive with Sphinx, and the check that no module is forgotten."""
    app.add_config_value("public_surface_root", str(ROOT), "env")
    app.add_directive("public-surface", PublicSurface)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-check-consistency", check_that_all_are_listed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
