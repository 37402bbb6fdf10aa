"""Bifurcation diagrams: cycles known on paper, hysteresis, gaps, refinement, and scans that were interrupted."""

import math

import numpy as np
import pytest

from chaoslab.invariants import bifurcation, orbit_diagram, poincare_section, refinements
from chaoslab.systems import System
from chaoslab.trajectories import TrajectoryWarning

LOGISTIC = System({"x": "r*x*(1 - x)"}, {"r": 3.9}, {"x": 0.3}, kind="map")
#: r' = r (mu + r^2 - r^4): rest for mu < -1/4, rest and a cycle up to 0, then a cycle alone, of radius^2 = 1/2 + sqrt(1/4 + mu).
HOPF = System(
    {"x": "x*(mu + s - s**2) - y", "y": "y*(mu + s - s**2) + x"},
    {"mu": 0.5},
    {"x": 0.01, "y": 0},
    where={"s": "x**2 + y**2"},
    period=2 * math.pi,
)


def test_logistic_cycles_are_those_on_paper():
    """The fixed point 1 - 1/r, the 2-cycle (1 + r +- sqrt((r - 3)(r + 1))) / 2r."""
    found = orbit_diagram(LOGISTIC, "r", [2.0, 2.8, 3.2, 3.4])
    assert found.period.values.tolist() == [1, 1, 2, 2]
    assert found.value[:2, -1].values == pytest.approx([0.5, 1 - 1 / 2.8])
    r = 3.2
    both = (1 + r + math.sqrt((r - 3) * (r + 1)) * np.array([-1, 1])) / (2 * r)
    assert np.sort(found.value.sel(r=r)[-2:].values) == pytest.approx(both)


def test_windows_have_their_periods():
    """3 from 1 + sqrt(8) on, 5 and 4 at superstable values (May 1976)."""
    found = orbit_diagram("Logistic", "r", [3.8319, 3.73892, 3.96027, 3.9], transient=20_000)
    assert found.sel(r=[3.8319, 3.73892, 3.96027, 3.9]).period.values.tolist() == [3, 5, 4, 0]


def test_maxima_of_a_flow_are_those_of_a_section():
    found = orbit_diagram("Rossler", "c", [3.5, 5.0], points=6, transient=300, tolerance=1e-12, progress=False)
    assert found.attrs["section"] == "maxima of x"
    one = poincare_section("Rossler", "maxima of x", 6, parameters={"c": [3.5]}, transient=300)
    assert np.sort(found.value.sel(c=3.5)) == pytest.approx(np.sort(one.state.sel(component="x")[0]), abs=1e-6)
    assert orbit_diagram("Rossler", "c", [3.5], progress=False).period.item() == 2


def test_up_and_down_differ_where_two_attractors_are():
    values = np.linspace(-0.35, 0.1, 10)
    up = orbit_diagram(HOPF, "mu", values, points=20, follow="up", initial=[0.01, 0], transient=60, progress=False)
    down = orbit_diagram(HOPF, "mu", values, points=20, follow="down", initial=[1.0, 0], transient=60, progress=False)
    radius = np.sqrt(0.5 + np.sqrt(0.25 + values[values > -0.25]))
    between = (values > -0.25) & (values < 0)
    assert (up.status[between] == "rests").all()
    assert (down.status[between] == "ok").all()
    assert down.value[values > -0.25, -1].values == pytest.approx(radius, rel=1e-6)
    assert (down.status[values < -0.25] == "rests").all()


def test_gaps_where_the_motion_escapes_are_said():
    with pytest.warns(TrajectoryWarning, match="escaped at 2 of 4 points, from r = 4.2 to r = 4.5; gaps there"):
        found = orbit_diagram(LOGISTIC, "r", [3.0, 3.9, 4.2, 4.5])
    assert found.status.values.tolist() == ["ok", "ok", "escaped", "escaped"]
    assert np.isnan(found.value[2:]).all()
    assert np.isfinite(found.value[:2]).all()
    with pytest.raises(ValueError, match="escaped at all 2 values of r"):
        orbit_diagram(LOGISTIC, "r", [4.2, 4.5])


def test_a_flow_at_rest_is_a_point_of_the_diagram():
    """Lorenz below rho = 1 rests at 0, then at z = rho - 1."""
    found = orbit_diagram("Lorenz", "rho", [0.5, 5.0, 28.0], component="z", points=20, progress=False)
    assert found.status.values.tolist() == ["rests", "rests", "ok"]
    assert found.value[:2, 0].values == pytest.approx([0, 4], abs=1e-6)
    assert found.period.values.tolist() == [0, 0, 0]


def test_a_surface_that_is_never_crossed():
    with pytest.raises(ValueError, match="did not cross the surface"):
        orbit_diagram("Rossler", "c", [3, 4], section="x = 100", patience=10, progress=False)


def test_refinements_end_in_the_whole():
    values = np.linspace(2.9, 3.9, 21)
    pictures = list(refinements(lambda r: orbit_diagram("Logistic", "r", r, points=30), values, levels=3))
    assert [one.sizes["r"] for one in pictures] == [6, 11, 21]
    assert pictures[-1].identical(orbit_diagram("Logistic", "r", values, points=30))


def test_an_interrupted_scan_keeps_what_it_has(tmp_path, monkeypatch):
    """The second chunk is interrupted; the same call goes on with the store."""
    monkeypatch.setitem(bifurcation.CHUNK, "map", 4)
    values, calls = np.linspace(3, 3.9, 12), []
    iterate = bifurcation.iterate

    def interrupted(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return iterate(*args, **options)

    scan = lambda: orbit_diagram(LOGISTIC, "r", values, points=20, store=tmp_path / "scan.sqlite", workers=0, progress=False)
    monkeypatch.setattr(bifurcation, "iterate", interrupted)
    with pytest.warns(TrajectoryWarning, match="interrupted, 1 of 3 parts are done; the same call goes on from there"):
        part = scan()
    assert part.status.values.tolist() == ["ok"] * 4 + ["not computed"] * 8
    whole = scan()
    assert len(calls) == 4
    assert whole.value.values == pytest.approx(orbit_diagram(LOGISTIC, "r", values, points=20).value.values)
    assert part.value[:4].equals(whole.value[:4])


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("Logistic", "q", [3.0]), {}, "has no parameter 'q'"),
        (("Logistic", "r", []), {}, "finite numbers"),
        (("Logistic", "r", [3.0, 3.0]), {}, "1 are repeated"),
        (("Logistic", "r", [3.0]), {"section": "x = 0"}, "leave section out"),
        (("Logistic", "r", [3.0]), {"component": "y"}, "no component 'y'"),
        (("Logistic", "r", [3.0]), {"follow": "left"}, "follow is 'up' or 'down'"),
        (("Logistic", "r", [3.0]), {"points": 0}, "points must be a whole number"),
        (("MackeyGlass", "tau", [17.0]), {}, "is a delay system"),
    ],
)
def test_what_makes_no_sense_is_said(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        orbit_diagram(*arguments, **options)


def test_too_large_for_memory():
    with pytest.raises(MemoryError, match="ask for fewer"):
        orbit_diagram("Logistic", "r", np.linspace(3, 4, 1000), points=10**10)


def test_once_a_turn_of_a_forcing():
    """x'' = -x - 2 d x' + cos(z): in the long run x = Re[e^{iz} / (1 - w^2 + 2 i d w)], seen where z is a multiple of 2 pi."""
    forced = System(
        {"x": "y", "y": "-x - 2*d*y + cos(z)", "z": "w"},
        {"d": 0.3, "w": 1.3},
        {"x": 0, "y": 0, "z": 0.5},
        observed={"z": "cos(z)"},
        period=2 * math.pi / 1.3,
    )
    w = np.array([0.8, 1.0, 1.3])
    found = orbit_diagram(forced, "w", w, section="sin(z) = 0", points=8, transient=60, progress=False)
    assert found.period.values.tolist() == [1, 1, 1]
    assert found.value[:, -1].values == pytest.approx((1 / (1 - w**2 + 0.6j * w)).real, abs=1e-6)


def test_a_surface_with_a_kink_is_crossed_too():
    options = {"points": 5, "transient": 50, "tolerance": 1e-12, "progress": False}
    kinked = orbit_diagram("Rossler", "c", [3.0, 5.0], section="abs(x) - 1", direction=-1, **options)
    plain = orbit_diagram("Rossler", "c", [3.0, 5.0], section="x**2 - 1", direction=-1, **options)
    assert kinked.value.values == pytest.approx(plain.value.values, abs=1e-6)
