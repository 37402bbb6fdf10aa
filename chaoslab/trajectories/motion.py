"""The motion of all members, advanced sample by sample or all at once, and what is needed to go on later."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..integrate import Past, Solution, iterate, marked, noisy_delay, sizes_of, solve
from ..integrate import noise as engine
from ..sweep import Bar
from ..systems import System
from .grid import Grid
from .noise import Process


@dataclass
class Motion:
    """Members on their way along a grid.

    `now` are their states (member, component), or their pasts, at the sample before number `done`; before the first, at the
    start. `transient` is time to pass before the first sample.
    """

    system: System
    now: np.ndarray | list[Past]
    values: np.ndarray
    grid: Grid
    transient: float
    process: Process | None
    streams: list[np.random.Generator]
    options: dict
    done: int = 0
    solver: str = ""
    sizes: np.ndarray = field(init=False)
    status: np.ndarray = field(init=False)
    ended: np.ndarray = field(init=False)
    reasons: list[str] = field(init=False)

    def __post_init__(self):
        self.sizes = sizes_of(self.now)
        self.now = list(self.now) if self.system.kind == "delay" else self.now
        self.status = np.full(len(self.now), "ok", dtype="<U7")
        self.ended, self.reasons = np.full(len(self.now), np.nan), [""] * len(self.now)

    def advance(self, count: int, delayed: bool = False) -> Solution:
        """The next `count` samples, of all members; those that have ended stay NaN."""
        well, members = np.flatnonzero(self.status == "ok"), len(self.now)
        states = np.full((members, count, self.system.dimension), np.nan)
        seen = np.full((members, count, len(self.system.flat.delays)), np.nan) if delayed else None
        if len(well):
            found = self._solve(well, self.grid.times(self.done, self.done + count), delayed)
            states, seen = (found.states, found.delayed) if len(well) == members else _among(found, well, states, seen)
            self.solver, self.status[well], self.ended[well] = found.solver, found.status, found.ended
            for place, k in enumerate(well):
                self.reasons[k] = found.reasons[place]
                if self.system.kind == "delay":
                    self.now[k] = found.pasts[place]
        if self.system.kind != "delay":
            self.now = states[:, -1].copy()
        self.done += count
        return Solution(states, self.status, self.ended, tuple(self.reasons), self.solver, seen)

    def _solve(self, well: np.ndarray, times: np.ndarray, delayed: bool) -> Solution:
        now = [self.now[k] for k in well] if self.system.kind == "delay" else self.now[well]
        values, going_on = self.values[well], self.done > 0 or self.grid.before is not None
        before, sizes = times[0] - self.grid.spacing, self.sizes[well]
        if self.system.kind == "map":
            skip = 1 if going_on else round(self.transient)
            first = round(before) if going_on else -skip
            found = iterate(self.system, now, len(times), skip=skip, first=first, values=values, sizes=sizes)
            found.ended[:] += times[0]
            return found
        if self.process is not None:
            return self._with_noise(well, now, values, times, going_on, delayed)
        start = before if going_on else -self.transient
        more = {"delayed": delayed, "sizes": sizes, "many": len(self.now) > 1}
        return solve(self.system, now, times, values=values, start=start, **more, **self.options)

    def _with_noise(self, well, now, values, times, going_on, delayed) -> Solution:
        process = self.process
        stride = round(self.grid.spacing / process.step)
        skip = stride if going_on else round(self.transient / process.step)
        values = np.hstack([values, np.broadcast_to(process.amplitudes, (len(well), len(process.amplitudes)))])
        what = self.system.flat, process.diffusion, process.names
        options = {"step": process.step, "stride": stride, "count": len(times), "skip": skip}
        options |= {"start": times[0] - skip * process.step, "streams": [self.streams[k] for k in well]}
        with Bar(len(well) * (skip + (len(times) - 1) * stride), "steps", unit_scale=True) as bar:
            options |= {"workers": self.options["workers"], "advanced": bar.update}
            if self.system.kind == "delay":
                states, seen, pasts = noisy_delay.solve(*what, now, values, delayed=delayed, **options)
            else:
                states, seen, pasts = engine.solve(*what, now, values, **options), None, ()
        ended, order = np.full(len(well), np.nan), engine.scheme(*what).order
        found = marked(states, times, self.sizes[well], ended, [""] * len(well), f"strong order {order:g}")
        return replace(found, delayed=seen, pasts=tuple(pasts))


def _among(found: Solution, well: np.ndarray, states: np.ndarray, seen: np.ndarray | None):
    """States and delayed states with those of members that go on put in."""
    states[well] = found.states
    if seen is not None:
        seen[well] = found.delayed
    return states, seen
