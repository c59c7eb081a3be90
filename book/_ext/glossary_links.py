"""A Sphinx extension: the first use of a glossary's term in a chapter links to the glossary.

The chapters' sources stay free of it, so that they read as well in Jupyter Lab.
"""

import re

from docutils import nodes

CHAPTERS = "notebooks/"
#: Terms whose words are also everyday ones in the chapters.
EVERYDAY = {"embedded", "head", "mask", "precision", "record"}
#: Where a link would stand in another, or break what is quoted or counted.
ELSEWHERE = (
    nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.caption, nodes.table,
    nodes.math, nodes.math_block, nodes.raw, nodes.image,
)  # fmt: skip


def setup(app):
    """Link the terms when all pages are read and the glossary is known."""
    app.connect("doctree-resolved", link_terms)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def link_terms(app, doctree, page):
    """Turn the first use of each term in a chapter's running text into a link."""
    if not page.startswith(CHAPTERS):
        return
    targets = {
        term: (place, anchor)
        for (kind, term), (place, anchor) in app.env.domains["std"].objects.items()
        if kind == "term" and term not in EVERYDAY
    }
    if not targets:
        return
    pattern = term_pattern(targets)
    for text in list(doctree.findall(nodes.Text)):
        if targets and not inside(text, ELSEWHERE) and inside(text, (nodes.paragraph,)):
            linked = link_text(app, page, text.astext(), pattern, targets)
            if len(linked) > 1:
                text.parent.replace(text, linked)


def term_pattern(terms):
    """Return what finds a term, its plural included, as whole words; the longest ones first.

    A term with capitals, such as mAP, is found only so.
    """
    longest_first = sorted(terms, key=len, reverse=True)
    words = [
        re.escape(term) if has_capitals(term) else f"(?i:{re.escape(term)})"
        for term in longest_first
    ]
    return re.compile(rf"(?<![\w-])({'|'.join(words)})(s|es)?(?![\w-])")


def has_capitals(term):
    """Whether a term is written with capitals wherever it stands."""
    return term != term.lower()


def inside(node, kinds):
    """Whether a node is within one of some kinds."""
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def link_text(app, page, text, pattern, targets):
    """Cut a text at the terms that are not linked yet, and take these off `targets`.

    Returns
    -------
    list of nodes
        Text and links in turn; the text alone if there is no such term.
    """
    found, end = [], 0
    for match in pattern.finditer(text):
        term = match[1] if match[1] in targets else match[1].lower()
        if term not in targets:
            continue
        place, anchor = targets.pop(term)
        address = f"{app.builder.get_relative_uri(page, place)}#{anchor}"
        link = nodes.reference("", "", internal=True, refuri=address, classes=["term"])
        link += nodes.inline("", match[0])
        found += [nodes.Text(text[end : match.start()]), link]
        end = match.end()
    return [*found, nodes.Text(text[end:])]
