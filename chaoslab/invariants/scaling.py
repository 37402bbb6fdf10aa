"""A slope read where a curve is a line: the line, and an error that knows of the curve's errors and of its bends."""

import math
from typing import NamedTuple

import numpy as np

from ..trajectories.grid import positive
from .cloud import jackknife


class Line(NamedTuple):
    """The slope, its error, and the ends of the region it was taken from; why not, where it was not."""

    slope: float = math.nan
    error: float = math.nan
    start: float = math.nan
    end: float = math.nan
    status: str = "unresolved"
    reason: str = ""


def slope_and_error(along: np.ndarray, curves: np.ndarray) -> tuple[float, float]:
    """The least-squares slope of a curve (of all, and without each block; point), four points at least, and its standard error.

    The error joins the jackknife over blocks with the spread of the slopes of three thirds of the points.
    """

    def slopes(first: int, last: int) -> np.ndarray:
        centred = along[first : last + 1] - along[first : last + 1].mean()
        return curves[:, first : last + 1] @ centred / (centred @ centred)

    last = len(along) - 1
    third = last // 3
    thirds = [slopes(first, first + third)[0] for first in (0, (last - third) // 2, last - third)]
    slope = slopes(0, last)
    return float(slope[0]), math.hypot(float(jackknife(slope)), float(np.std(thirds)))


def checked_fit(fit, what: str) -> tuple[float, float]:
    """The two ends of a region that was asked for, `what` they are in words."""
    if np.shape(fit) != (2,):
        raise ValueError(f"fit is {what}; {fit!r} given")
    low, high = (positive(each, f"fit, {what}: each end", zero=True) for each in fit)
    return low, high
