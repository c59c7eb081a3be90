"""What the tests of the preparation share."""

import functools
import shutil

import pytest

from data_prep.command_line import main
from data_prep.tiny_voc import TinyVoc
from data_prep.toy_step import ToyVoc


@pytest.fixture
def command(capsys):
    """Run the command line on some steps in this process: (status, stdout, stderr)."""

    def run(steps, *arguments):
        status = main([str(argument) for argument in arguments], steps)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Toy-VOC with ten training and four validation scenes."""
    folder = tmp_path_factory.mktemp("drawn") / "toy-voc"
    ToyVoc({"train": 10, "val": 4}).prepare(None, folder)
    return folder


@pytest.fixture
def source(tmp_path, drawn):
    """A folder in Tiny-VOC's layout, to be spoiled."""
    return shutil.copytree(drawn, tmp_path / "source")


@pytest.fixture
def run(command):
    """Run the command line on Tiny-VOC in this process: (status, stdout, stderr)."""
    return functools.partial(command, {"tiny-voc": TinyVoc()})


@pytest.fixture
def prepare(run, tmp_path):
    """Prepare with one process at 16 pixels, unless more is said."""

    def prepare(source, *more, dest=tmp_path / "data"):
        return run("tiny-voc", "--source", source, "--dest", dest, "--size", 16, "--jobs", 1, *more)

    return prepare
