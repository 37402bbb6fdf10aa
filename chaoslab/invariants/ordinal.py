"""Ordinal patterns: in which order values of a series follow each other, how evenly, and with how much structure.

Bandt & Pompe, PRL 88, 174102 (2002); Rosso, Larrondo, Martin, Plastino & Fuentes, PRL 99, 154102 (2007); used along the lag as
in Weck, Schaffner, Brown & Wicks, PRE 91, 023101 (2015), and in PECCARY: Hyman, Daniel & Schaffner, ApJ 987, 195 (2025).
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.schema import package_version, seed_text
from .ordinal_patterns import CHUNK, PIECES, block_counts, checked_lags, checked_length, checked_span, labels, moving
from .ordinal_plane import entropy_complexity
from .series import checked_name, read_all, whole_or_zero

TIES = ("time", "random", "drop")
#: Blocks in time that the bootstrap draws; fewer and longer ones are tried too, and the largest error counts.
BLOCKS = (PIECES, 16, 8)
#: Counts of patterns that are held at once.
WORK = 2**22
#: A share of tied windows from which a warning is given, and windows a pattern below which the series is called short.
TIED, FEW = 0.01, 5


def ordinal(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    length: int = 5,
    lag: int | list[int] = 1,
    component: str | None = None,
    sampling: float | None = None,
    ties: str = "time",
    resamples: int = 200,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """Permutation `entropy` H and statistical `complexity` C of a series' ordinal patterns, with errors, by member and component.

    A pattern is the order of the values x[t], x[t + lag], ..., x[t + (length - 1) lag]: "231" where the second is the
    largest and the third the least. H is the Shannon entropy of their probabilities over ln(length!); C is H times the
    normalised Jensen-Shannon divergence from equal probabilities. Windows overlap and shift by one sample.

    Parameters
    ----------
    series : (time,), (time, component), a DataArray, or a trajectory, whose `observed` is taken where there is one. Values
        that are not finite are gaps; windows touching one are left out
    length : values in a pattern, 2 to 7
    lag : samples between them; several give curves along a dimension `lag`
    sampling : time between samples; by default that of the time coordinate, else 1
    ties : equal values are ordered by "time", the earlier as the smaller, or at "random", or windows with any are left out,
        "drop". Values equal but for rounding are not tied: round them first
    resamples : of the block bootstrap, whose errors are the largest of several block lengths; 0 for none

    Gives `entropy_error` and `complexity_error`; `entropy_bias` and `complexity_bias`, what the bootstrap says of how far a
    series of this length misses the values of an endless one (not subtracted; where all patterns are alike it outweighs the
    error, which is then too large); `probability` (pattern); the number of `forbidden` patterns, never seen, and of those
    `forbidden_by_chance`, expected in as many independent windows with all patterns equally likely (noise, whose windows
    overlap, lacks a few in a hundred fewer); `windows`, and the share of them with `ties`. The coordinate `pattern_time` is
    (length - 1) * lag * sampling. The attribute `warning` says what to mind. Members or components that are constant, or
    have no window without a gap, are NaN. Raises ValueError where all are.

    >>> found = ordinal(np.sin(np.arange(2000)), length=3)
    >>> found.probability.sel(pattern=["123", "321"]).values.round(2)
    array([0.34, 0.34])
    """
    checked_name(ties, TIES, "ties")
    checked_length(length)
    lags, resamples = checked_lags(lag), whole_or_zero(resamples, "resamples")
    labelled, spacing, _ = read_all(series, component, sampling)
    seed, rng = seed_text(rng), np.random.default_rng(rng)
    rows = labelled.values.reshape(-1, labelled.sizes["time"])
    checked_span(rows, length, max(lags))
    draws = rng.integers(0, 2**32, size=2)
    found = [_measured(rows, length, one, ties, resamples, draws) for one in lags]
    shape = [labelled.sizes[key] for key in labelled.dims[:-1]]
    several = not np.isscalar(lag) and np.ndim(lag) == 1
    dims = ("lag",) * several + labelled.dims[:-1]
    measured = {}
    for key in found[0]._fields:
        values = np.stack([getattr(one, key) for one in found]) if several else getattr(found[0], key)
        extra = ("pattern",) * (key == "probability")
        measured[key] = (dims + extra, values.reshape([len(lags)] * several + shape + [-1] * len(extra)))
    ds = xr.Dataset(measured, coords={key: part for key, part in labelled.coords.items() if "time" not in part.dims})
    times = (length - 1) * spacing * np.array(lags)
    along = ("lag",) * several
    ds = ds.assign_coords(
        pattern=list(labels(length)),
        lag=(along, np.array(lags) if several else lags[0]),
        pattern_time=(along, times if several else times[0], {"long_name": "pattern time", "units": "the series' time unit"}),
    )
    made = {"length": length, "ties": ties, "sampling": spacing, "resamples": resamples, "rng": seed}
    return ds.assign_attrs(method="overlapping ordinal patterns; block bootstrap in time", **made).assign_attrs(
        warning=_warning(ds, length, ties, resamples), version=package_version()
    )


class Measured(NamedTuple):
    """What is found of each series at one lag, (series,) or (series, pattern)."""

    entropy: np.ndarray
    entropy_error: np.ndarray
    entropy_bias: np.ndarray
    complexity: np.ndarray
    complexity_error: np.ndarray
    complexity_bias: np.ndarray
    probability: np.ndarray
    forbidden: np.ndarray
    forbidden_by_chance: np.ndarray
    windows: np.ndarray
    ties: np.ndarray


def block_weights(windows: int, span: int, resamples: int, rng: np.random.Generator) -> list[np.ndarray]:
    """How often a resample holds each of the `PIECES` of time, (resample, block), for block lengths not shorter than a span."""
    weights = []
    for blocks in BLOCKS:
        if resamples and windows / blocks >= span:
            drawn = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
            weights.append(np.repeat(drawn, PIECES // blocks, axis=1))
    return weights


def _measured(rows: np.ndarray, length: int, lag: int, ties: str, resamples: int, draws: np.ndarray) -> Measured:
    """All series at one lag, a group at a time; the same blocks are drawn at every lag and for every series."""
    states = math.factorial(length)
    group = max(1, min(CHUNK // rows.shape[1], WORK // (states * PIECES)))
    weights = block_weights(rows.shape[1] - (length - 1) * lag, length * lag, resamples, np.random.default_rng(draws[0]))
    breaker = np.random.default_rng(draws[1])
    parts = [_group(rows[k : k + group], length, lag, ties, weights, breaker) for k in range(0, len(rows), group)]
    return Measured(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _group(rows: np.ndarray, length: int, lag: int, ties: str, weights: list, rng: np.random.Generator) -> Measured:
    states = math.factorial(length)
    counts, tied = block_counts(rows, length, lag, ties, rng)
    seen, windows = counts.sum(axis=1), counts.sum(axis=(1, 2))
    held = windows + tied if ties == "drop" else windows
    useful = (windows > 0) & moving(rows)
    probability = np.where(useful[:, None], seen / np.maximum(windows, 1)[:, None], np.nan)
    value = entropy_complexity(probability, states)
    error, bias = np.full((2, 2, len(rows)), np.nan)
    for k in np.flatnonzero(useful) if weights else ():
        some = seen[k] > 0
        error[:, k], bias[:, k] = bootstrap(
            counts[k][:, some], weights, lambda p: entropy_complexity(p, states), [one[k] for one in value]
        )
    return Measured(
        *(value[0], error[0], bias[0], value[1], error[1], bias[1], probability),
        forbidden=np.where(useful, (seen == 0).sum(axis=1), np.nan),
        forbidden_by_chance=np.where(useful, states * (1 - 1 / states) ** windows, np.nan),
        windows=windows,
        ties=tied / np.maximum(held, 1),
    )


def bootstrap(counts: np.ndarray, weights: list[np.ndarray], measure, value) -> tuple[np.ndarray, np.ndarray]:
    """Standard error and bias of what `measure` makes of probabilities (resample, pattern), from counts (block, pattern).

    The error is the largest of all block lengths, the bias that of the shortest, which knows it best. Both are mended for the
    variance that drawing from few blocks lacks.
    """
    errors, biases = [], []
    for drawn, blocks in zip(weights, BLOCKS, strict=False):
        sums = drawn @ counts
        total = sums.sum(axis=1, keepdims=True)
        # blocks that are one gap can make a resample empty
        sums = (sums / np.maximum(total, 1))[total[:, 0] > 0]
        found = np.array(measure(sums))
        errors.append(found.std(axis=1, ddof=1) * math.sqrt(blocks / (blocks - 1)))
        biases.append((found.mean(axis=1) - value) * blocks / (blocks - 1))
    return np.max(errors, axis=0), biases[0]


def _warning(ds: xr.Dataset, length: int, ties: str, resamples: int) -> str:
    """What to mind of the result, in sentences; empty where nothing."""
    told = []
    share, fewest = float(ds["ties"].max()), int(ds["windows"].min())
    if share > TIED:
        rule = {"time": "ordered by time", "random": "ordered at random", "drop": "left out"}[ties]
        told.append(f"up to {share:.2g} of the windows hold equal values, {rule}; compare another rule of ties=")
    if fewest < FEW * math.factorial(length):
        told.append(f"only {fewest} windows for {math.factorial(length)} patterns: see the bias, or take shorter patterns")
    if ds["entropy"].isnull().any():
        told.append("series that are constant, or of which no window is left, are NaN")
    if resamples and ds["entropy_error"].where(ds["entropy"].notnull(), 0).isnull().any():
        told.append(f"too short for an error: {BLOCKS[-1]} blocks longer than a window are needed")
    return "; ".join(told)
