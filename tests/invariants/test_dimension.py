"""Dimensions of bodies, curves and attractors that are known, and the correlation sum against all pairs."""

import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import correlation_dimension, two_nearest_neighbours
from chaoslab.invariants.cloud import BLOCKS, allowed_pairs, leave_out


def henon(count):
    states = [(0.1, 0.1)]
    for _ in range(count + 50):
        x, y = states[-1]
        states.append((1 - 1.4 * x * x + y, 0.3 * x))
    return np.array(states[-count:])


def cube(dimension, count=20_000, seed=0):
    return np.random.default_rng(seed).random((count, dimension))


@pytest.fixture(scope="module")
def lorenz():
    """Few samples a period, so that the orbit is long: 8,000 periods."""
    return cl.simulate("Lorenz", duration=6000, step=0.3, transient=20)


def read(found):
    return float(found.value), float(found.error)


# what is known


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("method", [correlation_dimension, two_nearest_neighbours])
def test_cubes(dimension, method):
    value, error = read(method(cube(dimension), dimension=1, theiler=0))
    assert abs(value - dimension) < (0.05 if method is correlation_dimension else 0.1)
    assert abs(value - dimension) < 2 * error < 0.1 * dimension


@pytest.mark.parametrize("method", [correlation_dimension, two_nearest_neighbours])
def test_the_edges_of_a_cube_of_five_are_in_the_error(method):
    """A fifth of the points near the middle are near an edge too: estimates are low, and the error says by how much."""
    value, error = read(method(cube(5), theiler=0))
    assert 4.7 < value < 5.1
    assert abs(value - 5) < 2 * error < 0.6


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_error_covers_repetitions(dimension):
    """Of small samples of a body with edges, and not by being huge: nine in ten within two errors."""
    found = np.array([read(correlation_dimension(cube(dimension, 1000, seed), theiler=0)) for seed in range(10)])
    assert np.mean(np.abs(found[:, 0] - dimension) < 2 * found[:, 1]) >= 0.9
    assert np.median(found[:, 1]) < 0.1 * dimension


def test_a_circle_has_no_edge():
    angle = 2 * np.pi * np.random.default_rng(0).random(10_000)
    circle = np.c_[np.cos(angle), np.sin(angle)]
    for method in (correlation_dimension, two_nearest_neighbours):
        value, error = read(method(circle, theiler=0))
        assert abs(value - 1) < 2 * error < 0.06


def test_a_line_in_any_direction():
    line = cube(1, 5000) * [1.0, -20.0, 300.0]
    assert correlation_dimension(line, theiler=0).value == pytest.approx(1, abs=0.01)


def test_the_cantor_set():
    """Middle thirds left out: log 2 / log 3, a staircase that a line through it averages."""
    digits = np.random.default_rng(0).integers(0, 2, (10_000, 30))
    points = (2 * digits) @ (1 / 3.0 ** np.arange(1, 31))
    value, error = read(correlation_dimension(points, dimension=1, theiler=0))
    assert abs(value - math.log(2) / math.log(3)) < 2 * error < 0.06


@pytest.mark.parametrize("columns", [slice(None), 0])
def test_henon(columns):
    """1.22: Grassberger & Procaccia (1983) have 1.21 +- 0.01 and 1.25 +- 0.02."""
    value, error = read(correlation_dimension(henon(20_000)[:, columns]))
    assert abs(value - 1.22) < 0.02
    assert error < 0.02


def test_lorenz(lorenz):
    """2.05 +- 0.01 in Grassberger & Procaccia (1983)."""
    value, error = read(correlation_dimension(lorenz))
    assert abs(value - 2.05) < 0.03
    assert abs(value - 2.05) < 2 * error < 0.06
    found = correlation_dimension(lorenz, component="x")
    assert abs(float(found.value) - 2.05) < 2 * float(found.error)
    assert found.attrs["dimension"] > 1
    assert abs(float(two_nearest_neighbours(lorenz).value) - 2.05) < 0.1


def test_takens_estimate_is_beside_it():
    for series in (cube(2, 5000), henon(5000)):
        found = correlation_dimension(series, theiler=1)
        assert float(found.takens) == pytest.approx(float(found.value), abs=2 * float(found.takens_error))
        assert 0 < found.takens_error < 0.1


# the correlation sum


@pytest.mark.parametrize("theiler", [0, 30])
def test_the_correlation_sum_counts_all_pairs(theiler):
    walk = np.random.default_rng(3).standard_normal((900, 2)).cumsum(axis=0)
    walk[400:410] = np.nan
    found = correlation_dimension(walk, theiler=theiler, dimension=1)
    states = (walk - np.nanmean(walk, axis=0)) / np.nanstd(walk, axis=0)
    distance = np.linalg.norm(states[:, None] - states, axis=2)
    far = np.subtract.outer(np.arange(900), np.arange(900)) > theiler
    all_pairs = distance[far & np.isfinite(distance)]
    expected = [(all_pairs <= radius * (1 + 1e-12)).mean() for radius in found.radius.values]
    assert found.correlation_sum.values == pytest.approx(expected, abs=1.5 / len(all_pairs))
    assert found.correlation_sum[-1] == 1


def test_what_leaves_out_a_block_is_a_count_without_it():
    rows = np.flatnonzero(np.random.default_rng(2).random(300) < 0.7)
    edges = np.arange(BLOCKS + 1) * len(rows) // BLOCKS
    block = np.searchsorted(edges[1:], np.arange(len(rows)), side="right")
    found = leave_out(allowed_pairs(rows, 12, edges))
    far = np.subtract.outer(rows, rows) > 12
    for out, count in zip(range(-1, BLOCKS), found, strict=True):
        assert count == far[np.ix_(block != out, block != out)].sum()


def test_larger_radii_among_fewer_points_agree():
    every = correlation_dimension(cube(2, 2000), theiler=0, pairs=10**9)
    fewer = correlation_dimension(cube(2, 2000), theiler=0, pairs=20_000)
    at = np.interp(np.log(fewer.radius), np.log(every.radius), np.log(every.correlation_sum))
    error = np.hypot(fewer.correlation_sum_error / fewer.correlation_sum, 0.01)
    assert (np.abs(np.log(fewer.correlation_sum) - at) < 4 * error).all()
    assert np.diff(np.log(fewer.radius)) == pytest.approx(1 / 8)


def test_neighbours_in_time_are_no_neighbours():
    """Twenty turns of a torus, sampled finely, are a line (by steps) to those who count them, and nothing returns so near."""
    angle = np.linspace(0, 40 * np.pi, 20_000)[:, None] * [1, (math.sqrt(5) - 1) / 2]
    turns = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    assert correlation_dimension(turns, theiler=0, fit=(0.03, 0.1)).value == pytest.approx(1, abs=0.1)
    found = correlation_dimension(turns)
    assert found.attrs["theiler"] == pytest.approx(1000 / (1 + (math.sqrt(5) - 1) / 2) * 2, rel=0.05)
    assert found.radius[0] > 0.1


# settings and labels


def test_a_region_can_be_chosen():
    found = correlation_dimension(cube(2, 3000), theiler=0, fit=(0.1, 0.5))
    inside = (found.radius >= 0.1) & (found.radius <= 0.5)
    assert float(found.start) == float(found.radius[inside][0])
    assert float(found.end) == float(found.radius[inside][-1])
    slope = np.polyfit(np.log(found.radius[inside]), np.log(found.correlation_sum[inside]), 1)[0]
    assert float(found.value) == pytest.approx(slope)


def test_a_long_series_is_thinned_evenly():
    found = correlation_dimension(cube(2, 10_000), theiler=0, points=3000)
    assert (found.attrs["every"], found.attrs["points"]) == (4, 2500)
    assert correlation_dimension(cube(2, 10_000)[::4], theiler=0).value == pytest.approx(float(found.value), rel=0.01)


def test_units_do_not_matter():
    states = cube(2, 2000)
    plain, other = (correlation_dimension(each, theiler=0) for each in (states, states * [1000, 0.01] + [7, -3]))
    assert read(plain) == pytest.approx(read(other), rel=1e-6)


def test_rounded_values_can_be_measured():
    value, error = read(correlation_dimension(np.round(henon(10_000), 2)))
    assert abs(value - 1.22) < 3 * error < 0.15
    with pytest.raises(ValueError, match="two nearest neighbours at one distance, as rounded values do"):
        two_nearest_neighbours(np.round(henon(10_000), 2))


def test_too_few_points_are_unresolved():
    found = correlation_dimension(cube(12, 120), theiler=0)
    assert found.attrs["status"] == "unresolved"
    assert "too small a range" in found.attrs["reason"]
    assert np.isnan(found.value)
    assert np.isnan(found.error)
    assert np.isnan(found.takens)


def test_a_result_says_how_it_was_made_and_can_be_stored(tmp_path):
    found = correlation_dimension(henon(2000))
    expected = "dimension lag theiler sampling every points method status reason version".split()
    assert set(found.attrs) == set(expected)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)
    two = two_nearest_neighbours(henon(2000))
    assert two["count"].values.tolist() == [2000, 1000, 500, 250]
    assert float(two.dimension_of[0]) == float(two.value)
    assert (two.dimension_of_error > 0).all()


@pytest.mark.parametrize("method", [correlation_dimension, two_nearest_neighbours])
@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.ones(500), {}, "is constant"),
        (np.full(500, np.nan), {}, "no sample that is finite"),
        (cube(2, 50), {}, "too short: 50 points are left of 50 samples"),
        (cube(1, 500), {"dimension": 60, "lag": 8}, "too short: 28 points are left .* 60 delays of 8 samples"),
        (cube(1, 500), {"dimension": 2, "lag": 1.5}, "lag must be a whole number of at least 1; 1.5"),
        (cube(2, 500), {"theiler": -1}, "theiler, in samples, must be a whole number, 0 or more; -1"),
        (cube(2, 500), {"theiler": 499}, "500 points have 0 that are farther|0 points have two neighbours"),
        (cube(2, 500), {"points": 0}, "points must be a whole number"),
        (cube(2, 500), {"component": "x"}, "an array has no names"),
        (np.tile([0.1, 0.9], 1500), {}, "the same point again"),
    ],
)
def test_a_refusal_says_why(method, series, options, message):
    with pytest.raises(ValueError, match=message):
        method(series, **options)


def test_a_region_that_is_none():
    with pytest.raises(ValueError, match=r"fit is \(smallest, largest\) radius"):
        correlation_dimension(cube(2, 500), fit=3)
    with pytest.raises(ValueError, match="holds 0 of the radii, which lie between"):
        correlation_dimension(cube(2, 500), fit=(1e-9, 1e-8))
