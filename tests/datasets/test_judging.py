"""Known motions get the verdict that is known."""

import pytest

from chaoslab.datasets.judging import Rejected, completed, judge
from chaoslab.invariants import kaplan_yorke_dimension
from chaoslab.systems import System, load


def reason(system: System, **options) -> str:
    with pytest.raises(Rejected) as caught:
        judge(system, lyapunov_times=1000.0, **options)
    return str(caught.value)


def test_lorenz_is_chaotic_after_a_thousand_lyapunov_times():
    found = judge(load("Lorenz"), lyapunov_times=1000.0)
    exponent, error = float(found.spectrum.exponent[0]), float(found.spectrum.error[0])
    assert found.regime == "chaotic"
    assert found.followed * exponent >= 1000
    assert abs(exponent - 0.9056) < 4 * error  # Sprott (2003)
    whole = completed(found.spectrum)
    assert whole.exponent.sum() == pytest.approx(-10 - 1 - 8 / 3, rel=1e-6)
    assert float(kaplan_yorke_dimension(whole).value) == pytest.approx(2.062, abs=0.01)
    assert found.system.period == pytest.approx(load("Lorenz").period, rel=0.05)
    assert found.system.lyapunov_time == pytest.approx(1 / exponent, rel=1e-3)


def test_a_cycle_is_rejected():
    assert reason(load("Rossler").with_(c=2.5)) == "periodic"


def test_a_rest_is_rejected():
    assert reason(load("Lorenz").with_(rho=10)) == "fixed point"


def test_what_escapes_is_rejected():
    flow = System({"x": "-y", "y": "x + 0.01*y*z", "z": "1 - z + 0.01*x**2"}, {}, {"x": 1, "y": 0, "z": 1})
    assert reason(flow) in ("escaping", "spreads")


def test_what_drifts_is_rejected():
    flow = System({"x": "sin(y)*0.1 + 1", "y": "z", "z": "-sin(y) + 0*x"}, {}, {"x": 0, "y": 1, "z": 0})
    assert reason(flow) == "drifts"


def test_chaos_that_passes_is_rejected():
    """Between rho = 13.93 and 24.06 Lorenz's orbits are chaotic for a while, then spiral into a rest (Yorke & Yorke 1979)."""
    lorenz = load("Lorenz").with_(rho=23.6)
    judge(lorenz, lyapunov_times=20.0)  # it takes some time to be found out
    assert reason(lorenz) == "transient chaos"


def test_an_exponent_that_is_hardly_known_is_rejected():
    """At rho = 23.5 the orbit spirals into its rest while the last exponents are taken."""
    with pytest.raises(Rejected, match=r"unsteady|transient chaos"):
        judge(load("Lorenz").with_(rho=23.5), lyapunov_times=20.0)


def test_a_conservative_sea_is_no_attractor():
    assert reason(load("SprottA")) in ("no attractor", "quasi-periodic", "weak chaos")
