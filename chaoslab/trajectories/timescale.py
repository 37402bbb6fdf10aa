"""The dominant period: the middle of the octave that holds most of the variance."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..integrate import solve
from ..systems import System
from ..systems.tree import walk

METHOD = "centre of the octave-wide band with the largest variance, standardised observed components"
#: Samples, periods and blocks of the quick estimate that `simulate` makes for a new system.
QUICK = {"samples": 16384, "periods": 200, "blocks": 8}
#: The band is a Gaussian in log frequency of this deviation, an octave wide at half its height. Narrower bands jump between
#: the lines of a spectrum from one stretch of an orbit to the next; wider ones blur neighbouring humps.
WIDTH = 0.3
#: Tries to find a duration that holds about the wanted number of periods.
TRIES = 12
#: A pure line is misplaced by about this part of its frequency, times the square of (blocks / periods); measured on sines.
MISPLACED = 0.2
SOLVER_TOLERANCE = 1e-9


class Period(NamedTuple):
    """The dominant period and its standard error (jackknife over blocks, and the spectrum's own width), in the system's time."""

    value: float
    error: float


class NoPeriod(ValueError):
    """A motion without an oscillation that could set a time scale."""


def dominant_period(system: System, *, samples: int | None = None, periods: int | None = None, blocks: int | None = None) -> Period:
    """The middle of the octave that holds most of the variance, along the orbit from the system's own state.

    The spectrum is Welch's (Hann window), of the observed coordinates, each standardised; the phase of a forcing counts
    where it is observed as a sine or cosine, and is left out where it just grows. A map's period is one iteration. Raises
    NoPeriod where the motion escapes, rests or drifts.
    """
    if system.kind == "map":
        return Period(1.0, 0.0)
    settings = QUICK | {k: v for k, v in {"samples": samples, "periods": periods, "blocks": blocks}.items() if v is not None}
    return _dominant_period(system, **settings)


@lru_cache(maxsize=512)
def _dominant_period(system: System, samples: int, periods: int, blocks: int) -> Period:
    flat = system.flat
    seen, states = flat.observed or flat.variables, set(flat.inputs) - set(flat.parameters)
    moving = [k for k, tree in enumerate(flat.rhs) if seen[k] is not flat.variables[k] or not states.isdisjoint(walk(tree))]
    if not moving:
        raise NoPeriod(f"every component of {system.label} grows at a constant rate")
    duration, coarse = 100 * _scale(system), min(samples, 4096)
    for _ in range(TRIES):
        found = peak(*spectrum(_series(system, duration, coarse, moving), duration, 4))
        if 0.5 * periods < duration / found < 2 * periods or coarse == samples:
            break
        duration = float(np.clip(periods * found, duration / 30, duration * 30))
    frequency, power = spectrum(_series(system, periods * found, samples, moving), periods * found, blocks)
    value = peak(frequency, power)
    without = [peak(frequency, np.delete(power, k, axis=0)) for k in range(len(power))]
    error = math.sqrt((len(power) - 1) / len(power) * float(np.sum((np.array(without) - value) ** 2)))
    return Period(value, math.hypot(error, value * MISPLACED * (blocks * value / (periods * found)) ** 2))


def _scale(system: System) -> float:
    """A first guess at the time unit: how long the state takes to change by its own size."""
    state = np.abs(system.initial)
    speed = np.abs(system.rhs(system.initial))
    if not np.isfinite(speed).all():
        raise NoPeriod(f"the right-hand side of {system.label} is not finite at its state {system.initial}")
    return float(np.clip(np.max(state + 1e-3) / (np.max(speed) + 1e-12), 1e-6, 1e6))


def _series(system: System, duration: float, samples: int, moving: list[int]) -> np.ndarray:
    times = np.arange(samples) * (duration / samples)
    solution = solve(system, system.initial[None], times, tolerance=SOLVER_TOLERANCE)
    if solution.status[0] != "ok":
        raise NoPeriod(f"{system.label} {solution.status[0]} at t = {solution.ended[0]:.6g}, before a period could be found")
    series = system.observe(solution.states[0])[:, moving]
    spread = series.std(axis=0)
    varied = spread > 1e-6 * np.maximum(np.abs(series).max(axis=0), 1e-12)
    # a series that ends where few samples lie has drifted away, or come to rest
    half = len(series) // 2
    if not varied.any() or (series[half:].std(axis=0)[varied] < 1e-4 * spread[varied]).all():
        raise NoPeriod(f"{system.label} comes to rest, so it has no period")
    return (series[:, varied] - series[:, varied].mean(axis=0)) / spread[varied]


def spectrum(series: np.ndarray, duration: float, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and the power of each of `blocks` pieces (Hann window), summed over components."""
    length = len(series) // blocks
    window = np.hanning(length)[:, None]
    pieces = series[: blocks * length].reshape(blocks, length, -1)
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(pieces * window, axis=1)) ** 2).sum(axis=2)
    frequency = np.fft.rfftfreq(length, duration / len(series))
    return frequency[1:], power[:, 1:]


def peak(frequency: np.ndarray, power: np.ndarray) -> float:
    """1 / frequency of the band with the largest variance, refined by a parabola in log frequency."""
    centres, weights = octaves(len(frequency))
    variance = weights @ power.mean(axis=0)
    k = int(np.clip(variance.argmax(), 1, len(centres) - 2))
    before, here, after = variance[k - 1 : k + 2]
    bend = before - 2 * here + after
    shift = np.clip(0.5 * (before - after) / bend, -1, 1) if bend < 0 else 0.0
    return 1 / float(frequency[0] * math.exp(centres[k] + shift * (centres[1] - centres[0])))


@lru_cache(maxsize=16)
def octaves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Log frequencies of band centres, relative to the lowest frequency, and the bands' weights (band, frequency)."""
    logs = np.log(np.arange(1, count + 1))
    centres = np.arange(0, logs[-1], WIDTH / 8)
    return centres, np.exp(-((logs - centres[:, None]) ** 2) / (2 * WIDTH**2))
