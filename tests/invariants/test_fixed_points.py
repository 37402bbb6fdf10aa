"""Fixed points and eigenvalues by formula: Lorenz, Rossler, Henon, wells and pendula, none at all, and whole circles."""

import json
import math

import numpy as np
import pytest
import xarray as xr

from chaoslab.invariants import fixed_points
from chaoslab.systems import System

WELLS = System({"x": "y", "y": "-delta*y + x - x**3"}, {"delta": 0.2}, {"x": 0.5, "y": 0}, period=5)


def eigenvalues(found, k):
    return np.sort_complex(found.eigenvalue.values[k])


@pytest.mark.parametrize("rho", [0.5, 5, 28, 400])
def test_lorenz(rho):
    """The origin, and beyond rho = 1 the pair x = y = +-sqrt(beta (rho - 1)), z = rho - 1."""
    found = fixed_points("Lorenz", rho=rho, starts=256)
    far = math.sqrt(8 / 3 * (rho - 1)) if rho > 1 else 0.0
    expected = [[-far, -far, rho - 1], [0, 0, 0], [far, far, rho - 1]] if rho > 1 else [[0, 0, 0]]
    assert np.abs(found.point.values - expected).max() <= 1e-12 * max(rho, 1)
    assert (np.abs(found.point.values - expected) <= found.error.values + 1e-300).all()
    root = math.sqrt(81 + 40 * rho)
    assert eigenvalues(found, len(expected) // 2).real == pytest.approx(sorted([-8 / 3, (-11 - root) / 2, (-11 + root) / 2]))
    if rho > 1:
        cubic = np.roots([1, 10 + 1 + 8 / 3, 8 / 3 * (10 + rho), 2 * 8 / 3 * 10 * (rho - 1)])
        assert eigenvalues(found, 0) == pytest.approx(np.sort_complex(cubic))
        assert eigenvalues(found, 2) == pytest.approx(np.sort_complex(cubic))
    kinds = {0.5: ["node"], 5: ["focus", "saddle", "focus"], 28: ["saddle-focus", "saddle", "saddle-focus"]}
    assert found.kind.values.tolist() == kinds.get(rho, kinds[28])
    assert found.stable.values.tolist() == {0.5: [True], 5: [True, False, True]}.get(rho, [False] * 3)
    assert found.unstable.values.tolist() == {0.5: [0], 5: [0, 1, 0]}.get(rho, [2, 1, 2])
    assert found.attrs["arrived"] == found.starts.sum()


def test_rossler():
    found = fixed_points("Rossler", starts=256)
    root = math.sqrt(5.7**2 - 4 * 0.2 * 0.2)
    for k, x in enumerate([(5.7 - root) / 2, (5.7 + root) / 2]):
        assert np.abs(found.point.values[k] - [x, -x / 0.2, x / 0.2]).max() < 1e-12
    assert found.kind.values.tolist() == ["saddle-focus"] * 2
    assert found.unstable.values.tolist() == [2, 1]


def test_henon():
    found = fixed_points("Henon", starts=256)
    root = math.sqrt(0.7**2 + 4 * 1.4)
    for k, x in enumerate([(-0.7 - root) / 2.8, (-0.7 + root) / 2.8]):
        assert found.point.values[k] == pytest.approx([x, 0.3 * x], abs=1e-14)
        half = -1.4 * x
        assert found.eigenvalue.values[k].real == pytest.approx(
            sorted([half + math.sqrt(half**2 + 0.3), half - math.sqrt(half**2 + 0.3)], key=abs, reverse=True)
        )
    assert found.kind.values.tolist() == ["saddle", "saddle"]


def test_a_double_well():
    found = fixed_points(WELLS, starts=128)
    assert found.point.values == pytest.approx(np.array([[-1, 0], [0, 0], [1, 0]]), abs=1e-15)
    assert found.kind.values.tolist() == ["focus", "saddle", "focus"]
    assert fixed_points(WELLS, delta=0, starts=128).kind.values.tolist() == ["centre", "saddle", "centre"]
    assert fixed_points(WELLS, delta=5, starts=128).kind.values.tolist() == ["node", "saddle", "node"]
    assert fixed_points(WELLS, delta=-0.2, starts=128).stable.values.tolist() == [False] * 3


def test_only_those_in_the_box():
    found = fixed_points(WELLS, {"x": (0.5, 3)}, starts=128)
    assert found.point.values == pytest.approx(np.array([[1, 0]]), abs=1e-15)
    assert found.attrs["outside"] == 2
    pendulum = System({"x": "y", "y": "-sin(x)"}, {}, {"x": 1, "y": 0}, period=6)
    found = fixed_points(pendulum, {"x": (-7, 10), "y": (-1, 1)}, starts=512)
    assert found.point.sel(component="x").values == pytest.approx(math.pi * np.arange(-2, 4), abs=1e-12)
    assert found.kind.values.tolist() == ["centre", "saddle"] * 3


@pytest.mark.parametrize(
    ("slope", "kind", "stable"),
    [(0.5, "node", True), (-0.5, "node", True), (1.5, "node", False), (-2, "node", False), (-1, "non-hyperbolic", False)],
)
def test_a_line_as_a_map(slope, kind, stable):
    """x -> a x + 1 stays at 1/(1 - a)."""
    found = fixed_points(System({"x": "a*x + 1"}, {"a": slope}, {"x": 0.1}, kind="map"), starts=32)
    assert found.point.values == pytest.approx(np.array([[1 / (1 - slope)]]))
    assert found.eigenvalue.values[0, 0] == pytest.approx(slope)
    assert found.kind.values.tolist() == [kind]
    assert found.stable.values.tolist() == [stable]


def test_turning_maps():
    turn = System(
        {"x": "r*(cos(a)*x - sin(a)*y)", "y": "r*(sin(a)*x + cos(a)*y)"}, {"r": 0.9, "a": 1}, {"x": 1, "y": 0}, kind="map"
    )
    assert fixed_points(turn, starts=32).kind.values.tolist() == ["focus"]
    assert fixed_points(turn, starts=32, r=1).kind.values.tolist() == ["centre"]


def test_none_at_all():
    """A forcing's phase never rests; x' = 1 + x^2 has no zero."""
    forced = fixed_points("Duffing")
    assert forced.sizes["point"] == 0
    assert "z grows at the constant rate 1.4" in forced.attrs["reason"]
    none = fixed_points(System({"x": "1 + x**2"}, {}, {"x": -1}, period=1), starts=64)
    assert none.sizes == {"point": 0, "component": 1, "index": 1}
    assert "of 98 led to a fixed point" in none.attrs["reason"]
    assert none.attrs["arrived"] == 0


@pytest.mark.parametrize("mu", [1e-2, 1e-6, 1e-10])
def test_two_points_near_the_fold_where_they_are_born(mu):
    fold = System({"x": "x**2 - mu", "y": "-y"}, {"mu": mu}, {"x": -1, "y": 1}, period=1)
    found = fixed_points(fold, starts=256)
    root = math.sqrt(mu)
    assert np.abs(found.point.values[:, 0] - [-root, root]).max() < 1e-15
    assert (np.abs(found.point.values[:, 0] - [-root, root]) <= found.error.values[:, 0] + 1e-18).all()
    assert found.stable.values.tolist() == [True, False]


def test_at_the_fold_itself_there_is_one_without_an_error():
    found = fixed_points(System({"x": "x**2", "y": "-y"}, {}, {"x": -1, "y": 1}, period=1), starts=256)
    assert found.sizes["point"] == 1
    assert np.abs(found.point.values).max() < 1e-6
    assert found.kind.values.tolist() == ["non-hyperbolic"]
    assert found.isolated.values.tolist() == [True]
    assert np.isnan(found.error.values[0, 0])


def test_where_a_derivative_has_no_value():
    """x -> sqrt(x) stays at 0, where its slope is infinite, and at 1, where it is 1/2."""
    found = fixed_points(System({"x": "sqrt(x)"}, {}, {"x": 0.5}, kind="map"), starts=32)
    assert found.point.values == pytest.approx(np.array([[0], [1]]), abs=1e-15)
    assert found.kind.values.tolist() == ["no linearisation", "node"]
    assert np.isnan(found.eigenvalue.values[0]).all()
    assert found.eigenvalue.values[1, 0] == pytest.approx(0.5)


def test_a_circle_of_fixed_points_is_said_to_be_one():
    circle = System({"x": "x*(1 - x**2 - y**2)", "y": "y*(1 - x**2 - y**2)"}, {}, {"x": 0.5, "y": 0.1}, period=1)
    found = fixed_points(circle, {"x": (-2, 2), "y": (-2, 2)}, starts=512)
    assert "not isolated" in found.attrs["reason"]
    loose = found.point.values[~found.isolated.values]
    assert 1 < len(loose) <= 40
    assert np.hypot(*loose.T) == pytest.approx(np.ones(len(loose)), abs=1e-6)
    assert found.point.values[found.isolated.values].tolist() == [[0, 0]]


def test_many_sites():
    """x_i = F is a fixed point of Lorenz-96 at any size."""
    found = fixed_points("Lorenz96", starts=16)
    assert np.abs(found.point.values - 8).max(axis=1).min() < 1e-12


def test_a_result_says_how_it_was_made_and_can_be_stored(tmp_path):
    found = fixed_points("Lorenz", starts=64)
    assert {"tried", "arrived", "outside", "box", "rng", "version", "reason", "method"} <= set(found.attrs)
    json.dumps(found.attrs)
    assert fixed_points("Lorenz", starts=64).identical(found)
    found.drop_vars("eigenvalue").to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found.drop_vars("eigenvalue"))


@pytest.mark.parametrize(
    ("system", "box", "options", "error", "message"),
    [
        ("MackeyGlass", None, {}, ValueError, "infinitely many eigenvalues"),
        (System({"x": "sin(t) - x"}, {}, {"x": 0}), None, {}, ValueError, "depend on time itself"),
        (3, None, {}, TypeError, "takes a System or a name"),
        ("Lorenz", {"X": (0, 1)}, {}, ValueError, "no component 'X'. Did you mean 'x'"),
        ("Lorenz", {"x": (1, 0)}, {}, ValueError, "two numbers, the smaller first"),
        ("Lorenz", None, {"starts": 0}, ValueError, "starts must be a whole number"),
        ("Lorenz", None, {"rh": 3}, ValueError, "Did you mean 'rho'"),
    ],
)
def test_a_refusal_says_why(system, box, options, error, message):
    with pytest.raises(error, match=message):
        fixed_points(system, box, **options)
