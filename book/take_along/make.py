"""The book to take along: one EPUB or one PDF, made from the pages that `make book` left.

    python book/take_along/make.py epub
    python book/take_along/make.py pdf

The EPUB has the chapters and the evidence; the PDF, which Chromium prints, the chapters.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

import yaml
from bs4 import BeautifulSoup, Comment
from jinja2 import Environment, FileSystemLoader
from latex2mathml.converter import convert
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SITE = ROOT / "_build" / "html"
TEMPLATES = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
STYLE = "a11y-high-contrast-light"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
         ".webp": "image/webp", ".svg": "image/svg+xml"}  # fmt: skip
#: What only a browser or a kernel can do, or what repeats a notebook: code that only draws.
GONE = ("script", "style", "button", "input", "a.headerlink", "details.above-input",
        ".only-on-site", "img[hidden]", "p.collapsed", "p.expanded", "colgroup",
        "#contents", "#take-it-along")  # fmt: skip
#: Pages to play with, and those for maintainers; of the PDF also a part of the contents.
LEFT_OUT = ("book/activation_gallery", "book/all_runs", "book/architecture", "book/helpers")
LEFT_OUT = {"epub": LEFT_OUT, "pdf": ("Evidence", *LEFT_OUT)}
#: In the welcome page, where the links to the files go.
PLACE = '<p id="take-along">'
PLAY = "On the book's site this is something to play with."


class NotMade(Exception):
    """There is nothing to make the book from, or nothing to make it with."""


@dataclass
class Chapter:
    """A page of the site: its path without ending, its title, and its `article`, cleaned."""

    name: str
    title: str
    body: BeautifulSoup
    part: str | None
    place: int  # of its part

    @property
    def anchor(self):
        """Its name as a file's or a place's."""
        return self.name.replace("/", "-")

    @property
    def properties(self):
        """What a reader of EPUBs must know of it before opening it."""
        tags = {"mathml": "math", "svg": "svg"}
        return " ".join(name for name, tag in tags.items() if self.body.find(tag))


def chapters(site, left_out=()):
    """Return the chapters of the contents, in order, but for some parts or pages."""
    contents = read_yaml("_toc.yml")
    parts = [(None, [contents["root"]])]
    parts += [(p["caption"], [entry["file"] for entry in p["chapters"]]) for p in contents["parts"]]
    found = []
    for place, (part, names) in enumerate(parts):
        for name in names:
            if {part, name} & {*left_out}:
                continue
            path = site / f"{name}.html"
            if not path.is_file():
                raise NotMade(f"{path} is missing: make book")
            page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            body = cleaned(page.select_one("article.bd-article"))
            found.append(Chapter(name, body.h1.get_text().strip(), body, part, place))
    return found


def read_yaml(name):
    """Return what a YAML file of the project says."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def cleaned(body):
    """Take out of an article what paper can't do; animations stand still."""
    for picture in body.select("picture"):  # the still, which is for reduced motion
        picture.img["src"] = picture.source["srcset"]
        picture.replace_with(picture.img)
    for widget in body.select("[data-widget]"):
        widget.replace_with(BeautifulSoup(f"<p><em>{PLAY}</em></p>", "html.parser"))
    for selector in GONE:
        for element in body.select(selector):
            element.decompose()
    for comment in body.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for details in body.select("details"):
        details.name = "div"
    for summary in body.select("summary"):
        summary.decompose() if not summary.get_text(strip=True) else setattr(summary, "name", "p")
    for drawing in body.select("svg"):
        drawing["xmlns"] = "http://www.w3.org/2000/svg"
        drawing["viewBox"] = drawing.attrs.pop("viewbox")  # the parser's small letters
    for element in body.find_all(True):
        for name in [n for n in element.attrs if n.startswith(("on", "data-", "aria-"))]:
            del element[name]
        if element.name in ("td", "th", "table", "output"):
            for name in ("valign", "align", "border", "for"):
                element.attrs.pop(name, None)
    return body


def relink(all_chapters, address):
    """Let links lead to `address(chapter, fragment)`; what is not in the book is no link."""
    known = {chapter.name: chapter for chapter in all_chapters}
    for chapter in all_chapters:
        for link in chapter.body.select("a[href]"):
            href = link["href"]
            if re.match(r"[a-z]+:", href):
                continue
            path, _, fragment = href.partition("#")
            name = resolve(chapter.name, path).removesuffix(".html") if path else chapter.name
            target = known.get(name)
            if target and (not fragment or target.body.find(id=fragment)):
                link["href"] = address(target, fragment)
            else:
                link.unwrap()


def resolve(page, path):
    """Return a path that is relative to a page as one that is relative to the site."""
    parts = list(PurePosixPath(page).parent.parts)
    for part in PurePosixPath(unquote(path)).parts:
        parts.pop() if part == ".." else parts.append(part)
    return "/".join(parts)


def facts():
    """Return what both books say of themselves."""
    config = read_yaml("_config.yml")
    colours = HtmlFormatter(style=STYLE).get_style_defs(".highlight")
    return {"title": config["title"], "author": config["author"], "pygments": colours}


# ---------------------------------------------------------------------------------- EPUB


def make_epub(found, site, target):
    """Write chapters of a site as one EPUB 3."""
    relink(found, lambda to, place: f"{to.anchor}.xhtml" + (place and f"#{place}"))
    images = {}
    for chapter in found:
        set_mathml(chapter.body)
        for image in chapter.body.select("img[src]"):
            image["src"] = keep_image(image["src"], chapter.name, site, images)
    said = facts() | {
        "chapters": found, "images": images, "types": TYPES,
        "modified": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "identifier": uuid5(NAMESPACE_URL, "deep-learning-in-practice"),
    }  # fmt: skip
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        book.writestr("META-INF/container.xml", fill("container.xml"))
        for name in ("content.opf", "nav.xhtml", "book.css"):
            book.writestr(name, fill(name, **said))
        for chapter in found:
            body = chapter.body.decode(formatter="minimal")
            page = fill("chapter.xhtml", chapter=chapter, body=body)
            book.writestr(f"{chapter.anchor}.xhtml", page)
        for name, content in images.items():
            book.writestr(f"images/{name}", content)


def fill(template, **what):
    """Return a template's text with what it asks for."""
    return TEMPLATES.get_template(template).render(what)


def set_mathml(body):
    """Turn the formulas of an article, TeX in elements of the class `math`, into MathML."""
    for formula in body.select(".math"):
        tex = re.sub(r"^\\[(\[]|\\[)\]]$", "", formula.get_text().strip())
        display = "block" if formula.name == "div" else "inline"
        formula.replace_with(BeautifulSoup(convert(tex, display=display), "html.parser").math)


def keep_image(source, page, site, images):
    """Add an image to `images`, name -> bytes, and return its path in the EPUB."""
    if source.startswith("data:"):
        kind, _, text = source.removeprefix("data:").partition(";base64,")
        content = b64decode(unquote(text))
        ending = next(ending for ending, known in TYPES.items() if known == kind)
        name = hashlib.sha256(content).hexdigest()[:20] + ending
    else:
        path = site / resolve(page, source)
        content, name = path.read_bytes(), path.name
    images[name] = content
    return f"images/{name}"


# ----------------------------------------------------------------------------------- PDF


def make_pdf(found, site, target):
    """Let Chromium print the chapters as one PDF, with contents, bookmarks and page numbers."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise NotMade("no Chromium or Chrome on the PATH: install one to print the book as a PDF")
    relink(found, lambda to, place: f"#{to.anchor}" + (place and f"--{place}"))
    for chapter in found:
        for element in chapter.body.select("[id]"):
            element["id"] = f"{chapter.anchor}--{element['id']}"
        for image in chapter.body.select("img[src]"):
            if not image["src"].startswith("data:"):
                image["src"] = (site / resolve(chapter.name, image["src"])).as_uri()
    mathjax = (site / "_static" / "mathjax" / "tex-svg-full.js").as_uri()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "book.html"
        page = fill("book.html", **facts(), chapters=found, mathjax=mathjax)
        source.write_text(page, encoding="utf-8")
        command = [
            browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile", "--generate-pdf-document-outline",
            "--virtual-time-budget=120000", f"--print-to-pdf={target}", source.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode or not target.is_file():
        raise NotMade(f"Chromium did not print the book: {done.stderr[-1000:]}")


MAKERS = {"epub": make_epub, "pdf": make_pdf}


def main(kind, site=SITE):
    """Add the book of one kind to the site, and a link to it; say what is missing."""
    target = site / f"deep-learning-in-practice.{kind}"
    try:
        MAKERS[kind](chapters(site, LEFT_OUT[kind]), site, target)
    except NotMade as error:
        print(f"take_along: {error}", file=sys.stderr)
        return 2
    size = f"{target.stat().st_size / 1e6:.0f} MB"
    welcome = site / "book" / "welcome.html"
    link = f' <a href="../{target.name}">{kind.upper()} ({size})</a>'
    page = welcome.read_text(encoding="utf-8")
    if target.name not in page:
        welcome.write_text(page.replace(PLACE, PLACE + link), encoding="utf-8")
    print(f"The book is at {target} ({size}).")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=MAKERS)
    sys.exit(main(parser.parse_args().kind))
