"""The lag between delays: long enough that they tell something new of each other, short enough that they still belong together."""

import math

import numpy as np
import xarray as xr

from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version
from .cloud import BLOCKS, jackknife
from .series import FEWEST, checked_name, mean_period, read_one, standardised

METHODS = ("mutual information", "autocorrelation")
#: A minimum of the mutual information lies below this part of that at lag 1; it and the rise after it are so many errors high.
LOW, CLEAR = 0.5, 2.0
#: Lags are looked at for so many mean periods, and at least for so many samples.
PERIODS, SHORTEST = 2, 20
#: Samples in a cell of the joint histogram, were the two values independent; and the most bins of a value.
CELL, MOST_BINS = 20, 32


def embedding_lag(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    method: str = "mutual information",
    component: str | None = None,
    sampling: float | None = None,
    longest: int | None = None,
    bins: int | None = None,
    level: float = 1 / math.e,
) -> xr.Dataset:
    """The lag, in samples, at which delays tell something new of each other, its error, and the curve it was read from.

    By the first minimum of the mutual information of x(t) and x(t - lag) (Fraser & Swinney, Phys. Rev. A 33, 1134 (1986)), in
    nats, from a histogram of equally filled bins, less its bias for independent values (Miller and Madow). A minimum counts if
    it lies below half of what a sample tells of the next and the curve then rises by two standard errors. Noise, most maps and
    a clean oscillation have none (attribute `status`: "no minimum"). Or, as then, where the autocorrelation falls below a level.

    Parameters
    ----------
    longest : the last lag looked at, in samples; by default two mean periods
    bins : of each value; by default as many as leave 20 samples a cell, at most 32. The height of the curve depends on them
    level : of the autocorrelation; 0 for its first zero

    Gives `lag`, `error` (a jackknife over 16 stretches of time, and the rounding to samples) and `mutual_information` or
    `autocorrelation`, with its error, along `delay`. Raises ValueError for a series that is too short or constant.

    >>> int(embedding_lag(np.sin(np.arange(2000) * 2 * np.pi / 100), method="autocorrelation", level=0).lag)
    26
    """
    checked_name(method, METHODS)
    level = positive(level, "level, of the autocorrelation,", zero=True)
    if level >= 1:
        raise ValueError(f"level, of the autocorrelation, is below 1, which it has at lag 0; {level:g} given")
    values, spacing, _ = read_one(series, component, sampling)
    values, gapless = standardised(values)
    if (count := int(np.isfinite(values).sum())) < FEWEST:
        raise ValueError(f"the series is too short: {count} samples that are finite; {FEWEST} are needed")
    if longest is None:
        longest = max(SHORTEST, math.ceil(PERIODS * mean_period(values, gapless)))
        longest = min(longest, len(values) // 4)
    longest = whole(longest, "longest")
    if longest > len(values) // 2:
        raise ValueError(f"lags up to {longest} samples need {2 * longest} samples; the series has {len(values)}")
    curves = _autocorrelations(values, longest)
    chosen, status = [_below(curve, level) for curve in curves], "ok"
    if method == "mutual information":
        falls, curves = chosen, _information(values[:, 0], longest, bins)
        low = _minimum(curves)
        near = slice(math.ceil(low / 2), math.ceil(1.5 * low) + 1)
        chosen = [low, *(near.start + curve[near].argmin() for curve in curves[1:])] if low else falls
        status = "ok" if low else "no minimum"
    elif not (curves[0] < level).any():
        raise ValueError(f"the autocorrelation stays above {level:.3g} up to {longest} samples; take a larger longest=")
    name = method.replace(" ", "_")
    attrs = {"method": method, "status": status, "sampling": spacing, "longest": longest, "version": package_version()}
    attrs |= {"bins": _bins(len(values), bins)} if name == "mutual_information" else {"level": level}
    return xr.Dataset(
        {
            "lag": chosen[0],
            "error": math.hypot(float(jackknife(np.array(chosen, dtype=float))), 1 / math.sqrt(12)),
            name: ("delay", curves[0]),
            f"{name}_error": ("delay", jackknife(curves)),
        },
        coords={"delay": np.arange(longest + 1)},
        attrs=attrs,
    )


def first_lag(values: np.ndarray) -> int:
    """Where the autocorrelation falls below 1 - 1/e, the rule of Rosenstein, Collins & De Luca, Physica D 65, 117 (1993)."""
    return _below(autocorrelation(values), 1 - 1 / math.e)


def autocorrelation(values: np.ndarray) -> np.ndarray:
    """Of standardised components together, along lags up to half the series; gaps count for nothing."""
    good = np.isfinite(values).all(axis=1)[:, None]

    def products(rows):
        return np.fft.irfft((np.abs(np.fft.rfft(rows, 2 * len(rows), axis=0)) ** 2).sum(axis=1))[: len(rows) // 2]

    pairs = np.round(products(good.astype(float)))
    correlation = products(np.where(good, values, 0.0)) / np.maximum(pairs, 1)
    return np.where(pairs > 0, correlation / correlation[0], np.nan)


def _autocorrelations(values: np.ndarray, longest: int) -> np.ndarray:
    """Autocorrelation along lags from 0, of the whole series, and without each block of it."""
    block = np.arange(len(values)) * BLOCKS // len(values)
    parts = [values] + [np.where((block == k)[:, None], np.nan, values) for k in range(BLOCKS)]
    return np.array([autocorrelation(part)[: longest + 1] for part in parts])


def _below(curve: np.ndarray, level: float) -> int:
    return max(int((curve < level).argmax()), 1)


def _bins(count: int, bins: int | None) -> int:
    bins = int(np.clip(math.isqrt(count // CELL), 2, MOST_BINS)) if bins is None else whole(bins, "bins")
    if bins < 2:
        raise ValueError("bins must be 2 at least; with one bin every value is the same")
    if bins > (most := max(MOST_BINS, math.isqrt(count))):
        raise ValueError(f"{bins} bins of each value make {bins**2} cells for {count} samples; take {most} bins at most")
    return bins


def _information(series: np.ndarray, longest: int, bins: int | None) -> np.ndarray:
    """Mutual information along lags from 0, of the whole series, and without each block of its later values."""
    bins = _bins(len(series), bins)
    good = np.isfinite(series)
    # one bin more for the later value: equal bins resonate with a clean oscillation, whose curve then swings with the lag
    one, two = (
        np.searchsorted(np.quantile(series[good], np.linspace(0, 1, parts + 1)[1:-1]), series, side="right")
        for parts in (bins, bins + 1)
    )
    block, curves = np.arange(len(series)) * BLOCKS // len(series), np.empty((BLOCKS + 1, longest + 1))
    for lag in range(longest + 1):
        both = good[: len(series) - lag] & good[lag:]
        cell = ((block[lag:] * bins + one[: len(series) - lag]) * (bins + 1) + two[lag:])[both]
        table = np.bincount(cell, minlength=BLOCKS * bins * (bins + 1)).reshape(BLOCKS, bins, bins + 1)
        curves[:, lag] = _nats(np.concatenate([table.sum(axis=0)[None], table.sum(axis=0) - table]))
    return curves


def _nats(tables: np.ndarray) -> np.ndarray:
    """The mutual information of tables of counts (..., one, other), less the bias for independent values."""

    def entropy(counts):
        return -(counts * np.log(np.maximum(counts, 1))).sum(axis=-1)

    count = np.maximum(tables.sum(axis=(-1, -2)), 1)
    rows, columns, cells = tables.sum(axis=-1), tables.sum(axis=-2), tables.reshape(*tables.shape[:-2], -1)
    bias = ((rows > 0).sum(axis=-1) - 1) * ((columns > 0).sum(axis=-1) - 1) / (2 * count)
    return (entropy(rows) + entropy(columns) - entropy(cells)) / count + np.log(count) - bias


def _minimum(curves: np.ndarray) -> int:
    """The first minimum that is low enough and that the curve rises from clearly, before it goes lower still; 0 for none."""
    curve, nothing = curves[0], curves[0] <= CLEAR * jackknife(curves)
    last = int(nothing.argmax()) if nothing.any() else len(curve) - 1
    dips = (curve[1:-1] <= curve[:-2]) & (curve[1:-1] <= curve[2:]) & (curve[1:-1] < LOW * curve[1])
    for low in np.flatnonzero(dips[: max(last - 1, 0)]) + 1:
        lower = np.flatnonzero(curve[low:] < curve[low])
        end = low + (lower[0] if len(lower) else len(curve) - low)
        top = low + int(curve[low:end].argmax())
        if curve[top] - curve[low] > CLEAR * jackknife(curves[:, top] - curves[:, low]):
            return int(low)
    return 0
