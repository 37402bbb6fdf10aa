"""Period doublings: values known in closed form, and Feigenbaum's constant."""

import math

import pytest

from chaoslab.invariants import orbit_diagram, period_doublings
from chaoslab.systems import System


def test_feigenbaums_constant_from_the_logistic_map():
    """r = 3, 1 + sqrt(6), and 3.5440903..., 3.5644073... (Feigenbaum 1978)."""
    found = period_doublings("Logistic", "r", 2.8, 4.0, count=8)
    assert found.value[:2].values == pytest.approx([3, 1 + math.sqrt(6)], abs=1e-10)
    assert found.value[2:4].values == pytest.approx([3.5440903596, 3.5644072661], abs=1e-9)
    assert found.period.values.tolist() == [2**k for k in range(8)]
    assert abs(found.feigenbaum - 4.669201609) < 0.02
    assert abs(found.feigenbaum - 4.669201609) < 2 * found.feigenbaum_error


def test_henon_doubles_where_it_does_on_paper():
    """The fixed point at a = 3 (1 - b)^2 / 4, its 2-cycle at (1 - b)^2 + (1 + b)^2 / 4."""
    found = period_doublings("Henon", "a", 0.2, 1.2, count=2)
    assert found.value.values == pytest.approx([3 * 0.7**2 / 4, 0.7**2 + 1.3**2 / 4], abs=1e-9)


def test_rossler_doubles_between_the_periods_of_its_diagram():
    found = period_doublings("Rossler", "c", 2.5, 5.0, count=2)
    for value, period in zip(found.value.values, found.period.values, strict=True):
        sides = orbit_diagram("Rossler", "c", [value - 0.03, value + 0.03], points=64, transient=800, progress=False)
        assert sides.period.values.tolist() == [period, 2 * period]


def test_also_downwards():
    """x -> r - x^2 in the mirror: doubles at r = 3/4, that is at -3/4 on the way down."""
    system = System({"x": "-s - x**2"}, {"s": -0.5}, {"x": 0.1}, kind="map")
    found = period_doublings(system, "s", -0.5, -1.35, count=2)
    assert found.value.values == pytest.approx([-0.75, -1.25], abs=1e-10)


def test_what_is_not_found_is_said():
    with pytest.raises(ValueError, match=r"not periodic at r = 3.9"):
        period_doublings("Logistic", "r", 3.9, 4.0)
    with pytest.raises(ValueError, match=r"does not double before r = 2.9"):
        period_doublings("Logistic", "r", 2.5, 2.9)
    found = period_doublings("Logistic", "r", 2.8, 3.4, count=3)
    assert found.sizes["doubling"] == 1
    assert "of period 2 does not double before r = 3.4" in found.attrs["reason"]
