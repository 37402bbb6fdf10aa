"""Periodic orbits whose number, points, periods or multipliers are known."""

import json
import math
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import periodic_orbits, poincare_section
from chaoslab.systems import System
from chaoslab.trajectories.schema import system_of

LOGISTIC = System({"x": "r*x*(1 - x)"}, {"r": 4}, {"x": 0.3}, kind="map")
TURNING = System(
    {"x": "x*(1 - x**2 - y**2) - w*y", "y": "y*(1 - x**2 - y**2) + w*x"}, {"w": 2}, {"x": 0.9, "y": 0.1}, period=math.pi
)


def counts(found):
    return dict(Counter(found.length.values.tolist()))


def test_the_logistic_map_has_2_to_the_n_points_of_period_n():
    """At r = 4 it is a doubling: x = sin(a)^2 -> sin(2 a)^2, so that all multipliers are 2^n but that of 0, which is 4."""
    found = periodic_orbits(LOGISTIC, 8)
    number = counts(found)
    for n in range(1, 9):
        assert sum(k * number[k] for k in range(1, n + 1) if n % k == 0) == 2**n
    away = found.point.isel(step=0, component=0) > 1e-9
    assert np.abs(found.multiplier.values[away, 0]) == pytest.approx(2.0 ** found.length.values[away], rel=1e-9)
    assert np.abs(found.multiplier.values[~away, 0]) == pytest.approx([4])
    assert found.exponent.values[away] == pytest.approx(math.log(2))
    assert found.attrs["missing"] == [0] * 8
    for row, length in zip(found.point.values[:, :, 0], found.length.values, strict=True):
        angle = np.arcsin(np.sqrt(row[:length]))
        whole = angle / math.pi * np.array([[2**length - 1], [2**length + 1]])
        assert np.abs(whole - np.round(whole)).max(axis=1).min() < 1e-6 * 2**length


@pytest.mark.parametrize(
    ("r", "expected"), [(2.5, {1: [True, False]}), (3.2, {1: [False, False], 2: [True]}), (3.5, {4: [True], 2: [False]})]
)
def test_the_stable_cycle_of_a_cascade(r, expected):
    found = periodic_orbits(LOGISTIC, 4, r=r)
    for length, stable in expected.items():
        assert sorted(found.stable.values[found.length == length]) == sorted(stable)


def test_the_logistic_two_cycle_by_formula():
    """x = (r + 1 +- sqrt((r - 3)(r + 1)))/(2 r), with multiplier 4 + 2 r - r^2."""
    r = 3.2
    found = periodic_orbits(LOGISTIC, 2, r=r)
    two = found.isel(orbit=found.length.values == 2)
    root = math.sqrt((r - 3) * (r + 1))
    assert np.sort(two.point.values.ravel()) == pytest.approx(np.array([r + 1 - root, r + 1 + root]) / 2 / r, abs=1e-14)
    assert two.multiplier.values[0, 0] == pytest.approx(4 + 2 * r - r**2)


def biham_wenzel(length, a=1.4, b=0.3):
    """Cycles of Henon's map by a flow to each choice of signs: Biham & Wenzel, Phys. Rev. Lett. 63, 819 (1989)."""
    signs = 1 - 2 * ((np.arange(2**length)[:, None] >> np.arange(length)) & 1)
    x = np.zeros(signs.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(4000):
            force = np.roll(x, -1, axis=1) - 1 + a * x**2 - b * np.roll(x, 1, axis=1)
            x = np.clip(x + 0.05 * signs * force, -3, 3)
    x = x[np.abs(force).max(axis=1) < 1e-9]
    least = np.ones(len(x), bool)
    for part in (k for k in range(1, length) if length % k == 0):
        least &= np.abs(np.roll(x, part, axis=1) - x).max(axis=1) > 1e-6
    return {tuple(np.round(min(np.roll(row, k).tolist() for k in range(length)), 7)) for row in x[least]}


def test_henons_cycles_are_those_of_biham_and_wenzel():
    found = periodic_orbits("Henon", 8)
    assert counts(found) == {1: 2, 2: 1, 4: 1, 6: 2, 7: 4, 8: 7}  # 3 and 5 have none
    for length in (1, 2, 3, 4, 6, 7):
        x = found.point.sel(component="x").values[found.length == length, :length]
        ours = {tuple(np.round(min(np.roll(row, k).tolist() for k in range(length)), 7)) for row in x}
        assert ours == biham_wenzel(length)
    assert not found.stable.any()
    assert (found.unstable == 1).all()
    assert found.multiplier.prod("index").values == pytest.approx((-0.3) ** found.length.values)
    assert float(found.residual.max()) < 1e-14
    assert float(found.error.max()) < 1e-12


def test_a_whole_horseshoe():
    """Beyond (5 + 2 sqrt 5)(1 + b)^2 / 4 each sequence of two symbols is an orbit (Devaney & Nitecki, 1979)."""
    found = periodic_orbits("Henon", 6, a=6, box={"x": (-2, 2), "y": (-0.6, 0.6)})
    assert counts(found) == {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9}


def test_a_folded_map():
    """The cat map has det(A^n - 1) points of period n: 1, 5, 16."""
    cat = System({"x": "mod(2*x + y, 1)", "y": "mod(x + y, 1)"}, {}, {"x": 0.1234567, "y": 0.3456}, kind="map")
    found = periodic_orbits(cat, 3, box={"x": (0, 1), "y": (0, 1)})
    number = counts(found)
    assert (number[1], 2 * number[2], 3 * number[3]) == (1, 5 - 1, 16 - 1)
    golden = (3 + math.sqrt(5)) / 2
    assert np.abs(found.multiplier.values[:, 0]) == pytest.approx(golden**found.length.values)


@pytest.fixture(scope="module")
def lorenz():
    return periodic_orbits("Lorenz", 3, section="z = rho - 1", direction=-1, starts=64)


def test_lorenz_periods_are_those_published(lorenz):
    """Viswanath, Nonlinearity 16, 1035 (2003): AB, and AAB with its mirror image ABB."""
    assert lorenz.length.values.tolist() == [2, 3, 3]
    assert lorenz.period.values == pytest.approx([1.5586522107162, 2.3059072639398, 2.3059072639398], abs=1e-11)
    assert (np.abs(lorenz.period - [1.5586522107162, 2.3059072639398, 2.3059072639398]) <= lorenz.period_error).all()
    multipliers = lorenz.multiplier.values.real
    assert np.log(np.abs(multipliers)).sum(axis=1) == pytest.approx(-(10 + 1 + 8 / 3) * lorenz.period.values, rel=1e-9)
    assert multipliers[0, 0] == pytest.approx(4.71294727, abs=1e-7)
    one, other = (rows[~np.isnan(rows[:, 0])] for rows in lorenz.point.values[1:])
    mirrored = other * [-1, -1, 1]
    assert min(np.abs(np.roll(mirrored, k, axis=0) - one).max() for k in range(3)) < 1e-8


def test_a_path_is_an_orbit(lorenz):
    """Integrated from its first point, the orbit is where the path says; both of its flights last equally long."""
    one = lorenz.isel(orbit=0)
    times, path = one.path_time.values[:257], one.path.values[:257]
    assert times == pytest.approx(float(one.period) * np.arange(257) / 256, abs=1e-10)
    ds = cl.simulate("Lorenz", duration=float(one.period), step=float(one.period) / 256, initial=path[0])
    assert np.abs(ds.state.values[0] - path[:256]).max() < 1e-8
    assert np.abs(path[256] - path[0]).max() < 1e-9


def test_a_limit_cycle_by_formula():
    """r' = r (1 - r^2), turning at w: the circle of radius 1 with period 2 pi / w and multiplier exp(-2 T)."""
    found = periodic_orbits(TURNING, 1, section="y = 0", starts=8)
    assert found.period.values == pytest.approx([math.pi])
    assert found.point.values[0, 0] == pytest.approx([1, 0], abs=1e-9)
    assert found.multiplier.values[0, 0] == pytest.approx(math.exp(-2 * math.pi))
    assert found.stable.values.tolist() == [True]


def test_a_forced_flow_closes_after_whole_rounds():
    found = periodic_orbits("Duffing", 1, section="sin(z) = 0", starts=64)
    assert found.period.values == pytest.approx(np.full(found.sizes["orbit"], 2 * math.pi / 1.4))
    assert found.multiplier.prod("index").real.values == pytest.approx(np.exp(-0.1 * found.period.values), rel=1e-6)
    x = np.sort(found.point.sel(component="x").values[:, 0])
    assert found.sizes["orbit"] >= 3
    section = poincare_section("Duffing", "sin(z) = 0", 2, initial=found.point.values[:, 0])
    assert np.sort(section.state.sel(component="x").values[:, 0]) == pytest.approx(x, abs=1e-5)


def test_a_result_says_how_it_was_made(lorenz, tmp_path):
    assert system_of(lorenz) == cl.load("Lorenz")
    assert lorenz.attrs["surface"] == "z = rho - 1"
    json.dumps(lorenz.attrs)
    lorenz.drop_vars("multiplier").to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(lorenz.drop_vars("multiplier"))
    none = periodic_orbits(System({"x": "x + 1"}, {}, {"x": 0}, kind="map"), 2, starts=16)
    assert none.sizes["orbit"] == 0


@pytest.mark.parametrize(
    ("system", "period", "options", "error", "message"),
    [
        ("MackeyGlass", 1, {}, ValueError, "whole histories"),
        ("Lorenz", 1, {}, ValueError, "through a section; give one"),
        ("Chua", 1, {"section": "x = 0"}, ValueError, "kinks or jumps"),
        ("Henon", 1, {"section": "x = 0"}, ValueError, "leave section out"),
        ("Henon", 0, {}, ValueError, "period must be a whole number"),
        ("Henon", 1, {"box": {"X": (0, 1)}}, ValueError, "Did you mean 'x'"),
        ("Lorenz", 1, {"section": "z = 500"}, ValueError, "did not cross"),
        (3, 1, {}, TypeError, "takes a System or a name"),
    ],
)
def test_a_refusal_says_why(system, period, options, error, message):
    with pytest.raises(error, match=message):
        periodic_orbits(system, period, **options)
