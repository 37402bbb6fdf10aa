"""Where members start: given, on the orbit, or shifted a little."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..integrate import Past, given, iterate, sampled, solve
from ..systems import System, suggest
from ..systems.tree import walk

#: Members start on the orbit of the stored state, one after another, about this many periods apart, after ten of them.
APART, BEFORE = 3, 10
#: Where in this part of the distance each starts is drawn: over two whole periods, so that a cycle is met at every phase.
WITHIN = 2 / 3
#: Iterates of a map between members, and before the first of them.
MAP_APART, MAP_BEFORE = 20, 100
#: Samples before the longest lag that its spline takes into account.
SPLINE = 16
#: What random numbers are for; each has streams of its own.
PURPOSES = ("start", "shift", "parameters", "process", "observation")


class Streams:
    """Random numbers for members: member k's are the same however many there are.

    `rng` is a seed or a Generator, whose seed sequence is spawned; `path` sets apart what shares a seed.
    """

    def __init__(self, rng: int | np.random.Generator, path: Sequence[int] = ()):
        if isinstance(rng, np.random.Generator):
            self.seed, root = "generator", rng.bit_generator.seed_seq
        else:
            self.seed = int(rng)
            root = np.random.SeedSequence(self.seed, spawn_key=tuple(path))
        self._roots = dict(zip(PURPOSES, root.spawn(len(PURPOSES)), strict=True))

    def shared(self, purpose: str) -> np.random.Generator:
        """One Generator for all members, who draw equally much, in their order."""
        return np.random.Generator(np.random.SFC64(self._roots[purpose]))

    def of(self, purpose: str, members: int) -> list[np.random.Generator]:
        """A Generator for each member."""
        return [np.random.Generator(np.random.SFC64(child)) for child in self._roots[purpose].spawn(members)]


def phases(system: System) -> np.ndarray:
    """Which components just count time, as the phase of a forcing does: (component,)."""
    flat = system.flat
    states = set(flat.inputs) - set(flat.parameters)
    return np.array([system.kind != "map" and states.isdisjoint(walk(tree)) for tree in flat.rhs])


def given_starts(system: System, initial, when: float, reach: float):
    """Starting states (member, component), or pasts of a delay system, from what the user gave.

    A trajectory dataset gives its last states (for a delay system, the stretch of `reach` before them), a mapping some
    components, a function of time s <= 0 before the start, `when`, a history; pasts are moved to end at `when`.
    """
    if isinstance(initial, xr.Dataset):
        degree = 3 if "process" in initial.attrs.get("noise", "") else 7  # a rough path swings between the knots of a high one
        initial = initial["state"].sel(component=list(system.components))
        if system.kind == "delay":
            needed = np.searchsorted(initial["time"].values, initial["time"].values[-1] - reach) - SPLINE
            initial = initial.isel(time=slice(max(0, int(needed)), None))
            time = initial["time"].values
            moved = [sampled(time, rows, reach, degree) for rows in initial.transpose("member", "time", "component").values]
            return [past.copy(when - past.now) for past in moved]
        initial = initial.isel(time=-1).values
    elif isinstance(initial, Sequence) and len(initial) and all(isinstance(past, Past) for past in initial):
        return [past.copy(when - past.now) for past in initial]
    elif isinstance(initial, Callable):
        return _histories(system, initial, when, reach)
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
    return start


def _histories(system: System, function: Callable, when: float, reach: float) -> list[Past]:
    """Pasts from a function of time that gives (component,), or (member, component)."""
    if system.kind != "delay":
        raise ValueError(f"initial is a function, the history of a delay system; {system.label} is a {system.kind}: give a state")
    first = np.asarray(function(0.0), float)
    if first.ndim < 2:
        return [given(function, reach, when, system.dimension)]
    member = lambda k: lambda s: np.asarray(function(s), float)[k]
    return [given(member(k), reach, when, system.dimension) for k in range(len(first))]


def on_orbit(system: System, members: int, streams: Streams, period: float, options: Mapping):
    """The stored state, then states along its orbit, each a little after the one before: as often as the motion is there.

    For a delay system the pasts, which end at time 0.
    """
    places = np.arange(members - 1) + WITHIN * streams.shared("start").random(members - 1)
    places = MAP_BEFORE + MAP_APART * places if system.kind == "map" else (BEFORE + APART * places) * period
    return states_at(system, [0, *places], options)


def states_at(system: System, times: Sequence[float], options: Mapping, *, shift: np.ndarray | None = None):
    """Where the orbit of the stored state is at these growing times (iterates of a map): states (member, component).

    For a delay system the pasts up to then, moved to end at time 0; the orbit comes from a constant history. `shift` is added
    to the stored state first. Raises ValueError where the orbit ends before.
    """
    first = system.initial if shift is None else system.initial + shift
    if system.kind == "map":
        counts = np.asarray(times).astype(int)
        orbit = iterate(system, first[None], int(counts[-1]) + 1)
        _alive(system, orbit)
        return orbit.states[0][counts]
    if system.kind == "delay":
        return _stretches(system, first, times, options)
    later = np.asarray(times, float)
    found = solve(system, first[None], later[later > 0], **options)
    _alive(system, found)
    return np.vstack([np.repeat(first[None], len(later) - len(found.states[0]), axis=0), found.states[0]])


def _stretches(system: System, first: np.ndarray, times: Sequence[float], options: Mapping) -> list[Past]:
    past = solve(system, first[None], np.zeros(1), **options).pasts[0]
    pasts = []
    for time in times:
        if time > 0:
            found = solve(system, [past], np.array([time]), **options)
            _alive(system, found)
            past = found.pasts[0]
        pasts.append(past.copy(-time))
    return pasts


def _alive(system: System, found) -> None:
    if found.status[0] != "ok":
        raise ValueError(
            f"the orbit of {system.label} {found.status[0]} at t = {found.ended[0]:.6g}, so members cannot start on it; "
            "pass initial="
        )


class Start(NamedTuple):
    """The time when members start, the period, and how far back a delay system's history must reach."""

    when: float
    period: float
    reach: float


def reach(system: System, values: np.ndarray | None) -> float:
    """The longest lag at any of these parameter values (member, parameter); zero where there is none."""
    if not system.flat.delays:
        return 0.0
    lags = np.array([system.lags_at(row) for row in (system.values[None] if values is None else values)])
    if not (lags > 0).all() or not np.isfinite(lags).all():
        member = int(np.argmin((lags > 0).all(axis=1)))
        raise ValueError(f"lags must be positive; those of member {member} of {system.label} are {lags[member].tolist()}")
    return float(lags.max())


def begin(system: System, initial, members: int, start: Start, streams: Streams, options, *, shift, copies: bool):
    """Where every member starts: states (member, component), or pasts of a delay system.

    `shift` is the standard deviation of a shift by component, or None; with it, or where `copies` are wanted because
    members differ otherwise, members may start from one state.
    """
    copies = copies or shift is not None
    if initial is None and (members == 1 or copies):
        starts = system.initial[None]
    elif initial is None:
        starts = on_orbit(system, members, streams, start.period, options)
        starts = [past.copy(start.when) for past in starts] if isinstance(starts, list) else starts
    else:
        starts = given_starts(system, initial, start.when, start.reach)
    if copies and len(starts) == 1:
        starts = starts * members if isinstance(starts, list) else np.repeat(starts, members, axis=0)
    if members not in (1, len(starts)):
        raise ValueError(
            f"initial holds {len(starts)} states, members={members} asks for another number; leave members out, "
            "or give jitter= to start shifted copies of a single one"
        )
    if shift is None:
        return starts
    shifts = shift * streams.shared("shift").standard_normal((len(starts), system.dimension))
    return [_shifted(*pair) for pair in zip(starts, shifts, strict=True)] if isinstance(starts, list) else starts + shifts


def _shifted(past: Past, shift: np.ndarray) -> Past:
    """A past moved as a whole."""
    moved = past.copy()
    moved.coefficients[:, :, 0] += shift
    return moved
