"""Stored arrays with their labels: a tree of trajectory datasets, or one univariate dataset. No system is read for it."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

from ..systems import System
from ..trajectories.schema import DIMS
from .storage import StoredArray


class Shape(NamedTuple):
    """What all systems of a set share."""

    members: int
    count: int
    samples: int


def tree(shape: Shape, entries: Mapping[str, Mapping], attrs: Mapping) -> xr.DataTree:
    """A trajectory dataset for each system, named by it.

    An entry has `arrays` (StoredArrays by variable), `attrs`, `component`, `period`, `lyapunov_time`, `status` and `ended`.
    Bounded coordinates are worked out from the state when they are used.
    """
    members, names = _index("member", np.arange(shape.members)), {}
    nodes = {}
    for label, entry in entries.items():
        key = tuple(entry["component"])
        if key not in names:
            names[key] = _index("component", np.array(key, dtype=object))
        nodes[label] = _dataset(shape, entry, members, names[key])
    made = xr.DataTree.from_dict(nodes, name="series")
    made.attrs = dict(attrs)
    return made


def univariate(shape: Shape, entries: Mapping[str, Mapping], attrs: Mapping) -> xr.Dataset:
    """The first observed coordinate of all systems: `observed` along system, member and time.

    All share `period`, the time in dominant periods; the length of each one's period in its own unit is `dominant_period`.
    """
    labels = list(entries)
    arrays = [_observed(shape, entry) or entry["arrays"]["state"] for entry in entries.values()]
    lengths = np.array([entry["period"] for entry in entries.values()], float)
    lyapunov = np.array([entry["lyapunov_time"] or np.nan for entry in entries.values()], float)
    periods = np.arange(shape.count) / shape.samples
    stored = StoredArray((len(labels), shape.members, shape.count), lambda key: _stacked(arrays, key))
    own, of = {"units": "the system's time unit"}, list(entries.values())
    text = lambda values: np.array(values, dtype=object)
    coords = {
        "system": text(labels),
        "member": np.arange(shape.members),
        "period": ("time", periods, {"long_name": "time", "units": "periods"}),
        "lyapunov_time": (("system", "time"), np.outer(lengths / lyapunov, periods), {"units": "Lyapunov times"}),
        "dominant_period": ("system", lengths, own),
        "component": ("system", text([entry["component"][0] for entry in of])),
        "status": (("system", "member"), text([entry["status"] for entry in of])),
        "ended": (("system", "member"), np.array([_numbers(entry["ended"]) for entry in of]), own),
        "definition": ("system", text([entry["attrs"]["system"] for entry in of])),
    }
    seen = stored.variable(("system", "member", "time"), {"long_name": "first observed coordinate"})
    return xr.Dataset({"observed": seen}, coords=coords, attrs=dict(attrs))


def _dataset(shape: Shape, entry: Mapping, members: tuple, names: tuple) -> xr.Dataset:
    times = np.arange(shape.count) * entry["period"] / shape.samples
    indexes, variables = {}, {}
    for index, variable in (members, _index("time", times), names):
        (name,) = variable
        indexes[name] = index
        variables |= variable
    own = {"long_name": "time", "units": "the system's time unit"}
    variables["time"].attrs = own
    variables["period"] = xr.Variable("time", times / entry["period"], {"long_name": "time", "units": "periods"})
    variables["status"] = xr.Variable("member", np.array(entry["status"], dtype=object))
    variables["ended"] = xr.Variable("member", _numbers(entry["ended"]), own | {"long_name": "time of the end"})
    if entry["lyapunov_time"]:
        lyapunov = {"long_name": "time", "units": "Lyapunov times"}
        variables["lyapunov_time"] = xr.Variable("time", times / entry["lyapunov_time"], lyapunov)
    observed = _observed(shape, entry)
    arrays = entry["arrays"] | ({"observed": observed} if observed else {})
    data = {name: array.variable(DIMS) for name, array in arrays.items()}
    return xr.Dataset(data, coords=xr.Coordinates(variables, indexes=indexes), attrs=entry["attrs"])


def _observed(shape: Shape, entry: Mapping) -> StoredArray | None:
    """What is observed of a system: as it is stored, or worked out from the state when it is used; None if that is the state."""
    state, definition = entry["arrays"].get("state"), entry["attrs"]["system"]
    if "observed" in entry["arrays"]:
        return entry["arrays"]["observed"]
    if '"observed": ' not in definition:
        return None

    def read(key):
        members, when, components = key
        times = np.arange(shape.count) * entry["period"] / shape.samples
        rows = np.atleast_3d(state.read((np.atleast_1d(np.arange(shape.members)[members]), slice(None), slice(None))))
        seen = System(**json.loads(definition)).observe(rows, times)
        return seen[(np.s_[:] if np.ndim(np.arange(shape.members)[members]) else 0, when, components)]

    return StoredArray(state.shape, read)


def _stacked(arrays: list[StoredArray], key) -> np.ndarray:
    systems, members, times = key
    chosen = np.arange(len(arrays))[systems]
    if np.ndim(chosen) == 0:
        return arrays[chosen].read((members, times, 0))
    return np.stack([arrays[k].read((members, times, 0)) for k in chosen])


def _index(name: str, values: np.ndarray) -> tuple[PandasIndex, dict[str, xr.Variable]]:
    """An index and its variable, to be shared, since making one takes a millisecond."""
    index = PandasIndex(pd.Index(values), name)
    return index, index.create_variables()


def _numbers(values) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)
