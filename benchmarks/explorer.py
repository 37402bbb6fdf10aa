"""The explorer in a real JupyterLab in headless Chromium with software WebGL: how fast it follows the hand.

    python benchmarks/explorer.py

Medians over several moves, each from the event to the frame after the one in which the picture was drawn.
"""

import argparse
import importlib.util
import statistics
import tempfile
from pathlib import Path

import nbformat
from report import circumstances, show_targets, target, write

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "explorer.json"
JAVASCRIPT = ROOT / "chaoslab" / "widgets" / "javascript"
CELLS = ["import chaoslab as cl", 'cl.explore("Lorenz")']
MOVES = 30

#: Moves a slider to `places` one after the other, each after a rest; gives milliseconds to the page's and to the exact picture.
MOVE = """async ([row, places]) => {
  const root = document.querySelector('.cl-explorer'), slider = root.querySelector(`[data-row="${row}"] input[type=range]`);
  const frame = () => new Promise(requestAnimationFrame);
  const until = async (met) => { while (!met()) await frame(); await frame(); return performance.now(); };
  const page = [], exact = [];
  for (const place of places) {
    await new Promise(done => setTimeout(done, 400));
    const before = root.dataset.picture, start = performance.now();
    slider.value = place;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    page.push(await until(() => root.dataset.picture !== before) - start);
    exact.push(await until(() => root.dataset.shown === 'exact') - start);
  }
  return {page, exact};
}"""
#: Turns the attractor at every frame; gives frames a second.
TURN = """async count => {
  const canvas = document.querySelector('.cl-stage canvas[tabindex]'), frame = () => new Promise(requestAnimationFrame);
  const key = () => canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true}));
  canvas.focus();
  for (let k = 0; k < 10; k++) { key(); await frame(); }
  const start = performance.now();
  for (let k = 0; k < count; k++) { key(); await frame(); }
  return 1000 * count / (performance.now() - start);
}"""
#: Runs the last cell again; gives milliseconds until its explorer shows a picture.
OPEN = """async () => {
  const old = document.querySelector('.cl-explorer'), frame = () => new Promise(requestAnimationFrame);
  const start = performance.now();
  jupyterapp.commands.execute('notebook:run-cell');
  for (;;) {
    await frame();
    const now = document.querySelector('.cl-explorer');
    if (now && now !== old && now.dataset.picture) { await frame(); return performance.now() - start; }
  }
}"""


def lab():
    """How the tests start a JupyterLab and open a page in it."""
    spec = importlib.util.spec_from_file_location("tests_conftest", ROOT / "tests" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured() -> dict:
    """Milliseconds and frames of one session."""
    from playwright.sync_api import sync_playwright

    tests, root = lab(), Path(tempfile.mkdtemp())
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / "explorer.ipynb")
    with sync_playwright() as driver, tests.served(root, [root / "explorer.ipynb"]) as address:
        window = driver.chromium.launch(executable_path=tests.CHROMIUM, args=tests.FLAGS, headless=True)
        tab, complaints = tests.opened(window, address, "explorer.ipynb")
        shown = "() => document.querySelector('.cl-explorer')?.dataset.shown === 'exact'"
        tab.wait_for_function(shown, timeout=tests.PATIENCE)
        tab.wait_for_timeout(2000)
        periods = tab.locator('[data-row=".periods"] input[type=number]').input_value()
        moves = tab.evaluate(MOVE, ["rho", [27.0 + 0.5 * k for k in range(MOVES)]])
        frames = [tab.evaluate(TURN, 60) for _ in range(5)]
        tab.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
        opened = []
        for _ in range(5):
            opened.append(tab.evaluate(OPEN))
            tab.wait_for_function(shown, timeout=tests.PATIENCE)
            tab.wait_for_timeout(1000)
        window.close()
    assert complaints == [], complaints
    return {**moves, "frames": frames, "opened": opened, "periods": float(periods)}


def main(out: Path) -> None:
    found = measured()
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in JAVASCRIPT.glob("*.js")}
    largest = max(lines, key=lines.get)
    middle = {key: statistics.median(found[key]) for key in ("page", "exact", "frames", "opened")}
    targets = [
        target("slider to repainted picture, in the page", middle["page"], "<= 40 ms"),
        target("slider at rest to the exact solution", middle["exact"], "<= 250 ms"),
        target("frames a second, turning", middle["frames"], ">= 30"),
        target('cl.explore("Lorenz") in a warm kernel', middle["opened"], "<= 1000 ms"),
        target(f"lines of the largest module, {largest}", lines[largest], "< 600"),
    ]
    show_targets(targets)
    made = {"command": "python benchmarks/explorer.py", **circumstances("chaoslab", "anywidget", "jupyterlab", "playwright")}
    write(out, {**made, "targets": targets, "points": round(100 * found["periods"]), **found})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    main(parser.parse_args().out)
