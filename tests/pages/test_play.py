"""What one can play with in the page: its arithmetic against NumPy and PyTorch, and its use.

The page is opened from its folder, as by a reader without a server.
"""

from itertools import product

import numpy as np
import pytest
import torch
from selenium.webdriver.common.keys import Keys
from torch.nn import functional

from helpers.data.datasets import half_moons
from helpers.networks import ensemble
from helpers.networks.mlp import SGD, SoftmaxCrossEntropy, evaluate, loss_and_gradients, mlp

LINK = (
    "data-spirals_points-100_noise-0-07_seed-3_units1-8_first-sin_units2-8_second-permute"
    "_rate-0-03_decay-0-001_batch-10"
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
def opened(browser, site):
    """Practice 1, for the tests that leave it as it is."""
    browser.open("about:blank")
    browser.faults()  # what another page has left behind
    browser.open(f"{site.resolve().as_uri()}/notebooks/01_half_moons.html")
    yield browser
    assert browser.faults() == []


@pytest.fixture
def page(opened, site):
    """What opens a practice at a link, as if for the first time."""

    def afresh(fragment="#playground_seed-1", practice="01_half_moons"):
        opened.open("about:blank")
        opened.open(f"{site.resolve().as_uri()}/notebooks/{practice}.html{fragment}")
        return opened

    return afresh


def first(browser, selector):
    return browser.all(selector)[0]


def trained(browser, parameters, activations, x, y, steps):
    listed = [[part.ravel().tolist() for part in pair] for pair in parameters]
    return browser.run(TRAINED, listed, activations, x.ravel().tolist(), y.tolist(), steps)


def test_a_hundred_steps_end_where_numpys_do(opened):
    x, y = half_moons(200, 0.2, seed=1)
    for name, sizes in product(("tanh", "relu", "sigmoid"), ((2, 10, 2), (2, 8, 6, 3))):
        network = mlp(sizes, name, np.random.default_rng(2), dtype=np.float64)
        layers = [(layer.weight.copy(), layer.bias.copy()) for layer in network.dense_layers]
        optimiser, loss = SGD(network), SoftmaxCrossEntropy()
        for _ in range(100):
            loss_and_gradients(network, loss, x, y, weight_decay=0.01)
            optimiser.step(0.1)
        expected = evaluate(network, loss, x, y)["loss"]
        activations = [name.replace("relu", "ReLU")] * (len(sizes) - 2)
        found = trained(opened, layers, activations, x, y, 100)
        assert abs(found["loss"] - expected) < 1e-9, (name, sizes)


#: What the page calls otherwise than practice 5 does, or what practice 5 has not.
OTHERS = {
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "SiLU": functional.silu,
    "GELU": lambda z: functional.gelu(z, approximate="tanh"),
}


def test_every_activation_takes_pytorchs_step(opened):
    rng = np.random.default_rng(0)
    functions, names = ensemble.ACTIVATIONS | OTHERS, opened.run("return Play.ACTIVATIONS")
    assert len(names) == 16
    x, y = half_moons(50, 0.2, seed=1)
    shapes = (2, 5), (5,), (5, 5), (5,), (5, 2), (2,)
    for second in names:
        first = "linear" if second == "permute" else second
        layers = [rng.normal(size=shape) for shape in shapes]
        tensors = [torch.tensor(part, requires_grad=True) for part in layers]
        w1, b1, w2, b2, w3, b3 = tensors
        z1 = torch.tensor(x) @ w1 + b1
        z2 = functions[first](z1) @ w2 + b2
        a2 = ensemble.permute(z2, z1) if second == "permute" else functions[second](z2)
        penalty = 0.01 / 2 * sum(weight.square().sum() for weight in tensors[::2])
        loss = functional.cross_entropy(a2 @ w3 + b3, torch.tensor(y)) + penalty
        slopes = torch.autograd.grad(loss, tensors, materialize_grads=True)
        stepped = [part - 0.1 * slope for part, slope in zip(tensors, slopes, strict=True)]
        expected = torch.cat([part.detach().flatten() for part in stepped])
        pairs = zip(layers[::2], layers[1::2], strict=True)
        found = trained(opened, pairs, [first, second], x, y, 1)["weights"]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=second)


def test_short_steps_go_down_and_long_ones_climb(opened):
    def height():
        return -float(first(opened, ".here").get_attribute("cy"))

    start = height()
    first(opened, ".go").send_keys(Keys.ENTER * 3)
    assert height() < start
    first(opened, ".descent [name=rate]").send_keys(Keys.END)
    first(opened, ".go").send_keys(Keys.ENTER * 3)
    assert height() > start


def test_a_link_leads_back_to_the_same_network(page):
    def copied(fragment):
        browser = page(fragment)
        browser.wait(lambda: "Epoch 30:" in first(browser, ".playground .sentence").text)
        first(browser, ".playground .copy").send_keys(Keys.ENTER)
        return browser.run("return location.hash"), first(browser, ".playground .sentence").text

    link, said = copied(f"#playground_{LINK}_epoch-30")
    assert all(part in link for part in LINK.split("_"))
    assert copied(link) == (link, said)


def test_own_points_come_by_click_and_by_key_and_stay_in_the_link(page):
    browser = page()
    assert len(browser.all(".points path")) == 200
    first(browser, ".playground .clear").send_keys(Keys.ENTER)
    plane = first(browser, ".playground .plane")
    plane.click()  # a point of class 0 in the middle
    plane.send_keys(Keys.ARROW_RIGHT * 5 + "1" + Keys.ARROW_UP * 3 + "1" + Keys.DELETE)
    shapes = [point.get_attribute("class") for point in browser.all(".points path")]
    assert shapes == ["k0", "k1"]
    first(browser, ".playground .copy").send_keys(Keys.ENTER)
    drawn = first(browser, ".points").get_property("innerHTML")
    page(browser.run("return location.hash"))
    assert first(browser, ".points").get_property("innerHTML") == drawn


def test_keys_alone_play_pause_step_and_reset(page):
    """On the page of practice 5, which has a playground, too."""
    browser = page(practice="05_activations")
    start = first(browser, ".playground .start")
    start.send_keys(Keys.ENTER)
    browser.wait(lambda: "Epoch 0:" not in first(browser, ".playground .sentence").text)
    start.send_keys(Keys.SPACE)
    paused = first(browser, ".playground .sentence").text
    assert first(browser, ".playground .said").get_property("textContent") == paused
    first(browser, ".playground .step").send_keys(Keys.ENTER)
    assert first(browser, ".playground .sentence").text != paused
    first(browser, ".playground .reset").send_keys(Keys.ENTER)
    assert "Epoch 0:" in first(browser, ".playground .sentence").text
