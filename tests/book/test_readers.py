"""Four networks read a digit: what is drawn and said is what they answer."""

import numpy as np
import pytest
import torch
from legible import assert_legible
from matplotlib.colors import to_rgba
from torch import nn

from helpers.book import figures, readers
from helpers.book.output import player
from helpers.data.datasets import load_mnist
from helpers.networks.lenet import LeNet

DIGITS = load_mnist("embedded")
SEVEN = DIGITS.x[np.argmax(DIGITS.y == 7)]


class Upper(nn.Module):
    """Answers 1 where there is more ink in the upper half of an image, else 0."""

    def forward(self, images):
        assert images.shape[1:] == (1, 28, 28) and images.dtype == torch.float32
        assert images.min() >= -1 and images.max() <= 1 and not self.training
        upper, lower = images[:, :, :14].mean((1, 2, 3)), images[:, :, 14:].mean((1, 2, 3))
        return 10 * torch.stack([lower, upper], dim=1)


def four():
    torch.manual_seed(0)
    return {"LeNet": LeNet(), "one": Upper(), "two": Upper(), "another LeNet": LeNet()}


# ------------------------------------------------------------------------- distorting


def test_nothing_done_changes_nothing():
    assert np.array_equal(readers.distort(SEVEN), SEVEN)
    assert readers.distort(SEVEN).dtype == np.uint8


@pytest.mark.parametrize("turns", [1, 2, -1])
def test_a_positive_angle_turns_counter_clockwise(turns):
    turned = readers.distort(SEVEN, angle=90 * turns).astype(int)
    assert np.abs(turned - np.rot90(SEVEN, turns)).max() <= 1


def test_a_positive_shift_moves_to_the_right():
    moved = readers.distort(SEVEN, shift=3)
    assert np.array_equal(moved[:, 3:], SEVEN[:, :-3]) and not moved[:, :3].any()
    back = readers.distort(SEVEN, shift=-3)
    assert np.array_equal(back[:, :-3], SEVEN[:, 3:]) and not back[:, -3:].any()


def test_a_grey_square_hides_the_middle():
    hidden = readers.distort(SEVEN, occlusion=6)
    assert (hidden[11:17, 11:17] == readers.GREY).all()
    outside = np.ones((28, 28), dtype=bool)
    outside[11:17, 11:17] = False
    assert np.array_equal(hidden[outside], SEVEN[outside])


def test_the_image_itself_is_left_alone():
    image = SEVEN.copy()
    readers.distort(image, 30, 2, 4)
    assert np.array_equal(image, SEVEN)


# ---------------------------------------------------------------------------- reading


def test_models_read_one_image():
    probabilities = readers.read(four(), SEVEN)
    assert list(probabilities) == ["LeNet", "one", "two", "another LeNet"]
    assert all(np.isclose(values.sum(), 1) for values in probabilities.values())
    top = np.zeros((28, 28), np.uint8)
    top[:14] = 255
    assert readers.read({"u": Upper()}, top)["u"][1] > 0.999
    assert readers.read({"u": Upper()}, top[::-1])["u"][0] > 0.999


def test_what_is_read_is_said():
    probabilities = {"LeNet": np.array([0.1, 0.9]), "ViT": np.array([0.75, 0.25])}
    assert readers.sentence(probabilities) == "LeNet reads 1 (90%); ViT reads 0 (75%)."


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_bars_are_the_probabilities(count):
    rng = np.random.default_rng(0)
    names = ["LeNet", "VGG-11", "ResNet-18", "ViT"][:count]
    probabilities = {name: rng.dirichlet(np.ones(10)) for name in names}
    figure = readers.bar_panels(probabilities, SEVEN, "upright")
    assert_legible(figure)
    digit, *panels = figure.axes
    assert digit.get_title() == "upright"
    assert np.array_equal(digit.images[0].get_array(), SEVEN)
    for ax, (name, values) in zip(panels, probabilities.items(), strict=True):
        assert np.allclose([bar.get_width() for bar in ax.patches], values)
        assert ax.yaxis_inverted() and ax.get_xlim() == (0, 1)
        assert ax.get_title() == f"{name}: {values.argmax()} ({values.max():.0%})"
        dark = [bar.get_facecolor() == to_rgba(figures.BLUE) for bar in ax.patches]
        assert np.flatnonzero(dark).tolist() == [values.argmax()]
    assert [ax.get_xlabel() for ax in panels][-2:] == ["probability"] * min(count, 2)


# ------------------------------------------------------------------ frames and widget


def test_frames_turn_and_their_labels_say_what_is_read():
    frames, labels = readers.reading_frames(four(), SEVEN, angles=(-90, 0, 15))
    answers = [readers.read(four(), readers.distort(SEVEN, angle)) for angle in (-90, 0, 15)]
    said = [", ".join(str(values.argmax()) for values in answer.values()) for answer in answers]
    assert labels == [
        f"90° to the right: {said[0]}", f"upright: {said[1]}", f"15° to the left: {said[2]}",
    ]  # fmt: skip
    assert len({frame.shape for frame in frames}) == 1
    assert not np.array_equal(frames[0], frames[1])


def test_frames_are_light_enough_for_a_page():
    frames, labels = readers.reading_frames(four(), SEVEN)
    page = player(frames, labels, "a seven turns", "caption")._repr_html_()
    assert len(frames) == len(readers.ANGLES) == 13
    assert len(page) / len(frames) < 18_000  # with a third more than the picture's own bytes


def test_playground_redraws_and_says_so():
    playground = readers.reading_playground(four(), DIGITS.x, DIGITS.y)
    assert playground.controls["digit"].options == tuple(range(10))
    assert "A 0, upright: LeNet reads" in playground.sentence.value
    for name, value, said in [
        ("digit", 7, "A 7, upright: "),
        ("angle", -45, "A 7, turned 45° to the right: "),
        ("shift", -3, "moved 3 pixels to the left: "),
        ("occlusion", 4, "a square of 4×4 pixels hidden: "),
    ]:
        before = playground.picture.value
        playground.controls[name].value = value
        assert playground.picture.value != before, name
        assert said in playground.sentence.value
    image = readers.distort(SEVEN, -45, -3, 4)
    assert readers.sentence(readers.read(four(), image)) in playground.sentence.value
