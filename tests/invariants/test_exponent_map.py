"""Exponents over parameters: known on paper, beside long runs, and gone where the motion is."""

import math

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.invariants import exponent_map
from chaoslab.systems import System
from chaoslab.trajectories import TrajectoryWarning


def test_of_maps_on_paper():
    """ln 2 for the logistic map at r = 4, ln |2 - r| at its fixed point, -inf where it is superstable."""
    found = exponent_map("Logistic", {"r": [2.0, 2.5, 2.9, 4.0]}, time=8000, initial=[0.5 - 1e-3], progress=False)
    assert found.exponent[0] == -math.inf or found.exponent[0] < -10
    assert found.exponent[1:3].values == pytest.approx([math.log(0.5), math.log(0.9)])
    assert abs(found.exponent[3] - math.log(2)) < 4 * found.error[3] + 1e-3
    assert found.error[3] < 0.01


def test_of_a_linear_flow_on_paper():
    """The largest of a and b, whatever the order."""
    system = System({"x": "a*x", "y": "b*y", "z": "-3*z"}, {"a": -1, "b": -2}, {"x": 1, "y": 1, "z": 1}, period=1.0)
    found = exponent_map(system, {"a": [-1.0, -0.5, 0.2], "b": [-2.0, -0.7]}, time=60, transient=0, progress=False)
    assert found.exponent.dims == ("a", "b")
    expected = np.maximum(found.a, found.b).transpose("a", "b")
    assert found.exponent.values == pytest.approx(expected.values, abs=2e-3)


def test_of_flows_beside_long_runs():
    found = exponent_map("Lorenz", {"rho": [10.0, 28.0]}, time=400, progress=False)
    known = cl.largest_exponent("Lorenz", time=1000, progress=False)
    assert abs(found.exponent[1] - known.exponent[0]) < 4 * np.hypot(found.error[1], known.error[0])
    eigenvalues = np.linalg.eigvals(cl.load("Lorenz").with_(rho=10).jacobian([24**0.5, 24**0.5, 9.0]))
    assert found.exponent[0].item() == pytest.approx(eigenvalues.real.max(), abs=0.01)


def test_across_switches():
    found = exponent_map("Chua", {"alpha": [15.6]}, time=60, progress=False)
    known = cl.largest_exponent("Chua", time=200, progress=False)
    assert abs(found.exponent[0] - known.exponent[0]) < 4 * np.hypot(found.error[0], known.error[0])


def test_gone_where_the_motion_is():
    with pytest.warns(TrajectoryWarning, match="escaped at 1 of 2 points, at a = 2, b = 0.3"):
        found = exponent_map("Henon", {"a": [1.4, 2.0], "b": [0.3]}, progress=False)
    assert found.status.values.ravel().tolist() == ["ok", "escaped"]
    assert np.isnan(found.exponent.values[1, 0])
    assert found.exponent.values[0, 0] == pytest.approx(0.419, abs=0.05)
    with pytest.raises(ValueError, match="escaped at all 1 points"):
        exponent_map("Henon", {"a": [2.0]}, progress=False)


def test_in_a_store_it_is_the_same(tmp_path):
    axes = {"a": np.linspace(1.0, 1.4, 5), "b": np.linspace(0.1, 0.3, 4)}
    options = {"time": 200, "progress": False}
    stored = exponent_map("Henon", axes, store=tmp_path / "map.sqlite", workers=0, **options)
    assert stored.identical(exponent_map("Henon", axes, **options))


def test_what_makes_no_sense_is_said():
    for axes, words in (({"q": [1.0]}, "no parameter 'q'"), ({"r": [np.nan]}, "finite numbers")):
        with pytest.raises(ValueError, match=words):
            exponent_map("Logistic", axes)
    with pytest.raises(TypeError, match="axes are values by parameter"):
        exponent_map("Logistic", [3.0])
    with pytest.raises(ValueError, match="too short for an error"):
        exponent_map("Logistic", {"r": [3.0]}, time=5)
    with pytest.raises(ValueError, match="is a delay system"):
        exponent_map("MackeyGlass", {"tau": [17.0]})
