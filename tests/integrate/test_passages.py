"""Ensembles of flows: the engine's own crossings beside those found on stored polynomials, and members that end."""

import math

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.integrate.passages import Ensemble
from chaoslab.integrate.section import crossings
from chaoslab.integrate.zeros import rate
from chaoslab.systems import System


def rows_of(system, name, values):
    rows = np.repeat(system.values[None], len(values), axis=0)
    rows[:, list(system.parameters).index(name)] = values
    return rows


@pytest.mark.parametrize("direction", [-1, 0, 1])
def test_they_are_the_crossings_found_on_polynomials(direction):
    """Eleven members, so that some lanes are spare, and as many values of the parameter."""
    system = cl.load("Rossler")
    rows = rows_of(system, "c", np.linspace(2, 6, 11))
    starts = np.repeat(system.initial[None], 11, axis=0)
    options = {"count": 8, "patience": 600.0, "direction": direction}
    known = crossings(system, rate(0), starts, values=rows, corners=True, **options)
    found = Ensemble(system, starts, rows).passages(rate(0), 8, 600.0, direction)
    assert found.times == pytest.approx(known.times, abs=1e-9)
    assert found.states == pytest.approx(known.states, abs=1e-8)
    assert (found.directions == known.directions).all()
    assert (found.status == "ok").all()


def test_a_member_that_escapes_leaves_the_others_alone():
    """x' = a x^2 from 1 is 1 / (1 - a t): gone at 1 / a, and at rest for a = 0; y turns all the while."""
    system = System({"x": "a*x**2", "y": "w", "z": "-z"}, {"a": 1, "w": 1}, {"x": 1, "y": 0, "z": 1}, period=1.0)
    a = np.array([0.0, 0.5, 0.0, 0.1, 0.0])
    group = Ensemble(system, np.repeat(system.initial[None], 5, axis=0), rows_of(system, "a", a))
    group.advance(4.0)
    assert group.status.tolist() == ["ok", "escaped", "ok", "ok", "ok"]
    assert group.ended[1] == pytest.approx(2.0, abs=1e-3)
    assert group.states[[0, 3], 0] == pytest.approx([1, 1 / (1 - 0.4)])
    assert group.states[[0, 2, 3, 4], 1] == pytest.approx([4, 4, 4, 4])


def test_what_does_not_cross_is_given_up_and_keeps_its_place():
    """A circle of radius r meets x = 2 if r > 2."""
    circle = System({"x": "-w*y", "y": "w*x"}, {"w": 1}, {"x": 1, "y": 0}, period=2 * math.pi)
    starts = np.array([[1.0, 0], [3.0, 0], [1.5, 0]])
    from chaoslab.systems.tree import Node, name, number

    surface = Node("+", name("x"), Node("neg", number(2)))
    group = Ensemble(circle, starts, np.ones((3, 1)))
    found = group.passages(surface, 5, 40.0, 1)
    assert found.status.tolist() == ["failed", "ok", "failed"]
    assert "did not cross the surface for 40 time units" in found.reasons[0]
    assert found.times[1] == pytest.approx(2 * math.pi * np.arange(1, 6) - math.acos(2 / 3))
    assert np.linalg.norm(group.last, axis=1) == pytest.approx([1, 3, 1.5])
