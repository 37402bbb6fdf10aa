"""Explicit Runge-Kutta methods as data: Butcher's tableaux."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction as F
from functools import cache, cached_property

from ..systems.language import suggest


@dataclass(frozen=True)
class Method:
    """An explicit Runge-Kutta method: stage i has the slope at x + h * sum_j rows[i][j] * slope_j and t + h * nodes[i].

    `errors` are the weights of estimates of a step's error: none, one, or two that `_error` combines; the estimate is of
    order h**error_order.
    """

    order: int
    rows: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    errors: tuple[tuple[float, ...], ...] = ()
    error_order: int = 0

    @cached_property
    def nodes(self) -> tuple[float, ...]:
        """When each stage is, as a part of the step."""
        return tuple(math.fsum(row) for row in self.rows)

    @cached_property
    def hands_on(self) -> bool:
        """Whether the last stage's slope is the one at the step's end, with which the next step begins."""
        return self.weights == (*self.rows[-1], 0)


def _method(order, rows, weights, errors=(), error_order=0) -> Method:
    floats = lambda row: tuple(map(float, row))
    return Method(order, tuple(map(floats, rows)), floats(weights), tuple(map(floats, errors)), error_order)


def _dopri5() -> Method:
    """Dormand & Prince, J. Comp. Appl. Math. 6 (1980) 19."""
    rows = [
        (),
        (F(1, 5),),
        (F(3, 40), F(9, 40)),
        (F(44, 45), F(-56, 15), F(32, 9)),
        (F(19372, 6561), F(-25360, 2187), F(64448, 6561), F(-212, 729)),
        (F(9017, 3168), F(-355, 33), F(46732, 5247), F(49, 176), F(-5103, 18656)),
        (F(35, 384), 0, F(500, 1113), F(125, 192), F(-2187, 6784), F(11, 84)),
    ]
    fourth = (F(5179, 57600), 0, F(7571, 16695), F(393, 640), F(-92097, 339200), F(187, 2100), F(1, 40))
    fifth = (*rows[-1], 0)
    return _method(5, rows, fifth, [[a - b for a, b in zip(fifth, fourth, strict=True)]], 5)


def _dop853() -> Method:
    """Dormand & Prince as completed by Hairer, Norsett & Wanner, II.5 and II.10; SciPy keeps the numbers."""
    from scipy.integrate import DOP853

    rows = [row[:k] for k, row in enumerate(DOP853.A)]
    return _method(8, rows, DOP853.B, [DOP853.E5[:-1], DOP853.E3[:-1]], 8)


#: Equal steps are taken by any of these, steps of own length by those that estimate their error.
METHODS: dict[str, Callable[[], Method]] = {
    "euler": lambda: _method(1, [()], [1]),
    "midpoint": lambda: _method(2, [(), [F(1, 2)]], [0, 1]),
    "rk4": lambda: _method(4, [(), [F(1, 2)], [0, F(1, 2)], [0, 0, 1]], [F(1, 6), F(1, 3), F(1, 3), F(1, 6)]),
    "dopri5": _dopri5,
    "dop853": _dop853,
}


@cache
def tableau(name: str) -> Method:
    """A method by its name; raises ValueError with the nearest name for an unknown one."""
    if name not in METHODS:
        raise ValueError(f"{name!r} is not a method.{suggest(str(name), METHODS)} They are {', '.join(METHODS)}")
    return METHODS[name]()
