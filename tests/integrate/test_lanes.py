"""Members in the lanes of a vector: as exact as one alone, independent of each other, and careful with those that end."""

import numpy as np
import pytest

from chaoslab.integrate import solve
from chaoslab.integrate.lanes import lanes
from chaoslab.integrate.switching import switched
from chaoslab.systems import System, load

pytest.importorskip("heyoka")


def starts(system, count):
    return system.initial * (1 + 0.01 * np.arange(count)[:, None])


@pytest.mark.parametrize("name", ["Lorenz", "Thomas", "DoublePendulum", "Lorenz96"])
def test_agrees_with_the_engine_for_one(name):
    system = load(name)
    times = np.linspace(0, system.period / 2, 41)
    found = solve(system, starts(system, 11), times).states
    alone = np.concatenate([solve(system, start[None], times).states for start in starts(system, 11)])
    assert np.abs(found - alone).max() < 1e-9 * np.abs(alone).max()


@pytest.mark.parametrize("count", [2, 7, 8, 9, 30])
def test_members_do_not_feel_each_other(count):
    system = load("Lorenz")
    times = np.linspace(0, 30, 301)
    whole = solve(system, starts(system, 31), times).states
    assert np.array_equal(solve(system, starts(system, 31)[31 - count :], times, workers=1).states, whole[31 - count :])


def test_who_ends_is_dated_and_the_others_go_on():
    """x' = x^2 from 1 ends at t = 1; from 1/10 and from below zero it goes on."""
    system, times = System({"x": "x**2"}, {}, {"x": 1}), np.linspace(0, 5, 11)
    found = solve(system, np.array([[1.0], [0.1], [-1.0], [0.0]]), times)
    assert found.status.tolist() == ["escaped", "ok", "ok", "ok"]
    assert found.ended[0] == pytest.approx(1, abs=1e-6)
    assert found.states[1:, -1, 0] == pytest.approx([0.2, -1 / 6, 0], abs=1e-12)


def test_starts_with_gaps_in_their_series_are_left_to_the_engine_for_one():
    """x'' = -x^7 from x = 0: only every eighth coefficient is not zero there."""
    system, times = System({"x": "v", "v": "-x**7"}, {}, {"x": 0, "v": 1}), np.linspace(0, 20, 101)
    several = solve(system, np.array([[0.0, 1.0], [0.0, 2.0], [0.3, 0.1]]), times).states
    assert np.array_equal(several[0], solve(system, system.initial[None], times).states[0])


def test_a_grid_that_begins_later_and_values_of_their_own():
    system, times = load("Lorenz"), np.linspace(1, 2, 11)
    values = np.repeat(system.values[None], 3, axis=0)
    values[:, 1] = [20, 28, 40]
    found = solve(system, starts(system, 3), times, values=values, start=0.5).states
    for k in range(3):
        alone = solve(system, starts(system, 3)[k : k + 1], times, values=values[k : k + 1], start=0.5).states[0]
        assert found[k] == pytest.approx(alone, rel=1e-10)


def test_is_compiled_once():
    equations = switched(load("Lorenz").flat).equations()
    assert lanes(equations, 1e-12) is lanes(equations, 1e-12)
