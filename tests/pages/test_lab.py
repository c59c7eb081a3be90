"""A notebook in Jupyter Lab, as a reader has it: run by the menu, a slider moved by a key.

nbval executes the notebooks whole. Here, one has its first cells and its playground alone.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from browser import HOST, PATIENCE
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK, PLAYGROUND = ROOT / "notebooks" / "01_half_moons.ipynb", "moons_playground()"
RUN_MENU = "//div[contains(@class, 'lm-MenuBar-itemLabel') and text()='Run']"
RUN_ALL = "//li[@data-command='runmenu:run-all']"
READY = """
const panel = window.jupyterapp?.shell.currentWidget;
return panel?.sessionContext?.session?.kernel?.status === "idle"
  && panel.content.widgets.length > 0;
"""
# What the code cells gave: how often each was run, and what went wrong.
CELLS = """
return [...window.jupyterapp.shell.currentWidget.content.model.cells].map(cell => [
  cell.executionState === "idle" && cell.executionCount,
  cell.outputs.toJSON().filter(output => output.output_type === "error"
    || output.name === "stderr").map(output => output.evalue ?? String(output.text)),
]);
"""
SHOWN = """
return [...document.querySelectorAll(".widget-html-content")].map(e => e.innerHTML).join("");
"""


@pytest.fixture
def address(tmp_path):
    """Lab on a copy of a notebook, with settings of its own."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [code[0], *(cell for cell in code if cell.source.endswith(PLAYGROUND))]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "some.ipynb")
    for package in ("benchmarks", "helpers", "data_prep", "runs"):
        (tmp_path / package).symlink_to(ROOT / package)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        f"--ServerApp.ip={HOST}", f"--ServerApp.port={port}", f"--ServerApp.root_dir={tmp_path}",
        "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    own = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    environment = os.environ | {name: str(tmp_path / name) for name in (*own, "IPYTHONDIR")}
    environment.pop("MPLBACKEND", None)  # the notebooks' own, as a reader has it
    server = subprocess.Popen(command, env=environment)
    yield f"http://{HOST}:{port}"
    server.terminate()
    server.wait()


def test_it_runs_from_top_to_bottom_and_its_widget_moves(browser, address):
    driver = browser.driver
    waiting = WebDriverWait(driver, PATIENCE, 0.3, ignored_exceptions=[WebDriverException])

    def wait(happened):
        return waiting.until(lambda _: happened())

    browser.resize(1280)
    wait(lambda: not driver.get(f"{address}/lab/tree/notebooks/some.ipynb?reset"))
    wait(lambda: browser.run(READY))
    driver.find_element(By.XPATH, RUN_MENU).click()
    wait(lambda: driver.find_elements(By.XPATH, RUN_ALL))[0].click()
    wait(lambda: [count for count, _ in browser.run(CELLS)] == [1, 2])
    assert [errors for _, errors in browser.run(CELLS)] == [[], []]
    handle = wait(lambda: browser.all(".noUi-handle"))[0]
    before = wait(lambda: browser.run(SHOWN))
    handle.send_keys(Keys.ARROW_RIGHT)
    assert wait(lambda: browser.run(SHOWN) != before and browser.run(SHOWN))
