"""Computed sentences, listings and verdicts say what they were given."""

import pytest
from bs4 import BeautifulSoup

from helpers import prose
from helpers.course import CLAIMS


def documented(x):
    """Return x.

    Twice, says the docstring.
    """
    # why
    return x


def plain(x):
    return 2*x  # fmt: skip


def test_say_joins_lines_and_parts_paragraphs():
    shown = prose.say(
        """One
        sentence.""",
        "Another.",
    )
    assert shown.data == "One sentence.\n\nAnother."


def test_source_leaves_out_docstrings():
    expected = "def documented(x):\n    # why\n    return x\n\ndef plain(x):\n    return 2*x"
    assert prose.source(documented, plain).data == f"```python\n{expected}\n```"


def test_source_of_a_method_starts_at_the_margin():
    assert prose.source(prose.Html.__repr__).data.startswith("```python\ndef __repr__")


def test_verdict_quotes_the_claim():
    shown = prose.verdict("C1.1", "holds with limits", "In 3 < 4\n  runs.")
    box = BeautifulSoup(shown._repr_html_(), "html.parser")
    title, claim, why = (part.text for part in box.find_all("p"))
    assert title == "C1.1: holds with limits"
    assert CLAIMS["C1.1"] in claim
    assert why == "In 3 < 4 runs."
    assert repr(shown) == "C1.1: holds with limits. In 3 < 4 runs."


def test_verdict_refuses_what_it_does_not_know():
    with pytest.raises(KeyError, match=r"unknown claim 'C9\.9'"):
        prose.verdict("C9.9", "holds", "")
    with pytest.raises(ValueError, match="unknown verdict 'maybe'"):
        prose.verdict("C1.1", "maybe", "")
