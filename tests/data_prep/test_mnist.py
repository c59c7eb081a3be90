"""MNIST prepared: IDX files read, found, refused, and fetched."""

import errno
import gzip
import hashlib
import io
import itertools
import os
import shutil
import struct
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from prepared import all_files, assert_one_sentence, snapshot

import helpers  # noqa: F401  (lets torchvision be imported beside a CPU build of torch)
from data_prep.errors import PrepError
from data_prep.idx import parse_idx, read_idx
from data_prep.mnist import Mnist, Part

IMAGES = "train-images-idx3-ubyte"


def idx_bytes(values):
    values = np.asarray(values, dtype=np.uint8)
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def tiny_contents(seed=0):
    """Four IDX files in MNIST's likeness: 20 training and 10 test images of 28x28."""
    rng = np.random.default_rng(seed)
    return {
        IMAGES: idx_bytes(rng.integers(0, 256, (20, 28, 28))),
        "train-labels-idx1-ubyte": idx_bytes(np.arange(20) % 10),
        "t10k-images-idx3-ubyte": idx_bytes(rng.integers(0, 256, (10, 28, 28))),
        "t10k-labels-idx1-ubyte": idx_bytes(np.arange(10)),
    }


CONTENTS = tiny_contents()


def step_for(contents):
    return Mnist(
        tuple(
            Part(name, hashlib.sha256(content).hexdigest(), parse_idx(content, name).shape)
            for name, content in contents.items()
        )
    )


def write_source(folder, contents=CONTENTS, compress=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = folder / (name + ".gz" * compress)
        path.write_bytes(gzip.compress(content) if compress else content)
    return folder


@pytest.fixture
def source(tmp_path):
    return write_source(tmp_path / "source")


@pytest.fixture
def folder(tmp_path):
    """Where `run` puts the data."""
    return tmp_path / "data" / "mnist"


@pytest.fixture
def run(command, tmp_path):
    """Run the command line on the tiny data set: (status, stdout, stderr)."""

    def run(*arguments, contents=CONTENTS):
        return command([step_for(contents)], *arguments, "--dest", tmp_path / "data")

    return run


# Reading IDX files


@pytest.mark.parametrize(
    ("content", "shape", "message"),
    [
        (b"", None, "not an IDX file"),
        (b"\x89PNG" + bytes(100), None, "not an IDX file of unsigned bytes.*89 50 4e 47"),
        (struct.pack(">4BI", 0, 0, 0x0D, 1, 1) + bytes(4), None, "not an IDX file of unsigned"),
        (struct.pack(">4BI", 0, 0, 8, 3, 2), None, "ends inside its header"),
        (idx_bytes(np.zeros((3, 2)))[:-1], None, "holds 5 values .* announces 6"),
        (idx_bytes(np.zeros((3, 2))) + b"\0", None, "holds 7 values .* announces 6"),
        (idx_bytes(np.zeros((3, 4))), (None, 2), r"shape \(3, 4\), not \(None, 2\)"),
        (idx_bytes(np.zeros(6)), (None, 2), r"shape \(6,\), not \(None, 2\)"),
        (b"\0\0\x08\xff" + 255 * b"\0\0\0\x01" + b"x", None, "there cannot be"),
        (b"\0\0\x08\x04" + bytes(4) + 12 * b"\xff", None, "there cannot be"),
    ],
)
def test_parse_idx_refuses_what_is_not_as_expected(content, shape, message):
    with pytest.raises(PrepError, match=f"^the-file .*{message}"):
        parse_idx(content, "the-file", shape)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(bytes(range(250)))[:-9], "damaged or truncated gzip archive"),
        (gzip.compress(bytes(9))[:12] + b"\xff" * 9, "damaged or truncated gzip archive"),
        (gzip.compress(bytes(65 * 2**20), 1), "decompression bomb"),
    ],
)
def test_read_idx_refuses_a_damaged_archive(tmp_path, content, message):
    (tmp_path / "values.gz").write_bytes(content)
    with pytest.raises(PrepError, match=rf"values\.gz .*{message}"):
        read_idx(tmp_path / "values.gz")


# Preparing


@pytest.mark.parametrize(
    ("below", "compress", "dotted"), [("", False, False), ("MNIST/raw", True, False), ("", 1, 1)]
)
def test_all_usual_names_are_found(tmp_path, run, folder, below, compress, dotted):
    named = {n.replace("-idx", ".idx") if dotted else n: c for n, c in CONTENTS.items()}
    write_source(tmp_path / "[1]" / below, named, compress)
    assert run("mnist", "--source", tmp_path / "[1]")[0] == 0
    prepared = snapshot(folder)
    assert prepared.pop("sample.png").startswith(b"\x89PNG")
    assert prepared == CONTENTS
    assert folder.stat().st_mode == (tmp_path / "[1]").stat().st_mode  # others may read it


def test_only_what_is_missing_is_done_again(source, run, folder):
    run("mnist", "--source", source)
    whole, before = snapshot(folder), {path: path.stat().st_ino for path in folder.iterdir()}
    shutil.rmtree(source)  # nothing is fetched again
    status, out, _ = run("mnist", "--source", source)
    assert status == 0
    assert out.startswith("mnist is already prepared in ") and "split" in out
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before
    (folder / "sample.png").unlink()
    assert run("mnist", "--source", source)[0] == 0
    assert snapshot(folder) == whole


def test_damaged_data_are_replaced_and_what_is_not_ours_is_kept(tmp_path, source, run, folder):
    (tmp_path / "elsewhere").mkdir()
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / IMAGES).write_bytes(b"damaged")
    (folder / "notes.txt").write_text("mine")
    assert run("mnist", "--source", source)[0] == 0
    assert (folder / IMAGES).read_bytes() == CONTENTS[IMAGES]
    assert (folder / "notes.txt").read_text() == "mine"
    assert folder.is_symlink() and os.listdir(folder.parent) == ["mnist"]
    write_source(folder)  # source and destination may be the same
    (folder / IMAGES).unlink()
    assert run("mnist", "--source", folder)[0] == 0 and run("verify")[0] == 0
    assert (folder / f"{IMAGES}.gz").exists()


@pytest.mark.parametrize("renamed", [False, True], ids=["before", "after"])
def test_a_run_killed_around_the_last_rename_loses_nothing(source, run, folder, renamed):
    previous = folder.with_name(".mnist.previous")
    write_source(previous, {"notes.txt": b"mine"}, compress=False)
    if renamed:
        write_source(folder, tiny_contents(seed=3), compress=False)
    assert run("mnist", "--source", source)[0] == 0 and run("verify")[0] == 0
    assert (folder / "notes.txt").read_bytes() == b"mine"
    assert not previous.exists()


# Failing: each names the file and the mend, and leaves what was there


def failing(patch, owner, name, at, code):
    """Let a function of the system fail when it is called the `at`-th time."""
    function, count = getattr(owner, name), itertools.count()

    def failing(*given, **options):
        if next(count) == at:
            raise OSError(code, os.strerror(code))
        return function(*given, **options)

    patch.setattr(owner, name, failing)


def archive(source):
    return source / f"{IMAGES}.gz"


#: What is done to the source, or which function fails, at which call; and what the error names.
FAILURES = [
    (lambda s: archive(s).unlink(), [IMAGES, "is missing", "--source"]),
    (lambda s: shutil.rmtree(s), ["source is not a folder", "--source"]),
    (
        lambda s: archive(s).write_bytes(idx_bytes(np.zeros((20, 28, 28)))),
        [f"{IMAGES}.gz is not {IMAGES} as published", "SHA-256", "fetch it again"],
    ),
    ((Path, "read_bytes", 5, errno.EACCES), ["cannot be read (Permission denied)"]),
    ((Path, "write_bytes", 0, errno.ENOSPC), ["mnist cannot be written: the disk is full"]),
    ((Path, "write_bytes", 2, errno.EIO), ["mnist cannot be written: Input/output error"]),
    ((tempfile, "mkdtemp", 0, errno.EROFS), ["permission is denied", "--dest"]),
    ((os, "rename", 0, errno.EACCES), ["permission is denied", "--dest"]),
    ((os, "rename", 1, errno.EACCES), ["permission is denied", "--dest"]),
]


@pytest.mark.parametrize(("fail", "words"), FAILURES)
def test_failure(tmp_path, source, run, folder, fail, words):
    write_source(folder, tiny_contents(seed=2), compress=False)  # an older state, to be replaced
    before = snapshot(tmp_path / "data")
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, *fail) if isinstance(fail, tuple) else fail(source)
        status, out, err = run("mnist", "--source", source)
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)
    assert snapshot(tmp_path / "data") == before  # nothing lost, nothing half-written beside it


# Downloading


class Response(io.BytesIO):
    length = url = None


@pytest.fixture
def mirror(source, monkeypatch):
    """Let the source folder answer for torchvision's mirrors."""
    from torchvision.datasets import MNIST  # here, so that other tests need not wait for torch

    def answer(request):
        return Response((source / request.full_url.rpartition("/")[2]).read_bytes())

    archives = [
        (path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in source.iterdir()
    ]
    monkeypatch.setattr(MNIST, "resources", archives)
    monkeypatch.setattr(urllib.request, "urlopen", answer)
    return source


def test_without_source_the_files_are_downloaded(mirror, run, folder):
    assert run("mnist")[0] == 0
    assert snapshot(folder).items() >= CONTENTS.items()
    assert os.listdir(folder.parent) == ["mnist"]


def test_a_download_is_verified_like_any_source(tmp_path, mirror, run):
    status, _, err = run("mnist", contents=tiny_contents(seed=1))
    assert status == 2 and "is not train-images-idx3-ubyte as published" in err
    for archive in mirror.iterdir():
        archive.write_bytes(b"<html>sign in to the hotel's network</html>")
    status, _, err = run("mnist")
    assert status == 2 and "could not be downloaded" in err and "--source" in err
    assert not (tmp_path / "data").exists()


def fail_to_open(patch, error):
    def unreachable(*arguments, **options):
        raise error

    patch.setattr(urllib.request, "urlopen", unreachable)


#: What is wrong with the machine, and what the error names.
NETWORKS = [
    (lambda patch: fail_to_open(patch, urllib.error.URLError("Name not known")), "a network?"),
    (lambda patch: fail_to_open(patch, OSError(errno.ENOSPC, "full")), "the disk is full"),
    (lambda patch: patch.setenv("https_proxy", "http://a:b:c"), "a network?"),
    (lambda patch: patch.setitem(sys.modules, "torchvision", None), "without torchvision"),
]


@pytest.mark.parametrize(("spoil", "words"), NETWORKS)
@pytest.mark.parametrize("arguments", ["mnist", "tiny-voc --voc2012"])
def test_no_download(tmp_path, command, monkeypatch, spoil, words, arguments):
    import torchvision  # noqa: F401 - before its network is taken away

    spoil(monkeypatch)
    status, out, err = command(None, *arguments.split(), "--dest", tmp_path / "data")
    assert (status, out) == (2, "")
    assert_one_sentence(err, words, "--dest" if "disk" in words else "--source")
    assert not (tmp_path / "data").exists() or all_files(tmp_path / "data") == {}


# Verifying


def test_verify_names_every_file_that_is_wrong(tmp_path, source, run, folder):
    folder.parent.mkdir()
    status, out, _ = run("verify")
    assert status == 0 and out.startswith("mnist: not prepared in ")
    run("mnist", "--source", source)
    status, out, err = run("verify")
    assert (status, err) == (0, "") and out.startswith("mnist: verified in ")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    content = bytearray((folder / IMAGES).read_bytes())
    content[-1] ^= 1  # one bit
    (folder / IMAGES).write_bytes(content)
    status, out, err = run("verify")
    assert status == 2
    first, second = err.splitlines()
    assert f"{IMAGES} is not {IMAGES} as published" in first
    assert "t10k-labels-idx1-ubyte is missing" in second
    assert "python -m data_prep mnist" in out
