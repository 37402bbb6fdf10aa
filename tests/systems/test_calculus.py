"""Derivatives on the tree, terms of polynomials, sameness."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chaoslab.systems import NotPolynomial, System, load, same
from chaoslab.systems.calculus import RULES, gradients
from chaoslab.systems.language import read
from chaoslab.systems.tree import FUNCTIONS, ONE, name

DERIVED_APART = {"where", "min", "max"}
CASES = {
    **{word: f"{word}(x*y)" for word, arity in FUNCTIONS.items() if arity == 1},
    "atan2": "atan2(x, y)",
    "mod": "mod(x, y)",
    "where": "where(x > y, x**2*y, sin(y))",
    "min": "min(x*y, x + y, x**2)",
    "max": "max(x*y, x + y, x**2)",
    "+": "x + 2*y - x*y",
    "*": "x*y*x",
    "/": "x/(y + x**2)",
    "neg": "-x*y",
    "**": "x**3 + y**-2 + x**y + 2**x + x**0.5 + x**(y*x)",
}


def slopes(text, x, y, h=1e-5):
    """The gradient by the tree, and by central differences; the test point must lie on no jump or kink."""
    system = System({"x": text, "y": "x*y"}, {}, {"x": 1, "y": 1})
    steps = h * np.array([[[1, 0], [0, 1]], [[-1, 0], [0, -1]]])
    ahead, behind = system.rhs(np.array([x, y]) + steps)[..., 0]
    return system.jacobian([x, y])[0], (ahead - behind) / (2 * h)


def away_from_kinks(x, y):
    """Distances of this file's arguments from the places where a case has a kink, a jump or the end of its domain."""
    ends = [x - y, x * y, x * y - 1, x * y + 1, x / y - round(x / y), x * y - x - y, x * y - x**2, x + y - x**2]
    return min(map(abs, [*ends, x * y - round(x * y), np.cos(x * y)])) > 0.02


def test_every_function_has_a_case_and_a_rule():
    assert set(CASES) == set(FUNCTIONS) | {"+", "*", "/", "neg", "**"}
    assert set(RULES) == set(CASES) - DERIVED_APART - {"+"}


@pytest.mark.parametrize("head", CASES)
@settings(deadline=None, max_examples=40, derandomize=True)
@given(x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_jacobian_is_the_derivative(head, x, y):
    assume(abs(x) > 0.05 and abs(y) > 0.05 and away_from_kinks(x, y))
    exact, differences = slopes(CASES[head], x, y)
    real = np.isfinite(differences)
    np.testing.assert_allclose(exact[real], differences[real], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", CASES)
def test_the_derivative_is_compared_somewhere(head):
    points = [(0.4, 0.7), (1.3, 1.9), (2.2, 0.6)]
    compared = [slopes(CASES[head], x, y) for x, y in points if np.isfinite(slopes(CASES[head], x, y)[1]).all()]
    assert compared
    for exact, differences in compared:
        np.testing.assert_allclose(exact, differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("text", ["sign(x)", "step(x)", "floor(3*x)", "3", "pi*k", "cos(t)"])
@pytest.mark.parametrize("value", [-1.0, 0.0, 0.25])
def test_derivatives_of_jumps_and_constants_are_zero(text, value):
    system = System({"x": text + " + 0*k"}, {"k": 2}, {"x": 1})
    assert system.jacobian([value]).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("text", "slope"), [("x**2", 0), ("x**3", 0), ("x**1", 1), ("(x - y)**3", 0), ("abs(x)*x", 0), ("x*y", 0), ("x**k", 0)]
)
def test_powers_at_zero_have_a_derivative(text, slope):
    system = System({"x": text + " + 0*k", "y": "y"}, {"k": 2}, {"x": 1, "y": 1})
    assert system.jacobian([0.0, 0.0])[0, 0] == slope


def test_names_of_the_rules_are_free_to_use():
    system = System({"u": "u*v + atan2(u, v)", "v": "v**u"}, {}, {"u": 1, "v": 1})
    u, v = 1.5, 2.5
    expected = [[v + v / (u**2 + v**2), u - u / (u**2 + v**2)], [v**u * np.log(v), u * v ** (u - 1)]]
    np.testing.assert_allclose(system.jacobian([u, v]), expected, rtol=1e-14)


def test_jacobian_of_forty_coupled_phases():
    n, k = 40, 0.7
    phases = System(
        {"th[i]": "omega[i] + k/n*sum(sin(th[j] - th[i]), j)"},
        {"omega": np.linspace(-1, 1, n), "k": k},
        {"th": "i"},
        index={"i": {"size": n}, "j": {"size": n}},
    )
    th = np.random.default_rng(0).uniform(0, 6, n)
    expected = k / n * np.cos(th[None, :] - th[:, None])
    np.fill_diagonal(expected, 0)
    np.fill_diagonal(expected, -expected.sum(axis=1))
    np.testing.assert_allclose(phases.jacobian(th), expected, atol=1e-14)


def test_gradients_lists_only_what_is_not_zero():
    x, y = name("x"), name("y")
    assert gradients([read("x + 3"), read("sign(y)"), read("2")], [x, y]) == [{x: ONE}, {}, {}]


def test_terms_of_lorenz():
    assert load("Lorenz").terms() == {
        "x": {"x": -10.0, "y": 10.0},
        "y": {"x*z": -1.0, "x": 28.0, "y": -1.0},
        "z": {"x*y": 1.0, "z": -8 / 3},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(x + y)**2", {"x**2": 1.0, "x*y": 2.0, "y**2": 1.0}),
        ("x - x", {}),
        ("k*x**k + 0.1", {"x**2": 2.0, "1": 0.1}),
        ("pi*x/3", {"x": np.pi / 3}),
        ("exp(k)*y", {"y": np.exp(2)}),
        ("where(1 > 2, x, y)", {"y": 1.0}),
    ],
)
def test_terms(text, expected):
    found = System({"x": text + " + 0*k", "y": "x"}, {"k": 2}, {"x": 1, "y": 1}).terms()["x"]
    assert found == pytest.approx(expected)


def test_terms_on_sites_are_named_by_component():
    assert load("Lorenz96", n=4).terms()["x1"] == {"x2*x4": 1.0, "x3*x4": -1.0, "x1": -1.0, "1": 8.0}


@pytest.mark.parametrize(
    "text",
    ["sin(x)", "1/x", "x**0.5", "2**x", "abs(x)", "min(x, 1)", "where(x > 0, x, 1)", "t*x", "mod(x, 1)", "floor(x)", "sign(x)"],
)
def test_what_is_no_polynomial(text):
    with pytest.raises(NotPolynomial, match="equation of x is not a polynomial"):
        System({"x": text}, {}, {"x": 1}).terms()


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("(x + y)**2", "x**2 + 2*x*y + y**2", True),
        ("sin(x)**2 + cos(x)**2", "1", True),
        ("x*(y - 1)/2", "(x*y - x)/2", True),
        ("where(x > 0, x, y)", "where(x > 0, x, y)", True),
        ("step(x)", "step(x)", True),
        ("0.1*x", "x/10", True),
        ("x - y", "y - x", False),
        ("8/3*x", "2.667*x", False),
        ("sin(x)", "x", False),
        ("beta*x", "gamma*x", False),
    ],
)
def test_same(first, second, equal):
    assert same([read(first)], [read(second)]) is equal


def test_same_needs_as_many_equations():
    assert not same([read("x")], [read("x"), read("y")])
    assert same(load("Lorenz").flat.rhs, load("Lorenz").with_(rho=99).flat.rhs)
