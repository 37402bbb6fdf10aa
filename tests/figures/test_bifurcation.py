"""Slices over parameters, drawn."""

import numpy as np
import pytest

from chaoslab import figures
from chaoslab.invariants import exponent_map, orbit_diagram

pytestmark = pytest.mark.filterwarnings("ignore::chaoslab.trajectories.TrajectoryWarning")


def test_a_diagram_shows_its_points_and_shades_its_gaps():
    diagram = orbit_diagram("Logistic", "r", [2.9, 3.2, 3.9, 4.2, 4.4], points=50)
    ax = figures.orbit_diagram(diagram)
    [points] = ax.collections
    assert len(points.get_offsets()) == 150
    [gap] = ax.patches
    assert (gap.get_x(), gap.get_x() + gap.get_width()) == pytest.approx((4.05, 4.4))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("r", "x")
    assert ax.get_title() == "Logistic: no short period at 20% of 5 values of r; 2 without a motion"


def test_two_diagrams_share_axes():
    rows = [orbit_diagram("Logistic", "r", [2.8, 2.9], points=4, initial=[start]) for start in (0.2, 0.3)]
    ax = figures.orbit_diagram(rows[0])
    assert figures.orbit_diagram(rows[1], colour="red", ax=ax) is ax
    first, second = (dots.get_facecolor().tolist() for dots in ax.collections)
    assert first != second == [[1.0, 0.0, 0.0, 1.0]]


def test_a_diagram_of_a_flow_with_exponents_beneath():
    c = np.linspace(3, 5, 4)
    diagram = orbit_diagram("Rossler", "c", c, points=10, progress=False)
    ax, below = figures.orbit_diagram(diagram, exponent_map("Rossler", {"c": c}, time=20, progress=False))
    assert ax.get_ylabel() == "maxima of x"
    assert (below.get_xlabel(), below.get_ylabel()) == ("c", "exponent (1/time)")
    assert len(below.lines) == 2


def test_a_map_of_exponents():
    found = exponent_map("Henon", {"a": [1.0, 1.4, 2.0], "b": [0.1, 0.3]}, time=200, progress=False)
    ax = figures.exponent_map(found)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    [mesh] = ax.collections
    low, high = mesh.get_clim()
    assert low == -high
    assert mesh.get_array().mask.sum() == np.isnan(found.exponent).sum() > 0
    assert "no motion at 33%" in ax.get_title()


def test_what_is_no_slice_is_refused():
    with pytest.raises(TypeError, match=r"draws what invariants\.orbit_diagram"):
        figures.orbit_diagram(3)
    with pytest.raises(ValueError, match="a map has two parameters, this has 1"):
        figures.exponent_map(exponent_map("Logistic", {"r": [3.0, 3.9]}, progress=False))
