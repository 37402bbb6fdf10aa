"""Ordinal patterns against loops over windows, probabilities known on paper, and motions whose place is known."""

import itertools
import json
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

import chaoslab as cl
from chaoslab.invariants import ideal_lag, ordinal, ordinal_patterns, region
from chaoslab.invariants.ordinal import TIES
from chaoslab.invariants.ordinal_patterns import block_counts, codes, labels
from chaoslab.invariants.ordinal_plane import entropy_complexity

VALUES = ("entropy", "complexity")


def logistic(count, start=0.3):
    values = [start]
    while len(values) < count:
        values.append(4 * values[-1] * (1 - values[-1]))
    return np.array(values)


def exact(length):
    """Probabilities of the patterns of the logistic map at r = 4, as fractions.

    x = sin(pi u / 2)^2 turns it into the tent map, which keeps lengths and, as x grows with u, all orders. The first iterates
    are straight lines between binary fractions, and patterns change where two lines cross.
    """
    found, pieces = Counter(), 2 ** (length - 1)
    for piece in range(pieces):
        start, end = Fraction(piece, pieces), Fraction(piece + 1, pieces)
        lines, inside = [(Fraction(1), Fraction(0))], (start + end) / 2
        for _ in range(length - 1):
            slope, value = lines[-1]
            left = slope * inside + value < Fraction(1, 2)
            lines.append((2 * slope, 2 * value) if left else (-2 * slope, 2 - 2 * value))
        crossed = [(d - b) / (a - c) for (a, b), (c, d) in itertools.combinations(lines, 2) if a != c]
        cuts = sorted({start, end, *(one for one in crossed if start < one < end)})
        for one, other in itertools.pairwise(cuts):
            height = [slope * (one + other) / 2 + value for slope, value in lines]
            found["".join(str(sorted(height).index(value) + 1) for value in height)] += other - one
    return found


def by_loop(series, length, lag):
    """Entropy and complexity by a loop over windows, the sum written out, as a package that does it so would."""
    last = len(series) - (length - 1) * lag
    seen = Counter(tuple(np.argsort(series[t : t + (length - 1) * lag + 1 : lag], kind="stable")) for t in range(last))
    states, shannon = math.factorial(length), lambda p: -sum(one * math.log(one) for one in p if one > 0)
    p = [one / last for one in seen.values()] + [0.0] * (states - len(seen))
    apart = shannon([(one + 1 / states) / 2 for one in p]) - shannon(p) / 2 - math.log(states) / 2
    most = -0.5 * ((states + 1) / states * math.log(states + 1) - 2 * math.log(2 * states) + math.log(states))
    height = shannon(p) / math.log(states)
    return height, apart / most * height


def noise(exponent, count, rng):
    """Gaussian noise with spectrum f^-exponent, by its Fourier coefficients."""
    frequency = np.fft.rfftfreq(count)
    waves = rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))
    waves[1:] *= frequency[1:] ** (-exponent / 2)
    waves[0] = 0
    return np.fft.irfft(waves, count)


# counting


@pytest.mark.parametrize("length", range(2, 8))
@pytest.mark.parametrize("lag", [1, 4])
def test_as_a_loop_over_windows_finds(length, lag):
    series = np.random.default_rng(0).standard_normal(3000).cumsum()
    found = ordinal(series, length=length, lag=lag, resamples=0)
    assert [float(found[key]) for key in VALUES] == pytest.approx(by_loop(series, length, lag), abs=1e-12)
    assert int(found.windows) == 3000 - (length - 1) * lag
    assert float(found.probability.sum()) == pytest.approx(1)
    assert found.sizes["pattern"] == math.factorial(length)


def test_a_pattern_is_named_by_the_ranks_of_its_values():
    found = ordinal([0.1, 0.5, 0.2, 0.4], length=4, resamples=0)
    assert found.pattern.values[found.probability.values.argmax()] == "1423"
    row = np.random.default_rng(1).standard_normal((1, 500))
    windows = np.lib.stride_tricks.sliding_window_view(row[0], 5)
    assert np.array_equal([[int(k) for k in labels(5)[code]] for code in codes(row, 5, 1)[0]], windows.argsort().argsort() + 1)


def test_pieces_do_not_change_the_count(monkeypatch):
    rows = np.random.default_rng(2).standard_normal((3, 2000))
    rows[1, 700:720] = np.nan
    rows[2, ::5] = 0
    whole = block_counts(rows, 4, 3)
    monkeypatch.setattr(ordinal_patterns, "CHUNK", 97)
    for one, other in zip(block_counts(rows, 4, 3), whole, strict=True):
        assert np.array_equal(one, other)
    assert whole[0].sum(axis=(1, 2)).tolist() == [1991, 1991 - 20 - 9, 1991]


def test_any_rising_function_of_the_values_and_any_unit_give_the_same():
    series = np.random.default_rng(3).standard_normal(2000).cumsum()
    first = ordinal(series)
    for other in (1e9 * series + 7, np.exp(series / 10)):
        assert ordinal(other).equals(first)


# probabilities known on paper


@pytest.fixture(scope="module")
def long_logistic():
    return logistic(1_000_000)


@pytest.mark.parametrize("length", range(3, 8))
def test_the_logistic_map(long_logistic, length):
    known, found = exact(length), ordinal(long_logistic, length=length)
    assert sum(known.values()) == 1
    truth = np.array([float(known[pattern]) for pattern in labels(length)])
    assert found.probability.values == pytest.approx(truth, abs=1e-3)
    assert set(found.pattern.values[found.probability.values == 0]) == set(labels(length)) - set(known)
    assert int(found.forbidden) == math.factorial(length) - len(known)
    assert float(found.forbidden_by_chance) < 1e-30
    for key, value in zip(VALUES, entropy_complexity(truth, len(truth)), strict=True):
        assert abs(float(found[key]) - value) < 4 * float(found[key + "_error"]) < 4e-3


def test_the_logistic_map_never_falls_twice():
    known = {"123": Fraction(1, 3), "132": Fraction(1, 15), "213": Fraction(2, 15), "231": Fraction(4, 15), "312": Fraction(1, 5)}
    assert exact(3) == known


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9, -0.6])
def test_a_gaussian_process(memory):
    """P(123) = arcsin(sqrt((1 - r2) / (1 - r1)) / 2) / pi, correlations r (Bandt & Shiha, J. Time Ser. Anal. 28, 646 (2007))."""
    series = lfilter([1], [1, -memory], np.random.default_rng(4).standard_normal(400_000))
    rising = math.asin(math.sqrt((1 - memory**2) / (1 - memory)) / 2) / math.pi
    found = ordinal(series, length=3, resamples=0).probability
    assert found.sel(pattern=["123", "321"]).values == pytest.approx(rising, abs=3e-3)
    assert found.sel(pattern=["132", "213", "231", "312"]).values == pytest.approx((1 - 2 * rising) / 4, abs=3e-3)


def test_white_noise_has_all_patterns_alike():
    found = ordinal(np.random.default_rng(5).standard_normal(200_000))
    assert float(found.entropy) == pytest.approx(1, abs=2e-4)
    assert float(found.complexity) == pytest.approx(0, abs=4e-4)
    assert int(found.forbidden) == 0


def test_a_short_series_lacks_patterns_by_chance():
    """300 noises at once: about as many are missing as in independent windows, a few in a hundred fewer since they overlap."""
    noises = xr.DataArray(np.random.default_rng(6).standard_normal((300, 304)), dims=("member", "time"))
    found = ordinal(noises, resamples=0)
    expected = 120 * (1 - 1 / 120) ** 300
    assert found.forbidden_by_chance.values == pytest.approx(expected)
    assert 0.9 * expected < float(found.forbidden.mean()) < 1.01 * expected


def test_the_bias_is_what_a_short_series_misses():
    """Independent windows would lack (119 / 2) / count nats (Miller); those of noise that overlap lack about as much."""
    noises = xr.DataArray(np.random.default_rng(7).standard_normal((40, 2004)), dims=("member", "time"))
    found = ordinal(noises)
    assert float(found.entropy_bias.mean()) == pytest.approx(-119 / 4000 / math.log(120), rel=0.15)
    assert float((found.entropy - found.entropy_bias).mean()) == pytest.approx(1, abs=1e-3)
    assert float((found.complexity - found.complexity_bias).mean()) == pytest.approx(0, abs=2e-3)


# the error


def test_the_error_covers_the_truth():
    """40 independent series of a chaotic map: the truth lies as far as the errors say, and so do the series from each other."""
    starts = np.random.default_rng(8).random(40)
    found = ordinal(xr.DataArray([logistic(3000, one)[50:] for one in starts], dims=("member", "time")))
    truth = np.array([float(one) for one in exact(5).values()])
    for key, value in zip(VALUES, entropy_complexity(truth, 120), strict=True):
        away = (found[key] - value) / found[key + "_error"]
        assert 0.5 < np.sqrt((away**2).mean()) < 1.5
        assert 0.7 < float(found[key + "_error"].mean() / found[key].std()) < 1.8


def test_the_error_knows_of_slow_changes():
    """A motion that is smooth for 100 samples and rough for as many: errors of independent windows would be far too small."""
    rng, rows = np.random.default_rng(9), []
    for _ in range(40):
        smooth = np.repeat(rng.random(60) < 0.5, 100)
        rows.append(np.where(smooth, np.sin(np.arange(6000) / 5), rng.standard_normal(6000)))
    found = ordinal(xr.DataArray(rows, dims=("member", "time")))
    scatter, shuffled = float(found.entropy.std()), []
    for row in rows[:4]:
        p = ordinal(row, resamples=0).probability.values
        drawn = rng.multinomial(5996, p, size=200) / 5996
        shuffled.append(entropy_complexity(drawn, 120)[0].std())
    assert 0.6 < float(found.entropy_error.mean()) / scatter < 1.6
    assert np.mean(shuffled) < 0.3 * scatter


def test_the_same_seed_gives_the_same_errors():
    series = logistic(2000)
    assert ordinal(series, rng=3).identical(ordinal(series, rng=3))
    assert float(ordinal(series, rng=3).entropy_error) != float(ordinal(series, rng=4).entropy_error)
    assert ordinal(series, rng=np.random.default_rng(3)).attrs["rng"] == "generator"
    none = ordinal(series, resamples=0)
    assert np.isnan([none.entropy_error, none.complexity_error, none.entropy_bias]).all()
    assert none.attrs["warning"] == ""


# motions


def test_a_sine_has_few_patterns():
    for period in (2.7, 3.3, 8.1, 20.7, 100.3, 1000.3):
        found = ordinal(np.sin(2 * np.pi * np.arange(20_000) / period), resamples=0)
        assert 120 - int(found.forbidden) <= 14
        assert region(float(found.entropy), float(found.complexity)) == "periodic"


def test_redder_noise_is_less_random_and_more_structured():
    rng = np.random.default_rng(10)
    found = [ordinal(noise(k, 50_000, rng), resamples=0) for k in (0, 0.5, 1, 1.5, 2, 2.5)]
    assert (np.diff([float(one.entropy) for one in found]) < 0).all()
    assert (np.diff([float(one.complexity) for one in found]) > 0).all()
    assert {region(float(one.entropy), float(one.complexity)) for one in found} == {"stochastic"}


def read_at_its_lag(ds):
    return ordinal(ds, lag=int(ideal_lag(ds).lag))


@pytest.mark.parametrize(("name", "time"), [("Henon", (20_000,)), ("Lorenz", (200, 100)), ("HenonHeiles", (200, 100))])
def test_chaos_is_complex(name, time):
    found = read_at_its_lag(cl.simulate(name, *time))
    assert (region(found.entropy, found.complexity) == "complex").all()
    assert (found.forbidden > 3 * found.forbidden_by_chance + 10).all()


def test_a_double_pendulum_swings_in_fewer_patterns_when_it_swings_gently():
    chaotic, gentle = (
        cl.simulate("DoublePendulum", duration=500, step=0.025, initial=start) for start in (None, [[0.05, 0.0707, 0, 0]])
    )
    wild, calm = read_at_its_lag(chaotic), ordinal(gentle, lag=int(ideal_lag(gentle, time_scale=2.5).lag))
    angle = {"component": "th1", "member": 0}
    assert float(calm.entropy.sel(angle)) + 5 * float(wild.entropy_error.sel(angle)) < float(wild.entropy.sel(angle))
    assert float(calm.forbidden.sel(angle)) > float(wild.forbidden.sel(angle)) + 50
    assert str(region(wild.entropy, wild.complexity).sel(angle).values) == "complex"


@pytest.fixture(scope="module")
def galaxy():
    """A star in the plane of a logarithmic potential, v^2 / 2 ln(r0^2 + x^2 + (y / q)^2), as in Binney & Tremaine."""
    return cl.System(
        equations={
            "x": "vx",
            "y": "vy",
            "vx": "-v**2*x/(r0**2 + x**2 + (y/q)**2)",
            "vy": "-v**2*y/(q**2*(r0**2 + x**2 + (y/q)**2))",
        },
        parameters={"v": 1, "r0": 0.1, "q": 1},
        state={"x": 1, "y": 0, "vx": 0, "vy": 1 / math.sqrt(1.01)},
    )


def test_a_circular_orbit_in_a_galaxy_is_periodic(galaxy):
    ds = cl.simulate(galaxy, duration=1000, step=0.0513)
    found = ideal_lag(ds)
    assert float(found.time_scale) == pytest.approx(2 * math.pi * math.sqrt(1.01), rel=0.02)
    orbit = ordinal(ds, lag=int(found.lag)).isel(member=0)
    assert (region(orbit.entropy, orbit.complexity) == "periodic").all()
    assert (orbit.forbidden == 106).all()


def test_a_box_orbit_in_a_galaxy_is_more_regular_than_chaos(galaxy):
    start = {"x": 0.3, "y": 0.1, "vx": 0.5, "vy": 0.4}
    box, chaos = (
        read_at_its_lag(one).sel(component="x").isel(member=0)
        for one in (cl.simulate(galaxy.with_(q=0.9, state=start), duration=1000, step=0.02), cl.simulate("HenonHeiles", 200, 100))
    )
    assert float(box.entropy) + 3 * float(box.entropy_error) < float(chaos.entropy) - 3 * float(chaos.entropy_error)
    assert int(box.forbidden) > int(chaos.forbidden)


# labels, lags, gaps, ties


def test_members_components_and_lags_stay():
    ds = cl.simulate("Lorenz", 20, 50, members=3)
    found = ordinal(ds, lag=[2, 1, 7], length=4)
    assert found.entropy.dims == ("lag", "member", "component")
    assert found.probability.dims == ("lag", "member", "component", "pattern")
    assert found.pattern_time.values == pytest.approx(np.array([6, 3, 21]) * float(ds.time[1] - ds.time[0]))
    one = ordinal(ds.state.values[1, :, 2], lag=7, length=4)
    for key in ("entropy", "complexity", "entropy_error", "windows"):
        assert float(found[key].sel(lag=7, member=1, component="z")) == pytest.approx(float(one[key]), rel=1e-12)
    named = ordinal(ds, lag=7, length=4, component="z")
    assert named.entropy.dims == ("member",)
    assert named.entropy.values == pytest.approx(found.entropy.sel(lag=7, component="z").values)
    assert ordinal(ds.state.values[0], length=4).entropy.dims == ("component",)


def test_the_entropy_grows_with_the_lag():
    """A smooth motion looks straight at a short lag, and patterns longer than a period hardly know themselves."""
    found = ordinal(cl.simulate("Lorenz", 500, 50), lag=range(1, 18, 4), component="x").isel(member=0)
    assert (found.entropy.diff("lag") > 5 * found.entropy_error[1:]).all()
    assert 0 < int(found.complexity.values.argmax()) < found.sizes["lag"] - 1


def test_windows_that_touch_a_gap_are_left_out():
    series = np.random.default_rng(11).standard_normal(2000)
    series[[0, 300, 303, 1999]] = np.nan
    series[1000] = np.inf
    found = ordinal(series, length=4, lag=2, resamples=0)
    kept = [series[t : t + 7 : 2] for t in range(1994) if np.isfinite(series[t : t + 7 : 2]).all()]
    counted = Counter("".join(map(str, np.argsort(np.argsort(one)) + 1)) for one in kept)
    assert int(found.windows) == len(kept)
    assert found.probability.values == pytest.approx([counted[pattern] / len(kept) for pattern in labels(4)])


def test_an_escaped_or_resting_member_does_not_take_others_down():
    rows = np.random.default_rng(12).standard_normal((4, 1000))
    rows[1, 3:], rows[2] = np.nan, 5.0
    found = ordinal(xr.DataArray(rows, dims=("member", "time")))
    assert np.isfinite(found.entropy).values.tolist() == [True, False, False, True]
    assert np.isfinite(found.complexity_error).values.tolist() == [True, False, False, True]
    assert "NaN" in found.attrs["warning"]
    assert float(found.entropy[3]) == float(ordinal(rows[3]).entropy)


def test_equal_values_are_ordered_as_asked():
    series = np.array([1.0, 1, 2, 2, 0, 1, 0, 3, 3, 3] * 300)
    time, random, drop = (ordinal(series, length=2, ties=ties, resamples=0) for ties in TIES)
    shares = [float(one.probability.sel(pattern="12")) for one in (time, random, drop)]
    # of ten steps four are level; three rise, and three fall: one at the end of a round
    assert shares == pytest.approx([0.7, 0.5, 0.5], abs=0.03)
    assert [float(one.ties) for one in (time, random, drop)] == pytest.approx([0.4] * 3, abs=1e-3)
    assert int(drop.windows) == pytest.approx(0.6 * 3000, abs=1)
    assert "hold equal values, ordered by time" in time.attrs["warning"]
    assert "left out" in drop.attrs["warning"]


def test_ties_matter_and_are_told():
    """White noise rounded to whole deviations: only breaking ties at random keeps it white."""
    series = np.round(np.random.default_rng(13).standard_normal(50_000))
    assert float(ordinal(series, length=4).entropy) < 0.95
    assert float(ordinal(series, length=4, ties="random").entropy) == pytest.approx(1, abs=2e-3)
    assert float(ordinal(series, length=4).ties) > 0.5
    assert ordinal(np.random.default_rng(13).standard_normal(5000), length=4).attrs["warning"] == ""


def test_little_data_is_told():
    found = ordinal(np.random.default_rng(14).standard_normal(300))
    assert "only 296 windows for 120 patterns" in found.attrs["warning"]
    tiny = ordinal(np.random.default_rng(14).standard_normal(30))
    assert "too short for an error: 8 blocks" in tiny.attrs["warning"]
    assert np.isnan(tiny.entropy_error)
    assert np.isfinite(tiny.entropy)


def test_a_result_says_how_it_was_made_and_can_be_stored(tmp_path):
    found = ordinal(cl.simulate("Lorenz", 20, 50), lag=[1, 2])
    expected = {"length", "ties", "sampling", "resamples", "rng", "method", "warning", "version"}
    assert set(found.attrs) == expected
    json.dumps(found.attrs)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    xr.testing.assert_equal(xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf"), found)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (logistic(4), {}, "too short: 5 values 1 samples apart need 5 samples; it has 4"),
        (logistic(100), {"lag": 30}, "too short: 5 values 30 samples apart need 121 samples; it has 100"),
        (logistic(100), {"lag": [1, 30]}, "need 121 samples"),
        (np.ones(500), {}, "constant"),
        (np.full(500, np.nan), {}, "no sample that is finite"),
        (np.tile([0.1, 0.5, 0.3, np.nan], 100), {}, "gaps leave no window of 5 values"),
        (logistic(500), {"lag": 1.5}, "lag, in samples, must be a whole number of at least 1; 1.5 given"),
        (logistic(500), {"lag": 0}, "lag, in samples, must be a whole number"),
        (logistic(500), {"lag": [1, 2.5]}, "lag, in samples, must be a whole number"),
        (logistic(500), {"lag": []}, r"or several that differ; \[\] given"),
        (logistic(500), {"lag": [2, 2]}, "or several that differ"),
        (logistic(500), {"length": 8}, "patterns of 2 to 7 values are told apart; length=8"),
        (logistic(500), {"length": 1}, "patterns of 2 to 7 values"),
        (logistic(500), {"length": 3.5}, "length, of a pattern, must be a whole number"),
        (logistic(500), {"ties": "randon"}, "Did you mean 'random'"),
        (logistic(500), {"resamples": -1}, "resamples must be a whole number, 0 or more; -1"),
        (logistic(500), {"sampling": 0}, "sampling must be positive"),
        (logistic(500), {"component": "x"}, "an array has no names"),
        (np.zeros((2, 100, 3)), {}, r"\(time,\) or \(time, component\)"),
        (xr.DataArray(logistic(500), coords={"time": np.arange(500) ** 2}, dims="time"), {}, "not evenly spaced"),
    ],
)
def test_a_refusal_says_why(series, options, message):
    with pytest.raises(ValueError, match=message):
        ordinal(series, **options)


def test_only_real_numbers_have_an_order():
    with pytest.raises(TypeError, match="real numbers; complex128 given"):
        ordinal(np.exp(1j * np.arange(500)))
