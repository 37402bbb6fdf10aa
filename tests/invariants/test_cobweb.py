"""Cobwebs of maps whose iterates are known."""

import json

import numpy as np
import pytest

from chaoslab.invariants import cobweb
from chaoslab.systems import System

DOUBLING = System({"x": "2*x"}, {}, {"x": 1}, kind="map")
LOGISTIC = System({"x": "r*x*(1 - x)"}, {"r": 4}, {"x": 0.3}, kind="map")


def test_iterates_and_graph():
    web = cobweb(LOGISTIC, 0.2, 8, span=(0, 1))
    angle = np.arcsin(np.sqrt(0.2)) * 2.0 ** np.arange(9)
    assert web.value.values == pytest.approx(np.sin(angle[:-1]) ** 2)
    assert web.next.values == pytest.approx(np.sin(angle[1:]) ** 2)
    assert web.image.values == pytest.approx(4 * web.x.values * (1 - web.x.values))
    assert (web.x[0], web.x[-1]) == (0, 1)
    assert web.attrs["status"] == "ok"
    json.dumps(web.attrs)


def test_after_a_transient_only_the_cycle_is_left():
    web = cobweb(LOGISTIC, 0.2, 10, transient=1000, r=3.2)
    assert len(np.unique(web.value.values.round(10))) == 2
    assert web.step.values[0] == 1000


def test_an_orbit_that_escapes_ends():
    web = cobweb(DOUBLING, 1.0, 100)
    assert web.sizes["step"] == 19  # 2^20 is beyond a million
    assert web.attrs["status"] == "escaped"


@pytest.mark.parametrize(
    ("system", "options", "message"),
    [
        ("Henon", {}, "a map of 2 components"),
        ("Lorenz", {}, "a flow of 3 components"),
        (DOUBLING, {"steps": 0}, "steps must be a whole number"),
        (DOUBLING, {"span": (1, 0)}, "the smaller first"),
        (DOUBLING, {"transient": 2000}, "escapes from 1 at once"),
    ],
)
def test_a_refusal_says_why(system, options, message):
    with pytest.raises(ValueError, match=message):
        cobweb(system, **options)
