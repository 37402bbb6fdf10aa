"""Bifurcation diagrams without a browser: ranges, what is sent, what messages do, gaps where motion escapes."""

import time

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.widgets.diagram import ends, gaps, pictures, state_of, told, with_value

pytest.importorskip("anywidget")


def done(view, seconds=60):
    """The view, once it has computed what it was asked for."""
    begun = time.monotonic()
    while view.busy:
        assert time.monotonic() - begun < seconds, "the diagram is not done"
        time.sleep(0.02)
    return view


def view_of(*args, **options):
    return done(cl.widgets.diagram(*args, **({"points": 16} | options)).children[0])


def tell(view, **content):
    view._handle_custom_msg(content, [])
    return done(view)


def numbers(sent: dict, word: str) -> np.ndarray:
    return np.frombuffer(sent[word], np.float32)


def test_the_range_is_the_definitions_own():
    logistic = cl.load("Logistic")
    assert ends(logistic, "r", None, None) == tuple(logistic.ranges["r"])
    assert ends(logistic, "r", 3.5, None) == (3.5, logistic.ranges["r"][1])
    own = cl.System({"x": "a*x*(1 - x)"}, {"a": 1.5}, {"x": 0.3}, kind="map")
    assert ends(own, "a", None, None) == (0.0, 3.0), "without a range, that of the explorer's slider"


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("Logistic", "R"), {}, "no parameter 'R'.*Did you mean 'r'"),
        (("Logistic", "r", 4, 3), {}, "up to a larger one; 4 to 3"),
        (("Logistic", "r", 3, np.nan), {}, "up to a larger one"),
        (("Logistic", "r", 3.5, 3.5 + 1e-13), {}, "too narrow"),
        (("Logistic", "r"), {"section": "maxima of x"}, "is a map"),
        (("Logistic", "r"), {"component": "y"}, "no component 'y'"),
        (("Rossler", "c"), {"section": "maxima of u"}, "u"),
        (("Logistic", "r"), {"points": 0}, "points"),
        (("MackeyGlass", "beta"), {}, "delay system"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_once(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        cl.widgets.diagram(*arguments, **options)


def test_a_picture_is_what_orbit_diagram_gives():
    view = view_of("Logistic", "r", 2.8, 3.8)
    sent, values = view.picture, 2.8 + numbers(view.picture, "place").astype(float)
    here = [0, 320, 1280]
    expected = cl.invariants.orbit_diagram("Logistic", "r", np.linspace(2.8, 3.8, 1281)[here], points=16, progress=False)
    np.testing.assert_allclose(values[here], expected.r, atol=1e-6)
    np.testing.assert_allclose(numbers(sent, "value").reshape(-1, 16)[here], expected.value, atol=1e-6)
    assert numbers(sent, "period")[here].tolist() == expected.period.values.tolist() == [1, 2, 0]
    assert (view.message, sent["told"], sent["gaps"]) == ("", "", [])


def test_exponents_are_those_of_the_cascade():
    view = view_of("Logistic", "r", 3.2, 4.0)
    exponent, error = numbers(view.exponents, "exponent"), numbers(view.exponents, "error")
    assert abs(exponent[-1] - np.log(2)) < 4 * error[-1] + 0.01
    assert exponent[0] == pytest.approx(0.5 * np.log(abs(4 + 2 * 3.2 - 3.2**2)), abs=1e-2), "of the orbit of period two, on paper"


def test_pictures_grow_finer():
    sizes = [found.sizes["r"] for found in pictures(cl.load("Logistic"), "r", 3.0, 4.0, points=4)]
    assert sizes == [81, 161, 321, 641, 1281]


def test_values_that_escape_are_gaps_in_words():
    view = view_of("Logistic", "r", 3.5, 4.5)
    [gap] = view.picture["gaps"]
    assert gap["why"] == "the motion escapes"
    assert (gap["from"], gap["to"]) == (pytest.approx(4.0, abs=1e-3), 4.5)
    assert view.picture["told"].startswith("the motion escapes for r from 4.000")
    assert np.isnan(numbers(view.exponents, "exponent")[-1])


def test_a_range_that_escapes_altogether_is_an_error_in_the_view():
    view = view_of("Logistic", "r", 3.5, 4.5)
    tell(view, kind="zoom", low=4.2, high=4.4)
    assert "escaped at all" in view.message
    tell(view, kind="back")
    assert view.message == ""


@pytest.mark.filterwarnings("ignore:Logistic escaped")
def test_islands_that_only_a_finer_picture_has_are_found():
    found = list(pictures(cl.load("Logistic"), "r", 4.0 - 1.5 / 1280, 5.0, points=4))
    assert np.isfinite(found[-1].value.values).any()


def test_many_gaps_are_counted():
    some = [{"from": k, "to": k + 0.5, "why": "the motion escapes"} for k in range(5)]
    assert told("a", some) == "the motion escapes for a from 0 to 0.5, 1 to 1.5, 2 to 2.5 and in 2 more gaps"
    assert told("a", some[:2]) == "the motion escapes for a from 0 to 0.5 and 1 to 1.5"
    rests = [{"from": 7, "to": 8, "why": "the motion rests"}]
    assert told("a", some[:1] + rests) == "the motion escapes for a from 0 to 0.5; the motion rests for a from 7 to 8"
    ds = cl.invariants.orbit_diagram("Logistic", "r", [3.0, 3.5], points=4)
    assert gaps(ds) == []


def test_zooms_and_the_way_back():
    view = view_of("Logistic", "r")
    whole = view.of["whole"]
    tell(view, kind="zoom", low=3.5, high=3.7)
    tell(view, kind="zoom", low=3.6, high=3.65)
    assert view.look == {"low": 3.6, "high": 3.65, "follow": "", "depth": 2}
    assert (view.picture["low"], view.exponents["high"]) == (3.6, 3.65)
    assert tell(view, kind="back").look["low"] == 3.5
    tell(view, kind="whole")
    assert [view.look["low"], view.look["high"], view.look["depth"]] == [*whole, 0]
    assert tell(view, kind="back").look["depth"] == 0, "there is nothing before the first"


def test_up_and_down_differ_where_two_attractors_are():
    """A cubic map with two fixed points: each way keeps to the one it came from until that is gone."""
    own = cl.System({"x": "x + 0.1*(a + x - x**3)"}, {"a": 0.0}, {"x": -1.0}, kind="map", ranges={"a": (-1, 1)})
    view = view_of(own, "a", points=4)
    middle = 4 * (len(numbers(view.picture, "place")) // 2)
    tell(view, kind="follow", way="up")
    low = numbers(view.picture, "value")[middle]
    tell(view, kind="follow", way="down")
    assert (low, numbers(view.picture, "value")[middle]) == (pytest.approx(-1, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert "'up', 'down'" in tell(view, kind="follow", way="sideways").message


def test_a_click_on_a_followed_attractor_opens_that_one():
    own = cl.System({"x": "x + 0.1*(a + x - x**3)"}, {"a": 0.0}, {"x": -1.0}, kind="map", ranges={"a": (-1, 1)})
    view, below = cl.widgets.diagram(own, "a", points=4).children
    tell(view, kind="open", value=0.001)
    assert below.children[0].system.state["x"] == -1
    tell(view, kind="follow", way="down")
    tell(view, kind="open", value=0.001)
    assert below.children[0].system.state["x"] == pytest.approx(1, abs=1e-2)


def test_states_are_given_as_with_takes_them():
    system = cl.load("Lorenz96")
    found = cl.invariants.orbit_diagram(system, "F", [8.0, 9.0], points=2, transient=1, progress=False)
    turned = system.with_(state=state_of(system, found, 8.9))
    np.testing.assert_allclose(turned.initial, found.end[1])


def test_a_click_opens_the_explorer_and_another_turns_it():
    box = cl.widgets.diagram("Logistic", "r", points=8)
    view, below = box.children
    tell(view, kind="open", value=3.83)
    [explorer] = below.children
    assert (explorer.system.parameters["r"], view.opened, view.message) == (3.83, 3.83, "")
    tell(view, kind="open", value=3.5)
    assert below.children == (explorer,)
    assert explorer.system.parameters["r"] == 3.5


def test_messages_that_make_no_sense_are_told_or_not_heard():
    view = view_of("Logistic", "r")
    before = view.look
    for content in ({}, {"kind": "close"}, {"kind": "_begin"}):
        tell(view, **content)
    assert (view.look, view.message) == (before, "")
    assert "larger one" in tell(view, kind="zoom", low=4, high=3).message
    assert "zoom" not in tell(view, kind="open", value="high").message != ""


def test_an_element_of_an_array_is_a_parameter():
    own = cl.System({"x": "w[1]*x*(1 - x) + w[2]"}, {"w": [3.5, 0.0]}, {"x": 0.3}, kind="map")
    turned = with_value(own, "w1", 3.2)
    np.testing.assert_array_equal(turned.parameters["w"], [3.2, 0.0])
    assert view_of(own, "w1", 3.0, 3.9).message == ""


def test_a_diagram_without_exponents_says_why():
    own = cl.System({"x": "error*x*(1 - x)"}, {"error": 3.5}, {"x": 0.3}, kind="map")
    view = view_of(own, "error", 3.0, 3.8)
    assert np.isfinite(numbers(view.picture, "value")).all()
    assert (view.message, "rename it" in view.exponents["complaint"]) == ("", True)


def test_a_flow():
    view = view_of("Rossler", "c", 3.0, 5.0, points=8)
    assert view.of["section"] == "maxima of x"
    assert numbers(view.picture, "period")[0] == 2, "beyond its first doubling"
    assert np.isfinite(numbers(view.exponents, "exponent")).all()
