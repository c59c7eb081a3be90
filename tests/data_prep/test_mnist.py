import errno
import functools
import gzip
import hashlib
import http.server
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prepared import assert_one_sentence, snapshot

import helpers  # noqa: F401  (lets torchvision be imported beside a CPU build of torch)
from data_prep.__main__ import main
from data_prep.errors import PrepError
from data_prep.folders import whole_folder
from data_prep.idx import parse_idx, read_idx
from data_prep.mnist import Mnist, Part
from data_prep.paths import PROJECT_ROOT, data_dir
from data_prep.steps import STEPS

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


def step_for(contents):
    return Mnist(
        tuple(
            Part(name, hashlib.sha256(content).hexdigest(), parse_idx(content, name).shape)
            for name, content in contents.items()
        )
    )


def write_source(folder, contents, compress=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = folder / (name + ".gz" * compress)
        path.write_bytes(gzip.compress(content) if compress else content)
    return folder


@pytest.fixture
def contents():
    return tiny_contents()


@pytest.fixture
def step(contents):
    return step_for(contents)


@pytest.fixture
def source(tmp_path, contents):
    return write_source(tmp_path / "source", contents)


@pytest.fixture
def run(step, command):
    """Run the command line on the tiny data set: (status, stdout, stderr)."""
    return functools.partial(command, {"mnist": step})


# Reading IDX files


@pytest.mark.parametrize("compress", [False, True])
def test_read_idx_returns_the_values(tmp_path, compress):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    content = idx_bytes(values)
    path = tmp_path / "values"  # compression shows in the content, whatever the name
    path.write_bytes(gzip.compress(content) if compress else content)
    read = read_idx(path, (None, 3, 4))
    np.testing.assert_array_equal(read, values)
    assert read.dtype == np.uint8 and not read.flags.writeable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"\x89PNG" + bytes(100), "not an IDX file of unsigned bytes.*89 50 4e 47"),
        (struct.pack(">4BI", 0, 0, 0x0D, 1, 1) + bytes(4), "not an IDX file of unsigned bytes"),
        (struct.pack(">4BI", 0, 0, 8, 3, 2), "ends inside its header"),
        (idx_bytes(np.zeros((3, 2)))[:-1], "holds 5 values .* announces 6"),
        (idx_bytes(np.zeros((3, 2))) + b"\0", "holds 7 values .* announces 6"),
        (idx_bytes(np.zeros((3, 4))), r"shape \(3, 4\), not \(N, 2\)"),
        (idx_bytes(np.zeros(6)), r"shape \(6,\), not \(N, 2\)"),
    ],
)
def test_parse_idx_refuses_what_is_not_as_expected(content, message):
    with pytest.raises(PrepError, match=f"^the-file .*{message}"):
        parse_idx(content, "the-file", (None, 2))


@pytest.mark.parametrize("damage", [lambda c: c[:-9], lambda c: c[:40] + b"\xff" * 9 + c[49:]])
def test_read_idx_refuses_a_damaged_archive(tmp_path, damage):
    rng = np.random.default_rng(0)
    path = tmp_path / "values.gz"
    path.write_bytes(damage(gzip.compress(idx_bytes(rng.integers(0, 256, 200)))))
    with pytest.raises(PrepError, match=r"values\.gz is a damaged or truncated gzip archive"):
        read_idx(path)


# Preparing


@pytest.mark.parametrize("below", ["", "MNIST/raw"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
def test_all_usual_names_are_found(tmp_path, contents, step, below, compress, dotted):
    named = {n.replace("-idx", ".idx") if dotted else n: c for n, c in contents.items()}
    write_source(tmp_path / "source" / below, named, compress)
    assert step.prepare(tmp_path / "source", tmp_path / "data" / "mnist")
    prepared = snapshot(tmp_path / "data" / "mnist")
    assert prepared.pop("sample.png").startswith(b"\x89PNG")
    assert prepared == contents


def test_sample_shows_each_class_in_its_row(tmp_path, source, step, contents):
    step.prepare(source, tmp_path / "mnist")
    picture = np.asarray(Image.open(tmp_path / "mnist" / "sample.png"))[::2, ::2]
    images = parse_idx(contents[IMAGES], "images")
    assert picture.shape == (10 * 30 + 2, 20 * 30 + 2)
    row, column = 7, 1  # the second image with label 7 is image 17
    cell = picture[2 + row * 30 :, 2 + column * 30 :][:28, :28]
    np.testing.assert_array_equal(255 - cell, images[17])


def test_running_again_does_nothing_and_says_so(tmp_path, source, run):
    run("mnist", "--source", source, "--dest", tmp_path / "data")
    folder = tmp_path / "data" / "mnist"
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    shutil.rmtree(source)  # nothing is fetched again
    status, out, _ = run("mnist", "--source", source, "--dest", tmp_path / "data")
    assert status == 0
    assert out.startswith("mnist is already prepared in ") and "split" in out
    assert {path.name: path.stat().st_ino for path in folder.iterdir()} == before


def test_a_lost_sample_is_drawn_again_from_the_prepared_data(tmp_path, source, run):
    run("mnist", "--source", source, "--dest", tmp_path / "data")
    whole = snapshot(tmp_path / "data")
    (tmp_path / "data" / "mnist" / "sample.png").unlink()
    status, _, _ = run("mnist", "--source", tmp_path / "gone", "--dest", tmp_path / "data")
    assert status == 0
    assert snapshot(tmp_path / "data") == whole


def test_damaged_data_are_replaced_and_foreign_files_kept(tmp_path, source, contents, run):
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    (folder / IMAGES).write_bytes(b"damaged")
    (folder / "notes.txt").write_text("mine")
    assert run("mnist", "--source", source, "--dest", tmp_path / "data")[0] == 0
    assert (folder / IMAGES).read_bytes() == contents[IMAGES]
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mnist"]


def test_source_and_destination_may_be_the_same_folder(tmp_path, contents, step):
    folder = write_source(tmp_path / "mnist", contents)
    assert step.prepare(folder, folder)
    assert step.problems(folder) == []
    assert (folder / f"{IMAGES}.gz").exists()


def test_a_linked_destination_stays_a_link(tmp_path, source, step):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mnist").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    step.prepare(source, tmp_path / "mnist")
    assert (tmp_path / "mnist").is_symlink()
    assert step.problems(tmp_path / "elsewhere") == []


# Failing: each names the file and the mend, and leaves what was there


def archive(source):
    return source / f"{IMAGES}.gz"


def pack(source, content):
    archive(source).write_bytes(gzip.compress(content))


def refuse(path=None, *_, dir=None, **options):
    raise PermissionError(errno.EACCES, "Permission denied", str(dir or path))


def failing_writes(monkeypatch, code, after):
    """Let `after` writes succeed; the next leaves half its bytes and fails."""
    write, count = Path.write_bytes, iter(range(100))

    def failing(path, content):
        if next(count) < after:
            return write(path, content)
        write(path, content[: len(content) // 2])
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "write_bytes", failing)


def fail_last_rename(monkeypatch):
    rename = os.rename
    monkeypatch.setattr(
        os, "rename", lambda old, new: refuse(new) if Path(old).name == "new" else rename(old, new)
    )


#: What is done to the source, or to the system, and what the error names.
FAILURES = {
    "missing file": (lambda s, _: archive(s).unlink(), [IMAGES, "is missing", "--source"]),
    "missing folder": (lambda s, _: shutil.rmtree(s), ["source is not a folder", "--source"]),
    "unreadable file": (
        lambda _, patch: patch.setattr(Path, "read_bytes", refuse),
        ["cannot be read (Permission denied)"],
    ),
    "unreadable folder": (
        lambda _, patch: patch.setattr(Path, "is_dir", refuse),
        ["source cannot be read (Permission denied)"],
    ),
    "truncated": (
        lambda s, _: archive(s).write_bytes(archive(s).read_bytes()[:-100]),
        [f"{IMAGES}.gz is a damaged or truncated gzip archive", "fetch it again"],
    ),
    "one bit": (
        lambda s, _: pack(s, tiny_contents()[IMAGES][:-1] + b"\0"),
        [f"{IMAGES}.gz is not {IMAGES} as published", "SHA-256", "fetch it again"],
    ),
    "magic number": (
        lambda s, _: pack(s, b"<html>not found</html>"),
        [f"{IMAGES}.gz is not an IDX file", "fetch it again"],
    ),
    "dimensions": (
        lambda s, _: pack(s, idx_bytes(np.zeros((20, 32, 32)))),
        [f"{IMAGES}.gz holds an array of shape (20, 32, 32), not (20, 28, 28)"],
    ),
    "labels": (
        lambda s, _: shutil.copy(s / "train-labels-idx1-ubyte.gz", archive(s)),
        [f"{IMAGES}.gz holds an array of shape (20,), not (20, 28, 28)"],
    ),
    "count": (
        lambda s, _: pack(s, tiny_contents()[IMAGES][:-784]),
        [f"{IMAGES}.gz holds {19 * 784} values", f"announces {20 * 784}"],
    ),
    "disk full": (
        lambda _, patch: failing_writes(patch, errno.ENOSPC, after=0),
        ["mnist cannot be written: the disk is full", "--dest"],
    ),
    "disk full later": (
        lambda _, patch: failing_writes(patch, errno.ENOSPC, after=2),
        ["mnist cannot be written: the disk is full", "--dest"],
    ),
    "broken disk": (
        lambda _, patch: failing_writes(patch, errno.EIO, after=1),
        ["mnist cannot be written: Input/output error", "--dest"],
    ),
    "no permission": (
        lambda _, patch: patch.setattr(tempfile, "mkdtemp", refuse),
        ["mnist cannot be written: permission is denied", "--dest"],
    ),
    "last rename": (
        lambda _, patch: fail_last_rename(patch),
        ["mnist cannot be written: permission is denied", "--dest"],
    ),
}


@pytest.mark.parametrize("previous", [False, True], ids=["nothing before", "data before"])
@pytest.mark.parametrize(("fail", "words"), FAILURES.values(), ids=FAILURES)
def test_failure(tmp_path, source, run, fail, words, previous):
    dest = tmp_path / "data"
    if previous:  # an older, damaged state: verified data would end the run at once
        write_source(dest / "mnist", tiny_contents(seed=2), compress=False)
    else:
        dest.mkdir()
    before = snapshot(dest)
    with pytest.MonkeyPatch.context() as monkeypatch:
        fail(source, monkeypatch)
        status, out, err = run("mnist", "--source", source, "--dest", dest)
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)
    assert snapshot(dest) == before  # nothing lost, nothing half-written left beside it


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be(tmp_path, source, run, below):
    (tmp_path / "file").write_text("mine")
    status, _, err = run("mnist", "--source", source, "--dest", tmp_path / "file" / below)
    assert status == 2
    assert_one_sentence(err, "a file stands where a folder is needed", "--dest")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_interrupted_run_leaves_nothing(tmp_path, source, run, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("data_prep.mnist.write_sample", interrupt)
    status, _, err = run("mnist", "--source", source, "--dest", tmp_path / "data")
    assert status == 130
    assert_one_sentence(err, "interrupted")
    assert snapshot(tmp_path / "data") == {}


@pytest.mark.parametrize("renamed", [False, True], ids=["before", "after"])
def test_a_run_killed_around_the_last_rename_loses_nothing(tmp_path, source, step, renamed):
    folder = tmp_path / "mnist"
    previous = write_source(tmp_path / ".mnist.previous", {"notes.txt": b"mine"}, compress=False)
    if renamed:
        write_source(folder, tiny_contents(seed=3), compress=False)
    assert step.prepare(source, folder)
    assert step.problems(folder) == []
    assert (folder / "notes.txt").read_bytes() == b"mine"
    assert not previous.exists()


def test_whole_folder_makes_missing_parents_readable(tmp_path):
    with whole_folder(tmp_path / "a" / "b") as new:
        (new / "file").write_text("whole")
    assert snapshot(tmp_path / "a" / "b") == {"file": b"whole"}
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert (tmp_path / "a" / "b").stat().st_mode == ordinary.stat().st_mode


def test_the_command_itself_ends_with_status_2_and_no_traceback(tmp_path):
    command = [sys.executable, "-m", "data_prep", "mnist", "--source", "nowhere", "--dest", "x"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 2
    assert_one_sentence(ended.stderr, "nowhere is not a folder")


@pytest.mark.parametrize("arguments", [[], ["nmist"], ["mnist", "--form"], ["verify", "--source"]])
def test_a_mistyped_command_line_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m data_prep")


# Downloading


@pytest.fixture
def torchvision_mnist():
    from torchvision.datasets import MNIST  # here, so that other tests need not wait for torch

    return MNIST


@pytest.fixture
def mirror(torchvision_mnist, source, monkeypatch):
    """Serve the source folder on this machine in place of torchvision's mirrors."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(source))
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    archives = [
        (path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in source.iterdir()
    ]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(torchvision_mnist, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(torchvision_mnist, "resources", archives)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield source
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_source_the_files_are_downloaded(tmp_path, mirror, contents, run):
    status, _, _ = run("mnist", "--dest", tmp_path / "data")
    assert status == 0
    prepared = snapshot(tmp_path / "data" / "mnist")
    del prepared["sample.png"]
    assert prepared == contents


def test_a_download_is_verified_like_any_source(tmp_path, mirror, capsys):
    published_otherwise = {"mnist": step_for(tiny_contents(seed=1))}
    assert main(["mnist", "--dest", str(tmp_path / "data")], published_otherwise) == 2
    assert "is not train-images-idx3-ubyte as published" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "failure",
    [
        urllib.error.URLError("Name or service not known"),
        TimeoutError("timed out"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
    ],
)
@pytest.mark.usefixtures("torchvision_mnist")
def test_no_network(tmp_path, run, monkeypatch, failure):
    def unreachable(*arguments, **options):
        raise failure

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    status, out, err = run("mnist", "--dest", tmp_path / "data")
    assert (status, out) == (2, "")
    assert_one_sentence(err, "could not be downloaded", "network", "--source")
    assert not (tmp_path / "data").exists()


def test_a_spoilt_download(tmp_path, mirror, run):
    for archive in mirror.iterdir():
        archive.write_bytes(b"<html>sign in to the hotel's network</html>")
    status, _, err = run("mnist", "--dest", tmp_path / "data")
    assert status == 2
    assert "could not be downloaded" in err and "--source" in err
    assert not (tmp_path / "data").exists()


def test_torchvision_is_imported_for_a_download_only():
    program = "import sys, data_prep.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT).returncode == 0


# Verifying


def test_verify_says_what_is_there(tmp_path, source, run):
    (tmp_path / "data").mkdir()
    status, out, _ = run("verify", "--dest", tmp_path / "data")
    assert status == 0 and out.startswith("mnist: not prepared in ")
    run("mnist", "--source", source, "--dest", tmp_path / "data")
    status, out, err = run("verify", "--dest", tmp_path / "data")
    assert (status, err) == (0, "") and out.startswith("mnist: verified in ")


def test_verify_names_every_file_that_is_wrong(tmp_path, source, run):
    run("mnist", "--source", source, "--dest", tmp_path / "data")
    folder = tmp_path / "data" / "mnist"
    (folder / "t10k-labels-idx1-ubyte").unlink()
    content = bytearray((folder / IMAGES).read_bytes())
    content[-1] ^= 1  # one bit
    (folder / IMAGES).write_bytes(content)
    status, out, err = run("verify", "--dest", tmp_path / "data")
    assert status == 2
    first, second = err.splitlines()
    assert f"{IMAGES} is not {IMAGES} as published" in first
    assert "t10k-labels-idx1-ubyte is missing" in second
    assert "python -m data_prep mnist" in out


# Paths, and the published data


def test_the_prepared_mnist_is_the_published_one():
    step, folder = STEPS["mnist"], data_dir() / "mnist"
    if not step.is_there(folder):
        pytest.skip("MNIST is not prepared: python -m data_prep mnist")
    assert step.problems(folder) == []
    train, test = (line.split() for line in step.summary(folder).splitlines()[1:])
    # Class counts as in the literature, e.g. LeCun et al. (1998), 60,000 and 10,000 in all.
    assert train[3:6] == ["5,923", "6,742", "5,958"]
    assert test[3:6] == ["980", "1,135", "1,032"]
