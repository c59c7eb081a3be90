"""The arrays: MNIST, whole and the kept part, their parts, the half-moons and what is exact of them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid

from data_prep.kept_mnist import subset
from data_prep.mnist import Mnist
from helpers.analysis.stats import wilson
from helpers.data import datasets
from helpers.data.datasets import (
    CHECKSUMS,
    DataNotPrepared,
    bayes_accuracy,
    bayes_predict,
    data_dir,
    densities,
    half_moons,
    load_half_moons,
    load_mnist,
    stratified_split,
    vectors,
)
from helpers.data.voc import load_tiny_voc


def arrays(data):
    return data.x, data.y, data.x_eval, data.y_eval


def rows(images):
    return {image.tobytes() for image in images}


def test_the_kept_digits_are_those_of_mnist_and_keep_the_shares():
    digits = load_mnist()
    assert (digits.name, digits.classes) == ("mnist-subset", 10)
    assert digits.checksum == CHECKSUMS["mnist-subset"] and load_mnist("embedded") is digits
    assert not any(array.flags.writeable for array in arrays(digits))
    assert digits.x.shape == (6000, 28, 28) and digits.x_eval.shape == (1000, 28, 28)
    assert digits.x.dtype == np.uint8 and digits.y.dtype == np.int64
    assert len(rows(digits.x) | rows(digits.x_eval)) == 7000  # each once
    of_all = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # of 60,000
    np.testing.assert_allclose(np.bincount(digits.y) * 10, of_all, atol=10)


def test_the_kept_digits_are_chosen_again_from_the_whole():
    if not Mnist().is_there(data_dir() / "mnist"):
        pytest.skip("MNIST is not prepared: python -m data_prep mnist")
    kept = load_mnist()
    for name, array in subset().items():
        assert np.array_equal(getattr(kept, name), array)
    tenth = load_mnist("full", validation=10_000, train_size=6_000)
    assert np.array_equal(kept.x, tenth.x) and np.array_equal(kept.y, tenth.y)


def test_mnist_is_read_from_the_folder_that_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataNotPrepared, match="run `python -m data_prep mnist`"):
        load_mnist("full")
    (tmp_path / "mnist").mkdir()
    for part, n in (("train", 3), ("t10k", 2)):
        for kind, shape in (("images-idx3", (n, 28, 28)), ("labels-idx1", (n,))):
            header = bytes([0, 0, 8, len(shape)]) + np.array(shape, dtype=">u4").tobytes()
            values = (np.arange(np.prod(shape)) % 10).astype(np.uint8)
            path = tmp_path / "mnist" / f"{part}-{kind}-ubyte"
            path.write_bytes(header + values.tobytes())
    with pytest.raises(DataNotPrepared, match="are not MNIST as published"):
        load_mnist("full")
    monkeypatch.setattr(datasets, "checksum", lambda arrays: CHECKSUMS["mnist"])
    data = load_mnist("full")
    assert data.y.tolist() == [0, 1, 2] and data.x_eval.shape == (2, 28, 28)
    assert data.x_eval[0, 0, 3] == 3 and not any(part.flags.writeable for part in arrays(data))


def test_what_is_validated_on_is_not_trained_on_and_the_test_part_stays_out():
    whole = load_mnist()
    options = {"validation": 200, "train_size": 500}
    tuned = load_mnist(evaluate_on="validation", **options)
    final = load_mnist(evaluate_on="test", **options)
    assert len(tuned.x) == len(tuned.y) == 500 and len(tuned.x_eval) == 200
    assert rows(tuned.x) | rows(tuned.x_eval) <= rows(whole.x)
    assert not rows(tuned.x) & rows(tuned.x_eval)
    assert np.bincount(tuned.y).min() >= 45  # every class keeps its share
    assert len(load_mnist(train_size=500).x) == 500
    assert final.x_eval is whole.x_eval and np.array_equal(final.x, tuned.x)
    assert tuned.checksum == whole.checksum


def test_held_out_scenes_are_not_trained_on():
    whole, data = load_tiny_voc(), load_tiny_voc("embedded", 64, "held-out", 100, train_size=300)
    assert len(data.x) == 300 and len(data.y_eval) == 100 and data.classes == 5
    assert rows(data.x) | rows(data.x_eval) <= rows(whole.x)
    assert not rows(data.x) & rows(data.x_eval)
    place = {scene.tobytes(): target for scene, target in zip(whole.x, whole.y, strict=True)}
    assert np.array_equal([place[scene.tobytes()] for scene in data.x], data.y)


def test_a_split_keeps_the_shares_and_every_example():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    rest, chosen = stratified_split(y, 20, seed=3)
    assert np.bincount(y[chosen]).tolist() == [12, 6, 2]
    assert sorted([*rest, *chosen]) == list(range(100)) and (np.diff(rest) > 0).all()


def test_images_become_rows_of_pixels_and_points_stay():
    x = np.zeros((2, 28, 28), dtype=np.uint8)
    x[1, 0, 1], x[1, 1, 0] = 255, 51
    data = datasets.Dataset(x, np.arange(2), x, np.arange(2))
    for dtype in (np.float32, np.float64):
        found = vectors(data, dtype).x
        assert found.shape == (2, 784) and found.dtype == dtype
        assert (found[1, 1], found[1, 28]) == (1, pytest.approx(0.2)) and not found[0].any()
    assert replace(data, y=np.zeros(2, int)).classes == 2  # one of them evaluated alone
    points = load_half_moons(0, 20, 0.2, 10)
    assert vectors(points, np.float32) is points


def test_half_moons_are_half_circles_and_follow_their_seed():
    x, y = half_moons(200, 0.0, seed=0)
    assert x.dtype == np.float64 and np.bincount(y).tolist() == [100, 100]
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1)  # around (0, 0)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1, 0.5]).T), 1)
    assert (x[y == 0, 1] >= 0).all() and (x[y == 1, 1] <= 0.5).all()
    options = {"n": 50, "noise": 0.2, "held_out": 30}
    data = load_half_moons(3, **options)
    assert np.array_equal(data.x, half_moons(50, 0.2, 3)[0])
    assert np.array_equal(data.x_eval, half_moons(30, 0.2, 1_000_003)[0])
    fixed = [load_half_moons(seed, data_seed=3, **options) for seed in (0, 1)]
    assert all(np.array_equal(each.x, data.x) for each in fixed)
    assert not np.array_equal(load_half_moons(4, **options).x, data.x)


XS, YS = np.linspace(-3, 4, 701), np.linspace(-3, 3.5, 651)


def test_a_density_holds_one_class_and_has_the_mean_of_its_samples():
    x, y = half_moons(20_000, 0.2, seed=0)
    for k, density in enumerate(densities(XS, YS, 0.2)):
        assert trapezoid(trapezoid(density, XS), YS) == pytest.approx(1, abs=1e-6)
        mean_x = trapezoid(trapezoid(density * XS, XS), YS)
        mean_y = trapezoid(trapezoid(density, XS) * YS, YS)
        assert np.allclose((mean_x, mean_y), x[y == k].mean(axis=0), atol=0.01)


def test_bayes_accuracy_is_what_its_predictions_score():
    x, y = half_moons(5000, 0.2, seed=1)
    right = (bayes_predict(x, 0.2) == y).sum()
    assert wilson(right, len(x)).contains(bayes_accuracy(0.2))
    far = np.array([[0.5, 100.0], [0.5, -100.0]])  # where both densities are 0 in floating point
    assert bayes_predict(far, 0.2).tolist() == [0, 1]
