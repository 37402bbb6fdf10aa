"""Motions as polynomials in pieces of time, a stretch of several pieces at once: what is looked at between samples.

The pieces are the integrator's own Taylor polynomials, so that nothing is lost to interpolation.
"""

import math
from typing import NamedTuple

import numpy as np

from ..systems.system import System
from . import lanes, taylor
from .crossing import Walk
from .delay import Orbit, Recorder, sound_length
from .exponents import with_whole_powers
from .past import Past, constant
from .solve import SOLVERS, SWITCHING
from .switching import Switched, switched

#: Pieces of a first stretch, after which a start whose series has gaps is far behind.
FIRST = 32
#: Looks for missed switches in a stretch across switching surfaces.
LOOKS = 64
#: Parts of the time that a member is given that a first stretch takes, where a stretch is counted in time.
PARTS = 1024


class Stretch(NamedTuple):
    """The next pieces of some motions: `edges` (member, piece + 1) in time, `coefficients` (component, power, member, piece) of
    time since a piece began, and which motions are still `well`. Pieces without width are none."""

    edges: np.ndarray
    coefficients: np.ndarray
    well: np.ndarray


class Smooth:
    """Members of a smooth flow: one by the engine for one, several in the lanes of the processor's vectors."""

    def __init__(self, equations, tolerance: float, t: float, states: np.ndarray, values: np.ndarray):
        self.alone = taylor.stepper(equations, tolerance)
        self.together = lanes.lanes(equations, tolerance) if len(states) > 1 else None
        self.times, self.states, self.values = np.full(len(states), float(t)), np.array(states, float), np.asarray(values, float)
        self.begun = False

    def advance(self, steps: int, ends: np.ndarray) -> Stretch:
        """At most so many pieces of every member, up to its own end."""
        if self.begun:
            return self._steps(steps, ends, math.inf)
        self.begun = True
        times, states = self.times, self.states
        made = self._steps(FIRST, ends, math.inf)
        # where a motion starts on a symmetry the first step may have no bound; see TaylorStepper
        first = np.diff(made.edges[:, :2]), np.moveaxis(made.coefficients[..., 0], -1, 0)
        bound = min(sound_length(width, rows[None]) for width, rows in zip(*first, strict=True))
        if bound == math.inf:
            return made
        self.times, self.states = times, states
        return self._steps(FIRST, ends, bound)

    def _steps(self, steps: int, ends: np.ndarray, longest: float) -> Stretch:
        if self.together is None:
            integrator = self.alone.standing(self.times[0], self.states[0], self.values[0])
            out = integrator.propagate_until(float(ends[0]), max_steps=steps, max_delta_t=longest, c_output=True)[-2]
            if out is None:
                return _none(self.times, self.states)
            self.times, self.states = np.array([integrator.time]), integrator.state[None].copy()
            return _checked(out.times[None], np.moveaxis(out.tcs, 0, -1)[:, :, None], self.states)
        integrator, count = self.together.standing(self.times, self.states, self.values), len(self.states)
        width = self.together.width
        stops, longest = np.pad(ends, (0, width - count), mode="edge").tolist(), [longest] * width
        out, _ = integrator.propagate_until(stops, max_steps=steps, max_delta_t=longest, c_output=True)
        if out is None:
            return _none(self.times, self.states)
        self.times, self.states = np.array(integrator.time)[:count], integrator.state[:, :count].T.copy()
        return _checked(out.times[:, :count].T, np.moveaxis(out.tcs[..., :count], 0, -1), self.states)


class Switching:
    """One member of a flow with switches, or of any flow by another solver than the Taylor engine."""

    def __init__(self, pieces: Switched, make, tolerance: float, t: float, state: np.ndarray, values: np.ndarray):
        self.pieces, self.make, self.tolerance = pieces, make, tolerance
        self.t, self.state, self.values = float(t), np.array(state, float), values
        self.pace, self.message = 0.0, ""

    def advance(self, steps: int, ends: np.ndarray) -> Stretch:
        """About so many pieces, at most up to the end."""
        begin, end = self.t, float(ends[0])
        self.pace = self.pace or (end - begin) / PARTS / steps
        stop = min(end, begin + steps * self.pace)
        if self.pieces.smooth and not self.pieces.watched:
            segments, leg = self.make(self.pieces.equations()).dense(begin, self.state, self.values, stop)
            failed, self.state, self.t = leg.failed, leg.x, leg.t
        else:
            recorder = Recorder(self.make)
            walk = Walk(self.pieces, recorder.stepper, self.values, self.tolerance)
            rows, ended = walk.run(self.state, np.linspace(begin, stop, LOOKS + 1)[1:], begin)
            segments, failed, self.state, self.message = recorder.segments, ended is not None, rows[-1], walk.message
            self.t = stop
        segments = [segment for segment in segments if segment[1] > segment[0]]
        if not segments:
            return _none(np.array([begin]), self.state[None], well=not failed)
        self.pace = (segments[-1][1] - begin) / len(segments)
        edges = np.array([begin, *(stop for _, stop, _ in segments)])
        made = _checked(edges[None], np.stack([rows for *_, rows in segments], axis=-1)[:, :, None], self.state[None])
        return made._replace(well=made.well & (not failed))


class Delayed:
    """One motion of a delay system."""

    def __init__(self, system: System, past: Past, make, tolerance: float, values: np.ndarray):
        self.orbit = Orbit(system, past, values, make, tolerance)
        self.pace = self.orbit.shortest

    @property
    def message(self) -> str:
        return self.orbit.message

    def advance(self, steps: int, ends: np.ndarray) -> Stretch:
        """About so many pieces, at most up to the end, and no more than the past remembers."""
        past, begin = self.orbit.past, self.orbit.past.now
        stop = min(float(ends[0]), begin + min(steps * self.pace, self.orbit.longest))
        rows = np.empty((1, past.coefficients.shape[1]))
        failed = self.orbit.run(np.array([stop]), rows) is not None
        kept = slice(past.first, past.first + past.count)
        edges, coefficients = past.origin + past.edges[kept.start : kept.stop + 1], past.coefficients[kept]
        first = max(int(np.searchsorted(edges, begin + 1e-9 * self.orbit.shortest, side="right")) - 1, 0)
        if first >= len(coefficients):
            return _none(np.array([begin]), past.state[None], well=not failed)
        self.pace = (edges[-1] - edges[first]) / (len(edges) - 1 - first)
        made = _checked(edges[None, first:].copy(), np.moveaxis(coefficients[first:], 0, -1)[:, :, None].copy(), past.state[None])
        return made._replace(well=made.well & (not failed))


def _checked(edges: np.ndarray, coefficients: np.ndarray, states: np.ndarray) -> Stretch:
    """A stretch whose pieces that are not finite have no width and rest; `states` (member, component) are where it ends."""
    well = np.isfinite(states).all(axis=1) & np.isfinite(edges[:, -1])
    if not well.all():
        edges, coefficients = edges.copy(), coefficients.copy()
        for k in np.flatnonzero(~well):
            good = np.isfinite(coefficients[:, :, k]).all(axis=(0, 1)) & np.isfinite(edges[k, 1:])
            last = len(good) if good.all() else int(good.argmin())  # what follows the first bad piece is bad too
            edges[k, last + 1 :], coefficients[:, :, k, last:] = edges[k, last], 0.0
            coefficients[:, 0, k, last:] = coefficients[:, 0, k, max(last - 1, 0), None]
    return Stretch(edges, coefficients, well)


def _none(times: np.ndarray, states: np.ndarray, well: bool = True) -> Stretch:
    """A stretch of one piece without width."""
    return Stretch(np.stack([times, times], axis=1), states.T[:, None, :, None].copy(), np.full(len(times), well))


def motion(system: System, initial, start: float, values: np.ndarray, tolerance: float, solver: str):
    """What gives the stretches of these members (member, component) from `start`; of a delay system's one past."""
    make = lambda equations: SOLVERS[solver](equations, tolerance)
    if system.kind == "delay":
        past = initial[0].copy() if isinstance(initial[0], Past) else constant(initial[0], system.lags_at(values[0]).max(), start)
        return Delayed(system, past, make, tolerance, values[0])
    pieces = switched(with_whole_powers(system.flat, values))
    if alone(system, solver):
        tolerance = tolerance if pieces.smooth else min(tolerance, SWITCHING)
        return Switching(pieces, make, tolerance, start, initial[0], values[0])
    return Smooth(pieces.equations(), tolerance, start, initial, values)


def alone(system: System, solver: str) -> bool:
    """Whether members are followed one by one."""
    if system.kind == "delay" or solver != "taylor":
        return True
    pieces = switched(system.flat)
    return not pieces.smooth or bool(pieces.watched)
