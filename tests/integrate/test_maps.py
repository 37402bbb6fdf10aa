"""Iteration: closed forms, both loops, and orbits that end."""

import numpy as np
import pytest

from chaoslab.integrate import iterate
from chaoslab.integrate.maps import MANY
from chaoslab.systems import System, load

both_loops = pytest.mark.parametrize("members", [1, MANY])


def one_map(equations, state, **parameters):
    return System(equations, parameters, state, kind="map")


def orbit(system, count, members=1, **options):
    return iterate(system, np.repeat(system.initial[None], members, axis=0), count, **options)


@both_loops
def test_logistic_map_in_closed_form(members):
    """At r = 4, x_n = sin^2(2^n theta); errors double each time."""
    theta = 0.3
    states = orbit(load("Logistic").with_(r=4, x=np.sin(theta) ** 2), 21, members).states
    n = np.arange(21)
    assert (np.abs(states[:, :, 0] - np.sin(2.0**n * theta) ** 2) < 1e-15 * 4.0 * 2.0**n).all()


@both_loops
def test_henon_map_stays_on_its_fixed_point(members):
    a, b = 1.4, 0.3
    x = (b - 1 + np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    states = orbit(load("Henon").with_(x=x, y=b * x), 10, members).states
    assert np.abs(states - [x, b * x]).max() < 1e-12


@pytest.mark.parametrize("name", ["Henon", "Logistic", "Tinkerbell", "Chirikov", "Tent"])
def test_many_members_equal_one_by_one(name):
    system = load(name)
    starts = np.vstack([system.initial, orbit(system, 200).states[0, 101:120]])
    together = iterate(system, starts, 15).states
    alone = np.concatenate([iterate(system, start[None], 15).states for start in starts])
    assert np.abs(together - alone).max() < 1e-9
    assert np.abs(together - alone)[:, :5].max() < 1e-13 * max(1, np.abs(alone).max())


@both_loops
def test_escape_is_marked_and_dated(members):
    """x -> x^2 from 2: 2^(2^n) passes 2e12 at n = 6."""
    solution = orbit(one_map({"x": "x**2"}, {"x": 2}), 12, members)
    assert set(solution.status) == {"escaped"}
    assert (solution.ended == 6).all()
    assert np.array_equal(solution.states[0, :6, 0], 2.0 ** (2.0 ** np.arange(6)))
    assert np.isnan(solution.states[:, 6:]).all()


def test_an_escape_leaves_other_members_alone():
    solution = iterate(one_map({"x": "x**2"}, {"x": 2}), np.array([[2.0], [0.5]]), 12)
    assert list(solution.status) == ["escaped", "ok"]
    assert np.isnan(solution.ended[1])


@both_loops
@pytest.mark.parametrize("text", ["sqrt(x - 1)", "1/(x - 1)", "log(x - 1)", "x**0.5 - 2"])
def test_where_no_real_value_exists_is_an_escape(text, members):
    """From x = 2: sqrt(1) = 1, sqrt(0) = 0, sqrt(-1); 1/1, 1/0; log(1), log(-1); negative, its root."""
    solution = orbit(one_map({"x": text}, {"x": 2}), 10, members)
    assert set(solution.status) == {"escaped"}
    assert np.isnan(solution.states[:, -1]).all()
    assert np.isfinite(solution.states[:, 0]).all()
    first = {"sqrt(x - 1)": 3, "1/(x - 1)": 2, "log(x - 1)": 2, "x**0.5 - 2": 2}[text]
    assert (solution.ended == first).all()


@both_loops
def test_skip_drops_iterates(members):
    system = load("Henon")
    assert np.array_equal(orbit(system, 5, members, skip=3).states, orbit(system, 8, members).states[:, 3:])


@both_loops
def test_the_iterate_number_is_the_time(members):
    """x -> x + t sums whole numbers: x_n = n (n - 1) / 2, and from iterate number 10 on, 10 n more."""
    system, n = one_map({"x": "x + t"}, {"x": 0}), np.arange(8)
    assert np.array_equal(orbit(system, 8, members).states[0, :, 0], n * (n - 1) / 2)
    assert np.array_equal(orbit(system, 8, members, first=10).states[0, :, 0], n * (n - 1) / 2 + 10 * n)


@both_loops
def test_equations_see_the_old_state(members):
    """A rotation by a quarter turn, not a shear: y uses the old x."""
    states = orbit(one_map({"x": "-y", "y": "x"}, {"x": 1, "y": 0}), 5, members).states[0]
    assert np.array_equal(states, [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]])


@both_loops
def test_parameter_values_by_member(members):
    system = load("Logistic")
    values = np.linspace(2.5, 4, members)[:, None]
    together = iterate(system, np.full((members, 1), 0.3), 6, values=values).states
    for k, r in enumerate(values[:, 0]):
        assert together[k] == pytest.approx(iterate(system.with_(r=r), np.full((1, 1), 0.3), 6).states[0], rel=1e-13)
