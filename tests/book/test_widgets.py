"""Widgets do what their controls say; pictures come with words."""

import pytest
import torch
from bs4 import BeautifulSoup

from helpers.book import figures, widgets


def test_playground_draws_at_once_and_again_on_every_change():
    calls = []

    def draw(**values):
        calls.append(values)
        return figures.new_figure(width=1, height=1)[0], f"a < {values['a']}"

    control = widgets.slider([1, 2, 3], 2, "a")
    playground = widgets.Playground({"a": control, "b": widgets.slider("xyz", "x", "b")}, draw)
    assert playground.children[0] is control
    control.value = 3
    assert calls == [{"a": 2, "b": "x"}, {"a": 3, "b": "x"}]
    picture = BeautifulSoup(playground.picture.value, "html.parser").img
    assert picture["alt"] == "a < 3" and picture["src"].startswith("data:image/png;base64,")
    assert "a &lt; 3" in playground.sentence.value


MOONS = {"hidden": 2, "weight_decay": 0, "learning_rate": 1, "noise": 0, "seed": 3}
DIGITS = {"loss": "mse", "activation": "tanh", "learning_rate": 0.3, "seed": 3}
TYPED = {"first": "z * z", "second": "permute"}


@pytest.mark.parametrize(
    ("make", "shortened", "to", "values"),
    [
        (widgets.moons_playground, "MOONS_EPOCHS", 60, MOONS),
        (widgets.digits_playground, "DIGITS_EPOCHS", 5, DIGITS),
        (widgets.activation_playground, "MOMENTS", (0, 20), TYPED),
    ],
)
def test_every_control_changes_the_picture(monkeypatch, make, shortened, to, values):
    monkeypatch.setattr(widgets, shortened, to)
    playground = make()
    for name, value in values.items():
        before = playground.picture.value.split("alt=")[0]
        playground.controls[name].value = value
        assert playground.picture.value.split("alt=")[0] != before, name


def test_moons_trial_learns_the_moons_and_says_so():
    def accuracy(learning_rate, seed):
        sentence = widgets.moons_trial(10, 0.001, learning_rate, 0.1, seed)[1]
        return float(sentence.removesuffix("%.").split()[-1]) / 100

    fast, slow = ([accuracy(rate, seed) for seed in range(3)] for rate in (3, 0.01))
    assert max(fast) > 0.98 > 0.95 > max(slow)  # one seed alone may stay stuck
    assert "stopped being finite" in widgets.moons_trial(10, 0.1, 100, 0.2, 0)[1]


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
