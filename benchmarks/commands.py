"""What the measurements' commands share: numbers as arguments."""

import argparse


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
