"""Estimates with their errors, drawn."""

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab import figures


@pytest.fixture(scope="module")
def spectrum():
    return cl.lyapunov_spectrum("Henon", time=10_000, progress=False)


def test_convergence_ends_in_its_band(spectrum):
    ax = figures.convergence(spectrum, [1, 2])
    assert len(ax.lines) == len(ax.patches) == 2
    for k, (line, band) in enumerate(zip(ax.lines, ax.patches, strict=True), start=1):
        assert line.get_ydata()[-1] == pytest.approx(float(spectrum.exponent.sel(index=k)))
        low, high = band.get_y(), band.get_y() + band.get_height()
        assert high - low == pytest.approx(4 * float(spectrum.error.sel(index=k)))
        assert low < line.get_ydata()[-1] < high
    assert ax.get_xlabel() == "length of the run (iterations)"
    assert ax.get_ylabel() == "exponent (1/iteration)"


def test_convergence_refuses_an_exponent_that_is_not_there(spectrum):
    with pytest.raises(ValueError, match="has no exponent 3; it has 1 to 2"):
        figures.convergence(spectrum, 3)


def test_over_a_parameter_with_errors():
    scan = xr.Dataset({"exponent": ("a", [-1.0, 0.0, 0.5]), "error": ("a", [0.1, 0.2, 0.1])}, {"a": [1.0, 2.0, 3.0]})
    ax = figures.over_parameter(scan, title="It rises")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("a", "exponent", "It rises")
    bars = ax.collections[0].get_segments()
    assert np.ptp(bars[1][:, 1]) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="one axis is drawn"):
        figures.over_parameter(scan.expand_dims(b=[1, 2]))


@pytest.mark.parametrize("draw", [figures.convergence, figures.over_parameter])
def test_what_is_no_estimate_is_refused(draw):
    with pytest.raises(TypeError, match=r"takes a .*; a dataset of exponent given"):
        draw(xr.Dataset({"exponent": ("a", [1.0])}))
    with pytest.raises(TypeError, match="list given"):
        draw([1.0])
