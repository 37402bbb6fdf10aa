"""Surrogates keep what they say they keep, to rounding; tests against them reject as often as they say."""

import json
import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import significant_against_surrogates, surrogates
from chaoslab.invariants.surrogates import METHODS, rank_p


def correlated(samples, seed=0, columns=1):
    """AR(1) values seen through an exponential, or a pair of which the second follows the first."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(seed).standard_normal(samples + 100)
    x = np.exp(0.5 * lfilter([1], [1, -0.8], noise)[100:])
    return x if columns == 1 else np.stack([x, np.roll(x, 3) + 0.3 * noise[:samples]], axis=1)


def spectrum(values):
    return np.abs(np.fft.rfft(values, axis=-2))


@pytest.mark.parametrize("samples", [200, 201])
def test_random_phases_keep_spectra_cross_spectra_and_means(samples):
    values = correlated(samples, columns=2)
    made = surrogates(values, count=5, rng=1)
    found = made.surrogate.values
    scale = spectrum(values).max()
    assert np.abs(spectrum(found) - spectrum(values)).max() < 1e-13 * scale  # the mean and the last frequency too
    cross = lambda v: (lambda f: f[..., 0] * f[..., 1].conj())(np.fft.rfft(v, axis=-2))
    assert np.abs(cross(found) - cross(values)).max() < 1e-12 * np.abs(cross(values)).max()
    assert found.mean(axis=1) == pytest.approx(np.tile(values.mean(axis=0), (5, 1)))
    assert float(made.misfit.max()) < 1e-12
    assert np.abs(np.corrcoef(found[:, :, 0])[np.triu_indices(5, 1)]).max() < 0.7


def test_phases_are_uniform():
    """At one frequency of many surrogates; the last one of an even number has a sign instead."""
    found = np.fft.rfft(surrogates(correlated(64), count=4000, rng=2).surrogate.values[..., 0], axis=1)
    assert abs(np.exp(1j * np.angle(found[:, 5])).mean()) < 4 / math.sqrt(4000)
    last = found[:, -1].real
    assert abs(np.sign(last).mean()) < 4 / math.sqrt(4000)


@pytest.mark.parametrize("samples", [300, 301])
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("method", ["AAFT", "IAAFT", "shuffle"])
def test_values_are_the_series_own(method, columns, samples):
    values = correlated(samples, columns=columns).reshape(samples, columns)
    found = surrogates(values, method=method, count=3).surrogate.values
    assert np.array_equal(np.sort(found, axis=1), np.tile(np.sort(values, axis=0), (3, 1, 1)))
    assert not np.array_equal(found[0], values)
    assert not np.array_equal(found[0], found[1])


def test_rows_are_shuffled_together():
    values = correlated(300, columns=2)
    found = surrogates(values, method="shuffle").surrogate.values[0]
    assert {tuple(row) for row in found} == {tuple(row) for row in values}


def test_misfits_are_as_they_are_said_to_be():
    values = correlated(512)
    misfit = {method: surrogates(values, method=method, count=10).misfit.values for method in METHODS}
    assert 0 < misfit["IAAFT"].mean() < misfit["AAFT"].mean() / 10
    assert misfit["AAFT"].mean() < misfit["shuffle"].mean()
    made = surrogates(values, method="IAAFT", count=2)
    difference = spectrum(made.surrogate.values - values.mean()) - spectrum(values[:, None] - values.mean())
    expected = np.linalg.norm(difference[0]) / np.linalg.norm(spectrum(values[:, None] - values.mean()))
    assert float(made.misfit[0]) == pytest.approx(expected)


def test_iaaft_has_come_to_rest():
    """One more round changes nothing: the values in the order that the enforced spectrum asks for are the surrogate itself."""
    values = correlated(256)
    found = surrogates(values, method="IAAFT", count=4, rng=3).surrogate.values[..., 0]
    phases = np.exp(1j * np.angle(np.fft.rfft(found, axis=1)))
    wanted = np.fft.irfft(np.abs(np.fft.rfft(values)) * phases, 256, axis=1)
    assert np.array_equal(np.sort(values)[wanted.argsort(axis=1).argsort(axis=1)], found)


def test_iaaft_keeps_cross_correlations():
    values = correlated(512, columns=2)
    cross = lambda v: np.corrcoef(v[:-3, 0], v[3:, 1])[0, 1]
    found = [cross(one) for one in surrogates(values, method="IAAFT", count=10).surrogate.values]
    assert cross(values) > 0.8
    assert found == pytest.approx(np.full(10, cross(values)), abs=0.05)


def test_ties_are_kept():
    values = np.round(correlated(200), 1)
    for method in ("AAFT", "IAAFT"):
        found = surrogates(values, method=method).surrogate.values[0, :, 0]
        assert np.array_equal(np.sort(found), np.sort(values))


# tests against them


def test_the_rank_of_a_value():
    others = np.arange(1.0, 20.0)
    assert rank_p(20, others, "upper") == 1 / 20
    assert rank_p(20, others, "lower") == 1
    assert rank_p(0, others, "two") == 2 / 20
    assert rank_p(10, others, "two") == 1
    assert rank_p(19, others, "upper") == 2 / 20  # a tie counts against


@pytest.mark.parametrize(("method", "sides"), [("random phase", "two"), ("shuffle", "upper"), ("IAAFT", "lower")])
def test_the_level_is_what_it_says(method, sides):
    """Series that are of the kind that is tested for are rejected in one of ten cases: 300 of them."""
    rejected, generator = 0, np.random.default_rng(5)
    from scipy.signal import lfilter

    for k in range(300):
        x = generator.standard_normal(164)
        x = x[100:] if method == "shuffle" else lfilter([1], [1, -0.5], x)[100:]
        options = {"method": method, "sides": sides, "count": 19, "level": 0.1, "rng": k}
        rejected += bool(significant_against_surrogates(x, "time reversal", **options).significant)
    assert abs(rejected - 30) < 3.3 * math.sqrt(300 * 0.1 * 0.9)


@pytest.mark.parametrize("statistic", ["time reversal", "prediction error"])
def test_lorenz_is_nonlinear_and_filtered_noise_seen_through_a_function_is_not(statistic):
    z = cl.simulate("Lorenz", 40, 20).sel(component=["z"])
    found = significant_against_surrogates(z, statistic, count=39)
    assert bool(found.significant)
    assert float(found.p_value) == pytest.approx((2 if statistic == "time reversal" else 1) / 40)
    linear = significant_against_surrogates(correlated(800, seed=3), statistic, count=39)
    assert not bool(linear.significant)
    assert linear.surrogate_value.size == 39


def test_statistics_of_ones_own():
    skewed = correlated(256)
    skewness = lambda x: ((x - x.mean()) ** 3).mean() / x.std() ** 3
    found = significant_against_surrogates(skewed, skewness, method="random phase", sides="upper", count=39)
    assert float(found.value) == pytest.approx(skewness(skewed))
    assert bool(found.significant)
    pair = significant_against_surrogates(correlated(100, columns=2), lambda rows: rows.shape[1], count=39)
    assert float(pair.p_value) == 1


def test_series_in_any_wrapping():
    ds = cl.simulate("Lorenz", 5, 40)
    made = surrogates(ds, component="z", rng=4)
    assert made.component.values.tolist() == ["z"]
    assert made.time.values == pytest.approx(ds.time.values)
    bare = surrogates(ds.state.sel(component="z").values[0], rng=4)
    assert np.array_equal(made.surrogate.values, bare.surrogate.values)
    assert surrogates(ds).sizes == {"surrogate": 1, "time": 200, "component": 3}
    assert surrogates(ds, rng=np.random.default_rng(4)).attrs["rng"] == "generator"


def test_results_can_be_stored(tmp_path):
    for found in (surrogates(correlated(64), count=2), significant_against_surrogates(correlated(64), count=39)):
        json.dumps(found.attrs)
        found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
        assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.ones(100), {}, "constant in component 0: 1"),
        (np.c_[correlated(100), np.zeros(100)], {}, "constant in component 1"),
        (correlated(15), {}, "too short: 15 samples, at least 16"),
        (np.where(np.arange(100) == 7, np.nan, correlated(100)), {}, "1 of 100 samples are not finite, the first number 7"),
        (correlated(100), {"method": "IAAF"}, "Did you mean 'IAAFT'"),
        (correlated(100), {"count": 0}, "count must be a whole number"),
        (np.zeros((2, 50, 3)), {}, r"\(time,\) or \(time, component\)"),
    ],
)
def test_a_refusal_says_why(series, options, message):
    with pytest.raises(ValueError, match=message):
        surrogates(series, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistic": "time reversed"}, "Did you mean 'time reversal'"),
        ({"sides": "both"}, "sides 'both' is not known. It is one of two, upper, lower"),
        ({"count": 38}, r"38 surrogates cannot reach the level 0.05 on two side\(s\); at least 39"),
        ({"count": 18, "sides": "upper"}, "at least 19"),
        ({"level": 1}, "between 0 and 1"),
        ({"statistic": lambda x: math.nan}, "is not a finite number"),
    ],
)
def test_a_test_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        significant_against_surrogates(correlated(100), **options)
