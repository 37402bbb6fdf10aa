"""The largest Lyapunov exponent over one parameter or two: where the motion is chaotic, regular, or gone."""

import json
import math
import os
from collections.abc import Mapping
from functools import partial

import numpy as np
import xarray as xr

from ..integrate import sizes_of
from ..integrate.passages import Ensemble
from ..integrate.solve import ESCAPED
from ..integrate.tangent import bundle, linearised, turning
from ..systems import System, as_system
from ..systems.emit import numpy_function
from ..trajectories.grid import positive
from ..trajectories.parameters import labels
from ..trajectories.schema import described, package_version, seed_text
from ..trajectories.starts import given_starts
from .chunks import checked_axis, chunked, fits_in_memory, rebuilt, stacked, tell
from .lyapunov import ALIGNING, LINEAR
from .orbit import time_unit

#: Periods, or iterations, of each point of the grid, and before.
TIME, TRANSIENT = {"flow": 100, "map": 1000}, {"flow": 50, "map": 500}
#: Points of a chunk: what the caches of a processor hold.
CHUNK = {"flow": 512, "map": 2048}
#: Parts of each run, whose means tell the error.
BATCHES = 8
#: Periods of a flow between looks at the length of the difference, which grows by a few e-folds meanwhile.
STEP = 2
#: Iterations of a map between looks at the length of the difference.
LOOK = 4
RESERVED = ("exponent", "error", "status", "ended", "reason")


def exponent_map(
    system: System | str,
    axes: Mapping[str, object],
    *,
    time: float | None = None,
    transient: float | None = None,
    initial=None,
    rng: int = 0,
    tolerance: float = 1e-8,
    store: str | os.PathLike | None = None,
    client=None,
    workers: int | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """The largest Lyapunov `exponent` per time unit (of a map per iteration) over a grid of parameters, with an `error`.

    Every point is a motion of its own from the same state, with one small difference along it; all are moved on together. Runs
    are short, for a picture: where it matters, `largest_exponent` is more exact.

    Parameters
    ----------
    axes : the values of each parameter, as in {"a": np.linspace(1, 1.4, 100), "b": np.linspace(0, 0.3, 100)}; one, two or more
    time, transient : periods (of a map iterations) of each point, 100 (1,000), and before, 50 (500); of the time a tenth is left
        out, in which the difference turns to where it grows most
    initial : the state to start from, by default the system's
    store, client, workers : as in `orbit_diagram`

    The error is the standard error of the means of 8 parts, and of an exponent near zero at least what growth in proportion to
    time would show; what is slower than a part is not in it. Where a motion has escaped or failed the exponent is NaN, and
    `status`, `ended` and `reason` say so; it is -inf where differences die out altogether. Raises ValueError for delay systems,
    and where no motion goes on at all.
    Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15, 9 (1980).

    >>> found = exponent_map("Logistic", {"r": [3.2, 4.0]}, time=4000, progress=False)
    >>> found.exponent.values.round(2).tolist()
    [-0.92, 0.69]
    """
    system = as_system(system, "exponent_map")
    if system.kind == "delay" or system.noise:
        what = "a delay system" if system.kind == "delay" else "moved by noise"
        raise ValueError(f"{system.label} is {what}; maps of exponents are made of flows and maps")
    if not isinstance(axes, Mapping) or not axes:
        raise TypeError(f"axes are values by parameter, as in {{'rho': np.linspace(0, 100, 50)}}; {axes!r} given")
    axes = {word: checked_axis(system, word, values, RESERVED) for word, values in axes.items()}
    shape = tuple(len(values) for values in axes.values())
    count = math.prod(shape)
    fits_in_memory(20.0 * count + CHUNK[system.kind] * 40.0 * system.dimension, f"{' x '.join(map(str, shape))} points")
    points = np.stack([part.ravel() for part in np.meshgrid(*axes.values(), indexing="ij")], axis=-1)
    start = system.initial[None] if initial is None else given_starts(system, initial, 0.0, 0.0)
    if len(start) != 1:
        raise ValueError(f"initial is one state for all points; {len(start)} given")
    settings = {
        "definition": json.dumps(system.definition()),
        "parameters": list(axes),
        "start": start[0].tolist(),
        "time": positive(TIME[system.kind] if time is None else time, "time, in periods,"),
        "transient": positive(TRANSIENT[system.kind] if transient is None else transient, "transient, in periods,", zero=True),
        "unit": time_unit(system),
        "rng": int(rng),
        "tolerance": float(tolerance),
    }
    if settings["time"] < 2 * BATCHES:
        raise ValueError(f"a time of {time:g} periods is too short for an error; take at least {2 * BATCHES}, better 100")
    size = CHUNK[system.kind]
    cells = [{"points": points[k : k + size]} for k in range(0, count, size)]
    own = workers if store is None and client is None else None
    parts = chunked(
        partial(exponents_at, workers=own, **settings),
        cells,
        store=store,
        client=client,
        workers=workers,
        progress=progress,
        label=f"exponents of {system.label}",
    )
    columns = stacked(parts, cells, "points")
    status = columns["fate"]
    if np.isin(status, ("escaped", "failed")).all():
        raise ValueError(f"{system.label} {status[0]} at all {count} points, so there is no exponent")
    tell(system, status, [_words(axes, point) for point in points], columns["reason"])
    unit = "1/iteration" if system.kind == "map" else "1/time"
    ds = xr.Dataset(
        {
            "exponent": (tuple(axes), columns["exponent"].reshape(shape), {"units": unit}),
            "error": (tuple(axes), columns["error"].reshape(shape), {"units": unit}),
        },
        coords={
            **axes,
            "status": (tuple(axes), status.astype(object).reshape(shape)),
            "ended": (tuple(axes), columns["ended"].reshape(shape)),
            "reason": (tuple(axes), columns["reason"].astype(object).reshape(shape)),
        },
    )
    kept = {key: settings[key] for key in ("time", "transient", "tolerance")}
    made = {"method": "growth of one difference along each motion", "rng": seed_text(rng), "version": package_version()}
    ds.attrs = described(system) | kept | made
    return ds


def _words(axes, point) -> str:
    return ", ".join(f"{word} = {value:.6g}" for word, value in zip(axes, point, strict=True))


def exponents_at(points, *, definition: str, parameters, start, **settings) -> dict[str, np.ndarray]:
    """Exponents at points (point, parameter) of a grid, and what became of each: one cell of a scan."""
    system, points = rebuilt(definition), np.asarray(points, float)
    rows = np.repeat(system.values[None], len(points), axis=0)
    known = labels(system)
    for column, word in enumerate(parameters):
        rows[:, known.index(word)] = points[:, column]
    starts = np.repeat(np.array(start)[None], len(points), axis=0)
    rates, ended, reasons = (_of_map if system.kind == "map" else _of_flow)(system, starts, rows, settings)
    kept = rates[int(ALIGNING * len(rates)) :]
    length = len(kept) // BATCHES
    with np.errstate(invalid="ignore"):
        means = kept[len(kept) - BATCHES * length :].reshape(BATCHES, length, -1).mean(axis=1)
        exponent, error = kept.mean(axis=0), means.std(axis=0, ddof=1) / math.sqrt(BATCHES)
        least = LINEAR / (settings["time"] * settings["unit"] * (1 - ALIGNING))
        error = np.where(np.abs(exponent) < 1.5 * least, np.hypot(error, least), error)
    lost = ~np.isnan(ended)
    exponent[lost], error[lost] = np.nan, np.nan
    status = np.where(lost, np.where(np.array([*reasons, ""])[:-1] == "", "escaped", "failed"), "ok").astype("<U12")
    reason = np.array([*reasons, ""])[:-1]
    return {"exponent": exponent, "error": error, "fate": status, "ended": ended, "reason": reason}


def _of_map(system: System, starts, rows, settings) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rates (look, point), and when motions escaped; all points take one numpy call an operation."""
    n, flat = system.dimension, system.flat
    step = numpy_function(flat.rhs, flat.variables + flat.parameters)
    both = numpy_function((*flat.rhs, *sum(system.derivatives, ())), flat.variables + flat.parameters)
    skip, looks = round(settings["transient"]), round(settings["time"] / LOOK)
    x, bounds, ended = starts.T.copy(), ESCAPED * sizes_of(starts), np.full(len(starts), np.nan)
    w = np.random.default_rng(settings["rng"]).standard_normal(n)
    w = np.repeat((w / np.linalg.norm(w))[:, None], len(starts), axis=1)
    rates, columns = np.empty((looks, len(starts))), list(rows.T)

    def note(when: int) -> None:
        ended[np.isnan(ended) & ~(np.abs(x).max(axis=0) < bounds)] = when

    with np.errstate(all="ignore"):
        for k in range(skip):
            x = np.stack([np.broadcast_to(column, ended.shape) for column in step([*x, *columns], float(k))])
            if k % LOOK == 0:
                note(k - skip)
        for look in range(looks):
            for k in range(look * LOOK, (look + 1) * LOOK):
                found = both([*x, *columns], float(skip + k))
                w = np.stack([sum(found[n + i * n + j] * w[j] for j in range(n)) for i in range(n)])
                x = np.stack([np.broadcast_to(column, ended.shape) for column in found[:n]])
            size = np.sqrt((w * w).sum(axis=0))
            rates[look] = np.log(size) / LOOK
            w = np.where(size > 0, w / size, math.sqrt(1 / n))  # a difference that has died out begins anew
            note((look + 1) * LOOK)
    return rates, ended, [""] * len(starts)


def _of_flow(system: System, starts, rows, settings) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rates (step, point), and when and why motions ended."""
    skip = settings["transient"] * settings["unit"]
    group = Ensemble(system, starts, rows, t=-skip, tolerance=settings["tolerance"], workers=settings["workers"])
    if skip:
        group.advance(skip)
    steps = max(2 * BATCHES, round(settings["time"] / STEP))
    interval = settings["time"] * settings["unit"] / steps
    rates = (_walking if group.single else _together)(group, steps, interval, settings)
    return rates / interval, group.ended, group.reasons


def _together(group: Ensemble, steps: int, interval: float, settings) -> np.ndarray:
    """Logarithms of growth (step, point) of a difference beside each motion, in the lanes of the processor's vectors."""
    system, n = group.system, group.system.dimension
    w = np.random.default_rng(settings["rng"]).standard_normal(n)
    w = np.repeat(w[None], len(group.states), axis=0)
    start = np.concatenate([group.states, w, np.zeros((len(w), 1))], axis=1)
    options = {"tolerance": group.tolerance, "workers": group.workers, "flat": linearised(system.flat, 1)}
    beside = Ensemble(system, start, group.values, t=0.0, **options)
    beside.begun, beside.sizes = group.begun, group.sizes
    beside.status, beside.ended, beside.reasons = group.status, group.ended, group.reasons
    growth, angles = np.full((steps, len(w)), np.nan), turning(system)
    for step in range(steps):
        states, w = beside.states[:, :n], beside.states[:, n:-1]
        size = np.linalg.norm(w, axis=1)
        with np.errstate(all="ignore"):  # a difference is kept as large as the state, since steps are chosen for the larger
            w *= np.where(size > 0, np.fmax(1.0, np.abs(states).max(axis=1)) / size, 0.0)[:, None]
            beside.states[:, -1] = 0.0
            before = np.linalg.norm(w, axis=1)
            beside.advance(interval)
            growth[step] = np.log(np.linalg.norm(beside.states[:, n:-1], axis=1) / before)
        beside.states[:, angles] %= 2 * np.pi
    return growth


def _walking(group: Ensemble, steps: int, interval: float, settings) -> np.ndarray:
    """Logarithms of growth (step, point) of motions across switching surfaces, which are followed one by one."""
    rng, scale = np.random.default_rng(settings["rng"]), np.ones(group.system.dimension)
    growth, live = np.full((steps, len(group.states)), np.nan), np.flatnonzero(group.status == "ok")
    made = {"scale": scale, "rng": rng, "values": group.values[live], "tolerance": group.tolerance}
    beside = bundle(group.system, group.states[live], 1, **made)
    for step in range(steps):
        growth[step, live] = beside.advance(interval)[:, 0]
        sound = np.isfinite(beside.states).all(axis=1) & (np.abs(beside.states).max(axis=1) < ESCAPED * group.sizes[live])
        group.status[live[~sound]], group.ended[live[~sound]] = "escaped", beside.t
        live = live[sound]
        if not len(live):
            break
        beside.states, beside.frames, beside.values = beside.states[sound], beside.frames[sound], beside.values[sound]
    return growth
