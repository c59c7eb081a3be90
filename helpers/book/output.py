"""Sentences with computed numbers, source code in the text, and the verdicts' boxes.

What the notebooks show here reads the same in Jupyter Lab and in the built book.
"""

import html
import inspect
import textwrap

from IPython.display import Markdown

from helpers.book.animation import Html
from helpers.claims.course import CLAIMS, VERDICTS


def say(*paragraphs):
    """Show paragraphs of Markdown, usually f-strings with numbers computed from records."""
    return Markdown("\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs))


def source(*functions):
    """Show the source code of functions, without docstrings and the formatter's marks.

    Parameters
    ----------
    *functions : functions or methods of this project

    Returns
    -------
    Markdown
    """
    return Markdown("```python\n" + "\n\n".join(map(_without_docstring, functions)) + "\n```")


def _without_docstring(function):
    code = textwrap.dedent(inspect.getsource(function)).rstrip().replace("  # fmt: skip", "")
    start = code.find('"""')
    if start < 0:
        return code
    end = code.index('"""', start + 3) + 3
    before, after = code[:start].rstrip(), code[end:].lstrip("\n")
    return f"{before}\n{after}"


#: The theme's kind of box for each verdict: green, orange, red, and blue for what can't be told.
BOXES = dict(zip(VERDICTS, ("tip", "attention", "danger", "note"), strict=True))


def verdict(claim, answer, why):
    """Show a box with a claim of the original course and what came of it.

    Parameters
    ----------
    claim : str
        Its number, a key of `helpers.claims.course.CLAIMS`.
    answer : str
        One of `helpers.claims.course.VERDICTS`.
    why : str
        The evidence, in a sentence or two.

    Returns
    -------
    Html

    Raises
    ------
    KeyError
        If there is no such claim.
    ValueError
        If `answer` is none of the verdicts.
    """
    if claim not in CLAIMS:
        raise KeyError(f"unknown claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    if answer not in VERDICTS:
        raise ValueError(f"unknown verdict {answer!r}: choose one of {', '.join(VERDICTS)}")
    why = " ".join(why.split())
    return Html(
        f'<div class="admonition {BOXES[answer]}">\n'
        f'<p class="admonition-title">{claim}: {html.escape(answer)}</p>\n'
        f"<p><em>The claim: {html.escape(CLAIMS[claim])}</em></p>\n"
        f"<p>{html.escape(why)}</p>\n</div>",
        f"{claim}: {answer}. {why}",
    )
