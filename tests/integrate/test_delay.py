"""Delay systems: exact where the answer is known on paper, the same as laps of SciPy, and bounded in the work they take."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from chaoslab.integrate import HistoryError, Past, given, sampled, solve, taylor
from chaoslab.systems import System, load

#: Times that one test may look up in pasts, and calls of a history; nothing here needs a third of it.
MANY = 1_000_000


@pytest.fixture(autouse=True)
def _bounded_work(monkeypatch):
    """A search for ever finer pieces fails at once, instead of filling the memory."""
    inner, total = Past.at, 0

    def at(self, times, *components):
        nonlocal total
        total += np.size(times)
        assert total < MANY, f"more than {MANY} times looked up"
        return inner(self, times, *components)

    monkeypatch.setattr(Past, "at", at)


def delayed(equations, parameters=None, state=None):
    equations = {"x": equations} if isinstance(equations, str) else equations
    return System(equations, parameters or {}, state or dict.fromkeys(equations, 1.0), kind="delay")


def states(system, times, history=None, **options):
    """States (time, component), from rest or from a history."""
    past = None if history is None else given(bounded(history), system.lags.max(), options.get("start", 0.0), system.dimension)
    solution = solve(system, system.initial[None] if past is None else [past], np.asarray(times, float), **options)
    assert solution.status[0] == "ok", solution.reasons
    return solution.states[0]


def bounded(history):
    """The history, which may not be asked for ever."""
    calls = itertools.count()

    def call(s):
        assert next(calls) < MANY / 10, "too many calls of the history"
        return history(s)

    return call


def laps(system, count, history=None):
    """States at count + 1 multiples of the only lag: x((k - 1) tau + s) for all k at once is an ODE in s, which SciPy solves."""
    history = history or (lambda s: system.initial)
    tau, d = float(system.lags[0]), system.dimension
    rows = [np.array(history(0.0), float)]
    for n in range(1, count + 1):

        def field(s, y, n=n):
            y = y.reshape(n, d)
            before = np.vstack([history(s - tau), y[:-1]])[:, [delay.component for delay in system.flat.delays]]
            return system.rhs(y, tau * np.arange(n) + s, delayed=before).ravel()

        y = solve_ivp(field, (0, tau), np.concatenate(rows), method="DOP853", rtol=2.3e-14, atol=1e-15).y[:, -1]
        rows.append(y.reshape(n, d)[-1])
    return np.array(rows)


MACKEY_GLASS = delayed("beta*x(t - tau)/(1 + x(t - tau)**n) - gamma*x", {"beta": 0.2, "gamma": 0.1, "n": 10, "tau": 17}, {"x": 1.2})
WRIGHT = delayed("-a*x(t - tau)*(1 + x)", {"a": 2.5, "tau": 1}, {"x": 0.5})
SWINGING = delayed("-pi/2*x(t - 1)")  # cos(pi t/2) is a solution, and neither grows nor decays
RELAY = delayed("-g*x - sign(x(t - 1))", {"g": 0.1}, {"x": 0.5})


# --- answers known on paper --------------------------------------------------------------------------------------------


def test_the_simplest_equation_is_a_polynomial_in_every_lap():
    """x' = -x(t - 1) from rest at 1, in exact fractions: the end of one lap is the start of the next."""
    lap, exact = [Fraction(1)], [Fraction(1)]
    for _ in range(6):
        lap = [exact[-1], *(-part / (power + 1) for power, part in enumerate(lap))]
        exact.append(sum(lap))
    assert exact[:4] == [1, 0, Fraction(-1, 2), Fraction(-1, 6)]
    assert states(delayed("-x(t - 1)"), range(7))[:, 0] == pytest.approx([float(x) for x in exact], abs=1e-15)


def from_rest(weights, lags, times):
    """x' = sum of w x(t - tau) from rest at 1: a sum over how often each lag has been passed, by Laplace transform."""
    exact = np.ones_like(times)
    for passed in itertools.product(*(range(int(times[-1] / lag) + 1) for lag in lags)):
        when, m = float(np.dot(passed, lags)), sum(passed)
        if when < times[-1]:
            paths = math.factorial(m) // math.prod(map(math.factorial, passed))
            share = sum(weights) * paths * math.prod(w**n for w, n in zip(weights, passed, strict=True)) / math.factorial(m + 1)
            exact += share * np.maximum(times - when, 0) ** (m + 1)
    return exact


@pytest.mark.parametrize(
    ("lags", "end"),
    [
        *[((1.0, 2.0), 7), ((2.0, 3.0, 5.0), 14), ((1.0, math.sqrt(2), math.pi), 7), ((0.3, 10.0), 12), ((1.0, 1 + 1e-7), 5)],
        *[((1.0, 1 + 1e-13), 5), (tuple(math.sqrt(p) for p in (2, 3, 5, 7, 11, 13, 17, 19)), 5)],
    ],
    ids=["double", "whole", "irrational", "far apart", "close", "all but equal", "eight"],
)
def test_the_kinks_of_several_lags_are_followed(lags, end):
    weights = [(-1) ** k * 0.4 - 0.3 for k in range(len(lags))]
    system = delayed(" + ".join(f"({w!r})*x(t - {lag!r})" for w, lag in zip(weights, lags, strict=True)))
    times = np.linspace(0, end, 61)
    assert states(system, times)[:, 0] == pytest.approx(from_rest(weights, lags, times), abs=1e-12)


@pytest.mark.parametrize("lags", [(1.0,), (0.5, 2.0), (1.0, math.sqrt(2), math.pi), (0.01, 10.0)])
def test_exponentials_that_solve_the_characteristic_equation(lags):
    weights = [-0.3, 0.2, 0.1][: len(lags)]
    rate = brentq(lambda z: z - sum(w * math.exp(-z * lag) for w, lag in zip(weights, lags, strict=True)), -1, 1, xtol=1e-16)
    system = delayed(" + ".join(f"({w})*x(t - {lag!r})" for w, lag in zip(weights, lags, strict=True)))
    times = np.linspace(0, 12, 25)
    found = states(system, times, lambda s: math.exp(rate * s))
    assert found[:, 0] == pytest.approx(np.exp(rate * times), rel=1e-12)


def test_a_rotation_by_the_delayed_state():
    """x' = -w y(t - tau), y' = w x(t - tau) turns at a complex rate z with z = i w exp(-z tau)."""
    w, tau, z = 0.8, 1.3, 0.5 + 0.5j
    for _ in range(50):
        z -= (z - 1j * w * np.exp(-z * tau)) / (1 + 1j * w * tau * np.exp(-z * tau))
    system = delayed({"x": "-w*y(t - tau)", "y": "w*x(t - tau)"}, {"w": w, "tau": tau})
    turned = lambda t: np.stack([np.exp(z * t).real, np.exp(z * t).imag], axis=-1)
    times = np.linspace(0, 15, 31)
    assert states(system, times, turned) == pytest.approx(turned(times), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("stiffness", [0, 1, 1000])
def test_forcing_made_for_a_known_motion(stiffness):
    """sin(t) solves it, by construction; the present state only matters where it is stiff."""
    text = "cos(t) - x(t - 1)*x(t - sqrt(2)) + tanh(x(t - pi)) + sin(t - 1)*sin(t - sqrt(2)) - tanh(sin(t - pi))"
    system = delayed(f"{text} - {stiffness}*(x - sin(t))")
    times = np.linspace(0, 20, 41)
    assert states(system, times, math.sin)[:, 0] == pytest.approx(np.sin(times), abs=1e-12)


def test_lags_in_an_array():
    """Sites that only see the next one, a lag later: from rest at 1, x' = -x_next(t - lag) is -1 until the lag has passed."""
    system = System(
        {"x[i]": "-sum(w[i,j]*x[j](t - tau[i,j]), j)"},
        {"w": np.roll(np.eye(3), 1, axis=1), "tau": np.arange(1.0, 10).reshape(3, 3)},
        {"x": [1, 1, 1]},
        kind="delay",
        index={"i": {"size": 3}, "j": {"size": 3}},
    )
    assert system.lags.tolist() == list(range(1, 10))
    assert states(system, [2.0, 3.0])[1] == pytest.approx([-1.5, -2, -2], abs=1e-14)  # lags 2, 6, 7


# --- laps of SciPy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("history", [None, lambda s: [1 + 0.3 * math.sin(s)], lambda s: [1 + 0.3 * math.sin(2 * s) ** 3]])
def test_mackey_glass_is_that_of_laps(history):
    assert states(MACKEY_GLASS, 17.0 * np.arange(6), history) == pytest.approx(laps(MACKEY_GLASS, 5, history), abs=1e-11)


def test_a_negative_state_has_whole_powers_that_are_parameters():
    """(-0.5)**n with n = 10 given at run time is a number, to the engine as to the right-hand side."""
    system = MACKEY_GLASS.with_(x=-0.5)
    assert np.isfinite(system.rhs([-0.5], delayed=[-0.5])).all()
    assert states(system, 17.0 * np.arange(4)) == pytest.approx(laps(system, 3), abs=1e-11)


@pytest.mark.parametrize(
    "system",
    [
        WRIGHT,
        delayed("2/(1 + x(t - 1)**60) - x", {}, {"x": 0.5}),
        delayed("-0.1*x - tanh(20*x(t - 1)) + cos(t)"),
        delayed("-0.1*x - atan(200*x(t - 1))"),
        delayed("2/(1 + exp(60*(x(t - 1) - 1))) - x", {}, {"x": 0.5}),
        delayed({"x": "y - x**3/3 + x", "y": "-x(t - 0.7) + 0.2*y(t - 0.7)"}),
    ],
    ids=["Wright", "60th power", "tanh", "atan", "exp", "plane"],
)
def test_others_are_those_of_laps(system):
    tau = system.lags[0]
    assert states(system, tau * np.arange(6)) == pytest.approx(laps(system, 5), abs=1e-10)


def test_a_saturating_function_is_not_stepped_over():
    """Nearly a relay: a step across the switch would not see it, and the triangle wave would never turn."""
    system = delayed("-tanh(200*x(t - 1))", {}, {"x": 0.5})
    found = states(system, np.arange(7.0))
    assert found == pytest.approx(laps(system, 6), abs=1e-10)
    assert found[:, 0] == pytest.approx([0.5, -0.5, -0.5, 0.5, 0.5, -0.5, -0.5], abs=0.02)


@pytest.mark.parametrize("power", [7, 8])
def test_a_series_with_gaps_and_a_long_lag(power):
    """x' = 1 + x^n starts where all but every n-th coefficient vanish; the lag of 100 bounds no step."""
    times = np.linspace(0, 0.9, 10)
    found = states(delayed(f"1 + x**{power} + x(t - 100)", {}, {"x": 0}), times)
    flow = solve(System({"x": f"1 + x**{power}"}, {}, {"x": 0}), np.zeros((1, 1)), times).states[0]
    assert found == pytest.approx(flow, abs=1e-12)


def test_an_oscillation_through_a_flat_minimum_and_a_long_lag():
    system = delayed({"x": "v", "v": "-x**7 + 0*x(t - 100)"}, {}, {"x": 0, "v": 1})
    x, v = states(system, np.linspace(0, 20, 101)).T
    assert v**2 / 2 + x**8 / 8 == pytest.approx(np.full(101, 0.5), abs=1e-9)


# --- kinks and jumps ---------------------------------------------------------------------------------------------------


def test_kinks_at_whole_laps():
    """x' = -|x(t - 1)| from 1 reaches 0 just at the end of a lap; x(3) = -5/6."""
    assert states(delayed("-abs(x(t - 1))"), range(4))[:, 0] == pytest.approx([1, 0, -1 / 2, -5 / 6], abs=1e-14)


def test_a_smallest_of_two():
    """x' = -min(1/2, x(t - 1)) from 1: the delayed state passes 1/2 at t = 2."""
    found = states(delayed("-min(1/2, x(t - 1))"), [0, 1, 2, 2.5, 3])[:, 0]
    assert found == pytest.approx([1, 0.5, 0, -0.1875, -0.25], abs=1e-14)


@pytest.mark.parametrize("solver", ["taylor", "scipy"])
@pytest.mark.parametrize("g", [0.001, 0.1, 2])
def test_a_relay_is_switched_one_lag_after_every_zero(g, solver):
    zeros, between = math.log(1 + 0.5 * g) / g, 1 + math.log(2 - math.exp(-g)) / g
    times = np.linspace(0, 20, 201)
    k = np.maximum(np.ceil((times - zeros - 1) / between), 0)
    exact = (-1) ** (k + 1) * (1 - np.exp(-g * (times - zeros - between * k))) / g
    assert states(RELAY.with_(g=g), times, solver=solver)[:, 0] == pytest.approx(exact, abs=1e-11)


@pytest.mark.parametrize("late", [0.0, 0.1, 0.3])
def test_a_motion_held_at_a_jump_until_the_delayed_forcing_tears_it_off(late):
    """x' = -sign(x) + y(t - 1)/2 with y = t - 1 - late: it falls to 0 (with late = 0.3 below it, and comes back), rests while
    |y(t - 1)| < 2, and leaves as a parabola."""
    system = delayed({"x": "-sign(x) + y(t - 1)/2", "y": "1"}, {}, {"x": 0.5, "y": -1 - late})
    times = np.linspace(1, 10, 37)
    found = states(system, times, lambda s: [0.5, s - 1 - late])[:, 0]
    assert found == pytest.approx(np.maximum(times - 4 - late, 0) ** 2 / 4, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *["-x + 1.5*abs(x(t - 1)) - x(t - 2)", "-abs(x) - x(t - 1) + 0.5", "-x - sign(x(t - 1)) + 0.3*x(t - 0.37)"],
        *["where(x(t - 1) > 0.3, -1, 1)*0.5 - 0.2*x", "where(x > 0.31 and x(t - 1) < 1, -x(t - 1), 1 - x(t - 0.5))"],
        *["-max(-0.4, min(0.4, 3*x(t - 1))) - 0.1*x", "-floor(2*x(t - 1)) - 0.3*x + 0.2", "mod(3*x(t - 1), 1) - 0.3*x"],
        *["sign(sin(pi*t)) - 0.3*sign(x(t - 1))", "floor(t) - 0.3*x(t - 1)", "mod(t, 0.7) - 0.3*abs(x(t - 1))"],
        *["step(t - 3) - 0.3*x(t - 1)", "-sign(x - 0.3*cos(t)) - 0.5*x(t - 1)"],
    ],
)
def test_kinked_systems_agree_between_engines(text):
    system, times = delayed(text, {}, {"x": 0.7}), np.linspace(0, 8, 81)
    assert states(system, times) == pytest.approx(states(system, times, solver="scipy"), abs=1e-10)


@pytest.mark.parametrize("solver", ["taylor", "scipy"])
def test_a_switch_at_the_edge_of_a_piece_comes_back_as_a_break(solver):
    """x falls from 0.7 to 0.3 by t = 4/7, where a piece happens to end, and is held there: a kink at 4/7 + 1/2."""
    system = delayed("where(x > 0.3 and x(t - 1) < 1, -x(t - 1), 1 - x(t - 0.5))", {}, {"x": 0.7})
    solution = solve(system, system.initial[None], np.array([0, 1.501]), solver=solver)
    assert solution.states[0, 1, 0] == pytest.approx(0.3, abs=1e-12)
    assert solution.pasts[0].count < 300


@pytest.mark.parametrize("text", ["-sign(x)", "-sign(x + y)", "-sign(x + 0.3*y(t - 1))"])
def test_sliding_agrees_between_engines(text):
    system = delayed({"x": text + " + 1.3*y(t - 0.6)", "y": "z", "z": "-y"}, {}, {"x": 0.3, "y": 0, "z": 1})
    times = np.linspace(0, 12, 121)
    assert states(system, times) == pytest.approx(states(system, times, solver="scipy"), abs=1e-10)


def test_a_history_that_rests_on_a_step_takes_the_value_there():
    """Not a moment in passing: the delayed state is 0 for a whole lap, and step(0) is 0."""
    assert states(delayed("step(x(t - 1))", {}, {"x": 0}), [0.5])[0] == 0


# --- histories ---------------------------------------------------------------------------------------------------------


def test_a_jump_in_the_history():
    """x' = -x(t - 1): the second lap integrates the first, whose slope changes at the jump."""
    found = states(delayed("-x(t - 1)"), [0, 0.7, 1, 2], lambda s: [3.0 if s > -0.3 else 1.0])
    assert found[:, 0] == pytest.approx(
        [3, 2.3, 1.4, 3 - 0.7 - 0.9 - (3 * 0.7 - 0.7**2 / 2) - (2.3 * 0.3 - 3 * 0.3**2 / 2)], abs=1e-10
    )


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_a_kink_in_the_history(level):
    """Also one that touches zero."""
    found = states(delayed("-x(t - 1)"), [1.0], lambda s: [level + abs(s + 0.3)])
    assert found == pytest.approx(np.array([[0.3 - (0.3**2 + 0.7**2) / 2]]), abs=1e-12)


def test_a_fast_oscillation_in_the_history():
    found = states(delayed("-x(t - 1)"), [0.5, 1.0], lambda s: [math.cos(200 * s)])[:, 0]
    integral = lambda a, b: (math.sin(200 * b) - math.sin(200 * a)) / 200
    assert found == pytest.approx([1 - integral(-1, -0.5), 1 - integral(-1, 0)], abs=1e-12)


def test_a_sampled_history_is_as_good_as_its_function():
    times = np.linspace(-17, 0, 200)
    wave = lambda s: 1 + 0.3 * np.sin(s / 2)
    past = sampled(times, wave(times)[:, None], 17.0)
    ends = np.linspace(0, 85, 11)
    found = solve(MACKEY_GLASS, [past], ends).states[0]
    assert found == pytest.approx(states(MACKEY_GLASS, ends, lambda s: [wave(s)]), abs=1e-10)


def test_too_short_a_past_is_refused_with_both_lengths():
    past = given(lambda s: [1.0], 5.0, 0.0, 1)
    with pytest.raises(HistoryError, match=r"17.* 5"):
        solve(MACKEY_GLASS, [past], np.array([0.0, 1.0]))


def test_a_past_of_another_dimension_is_refused():
    past = given(lambda s: [1.0, 2.0], 17.0, 0.0, 2)
    with pytest.raises(ValueError, match=r"component|dimension|shape"):
        solve(MACKEY_GLASS, [past], np.array([0.0, 1.0]))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_start_that_is_not_finite_has_escaped(value):
    solution = solve(WRIGHT, np.array([[value]]), np.linspace(0, 2, 5))
    assert solution.status[0] == "escaped"
    assert np.isnan(solution.states[0, 1:]).all()


# --- times and sizes ---------------------------------------------------------------------------------------------------


def test_the_grid_does_not_matter():
    times = np.sort(np.random.default_rng(0).uniform(0, 100, 50))
    every = np.unique(np.concatenate([times, np.linspace(0, 100, 2001), 17.0 * np.arange(6)]))
    fine = states(MACKEY_GLASS, every)
    for grid in (times, every[::97], [100.0], 17.0 * np.arange(6), [0.0, 1e-12, 17, 17 + 1e-12, 34]):
        grid = np.asarray(grid)[np.isin(grid, every)]
        assert states(MACKEY_GLASS, grid) == pytest.approx(fine[np.searchsorted(every, grid)], abs=1e-11)


@pytest.mark.parametrize("tau", [0.1, 0.3, 1 / 3, 0.7, math.pi])
def test_every_end_can_be_reached(tau):
    """Multiples of the lag and of tenths, where a step may fall short of the end by a rounding."""
    system = delayed("-x(t - tau)/tau", {"tau": tau})
    for k in range(1, 40):
        for end in (k * tau, k / 10, k * tau + 1e-13):
            assert states(system, [0, end])[-1, 0] == pytest.approx(states(system, [end])[0, 0], abs=1e-12)


@pytest.mark.parametrize("solver", ["taylor", "scipy"])
def test_delayed_states_are_the_states_back_then(solver):
    solution = solve(MACKEY_GLASS, MACKEY_GLASS.initial[None], np.linspace(0, 100, 1001), delayed=True, solver=solver)
    assert solution.delayed.shape == (1, 1001, 1)
    assert (solution.delayed[0, :170] == 1.2).all()
    assert solution.delayed[0, 170:] == pytest.approx(solution.states[0, :-170], abs=1e-11)


@pytest.mark.parametrize("start", [-3.0, 10.0, 1e4, 1e6])
@pytest.mark.parametrize("system", [MACKEY_GLASS, WRIGHT, SWINGING, RELAY], ids=["Mackey-Glass", "Wright", "swinging", "relay"])
def test_a_clock_that_starts_late_changes_nothing(system, start):
    """But for the rounding of its times."""
    times = system.lags.max() * np.linspace(0, 6, 25)
    shifted = states(system, start + times, start=start)
    assert shifted == pytest.approx(states(system, times), abs=1e-10 + 1e-14 * abs(start))


@pytest.mark.parametrize("begin", [0.0, 3000.0, 1e4])
def test_a_motion_through_zero_goes_on_for_ever(begin):
    past, since = given(lambda s: [math.cos(math.pi / 2 * s)], 1.0, begin, 1), np.arange(0, 60, 2.5)
    solution = solve(SWINGING, [past], begin + since, start=begin)
    assert solution.states[0, :, 0] == pytest.approx(np.cos(math.pi / 2 * since), abs=1e-10)


@pytest.mark.parametrize("cut", [1, 7, 40.0, 41.234])
@pytest.mark.parametrize("system", [MACKEY_GLASS, RELAY, delayed("cos(t) - 0.3*x(t - 1)*x(t - sqrt(2)) - 0.5*x(t - 0.7)")])
def test_going_on_from_a_past_equals_one_run(system, cut):
    times = np.linspace(50, 70, 21)
    first = solve(system, system.initial[None], np.array([0, cut / 2, cut]))
    second = solve(system, list(first.pasts), np.array([cut, 45, 50]), start=cut)
    third = solve(system, list(second.pasts), times, start=50)
    assert third.states[0] == pytest.approx(states(system, times), abs=1e-10)


def test_going_on_leaves_the_past_alone():
    first = solve(RELAY, RELAY.initial[None], np.array([0, 3.3]))
    before = {key: part.tolist() for key, part in first.pasts[0].parts().items()}
    twice = [solve(RELAY, list(first.pasts), np.linspace(3.3, 10, 5), start=3.3).states for _ in range(2)]
    assert np.array_equal(*twice)
    assert {key: part.tolist() for key, part in first.pasts[0].parts().items()} == before


@pytest.mark.parametrize("size", [1e-200, 1e-9, 1e9, 1e100])
def test_the_size_of_a_linear_motion_does_not_matter(size):
    system = delayed("-x(t - 1)", {}, {"x": size})
    assert states(system, range(4))[:, 0] / size == pytest.approx([1, 0, -1 / 2, -1 / 6], abs=1e-14)


def test_a_small_state_beside_a_large_one_moves_too():
    """Two equations that have nothing to do with each other."""
    system = delayed({"x": "-x(t - 1)", "y": "-y(t - 1)"}, {}, {"x": 1e-9, "y": 1e9})
    assert states(system, range(4)) / [1e-9, 1e9] == pytest.approx(np.outer([1, 0, -1 / 2, -1 / 6], [1, 1]), abs=1e-9)


@pytest.mark.parametrize("unit", [1e-12, 1e-3, 1e9])
def test_the_unit_of_time_does_not_matter(unit):
    history = lambda s: [0.5 if s > -0.3 else 0.1]
    times = np.linspace(0, 5, 21)
    found = states(WRIGHT.with_(a=2.5 / unit, tau=unit), unit * times, lambda s: history(s / unit))
    assert found == pytest.approx(states(WRIGHT, times, history), abs=1e-10)


@pytest.mark.parametrize("system", [MACKEY_GLASS, RELAY.with_(g=0.5)], ids=["Mackey-Glass", "relay"])
def test_a_long_run_keeps_only_what_lags_reach(system):
    lag = float(system.lags.max())
    short, long = (solve(system, system.initial[None], np.linspace(0, end * lag, 11)).pasts[0] for end in (30, 600))
    assert long.count <= 2 * short.count + 10
    assert len(long.coefficients) <= 8 * long.count
    assert len(long.coming) <= len(short.coming) + 20


def test_steep_forcing_does_not_cut_the_past_finer_every_lap():
    system = delayed("tanh(500*sin(3*t)) - 0.3*x(t - 1)", {}, {"x": 0.7})
    counts = [solve(system, system.initial[None], np.linspace(0, end, 5)).pasts[0].count for end in (6, 13)]
    assert counts[1] < 3 * counts[0] < 3000


def test_one_kink_does_not_cut_finer_what_follows():
    """The kink of the history is found by halving, some 40 times; the pieces beside it need not be as short."""
    past = given(lambda s: [0.5 + abs(s + 0.3)], 1.0, 0.0, 1)
    assert solve(delayed("-x(t - 1)"), [past], np.array([0, 5.0])).pasts[0].count < 200


# --- members -----------------------------------------------------------------------------------------------------------


def test_members_have_lags_of_their_own():
    lags = [17.0, 5.0, 30.0]
    values = np.tile(MACKEY_GLASS.values, (3, 1))
    values[:, -1] = lags
    times = np.linspace(0, 100, 21)
    found = solve(MACKEY_GLASS, np.full((3, 1), 1.2), times, values=values).states
    assert np.array_equal(found, [states(MACKEY_GLASS.with_(tau=lag), times) for lag in lags])


@pytest.mark.parametrize("lag", [0.0, -1.0, math.nan])
def test_a_members_lag_must_be_positive(lag):
    values = np.array([[2.5, 1], [2.5, lag]])
    with pytest.raises(ValueError, match="lag"):
        solve(WRIGHT, np.ones((2, 1)), np.array([0.0, 1.0]), values=values)


@pytest.mark.parametrize("text", ["x**2 + x(t - 1)", "x**2 + abs(x(t - 1))"])
def test_a_blow_up_is_dated_and_the_others_go_on(text):
    """From rest at 1, x' = x^2 + 1 until t = 1: a tangent, infinite at pi/4. From rest at 0 it rests."""
    times = np.linspace(0, 3, 61)
    solution = solve(delayed(text), np.array([[1.0], [0.0], [0.0]]), times)
    assert solution.status.tolist() == ["escaped", "ok", "ok"]
    assert solution.ended[0] == pytest.approx(math.pi / 4, abs=1e-6)
    before = times < math.pi / 4 - 1e-9
    assert solution.states[0, before, 0] == pytest.approx(np.tan(times[before] + math.pi / 4), rel=1e-9)
    assert np.isnan(solution.states[0, ~before]).all()
    assert (solution.states[1:] == 0).all()


def test_ever_faster_oscillations_are_an_escape():
    """It swings to -1e11 by t = 16 and grows without end; a minute of steps beyond that is of no use to anyone."""
    solution = solve(delayed("cos(t) - x(t - 1)*x(t - sqrt(2)) - x(t - 0.7)"), np.ones((1, 1)), np.linspace(0, 40, 21))
    assert solution.status[0] == "escaped"
    assert 16 < solution.ended[0] <= 22
    assert np.isfinite(solution.states[0, :9]).all()


def test_growth_beyond_all_numbers_is_an_escape():
    solution = solve(delayed("2*x(t - 1)"), np.ones((1, 1)), np.linspace(0, 2000, 41))
    assert solution.status[0] == "escaped"
    assert np.isfinite(solution.states[0, 0]).all()


def test_a_delayed_state_without_a_real_value_is_an_escape_one_lag_later():
    """x falls at the constant rate 1 - sqrt(x0), and its root ends one lag after its zero."""
    solution = solve(delayed("sqrt(x(t - 1)) - 1", {}, {"x": 0.25}), np.array([[0.25]]), np.linspace(0, 4, 401))
    assert solution.status[0] == "escaped"
    assert solution.ended[0] == pytest.approx(1.5, abs=0.011)


# --- how it is built ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["begin", "past", "mode", "offset", "delayed"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-word*abs(x(t - 1)) + 0*abs(x)", 2.0),
        ("-word[1]*abs(x(t - 1)) + 0*word[2]*abs(x) + 0*x(t - 2)", [2.0, 5.0]),
        ("-word[1,1]*abs(x(t - 1)) + 0*word[1,2]*x(t - 2)", [[2.0, 5.0], [3.0, 4.0]]),
        ("-2*abs(word(t - 1)) + 0*abs(word)", None),
    ],
    ids=["number", "array", "matrix", "state"],
)
def test_names_that_the_engine_uses_are_free(word, text, value):
    times = np.linspace(0, 3, 7)
    text = text.replace("word", word)
    system = delayed({word: text}) if value is None else delayed(text, {word: value})
    assert states(system, times) == pytest.approx(states(delayed("-2*abs(x(t - 1)) + 0*abs(x)"), times), abs=1e-13)


def test_parameters_are_given_at_run_time():
    """A slider never recompiles, not even that of a lag; a whole exponent alone is part of what is compiled."""
    states(MACKEY_GLASS, [0, 50])
    compiled = taylor.compiled.cache_info().misses
    ends = {round(float(states(MACKEY_GLASS.with_(tau=tau, beta=b), [100.0])[0, 0]), 9) for tau in (5, 17, 30) for b in (0.15, 0.2)}
    assert taylor.compiled.cache_info().misses == compiled
    assert len(ends) == 6


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_the_tolerance_is_kept(tolerance):
    times = np.linspace(0, 100, 21)
    assert states(MACKEY_GLASS, times, tolerance=tolerance) == pytest.approx(states(MACKEY_GLASS, times), abs=10 * tolerance)


def test_without_a_lag_it_would_be_the_flow():
    """A delay system whose delayed states do not count is the flow."""
    lorenz, times = load("Lorenz"), np.linspace(0, 5, 51)
    equations = {**lorenz.equations, "x": lorenz.equations["x"] + " + 0*x(t - 0.3)"}
    system = System(equations, lorenz.parameters, lorenz.state, kind="delay")
    flow = solve(lorenz, lorenz.initial[None], times).states[0]
    assert states(system, times) == pytest.approx(flow, abs=1e-8)
