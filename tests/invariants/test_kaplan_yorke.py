"""Dimension, entropy and time from a spectrum."""

import numpy as np
import pytest
import xarray as xr

from chaoslab.invariants.kaplan_yorke import kaplan_yorke_dimension, lyapunov_time, pesin_sum


def spectrum(exponents, errors=None, dimension=None):
    exponents = np.array(exponents, float)
    errors = np.full(len(exponents), 1e-3) if errors is None else np.array(errors, float)
    data = {"exponent": ("index", exponents), "error": ("index", errors), "covariance": (("index", "other"), np.diag(errors**2))}
    return xr.Dataset(data, attrs={"dimension": len(exponents) if dimension is None else dimension})


@pytest.mark.parametrize(
    ("exponents", "dimension", "expected"),
    [
        ([0.906, 0, -14.572], None, 2 + 0.906 / 14.572),
        ([0.419, -1.623], None, 1 + 0.419 / 1.623),
        ([0.5, 0, -0.5], None, 3),
        ([0.2, 0.1], None, 2),
        ([-0.1, -2], None, 0),
        ([0, -2], None, 1),
        ([-1e-3, -2e-3, 1e-3], None, 3),
        ([-1e-3, -0.5], None, 1),
        ([0.15, 0, -np.inf], None, 2),
        ([0.2, 0.1], 5, np.nan),
        ([0.2, 0.1, -0.5], 40, 2 + 0.3 / 0.5),
        ([0.5, 0.2, -0.2, -0.5 - 1e-12], None, 4),
    ],
)
def test_dimension(exponents, dimension, expected):
    found = kaplan_yorke_dimension(spectrum(exponents, dimension=dimension))
    assert float(found.value) == pytest.approx(expected, nan_ok=True)


def test_errors_are_those_of_many_draws():
    rng = np.random.default_rng(0)
    exponents, errors = np.array([0.9, 0.05, -2.0]), np.array([0.01, 0.004, 0.03])
    drawn = exponents + errors * rng.standard_normal((4000, 3))
    values = [float(kaplan_yorke_dimension(spectrum(row)).value) for row in drawn[:1500]]
    one = spectrum(exponents, errors)
    assert float(kaplan_yorke_dimension(one).error) == pytest.approx(np.std(values), rel=0.1)
    assert float(pesin_sum(one).error) == pytest.approx(np.std(drawn[:, :2].sum(axis=1)), rel=0.1)
    assert float(lyapunov_time(one).error) == pytest.approx(np.std(1 / drawn[:, 0]), rel=0.1)


def test_entropy_counts_what_is_clearly_positive():
    assert float(pesin_sum(spectrum([0.9, 0.002, -3], [0.01, 0.001, 0.01])).value) == pytest.approx(0.9)
    assert float(pesin_sum(spectrum([0.9, 0.5, -3])).value) == pytest.approx(1.4)
    assert float(pesin_sum(spectrum([-0.9, -3])).value) == 0
    assert np.isnan(float(pesin_sum(spectrum([0.9, 0.5], dimension=5)).value))


def test_time():
    assert float(lyapunov_time(spectrum([0.5, -3])).value) == 2
    assert np.isnan(float(lyapunov_time(spectrum([0.002, -3])).value))
    assert np.isnan(float(lyapunov_time(spectrum([-0.5, -3])).value))


@pytest.mark.parametrize("function", [kaplan_yorke_dimension, pesin_sum, lyapunov_time])
def test_numbers_without_errors_are_refused(function):
    with pytest.raises(TypeError, match=f"{function.__name__}.* takes a spectrum by lyapunov_spectrum.*; list given"):
        function([0.9, 0.0, -14.6])
