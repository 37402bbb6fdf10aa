"""Lyapunov exponents: how fast small differences grow, from the linearised equations and repeated QR factors.

Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15, 9 (1980); Shimada & Nagashima, Prog. Theor. Phys. 61, 1605 (1979).
"""

import math

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE
from ..integrate.effort import most_steps
from ..integrate.tangent import Bundle, bundle
from ..sweep import Bar
from ..systems import System, as_system
from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version, seed_text
from .orbit import divided_orbit, start_time, time_unit

#: Members of a flow fill one vector of the processor; a map's are many, since each step is one numpy call for all.
MEMBERS = {"flow": 8, "map": 64, "delay": 4}
#: Periods, or iterations, of all members together where no time is given.
PERIODS, ITERATIONS = {"flow": 4000, "delay": 1000}, 200_000
#: e-folds by which the first difference may outgrow the last between two factors: bursts may reach half as much more.
PARTING = 8.0
#: Batches that scatter by less than this part of how far the mean swings are those of a cycle.
REGULAR = 0.1
#: Halvings of a step at most.
DEEPEST = 10
#: The first part of every run, in which the frames turn to where they belong.
ALIGNING = 0.1
#: Differences that grow in proportion to time grow by this many e-folds once frames are aligned; half as many again are suspect.
LINEAR = math.log(1 / ALIGNING) / (1 - ALIGNING)
#: Batches of all members together; fewer and longer ones are tried too, and the largest error counts.
BATCHES = (32, 16, 8)
#: A factor takes about as long as so many steps of a solver.
FACTOR = 150
#: Points of the trace.
TRACE = 200
#: From this dimension on not all exponents are taken unless asked for.
MANY = 40


class TooShort(ValueError):
    """A time in which no error can be told."""


def lyapunov_spectrum(
    system: System | str,
    *,
    time: float | None = None,
    count: int | None = None,
    members: int | None = None,
    transient: float | None = None,
    apart: float | None = None,
    rng: int | np.random.Generator = 0,
    tolerance: float = TOLERANCE,
    progress: bool = True,
) -> xr.Dataset:
    """The `count` largest Lyapunov exponents per time unit (of a map per iteration), natural logarithm, with errors.

    Members that divide the orbit of the system's state among them each carry a frame of small differences; the mean logarithm of
    its growth is the exponent. Its error is the standard error of the means of long batches, the largest of several batch
    lengths, so that correlations within a batch do not shrink it; of an exponent near zero at least what growth in proportion to
    time would show. Where the motion slides along a surface, a difference dies out altogether: -inf.

    Parameters
    ----------
    time : of all members together, in the system's unit; by default 4,000 dominant periods (of a delay system
        1,000), or 200,000 iterations
    count : all by default, at most 40; of a delay system 4
    transient : before the first member, in the system's unit; by default 100 periods, or 1,000 iterations
    apart : of flows, the time along the orbit from one member's start to the next. By default they divide the orbit; a chaotic
        motion can have them closer, since what is rounded otherwise is a motion of its own after 40 Lyapunov times, say 100

    Gives variables `exponent` and `error` (index), `covariance` of the means (index, other), `trace` (elapsed, index): the
    estimate as it grows, and `divergence`: the mean divergence along the same orbits, which all exponents sum up to (NaN for
    delay systems). Raises ValueError for a motion that escapes, TooShort for a time of few batches.

    >>> float(lyapunov_spectrum("Henon", time=20_000, progress=False).exponent[0].round(1))
    0.4
    """
    system = as_system(system, "lyapunov_spectrum")
    count = checked_count(system, count)
    members = _checked(system, time, transient, members, apart)
    unit = time_unit(system)
    total = time if time is not None else (ITERATIONS if system.kind == "map" else PERIODS[system.kind] * unit)
    between = total / members if apart is None else min(apart, total / members)
    starts, scale = divided_orbit(system, members, unit, transient, between)
    group = bundle(system, starts, count, scale=scale, rng=np.random.default_rng(rng), tolerance=tolerance)
    if system.flat.timed:
        group.t = start_time(system, unit, transient)
        if system.kind == "map":
            group.t = group.t + round(total / members) * np.arange(members)
    interval = factor_interval(group, unit)
    steps = round(total / members / interval)
    if steps * members < 2 * BATCHES[0] or steps < 8:
        least = max(2 * BATCHES[0], 8 * members) * interval
        raise TooShort(
            f"{system.label}: {total:g} is too short for an error; take at least {least:.3g}, better a hundred times that"
        )
    growth, volume = _run(group, interval, steps, progress)
    kept = slice(int(ALIGNING * steps), None)
    return _spectrum(
        system,
        growth[kept],
        volume[kept],
        interval,
        {"tolerance": tolerance, "members": members, "apart": between, "rng": seed_text(rng)},
    )


def checked_count(system: System, count: int | None) -> int:
    most = None if system.kind == "delay" else system.dimension
    if count is None:
        return 4 if most is None else min(most, MANY)
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= (most or 100):
        limit = f"its {most} dimensions" if most else "100 for a delay system"
        raise ValueError(f"{system.label} has exponents 1 to {limit}; count={count!r} given")
    return count


def _checked(system: System, time, transient, members, apart) -> int:
    """The number of members; an error for requests that make no sense."""
    if time is not None:
        positive(time, "time, of all members together,")
    if transient is not None:
        positive(transient, "transient, in the system's unit,", zero=True)
    if apart is not None and system.kind != "flow":
        raise ValueError(f"apart is a time between members of a flow; {apart!r} given for {system.label}, a {system.kind}")
    if apart is not None:
        positive(apart, "apart, the time from one member's start to the next,")
    if members is None:
        return 1 if system.flat.timed else MEMBERS[system.kind]
    members = whole(members, "members")
    if system.flat.timed and members > 1 and system.kind != "map":
        raise ValueError(f"{system.label} depends on time itself, so it is followed by one member; members={members} given")
    return members


def factor_interval(group: Bundle, unit: float) -> float:
    """A time between factors in which the differences part by not too much, from a short trial."""
    if group.system.kind == "map":
        return 1.0
    delayed = group.system.kind == "delay"
    interval = unit / 8 if not delayed else min(unit, float(group.system.lags_at(group.values).max())) / 4
    for _ in range(24):
        parted = _parted(group.advance(interval))
        interval = min(interval * float(np.clip(PARTING / max(parted, 1e-9), 0.1, 1.0 if delayed else 2.0)), unit)
    return 0.7 * interval


def _parted(growth: np.ndarray) -> float:
    """The most e-folds by which differences have parted from one another, or from their own length."""
    growth = np.where(np.isfinite(growth), growth, 0.0)
    most, least = growth.max(axis=1), growth.min(axis=1)
    return float(max((most - least).max(), most.max(), -least.min()))


def _step(group: Bundle, interval: float, depth: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Growth and volume over an interval, taken in halves where a burst would part the differences too far for rounding."""
    before = group.states, group.frames, group.t
    growth = group.advance(interval)
    ended = np.isnan(growth).any()
    if ended or group.system.kind != "flow" or depth == DEEPEST or not _parted(growth) > 1.5 * PARTING:
        return growth, group.volume
    group.states, group.frames, group.t = before
    halves = [_step(group, interval / 2, depth + 1) for _ in range(2)]
    return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]


def _run(group: Bundle, interval: float, steps: int, progress: bool) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of growth (step, member, index) and volume (step, member)."""
    growth, volume = [], []
    every, limit = max(1, steps // 200), group.advances + most_steps() / FACTOR
    if steps > limit:
        raise ValueError(f"the exponents of {group.system.label} take {steps} factors, more than the {limit:g} allowed here")
    with Bar(steps, f"exponents of {group.system.label}", shown=progress) as bar:
        for step in range(steps):
            grown, changed = _step(group, interval)
            growth.append(grown)
            volume.append(changed)
            if group.advances > limit:
                raise ValueError(f"the exponents of {group.system.label} take more than {limit:g} factors, the most allowed here")
            if np.isnan(growth[-1]).any():
                raise ValueError(f"{group.system.label} escapes or cannot be followed at t = {group.t:.6g}, so it has no exponents")
            if step % every == 0:
                bar.update(every)
    return np.array(growth), np.array(volume)


def _spectrum(system: System, growth: np.ndarray, volume: np.ndarray, interval: float, made: dict) -> xr.Dataset:
    steps, members, count = growth.shape
    mean, span = growth.mean(axis=(0, 1)) / interval, steps * interval
    covariance = mean_covariance(growth / interval)
    covariance += np.diag(np.where(np.abs(mean) < 1.5 * LINEAR / span, LINEAR / span, 0.0) ** 2)
    points = np.unique(np.linspace(1, steps, min(TRACE, steps)).astype(int))
    running = np.cumsum(growth.mean(axis=1), axis=0)[points - 1] / (points * interval)[:, None]
    index = np.arange(1, count + 1)
    return xr.Dataset(
        {
            "exponent": ("index", mean, {"units": "1/time" if system.kind != "map" else "1/iteration"}),
            "error": ("index", np.sqrt(np.diag(covariance))),
            "covariance": (("index", "other"), covariance),
            "trace": (("elapsed", "index"), running),
            "divergence": ((), float(volume.mean() / interval)),
        },
        coords={"index": index, "other": index, "elapsed": points * interval * members},
        attrs={
            "name": system.label,
            "method": "linearised equations, QR factors, batch means",
            "time": steps * members * interval,
            "interval": interval,
            "dimension": system.dimension if system.kind != "delay" else -1,
            "kind": system.kind,
            "version": package_version(),
            **made,
        },
    )


def mean_covariance(rates: np.ndarray) -> np.ndarray:
    """The covariance of the means of rates (step, member, index), from batches of several lengths; the largest counts.

    Batches lie within members. NaN where a rate is infinite.
    """
    steps, members, count = rates.shape
    finite = np.isfinite(rates).all(axis=(0, 1))
    best, largest = np.full((count, count), np.nan), -1.0
    for batches in BATCHES:
        each = max(1, round(batches / members))
        length = steps // each
        if length < 1 or each * members < 4:
            continue
        means = rates[: each * length].reshape(each, length, members, count).mean(axis=1).reshape(-1, count)[:, finite]
        found = np.atleast_2d(np.cov(means, rowvar=False)) / len(means)
        size = float(np.diag(found).sum())
        if size > largest:
            largest = size
            best[np.ix_(finite, finite)] = found
    each = rates[:, :, finite]
    swing = np.ptp(np.cumsum((each - each.mean(axis=(0, 1))).mean(axis=1), axis=0), axis=0) / steps
    spread = np.sqrt(np.diag(best)[finite])
    regular = np.where(spread < REGULAR * swing, swing, 0.0)  # on a cycle, members in phase have no scatter of their own
    best[np.ix_(finite, finite)] += np.diag(regular**2)
    return best


def largest_exponent(system: System | str, **options) -> xr.Dataset:
    """The largest exponent alone: `lyapunov_spectrum` with a single difference, which takes a fraction of the time."""
    return lyapunov_spectrum(system, count=1, **options)
