"""The dominant period: where the variance per octave of the spectrum is largest."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..integrate import solve
from ..systems import System
from ..systems.language import walk

METHOD = "maximum of f*S(f), the variance per octave of the standardised components (clocks left out)"
#: Samples, periods and blocks of the quick estimate that `simulate` makes for a new system.
QUICK = {"samples": 16384, "periods": 200, "blocks": 8}
#: Width of the smoothing in frequency, as a part of the frequency: narrow peaks of one line and of many count alike.
SMOOTH = 0.06
#: Tries to find a duration that holds about the wanted number of periods.
TRIES = 12
SOLVER_TOLERANCE = 1e-9


class Period(NamedTuple):
    """The dominant period and its standard error (jackknife over blocks), in the system's time unit."""

    value: float
    error: float


class NoPeriod(ValueError):
    """A motion without an oscillation that could set a time scale."""


def dominant_period(system: System, *, samples: int | None = None, periods: int | None = None, blocks: int | None = None) -> Period:
    """The period at which the variance per octave is largest, along the orbit from the system's own state.

    The spectrum is Welch's (Hann window), of the observed coordinates, each standardised; coordinates that grow at a
    constant rate (the phase of a forcing) are left out. A map's period is one iteration. Raises NoPeriod where the
    motion escapes, rests or drifts.
    """
    if system.kind == "map":
        return Period(1.0, 0.0)
    settings = QUICK | {k: v for k, v in {"samples": samples, "periods": periods, "blocks": blocks}.items() if v is not None}
    return _dominant_period(system, **settings)


@lru_cache(maxsize=512)
def _dominant_period(system: System, samples: int, periods: int, blocks: int) -> Period:
    moving = [k for k, tree in enumerate(system.flat.rhs) if any(v in set(walk(tree)) for v in system.flat.variables)]
    if not moving:
        raise NoPeriod(f"every component of {system.label} grows at a constant rate")
    duration, coarse = 100 * _scale(system), min(samples, 4096)
    for _ in range(TRIES):
        found = _peak(_spectrum(_series(system, duration, coarse, moving), duration, 4))
        if 0.5 * periods < duration / found < 2 * periods or coarse == samples:
            break
        duration = float(np.clip(periods * found, duration / 30, duration * 30))
    spectra = _spectrum(_series(system, periods * found, samples, moving), periods * found, blocks)
    value = _peak(spectra)
    frequency, power = spectra
    without = [_peak((frequency, np.delete(power, k, axis=0))) for k in range(len(power))]
    error = math.sqrt((len(power) - 1) / len(power) * float(np.sum((np.array(without) - value) ** 2)))
    return Period(value, error)


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


def _spectrum(series: np.ndarray, duration: float, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and the summed power of each of `blocks` pieces, smoothed over a constant part of the frequency."""
    length = len(series) // blocks
    window = np.hanning(length)[:, None]
    pieces = series[: blocks * length].reshape(blocks, length, -1)
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(pieces * window, axis=1)) ** 2).sum(axis=2)
    frequency = np.fft.rfftfreq(length, duration / len(series))
    return frequency[1:], power[:, 1:]


def _peak(spectra: tuple[np.ndarray, np.ndarray]) -> float:
    """1 / frequency of the largest variance per octave, refined by a parabola."""
    frequency, power = spectra
    density = frequency * power.mean(axis=0)
    edges = np.arange(len(density))
    reach = np.maximum((SMOOTH * (edges + 1) / 2).astype(int), 1)
    total = np.concatenate(([0.0], np.cumsum(density)))
    low, high = np.maximum(edges - reach, 0), np.minimum(edges + reach + 1, len(density))
    smooth = (total[high] - total[low]) / (high - low)
    k = int(smooth.argmax())
    if not 0 < k < len(smooth) - 1:
        return 1 / float(frequency[k])
    before, here, after = np.log(smooth[k - 1 : k + 2] + 1e-300)
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return 1 / float(frequency[k] + np.clip(shift, -0.5, 0.5) * (frequency[1] - frequency[0]))
