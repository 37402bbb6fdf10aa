"""How many dimensions a cloud of points fills: the correlation dimension, and that of the two nearest neighbours."""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.grid import whole
from ..trajectories.schema import package_version
from .cloud import BLOCKS, SAME, Cloud, allowed_pairs, jackknife, leave_out
from .embedding import Points, points_of
from .scaling import Line, checked_fit, slope_and_error
from .series import FEWEST

#: The most points looked at, and their nearest pairs. For larger radii a quarter of the points is taken, and so on.
POINTS, PAIRS, QUARTER = 20_000, 1_000_000, 4
#: Radii are so many to a factor e; the smallest has about so many pairs within it.
RADII, LEAST = 8, 100
#: A scaling region spans this factor e at least, in which the correlation sum rises by as much (or it is a step between two
#: distances of a lattice), and ends where this part of all pairs are near.
FOLDS, RISE, NEAR = 1.5, 1.0, 0.1
#: Ends of regions that are tried.
TRIED = 25
#: The width of a uniform body, in deviations.
WIDTH = math.sqrt(12)
#: Two nearest neighbours: the part of the largest ratios of which only the number counts, and how often points are halved.
DISCARDED, HALVINGS = 0.1, 4


def correlation_dimension(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    component: str | None = None,
    dimension: int | None = None,
    lag: int | None = None,
    theiler: int | None = None,
    sampling: float | None = None,
    fit: tuple[float, float] | None = None,
    points: int = POINTS,
    pairs: int = PAIRS,
) -> xr.Dataset:
    """The correlation dimension, its standard error, and the correlation sum it was read from.

    The correlation sum C(r) is the part of all pairs, farther apart in time than the Theiler window, that are nearer than r;
    where log C rises along a line with log r, its slope is the dimension (Grassberger & Procaccia, Physica D 9, 189 (1983)).
    Components are standardised, so that units do not matter; radii are in deviations, distances Euclidean.

    Parameters
    ----------
    series : (time,), (time, component), or a trajectory of one member, whose `observed` is taken where there is one.
        Values that are not finite are gaps, and no vector reaches into one
    component : one of them, by name; by default all
    dimension, lag : delays, and samples between them. By default the state as it is where there are several components; else
        the lag at which the autocorrelation falls below 1 - 1/e, and the fewest delays with less than 1 % false neighbours
    theiler : samples in time within which no pair counts (Theiler 1986); by default one mean period. 0 for points whose order
        means nothing
    fit : (smallest, largest) radius of the line; by default the region with the smallest error
    points : the most that are looked at; a longer series is thinned evenly (attribute `every`)
    pairs : counted for each radius. All pairs are nearer than the largest, so larger radii are counted among fewer points,
        every 4th, 16th, ...

    Gives `value`, `error`; `takens`, `takens_error`, the maximum-likelihood estimate from all distances below the end of the
    region (Takens, Lect. Notes Math. 1125, 99 (1985)); `correlation_sum` and `local_slope` with errors along `radius`;
    coordinates `start` and `end` of the region. The error joins a jackknife over 16 stretches of time, the spread of the
    slopes of the region's three thirds, and D r / (2 L) at the region's middle radius r, what the edges of a uniform body of
    width L = sqrt(12) take from the slope. The attribute `status` is "ok", or "unresolved" with a `reason`, and NaN.

    Raises ValueError for a series that is too short, constant, or visits few points only.

    >>> square = np.random.default_rng(0).random((2000, 2))
    >>> found = correlation_dimension(square, theiler=0)
    >>> bool(abs(found.value - 2) < 2 * found.error)
    True
    """
    cloud, rows, attrs = _thinned(points_of(series, component, dimension, lag, theiler, sampling), points)
    curve = _correlation_sum(cloud, rows, whole(pairs, "pairs"))
    line = _line(curve, fit)
    end = int(np.searchsorted(curve.radius, line.end * (1 + 1e-9))) - 1
    takens = 1 / (np.log(curve.radius[end]) - curve.logs[:, end]) if line.status == "ok" else np.full(BLOCKS + 1, math.nan)
    edge = _edge(takens[0], curve.radius[end] * math.exp(-1 / takens[0]))
    logs = np.log(np.maximum(curve.sums, 1e-300))
    slopes = np.gradient(logs, np.log(curve.radius), axis=1)
    data = {"value": line.slope, "error": line.error}
    data |= {"takens": takens[0], "takens_error": math.hypot(float(jackknife(takens)), edge)}
    for name, each in (("correlation_sum", curve.sums), ("local_slope", slopes)):
        data |= {name: ("radius", each[0]), f"{name}_error": ("radius", jackknife(each))}
    made = {"method": "correlation sum", "status": line.status, "reason": line.reason, "version": package_version()}
    return xr.Dataset(data, {"radius": curve.radius, "start": line.start, "end": line.end}, attrs | made)


def two_nearest_neighbours(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    component: str | None = None,
    dimension: int | None = None,
    lag: int | None = None,
    theiler: int | None = None,
    sampling: float | None = None,
    points: int = POINTS,
) -> xr.Dataset:
    """The dimension by the ratio of the distances of every point's two nearest neighbours, and its standard error.

    Where points lie evenly within such a distance, the ratio mu has density D mu**(-D - 1), whatever the density of points; D
    is the maximum-likelihood estimate, of the largest tenth of the ratios only their number (Facco, d'Errico, Rodriguez & Laio,
    Sci. Rep. 7, 12140 (2017)). It sees the smallest scales, so noise as well.

    Parameters as in `correlation_dimension`. Sample a flow so that its points lie no nearer along an orbit than across to the
    next one. Gives `value`, `error` and the estimates `dimension_of` with every 2nd, 4th, ... point, at larger scales, along
    `count`, the number of points. The error joins a jackknife over 16 stretches of time, the change when points are halved, and
    the edges' part, as there. Raises ValueError as there, and for values so rounded that distances are equal.
    """
    cloud, rows, attrs = _thinned(points_of(series, component, dimension, lag, theiler, sampling), points)
    fewer = [rows[:: 2**k] for k in range(HALVINGS) if len(rows) > 2**k * FEWEST or k == 0]
    found, radii = zip(*(_two(cloud, some) for some in fewer), strict=True)
    curves = np.array(found).T
    change = float(curves[0, 0] - curves[0, 1]) if len(fewer) > 1 else 0.0
    error = math.sqrt(float(jackknife(curves[:, 0])) ** 2 + change**2 + _edge(curves[0, 0], radii[0]) ** 2)
    return xr.Dataset(
        {
            "value": curves[0, 0],
            "error": error,
            "dimension_of": ("count", curves[0]),
            "dimension_of_error": ("count", jackknife(curves)),
        },
        coords={"count": [len(some) for some in fewer]},
        attrs=attrs | {"method": "two nearest neighbours", "discarded": DISCARDED, "version": package_version()},
    )


def _thinned(points: Points, most) -> Points:
    """At most about so many of the points, evenly taken."""
    every = math.ceil(len(points.rows) / whole(most, "points"))
    rows = points.rows[::every]
    return Points(points.cloud, rows, points.attrs | {"every": every, "points": len(rows)})


class Curve(NamedTuple):
    """Radii, the correlation sum (of all, and without each block; radius), and the mean log of the distances below."""

    radius: np.ndarray
    sums: np.ndarray
    logs: np.ndarray


def _correlation_sum(cloud: Cloud, rows: np.ndarray, most: int) -> Curve:
    """Small radii among all points, larger ones among every 4th, 16th, ...; blocks are the same stretches of time."""
    parts, grid, done = [], None, 0
    while True:
        edges = np.arange(BLOCKS + 1) * len(rows) // BLOCKS
        allowed = leave_out(allowed_pairs(rows, cloud.theiler, edges))
        count = min(most, int(allowed[0]))
        first, second, distance = cloud.pairs(rows, count)
        last = count == allowed[0] or len(rows) < QUARTER * FEWEST
        # equal values, as rounding leaves them, lie about as far apart as the least that differ
        log = np.log(np.maximum(distance, distance[distance > SAME].min(initial=1.0)))
        if grid is None:
            least = min(LEAST, len(log) - 1)
            grid = np.partition(log, least)[least]
        reached = math.ceil((log.max() - grid) * RADII) if last else math.floor((log.max() - grid) * RADII)
        radii = grid + np.arange(done, max(reached, done) + 1) / RADII
        bins = len(radii) + 1
        block = np.searchsorted(edges[1:], np.arange(len(rows)), side="right")
        cell = (block[first] * BLOCKS + block[second]) * bins + np.searchsorted(radii, log)
        near, total = (
            leave_out(np.bincount(cell, weights, BLOCKS**2 * bins).reshape(BLOCKS, BLOCKS, bins).cumsum(axis=-1))[:, :-1]
            for weights in (None, log)
        )
        parts.append((radii, near / np.maximum(allowed, 1)[:, None], total / np.maximum(near, 1)))
        done = done + len(radii)
        if last:
            radius, sums, logs = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
            return Curve(np.exp(radius), sums, logs)
        rows = rows[::QUARTER]


def _line(curve: Curve, fit) -> Line:
    """The line of the region that was given, or of the one with the smallest error."""
    log = np.log(curve.radius)
    well = (curve.sums > 0).all(axis=0)
    if fit is not None:
        low, high = checked_fit(fit, "(smallest, largest) radius, in deviations")
        inside = np.flatnonzero((curve.radius >= low * (1 - 1e-9)) & (curve.radius <= high * (1 + 1e-9)) & well)
        if len(inside) < 4:
            raise ValueError(
                f"fit={fit!r} holds {len(inside)} of the radii, which lie between {curve.radius[0]:.3g} and "
                f"{curve.radius[-1]:.3g}; 4 are needed"
            )
        return _sloped(curve, inside[0], inside[-1])
    inside = np.flatnonzero(well & (curve.sums[0] <= NEAR))
    ends = inside[np.unique(np.linspace(0, len(inside) - 1, TRIED).astype(int))] if len(inside) else inside
    rise = np.log(np.maximum(curve.sums[0], 1e-300))
    tried = [(a, b) for a in ends for b in ends if log[b] - log[a] >= FOLDS - 1e-9 and rise[b] - rise[a] >= RISE]
    if not tried:
        return Line(reason="radii with enough near pairs span too small a range: take more points, or fewer delays")
    return min((_sloped(curve, a, b) for a, b in tried), key=lambda line: line.error)


def _sloped(curve: Curve, start: int, end: int) -> Line:
    log, sums = np.log(curve.radius[start : end + 1]), np.log(curve.sums[:, start : end + 1])
    slope, error = slope_and_error(log, sums)
    error = math.hypot(error, _edge(slope, math.exp((log[0] + log[-1]) / 2)))
    return Line(slope, error, float(curve.radius[start]), float(curve.radius[end]), "ok")


def _edge(dimension: float, radius: float) -> float:
    """What the slope of a uniform cube's correlation sum lacks at that radius, about: near an edge part of a ball is empty."""
    return dimension * radius / (2 * WIDTH)


def _two(cloud: Cloud, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """The maximum-likelihood estimate from all points, and without those of each block; and how far neighbours are."""
    asked = np.arange(len(rows))
    one, near = cloud.nearest(rows, asked)
    two, far = cloud.nearest(rows, asked, rank=2)
    known = (one >= 0) & (two >= 0)
    if known.sum() < FEWEST:
        raise ValueError(
            f"{known.sum()} points have two neighbours farther in time than {cloud.theiler} samples and not the same point again; "
            f"{FEWEST} are needed. Take a smaller theiler, or a longer series that does not repeat itself"
        )
    same = float(np.mean(far[known] <= near[known] * (1 + 1e-9)))
    if same > DISCARDED:
        raise ValueError(
            f"{same:.0%} of the points have two nearest neighbours at one distance, as rounded values do, so their ratio tells "
            "nothing; give more digits, or correlation_dimension() reads larger scales"
        )
    logs, block = np.log(far[known] / near[known]), (asked * BLOCKS // len(rows))[known]
    estimates = np.array([_pareto(logs if k < 0 else logs[block != k]) for k in range(-1, BLOCKS)])
    return estimates, float(np.median(far[known]))


def _pareto(logs: np.ndarray) -> float:
    """The exponent of ratios with these logs; of the largest only their number counts."""
    kept = len(logs) - int(DISCARDED * len(logs))
    logs = np.partition(logs, kept - 1)
    return kept / float(logs[:kept].sum() + (len(logs) - kept) * logs[kept - 1])
