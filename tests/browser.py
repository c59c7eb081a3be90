"""A headless Chromium for tests: it reaches this machine only, and reports what goes wrong.

Selenium drives it through the chromedriver of the system; neither fetches anything.
"""

import json
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

HOST = "127.0.0.1"
DESKTOP, PHONE = 1280, 360  # CSS pixels
PATIENCE = 240  # seconds for one page, however busy the machine
AXE = Path(__file__).with_name("axe-core") / "axe.min.js"

# Waits for formulas, fonts and pictures, and for the theme to lay out what it has found.
SETTLED = """
const done = arguments[arguments.length - 1];
const pictures = [...document.images];
for (const picture of pictures) picture.loading = "eager";
Promise.all([
  window.MathJax?.startup?.promise, document.fonts.ready,
  ...pictures.map(picture => picture.decode().catch(() => {})),
]).then(() => setTimeout(done, 50));
"""

DRAWN = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()));"

BROKEN_PICTURES = """
return [...document.images].filter(picture => picture.complete && !picture.naturalWidth)
  .map(picture => "no picture: " + picture.src.slice(0, 120));
"""

RAW_MATHS = """
return [...document.querySelectorAll(".math")]
  .filter(maths => !maths.querySelector("mjx-container svg, mjx-container mjx-math")
    || maths.querySelector("[data-mml-node=merror], mjx-merror"))
  .map(maths => maths.textContent.trim().slice(0, 80));
"""

# Names the outermost elements that stick out, and that no box around them scrolls.
TOO_WIDE = """
const page = document.documentElement, limit = window.innerWidth + 1;
if (page.scrollWidth <= limit) return [];
const scrolls = element => element && element !== document.body
  && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
const out = [...document.body.querySelectorAll("*")].filter(element =>
  element.getBoundingClientRect().right > limit && !scrolls(element.parentElement));
return [page.scrollWidth + " px wide", ...out.slice(0, 3).map(e => e.outerHTML.slice(0, 100))];
"""

# What the box around a slider shows, the slider itself aside: frames, drawing, cells; and words.
SHOWN = """
const slider = arguments[0];
const box = slider.closest("figure, .side-by-side") ?? slider.parentElement;
const texts = selector => [...box.querySelectorAll(selector)].map(element => element.textContent);
const frames = [...box.querySelectorAll("img")].filter(frame => frame.checkVisibility());
return {
  picture: JSON.stringify([
    frames.map(frame => frame.currentSrc),
    [...box.querySelectorAll("svg")].map(drawing => drawing.outerHTML),
    [...box.querySelectorAll("[style*=background-image]")]
      .map(element => getComputedStyle(element).backgroundPosition),
    texts("td.value"),
  ]),
  words: JSON.stringify([texts("output"), slider.getAttribute("aria-valuetext")]),
  frames: box.matches(".player") ? frames.length : 1,
};
"""

MOVING = """
const gif = picture => /^data:image\\/gif|\\.gif$/.test(picture.currentSrc);
return [
  ...[...document.images].filter(gif).map(picture => "a GIF: " + picture.alt.slice(0, 60)),
  ...[...document.querySelectorAll("video, audio")].filter(film => !film.paused)
    .map(film => "a film: " + film.currentSrc),
  ...document.getAnimations()  // what follows a scroll does not move by itself
    .filter(a => a.playState === "running" && a.timeline instanceof DocumentTimeline)
    .map(a => "an animation of " + a.effect.target?.outerHTML.slice(0, 80)),
];
"""

# What axe-core need not see, and would spend most of its time on: the insides of formulas, which
# are MathJax's own, and what is alike, the rows of a long table or list and the colours of all
# code. And nothing fades from light to dark.
PRUNE = """
document.head.insertAdjacentHTML("beforeend", "<style>* { transition: none !important }</style>");
for (const maths of document.querySelectorAll("mjx-container")) maths.replaceChildren("x");
for (const row of document.querySelectorAll(":is(tr, li, dt, dd):nth-child(n + 20)")) row.remove();
for (const code of [...document.querySelectorAll(".highlight pre")].slice(10))
  code.textContent = code.textContent;
"""

VIOLATIONS = """
const done = arguments[arguments.length - 1], rules = arguments[0];
const options = {preload: false, resultTypes: ["violations"]};
options.rules = {region: {enabled: false}};  // slow, and its violations are moderate
axe.run(document, rules ? {...options, runOnly: rules} : options).then(
  result => done(result.violations
    .filter(found => ["serious", "critical"].includes(found.impact))
    .flatMap(found => found.nodes.map(node =>
      `${found.id} (${found.impact}) ${node.target.join(" ")}: ${node.failureSummary}`))),
  error => done(["axe-core did not finish: " + error]));
"""


def find_browser():
    """Return the paths of Chromium (or Chrome) and of its driver, or None without both."""
    browsers = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    browser = next(filter(None, map(shutil.which, browsers)), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def served(folder):
    """Serve a folder on this machine, and yield its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((HOST, 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@dataclass
class Visit:
    """What a page showed; each field lists what is wrong, and is empty on a sound page."""

    faults: list[str]
    """Errors on the console, requests that failed or went to other hosts, broken pictures."""
    raw_maths: list[str]
    too_wide: list[str]
    stuck: list[str]
    """Sliders that do not change what is shown."""
    inaccessible: list[str]


class Browser:
    """One headless Chromium with a profile of its own, in an empty folder."""

    def __init__(self, chromium, driver, folder):
        os.environ["NO_PROXY"] = f"localhost,{HOST}"  # for the way from here to the driver
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in (
            "--headless=new",
            "--no-first-run",
            "--no-proxy-server",
            f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--user-data-dir={folder}",
        ):
            options.add_argument(argument)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium's sandbox refuses root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)
        self.driver.get("about:blank")
        self.faults()  # those of the browser's own first page

    def close(self):
        self.driver.quit()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, happened):
        """Wait until `happened()` is true, and return what it returned."""
        return WebDriverWait(self.driver, PATIENCE).until(lambda _: happened())

    def resize(self, width):
        """Lay out the page at a width, narrower ones than a window can have included."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, **features):
        """Set what the reader's system asks for: prefer(reduced_motion="reduce")."""
        wanted = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def open(self, url, width=DESKTOP):
        """Open a page and wait until everything on it has come."""
        self.resize(width)
        self.driver.get(url)
        self.driver.execute_async_script(SETTLED)

    def draw(self):
        """Wait until what has changed is drawn."""
        self.driver.execute_async_script(DRAWN)

    def faults(self):
        """List what went wrong since the last call: console, failed and outside requests."""
        console = self.driver.get_log("browser")
        found = [entry["message"] for entry in console if entry["level"] == "SEVERE"]
        messages = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        return found + _failed_requests(messages)

    def moved(self, slider):
        """Send a slider to its other end by a key, and list what did not follow."""
        name = slider.get_attribute("aria-label") or "a slider without a name"
        at_end = slider.get_property("value") == slider.get_attribute("max")
        before = self.run(SHOWN, slider)
        slider.send_keys(Keys.HOME if at_end else Keys.END)
        for _ in range(20):  # a busy machine draws late
            after = self.run(SHOWN, slider)
            if all(before[what] != after[what] for what in ("picture", "words")):
                break
            time.sleep(0.1)
        found = [
            f"{name}: the {what} did not change"
            for what in ("picture", "words")
            if before[what] == after[what]
        ]
        if (before["frames"], after["frames"]) != (1, 1):
            found.append(f"{name}: {after['frames']} frames are shown at once")
        return found

    def inaccessible(self, rules=None):
        """List axe-core's serious and critical violations, of some rules or of all."""
        if not self.run("return 'axe' in window"):
            self.run(AXE.read_text(encoding="utf-8"))
        return self.driver.execute_async_script(VIOLATIONS, rules)

    def illegible_in_the_dark(self):
        """List the texts with too little contrast when the reader's system asks for dark."""
        self.prefer(color_scheme="dark")
        self.draw()
        found = self.inaccessible(["color-contrast"])
        self.prefer()
        return [f"in the dark: {fault}" for fault in found]

    def visit(self, url):
        """Open a page, and look at it as a reader at a desk and one with a phone would."""
        self.open(url)
        raw_maths, broken = self.run(RAW_MATHS), self.run(BROKEN_PICTURES)
        sliders = self.all("input[type=range]")
        stuck = [fault for slider in sliders for fault in self.moved(slider)]
        self.resize(PHONE)
        too_wide = self.run(TOO_WIDE)
        self.resize(DESKTOP)
        self.run(PRUNE)
        violations = self.inaccessible() + self.illegible_in_the_dark()
        return Visit(self.faults() + broken, raw_maths, too_wide, stuck, violations)


def _failed_requests(messages):
    """List requests that failed or went to other hosts, from DevTools' messages."""
    asked, found = {}, []
    for message in messages:
        method, about = message["method"], message["params"]
        url = about.get("url", "")
        if method == "Network.requestWillBeSent":
            url = asked[about["requestId"]] = about["request"]["url"]
        if method in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            address = urlsplit(url[:200])
            if address.scheme in ("http", "https", "ws", "wss") and address.hostname != HOST:
                found.append(f"asks another host: {url[:200]}")
        elif method == "Network.responseReceived" and about["response"]["status"] >= 400:
            found.append(f"status {about['response']['status']}: {about['response']['url']}")
        elif method == "Network.loadingFailed" and not about.get("canceled"):
            url = asked.get(about["requestId"], "a request")[:200]
            found.append(f"failed ({about['errorText']}): {url}")
    return found
