"""The command as a whole, in a process of its own: its console, its advice, one beside it."""

import os
import re
import shlex
import subprocess
import sys

import pytest
from prepared import assert_one_sentence

from data_prep.files import alone
from data_prep.paths import PROJECT_ROOT, data_dir
from helpers.data.datasets import DataNotPrepared, load_mnist

#: Tiny-VOC's command with settings for a test.
SMALL = ["tiny-voc", "--size", "16", "--jobs", "1", "--compact-only"]


def start(*arguments, cwd=PROJECT_ROOT, **more):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)} | more.pop("env", {})
    command = [sys.executable, *more.pop("options", []), "-m", "data_prep", *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, env=environment, **streams | more)


def ended(*arguments, **more):
    process = start(*arguments, **more)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_reading_and_preparing_load_no_torch():
    program = "from data_prep import command_line; command_line.all_steps(); import sys"
    program += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT).returncode == 0


# The console


def test_no_letter_is_too_much_for_the_console(source, tmp_path):
    plain = {"PYTHONIOENCODING": "ascii"}
    status, out, err = ended(*SMALL, "--source", source, "--dest", tmp_path / "数据", env=plain)
    assert (status, err) == (0, "") and r"\u6570\u636e" in out
    status, out, err = ended("verify", "--dest", tmp_path / "数", env=plain)
    assert status == 2
    assert_one_sentence(err, r"\u6570 is not a folder")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("options", "arguments"), [(["-u"], ["--help"]), ([], [*SMALL, "--source"])]
)
def test_what_cannot_be_shown_changes_nothing(source, tmp_path, options, arguments):
    if "--source" in arguments:
        arguments = [*arguments, source, "--dest", tmp_path / "data"]
    with open("/dev/full", "w") as full:
        status, _, err = ended(*arguments, options=options, stdout=full)
    assert status == 0
    assert_one_sentence(err, "the output cannot be written")
    reader, writer = os.pipe()
    os.close(reader)
    assert ended(*arguments, options=options, stdout=writer)[::2] == (0, "")
    os.close(writer)


# What the user is told to do


@pytest.mark.parametrize("cwd", ["notebooks", "elsewhere"])
def test_advice_works_where_it_is_given(source, tmp_path, monkeypatch, cwd):
    cwd = tmp_path if cwd == "elsewhere" else PROJECT_ROOT / cwd
    monkeypatch.chdir(cwd)
    dest = os.path.relpath(tmp_path / "my data", cwd)
    status, out, _ = ended(*SMALL, "--source", source, "--dest", dest, cwd=cwd)
    assert status == 0
    value = shlex.split(re.search("Set (COURSE_DATA=.*) to use", out)[1])[0].partition("=")[2]
    monkeypatch.setenv("COURSE_DATA", value)
    monkeypatch.chdir(PROJECT_ROOT / "notebooks")
    assert data_dir() == tmp_path / "my data"
    (data_dir() / "tiny-voc" / "16" / "images.npy").unlink()
    (data_dir() / "tiny-voc" / "labels.txt").unlink()
    status, out, _ = ended("verify", "--dest", dest, cwd=cwd, env={"COURSE_DATA": ""})
    assert status == 2
    line = re.search("run `(.*)` to prepare it anew", out)[1].replace("FOLDER-OR-ZIP", str(source))
    environment = {**os.environ, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    environment["COURSE_DATA"] = ""
    line = line.replace("SIZE", "16")
    assert subprocess.run(line, shell=True, cwd=cwd, env=environment).returncode == 0
    assert (data_dir() / "tiny-voc" / "16" / "images.npy").exists()


def test_a_relative_folder_of_data_is_the_project_s(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "mine")
    assert data_dir() == PROJECT_ROOT / "mine"


@pytest.mark.parametrize("named", ["~nobody-of-this-name/data", ""])
def test_a_folder_that_is_none(named, monkeypatch, command):
    status, out, err = command([], "verify", "--dest", named)
    assert (status, out) == (2, "")
    assert_one_sentence(err, "home folder that is not known" if named else "A path is empty")
    monkeypatch.setenv("COURSE_DATA", "~nobody-of-this-name/data")
    with pytest.raises(DataNotPrepared, match="home folder that is not known"):
        load_mnist("full")


# Not alone


def test_a_second_preparation_waits_for_the_first(source, tmp_path):
    with alone(tmp_path / "data"):
        process = start(*SMALL, "--source", source, "--dest", tmp_path / "data")
        assert "waiting for it" in process.stderr.readline()
        assert process.poll() is None and os.listdir(tmp_path / "data") == []
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
