"""Compares the numbers of two built books: whoever rebuilds the code sees what became of each.

    python -m tests.page_numbers _build/html before.json     # extract
    python -m tests.page_numbers before.json after.json      # compare; exit status 1 if they differ

Of each page it takes the rows of every table, and the numbers in the rest of the text, each with
the words around it. Code, folded or not, and navigation are left out.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

from bs4 import BeautifulSoup

NUMBER = re.compile(r"(?<![\w.])[+−-]?\d+(?:[.,]\d+)*(?:e[+−-]?\d+)?%?")
AROUND = 40  # characters of context


def text_of(tag):
    """Return a tag's text with one space between words, and none before a comma or the like."""
    return re.sub(r"\s+([,;:.)])", r"\1", " ".join(tag.get_text(" ").split()))


def numbers_of(html):
    """Return a page's `rows`, the texts of the cells of each, and `numbers`: [number, context]."""
    article = BeautifulSoup(html, "html.parser").find("article")
    if article is None:
        return {"rows": [], "numbers": []}
    for tag in article.select("script, style, svg, math, nav, footer, .cell_input"):
        tag.decompose()
    rows = [[text_of(cell) for cell in row(["td", "th"])]
            for row in article("tr")]  # fmt: skip
    for table in article("table"):
        table.decompose()
    text = text_of(article)
    numbers = [
        [match[0], text[max(0, match.start() - AROUND) : match.end() + AROUND]]
        for match in NUMBER.finditer(text)
    ]
    return {"rows": rows, "numbers": numbers}


def extract(folder):
    """Return `numbers_of` every page of a built book, by its path in the book."""
    pages = sorted(path for path in folder.rglob("*.html") if "_static" not in path.parts)
    return {
        path.relative_to(folder).as_posix(): numbers_of(path.read_text(encoding="utf-8"))
        for path in pages
    }


def differences(before, after):
    """List, as sentences, what one book says and the other does not."""
    found = []
    for page in sorted(before.keys() | after.keys()):
        if page not in before or page not in after:
            found.append(f"{page}: only {'after' if page in after else 'before'}")
            continue
        for kind, key in (("row", " | ".join), ("number", lambda entry: entry[0])):
            old, new = (list(book[page][f"{kind}s"]) for book in (before, after))
            gone = Counter(map(key, old)) - Counter(map(key, new))
            come = Counter(map(key, new)) - Counter(map(key, old))
            for sign, surplus, entries in (("-", gone, old), ("+", come, new)):
                for entry in entries:
                    if surplus[key(entry)] > 0:
                        surplus[key(entry)] -= 1
                        shown = key(entry) if kind == "row" else " in: ".join(entry)
                        found.append(f"{page}: {sign} {kind} {shown}")
    return found


def main(source, target):
    """Extract if `source` is a folder, else compare; return the exit status."""
    if source.is_dir():
        target.write_text(json.dumps(extract(source), ensure_ascii=False), encoding="utf-8")
        return 0
    found = differences(
        *(json.loads(path.read_text(encoding="utf-8")) for path in (source, target))
    )
    print("\n".join(found) or "The numbers of both books are the same.")
    return 1 if found else 0


if __name__ == "__main__":
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("source", type=Path, help="a built book, or the numbers of one")
    parser.add_argument("target", type=Path, help="where they go, or the numbers of another")
    sys.exit(main(**vars(parser.parse_args())))
