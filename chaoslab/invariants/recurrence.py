"""Recurrence plots, which show when a motion comes back to where it was, and the statistics of their lines.

Eckmann, Kamphorst & Ruelle, Europhys. Lett. 4, 973 (1987); Marwan, Romano, Thiel & Kurths, Phys. Rep. 438, 237 (2007).
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version
from .cloud import BLOCKS, SOME, Cloud, allowed_pairs, jackknife, leave_out
from .embedding import Points, points_of
from .series import times_of

#: The part of all pairs that recurs, where nothing else is asked for.
RATE = 0.05
#: Plots of more points than this are not made: a boolean a pair fills the memory.
MOST = 20_000
#: The most pairs that are kept.
PAIRS = 50_000_000
#: Lines shorter than this are points.
LEAST = 2
STATISTICS = ("rate", "determinism", "mean_line", "longest_line", "divergence", "entropy", "laminarity", "trapping_time")
EXTREMES = ("longest_line", "divergence")


def recurrence_plot(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    threshold: float | None = None,
    rate: float | None = None,
    neighbours: int | None = None,
    component: str | None = None,
    dimension: int | None = None,
    lag: int | None = None,
    theiler: int = 0,
    sampling: float | None = None,
) -> xr.DataArray:
    """Which states recur: True at (time, other) where the state at `other` is near that at `time`.

    Components are standardised; distances are Euclidean. Near is within a threshold; within the threshold that makes a given
    part of all pairs recur; or among the nearest neighbours of the state at `time`, which makes columns, not rows, of unequal
    count. The identity line is True.

    Parameters
    ----------
    series : (time,), (time, component), or a trajectory of one member, whose `observed` is taken where there is one.
        Values that are not finite are gaps; their rows and columns are left out
    threshold : in deviations
    rate : the part of the pairs outside the Theiler window; by default 0.05
    neighbours : of every state
    dimension, lag : delays, and samples between them. By default the state as it is where there are several components; else
        the lag at which the autocorrelation falls below 1 - 1/e, and the fewest delays with less than 1 % false neighbours
    theiler : pairs within so many samples in time do not count, for the rate and as neighbours, and are False

    Raises ValueError for more than one of threshold, rate and neighbours, and for a series that is too short or constant.

    >>> plot = recurrence_plot(np.tile([0.0, 1, 2, 3], 30), threshold=0.1, dimension=1)
    >>> plot.values[0, :9].astype(int).tolist()
    [1, 0, 0, 0, 1, 0, 0, 0, 1]
    """
    points = points_of(series, component, dimension, lag, theiler, sampling)
    if len(points.rows) > MOST:
        raise ValueError(
            f"a plot of {len(points.rows)} points has {len(points.rows) ** 2:.2g} pairs; take every few samples, or "
            "recurrence_statistics(), which keeps the recurrent pairs only"
        )
    found = _recurrences(points, threshold, rate, neighbours)
    plot = np.zeros((len(points.rows),) * 2, dtype=bool)
    plot[found.first, found.second] = True
    np.fill_diagonal(plot, True)
    times = times_of(series, points.attrs["sampling"], len(points.cloud.values))[points.rows]
    attrs = points.attrs | found.attrs | {"version": package_version()}
    return xr.DataArray(plot, {"time": times, "other": times}, ("time", "other"), "recurrence", attrs)


def recurrence_statistics(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    threshold: float | None = None,
    rate: float | None = None,
    neighbours: int | None = None,
    component: str | None = None,
    dimension: int | None = None,
    lag: int | None = None,
    theiler: int | None = None,
    sampling: float | None = None,
    shortest: int = LEAST,
) -> xr.Dataset:
    """What the lines of a recurrence plot say, each statistic with its standard error.

    `rate` : the part of pairs that recur. `determinism` : the part of recurrent pairs in diagonal lines. `mean_line`,
    `longest_line` : their length, in samples; `divergence` : 1 / the longest. `entropy` : of the lengths' distribution, in
    nats. `laminarity`, `trapping_time` : part in, and mean length of, vertical lines. Lines of `shortest` samples count; a gap
    ends a line. Where there is no line, lengths are NaN, the longest 0.

    Parameters as in `recurrence_plot`, but `theiler` is by default one mean period: what lies within it is motion, not return
    (0 leaves out the identity line alone). Errors by a jackknife over 16 stretches of time, whose rows and columns are left
    out by turns with the lines that begin there; `longest_line` and `divergence`, extremes, have none. The distributions are
    `diagonal_lines` and `vertical_lines`, numbers of lines along `length`.

    >>> found = recurrence_statistics(np.tile([0.0, 1, 2, 3], 30), threshold=0.1, dimension=1, theiler=0)
    >>> float(found.determinism), int(found.longest_line)
    (1.0, 116)
    """
    points = points_of(series, component, dimension, lag, theiler, sampling)
    shortest = whole(shortest, "shortest")
    found = _recurrences(points, threshold, rate, neighbours)
    rows, count = points.rows, len(points.rows)
    edges = np.arange(BLOCKS + 1) * count // BLOCKS
    allowed = 2 * leave_out(allowed_pairs(rows, points.cloud.theiler, edges))
    block = np.searchsorted(edges[1:], np.arange(count), side="right")
    diagonal, vertical = _lines(rows[found.first], rows[found.second]), _lines_down(rows[found.first], rows[found.second])
    of_row = np.zeros(int(rows[-1]) + 1, dtype=int)
    of_row[rows] = block
    every = []
    for out in range(-1, BLOCKS):
        kept = [lines.length[(of_row[lines.first] != out) & (of_row[lines.second] != out)] for lines in (diagonal, vertical)]
        every.append(_statistics(*kept, shortest, allowed[out + 1]))
    every = np.array(every)
    data = dict(zip(STATISTICS, every[0], strict=True))
    data |= {f"{name}_error": jackknife(each) for name, each in zip(STATISTICS, every.T, strict=True) if name not in EXTREMES}
    longest = int(max(diagonal.length.max(initial=0), vertical.length.max(initial=0)))
    for name, lines in (("diagonal_lines", diagonal), ("vertical_lines", vertical)):
        data[name] = ("length", np.bincount(lines.length, minlength=longest + 1)[1:])
    attrs = points.attrs | found.attrs | {"shortest": shortest, "version": package_version()}
    return xr.Dataset(data, {"length": np.arange(1, longest + 1)}, attrs)


class Recurrences(NamedTuple):
    """Ordered pairs of places, both ways, without the identity line; and what made them near."""

    first: np.ndarray
    second: np.ndarray
    attrs: dict


def _recurrences(points: Points, threshold, rate, neighbours) -> Recurrences:
    from scipy.spatial.distance import cdist

    cloud, rows, _ = points
    given = {"threshold": threshold, "rate": rate, "neighbours": neighbours}
    given = {key: value for key, value in given.items() if value is not None} or {"rate": RATE}
    if len(given) > 1:
        raise ValueError(f"give one of threshold, rate and neighbours, not {' and '.join(given)}")
    if neighbours is not None:
        return _nearest(cloud, rows, whole(neighbours, "neighbours"))
    if threshold is not None:
        threshold = positive(threshold, "threshold, in deviations,")
        some = cloud.vectors[rows[:: math.ceil(len(rows) / SOME)]]
        _few(float(np.mean(cdist(some, some) <= threshold)) * len(rows) ** 2)
        first, second, _ = cloud.pairs(rows, radius=threshold)
    else:
        rate = positive(given["rate"], "rate")
        if rate >= 1:
            raise ValueError(f"rate is a part of all pairs, below 1; {rate:g} given")
        total = int(allowed_pairs(rows, cloud.theiler, np.array([0, len(rows)])).sum())
        _few(2 * rate * total)
        first, second, distance = cloud.pairs(rows, max(1, round(rate * total)))
        threshold = float(distance.max())
    both = np.concatenate([first, second]), np.concatenate([second, first])
    return Recurrences(*both, {"method": next(iter(given)), "threshold": threshold})


def _few(pairs: float) -> None:
    if pairs > PAIRS:
        raise ValueError(f"about {pairs:.2g} pairs would recur; at most {PAIRS:.2g} are kept. Take a smaller threshold or rate")


def _nearest(cloud: Cloud, rows: np.ndarray, count: int) -> Recurrences:
    """The nearest places of each, however near; more are asked for until enough lie outside the Theiler window."""
    from scipy.spatial import cKDTree

    inside = np.searchsorted(rows, rows + cloud.theiler, side="right") - np.searchsorted(rows, rows - cloud.theiler)
    fewest = len(rows) - int(inside.max())
    if count > fewest:
        raise ValueError(
            f"{count} neighbours asked for; some states have {fewest} others farther in time than {cloud.theiler} samples"
        )
    asked = min(count + int(inside.max()), len(rows))
    _, other = cKDTree(cloud.vectors[rows]).query(cloud.vectors[rows], k=asked, workers=-1)
    far = np.abs(rows[other] - rows[:, None]) > cloud.theiler
    first, column = np.nonzero(far & (far.cumsum(axis=1) <= count))
    return Recurrences(first, other[first, column], {"method": "neighbours", "neighbours": count})


class Lines(NamedTuple):
    """Where lines begin, in samples, and how long they are."""

    first: np.ndarray
    second: np.ndarray
    length: np.ndarray


def _lines(first: np.ndarray, second: np.ndarray) -> Lines:
    """Diagonal lines: runs of pairs whose both times go on by one sample."""
    width = int(max(first.max(initial=0), second.max(initial=0))) + 2
    return _runs(first, second, (second - first) * width + first)


def _lines_down(first: np.ndarray, second: np.ndarray) -> Lines:
    """Vertical lines: runs of pairs whose first time goes on while the second stays."""
    width = int(first.max(initial=0)) + 2
    return _runs(first, second, second * width + first)


def _runs(first: np.ndarray, second: np.ndarray, key: np.ndarray) -> Lines:
    """Runs of keys that follow each other."""
    order = np.argsort(key)
    begins = np.flatnonzero(np.diff(key[order], prepend=-(2**62)) != 1)
    length = np.diff(np.r_[begins, len(key)])
    return Lines(first[order[begins]], second[order[begins]], length)


def _statistics(diagonal: np.ndarray, vertical: np.ndarray, shortest: int, allowed: int) -> list[float]:
    """The numbers of STATISTICS, in that order, from lengths of lines."""
    whole_sum, across, down = diagonal.sum(), diagonal[diagonal >= shortest], vertical[vertical >= shortest]
    counts = np.bincount(across)
    part = counts[counts > 0] / max(len(across), 1)
    longest = float(across.max(initial=0))

    def ratio(one, other):
        return float(one) / float(other) if other else math.nan

    return [
        ratio(whole_sum, allowed),
        ratio(across.sum(), whole_sum),
        ratio(across.sum(), len(across)),
        longest,
        1 / longest if longest else math.inf,
        float(-(part * np.log(part)).sum()) if len(across) else math.nan,
        ratio(down.sum(), vertical.sum()),
        ratio(down.sum(), len(down)),
    ]
