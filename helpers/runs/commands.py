"""What commands share: numbers as arguments, and an end with one sentence, not a traceback."""

import argparse
import os
import sys


def whole_number(least=1, most=None, step=1):
    """Return a parser, for argparse, of whole numbers from `least` on.

    Parameters
    ----------
    least, most : int
        The smallest and the largest that are taken; None for any.
    step : int
        Only multiples of it are taken.

    Returns
    -------
    callable
        Raises `argparse.ArgumentTypeError` for anything else.
    """
    wanted = f"from {least} to {most}" if most else f"from {least} on"
    wanted += f", a multiple of {step}" if step > 1 else ""

    def parse(text):
        number = int(text) if text.isdecimal() else -1
        if number < least or (most and number > most) or number % step:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {wanted}")
        return number

    return parse


def exit_status(action, errors, kept, stopped):
    """Do what a command is for, and turn what goes wrong into a sentence.

    Parameters
    ----------
    action : callable
    errors : tuple of exception classes
        Whose message is the sentence.
    kept : str
        What a failure to read or write leaves as it was, such as "what was there before".
    stopped : str
        What to say when the reader stops the command.

    Returns
    -------
    int
        0; 2 if something is wrong; 130 if it was stopped; 1 if nobody reads the output any more.
    """
    try:
        action()
    except errors as error:
        # A KeyError would put its message in quotes.
        print(f"error: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        what = f"{error.filename or 'file'}: {error.strerror or error}"
        print(f"error: {what}; {kept} is intact", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{stopped}", file=sys.stderr)
        return 130
    return 0
