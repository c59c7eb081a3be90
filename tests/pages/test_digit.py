"""Draw a digit, on a page opened from a folder: the networks against ours, and its use."""

import base64
import hashlib
import json

import numpy as np
import pytest
import torch
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.keys import Keys

from book.digit_weights import FOLDER, ROOT, SOURCES, logits, torch_model, unpacked
from helpers.data.datasets import load_mnist
from helpers.networks.probes import attention_maps

RECORD = json.loads((FOLDER / "weights.json").read_text("utf-8"))
LINES = (FOLDER / "weights.js").read_text("utf-8").splitlines()[1:]
NETWORKS, DIGITS, SHOWN = (json.loads(line.split(" = ", 1)[1].rstrip(";")) for line in LINES)
IMAGES = load_mnist("embedded").x_eval[:100]
PIXELS = np.frombuffer(base64.b64decode(DIGITS["pixels"]), np.uint8).reshape(20, 28, 28)
READ = "return arguments[1].map(image => Digit.read(arguments[0], image))"
SEEN = "return Digit.pages[0].seen"


@pytest.fixture(scope="module")
def opened(browser, site):
    """Open practice 2, with a test digit on the sheet."""
    browser.open("about:blank")
    browser.faults()  # what another page has left behind
    browser.open(f"{site.resolve().as_uri()}/notebooks/02_mnist_numpy.html")
    said(browser, "A test image")
    browser.run(
        "document.documentElement.style.scrollBehavior = 'auto';"
        "document.querySelector('.digit').scrollIntoView()"
    )
    yield browser
    assert browser.faults() == []


@pytest.fixture
def page(opened):
    """Practice 2 with the pen in hand, and nothing moved or turned."""
    press(opened, "pen")
    press(opened, "back")
    return opened


def said(browser, start):
    """Wait for the sentence that starts so, and return it."""

    def found():
        text = browser.all(".digit .sentence")[0].text
        return text.startswith(start) and text

    return browser.wait(found)


def press(browser, action, times=1):
    for _ in range(times):
        browser.all(f"[data-do={action}]")[0].send_keys(Keys.ENTER)
    browser.driver.execute_async_script("requestAnimationFrame(() => arguments[0]())")


def stroke(browser, kind, points):
    """Draw a line through points, in shares of the sheet's side, with a mouse or a finger."""
    sheet = browser.all(".digit .sheet")[0]
    builder = ActionBuilder(browser.driver, mouse=PointerInput(kind, kind), duration=20)
    places = np.rint((np.array(points) - 0.5) * sheet.size["width"]).astype(int).tolist()
    builder.pointer_action.move_to(sheet, *places[0]).pointer_down()
    for place in places[1:]:
        builder.pointer_action.move_to(sheet, *place)
    builder.pointer_action.pointer_up()
    builder.perform()


def test_the_logits_are_those_of_the_same_weights_here(page):
    images = np.concatenate([IMAGES, PIXELS])
    for name in SOURCES:
        answers = page.run(READ, name, images.reshape(-1, 784).tolist())
        found = [answer["logits"] for answer in answers]
        expected = logits(name, unpacked(NETWORKS[name]["tensors"]), images)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4, err_msg=name)


def test_the_attention_is_the_models(page):
    model = torch_model("vit", unpacked(NETWORKS["vit"]["tensors"]))
    expected = attention_maps(model, torch.tensor(PIXELS[:, None]).double() / 127.5 - 1)
    found = page.run(READ, "vit", PIXELS.reshape(-1, 784).tolist())
    heads = [answer["attention"] for answer in found]  # of the class token, to each patch
    np.testing.assert_allclose(heads, expected[:, -1, :, 0, 1:].detach(), rtol=0, atol=1e-5)


def test_rounding_costs_nothing_and_the_files_are_small():
    assert RECORD["networks"] == SHOWN and list(SHOWN) == list(SOURCES)
    for network in SHOWN.values():
        kept = (ROOT / network["made_from"]).read_bytes()
        assert hashlib.sha256(kept).hexdigest() == network["sha256"]
        assert abs(network["accuracy"] - network["accuracy_before"]) <= 0.001
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 600_000


def test_a_digit_of_mnists_is_centred_and_scaled_already(page):
    enlarged = PIXELS.repeat(10, axis=1).repeat(10, axis=2).reshape(20, -1).tolist()
    found = page.run("return arguments[0].map(ink => Digit.normalise(ink))", enlarged)
    np.testing.assert_array_equal(np.reshape(found, PIXELS.shape), PIXELS)


@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_what_is_drawn_is_read(page, kind):
    angles = np.linspace(0, 2 * np.pi, 25)
    stroke(page, kind, [(0.5 + 0.2 * np.sin(a), 0.5 - 0.35 * np.cos(a)) for a in angles])
    assert said(page, "Your drawing").count("says 0") == 3
    press(page, "clear")
    said(page, "The sheet is empty")
    stroke(page, kind, [(0.5, 0.15), (0.5, 0.85)])
    assert "LeNet says 1" in said(page, "Your drawing")
    press(page, "eraser")
    stroke(page, kind, [(0.5, 0.05), (0.5, 0.95)])
    said(page, "The sheet is empty")


def test_keys_alone_draw_and_clear(page):
    sheet = page.all(".digit .sheet")[0]
    sheet.send_keys(Keys.ARROW_UP * 10 + " " + Keys.ARROW_DOWN * 20 + " " + Keys.ARROW_LEFT * 5)
    assert "LeNet says 1" in said(page, "Your drawing")
    page.all("[data-do=clear]")[0].send_keys(Keys.ENTER)
    said(page, "The sheet is empty")
    page.all("[data-sample='4']")[0].send_keys(Keys.ENTER)
    assert said(page, "A test image of a 4").count("says 4") == 3


def test_what_is_seen_moves_and_turns(page):
    page.all("[data-sample='7']")[0].send_keys(Keys.ENTER)
    press(page, "right", 3)
    press(page, "up")
    moved = np.reshape(page.run(SEEN), (28, 28))
    np.testing.assert_array_equal(moved[:-1, 3:], PIXELS[7][1:, :-3])
    press(page, "back")
    press(page, "anticlockwise", 6)
    turned = np.reshape(page.run(SEEN), (28, 28))
    np.testing.assert_allclose(turned, np.rot90(PIXELS[7]), atol=1e-6)
    said(page, "A test image of a 7, turned by 90° to the left: ")
