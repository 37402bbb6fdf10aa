"""How many steps of the classical Runge-Kutta method a page needs between two samples."""

import numpy as np

from ..systems import System

#: The error of one sample, in sizes of the motion, that is not seen; and of a stretch of so many steps, at least so many samples.
ACCURATE, STRETCH, SAMPLES, ALONG = 1e-5, 25, 4, 1e-3
#: Steps that are tried.
TRIED = (1, 2, 4, 8, 16, 32, 64)
#: Numbers computed at once, at most, and states kept where the error of one step is largest.
WORK, WORST = 2_000_000, 256


def substeps(system: System, states: np.ndarray, times: np.ndarray, sizes: np.ndarray) -> int | None:
    """The fewest steps a sample (1, 2, 4, ... 64) whose error along the exact orbit is not seen; None where 64 are too few.

    `states` (time, component) are exact samples at evenly spaced `times`, `sizes` those of the observed coordinates. One sample
    is made from every state and compared with the next; then stretches of 25 steps, since a decay too fast for the method
    blows up only after a while.
    """
    step = (times[-1] - times[0]) / (len(times) - 1)
    seen = system.observe(states, times)
    every = max(1, len(states) * system.flat.size // WORK)
    rows = np.arange(0, len(states) - 1, every)
    for steps in TRIED:
        missed = _missed(system, states[rows], times[rows], step, steps, 1, seen[rows + 1], sizes)
        rows = rows[np.argsort(missed)[::-1][:WORST]]
        if not np.max(missed) <= ACCURATE:
            continue
        far = min(max(SAMPLES, STRETCH // steps), len(states) - 1)
        begin = np.linspace(0, len(states) - 1 - far, 64).astype(int)
        if np.max(_missed(system, states[begin], times[begin], step, steps, far, seen[begin + far], sizes)) <= ALONG:
            return steps
    return None


def _missed(system, states, times, step, steps, samples, wanted, sizes) -> np.ndarray:
    """The largest error of each row after some samples, in sizes; infinite where there is no number."""
    h, x, t = step / steps, states, times
    with np.errstate(all="ignore"):
        for _ in range(steps * samples):
            x = runge_kutta(system, x, t, h)
            t = t + h
        missed = (np.abs(system.observe(x, t) - wanted) / sizes).max(axis=1)
    return np.where(np.isfinite(missed), missed, np.inf)


def runge_kutta(system: System, x: np.ndarray, t: np.ndarray, h: float) -> np.ndarray:
    """States (..., component) one classical fourth-order step later."""
    k1 = system.rhs(x, t)
    k2 = system.rhs(x + h / 2 * k1, t + h / 2)
    k3 = system.rhs(x + h / 2 * k2, t + h / 2)
    k4 = system.rhs(x + h * k3, t + h)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
