"""Tiny-VOC prepared: what is written, taken up, verified and read again."""

import errno
import os
import re
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from prepared import all_files, assert_one_sentence, zipped

from data_prep import sums, voc_build
from data_prep.errors import PrepError
from data_prep.paths import data_dir
from data_prep.toy_voc import LABEL_SETS
from data_prep.voc_build import squash
from data_prep.voc_files import open_files
from data_prep.voc_labels import CLASSES, classes_of, format_labels, label_matrix, parse_labels
from data_prep.voc_scenes import TINY_VOC, read_scene
from data_prep.voc_store import read_images, read_labels, read_splits, sizes
from helpers.data.datasets import DataNotPrepared
from helpers.data.voc import load_tiny_voc

IDS = [f"{index:05d}" for index in range(14)]


@pytest.fixture
def folder(tmp_path):
    """Where `prepare` puts the data."""
    return tmp_path / "data" / "tiny-voc"


@pytest.fixture
def pieces_of_four(monkeypatch):
    monkeypatch.setattr(voc_build, "PIECE", 4)


# The label file


def test_labels_are_written_and_read_as_in_the_course():
    labels = {"00000": (0, 2), "00001": (4,)}
    text = format_labels(labels.items())
    assert text == "00000,0,2\n00001,4\n"
    assert parse_labels(text, "labels.txt") == labels
    assert label_matrix(labels.values()).tolist() == [[1, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    assert classes_of(np.array([[0, 5], [3, 3]], np.uint8)) == (2, 4)


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        (
            "not an id and class indices",
            ["", "00000", "00000,", "00000,person", "00000;1", "00000, 1", "00000,-1",
             "../00000,1", "00000," + "9" * 5000],
        ),
        ("names the class 5, but classes go from 0 to 4", ["00000,5"]),
        ("each class once and in increasing order", ["00000,1,1", "00000,2,0"]),
        ("repeats the id 00007", ["00007,1"]),
    ],
)  # fmt: skip
def test_malformed_label_lines(message, lines):
    for line in lines:
        with pytest.raises(PrepError, match=rf"^Line 2 of labels\.txt .*{message}"):
            parse_labels(f"00007,0\n{line}\n00008,1\n", "labels.txt")


# Preparing


def test_the_prepared_folder_holds_what_it_should(prepare, run, source, folder, tmp_path):
    status, out, err = prepare(source)
    assert (status, err) == (0, "")
    assert (folder / "classes.txt").read_text().split() == list(CLASSES)
    assert read_splits(folder) == {"train": IDS[:10], "val": IDS[10:]}
    files, images = open_files(source), read_images(folder, 16)
    for row, (identifier, classes) in enumerate(read_labels(folder).items()):
        photo, mask = read_scene(files, TINY_VOC, identifier)
        assert classes == classes_of(mask)
        assert np.array_equal(images[row], np.asarray(squash(photo, 16)))
        with Image.open(folder / "16" / "images" / f"{identifier}.png") as picture:
            assert picture.mode == "RGB" and np.array_equal(np.asarray(picture), images[row])
    assert "Sizes: 16x16 (array, PNG)" in out
    assert not [name for name in all_files(folder) if name.startswith(".") or "/." in name]
    shutil.rmtree(source)  # and nothing is done again
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    status, out, _ = run("tiny-voc", "--dest", tmp_path / "data", "--size", 16)
    assert status == 0 and out.startswith("tiny-voc is already prepared in ")
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == before


def test_the_whole_image_is_squashed_and_nothing_aliases():
    stripes = np.zeros((64, 128, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the small image can show
    for mode in ("RGB", "P"):
        small = np.asarray(squash(Image.fromarray(stripes).convert(mode), 16)).astype(int)
        assert small.shape == (16, 16, 3) and np.abs(small - 127).max() <= 16
    edges = np.zeros((64, 128, 3), np.uint8)
    edges[:, :16], edges[:, -16:] = 255, 255  # a crop of the middle would lose both
    small = np.asarray(squash(Image.fromarray(edges), 16))
    assert small[:, 0].min() > 200 and small[:, -1].min() > 200 and small[:, 8].max() < 20


def test_one_thread_and_many_give_the_same(prepare, source, tmp_path, pieces_of_four):
    for jobs in (1, 5):
        origin = zipped(source, tmp_path / f"{jobs}.zip")
        assert prepare(origin, "--jobs", jobs, dest=tmp_path / f"by {jobs}")[0] == 0
    assert all_files(tmp_path / "by 1") == all_files(tmp_path / "by 5")


# Breaking off


def failing_at(monkeypatch, step, failure):
    """Let every renaming up to the `step`-th succeed, and count them."""
    replace, count = os.replace, iter(range(10**6))

    def failing(old, new):
        if next(count) == step:
            raise failure
        replace(old, new)

    monkeypatch.setattr(sums.os, "replace", failing)
    return lambda: next(count)


def broken_off(prepare, source, step, failure, **options):
    with pytest.MonkeyPatch.context() as patch:
        failing_at(patch, step, failure)
        return prepare(source, **options)


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (KeyboardInterrupt(), 130, ["interrupted", "the same command goes on"]),
        (OSError(errno.ENOSPC, "full"), 2, ["tiny-voc cannot be written: the disk is full"]),
        (OSError(errno.ENOMEM, "memory"), 2, ["too little memory"]),
        (OSError(errno.EMFILE, "Too many"), 2, ["cannot be used (Too many); mend that"]),
    ],
)
def test_a_run_that_breaks_off_anywhere_is_taken_up(
    prepare, source, tmp_path, pieces_of_four, failure, status, words
):
    with pytest.MonkeyPatch.context() as patch:
        counted = failing_at(patch, None, None)
        prepare(source, dest=tmp_path / "whole")
        steps = counted()
    whole = all_files(tmp_path / "whole")
    assert steps > 20
    for step in range(status % 5, steps, 5):
        dest = tmp_path / f"at {step}"
        found, _, err = broken_off(prepare, source, step, failure, dest=dest)
        assert found == status
        assert_one_sentence(err, *words)
        if dest.exists():
            seen = {name for name in all_files(dest) if not re.search(r"(^|/)\.", name)}
            assert all_files(dest).items() >= {name: whole[name] for name in seen}.items()  # whole
        assert prepare(source, dest=dest)[0] == 0
        assert all_files(dest) == whole


def test_only_what_is_missing_is_done_again(prepare, source, pieces_of_four, monkeypatch):
    broken_off(prepare, source, 3, KeyboardInterrupt())  # about.json, two pieces, then the third
    decoded = []
    read = voc_build.read_scene

    def counting(files, layout, identifier):
        decoded.append(identifier)
        return read(files, layout, identifier)

    monkeypatch.setattr(voc_build, "read_scene", counting)
    assert prepare(source)[0] == 0
    assert decoded and not {*decoded} & {*IDS[:8]}


@pytest.mark.parametrize("archived", [False, True])
def test_a_source_that_was_changed_is_begun_anew_and_not_mixed(
    prepare, source, folder, tmp_path, pieces_of_four, archived
):
    def origin():
        (tmp_path / "scenes.zip").unlink(missing_ok=True)
        return zipped(source, tmp_path / "scenes.zip") if archived else source

    broken_off(prepare, origin(), 3, KeyboardInterrupt())
    Image.new("RGB", (128, 96), "red").save(source / "JPEGImages" / "00000.jpg")
    assert prepare(origin())[0] == 0
    assert read_images(folder, 16)[0, 8, 8].tolist()[0] > 250
    before = all_files(folder)
    Image.new("RGB", (128, 96)).save(source / "JPEGImages" / "00000.jpg")
    status, _, err = prepare(origin(), "--size", 24)
    assert status == 2
    assert_one_sentence(err, "was prepared from other files", "--dest")
    assert prepare(source, "--voc2012")[0] == 2
    assert all_files(folder) == before


def test_damaged_data_are_told_and_mended(prepare, run, source, folder, tmp_path):
    prepare(source)
    whole = all_files(folder)
    emptied = ["SHA256SUMS", "16/SHA256SUMS", "16/images/SHA256SUMS", "16/images.npy"]
    changed = ["labels.txt", "about.json", "16/images.npy", "16/about.json", "16/images/00003.png"]
    for name in [*emptied, *changed]:
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(b"" if name in emptied else content[:-2] + b"\xff" + content[-1:])
        emptied = [other for other in emptied if other != name]
        status, out, err = run("verify", "--dest", tmp_path / "data")
        assert status == 2 and path.name in err and "python -m data_prep tiny-voc" in out
        assert prepare(source)[0] == 0
        assert all_files(folder) == whole
    (folder / "sample.png").unlink()
    assert prepare(source)[0] == 0 and all_files(folder) == whole
    assert run("verify", "--dest", tmp_path / "data")[0] == 0


def test_bad_input_leaves_what_was_there(prepare, source, folder):
    prepare(source)
    (folder / "labels.txt").unlink()  # so that it is made again
    before = all_files(folder)
    (source / "JPEGImages" / "00003.jpg").write_bytes(b"")
    assert prepare(source)[0] == 2
    assert all_files(folder) == before


# The arrays that training reads


def test_the_prepared_arrays_are_loaded(prepare, source, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    with pytest.raises(DataNotPrepared, match=r"python -m data_prep tiny-voc .*--size 16"):
        load_tiny_voc("full", 16)
    prepare(source, "--compact-only")
    data = load_tiny_voc("full", 16)
    assert data.name == "tiny-voc"
    assert data.x.shape == (10, 16, 16, 3) and data.x_eval.shape == (4, 16, 16, 3)
    labels = read_labels(folder)
    for identifier, row in zip(IDS, [*data.y, *data.y_eval], strict=True):
        assert tuple(np.flatnonzero(row)) == labels[identifier]
    for array in (data.x, data.y, data.x_eval, data.y_eval):
        assert array.dtype == np.uint8 and not array.flags.writeable
    prepare(source, "--compact-only", "--size", 24)
    path = folder / "24" / "about.json"
    path.write_text(path.read_text().replace('"source": "', '"source": "0'))
    with pytest.raises(DataNotPrepared, match="at 24 pixels") as refused:
        load_tiny_voc("full", 24)
    assert "prepared from other files" in str(refused.value.__cause__)


# The real data


@pytest.fixture
def real():
    folder = data_dir() / "tiny-voc"
    if not sizes(folder):
        pytest.skip("Tiny-VOC is not prepared: python -m data_prep tiny-voc --source ...")
    if '"tiny-voc"' not in (folder / "about.json").read_text():
        pytest.skip("another data set is prepared in Tiny-VOC's place")
    return folder


def test_the_prepared_tiny_voc_is_the_published_one(real):
    splits, labels = read_splits(real), read_labels(real)
    assert splits["train"] == [f"{index:05d}" for index in range(6000)]
    assert splits["val"] == [f"{index:05d}" for index in range(6000, 6624)]
    assert Counter(labels.values()) == LABEL_SETS
    targets = label_matrix(labels.values())
    train, val = targets[:6000].mean(axis=0), targets[6000:].mean(axis=0)
    assert train.round(4).tolist() == [0.6035, 0.1705, 0.0802, 0.1575, 0.0805]
    assert val.round(4).tolist() == [0.6827, 0.0994, 0.1074, 0.1410, 0.0881]
