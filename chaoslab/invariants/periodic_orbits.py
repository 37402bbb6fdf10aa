"""Periodic orbits, stable or not, of maps and of flows through a section: their points, periods and multipliers."""

import numpy as np
import xarray as xr

from ..integrate import iterate
from ..integrate.section import crossings as located
from ..integrate.zeros import rate
from ..systems import System, as_system
from ..systems.unroll import substitute
from ..trajectories.grid import whole
from ..trajectories.schema import described, package_version, seed_text
from .fixed_points import boxes, usual_orbit
from .orbit import time_unit
from .sections import poincare_section, surface_of
from .shooting import Flights, Iterates, around, closed, errors

#: Guesses of a round, and rounds at most: they end when each orbit has been arrived at twice.
ROUND, ROUNDS = {"map": 1024, "flow": 256}, {"map": 16, "flow": 4}
#: Iterates, or crossings, that guesses are taken from, and what is dropped before them, in periods.
ITERATES, CROSSINGS, TRANSIENT = 20_000, 5000, 100
#: Points this near, in widths, are one; samples along an orbit of a flow.
SAME, SAMPLES = 1e-6, 256
#: What a component varies by on the section counts as at least this part of what it varies by at all.
LEAST = 1e-2
#: Multipliers within this distance of the unit circle are on it.
CIRCLE = 1e-6
#: A multiplier below this part of the largest has few digits left.
LOST = 1e-8


def periodic_orbits(
    system: System | str,
    period: int,
    *,
    section: str | None = None,
    direction: int | None = None,
    box=None,
    starts: int | None = None,
    rng: int | np.random.Generator = 0,
    **parameters,
) -> xr.Dataset:
    """The periodic orbits that meet a section up to `period` times before they close (of a map: up to so many iterates).

    Newton's method with multiple shooting, from stretches of the orbit that nearly close and, for maps, from sequences of random
    points of the box. The search for each number of points goes on in rounds of `starts` guesses until every orbit has been
    arrived at twice, and may still miss one: `missing` is the part of arrivals that would be new (Good, Biometrika 40, 237 (1953)).

    Parameters
    ----------
    section : of a flow, the surface as in `poincare_section`, with its `direction`: "z = rho - 1", "maxima of x"
    box : {component: (low, high)} of a map, in which all points of an orbit are wanted, and random guesses lie
    starts : guesses of a round (1,024 of a map, 256 of a flow)
    parameters : values other than the system's, as in `with_`

    Gives `point` (orbit, step, component), `length`: how many points, `period` in time, `multiplier` (orbit, index): eigenvalues
    of the map once round, of a flow those of the section's map, without the 1 along the flow; `stable`, `unstable`: how many
    multipliers are larger than 1, `exponent`: ln of the largest over the period, `residual`, `error`: how far from the exact
    orbit a point is at most, to first order, `period_error`, `arrivals`, and of a flow its `path` (orbit, sample, component) with
    `path_time`. In the order of length and period. Raises ValueError for flows without a section, delay systems, equations
    that depend on time itself, and flows with switches.

    >>> found = periodic_orbits("Henon", 2)
    >>> found.length.values.tolist()
    [1, 1, 2]
    """
    system = as_system(system, "periodic_orbits")
    system = system.with_(**parameters) if parameters else system
    period = whole(period, "period")
    _check(system, section, box)
    generator = np.random.default_rng(rng)
    search = (_MapSearch if system.kind == "map" else _FlowSearch)(system, section, direction, box, generator)
    size = ROUND[system.kind] if starts is None else whole(starts, "starts")
    found = [_of_length(search, length, size) for length in range(1, period + 1)]
    attrs = described(system) | {
        "method": "Newton's method with multiple shooting",
        "starts": size,
        "rng": seed_text(rng),
        "missing": [missing for *_, missing in found],
        "version": package_version(),
    }
    if section is not None:
        attrs |= {"surface": " ".join(section.split())}
    return _labelled(search, found, period, attrs)


def _check(system: System, section, box) -> None:
    if system.kind == "delay":
        raise ValueError(f"{system.label} is a delay system, whose states are whole histories; orbits are found of flows and maps")
    if system.flat.timed:
        raise ValueError(f"the equations of {system.label} depend on time itself; write its forcing with a phase, as in z' = omega")
    if system.kind == "map" and section is not None:
        raise ValueError(f"{system.label} is a map, whose iterates are a section already; leave section out")
    if system.kind == "flow":
        if section is None:
            raise ValueError(
                f"periodic orbits of the flow {system.label} are found through a section; give one, as section='y = 0'"
            )
        if box is not None:
            raise ValueError("a box is for maps; the guesses of a flow are taken from its orbit")
        if not system.smooth:
            raise ValueError(f"{system.label} has kinks or jumps, across which orbits are not closed here")


def _of_length(search, length: int, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Orbits of so many points, as unknowns (orbit, step, unknown), how often each was arrived at, and the part that is missing."""
    known = arrivals = None
    for number in range(ROUNDS[search.system.kind]):
        guesses = search.guesses(length, size, number)
        if not len(guesses):
            break
        made = search.sound(closed(search.problem, guesses), length)
        made = made if known is None else np.concatenate([known, made])
        weights = np.ones(len(made), int)
        if known is not None:
            weights[: len(known)] = arrivals
        known, arrivals = _told_apart(search, made, weights)
        if number and not (arrivals == 1).any():
            break
    if known is None:
        width = len(search.problem.units)
        return np.empty((0, length, width)), np.empty(0, int), np.nan
    singles = (arrivals == 1).sum()
    return known, arrivals, float(singles / arrivals.sum()) if len(arrivals) else np.nan


def _told_apart(search, made: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One of each orbit, and how many led to it: those all of whose points are the same are one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if not len(made):
        return made, weights
    made = search.turned(made)
    keys = search.shown(made).reshape(len(made), -1)
    pairs = cKDTree(keys).query_pairs(SAME, p=np.inf, output_type="ndarray").reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(made), len(made)))
    number, labels = connected_components(graph, directed=False)
    first = np.unique(labels, return_index=True)[1]
    return made[first], np.bincount(labels, weights, number).astype(int)


class _Search:
    """What searches of maps and flows share; `problem` says what is solved."""

    system: System
    problem: Iterates | Flights

    def shown(self, made: np.ndarray) -> np.ndarray:
        """Points (orbit, step, coordinate) in widths, angles as points on a circle."""
        x, turns = self.problem.points(made), self.problem.turns
        folded = np.isfinite(turns)
        angle = 2 * np.pi * x[..., folded] / turns[folded]
        scale = (turns / self.problem.widths / 2 / np.pi)[folded]
        parts = [x[..., ~folded] / self.problem.widths[~folded], scale * np.cos(angle), scale * np.sin(angle)]
        return np.concatenate(parts, axis=-1)

    def turned(self, made: np.ndarray) -> np.ndarray:
        """Orbits begun at a point that is the same however they were found: the first along a direction no axis prefers."""
        keys = self.shown(made)
        height = keys @ np.sin(1.0 + np.arange(keys.shape[-1]))
        places = (height.argmin(axis=1)[:, None] + np.arange(made.shape[1])) % made.shape[1]
        return np.take_along_axis(made, places[..., None], axis=1)

    def least(self, made: np.ndarray) -> np.ndarray:
        """Those that do not close earlier."""
        x, length = self.problem.points(made), made.shape[1]
        whole = np.ones(len(made), bool)
        for part in (k for k in range(1, length) if length % k == 0):
            apart = around(np.roll(x, -part, axis=1) - x, self.problem.turns) / self.problem.widths
            whole &= np.abs(apart).max(axis=(1, 2)) > 10 * SAME
        return made[whole]


class _MapSearch(_Search):
    def __init__(self, system: System, section, direction, box, generator):
        self.system, self.generator = system, generator
        orbit = usual_orbit(system)
        self.inner, self.outer = boxes(system, box, orbit)
        self.asked = [k for k, word in enumerate(system.components) if word in (box or {})]
        self.problem = Iterates(system, self.outer[1] - self.outer[0])
        long = iterate(system, orbit[-1:], ITERATES).states[0]
        self.orbit = long if np.isfinite(long).all() else orbit

    def guesses(self, length: int, size: int, number: int) -> np.ndarray:
        """A quarter each: stretches that nearly close, others of the orbit, random sequences from its extent and from the box."""
        parts = [self._random(self.inner, length, size // 4), self._random(self.outer, length, size // 4)]
        if len(self.orbit) > 2 * length + 2:
            begins = len(self.orbit) - length
            apart = around(self.orbit[length:] - self.orbit[:-length], self.problem.turns) / self.problem.widths
            nearest = np.argsort((apart**2).sum(axis=1), kind="stable")[number * (size // 4) : (number + 1) * (size // 4)]
            begin = np.concatenate([nearest, self.generator.integers(begins, size=size // 4)])
            parts.append(self.orbit[begin[:, None] + np.arange(length)])
        return np.concatenate(parts)

    def _random(self, ends: np.ndarray, length: int, count: int) -> np.ndarray:
        return ends[0] + (ends[1] - ends[0]) * self.generator.random((max(count, 1), length, self.system.dimension))

    def sound(self, made: np.ndarray, length: int) -> np.ndarray:
        """Those of this length, within the box, and folded into it where components are."""
        folded = np.isfinite(self.problem.turns)
        made = made.copy()
        made[..., folded] %= self.problem.turns[folded]
        slack = SAME * (self.outer[1] - self.outer[0])
        inside = (made >= self.outer[0] - slack) & (made <= self.outer[1] + slack)
        return self.least(made[inside[..., self.asked].all(axis=(1, 2))])

    def once_round(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        """Multipliers (orbit, index) and periods."""
        slopes = self.system.jacobian(made)
        total = slopes[:, 0]
        for k in range(1, made.shape[1]):
            total = slopes[:, k] @ total
        sign, volume = np.linalg.slogdet(slopes)
        values = multipliers(total, sign.prod(axis=1), volume.sum(axis=1))
        return values, np.full(len(made), float(made.shape[1])), None


class _FlowSearch(_Search):
    def __init__(self, system: System, section, direction, box, generator):
        self.system = system
        tree, _, self.direction, _ = surface_of(system, section, direction)
        self.tree = tree
        crossed = poincare_section(system, section, CROSSINGS, direction=direction, transient=TRANSIENT)
        states, times = crossed["state"].values[0], crossed["time"].values[0]
        good = np.isfinite(times)
        self.times = times[good]
        self.states = states[good]
        if len(self.states) < 3:
            raise ValueError(f"the orbit of {system.label} crosses {section!r} only {len(self.states)} times")
        rates = {rate(k): rule for k, rule in enumerate(system.flat.rhs)}
        surface = substitute([tree], rates)[0]
        widths = np.maximum(np.ptp(self.states, axis=0), LEAST * np.ptp(usual_orbit(system), axis=0))
        self.problem = Flights(system, np.ones(system.dimension), surface, float(np.diff(self.times).mean()))
        widths = np.where(np.isfinite(self.problem.turns), 2 * np.pi, widths)
        widths = np.maximum(widths, 1e-3 * widths.max())
        self.problem = Flights(system, widths, surface, self.problem.time)
        self.states = around(self.states, self.problem.turns)
        self.unit = time_unit(system)

    def guesses(self, length: int, size: int, number: int) -> np.ndarray:
        """Stretches of the orbit, those that come closest to closing first."""
        apart = around(self.states[length:] - self.states[:-length], self.problem.turns) / self.problem.widths
        begin = np.argsort((apart**2).sum(axis=1), kind="stable")[number * size : (number + 1) * size]
        places = begin[:, None] + np.arange(length)
        flights = np.diff(self.times)
        return np.concatenate([self.states[places], flights[places][..., None]], axis=-1)

    def sound(self, made: np.ndarray, length: int) -> np.ndarray:
        """Those that cross the section so many times, in its direction, and do not close earlier."""
        made = self.least(made)
        if not len(made):
            return made
        start, total = self.problem.points(made)[:, 0], made[..., -1].sum(axis=1)
        options = {"count": length, "patience": 10 * float(total.max()) + self.unit, "direction": self.direction}
        found = located(self.system, self.tree, start, corners=False, **options)
        with np.errstate(invalid="ignore"):
            return made[np.abs(found.times[:, -1] - total) < 1e-5 * total]

    def once_round(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple]:
        """Multipliers (orbit, index) of the section's map, periods, and paths with their times."""
        n, (count, length) = self.system.dimension, made.shape[:2]
        x = self.problem.points(made)
        ends, slopes, volume = self.problem.flown(x.reshape(-1, n), made[..., n].ravel())
        end, slopes = ends[:, -1].reshape(x.shape), slopes.reshape(count, length, n, n)
        _, normal = self.problem.surface_at(end)
        field = self.system.rhs(end)
        along = np.einsum("osi,osi->os", normal, field)[..., None, None]
        slopes = slopes - field[..., :, None] * np.einsum("osi,osij->osj", normal, slopes)[..., None, :] / along
        total = slopes[:, 0]
        for k in range(1, length):
            total = slopes[:, k] @ total
        _, first = self.problem.surface_at(x[:, 0])
        plane = np.linalg.svd(first[:, None, :])[2][:, 1:]  # directions within the surface at the first point
        reduced = plane @ total @ plane.transpose(0, 2, 1)
        values = multipliers(reduced, np.ones(count), volume.reshape(count, length).sum(axis=1))
        return values, made[..., n].sum(axis=1), self._paths(made)

    def _paths(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (orbit, sample, component) once round and their times, flight by flight so that errors do not grow."""
        n, (count, length) = self.system.dimension, made.shape[:2]
        each = max(SAMPLES // length, 8)
        x = self.problem.points(made)
        ends, *_ = self.problem.flown(x.reshape(-1, n), made[..., n].ravel(), each)
        rows = np.concatenate([x[:, :1], ends.reshape(count, length * each, n)], axis=1)
        times = np.cumsum(np.repeat(made[..., n] / each, each, axis=1), axis=1)
        return rows, np.pad(times, ((0, 0), (1, 0)))


def multipliers(once: np.ndarray, sign: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Eigenvalues (orbit, index) of derivatives once round, the largest first.

    What is far smaller than the largest is lost in its rounding; where that is the last alone, it follows from the determinant,
    whose `sign` and logarithm, `volume`, are known without such loss.
    """
    values = np.linalg.eigvals(once).astype(complex)
    values = np.take_along_axis(values, np.lexsort((-values.imag, -np.abs(values))), axis=1)
    if values.shape[1] > 1:
        size = np.abs(values)
        lost = (size[:, -1] < LOST * size[:, 0]) & (size[:, -2] >= LOST * size[:, 0])
        values[lost, -1] = sign[lost] * np.exp(volume[lost]) / values[lost, :-1].prod(axis=1)
    return values


def _labelled(search, found, longest: int, attrs: dict) -> xr.Dataset:
    """The orbits of all lengths in one dataset, NaN where shorter ones have no more points."""
    system, problem = search.system, search.problem
    n, flow = system.dimension, system.kind == "flow"
    columns = {key: [] for key in ("point", "length", "period", "multiplier", "residual", "error", "period_error", "arrivals")}
    paths = []
    for made, arrivals, _ in found:
        if not len(made):
            continue
        values, period, path = search.once_round(made)
        order = np.argsort(period, kind="stable")
        made, arrivals, values, period = made[order], arrivals[order], values[order], period[order]
        residual, away = errors(problem, made)
        points = np.full((len(made), longest, n), np.nan)
        points[:, : made.shape[1]] = problem.points(made)
        rows = (points, np.full(len(made), made.shape[1]), period, values, residual, away[..., :n].max(axis=(1, 2)))
        rows += (away[..., n:].sum(axis=(1, 2)), arrivals)
        for column, row in zip(columns.values(), rows, strict=True):
            column.append(row)
        paths += [(path[0][k], path[1][k]) for k in order] if flow else []
    shapes = {"point": (longest, n), "multiplier": (n - flow,)}
    joined = {
        key: np.concatenate(column) if column else np.empty((0, *shapes.get(key, ())), complex if key == "multiplier" else float)
        for key, column in columns.items()
    }
    size = np.abs(joined["multiplier"])
    dims = {"point": ("orbit", "step", "component"), "multiplier": ("orbit", "index")}
    ds = xr.Dataset({key: (dims.get(key, ("orbit",)), column) for key, column in joined.items()}, attrs=attrs)
    with np.errstate(divide="ignore"):
        ds["exponent"] = "orbit", np.log(size.max(axis=1, initial=0.0)) / joined["period"]
    ds["stable"] = "orbit", (size < 1 - CIRCLE).all(axis=1)
    ds["unstable"] = "orbit", (size > 1 + CIRCLE).sum(axis=1)
    if flow:
        samples = max((len(times) for _, times in paths), default=0)
        rows, times = np.full((len(paths), samples, n), np.nan), np.full((len(paths), samples), np.nan)
        for k, (states, when) in enumerate(paths):
            rows[k, : len(states)], times[k, : len(when)] = states, when
        ds["path"], ds["path_time"] = (("orbit", "sample", "component"), rows), (("orbit", "sample"), times)
    unit = {"units": "iterations" if system.kind == "map" else "the system's time unit"}
    ds["period"].attrs, ds["period_error"].attrs = unit, unit
    component = np.array(system.components, dtype=object)
    return ds.assign_coords(component=component, index=np.arange(1, n - flow + 1), step=np.arange(longest))
