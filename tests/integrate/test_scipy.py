"""The fallback where heyoka is absent."""

import importlib.util
import warnings

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.integrate import default_solver, solve
from chaoslab.systems import System, load


@pytest.fixture
def no_heyoka(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "heyoka" else found(name, *rest))
    default_solver.cache_clear()
    yield
    default_solver.cache_clear()


def test_the_fallback_is_said_aloud_once(no_heyoka):
    with pytest.warns(UserWarning, match=r"heyoka is not installed.*conda install -c conda-forge heyoka\.py"):
        assert default_solver() == "scipy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_solver() == "scipy"


def test_simulate_works_and_says_with_what(no_heyoka):
    with pytest.warns(UserWarning, match="heyoka is not installed"):
        ds = cl.simulate("Lorenz", 2)
    assert ds.attrs["solver"] == "scipy"
    assert ds.chaos.check().status.item() == "ok"


@pytest.mark.parametrize("name", ["Lorenz", "Chua", "StickSlipOscillator", "BlinkingRotlet"])
def test_agrees_with_taylor(name):
    system = load(name)
    times = np.linspace(0, min(4.0, 3 * system.period), 101)
    ours, theirs = (solve(system, system.initial[None], times, solver=solver).states for solver in ("taylor", "scipy"))
    assert np.abs(ours - theirs).max() < 1e-8 * np.abs(ours).max()


@pytest.mark.parametrize("text", ["x**2", "exp(x)"])
def test_blow_up_is_marked_and_dated(text):
    system = System({"x": text}, {}, {"x": 1})
    times = np.linspace(0, 2, 21)
    solution = solve(system, system.initial[None], times, solver="scipy")
    end = {"x**2": 1.0, "exp(x)": np.exp(-1)}[text]
    assert solution.status[0] == "escaped"
    assert solution.ended[0] == pytest.approx(end, abs=0.1)
    assert np.isfinite(solution.states[0, times < end - 1e-6]).all()
    assert np.isnan(solution.states[0, times > end + 1e-6]).all()


def test_where_no_real_value_exists_is_an_escape():
    system = System({"x": "-1 - sqrt(x)"}, {}, {"x": 1})
    solution = solve(system, system.initial[None], np.linspace(0, 2, 21), solver="scipy")
    assert solution.status[0] == "escaped"
    assert solution.ended[0] == pytest.approx(2 - 2 * np.log(2), abs=0.1)


def test_tolerances_below_its_own_are_raised_to_it():
    system = System({"x": "-x"}, {}, {"x": 1})
    solution = solve(system, system.initial[None], np.array([0.0, 1.0]), solver="scipy", tolerance=1e-17)
    assert solution.states[0, -1, 0] == pytest.approx(np.exp(-1), abs=1e-13)
