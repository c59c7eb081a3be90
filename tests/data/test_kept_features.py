"""The kept features and photographs, and that they are what they say they are."""

import numpy as np
import pytest

from data_prep.errors import PrepError
from data_prep.features import features_of, nearest
from data_prep.kept_features import reduced
from data_prep.paths import data_dir
from data_prep.voc_labels import classes_of
from data_prep.voc_store import read_images
from helpers.data.datasets import DataNotPrepared
from helpers.data.features import (
    KEPT_CHECKSUM,
    decoded,
    kept_arrays,
    load_voc_features,
    masks,
    photographs,
    project,
)
from helpers.training.linear_trainer import fit


def test_the_kept_features_are_of_all_photographs_and_say_what_is_in_them():
    data = load_voc_features()
    assert data.checksum == KEPT_CHECKSUM and data.classes == 5
    assert data.x.shape == (6000, 96) and data.x_eval.shape == (624, 96)
    assert not data.x.flags.writeable and not data.y.flags.writeable
    assert data.y.mean(axis=0).round(4).tolist() == [0.6035, 0.1705, 0.0802, 0.1575, 0.0805]
    assert data.y_eval.mean(axis=0).round(4).tolist() == [0.6827, 0.0994, 0.1074, 0.1410, 0.0881]
    few = data.part(slice(1000))
    right = (fit(few.x, few.y, strength=0.1).logits(data.x_eval) > 0) == data.y_eval
    assert right.mean() > 0.95


def test_fewer_images_are_drawn_by_the_seed_and_are_among_the_more():
    data = load_voc_features(train_size=200, seed=3)
    more, other = (load_voc_features(train_size=n, seed=s) for n, s in ((600, 3), (200, 4)))
    assert np.array_equal(data.x, more.x[:200]) and not np.array_equal(data.x, other.x)
    assert len(np.unique(more.x, axis=0)) == 600 and len(more.x_eval) == 624


def test_the_kept_photographs_have_masks_or_are_the_nearest_of_their_group():
    photos, kept_masks = photographs(), masks()
    data = load_voc_features()
    features, labels = np.vstack([data.x, data.x_eval]), np.vstack([data.y, data.y_eval])
    assert {decoded(photo).shape for photo in photos.values()} == {(128, 128, 3)}
    for row, mask in kept_masks.items():
        assert classes_of(decoded(mask)) == tuple(np.flatnonzero(labels[row]))
    for asked, *found in np.reshape([*photos][24:60], (6, 6)):
        assert asked >= 6000 and nearest(features, asked, 5, among=6000).tolist() == found


def test_components_are_of_the_training_images_alone():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4)) @ np.linalg.qr(rng.normal(size=(40, 4)))[0].T + 7
    found = reduced(features, 200, 4)
    directions = found["components"] * found["component_scale"][:, None]
    back = (found["features"] * found["scale"]) @ directions + found["mean"]
    assert np.abs(back - features).max() < 0.1  # rounded little
    features[200:] *= 3
    assert np.array_equal(reduced(features, 200, 4)["components"], found["components"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("embedded", 128), ValueError, "size must be"),
        (("huge",), ValueError, "scale must be"),
        (("full", 64), DataNotPrepared, r"tiny-voc .*--size 64.* data_prep features --size 64"),
    ],
)
def test_what_is_not_there_is_told(arguments, error, message, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(error, match=message):
        load_voc_features(*arguments)


def test_some_kept_features_are_computed_again_from_the_photographs():
    try:
        images = read_images(data_dir() / "tiny-voc", 224)
    except PrepError as error:
        pytest.skip(str(error))
    kept, rows = kept_arrays(), np.arange(0, len(images), 1000)
    found = project(features_of(images[rows])) / kept["scale"]
    assert np.abs(found - kept["features"][rows]).max() < 0.51
