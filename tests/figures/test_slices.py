"""Basins, periodic orbits, fixed points and cobwebs, drawn."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

import chaoslab as cl
from chaoslab import figures, invariants
from chaoslab.figures.style import COLOURS
from chaoslab.systems import System

LOGISTIC = System({"x": "r*x*(1 - x)"}, {"r": 3.2}, {"x": 0.3}, kind="map")


@pytest.fixture(scope="module")
def henon():
    return invariants.basins("Henon", {"x": np.linspace(-2, 2, 80), "y": np.linspace(-1, 1, 40)}, progress=False)


def test_basins_are_coloured_by_attractor(henon):
    ax = figures.basins(henon)
    mesh = ax.collections[0]
    drawn = mesh.cmap(mesh.norm(mesh.get_array())).reshape(40, 80, 4)
    assert np.allclose(drawn[henon.basin.values.T == 1], to_rgba(COLOURS[0]))
    assert not np.allclose(drawn[henon.basin.values.T == -1], to_rgba(COLOURS[0]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x at the start", "y at the start")
    assert ax.get_title() == "Henon: the basins of 1 attractor and infinity"
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [word.split(":")[0] for word in words] == ["attractor 1", "escaped"]
    assert f"{100 * float(henon.fraction[0]):.1f} %" in words[0]


def test_uncertainty_is_a_line_through_its_points(henon):
    fine = invariants.basins("Henon", {"x": np.linspace(-2, 2, 200), "y": np.linspace(-2, 2, 200)}, progress=False)
    found = invariants.uncertainty_exponent(fine)
    ax = figures.uncertainty(found, title="It falls")
    x, y = ax.lines[-1].get_data()
    assert np.polyfit(np.log(x), np.log(y), 1)[0] == pytest.approx(float(found.value))
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_title()) == ("log", "log", "It falls")
    assert [text.get_text() for text in ax.get_xticklabels()] == [f"{step:g}" for step in found.distance.values]
    low, high = ax.get_ylim()
    assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 2, "less than a decade has labels too"


def test_periodic_orbits_lie_in_the_attractor():
    found = invariants.periodic_orbits("Henon", 4)
    ax = figures.periodic_orbits(found, cl.simulate("Henon", 200))
    assert len(ax.lines) == 1 + found.sizes["orbit"]
    assert ax.lines[0].get_color() == "0.75"
    assert ax.lines[-1].get_xydata()[:4] == pytest.approx(found.point.values[-1, :4])
    assert ax.get_title() == "Henon: 4 periodic orbits, none of them stable"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")


def test_an_orbit_of_a_flow_is_drawn_once_round():
    turning = System({"x": "x*(1 - x**2 - y**2) - y", "y": "y*(1 - x**2 - y**2) + x"}, {}, {"x": 0.9, "y": 0.1}, period=6.28)
    found = invariants.periodic_orbits(turning, 1, section="y = 0", starts=8)
    ax = figures.periodic_orbits(found)
    assert np.hypot(*ax.lines[0].get_data()) == pytest.approx(np.ones(257), abs=1e-6)
    assert "1 of them stable" in ax.get_title()


def test_fixed_points_are_filled_where_stable():
    found = invariants.fixed_points(System({"x": "y", "y": "x - x**3 - 0.2*y"}, {}, {"x": 0.5, "y": 0}, period=5), starts=64)
    ax = figures.fixed_points(found)
    assert np.array([point.get_offsets()[0] for point in ax.collections]) == pytest.approx(np.array([[-1, 0], [0, 0], [1, 0]]))
    filled = [tuple(point.get_facecolors()[0]) != (1, 1, 1, 1) for point in ax.collections]
    assert filled == [True, False, True]
    assert ax.get_title().endswith("3 fixed points, 2 stable")
    with pytest.raises(ValueError, match="no component 'z'"):
        figures.fixed_points(found, components=["x", "z"])


def test_a_cobweb_goes_to_the_graph_and_to_the_diagonal():
    web = invariants.cobweb(LOGISTIC, 0.1, 30)
    ax = figures.cobweb(web)
    x, y = ax.lines[2].get_data()
    assert (x[0], y[0]) == (0.1, 0.1)
    assert x[2::2] == pytest.approx(y[2::2])  # every second corner lies on the diagonal
    assert y[1::2] == pytest.approx(3.2 * x[1::2] * (1 - x[1::2]))
    assert "30 iterations from 0.1" in ax.get_title()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "x one iteration later")


@pytest.mark.parametrize(
    "draw", [figures.basins, figures.uncertainty, figures.periodic_orbits, figures.fixed_points, figures.cobweb]
)
def test_what_is_something_else_is_refused(draw):
    with pytest.raises(TypeError, match=r"draws what invariants\..* returns; list given"):
        draw([1, 2])


def test_a_line_of_starts_is_no_plane():
    found = invariants.basins("Henon", {"x": np.linspace(-1, 1, 5)}, progress=False)
    with pytest.raises(ValueError, match="a plane of two components"):
        figures.basins(found)
