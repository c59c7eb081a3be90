"""The errors that a preparation step shows to its user."""

INTERRUPTED = "interrupted; what was there before is untouched, and the same command goes on."


class PrepError(Exception):
    """A data set cannot be prepared; the message names the file and the mend, in one line."""

    def __init__(self, message: str):
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Return `text` with an escape sequence for what a terminal would obey or not show."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
