"""How fast neighbours part: a quick, crude measure of chaos that needs nothing but `solve`."""

import math

import numpy as np

from chaoslab.integrate import iterate, solve
from chaoslab.integrate.past import sampled
from chaoslab.systems import System

#: The first distance of twins, over the size of the motion in each component.
APART = 1e-8
#: A difference larger than this is no longer small; the round is taken again, at half its length.
SMALL = 1e-3
#: e-folds by which a difference must grow before the motion counts as chaotic, and the periods it may take. A regular motion's
#: differences grow like time: log(5000) is 8.5, and a strong shear may add 4.
ENOUGH, LONGEST = 30.0, 5000
#: Points at which a delay system's past is taken.
PAST = 801


def growth(system: System, state: np.ndarray, unit: float, spread: np.ndarray, pairs: int = 2) -> tuple[float, float]:
    """Natural logarithm of the mean growth of a small difference from `state` (component,), and the time it took.

    Benettin's method: twins are put back to the first distance after rounds of at most 16 units. Ends where the difference has
    grown by ENOUGH e-folds, or after LONGEST units. `unit` is the dominant period, or one iteration; `spread` (component,) the
    size of the motion in each component. A delay system's twins differ in all their past.
    """
    rng = np.random.default_rng(3)
    base = np.tile(_whole(system, state), (pairs, 1))
    scale = np.tile(spread, base.shape[1] // len(spread))
    error = np.repeat(rng.standard_normal((pairs, len(spread))), base.shape[1] // len(spread), axis=0).reshape(base.shape)
    error /= np.linalg.norm(error, axis=1, keepdims=True)
    folds, elapsed, units = 0.0, 0, 1
    least = 1 if system.kind != "delay" else math.ceil(1.01 * system.lags.max() / unit)
    units = max(units, least)
    while folds < ENOUGH and elapsed < LONGEST:
        ends = _after(system, np.concatenate([base, base + APART * error * scale]), units * unit)
        difference = (ends[pairs:] - ends[:pairs]) / scale
        size = np.linalg.norm(difference, axis=1)
        if not np.isfinite(size).all():
            raise AssertionError(f"{system.label} leaves within {elapsed + units} periods of the state {state}")
        if size.max() > SMALL and units > least:
            units = max(least, units // 2)
            continue
        folds += float(np.log(size / APART).mean())
        base, error, elapsed = ends[:pairs], difference / size[:, None], elapsed + units
        units = min(2 * units, 16) if size.max() < SMALL / 100 else units
    return folds, elapsed * unit


def _whole(system: System, state: np.ndarray) -> np.ndarray:
    """All that the future depends on, in one row: the state, or the past of a delay system at rest there."""
    return np.tile(state, PAST) if system.kind == "delay" else np.asarray(state, float)


def _after(system: System, rows: np.ndarray, time: float) -> np.ndarray:
    """Where rows of `_whole` go in some time."""
    if system.kind == "map":
        return iterate(system, rows, 1, skip=round(time)).states[:, -1]
    if system.kind == "flow":
        return solve(system, rows, np.array([0.0, time]), many=False).states[:, -1]
    reach = float(system.lags.max())
    grid = np.linspace(-reach, 0, PAST)
    pasts = [sampled(grid, row.reshape(PAST, -1), reach) for row in rows]
    return solve(system, pasts, time + grid).states.reshape(len(rows), -1)
