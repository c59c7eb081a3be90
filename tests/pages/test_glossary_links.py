"""A chapter's first use of a term leads to the glossary, and only there is it a link."""

import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "_ext"
sys.path.insert(0, str(EXTENSIONS))

from glossary_links import link_terms, term_pattern  # noqa: E402

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


def test_it_is_sought_in_the_whole_chapter():
    assert len(linked(nodes.paragraph("", "an epoch"), nodes.paragraph("", "an epoch"))) == 1


@pytest.mark.parametrize("kind", [nodes.title, nodes.literal_block, nodes.caption])
def test_headings_code_and_captions_stay_as_they_are(kind):
    assert linked(kind("", "one epoch")) == []


def test_links_and_code_in_a_sentence_stay_as_they_are():
    code, link = nodes.literal("", "epoch"), nodes.reference("", "epoch", refuri="elsewhere")
    assert linked(nodes.paragraph("", "", code, link)) == [("epoch", "elsewhere")]


def test_everyday_words_and_other_pages_are_left_alone():
    assert linked(nodes.paragraph("", "a cat's head")) == []
    assert linked(nodes.paragraph("", "an epoch"), page="book/data") == []


def test_capitals_count_where_the_term_has_them():
    text = nodes.paragraph("", "Two maps, and their mAP.")
    assert [word for word, _ in linked(text, terms=["mAP"])] == ["mAP"]


@pytest.mark.parametrize("word", ["epochal", "sub-epoch", "epoch-wise"])
def test_only_whole_words_are_terms(word):
    assert term_pattern(["epoch"]).search(word) is None


def test_every_practice_leads_to_the_glossary(site, pages, parsed):
    ids = {term["id"] for term in parsed(site / "book" / "glossary.html").select("dt[id]")}
    practices = [page for page in pages if page.name[:2].isdigit()]
    assert practices
    for page in practices:
        targets = [link["href"] for link in parsed(page).select("a.term")]
        assert len(targets) >= FEWEST
        assert max(Counter(targets).values()) == 1
        assert {target.partition("#")[2] for target in targets} <= ids
