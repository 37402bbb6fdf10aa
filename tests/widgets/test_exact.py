"""The kernel's picture of a view."""

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.integrate import solve
from chaoslab.widgets import axes
from chaoslab.widgets.colouring import colours, local_exponents, speed
from chaoslab.widgets.exact import picture
from chaoslab.widgets.recipe import recipe

SPIRAL = {"equations": {"x": "-a*x - y", "y": "x - a*y"}, "parameters": {"a": 0.0}, "state": {"x": 1, "y": 0}}


def spiral(**more):
    return cl.System(**SPIRAL, period=2 * np.pi, **more)


@pytest.mark.parametrize(
    "name", ["Lorenz", "Duffing", "Chua", "HyperRossler", "Lorenz96", "Henon", "Logistic", "MackeyGlass", "ElNinoDelay"]
)
def test_a_picture_of_every_kind(name):
    system, made = cl.load(name), recipe(name)
    drawn = picture(system, made, {"periods": 10})
    count = round(10 * made["samples"])
    assert drawn.status == ""
    assert drawn.what.startswith("exact: ")
    assert drawn.points.shape == (count, 3)
    assert drawn.points.dtype == drawn.series.dtype == drawn.colour.dtype == np.float32
    assert drawn.series.shape == (len(made["axes"]), count)
    assert np.abs(drawn.points).max() < 1.3
    if len(made["axes"]) == 2:
        assert (drawn.points[:, 2] == 0).all()
    assert drawn.twin is None


def test_it_is_the_exact_solution_after_the_transient():
    """A circle: at t the state is (cos, sin) of t and the transient; as a picture, in the frame of the default orbit."""
    system = spiral()
    made = recipe(system)
    drawn = picture(system, made, {"periods": 2, "samples": 50, "transient": 0.25, "axes": ["y", "x"]})
    turns = 2 * np.pi * (np.arange(100) / 50 + 0.25)
    np.testing.assert_allclose(drawn.series, [np.sin(turns), np.cos(turns)], atol=1e-6)
    np.testing.assert_allclose(drawn.points[:, :2], drawn.series.T, atol=1e-3)
    np.testing.assert_allclose(drawn.time, 2 * np.pi * np.arange(100) / 50, rtol=1e-6)
    np.testing.assert_allclose(drawn.colour[[0, -1]], [0, 1])


def test_parameters_and_states_are_the_views():
    system = spiral()
    drawn = picture(system, recipe(system), {"parameters": {"a": 0.1}, "state": {"y": 2}, "transient": 0, "periods": 1})
    np.testing.assert_allclose(drawn.series[:, 0], [1, 2])
    sizes = np.hypot(*drawn.series)
    np.testing.assert_allclose(sizes, np.sqrt(5) * np.exp(-0.1 * drawn.time), rtol=1e-5)
    with pytest.raises(ValueError, match=r"no parameter 'aa'.*Did you mean 'a'"):
        picture(system, recipe(system), {"parameters": {"aa": 1}})
    with pytest.raises(ValueError, match=r"no component 'z'"):
        picture(system, recipe(system), {"state": {"z": 1}})
    with pytest.raises(ValueError, match=r"no axis 'q'"):
        picture(system, recipe(system), {"axes": ["q", "x"]})
    with pytest.raises(ValueError, match=r"'sped' is not known.*'speed'"):
        picture(system, recipe(system), {"colour": "sped"})


def test_an_escape_is_a_picture_of_what_there_is():
    system = spiral()
    drawn = picture(system, recipe(system), {"parameters": {"a": -1}, "transient": 0, "periods": 50, "samples": 100})
    assert drawn.status.startswith("escapes at t = 27.")  # ln 1e12 is 27.6
    assert 0 < len(drawn.points) == len(drawn.time) == len(drawn.colour) < 5000
    assert np.isfinite(drawn.points).all()


def test_an_escape_in_the_transient_is_shown_from_the_start():
    system = spiral()
    drawn = picture(system, recipe(system), {"parameters": {"a": -1}, "transient": 20, "periods": 50})
    assert drawn.status.startswith("escapes at t = 27.")
    np.testing.assert_allclose(drawn.series[:, 0], [1, 0])


@pytest.mark.parametrize(
    "system",
    [
        cl.System({"x": "x**2"}, {}, {"x": 1}),
        cl.System({"x": "x**2 + 9", "y": "y"}, {}, {"x": 9, "y": 1}, kind="map"),
        cl.System({"x": "sqrt(x)", "y": "x"}, {}, {"x": -1, "y": 0}),
        cl.System({"x": "x(t - tau)**2 + x"}, {"tau": 1}, {"x": 3}, kind="delay"),
    ],
)
def test_no_motion_raises(system):
    for colour in ("time", "speed", "exponent"):
        drawn = picture(system, recipe(system), {"colour": colour, "twins": 1e-6})
        assert drawn.status
        assert np.isfinite(drawn.points).all()


def test_a_lag_that_is_none_is_said():
    drawn = picture(cl.load("MackeyGlass"), recipe("MackeyGlass"), {"parameters": {"tau": 0}})
    assert drawn.status.startswith("lags must be positive")
    assert len(drawn.points) == 0


def test_a_delay_system_is_drawn_over_its_past():
    """The second axis is the first one, tau earlier, to the nearest sample; also where the view has another lag."""
    system, made = cl.load("MackeyGlass"), recipe("MackeyGlass")
    for tau in (17, 23.0):
        drawn = picture(system, made, {"parameters": {"tau": tau}, "periods": 8, "transient": 2})
        lag = round(tau / (made["period"] / made["samples"]))
        x, earlier, before = drawn.series
        assert (earlier[lag:] == x[:-lag]).all()
        assert (before[lag:] == earlier[:-lag]).all()
        assert np.ptp(earlier[:lag]) > 0


# --- colours --------------------------------------------------------------------------------------------------------------


def test_speed_of_a_circle():
    """Once round a circle in a period is 2 pi sizes of the motion."""
    system = spiral()
    made = recipe(system)
    drawn = picture(system, made, {"colour": "speed", "periods": 3})
    assert drawn.coloured == "speed"
    np.testing.assert_allclose(drawn.range, 2 * np.pi, rtol=2e-3)
    turns = np.linspace(0, 2 * np.pi, 101)[:-1]
    rates = speed(np.stack([np.cos(turns), np.sin(turns)], axis=1), {"sizes": [1, 1], "clocks": [False, False]}, 100)
    np.testing.assert_allclose(rates[1:-1], 2 * np.pi, rtol=1e-3)


def test_colours_leave_bursts_out():
    values = np.r_[np.linspace(2, 3, 1001), np.full(5, 1e9), np.nan]
    colour, (low, high) = colours(values)
    assert 2 < low < 2.1
    assert 2.9 < high < 3.1
    assert colour.min() == 0
    assert colour.max() == 1
    assert colour[500] == pytest.approx(0.5, abs=0.02)


def test_local_exponents_average_to_the_exponent():
    """Of the logistic map at r = 4, ln 2; their own values are means of ln |4 - 8 x| over ten iterates."""
    logistic = cl.load("Logistic").with_(r=4, x=0.3)
    made = recipe(logistic)
    drawn = picture(logistic, made, {"colour": "exponent"})
    assert drawn.coloured == "exponent"
    from chaoslab.integrate import iterate

    states = iterate(logistic, np.array([[0.3]]), 20_000, skip=1000).states[0]
    found = local_exponents(logistic, states, 1.0, 0.0, 1.0)
    assert found.mean() == pytest.approx(np.log(2), abs=0.01)
    each = np.log(np.abs(4 - 8 * states[:, 0]))
    np.testing.assert_allclose(found[:-10], np.convolve(each, np.ones(10) / 10, "valid")[: len(found) - 10], atol=1e-9)


def test_local_exponents_of_a_flow_average_to_the_exponent():
    """Lorenz over 200 periods, 150 time units, whose mean scatters by about 0.05."""
    system, made = cl.load("Lorenz"), recipe("Lorenz")
    times = made["period"] * (10 + np.arange(21_000) / 100)
    states = solve(system, system.initial[None], times).states[0]
    found = local_exponents(system, states, times[1] - times[0], 0.0, made["period"])
    assert np.isfinite(found).all()
    assert found[1000:].mean() == pytest.approx(0.9, abs=0.15)
    assert found.std() > 0.5


def test_local_exponents_at_fewer_samples_are_those_of_all():
    system, made = cl.load("Lorenz"), recipe("Lorenz")
    ds = cl.simulate(system, periods=25, transient=20)
    full = cl.invariants.finite_time_exponents(ds, progress=False).values[0]
    thinned = local_exponents(system, ds.state.values[0], made["period"] / 100, 0.0, made["period"])
    each = np.arange(1500, 2500, 2)  # of 2,500 samples every second one is computed
    np.testing.assert_allclose(thinned[each], full[each], atol=1e-3)


def test_large_and_delay_systems_are_coloured_by_time_instead():
    for name in ("KuramotoSivashinsky", "MackeyGlass"):
        assert local_exponents(cl.load(name), np.zeros((100, cl.load(name).dimension)), 1.0, 0.0, 1.0) is None
    drawn = picture(cl.load("MackeyGlass"), recipe("MackeyGlass"), {"colour": "exponent", "periods": 3})
    assert drawn.coloured == "time"


# --- twins ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Lorenz", "Duffing", "Henon", "MackeyGlass", "Chua"])
def test_twins_begin_a_hair_apart_and_part(name):
    system, made = cl.load(name), recipe(name)
    drawn = picture(system, made, {"twins": 1e-6, "periods": 40 if system.kind != "map" else 200})
    assert drawn.distance[0] == pytest.approx(1e-6, rel=0.01)
    assert drawn.distance.max() > (1e-5 if system.kind == "delay" else 0.1)
    assert drawn.twin.shape == drawn.points.shape
    np.testing.assert_allclose(drawn.twin[0], drawn.points[0], atol=1e-4)


def test_twins_part_as_fast_as_the_exponent_says():
    """x' = 0.3 x beside a circle: the distance grows by exp(0.3 t) in one of three components."""
    system = cl.System({"x": "v", "v": "-x", "u": "0.3*u"}, {}, {"x": 1, "v": 0, "u": 0}, period=2 * np.pi)
    drawn = picture(system, recipe(system), {"twins": 1e-8, "periods": 5, "transient": 0})
    expected = 1e-8 * np.sqrt((2 + np.exp(0.6 * drawn.time)) / 3)
    np.testing.assert_allclose(drawn.distance, expected, rtol=0.02)


def test_frames_come_from_the_recipe():
    system, made = cl.load("Lorenz"), recipe("Lorenz")
    drawn = picture(system, made, {"parameters": {"rho": 60}, "periods": 20})
    assert drawn.points.max() > 1.5  # a larger motion in the same frame
    np.testing.assert_allclose(drawn.points, axes.framed(made, drawn.series.astype(float), made["axes"]), atol=1e-5)


def test_one_component_of_a_flow_is_drawn_over_time():
    system = cl.System({"x": "-x"}, {}, {"x": 1}, period=2.0)
    made = recipe(system)
    assert made["axes"] == ["time", "x"]
    drawn = picture(system, made, {"periods": 3, "samples": 10, "transient": 0})
    np.testing.assert_allclose(drawn.series, [np.arange(30) / 10, np.exp(-np.arange(30) / 5)], rtol=1e-6)
