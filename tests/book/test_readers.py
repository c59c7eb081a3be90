"""Several networks read a digit: what is drawn and said is what they answer."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from helpers.book import figures, readers
from helpers.data.datasets import load_mnist
from helpers.networks.lenet import LeNet

DIGITS = load_mnist("embedded")
SEVEN = DIGITS.x[np.argmax(DIGITS.y == 7)]


class Upper(torch.nn.Module):
    """Answers 1 where there is more ink in the upper half of an image, else 0."""

    def forward(self, images):
        upper, lower = images[:, :, :14].mean((1, 2, 3)), images[:, :, 14:].mean((1, 2, 3))
        return 10 * torch.stack([lower, upper], dim=1)


MODELS = {"LeNet": LeNet(), "half": Upper()}


@pytest.mark.parametrize("turns", [0, 1, 2, -1])
def test_a_positive_angle_turns_counter_clockwise(turns):
    turned = readers.change(SEVEN, angle=90 * turns)
    assert turned.dtype == np.uint8
    assert np.abs(turned.astype(int) - np.rot90(SEVEN, turns)).max() <= (turns != 0)


def test_a_positive_shift_moves_to_the_right_and_a_square_hides_the_middle():
    moved = readers.change(SEVEN, shift=3)
    assert np.array_equal(moved[:, 3:], SEVEN[:, :-3]) and not moved[:, :3].any()
    hidden = readers.change(SEVEN, occlusion=6)
    assert (hidden[11:17, 11:17] == readers.GREY).all()
    assert (hidden != SEVEN).sum() <= 36


def test_bars_are_the_probabilities():
    top = np.zeros((28, 28), np.uint8)
    top[:14] = 255
    probabilities = readers.predict(MODELS, top)
    assert probabilities["half"][1] > 0.999
    assert probabilities["LeNet"].sum() == pytest.approx(1)
    _, *panels = readers.bar_panels(probabilities, top).axes
    for ax, values in zip(panels, probabilities.values(), strict=True):
        assert np.allclose([bar.get_width() for bar in ax.patches], values)
        dark = [bar.get_facecolor() == to_rgba(figures.BLUE) for bar in ax.patches]
        assert np.flatnonzero(dark).tolist() == [values.argmax()]


def test_frames_turn_and_their_labels_say_what_is_read():
    frames, labels = readers.reading_frames(MODELS, SEVEN, angles=(-90, 0, 15))
    assert not np.array_equal(frames[0], frames[1]) and frames[0].shape == frames[1].shape
    sides = ["90° to the right", "upright", "15° to the left"]
    assert [label.split(": ")[0] for label in labels] == sides
    answers = readers.predict(MODELS, readers.change(SEVEN, -90)).values()
    assert labels[0].endswith(": " + ", ".join(str(values.argmax()) for values in answers))


def test_the_playground_shows_what_the_networks_make_of_the_changed_digit():
    playground = readers.reading_playground(MODELS, DIGITS.x, DIGITS.y)
    for name, value in {"digit": 7, "angle": -45, "shift": -3, "occlusion": 4}.items():
        before = playground.picture.value
        playground.controls[name].value = value
        assert playground.picture.value != before, name
    for name, values in readers.predict(MODELS, readers.change(SEVEN, -45, -3, 4)).items():
        assert f"{name} reads {values.argmax()} ({values.max():.0%})" in playground.sentence.value
