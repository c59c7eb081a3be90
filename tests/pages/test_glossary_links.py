"""A chapter's first use of a term leads to the glossary, and only there is it a link."""

from collections import Counter

FEWEST = 5  # terms that every practice uses


def test_every_practice_leads_to_the_glossary(site, pages, parsed):
    ids = {term["id"] for term in parsed(site / "book" / "glossary.html").select("dt[id]")}
    practices = [page for page in pages if page.name[:2].isdigit()]
    assert practices
    for page in practices:
        targets = [link["href"] for link in parsed(page).select("a.term")]
        assert len(targets) >= FEWEST
        assert max(Counter(targets).values()) == 1
        assert {target.partition("#")[2] for target in targets} <= ids
        assert not parsed(page).select(":is(h1, h2, h3, pre, code, figcaption) a.term")
