"""What colours along a motion stand for: speed, the local exponent; and values as colours."""

import warnings
from collections.abc import Mapping

import numpy as np
import xarray as xr

from ..invariants import finite_time_exponents
from ..invariants.covariant import Unsettled
from ..systems import System
from ..trajectories import DIMS, simulate

COLOURS = ("time", "speed", "exponent")
#: Parts of the values below and above which colours do not change: a burst must not take all colours for itself.
ENDS = (0.02, 0.98)
#: Samples of a flow at which local exponents are found, and at least so many a period.
FOUND, A_PERIOD = 1000, 8
#: Iterations of a map in a window; stretches of so many are followed side by side, each after so many more.
WINDOW, STRETCH, ALIGNING = 10, 200, 100
#: Components times operations from which on local exponents take too long to be a colour.
LARGE = 1000


def colours(values: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Values (time,) as colours from 0 to 1, and the values that these are; a value that is missing counts as 0."""
    known = np.sort(values[np.isfinite(values)])
    if not len(known):
        return np.zeros(len(values), np.float32), (0.0, 0.0)
    low, high = (float(known[round(part * (len(known) - 1))]) for part in ENDS)
    return np.nan_to_num(np.clip((values - low) / ((high - low) or 1.0), 0, 1)).astype(np.float32), (low, high)


def speed(seen: np.ndarray, recipe: Mapping, samples: float) -> np.ndarray:
    """How fast the observed motion (time, component) is at each sample, in sizes of the motion a period."""
    moving = ~np.array(recipe["clocks"])
    if len(seen) < 2 or not moving.any():
        return np.zeros(len(seen))
    rates = np.gradient(seen[:, moving] / np.array(recipe["sizes"])[moving], axis=0)
    return np.sqrt((rates**2).sum(axis=1)) * samples


def local_exponents(system: System, states: np.ndarray, step: float, start: float, period: float) -> np.ndarray | None:
    """The largest finite-time exponent from each exact sample (time, component) on, over a period, of a map 10 iterations.

    Of a long flow they are found at fewer samples, with straight lines between. A sample that has none, since differences have
    not yet turned to where they belong, takes its neighbour's. None for delay systems, large ones and short motions, and where
    no sample has one.
    """
    if system.kind == "delay" or system.dimension * system.flat.size > LARGE:
        return None
    every = 1 if system.kind == "map" else max(1, min(len(states) // FOUND, round(period / step / A_PERIOD)))
    rows, window = states[::every], WINDOW if system.kind == "map" else period
    if len(rows) < 3 + window / (step * every):
        return None
    found = _of_map(system, rows) if system.kind == "map" else _along(system, rows[None], step * every, start, window)[0]
    known = np.flatnonzero(np.isfinite(found))
    return np.interp(np.arange(len(states)), known * every, found[known]) if len(known) else None


def _of_map(system: System, states: np.ndarray) -> np.ndarray:
    """Those of a map (time,): stretches are members, each of which begins a little before, so that differences have turned."""
    length = min(STRETCH + ALIGNING, len(states))
    begins = [*range(0, len(states) - length, STRETCH), len(states) - length]
    found = np.full(len(states), np.nan)
    parts = _along(system, np.stack([states[k : k + length] for k in begins]), 1.0, 0.0, WINDOW)
    for k, part in zip(begins, parts, strict=True):
        skipped = ALIGNING if k else 0
        found[k + skipped : k + length] = part[skipped:]
    return found


def _along(system: System, states: np.ndarray, step: float, start: float, window: float) -> np.ndarray:
    """Finite-time exponents (member, time) along given states (member, time, component)."""
    like = simulate(system, duration=states.shape[1] * step, step=step, initial=states[:, 0])
    ds = like.drop_vars("observed", errors="ignore").assign(state=xr.Variable(DIMS, states))
    ds = ds.assign_coords(time=ds["time"] + start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Unsettled)  # they take their neighbours' value then
        return finite_time_exponents(ds, duration=window, progress=False).values
