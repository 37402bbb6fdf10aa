"""A closer look confirms what is chaotic and finds out what is not."""

from dataclasses import replace

import pytest

import chaoslab as cl
from chaoslab.datasets import Discovery, Found, audit
from chaoslab.systems import System


def of(*systems: System) -> Discovery:
    rows = [
        Found(system.definition(), "parameters", "chaotic", (1 / time, 0.0), (0.0, 0.0), 2.0, 0.0, 100.0, (), 0, number)
        for number, (system, time) in enumerate(systems)
    ]
    return Discovery(tuple(rows), {}, {"lyapunov_times": 20.0})


def test_chaos_is_confirmed_and_a_cycle_is_not():
    rossler = cl.load("Rossler")
    cycle = replace(rossler.with_(c=2.5), name="cycle", period=5.7)
    found = audit(of((rossler, rossler.lyapunov_time), (cycle, 10.0)), 2, workers=0, progress=False)
    assert found.chaotic.values.tolist() == [True, False]
    assert found.verdict.values.tolist() == ["chaotic", "periodic"]
    assert abs(float(found.exponent[0]) - 0.0714) < 4 * float(found.error[0])
    assert float(found.zero_one[0]) > 0.9
    assert float(found.share) == 0.5
    # Clopper and Pearson's interval for 1 of 2
    assert float(found.low) == pytest.approx(0.0126, abs=1e-4)
    assert float(found.high) == pytest.approx(0.9874, abs=1e-4)


def test_more_than_there_are_cannot_be_audited():
    with pytest.raises(ValueError, match="there are 1 systems"):
        audit(of((cl.load("Lorenz"), 1.1)), 2)
    with pytest.raises(TypeError, match="what discover"):
        audit([], 1)
