"""Entropies of a series: of its ordinal patterns per symbol, and of how well it keeps to what it did before, over scales.

Permutation entropy: Bandt & Pompe, PRL 88, 174102 (2002). Sample entropy: Richman & Moorman, Am. J. Physiol. Heart Circ.
Physiol. 278, H2039 (2000). Over scales: Costa, Goldberger & Peng, PRL 89, 068102 (2002).
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version, seed_text
from .ordinal import BLOCKS, block_weights, bootstrap
from .ordinal_patterns import block_counts, checked_lags, checked_length, checked_span, codes
from .series import read_all, whole_or_zero

#: The fewest windows of which anything is told.
FEWEST = 16
#: Windows, at most, and the factor in radius, by which the slope of the entropy with the radius is told for the error.
SOME, NEARBY = 2000, 1.1


def permutation_entropy(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    lengths: tuple[int, ...] = (3, 4, 5, 6, 7),
    lag: int = 1,
    component: str | None = None,
    sampling: float | None = None,
    resamples: int = 200,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """The Shannon `entropy` H(n), in nats, of ordinal patterns of n values, along `length`; and what it says per symbol.

    `rate` is H(n) / (n - 1), `difference` is H(n) - H(n - 1), and `conditional` is the entropy of a pattern of n - 1 values
    given the one that began a sample before. All tend to the entropy rate as n grows, per step of the lag, the last soonest
    (piecewise monotone interval maps: Bandt, Keller & Pompe, Nonlinearity 15, 1595 (2002); conditional: Unakafov & Keller,
    Physica D 269, 94 (2014)). Each has an error from a block bootstrap, drawn together for all lengths, and a bias: what the
    series is too short for, not subtracted. It takes many more windows than n!. H is that of `ordinal`, not normalised.

    >>> x = [0.3]
    >>> for _ in range(20_000):
    ...     x.append(4 * x[-1] * (1 - x[-1]))
    >>> found = permutation_entropy(x, lengths=(5, 6))
    >>> found.rate.round(2).values, found.conditional.round(2).values, round(math.log(2), 2)
    (array([0.81, 0.83]), array([0.64, 0.66]), 0.69)
    """
    lengths = [checked_length(length) for length in np.atleast_1d(np.asarray(lengths, dtype=object))]
    if not lengths or sorted(set(lengths)) != lengths:
        raise ValueError(f"lengths grow, as in (3, 4, 5); {lengths} given")
    if np.ndim(lag) != 0:
        raise ValueError(f"lag is one whole number of samples; {lag!r} given")
    (lag,) = checked_lags(lag)
    values, spacing, _ = read_all(series, component, sampling)
    rows = values.values.reshape(-1, values.sizes["time"])
    checked_span(rows, lengths[-1], lag)
    windows, needed = rows.shape[1] - (lengths[-1] - 1) * lag, sorted({*lengths, *(n - 1 for n in lengths if n > 2)})
    weights = block_weights(windows, lengths[-1] * lag, whole_or_zero(resamples, "resamples"), np.random.default_rng(rng))
    counts = {n: block_counts(rows, n, lag)[0] for n in needed}
    found = np.array([_per_symbol({n: counts[n][k] for n in needed}, lengths, weights) for k in range(len(rows))])
    shape, names = [values.sizes[key] for key in values.dims[:-1]], ("entropy", "rate", "difference", "conditional")
    measured = {}
    for place, ending in enumerate(("", "_error", "_bias")):
        for k, name in enumerate(names):
            measured[name + ending] = ((*values.dims[:-1], "length"), found[:, place, k].reshape([*shape, -1]))
    return xr.Dataset(
        measured,
        coords={key: part for key, part in values.coords.items() if "time" not in part.dims} | {"length": lengths},
        attrs={
            "method": "ordinal patterns; block bootstrap in time",
            **{"lag": lag, "sampling": spacing, "resamples": resamples, "rng": seed_text(rng), "version": package_version()},
        },
    )


def _per_symbol(counts: dict[int, np.ndarray], lengths: list[int], weights: list[np.ndarray]) -> np.ndarray:
    """Value, error and bias of (entropy, rate, difference, conditional; length), from one series' counts (block, pattern)."""
    from scipy.special import entr

    if not all(one.any() for one in counts.values()):
        return np.full((3, 4, len(lengths)), np.nan)
    seen = {n: one.any(axis=0) for n, one in counts.items()}
    kept = {n: one[:, seen[n]] for n, one in counts.items()}
    pairs = {n: _merging(n, seen[n]) for n in lengths}
    ends = np.cumsum([one.shape[1] for one in kept.values()])

    def measure(together):
        """Of the probabilities of all lengths side by side, which share their sum."""
        parts = dict(zip(kept, np.split(together, ends[:-1], axis=-1), strict=True))
        parts = {n: part / np.maximum(part.sum(-1, keepdims=True), 1e-300) for n, part in parts.items()}
        entropy = {n: entr(part).sum(-1) for n, part in parts.items()} | {1: np.zeros(together.shape[:-1])}
        paired = {n: entr(np.add.reduceat(parts[n][..., order], first, axis=-1)).sum(-1) for n, (order, first) in pairs.items()}
        each = [[entropy[n], entropy[n] / (n - 1), entropy[n] - entropy[n - 1], paired[n] - entropy[n - 1]] for n in lengths]
        return np.moveaxis(np.array(each), 0, 1).reshape(4 * len(lengths), *together.shape[:-1])

    together = np.concatenate(list(kept.values()), axis=1)
    value = measure(together.sum(axis=0).astype(float))
    error = bias = np.full(len(value), np.nan)
    if weights:
        error, bias = bootstrap(together, weights, measure, value)
    return np.array([value, error, bias]).reshape(3, 4, len(lengths))


def _merging(length: int, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The patterns seen, sorted by their first and last `length` - 1 values' own patterns, and where each such pair begins."""
    ranks = np.array(list(itertools.permutations(range(length))))[seen]
    parts = [codes(ranks[:, one], length - 1, 1)[:, 0].astype(int) for one in (slice(None, -1), slice(1, None))]
    pair = parts[0] * math.factorial(length - 1) + parts[1]
    order = np.argsort(pair, kind="stable")
    return order, np.flatnonzero(np.diff(pair[order], prepend=-1))


def sample_entropy(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    length: int = 2,
    radius: float = 0.2,
    lag: int = 1,
    theiler: int = 0,
    component: str | None = None,
    sampling: float | None = None,
) -> xr.Dataset:
    """Sample entropy and its standard error: -ln of how often windows that agree in `length` values agree in one more.

    Two windows agree where no values differ by more than the radius. `matches` counts the pairs of windows that agree in
    `length` values, `matches_longer` those that do in one more; both are taken from the same windows, of length + 1 values,
    none with itself. White Gaussian noise has -ln erf(radius / 2). The error comes from how the mean number of matches differs
    between stretches of the series, as long ones as need be.

    Parameters
    ----------
    radius : in standard deviations of the series
    lag : samples between the values of a window
    theiler : windows that begin at most so many samples apart are not compared, 0 for all that are not the same

    By member and component. NaN where no pair agrees, or the series is constant. Raises ValueError where all are, or where
    the series is too short.

    >>> noise = np.random.default_rng(0).standard_normal(4000)
    >>> sample_entropy(noise).entropy.round(1).item(), round(-math.log(math.erf(0.1)), 1)
    (2.2, 2.2)
    """
    settings = _checked(length, radius, lag, theiler)
    values, spacing, _ = read_all(series, component, sampling)
    found = _over_series(values, settings, 1)[..., 0, :]
    ds = xr.Dataset({key: (values.dims[:-1], found[..., k]) for k, key in enumerate(Sampled._fields)})
    return _labelled(ds, values, settings, spacing, "pairs within the radius, largest difference; error from stretches in time")


def multiscale_entropy(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    scales: int = 20,
    length: int = 2,
    radius: float = 0.15,
    theiler: int = 0,
    component: str | None = None,
    sampling: float | None = None,
) -> xr.Dataset:
    """Sample entropy, with its error, of the series averaged over 1, 2, ... `scales` samples at a time, along `scale`.

    Averages are of pieces end to end; the radius stays that of the series itself, in its standard deviations, so that
    white noise falls, as -ln erf(radius * sqrt(scale) / 2), and 1/f noise does not. A piece with a gap is one. `time` is the
    scale times the sampling. NaN from where no pair of windows agrees. Other parameters are `sample_entropy`'s; theiler is in
    averaged samples.
    """
    settings = _checked(length, radius, 1, theiler)
    values, spacing, _ = read_all(series, component, sampling)
    scales = whole(scales, "scales")
    found = _over_series(values, settings, scales)
    ds = xr.Dataset({key: ((*values.dims[:-1], "scale"), found[..., k]) for k, key in enumerate(Sampled._fields)})
    ds = ds.assign_coords(scale=np.arange(1, scales + 1), time=("scale", np.arange(1, scales + 1) * spacing))
    return _labelled(ds, values, settings, spacing, "sample entropy of averages end to end, radius of the whole series")


class _Settings(NamedTuple):
    length: int
    radius: float
    lag: int
    theiler: int


def _checked(length, radius, lag, theiler) -> _Settings:
    radius, theiler = positive(radius, "radius, in deviations,"), whole_or_zero(theiler, "theiler, in samples,")
    return _Settings(whole(length, "length"), radius, whole(lag, "lag"), theiler)


class Sampled(NamedTuple):
    """A sample entropy, its standard error, and the pairs it was counted from."""

    entropy: float = math.nan
    error: float = math.nan
    matches: float = math.nan
    matches_longer: float = math.nan


def _labelled(ds: xr.Dataset, values: xr.DataArray, settings: _Settings, spacing: float, method: str) -> xr.Dataset:
    ds = ds.assign_coords({key: part for key, part in values.coords.items() if "time" not in part.dims})
    return ds.assign_attrs(method=method, **settings._asdict(), sampling=spacing, version=package_version())


def _over_series(values: xr.DataArray, settings: _Settings, scales: int) -> np.ndarray:
    """`Sampled` of every series at every scale: (..., scale, field)."""
    rows = values.values.reshape(-1, values.sizes["time"])
    least = (settings.length * settings.lag + settings.theiler + FEWEST) * scales
    if rows.shape[1] < least:
        raise ValueError(
            f"the series is too short: {FEWEST} windows of {settings.length + 1} values, lag {settings.lag}, theiler "
            f"{settings.theiler}, scale {scales} need {least} samples; it has {rows.shape[1]}"
        )
    if not np.isfinite(rows).any():
        raise ValueError("the series has no sample that is finite")
    centre, spread = np.array([_size(row) for row in rows]).T
    if not (spread > 0).any():
        raise ValueError("the series is constant; its windows all agree")
    found = np.full((len(rows), scales, len(Sampled._fields)), np.nan)
    for k in np.flatnonzero(spread > 0):
        scaled = (rows[k] - centre[k]) / spread[k]
        scaled[~np.isfinite(scaled)] = np.nan
        for scale in range(1, scales + 1):
            pieces = scaled[: len(scaled) // scale * scale].reshape(-1, scale)
            found[k, scale - 1] = _sampled(pieces.mean(axis=1), (pieces**2 - 1).mean(axis=1) / 2, settings)
    return found.reshape(*values.shape[:-1], scales, -1)


def _size(row: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of what is finite; deviation 0 where that is rounding, or nothing."""
    good = row[np.isfinite(row)]
    if not len(good):
        return 0.0, 0.0
    spread = good.std()
    return good.mean(), spread if spread > 1e-12 * np.abs(good).max() else 0.0


def _sampled(series: np.ndarray, size: np.ndarray, settings: _Settings) -> Sampled:
    """Counts each window's matches, and compares stretches of time; `size` is what each sample adds to the log deviation."""
    count = len(series) - settings.length * settings.lag
    windows = np.stack([series[k * settings.lag : k * settings.lag + count] for k in range(settings.length + 1)], axis=1)
    if np.isfinite(windows).all(axis=1).sum() < FEWEST:
        return Sampled()
    shorter, longer = (_matches(windows, size, settings.radius, settings.theiler) for size in (settings.length, None))
    pairs, pairs_longer = shorter.sum() / 2, longer.sum() / 2
    if not pairs_longer:
        return Sampled(matches=pairs, matches_longer=pairs_longer)
    share = pairs_longer / pairs
    # how much each window adds to the entropy: by its matches, and because the radius is in deviations of this very series
    influence = shorter / pairs - longer / pairs_longer + _slope(windows, settings) * np.nan_to_num(size[:count]) / count
    # both of a pair tell of it, so chance in single pairs is counted twice
    chance = (1 - share) / pairs_longer
    variance = max(_between(influence, blocks) for blocks in BLOCKS)
    return Sampled(math.log(1 / share), math.sqrt(max(variance - chance, chance)), pairs, pairs_longer)


def _slope(windows: np.ndarray, settings: _Settings) -> float:
    """How the entropy changes with the logarithm of the radius, roughly, from some of the windows."""
    stride = -(-len(windows) // SOME)
    some, entropy = windows[::stride], []
    for radius in (settings.radius / NEARBY, settings.radius * NEARBY):
        shorter, longer = (_matches(some, size, radius, settings.theiler // stride).sum() for size in (settings.length, None))
        entropy.append(-math.log(longer / shorter) if longer else math.nan)
    slope = (entropy[1] - entropy[0]) / (2 * math.log(NEARBY))
    return slope if math.isfinite(slope) else 0.0


def _matches(windows: np.ndarray, size: int | None, radius: float, theiler: int) -> np.ndarray:
    """How many others each window agrees with in its first `size` values, 0 for those with a gap anywhere."""
    from scipy.spatial import cKDTree

    good = np.isfinite(windows).all(axis=1)
    points, found = windows[good, :size], np.zeros(len(windows))
    found[good] = cKDTree(points).query_ball_point(points, radius, p=np.inf, return_length=True, workers=-1) - 1
    every = np.where(good[:, None], windows, np.nan)[:, :size]
    for apart in range(1, min(theiler, len(windows) - 1) + 1):
        near = (np.abs(every[apart:] - every[:-apart]) <= radius).all(axis=1)
        found[apart:] -= near
        found[:-apart] -= near
    return found


def _between(influence: np.ndarray, blocks: int) -> float:
    """The variance of the sum of what all windows tell, from the sums of `blocks` stretches of time."""
    edges = np.linspace(0, len(influence), blocks + 1).astype(int)
    return blocks * float(np.add.reduceat(influence, edges[:-1]).var(ddof=1))
