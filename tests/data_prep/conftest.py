"""What the tests of the preparation share."""

import functools
import shutil

import pytest
from PIL import Image

from data_prep.command_line import main
from data_prep.tiny_voc import TinyVoc
from data_prep.toy_voc import draw_scene
from data_prep.voc_lists import mask_picture
from data_prep.voc_scenes import TINY_VOC

SIDES = ((96, 128), (128, 96), (112, 128), (128, 128))  # of scenes: height and width, by turns


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
    """Scenes of Toy-VOC in Tiny-VOC's layout: ten to train on and four for validation."""
    folder = tmp_path_factory.mktemp("drawn")
    for name in ("JPEGImages", "Annotations", "ImageSets"):
        (folder / name).mkdir()
    for index in range(14):
        scene = draw_scene(index, *SIDES[index % len(SIDES)])
        Image.fromarray(scene.image).save(folder / "JPEGImages" / f"{index:05d}.jpg", quality=95)
        mask = mask_picture(scene.mask, TINY_VOC.colours)
        mask.save(folder / "Annotations" / f"{index:05d}.png")
    for split, ids in (("train", range(10)), ("val", range(10, 14))):
        (folder / "ImageSets" / f"{split}.txt").write_text("".join(f"{i:05d}\n" for i in ids))
    return folder


@pytest.fixture
def source(tmp_path, drawn):
    """A folder in Tiny-VOC's layout, to be spoiled."""
    return shutil.copytree(drawn, tmp_path / "source")


@pytest.fixture
def run(command):
    """Run the command line on Tiny-VOC in this process: (status, stdout, stderr)."""
    return functools.partial(command, [TinyVoc()])


@pytest.fixture
def prepare(run, tmp_path):
    """Prepare with one process at 16 pixels, unless more is said."""

    def prepare(source, *more, dest=tmp_path / "data"):
        return run("tiny-voc", "--source", source, "--dest", dest, "--size", 16, "--jobs", 1, *more)

    return prepare
