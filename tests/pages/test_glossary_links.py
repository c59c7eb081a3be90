"""A chapter's first use of a term leads to the glossary, and only there is it a link."""

from collections import Counter
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from glossary_links import link_terms

FEWEST = 5  # terms that every practice uses


def application(terms):
    objects = {("term", term): ("book/glossary", f"term-{term}") for term in terms}
    return SimpleNamespace(
        env=SimpleNamespace(domains={"std": SimpleNamespace(objects=objects)}),
        builder=SimpleNamespace(get_relative_uri=lambda page, place: f"../{place}.html"),
    )


def linked(*blocks, page="notebooks/01", terms=("epoch", "learning rate", "rate", "head")):
    document = new_document("a chapter")
    document += blocks
    link_terms(application(terms), document, page)
    return [(link.astext(), link["refuri"]) for link in document.findall(nodes.reference)]


def test_the_first_use_is_a_link():
    text = nodes.paragraph("", "Learning rates are small; a learning rate, in two Epochs.")
    assert linked(text) == [
        ("Learning rates", "../book/glossary.html#term-learning rate"),
        ("Epochs", "../book/glossary.html#term-epoch"),
    ]
    assert text.astext() == "Learning rates are small; a learning rate, in two Epochs."


@pytest.mark.parametrize("kind", [nodes.title, nodes.literal_block, nodes.caption, nodes.literal])
def test_headings_code_and_captions_stay_as_they_are(kind):
    assert linked(nodes.paragraph("", "", kind("", "one epoch"))) == []


def test_everyday_words_and_parts_of_others_are_no_terms():
    text = nodes.paragraph("", "a cat's head on maps is epochal, in each sub-epoch, epoch-wise")
    assert linked(text, terms=["epoch", "head", "mAP"]) == []


def test_every_practice_leads_to_the_glossary(site, pages, parsed):
    ids = {term["id"] for term in parsed(site / "book" / "glossary.html").select("dt[id]")}
    practices = [page for page in pages if page.name[:2].isdigit()]
    assert practices
    for page in practices:
        targets = [link["href"] for link in parsed(page).select("a.term")]
        assert len(targets) >= FEWEST
        assert max(Counter(targets).values()) == 1
        assert {target.partition("#")[2] for target in targets} <= ids
