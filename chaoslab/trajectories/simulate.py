"""The one door from arrays to names: simulate() makes labelled trajectories."""

import math
import warnings
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import psutil
import xarray as xr

from ..integrate import SOLVERS, TOLERANCE, iterate, solve
from ..systems import System, load, suggest
from .schema import DIMS, described, package_version
from .timescale import NoPeriod, dominant_period

#: Default lengths: 10 periods of 100 samples for a flow, as many iterates for a map.
PERIODS, SAMPLES, ITERATES = 10, 100, 1000
#: Other members start on the orbit of the stored state, this many periods long, after a tenth of it.
SPREAD = 100
#: Grids up to this many samples are kept, so that a slider pays for them once.
KEPT = 100_000


class TrajectoryWarning(UserWarning):
    """A member ended before the last sample."""


def simulate(
    system: System | str,
    periods: float | None = None,
    samples: int | None = None,
    *,
    duration: float | None = None,
    step: float | None = None,
    members: int = 1,
    initial=None,
    transient: float = 0.0,
    rng: int | np.random.Generator = 0,
    tolerance: float = TOLERANCE,
    solver: str | None = None,
    derivative: bool = False,
) -> xr.Dataset:
    """A labelled trajectory: `state` along member, time and component, sampled exactly.

    Parameters
    ----------
    system : a System, or a name in the catalogue
    periods, samples : length in dominant periods (10) and samples a period (100): `periods * samples` points at
        `k * period / samples`, the end excluded. A map's period is one iteration (1,000 of them)
    duration, step : length and sampling step in the system's own time unit, instead
    members : trajectories. The first starts at the definition's state, the others on its orbit, at times drawn by `rng`;
        member k is the same however many are asked for
    initial : where to start instead: (component,), (member, component), or a mapping of components to values. A trajectory
        dataset is continued: sampling goes on one step after its last sample, so that the two concatenate
    transient : dropped before sampling begins, in periods
    rng : a seed or a numpy Generator
    tolerance : of the solver, per step and relative to the state
    solver : "taylor" (heyoka; the default where it is installed) or "scipy"
    derivative : also store the right-hand side along the trajectory

    A member that blows up is marked in `status`, dated in `ended`, NaN from there on, and warned of. Raises ValueError
    for a request that makes no sense and MemoryError for one that does not fit.

    >>> import chaoslab as cl
    >>> cl.simulate("Lorenz", periods=10).sizes["time"]
    1000
    """
    system = load(system) if isinstance(system, str) else system
    if not isinstance(system, System):
        raise TypeError(f"simulate() takes a System or a name such as 'Lorenz'; {type(system).__name__} given")
    if solver is not None and solver not in SOLVERS:
        raise ValueError(f"solver {solver!r} is not known.{suggest(str(solver), SOLVERS)} Solvers are {', '.join(SOLVERS)}")
    if not 1e-18 < tolerance < 1e-2:
        raise ValueError(f"the tolerance must lie between 1e-18 and 1e-2; {tolerance!r} given")
    transient = _positive(transient, "transient, in periods,", zero=True)
    members = _whole(members, "members")
    period, count, spacing = _grid(system, periods, samples, duration, step, transient, members if initial is None else 1)
    skip = transient * period if transient else 0.0
    _fits(system, members, count, derivative)
    start, seed = _starts(system, initial, members, rng, period, tolerance, solver)
    _fits(system, len(start), count, derivative)
    goes_on = isinstance(initial, xr.Dataset)
    if goes_on and skip:
        raise ValueError("a dataset given as initial is continued, so there is no transient to drop")
    before = float(initial["time"][-1]) if goes_on else None
    times, coordinates = _coordinates(system.components, len(start), count, spacing, period, before)

    if system.kind == "map":
        solution = iterate(system, start, count, skip=1 if goes_on else round(skip), first=int(before or 0))
        solution.ended[:] += times[0]
    else:
        solution = solve(system, start, times, start=before if goes_on else -skip, tolerance=tolerance, solver=solver)
    ds = xr.Dataset({"state": (DIMS, solution.states)}, coords=coordinates)
    if not (solution.status == "ok").all():
        _report(system, solution)
        status = ("member", solution.status.astype(object))
        ds = ds.assign_coords(status=status, ended=("member", solution.ended))
    if system.flat.observed is not None:
        ds["observed"] = (DIMS, system.observe(solution.states, times[:, None].T))
    if derivative:
        ds["derivative"] = (DIMS, system.rhs(solution.states, times[:, None].T))
    ds.attrs = described(system) | {
        "solver": solution.solver,
        "tolerance": tolerance if system.kind == "flow" else 0.0,
        "seed": seed,
        "transient": skip,
        "noise": "none",
        "version": package_version(),
    }
    return ds


def _positive(value, what: str, zero: bool = False) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be a number; {value!r} given") from None
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise ValueError(f"{what} must be {'zero or ' * zero}positive and finite; {value!r} given")
    return number


def _whole(value, what: str) -> int:
    try:
        wrong = isinstance(value, bool) or int(value) != value or value < 1
    except (TypeError, ValueError, OverflowError):
        wrong = True
    if wrong:
        raise ValueError(f"{what} must be a whole number of at least 1; {value!r} given")
    return int(value)


def _grid(system: System, periods, samples, duration, step, transient, members) -> tuple[float, int, tuple[float, int]]:
    """The period (NaN where none is needed), the number of samples, and the spacing as (length, parts)."""
    if duration is not None or step is not None:
        if duration is None or step is None or periods is not None or samples is not None:
            raise ValueError("give duration and step together, or periods and samples; the two ways do not mix")
        duration, step = _positive(duration, "duration"), _positive(step, "step")
        count = math.ceil(duration / step - 1e-9)
        if system.kind == "map" and step != 1:
            raise ValueError(f"{system.label} is a map: its step is one iteration; step={step:g} given")
        return _period(system, transient > 0 or members > 1), count, (step, 1)
    period = _period(system, True)
    if system.kind == "map":
        if samples not in (None, 1):
            raise ValueError(f"{system.label} is a map: a period is one iteration and one sample; samples={samples!r} given")
        samples = 1
        periods = ITERATES if periods is None else periods
    samples = _whole(SAMPLES if samples is None else samples, "samples, a period,")
    periods = _positive(PERIODS if periods is None else periods, "periods")
    return period, max(1, round(periods * samples)), (period, samples)


def _period(system: System, needed: bool) -> float:
    """The stored period, the one found for a new system, or NaN where it is not known and not needed."""
    if system.period is not None:
        return system.period
    if not needed:
        return math.nan
    try:
        return dominant_period(system).value
    except NoPeriod as error:
        raise ValueError(f"{error}. Without a period, give duration= and step= instead of periods and transient") from error


def _fits(system: System, members: int, count: int, derivative: bool) -> None:
    """Refuse a request that would not fit in memory, before anything is computed."""
    variables = 1 + (system.flat.observed is not None) + derivative
    wanted = 8 * members * count * system.dimension * (variables + 1)
    free = psutil.virtual_memory().available
    if wanted > 0.9 * free:
        raise MemoryError(
            f"{members} members x {count} samples x {system.dimension} components need {wanted / 1e9:.3g} GB, {free / 1e9:.3g} GB "
            "are free. Ask for fewer; or go on piece by piece, piece = simulate(system, ..., initial=piece), and append each to a "
            "Zarr store by piece.to_zarr(path, append_dim='time')"
        )


def _starts(system, initial, members, rng, period, tolerance, solver) -> tuple[np.ndarray, int | str]:
    """Initial states (member, component) and the seed to note."""
    seed = "generator" if isinstance(rng, np.random.Generator) else int(rng)
    if initial is None:
        if members == 1:
            return system.initial[None], seed
        return _on_orbit(system, members, rng, period, tolerance, solver), seed
    if isinstance(initial, xr.Dataset):
        initial = initial["state"].isel(time=-1).sel(component=list(system.components)).values
    elif isinstance(initial, Mapping):
        unknown = [key for key in initial if key not in system.components]
        if unknown:
            raise ValueError(f"{system.label} has no component {unknown[0]!r}.{suggest(str(unknown[0]), system.components)}")
        whole = dict(zip(system.components, system.initial, strict=True)) | dict(initial)
        initial = np.stack(np.broadcast_arrays(*(np.asarray(whole[key], float) for key in system.components)), axis=-1)
    start = np.atleast_2d(np.asarray(initial, float))
    if start.ndim != 2 or start.shape[1] != system.dimension:
        raise ValueError(
            f"{system.label} has {system.dimension} components ({', '.join(system.components[:8])}); initial must have shape "
            f"({system.dimension},) or (member, {system.dimension}), {np.shape(initial)} given"
        )
    if not np.isfinite(start).all():
        raise ValueError(f"initial holds values that are not finite: {start[~np.isfinite(start).all(axis=1)][0]}")
    if members not in (1, len(start)):
        raise ValueError(f"initial holds {len(start)} states, members={members} asks for another number; leave members out")
    return start, seed


def _on_orbit(system, members, rng, period, tolerance, solver) -> np.ndarray:
    """The stored state, then states at times drawn uniformly along its orbit."""
    children = rng.spawn(members - 1) if isinstance(rng, np.random.Generator) else np.random.SeedSequence(rng).spawn(members - 1)
    drawn = np.array([np.random.default_rng(child).random() for child in children])
    if system.kind == "map":
        places = (100 + drawn * 10_000).astype(int)  # iterates, as for flows a tenth of the stretch is passed over first
        orbit = iterate(system, system.initial[None], int(places.max()) + 1).states[0]
        return np.vstack([system.initial, orbit[places]])
    times = (SPREAD / 10 + SPREAD * drawn) * period
    order = np.argsort(times)
    found = solve(system, system.initial[None], times[order], tolerance=tolerance, solver=solver)
    if found.status[0] != "ok":
        raise ValueError(
            f"the orbit of {system.label} {found.status[0]} at t = {found.ended[0]:.6g}, so members cannot start on it; "
            "pass initial="
        )
    states = np.empty_like(found.states[0])
    states[order] = found.states[0]
    return np.vstack([system.initial, states])


def _coordinates(components, members, count, spacing, period, before):
    if before is None and count <= KEPT and members <= KEPT:
        return _kept_coordinates(components, members, count, spacing, period)
    return _made_coordinates(components, members, count, spacing, period, before)


def _made_coordinates(components, members, count, spacing, period, before=None):
    """Sample times, from 0 or one step after `before`, and the coordinates of a trajectory whose members are all well."""
    length, parts = spacing
    times = np.arange(count) * length / parts
    if before is not None:
        times += before + length / parts
    attrs = {"long_name": "time", "units": "the system's time unit"}
    ds = xr.Dataset(
        coords={
            "member": np.arange(members),
            "time": ("time", times, attrs),
            "component": ("component", np.array(components, dtype=object)),
            "period": ("time", times / period, {"long_name": "time", "units": "periods"}),
            "status": ("member", np.full(members, "ok", dtype=object)),
            "ended": ("member", np.full(members, np.nan), attrs | {"long_name": "time of the end"}),
        }
    )
    for key in ("period", "status", "ended"):
        ds[key].values.flags.writeable = False
    return times, ds.coords


_kept_coordinates = lru_cache(maxsize=32)(_made_coordinates)


def _report(system: System, solution) -> None:
    ended = np.flatnonzero(solution.status != "ok")
    first = ", ".join(
        f"member {k} {solution.status[k]} at t = {solution.ended[k]:.6g}"
        + (f" ({solution.reasons[k]})" * bool(solution.reasons[k]))
        for k in ended[:3]
    )
    more = f", and {len(ended) - 3} more" if len(ended) > 3 else ""
    warnings.warn(f"{system.label}: {first}{more}; NaN from there on", TrajectoryWarning, stacklevel=3)
