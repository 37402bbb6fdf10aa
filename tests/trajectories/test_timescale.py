"""The dominant period, on motions whose period is known."""

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.trajectories import NoPeriod, dominant_period, timescale


def spring(w, **options):
    return cl.System({"x": "v", "v": "-w**2*x"}, {"w": w}, {"x": 1, "v": 0}, **options)


def two_springs(size, w=1, u=5.3):
    """Two oscillations seen through one component: cos(w t) + size cos(u t)."""
    return cl.System(
        {"x": "v", "v": "-w**2*x", "y": "p", "p": "-u**2*y"},
        {"w": w, "u": u},
        {"x": 1, "v": 0, "y": size, "p": 0},
        observed=dict.fromkeys("xvyp", "x + y"),
    )


@pytest.mark.parametrize("w", [1e-3, 0.3, 1, 7, 2000])
def test_a_sine(w):
    found = dominant_period(spring(w))
    assert found.value == pytest.approx(2 * np.pi / w, rel=0.01)
    assert 0 <= found.error < 0.01 * found.value
    assert abs(found.value - 2 * np.pi / w) < 4 * found.error


@pytest.mark.parametrize(("size", "frequency"), [(0.3, 1), (3, 5.3)])
def test_the_larger_of_two_oscillations(size, frequency):
    assert dominant_period(two_springs(size)).value == pytest.approx(2 * np.pi / frequency, rel=0.01)


@pytest.mark.parametrize(("mu", "period"), [(0.05, 2 * np.pi * (1 + 0.05**2 / 16)), (5, 11.6122), (10, 19.0784)])
def test_van_der_pol(mu, period):
    """2 pi (1 + mu^2/16) for small mu; the relaxation oscillation's harmonics pull the middle of the octave a little."""
    system = cl.System({"x": "y", "y": "mu*(1 - x**2)*y - x"}, {"mu": mu}, {"x": 2, "y": 0}, observed={"y": "x"})
    assert dominant_period(system).value == pytest.approx(period, rel=0.02)


@pytest.mark.parametrize("factor", [1000, 1e-3])
def test_the_unit_of_time_does_not_matter(factor):
    rossler = cl.load("Rossler")
    fast = cl.System(
        {key: f"k*({text})" for key, text in rossler.equations.items()}, {**rossler.parameters, "k": factor}, rossler.state
    )
    assert dominant_period(fast).value * factor == pytest.approx(dominant_period(rossler).value, rel=0.01)


def test_a_map_has_period_one():
    assert dominant_period(cl.load("Henon")) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("equations", "state", "message"),
    [
        ({"x": "-x"}, {"x": 1}, "comes to rest"),
        ({"x": "v", "v": "-x - v"}, {"x": 1, "v": 0}, "comes to rest"),
        ({"x": "-x"}, {"x": 0}, "comes to rest"),
        ({"x": "x**2"}, {"x": 1}, "escaped at t = 1"),
        ({"x": "x"}, {"x": 1}, "escaped"),
        ({"x": "2"}, {"x": 1}, "constant rate"),
        ({"x": "1/x"}, {"x": 0}, "not finite at its state"),
    ],
)
def test_what_does_not_oscillate_has_no_period(equations, state, message):
    with pytest.raises(NoPeriod, match=message):
        dominant_period(cl.System(equations, {}, state))


def test_the_error_is_honest():
    """Different starts on the Rossler attractor differ by about what the error says."""
    rossler = cl.load("Rossler")
    found = [dominant_period(rossler.with_(x=x)) for x in (5.5, 5.6, 5.7)]
    assert all(0 < one.error < 0.05 * one.value for one in found)
    assert np.ptp([one.value for one in found]) < 6 * max(one.error for one in found)


def test_equal_systems_are_measured_once():
    timescale._dominant_period.cache_clear()
    first = dominant_period(spring(2))
    assert dominant_period(spring(2)) is first
    assert timescale._dominant_period.cache_info().misses == 1
    dominant_period(spring(3))
    assert timescale._dominant_period.cache_info().misses == 2


def test_settings_are_used():
    long, short = (dominant_period(cl.load("Rossler"), samples=4096, periods=periods, blocks=4) for periods in (100, 50))
    assert long.value != short.value
    assert long.value == pytest.approx(short.value, rel=0.1)
