"""Widgets do what their controls say; pictures come with words."""

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from helpers.book import widgets
from helpers.data.datasets import load_mnist
from helpers.networks.lenet import LeNet


def turned(playground, values):
    """Set one control after the other; each changes the picture, whose words are the sentence."""
    for name, value in values.items():
        before = playground.picture.value.split("alt=")[0]
        playground.controls[name].value = value
        assert playground.picture.value.split("alt=")[0] != before, name
        sentence = BeautifulSoup(playground.sentence.value, "html.parser").text
        assert BeautifulSoup(playground.picture.value, "html.parser").img["alt"] == sentence


MOONS = {"hidden": 2, "weight_decay": 0, "learning_rate": 1, "noise": 0, "seed": 3}
TYPED = {"first": "z * z", "second": "permute"}


@pytest.mark.parametrize(
    ("make", "shortened", "to", "values"),
    [
        (widgets.moons_playground, "MOONS_EPOCHS", 60, MOONS),
        (widgets.activation_playground, "MOMENTS", (0, 20), TYPED),
    ],
)
def test_every_control_changes_the_picture(monkeypatch, make, shortened, to, values):
    monkeypatch.setattr(widgets, shortened, to)
    turned(make(), values)


def test_a_trial_says_how_well_it_went_and_that_it_broke():
    assert "stopped being finite" in widgets.moons_trial(10, 0.1, 100, 0.2, 0)[1]
    assert "accuracy on 2,000 fresh points 9" in widgets.moons_trial(10, 0.001, 3, 0.1, 0)[1]


DIGITS = load_mnist("embedded")
SEVEN = DIGITS.x[np.argmax(DIGITS.y == 7)]


class Upper(torch.nn.Module):
    """Answers 1 where there is more ink in the upper half of an image, else 0."""

    def forward(self, images):
        upper, lower = images[:, :, :14].mean((1, 2, 3)), images[:, :, 14:].mean((1, 2, 3))
        return 10 * torch.stack([lower, upper], dim=1)


MODELS = {"LeNet": LeNet(), "half": Upper()}


def test_a_digit_is_turned_counter_clockwise_moved_to_the_right_and_hidden_in_the_middle():
    for turns in (0, 1, 2, -1):
        after = widgets.change(SEVEN, angle=90 * turns).astype(int)
        assert np.abs(after - np.rot90(SEVEN, turns)).max() <= (turns != 0)
    moved = widgets.change(SEVEN, shift=3)
    assert np.array_equal(moved[:, 3:], SEVEN[:, :-3]) and not moved[:, :3].any()
    hidden = widgets.change(SEVEN, occlusion=6)
    assert (hidden[11:17, 11:17] == widgets.GREY).all()
    assert (hidden != SEVEN).sum() <= 36


def test_bars_are_the_probabilities():
    top = np.repeat(np.array([255, 0], np.uint8), 14)[:, None].repeat(28, axis=1)
    probabilities = widgets.read(MODELS, top)
    assert probabilities["half"][1] > 0.999 and probabilities["LeNet"].sum() == pytest.approx(1)
    _, *panels = widgets.bar_panels(probabilities, top).axes
    for ax, values in zip(panels, probabilities.values(), strict=True):
        assert np.allclose([bar.get_width() for bar in ax.patches], values)


def test_the_playground_shows_what_the_networks_make_of_the_changed_digit():
    playground = widgets.reading_playground(MODELS, DIGITS.x, DIGITS.y)
    turned(playground, {"digit": 7, "angle": -45, "shift": -3, "occlusion": 4})
    for name, values in widgets.read(MODELS, widgets.change(SEVEN, -45, -3, 4)).items():
        assert f"{name} reads {values.argmax()} ({values.max():.0%})" in playground.sentence.value


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "z.x", "foo(z)", "sin(z, z)", "z if z else z", "'a'", "True", "z +", "x",
     "not z", "z[0]", "sin(*z)", "sin(z, out=z)", "z + " * widgets.LONGEST + "z"],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"understood|expression") as refused:
        widgets.parse(text)
    assert widgets.activation_trial(text, "ReLU", 3, 0.1, 0)[1] == str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sin(z) + 0.1 * z**2 - -1", lambda z: z.sin() + 0.1 * z**2 + 1),
        ("maximum(z, 0.5)", lambda z: z.clamp(min=0.5)),
        ("2 / exp(abs(z))", lambda z: 2 / z.abs().exp()),
        ("3", lambda z: torch.full_like(z, 3)),
    ],
)
def test_an_expression_is_what_it_says(text, expected):
    z = torch.linspace(-2, 2, 5)
    assert torch.allclose(widgets.parse(text)(z), expected(z))
