"""Natural time scales of series with a known period, and the lag they ask for."""

import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import ideal_lag, natural_time_scale


def test_the_period_of_a_sine():
    time = np.arange(5000) * 0.1
    for period in (1.7, 10.3, 30.0):
        found = natural_time_scale(np.sin(2 * np.pi * time / period), sampling=0.1)
        assert float(found.value) == pytest.approx(period, rel=0.05)
        assert abs(float(found.value) - period) < 3 * float(found.error) + 0.01 * period


def test_a_short_series_has_a_rough_scale():
    for periods, within in ((1.5, 0.5), (3, 0.1), (10, 0.03)):
        found = natural_time_scale(np.sin(np.linspace(0, 2 * np.pi * periods, 300)))
        assert float(found.value) == pytest.approx(300 / periods, rel=within)
        assert np.isnan(found.error)


def test_what_is_known_is_taken():
    lorenz = cl.load("Lorenz")
    ds = cl.simulate(lorenz, 50, 40)
    for motion in ("Lorenz", lorenz, ds):
        assert float(natural_time_scale(motion).value) == pytest.approx(lorenz.period)
    read = natural_time_scale(ds.state)
    assert read.value.dims == ("member",)
    assert read.value.values == pytest.approx(lorenz.period, rel=0.1)
    assert read.attrs["method"].startswith("spectrum")
    new = lorenz.with_(rho=30)
    assert float(natural_time_scale(new).value) == pytest.approx(cl.dominant_period(new).value)


def test_gaps_are_gone_around():
    series = np.sin(2 * np.pi * np.arange(3000) / 50)
    series[[100, 2900]] = np.nan
    assert float(natural_time_scale(series).value) == pytest.approx(50, rel=0.03)


def test_the_ideal_lag_is_in_the_window():
    for period, length, step in ((50.0, 5, 1.0), (50.0, 7, 1.0), (3.0, 3, 0.01), (1.0, 5, 0.005)):
        series = np.sin(2 * np.pi * step * np.arange(int(20 * period / step)) / period)
        found = ideal_lag(series, length=length, sampling=step)
        assert 0.28 * period < float(found.pattern_time) < 0.52 * period
        assert float(found.pattern_time) == pytest.approx((length - 1) * int(found.lag) * step)
        assert int(found.shortest) <= int(found.lag) <= int(found.longest)
        assert bool(found.long_enough)
        assert found.attrs["warning"] == ""


def test_lags_of_a_scale_that_is_given():
    found = ideal_lag(np.sin(np.arange(300)), time_scale=100.0)
    assert [int(found[key]) for key in ("lag", "shortest", "longest")] == [10, 8, 12]
    assert (float(found.duration), bool(found.long_enough)) == (300, True)
    short = ideal_lag(np.sin(np.arange(149)), time_scale=100.0)
    assert not short.long_enough
    assert "too short: 1.49 of the time scale; at least 1.5" in short.attrs["warning"]
    assert bool(ideal_lag(np.sin(np.arange(150)), time_scale=100.0).long_enough)


def test_a_series_that_is_too_coarse_is_told():
    coarse = ideal_lag(np.sin(np.arange(300)), time_scale=7.0)
    assert int(coarse.lag) == 1
    assert "sampled too coarsely: 5 samples take 0.571 of the time scale" in coarse.attrs["warning"]
    assert np.isnan(coarse.shortest)
    between = ideal_lag(np.sin(np.arange(300)), time_scale=15.5)
    assert "no whole lag gives" in between.attrs["warning"]
    assert int(between.lag) == 2


def test_a_map_is_read_step_by_step():
    found = ideal_lag(cl.simulate("Henon", 500))
    assert int(found.lag) == 1
    assert found.attrs["warning"] == ""


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.ones(500), {}, "constant"),
        (np.sin(np.arange(10)), {}, "has 10 samples, or is constant; 16 are needed"),
        (np.tile([0.0, 1, 2, np.nan], 50), {}, "longest piece without a gap has 3 samples"),
        (np.sin(np.arange(500)), {"time_scale": 0}, "time_scale must be positive"),
        (np.sin(np.arange(500)), {"length": 8}, "patterns of 2 to 7 values"),
        (xr.DataArray(np.sin(np.arange(500)), dims="time"), {"component": "x"}, "no component 'x'"),
    ],
)
def test_a_refusal_says_why(series, options, message):
    with pytest.raises(ValueError, match=message):
        ideal_lag(series, **options)


def test_the_time_coordinate_counts():
    series = xr.DataArray(np.sin(np.arange(1000) / 7), coords={"time": np.arange(1000) * 0.5}, dims="time")
    assert float(natural_time_scale(series).value) == pytest.approx(7 * math.pi, rel=0.03)
    assert int(ideal_lag(series).lag) == int(ideal_lag(series.values).lag)
