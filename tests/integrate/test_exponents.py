"""Whole exponents that are parameters are products, also of negative states."""

import numpy as np
import pytest

from chaoslab.integrate import solve
from chaoslab.integrate.exponents import with_whole_powers
from chaoslab.systems import System

QUADRATIC = System({"x": "-x**n"}, {"n": 2}, {"x": -0.1})


def test_a_negative_state_to_a_whole_power_is_a_number():
    """x' = -x^2 from -1/10 is -1/(10 - t)."""
    found = solve(QUADRATIC, QUADRATIC.initial[None], np.array([0.0, 5.0])).states[0, :, 0]
    assert found == pytest.approx([-0.1, -1 / 5], abs=1e-12)


def test_another_exponent_is_another_text():
    cubed = QUADRATIC.with_(n=3)
    found = solve(cubed, cubed.initial[None], np.array([0.0, 5.0])).states[0, 1, 0]
    assert found == pytest.approx(-0.1 / np.sqrt(1 + 2 * 5 * 0.01), abs=1e-12)


def test_broken_and_differing_exponents_stay_parameters():
    flat = QUADRATIC.flat
    assert with_whole_powers(flat, np.array([2.5])) is flat
    assert with_whole_powers(flat, np.array([[2.0], [3.0]])) is flat
    assert with_whole_powers(flat, np.array([[2.0], [2.0]])) is not flat
    assert with_whole_powers(flat, np.array([1000.0])) is flat
