"""The slope of a line and its error, where both are known on paper."""

import math

import numpy as np
import pytest

from chaoslab.invariants.cloud import BLOCKS
from chaoslab.invariants.scaling import Line, checked_fit, slope_and_error


def same(curve):
    """A curve that is the same without each block."""
    return np.tile(curve, (1 + BLOCKS, 1))


@pytest.mark.parametrize("count", [4, 5, 13])
def test_a_line_has_its_slope_and_no_error(count):
    along = np.arange(count) + np.random.default_rng(count).random(count) / 2
    slope, error = slope_and_error(along, same(3 - 2 * along))
    assert slope == pytest.approx(-2)
    assert error == pytest.approx(0, abs=1e-12)


def test_a_bend_is_in_the_error():
    """The slopes of x**2 over the thirds of [0, 6] are 2, 6 and 10."""
    along = np.arange(7.0)
    slope, error = slope_and_error(along, same(along**2))
    assert slope == pytest.approx(6)
    assert error == pytest.approx(np.std([2, 6, 10]))


def test_blocks_that_differ_are_in_the_error():
    """Of means of independent blocks the jackknife's error is the standard error of the mean."""
    slopes = np.random.default_rng(0).standard_normal(BLOCKS)
    without = (slopes.sum() - slopes) / (BLOCKS - 1)
    along = np.arange(5.0)
    slope, error = slope_and_error(along, np.r_[slopes.mean(), without][:, None] * along)
    assert slope == pytest.approx(slopes.mean())
    assert error == pytest.approx(slopes.std(ddof=1) / math.sqrt(BLOCKS))


def test_no_line_says_so():
    assert Line(reason="none")[-2:] == ("unresolved", "none")
    assert math.isnan(Line().slope)


@pytest.mark.parametrize("fit", [3, (1,), (1, 2, 3), "ab", ("a", "b"), (-1, 2), (0, math.inf), (math.nan, 1)])
def test_what_is_no_region(fit):
    with pytest.raises((TypeError, ValueError), match=r"fit.*\(start, end\).* given"):
        checked_fit(fit, "(start, end) in time")
