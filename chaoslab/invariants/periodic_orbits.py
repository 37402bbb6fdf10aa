"""Periodic orbits, stable or not, of maps and of flows through a section: their points, periods and multipliers."""

import numpy as np
import xarray as xr

from ..systems import System, as_system
from ..trajectories.grid import whole
from ..trajectories.schema import described, package_version, seed_text
from .orbit_search import SAME, FlowSearch, MapSearch
from .shooting import closed, errors

#: Guesses of a round, and rounds at most: they end when each orbit has been arrived at twice.
ROUND, ROUNDS = {"map": 1024, "flow": 256}, {"map": 16, "flow": 4}
#: Multipliers within this distance of the unit circle are on it.
CIRCLE = 1e-6


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
    search = (MapSearch if system.kind == "map" else FlowSearch)(system, section, direction, box, generator)
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
