"""Lag and number of delays, on motions where they are known, and delay vectors with their labels."""

import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import embed, embedding, embedding_dimension, embedding_lag


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


@pytest.fixture(scope="module")
def lorenz():
    return cl.simulate("Lorenz", duration=300, step=0.02, transient=20)


# lag


@pytest.mark.parametrize(("level", "angle"), [(0, math.pi / 2), (1 / math.e, math.acos(1 / math.e))])
def test_autocorrelation_of_a_sine(level, angle):
    """A cosine: the lag is the first sample beyond."""
    found = embedding_lag(np.sin(np.arange(20_000) * 0.05), method="autocorrelation", level=level)
    assert int(found.lag) == math.ceil(angle / 0.05)
    assert found.autocorrelation.values == pytest.approx(np.cos(found.delay.values * 0.05), abs=0.01)
    assert found.delay[0] == 0
    assert float(found.error) < 1


def test_mutual_information_of_normal_values():
    """An autoregression of correlation rho at lag 1: -log(1 - rho**(2 lag)) / 2."""
    steps, series, rho = noise(40_000), [0.0], 0.8
    for step in steps:
        series.append(rho * series[-1] + math.sqrt(1 - rho**2) * step)
    found = embedding_lag(np.array(series), longest=8)
    expected = -np.log(1 - rho ** (2 * np.arange(1, 9))) / 2
    assert found.mutual_information.values[1:] == pytest.approx(expected, abs=0.02)
    assert (found.mutual_information_error[1:] < 0.02).all()


def test_independent_values_tell_nothing():
    found = embedding_lag(noise())
    assert found.attrs["status"] == "no minimum"
    assert int(found.lag) == 1
    told = found.mutual_information.values[1:]
    assert np.abs(told).mean() < 0.01
    assert (np.abs(told) < 4 * found.mutual_information_error.values[1:] + 0.005).all()


def test_the_lorenz_system(lorenz):
    """First minimum of the information at 0.16 to 0.18 time units; the correlation of x falls off later."""
    found = embedding_lag(lorenz, component="x")
    assert found.attrs["status"] == "ok"
    assert 0.14 <= float(found.lag) * found.attrs["sampling"] <= 0.2
    assert float(found.error) < 2
    assert embedding_lag(lorenz, component="x", method="autocorrelation").lag > found.lag


def test_a_minimum_is_a_quarter_of_a_noisy_period():
    """The information of a phase-coherent oscillation is least where x tells least of the phase."""
    ds = cl.simulate("Rossler", duration=1500, step=0.2, transient=20)
    found = embedding_lag(ds, component="x")
    assert float(found.lag) * 0.2 == pytest.approx(5.86 / 4, abs=0.4)


def test_a_clean_oscillation_has_no_minimum():
    """x tells all of its delays but a sign, whatever the lag."""
    found = embedding_lag(np.sin(np.arange(5000) * 2 * np.pi / 100.3))
    assert found.attrs["status"] == "no minimum"
    assert int(found.lag) == math.ceil(math.acos(1 / math.e) / (2 * np.pi) * 100.3)


def test_gaps_count_for_nothing(lorenz):
    series = lorenz.state.sel(component="x", member=0).values.copy()
    plain = embedding_lag(series)
    series[np.random.default_rng(0).integers(0, len(series), 300)] = np.nan
    assert int(embedding_lag(series).lag) == pytest.approx(int(plain.lag), abs=1)


# number of delays


@pytest.mark.parametrize("method", embedding.DIMENSION_METHODS)
def test_henon_needs_two_delays(method):
    found = embedding_dimension(henon(5000)[:, 0], method=method, lag=1)
    assert int(found.dimension) == 2
    assert found.attrs["status"] == "ok"
    assert found.false_neighbours[0] > 0.3
    assert found.false_neighbours[1] < 0.01


@pytest.mark.parametrize("method", embedding.DIMENSION_METHODS)
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
    assert int(found.dimension) == embedding.MOST_DELAYS
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


# delay vectors


def test_vectors_look_back():
    vectors = embed(np.arange(10.0), 3, 2)
    assert vectors.dims == ("time", "delay")
    assert vectors.delay.values.tolist() == [0, 2, 4]
    assert vectors.time.values.tolist() == [4, 5, 6, 7, 8, 9]
    assert vectors.sel(time=7).values.tolist() == [7, 5, 3]
    assert embed(np.arange(5.0), 1).shape == (5, 1)
    assert embed(np.ones(5), 2, 1).values.tolist() == [[1, 1]] * 4


def test_vectors_are_those_of_the_accessor(lorenz):
    vectors = embed(lorenz, 4, 7, component="x")
    assert np.array_equal(vectors, lorenz.chaos.embed("x", dimension=4, lag=7)[0])
    assert np.array_equal(vectors.time, lorenz.time[21:])
    assert vectors.attrs["sampling"] == pytest.approx(0.02)


def test_vectors_choose_for_themselves(lorenz):
    vectors = embed(lorenz, component="x")
    lag = int(embedding_lag(lorenz, component="x").lag)
    assert vectors.attrs["lag"] == lag
    assert vectors.attrs["dimension"] == int(embedding_dimension(lorenz, component="x", lag=lag).dimension)
    assert embed(cl.simulate("Henon", 2000), component="x").delay.values.tolist() == [0, 1]


def test_a_gap_stays_in_every_vector_it_touches():
    series = np.arange(10.0)
    series[5] = np.nan
    vectors = embed(series, 2, 2)
    assert np.isnan(vectors).any("delay").values.nonzero()[0].tolist() == [3, 5]
    assert embed(xr.DataArray(series, {"day": np.arange(10)}, "day"), 2, 2).time.values.tolist() == list(range(2, 10))


# bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: embed(np.arange(5.0), 3, 2.5), "lag must be a whole number of at least 1; 2.5"),
        (lambda: embed(np.arange(5.0), 0, 1), "dimension must be a whole number"),
        (lambda: embed(np.arange(5.0), 3, 3), "3 delays of 3 samples need more than 6 samples; the series has 5"),
        (lambda: embed(henon(500), 2, 1), "delays are taken of one series; this has 2 components"),
        (lambda: embed(noise(50)), "too short: 50 samples"),
        (lambda: embedding_lag(np.ones(500)), "is constant"),
        (lambda: embedding_lag(np.full(500, np.nan)), "no sample that is finite"),
        (lambda: embedding_lag(noise(), method="mutual informaton"), "Did you mean 'mutual information'"),
        (lambda: embedding_lag(noise(), bins=1), "bins must be 2 at least"),
        (lambda: embedding_lag(noise(500), longest=400), "lags up to 400 samples need 800 samples"),
        (lambda: embedding_lag(np.arange(900.0), method="autocorrelation", longest=9), "stays above 0.368 up to 9 samples"),
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
    for k, found in enumerate((embedding_lag(henon(1000)[:, 0]), embedding_dimension(henon(1000)[:, 0], lag=1))):
        assert found.attrs["version"]
        found.to_netcdf(tmp_path / f"{k}.nc", engine="h5netcdf")
        assert xr.load_dataset(tmp_path / f"{k}.nc", engine="h5netcdf").identical(found)
