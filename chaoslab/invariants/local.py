"""Finite-time Lyapunov exponents along a trajectory: where on it small differences grow, and where they shrink.

Abarbanel, Brown & Kennel, J. Nonlinear Sci. 1, 175 (1991). The frame is carried on along the trajectory rather than chosen anew
for every window, so that the mean over a long trajectory is the exponent itself.
"""

import json
import math
import warnings
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE
from ..integrate.tangent import bundle
from ..sweep import Bar
from ..systems import System, as_system
from ..trajectories import check, simulate, system_of
from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version, seed_text
from .covariant import Unsettled
from .lyapunov import factor_interval

#: Trajectory where a system is given, in periods or iterations.
PERIODS, ITERATIONS = 100, 10_000
#: Two differences from random starts point the same way below this angle, in radians.
AGREEING = 0.01
#: How far from the next sample, in deviations, the motion may arrive.
MISSED = 0.01


class _Plan(NamedTuple):
    """The times of samples, the samples of a window, which exponent, units of length, whether frames must have settled by
    themselves, and the tolerance."""

    times: np.ndarray
    window: int
    index: int
    scale: np.ndarray
    settling: bool
    tolerance: float


def finite_time_exponents(
    trajectory: xr.Dataset | System | str,
    *,
    window: float | None = None,
    duration: float | None = None,
    index: int = 1,
    aligning: float | None = None,
    rng: int | np.random.Generator = 0,
    tolerance: float = TOLERANCE,
    progress: bool = True,
) -> xr.DataArray:
    """How fast the `index`-th difference grows in the window that begins at each sample of a trajectory: (member, time).

    Mean rates per time unit (of a map per iteration), natural logarithm, from the linearised equations along the trajectory
    itself. Differences are turned by the whole trajectory before, the later of them kept orthogonal to the earlier; their length
    is measured in deviations of the trajectory's (observed) components. Windows go on beyond the last sample, along the same
    motion; -inf where a difference dies out altogether.

    Parameters
    ----------
    trajectory : a dataset of `simulate`, evenly sampled, without process noise, of a flow or map; or a system, of which 100
        periods, or 10,000 iterations, are simulated
    window : in periods (1), of a map in iterations; rounded to whole samples
    duration : of the window in the system's own time unit, instead
    aligning : where the first value is given, in periods after the first sample. By default a value is given where differences
        from two random starts have come to agree in direction, to 0.01 radians, and is NaN elsewhere: at first, and wherever
        neighbouring exponents agree

    Raises ValueError for other trajectories and for windows shorter than a sampling step; warns (Unsettled) of members in
    which differences never agree.

    >>> import chaoslab as cl
    >>> ds = cl.simulate("Logistic", periods=4)
    >>> local = finite_time_exponents(ds, progress=False)
    >>> bool(np.allclose(local, np.log(np.abs(3.9 * (1 - 2 * ds.state.sel(component="x"))))))
    True
    """
    if isinstance(trajectory, System | str):
        trajectory = _simulated(trajectory)
    system = _check(trajectory)
    if whole(index, "index") > system.dimension:
        raise ValueError(f"{system.label} has exponents 1 to its {system.dimension} dimensions; index={index!r} given")
    times, states = trajectory["time"].values, trajectory["state"].sel(component=list(system.components)).values
    step = (times[-1] - times[0]) / (len(times) - 1)
    length, skipped = _window(trajectory, window, duration, aligning, step)
    plan = _Plan(times, length, index, _scale(system, states, times), skipped is None, tolerance)
    rng, seed = np.random.default_rng(rng), seed_text(rng)
    rates, unsettled = np.full(states.shape[:2], np.nan), []
    for here, samples in _groups(trajectory, states):
        own = system_of(trajectory, trajectory["member"].values[here[0]])
        growth, angles = _along(own, states[here, :samples], plan, samples == len(times), rng, progress)
        if growth.shape[1] < length:
            continue  # it ended within the first window
        values = np.lib.stride_tricks.sliding_window_view(growth, length, axis=1).mean(axis=-1) / step
        agree = angles[:, : values.shape[1]] <= AGREEING
        rates[here, : values.shape[1]] = np.where(agree, values, np.nan)
        unsettled += [trajectory["member"].values[k].item() for k in np.array(here)[~agree.any(axis=1)]]
    rates[:, : skipped or 0] = np.nan
    _warn(system, unsettled)
    made = {"index": index, "window": length * step, "tolerance": tolerance, "rng": seed, "version": package_version()}
    return xr.DataArray(
        rates,
        dims=("member", "time"),
        coords={key: part for key, part in trajectory.coords.items() if set(part.dims) <= {"member", "time"}},
        name="finite_time_exponent",
        attrs={
            "name": system.label,
            "long_name": f"finite-time exponent {index}",
            "units": "1/iteration" if system.kind == "map" else "1/time",
            "method": "linearised equations, QR factors, over the window that begins at each sample",
        }
        | made,
    )


def _simulated(system: System | str) -> xr.Dataset:
    system = as_system(system, "finite_time_exponents")
    _no_delay(system)
    return simulate(system, ITERATIONS if system.kind == "map" else PERIODS)


def _no_delay(system: System) -> None:
    if system.kind == "delay":
        raise ValueError(
            f"{system.label} is a delay system, whose states do not say how it goes on; finite-time exponents are those of flows "
            "and maps. lyapunov_spectrum() gives its exponents"
        )


def _check(ds) -> System:
    """The system of a trajectory whose linearised equations can be followed along it."""
    system = system_of(check(ds))
    _no_delay(system)
    if ds.attrs["noise"] != "none" and "process" in json.loads(ds.attrs["noise"]):
        raise ValueError(f"process noise moves this trajectory of {system.label}, so its equations alone do not lead along it")
    missing = [word for word in system.components if word not in ds["component"].values]
    if missing:
        raise ValueError(f"the trajectory lacks components {', '.join(missing)} of {system.label}; all are needed")
    times = ds["time"].values
    if len(times) < 2:
        raise ValueError(f"a trajectory of at least 2 samples is needed; this has {len(times)}")
    if not np.allclose(np.diff(times), times[1] - times[0], rtol=1e-6, atol=0):
        raise ValueError("the trajectory is not evenly sampled, so windows of equal length cannot be laid along it")
    return system


def _window(ds: xr.Dataset, window, duration, aligning, step: float) -> tuple[int, int | None]:
    """The samples of a window, and of the stretch before the first value (None: as it turns out)."""
    if window is not None and duration is not None:
        raise ValueError("give window, in periods, or duration, in the system's own time unit, not both")
    period = step / float(ds["period"][1] - ds["period"][0])
    if duration is None and math.isnan(period):
        raise ValueError("the trajectory has no period; give duration= in the system's own time unit")
    wanted = positive(1.0 if window is None else window, "window") * period if duration is None else positive(duration, "duration")
    samples = round(wanted / step)
    if samples < 1:
        raise ValueError(f"a window of {wanted:.4g} time units is shorter than a sampling step, {step:.4g}; sample more often")
    if aligning is None:
        return samples, None
    if math.isnan(period):
        raise ValueError("the trajectory has no period to measure aligning= by; leave it out")
    skipped = math.ceil(positive(aligning, "aligning", zero=True) * period / step - 1e-9)
    if skipped >= ds.sizes["time"]:
        raise ValueError(f"aligning={aligning:g} periods leave nothing of a trajectory of {ds.sizes['time']} samples")
    return samples, skipped


def _scale(system: System, states: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The deviation of each component, over time and the members that have not ended; 1 where it rests."""
    well = np.isfinite(states).all(axis=(1, 2))
    shown = system.observe(states[well] if well.any() else states, times[None])
    scale = np.maximum(np.nanstd(shown, axis=(0, 1)), 1e-6 * np.nanmax(np.abs(shown), axis=(0, 1)))
    return np.where(scale > 0, scale, 1.0)


def _groups(ds: xr.Dataset, states: np.ndarray):
    """Members that can be followed together, and how many samples they have: those of other parameters, or that end, alone."""
    samples = np.isfinite(states).all(axis=-1).sum(axis=1)
    together = [k for k in range(len(states)) if samples[k] == states.shape[1] and "parameters" not in ds.coords]
    alone = [[k] for k in range(len(states)) if k not in together and samples[k] > 1]
    return [(here, int(samples[here[0]])) for here in ([together] if together else []) + alone]


def _along(system: System, states: np.ndarray, plan: _Plan, whole: bool, rng, progress) -> tuple[np.ndarray, np.ndarray]:
    """Growth from each sample to the next (member, step), and the angle between differences of two starts (member, sample).

    Of `whole` trajectories the steps go on for a window behind the last sample.
    """
    members, samples, n = states.shape
    step, copies = (plan.times[-1] - plan.times[0]) / (len(plan.times) - 1), 2 if plan.settling else 1
    options = {"scale": plan.scale, "tolerance": plan.tolerance}
    parts = 1
    if plan.index > 1 and system.kind == "flow":  # differences that part too far in a step are not told apart
        parts = math.ceil(step / factor_interval(bundle(system, states[:1, 0], plan.index, rng=rng, **options), step))
    group = bundle(system, np.repeat(states[:, 0], copies, axis=0), plan.index, rng=rng, **options)
    basis = np.linalg.qr(rng.standard_normal((members, n, n)))[0]  # at first the copies' differences are at right angles
    frames = [np.roll(basis, k, axis=-1)[..., : plan.index] for k in range(copies)]
    group.frames = np.stack(frames, axis=1).reshape(-1, n, plan.index)
    steps = samples - 1 + plan.window * whole
    growth, angles, arrived = np.empty((members, steps)), np.zeros((members, steps)), np.empty_like(states[:, 1:])
    for k in Bar(steps, f"exponents along {system.label}", shown=progress).over(range(steps)):
        if k < samples:
            group.states, group.t = np.repeat(states[:, k], copies, axis=0), float(plan.times[k])
        pairs = group.frames.reshape(members, copies, n, plan.index)[..., -1]
        angles[:, k] = _angle(pairs[:, 0], pairs[:, -1])
        grown = sum(group.advance(step / parts)[:, -1] for _ in range(parts))
        growth[:, k] = grown[::copies]
        if k + 1 < samples:
            arrived[:, k] = group.states[::copies]
    _arrived(system, arrived, states[:, 1:], plan)
    return growth, angles


def _angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles (member,) between the lines along unit vectors (member, component)."""
    along = (first * second).sum(axis=1)
    return np.arctan2(np.linalg.norm(second - along[:, None] * first, axis=1), np.abs(along))


def _arrived(system: System, states: np.ndarray, wanted: np.ndarray, plan: _Plan) -> None:
    """Raise where the equations lead to other states (member, step, component) than the samples that are wanted there."""
    times = plan.times[: states.shape[1] + 1]
    states, wanted = (system.observe(rows, times[1:]) for rows in (states, wanted))
    missed = np.abs(states - wanted) / (plan.scale + 1e-4 * np.abs(wanted))  # members on their way out are large
    missed = missed.max(axis=(0, 2))
    if not missed.max() <= MISSED:
        k = int(np.argmin(missed <= MISSED))
        raise ValueError(
            f"from the sample at t = {times[k]:.6g} the equations of {system.label} lead {missed[k]:.2g} deviations away from the "
            "next one: this is no trajectory of theirs, or it is sampled too rarely to be followed"
        )


def _warn(system: System, members: list[int]) -> None:
    if members:
        warnings.warn(
            f"{system.label}: members {sorted(members)} have no finite-time exponents: differences from "
            "two random starts have not come to agree. A longer trajectory may do, or aligning= where neighbouring exponents agree",
            Unsettled,
            stacklevel=3,
        )
