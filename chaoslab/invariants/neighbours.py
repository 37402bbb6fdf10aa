"""The largest Lyapunov exponent from data: how fast near neighbours part, with an error that knows of correlations.

Rosenstein, Collins & De Luca, Physica D 65, 117 (1993): one nearest neighbour of every point, the mean logarithm of the
distance. Kantz, Phys. Lett. A 185, 77 (1994): all neighbours in a ball, the logarithm of their mean distance, averaged.
"""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version
from .cloud import BLOCKS, Cloud, jackknife
from .embedding import embedding_of
from .scaling import Line, checked_fit, slope_and_error
from .series import FEWEST, SMOOTH, checked_name, read_series, standardised

METHODS = ("rosenstein", "kantz")
#: Neighbours are followed for this many mean periods, then twice as long until they have parted, at most for this part.
PERIODS, PART = 8, 1 / 8
#: Parted: the curve is this close to the mean logarithm of the distance of unrelated points, or bends over: after so high a
#: rise, two thirds of it took less than half the time. (Orbits that keep step, as Rossler's do, hardly ever part wholly.)
PARTED, HIGH = 0.5, 3.0
#: Nearest neighbours must be nearer than unrelated points by this power of e, or there is nothing to follow.
NEAR = 2.0
#: The first part of the rise, where few pairs feel the size of the attractor.
RISE = 2 / 3
#: A line has this many points and rises by this many powers of e. Less is no evidence: coloured noise gets as far as 1.3.
POINTS, FOLDS = 4, 1.5
#: The most numbers handled along the curve; beyond, reference points are taken evenly.
WORK = 20_000_000


def exponent_from_data(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    component: str | None = None,
    dimension: int | None = None,
    lag: int | None = None,
    theiler: int | None = None,
    method: str = "rosenstein",
    sampling: float | None = None,
    steps: int | None = None,
    neighbours: int = 1,
    radius: float | None = None,
    orbital: bool | None = None,
    fit: tuple[float, float] | None = None,
) -> xr.Dataset:
    """The largest Lyapunov exponent of measured values, its standard error, and the curve of divergence it was read from.

    Near neighbours among the delay vectors are followed in time; where the mean logarithm of their distance rises along a
    line, its slope is the exponent. Components are standardised first.

    Parameters
    ----------
    series : (time,), (time, component), or a trajectory of one member, whose `observed` is taken where there is one.
        Values that are not finite are gaps, and nothing reaches across one
    component : one of them, by name; by default all, as they are
    dimension, lag : delays, and samples between them. By default the state as it is where there are several components; else
        the lag at which the autocorrelation falls below 1 - 1/e, and the fewest delays with less than 1 % false neighbours
    theiler : samples in time within which no neighbour counts; by default one mean period
    sampling : time between samples; by default that of the time coordinate, else 1
    steps : samples to follow; by default until neighbours have parted, at most an eighth of the series
    neighbours, radius : for kantz, of the ball, in deviations; reference points with fewer neighbours are left out. By default
        as large as nine in ten of them need
    orbital : compare the neighbour's orbit, not its state: where it comes nearest, across the motion. Differences along the
        motion do not grow and flatten the curve (Rossler: by a fifth with 15,000 samples). By default for flows, rosenstein
    fit : (start, end) of the line, in time; by default the line with the smallest error within the first two thirds of the
        rise that has 4 samples and a factor of 4.5; the whole curve where it rises by less

    Gives `exponent` and `error`, `divergence` and `divergence_error` along `time`, coordinates `start` and `end` of the line,
    and attributes. The error joins a jackknife over 16 stretches of time, each left out as reference and as neighbour, with
    the spread of the slopes of the line's three thirds. It does not know how far away the limit of small distances is: from
    5,000 samples the Lorenz system's x comes out 6 % too high, from 12,000 Duffing's oscillator 20 % too low.

    The attribute `status` is "ok", or with a `reason`: "flat" where the exponent lies within three errors of zero (regular
    motion), and "unresolved", with NaN, where there is no line (white noise; too few data). Correlated noise in few delays may
    still imitate a line. Raises ValueError for a series that is too short, constant, or has no neighbours.

    >>> x = [0.4]
    >>> for _ in range(2000):
    ...     x.append(4 * x[-1] * (1 - x[-1]))
    >>> round(float(exponent_from_data(x).exponent), 1), round(math.log(2), 1)
    (0.7, 0.7)
    """
    checked_name(method, METHODS)
    if method == "rosenstein" and (radius is not None or neighbours != 1):
        raise ValueError("rosenstein follows the one nearest neighbour; neighbours= and radius= need method='kantz'")
    if not (orbital is None or isinstance(orbital, bool | np.bool_)):
        raise TypeError(f"orbital is True, False or None; {orbital!r} given")
    fit = None if fit is None else checked_fit(fit, "(start, end) in time")
    values, spacing, flow = read_series(series, component, sampling)
    values, gapless = standardised(values)
    delays, lag, theiler, period = embedding_of(values, gapless, dimension, lag, theiler)
    if orbital is None:
        orbital = method == "rosenstein" and delays * values.shape[1] > 1 and (period >= SMOOTH if flow is None else flow)
    if orbital and delays * values.shape[1] == 1:
        raise ValueError("a single value is all along the motion: orbital=True needs two delays or components at least")
    cloud = Cloud(values, gapless, delays, lag, theiler, math.ceil(period / 2) if orbital else 0)
    ball = None if radius is None else positive(radius, "radius, in deviations,")
    followed = _follow(cloud, method, _horizon(steps, fit, spacing, period, gapless), whole(neighbours, "neighbours"), ball)
    line = _line(followed, spacing, fit)
    attrs = {"method": method, "dimension": delays, "lag": lag, "theiler": theiler, "sampling": spacing, "orbital": int(orbital)}
    attrs |= {"references": followed.references} | ({"radius": followed.radius} if method == "kantz" else {})
    return _dataset(followed, line, spacing, attrs)


class Followed(NamedTuple):
    """Curves (of all, and without each block; step), the level of unrelated points, and what they were made of."""

    curves: np.ndarray
    unrelated: float
    references: int
    radius: float = math.nan


def _horizon(steps, fit, spacing, period, gapless) -> tuple[int, int]:
    """Steps to follow at first, and at most."""
    if steps is not None:
        steps = whole(steps, "steps")
    elif fit is not None:
        steps = max(math.ceil(fit[1] / spacing - 1e-9), POINTS)
    if steps is not None:
        return steps, steps
    longest = min(int(PART * len(gapless)), int(gapless.max()) // 3)
    return min(math.ceil(PERIODS * period), longest), longest


def _follow(cloud: Cloud, method: str, horizon: tuple[int, int], neighbours: int, radius: float | None) -> Followed:
    steps, longest = horizon
    while True:
        rows = cloud.rows(steps)
        if len(rows) < FEWEST or steps < POINTS - 1:
            raise ValueError(
                f"the series is too short: {len(rows)} points are left of {len(cloud.values)} samples, with {cloud.delays} delays "
                f"of {cloud.lag} samples before and {steps} steps after each, and no gap; {FEWEST} points and {POINTS - 1} steps "
                "are needed"
            )
        followed = rosenstein(cloud, rows, steps) if method == "rosenstein" else kantz(cloud, rows, steps, neighbours, radius)
        curve = followed.curves[0]
        high = curve.max() - curve[0] > HIGH and _risen(curve) < steps / 2
        if high or curve.max() > followed.unrelated - PARTED or steps >= longest:
            return followed
        steps = min(2 * steps, longest)


def _risen(curve: np.ndarray) -> int:
    """The first step after the first part of the rise."""
    return int((curve > curve[0] + RISE * (curve.max() - curve[0])).argmax())


def _unrelated(cloud: Cloud, rows: np.ndarray) -> np.ndarray:
    """Distances of pairs that have nothing to do with each other: multiples of the golden ratio meet no period."""
    other = (np.arange(len(rows)) * ((math.sqrt(5) - 1) / 2) % 1 * len(rows)).astype(int)
    return next(cloud.apart(rows, rows[other], 0))


def _blocks(rows: np.ndarray) -> np.ndarray:
    return np.arange(len(rows)) * BLOCKS // len(rows)


def _references(rows: np.ndarray, work: int) -> np.ndarray:
    """Places in `rows`, evenly spaced: all of them, if that is not too much work."""
    return np.arange(0, len(rows), max(1, min(math.ceil(work / WORK), len(rows) // (2 * FEWEST))))


def rosenstein(cloud: Cloud, rows: np.ndarray, steps: int) -> Followed:
    """The mean logarithm of the distance to the one nearest neighbour.

    Without a block, those whose neighbour lies in it have another: the nearest elsewhere.
    """
    block = _blocks(rows)
    asked = _references(rows, 2 * len(rows) * (steps + 1) * cloud.compared.shape[1])
    one = cloud.nearest(rows, asked)[0]
    asked, one = asked[one >= 0], one[one >= 0]
    two = cloud.nearest(rows, asked, avoid=(block, block[one]))[0]
    asked, one, two = asked[two >= 0], one[two >= 0], two[two >= 0]
    if len(asked) < FEWEST:
        raise ValueError(_no_neighbours(len(asked), "at any distance", cloud))
    cell = block[asked] * BLOCKS + block[one]
    own = np.bincount(block[asked], minlength=BLOCKS)
    curves = np.empty((1 + BLOCKS, steps + 1))
    pairs = np.concatenate([rows[asked]] * 2), np.concatenate([rows[one], rows[two]])
    for k, distance in enumerate(cloud.apart(*pairs, steps)):
        log, instead = np.split(np.log(distance), 2)
        table = np.bincount(cell, log, BLOCKS**2).reshape(BLOCKS, BLOCKS)
        change = np.bincount(cell, instead - log, BLOCKS**2).reshape(BLOCKS, BLOCKS)
        curves[0, k] = log.mean()
        curves[1:, k] = (table.sum() - table.sum(axis=1) + change.sum(axis=0) - np.diag(change)) / (len(asked) - own)
    return Followed(curves, float(np.log(_unrelated(cloud, rows)).mean()), len(asked))


def kantz(cloud: Cloud, rows: np.ndarray, steps: int, fewest: int, radius: float | None) -> Followed:
    """The logarithm of the mean distance to all neighbours in a ball, in the mean over points that have so many."""
    from scipy.spatial import cKDTree

    block, points = _blocks(rows), cloud.vectors[rows]
    if radius is None:
        some = np.linspace(0, len(rows) - 1, min(len(rows), 2000)).astype(int)
        distance = cloud.nearest(rows, some, rank=fewest)[1]
        if np.isnan(distance).all():
            raise ValueError(_no_neighbours(0, "at any distance", cloud, fewest))
        radius = float(np.nanquantile(distance, 0.9))
    tree = cKDTree(points)
    crowd = tree.query_ball_point(points, radius, return_length=True, workers=-1)
    asked = _references(rows, (int(crowd.sum()) * cloud.compared.shape[1] + len(rows) * BLOCKS) * (steps + 1))
    near = tree.query_ball_point(points[asked], radius, workers=-1)
    one, two = np.repeat(np.arange(len(asked)), [len(row) for row in near]), np.concatenate(near).astype(int)
    far = np.abs(rows[two] - rows[asked[one]]) > cloud.theiler
    one, two = one[far], two[far]
    enough = np.bincount(one, minlength=len(asked)) >= fewest
    if enough.sum() < FEWEST:
        raise ValueError(_no_neighbours(enough.sum(), f"within {radius:.3g} deviations", cloud, fewest))
    one, two, asked = (enough.cumsum() - 1)[one[enough[one]]], two[enough[one]], asked[enough]
    cell, shape = one * BLOCKS + block[two], (len(asked), BLOCKS)
    count = np.bincount(cell, minlength=len(asked) * BLOCKS).reshape(shape)
    rest = count.sum(axis=1, keepdims=True) - count
    kept = (rest > 0) & (block[asked][:, None] != np.arange(BLOCKS))
    curves = np.empty((1 + BLOCKS, steps + 1))
    for k, distance in enumerate(cloud.apart(rows[asked[one]], rows[two], steps)):
        table = np.bincount(cell, distance, len(asked) * BLOCKS).reshape(shape)
        total = table.sum(axis=1, keepdims=True)
        curves[0, k] = np.log(total[:, 0] / count.sum(axis=1)).mean()
        without = np.log(np.where(kept, total - table, 1.0) / np.where(kept, rest, 1))
        curves[1:, k] = without.sum(axis=0) / kept.sum(axis=0)
    return Followed(curves, float(np.log(_unrelated(cloud, rows).mean())), len(asked), radius)


def _no_neighbours(count: int, where: str, cloud: Cloud, fewest: int = 1) -> str:
    wanted = "a neighbour" if fewest == 1 else f"{fewest} neighbours"
    return (
        f"{count} points have {wanted} {where}, farther in time than {cloud.theiler} samples and not the same point again; "
        f"{FEWEST} are needed. Take a larger radius, a smaller theiler, or a longer series that does not repeat itself"
    )


def _line(followed: Followed, spacing: float, fit: tuple[float, float] | None) -> Line:
    curves, last = followed.curves, followed.curves.shape[1] - 1
    if fit is not None:
        start, end = math.ceil(fit[0] / spacing - 1e-9), math.floor(fit[1] / spacing + 1e-9)
        if not 0 <= start <= end - POINTS + 1 or end > last:
            raise ValueError(
                f"fit is (start, end) in time, between 0 and {last * spacing:g} and at least {POINTS} samples of {spacing:g} long; "
                f"({fit[0]:g}, {fit[1]:g}) given"
            )
        return _sloped(curves, start, end, spacing)
    if followed.unrelated - curves[0, 0] < NEAR:
        return Line(reason="neighbours are hardly nearer than unrelated points: take more data, or fewer delays")
    if curves[0].max() - curves[0, 0] < FOLDS:
        return _sloped(curves, 0, last, spacing)
    last = _risen(curves[0]) - 1
    tried = [
        (start, end)
        for end in np.unique(np.linspace(last // 2, last, 12).astype(int))
        for start in np.unique(np.linspace(0, end // 2, 20).astype(int))
        if end - start + 1 >= POINTS and curves[0, end] - curves[0, start] >= FOLDS
    ]
    if not tried:
        factor = math.exp(curves[0, last] - curves[0, 0])
        return Line(reason=f"neighbours part too soon to read a slope, by a factor {factor:.2g} within {last + 1} samples")
    return min((_sloped(curves, start, end, spacing) for start, end in tried), key=lambda line: line.error)


def _sloped(curves: np.ndarray, start: int, end: int, spacing: float) -> Line:
    slope, error = slope_and_error(np.arange(start, end + 1) * spacing, curves[:, start : end + 1])
    flat = abs(slope) <= 3 * error
    reason = "the exponent is zero within three errors" if flat else ""
    return Line(slope, error, start * spacing, end * spacing, "flat" if flat else "ok", reason)


def _dataset(followed: Followed, line: Line, spacing: float, attrs: dict) -> xr.Dataset:
    curve, error = followed.curves[0], jackknife(followed.curves)
    return xr.Dataset(
        {
            "exponent": line.slope,
            "error": line.error,
            "divergence": ("time", curve),
            "divergence_error": ("time", error),
        },
        coords={"time": np.arange(len(curve)) * spacing, "start": line.start, "end": line.end},
        attrs=attrs | {"status": line.status, "reason": line.reason, "version": package_version()},
    )
