"""What the command line asks of a data set that can be prepared.

A new data set is a class like `data_prep.mnist.Mnist`, and a name in `data_prep.command_line`.
"""

import argparse
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

from data_prep.errors import PrepError
from data_prep.sums import SUMS

SAMPLE = "sample.png"
SIZES = range(16, 513)


class Step:
    """A data set, as a dataclass whose fields are what its command lets a user choose.

    Attributes
    ----------
    name : str
        Its command, and the name of its folder below the folder of data sets.
    title : str
        One line for the help.
    usage : str
        The command with the options that it needs; what the user knows is in capitals.
    """

    name: str
    title: str
    usage: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the step's own options to its command, ``--source`` among them if it has one."""

    def with_options(self, options: argparse.Namespace) -> Self:
        """Return the step that these options ask for, or raise PrepError."""
        chosen = {field.name for field in fields(self)} & vars(options).keys()
        return replace(self, **{name: getattr(options, name) for name in chosen})

    def is_there(self, folder: Path) -> bool:
        """Tell whether anything of the data set has been prepared in `folder`."""
        return (folder / SUMS).exists()

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for everything that is wrong in `folder`."""
        raise NotImplementedError

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Prepare the data set in `folder`, or raise PrepError; False if nothing was to do.

        What a user named with ``--source`` is None where nothing was named.
        """
        raise NotImplementedError

    def summary(self, folder: Path) -> str:
        """Return a table of what was prepared."""
        raise NotImplementedError

    def sample(self, folder: Path) -> Path:
        """Return the path of the sample picture."""
        return folder / SAMPLE


@dataclass(frozen=True)
class SizedStep(Step):
    """A data set of squares, of a size that a user chooses.

    Attributes
    ----------
    size : int
        Height and width in pixels. PrepError if it is not in `SIZES`, wherever it comes from.
    """

    size: int = 224

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--size``."""
        about = "height and width of the images (default: %(default)s)"
        parser.add_argument("--size", type=int, default=self.size, metavar="PIXELS", help=about)

    def __post_init__(self):
        """Refuse other sizes."""
        if self.size not in SIZES:
            raise PrepError(
                f"--size {self.size} is not from {SIZES.start} to {SIZES.stop - 1} pixels; "
                "choose another."
            )
