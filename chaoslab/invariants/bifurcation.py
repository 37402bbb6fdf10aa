"""Bifurcation (orbit) diagrams: where a motion goes for each value of a parameter."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import xarray as xr

from ..integrate import iterate
from ..integrate.passages import Ensemble
from ..systems import System, as_system, suggest
from ..trajectories.grid import positive, whole
from ..trajectories.parameters import labels
from ..trajectories.schema import by_name, described, package_version
from ..trajectories.starts import given_starts, phases
from .chunks import checked_axis, chunked, fits_in_memory, rebuilt, stacked, tell
from .orbit import time_unit
from .sections import surface_of

#: Periods, or iterations, before the points, and periods without a crossing after which a value is given up.
TRANSIENT, PATIENCE = {"flow": 100, "map": 1000}, 100
#: Values of a chunk. A map's take one numpy call a step together.
CHUNK = {"flow": 128, "map": 4096}
#: Points that recur are the same to this part of their size; the longest period that is looked for.
SAME, LONGEST = 1e-6, 64
#: Points near zero are compared with this part of the state.
SMALL = 1e-2
#: A motion rests that would move by less than this part of its size in a period.
STILL = 1e-6
RESERVED = ("point", "component", "value", "end", "period", "status", "ended", "reason")


def orbit_diagram(
    system: System | str,
    parameter: str,
    values,
    *,
    section: str | None = None,
    component: str | None = None,
    points: int = 200,
    transient: float | None = None,
    follow: str | None = None,
    initial=None,
    direction: int | None = None,
    patience: float = PATIENCE,
    tolerance: float = 1e-9,
    store: str | os.PathLike | None = None,
    client=None,
    workers: int | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """The bifurcation diagram: `value` along the parameter and `point`, one component of the motion at each value of a parameter.

    Of a map the points are iterates, of a flow a component's maxima, or the crossings of another surface, located exactly. Each
    value starts from the system's state, or follows the attractor of its neighbour: where several attractors are there, the
    diagrams up and down differ (hysteresis). Close to a bifurcation a motion settles slowly, and a short transient blurs it.

    Parameters
    ----------
    parameter : its name; of an array's element as in "w1_2"
    section : where a flow is looked at, in the language of `poincare_section`: "maxima of z", "y = 0", or "sin(phase) = 0" once
        a turn of a forcing; by default the maxima of the component
    component : what is looked at, by default the first, or the one that turns; its bounded coordinate where the system has one
    points : for each value
    transient : periods (of a map iterations) before the points; by default 100, of a map 1,000
    follow : "up" or "down" in the parameter: each value starts where the one before has ended its transient. By default each
        starts from `initial`, the system's state
    direction, patience : as in `poincare_section`
    store : path of an sqlite file, for scans that go on where they were interrupted; `client` as in `sweep`
    workers : threads; processes with a store

    Gives also `end` (parameter, component), a state on the way, from which another call may start, `period`: after how many points
    they repeat themselves (0: not within 64), `status`: ok, rests (at a fixed point, given as one point of a component's
    extrema), escaped, failed with a `reason`, or not computed after an interruption, and when it `ended`. There are no points
    where a motion has ended. Raises ValueError where nothing is left at all. May, Nature 261, 459 (1976).

    >>> diagram = orbit_diagram("Logistic", "r", [2.9, 3.2, 3.5, 3.9])
    >>> diagram.period.values.tolist()
    [1, 2, 4, 0]
    """
    system = as_system(system, "orbit_diagram")
    if system.kind == "delay":
        advice = "poincare_section() of system.with_(...) takes one value at a time"
        raise ValueError(f"{system.label} is a delay system; diagrams are made of flows and maps. {advice}")
    values = checked_axis(system, parameter, values, RESERVED)
    points = whole(points, "points")
    fits_in_memory(4.0 * len(values) * points * system.dimension, f"{len(values)} x {points} points")
    component, section = looked_at(system, component, section)
    transient = positive(TRANSIENT[system.kind] if transient is None else transient, "transient, in periods,", zero=True)
    settings = {
        "definition": json.dumps(system.definition()),
        "parameter": parameter,
        "section": section,
        "direction": direction,
        "component": component,
        "points": points,
        "transient": transient,
        "unit": time_unit(system),
        "patience": positive(patience, "patience, in periods,"),
        "tolerance": float(tolerance),
    }
    if section:
        surface_of(system, section, direction)
    starts = _starts(system, initial, len(values))
    if follow is not None:
        starts = _following(system, parameter, values, starts[0], follow, settings)
    size = CHUNK[system.kind]
    cells = [{"values": values[k : k + size], "starts": starts[k : k + size]} for k in range(0, len(values), size)]
    own = workers if store is None and client is None else None
    parts = chunked(
        partial(points_at, workers=own, **settings),
        cells,
        store=store,
        client=client,
        workers=workers,
        progress=progress,
        label=f"{system.label} over {parameter}",
    )
    columns = stacked(parts, cells, "values")
    status = columns["fate"].astype("<U12")
    if np.isin(status, ("escaped", "failed")).all():
        why = f" ({columns['reason'][0]})" if columns["reason"][0] else ""
        raise ValueError(f"{system.label} {status[0]} at all {len(values)} values of {parameter}{why}, so nothing is left to show")
    tell(system, status, [f"{parameter} = {value:.6g}" for value in values], columns["reason"])
    return _labelled(system, parameter, values, columns, settings, follow)


def refinements(function: Callable[[np.ndarray], xr.Dataset], values, *, levels: int = 5) -> Iterator[xr.Dataset]:
    """Datasets over ever more of the values, of `function(values)`: a coarse picture at once, in the end all of them.

    Each value is computed once; the first picture has every 2^(levels - 1)-th.

    >>> pictures = refinements(lambda r: orbit_diagram("Logistic", "r", r), np.linspace(3, 4, 33), levels=3)
    >>> [picture.sizes["r"] for picture in pictures]
    [9, 17, 33]
    """
    values = np.sort(np.atleast_1d(np.asarray(values, float)))
    done, shown = np.zeros(len(values), bool), None
    for level in reversed(range(whole(levels, "levels"))):
        new = np.zeros(len(values), bool)
        new[:: 2**level] = True
        new &= ~done
        if not new.any():
            continue
        found = function(values[new])
        done |= new
        [axis] = [dim for dim, size in found.sizes.items() if size == new.sum() and np.array_equal(found[dim], values[new])]
        joined = found if shown is None else xr.concat([shown, found], axis, data_vars="minimal", coords="minimal", join="exact")
        shown = joined.sortby(axis)
        shown.attrs = found.attrs
        yield shown


def looked_at(system: System, component: str | None, section: str | None) -> tuple[str, str]:
    """The component that is drawn, and the section's text; none for a map."""
    turning = section.split(" of ")[-1].strip() if isinstance(section, str) and " of " in section else None
    component = component or (turning if turning in system.components else system.components[0])
    if component not in system.components:
        near = suggest(str(component), system.components)
        raise ValueError(f"{system.label} has no component {component!r}.{near} It has {', '.join(system.components)}")
    if system.kind != "map" and system.noise:
        raise ValueError(f"{system.label} is moved by noise; dataclasses.replace(system, noise={{}}) is the motion without it")
    if system.kind == "map" and section is not None:
        raise ValueError(f"{system.label} is a map, whose iterates are a section already; leave section out")
    return component, "" if system.kind == "map" else section or f"maxima of {component}"


def _starts(system: System, initial, count: int) -> np.ndarray:
    """Starting states (value, component)."""
    starts = system.initial[None] if initial is None else given_starts(system, initial, 0.0, 0.0)
    if len(starts) not in (1, count):
        raise ValueError(f"initial is one state, or one for each of the {count} values; {len(starts)} given")
    return np.repeat(starts, count, axis=0) if len(starts) == 1 else starts


def _rows(system: System, parameter: str, values) -> np.ndarray:
    """Parameter values (value, parameter), of which one differs."""
    rows = np.repeat(system.values[None], len(values), axis=0)
    rows[:, labels(system).index(parameter)] = values
    return rows


def _following(system: System, parameter: str, values, start, follow: str, settings: dict) -> np.ndarray:
    """Where each value's transient ends that began where its neighbour's has ended; one that ends hands on the last start."""
    if follow not in ("up", "down"):
        raise ValueError(f"follow is 'up' or 'down', or None: each value from the same state; {follow!r} given")
    starts, rows = np.empty((len(values), system.dimension)), _rows(system, parameter, values)
    for k in range(len(values)) if follow == "up" else range(len(values))[::-1]:
        end, ok = _settled(system, start[None], rows[k : k + 1], settings)
        starts[k] = start
        start = end[0] if ok[0] else start
    return starts


def _settled(system: System, starts, rows, settings: dict) -> tuple[np.ndarray, np.ndarray]:
    """States (value, component) behind the transient, and which are well."""
    if system.kind == "map":
        found = iterate(system, starts, 1, skip=round(settings["transient"]), values=rows)
        return found.states[:, -1], found.status == "ok"
    group = Ensemble(system, starts, rows, tolerance=settings["tolerance"], workers=settings.get("workers"))
    group.advance(settings["transient"] * settings["unit"])
    return group.states, group.status == "ok"


def points_at(values, starts, *, definition: str, parameter: str, component: str, **settings) -> dict[str, np.ndarray]:
    """Points of a chunk of values, `starts` (value, component), and what became of each: one cell of a scan."""
    system, values, starts = rebuilt(definition), np.asarray(values, float), np.asarray(starts, float)
    rows, place = _rows(system, parameter, values), system.components.index(component)
    states, times, found, ends = (_iterates if system.kind == "map" else _crossings)(system, starts, rows, settings)
    varied = by_name(system, rows[:, None]) if system.flat.observed is not None else {}
    value = system.observe(states, times, **varied)[..., place] if varied else states[..., place].copy()
    status = np.array(found.status, dtype="<U12")
    value[status != "ok"] = np.nan
    last = np.maximum(np.isfinite(states).all(axis=2).sum(axis=1) - 1, 0)
    end = states[np.arange(len(values)), last]
    size = np.abs(end[:, ~phases(system)]).max(axis=1, initial=0.0)
    period = periods(value, least=SMALL * size)
    if system.kind == "flow":
        middle, unit = states[:, states.shape[1] // 2], settings["unit"]
        resting = (status == "failed") | ((status == "ok") & _resting(system, middle, rows, unit))
        resting &= _resting(system, ends, rows, unit)
        status[resting], period[resting], value[resting] = "rests", 0, np.nan
        if " of " in settings["section"] and resting.any():
            here = system.observe(ends, **by_name(system, rows)) if varied else ends
            value[resting, 0] = here[resting, place]
        end[resting] = ends[resting]
    reason = np.where(status == "failed", np.array([*found.reasons, ""])[:-1], "")
    return {"value": value, "end": end, "period": period, "fate": status, "ended": np.array(found.ended), "reason": reason}


def _iterates(system: System, starts, rows, settings):
    skip = round(settings["transient"])
    found = iterate(system, starts, settings["points"], skip=skip, values=rows)
    times = np.broadcast_to(skip + np.arange(float(settings["points"])), found.states.shape[:2])
    return found.states, times, found, found.states[:, -1]


def _crossings(system: System, starts, rows, settings):
    tree, _, direction, corners = surface_of(system, settings["section"], settings["direction"])
    skip, patience = settings["transient"] * settings["unit"], settings["patience"] * settings["unit"]
    group = Ensemble(system, starts, rows, t=-skip, tolerance=settings["tolerance"], workers=settings["workers"])
    if skip:
        group.advance(skip)
    found = group.passages(tree, settings["points"], patience, direction, corners)
    return found.states, found.times, found, group.last


def _resting(system: System, ends, rows, unit: float) -> np.ndarray:
    """Whether motions (value, component) have come to rest, a forcing's phase aside."""
    moving = ~phases(system)
    speed = np.abs(system.rhs(ends, **by_name(system, rows)))[:, moving].max(axis=1, initial=0.0)
    return speed * unit < STILL * np.maximum(np.abs(ends[:, moving]).max(axis=1, initial=0.0), 1e-3)


def periods(value: np.ndarray, longest: int = LONGEST, least=0.0) -> np.ndarray:
    """After how many points each row (value, point) repeats itself, over its second half; 0 where it does not.

    `least` (value,) is what counts as the size of smaller points.
    """
    late = value[:, value.shape[1] // 2 :]
    count, found = late.shape[1], np.zeros(len(value), int)
    if count < 2:
        return found
    with np.errstate(invalid="ignore"):
        near = SAME * np.maximum(np.abs(late).max(axis=1), least)
        for period in range(1, min(longest, count // 2) + 1):
            open_ = np.flatnonzero((found == 0) & (np.abs(late[:, -1] - late[:, -1 - period]) <= near))
            same = np.abs(late[open_, period:] - late[open_, :-period]).max(axis=1, initial=0.0) <= near[open_]
            found[open_[same]] = period
    return found


def _labelled(system: System, parameter: str, values, columns: dict, settings: dict, follow: str | None) -> xr.Dataset:
    name, clock = settings["component"], "iterations" if system.kind == "map" else "the system's time unit"
    seen = system.definition().get("observed", {}).get(name, name)
    ds = xr.Dataset(
        {
            "value": ((parameter, "point"), columns["value"], {"long_name": seen}),
            "end": ((parameter, "component"), columns["end"]),
            "period": (parameter, columns["period"]),
        },
        coords={
            parameter: values,
            "point": np.arange(settings["points"]),
            "component": np.array(system.components, dtype=object),
            "status": (parameter, columns["fate"].astype(object)),
            "ended": (parameter, columns["ended"], {"units": clock}),
            "reason": (parameter, columns["reason"].astype(object)),
        },
    )
    kept = {key: settings[key] for key in ("component", "section", "points", "transient", "tolerance")}
    ds.attrs = described(system) | kept
    ds.attrs |= {"parameter": parameter, "follow": follow or "", "method": "iterates" if system.kind == "map" else "crossings"}
    ds.attrs |= {"version": package_version()}
    return ds
