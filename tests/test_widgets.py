"""Widgets do what their controls say; pictures come with words."""

import ipywidgets
import pytest
from bs4 import BeautifulSoup

from helpers import figures, widgets


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
