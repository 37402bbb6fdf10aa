"""Solutions of polynomial equations that can be counted, sharp ones and double ones, beside one another."""

import numpy as np
import pytest

from chaoslab.integrate.roots import solutions
from chaoslab.systems import System


def solved(equations, low=-3, high=3, count=512, kind="flow"):
    system = System(equations, {}, dict.fromkeys(equations, 0.1), kind=kind)
    starts = low + (high - low) * np.random.default_rng(0).random((count, len(equations)))
    return solutions(system, starts, np.full(len(equations), float(high - low)))


def test_a_grid_of_nine():
    found = solved({"x": "x**3 - x", "y": "y**3 - y"})
    expected = [[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)]
    assert np.abs(found.points - expected).max() < 1e-15
    assert (np.abs(found.points - expected) <= found.errors + 1e-300).all()
    assert found.isolated.all()
    assert 500 < found.starts.sum() <= 512


def test_a_map_stays_where_it_takes_a_state_to_itself():
    found = solved({"x": "x**2 - 1", "y": "x"}, kind="map")
    golden = (1 + 5**0.5) / 2
    assert found.points == pytest.approx(np.array([[1 - golden, 1 - golden], [golden, golden]]), abs=1e-14)


def test_the_error_covers_the_truth_of_ill_conditioned_ones():
    """Wilkinson's kind of polynomial: the roots 1 to 8, known the worse the more neighbours they have."""
    found = solved({"x": "*".join(f"(x - {k})" for k in range(1, 8)) + "*(x - 8)"}, 0, 9)
    assert (np.abs(found.points[:, 0] - np.arange(1, 9)) <= found.errors[:, 0]).all()
    expanded = np.poly(np.arange(1, 9)).astype(int)
    found = solved({"x": " + ".join(f"({c})*x**{8 - k}" for k, c in enumerate(expanded))}, 0, 9)
    assert len(found.points) == 8
    assert (np.abs(found.points[:, 0] - np.arange(1, 9)) <= found.errors[:, 0]).all()
    condition = [np.prod(k + np.arange(1, 9)) / np.prod(np.delete(np.abs(k - np.arange(1, 9)), k - 1)) for k in range(1, 9)]
    assert (found.errors[:, 0] < 200 * np.finfo(float).eps * np.array(condition)).all()


def test_double_ones_are_one_and_isolated():
    found = solved({"x": "(x - 1)**2*(x + 2)", "y": "y + x"})
    assert found.points == pytest.approx(np.array([[-2, 2], [1, -1]]), abs=1e-6)
    assert found.isolated.all()


def test_a_line_of_them_is_not_isolated_and_others_beside_it_are():
    found = solved({"x": "x*(y - 1)", "y": "y*(y - 1)*(y + 2)"})
    alone = found.points[found.isolated]
    assert alone == pytest.approx(np.array([[0, -2], [0, 0]]), abs=1e-12)
    assert found.points[~found.isolated][:, 1] == pytest.approx(np.ones((~found.isolated).sum()), abs=1e-7)


def test_no_solution_and_no_value():
    assert len(solved({"x": "1 + x**2"}).points) == 0
    assert len(solved({"x": "sqrt(-1 - x**2)"}).points) == 0
