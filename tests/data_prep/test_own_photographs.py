"""One's own photographs and a list of what they show: to features, targets and a classifier."""

import functools

import numpy as np
import pytest
from PIL import Image
from prepared import assert_one_sentence

from data_prep.features import features_of
from data_prep.own_photographs import Photographs
from data_prep.photograph import read_photograph
from helpers.data.datasets import DataNotPrepared
from helpers.data.features import load_own_features

NAMES = ["a.jpg", "b.png", "far/c.JPG", "d.webp", "e.gif"]
LIST = "a,dog,beach\nb.png, dog ,,\r\nfar/c\n\nd.webp,beach\n./e.gif,dog\n"


@pytest.fixture
def run(command, tmp_path):
    """Run the command line at 32 pixels in this process: (status, stdout, stderr)."""
    arguments = ["photographs", "--source", tmp_path / "mine", "--dest", tmp_path, "--size", 32]
    return functools.partial(command, [Photographs()], *arguments)


@pytest.fixture
def listed(tmp_path):
    """Draw the photographs; return what writes a list of them."""
    (tmp_path / "mine" / "far").mkdir(parents=True)
    turned = Image.Exif()
    turned[0x0112] = 6  # the orientation
    for i, name in enumerate(NAMES):
        picture = Image.linear_gradient("L").resize((50, 30)).rotate(25 * i).convert("RGB")
        picture.save(tmp_path / "mine" / name, exif=turned if name == "far/c.JPG" else b"")
    (tmp_path / "mine" / "a.txt").write_text("not a picture")

    def write(text, name="list.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_features_are_the_networks_and_the_targets_the_lists(
    run, listed, tmp_path, monkeypatch
):
    path = listed(LIST.encode("utf-16"))  # as a table of Windows has it
    status, out, err = run("--labels", path)
    assert (status, err) == (0, "") and "2  beach\n       3  dog" in out
    assert "already prepared" in run("--labels", path)[1]
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    data, classes = load_own_features(held_out=0.4, seed=1)
    assert classes == ("beach", "dog") and len(data.x) == 3 and len(data.x_eval) == 2
    images = np.stack([read_photograph(tmp_path / "mine" / name, 32) for name in NAMES])
    pairs = {}
    for x, y in [*zip(data.x, data.y, strict=True), *zip(data.x_eval, data.y_eval, strict=True)]:
        pairs[np.abs(features_of(images) - x).max(axis=1).argmin()] = y.tolist()
    assert pairs == {0: [1, 1], 1: [0, 1], 2: [0, 0], 3: [1, 0], 4: [0, 1]}
    listed(LIST.replace("dog", "cat"))
    assert run("--labels", path)[0] == 0 and load_own_features(0.4)[1] == ("beach", "cat")
    (tmp_path / "photographs" / "features.npy").write_bytes(b"")
    with pytest.raises(DataNotPrepared, match=r"features\.npy is not .*data_prep photographs"):
        load_own_features()


@pytest.mark.parametrize(
    ("names", "classes"), [("person\ncat\r\n\n", ("cat", "person")), (None, ("0", "1"))]
)
def test_the_courses_label_file_is_such_a_list(run, listed, tmp_path, monkeypatch, names, classes):
    if names:
        listed(names, "classes.txt")
    assert run("--labels", listed("a,0,1\nb,1\n"))[0] == 0
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert load_own_features(0.5)[1] == classes
    with pytest.raises(ValueError, match=r"of 2 photographs, 0\.1 leaves one part empty"):
        load_own_features(0.1)


def copy_as_png(folder):
    Image.open(folder / "a.jpg").save(folder / "a.png")


#: The list, what is done to the folder, and what the error names.
BAD = [
    ("", None, ["list.csv names no class"]),
    ("a,dog\n,cat\n", None, ["Line 2 of", "is not a name and classes"]),
    ("a;dog\n", None, ["Line 1 of", "with commas between"]),
    ("a,dog\n./a,cat\n", None, ["lists a twice"]),
    ("a,dog\na.jpg,cat\n", None, ["a.jpg twice; remove one"]),
    ("name,class\na,dog\nz,dog\n", None, ["no photograph name in", "(and so for 1 others)"]),
    ("../list.csv,dog\n", None, ["There is no photograph ../list.csv"]),
    (b"a,Stra\xdfe\n", None, ["list.csv is no table in UTF-8"]),
    ("x" * 200_000, None, ["list.csv is no table in UTF-8", "field larger"]),
    ("a,0\nb,7\n", None, ["classes.txt has 2 names, but a photograph has the class 7"]),
    ("a,dog\n", copy_as_png, ["a may be a.jpg or a.png", "write its suffix"]),
    ("a,dog\n", lambda folder: (folder / "a.jpg").write_bytes(b"x"), ["a.jpg is damaged, or no"]),
]


@pytest.mark.parametrize(("text", "spoil", "words"), BAD)
def test_what_is_wrong_is_told_in_a_sentence(run, listed, tmp_path, text, spoil, words):
    if spoil:
        spoil(tmp_path / "mine")
    listed("one\ntwo\n", "classes.txt")
    status, out, err = run("--labels", listed(text))
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)
    assert not (tmp_path / "photographs").exists()


def test_what_is_not_named_is_asked_for(run, tmp_path):
    assert_one_sentence(run()[2], "--source", "--labels")
    assert_one_sentence(run("--labels", tmp_path / "none.csv")[2], "none.csv is missing")
    assert_one_sentence(run("--labels", tmp_path, "--size", 8)[2], "--size 8 is not from 16")
