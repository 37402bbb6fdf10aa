"""Period-doubling cascades: where a periodic orbit's multiplier passes -1, again and again, and Feigenbaum's constant.

Feigenbaum, J. Stat. Phys. 19, 25 (1978).
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..integrate import iterate
from ..integrate.passages import Ensemble
from ..integrate.solve import default_solver, flow
from ..integrate.tangent import linearised
from ..systems import System, as_system
from ..systems.emit import numpy_function
from ..trajectories.grid import whole
from ..trajectories.parameters import labels
from ..trajectories.schema import by_name, described, package_version
from .bifurcation import PATIENCE, periods
from .chunks import checked_axis
from .orbit import time_unit
from .sections import surface_of

#: Periods, or iterations, before an attractor is looked at, and at most this many points of it.
SETTLE, POINTS = {"flow": 400, "map": 20_000}, 4
#: Steps from the start to the first doubling, and tries to step onto the orbit of twice the period.
STEPS, TRIES = 100, 14
#: Newton steps for a periodic orbit, and by which part of its size one that has been found still moves.
NEWTON, CLOSED = 30, 1e-9
#: The parameter is found to this part of itself, and integrated at this tolerance.
EXACT, TOLERANCE = 1e-13, 1e-14


def period_doublings(
    system: System | str,
    parameter: str,
    start: float,
    end: float,
    *,
    count: int = 6,
    section: str | None = None,
) -> xr.Dataset:
    """The values of a parameter at which a periodic orbit doubles its period: `value` and `period` by `doubling`, and their ratio.

    From the stable orbit at `start`, towards `end`: the orbit is followed by Newton's method, stable or not, to where a
    multiplier is -1, which is det(M + 1) = 0 for the matrix M of the linearised orbit, found by bracketing. Behind it, the motion
    settles on the orbit of twice the period, which is followed next.

    Parameters
    ----------
    start, end : parameter values; at the first the motion from the system's state settles on a periodic orbit
    count : doublings at most; fewer are given, with a `reason`, where the next is not found
    section : of a flow, where its points are counted, by default the maxima of the first component

    Gives `value` and `error` (doubling), `period` before it in points or iterations, `duration` of the orbit in time, `ratio`:
    the distance to the doubling before over that to the next (NaN at both ends), and its limit `feigenbaum` (4.669201... where
    a quadratic maximum folds the motion), the last ratio, with `feigenbaum_error`: how far it was from the one before. Raises
    ValueError where the motion at `start` is not periodic, or nothing doubles before `end`.

    >>> found = period_doublings("Logistic", "r", 2.8, 4.0, count=2)
    >>> found.value.values.round(6).tolist()
    [3.0, 3.44949]
    """
    system = as_system(system, "period_doublings")
    checked_axis(system, parameter, [start, end], ("doubling", "value", "error", "period", "duration", "ratio"))
    if system.kind == "delay" or system.noise or system.flat.timed or not system.smooth:
        raise ValueError(f"{system.label}: doublings are found of smooth flows and maps without noise or time in their equations")
    cascade = _Cascade(system, parameter, section)
    found, reason = [], ""
    orbit = cascade.settled(np.array([start]), system.initial, 0)
    if orbit is None:
        raise ValueError(f"{system.label} is not periodic at {parameter} = {start:g} within {SETTLE[system.kind]} periods")
    for number in range(whole(count, "count")):
        gap = abs(found[-1].value - found[-2].value) / 4.67 if number > 1 else None
        doubled = cascade.doubling(orbit, end, abs(end - start) / STEPS if gap is None else gap / 8)
        if doubled is None:
            reason = f"the orbit of period {orbit.period} does not double before {parameter} = {end:g}"
            break
        found.append(doubled)
        if number + 1 == count:
            break
        span = (end - doubled.value if gap is None else np.sign(end - start) * gap) * 0.5 ** np.arange(1, TRIES)
        orbit = cascade.settled(doubled.value + span, doubled.state, 2 * doubled.period)
        if orbit is None:
            reason = f"no stable orbit of period {2 * doubled.period} was found behind {parameter} = {doubled.value:.10g}"
            break
    if not found:
        raise ValueError(f"{system.label}: {reason}")
    return _labelled(system, parameter, found, reason, cascade.section)


@dataclass(frozen=True)
class _Orbit:
    """A periodic orbit at a value of the parameter: a state on it, its period in points, and its duration (of a map, the same)."""

    value: float
    state: np.ndarray
    period: int
    duration: float
    error: float = 0.0


class _Cascade:
    """Periodic orbits of a system over a parameter."""

    def __init__(self, system: System, parameter: str, section: str | None):
        self.system, self.place, self.unit = system, labels(system).index(parameter), time_unit(system)
        self.section = "" if system.kind == "map" else section or f"maxima of {system.components[0]}"
        self.surface = surface_of(system, self.section, None) if self.section else None
        self.flat = linearised(system.flat, system.dimension) if system.kind == "flow" else None

    def row(self, value: float) -> np.ndarray:
        row = np.array(self.system.values)
        row[self.place] = value
        return row

    def settled(self, values: np.ndarray, state: np.ndarray, period: int) -> _Orbit | None:
        """The stable orbit of this period (0: of any) at the first of the values that has one."""
        rows, system = np.stack([self.row(value) for value in values]), self.system
        starts = np.repeat(np.asarray(state)[None], len(values), axis=0)
        count = POINTS * max(period, 32)
        if system.kind == "map":
            states = iterate(system, starts, count, skip=SETTLE["map"], values=rows).states
            times = np.broadcast_to(np.arange(count, dtype=float), states.shape[:2])
        else:
            group = Ensemble(system, starts, rows, tolerance=1e-12)
            group.advance(SETTLE["flow"] * self.unit)
            tree, _, direction, corners = self.surface
            found = group.passages(tree, count, PATIENCE * self.unit, direction, corners)
            states, times = found.states, found.times
        spread = np.nanstd(states.reshape(-1, system.dimension), axis=0)
        counts = periods(states[:, :, int(np.nanargmax(spread))], longest=max(period, 32))
        for k in np.flatnonzero(counts == period if period else counts > 0):
            span = times[k, -1] - times[k, -1 - counts[k]]
            orbit = self.closed(_Orbit(float(values[k]), states[k, -1], int(counts[k]), float(span)), values[k])
            if orbit is not None and self.margin(orbit) > 0:
                return orbit
        return None

    def returned(self, orbit: _Orbit) -> tuple[np.ndarray, np.ndarray]:
        """Where an orbit's state is after its duration, and the matrix M that takes small differences there."""
        n, row, system = self.system.dimension, self.row(orbit.value), self.system
        if system.kind == "map":
            both = numpy_function((*system.flat.rhs, *sum(system.derivatives, ())), system.flat.variables + system.flat.parameters)
            x, matrix = orbit.state, np.eye(n)
            with np.errstate(all="ignore"):
                for k in range(orbit.period):
                    found = np.array(both([*x, *row], float(k)), float)
                    x, matrix = found[:n], found[n:].reshape(n, n) @ matrix
            return x, matrix
        start = np.concatenate([orbit.state, np.eye(n).ravel(), [0.0]])
        times = np.array([0.0, orbit.duration])
        ends = flow(self.flat, start[None], times, row[None], 0.0, TOLERANCE, default_solver())[0][0, -1]
        return ends[:n], ends[n:-1].reshape(n, n).T

    def closed(self, guess: _Orbit, value: float) -> _Orbit | None:
        """The periodic orbit near a guess, by Newton's method; None where it leads nowhere, or to another orbit."""
        system, n, x, duration = self.system, self.system.dimension, guess.state, guess.duration
        size = max(np.abs(x).max(), 1e-12)
        for _ in range(NEWTON):
            end, matrix = self.returned(_Orbit(value, x, guess.period, duration))
            if not np.isfinite(end).all():
                return None
            jacobian, miss = matrix - np.eye(n), x - end
            if system.kind == "flow":  # the start may not slide along the orbit, whose duration is unknown
                here, there = (system.rhs(point, **by_name(system, self.row(value))) for point in (x, end))
                jacobian, miss = np.block([[jacobian, there[:, None]], [here[None], np.zeros((1, 1))]]), np.append(miss, 0.0)
            step = np.linalg.lstsq(jacobian, miss, rcond=None)[0]
            x, duration = x + step[:n], duration + (step[n] if system.kind == "flow" else 0.0)
            if np.abs(step[:n]).max() < CLOSED * size:
                near = np.abs(x - guess.state).max() < 0.5 * size and abs(duration / guess.duration - 1) < 0.2
                return _Orbit(float(value), x, guess.period, float(duration)) if near else None
        return None

    def margin(self, orbit: _Orbit) -> float:
        """det(M + 1): zero where a multiplier is -1, positive before."""
        return float(np.linalg.det(self.returned(orbit)[1] + np.eye(self.system.dimension)))

    def doubling(self, orbit: _Orbit, end: float, step: float) -> _Orbit | None:
        """Where an orbit's multiplier passes -1 on the way to `end`."""
        from scipy.optimize import brentq

        way, before = np.sign(end - orbit.value), self.margin(orbit)
        for _ in range(20 * STEPS):
            value = orbit.value + way * step
            if (end - value) * way < 0:
                return None
            new = self.closed(orbit, value)
            if new is None:
                step /= 2
                continue
            after = self.margin(new)
            if after <= 0 < before:
                break
            orbit, before = new, after
        else:
            return None
        near = {"orbit": orbit}

        def margin(value: float) -> float:
            found = self.closed(near["orbit"], value)
            if found is None:
                raise ValueError(f"{self.system.label}: an orbit of period {orbit.period} was lost at {value:.12g}")
            near["orbit"] = found
            return self.margin(found)

        low, high = sorted([orbit.value, new.value])
        value = brentq(margin, low, high, xtol=EXACT * max(abs(low), abs(high), 1e-300), rtol=1e-14)
        final = self.closed(near["orbit"], value)
        slope = abs(after - before) / (high - low)
        noise = 1e-13 * orbit.period + EXACT * abs(value) * slope + abs(self.margin(final))
        return _Orbit(value, final.state, orbit.period, final.duration, noise / slope)


def _labelled(system: System, parameter: str, found: list[_Orbit], reason: str, section: str) -> xr.Dataset:
    values, errors = np.array([one.value for one in found]), np.array([one.error for one in found])
    ratio = np.full(len(values), np.nan)
    gaps = np.abs(np.diff(values))
    ratio[1:-1] = gaps[:-1] / gaps[1:]
    known = ratio[1:-1]
    apart = abs(known[-1] - known[-2]) if len(known) > 1 else np.nan
    rounding = known[-1] * np.hypot(*errors[-2:]) / gaps[-1] if len(known) else np.nan
    return xr.Dataset(
        {
            "value": ("doubling", values, {"long_name": parameter}),
            "error": ("doubling", errors),
            "period": ("doubling", np.array([one.period for one in found])),
            "duration": ("doubling", np.array([one.duration for one in found])),
            "ratio": ("doubling", ratio),
            "feigenbaum": ((), known[-1] if len(known) else np.nan),
            "feigenbaum_error": ((), float(np.hypot(apart, rounding))),
        },
        coords={"doubling": np.arange(1, len(values) + 1)},
        attrs=described(system)
        | {"parameter": parameter, "section": section, "reason": reason, "method": "multiplier -1 of orbits by Newton's method"}
        | {"version": package_version()},
    )
