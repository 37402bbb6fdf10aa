"""Thousands of members of a smooth flow, with parameters of their own, past a transient and through a surface.

`section.crossings` finds the same crossings and takes every kind of system. Here members share the processor's vectors and the
engine itself looks out for the surface while it steps (heyoka isolates the real roots of the surface's own Taylor polynomial, so
that none is stepped over); only the polynomials of steps with a crossing ever leave it.
"""

import threading
from copy import deepcopy
from functools import lru_cache

import numpy as np

from ..systems.emit import heyoka_expressions
from ..systems.system import System
from ..systems.tree import Node, rewrite, walk
from . import lanes, members, taylor
from .exponents import with_whole_powers
from .pieces import alone
from .section import Crossings, crossings
from .solve import ESCAPED, TOLERANCE, default_solver, sizes_of, solve
from .switching import Equations, switched
from .taylor import COMPACT, expressions
from .zeros import rate

#: Steps between looks at a convoy. A member has left that is so much larger than at first, in steps so much shorter.
LOOK, GROWN, SHORTER = 2000, 1e3, 100.0
#: Looks without an end at which a member's steps are too short to go on.
MOST_LOOKS = 2000
#: A first stretch, in parts of the patience, while it is not known how far crossings are apart.
FIRST = 1 / 32
KINKS = frozenset({"abs", "sign", "step", "floor", "mod", "where", "min", "max"})


class Convoy:
    """Members in the lanes of one integrator. One that ends is marked, and its lane does another's steps once more, since a lane
    that is not finite stops all."""

    def __init__(self, integrator, states: np.ndarray, t: float, values: np.ndarray, sizes=None, pace=None):
        self.integrator, self.count = integrator, len(states)
        self.time, self.state = integrator.time, integrator.state  # views
        self.last, self.whole = np.array(states, float), True  # where members were last, and whether none has ended
        lane = np.minimum(np.arange(self.state.shape[1]), self.count - 1)
        integrator.set_time([float(t)] * len(lane))
        self.state[:] = self.last[lane].T
        if integrator.pars.size:
            integrator.pars[:] = values[lane, : len(integrator.pars)].T
        self.sizes = (sizes_of(states) if sizes is None else sizes)[lane]
        self.pace = np.full(len(lane), np.nan) if pace is None else pace[lane]
        self.status, self.ended, self.reasons = ["ok"] * self.count, np.full(self.count, np.nan), [""] * self.count
        self.source = lane  # whose motion a lane follows

    def to(self, ends: np.ndarray) -> None:
        """Go on to each member's own end (member,)."""
        ends = np.asarray(ends, float)
        for _ in range(MOST_LOOKS):
            begin = self.time.copy()
            self.integrator.propagate_until(ends[self.source].tolist(), max_steps=LOOK)
            self._look(begin)
            if (self.time[: self.count] >= ends).all():
                return
            live = [k for k, word in enumerate(self.status) if word == "ok"]
            if all(self.time[k] >= ends[k] for k in live):
                return
        for k in live:
            if self.time[k] < ends[k]:
                self._end(k, "failed", self.time[k], f"needs ever shorter steps at t = {self.time[k]:.6g}")

    def _look(self, begin: np.ndarray) -> None:
        size = np.abs(self.state).max(axis=0)
        if self.whole and (size < GROWN * self.sizes).all() and not np.isnan(self.pace[0]):
            self.last = self.state[:, : self.count].T.copy()
            return
        steps = np.array([outcome[3] for outcome in self.integrator.propagate_res])
        lost = ~np.isfinite(size) | ~np.isfinite(self.time)
        with np.errstate(all="ignore"):
            pace = (self.time - begin) / steps
            left = (size > GROWN * self.sizes) & (pace < self.pace / SHORTER)
        left |= lost | ~(size < ESCAPED * self.sizes)
        own = [k for k, word in enumerate(self.status) if word == "ok"]
        self.last[own] = self.state[:, own].T
        self.pace = np.where(np.isnan(self.pace) & (steps > 0), pace, self.pace)
        for k in np.flatnonzero(left[: self.count]):
            self._end(k, "escaped", self.time[k] if np.isfinite(self.time[k]) else begin[k])
        ended = np.array([*(word != "ok" for word in self.status), *left[self.count :]])
        if ended.any() and not ended.all():
            sound = int(np.argmin(ended))
            now = self.time.copy()
            now[ended] = now[sound]
            self.source[ended] = self.source[sound]
            self.integrator.set_time(now.tolist())
            self.state[:, ended] = self.state[:, [sound]]
            if self.integrator.pars.size:
                self.integrator.pars[:, ended] = self.integrator.pars[:, [sound]]

    def _end(self, k: int, status: str, when: float, reason: str = "") -> None:
        if self.status[k] == "ok":
            self.status[k], self.ended[k], self.reasons[k], self.whole = status, when, reason, False


class Passing:
    """Equal integrators of several members each, one a thread, that note where the surface is crossed."""

    def __init__(self, equations: Equations, surface: Node, direction: int, tolerance: float):
        import heyoka as hy

        self.width = hy.recommended_simd_size()
        system, _, size = expressions(equations)
        symbols = {node: hy.expression(f"x{k}") for k, node in enumerate(equations.variables)}
        symbols |= {node: hy.par[k] for k, node in enumerate(equations.values)}
        [written] = heyoka_expressions((surface,), symbols)
        way = {1: hy.event_direction.positive, -1: hy.event_direction.negative, 0: hy.event_direction.any}[direction]
        event = hy.nt_event_batch(written, self._note, direction=way)
        still = np.zeros((len(system), self.width))
        self._master = hy.taylor_adaptive_batch(system, still, tol=tolerance, compact_mode=size > COMPACT, nt_events=[event])
        self._local, self._lock = threading.local(), threading.Lock()

    def __deepcopy__(self, memo):
        return self  # heyoka copies the callback, which belongs to all copies of the integrator

    def _note(self, integrator, t, direction, lane) -> None:
        noted, now, step, coefficients = self._local.seen
        if self._local.source[lane] == lane:
            noted[lane].append((t, now[lane] - step[lane], direction, coefficients[:, :, lane].copy()))

    def follow(self, states: np.ndarray, t: float, values: np.ndarray, count: int, patience: float) -> tuple[Convoy, list[list]]:
        """At most `width` members until each has crossed `count` times or has ended, and what was noted of each."""
        if getattr(self._local, "integrator", None) is None:
            with self._lock:
                self._local.integrator = mine = deepcopy(self._master)
            # views of what the engine keeps in place: a callback that asks for them anew takes several times as long
            self._local.seen = [[] for _ in range(self.width)], mine.time, mine.last_h, mine.tc
        noted = self._local.seen[0]
        for rows in noted:
            rows.clear()
        convoy, found = Convoy(self._local.integrator, states, t, values), [[] for _ in states]
        self._local.source = convoy.source
        while True:
            last = np.array([rows[-1][0] if rows else t for rows in found])
            counts = np.array([len(rows) for rows in found])
            late = convoy.time[: len(states)] >= last + patience * (1 - 1e-12)
            for k in np.flatnonzero(late & (counts < count)):
                words = f"crossed the surface {counts[k]} times, and then not" if counts[k] else "did not cross the surface"
                convoy._end(k, "failed", convoy.time[k], f"{words} for {patience:.4g} time units")
            if not any(word == "ok" and n < count for word, n in zip(convoy.status, counts, strict=True)):
                return convoy, found
            gaps = np.where(counts > 0, np.maximum(last - t, 1e-12 * patience) / np.maximum(counts, 1), FIRST * patience)
            more = np.minimum(np.maximum(1.05 * (count - counts), 1) * gaps, last + patience - convoy.time[: len(states)])
            convoy.to(convoy.time[: len(states)] + np.where(counts < count, more, 0.0))
            for k, rows in enumerate(found):
                if len(rows) < count:
                    rows += noted[k]
            for rows in noted:
                rows.clear()


@lru_cache(maxsize=64)
def passing(equations: Equations, surface: Node, direction: int, tolerance: float) -> Passing:
    """The compiled integrators that look out for this surface, shared within the process."""
    return Passing(equations, surface, direction, tolerance)


class Ensemble:
    """Members of a flow, to be moved on together: `states` (member, component), `values` (member, parameter), all at time `t`.

    A member that has ended stays where it was last; `status`, `ended` and `reasons` say of each what became of it. `flat` are
    other equations of the same parameters, such as the linearised ones.
    """

    def __init__(self, system: System, states, values, *, t=0.0, tolerance=TOLERANCE, solver=None, workers=None, flat=None):
        self.system, self.t, self.tolerance, self.solver, self.workers = system, t, tolerance, solver or default_solver(), workers
        self.states, self.values = np.array(states, float), np.asarray(values, float)
        self.status, self.ended = np.full(len(states), "ok", dtype="<U7"), np.full(len(states), np.nan)
        self.reasons = [""] * len(states)
        self.sizes, self.pace, self.begun = sizes_of(self.states), np.full(len(states), np.nan), False
        self.single = alone(system, self.solver)
        if not self.single:
            self.equations = switched(with_whole_powers(flat or system.flat, self.values)).equations()

    def advance(self, duration: float) -> None:
        """Go on by a time."""
        fit = self._fit()
        lane = None if self.single else lanes.lanes(self.equations, self.tolerance)

        def group(here: np.ndarray) -> None:
            convoy = Convoy(lane.integrator, self.states[here], self.t, self.values[here], self.sizes[here], self.pace[here])
            convoy.to(np.full(len(here), self.t + duration))
            self.states[here], self.pace[here] = convoy.last, convoy.pace[: len(here)]
            self._mark(here, convoy.status, convoy.ended, convoy.reasons)

        if lane is not None:
            self._groups(group, np.flatnonzero(fit), lane.width)
        others = np.flatnonzero((self.status == "ok") & ~fit)
        if len(others):
            options = {"tolerance": self.tolerance, "solver": self.solver, "workers": self.workers, "start": self.t}
            found = solve(self.system, self.states[others], np.array([self.t + duration]), values=self.values[others], **options)
            self.states[others] = found.states[:, -1]
            self._mark(others, found.status, found.ended, found.reasons)
        self.t += duration
        self.begun = True

    def passages(self, surface: Node, count: int, patience: float, direction: int = 0, corners: bool = False) -> Crossings:
        """The first `count` crossings of each member from here, as by `section.crossings`, without residuals and ranges.

        Members stay where they are; `last` (member, component) is where each was seen last, NaN where it is not known.
        """
        self.last = np.full(self.states.shape, np.nan)
        found = _Found(len(self.states), count, self.system.dimension)
        kinked = any(node.head in KINKS for node in walk(surface))
        fit = self._fit() & (not kinked)
        if fit.any():
            rates = {rate(k): tree for k, tree in enumerate(self.equations.rhs)}
            [tree] = rewrite([surface], lambda node: rates.get(node, node))
            engine = passing(self.equations, tree, direction, self.tolerance)

            def group(here: np.ndarray) -> None:
                convoy, rows = engine.follow(self.states[here], self.t, self.values[here], count, patience)
                self.last[here] = convoy.last
                for k, one in zip(here, rows, strict=True):
                    found.put(k, one[:count])
                self._mark(here, convoy.status, convoy.ended, convoy.reasons)

            self._groups(group, np.flatnonzero(fit), engine.width)
        others = np.flatnonzero((self.status == "ok") & ~fit)
        if len(others):
            options = {"tolerance": self.tolerance, "solver": self.solver, "workers": self.workers, "start": self.t}
            options |= {"count": count, "patience": patience, "direction": direction, "corners": corners}
            more = crossings(self.system, surface, self.states[others], values=self.values[others], **options)
            found.times[others], found.states[others], found.directions[others] = more.times, more.states, more.directions
            here = np.maximum(np.isfinite(more.times).sum(axis=1) - 1, 0)
            self.last[others] = more.states[np.arange(len(others)), here]
            self._mark(others, more.status, more.ended, more.reasons)
        nothing = np.full(found.times.shape, np.nan)
        ends = self.status.copy(), self.ended.copy(), tuple(self.reasons)
        return Crossings(found.times, found.states, found.directions, nothing, *ends, nothing[:, :2], self.solver)

    def _fit(self) -> np.ndarray:
        """Members that are well, and whose first step has a bound (see TaylorStepper)."""
        fit = (self.status == "ok") & (not self.single)
        if fit.any() and not self.begun:
            engine, known = taylor.stepper(self.equations, self.tolerance), {}
            for k in np.flatnonzero(fit):
                key = self.states[k].tobytes(), self.values[k].tobytes()
                if key not in known:
                    known[key] = engine.begins_well(self.t, self.states[k], self.values[k])
                fit[k] = known[key]
        return fit

    def _groups(self, work, places: np.ndarray, width: int) -> None:
        parts = [places[k : k + width] for k in range(0, len(places), width)]
        members.each(lambda number: work(parts[number]), len(parts), self.workers, size=width)

    def _mark(self, here, status, ended, reasons) -> None:
        for place, k in enumerate(here):
            if status[place] != "ok":
                self.status[k], self.ended[k], self.reasons[k] = status[place], ended[place], reasons[place]


class _Found:
    """Crossings of members, from the polynomials that they lie on."""

    def __init__(self, members: int, count: int, dimension: int):
        self.times, self.directions = np.full((members, count), np.nan), np.full((members, count), np.nan)
        self.states = np.full((members, count, dimension), np.nan)

    def put(self, k: int, rows: list) -> None:
        if not rows:
            return
        times, begins, directions, coefficients = (np.array(column) for column in zip(*rows, strict=True))
        since, total = times - begins, coefficients[:, :, -1]
        for power in range(coefficients.shape[2] - 2, -1, -1):
            total = total * since[:, None] + coefficients[:, :, power]
        self.times[k, : len(rows)], self.directions[k, : len(rows)], self.states[k, : len(rows)] = times, directions, total
