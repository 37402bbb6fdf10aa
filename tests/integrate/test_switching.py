"""Kinks and jumps as modes: integrals known on paper, functions that saturate, and both engines side by side."""

import re

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from chaoslab.integrate import solve, switched
from chaoslab.systems import System, load

both = pytest.mark.parametrize("solver", ["taylor", "scipy"])
TIMES = np.linspace(0, 4, 33)


def solution(equations, state, times=TIMES, solver="taylor", **parameters):
    system = System(equations, parameters, state)
    found = solve(system, system.initial[None], times, solver=solver)
    assert found.status[0] == "ok", found.reasons
    return found.states[0]


def whole(t):
    return np.floor(t + 1e-12)


def zigzag(t):
    """The integral of ||t - 2| - 1|: four triangles of area 1/2."""
    up = lambda a: np.clip(t - a, 0, 1) ** 2 / 2
    down = lambda a: np.clip(t - a, 0, 1) - up(a)
    return down(0) + up(1) + down(2) + up(3)


#: integrand, with c = t: its integral from 0
KNOWN = {
    "abs(sin(pi*c))": lambda t: (2 * whole(t) + 1 - np.cos(np.pi * (t - whole(t)))) / np.pi,
    "abs(c - 1.5)": lambda t: 1.125 + np.sign(t - 1.5) * (t - 1.5) ** 2 / 2,
    "abs(abs(c - 2) - 1)": zigzag,
    "sign(c - 1)": lambda t: np.abs(t - 1) - 1,
    "step(c - 1)": lambda t: np.maximum(t - 1, 0),
    "min(c, 2 - c)": lambda t: np.where(t < 1, t**2 / 2, 2 * t - t**2 / 2 - 1),
    "max(c, 2 - c)": lambda t: np.where(t < 1, 2 * t - t**2 / 2, t**2 / 2 + 1),
    "floor(c)": lambda t: whole(t) * (whole(t) - 1) / 2 + whole(t) * (t - whole(t)),
    "mod(c, 1)": lambda t: whole(t) / 2 + (t - whole(t)) ** 2 / 2,
    "mod(c, 0.5)": lambda t: whole(2 * t) / 8 + (t - whole(2 * t) / 2) ** 2 / 2,
    "where((c > 1 and c < 2) or not (c < 3), 1, 0)": lambda t: np.clip(t - 1, 0, 1) + np.maximum(t - 3, 0),
    "where(1 < c < 2, c, -1)": lambda t: np.where(t < 1, -t, np.where(t < 2, t**2 / 2 - 1.5, 2.5 - t)),
}


@both
@pytest.mark.parametrize("text", KNOWN)
def test_known_integrals(text, solver):
    found = solution({"c": "1", "y": text}, {"c": 0, "y": 0}, solver=solver)[:, 1]
    assert found == pytest.approx(KNOWN[text](TIMES), abs=1e-12)


@pytest.mark.parametrize("text", KNOWN)
def test_a_clock_that_runs_backwards_sees_the_same_areas(text):
    found = solution({"c": "-1", "y": text}, {"c": 4, "y": 0})[:, 1]
    assert found == pytest.approx(KNOWN[text](np.array(4.0)) - KNOWN[text](4 - TIMES), abs=1e-12)


@both
@pytest.mark.parametrize("text", KNOWN)
def test_time_itself_can_be_the_clock(text, solver):
    found = solution({"y": re.sub(r"\bc\b", "t", text)}, {"y": 0}, solver=solver)[:, 0]
    assert found == pytest.approx(KNOWN[text](TIMES), abs=1e-12)


# --- kinks of parameters alone ------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "text", ["abs(k)", "sign(k)", "step(k)", "floor(k)", "mod(k, 2)", "max(k, -k, 1)", "min(k, 1)", "where(k <= 1, 2, 3)",
             "where(k < 1 or k > 2, 2, 3)", "where(not (k >= 0), 2, 3)"]
)  # fmt: skip
@pytest.mark.parametrize("k", [-1.5, -1, 0, 1, 2.5])
def test_kinks_of_parameters_are_constants(text, k, solver):
    """A slider may stand exactly at the kink."""
    system = System({"x": text}, {"k": k}, {"x": 0})
    assert solve(system, system.initial[None], TIMES, solver=solver).states[0, :, 0] == pytest.approx(
        system.rhs([0.0])[0] * TIMES, abs=1e-12
    )


# --- the text that an engine sees ----------------------------------------------------------------------------------------


def test_smooth_systems_have_no_modes():
    assert switched(load("Lorenz").flat).smooth
    assert not switched(load("Lorenz").flat).watched
    assert not switched(load("Chua").flat).smooth


def test_the_same_kink_written_twice_is_one_surface():
    flat = System({"x": "abs(x - 1) + 2*abs(x - 1)", "y": "sign(x - 1)"}, {}, {"x": 0, "y": 0}).flat
    assert len(switched(flat).modes) == 1


def test_no_kink_is_left_in_the_pieces():
    pieces = switched(load("MacArthur").flat)
    text = str(pieces.equations())
    assert not re.search(r"\b(abs|sign|step|min|max|floor|mod)\(", text)


# --- functions that saturate ---------------------------------------------------------------------------------------------

PULSES = {
    "tanh": "tanh(c*sin(z))",
    "exp": "exp(-c*sin(z)**2)",
    "cosh": "1/cosh(c*sin(z))",
    "logistic": "1/(1 + exp(-c*sin(z)))",
}


@pytest.mark.parametrize("c", [60, 600])
@pytest.mark.parametrize("text", PULSES.values(), ids=PULSES)
def test_steep_functions_are_seen_coming(text, c):
    """Against SciPy with steps too short to overlook anything."""
    system = System({"z": "1", "x": f"{text} - 0.3*x"}, {"c": c}, {"z": 0.5, "x": 0})
    times = np.linspace(0, 12, 41)
    found = solve(system, system.initial[None], times)
    assert found.status[0] == "ok"
    options = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-12, "max_step": 12 / 3000}
    exact = solve_ivp(lambda t, y: system.rhs(y), (0, 12), system.initial, t_eval=times, **options)
    assert np.abs(found.states[0] - exact.y.T).max() < 1e-8


def test_a_pulse_in_a_sea_of_nothing_is_found():
    """exp(-(t/w)^2) has area w sqrt(pi), however narrow it is."""
    for width in (1, 0.1, 0.01):
        x = solution({"z": "1", "x": "exp(-((z - 50)/w)**2)"}, {"z": 0, "x": 0}, np.array([0.0, 100.0]), w=width)[-1, 1]
        assert x == pytest.approx(width * np.sqrt(np.pi), rel=1e-9)


# --- two engines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Chua", "AnishchenkoAstakhov", "FluidTrampoline", "SprottMore", "StickSlipOscillator", "MacArthur"]
)
def test_engines_agree_on_switching_systems(name):
    system = load(name)
    times = np.linspace(0, 2 * system.period, 81)
    taylor, scipy = (solve(system, system.initial[None], times, solver=solver) for solver in ("taylor", "scipy"))
    assert list(taylor.status) == list(scipy.status) == ["ok"]
    assert np.abs(taylor.states - scipy.states).max() < 1e-8 * np.abs(taylor.states).max()


def test_the_grid_does_not_matter():
    """Samples do not move the switches."""
    system = load("StickSlipOscillator")
    fine = solve(system, system.initial[None], np.linspace(0, 40, 4001)).states[0, ::400]
    coarse = solve(system, system.initial[None], np.linspace(0, 40, 11)).states[0]
    assert np.abs(fine - coarse).max() < 1e-9
