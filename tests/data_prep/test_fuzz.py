"""Damage of every kind, from a seed: the data come out or one sentence does, never a traceback.

It takes some seconds; ``FUZZ_SECONDS=60 python -m pytest tests/data_prep/test_fuzz.py`` goes on for
a minute, each time from another seed.
"""

import gzip
import itertools
import os
import shutil
import time
import zipfile
import zlib

import numpy as np
import pytest
from prepared import all_files, zipped

from data_prep.errors import PrepError
from data_prep.idx import read_idx
from data_prep.tiny_voc import TinyVoc
from data_prep.toy_step import ToyVoc

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(time.time()) if SECONDS else 0
TURNS = 30  # at least
STEP = TinyVoc(size=16, compact_only=True, jobs=1)
WAYS = [getattr(zipfile, f"ZIP_{way}") for way in ("STORED", "DEFLATED", "BZIP2", "LZMA")]


def damage(rng, content):
    """Change some bytes, lose some or bring some in, most of them near an end."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        near = rng.choice([len(data), min(len(data), 300)])
        at = rng.integers(near + 1)
        at = int(len(data) - at if rng.random() < 0.3 else at)
        lost, new = (int(rng.choice([0, 1, 2, 4, 60, 10**4])) for _ in range(2))
        kinds = [rng.bytes(new), bytes(new), b"\xff" * new, bytes(data[:new]), b"[" * new]
        data[at : at + lost] = kinds[rng.integers(len(kinds))]
    return bytes(data)


def checked(content):
    """Give a PNG's chunks the right CRC-32 again, so that more than that is looked at."""
    data, at = bytearray(content), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(data)


def one_file(rng, folder):
    """Damage one file of a folder."""
    names = sorted(all_files(folder))
    path = folder / names[rng.integers(len(names))]
    content = damage(rng, path.read_bytes())
    path.write_bytes(checked(content) if path.suffix == ".png" and rng.random() < 0.7 else content)


def of_a_folder(rng, source, scratch):
    one_file(rng, shutil.copytree(source, scratch / "source"))
    STEP.prepare(scratch / "source", scratch / "tiny-voc")


def of_an_archive(rng, source, scratch):
    path = zipped(source, scratch / "a.zip", compression=WAYS[rng.integers(len(WAYS))])
    path.write_bytes(damage(rng, path.read_bytes()))
    STEP.prepare(path, scratch / "tiny-voc")


def of_what_was_prepared(rng, source, scratch):
    whole = source.with_name("tiny-voc")
    folder = shutil.copytree(whole, scratch / "tiny-voc")
    for _ in range(3):
        one_file(rng, folder)
        STEP.problems(folder)
    STEP.prepare(source, folder)
    assert all_files(folder) == all_files(whole)


def of_an_idx_file(rng, source, scratch):
    shape = rng.integers(0, 5, rng.integers(1, 4)).astype(">u4")
    content = bytes([0, 0, 8, len(shape)]) + shape.tobytes() + rng.bytes(int(shape.prod()))
    content = damage(rng, content) if rng.random() < 0.5 else content
    content = damage(rng, gzip.compress(content)) if rng.random() < 0.7 else content
    (scratch / "values").write_bytes(content)
    read_idx(scratch / "values")


@pytest.mark.parametrize("kind", [of_a_folder, of_an_archive, of_what_was_prepared, of_an_idx_file])
def test_no_damage_leads_to_a_traceback(kind, tmp_path):
    ToyVoc({"train": 2, "val": 1}).prepare(None, tmp_path / "source")
    STEP.prepare(tmp_path / "source", tmp_path / "tiny-voc")
    ends, outcomes = time.monotonic() + SECONDS / 4, set()
    for turn in itertools.takewhile(
        lambda turn: turn < TURNS or time.monotonic() < ends, itertools.count()
    ):
        scratch = tmp_path / f"seed {SEED}, turn {turn}"  # what stays there, where it fails
        scratch.mkdir()
        try:
            kind(np.random.default_rng([SEED, turn]), tmp_path / "source", scratch)
            outcomes.add("data")
        except PrepError as error:
            assert "\n" not in str(error) and str(error).endswith(".")
            outcomes.add("sentence")
        shutil.rmtree(scratch)
    assert outcomes >= ({"data"} if kind is of_what_was_prepared else {"data", "sentence"})
