"""Crossings of motions that are known on paper: circles, arcs of parabolas, corners, delays that rotate."""

import math

import numpy as np
import pytest
from scipy.special import gamma

from chaoslab.integrate.section import crossings
from chaoslab.integrate.zeros import rate
from chaoslab.systems import System
from chaoslab.systems.language import read

CIRCLE = System({"x": "-w*y", "y": "w*x"}, {"w": 1}, {"x": 1, "y": 0})
#: Forced towards x = 0 at a constant rate: arcs of parabolas between zeros 2*sqrt(2) apart.
ARCS = System({"x": "v", "v": "-sign(x)"}, {}, {"x": 1, "v": 0})
#: A triangle, whose corners are at odd multiples of pi/2.
TRIANGLE = System({"x": "sign(cos(s))", "s": "1"}, {}, {"x": 0, "s": 0})
ROTATION = System({"x": "-pi/2*x(t - tau)"}, {"tau": 1}, {"x": 0}, kind="delay")


def cross(system, surface, count, direction=0, patience=50.0, initial=None, **options):
    tree = read(surface) if isinstance(surface, str) else surface
    initial = system.initial[None] if initial is None else initial
    return crossings(system, tree, initial, count=count, direction=direction, patience=patience, **options)


@pytest.mark.parametrize("solver", ["taylor", "scipy"])
@pytest.mark.parametrize(("direction", "first", "apart"), [(0, 0.5, 1), (1, 1.5, 2), (-1, 0.5, 2)])
def test_a_circle(solver, direction, first, apart):
    found = cross(CIRCLE, "x", 20, direction, solver=solver)
    assert found.times[0] == pytest.approx(math.pi * (first + apart * np.arange(20)), abs=1e-9 if solver == "scipy" else 1e-11)
    assert np.abs(found.states[0, :, 0]).max() < 1e-15
    assert found.states[0, :, 1] == pytest.approx(-found.directions[0], abs=1e-9)
    assert found.status[0] == "ok"


@pytest.mark.parametrize("gap", [1e-2, 1e-6, 1e-10])
def test_a_pair_of_crossings_within_a_step_is_not_stepped_over(gap):
    """The circle just reaches beyond the line, for as short a time as its root."""
    found = cross(CIRCLE, f"x - (1 - {gap})", 6)
    angle = math.acos(1 - gap)
    expected = np.array([angle, *(turn * 2 * math.pi + side * angle for turn in (1, 2, 3) for side in (-1, 1))])[:6]
    wrong = 1e-12  # of the radius, the engine's tolerance; near the edge it counts by one over the angle
    assert found.times[0] == pytest.approx(expected, abs=wrong / angle + 1e-11)
    assert found.directions[0].tolist() == [-1, 1, -1, 1, -1, 1]


@pytest.mark.parametrize("surface", ["x - 1", "(x - 1)**2", "1 + x", "abs(y)"])
def test_a_touch_is_no_crossing(surface):
    found = cross(CIRCLE, surface, 5)
    assert found.status[0] == "failed"
    assert "did not cross the surface for 50 time units" in found.reasons[0]


def test_a_start_on_the_surface_is_none():
    assert cross(CIRCLE, "y", 3).times[0] == pytest.approx(math.pi * np.arange(1, 4), abs=1e-12)


def test_curved_surfaces_and_kinks_in_them():
    """x y = 1/4 at angles with sin(2a) = 1/2, |x| = 1/2 at pi/3 and 2 pi/3."""
    product = cross(CIRCLE, "x*y - 1/4", 4)
    assert product.times[0] == pytest.approx(math.pi * np.array([1, 5, 13, 17]) / 12, abs=1e-12)
    kinked = cross(CIRCLE, "abs(x) - 1/2", 4)
    assert kinked.times[0] == pytest.approx(math.pi * np.array([1, 2, 4, 5]) / 3, abs=1e-12)


def test_a_jump_of_the_function_through_zero_is_no_crossing():
    """The phase modulo a turn passes 1 upwards once a turn, and jumps down below it once a turn."""
    clock = System({"x": "1"}, {}, {"x": 0.5})
    found = cross(clock, "mod(x, 2) - 1", 5)
    assert found.times[0] == pytest.approx(0.5 + 2 * np.arange(5), abs=1e-12)
    assert (found.directions == 1).all()


def test_time_itself_is_a_surface():
    assert cross(CIRCLE, "sin(pi*t)", 5, 1).times[0] == pytest.approx(2 * np.arange(1, 6), abs=1e-12)


def test_turning_points_are_zeros_of_the_rate():
    found = cross(CIRCLE, rate(0), 5, -1)
    assert found.times[0] == pytest.approx(2 * math.pi * np.arange(1, 6), abs=1e-11)
    assert found.states[0, :, 0] == pytest.approx(np.ones(5), abs=1e-11)


def test_a_section_on_the_switching_surface_itself():
    root = math.sqrt(2)
    found = cross(ARCS, "x", 40)
    assert found.times[0] == pytest.approx(root * (1 + 2 * np.arange(40)), abs=1e-10)
    assert found.directions[0].tolist() == [-1, 1] * 20
    assert np.abs(found.residuals).max() < 1e-12
    assert cross(ARCS, "x - 1/2", 3).times[0] == pytest.approx([1, 2 * 2 * root - 1, 4 * root + 1], abs=1e-11)


def test_corners_are_turning_points():
    found = cross(TRIANGLE, rate(0), 6, -1, corners=True)
    assert found.times[0] == pytest.approx(math.pi * (0.5 + 2 * np.arange(6)), abs=1e-10)
    assert found.states[0, :, 0] == pytest.approx(np.full(6, math.pi / 2), abs=1e-10)


def test_a_motion_that_slides_along_the_section_crosses_where_it_arrives():
    """x falls onto 0 at t = 1, is held there until the push s passes 1 at t = 2, and leaves to the other side."""
    held = System({"x": "-sign(x) - s*step(s - 1)", "s": "1/2"}, {}, {"x": 1, "s": 0})
    found = cross(held, "x", 1)
    assert found.times[0] == pytest.approx([1], abs=1e-10)
    assert found.directions[0].tolist() == [-1]


def test_a_delay_that_rotates():
    """x(t) = cos(pi t/2) solves x' = -pi/2 x(t - 1)."""
    from chaoslab.integrate import given

    past = given(lambda s: np.array([math.cos(math.pi * s / 2)]), 1.0, 0.0, 1)
    found = crossings(ROTATION, read("x"), [past], count=30, patience=20.0)
    assert found.times[0] == pytest.approx(1 + 2 * np.arange(30), abs=1e-9)
    peaks = crossings(ROTATION, rate(0), [past], count=20, direction=-1, patience=20.0)
    assert peaks.times[0] == pytest.approx(4 * np.arange(1, 21), abs=1e-8)
    assert peaks.states[0, :, 0] == pytest.approx(np.ones(20), abs=1e-9)


def test_a_start_whose_series_has_gaps():
    """x'' = -x^3 from x = 0: the choice of the first step sees vanishing coefficients. A turn takes a gamma function."""
    found = cross(System({"x": "v", "v": "-x**3"}, {}, {"x": 0, "v": 1}), "x", 10)
    half = 2**0.25 * gamma(0.25) ** 2 / math.sqrt(2 * math.pi) / 2
    assert found.times[0] == pytest.approx(half * np.arange(1, 11), rel=1e-11)


def test_members_with_different_parameters():
    speeds = np.linspace(0.5, 3, 21)[:, None]
    found = cross(CIRCLE, "x", 30, -1, initial=np.repeat(CIRCLE.initial[None], 21, axis=0), values=speeds)
    assert found.times * speeds == pytest.approx(np.broadcast_to(math.pi * (0.5 + 2 * np.arange(30)), (21, 30)), abs=1e-10)
    few = cross(CIRCLE, "x", 30, -1, initial=np.repeat(CIRCLE.initial[None], 2, axis=0), values=speeds[:2])
    assert np.array_equal(few.times, found.times[:2])  # nobody feels who shares the processor's vector


def test_one_that_escapes_takes_nobody_down():
    grows = System({"x": "x**2*k", "y": "1"}, {"k": 1}, {"x": 1, "y": 0})
    found = cross(grows, "sin(pi*y)", 4, initial=np.array([[1.0, 0.5]] * 3), values=np.array([[0.0], [0.5], [0.0]]))
    assert found.status.tolist() == ["ok", "escaped", "ok"]
    assert found.ended[1] == pytest.approx(2, abs=1e-6)
    assert found.times[0] == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=1e-12)
    assert found.times[1, :2] == pytest.approx([0.5, 1.5], abs=1e-12)
    assert np.isnan(found.times[1, 2:]).all()
    assert np.array_equal(found.times[0], found.times[2])


def test_a_singularity_ends_a_motion():
    """x = sqrt(1 - 2t) reaches zero with an infinite slope; y is 1/2 then."""
    found = cross(System({"x": "-1/x", "y": "1"}, {}, {"x": 1, "y": 0}), "y - 2", 1, patience=5.0)
    assert found.status[0] in ("failed", "escaped")
    assert found.ended[0] == pytest.approx(0.5, abs=1e-6)


def test_what_rests_or_stays_on_the_surface_is_given_up_with_the_range():
    found = cross(System({"x": "-x", "y": "0*y - y"}, {}, {"x": 1, "y": 0}), "y", 1, patience=30.0)
    assert found.range[0].tolist() == [0, 0]
    found = cross(System({"x": "-x"}, {}, {"x": 2}), "x - 3", 1, patience=30.0)
    assert found.status[0] == "failed"
    assert found.range[0] == pytest.approx([-3, -1], abs=1e-10)
    assert found.ended[0] == pytest.approx(30)


def test_too_fast_a_function_is_refused():
    with pytest.raises(ValueError, match="varies too fast"):
        cross(CIRCLE, "sin(100000*x)", 10)
