"""The 0-1 test on maps and flows whose motion is known, and its sums against loops."""

import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import zero_one, zero_one_test


def logistic(r, count=3000):
    series = [0.4]
    for _ in range(count + 500):
        series.append(r * series[-1] * (1 - series[-1]))
    return np.array(series[-count:])


# what is known


@pytest.mark.parametrize("r", [3.5, 3.55, 3.83])
def test_cycles_are_regular(r):
    """Periods 4, 8 and, in a window, 3."""
    found = zero_one_test(logistic(r))
    assert found.verdict == "regular"
    assert abs(float(found.value)) < 0.05


@pytest.mark.parametrize("r", [3.7, 3.9, 4.0])
def test_the_logistic_map_is_chaotic(r):
    found = zero_one_test(logistic(r))
    assert found.verdict == "chaotic"
    assert float(found.value) > 0.97


def test_a_rotation_is_regular():
    for turn in ((math.sqrt(5) - 1) / 2, math.sqrt(2) / 7):
        found = zero_one_test(np.cos(2 * np.pi * turn * np.arange(3000)))
        assert found.verdict == "regular"
        assert abs(float(found.value)) < 0.1


@pytest.mark.parametrize(
    ("rho", "verdict"),
    [(28, "chaotic"), (160, "regular"), (350, "regular")],
)
def test_lorenz_and_its_periodic_windows(rho, verdict):
    """Sparrow (1982): stable cycles for 145 < rho < 166 and above 313."""
    system = cl.load("Lorenz").with_(rho=rho)
    ds = cl.simulate(system, duration=32_000 / rho, step=1.5 / rho, transient=100)
    found = zero_one_test(ds)
    assert found.verdict == verdict
    assert found.attrs["every"] > 1


def test_a_torus_is_regular():
    found = zero_one_test(cl.simulate("Torus", periods=1000, samples=20))
    assert found.verdict == "regular"
    assert abs(float(found.value)) < 0.1


def test_one_component_will_do():
    ds = cl.simulate("Rossler", periods=1500, samples=16, transient=50)
    for component in ("x", "z"):
        assert zero_one_test(ds, component=component).verdict == "chaotic"


def test_an_oversampled_flow_looks_regular():
    """The reason why flows are thinned."""
    ds = cl.simulate("Lorenz", duration=40, step=0.005, transient=20)
    assert float(zero_one_test(ds, every=1).value) < 0.5
    long = cl.simulate("Lorenz", duration=600, step=0.03, transient=20)
    assert float(zero_one_test(long).value) > 0.9


def test_noise_is_chaotic_to_this_test():
    assert zero_one_test(np.random.default_rng(0).standard_normal(3000)).verdict == "chaotic"


def test_what_is_between_is_undecided():
    """Regular for one half of the time, chaotic for the other."""
    found = zero_one_test(np.r_[logistic(3.5, 1500) * 0.1, logistic(3.9, 1500)])
    assert float(found.error) > 0.25
    assert found.verdict == "undecided"


# the sums


def test_displacements_are_those_of_loops():
    series = np.random.default_rng(2).standard_normal((130, 2))
    angles = np.array([0.7, 2.1])
    found = zero_one.displacements(series, angles, 13)
    for c, row in zip(angles, found, strict=True):
        turn = c * np.arange(130)
        p, q = (np.cumsum(series * part[:, None], axis=0) for part in (np.cos(turn), np.sin(turn)))
        for n in range(1, 14):
            moved = [(p[j + n] - p[j]) ** 2 + (q[j + n] - q[j]) ** 2 for j in range(117)]
            assert row[n - 1] == pytest.approx(np.mean(np.sum(moved, axis=1)))


def test_the_mean_makes_no_oscillation():
    series = logistic(3.9)
    plain, lifted = (zero_one_test(each) for each in (series, series + 1000))
    assert float(plain.value) == pytest.approx(float(lifted.value), abs=1e-6)


def test_a_random_walk_grows_like_n():
    """Independent values: the mean square displacement is n times their variance, so K is nearly 1."""
    series = np.random.default_rng(4).standard_normal((4000, 1))
    moved = zero_one.displacements(series, np.linspace(0.7, 2.4, 40), 400).mean(axis=0)
    assert moved == pytest.approx(np.arange(1, 401), rel=0.05)


# settings


def test_angles_are_drawn_from_a_seed():
    series = logistic(3.9, 1000)
    one, same, other = (zero_one_test(series, rng=rng) for rng in (3, np.random.default_rng(3), 4))
    assert np.array_equal(one.correlation, same.correlation)
    assert not np.array_equal(one.angle, other.angle)
    assert [each.attrs["rng"] for each in (one, same, other)] == ["3", "generator", "4"]
    assert zero_one_test(series, frequencies=7).sizes["angle"] == 7
    assert zero_one.ANGLES[0] < one.angle.min() < one.angle.max() < zero_one.ANGLES[1]
    assert float(one.value) == float(one.correlation.median())


def test_maps_are_not_thinned_and_flows_are():
    assert zero_one_test(cl.simulate("Henon", 1000)).attrs["every"] == 1
    assert zero_one_test(logistic(3.9)).attrs["every"] == 1
    sine = np.sin(np.arange(20_000) * 2 * np.pi / 40.3)
    found = zero_one_test(sine)
    assert found.attrs["every"] == round(0.45 * 40.3)
    assert found.attrs["points"] == math.ceil(20_000 / 18)
    assert found.verdict == "regular"


def test_the_longest_piece_without_a_gap_counts():
    series = logistic(3.9, 2000)
    series[600] = np.nan
    found = zero_one_test(series)
    assert found.attrs["points"] == 1399
    assert found.correlation.values == pytest.approx(zero_one_test(series[601:]).correlation.values, abs=1e-6)


def test_a_result_can_be_stored(tmp_path):
    found = zero_one_test(logistic(4.0))
    assert set(found.attrs) == {"method", "every", "points", "sampling", "verdict", "rng", "version"}
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.ones(500), {}, "is constant"),
        (np.full(500, np.nan), {}, "no sample that is finite"),
        (logistic(3.9, 150), {}, "too short: 150 samples are left of 150, every 1 samples"),
        (logistic(3.9, 500), {"every": 4}, "too short: 125 samples are left of 500, every 4 samples"),
        (logistic(3.9, 500), {"every": 1.5}, "every must be a whole number of at least 1; 1.5"),
        (logistic(3.9, 500), {"frequencies": 0}, "frequencies must be a whole number"),
        (logistic(3.9, 500), {"component": "x"}, "an array has no names"),
        (np.where(np.arange(500) % 3, logistic(3.9, 500), np.nan), {}, "too short"),
    ],
)
def test_a_refusal_says_why(series, options, message):
    with pytest.raises(ValueError, match=message):
        zero_one_test(series, **options)
