"""Kinks and jumps as modes: integrals known on paper, functions that saturate, and both engines side by side."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from chaoslab.integrate import solve, switched
from chaoslab.systems import System, load

both = pytest.mark.parametrize("solver", ["taylor", "scipy"])
TIMES = np.linspace(0, 4, 33)


def integral(text, solver="taylor", times=TIMES, start=0.0, speed=1, **parameters):
    """Samples of y, where c' = speed and y' = text."""
    system = System({"c": str(speed), "y": text}, parameters, {"c": start, "y": 0})
    solution = solve(system, system.initial[None], times, solver=solver)
    assert solution.status[0] == "ok", solution.reasons
    return solution.states[0, :, 1]


def whole(t):
    return np.floor(t + 1e-12)


#: integrand of the clock c = t: its integral from 0
KNOWN = {
    "abs(sin(pi*c))": lambda t: (2 * whole(t) + 1 - np.cos(np.pi * (t - whole(t)))) / np.pi,
    "abs(c - 1.5)": lambda t: (1.125 + np.sign(t - 1.5) * (t - 1.5) ** 2 / 2),
    "sign(c - 1)": lambda t: np.abs(t - 1) - 1,
    "step(c - 1)": lambda t: np.maximum(t - 1, 0),
    "min(c, 2 - c)": lambda t: np.where(t < 1, t**2 / 2, 2 * t - t**2 / 2 - 1),
    "max(c, 2 - c)": lambda t: np.where(t < 1, 2 * t - t**2 / 2, t**2 / 2 + 1),
    "floor(c)": lambda t: whole(t) * (whole(t) - 1) / 2 + whole(t) * (t - whole(t)),
    "mod(c, 1)": lambda t: whole(t) / 2 + (t - whole(t)) ** 2 / 2,
    "mod(c, 0.5)": lambda t: whole(2 * t) / 8 + (t - whole(2 * t) / 2) ** 2 / 2,
    "where((c > 1 and c < 2) or not (c < 3), 1, 0)": lambda t: np.clip(t - 1, 0, 1) + np.maximum(t - 3, 0),
    "where(1 < c < 2, c, -1)": lambda t: np.where(t < 1, -t, np.where(t < 2, t**2 / 2 - 1.5, 2.5 - t)),
    "abs(abs(c - 2) - 1)": lambda t: np.abs(np.array([0, 1]) * 0).sum() + _zigzag(t),
}


def _zigzag(t):
    """The integral of ||t - 2| - 1|: triangles of area 1/2."""
    down = lambda a: np.clip(t - a, 0, 1) - np.clip(t - a, 0, 1) ** 2 / 2
    up = lambda a: np.clip(t - a, 0, 1) ** 2 / 2
    return down(0) + up(1) + down(2) + up(3)


@both
@pytest.mark.parametrize("text", KNOWN)
def test_known_integrals(text, solver):
    assert integral(text, solver) == pytest.approx(KNOWN[text](TIMES), abs=1e-12)


@pytest.mark.parametrize("text", ["floor(c)", "mod(c, 1)", "abs(sin(pi*c))", "sign(c - 1)", "where(1 < c < 2, c, -1)"])
def test_the_same_backwards(text):
    """A clock that runs from 4 down to 0 sees the same areas."""
    exact = KNOWN[text]
    assert integral(text, start=4, speed=-1) == pytest.approx(exact(np.array(4.0)) - exact(4 - TIMES), abs=1e-12)


@pytest.mark.parametrize("text", KNOWN)
def test_time_itself_can_be_the_clock(text):
    system = System({"y": text.replace("c", "t").replace("tos", "cos").replace("mod(t", "mod(t")}, {}, {"y": 0}) if (
        "c" not in text.replace("c", "", 0) or True
    ) and not any(word in text for word in ("abs(sin",)) else System({"y": "abs(sin(pi*t))"}, {}, {"y": 0})
    assert solve(system, system.initial[None], TIMES).states[0, :, 0] == pytest.approx(KNOWN[text](TIMES), abs=1e-12)
