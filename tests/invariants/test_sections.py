"""Poincare sections by name: surfaces in words, sections of the catalogue's systems against fine sampling, maps that are known."""

import dataclasses
import json
import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import poincare_section, return_map
from chaoslab.systems import DefinitionError, System
from chaoslab.trajectories import TrajectoryWarning

CIRCLE = System({"x": "-w*y", "y": "w*x"}, {"w": 1}, {"x": 1, "y": 0}, where={"r": "sqrt(x**2 + y**2)"}, period=2 * math.pi)


def brackets(series, time, direction):
    """Between which samples a series passes zero in a direction."""
    before, after = series[:-1], series[1:]
    passed = ((before < 0) & (after >= 0) if direction > 0 else (before >= 0) & (after < 0)).nonzero()[0]
    return time[passed], time[passed + 1]


@pytest.mark.parametrize(
    ("name", "surface", "function"),
    [
        ("Lorenz", "z = rho - 1", lambda ds: ds.sel(component="z") - 27),
        ("Rossler", "y", lambda ds: ds.sel(component="y")),
        ("Chua", "x", lambda ds: ds.sel(component="x")),
        ("MackeyGlass", "x = 0.9", lambda ds: ds.sel(component="x") - 0.9),
    ],
)
def test_every_crossing_lies_where_samples_change_sign(name, surface, function):
    """Smooth, switching and delayed motions: all sign changes of fine samples are found, and nothing else."""
    ds = cl.simulate(name, 60, 200)
    for direction in (1, -1):
        low, high = brackets(function(ds.state[0]).values, ds.time.values, direction)
        found = poincare_section(name, surface, len(low), direction=direction)
        time = found.time.values[0]
        assert len(low) > 5
        assert (low - 1e-9 <= time).all()
        assert (time <= high + 1e-9).all()
        assert (found.direction == direction).all()


def test_crossings_lie_on_the_plane():
    found = poincare_section("Lorenz", "z - (rho - 1)", 2000, direction=-1)
    state = found.state.sel(component="z")
    assert float(abs(state - 27).max()) < 1e-12 * 27
    assert float(abs(found.residual).max()) < 1e-12 * 27
    assert found.state.dims == ("member", "crossing", "component")
    assert found.return_time[0, 1:].values == pytest.approx(np.diff(found.time[0]))
    assert np.isnan(found.return_time[0, 0])
    assert found.attrs["crossing"] == "downwards"
    json.dumps(found.attrs)


def test_the_lorenz_map_is_a_curve_with_a_cusp():
    """Lorenz, J. Atmos. Sci. 20, 130 (1963), fig. 4: one value for each maximum, steeper than 1 everywhere."""
    pairs = return_map(poincare_section("Lorenz", "maxima of z", 3000, transient=20))
    order = np.argsort(pairs.value.values[0])
    value, after = pairs.value.values[0, order], pairs.next.values[0, order]
    cusp = int(after.argmax())
    assert 0.2 < cusp / len(value) < 0.8
    rising, falling = np.diff(after[:cusp]), np.diff(after[cusp:])
    assert (rising > -0.02).all()
    assert (falling < 0.02).all()
    far = slice(None, None, 100)
    assert (np.abs(np.diff(after[:cusp][far]) / np.diff(value[:cusp][far])) > 1).all()
    assert pairs.attrs["component"] == "z"


def test_pairs_several_crossings_apart():
    section = poincare_section("Lorenz", "maxima of z", 50)
    pairs = return_map(section, "x", steps=3)
    x = section.state.sel(component="x").values[0]
    assert np.array_equal(pairs.value[0], x[:-3])
    assert np.array_equal(pairs.next[0], x[3:])
    times = return_map(section, "return_time")
    assert np.array_equal(times.next[0], section.return_time[0, 1:])


def test_a_stroboscopic_section_of_a_forced_flow():
    section = poincare_section("Duffing", "sin(z)", 50)
    turn = 2 * math.pi / 1.4
    assert section.time.values[0] == pytest.approx(turn * np.arange(1, 51), rel=1e-12)
    samples = cl.simulate("Duffing", duration=51 * turn, step=turn)
    assert section.state.values[0, :5, :2] == pytest.approx(samples.state.values[0, 1:6, :2], abs=1e-8)
    assert section.observed.sel(component="z").values == pytest.approx(np.ones((1, 50)))


def test_surfaces_in_words():
    quarter = math.pi / 2
    for surface, first in {
        "x": 3 * quarter,
        "x = 0": 3 * quarter,
        "x/r + 0*w": 3 * quarter,
        "y = x": quarter / 2,
        "maxima of y": quarter,
        "minima of y": 3 * quarter,
        "extrema of x": 2 * quarter,
        "sin(t)": 4 * quarter,
    }.items():
        assert float(poincare_section(CIRCLE, surface, 1).time[0, 0]) == pytest.approx(first, abs=1e-10), surface
    both = poincare_section(CIRCLE, "-y = 1/2", 2, direction=0)
    assert both.time.values[0] == pytest.approx(math.pi * np.array([7, 11]) / 6, abs=1e-11)
    assert both.direction.values[0].tolist() == [1, -1]
    sites = poincare_section("Lorenz96", "x3 = x[4]", 3)
    assert float(abs(sites.state.sel(component="x3") - sites.state.sel(component="x4")).max()) < 1e-12


def test_the_transient_is_passed_before_crossings_count():
    plain, late = poincare_section(CIRCLE, "x", 5), poincare_section(CIRCLE, "x", 5, transient=2.25)
    assert late.time.values[0] == pytest.approx(plain.time.values[0] - math.pi / 2, abs=1e-10)
    assert late.attrs["transient"] == pytest.approx(4.5 * math.pi)


def test_members_and_parameters():
    section = poincare_section(CIRCLE, "x", 4, parameters={"w": [1, 2, 4]}, workers=1)
    assert section.time.values * [[1], [2], [4]] == pytest.approx(np.broadcast_to(math.pi * (1.5 + 2 * np.arange(4)), (3, 4)))
    assert section.parameters.sel(parameter="w").values.tolist() == [1, 2, 4]
    several = poincare_section("Lorenz", "z - 27", 20, members=3, rng=1)
    again = poincare_section("Lorenz", "z - 27", 20, members=5, rng=1)
    assert np.array_equal(several.time, again.time[:3])
    given = poincare_section(CIRCLE, "y = x", 1, initial=[[1, 0], [0, 1]])
    assert given.time.values[:, 0] == pytest.approx([math.pi / 4, math.pi * 7 / 4])


def test_a_member_that_does_not_cross_is_marked():
    """Below rho = 1 everything falls into the origin."""
    with pytest.warns(TrajectoryWarning, match="member 0 failed at .*did not cross"):
        section = poincare_section("Lorenz", "z - 20", 10, parameters={"rho": [0.5, 28]}, patience=20, transient=20)
    assert section.status.values.tolist() == ["failed", "ok"]
    assert np.isnan(section.state[0]).all()
    assert np.isfinite(section.state[1]).all()


def test_a_surface_that_is_never_crossed():
    with pytest.raises(ValueError, match=r"never crosses 'z - 100'.*values from -9\d\.\d+ to -5\d\.\d+"):
        poincare_section("Lorenz", "z - 100", 10, patience=200)
    with pytest.raises(ValueError, match=r"from 0 to 0"):
        poincare_section(System({"x": "-x", "y": "-y"}, {}, {"x": 1, "y": 0}), "y", patience=20)
    flies = System({"x": "x**2", "y": "1"}, {}, {"x": 1, "y": 0}, period=1)
    with pytest.raises(ValueError, match=r"never crosses.*escaped at t = 1"):
        poincare_section(flies, "y - 2")
    with pytest.raises(ValueError, match=r"escaped at t = .*within the transient"):
        poincare_section(flies, "y - 2", transient=3)


def test_it_can_be_stored(tmp_path):
    section = poincare_section("Lorenz", "z - 27", 10, members=2)
    section.to_netcdf(tmp_path / "section.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "section.nc", engine="h5netcdf").identical(section)


def test_a_piece_without_length_is_no_obstacle():
    """Sampling that ends on the edge of a piece of the past leaves such a one behind."""
    system = cl.load("MackeyGlass").with_(tau=15.4)
    section = poincare_section(system, "maxima of x", 12, transient=100)
    ds = cl.simulate(system, duration=300, step=0.01, transient=100).state.values[0, :, 0]
    inside = np.flatnonzero((ds[1:-1] > ds[:-2]) & (ds[1:-1] >= ds[2:])) + 1
    heights = section.state.sel(component="x").values[0]
    assert np.allclose(heights[: len(inside)], ds[inside][: len(heights)], atol=1e-6)
    assert min(len(inside), len(heights)) >= 8


@pytest.mark.parametrize(
    ("system", "surface", "options", "error", "message"),
    [
        ("Henon", "x", {}, ValueError, "is a map, whose orbit jumps"),
        (3, "x", {}, TypeError, "takes a System or a name"),
        ("Lorenz", 27, {}, TypeError, "a surface is text"),
        ("Lorenz", "z - rh", {}, DefinitionError, "in the surface: 'rh' is not declared. Did you mean 'rho'"),
        ("Lorenz", "z -", {}, DefinitionError, "not an expression"),
        ("Lorenz", "rho - 28", {}, ValueError, "does not depend on the state"),
        ("Lorenz", "x = y = z", {}, ValueError, "one expression, which is zero on it, or one equation"),
        ("Lorenz", "maximum of z", {}, ValueError, "Did you mean 'maxima'"),
        ("Lorenz", "maxima of Z", {}, ValueError, "no component 'Z'. Did you mean 'z'"),
        ("Lorenz", "maxima of z", {"direction": 1}, ValueError, "contradicts"),
        ("Lorenz", "z", {"direction": 2}, ValueError, "direction is 1"),
        ("Lorenz", "z", {"crossings": 0}, ValueError, "crossings must be a whole number"),
        ("Lorenz", "z", {"patience": 0}, ValueError, "patience, in periods, must be positive"),
        ("Lorenz", "z", {"parameters": {"rho": [1, 2]}, "members": 3}, ValueError, "members=3 asks for another number"),
        ("MackeyGlass", "x(t - 1)", {}, DefinitionError, "delayed states belong"),
    ],
)
def test_a_refusal_says_why(system, surface, options, error, message):
    with pytest.raises(error, match=message):
        poincare_section(system, surface, **options)


def test_noise_and_wrong_maps_are_refused():
    noisy = System({"x": "-y", "y": "x"}, {}, {"x": 1, "y": 0}, noise={"x": "0.1"})
    with pytest.raises(ValueError, match="infinitely often"):
        poincare_section(noisy, "x")
    assert poincare_section(dataclasses.replace(noisy, noise={}), "x", 3).sizes["crossing"] == 3
    section = poincare_section("Lorenz", "z - 27", 5)
    with pytest.raises(ValueError, match=r"no component 'X'\. Did you mean 'x'"):
        return_map(section, "X")
    with pytest.raises(ValueError, match="no pairs 5 crossings apart"):
        return_map(section, "x", steps=5)
    with pytest.raises(TypeError, match="what poincare_section"):
        return_map(np.zeros(5), "x")
