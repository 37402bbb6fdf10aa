"""The views of sections, ordinal patterns, recurrences and cobwebs, and fixed points in the explorer, in a real JupyterLab: each
control changes the picture. Needs Chromium."""

import time

import nbformat
import pytest

PATIENCE = 60_000
CELLS = [
    "import chaoslab as cl",
    'section = cl.widgets.section("Lorenz", "z", 27)\nsection',
    'plane = cl.widgets.ordinal_plane("Lorenz")\nplane',
    'recurrence = cl.widgets.recurrence("Rossler", points=300)\nrecurrence',
    'cobweb = cl.widgets.cobweb("Logistic", 0.3)\ncobweb',
    'cl.explore("Lorenz")',
]


@pytest.fixture(scope="module")
def tab(browser, jupyterlab, run_all, tmp_path_factory):
    """A notebook with the four views and an explorer, all at rest."""
    root = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / "views.ipynb")
    with jupyterlab(root, [root / "views.ipynb"]) as address:
        tab, complaints = run_all(browser, address, "views.ipynb")
        tab.on("console", lambda line: complaints.append(line.text) if line.type == "error" and "chaoslab" in line.text else None)
        for name in ("section", "ordinal", "recurrence", "cobweb"):
            settled(tab, name)
        yield tab
        assert complaints == []
        tab.close()


def view(tab, name):
    return tab.locator(f".cl-{name}").first


def settled(tab, name):
    """Wait until the kernel has answered, and the picture is drawn."""
    view(tab, name).wait_for(timeout=PATIENCE)
    view(tab, name).scroll_into_view_if_needed(timeout=PATIENCE)
    ready = """name => { const place = document.querySelector(`.cl-${name}`);
      return place.getAttribute("aria-busy") === "false" && place.dataset.picture > 0; }"""
    tab.wait_for_timeout(200)  # what was moved is sent once it rests
    tab.wait_for_function(ready, arg=name, timeout=PATIENCE)
    tab.wait_for_timeout(150)


def look(tab, name) -> list[bytes]:
    """What each canvas of a view shows."""
    canvases = view(tab, name).locator(".cl-view-body canvas:visible")
    return [canvases.nth(k).screenshot() for k in range(canvases.count())]


def changed(tab, name, before) -> bool:
    """Whether the view is soon another than it was; a busy kernel may take its time."""
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until:
        settled(tab, name)
        if look(tab, name) != before:
            return True
    return False


def press(tab, name, row, key="ArrowRight", times=4):
    view(tab, name).locator(f'[data-row="{row}"] input[type=range]').focus()
    for _ in range(times):
        tab.keyboard.press(key)


def titled(tab, name, text):
    """Wait until the title says it."""
    view(tab, name).locator(".cl-head strong", has_text=text).wait_for(timeout=PATIENCE)


CONTROLS = [
    ("section", "height", None),
    ("section", "direction", "downwards"),
    ("section", "coordinate", "return_time"),
    ("section", "along", "x"),
    ("ordinal", "lag", None),
    ("ordinal", "length", "6"),
    ("recurrence", "rate", None),
    ("recurrence", "component", "x"),
    ("cobweb", "r", None),
    ("cobweb", "start", None),
    ("cobweb", "steps", None),
    ("cobweb", "dropped", None),
]


@pytest.mark.parametrize(("name", "row", "value"), CONTROLS, ids=lambda one: str(one))
def test_each_control_changes_the_picture(tab, name, row, value):
    settled(tab, name)
    before = look(tab, name)
    assert all(len(one) > 1500 for one in before), "a blank picture compresses to almost nothing"
    if value is None:
        press(tab, name, row)
    else:
        view(tab, name).locator(f'[data-row="{row}"] select').select_option(value)
    assert changed(tab, name, before)
    assert view(tab, name).locator(".cl-warning").count() == 0


def test_a_plane_beyond_the_motion_says_so(tab):
    press(tab, "section", "height", "End", 1)
    titled(tab, "section", "is never crossed")
    view(tab, "section").locator('[data-row="height"] button').click()
    titled(tab, "section", "a return takes")


def test_python_turns_the_controls(tab):
    tab.evaluate("""() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
      {code: 'cobweb.turn(r=2.5, steps=30)'}).done""")
    titled(tab, "cobweb", "it settles on a fixed point")
    assert view(tab, "cobweb").locator('[data-row="r"] input[type=number]').input_value() == "2.5"


def test_a_click_beside_the_plane_sets_the_lag(tab):
    settled(tab, "ordinal")
    number = view(tab, "ordinal").locator('[data-row="lag"] input[type=number]')
    before = int(number.input_value())
    box = view(tab, "ordinal").locator(".cl-chart").nth(1).bounding_box()
    tab.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    settled(tab, "ordinal")
    assert int(number.input_value()) > before + 5


def test_a_window_of_the_plot_is_marked_in_the_series(tab):
    settled(tab, "recurrence")
    plot, series = view(tab, "recurrence").locator(".cl-chart").nth(0), view(tab, "recurrence").locator(".cl-chart").nth(1)
    box, before = plot.bounding_box(), series.screenshot()
    tab.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    tab.wait_for_timeout(150)
    hovered = series.screenshot()
    assert hovered != before
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    tab.mouse.up()
    tab.mouse.move(box["x"] - 40, box["y"])
    tab.wait_for_timeout(150)
    assert series.screenshot() not in (hovered, before)
    assert "marked:" in view(tab, "recurrence").locator("p").inner_text()
    plot.locator("canvas").focus()
    kept = series.screenshot()
    tab.keyboard.press("Shift+ArrowLeft")
    tab.wait_for_timeout(150)
    assert series.screenshot() != kept
    tab.keyboard.press("Escape")
    tab.wait_for_timeout(150)
    assert "marked:" not in view(tab, "recurrence").locator("p").inner_text()


def test_fixed_points_are_drawn_into_the_attractor_and_follow(tab):
    explorer = tab.locator(".cl-explorer:not(.cl-view)")
    explorer.scroll_into_view_if_needed(timeout=PATIENCE)
    stage, points = explorer.locator(".cl-stage"), explorer.locator(".cl-points")
    tab.wait_for_function("() => document.querySelector('.cl-explorer:not(.cl-view)').dataset.shown === 'exact'", timeout=PATIENCE)
    tab.wait_for_timeout(400)
    before = stage.screenshot()
    explorer.get_by_role("checkbox", name="fixed points").check()
    points.locator("li").nth(2).wait_for(timeout=PATIENCE)
    tab.wait_for_timeout(400)
    assert stage.screenshot() != before
    assert "saddle-focus at x = 8.4853" in points.inner_text()
    box = explorer.locator('[data-row="rho"] input[type=number]')
    box.fill("20")
    box.press("Enter")
    points.locator(".cl-stable").first.wait_for(timeout=PATIENCE)
    assert "3 fixed points, 2 stable" in points.inner_text()
    explorer.get_by_role("checkbox", name="fixed points").uncheck()
    assert points.is_hidden()


def test_the_theme_of_the_lab_is_followed(tab):
    settled(tab, "cobweb")
    light = look(tab, "cobweb")
    tab.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    tab.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'", timeout=PATIENCE)
    tab.wait_for_timeout(500)
    assert look(tab, "cobweb") != light
    assert view(tab, "cobweb").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(17, 20, 24)"


def test_every_element_that_takes_keys_says_so(tab):
    for name in ("section", "ordinal", "recurrence", "cobweb"):
        keyed = view(tab, name).locator(":is(canvas[tabindex], input, button, select)")
        assert keyed.count() >= 3
        assert keyed.evaluate_all("all => all.every((one) => one.dataset.lmSuppressShortcuts === 'true')")
