"""Periods beyond noise: of noise as many are flagged as the level says; sines are found with errors that cover them."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

import chaoslab as cl
from chaoslab.invariants import has_dominant_period, significant_periods
from chaoslab.invariants.periods import fisher_p


def sine(period, samples=400, seed=0, noise=1.0):
    generator = np.random.default_rng(seed)
    return np.sin(2 * np.pi * (np.arange(samples) / period + generator.random())) + noise * generator.standard_normal(samples)


def red(samples, memory, generator):
    return lfilter([1], [1, -memory], generator.standard_normal(samples + 300))[300:]


@pytest.mark.parametrize("samples", [64, 101, 400])
def test_white_noise(samples):
    """Single frequencies are flagged at the level; a dominant period is claimed at the level."""
    generator, series = np.random.default_rng(samples), 400
    found = [significant_periods(generator.standard_normal(samples)) for _ in range(series)]
    flagged = np.mean([one.significant.values.mean() for one in found])
    assert 0.03 < flagged < 0.07
    assert abs(flagged - 0.05) < 0.005
    claimed = sum(bool(one.dominant) for one in found)
    assert claimed <= series * 0.05 + 3 * math.sqrt(series * 0.05 * 0.95)
    p = np.array([float(one.p_maximum) for one in found])
    assert abs(np.mean(p < 0.5) - 0.5) < 3 * 0.5 / math.sqrt(series)


@pytest.mark.parametrize("memory", [0.5, 0.95])
def test_red_noise_needs_a_red_background(memory):
    generator, series = np.random.default_rng(1), 120
    found = [significant_periods(red(301, memory, generator), background="AR(1)", count=99, rng=k) for k in range(series)]
    flagged = np.mean([one.significant.values.mean() for one in found])
    assert abs(flagged - 0.05) < 0.01
    assert sum(bool(one.dominant) for one in found) <= series * 0.05 + 3 * math.sqrt(series * 0.05 * 0.95)
    white = [bool(significant_periods(red(301, memory, generator)).dominant) for _ in range(50)]
    assert np.mean(white) > 0.3  # it is not white


def test_fishers_probability():
    """Against the classical value, for m = 10 at the 5 % level g = 0.4450, and a simulation for m = 40."""
    assert fisher_p(0.44495, 10) == pytest.approx(0.05, abs=1e-4)
    parts = np.random.default_rng(2).exponential(size=(20_000, 40))
    largest = (parts / parts.sum(axis=1, keepdims=True)).max(axis=1)
    for g in (0.07, 0.09, 0.12, 0.18):
        assert fisher_p(g, 40) == pytest.approx(np.mean(largest >= g), abs=0.012)
    assert fisher_p(1.0, 5) == 0
    assert fisher_p(0.2, 5) == 1
    values = [fisher_p(g, 500) for g in np.linspace(0.003, 0.05, 200)]
    assert (np.diff(values) <= 1e-2).all()
    assert values[0] == 1


@pytest.mark.parametrize("background", ["white", "AR(1)"])
@pytest.mark.parametrize("period", [2.7, 12.7, 83.0])
def test_a_sine_in_noise_is_found_with_its_error(period, background):
    options = {"background": background, "count": 99}
    found = [significant_periods(sine(period, seed=k), **options) for k in range(40)]
    assert all(bool(one.dominant) for one in found)
    away = np.array([(float(one.period) - period) / float(one.error) for one in found])
    assert 0.6 < np.sqrt(np.mean(away**2)) < 1.5
    assert abs(np.mean(away)) < 4 / math.sqrt(40)
    assert all(abs(float(one.frequency[one.power.values.argmax()]) - 1 / period) < 1 / 400 for one in found)


def test_a_sine_without_noise():
    found = significant_periods(sine(12.7, noise=0))
    assert float(found.period) == pytest.approx(12.7, rel=1e-6)
    assert float(found.p_maximum) < 1e-10


def test_units_are_the_series_own():
    ds = cl.simulate("Rossler", 50, 20).sel(component=["x"])
    bare = significant_periods(ds.state.values[0, :, 0])
    found = significant_periods(ds)
    step = float(ds.time[1])
    assert float(found.period) == pytest.approx(step * float(bare.period))
    assert float(found.error) == pytest.approx(step * float(bare.error))
    assert found.frequency.values == pytest.approx(bare.frequency.values / step)


# bands


def test_oscillations_of_chaos_are_dominant():
    for name, component in (("Rossler", "x"), ("Lorenz", "z"), ("MackeyGlass", "x")):
        ds = cl.simulate(name, 100, 10).sel(component=[component])
        found = has_dominant_period(ds)
        assert bool(found.dominant), name
        assert float(found.period) == pytest.approx(cl.load(name).period, rel=0.06)
        assert 0 < float(found.error) < 0.1 * float(found.period)


@pytest.mark.parametrize(("memory", "background"), [(0.0, "white"), (0.0, "AR(1)"), (0.9, "AR(1)"), (-0.6, "AR(1)")])
def test_noise_has_no_dominant_period(memory, background):
    generator, series = np.random.default_rng(3), 100
    claimed = [
        bool(has_dominant_period(red(256, memory, generator), background=background, count=39, rng=k).dominant)
        for k in range(series)
    ]
    assert sum(claimed) <= series * 0.05 + 3 * math.sqrt(series * 0.05 * 0.95)


def test_a_hump_over_noise_is_found():
    """An AR(2) oscillation that forgets its phase within two periods."""
    radius, turn = 0.93, 2 * math.pi / 20
    x = lfilter([1], [1, -2 * radius * math.cos(turn), radius**2], np.random.default_rng(4).standard_normal(4000))
    found = has_dominant_period(x)
    assert bool(found.dominant)
    assert float(found.period) == pytest.approx(20, rel=0.25)


def test_results_can_be_stored(tmp_path):
    for found in (significant_periods(sine(9)), has_dominant_period(sine(9), count=19)):
        assert {"level", "background", "noise", "method", "rng", "version"} <= set(found.attrs)
        json.dumps(found.attrs)
        found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
        assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)


@pytest.mark.parametrize("function", [significant_periods, has_dominant_period])
@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.ones(200), {}, "is constant"),
        (sine(9, 12), {}, "too short: 12 samples"),
        (np.where(np.arange(200) == 7, np.nan, sine(9, 200)), {}, "not finite, the first number 7"),
        (np.c_[sine(9), sine(8)], {}, "has 2 components; choose one"),
        (sine(9), {"background": "AR1"}, r"Did you mean 'AR\(1\)'"),
        (sine(9), {"background": "AR(1)", "count": 18}, "18 series of noise cannot reach the level 0.05; at least 19"),
        (sine(9), {"level": 0}, "level must be positive"),
    ],
)
def test_a_refusal_says_why(function, series, options, message):
    with pytest.raises(ValueError, match=message):
        function(series, **options)
