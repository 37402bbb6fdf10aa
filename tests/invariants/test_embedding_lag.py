"""The lag between delays, on motions where it is known."""

import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import embedding_lag


def noise(count=5000, seed=0):
    return np.random.default_rng(seed).standard_normal(count)


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: embedding_lag(np.ones(500)), "is constant"),
        (lambda: embedding_lag(np.full(500, np.nan)), "no sample that is finite"),
        (lambda: embedding_lag(noise(), method="mutual informaton"), "Did you mean 'mutual information'"),
        (lambda: embedding_lag(noise(), bins=1), "bins must be 2 at least"),
        (lambda: embedding_lag(noise(500), longest=400), "lags up to 400 samples need 800 samples"),
        (lambda: embedding_lag(np.arange(900.0), method="autocorrelation", longest=9), "stays above 0.368 up to 9 samples"),
    ],
)
def test_a_refusal_says_why(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_results_can_be_stored(tmp_path):
    found = embedding_lag(noise(1000).cumsum())
    assert found.attrs["version"]
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)
