"""What the tests of the preparation share."""

import shutil

import pytest

from data_prep.__main__ import main
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
def scenes(tmp_path, drawn):
    return shutil.copytree(drawn, tmp_path / "source")
