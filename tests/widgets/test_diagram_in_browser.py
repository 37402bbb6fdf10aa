"""Bifurcation diagrams in a real browser, on an empty page, with a model that stands in for the kernel's."""

import base64

import numpy as np
import pytest

READY = """async ([values, period, exponents]) => {
  const module = await import("./diagram.js"), heard = {};
  const view = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const place = new DataView(Float32Array.from({ length: 101 }, (_, k) => k / 100).buffer);
  const state = { of: { title: "Logistic map", parameter: "r", component: "x", kind: "map", section: "", whole: [3, 4.2] },
    look: { low: 3, high: 4.2, follow: "", depth: 0 }, exponents: {}, busy: false, message: "", opened: null,
    picture: { low: 3, high: 4.2, points: 20, place, value: view(values), period: view(period),
      told: "the motion escapes for r from 4 to 4.2",
      gaps: [{ from: 4, to: 4.2, why: "the motion escapes" }] } };
  window.state = state;
  window.sent = [];
  window.strip = { low: 3, high: 4.2, complaint: "", exponent: view(exponents), error: view(exponents) };
  window.model = {
    get: (key) => state[key],
    set(key, value) { state[key] = value; for (const call of heard["change:" + key] ?? []) call(); },
    on(key, call) { (heard[key] ??= []).push(call); },
    off(key, call) { heard[key] = heard[key].filter((other) => other !== call); },
    send: (message) => sent.push(message),
  };
  document.body.style.cssText = "margin: 0; background: white";
  document.body.replaceChildren();
  window.leave = module.render({ model, el: document.body });
  window.listening = () => Object.values(heard).flat().length;
  window.waited = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  window.ink = (from, to, top, bottom) => { // pixels of the colour of points, in a part of the canvas
    const canvas = document.querySelector("canvas"), r = canvas.width / canvas.clientWidth;
    const { data } = canvas.getContext("2d").getImageData(from * r, top * r, (to - from) * r, (bottom - top) * r);
    let count = 0;
    for (let k = 0; k < data.length; k += 4) if (data[k + 3] > 60 && data[k + 2] > data[k] + 60) count++;
    return count;
  };
  await waited(200);
}"""
LEFT, RIGHT = 62, 624  # of the axes on a page of 640 pixels


def encoded(values) -> str:
    return base64.b64encode(np.float32(values).tobytes()).decode()


@pytest.fixture
def page(bare):
    r = np.linspace(3, 4.2, 101)
    x, points = np.full(101, 0.3), []
    with np.errstate(all="ignore"):
        for k in range(220):
            x = r * x * (1 - x)
            points += [np.where(r > 4, np.nan, x)] if k >= 200 else []
    bare.evaluate(
        READY, [encoded(np.stack(points, 1)), encoded(np.where(r < 3.4, 2, 0)), encoded(np.where(r > 4, np.nan, r - 3.57))]
    )
    yield bare
    bare.evaluate("() => leave()")


def pixel(value, low=3, high=4.2):
    return LEFT + (value - low) / (high - low) * (RIGHT - LEFT)


def test_points_are_drawn_and_gaps_are_said(page):
    assert page.evaluate("([a, b]) => ink(a, b, 10, 300)", [pixel(3.0), pixel(4.0)]) > 800
    assert page.evaluate("([a, b]) => ink(a, b, 10, 300)", [pixel(4.02), pixel(4.2)]) == 0
    assert page.get_by_role("status").text_content() == "the motion escapes for r from 4 to 4.2"
    canvas = page.get_by_role("slider")
    assert canvas.get_attribute("aria-label") == "bifurcation diagram of Logistic map: x over r"


def test_exponents_are_drawn_when_they_come(page):
    before = page.evaluate("() => ink(62, 624, 340, 430)")
    page.evaluate("async () => { model.set('exponents', strip); await waited(150); }")
    assert page.evaluate("() => ink(62, 624, 340, 430)") > before + 100
    page.mouse.move(*at(page, 3.3))
    assert "period 2 · largest exponent −0.2" in page.locator("output").text_content()


def test_the_strip_says_what_it_shows(page):
    texts = """async (change) => { const own = CanvasRenderingContext2D.prototype.fillText, seen = [];
      CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { seen.push(text); own.call(this, text, ...rest); };
      for (const [key, value] of Object.entries(change)) model.set(key, value === "strip" ? strip : value);
      await waited(150);
      CanvasRenderingContext2D.prototype.fillText = own;
      return seen.join("|"); }"""
    look = {"low": 3, "high": 4.2, "depth": 0}
    waits, aside = "comes when the diagram is done", "not of those followed"
    before = page.evaluate(texts, {"look": look | {"follow": ""}})
    assert (waits in before, aside in before) == (True, False)
    after = page.evaluate(texts, {"exponents": "strip"})
    assert (waits in after, aside in after) == (False, False)
    assert {"3.5", "0.8", "r", "x", "largest exp.", "−0.5"} <= set(after.split("|"))
    followed = page.evaluate(texts, {"look": look | {"follow": "up"}})
    assert (waits in followed, aside in followed) == (False, True)


def at(page, value):
    box = page.locator("canvas").bounding_box()
    return box["x"] + pixel(value), box["y"] + 150


def test_dragging_zooms_and_a_double_click_goes_back(page):
    page.mouse.move(*at(page, 3.3))
    page.mouse.down()
    page.mouse.move(*at(page, 3.6), steps=4)
    page.mouse.up()
    [message] = page.evaluate("() => sent.splice(0)")
    assert (message["kind"], message["low"], message["high"]) == (
        "zoom",
        pytest.approx(3.3, abs=4e-3),
        pytest.approx(3.6, abs=4e-3),
    )
    page.mouse.dblclick(*at(page, 3.5))
    page.evaluate("() => waited(400)")
    assert page.evaluate("() => sent") == [{"kind": "back"}], "and no value is opened"


def test_what_is_there_is_stretched_until_the_new_comes(page):
    page.evaluate("async () => { model.set('look', { low: 4.05, high: 4.15, follow: '', depth: 1 }); await waited(150); }")
    assert page.evaluate("() => ink(62, 624, 10, 300)") == 0
    assert page.get_by_role("status").text_content() == ""
    page.evaluate("async () => { model.set('look', { low: 3.0, high: 3.2, follow: '', depth: 1 }); await waited(150); }")
    assert page.evaluate("() => ink(62, 624, 10, 300)") > 50


def test_a_click_opens_a_value(page):
    page.mouse.click(*at(page, 3.83))
    page.wait_for_function("() => sent.length")
    [message] = page.evaluate("() => sent")
    assert (message["kind"], message["value"]) == ("open", pytest.approx(3.83, abs=4e-3))
    assert len(str(message["value"])) <= 5, "no more digits than a pixel tells"


def test_by_keyboard_alone(page):
    canvas = page.get_by_role("slider")
    canvas.focus()
    assert float(canvas.get_attribute("aria-valuenow")) == pytest.approx(3.6, abs=1e-2)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    value = float(canvas.get_attribute("aria-valuenow"))
    assert 3.63 < value < 3.66
    assert canvas.get_attribute("aria-valuetext").startswith(f"r = {value:g}")
    page.keyboard.press("Enter")
    page.keyboard.press("+")
    page.keyboard.press("-")
    opened, zoomed, back = page.evaluate("() => sent")
    assert (opened, back) == ({"kind": "open", "value": value}, {"kind": "back"})
    assert zoomed["low"] == pytest.approx(value - 0.2)
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert canvas.get_attribute("aria-valuetext") == "r = 4.2 · the motion escapes"


def test_taken_out_of_the_page_and_back_it_is_as_sharp(page):
    width = page.evaluate("() => document.querySelector('canvas').width")
    page.evaluate(
        """async () => { const root = document.querySelector(".cl-diagram"); root.remove();
        model.set("look", { low: 3, high: 4.1, follow: "", depth: 1 }); await waited(150);
        document.body.append(root); await waited(150); }"""
    )
    assert page.evaluate("() => document.querySelector('canvas').width") == width
    assert page.evaluate("() => ink(62, 500, 10, 300)") > 800


def test_buttons_and_the_way(page):
    assert page.get_by_role("button", name="whole range").is_disabled()
    page.evaluate("() => model.set('look', { low: 3.2, high: 3.4, follow: 'up', depth: 1 })")
    assert page.get_by_label("each value starts from").input_value() == "up"
    page.get_by_role("button", name="back").click()
    page.get_by_role("button", name="whole range").click()
    page.get_by_label("each value starts from").select_option("down")
    assert page.evaluate("() => sent") == [{"kind": "back"}, {"kind": "whole"}, {"kind": "follow", "way": "down"}]


def test_the_kernel_has_its_say_and_markup_is_text(page):
    page.evaluate("() => model.set('message', '<b>no</b>')")
    assert page.get_by_role("status").text_content() == "<b>no</b>"


def test_every_element_that_takes_keys_says_so(page):
    keyed = page.locator(".cl-diagram :is(canvas, button, select)")
    assert keyed.count() == 4
    assert keyed.evaluate_all("all => all.every((one) => one.dataset.lmSuppressShortcuts === 'true')")


def test_light_and_dark(page):
    ground = "() => getComputedStyle(document.querySelector('.cl-diagram')).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.evaluate("async () => { document.body.style.background = '#111'; await waited(100); }")
    dark = page.evaluate(ground)
    page.evaluate("() => document.body.removeAttribute('style')")
    assert dark == "rgb(17, 20, 24)"


def test_a_diagram_that_is_taken_down_listens_no_more(page):
    assert page.evaluate("() => listening()") == 6
    assert page.evaluate("() => { leave(); return listening(); }") == 0
