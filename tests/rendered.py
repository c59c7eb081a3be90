"""The rendered book that tests look at: what it is made from, its pages, and making it."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sources():
    """Every file that the rendered book is made from."""
    kept = [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "requirements.txt"]
    for folder in ("book", "notebooks", "helpers", "data_prep", "benchmarks", "runs"):
        kept += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in kept if not {"__pycache__", ".ipynb_checkpoints"} & {*path.parts}]


def pages_of_the_contents():
    """The site's path of every page that _toc.yml names."""
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    names = re.findall(r"^[\s-]*(?:root|file): *(\S+)", contents, re.MULTILINE)
    return [re.sub(r"\.(md|ipynb)$", "", name) + ".html" for name in names]


def rendered_book(make_folder):
    """Return the folder of the rendered book.

    The book that `make book` left is used if it is newer than everything it was made from;
    otherwise it is rendered into the folder that `make_folder()` returns, with warnings as
    errors.
    """
    built = ROOT / "_build" / "html"
    index = built / "index.html"
    if index.is_file() and index.stat().st_mtime > max(p.stat().st_mtime for p in sources()):
        return built
    folder = make_folder()
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    command += [str(ROOT), "--path-output", str(folder), "--all", "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"the book does not build:\n{done.stdout}\n{done.stderr}"
    return folder / "_build" / "html"


def collect(pages, check):
    """Apply a check to every page, and keep what it finds under the page's folder and name."""
    found = {"/".join(page.parts[-2:]): check(page) for page in pages}
    return {name: faults for name, faults in found.items() if faults}
