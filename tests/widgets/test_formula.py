"""Equations as MathML."""

import xml.etree.ElementTree as xml

import numpy as np
import pytest

from chaoslab.systems import System, load
from chaoslab.systems.catalogue import every_system
from chaoslab.systems.latex import symbol
from chaoslab.widgets.formula import inline, mathml, number

pytest.importorskip("latex2mathml")
#: What MathML Core has, of what we use.
CORE = set("math mtable mtr mtd mrow mi mn mo mtext mspace msub msup msubsup munder mover mfrac msqrt".split())


def words(text: str, tag: str) -> list[str]:
    return [element.text for element in xml.fromstring(text).iter(tag)]


@pytest.mark.parametrize("values", [True, False])
def test_the_whole_catalogue_is_typeset(values):
    for system in every_system():
        root = xml.fromstring(mathml(system, values=values))
        tags = [element.tag for element in root.iter()]
        assert set(tags) <= CORE, system.name
        assert (tags.count("mfrac"), tags.count("msqrt")) == (system.latex.count(r"\frac"), system.latex.count(r"\sqrt")), (
            system.name
        )
        assert tags.count("mtr") == len(system.equations) + len(system.where) + bool(system.where) + system.latex.count("{cases}")
        assert all(element.text for element in root.iter() if element.tag in ("mi", "mn", "mo", "mtext")), system.name
        places = {element.get("data-parameter"): element.text for element in root.iter("mn") if element.get("data-parameter")}
        scalars = {key: value for key, value in system.parameters.items() if np.ndim(value) == 0}
        assert set(places) == (set(scalars) if values else set()), system.name
        assert all(places[key] in (number(scalars[key]), number(scalars[key], alone=True)) for key in places)


def test_each_symbol_of_the_text_stands_in_the_formula():
    text = mathml(load("Lorenz"), values=False)
    assert words(text, "mi") == list("xσyxyxρzyzxyβz")
    assert words(text, "mo") == list("˙=(−)˙=(−)−˙=−")


def test_values_stand_where_their_parameters_are():
    text = mathml(load("Lorenz").with_(rho=99.96))
    assert words(text, "mn") == ["10", "99.96", "2.66667"]
    assert words(text, "mi") == list("xyxyxzyzxyz")


def test_a_minus_has_parentheses_where_something_stands_before_it():
    system = System({"x": "a*x + b*y", "y": "a**2/b + c*(b - x)"}, {"a": -1, "b": -2, "c": -1e-7}, {"x": 0, "y": 0})
    root = xml.fromstring(mathml(system))
    places = [(element.text, "data-alone" in element.attrib) for element in root.iter("mn") if element.get("data-parameter")]
    assert places == [("−1", True), ("(−2)", False), ("(−1)", False), ("−2", True), ("(−10⁻⁷)", False), ("−2", True)]


def test_a_product_of_two_values_has_a_dot():
    system = System({"x": "2*a*b - a*x"}, {"a": 3, "b": 5}, {"x": 0})
    assert words(mathml(system), "mo") == ["˙", "=", "·", "·", "−"]


def test_names_of_several_letters_are_upright_words():
    system = System({"x": "sign(speed)*atan2(x, speed)"}, {"speed": 3}, {"x": 0})
    assert words(mathml(system, values=False), "mi") == ["x", "sgn", "speed", "atan2", "x", "speed"]


def test_amplitudes_of_noise_and_lags_follow_too():
    noisy = System({"x": "-k*x"}, {"k": 2, "s": 0.5}, {"x": 1}, noise={"x": "s*x"})
    assert words(mathml(noisy), "mn") == ["2", "0.5"]
    assert "17" in words(mathml(load("MackeyGlass")), "mn")


def test_arrays_keep_their_symbols():
    system = load("Hopfield")
    assert {"K", "τ"} <= set(words(mathml(system, values=False), "mi"))
    assert "K" in words(mathml(system), "mi")
    assert "τ" not in words(mathml(system), "mi")


def test_symbols_in_a_line_of_text():
    assert inline(symbol("omega_D")) == "<math><msub><mi>ω</mi><mi>D</mi></msub></math>"
    assert words(inline(r"\frac{1}{2}"), "mn") == ["1", "2"]


@pytest.mark.parametrize(
    ("value", "text"), [(28, "28"), (1.5e-9, "1.5·10⁻⁹"), (-1e-7, "(−10⁻⁷)"), (1e6, "10⁶"), (0, "0"), (-0.0, "0")]
)
def test_numbers(value, text):
    assert number(value) == text
