"""Basins of attraction on a plane of starting states: which start goes where, what part of them, and how sure that is."""

import json
import math
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import psutil
import xarray as xr

from ..integrate.solve import SWITCHING
from ..sweep import sweep
from ..sweep.cells import identity, key_of
from ..sweep.store import Store
from ..systems import System, as_system, suggest
from ..trajectories import TrajectoryWarning
from ..trajectories.grid import positive, whole
from ..trajectories.schema import described, package_version
from .recurrences import BLOCK, DRAWN, ESCAPED, HITS, UNDECIDED, Search, between_looks

#: Cells along a coordinate: as many as are tried in turn until an attractor is found; and looks that a motion may take.
CELLS, MOST = (100, 50, 25), 5000
#: Starts that the first attractors are found from, and starts of a chunk.
FIRST, CHUNK = 256, 4096
#: What a start is that no chunk has told because the run was stopped.
NOT_RUN = -2
WORDS = {UNDECIDED: "undecided", ESCAPED: "escaped", NOT_RUN: "not run"}


def basins(
    system: System | str,
    plane: Mapping,
    *,
    others: Mapping[str, float] | None = None,
    cells: int | None = None,
    step: float | None = None,
    longest: int | None = None,
    hits: int = HITS,
    tolerance: float = SWITCHING,
    store=None,
    workers: int = 0,
    client=None,
    progress: bool = True,
) -> xr.Dataset:
    """The number of the attractor that each start of a plane goes to: `basin` along the plane's components.

    Attractors are found by recurrence (Datseris & Wagemakers, Chaos 32, 023104 (2022)): a motion that keeps to cells of the
    state space where it has been is on one, if copies shifted by half a cell come back. Others are told by `hits` looks in a row
    in the cells of an attractor. `basin` is 1, 2, ... in the order of the attractors' means, 0 undecided, -1 escaped.

    Parameters
    ----------
    plane : {component: values, component: values}, ascending; one component or three are taken too
    others : states of the other components, by default the system's own
    cells : how many along each coordinate, of where motions from the plane usually are; attractors closer than a cell are one, and
        a smaller cell needs more looks to be visited again. By default 100, or 50 or 25 where no attractor is found with more
    step : time between looks; a flow forced with a single phase is looked at once a round, another ten times in its dominant period
    longest : looks that a motion may take before it is left undecided (5,000)
    store, client, progress : as in `chaoslab.sweep`; a chunk of 4,096 starts is one cell of it. Ctrl-C keeps and gives what is
        done, the rest being -2, "not run"; the same call with a `store` goes on
    workers : processes, or 0 for the threads of this one

    Gives also `looks` (until told), `fraction` of the starts by `outcome` with a standard `error`, and by `attractor` the `mean`
    and `extent` of its states and some of its `states`. The error is that of a grid whose cells are mixed as neighbours show:
    half the share of neighbours that differ, over the number of starts, is its square; for random labels it is the binomial.
    Raises ValueError for what has no attractors to be found: noise, delays, equations that depend on time itself without `step`.

    >>> from chaoslab.systems import System
    >>> wells = System({"x": "y", "y": "x - x**3 - 0.3*y"}, {}, {"x": 1, "y": 0}, period=4.4)
    >>> found = basins(wells, {"x": [-1.5, -0.5, 0.5, 1.5], "y": [0.0, 0.1]}, progress=False)
    >>> found["mean"].sel(component="x").round(6).values.tolist()
    [-1.0, 1.0]
    """
    system = as_system(system, "basins")
    _check(system, step)
    axes, start = _plane(system, plane, others)
    count = math.prod(map(len, axes.values()))
    _fits(count, system)
    settings = {
        "cells": list(CELLS) if cells is None else [whole(cells, "cells")],
        "step": between_looks(system, None if step is None else positive(step, "step")),
        "longest": MOST if longest is None else whole(longest, "longest"),
        "hits": whole(hits, "hits"),
        "tolerance": float(tolerance),
    }
    asked = {"definition": system.definition(), "axes": axes, "start": start, "settings": settings}
    function = partial(told_chunk, **asked)
    numbers = [{"first": first, "count": min(CHUNK, count - first)} for first in range(0, count, CHUNK)]
    how = {"workers": None if client is not None else workers, "client": client, "progress": progress}
    rows, broken = _swept(function, numbers, store, how)
    label, looks = np.full(count, NOT_RUN), np.full(count, -1)
    left = []
    for row in rows:
        here = slice(row["first"], row["first"] + row["count"])
        label[here], looks[here] = row["label"], row["looks"]
        left += list(zip(np.flatnonzero(label[here] == UNDECIDED) + row["first"], row["left"], strict=True))
    search = _search(*map(json.dumps, asked.values()))
    if left and not broken:
        places, states = (np.array(column) for column in zip(*left, strict=True))
        label[places] = search.explore(states, label[places])
    label, order = _ordered(label, search)
    _report(system, label, broken, store)
    return _labelled(system, axes, start, label, looks, [search.attractors[k] for k in order], settings | {"cells": search.cells})


def told_chunk(first: int, count: int, definition: Mapping, axes: Mapping, start: Mapping, settings: Mapping) -> dict:
    """Labels of some starts of a plane, the looks taken, and the last states of those that are undecided: a cell of the sweep."""
    search = _search(*map(json.dumps, (definition, axes, start, settings)))
    states = _states(search.system, axes, start, np.arange(first, first + count))
    label, looks, last = search.told(states)
    return {"label": label, "looks": looks, "left": last[label == UNDECIDED]}


@lru_cache(maxsize=8)
def _search(definition: str, axes: str, start: str, settings: str) -> Search:
    """The attractors that a coarse choice of the starts leads to; every process finds the same ones."""
    system, axes, start, settings = System(**json.loads(definition)), *map(json.loads, (axes, start, settings))
    count = math.prod(map(len, axes.values()))
    # a lattice with an irrational step meets rows and columns of the grid evenly
    places = np.unique((np.arange(min(FIRST, count)) * 0.6180339887498949 % 1 * count).astype(int))
    starts = _states(system, axes, start, places)
    for cells in settings["cells"]:
        search = Search(system, settings["step"], settings["longest"], settings["tolerance"], settings["hits"])
        search.measure(starts, cells)
        label = search.explore(starts)
        if search.attractors or (label == ESCAPED).all():
            break
    return search


def _check(system: System, step: float | None) -> None:
    if system.kind == "delay":
        raise ValueError(f"{system.label} is a delay system, whose states are whole histories; basins are drawn of flows and maps")
    if system.noise:
        raise ValueError(
            f"{system.label} is moved by noise and leaves every attractor; dataclasses.replace(system, noise={{}}) does not"
        )
    if system.flat.timed and step is None:
        raise ValueError(f"the equations of {system.label} depend on time itself; give step=, the period of what drives it")


def _plane(system: System, plane: Mapping, others) -> tuple[dict[str, list[float]], dict[str, float]]:
    """The plane's values by component, and the states of the other components."""
    if not isinstance(plane, Mapping) or not plane:
        raise TypeError(f"a plane is a mapping, as in {{'x': [-1, 0, 1], 'y': [0, 1]}}; {plane!r} given")
    others, axes = dict(others or {}), {}
    for word in (*plane, *others):
        if word not in system.components:
            near = suggest(str(word), system.components)
            raise ValueError(f"{system.label} has no component {word!r}.{near} It has {', '.join(system.components)}")
    for word, values in plane.items():
        values = np.asarray(values, float)
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all() or (np.diff(values) <= 0).any():
            raise ValueError(f"the plane's values of {word} are finite and ascend; {values!r} given")
        if word in others:
            raise ValueError(f"{word} is a component of the plane, and cannot be held at {others[word]!r} too")
        axes[word] = values.tolist()
    start = dict(zip(system.components, system.initial.tolist(), strict=True))
    start |= {word: float(value) for word, value in others.items()}
    return axes, {word: value for word, value in start.items() if word not in axes}


def _fits(count: int, system: System) -> None:
    wanted, free = 8 * (3 * count + CHUNK * BLOCK * 3 * system.dimension), psutil.virtual_memory().available
    if wanted > 0.9 * free:
        raise MemoryError(f"{count:,} starts need {wanted / 1e9:.3g} GB, {free / 1e9:.3g} GB are free; take a coarser plane")


def _states(system: System, axes: Mapping, start: Mapping, places: np.ndarray) -> np.ndarray:
    """States (member, component) of some starts by their number."""
    at = dict(zip(axes, np.unravel_index(places, [len(values) for values in axes.values()]), strict=True))
    columns = [
        np.asarray(axes[word])[at[word]] if word in axes else np.full(len(places), start[word]) for word in system.components
    ]
    return np.stack(columns, axis=-1)


def _swept(function, numbers: list[dict], store, how: dict) -> tuple[list[dict], bool]:
    """The chunks that are done, and whether the run was stopped before all were."""
    version = package_version()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "basins.sqlite" if store is None else store  # what is done outlives Ctrl-C
        try:
            results, broken = sweep(function, numbers, store=path, version=version, label="basins", retry=True, **how), False
        except KeyboardInterrupt:
            with closing(Store(path, identity(function), version)) as rows:
                known = rows.statuses()
            numbers, broken = [cell for cell in numbers if known.get(key_of(cell)) == "ok"], True
            if not numbers:
                raise
            results = sweep(function, numbers, store=path, version=version, progress=False, workers=0)
    if results.failed:
        raise RuntimeError(f"{len(results.failed)} chunks failed; the first: {results.failed[0]['traceback']}")
    return results.rows, broken


def _ordered(label: np.ndarray, search: Search) -> tuple[np.ndarray, list[int]]:
    """Labels in the order of the attractors' means, and the attractors in that order; those that no start goes to are left out."""
    there = [k for k in range(len(search.attractors)) if (label == k + 1).any()]
    means = [np.round(search.attractors[k].extent.mean(axis=0) / search.width).tolist() for k in there]
    order = [there[k] for k in sorted(range(len(there)), key=means.__getitem__)]
    new = label.copy()
    for number, k in enumerate(order, 1):
        new[label == k + 1] = number
    return new, order


def _report(system: System, label: np.ndarray, broken: bool, store) -> None:
    if broken:
        advice = "the same call goes on" if store is not None else "with store= the same call would go on"
        warnings.warn(f"stopped: {(label == NOT_RUN).sum():,} of {label.size:,} starts have not run; {advice}", stacklevel=3)
    undecided = int((label == UNDECIDED).sum())
    if undecided:
        what = "went to no attractor that was found; more looks (longest=) or larger cells (cells=) may tell them"
        warnings.warn(f"{system.label}: {undecided:,} of {label.size:,} starts {what}", TrajectoryWarning, stacklevel=3)


def _labelled(system: System, axes, start, label, looks, attractors, settings) -> xr.Dataset:
    shape, dims, turns = tuple(map(len, axes.values())), tuple(axes), np.arange(1, len(attractors) + 1)
    basin = label.reshape(shape)
    outcomes = [*turns.tolist(), *(k for k in (UNDECIDED, ESCAPED, NOT_RUN) if k != NOT_RUN or (label == k).any())]
    words = [WORDS.get(k, f"attractor {k}") for k in outcomes]
    rows = np.full((len(attractors), DRAWN, system.dimension), np.nan)
    for row, one in zip(rows, attractors, strict=True):
        row[:] = one.states[np.linspace(0, len(one.states) - 1, DRAWN).astype(int)]
    seen = system.observe(rows)
    ds = xr.Dataset(
        {
            "basin": (dims, basin.astype(np.int32), {"flag_values": outcomes, "flag_meanings": ", ".join(words)}),
            "looks": (dims, looks.reshape(shape)),
            "fraction": ("outcome", [float((label == k).mean()) for k in outcomes]),
            "error": ("outcome", [fraction_error(basin == k) for k in outcomes]),
            "mean": (("attractor", "component"), seen.mean(axis=1)),
            "extent": (("attractor", "component"), np.ptp(seen, axis=1)),
            "states": (("attractor", "sample", "component"), rows),
        },
        coords={word: (word, values) for word, values in axes.items()}
        | {
            "outcome": ("outcome", np.array(words, dtype=object)),
            "attractor": turns,
            "component": np.array(system.components, dtype=object),
        },
    )
    ds.attrs = described(system) | {
        "method": "recurrence of cells",
        "others": json.dumps(start),
        **settings,
        "version": package_version(),
    }
    return ds


def fraction_error(mine: np.ndarray) -> float:
    """The standard error of the share of set cells of a grid, from how often neighbours differ."""
    differ = [np.diff(mine, axis=k) for k in range(mine.ndim) if mine.shape[k] > 1]
    share = np.mean([np.mean(one) for one in differ]) if differ else 0.0
    return float(math.sqrt(share / 2 / mine.size))
