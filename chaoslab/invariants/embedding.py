"""Delay vectors of one series: how far apart the delays, how many, and the vectors themselves.

Packard, Crutchfield, Farmer & Shaw, Phys. Rev. Lett. 45, 712 (1980); Takens, Lect. Notes Math. 898, 366 (1981).
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories.grid import whole
from ..trajectories.schema import package_version
from .cloud import BLOCKS, FEWEST, Cloud, jackknife, mean_period, read_series, standardised

LAG_METHODS = ("mutual information", "autocorrelation")
DIMENSION_METHODS = ("false neighbours", "cao")
#: False neighbours: part this many times farther in the next delay, or end farther apart than this many deviations. Enough
#: delays leave fewer than this part (Kennel et al.).
RATIO, SIZE, FALSE, MOST_DELAYS = 10.0, 2.0, 0.01, 10
#: Points whose neighbours are asked for.
ASKED = 2000
#: A minimum of the mutual information lies below this part of that at lag 1; it and the rise after it are so many errors high.
LOW, CLEAR = 0.5, 2.0
#: Cao's E1 has stopped rising where it stays this close to 1; E2 tells motion from noise by as much.
LEVEL = 0.1
#: Lags are looked at for so many mean periods, and at least for so many samples.
PERIODS, SHORTEST = 2, 20
#: Samples in a cell of the joint histogram, were the two values independent; and the most bins of a value.
CELL, MOST_BINS = 20, 32


def embed(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    dimension: int | None = None,
    lag: int | None = None,
    *,
    component: str | None = None,
    sampling: float | None = None,
) -> xr.DataArray:
    """Delay vectors x(t), x(t - lag), x(t - 2 lag), ... of one series: (time, delay).

    The coordinate `delay` is in samples, `time` that of the newest value. Values stay as they are; a vector that would reach
    into a gap is NaN.

    Parameters
    ----------
    series : (time,), or with a component chosen (time, component) or a trajectory of one member
    dimension : number of delays; by default the fewest with less than 1 % false neighbours
    lag : in samples; by default the first minimum of the mutual information, of a map's trajectory 1

    >>> embed([1.0, 2.0, 3.0, 4.0], 2, 1).values.tolist()
    [[2.0, 1.0], [3.0, 2.0], [4.0, 3.0]]
    """
    values, spacing, flow = _one(series, component, sampling)
    if lag is None:
        lag = 1 if dimension == 1 or flow is False else int(embedding_lag(values).lag)
    lag = whole(lag, "lag")
    if dimension is None:
        dimension = int(embedding_dimension(values, lag=lag).dimension)
    dimension = whole(dimension, "dimension")
    span = (dimension - 1) * lag
    if span >= len(values):
        raise ValueError(f"{dimension} delays of {lag} samples need more than {span} samples; the series has {len(values)}")
    whole_series = np.arange(1, len(values) + 1)
    vectors = Cloud(np.where(np.isfinite(values), values, np.nan), whole_series, dimension, lag, 0, 0).vectors[span:]
    return xr.DataArray(
        vectors,
        dims=("time", "delay"),
        coords={"time": times_of(series, spacing, len(values))[span:], "delay": np.arange(dimension) * lag},
        name="delay_vector",
        attrs={"dimension": dimension, "lag": lag, "sampling": spacing, "version": package_version()},
    )


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
    _known(method, LAG_METHODS)
    values, spacing, _ = _one(series, component, sampling)
    values, gapless = standardised(values)
    _enough(int(np.isfinite(values).sum()))
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
    attrs |= {"bins": _bins(len(values), bins)} if name == "mutual_information" else {"level": float(level)}
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


def embedding_dimension(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    method: str = "false neighbours",
    lag: int | None = None,
    component: str | None = None,
    sampling: float | None = None,
    theiler: int | None = None,
    most: int = MOST_DELAYS,
) -> xr.Dataset:
    """The fewest delays in which neighbours are neighbours, and the curves that show it.

    False neighbours (Kennel, Brown & Abarbanel, Phys. Rev. A 45, 3403 (1992)): the fewest delays of which less than 1 % of
    nearest neighbours part tenfold in the next delay, or are then two deviations apart. Cao, Physica D 110, 43 (1997): the
    fewest from which on the mean growth of distances with one more delay hardly changes, E1 > 0.9. E2 stays at 1 for noise,
    whose future does not depend on neighbours. Distances are Euclidean.

    Parameters
    ----------
    lag : in samples; by default the first minimum of the mutual information
    theiler : samples in time within which no neighbour counts; by default one mean period
    most : delays tried

    Gives `dimension` (`most`, with attribute `status` "too few", where even they are not enough), and along `delays` the part
    of `false_neighbours`, `e1` and `e2`, each with its error by a jackknife over 16 stretches of time. Without neighbours, or
    enough points, curves end in NaN. Raises ValueError for a series that is too short or constant.
    """
    _known(method, DIMENSION_METHODS)
    values, spacing, flow = _one(series, component, sampling)
    lag = (1 if flow is False else int(embedding_lag(values).lag)) if lag is None else whole(lag, "lag")
    values, gapless = standardised(values)
    theiler = _theiler(theiler, mean_period(values, gapless))
    most = whole(most, "most")
    false, growth, ahead = (np.full((BLOCKS + 1, most + 1), np.nan) for _ in range(3))
    for count in range(1, most + 2):
        neighbours = _neighbours(values, gapless, count, lag, theiler)
        if neighbours is None or len(neighbours[0]) < FEWEST:
            break
        near, far = neighbours
        false[:, count - 1] = _means(_false(near, far))
        growth[:, count - 1] = _means(np.hypot(near, far) / near)
        ahead[:, count - 1] = _means(far)
    if np.isnan(false[0, 0]):
        raise ValueError(
            f"the series is too short: fewer than {FEWEST} of {len(values)} samples have a value {lag} samples later and a "
            f"neighbour farther in time than {theiler} samples"
        )
    e1, e2 = growth[:, 1:] / growth[:, :-1], ahead[:, 1:] / ahead[:, :-1]
    enough = false[0, :-1] < FALSE if method == "false neighbours" else _settled(e1[0])
    curves = {"false_neighbours": false[:, :-1], "e1": e1, "e2": e2}
    data = {key: ("delays", curve[0]) for key, curve in curves.items()}
    data |= {f"{key}_error": ("delays", jackknife(curve)) for key, curve in curves.items()}
    attrs = {"method": method, "lag": lag, "theiler": theiler, "sampling": spacing, "version": package_version()}
    return xr.Dataset(
        {"dimension": int(enough.argmax()) + 1 if enough.any() else most} | data,
        coords={"delays": np.arange(1, most + 1)},
        attrs=attrs | {"status": "ok" if enough.any() else "too few"},
    )


class Embedding(NamedTuple):
    """Delays, the lag between them, the Theiler window and the mean period, in samples."""

    delays: int
    lag: int
    theiler: int
    period: float


def embedding_of(values: np.ndarray, gapless: np.ndarray, dimension, lag, theiler) -> Embedding:
    """The settings that were given, and for the others: the state as it is where there are several components, else the lag at
    which the autocorrelation falls below 1 - 1/e and the fewest delays without false neighbours; a window of a mean period."""
    period = mean_period(values, gapless)
    theiler = _theiler(theiler, period)
    single = values.shape[1] == 1 and dimension is None
    delays = 1 if dimension is None else whole(dimension, "dimension")
    lag = (first_lag(values) if single or delays > 1 else 1) if lag is None else whole(lag, "lag")
    return Embedding(enough_delays(values, gapless, lag, theiler) if single else delays, lag, theiler, period)


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


def enough_delays(values: np.ndarray, gapless: np.ndarray, lag: int, theiler: int) -> int:
    """The fewest delays that leave hardly a false neighbour, one that the next sample shows to be far (Kennel et al. 1992)."""
    for count in range(1, MOST_DELAYS + 1):
        neighbours = _neighbours(values, gapless, count, lag, theiler)
        if neighbours is None:
            return max(count - 1, 1)
        if not len(neighbours[0]) or np.mean(_false(*neighbours)) < FALSE:
            return count
    return MOST_DELAYS


def _neighbours(values, gapless, count: int, lag: int, theiler: int) -> tuple[np.ndarray, np.ndarray] | None:
    """How far the nearest neighbour of some delay vectors is, and how far apart the values one lag later are."""
    cloud = Cloud(values, gapless, count, lag, theiler, 0)
    rows = cloud.rows(lag)
    if len(rows) < FEWEST:
        return None
    asked = np.linspace(0, len(rows) - 1, min(len(rows), ASKED)).astype(int)
    found, near = cloud.nearest(rows, asked)
    known = found >= 0
    return near[known], np.abs(values[rows[asked[known]] + lag] - values[rows[found[known]] + lag])[:, 0]


def _false(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    return (far > RATIO * near) | (np.hypot(near, far) > SIZE)


def _means(each: np.ndarray) -> np.ndarray:
    """The mean of all, and without each of the blocks."""
    sums = np.array([part.sum() for part in np.array_split(each.astype(float), BLOCKS)])
    counts = np.array([len(part) for part in np.array_split(each, BLOCKS)])
    return np.r_[sums.sum() / counts.sum(), (sums.sum() - sums) / (counts.sum() - counts)]


def _settled(e1: np.ndarray) -> np.ndarray:
    """Whether E1 is near 1 from here on, as far as it is known."""
    low = (e1 < 1 - LEVEL)[::-1].cumsum()[::-1]
    return (low == 0) & np.isfinite(e1)


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


def _one(series, component, sampling) -> tuple[np.ndarray, float, bool | None]:
    """The values (row, 1) of the one component, as `read_series` reads it."""
    values, spacing, flow = read_series(series, component, sampling)
    if values.shape[1] != 1:
        raise ValueError(f"delays are taken of one series; this has {values.shape[1]} components: choose one, as in component='x'")
    return values, spacing, flow


def times_of(series, spacing: float, count: int) -> np.ndarray:
    """The time coordinate of a series, or the samples' own."""
    if isinstance(series, xr.Dataset | xr.DataArray):
        name = "time" if "time" in series.dims else series.dims[0]
        if name in series.coords:
            return series[name].values
    return np.arange(count) * spacing


def _known(method, methods) -> None:
    if method not in methods:
        raise ValueError(f"method {method!r} is not known.{suggest(str(method), methods)} Methods are {', '.join(methods)}")


def _enough(count: int) -> None:
    if count < FEWEST:
        raise ValueError(f"the series is too short: {count} samples that are finite; {FEWEST} are needed")


def _theiler(theiler, period: float) -> int:
    if theiler is None:
        return math.ceil(period)
    if isinstance(theiler, bool) or theiler != 0:
        try:
            return whole(theiler, "theiler")
        except ValueError:
            raise ValueError(f"theiler must be a whole number of samples, 0 or more; {theiler!r} given") from None
    return 0
