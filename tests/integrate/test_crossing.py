"""The walk across switching surfaces: answers known on paper, by both engines."""

import numpy as np
import pytest

from chaoslab.integrate import solve
from chaoslab.systems import System

both = pytest.mark.parametrize("solver", ["taylor", "scipy"])
TIMES = np.linspace(0, 3, 31)


def run(equations, state, times=TIMES, solver="taylor", **parameters):
    system = System(equations, parameters, state)
    return solve(system, system.initial[None], np.asarray(times, float), solver=solver)


def states(*args, **options):
    solution = run(*args, **options)
    assert solution.status[0] == "ok", solution.reasons
    return solution.states[0]


# --- crossing -----------------------------------------------------------------------------------------------------------


@both
def test_crosses_a_jump_and_goes_on_faster(solver):
    x = states({"x": "1 + 2*step(x - 1)"}, {"x": 0}, solver=solver)[:, 0]
    assert x == pytest.approx(np.where(TIMES < 1, TIMES, 3 * TIMES - 2), abs=1e-13)


@both
def test_oscillator_with_a_stiffer_spring_on_one_side(solver):
    """Half a swing at frequency 2, half at frequency 1: a period of 3 pi / 2."""
    times = np.linspace(0, 10, 41)
    phase = times % (1.5 * np.pi)
    right = phase < np.pi / 2
    x = np.where(right, np.sin(2 * phase) / 2, -np.sin(phase - np.pi / 2))
    v = np.where(right, np.cos(2 * phase), -np.cos(phase - np.pi / 2))
    found = states({"x": "v", "v": "-x - 3*max(x, 0)"}, {"x": 0, "v": 1}, times, solver)
    assert np.abs(found - np.stack([x, v], 1)).max() < 1e-10


@both
def test_force_minus_the_modulus(solver):
    """x'' = -|x|: a cosine until x = 0, a hyperbolic sine after."""
    x = states({"x": "v", "v": "-abs(x)"}, {"x": 1, "v": 0}, solver=solver)[:, 0]
    late = TIMES - np.pi / 2
    assert x == pytest.approx(np.where(late < 0, np.cos(TIMES), -np.sinh(late)), abs=1e-12)


@both
@pytest.mark.parametrize("depth", [1e-3, 1e-6, 1e-9, 1e-12, 0, -1e-12, -1e-6])
def test_grazing_a_kink(depth, solver):
    """x = c^2 - depth dips below zero for 2 sqrt(depth), or just touches zero, or just does not."""
    c, r = TIMES - 1, np.sqrt(max(depth, 0))
    integral = lambda c: c**3 / 3 - depth * c
    inside = integral(np.clip(c, -r, r)) - integral(-r)
    exact = integral(c) - integral(-1.0) - 2 * inside
    found = states({"c": "1", "x": "2*c", "y": "abs(x)"}, {"c": -1, "x": 1 - depth, "y": 0}, solver=solver)
    assert found[:, 2] == pytest.approx(exact, abs=1e-11)


@pytest.mark.parametrize("depth", [1e-3, 1e-6, 1e-9, 1e-12])
def test_a_short_pulse_is_not_missed(depth):
    found = states({"c": "1", "x": "2*c", "y": "step(-x)"}, {"c": -1, "x": 1 - depth, "y": 0})
    assert found[-1, 2] == pytest.approx(2 * np.sqrt(depth), abs=1e-9)


@both
def test_many_surfaces_met_at_once(solver):
    """At c = 1 three of five lines meet in one point."""
    times = np.array([0, 1, 2, 2.5, 3.0])
    flat = "min(c + 2, 4 - c, 3, 2*c + 1, 9 - 3*c)"
    nested = "min(min(c + 2, 4 - c), min(min(3, 2*c + 1), 9 - 3*c))"
    # 2c + 1 up to c = 1, then 4 - c up to 2.5, then 9 - 3c
    exact = [0, 2, 2 + 2.5, 2 + 2.5 + 0.875, 2 + 2.5 + 0.875 + 0.375]
    for text in (flat, nested):
        assert states({"c": "1", "y": text}, {"c": 0, "y": 0}, times, solver)[:, 1] == pytest.approx(exact, abs=1e-12)


# --- starting on a surface ----------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("speed", [1, -1])
def test_starts_on_a_surface_and_crosses(speed, solver):
    found = states({"x": "v", "y": "step(x)"}, {"x": 0, "y": 0}, solver=solver, v=speed)
    assert found[:, 1] == pytest.approx(TIMES * (speed > 0), abs=1e-12)


@both
def test_starts_on_a_surface_and_slides(solver):
    assert (states({"x": "-sign(x)"}, {"x": 0}, solver=solver) == 0).all()


@both
@pytest.mark.parametrize("bend", [2, -2])
def test_starts_touching_a_surface(bend, solver):
    found = states({"c": "1", "x": "k*c", "y": "abs(x)"}, {"c": 0, "x": 0, "y": 0}, solver=solver, k=bend)
    assert found[:, 2] == pytest.approx(TIMES**3 / 3, abs=1e-12)


@both
def test_starts_at_rest_on_a_surface(solver):
    """step(0) is 0, and the state never leaves."""
    assert (states({"y": "-y", "x": "step(y)"}, {"y": 0, "x": 0}, solver=solver) == 0).all()


@both
@pytest.mark.parametrize("side", [1, -1])
def test_leaves_an_unstable_surface_for_the_side_it_is_on(side, solver):
    x = states({"x": "sign(x)"}, {"x": side * 1e-9}, solver=solver)[:, 0]
    assert x == pytest.approx(side * (1e-9 + TIMES), abs=1e-13)


# --- sliding ------------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("start", [1.3, -0.7, 0.1])
def test_reaches_a_surface_and_rests_on_it_exactly(start, solver):
    x = states({"x": "-sign(x)"}, {"x": start}, solver=solver)[:, 0]
    assert x == pytest.approx(np.sign(start) * np.maximum(abs(start) - TIMES, 0), abs=1e-14)
    assert (x[abs(start) + 1e-9 < TIMES] == 0).all()


@both
def test_rests_where_a_step_turns_the_motion(solver):
    x = states({"x": "1 - 2*step(x - 1)"}, {"x": 0.25}, solver=solver)[:, 0]
    assert x == pytest.approx(np.minimum(0.25 + TIMES, 1), abs=1e-14)


@both
def test_slides_along_a_surface_that_is_no_coordinate_plane(solver):
    """x = -y is kept while y decays; Filippov's speed of x is y."""
    times = np.linspace(0, 5, 26)
    x, y = states({"x": "-sign(x + y)", "y": "-y"}, {"x": -0.5, "y": 0.5}, times, solver).T
    assert y == pytest.approx(0.5 * np.exp(-times), abs=1e-12)
    assert (np.abs(x + y) < 1e-15).all()


@both
@pytest.mark.parametrize("clock", ["c", "t"])
def test_block_under_a_rising_force_sticks_and_slips(clock, solver):
    """v' = t - F sign(v), v(0) = 1, F = 2: stops at t = 2 - sqrt(2), sticks until the force reaches F, then (t - 2)^2 / 2."""
    times = np.linspace(0, 4, 81)
    extra = ({"c": "1"}, {"c": 0}) if clock == "c" else ({}, {})
    v = states({"v": f"{clock} - F*sign(v)"} | extra[0], {"v": 1} | extra[1], times, solver, F=2)[:, 0]
    stop = 2 - np.sqrt(2)
    assert v == pytest.approx(np.where(times < stop, 1 + times**2 / 2 - 2 * times, np.maximum(times - 2, 0) ** 2 / 2), abs=1e-13)
    assert (v[(times > stop) & (times < 2)] == 0).all()


@both
def test_dry_friction_takes_two_units_off_every_half_cycle(solver):
    """x'' + x = -F sign(v), F = 1, from 5.3: turning points -3.3, 1.3, and there, at |x| < 2F from the turn, it sticks at 0.7."""
    times = np.linspace(0, 12, 121)
    swing = np.minimum(times // np.pi, 3)
    side, size = (-1) ** swing, 5.3 - 2 * swing
    phase = np.where(swing < 3, times - swing * np.pi, 0)
    x = side * np.where(swing < 3, 1 + (size - 1) * np.cos(phase), size)
    found = states({"x": "v", "v": "-k*x - F*sign(v)"}, {"x": 5.3, "v": 0}, times, solver, k=1, F=1)
    assert np.abs(found[:, 0] - x).max() < 1e-12
    assert (found[times > 3 * np.pi, 1] == 0).all()
    assert np.ptp(found[times > 3 * np.pi, 0]) < 1e-15


@both
def test_dry_friction_holds_a_block_that_starts_at_rest(solver):
    found = states({"x": "v", "v": "-x - F*sign(v)"}, {"x": 0.5, "v": 0}, solver=solver, F=1)
    assert (found == [0.5, 0]).all()


@both
@pytest.mark.parametrize(("speed", "end"), [(0.5, 1), (-0.5, -1)])
def test_stops_sliding_where_the_jump_ends(speed, end, solver):
    """y rests at 0 until c = 1, where friction is switched off."""
    y = states({"c": "1", "y": "where(c < 1, -sign(y), s)"}, {"c": 0, "y": 0.3}, solver=solver, s=speed)[:, 1]
    assert y == pytest.approx(np.where(TIMES < 1, np.maximum(0.3 - TIMES, 0), speed * (TIMES - 1)), abs=1e-12)
    assert y[-1] == pytest.approx(end)


@both
def test_crosses_other_surfaces_while_sliding(solver):
    """y rests at 0 under a force that changes its sign every half unit; x is a zigzag."""
    found = states({"x": "sign(sin(2*pi*t))", "y": "sign(sin(2*pi*t)) - 2*sign(y)"}, {"x": 0, "y": 0}, solver=solver)
    assert found[:, 0] == pytest.approx(0.5 - np.abs(TIMES % 1 - 0.5), abs=1e-12)
    assert (found[:, 1] == 0).all()


# --- what is not supported says so --------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("start", [(0, 0), (1, 1)])
def test_two_sliding_surfaces_are_a_failure_and_no_number(start, solver):
    solution = run({"x": "-sign(x)", "y": "-2*sign(y) + sign(x)"}, dict(zip("xy", start, strict=True)), solver=solver)
    assert solution.status[0] == "failed"
    assert "at t = " in solution.reasons[0]
    assert solution.ended[0] == pytest.approx(start[0], abs=1e-9)
    assert np.isnan(solution.states[0, start[0] + 1e-9 < TIMES]).all()


@both
def test_held_at_a_jump_of_floor_is_a_failure(solver):
    solution = run({"x": "0.5 - floor(x)"}, {"x": 0.5}, solver=solver)
    assert solution.status[0] == "failed"
    assert "floor or mod" in solution.reasons[0]
    assert solution.ended[0] == pytest.approx(1)


def test_a_switch_beyond_which_nothing_is_real_is_a_failure():
    """x = (1 - t/2)^2 until it is zero, where a root of a negative number would have to be taken."""
    solution = run({"x": "-sign(x)*sqrt(abs(x))"}, {"x": 1})
    before = TIMES < 2
    assert solution.status[0] == "failed"
    assert "no real value" in solution.reasons[0]
    assert solution.ended[0] == pytest.approx(2, abs=1e-6)
    assert solution.states[0, before, 0] == pytest.approx((1 - TIMES[before] / 2) ** 2, abs=1e-9)


def test_a_failure_leaves_other_members_alone():
    system = System({"x": "-sign(x)*sign(y)**2", "y": "-sign(y)"}, {}, {"x": 1, "y": 1})
    solution = solve(system, np.array([[1.0, 1.0], [1.0, 7.0]]), TIMES)
    assert list(solution.status) == ["failed", "ok"]
    assert solution.states[1] == pytest.approx(np.stack([np.maximum(1 - TIMES, 0), 7 - TIMES], 1), abs=1e-13)


def test_loose_tolerances_find_switches_too():
    """Long steps must not end on the wrong side of a surface."""
    system = System({"x": "v", "v": "-x - 3*max(x, 0)"}, {}, {"x": 0, "v": 1})
    times = np.linspace(0, 150 * np.pi, 3001)
    fine, coarse = (solve(system, system.initial[None], times, tolerance=tolerance).states for tolerance in (1e-13, 1e-4))
    assert np.abs(fine - coarse).max() < 1e-4
