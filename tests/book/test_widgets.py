"""Widgets do what their controls say; pictures come with words."""

import re

import ipywidgets
import pytest
import torch
from bs4 import BeautifulSoup

from helpers.book import figures, widgets


def picture(playground):
    return BeautifulSoup(playground.picture.value, "html.parser").img


def test_playground_draws_at_once_and_again_on_every_change():
    calls = []

    def draw(**values):
        calls.append(values)
        return figures.new_figure(width=1, height=1)[0], f"a < {values['a']}"

    control = widgets.slider([1, 2, 3], 2, "a")
    playground = widgets.Playground({"a": control, "b": widgets.slider("xyz", "x", "b")}, draw)
    control.value = 3
    assert calls == [{"a": 2, "b": "x"}, {"a": 3, "b": "x"}]
    assert picture(playground)["alt"] == "a < 3"
    assert picture(playground)["src"].startswith("data:image/png;base64,")
    assert "a &lt; 3" in playground.sentence.value


def test_playground_is_a_box_with_its_controls_first():
    control = widgets.slider([1, 2], 1, "a")
    draw = lambda a: (figures.new_figure(width=1, height=1)[0], "")  # noqa: E731
    playground = widgets.Playground({"a": control}, draw)
    assert isinstance(playground, ipywidgets.VBox)
    assert playground.children == (control, playground.sentence, playground.picture)


def test_moons_playground_retrains(monkeypatch):
    monkeypatch.setattr(widgets, "MOONS_EPOCHS", 60)
    playground = widgets.moons_playground()
    assert "After 60 epochs" in playground.sentence.value
    for name, value in [
        ("hidden", 2),
        ("weight_decay", 0),
        ("learning_rate", 1),
        ("noise", 0),
        ("seed", 3),
    ]:
        before = playground.picture.value
        playground.controls[name].value = value
        assert playground.picture.value != before, name


def test_moons_trial_learns_the_moons():
    settings = {"hidden": 10, "weight_decay": 0.001, "noise": 0.1}
    fast, slow = (
        [accuracy(widgets.moons_trial(learning_rate=r, seed=s, **settings)[1]) for s in range(3)]
        for r in (3, 0.01)
    )
    assert max(fast) > 0.98 > 0.95 > max(slow)  # one seed alone may stay stuck


def accuracy(sentence):
    return float(sentence.removesuffix("%.").split()[-1]) / 100


def test_moons_trial_says_that_it_diverged():
    _, sentence = widgets.moons_trial(
        hidden=10, weight_decay=0.1, learning_rate=100, noise=0.2, seed=0
    )
    assert sentence.startswith("The loss stopped being finite after")


def test_slider_refuses_a_start_that_is_not_listed():
    with pytest.raises(Exception, match="Invalid selection"):
        widgets.slider([1, 2], 5, "a")


# -------------------------------------------------- practice 5: activation functions


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "z.x", "foo(z)", "sin(z, z)", "z if z else z", "'a'", "z +", "x",
     "z[0]", "sin(z, out=z)", "z + " * widgets.LONGEST + "z"],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused(text):
    with pytest.raises(ValueError, match=r"understood|unknown|argument|expression"):
        widgets.parse(text)
    sentence = widgets.activation_trial(text, "ReLU", 3, 0.1, 0)[1]
    assert re.search(r"understood|unknown|argument|expression", sentence)


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


def test_the_activation_playground_trains_what_was_typed(monkeypatch):
    monkeypatch.setattr(widgets, "MOMENTS", (0, 20))
    playground = widgets.activation_playground()
    assert playground.sentence.value.startswith('<p aria-live="polite">ReLU after the first layer')
    before = playground.picture.value
    playground.controls["first"].value = "z * z"
    playground.controls["second"].value = "permute"
    assert playground.picture.value != before
    assert "permute after the second: after 20 iterations" in playground.sentence.value
