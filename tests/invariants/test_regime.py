"""Regimes of motions whose regime is known."""

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.integrate import TOLERANCE
from chaoslab.invariants.lyapunov import largest_exponent, lyapunov_spectrum
from chaoslab.invariants.regime import REGIMES, regime
from chaoslab.invariants.settling import Orbit, watched
from chaoslab.systems.catalogue import REGIMES as CLAIMS


def flow(equations, state, **options):
    return cl.System(equations, {}, state, **options)


def spring(**more):
    return flow({"x": "v", "v": "-x", **more}, {"x": 1, "v": 0} | dict.fromkeys(more, 0.5))


LORENZ, LOGISTIC = cl.load("Lorenz"), cl.load("Logistic")
#: A logistic map and Lorenz' equations whose parameter glides from chaos to rest, so that it is known when chaos ends.
GLIDING_MAP = cl.System({"x": "r*x*(1 - x)", "r": "2.8 + 0.998*(r - 2.8)"}, {}, {"x": 0.3, "r": 4}, kind="map")
GLIDING = flow(
    {"x": "10*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - 8/3*z", "rho": "-0.02*(rho - 10)"}, {"x": 1, "y": 2, "z": 40, "rho": 60}
)
#: A damped oscillator, driven by two clocks with periods 2 pi and 2 pi / sqrt(2).
DRIVEN = {"x": "v", "v": "-0.2*v - x + sin(p) + sin(q)", "p": "1", "q": "sqrt(2)"}
ANGLES = {"p": "sin(p)", "q": "sin(q)"}


@pytest.mark.parametrize(
    ("system", "time", "expected"),
    [
        (LORENZ, None, "chaotic"),
        (LOGISTIC.with_(r=4, x=0.3), None, "chaotic"),
        (cl.load("Chirikov").with_(k=3), None, "chaotic"),
        (cl.load("HenonHeiles"), None, "chaotic"),
        (cl.load("HyperRossler"), None, "hyperchaotic"),
        (cl.load("FoldedTowel"), None, "hyperchaotic"),
        (cl.load("GeneralisedHenon"), None, "hyperchaotic"),
        (cl.load("Torus"), 3000.0, "quasi-periodic"),
        (cl.load("Circle").with_(k=0.5, omega=0.381966), 2e4, "quasi-periodic"),
        (cl.load("Chirikov").with_(k=0.2, p=2, x=1), 2e4, "quasi-periodic"),
        (flow(DRIVEN, {"x": 1, "v": 0, "p": 0, "q": 0}, observed=ANGLES), 3000.0, "quasi-periodic"),
        (spring(y="w", w="-2*y"), 3000.0, "quasi-periodic"),
    ],
    ids=lambda item: getattr(item, "label", item),
)
def test_what_never_settles(system, time, expected):
    found = regime(system, time=time, progress=False)
    assert found.regime == expected
    assert found.spectrum is not None
    enough = {"chaotic": 1, "hyperchaotic": 2, "quasi-periodic": 0}[expected]
    assert found.evidence["positive"] >= enough
    assert (found.evidence["positive"] > 1) == (enough > 1)


@pytest.mark.parametrize(
    ("system", "period"),
    [
        (LOGISTIC.with_(r=3.2), 2),
        (LOGISTIC.with_(r=3.5), 4),
        (LOGISTIC.with_(r=3.83), 3),
        (cl.load("Circle").with_(k=0.9, omega=0.5), 2),
        (cl.System({"x": "mod(x + 0.3, 1)"}, {}, {"x": 0}, kind="map"), 10),  # rounding moves it across the fold
        (spring(), 2 * np.pi),
        (spring(y="w", w="-9/4*y"), 4 * np.pi),
        (flow({"x": "-x + sin(t)"}, {"x": 1}), 2 * np.pi),
        (flow({"x": "-x + sin(p)", "p": "0.5"}, {"x": 0, "p": 0}), 4 * np.pi),
        (flow({"x": "1 + sin(x)/2"}, {"x": 0}, observed={"x": "mod(x, 2*pi)"}, period=7), 4 * np.pi / np.sqrt(3)),
        (cl.System({"x": "-x(t - tau)"}, {"tau": "pi/2"}, {"x": 1}, kind="delay"), 2 * np.pi),
    ],
    ids=str,
)
def test_the_period_of_a_cycle(system, period):
    found = regime(system, progress=False)
    assert found.regime == "periodic"
    assert found.evidence["period"] == pytest.approx(period, rel=1e-7)


@pytest.mark.parametrize(
    ("system", "low", "high"),
    [
        (LORENZ.with_(rho=350), 0.38, 0.40),
        (LORENZ.with_(rho=100.5), 1.05, 1.15),
        (cl.load("Rossler").with_(c=2.5), 5.7, 5.8),
        (cl.load("MackeyGlass").with_(tau=10), 30, 33),
        # of a small amplitude at first: that differences grow with it is no chaos
        (flow({"x": "y", "y": "0.05*(1 - x**2)*y - x"}, {"x": 1e-6, "y": 0}), 6.283, 6.286),
    ],
    ids=str,
)
def test_cycles_of_nonlinear_flows(system, low, high):
    found = regime(system, progress=False)
    assert found.regime == "periodic"
    assert low < found.evidence["period"] < high


@pytest.mark.parametrize(
    ("system", "eigenvalue"),
    [
        (LORENZ.with_(rho=0.5), (-11 + np.sqrt(121 - 20)) / 2),  # at the origin
        (LORENZ.with_(rho=10), -0.595497),  # of s^3 + 41/3 s^2 + 160/3 s + 480, at the fixed points
        (LOGISTIC.with_(r=2.5), 0.5),  # |2 - r|
        (flow({"x": "-x", "y": "-10000*(y - x)"}, {"x": 1, "y": 0}), -1),  # a slow rest behind a fast one
        (flow({"x": "x - x**3", "y": "-y"}, {"x": 0, "y": 1}), 1),  # along the stable direction of a saddle
    ],
)
def test_rest(system, eigenvalue):
    found = regime(system, progress=False)
    assert found.regime == "fixed point"
    assert found.evidence["eigenvalue"] == pytest.approx(eigenvalue, rel=1e-4)
    assert ("least push" in found.words) == (eigenvalue == 1)


def test_a_delayed_rest():
    assert regime(cl.System({"x": "-x(t - tau)"}, {"tau": 1}, {"x": 1}, kind="delay"), progress=False).regime == "fixed point"


def test_escape():
    henon = regime(cl.load("Henon").with_(a=1.6), progress=False)
    assert (henon.regime, henon.evidence["escaped"] < 20) == ("escaping", True)
    growing = regime(flow({"x": "0.001*x"}, {"x": 1}), progress=False)
    assert growing.regime == "escaping"
    assert growing.evidence["escaped"] == pytest.approx(1000 * np.log(1e12), rel=0.02)  # where a trillion is passed
    late = regime(flow({"x": "x**2"}, {"x": 0.1}), progress=False, transient=20.0)
    assert late.regime == "escaping"
    assert late.evidence["escaped"] == pytest.approx(10)


def test_chaos_that_passes():
    """Its end is known: for rho below 24.06 Lorenz' equations are not chaotic for good, the logistic map not for r below 3.57."""
    found = regime(GLIDING, progress=False)
    assert (found.regime, found.end) == ("transient chaos", "fixed point")
    assert np.log(50 / 14.06) / 0.02 < found.evidence["chaotic until"] < np.log(50 / 5) / 0.02
    found = regime(GLIDING_MAP, progress=False)
    assert (found.regime, found.end) == ("transient chaos", "fixed point")
    assert 200 < found.evidence["chaotic until"] < np.log(0.77 / 1.2) / np.log(0.998) + 20
    assert regime(GLIDING_MAP, transient=500, progress=False).regime == "fixed point"


def test_preturbulence():
    """Lorenz at rho = 22.5 (Kaplan & Yorke 1979): chaos of no fixed length, then one of two fixed points."""
    found = regime(LORENZ.with_(rho=22.5, x=6, y=1, z=20), progress=False)
    assert (found.regime, found.end) == ("transient chaos", "fixed point")
    assert found.evidence["growth"] > 20


def test_chaos_of_a_delay_system():
    found = regime("MackeyGlass", time=6000.0, count=2, progress=False)
    assert found.regime == "chaotic"
    assert abs(found.evidence["exponent 1"] - 0.0055) < 3 * found.evidence["error 1"] + 0.001


@pytest.mark.parametrize(
    ("system", "options", "why"),
    [
        (flow({"x": "1"}, {"x": 0}, period=1), {}, "counts time"),
        (flow({"x": "1 + sin(x)/2"}, {"x": 0}, period=7), {"time": 2000.0}, "`observed`"),
        (flow({"x": "-x + sin(t) + sin(sqrt(2)*t)"}, {"x": 1}), {"time": 3000.0}, "what drives it"),
        (LORENZ, {"time": 5.0}, "too short"),
    ],
)
def test_undecided_says_why(system, options, why):
    found = regime(system, progress=False, **options)
    assert found.regime == "undecided"
    assert why in found.words


def test_exponents_tell_what_the_orbit_has_not_come_to_yet():
    """A slow spiral: x' = -0.01 x - y, y' = x - 0.01 y."""
    spiral = flow({"x": "-0.01*x - y", "y": "x - 0.01*y"}, {"x": 1, "y": 0})
    spectrum = lyapunov_spectrum(spiral, time=2e4, transient=1, progress=False)
    found = regime(spiral, time=400.0, spectrum=spectrum, progress=False)
    assert found.regime == "fixed point"
    assert "on its way to rest" in found.words
    assert regime(spiral, time=400.0, progress=False).regime == "undecided"


def test_a_spectrum_is_reused():
    torus = cl.load("Torus")
    spectrum = largest_exponent(torus, time=2000.0, progress=False)
    found = regime(torus, time=500.0, spectrum=spectrum, progress=False)
    assert found.regime == "undecided"  # one zero exponent is no torus
    assert found.spectrum is spectrum
    with pytest.raises(ValueError, match="the spectrum is of Torus; one of Lorenz is needed"):
        regime("Lorenz", spectrum=spectrum)


def test_evidence_and_words():
    found = regime("Henon", progress=False)
    assert repr(found).splitlines()[0] == "Henon: chaotic"
    assert found.words in repr(found)
    shown, expected = found.spectrum, lyapunov_spectrum("Henon", time=12_500, transient=100_000, progress=False)
    assert shown.exponent.values == pytest.approx(expected.exponent.values)
    assert found.evidence["exponent 1"] == pytest.approx(0.419, abs=4 * found.evidence["error 1"])
    assert all(isinstance(value, int | float) for value in found.evidence.values())


def test_every_claim_of_the_catalogue_is_a_regime():
    assert set(CLAIMS) < set(REGIMES)


@pytest.mark.parametrize(("options", "message"), [({"time": -1}, "time, how long"), ({"transient": -1}, "transient, a time")])
def test_requests_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        regime("Henon", **options)


# --- looks at an orbit ----------------------------------------------------------------------------------------------------


def test_a_cycle_is_told_from_a_close_return():
    """Two springs with periods 1 : 1.0001 come back to within 1e-3 after one turn, and never to within a millionth."""
    close = spring(y="w", w="-1.0002*y")
    look = Orbit(close, 2 * np.pi, TOLERANCE).look(800.0)
    assert not look.rests
    assert not look.recurs
    assert 1e-5 < look.back.distance < 1e-2


def test_the_shortest_period_counts():
    """The third harmonic, a thousand times as large, does not hide the first; without it the period is a third."""
    springs = {"x": "v", "v": "-9*x", "y": "w", "w": "-y"}
    large = flow(springs, {"x": 1000, "v": 0, "y": 1, "w": 0}, observed=dict.fromkeys(springs, "x + y"))
    alone = large.with_(y=0)
    for system, period in ((large, 2 * np.pi), (alone, 2 * np.pi / 3)):
        look = Orbit(system, 2 * np.pi / 3, TOLERANCE).look(200.0)
        assert look.back.period == pytest.approx(period, rel=1e-9)


def test_clocks_and_folds_are_not_watched():
    assert len(watched(cl.load("Circle"))) == 2  # cosine and sine
    assert len(watched(flow({"x": "-x + sin(p)", "p": "1"}, {"x": 0, "p": 0}))) == 1
    assert len(watched(LORENZ)) == 3


def test_a_slow_drift_is_no_cycle():
    """A turn of a spring whose length creeps by 1e-7 of itself comes back closely enough; many turns do not."""
    creeping = spring(y="-3e-8*y")
    look = Orbit(creeping, 2 * np.pi, TOLERANCE).look(1600.0)
    assert look.back.distance > 1e-6
    assert not look.recurs
