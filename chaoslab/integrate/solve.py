"""One call for every engine: initial states and times in, states and what became of them out."""

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..systems.system import System
from ..systems.unroll import Flat
from . import delay, lanes, maps, members, scipy, taylor
from .crossing import Walk
from .exponents import with_whole_powers
from .past import Past, constant
from .switching import switched

SOLVERS = {"taylor": taylor.stepper, "scipy": scipy.stepper}
#: A component this many times larger than everything at the start has left for good.
ESCAPED = 1e12
TOLERANCE = 1e-12
#: The loosest tolerance at which switches are located: longer steps see the states well, but not the surfaces.
SWITCHING = 1e-9


@dataclass(frozen=True)
class Solution:
    """States (member, time, component), NaN after a member's end; `status` is "ok", "escaped" or "failed" by member,
    `ended` the time of the end (NaN while ok), `reasons` say why a member failed.

    Of a delay system also the `delayed` states (member, time, delay), if asked for, and each member's past, to go on from.
    """

    states: np.ndarray
    status: np.ndarray
    ended: np.ndarray
    reasons: tuple[str, ...]
    solver: str
    delayed: np.ndarray | None = None
    pasts: tuple[Past, ...] = ()


@lru_cache(maxsize=1)
def default_solver() -> str:
    """ "taylor" where heyoka is installed, else "scipy", said aloud once."""
    if importlib.util.find_spec("heyoka") is not None:
        return "taylor"
    warnings.warn(
        "heyoka is not installed, so SciPy integrates, several hundred times slower; conda install -c conda-forge heyoka.py",
        stacklevel=3,
    )
    return "scipy"


def solve(
    system: System,
    initial: np.ndarray | Sequence[Past],
    times: np.ndarray,
    *,
    values: np.ndarray | None = None,
    start: float = 0.0,
    tolerance: float = TOLERANCE,
    solver: str | None = None,
    workers: int | None = None,
    delayed: bool = False,
    sizes: np.ndarray | None = None,
    many: bool | None = None,
) -> Solution:
    """Solve a flow or delay system from `initial` (member, component) at time `start`, sampled at the ascending `times`.

    `values` are parameter values in the order of `system.flat.parameters`, one row for all members or one a member. A delay
    system starts from a past for each member, or has rested at `initial` until now; its `delayed` states are given too if
    wanted. A member that blows up is marked and dated, never raised. `workers` threads share the members (default: all
    cores), without changing any. A member has escaped where it is a trillion times larger than at first, or than its entry in
    `sizes` (member,). `many` members, by default more than one, of a smooth flow go in the lanes of the processor's vectors,
    which round otherwise than the engine for one.
    """
    solver, times = solver or default_solver(), np.asarray(times, float)
    values = np.broadcast_to(system.values if values is None else values, (len(initial), len(system.values)))
    if system.kind == "delay":
        return _solve_delay(system, initial, times, values, start, tolerance, solver, delayed, sizes)
    states, ended, reasons = flow(
        with_whole_powers(system.flat, values), initial, times, values, start, tolerance, solver, workers, many
    )
    return marked(states, times, sizes_of(initial) if sizes is None else sizes, ended, reasons, solver)


def flow(flat: Flat, initial, times, values, start, tolerance, solver, workers=None, many=None, walk=Walk, wary=True):
    """States (member, time, component) of a flow's scalar equations, when members ended (NaN: not), and why.

    `wary` looks at every start for gaps in its series; members that go on from where they were need none.
    """
    pieces = switched(flat)
    states = np.empty((len(initial), len(times), len(flat.variables)))
    ended, reasons = np.full(len(initial), np.nan), [""] * len(initial)
    if not pieces.smooth:
        tolerance = min(tolerance, SWITCHING)
    make = lambda equations: SOLVERS[solver](equations, tolerance)
    simple = pieces.smooth and not pieces.watched

    def one(k: int) -> None:
        if simple:
            leg = make(pieces.equations()).advance(start, initial[k], values[k], times)
            states[k, : len(leg.rows)], states[k, len(leg.rows) :] = leg.rows, np.nan
            ended[k], reasons[k] = leg.t if leg.failed else np.nan, leg.why
        else:
            way = walk(pieces, make, values[k], tolerance)
            states[k], end = way.run(initial[k], times, start)
            ended[k], reasons[k] = (np.nan if end is None else end), way.message

    if not (simple and solver == "taylor"):
        members.each(one, len(initial), 1)  # Python itself runs on one core
    elif len(times) > 1 and (len(initial) > 1 if many is None else many):
        _in_lanes(pieces.equations(), initial, times, values, start, tolerance, states, one, workers, wary)
    else:
        members.each(one, len(initial), workers)
    return states, ended, reasons


def _in_lanes(equations, initial, times, values, start, tolerance, states, one, workers, wary) -> None:
    """Write the states of several members at a time; `one(k)` does those that need care."""
    alone, together = taylor.stepper(equations, tolerance), lanes.lanes(equations, tolerance)
    initial, groups = np.asarray(initial, float), -(-len(initial) // together.width)

    def group(number: int) -> None:
        here = slice(number * together.width, (number + 1) * together.width)
        states[here], whole = together.advance(start, initial[here], values[here], times)
        for k in range(here.start, min(here.stop, len(initial))):
            if not (whole[k - here.start] and (not wary or alone.begins_well(start, initial[k], values[k]))):
                one(k)

    members.each(group, groups, workers, size=together.width)


def _solve_delay(system, initial, times, values, start, tolerance, solver, delayed, sizes) -> Solution:
    if not delay.driven(system.flat).smooth:
        tolerance = min(tolerance, SWITCHING)
    make = lambda equations: SOLVERS[solver](equations, tolerance)
    for k, row in enumerate(values):
        lags = system.lags_at(row)
        if not ((lags > 0) & np.isfinite(lags)).all():
            raise ValueError(f"every lag must be positive and finite; those of member {k} of {system.label} are {lags.tolist()}")
    states = np.empty((len(initial), len(times), system.dimension))
    seen = np.empty((len(initial), len(times), len(system.flat.delays))) if delayed else [None] * len(initial)
    ended, reasons, pasts = np.full(len(initial), np.nan), [""] * len(initial), [None] * len(initial)

    def one(k: int) -> None:
        past = initial[k]
        past = past.copy() if isinstance(past, Past) else constant(past, system.lags_at(values[k]).max(), start)
        orbit = delay.Orbit(system, past, values[k], make, tolerance)
        end = orbit.run(times, states[k], seen[k])
        ended[k], reasons[k], pasts[k] = (np.nan if end is None else end), orbit.message, orbit.past

    members.each(one, len(initial), 1)
    solution = marked(states, times, sizes_of(initial) if sizes is None else sizes, ended, reasons, solver)
    return replace(solution, delayed=seen if delayed else None, pasts=tuple(pasts))


def iterate(
    system: System,
    initial: np.ndarray,
    count: int,
    *,
    skip: int = 0,
    first: int = 0,
    values: np.ndarray | None = None,
    sizes: np.ndarray | None = None,
) -> Solution:
    """Iterate a map from `initial` (member, component), which is iterate number `first`: `count` states after `skip`.

    Ends are dated by the place among these states; `sizes` as in `solve`.
    """
    states = maps.iterate(system.flat, initial, system.values if values is None else values, count, skip, first)
    ended, sizes = np.full(len(initial), np.nan), sizes_of(initial) if sizes is None else sizes
    return marked(states, np.arange(count, dtype=float), sizes, ended, [""] * len(initial), "iteration")


def sizes_of(initial) -> np.ndarray:
    """The size of each member's state, or of the past it has; at least 1."""
    sizes = [past.size if isinstance(past, Past) else np.abs(past).max() for past in initial]
    return np.maximum(1.0, np.array(sizes, float))


def marked(states, times, sizes, ended, reasons, solver) -> Solution:
    """States of members as a Solution: failed with a reason, escaped where a state is not finite or enormous."""
    bounds = ESCAPED * np.asarray(sizes)
    with np.errstate(invalid="ignore"):
        wild = not -bounds.min() < states.min() <= states.max() < bounds.min() if states.size else False
    status = np.full(len(states), "ok", dtype="<U7")
    if wild or not np.isnan(ended).all():
        for k, rows in enumerate(states):
            with np.errstate(invalid="ignore"):
                lost = ~(np.abs(rows) < bounds[k]).all(axis=1)
            if lost.any() or not np.isnan(ended[k]):
                first = int(lost.argmax()) if lost.any() else len(rows)
                when = times[first] if first < len(rows) else times[-1]
                ended[k] = when if np.isnan(ended[k]) else min(ended[k], when)
                status[k] = "failed" if reasons[k] else "escaped"
                rows[first:] = np.nan
    return Solution(states, status, ended, tuple(reasons), solver)
