"""Two texts of one flow are found to be one, and two flows are not."""

import itertools

import numpy as np
import pytest

from chaoslab.datasets import duplicate_of
from chaoslab.datasets.scalings import Polynomials
from chaoslab.systems import System, load, names

SPROTT = sorted(name for name in names("flow") if name.startswith("Sprott") and len(name) == len("SprottA"))


def elsewhere(terms: Polynomials, rng) -> Polynomials:
    """The same flow after x_i -> s_i x_i, t -> t / T, signs included, with variables exchanged."""
    n = terms.dimension
    s = rng.choice([-1, 1], n) * np.exp(rng.uniform(-2, 2, n))
    values = terms.values * np.prod(s**terms.powers, axis=1) / s[terms.rows] * np.exp(rng.uniform(-1, 1))
    order = rng.permutation(n)
    return Polynomials(np.argsort(order)[terms.rows], terms.powers[:, order], values)


@pytest.mark.parametrize("name", SPROTT)
def test_a_sprott_case_is_itself_under_any_scaling(name):
    terms, rng = Polynomials.of(load(name)), np.random.default_rng(1)
    for _ in range(5):
        other = elsewhere(terms, rng)
        assert other.pattern == terms.pattern
        assert terms.apart(other) < 1e-9
        assert other.apart(terms) < 1e-9


def test_sprott_cases_are_no_duplicates_of_each_other():
    assert len(SPROTT) == 19
    cases = [Polynomials.of(load(name)) for name in SPROTT]
    assert min(one.apart(other) for one, other in itertools.combinations(cases, 2)) > 0.02


def test_a_text_in_other_units_is_a_duplicate():
    # Lorenz with time counted by the damping of x, x and y in units that leave xz and xy bare, in another order
    other = System(
        {"w": "u*v - b*w", "u": "-u + v", "v": "r*u - d*v - u*w"},
        {"b": 8 / 30, "r": 2.8, "d": 0.1},
        {"w": 1, "u": 1, "v": 1},
    )
    assert duplicate_of(other, [load("Rossler"), load("Lorenz")]) == load("Lorenz")
    assert duplicate_of(other.with_(r=2.82), [load("Lorenz")]) is not None  # within 2 %
    assert duplicate_of(other.with_(r=3.2), [load("Lorenz")]) is None


def test_a_flow_run_backwards_is_another():
    rossler = load("Rossler")
    back = System({key: f"-({text})" for key, text in rossler.equations.items()}, rossler.parameters, rossler.state)
    assert duplicate_of(back, [rossler]) is None


def test_other_numbers_of_free_parameters_are_told_apart():
    # x' = a y, y' = -b x: two coefficients, which a unit of y and one of time take up, so all of them are one
    swing = System({"x": "a*y", "y": "-b*x"}, {"a": 1, "b": 1}, {"x": 1, "y": 0})
    assert duplicate_of(swing.with_(a=7, b=0.2), [swing]) is swing
    # with damping there is one number left that no unit changes
    damped = System({"x": "a*y", "y": "-b*x - c*y"}, {"a": 1, "b": 1, "c": 1}, {"x": 1, "y": 0})
    assert duplicate_of(damped.with_(a=4, b=1, c=2), [damped]) is damped  # c**2 / (a b) = 1
    assert duplicate_of(damped.with_(a=4, b=1, c=1), [damped]) is None


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "SprottJerk", "HyperRossler", "Lorenz84", "RabinovichFabrikant"])
def test_coefficients_are_those_of_the_text(name):
    system = load(name)
    found, terms = Polynomials.of(system), system.terms()
    state = np.random.default_rng(0).uniform(-2, 2, system.dimension)
    made = np.bincount(found.rows, found.values * np.prod(state**found.powers, axis=1), system.dimension)
    np.testing.assert_allclose(made, system.rhs(state), rtol=1e-12)
    assert len(found.values) == sum(map(len, terms.values()))


def test_what_is_no_polynomial_is_none():
    assert Polynomials.of(load("Thomas")) is None
    assert Polynomials.of(load("Lorenz96")) is None  # more variables than are permuted
    assert Polynomials.of(load("Henon")) is None
