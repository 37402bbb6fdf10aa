"""How many delays, on motions where it is known, and against loops over all pairs."""

import math

import numpy as np
import pytest
import xarray as xr

from chaoslab.invariants import embedding_dimension
from chaoslab.invariants.embedding_dimension import METHODS, MOST_DELAYS


def henon(count):
    states = [(0.1, 0.1)]
    for _ in range(count + 50):
        x, y = states[-1]
        states.append((1 - 1.4 * x * x + y, 0.3 * x))
    return np.array(states[-count:])


def noise(count=5000, seed=0):
    return np.random.default_rng(seed).standard_normal(count)


def torus(count, period=100.3):
    """A sine and another of a period that has nothing to do with it, a surface in four delays."""
    time = np.arange(count)
    return np.sin(2 * np.pi * time / period) + np.sin(2 * np.pi * time / period * math.sqrt(3))


@pytest.mark.parametrize("method", METHODS)
def test_henon_needs_two_delays(method):
    found = embedding_dimension(henon(5000)[:, 0], method=method, lag=1)
    assert int(found.dimension) == 2
    assert found.attrs["status"] == "ok"
    assert found.false_neighbours[0] > 0.3
    assert found.false_neighbours[1] < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_a_circle_and_a_torus(method):
    assert int(embedding_dimension(np.sin(np.arange(6000) * 2 * np.pi / 100.3), method=method, lag=25).dimension) == 2
    assert 3 <= int(embedding_dimension(torus(20_000), method=method, lag=14).dimension) <= 4


def test_lorenz_needs_three_delays(lorenz):
    found = embedding_dimension(lorenz, component="x")
    assert int(found.dimension) == 3
    assert 3 <= int(embedding_dimension(lorenz, component="x", method="cao").dimension) <= 4


def test_noise_has_no_dimension():
    found = embedding_dimension(noise(), lag=1)
    assert found.attrs["status"] == "too few"
    assert int(found.dimension) == MOST_DELAYS
    assert (found.false_neighbours > 0.1).all()
    assert (np.abs(found.e2 - 1) < 5 * found.e2_error).all()
    determined = embedding_dimension(henon(5000)[:, 0], lag=1)
    assert abs(float(determined.e2[0]) - 1) > 10 * float(determined.e2_error[0])


def test_curves_are_those_of_loops():
    series = noise(400, 5).cumsum()
    series = (series - series.mean()) / series.std()
    found = embedding_dimension(series, lag=3, theiler=10, most=2)
    growth = []
    for count in (1, 2, 3):
        rows = np.arange((count - 1) * 3, len(series) - 3)
        vectors = np.stack([series[rows - 3 * k] for k in range(count)], axis=1)
        distance = np.linalg.norm(vectors[:, None] - vectors, axis=2)
        distance[np.abs(rows[:, None] - rows) <= 10] = np.inf
        nearest = distance.argmin(axis=1)
        near, far = distance[np.arange(len(rows)), nearest], np.abs(series[rows + 3] - series[rows[nearest] + 3])
        growth.append(np.mean(np.sqrt(near**2 + far**2) / near))
        if count <= 2:
            false = np.mean((far / near > 10) | (np.sqrt(near**2 + far**2) > 2))
            assert float(found.false_neighbours[count - 1]) == pytest.approx(false)
    assert found.e1.values == pytest.approx(np.array(growth[1:]) / growth[:-1])


def test_a_series_that_runs_out_of_points_ends_in_nan():
    found = embedding_dimension(noise(400), lag=60)
    assert np.isfinite(found.false_neighbours[0])
    assert np.isnan(found.false_neighbours[-1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: embedding_dimension(noise(), method="caos"), "Did you mean 'cao'"),
        (lambda: embedding_dimension(noise(), lag=1.5), "lag must be a whole number"),
        (lambda: embedding_dimension(noise(300), lag=250), "too short: fewer than 100 of 300 samples"),
        (lambda: embedding_dimension(noise(300), lag=1, theiler=299), "too short: fewer than 100 of 300 samples"),
        (lambda: embedding_dimension(noise(), lag=1, most=0), "most must be a whole number"),
    ],
)
def test_a_refusal_says_why(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_results_can_be_stored(tmp_path):
    found = embedding_dimension(henon(1000)[:, 0], lag=1)
    assert found.attrs["version"]
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)
