"""The past of a motion: polynomials in pieces, made of functions, samples or a state at rest, and looked up."""

import math

import numpy as np
import pytest

from chaoslab.integrate.past import NODES, HistoryError, Past, chebyshev, constant, given, powers, sampled

#: Calls of a history after which it is no longer a matter of accuracy.
MANY = 100_000


def counted(function):
    """The function, which refuses to be called for ever."""
    calls = 0

    def call(s):
        nonlocal calls
        calls += 1
        assert calls < MANY, f"the history was evaluated {MANY} times"
        return function(s)

    return call


def line(edges, breaks=()):
    """The motion x = t, y = -2t in pieces."""
    return Past(edges, [[[begin, 1], [-2 * begin, -2]] for begin in edges[:-1]], breaks)


def error(past, function, times):
    """`times` are counted from the origin, which is the end of a history."""
    return np.abs(past.at(times) - np.array([np.ravel(function(s)) for s in times])).max()


# --- polynomials -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [0, 1, 2, 7, NODES - 1])
def test_a_polynomial_comes_back_as_it_is(degree):
    coefficients = np.random.default_rng(degree).normal(size=degree + 1)
    width = 0.3
    values = np.polynomial.polynomial.polyval(width * chebyshev(NODES)[0], coefficients)
    found, _ = powers(values[None], np.array([width]), 1e-13)
    times = np.linspace(0, width, 50)
    assert np.polynomial.polynomial.polyval(times, found[0]) == pytest.approx(
        np.polynomial.polynomial.polyval(times, coefficients), abs=1e-13
    )


@pytest.mark.parametrize(
    ("function", "smooth"), [(np.exp, True), (np.cos, True), (lambda u: np.abs(u - 0.4), False), (np.sqrt, False)]
)
def test_convergence_is_seen(function, smooth):
    assert powers(function(chebyshev(NODES)[0])[None], np.ones(1), 1e-13)[1].tolist() == [smooth]


def test_a_small_quantity_beside_a_large_one_keeps_its_digits():
    """Two delayed states of different units share no scale."""
    u = chebyshev(NODES)[0]
    found, _ = powers(np.stack([1e9 * np.cos(u), 1e-9 * np.sin(u)]), np.ones(2), 1e-13)
    assert np.polynomial.polynomial.polyval(0.7, found[1]) == pytest.approx(1e-9 * math.sin(0.7), rel=1e-10)


@pytest.mark.parametrize("width", [1e-24, 1e24])
def test_pieces_of_any_length_have_finite_polynomials(width):
    """A jump within a lag of picoseconds is cut to 1e-24 s."""
    found, _ = powers(np.cos(chebyshev(NODES)[0])[None], np.array([width]), 1e-13)
    assert np.polynomial.polynomial.polyval(0.7 * width, found[0]) == pytest.approx(math.cos(0.7), abs=1e-13)


# --- keeping and looking up --------------------------------------------------------------------------------------------


def test_it_is_looked_up_in_any_shape():
    past, times = line([-2, -1, -0.5, 0]), np.array([[-2, -1.5], [-1, 0]])
    assert past.at(times).tolist() == [[[t, -2 * t] for t in row] for row in times]
    assert past.at(times, 1).tolist() == (-2 * times).tolist()
    assert past.at(np.array([]), 0).shape == (0,)


def test_pieces_are_appended_with_more_and_with_fewer_powers():
    past = constant(np.array([3.0]), 1.0, 0.0)
    past.append(np.array([1.0, 2.0]), np.array([[[3, 1.0, 0]], [[4, 0, 2.0]]]))
    past.append(np.array([3.0]), np.array([[[6.0]]]))
    assert past.span == (-1, 3)
    assert past.at(np.array([-0.5, 0.5, 1.5, 2.5]), 0).tolist() == [3, 3.5, 4.5, 6]
    assert past.state.tolist() == [6]


def test_what_no_lag_reaches_is_forgotten_and_its_room_used_again():
    past = line([-1, 0])
    for k in range(10_000):
        past.append(np.array([k + 1.0]), np.array([[[k, 1.0], [-2.0 * k, -2]]]))
        past.forget(k - 3.5)
    assert past.span == (9995, 10_000)
    assert past.at(np.array([9996.25]))[0].tolist() == [9996.25, -19992.5]
    assert len(past.coefficients) < 100
    assert len(past.edges) < 100


def test_all_of_it_is_never_forgotten():
    past = line([-2, -1, 0])
    past.forget(100.0)
    assert past.span == (-1, 0)
    assert past.state.tolist() == [0, 0]


def test_a_copy_is_moved_and_on_its_own():
    past = line([-1, 0], [(0.0, 1)])
    copy = past.copy(5.0)
    past.append(np.array([1.0]), np.zeros((1, 2, 2)))
    past.coefficients[:] = 7
    past.breaks.append((1.0, 2))
    past.rebase()
    assert (copy.now, copy.span, copy.breaks) == (5, (-1, 0), [(0, 1)])
    assert copy.at(np.array([-0.5])).tolist() == [[-0.5, 1]]


def test_a_moved_origin_changes_no_time():
    past = line([-1, 0, 2], [(1.0, 1)])
    past.coming = [(4.0, 2)]
    past.rebase()
    assert (past.now, past.origin, past.span) == (2, 2, (-3, 0))
    assert (past.breaks, past.coming) == ([(-1, 1)], [(2, 2)])
    assert past.at(np.array([-2.5, -1.0]), 0).tolist() == [-0.5, 1]


@pytest.mark.parametrize("now", [1 / 3, 1e4 / 3, 1e9 / 3])
def test_an_origin_that_is_rounded_moves_nothing(now):
    """Its sum with the length of a step is rounded, and the edges are counted from what it has become."""
    past = constant(np.array([1.0]), 1.0, now)
    for _ in range(100):
        end = past.now + 0.1
        past.append(np.array([past.span[1] + 0.1]), np.array([[[1.0, 2.0]]]))
        past.rebase()
        assert past.span[1] + past.origin == past.now == pytest.approx(end, rel=1e-15)
    assert past.now == pytest.approx(now + 10, rel=1e-14)


def test_its_parts_make_it_again():
    past = line([-2, -1, 0], [(0.0, 1)])
    past.rebase()
    past.coming = [(0.5, 3)]
    past.append(np.array([0.25]), np.ones((1, 2, 2)))
    past.forget(-1.0)
    again = Past.of(past.parts())
    times = np.linspace(-1, 0.25, 30)
    assert np.array_equal(again.at(times), past.at(times))
    assert (again.span, again.now, again.breaks, again.coming) == (past.span, past.now, past.breaks, past.coming)


def test_a_motion_at_rest():
    past = constant(np.array([1.0, 2.0]), 3.0, 10.0)
    assert (past.span, past.now) == ((-3, 0), 10)
    assert past.at(np.array([-3, -1.5, 0])).tolist() == [[1, 2]] * 3


# --- histories given as functions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        *[
            math.cos,
            lambda s: s**15 / 17**15,
            lambda s: 1 / (1 + 1e4 * (s + 7) ** 2),
            lambda s: 0.0,
            lambda s: 1e-200 * math.sin(s),
        ],
        *[lambda s: math.sqrt(-s), lambda s: math.exp(5 * s), lambda s: math.cos(20 * s)],
    ],
)
def test_a_smooth_function_is_followed(function):
    times = np.linspace(-17, 0, 3001)[:-1]
    size = max(abs(function(s)) for s in times)
    assert error(given(counted(function), 17.0, 0.0, 1), function, times) <= 1e-12 * size


@pytest.mark.parametrize("frequency", [30, 100, 250])
def test_a_fast_oscillation_is_followed_as_far_as_rounding_of_time_allows(frequency):
    """The rounding of s near -17, 2e-15, is a phase of 2e-15 times the frequency."""
    function, times = lambda s: math.cos(frequency * s), np.linspace(-17, 0, 3001)[:-1]
    assert error(given(counted(function), 17.0, 0.0, 1), function, times) < 1e-12 + 1e-14 * frequency


@pytest.mark.parametrize("now", [0.0, 40.0, -1e4])
def test_a_jump_is_found_and_is_a_break(now):
    function = lambda s: 0.5 if s > -5.1234 else 0.1
    past = given(counted(function), 17.0, now, 1)
    (when, order), (end, _) = past.breaks
    assert when == pytest.approx(-5.1234, abs=1e-11)
    assert (order, end, past.now) == (0, 0, now)
    assert past.count < 100
    assert error(past, function, np.array([-17, -5.13, -5.12, -1e-9])) == 0


@pytest.mark.parametrize("place", [3.3, 17 / 3, 16.9])
@pytest.mark.parametrize("level", [0, 1])
def test_a_kink_is_followed(place, level):
    """Also where it touches zero."""
    function, times = lambda s: level + abs(s + place) / 17, np.linspace(-17, 0, 3001)[:-1]
    past = given(counted(function), 17.0, 0.0, 1)
    assert error(past, function, times) < 1e-12


def test_a_jump_within_picoseconds_leaves_every_lookup_finite():
    past = given(lambda s: 0.5 if s > -0.3e-12 else 0.1, 1e-12, 0.0, 1)
    assert set(past.at(past.edges, 0).round(12)) == {0.1, 0.5}


def test_jumps_of_two_components():
    function = lambda s: [float(s > -0.3), float(s > -0.6)]
    past = given(counted(function), 1.0, 0.0, 2)
    assert sorted(round(when, 9) for when, _ in past.breaks) == [-0.6, -0.3, 0]
    assert past.at(np.array([-0.7, -0.5, -0.1])).tolist() == [[0, 0], [0, 1], [1, 1]]


def test_components_of_different_size_are_each_followed():
    times = np.linspace(-17, 0, 501)[:-1]
    past = given(lambda s: [1e9 * math.cos(s), 1e-9 * math.sin(3 * s)], 17.0, 0.0, 2)
    assert past.at(times, 1) == pytest.approx(1e-9 * np.sin(3 * times), abs=1e-19)


@pytest.mark.parametrize(
    "function",
    [lambda s: np.float32(math.cos(s)), lambda s: 1e4 + math.cos(s) - 1e4, lambda s: math.sin(1e9 * s**2)],
    ids=["single precision", "cancellation", "noise"],
)
def test_a_function_that_is_not_smooth_to_the_last_digit_ends(function):
    """With less accuracy or an error, but not with an endless search."""
    try:
        past = given(counted(function), 17.0, 0.0, 1)
    except HistoryError:
        return
    assert past.count < MANY


@pytest.mark.parametrize(
    "function",
    [lambda s: math.nan, lambda s: math.inf if s < -0.7 else 1.0, lambda s: [1.0, 2.0], lambda s: [], lambda s: [[1], [2]]],
)
def test_a_history_of_another_shape_or_not_finite_is_refused(function):
    with pytest.raises(HistoryError, match="1 finite numbers, one a component, at every time from -17 to 0"):
        given(function, 17.0, 0.0, 1)


def test_a_functions_own_error_comes_through():
    with pytest.raises(ZeroDivisionError):
        given(lambda s: 1 / 0, 1.0, 0.0, 1)


# --- histories given as samples ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [0.0, 12.5])
@pytest.mark.parametrize("rate", [-1.3, 0.7])
def test_a_hundred_samples_of_an_exponential(rate, now):
    times = np.linspace(-1, 0, 100)
    past = sampled(now + times, np.exp(rate * times)[:, None], 1.0)
    between = np.linspace(-1, 0, 777)[:-1]
    assert past.now == now
    assert past.at(between, 0) == pytest.approx(np.exp(rate * between), rel=3e-13)
    assert past.state == pytest.approx([1], abs=1e-14)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 20])
def test_samples_are_met(count):
    times = np.linspace(-1, 0, count)
    states = np.stack([np.cos(5 * times), 1 + times**2], axis=-1)
    past = sampled(times, states, 1.0)
    assert past.at(times) == pytest.approx(states, abs=1e-12)


def test_two_samples_are_a_line():
    past = sampled(np.array([-2.0, 0.0]), np.array([[1.0], [5.0]]), 2.0)
    assert past.at(np.array([-2, -1, -0.5]), 0) == pytest.approx([1, 3, 4], abs=1e-15)


def test_only_the_reach_is_kept():
    times = np.linspace(-10, 0, 101)
    past = sampled(times, np.sin(times)[:, None], 1.0)
    assert -1.2 < past.span[0] <= -1
    assert past.at(np.array([-1.0]), 0) == pytest.approx([math.sin(-1)], abs=1e-9)


def test_a_reach_that_differs_by_rounding_is_enough():
    times = np.linspace(-1, 0, 100) * (1 - 1e-12)
    past = sampled(times, np.exp(times)[:, None], 1.0)
    assert past.span == (times[0], 0)
    assert past.at(times, 0) == pytest.approx(np.exp(times), rel=1e-12)


def test_too_short_a_history_names_both_lengths():
    with pytest.raises(HistoryError, match=r"the longest lag is 1\.5, and the history only covers 0\.75"):
        sampled(np.linspace(-0.75, 0, 10), np.ones((10, 1)), 1.5)


def test_samples_that_are_not_finite_are_refused():
    states = np.ones((10, 1))
    states[3] = math.nan
    with pytest.raises(HistoryError, match="all of them finite"):
        sampled(np.linspace(-1, 0, 10), states, 1.0)
