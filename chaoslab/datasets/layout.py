"""What data look like: one Dataset, or a DataTree with a Dataset a system. Functions of a Dataset become functions of either.

A Dataset is a trajectory (member, time, component), or, univariate, one component of several systems (system, member, time).
"""

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr

Data = xr.Dataset | xr.DataTree
#: Variables that hold samples; a Dataset has one of the first two at least.
SAMPLED = ("state", "observed", "derivative", "clean")


def parts(data: Data) -> Iterator[tuple[str, xr.Dataset]]:
    """The path and the Dataset of every node of a tree that holds one, or the Dataset itself with an empty path."""
    if isinstance(data, xr.Dataset):
        yield "", data
        return
    _check(data)
    for node in data.subtree:
        if node.data_vars:
            yield place_of(node, data), node.to_dataset(inherit=True)


def each(data: Data, function: Callable[[xr.Dataset, str], xr.Dataset]) -> Data:
    """The same kind of data with every Dataset replaced by `function(dataset, system's name)`; nodes without one stay."""
    if isinstance(data, xr.Dataset):
        return function(data, name_of(data))
    _check(data)
    made = {}
    for node in data.subtree:
        ds = node.to_dataset(inherit=bool(node.data_vars))
        made[place_of(node, data) or "/"] = function(ds, node.name or name_of(ds)) if node.data_vars else ds
    return xr.DataTree.from_dict(made, name=data.name)


def place_of(node: xr.DataTree, root: xr.DataTree) -> str:
    """The path of a node, '' for the root."""
    path = node.relative_to(root)
    return "" if path == "." else path


def name_of(ds: xr.Dataset) -> str:
    """The name of a Dataset's system, or ''."""
    return str(ds.attrs.get("name", ""))


def shown(ds: xr.Dataset) -> xr.DataArray:
    """What is seen of a system: `observed` where there is any, else `state`."""
    for key in ("observed", "state"):
        if key in ds:
            if "time" not in ds[key].dims:
                raise ValueError(f"'{key}' has dims {ds[key].dims}; a series has a dimension 'time'")
            return ds[key]
    raise ValueError(f"data have a variable 'state' or 'observed'; this Dataset has {sorted(map(str, ds.data_vars))}")


def series_of(ds: xr.Dataset, name: str = "") -> Iterator[tuple[str, int, dict[str, int]]]:
    """The system, the member and the place of every series of a Dataset, of the system of that name, in order."""
    dims = [dim for dim in ("system", "member") if dim in ds.dims]
    for index in np.ndindex(*(ds.sizes[dim] for dim in dims)):
        place = dict(zip(dims, index, strict=True))
        system = ds["system"].values[place["system"]] if "system" in dims else name or name_of(ds)
        member = ds["member"].values[place["member"]] if "member" in ds.coords and "member" in dims else place.get("member", 0)
        yield str(system), int(member), place


def _check(data) -> None:
    if not isinstance(data, xr.DataTree):
        raise TypeError(f"data are an xarray Dataset, or a DataTree with one a system; {type(data).__name__} given")
