"""Each page in a real JupyterLab in a real browser, as a reader meets it. Needs Chromium; says so where there is none."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
PATIENCE = 180_000  # milliseconds a step may take on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with copies of the pages and settings of its own."""
    root = tmp_path_factory.mktemp("lab")
    pages = root / "pages"
    pages.mkdir()
    for page in PAGES:
        shutil.copy(page, pages)
    quiet = root / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    places = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTER_CONFIG_DIR": "config"}
    places |= {"JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    options += ["--ServerApp.password=", "--allow-root", f"--ServerApp.root_dir={pages}", "--expose-app-in-browser"]
    log = (root / "log").open("w")
    environment = os.environ | {key: str(root / value) for key, value in places.items()}
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
        log.close()


def _wait_for(address: str, log: Path):
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


ERRORS = """() => { const cells = jupyterapp.shell.currentWidget.content.model.cells, found = [];
  for (let i = 0; i < cells.length; i++) { const outputs = cells.get(i).outputs; if (!outputs) continue;
    for (let j = 0; j < outputs.length; j++) { const o = outputs.get(j).toJSON();
      if (o.output_type === 'error') found.push(i + ': ' + o.ename + ' ' + o.evalue); } }
  return found; }"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs_and_draws(page, browser, lab, tmp_path):
    tab = browser.new_page(viewport={"width": 1200, "height": 1500})
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{lab}/lab/workspaces/auto-{page.stem}?reset")
    tab.wait_for_function("() => window.jupyterapp", timeout=PATIENCE)
    tab.evaluate("async () => { await jupyterapp.restored }")
    tab.evaluate("name => jupyterapp.commands.execute('docmanager:open', {path: name, factory: 'Notebook'})", page.name)
    idle = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    tab.wait_for_function(idle, timeout=PATIENCE)
    assert tab.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    assert tab.evaluate(ERRORS) == []
    assert complaints == []

    turning = "application/vnd.plotly" in page.read_text()
    figure = tab.locator(".js-plotly-plot" if turning else ".jp-RenderedImage img").first
    figure.scroll_into_view_if_needed(timeout=PATIENCE)
    tab.wait_for_timeout(1000)
    assert len(figure.screenshot()) > 10_000, "a blank figure compresses to almost nothing"
    assert tab.locator("mjx-container, .MathJax").count() > 0, "the equations are typeset"

    if "knobs(" in page.read_text():
        handle = tab.locator(".noUi-handle").first
        handle.scroll_into_view_if_needed(timeout=PATIENCE)
        picture = tab.locator(".jupyter-widgets.widget-image, img.widget-image").first
        before = picture.screenshot()
        handle.focus()
        for _ in range(12):
            tab.keyboard.press("ArrowRight")
        tab.wait_for_timeout(3000)
        assert picture.screenshot() != before, "the picture follows the slider"
    tab.close()
