"""What is measured while one looks."""

import json

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.systems.catalogue import measurements
from chaoslab.widgets.measuring import measure

KEYS = {"largest_exponent", "exponent_error", "kaplan_yorke", "dimension_error", "regime", "words", "source"}


def test_the_catalogues_own_system_is_not_measured_again():
    found, row = measure(cl.load("Lorenz")), cl.table().loc["Lorenz"]
    assert found["source"] == "the catalogue"
    assert found["largest_exponent"] == row.largest_exponent
    assert found["kaplan_yorke"] == row.kaplan_yorke_dimension
    assert found["regime"] == row.regime


def test_what_the_catalogue_has_measured_is_not_measured_again():
    known = [name for name in cl.names() if "regime" in measurements().get(name, {})]
    assert len(known) > 200
    for name in known:
        found = measure(cl.load(name))
        assert set(found) == KEYS
        assert found["source"] == "the catalogue"
        json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", ["Logistic", "Lorenz"])
def test_another_parameter_is_measured_now(name):
    """The logistic map at r = 4 has ln 2; Lorenz's exponents sum up to -(sigma + 1 + beta) = -41/3, so D = 2 + l/(l + 41/3)."""
    system = cl.load(name).with_(r=4, x=0.3) if name == "Logistic" else cl.load(name).with_(rho=45)
    found = measure(system)
    assert set(found) == KEYS
    assert found["source"] == "now"
    assert found["regime"] == "chaotic"
    if name == "Logistic":
        assert found["largest_exponent"] == pytest.approx(np.log(2), abs=5 * found["exponent_error"] + 1e-3)
    else:
        largest = found["largest_exponent"]
        assert found["kaplan_yorke"] == pytest.approx(2 + largest / (largest + 41 / 3), abs=0.01)
    assert found["exponent_error"] > 0


def test_rest_cycles_and_escapes():
    decay = cl.System({"x": "-x", "y": "-2*y"}, {}, {"x": 1, "y": 1})
    found = measure(decay)
    assert found["regime"] == "fixed point"
    assert found["largest_exponent"] == pytest.approx(-1, abs=0.01)
    cycle = cl.System({"x": "y + x*(1 - x**2 - y**2)", "y": "-x + y*(1 - x**2 - y**2)"}, {}, {"x": 1, "y": 0.2})
    found = measure(cycle)
    assert found["regime"] == "periodic"
    assert found["kaplan_yorke"] == 1
    away = cl.System({"x": "x**2"}, {}, {"x": 1})
    found = measure(away)
    assert found["regime"] == "escaping"
    assert found["largest_exponent"] is found["kaplan_yorke"] is None


def test_a_name_does_not_make_a_system_the_catalogues():
    other = cl.System({"x": "-x"}, {}, {"x": 1}, name="Lorenz")
    assert measure(other)["source"] == "now"
    assert measure(cl.System({"x": "-x"}, {}, {"x": 1}, name="nowhere"), period=1.0)["regime"] == "fixed point"
