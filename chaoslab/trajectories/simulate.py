"""The one door from arrays to names: simulate() makes labelled trajectories."""

import os
import warnings
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..integrate import SOLVERS, TOLERANCE, Solution
from ..systems import System, as_system, suggest
from . import noise as noises
from . import stream
from .grid import coordinates, fits, grid, positive, whole
from .motion import Motion
from .parameters import parameter_coordinates, rows_of
from .schema import DIMS, by_name, described, package_version
from .starts import Start, Streams, begin, reach


class TrajectoryWarning(UserWarning):
    """A member ended before the last sample."""


def simulate(
    system: System | str,
    periods: float | None = None,
    samples: int | None = None,
    *,
    duration: float | None = None,
    step: float | None = None,
    members: int | None = None,
    initial=None,
    jitter: float = 0.0,
    parameters=None,
    transient: float = 0.0,
    process_noise=None,
    observation_noise=0.0,
    noise_step: float | None = None,
    rng: int | np.random.Generator = 0,
    tolerance: float = TOLERANCE,
    solver: str | None = None,
    derivative: bool = False,
    to: str | os.PathLike | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """A labelled trajectory: `state` along member, time and component, sampled exactly.

    Parameters
    ----------
    system : a System, or a name in the catalogue
    periods, samples : length in dominant periods (10) and samples a period (100): `periods * samples` points at
        `k * period / samples`, the end excluded. A map's period is one iteration (1,000 of them)
    duration, step : length and sampling step in the system's own time unit, instead
    members : trajectories (1). The first starts at the definition's state, the others on its orbit, one about three periods
        after the other; member k of several is the same however many they are (a single one differs from it by rounding)
    initial : where to start instead: (component,), (member, component), or a mapping of components to values. For a delay
        system these have been there for ever, and a function of time `s <= 0` gives another history. A trajectory dataset is
        continued: sampling goes on one step after its last sample, so that the two concatenate (a delay system's history is
        a spline through its samples, a cubic one where noise moved them: between samples one of many paths)
    jitter : standard deviation of a normal shift of every start, in each component's deviation along the noiseless orbit;
        with it, `members` copies of a single `initial` may be asked for
    parameters : values that differ by member, {"rho": (member,)}, or what `sample_parameters` returns
    transient : dropped before sampling begins, in periods
    process_noise : amplitude of the noise that moves a flow or delay system (Ito, additive), in deviations per square root of
        the period: one number, or by component; 0 for none. By default the definition's own [noise], if it has any. A component
        that just counts time is not moved. Strong order 1.5; 1 with lags, which must then be the same for all members
    observation_noise : standard deviation of white noise on what is seen, in deviations; `observed` has it, `state` does not
    noise_step : the longest step with process noise, in the system's unit; found by trial if not given, never above a lag
    rng : a seed or a numpy Generator
    tolerance : of the solver, per step and relative to the state
    solver : "taylor" (heyoka; the default where it is installed) or "scipy"
    derivative : also store the right-hand side along the trajectory
    to : a path "name.zarr" to write to piece by piece, in constant memory; an interrupted run goes on when it is called again.
        The dataset is then read from there as it is used
    workers : threads for the members of smooth flows, and of motions with process noise; all cores by default

    A member that blows up is marked in `status`, dated in `ended`, NaN from there on, and warned of. Raises ValueError
    for a request that makes no sense and MemoryError for one that does not fit.

    >>> import chaoslab as cl
    >>> cl.simulate("Lorenz", periods=10).sizes["time"]
    1000
    """
    system = as_system(system, "simulate")
    _check(system, solver, tolerance, workers)
    tolerance, transient = float(tolerance), positive(transient, "transient, in periods,", zero=True)
    jitter = positive(jitter, "jitter", zero=True)
    if parameters is None and isinstance(initial, xr.Dataset) and "parameters" in initial.coords:
        parameters = initial
    values, starts = rows_of(system, parameters)
    initial = starts if initial is None else initial
    members = _count(members, values)
    when = grid(
        system,
        periods,
        samples,
        duration,
        step,
        transient > 0 or (members > 1 and initial is None and values is None and not jitter),
    )
    if values is None:
        when = when._replace(lyapunov_time=system.lyapunov_time)
    if isinstance(initial, xr.Dataset):
        if transient:
            raise ValueError("a dataset given as initial is continued, so there is no transient to drop")
        when = when._replace(before=float(initial["time"][-1]))
    skip = transient * when.period if transient else 0.0
    moved = noises.process(system, process_noise, noise_step, when.spacing, values)
    seen = noises.observation(system, observation_noise)
    streams = Streams(rng, () if when.before is None else np.array([when.before]).view(np.uint32).tolist())
    variables = 1 + (system.flat.observed is not None or seen is not None) + derivative
    fits(system, members, 1 if to is not None else when.count, variables)
    start = Start(-skip if when.before is None else when.before, when.period, reach(system, values))
    shift = jitter * noises.deviations(system) if jitter else None
    options = {"tolerance": tolerance, "solver": solver, "workers": workers}
    starts = begin(system, initial, members, start, streams, options, shift=shift, copies=values is not None)
    if len(starts) != members:
        fits(system, len(starts), 1 if to is not None else when.count, variables)
    rows = np.broadcast_to(system.values if values is None else values, (len(starts), len(system.values)))
    wiener = streams.of("process", len(starts)) if moved else []
    motion = Motion(system, starts, rows, when, skip, moved, wiener, options)
    watchers = streams.of("observation", len(starts)) if seen is not None else []
    attrs = {"seed": streams.seed, "noise": noises.described(system, moved, seen), "tolerance": tolerance}
    request = Request(motion, seen, watchers, bool(derivative), values is not None, attrs)
    ds = request.piece(when.count) if to is None else stream.write(request, to)
    _report(system, ds, motion.reasons)
    return ds


@dataclass
class Request:
    """What was asked for, ready to be made piece by piece: a motion, what is seen of it, and how it is labelled."""

    motion: Motion
    seen: np.ndarray | None
    watchers: list[np.random.Generator]
    derivative: bool
    varied: bool
    attrs: dict

    def piece(self, count: int) -> xr.Dataset:
        """The next `count` samples of all members."""
        motion, system = self.motion, self.motion.system
        first = motion.done
        solution = motion.advance(count, delayed=self.derivative and system.kind == "delay")
        whole = count == motion.grid.count
        labels = coordinates(system.components, len(motion.now), motion.grid, *(() if whole else (first, motion.done)))
        ds = xr.Dataset({"state": (DIMS, solution.states)}, coords=labels)
        if not (motion.status == "ok").all():
            ds = ds.assign_coords(status=("member", motion.status.astype(object)), ended=("member", motion.ended.copy()))
        if self.varied:
            ds = ds.assign_coords(parameter_coordinates(system, motion.values))
        times = ds["time"].values[:, None].T
        if system.flat.observed is not None or self.seen is not None:
            ds["observed"] = (DIMS, self._observed(solution, times))
        if self.derivative:
            ds["derivative"] = (DIMS, system.rhs(solution.states, times, solution.delayed, **self._values()))
        ds.attrs = described(system) | self._attributes(solution)
        return ds

    def _observed(self, solution: Solution, times: np.ndarray) -> np.ndarray:
        system = self.motion.system
        clean = system.observe(solution.states, times, **self._values())
        if self.seen is not None:
            for rows, watcher in zip(clean, self.watchers, strict=True):
                rows += self.seen * watcher.standard_normal(rows.shape)
        return clean

    def _values(self) -> dict[str, np.ndarray]:
        """Parameters that differ by member, to be spread over time."""
        return by_name(self.motion.system, self.motion.values[:, None]) if self.varied else {}

    def _attributes(self, solution: Solution) -> dict:
        flow = self.motion.system.kind != "map" and self.motion.process is None
        return self.attrs | {
            "solver": solution.solver,
            "tolerance": self.attrs["tolerance"] if flow else 0.0,
            "transient": self.motion.transient,
            "version": package_version(),
        }


def _check(system, solver, tolerance, workers) -> None:
    if solver is not None and solver not in SOLVERS:
        raise ValueError(f"solver {solver!r} is not known.{suggest(str(solver), SOLVERS)} Solvers are {', '.join(SOLVERS)}")
    if not 1e-18 < tolerance < 1e-2:
        raise ValueError(f"the tolerance must lie between 1e-18 and 1e-2; {tolerance!r} given")
    if workers is not None:
        whole(workers, "workers")


def _count(members: int | None, values: np.ndarray | None) -> int:
    """How many members, where `values` of parameters may say so too."""
    if values is None:
        return 1 if members is None else whole(members, "members")
    if members not in (None, len(values)):
        raise ValueError(f"parameters are given for {len(values)} members, members={members} asks for another number; leave it out")
    return len(values)


def _report(system: System, ds: xr.Dataset, reasons: list[str]) -> None:
    """Warn of members that have ended."""
    status, when = ds["status"].values, ds["ended"].values
    ended = np.flatnonzero(status != "ok")
    if not len(ended):
        return
    first = ", ".join(f"member {k} {status[k]} at t = {when[k]:.6g}" + (f" ({reasons[k]})" * bool(reasons[k])) for k in ended[:3])
    more = f", and {len(ended) - 3} more" if len(ended) > 3 else ""
    warnings.warn(f"{system.label}: {first}{more}; NaN from there on", TrajectoryWarning, stacklevel=3)
