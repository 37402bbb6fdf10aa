"""The explorer in a real JupyterLab: every slider, list and button, two at once, wrong input, a kernel that is gone; and the file
without Python. Needs Chromium."""

import re

import nbformat
import numpy as np
import pytest

import chaoslab as cl

PATIENCE = 60_000
CELLS = ["import chaoslab as cl", 'one = cl.explore("Lorenz")\none', 'two = cl.explore("Henon")\ntwo', 'cl.explore("MackeyGlass")']


#: Notes which picture each is, in the page's `seen`.
WATCH = """() => { const place = document.querySelector('.cl-explorer');
  window.seen = [];
  const watch = new MutationObserver(() => seen.push(place.dataset.shown));
  watch.observe(place, {attributes: true, attributeFilter: ['data-picture']}); }"""


@pytest.fixture(scope="module")
def tab(browser, jupyterlab, run_all, tmp_path_factory):
    """A notebook with three explorers, all of which show the exact picture."""
    root = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / "explorers.ipynb")
    with jupyterlab(root, [root / "explorers.ipynb"]) as address:
        tab, complaints = run_all(browser, address, "explorers.ipynb")
        for k in range(3):
            explorer(tab, k).wait_for(timeout=PATIENCE)
            settled(tab, k)
        yield tab
        assert complaints == []
        tab.close()


def explorer(tab, k=0):
    return tab.locator(".cl-explorer").nth(k)


def shown(tab, k=0) -> int:
    """How many pictures an explorer has shown."""
    return int(explorer(tab, k).get_attribute("data-picture"))


def settled(tab, k=0):
    """Wait until the kernel's picture is shown and nothing more comes."""
    explorer(tab, k).scroll_into_view_if_needed(timeout=PATIENCE)
    tab.wait_for_function("k => document.querySelectorAll('.cl-explorer')[k]?.dataset.shown === 'exact'", arg=k, timeout=PATIENCE)
    tab.wait_for_timeout(700)


def look(tab, k=0) -> bytes:
    return explorer(tab, k).locator(".cl-stage").screenshot()


def press(tab, row, key="ArrowRight", times=5, k=0):
    explorer(tab, k).locator(f'[data-row="{row}"] input[type=range]').focus()
    for _ in range(times):
        tab.keyboard.press(key)


def enter(tab, row, value, k=0):
    box = explorer(tab, k).locator(f'[data-row="{row}"] input[type=number]')
    box.fill(str(value))
    box.press("Enter")


def status(tab, k=0) -> str:
    return explorer(tab, k).locator(".cl-status").inner_text()


def test_the_exact_picture_is_shown_at_rest(tab):
    assert status(tab) == "exact: Taylor, tolerance 1e-12"
    assert "chaotic" in explorer(tab).locator(".cl-facts").inner_text()
    assert explorer(tab).locator("math").count() >= 1
    assert len(look(tab)) > 10_000, "a blank picture compresses to almost nothing"


@pytest.mark.parametrize("row", ["sigma", "rho", "beta", ".periods", ".transient"])
def test_each_slider_changes_the_picture_in_the_page_and_then_exactly(tab, row):
    settled(tab)
    before, count = look(tab), shown(tab)
    tab.evaluate(WATCH)
    press(tab, row)
    settled(tab)
    assert shown(tab) > count
    seen = tab.evaluate("seen")
    assert seen[0] == "page", "the page draws while the slider moves"
    assert seen[-1] == "exact", "the kernel has the last word"
    assert look(tab) != before


def test_the_initial_state_is_set_by_hand(tab):
    explorer(tab).locator("summary").click()
    settled(tab)
    before = look(tab)
    press(tab, "state x", times=3)
    settled(tab)
    assert look(tab) != before
    explorer(tab).locator("summary").click()


def test_values_are_typed_and_reset(tab):
    enter(tab, "rho", 99.96)
    settled(tab)
    assert "99.96" in explorer(tab).locator(".cl-formula").inner_text()
    tab.wait_for_function("() => !document.querySelector('.cl-facts').classList.contains('cl-stale')", timeout=PATIENCE)
    enter(tab, "rho", "")
    assert explorer(tab).locator('[data-row="rho"] input[type=number]').input_value() == "99.96", "no number: the old one stays"
    assert "rho must be a number; nothing given" in explorer(tab).locator(".cl-complaint").inner_text()
    enter(tab, ".periods", 1e9)
    assert "at least 1 and at most 2000; 1000000000" in explorer(tab).locator(".cl-complaint").inner_text()
    explorer(tab).get_by_role("button", name="all sliders back to the start").click()
    settled(tab)
    assert explorer(tab).locator('[data-row="rho"] input[type=number]').input_value() == "28"
    assert "chaotic" in explorer(tab).locator(".cl-facts").inner_text()


def test_lists_change_the_picture(tab):
    for label, value in [("x axis", "z"), ("colour", "speed"), ("colour", "exponent"), ("colour", "time"), ("x axis", "x")]:
        settled(tab)
        before = look(tab)
        explorer(tab).get_by_label(label, exact=True).select_option(value)
        settled(tab)
        assert look(tab) != before, (label, value)


def test_two_axes_make_a_flat_picture(tab):
    settled(tab)
    before = look(tab)
    explorer(tab).get_by_label("z axis", exact=True).select_option("")
    settled(tab)
    assert look(tab) != before
    assert explorer(tab).locator(".cl-series:visible").count() == 2
    explorer(tab).get_by_label("z axis", exact=True).select_option("z")
    settled(tab)
    assert explorer(tab).locator(".cl-series:visible").count() == 3


def test_the_comet_flows_and_rests(tab):
    settled(tab)
    flow = explorer(tab).get_by_role("button", name="let a comet run along the trajectory")
    still = look(tab)
    flow.click()
    tab.wait_for_timeout(600)
    one = look(tab)
    tab.wait_for_timeout(600)
    assert look(tab) != one != still
    assert flow.get_attribute("aria-pressed") == "true"
    flow.click()
    tab.wait_for_timeout(600)
    assert look(tab) == look(tab)


def test_twins_part(tab):
    twins = explorer(tab).get_by_role("button", name="a second state a hair apart")
    assert explorer(tab).locator(".cl-twins").is_hidden()
    twins.click()
    settled(tab)
    assert explorer(tab).locator(".cl-twins").is_visible()
    assert "Distance of the twins" in explorer(tab).locator(".cl-twins canvas").get_attribute("aria-label")
    twins.click()
    settled(tab)
    assert explorer(tab).locator(".cl-twins").is_hidden()


def test_the_picture_turns_under_the_arrow_keys(tab):
    settled(tab)
    before = look(tab)
    explorer(tab).locator(".cl-stage canvas[tabindex]").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    tab.wait_for_timeout(500)
    assert look(tab) != before


@pytest.mark.parametrize(("k", "row", "value"), [(0, "rho", 45.5), (1, "a", 1.3)])
def test_the_code_makes_exactly_this_trajectory(tab, k, row, value):
    enter(tab, row, value, k)
    settled(tab, k)
    explorer(tab, k).get_by_role("button", name="Python code of this trajectory").click()
    text = explorer(tab, k).locator("textarea").input_value()
    made = {}
    exec(text.rsplit("\n", 1)[0], made)  # what a reader runs, without the figure
    name = ["one", "two"][k]
    ask = f"""(() => {{ const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
      const done = kernel.requestExecute({{code: 'pass', user_expressions: {{n: '{name}.system.parameters["{row}"]'}}}}).done;
      return done.then(reply => reply.content.user_expressions.n.data['text/plain']); }})()"""
    assert tab.evaluate(ask) == repr(value), "Python knows where the sliders are"
    assert made["system"].parameters[row] == value
    from chaoslab.widgets.exact import picture
    from chaoslab.widgets.recipe import recipe

    system = cl.load(["Lorenz", "Henon"][k])
    drawn = picture(system, recipe(system), {"parameters": {row: value}})
    same = slice(0, 200)  # of chaotic motion the rounding of another path is seen later
    assert np.allclose(made["ds"].state[0, same].T, drawn.series[:, same], rtol=1e-5, atol=1e-5)
    explorer(tab, k).get_by_role("button", name="all sliders back to the start").click()
    settled(tab, k)


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_pictures_are_saved(tab, kind, tmp_path):
    with tab.expect_download(timeout=PATIENCE) as caught:
        explorer(tab).get_by_role("button", name=f"save the picture as {kind}").click()
    path = tmp_path / caught.value.suggested_filename
    caught.value.save_as(path)
    assert path.name == f"Lorenz.{kind.lower()}"
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG") if kind == "PNG" else b"<polyline" in content or b"<path" in content
    assert len(content) > 10_000


def test_what_escapes_says_so_and_recovers(tab):
    enter(tab, "a", 2.5, k=1)
    settled(tab, 1)
    assert "escapes at t" in status(tab, 1)
    enter(tab, "a", 1.4, k=1)
    settled(tab, 1)
    assert status(tab, 1) == "exact: iterated"
    assert len(look(tab, 1)) > 5_000


def test_a_delay_system_follows_by_the_kernel_alone(tab):
    settled(tab, 2)
    before = look(tab, 2)
    press(tab, "tau", times=8, k=2)
    settled(tab, 2)
    assert look(tab, 2) != before
    assert "method of steps" in status(tab, 2)


def test_two_explorers_do_not_disturb_each_other(tab):
    for k in range(3):
        settled(tab, k)
    others = [shown(tab, 1), shown(tab, 2)]
    press(tab, "sigma", times=3)
    settled(tab)
    assert [shown(tab, 1), shown(tab, 2)] == others


def test_another_system_is_found_by_name_and_a_wrong_one_named(tab):
    search = explorer(tab).get_by_role("searchbox", name="search a system by name")
    search = search if search.count() else explorer(tab).locator(".cl-search")
    search.fill("Rosler")
    search.press("Enter")
    complaint = explorer(tab).locator(".cl-complaint")
    complaint.wait_for(timeout=PATIENCE)
    assert re.search(r"Rosler.*Did you mean 'Rossler'", complaint.inner_text())
    explorer(tab).locator(".cl-search").fill("Rossler")
    explorer(tab).locator(".cl-search").press("Enter")
    tab.wait_for_function("() => document.querySelector('.cl-head strong').textContent !== 'Lorenz 1963'", timeout=PATIENCE)
    settled(tab)
    assert explorer(tab).locator('[data-row="c"]').count() == 1


def test_the_theme_of_the_lab_is_followed(tab):
    settled(tab, 1)
    light = look(tab, 1)
    tab.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    tab.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'", timeout=PATIENCE)
    tab.wait_for_timeout(800)
    assert look(tab, 1) != light
    tab.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")


def test_without_its_kernel_it_stays_and_the_page_goes_on(tab):
    """The last test of this tab: the kernel starts anew and knows of no widget."""
    settled(tab, 1)
    tab.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")
    tab.wait_for_timeout(3000)
    assert len(look(tab, 1)) > 5_000, "the picture is still there"
    before, count = look(tab, 1), shown(tab, 1)
    press(tab, "a", "ArrowLeft", k=1)
    tab.wait_for_timeout(1500)
    assert shown(tab, 1) > count
    assert look(tab, 1) != before
    tab.wait_for_function("() => document.querySelectorAll('.cl-status')[1].textContent.includes('no answer')", timeout=PATIENCE)


@pytest.mark.parametrize("name", ["Lorenz", "MackeyGlass"])
def test_the_exported_file_works_without_python_and_network(name, browser, tmp_path):
    path = cl.explore(name).save_html(tmp_path / "explorer.html")
    context = browser.new_context(offline=True, viewport={"width": 1150, "height": 1000})
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_function("() => document.querySelector('.cl-explorer')?.dataset.picture", timeout=PATIENCE)
    page.wait_for_timeout(500)
    before = page.locator(".cl-stage").screenshot()
    assert len(before) > 10_000
    if name == "Lorenz":
        press(page, "rho")
        page.wait_for_timeout(500)
        assert page.locator(".cl-stage").screenshot() != before
    else:
        assert "as it was saved" in page.locator(".cl-status").inner_text()
    assert complaints == []
    context.close()
