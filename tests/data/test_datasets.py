import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from data_prep.steps import STEPS
from helpers.data import datasets
from helpers.data.datasets import (
    CHECKSUMS,
    DataNotPrepared,
    available_scale,
    data_dir,
    half_moons,
    load_mnist,
    pixels,
    resize_digits,
    stratified_split,
)

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


# The embedded digits


def test_the_digits_are_the_same_on_every_machine():
    digits = load_mnist("embedded")
    assert (digits.name, digits.scale) == ("digits", "embedded")
    assert digits.checksum == CHECKSUMS["digits"]


def test_the_digits_have_the_form_of_mnist():
    digits = load_mnist()
    assert digits.x.shape == (1347, 28, 28)
    assert digits.x_eval.shape == (450, 28, 28)
    for images, labels in (
        (digits.x, digits.y),
        (digits.x_eval, digits.y_eval),
    ):
        assert images.dtype == np.uint8 and images.max() == 255
        assert labels.dtype == np.int64 and labels.shape == (len(images),)
        assert np.unique(labels).tolist() == list(range(10))
        # The digit stands in the middle 20x20; interpolation fades it out over a pixel more.
        border = np.ones((28, 28), dtype=bool)
        border[3:25, 3:25] = False
        assert not images[:, border].any()


def test_the_split_of_the_digits_keeps_the_shares_and_every_digit_once():
    digits, source = load_mnist(), load_digits()
    counts = np.bincount(source.target)
    test_counts = np.bincount(digits.y_eval)
    np.testing.assert_allclose(test_counts, counts * 450 / 1797, atol=1)
    assert (np.bincount(digits.y) + test_counts).tolist() == counts.tolist()
    together = np.concatenate([digits.x, digits.x_eval]).reshape(1797, -1)
    expected = resize_digits(source.images.astype(np.int64)).reshape(1797, -1)
    assert np.array_equal(np.unique(together, axis=0), np.unique(expected, axis=0))
    assert together.sum(dtype=np.int64) == expected.sum(dtype=np.int64)


def test_a_split_by_form_is_harder_than_the_random_split():
    # What the docstring of load_mnist says about writers.
    x, labels = load_digits(return_X_y=True)
    assert np.mean(labels[130:] == labels[:-130]) > 0.5  # by chance 0.1

    def accuracy(train, test):
        nearest = KNeighborsClassifier(1).fit(x[train], labels[train])
        return nearest.score(x[test], labels[test])

    order = np.arange(1797)
    by_form = accuracy(order[:-450], order[-450:])
    assert by_form < accuracy(*stratified_split(labels, 450, seed=0)) - 0.01


def test_data_are_loaded_once_and_cannot_be_changed():
    digits = load_mnist()
    assert load_mnist("embedded") is digits
    for name in ARRAYS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(digits, name)[0] = 0
    with pytest.raises(AttributeError):
        digits.name = "mnist"


def test_resize_agrees_with_pillow_away_from_the_border():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 17, (5, 8, 8))
    resized = resize_digits(images)
    for image, ours in zip(images, resized, strict=True):
        grey = Image.fromarray((image * 255 / 16).astype(np.float32))
        theirs = np.asarray(grey.resize((20, 20), Image.Resampling.BICUBIC)).clip(0, 255)
        np.testing.assert_allclose(ours[8:20, 8:20], theirs[4:16, 4:16], atol=0.51)


def test_resize_keeps_the_extremes_and_symmetry():
    full = resize_digits(np.full((1, 8, 8), 16))[0]
    assert (full[7:21, 7:21] == 255).all()
    assert not resize_digits(np.zeros((1, 8, 8), dtype=np.int64)).any()
    image = np.random.default_rng(1).integers(0, 17, (1, 8, 8))
    resized = resize_digits(image)
    np.testing.assert_array_equal(resize_digits(image[:, ::-1]), resized[:, ::-1])
    np.testing.assert_array_equal(resize_digits(image[:, :, ::-1]), resized[:, :, ::-1])
    np.testing.assert_array_equal(
        resize_digits(image.transpose(0, 2, 1)), resized.transpose(0, 2, 1)
    )


# MNIST


def test_mnist_that_is_not_prepared(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataNotPrepared, match="run `python -m data_prep mnist`") as raised:
        load_mnist("full")
    assert isinstance(raised.value, FileNotFoundError)
    assert str(tmp_path / "mnist") in str(raised.value)


def write_tiny_mnist(folder):
    folder.mkdir()
    for name, shape in (
        ("train-images-idx3-ubyte", (3, 28, 28)),
        ("train-labels-idx1-ubyte", (3,)),
        ("t10k-images-idx3-ubyte", (2, 28, 28)),
        ("t10k-labels-idx1-ubyte", (2,)),
    ):
        header = bytes([0, 0, 8, len(shape)]) + np.array(shape, dtype=">u4").tobytes()
        values = np.arange(np.prod(shape)) % 10
        (folder / name).write_bytes(header + values.astype(np.uint8).tobytes())


def test_altered_mnist_is_refused(tmp_path, monkeypatch):
    write_tiny_mnist(tmp_path / "mnist")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataNotPrepared, match="are not MNIST as published"):
        load_mnist("full")


def test_mnist_is_read_from_the_folder_that_the_environment_names(tmp_path, monkeypatch):
    write_tiny_mnist(tmp_path / "mnist")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    found = "0" * 64
    monkeypatch.setattr(datasets, "checksum", lambda arrays: found)
    monkeypatch.setitem(CHECKSUMS, "mnist", found)
    data = load_mnist("full")
    assert (data.name, data.scale, data.checksum) == ("mnist", "full", found)
    assert data.y.tolist() == [0, 1, 2] and data.y.dtype == np.int64
    assert data.x_eval.shape == (2, 28, 28) and data.x_eval[0, 0, 3] == 3
    assert not any(getattr(data, name).flags.writeable for name in ARRAYS)


def test_the_real_mnist():
    if not STEPS["mnist"].is_there(data_dir() / "mnist"):
        pytest.skip("MNIST is not prepared: python -m data_prep mnist")
    data = load_mnist("full")
    assert data.checksum == CHECKSUMS["mnist"]
    assert data.x.shape == (60_000, 28, 28) and len(data.y_eval) == 10_000
    assert data.y[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(data.y)[0] == 5923 and np.bincount(data.y_eval)[0] == 980
    # Mean and deviation of the training pixels, as quoted throughout the literature.
    assert data.x.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert data.x.std() / 255 == pytest.approx(0.3081, abs=5e-5)


# Scales, inputs, splits, half-moons


def test_available_scale(monkeypatch):
    for value, scale in ((None, "embedded"), ("", "embedded"), ("full", "full")):
        if value is None:
            monkeypatch.delenv("COURSE_SCALE", raising=False)
        else:
            monkeypatch.setenv("COURSE_SCALE", value)
        assert available_scale() == scale
    monkeypatch.setenv("COURSE_SCALE", "huge")
    with pytest.raises(ValueError, match='COURSE_SCALE must be "embedded" or "full", not "huge"'):
        available_scale()


def test_load_mnist_refuses_another_scale():
    with pytest.raises(ValueError, match='scale must be "embedded" or "full", not "tiny"'):
        load_mnist("tiny")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels(dtype):
    images = np.zeros((2, 28, 28), dtype=np.uint8)
    images[1, 0, 1], images[1, 1, 0] = 255, 51
    x = pixels(images, dtype)
    assert x.shape == (2, 784) and x.dtype == dtype and x.flags.c_contiguous
    assert x[0].max() == 0 and x[1, 1] == 1
    assert x[1, 28] == pytest.approx(0.2)


def test_stratified_split_keeps_the_shares():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    rest, chosen = stratified_split(labels, 20, seed=3)
    assert np.bincount(labels[chosen]).tolist() == [12, 6, 2]
    assert sorted([*rest, *chosen]) == list(range(100))
    assert (np.diff(rest) > 0).all() and (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(stratified_split(labels, 20, seed=3)[1], chosen)
    assert not np.array_equal(stratified_split(labels, 20, seed=4)[1], chosen)


@pytest.mark.parametrize("size", [-1, 0, 2, 98, 100, 101])
def test_stratified_split_refuses_a_size_that_leaves_a_part_too_small(size):
    with pytest.raises(ValueError, match=f"size must be from 3 to 97 .*, not {size}"):
        stratified_split(np.repeat([0, 1, 2], [60, 30, 10]), size, seed=0)


def test_half_moons():
    x, labels = half_moons(200, 0.0, seed=0)
    assert x.shape == (200, 2) and x.dtype == np.float64
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [100, 100]
    upper, lower = x[labels == 0], x[labels == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)  # around (0, 0)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert (upper[:, 1] >= 0).all() and (lower[:, 1] <= 0.5).all()


def test_half_moons_follow_their_seed():
    np.testing.assert_array_equal(half_moons(50, 0.2, seed=1)[0], half_moons(50, 0.2, seed=1)[0])
    assert not np.array_equal(half_moons(50, 0.2, seed=1)[0], half_moons(50, 0.2, seed=2)[0])
