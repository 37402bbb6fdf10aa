"""Surrogate series, which keep some properties of a series and are random otherwise, and tests against them.

Theiler, Eubank, Longtin, Galdrikian & Farmer, Physica D 58, 77 (1992).
"""

import math
from collections.abc import Callable

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version, seed_text
from .cloud import Cloud
from .embedding_lag import first_lag
from .series import checked_name, read_series, standardised

#: method: what its surrogates keep
METHODS = {
    "random phase": "the power spectrum and cross-spectra",
    "AAFT": "the values, and the power spectrum nearly",
    "IAAFT": "the values, and the power spectrum closely",
    "shuffle": "the values",
}
SIDES = ("two", "upper", "lower")
#: The fewest samples of which anything is told.
FEWEST = 16
#: Rounds of IAAFT, at most; ranks settle earlier.
ROUNDS = 1000
#: Numbers handled at once.
WORK = 4_000_000
#: Delays of the prediction error.
DELAYS = 3


def surrogates(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    method: str = "random phase",
    count: int = 1,
    component: str | None = None,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """`count` surrogates of a series as `surrogate` (surrogate, time, component), and the `misfit` of each one's spectrum.

    "random phase": Fourier phases drawn anew, the same shift for all components, so that spectra, cross-spectra and means are
    those of the series to rounding; values become Gaussian (Prichard & Theiler, Phys. Rev. Lett. 73, 951 (1994)). "AAFT": the
    same of the series' Gaussian ranks, turned back into its values, which flattens the spectrum (Theiler et al. 1992). "IAAFT":
    spectrum and values enforced by turns until ranks no longer change; the values are exact, the spectrum is as close as it
    gets (Schreiber & Schmitz, Phys. Rev. Lett. 77, 635 (1996); for several components Physica D 142, 346 (2000)). "shuffle":
    the rows in random order.

    `misfit` is the root of the summed squared differences of spectral amplitudes, relative to the series'. Surrogates of a
    spectrum are periodic: if the ends of the series do not match, the jump between them shows as high frequencies.

    Raises ValueError for a series with gaps, constant components or less than 16 samples.

    >>> made = surrogates(np.sin(np.arange(64.0)), count=3)
    >>> made.sizes["surrogate"], bool(made.misfit.max() < 1e-12)
    (3, True)
    """
    values, names, sampling = _read(series, component)
    checked_name(method, METHODS)
    made = _made(values, method, whole(count, "count"), np.random.default_rng(rng))
    target = np.abs(np.fft.rfft(values - values.mean(axis=0), axis=0))
    found = np.abs(np.fft.rfft(made - made.mean(axis=1, keepdims=True), axis=1))
    misfit = np.sqrt(((found - target) ** 2).sum(axis=(1, 2)) / (target**2).sum())
    return xr.Dataset(
        {"surrogate": (("surrogate", "time", "component"), made), "misfit": ("surrogate", misfit)},
        coords={"time": np.arange(len(values)) * sampling, "component": names},
        attrs={"method": method, "keeps": METHODS[method], "rng": seed_text(rng), "version": package_version()},
    )


def significant_against_surrogates(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    statistic: str | Callable[[np.ndarray], float] = "time reversal",
    *,
    method: str = "IAAFT",
    count: int = 99,
    sides: str | None = None,
    level: float = 0.05,
    component: str | None = None,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """Whether a statistic of a series differs from those of its surrogates: `value`, `p_value`, `significant`, and theirs.

    A rank test: if the series were one of its surrogates, its rank among them would be any with the same probability, so
    p = (1 + number of surrogates at least as far out) / (1 + count), twice the smaller of both sides where `sides` is "two".

    Parameters
    ----------
    statistic : "time reversal", the skewness of increments, zero on average for every linear Gaussian process, whatever
        monotone function it is seen through; "prediction error", of the nearest neighbours' futures in three delays, smaller for
        deterministic motions; or a function of (time,), or (time, component), that gives a number
    sides : "two", "upper" (the series' value is large) or "lower"; by default two, and lower for the prediction error
    level : the probability of a false claim. Raises ValueError where `count` surrogates cannot reach it

    AAFT and IAAFT surrogates stand for a linear Gaussian process seen through a monotone function, random phases for one seen
    plainly, shuffling for independent values. A rejection says that the series is none of these, not that it is chaotic.
    """
    values, names, _ = _read(series, component)
    checked_name(method, METHODS)
    function, usual = _statistic(statistic, values)
    sides = usual if sides is None else sides
    checked_name(sides, SIDES, "sides")
    count, level = whole(count, "count"), checked_level(level)
    least = math.ceil((2 if sides == "two" else 1) / level - 1e-9) - 1
    if count < least:
        raise ValueError(f"{count} surrogates cannot reach the level {level:g} on {sides} side(s); at least {least} are needed")
    made = _made(values, method, count, np.random.default_rng(rng))
    value = function(values)
    others = np.array([function(one) for one in made])
    if not (np.isfinite(value) and np.isfinite(others).all()):
        raise ValueError(f"the statistic of {1 + count - np.isfinite(others).sum()} series is not a finite number")
    p = rank_p(value, others, sides)
    return xr.Dataset(
        {
            "value": ((), value),
            "p_value": ((), p),
            "significant": ((), p <= level + 1e-12),
            "surrogate_value": ("surrogate", others),
        },
        attrs={
            "statistic": statistic if isinstance(statistic, str) else getattr(statistic, "__name__", "function"),
            "method": method,
            "keeps": METHODS[method],
            "sides": sides,
            "level": level,
            "count": count,
            "components": ", ".join(map(str, names)),
            "rng": seed_text(rng),
            "version": package_version(),
        },
    )


def rank_p(value: float, others: np.ndarray, sides: str) -> float:
    """The probability of so extreme a rank among values that are drawn alike; ties count against."""
    upper, lower = ((1 + int(np.sum(far))) / (1 + len(others)) for far in (others >= value, others <= value))
    return {"upper": upper, "lower": lower, "two": min(1.0, 2 * min(upper, lower))}[sides]


def checked_level(level) -> float:
    level = positive(level, "level")
    if level >= 1:
        raise ValueError(f"level is the probability of a false claim, between 0 and 1; {level!r} given")
    return level


def gapless(series, component) -> tuple[np.ndarray, float]:
    """Values (time, component) without a gap, none of them constant, and the time between samples."""
    values, sampling, _ = read_series(series, component, None)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {len(values)} samples are not finite, the first number {int(bad.argmax())}; a spectrum needs a series "
            "without gaps: choose a piece, or fill them"
        )
    if len(values) < FEWEST:
        raise ValueError(f"the series is too short: {len(values)} samples, at least {FEWEST} are needed")
    still = values.std(axis=0) <= 1e-12 * np.abs(values).max(axis=0)
    if still.any():
        raise ValueError(f"the series is constant in component {int(still.argmax())}: {values[0, still.argmax()]:g}; leave it out")
    return values, sampling


def _read(series, component) -> tuple[np.ndarray, np.ndarray, float]:
    values, sampling = gapless(series, component)
    names = np.arange(values.shape[1])
    array = series.chaos.shown if isinstance(series, xr.Dataset) else series
    if isinstance(array, xr.DataArray) and "component" in array.coords:
        named = np.atleast_1d(array["component"].values) if component is None else np.array([component], dtype=object)
        names = named if len(named) == len(names) else names
    return values, names, sampling


# --- making them ---------------------------------------------------------------------------------------------------------


def _made(values: np.ndarray, method: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Surrogates (surrogate, time, component)."""
    if method == "shuffle":
        return values[rng.permuted(np.tile(np.arange(len(values)), (count, 1)), axis=1)]
    if method == "random phase":
        return _random_phases(values, count, rng)
    if method == "AAFT":
        normal = np.sort(rng.standard_normal((count, *values.shape)), axis=1)
        ranks = values.argsort(axis=0).argsort(axis=0)
        return _with_values(_random_phases(np.take_along_axis(normal, ranks[None], axis=1), count, rng), values)
    least = max(1, WORK // values.size)
    return np.concatenate([_iterated(values, min(least, count - first), rng) for first in range(0, count, least)])


def _random_phases(values: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Series with the phases of (time, component), or of each (surrogate, time, component), shifted at random.

    The mean, and of an even number of samples the last frequency, have no phase but a sign; the mean's stays.
    """
    samples = values.shape[-2]
    turns = np.exp(2j * np.pi * rng.random((count, samples // 2 + 1)))
    turns[:, 0] = 1.0
    if samples % 2 == 0:
        turns[:, -1] = rng.choice([-1.0, 1.0], count)
    return np.fft.irfft(np.fft.rfft(values, axis=-2) * turns[..., None], samples, axis=-2)


def _with_values(series: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The series (surrogate, time, component) with their ranks, and the values of another (time, component)."""
    made = np.empty_like(series)
    np.put_along_axis(made, series.argsort(axis=1), np.broadcast_to(np.sort(values, axis=0), series.shape), axis=1)
    return made


def _iterated(values: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Spectrum and values enforced by turns, from shuffled rows, until ranks no longer change.

    For several components phases are turned, at each frequency by one angle, from those of the series, so that their
    differences stay; the angle is the one that changes the current phases least.
    """
    samples = len(values)
    spectrum, ordered = np.fft.rfft(values, axis=0), np.sort(values, axis=0)
    made = values[rng.permuted(np.tile(np.arange(samples), (count, 1)), axis=1)]
    ranks, open_ = np.zeros(made.shape, int), np.arange(count)
    sizes = np.abs(spectrum)
    still = np.divide(spectrum, sizes, out=np.ones_like(spectrum), where=sizes > 0)
    for _ in range(ROUNDS):
        now = np.fft.rfft(made[open_], axis=1)
        size = np.abs(now)
        turn = np.divide(now, size, out=np.ones_like(now), where=size > 0) * still.conj()
        turn = turn.sum(axis=2, keepdims=True)
        size = np.abs(turn)
        turn = np.divide(turn, size, out=np.ones_like(turn), where=size > 0)
        wanted = np.fft.irfft(spectrum * turn, samples, axis=1)
        order = wanted.argsort(axis=1, kind="stable")
        changed = (order != ranks[open_]).any(axis=(1, 2))
        ranks[open_] = order
        shaped = np.empty_like(wanted)
        np.put_along_axis(shaped, order, np.broadcast_to(ordered, wanted.shape), axis=1)
        made[open_] = shaped
        open_ = open_[changed]
        if not len(open_):
            break
    return made


# --- statistics ----------------------------------------------------------------------------------------------------------


def _statistic(statistic, values: np.ndarray) -> tuple[Callable[[np.ndarray], float], str]:
    """A function of (time, component), and on which side a nonlinear series is expected."""
    known = {"time reversal": (_time_reversal, "two"), "prediction error": (_prediction_error, "lower")}
    if callable(statistic):
        return (lambda rows: float(statistic(rows[:, 0] if rows.shape[1] == 1 else rows))), "two"
    if not isinstance(statistic, str) or statistic not in known:
        near = suggest(str(statistic), known)
        raise ValueError(f"statistic {statistic!r} is not known.{near} It is {', '.join(known)}, or a function")
    function, sides = known[statistic]
    lag = first_lag(standardised(values)[0])
    return (lambda rows: function(rows, lag)), sides


def _time_reversal(values: np.ndarray, lag: int) -> float:
    """The skewness of increments over `lag`, of the component where it is largest."""
    change = values[lag:] - values[:-lag]
    skewness = (change**3).mean(axis=0) / np.maximum((change**2).mean(axis=0), 1e-300) ** 1.5
    return float(skewness[np.abs(skewness).argmax()])


def _prediction_error(values: np.ndarray, lag: int) -> float:
    """The root mean square error of what came `lag` samples after the nearest neighbour, in deviations."""
    standard, whole_rows = standardised(values)
    cloud = Cloud(standard, whole_rows, DELAYS if values.shape[1] == 1 else 1, lag, lag, 0)
    rows = cloud.rows(lag)
    if len(rows) < FEWEST:
        raise ValueError(f"the series is too short: {len(rows)} delay vectors are left of {len(values)} samples")
    found, _ = cloud.nearest(rows, np.arange(len(rows)))
    known = found >= 0
    wrong = standard[rows[known] + lag] - standard[rows[found[known]] + lag]
    return float(np.sqrt((wrong**2).mean()))
