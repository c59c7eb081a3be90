"""What one can play with in the page: its arithmetic against NumPy and PyTorch, and its use.

The pages are opened from a folder, as a reader without a server would.
"""

import sys

import numpy as np
import pytest
import torch
from browser import PATIENCE
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from torch.nn import functional

from helpers.book.output import STATIC, show_widget
from helpers.data.datasets import half_moons
from helpers.networks import ensemble
from helpers.networks.mlp import SGD, SoftmaxCrossEntropy, evaluate, loss_and_gradients, mlp

sys.path.insert(0, str(STATIC.parent / "_ext"))
from book_site import WIDGETS

LINK = (
    "data=spirals&points=100&noise=0.07&seed=3&units1=8&first=sin&units2=8&second=permute"
    "&rate=0.03&decay=0.001&batch=10"
)
TRAINED = """
const [parameters, activations, x, y, steps] = arguments;
const network = Play.network(parameters, activations), points = Float64Array.from(x);
for (let i = 0; i < steps; i++) network.step(points, y, 0.1, 0.01);
return {
  loss: network.evaluate(points, y).loss,
  weights: network.dense.map(layer => [...layer.weight, ...layer.bias]).flat(),
};
"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """Open a page with everything to play with, at a link, as if for the first time."""
    folder = tmp_path_factory.mktemp("play")
    (folder / "_static").symlink_to(STATIC)
    scripts = dict.fromkeys(script for widget in WIDGETS.values() for script in widget)
    (folder / "page.html").write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="_static/play.css">'
        + "".join(f'<script defer src="_static/{script}"></script>' for script in scripts)
        + "</head><body><main><h1>A page</h1>"
        + "".join(show_widget(name)._repr_html_() for name in WIDGETS)
        + "</main></body></html>",
        encoding="utf-8",
    )

    def opened(fragment=""):
        browser.open("about:blank")
        browser.open(f"{folder.as_uri()}/page.html{fragment}")
        return browser

    yield opened
    assert browser.faults() == []


def only(browser, selector):
    (found,) = browser.all(selector)
    return found


def sentence(browser):
    return only(browser, ".playground .sentence").text


def wait_until(browser, true):
    WebDriverWait(browser.driver, PATIENCE).until(lambda _: true())


def trained(browser, parameters, activations, x, y, steps):
    listed = [[part.ravel().tolist() for part in pair] for pair in parameters]
    return browser.run(TRAINED, listed, activations, x.ravel().tolist(), y.tolist(), steps)


@pytest.mark.parametrize("sizes", [(2, 10, 2), (2, 8, 6, 3)])
@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid"])
def test_a_hundred_steps_end_where_numpys_do(page, name, sizes):
    x, y = half_moons(200, 0.2, seed=1)
    network = mlp(sizes, name, np.random.default_rng(2), dtype=np.float64)
    layers = [(layer.weight.copy(), layer.bias.copy()) for layer in network.dense_layers]
    optimiser, loss = SGD(network), SoftmaxCrossEntropy()
    for _ in range(100):
        loss_and_gradients(network, loss, x, y, weight_decay=0.01)
        optimiser.step(0.1)
    expected = evaluate(network, loss, x, y)["loss"]
    activations = [name.replace("relu", "ReLU")] * (len(sizes) - 2)
    found = trained(page(), layers, activations, x, y, 100)
    assert abs(found["loss"] - expected) < 1e-9


#: What the page calls otherwise than practice 5 does, or what practice 5 has not.
OTHERS = {
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "SiLU": functional.silu,
    "GELU": lambda z: functional.gelu(z, approximate="tanh"),
}


def test_every_activation_takes_pytorchs_step(page):
    browser, rng = page(), np.random.default_rng(0)
    names = browser.run("return Play.ACTIVATIONS")
    assert len(names) == 16
    x, y = half_moons(50, 0.2, seed=1)
    shapes = ((2, 5), (5,)), ((5, 5), (5,)), ((5, 2), (2,))
    for name in names:
        first, second = ("linear" if name == "permute" else name), name
        layers = [[rng.normal(size=shape) for shape in pair] for pair in shapes]
        (w1, b1), (w2, b2), (w3, b3) = tensors = [
            [torch.tensor(part, requires_grad=True) for part in pair] for pair in layers
        ]
        functions = ensemble.ACTIVATIONS | OTHERS
        z1 = torch.tensor(x) @ w1 + b1
        z2 = functions[first](z1) @ w2 + b2
        a2 = ensemble.permute(z2, z1) if name == "permute" else functions[second](z2)
        weights = sum(weight.square().sum() for weight, _ in tensors)
        loss = functional.cross_entropy(a2 @ w3 + b3, torch.tensor(y)) + 0.01 / 2 * weights
        parts = [part for pair in tensors for part in pair]
        slopes = torch.autograd.grad(loss, parts, materialize_grads=True)
        stepped = [part - 0.1 * slope for part, slope in zip(parts, slopes, strict=True)]
        expected = torch.cat([part.detach().flatten() for part in stepped])
        found = trained(browser, layers, [first, second], x, y, 1)["weights"]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_link_leads_back_to_the_same_network(page):
    def copied(fragment):
        browser = page(fragment)
        wait_until(browser, lambda: "Epoch 30:" in sentence(browser))
        only(browser, ".playground .copy").click()
        return browser.run("return location.hash"), sentence(browser)

    link, said = copied(f"#playground?{LINK}&epoch=30")
    assert all(part in link for part in LINK.split("&"))
    assert copied(link) == (link, said)


def test_own_points_come_by_click_and_by_key_and_stay_in_the_link(page):
    browser = page()
    assert len(browser.all(".points path")) == 200
    only(browser, ".playground .clear").click()
    plane = only(browser, ".plane")
    plane.click()  # a point of class 0 in the middle
    plane.send_keys(Keys.ARROW_RIGHT * 5 + "1" + Keys.ARROW_UP * 3 + "1" + Keys.DELETE)
    shapes = [point.get_attribute("class") for point in browser.all(".points path")]
    assert shapes == ["k0", "k1"]
    only(browser, ".playground .copy").click()
    drawn = browser.run("return document.querySelector('.points').innerHTML")
    page(browser.run("return location.hash"))
    assert browser.run("return document.querySelector('.points').innerHTML") == drawn


def test_keys_alone_play_pause_step_and_reset(page):
    browser = page()
    start = only(browser, ".playground .start")
    start.send_keys(Keys.ENTER)
    wait_until(browser, lambda: "Epoch 0:" not in sentence(browser))
    start.send_keys(Keys.SPACE)
    paused = sentence(browser)
    assert only(browser, ".said").get_property("textContent") == paused
    only(browser, ".playground .step").send_keys(Keys.ENTER)
    assert sentence(browser) != paused
    only(browser, ".playground .reset").send_keys(Keys.ENTER)
    assert "Epoch 0:" in sentence(browser)


def test_short_steps_go_down_and_long_ones_climb(page):
    browser = page()

    def height():
        return -float(only(browser, ".descent .here").get_attribute("cy"))

    start = height()
    only(browser, ".descent .go").send_keys(Keys.ENTER * 3)
    assert height() < start
    only(browser, ".descent [name=rate]").send_keys(Keys.END)
    only(browser, ".descent .go").send_keys(Keys.ENTER * 3)
    assert height() > start


def test_nothing_is_wrong_with_the_page(page):
    browser = page()
    seen = browser.visit(browser.driver.current_url)
    assert {name: faults for name, faults in vars(seen).items() if faults} == {}
