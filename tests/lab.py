"""Jupyter Lab in a headless Chromium, as a reader has it: open a notebook, run it, move a slider.

The page's own objects are asked what a cell gave, since Lab draws only the cells in sight.
"""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from browser import HOST, PATIENCE
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

RUN_MENU = "//div[contains(@class, 'lm-MenuBar-itemLabel') and text()='Run']"
RUN_ALL = "//li[@data-command='runmenu:run-all']"

READY = """
const panel = window.jupyterapp?.shell.currentWidget;
return panel?.sessionContext?.session?.kernel?.status === "idle"
  && panel.content.widgets.length > 0;
"""

# The code cells that hold anything: how often each was run, and what it gave.
CELLS = """
const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
return cells.map((cell, index) => ({cell, index}))
  .filter(({cell}) => cell.type === "code" && cell.sharedModel.source.trim())
  .map(({cell, index}) => ({
    index, state: cell.executionState, count: cell.executionCount,
    errors: cell.outputs.toJSON().filter(output => output.output_type === "error"
      || output.name === "stderr").map(output => output.evalue ?? String(output.text)),
    widget: cell.outputs.toJSON().some(
      output => "application/vnd.jupyter.widget-view+json" in (output.data ?? {})),
  }));
"""

# Scrolls to a cell and hands over its element.
SHOW_CELL = """
const done = arguments[arguments.length - 1];
const notebook = window.jupyterapp.shell.currentWidget.content;
notebook.activeCellIndex = arguments[0];
notebook.scrollToItem(arguments[0], "start")
  .then(() => setTimeout(() => done(notebook.widgets[arguments[0]].node), 500));
"""

SHOWN = """
return [...arguments[0].querySelectorAll(".widget-html-content")]
  .map(element => element.innerHTML).join("");
"""


@contextmanager
def jupyter_lab(folder, settings):
    """Start Jupyter Lab on a folder, with settings of its own, and yield its address."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        f"--ServerApp.ip={HOST}", f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}",
        "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTERLAB_SETTINGS_DIR": "settings",
           "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython"}  # fmt: skip
    environment = os.environ | {name: str(settings / place) for name, place in own.items()}
    environment.pop("MPLBACKEND", None)  # the notebooks' own, as a reader has it
    log = settings / "log"
    with log.open("w") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        address = f"http://{HOST}:{port}"
        _await(f"{address}/api", server, log)
        yield address
    finally:
        server.terminate()
        server.wait()


def _await(url, server, log):
    """Wait until the server answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(url, timeout=10).close()
        except (URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"Jupyter Lab did not start:\n{log.read_text()[-2000:]}")


class Notebook:
    """A notebook that is open in Jupyter Lab.

    Parameters
    ----------
    browser : browser.Browser
    address : str
        Of the server.
    path : str
        Of the notebook, in the server's folder.
    seconds : float
        How long running it may take.
    """

    def __init__(self, browser, address, path, seconds):
        self.browser, self.seconds = browser, seconds
        browser.resize(1280)
        browser.driver.get(f"{address}/lab/tree/{path}?reset")
        self.wait(lambda: browser.run(READY))

    def wait(self, happened):
        """Wait until something has happened, and return what it gave."""
        waiting = WebDriverWait(
            self.browser.driver, self.seconds, poll_frequency=1,
            ignored_exceptions=[JavascriptException],
        )  # fmt: skip
        return waiting.until(lambda _: happened())

    def cells(self):
        """Return the code cells: index, state, count of the execution, errors, whether a widget."""
        return self.browser.run(CELLS)

    def run_all(self):
        """Choose Run All Cells in the menu, as a reader does, and wait for the last cell."""
        driver = self.browser.driver
        driver.find_element(By.XPATH, RUN_MENU).click()
        self.wait(lambda: driver.find_elements(By.XPATH, RUN_ALL))[0].click()
        self.wait(lambda: not self.all_done())  # the counts that were saved are taken off
        self.wait(lambda: self.all_done() or any(cell["errors"] for cell in self.cells()))

    def all_done(self):
        """Whether every code cell has been run, and none is running."""
        return all(cell["count"] and cell["state"] == "idle" for cell in self.cells())

    def moved(self, index):
        """Scroll to a cell with a widget, press an arrow key on its first slider; say what changed.

        Returns
        -------
        tuple of (str, str)
            What the output showed before and after, without the slider itself.
        """
        cell = self.browser.driver.execute_async_script(SHOW_CELL, index)
        handle = self.wait(lambda: cell.find_elements(By.CSS_SELECTOR, ".noUi-handle"))[0]
        before = self.browser.run(SHOWN, cell)
        handle.send_keys(Keys.ARROW_RIGHT)
        return before, self.wait(
            lambda: (after := self.browser.run(SHOWN, cell)) != before and after
        )
