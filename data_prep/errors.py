"""The errors that a step shows to its user, and printing that cannot fail the work.

Whatever the console can show, and though nobody reads any more.
"""

import os
import sys
from typing import TextIO


class PrepError(Exception):
    """A data set cannot be prepared; the message names the file and the mend, in one line."""

    def __init__(self, message: str):
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Return `text` with an escape sequence for what a terminal would obey or not show."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def make_steady() -> None:
    """Let the console show every character in some way, and a closed one swallow them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        if hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def say(text: str = "", stream: TextIO | None = None, end: str = "\n") -> None:
    """Print at once; where the reader is gone or the disk full, tell so and print no more."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, end=end, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            tell(f"the output cannot be written ({error.strerror}); the work itself is not hurt.")


def tell(sentence: str) -> None:
    """Print a sentence on standard error."""
    say(f"data_prep: {printable(sentence)}", sys.stderr)
