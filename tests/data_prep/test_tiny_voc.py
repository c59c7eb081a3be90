import errno
import functools
import os
import re
import shutil
import struct
import urllib.error
import urllib.request
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from dying import end_at_once
from PIL import Image
from prepared import all_files, assert_one_sentence

from data_prep import sums, voc2012, voc_build, workers
from data_prep.errors import PrepError, Unfinished
from data_prep.paths import data_dir
from data_prep.tiny_voc import TinyVoc
from data_prep.toy_voc import LABEL_SETS
from data_prep.voc_build import squash
from data_prep.voc_files import open_files
from data_prep.voc_labels import CLASSES, classes_of, format_labels, label_matrix, parse_labels
from data_prep.voc_scenes import TINY_VOC, VOC2012, read_mask, read_scene
from data_prep.voc_sheet import PER_CLASS, choose, contact_sheet
from data_prep.voc_store import read_images, read_labels, read_splits, sizes
from helpers.data.datasets import DataNotPrepared
from helpers.data.voc import load_tiny_voc

IDS = [f"{index:05d}" for index in range(14)]


@pytest.fixture
def source(scenes):
    return scenes


@pytest.fixture
def run(command):
    """Run the command line in this process: (status, stdout, stderr)."""
    return functools.partial(command, {"tiny-voc": TinyVoc()})


@pytest.fixture
def prepare(run, tmp_path):
    """Prepare with one process at 16 pixels, unless more is said."""

    def prepare(source, *more, dest=tmp_path / "data"):
        return run("tiny-voc", "--source", source, "--dest", dest, "--size", 16, "--jobs", 1, *more)

    return prepare


@pytest.fixture
def pieces_of_four(monkeypatch):
    monkeypatch.setattr(voc_build, "PIECE", 4)


def zipped(folder, target, prefix="TinySeg/"):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, prefix + path.relative_to(folder).as_posix())
    return target


# The label file


def test_a_mask_s_values_become_classes():
    assert classes_of(np.array([[0, 5], [3, 3]], np.uint8)) == (2, 4)
    assert classes_of(np.zeros((2, 2), np.uint8)) == ()


def test_labels_are_written_and_read_as_in_the_course():
    labels = {"00000": (0, 2), "00001": (4,)}
    text = format_labels(labels.items())
    assert text == "00000,0,2\n00001,4\n"
    assert parse_labels(text, "labels.txt") == labels
    assert label_matrix(labels.values()).tolist() == [[1, 0, 1, 0, 0], [0, 0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", 'is "", not an id and class indices'),
        ("00000", "not an id and class indices"),
        ("00000,", "not an id and class indices"),
        ("00000,person", "not an id and class indices"),
        ("00000;1", "not an id and class indices"),
        ("00000, 1", "not an id and class indices"),
        ("00000,-1", "not an id and class indices"),
        ("../00000,1", "not an id and class indices"),
        ("00000,5", "names the class 5, but classes go from 0 to 4"),
        ("00000,1,1", "each class once and in increasing order"),
        ("00000,2,0", "each class once and in increasing order"),
        ("00007,1", "repeats the id 00007"),
    ],
)
def test_malformed_label_lines(line, message):
    with pytest.raises(PrepError, match=rf"^Line 2 of labels\.txt .*{message}"):
        parse_labels(f"00007,0\n{line}\n00008,1\n", "labels.txt")


# Preparing


def test_the_prepared_folder_holds_what_it_should(prepare, source, tmp_path):
    status, out, err = prepare(source)
    assert (status, err) == (0, "")
    folder = tmp_path / "data" / "tiny-voc"
    assert (folder / "classes.txt").read_text().split() == list(CLASSES)
    assert read_splits(folder) == {"train": IDS[:10], "val": IDS[10:]}
    files, images = open_files(source), read_images(folder, 16)
    for row, (identifier, classes) in enumerate(read_labels(folder).items()):
        photo, mask = read_scene(files, TINY_VOC, identifier)
        assert classes == classes_of(mask)
        assert np.array_equal(images[row], np.asarray(squash(photo, 16)))
        with Image.open(folder / "16" / "images" / f"{identifier}.png") as picture:
            assert picture.mode == "RGB" and np.array_equal(np.asarray(picture), images[row])
    assert f"COURSE_DATA={tmp_path / 'data'}" in out and "Sizes: 16x16 (array, PNG)" in out
    assert not [name for name in all_files(folder) if name.startswith(".") or "/." in name]


def test_the_whole_image_is_squashed_and_nothing_aliases():
    stripes = np.zeros((64, 128, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the small image can show
    small = np.asarray(squash(Image.fromarray(stripes), 16)).astype(int)
    assert small.shape == (16, 16, 3) and np.abs(small - 127).max() <= 16
    edges = np.zeros((64, 128, 3), np.uint8)
    edges[:, :16], edges[:, -16:] = 255, 255  # a crop of the middle would lose both
    small = np.asarray(squash(Image.fromarray(edges), 16))
    assert small[:, 0].min() > 200 and small[:, -1].min() > 200 and small[:, 8].max() < 20


def test_folder_and_archive_and_one_or_two_processes_give_the_same(
    prepare, source, tmp_path, pieces_of_four
):
    archive = zipped(source, tmp_path / "tinyseg.zip")
    (tmp_path / "parent").mkdir()
    shutil.copytree(source, tmp_path / "parent" / "TinySeg")
    prepare(source)
    expected = all_files(tmp_path / "data")
    for name, origin, jobs in (("zip", archive, 2), ("below", tmp_path / "parent", 1)):
        assert prepare(origin, "--jobs", jobs, dest=tmp_path / name)[0] == 0
        assert all_files(tmp_path / name) == expected


def test_sizes_stand_beside_one_another_and_the_array_may_be_alone(prepare, source, tmp_path):
    prepare(source)
    folder = tmp_path / "data" / "tiny-voc"
    before = {path: path.stat().st_ino for path in folder.rglob("16/**/*")}
    status, out, _ = prepare(source, "--size", 24, "--compact-only")
    assert status == 0 and "Sizes: 16x16 (array, PNG), 24x24 (array)" in out
    assert sizes(folder) == [16, 24] and not (folder / "24" / "images").exists()
    assert {path: path.stat().st_ino for path in folder.rglob("16/**/*")} == before
    assert TinyVoc().problems(folder) == []


def test_running_again_does_nothing_and_says_so(prepare, run, source, tmp_path):
    prepare(source)
    before = {path: path.stat().st_ino for path in (tmp_path / "data").rglob("*")}
    shutil.rmtree(source)
    status, out, _ = run("tiny-voc", "--dest", tmp_path / "data", "--size", 16)
    assert status == 0 and out.startswith("tiny-voc is already prepared in ")
    assert {path: path.stat().st_ino for path in (tmp_path / "data").rglob("*")} == before


def test_a_lost_sample_is_drawn_again(prepare, source, tmp_path):
    prepare(source)
    whole = all_files(tmp_path / "data")
    (tmp_path / "data" / "tiny-voc" / "sample.png").unlink()
    assert prepare(source)[0] == 0
    assert all_files(tmp_path / "data") == whole


def test_the_sample_shows_each_class_with_mask_and_label(drawn):
    labels = {
        identifier: classes_of(read_mask(open_files(drawn), TINY_VOC, identifier))
        for identifier in IDS
    }
    chosen = choose(labels)
    assert {c for identifier in chosen for c in labels[identifier]} == {
        c for classes in labels.values() for c in classes
    }
    assert len(chosen) == len(set(chosen))
    mask = np.zeros((20, 20), np.uint8)
    mask[:, 10:] = 3
    sheet = np.asarray(contact_sheet([("00000", Image.new("RGB", (20, 20), "red"), mask)]))
    assert (sheet[20, 20] == (255, 0, 0)).all()  # the photograph, then its mask to the right
    assert (sheet[20, 140] == (0, 0, 0)).all() and (sheet[20, 250] == (128, 128, 0)).all()
    assert len(choose({f"{i:05d}": (0,) for i in range(9)})) == PER_CLASS


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


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), FULL], ids=["interrupted", "disk full"])
def test_a_run_that_breaks_off_anywhere_is_taken_up(
    prepare, source, tmp_path, pieces_of_four, failure
):
    with pytest.MonkeyPatch.context() as patch:
        counted = failing_at(patch, None, None)
        prepare(source, dest=tmp_path / "whole")
        steps = counted()
    whole = all_files(tmp_path / "whole")
    assert steps > 20
    for step in range(0, steps, 2 if failure is FULL else 3):
        dest = tmp_path / f"at {step}"
        with pytest.MonkeyPatch.context() as patch:
            failing_at(patch, step, failure)
            status, _, err = prepare(source, dest=dest)
        if failure is FULL:
            assert status == 2
            assert_one_sentence(err, "tiny-voc cannot be written: the disk is full", "--dest")
        else:
            assert status == 130
            assert_one_sentence(err, "interrupted", "the same command goes on")
        if dest.exists():
            seen = {name for name in all_files(dest) if not re.search(r"(^|/)\.", name)}
            assert all_files(dest).items() >= {name: whole[name] for name in seen}.items()  # whole
        assert prepare(source, dest=dest)[0] == 0
        assert all_files(dest) == whole


def test_only_what_is_missing_is_done_again(prepare, source, tmp_path, pieces_of_four, monkeypatch):
    with pytest.MonkeyPatch.context() as patch:
        failing_at(patch, 3, KeyboardInterrupt())  # about.json, two pieces, then the third
        prepare(source)
    decoded = []
    read = voc_build.read_scene

    def counting(files, layout, identifier):
        decoded.append(identifier)
        return read(files, layout, identifier)

    monkeypatch.setattr(voc_build, "read_scene", counting)
    assert prepare(source)[0] == 0
    assert decoded == IDS[8:]


def test_a_source_that_was_mended_is_begun_anew(prepare, source, tmp_path, pieces_of_four):
    with pytest.MonkeyPatch.context() as patch:
        failing_at(patch, 3, KeyboardInterrupt())
        prepare(source)
    Image.new("RGB", (128, 96), "red").save(source / "JPEGImages" / "00000.jpg")
    assert prepare(source)[0] == 0
    assert read_images(tmp_path / "data" / "tiny-voc", 16)[0, 8, 8].tolist()[0] > 250


def test_a_killed_worker_is_told_and_loses_nothing(monkeypatch):
    with pytest.raises(Unfinished, match="--jobs 1"):
        list(workers.work(end_at_once, None, [1, 2], 2, "ending", [1, 1]))


def test_a_failing_worker_s_error_arrives():
    with pytest.raises(PrepError, match=r"^Line 1 of (first|second) .*an id and class indices"):
        list(workers.work(parse_labels, "no label", ["first", "second"], 2, "reading", [1, 1]))


def test_damaged_data_are_told_and_mended(prepare, run, source, tmp_path):
    prepare(source)
    whole, folder = all_files(tmp_path / "data"), tmp_path / "data" / "tiny-voc"
    damaged = ["labels.txt", "about.json"]
    damaged += ["16/images.npy", "16/about.json", "16/images/00003.png"]
    for name in damaged:
        content = bytearray((folder / name).read_bytes())
        content[-2] ^= 1
        (folder / name).write_bytes(content)
        status, out, err = run("verify", "--dest", tmp_path / "data")
        assert status == 2 and Path(name).name in err and "python -m data_prep tiny-voc" in out
        assert prepare(source)[0] == 0
        assert all_files(tmp_path / "data") == whole
    assert run("verify", "--dest", tmp_path / "data")[0] == 0


@pytest.mark.parametrize("folder", [".", "16", "16/images"])
def test_a_list_that_names_nothing_verifies_nothing(prepare, run, source, tmp_path, folder):
    prepare(source)
    whole = all_files(tmp_path / "data")
    (tmp_path / "data" / "tiny-voc" / folder / "SHA256SUMS").write_bytes(b"")
    status, _, err = run("verify", "--dest", tmp_path / "data")
    assert status == 2 and "SHA256SUMS does not list" in err
    assert prepare(source)[0] == 0 and all_files(tmp_path / "data") == whole


@pytest.mark.parametrize("content", [b"\xff{}", b'{"author": "somebody"}', b""])
def test_an_about_that_says_nothing_of_the_source_is_refused(prepare, source, content):
    (source / "about.json").write_bytes(content)
    status, _, err = prepare(source)
    assert status == 2
    assert_one_sentence(err, "about.json in", "is damaged; remove it")


def test_a_damaged_lzma_archive_is_told(prepare, source, tmp_path):
    archive = tmp_path / "scenes.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as packed:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(source).as_posix())
        offset = packed.getinfo("JPEGImages/00000.jpg").header_offset
    content = bytearray(archive.read_bytes())
    content[offset + 80 : offset + 400] = bytes(320)
    archive.write_bytes(content)
    status, _, err = prepare(archive)
    assert status == 2
    assert_one_sentence(err, "JPEGImages/00000.jpg", "is damaged", "fetch the archive again")


def test_an_archive_that_was_replaced_is_read_anew(prepare, source, tmp_path):
    archive = zipped(source, tmp_path / "scenes.zip")
    prepare(archive, dest=tmp_path / "before")
    Image.new("RGB", (128, 96), "red").save(source / "JPEGImages" / "00000.jpg")
    zipped(source, archive)
    prepare(archive, dest=tmp_path / "after")
    assert read_images(tmp_path / "after" / "tiny-voc", 16)[0, 8, 8, 0] > 250


def test_what_was_prepared_from_other_files_is_not_mixed(prepare, source, tmp_path):
    prepare(source)
    before = all_files(tmp_path / "data")
    Image.new("RGB", (128, 96)).save(source / "JPEGImages" / "00000.jpg")
    status, _, err = prepare(source, "--size", 24)
    assert status == 2
    assert_one_sentence(err, "was prepared from other files", "--dest")
    assert prepare(source, "--voc2012")[0] == 2
    assert all_files(tmp_path / "data") == before


# Bad input, in a folder


def save_mask(source, mask):
    picture = Image.fromarray(mask)
    picture.putpalette(bytes(768))
    picture.save(source / "Annotations" / "00003.png")


def add_line(source, split, identifier):
    path = source / "ImageSets" / f"{split}.txt"
    path.write_text(path.read_text() + identifier + "\n")


def save_bomb(path, width, height):
    """Write a PNG of a few bytes that announces an enormous picture."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(18))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + palette + data + chunk(b"IEND", b""))


def photo(source, name="00003"):
    return source / "JPEGImages" / f"{name}.jpg"


def mask(source):
    return source / "Annotations" / "00003.png"


def truncate(path, lost):
    path.write_bytes(path.read_bytes()[:-lost])


def grow(path, size):
    with path.open("r+b") as file:
        file.truncate(size)  # holes: nothing is written


#: What is done to the source, and what the error names.
FAILURES = [
    (lambda s: mask(s).unlink(), ["00003 has a photograph but no mask in Annotations"]),
    (
        lambda s: (photo(s).unlink(), photo(s, "00005").unlink()),
        ["00003 has a mask but no photograph in JPEGImages (and so do 1 others)"],
    ),
    (
        lambda s: shutil.copy(photo(s), photo(s, "00099")),
        ["00099 has a photograph but no mask"],
    ),
    (
        lambda s: save_mask(s, np.ones((30, 40), np.uint8)),
        ["JPEGImages/00003.jpg is 128x128 pixels", "Annotations/00003.png is 40x30"],
    ),
    (
        lambda s: save_mask(s, np.full((128, 128), 6, np.uint8)),
        ["Annotations/00003.png", "has the value 6", "from 0 to 5"],
    ),
    (
        lambda s: save_mask(s, np.full((128, 128), 255, np.uint8)),
        ["Annotations/00003.png", "void pixels (255)", "--voc2012"],
    ),
    (
        lambda s: Image.new("RGB", (128, 128)).save(mask(s)),
        ["Annotations/00003.png", "mode RGB, not a palette image"],
    ),
    (
        lambda s: save_mask(s, np.zeros((128, 128), np.uint8)),
        ["mask of 00003", "none of the classes"],
    ),
    (
        lambda s: truncate(photo(s), 300),
        ["JPEGImages/00003.jpg", "damaged or truncated", "fetch it again"],
    ),
    (lambda s: truncate(mask(s), 100), ["Annotations/00003.png", "damaged or truncated"]),
    (
        lambda s: photo(s).write_text("<html>not found</html>"),
        ["JPEGImages/00003.jpg", "is not a JPEG image"],
    ),
    (lambda s: add_line(s, "train", "00003"), ["train.txt", "lists 00003 twice"]),
    (lambda s: add_line(s, "val", "00003"), ["00003 in train.txt and in val.txt"]),
    (
        lambda s: add_line(s, "val", "00099"),
        ["00099 is listed but has neither photograph nor mask"],
    ),
    (
        lambda s: add_line(s, "val", "../../secret"),
        ["val.txt", '"../../secret", which is no id'],
    ),
    (lambda s: (s / "ImageSets" / "val.txt").write_text("\n"), ["val.txt", "lists no image"]),
    (lambda s: (s / "ImageSets" / "val.txt").unlink(), ["val.txt is missing"]),
    (
        lambda s: save_bomb(mask(s), 40_000, 25_000),
        ["Annotations/00003.png", "decompression bomb"],
    ),
    (
        lambda s: save_bomb(mask(s), 6_000, 5_000),
        ["Annotations/00003.png", "more than 25,000,000 pixels", "decompression bomb"],
    ),
    (
        lambda s: grow(photo(s), 65 * 2**20),
        ["00003.jpg would take 65 MiB", "decompression bomb"],
    ),
    (lambda s: shutil.rmtree(s / "JPEGImages"), ["has no folder JPEGImages", "--source"]),
    (lambda s: shutil.rmtree(s), ["source does not exist", "--source"]),
    (
        lambda s: (shutil.rmtree(s), s.write_text("neither")),
        ["source is neither a folder nor a zip archive"],
    ),
]


@pytest.mark.parametrize(("spoil", "words"), FAILURES)
def test_bad_input(prepare, source, tmp_path, spoil, words):
    spoil(source)
    status, out, err = prepare(source)
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)
    assert not (tmp_path / "data").exists() or all_files(tmp_path / "data") == {}


def test_bad_input_leaves_what_was_there(prepare, source, tmp_path):
    prepare(source)
    (tmp_path / "data" / "tiny-voc" / "labels.txt").unlink()  # so that it is made again
    before = all_files(tmp_path / "data")
    truncate(photo(source), 300)
    assert prepare(source)[0] == 2
    assert all_files(tmp_path / "data") == before


# Bad input, in an archive


def add_member(archive, name, content=b"x"):
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(name, content)


def zero_bytes(archive, member):
    content = bytearray(archive.read_bytes())
    at = content.index(member) + 500
    content[at : at + 20] = bytes(20)
    archive.write_bytes(content)


def without_list(archive, source):
    (source / "ImageSets" / "train.txt").unlink()
    zipped(source, archive)


def something_else(archive):
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("readme.txt", "other")


def lock(archive):
    content = bytearray(archive.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the last member is marked as encrypted
    archive.write_bytes(content)


#: What is done to the archive, and what the error names.
ARCHIVES = [
    *[
        (lambda a, _, name=name: add_member(a, name), ["a path that leads outside"])
        for name in ("TinySeg/../../outside.txt", "/outside.txt", "C:\\outside.txt")
    ],
    (
        lambda a, _: add_member(a, "TinySeg/JPEGImages/99999.jpg", bytes(65 * 2**20)),
        ["TinySeg/JPEGImages/99999.jpg", "65 MiB unpacked", "decompression bomb"],
    ),
    (
        lambda a, _: truncate(a, 500),
        ["tinyseg.zip is neither a folder nor a zip archive", "fetch it again"],
    ),
    (
        lambda a, _: zero_bytes(a, b"TinySeg/JPEGImages/00003.jpg"),
        ["JPEGImages/00003.jpg in", "is damaged", "fetch the archive again"],
    ),
    (without_list, ["ImageSets/train.txt is missing in", "fetch the whole archive"]),
    (lambda a, _: something_else(a), ["has no folder JPEGImages"]),
    (lambda a, _: lock(a), ["is encrypted", "unpack the archive"]),
]


@pytest.mark.parametrize(("spoil", "words"), ARCHIVES)
def test_bad_archive(prepare, source, tmp_path, spoil, words):
    archive = zipped(source, tmp_path / "tinyseg.zip")
    spoil(archive, source)
    before = {path.name for path in tmp_path.iterdir()}
    status, out, err = prepare(archive)
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)
    assert not (tmp_path / "data").exists() or all_files(tmp_path / "data") == {}
    assert {path.name for path in tmp_path.iterdir()} - {"data"} == before  # nothing came out


# The command line


def test_a_file_in_the_place_of_the_data_set(prepare, source, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny-voc").write_text("mine")
    status, _, err = prepare(source)
    assert status == 2
    assert_one_sentence(err, "a file stands where a folder is needed", "--dest")
    assert all_files(tmp_path / "data") == {"tiny-voc": b"mine"}


# PASCAL VOC 2012


@pytest.fixture
def devkit(tmp_path, drawn):
    """The drawn scenes as PASCAL VOC 2012 has them: its own values, void outlines, much else."""
    root = tmp_path / "devkit" / "VOCdevkit" / "VOC2012"
    (root / "SegmentationClass").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    shutil.copytree(drawn / "JPEGImages", root / "JPEGImages")
    for split in ("train", "val"):
        shutil.copy(drawn / "ImageSets" / f"{split}.txt", root / "ImageSets" / "Segmentation")
    files, theirs = open_files(drawn), np.array([0, 15, 8, 1, 7, 3], np.uint8)
    for identifier in IDS:
        mask = theirs[read_mask(files, TINY_VOC, identifier)]
        mask[0] = 255
        mask[1, 0] = 20  # a television in the corner
        if identifier == "00003":
            mask[mask != 255] = 20  # nothing of ours
        picture = Image.fromarray(mask)
        picture.putpalette(bytes(768))
        picture.save(root / "SegmentationClass" / f"{identifier}.png")
    shutil.copy(root / "JPEGImages" / "00000.jpg", root / "JPEGImages" / "2007_000001.jpg")
    return root.parent


def test_voc2012_is_restricted_to_the_five_classes(prepare, devkit, drawn, tmp_path):
    assert prepare(devkit, "--voc2012")[0] == 0
    folder = tmp_path / "data" / "tiny-voc"
    files = open_files(drawn)
    labels = read_labels(folder)
    assert list(labels) == [identifier for identifier in IDS if identifier != "00003"]
    for identifier, classes in labels.items():
        mask = read_mask(files, TINY_VOC, identifier).copy()
        mask[0] = 0
        mask[1, 0] = 0
        assert classes == classes_of(mask)
    assert '"voc2012"' in (folder / "about.json").read_text()


def test_a_part_without_any_of_the_classes_is_refused(prepare, devkit):
    for identifier in IDS[10:]:
        path = devkit / "VOC2012" / "SegmentationClass" / f"{identifier}.png"
        picture = Image.fromarray(np.full((8, 8), 20, np.uint8))
        picture.putpalette(bytes(768))
        picture.save(path)
    status, _, err = prepare(devkit, "--voc2012")
    assert status == 2
    assert_one_sentence(err, "No image of val.txt", "any of the classes")


def test_voc2012_masks_are_refused_as_tiny_voc(prepare, devkit, source):
    shutil.rmtree(source / "Annotations")
    shutil.copytree(devkit / "VOC2012" / "SegmentationClass", source / "Annotations")
    assert_one_sentence(prepare(source)[2], "void pixels (255)", "--voc2012")


def test_voc2012_values_are_those_of_the_devkit():
    """Everingham et al.'s order of the classes, from aeroplane, 1, to tvmonitor, 20."""
    theirs = [
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    ]
    same = {"aeroplane": "plane", "bird": "bird", "car": "car", "cat": "cat", "person": "person"}
    for value, name in enumerate(theirs, start=1):
        ours = VOC2012.values[value]
        assert (CLASSES[ours - 1] if ours else None) == same.get(name)
    assert VOC2012.values[0] == VOC2012.values[255] == 0


def test_voc2012_is_downloaded_where_no_source_is_named(run, devkit, tmp_path, monkeypatch):
    def unpack(target):
        shutil.copytree(devkit, target / "VOCdevkit")

    monkeypatch.setattr(voc2012, "download", unpack)
    arguments = ["tiny-voc", "--voc2012", "--dest", tmp_path / "data", "--size", 16, "--jobs", 1]
    assert run(*arguments)[0] == 0
    folder = tmp_path / "data" / "tiny-voc"
    assert TinyVoc().problems(folder) == [] and not (folder / voc2012.DOWNLOAD).exists()


def test_voc2012_without_network(run, tmp_path, monkeypatch):
    def unreachable(*arguments, **options):
        raise urllib.error.URLError("Name or service not known")

    import torchvision.datasets  # noqa: F401 - before its network is taken away

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    status, out, err = run("tiny-voc", "--voc2012", "--dest", tmp_path / "data")
    assert (status, out) == (2, "")
    assert_one_sentence(err, "could not be downloaded", "network", "--source")


# The arrays that training reads


def test_the_prepared_arrays_are_loaded(prepare, source, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    with pytest.raises(DataNotPrepared, match=r"python -m data_prep tiny-voc .*--size 16"):
        load_tiny_voc("full", 16)
    prepare(source, "--compact-only")
    data = load_tiny_voc("full", 16)
    assert data.name == "toy-voc"  # what it is, not is for
    assert data.x.shape == (10, 16, 16, 3) and data.x_eval.shape == (4, 16, 16, 3)
    labels = read_labels(tmp_path / "data" / "tiny-voc")
    for identifier, row in zip(IDS, [*data.y, *data.y_eval], strict=True):
        assert tuple(np.flatnonzero(row)) == labels[identifier]
    for array in (data.x, data.y, data.x_eval, data.y_eval):
        assert array.dtype == np.uint8 and not array.flags.writeable
    with pytest.raises(DataNotPrepared, match="at 24 pixels"):
        load_tiny_voc("full", 24)


def test_arrays_of_other_files_than_the_labels_are_refused(prepare, source, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    prepare(source, "--compact-only", "--size", 24)
    folder = tmp_path / "data" / "tiny-voc"
    about = (folder / "24" / "about.json").read_text()
    (folder / "24" / "about.json").write_text(about.replace('"source": "', '"source": "0'))
    with pytest.raises(DataNotPrepared, match="at 24 pixels") as refused:
        load_tiny_voc("full", 24)
    assert "prepared from other files" in str(refused.value.__cause__)


# The real data


@pytest.fixture
def real():
    step, folder = TinyVoc(), data_dir() / "tiny-voc"
    if not sizes(folder):
        pytest.skip("Tiny-VOC is not prepared: python -m data_prep tiny-voc --source ...")
    if '"tiny-voc"' not in (folder / "about.json").read_text():
        pytest.skip("another data set is prepared in Tiny-VOC's place")
    assert step.problems(folder) == []
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
    assert round(val.mean(), 4) == 0.2237  # what chance scores as mAP


def test_the_constant_answer_person_scores_what_is_known(real):
    targets = label_matrix(read_labels(real).values())[6000:]
    answer = np.zeros_like(targets)
    answer[:, 0] = 1
    right = (answer & targets).sum()
    assert round((answer == targets).mean(), 4) == 0.8494
    assert round(right / answer.sum(), 4) == 0.6827
    assert round(right / targets.sum(), 4) == 0.6103
    assert round(2 * right / (answer.sum() + targets.sum()), 4) == 0.6445


def test_the_real_images_are_photographs_and_all_different(real):
    size = sizes(real)[0]
    images = read_images(real, size)
    assert images.shape == (6624, size, size, 3)
    some = images[::8]
    means, spreads = some.mean(axis=(1, 2, 3)), some.std(axis=(1, 2, 3))
    assert spreads.min() > 5 and 80 < means.mean() < 150
    assert len({row.tobytes() for row in images[:, :: size // 8, :: size // 8]}) == 6624
