"""The Taylor engine: right, compiled once, the same in every thread, and honest about motions that leave."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from chaoslab.integrate import compiled_quickly, solve, taylor
from chaoslab.integrate.effort import LEAST, effort
from chaoslab.integrate.members import share
from chaoslab.systems import System, load

spec = importlib.util.spec_from_file_location("reference", Path(__file__).parents[1] / "reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


def states(system, times, **options):
    solution = solve(system, system.initial[None], np.asarray(times, float), **options)
    assert solution.status[0] == "ok", solution.reasons
    return solution.states[0]


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "DoublePendulum"])
def test_agrees_with_the_reference(name):
    system = load(name)
    times = np.linspace(0, 2 * system.period, 51)
    ours = states(system, times)
    spread = np.ptp(ours, axis=0)
    assert (np.abs(ours - reference.reference(system, times, spread)) / spread).max() < 1e-8


def test_parameters_are_given_at_run_time():
    """A slider never recompiles."""
    lorenz, times = load("Lorenz"), np.linspace(0, 1, 5)
    states(lorenz, times)
    compiled = taylor.compiled.cache_info().misses
    moved = [states(lorenz.with_(rho=rho), times)[-1, 0] for rho in (20, 28.5, "99.96", 160)]
    assert taylor.compiled.cache_info().misses == compiled
    assert len({round(x, 6) for x in moved}) == 4


def test_values_by_member_equal_systems_of_their_own():
    system, times = load("Lorenz"), np.linspace(0, 2, 21)
    others = [system.with_(rho=rho) for rho in (20, 40)]
    found = solve(system, np.stack([system.initial] * 2), times, values=np.stack([other.values for other in others]))
    assert np.allclose(found.states, [states(other, times) for other in others], rtol=1e-9)


def test_threads_equal_a_loop():
    system, times = load("Lorenz"), np.linspace(0, 30, 3001)
    starts = system.initial + np.arange(8)[:, None]
    serial = [solve(system, start[None], times).states for start in starts]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda start: solve(system, start[None], times).states, starts))
    assert np.array_equal(serial, parallel)


def test_threads_equal_a_loop_across_switches():
    system, times = load("StickSlipOscillator"), np.linspace(0, 60, 601)
    starts = system.initial + 0.1 * np.arange(8)[:, None]
    serial = [solve(system, start[None], times).states for start in starts]
    with ThreadPoolExecutor(4) as pool:
        assert np.array_equal(serial, list(pool.map(lambda start: solve(system, start[None], times).states, starts)))


@pytest.mark.parametrize("name", ["Lorenz", "Chua", "MacArthur"])
def test_compact_code_is_the_same_code(name, monkeypatch):
    system = load(name)
    times = np.linspace(0, system.period, 21)
    tolerance = 1.0001e-12  # one of its own, so that nothing compiled earlier is used
    results = []
    for compact in (0, 10**6) if name != "MacArthur" else (0, 250):
        monkeypatch.setattr(taylor, "COMPACT", compact)
        taylor.compiled.cache_clear()
        results.append(states(system, times, tolerance=tolerance))
    taylor.compiled.cache_clear()
    assert np.abs(results[0] - results[1]).max() < 1e-10 * np.abs(results[0]).max()


@pytest.mark.parametrize("power", range(1, 9))
def test_integer_powers_at_zero(power):
    """x' = 1 + x^n from 0: no NaN, and no step without bound, though all but every n-th coefficient of the series vanish."""
    times = np.linspace(0, 0.9, 10)
    x = states(System({"x": f"1 + x**{power}"}, {}, {"x": 0}), times)[:, 0]
    nodes, weights = np.polynomial.legendre.leggauss(60)
    spans = [0.5 * end * (weights / (1 + (0.5 * end * (nodes + 1)) ** power)).sum() for end in x]  # t = integral of dx / x'
    assert spans == pytest.approx(times, abs=1e-12)


@pytest.mark.parametrize("power", [3, 5, 7])
def test_oscillations_through_a_flat_minimum_keep_their_energy(power):
    """x'' = -x^n starts where two of n + 1 coefficients do not vanish."""
    x, v = states(System({"x": "v", "v": f"-x**{power}"}, {}, {"x": 0, "v": 1}), np.linspace(0, 20, 101)).T
    assert v**2 / 2 + x ** (power + 1) / (power + 1) == pytest.approx(np.full(101, 0.5), abs=1e-9)
    assert x.min() < -1 < 1 < x.max()


def test_a_switch_where_a_cube_vanishes():
    """After v = 1 the rest w = v - 1 obeys w' = 1/2 - w^3 from w = 0, which tends to the cube root of a half."""
    v = states(System({"v": "1 - (v - 1)**3 - 0.5*sign(v - 1)"}, {}, {"v": 0}), np.linspace(0, 30, 301))[:, 0]
    assert (np.diff(v) > -1e-12).all()
    assert v[-1] == pytest.approx(1 + 0.5 ** (1 / 3), abs=1e-12)


@pytest.mark.parametrize("start", [1, 2, 100])
def test_blow_up_is_dated(start):
    """x' = x^2 from x0 is infinite at t = 1/x0."""
    system = System({"x": "x**2"}, {}, {"x": start})
    times = np.linspace(0, 2, 201)
    solution = solve(system, system.initial[None], times)
    assert solution.status[0] == "escaped"
    assert solution.ended[0] == pytest.approx(1 / start, abs=1e-6)
    before = times < 1 / start - 1e-9
    assert solution.states[0, before, 0] == pytest.approx(start / (1 - start * times[before]), rel=1e-9)
    assert np.isnan(solution.states[0, ~before]).all()


def test_ever_faster_oscillations_are_an_escape():
    """The Sakarya system from a state that is already leaving: steps shrink for ever, and the run still ends."""
    system = System(
        {"x": "-x + y + y*z", "y": "-x - y + a*x*z", "z": "z - b*x*y"}, {"a": 0.4, "b": 0.3}, {"x": 700, "y": 400, "z": -1300}
    )
    solution = solve(system, system.initial[None], np.linspace(0, 50, 501))
    assert solution.status[0] == "escaped"
    assert 0 < solution.ended[0] < 50
    assert np.isnan(solution.states[0, -1]).all()


def test_time_may_appear():
    times = np.linspace(0, 10, 51)
    x = states(System({"x": "cos(t) + t"}, {}, {"x": 1}), times)[:, 0]
    assert x == pytest.approx(1 + np.sin(times) + times**2 / 2, abs=1e-12)


def test_time_begins_where_it_is_told():
    system = System({"x": "2*t"}, {}, {"x": 0})
    solution = solve(system, np.zeros((1, 1)), np.array([-1.0, 0.0, 2.0]), start=-3.0)
    assert solution.states[0, :, 0] == pytest.approx([-8, -9, -5], abs=1e-13)


def test_the_grid_does_not_matter():
    lorenz = load("Lorenz")
    fine, coarse = states(lorenz, np.linspace(0, 5, 5001)), states(lorenz, np.linspace(0, 5, 6))
    assert np.abs(fine[::1000] - coarse).max() < 1e-11
    alone = states(lorenz, [5.0])
    assert np.abs(alone[0] - coarse[-1]).max() < 1e-11


def test_one_sample_at_the_start_is_the_start():
    lorenz = load("Lorenz")
    assert np.array_equal(states(lorenz, [0.0])[0], lorenz.initial)


def test_an_unreal_start_is_an_escape_and_no_error():
    system = System({"x": "sqrt(x)"}, {}, {"x": -1})
    solution = solve(system, system.initial[None], np.linspace(0, 1, 5))
    assert solution.status[0] == "escaped"


def test_what_is_compiled_quickly_gives_the_same_and_is_forgotten():
    chosen, times = load("Lorenz"), np.linspace(0, 5, 50)
    best = solve(chosen, chosen.initial[None], times).states
    kept = taylor.compiled.cache_info().currsize
    with compiled_quickly():
        quick = solve(chosen, chosen.initial[None], times).states
        lanes = solve(chosen, np.repeat(chosen.initial[None], 3, 0), times).states
    assert np.abs(quick - best).max() < 1e-9
    assert np.abs(lanes - best).max() < 1e-9
    assert taylor.compiled.cache_info().currsize == kept
    assert np.array_equal(solve(chosen, chosen.initial[None], times).states, best)


def test_threads_of_a_quick_run_compile_quickly():
    found = []
    with compiled_quickly():
        share(lambda piece, stopped: found.append(effort()), range(4), 2)
    assert found == [LEAST] * 4


def test_what_takes_too_many_steps_has_failed_where_that_is_asked_for():
    chosen, times = load("Lorenz"), np.array([0.0, 4000.0])
    with compiled_quickly(most=1000):
        assert solve(chosen, chosen.initial[None], times, many=False).status[0] == "failed"
        assert solve(chosen, chosen.initial[None], np.array([0.0, 10.0]), many=False).status[0] == "ok"
    with compiled_quickly():
        assert solve(chosen, chosen.initial[None], times, many=False).status[0] == "ok"
