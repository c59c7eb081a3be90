"""Printing that cannot fail the work: whatever the console, and though nobody reads any more."""

import os
import sys
from typing import TextIO

from data_prep.errors import printable


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
