"""The motion of all members, advanced sample by sample or all at once, and what is needed to go on later."""

from dataclasses import dataclass, field

import numpy as np

from ..integrate import Past, Solution, iterate, marked, solve
from ..integrate import noise as engine
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
    status: np.ndarray = field(init=False)
    ended: np.ndarray = field(init=False)
    reasons: list[str] = field(init=False)

    def __post_init__(self):
        self.now = list(self.now) if self.system.kind == "delay" else self.now
        self.status = np.full(len(self.now), "ok", dtype="<U7")
        self.ended, self.reasons = np.full(len(self.now), np.nan), [""] * len(self.now)

    def advance(self, count: int, delayed: bool = False) -> Solution:
        """The next `count` samples, of all members; those that have ended stay NaN."""
        well = np.flatnonzero(self.status == "ok")
        found = self._solve(well, self.grid.times(self.done, self.done + count), delayed)
        self.status[well], self.ended[well] = found.status, found.ended
        for k, reason in zip(well, found.reasons, strict=True):
            self.reasons[k] = reason
        if len(well) < len(self.now):
            found = _among(found, well, len(self.now))
        if self.system.kind == "delay":
            for k, past in zip(well, found.pasts, strict=True):
                self.now[k] = past
        else:
            self.now = found.states[:, -1].copy()
        self.done += count
        return found

    def _solve(self, well: np.ndarray, times: np.ndarray, delayed: bool) -> Solution:
        now = [self.now[k] for k in well] if self.system.kind == "delay" else self.now[well]
        values, going_on = self.values[well], self.done > 0 or self.grid.before is not None
        before = times[0] - self.grid.spacing
        if self.system.kind == "map":
            skip = 1 if going_on else round(self.transient)
            found = iterate(self.system, now, len(times), skip=skip, first=round(before) if going_on else 0, values=values)
            found.ended[:] += times[0]
            return found
        if self.process is not None:
            return self._with_noise(well, now, values, times, going_on)
        start = before if going_on else -self.transient
        return solve(self.system, now, times, values=values, start=start, delayed=delayed, **self.options)

    def _with_noise(self, well, now, values, times, going_on) -> Solution:
        process = self.process
        stride = round(self.grid.spacing / process.step)
        skip = stride if going_on else round(self.transient / process.step)
        from tqdm.auto import tqdm

        values = np.hstack([values, np.broadcast_to(process.amplitudes, (len(well), len(process.amplitudes)))])
        what = self.system.flat, process.diffusion, process.names
        with tqdm(total=len(well) * (skip + (len(times) - 1) * stride), desc="steps", delay=2, leave=False, unit_scale=True) as bar:
            states = engine.solve(
                *what,
                now,
                values,
                step=process.step,
                stride=stride,
                count=len(times),
                skip=skip,
                start=times[0] - skip * process.step,
                streams=[self.streams[k] for k in well],
                workers=self.options["workers"],
                advanced=bar.update,
            )
        ended = np.full(len(well), np.nan)
        return marked(states, times, now, ended, [""] * len(well), f"strong order {engine.scheme(*what).order:g}")


def _among(found: Solution, well: np.ndarray, members: int) -> Solution:
    """The solution with members that ended earlier put back, all NaN."""
    spread = lambda rows, fill: np.full((members, *rows.shape[1:]), fill, dtype=rows.dtype)
    states, ended, status = spread(found.states, np.nan), spread(found.ended, np.nan), spread(found.status, "escaped")
    states[well], ended[well], status[well] = found.states, found.ended, found.status
    delayed = None
    if found.delayed is not None:
        delayed = spread(found.delayed, np.nan)
        delayed[well] = found.delayed
    return Solution(states, status, ended, found.reasons, found.solver, delayed, found.pasts)
