"""Entropies of series against loops over all pairs, and noises and maps whose entropy is known on paper."""

import importlib
import json
import math

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter
from scipy.stats import multivariate_normal

import chaoslab as cl
from chaoslab.invariants import multiscale_entropy, ordinal, permutation_entropy, sample_entropy


def logistic(count, start=0.3):
    values = [start]
    while len(values) < count:
        values.append(4 * values[-1] * (1 - values[-1]))
    return np.array(values)


def gaussian(radius):
    """Two independent normal values differ by N(0, 2): the chance that they agree is erf(radius / 2)."""
    return -math.log(math.erf(radius / 2))


def noises(count, length, seed, memory=0.0):
    rows = np.random.default_rng(seed).standard_normal((count, length + 500))
    return xr.DataArray(lfilter([1], [1, -memory], rows, axis=1)[:, 500:], dims=("member", "time"))


# sample entropy


@pytest.mark.parametrize(("length", "lag", "theiler"), [(1, 1, 0), (2, 1, 0), (2, 3, 0), (3, 1, 5), (2, 2, 40)])
def test_as_a_loop_over_pairs_finds(length, lag, theiler):
    series = lfilter([1], [1, -0.7], np.random.default_rng(0).standard_normal(300))
    series[[50, 51, 200]] = np.nan
    scaled = (series - np.nanmean(series)) / np.nanstd(series)
    windows = np.array([scaled[t : t + length * lag + 1 : lag] for t in range(300 - length * lag)])
    shorter = longer = 0
    for i in range(len(windows)):
        for j in range(i + 1 + theiler, len(windows)):
            if np.isfinite(windows[[i, j]]).all():
                apart = np.abs(windows[i] - windows[j])
                shorter += (apart[:-1] <= 0.3).all()
                longer += (apart <= 0.3).all()
    found = sample_entropy(series, length=length, lag=lag, theiler=theiler, radius=0.3)
    assert (int(found.matches), int(found.matches_longer)) == (shorter, longer)
    assert float(found.entropy) == pytest.approx(-math.log(longer / shorter))


@pytest.mark.parametrize("radius", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("length", [1, 2])
def test_white_noise(length, radius):
    found = sample_entropy(noises(1, 6000, 1).values[0], length=length, radius=radius)
    assert abs(float(found.entropy) - gaussian(radius)) < 3 * float(found.error) < 0.25


def test_even_noise():
    """Two values spread evenly over (0, 1) agree within r with probability 2 r - r^2."""
    found = sample_entropy(np.random.default_rng(2).random(6000))
    r = 0.2 / math.sqrt(12)
    assert abs(float(found.entropy) + math.log(2 * r - r * r)) < 3 * float(found.error) < 0.06


@pytest.mark.parametrize("memory", [0.5, -0.6, 0.9])
def test_noise_with_memory(memory):
    """The differences of two windows are normal with twice the covariance: chances of boxes, by their distribution function."""
    correlation = memory ** np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    box = [multivariate_normal(cov=2 * correlation[:k, :k]).cdf(np.full(k, 0.2), lower_limit=np.full(k, -0.2)) for k in (2, 3)]
    found = sample_entropy(noises(4, 6000, 3, memory))
    error = float(np.sqrt((found.error**2).sum())) / 4
    assert abs(float(found.entropy.mean()) - math.log(box[0] / box[1])) < 3 * error < 0.06


def test_a_tent_map_has_its_exponent():
    """Near values part by the factor 2, everywhere, and are spread evenly: half of those that agree do so once more."""
    found = sample_entropy(2 / np.pi * np.arcsin(np.sqrt(logistic(20_000))), radius=0.01)
    assert abs(float(found.entropy) - math.log(2)) < 3 * float(found.error) + 0.01
    assert float(found.error) < 0.02


def test_what_repeats_itself_has_none():
    found = sample_entropy(np.tile([0.0, 1, 3, 2], 500))
    assert float(found.entropy) == pytest.approx(0, abs=5e-3)


@pytest.mark.parametrize(("count", "memory"), [(800, 0.0), (1200, 0.9), (1200, -0.5)])
def test_the_error_is_as_large_as_the_scatter(count, memory):
    found = sample_entropy(noises(40, count, 4, memory))
    assert 0.7 < float(found.error.mean()) / float(found.entropy.std()) < 1.6


def test_the_error_knows_of_the_radius():
    """Without the part of the deviation, the error of noise with memory would be half of what it is."""
    found, module = noises(20, 1200, 5, 0.9), importlib.import_module("chaoslab.invariants.entropy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_slope", lambda *_: 0.0)
        without = sample_entropy(found).error.mean()
    assert float(without) < 0.7 * float(sample_entropy(found).error.mean())


def test_samples_close_in_time_can_be_left_out():
    series = np.sin(np.arange(4000) * 0.01) + 0.01 * np.random.default_rng(6).standard_normal(4000)
    near, far = (sample_entropy(series, theiler=theiler) for theiler in (0, 100))
    assert float(far.matches) < float(near.matches)
    assert far.attrs["theiler"] == 100


def test_units_do_not_matter():
    series = logistic(1000)
    first, other = sample_entropy(series), sample_entropy(1e6 * series - 3)
    assert float(other.entropy) == pytest.approx(float(first.entropy))
    assert float(other.error) == pytest.approx(float(first.error))


def test_nothing_agrees():
    found = sample_entropy(np.random.default_rng(7).standard_normal(100), radius=1e-6)
    assert np.isnan([found.entropy, found.error]).all()
    assert int(found.matches_longer) == 0


def test_members_stay_apart():
    ds = cl.simulate("Lorenz", 20, 30, members=2)
    found = sample_entropy(ds)
    assert found.entropy.dims == ("member", "component")
    one = sample_entropy(ds.state.values[1, :, 2])
    assert float(found.entropy.sel(member=1, component="z")) == pytest.approx(float(one.entropy))
    assert sample_entropy(ds, component="z").entropy.dims == ("member",)
    rows = np.random.default_rng(8).standard_normal((3, 300))
    rows[0], rows[2, 1:] = 4.0, np.nan
    found = sample_entropy(xr.DataArray(rows, dims=("member", "time")))
    assert np.isfinite(found.entropy).values.tolist() == [False, True, False]


# over scales


def test_white_noise_falls():
    """Averages of s have the deviation 1 / sqrt(s), while the radius stays."""
    found = multiscale_entropy(noises(1, 15_000, 9).values[0], scales=10)
    known = [gaussian(0.15 * math.sqrt(scale)) for scale in range(1, 11)]
    assert (np.abs(found.entropy.values - known) < 3.5 * found.error.values).all()
    assert (found.error < 0.1).all()
    assert found.scale.values.tolist() == list(range(1, 11))


def test_noise_of_all_scales_does_not():
    """1/f noise, of equal variance in every octave: the entropy stays, and is the larger from a few scales on."""
    count, rng = 15_000, np.random.default_rng(10)
    frequency = np.fft.rfftfreq(count)[1:]
    waves = rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))
    found = multiscale_entropy(np.fft.irfft(np.append(0, waves / np.sqrt(frequency)), count), scales=10)
    assert float(found.entropy.max() - found.entropy.min()) < 0.12
    assert (found.entropy.values[4:] > [gaussian(0.15 * math.sqrt(scale)) for scale in range(5, 11)]).all()


def test_the_first_scale_is_sample_entropy_and_others_are_averages():
    series = lfilter([1], [1, -0.5], np.random.default_rng(11).standard_normal(1500))
    found = multiscale_entropy(series, scales=3, radius=0.2)
    assert float(found.entropy[0]) == float(sample_entropy(series, radius=0.2).entropy)
    averaged = series.reshape(-1, 3).mean(axis=1)
    third = sample_entropy(averaged, radius=0.2 * series.std() / averaged.std())
    assert float(found.entropy[2]) == pytest.approx(float(third.entropy))


# permutation entropy


def test_the_logistic_map_by_its_exact_patterns():
    """P = 1/3, 1/15, 2/15, 4/15, 1/5 for three values, 2/3 and 1/3 for two; pairs of steps have 1/3 each."""
    found = permutation_entropy(logistic(300_000), lengths=(2, 3))
    shannon = lambda *p: -sum(one * math.log(one) for one in p)
    two, three = shannon(2 / 3, 1 / 3), shannon(1 / 3, 1 / 15, 2 / 15, 4 / 15, 1 / 5)
    known = {
        "entropy": [two, three],
        "rate": [two, three / 2],
        "difference": [two, three - two],
        "conditional": [0, math.log(3) - two],
    }
    for key, values in known.items():
        away = np.abs(found[key].values - values)
        assert (away <= 4 * found[key + "_error"].values + 1e-12).all()
        assert (found[key + "_error"] < 4e-3).all()


def test_the_logistic_map_tends_to_ln_2():
    """From below, by what is new in a pattern that follows another; from above, by differences, which take far longer."""
    found = permutation_entropy(logistic(300_000))
    away = np.abs(found.conditional - math.log(2)).values
    assert (np.diff(away) < 0).all()
    assert away[-1] < 0.025
    assert (found.conditional < math.log(2)).all()
    assert (found.difference > math.log(2)).all()
    assert (found.difference.diff("length").values[2:] < 0).all()


def test_white_noise_never_settles():
    """All patterns alike: H(n) = ln n!, differences ln n."""
    found = permutation_entropy(np.random.default_rng(12).standard_normal(300_000), lengths=(2, 3, 4, 5))
    assert found.difference.values == pytest.approx(np.log([2, 3, 4, 5]), abs=2e-3)
    assert found.rate.values == pytest.approx([math.log(math.factorial(n)) / (n - 1) for n in (2, 3, 4, 5)], abs=1e-3)


def test_what_repeats_itself_says_nothing_new():
    found = permutation_entropy(np.tile([0.1, 0.7, 0.3, 0.9, 0.2], 2000), lengths=(5, 6))
    assert found.conditional.values == pytest.approx([0, 0], abs=1e-3)
    assert found.difference.values[1] == pytest.approx(0, abs=1e-3)


def test_it_is_that_of_the_patterns():
    ds = cl.simulate("Lorenz", 50, 50, members=2)
    found = permutation_entropy(ds, lengths=(4, 5), lag=6)
    assert found.entropy.dims == ("member", "component", "length")
    one = ordinal(ds, length=5, lag=6)
    assert found.entropy.sel(length=5).values == pytest.approx(one.entropy.values * math.log(120))
    ratio = found.entropy_error.sel(length=5) / (one.entropy_error * math.log(120))
    assert ((ratio > 0.5) & (ratio < 2)).all()


def test_errors_of_permutation_entropies():
    starts = np.random.default_rng(13).random(40)
    found = permutation_entropy(xr.DataArray([logistic(3000, one)[50:] for one in starts], dims=("member", "time")), lengths=(3, 5))
    for key in ("entropy", "rate", "difference", "conditional"):
        ratio = found[key + "_error"].mean("member") / found[key].std("member")
        assert ((ratio > 0.6) & (ratio < 2)).all()


# settings


@pytest.mark.parametrize("measure", [sample_entropy, multiscale_entropy, permutation_entropy])
def test_a_result_says_how_it_was_made_and_can_be_stored(measure, tmp_path):
    found = measure(noises(1, 3000, 14).values[0])
    assert {"method", "sampling", "version"} <= set(found.attrs)
    json.dumps(found.attrs)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)


@pytest.mark.parametrize(
    ("measure", "series", "options", "message"),
    [
        (
            sample_entropy,
            logistic(17),
            {},
            "16 windows of 3 values, lag 1, theiler 0, scale 1 need 18 samples; it has 17",
        ),
        (sample_entropy, logistic(100), {"theiler": 90}, "theiler 90, scale 1 need 108 samples"),
        (multiscale_entropy, logistic(300), {}, "scale 20 need 360 samples; it has 300"),
        (sample_entropy, np.ones(500), {}, "constant"),
        (sample_entropy, np.full(500, np.nan), {}, "no sample that is finite"),
        (sample_entropy, logistic(500), {"radius": 0}, "radius, in deviations, must be positive"),
        (sample_entropy, logistic(500), {"length": 0}, "length must be a whole number"),
        (sample_entropy, logistic(500), {"lag": 1.5}, "lag must be a whole number of at least 1; 1.5"),
        (sample_entropy, logistic(500), {"theiler": -1}, "theiler, in samples, must be a whole number, 0 or more; -1"),
        (multiscale_entropy, logistic(500), {"scales": 2.5}, "scales must be a whole number"),
        (permutation_entropy, logistic(5), {}, "too short: 7 values 1 samples apart need 7 samples; it has 5"),
        (permutation_entropy, np.ones(500), {}, "constant"),
        (permutation_entropy, np.tile([0.1, 0.5, np.nan], 100), {}, "gaps leave no window"),
        (permutation_entropy, logistic(500), {"lengths": (4, 3)}, r"lengths grow, as in \(3, 4, 5\); \[4, 3\] given"),
        (permutation_entropy, logistic(500), {"lengths": ()}, "lengths grow"),
        (permutation_entropy, logistic(500), {"lengths": (7, 8)}, "patterns of 2 to 7 values"),
        (permutation_entropy, logistic(500), {"lag": 0.5}, "lag, in samples, must be a whole number"),
        (permutation_entropy, logistic(500), {"lag": [1, 2]}, "lag is one whole number"),
    ],
)
def test_a_refusal_says_why(measure, series, options, message):
    with pytest.raises(ValueError, match=message):
        measure(series, **options)
