"""The preparation steps by name. A new data set is a class like `Mnist` and a line here."""

import argparse
from pathlib import Path
from typing import Protocol

from data_prep.features import Features
from data_prep.mnist import Mnist
from data_prep.own_photographs import Photographs
from data_prep.tiny_voc import TinyVoc
from data_prep.toy_step import ToyVoc


class Step(Protocol):
    """What the command line asks of a data set.

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

    def with_options(self, options: argparse.Namespace) -> "Step":
        """Return the step that these options ask for, or raise PrepError."""

    def is_there(self, folder: Path) -> bool:
        """Tell whether anything of the data set has been prepared in `folder`."""

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for everything that is wrong in `folder`."""

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Prepare the data set in `folder`, or raise PrepError; False if nothing was to do."""

    def summary(self, folder: Path) -> str:
        """Return a table of what was prepared."""

    def sample(self, folder: Path) -> Path:
        """Return the path of the sample picture."""


STEPS: dict[str, Step] = {
    step.name: step for step in (Mnist(), TinyVoc(), ToyVoc(), Features(), Photographs())
}
