"""The wall in a real browser, on a page of its own, with a model that stands in for the kernel's."""

import base64
import json
import shutil
from pathlib import Path

import pytest

import chaoslab as cl
from chaoslab.systems.catalogue import measurements, value_of
from chaoslab.widgets.wall import entries, pictures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install it to run the browser tests")
SCRIPT = Path(cl.widgets.__file__).parent / "javascript" / "wall.js"
PAGE = """<!doctype html><meta charset="utf-8"><body style="background: GROUND"><div id="wall"></div><script type="module">
import wall from "data:text/javascript;base64,SCRIPT";
const bytes = Uint8Array.from(atob("PICTURES"), (letter) => letter.charCodeAt(0));
const state = { entries: ENTRIES, pictures: new DataView(bytes.buffer), wanted: {}, opened: "", message: "" };
const heard = {};
window.sent = [];
window.state = state;
window.model = {
  get: (key) => state[key],
  set(key, value) { state[key] = value; (heard["change:" + key] || []).forEach((call) => call()); },
  save_changes() {},
  on(key, call) { (heard[key] ||= []).push(call); },
  off(key, call) { heard[key] = heard[key].filter((other) => other !== call); },
  send: (message) => window.sent.push(message),
};
window.leave = wall.render({ model: window.model, el: document.getElementById("wall") });
window.listening = () => Object.values(heard).flat().length;
</script>"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], headless=True)
        yield window
        window.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """A function of the ground's colour that opens the wall on it; a page that complains fails the test."""
    complaints, tabs = [], []
    encoded = lambda data: base64.b64encode(data).decode()
    text = PAGE.replace("SCRIPT", encoded(SCRIPT.read_bytes())).replace("ENTRIES", json.dumps(entries()))
    text = text.replace('"PICTURES"', json.dumps(encoded(pictures())))

    def opener(ground="white"):
        file = tmp_path / "wall.html"
        file.write_text(text.replace("GROUND", ground))
        tab = browser.new_page(viewport={"width": 1000, "height": 800})
        tabs.append(tab)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        tab.goto(file.as_uri())
        tab.locator(".cl-card").first.wait_for()
        return tab

    yield opener
    for tab in tabs:
        tab.close()
    assert complaints == []


def names(tab) -> list[str]:
    return tab.locator(".cl-card:visible").evaluate_all("cards => cards.map((card) => card.dataset.name)")


def ink(tab, name: str) -> int:
    """How many pixels of a card's canvas are not empty."""
    program = """name => { const canvas = document.querySelector(`[data-name="${name}"] canvas`);
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return data.filter((value, k) => k % 4 === 3 && value > 0).length; }"""
    return tab.evaluate(program, name)


def test_search_filter_and_click(open_page):
    tab = open_page()
    assert names(tab) == cl.names()
    tab.get_by_label("Search the catalogue").fill("lorenz")
    assert names(tab)[0] == "Lorenz"
    assert tab.get_by_role("status").text_content() == f"{len(names(tab))} of {len(cl.names())} systems"
    tab.get_by_label("Filter by dimension").select_option("10 or more")
    assert set(names(tab)) == {"Lorenz96", "Lorenz96TwoScale"}
    tab.locator('[data-name="Lorenz96"]').click()
    assert tab.evaluate("sent") == [{"kind": "open", "name": "Lorenz96"}]
    assert tab.evaluate("state.wanted") == {"text": "lorenz", "field": "", "regime": "", "kind": "", "dimension": "10 or more"}
    tab.get_by_role("button", name="Clear").click()
    assert names(tab) == cl.names()


def test_each_filter_leaves_what_the_table_says(open_page):
    tab = open_page()
    for key, value in {"field": "circuits", "regime": "hyperchaotic", "kind": "delay"}.items():
        tab.get_by_label(f"Filter by {key}").select_option(value)
        assert names(tab) == list(cl.table(**{key: value}).index)
        tab.get_by_role("button", name="Clear").click()


def test_thumbnails_are_drawn_when_they_come_into_view(open_page):
    tab = open_page()
    tab.wait_for_timeout(300)
    assert ink(tab, "Aizawa") > 500
    last = cl.names()[-1]
    tab.locator(f'[data-name="{last}"]').scroll_into_view_if_needed()
    tab.wait_for_timeout(300)
    assert ink(tab, last) > 500
    for name in ("Henon", "Lorenz96"):  # dots, and sites over time
        tab.get_by_label("Search the catalogue").fill(name)
        tab.wait_for_timeout(300)
        assert ink(tab, name) > 500


def test_by_keyboard_alone(open_page):
    tab = open_page()
    search = tab.get_by_label("Search the catalogue")
    search.focus()
    search.fill("henon map")
    tab.keyboard.press("Enter")
    assert tab.evaluate("sent.pop()")["name"] == names(tab)[0] == "Henon"
    search.fill("")
    for _ in range(5):  # four filters, then one stop for the whole wall
        tab.keyboard.press("Tab")
    focused = lambda: tab.evaluate("document.activeElement.dataset.name")
    order = cl.names()
    assert focused() == order[0]
    tab.keyboard.press("ArrowRight")
    assert focused() == order[1]
    tab.keyboard.press("ArrowDown")
    row = order.index(focused()) - 1
    assert row > 2
    tab.keyboard.press("ArrowUp")
    assert focused() == order[1]
    tab.keyboard.press("End")
    assert focused() == order[-1]
    tab.keyboard.press("Enter")
    assert tab.evaluate("sent.pop()") == {"kind": "open", "name": order[-1]}


def test_each_card_says_in_words_what_it_shows(open_page):
    tab = open_page()
    label = tab.locator('[data-name="Lorenz"]').get_attribute("aria-label")
    exponent = value_of(measurements()["Lorenz"], "largest_exponent")
    assert label == f"Lorenz, Lorenz 1963, atmosphere, 3-D flow, chaotic, largest exponent {exponent}"


def test_a_name_typed_wrong_is_offered_right(open_page):
    tab = open_page()
    tab.get_by_label("Search the catalogue").fill("Lorents")
    assert tab.get_by_role("status").text_content() == "Nothing matches. Did you mean Lorenz?"
    tab.get_by_role("button", name="Lorenz", exact=True).click()
    assert names(tab)[0] == "Lorenz"


def test_markup_in_a_search_is_text(open_page):
    tab = open_page()
    tab.get_by_label("Search the catalogue").fill("<img src=x onerror=alert(1)>")
    assert names(tab) == []
    tab.evaluate("model.set('message', '<b>bold</b>')")
    assert tab.get_by_role("status").text_content() == "<b>bold</b>"


def test_the_kernel_has_its_say(open_page):
    tab = open_page()
    tab.evaluate("model.set('message', 'opening Lorenz ...')")
    assert tab.get_by_role("status").text_content() == "opening Lorenz ..."
    tab.evaluate("model.set('message', ''); model.set('opened', 'Lorenz')")
    assert tab.locator('[aria-current="true"]').get_attribute("data-name") == "Lorenz"
    assert tab.get_by_role("status").text_content().endswith("Lorenz is open below")
    tab.evaluate("model.set('wanted', { text: '', field: 'fluids', regime: '', kind: '', dimension: '' })")
    assert names(tab) == list(cl.table(field="fluids").index)


def test_light_and_dark(open_page):
    light, dark = open_page("white"), open_page("#111111")
    ground = "getComputedStyle(document.querySelector('.cl-card')).backgroundColor"
    light.wait_for_timeout(300)
    assert light.evaluate(ground) == "rgb(255, 255, 255)"
    assert dark.evaluate(ground) == "rgb(22, 24, 28)"
    dark.evaluate("document.body.dataset.jpThemeLight = 'true'")  # as JupyterLab does when the theme is changed
    dark.wait_for_timeout(100)
    assert dark.evaluate(ground) == "rgb(255, 255, 255)"


def test_a_wall_that_is_taken_down_listens_no_more(open_page):
    tab = open_page()
    assert tab.evaluate("listening()") == 3
    tab.evaluate("leave()")
    assert tab.evaluate("listening()") == 0
