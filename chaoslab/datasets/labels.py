"""All of a Dataset but its long arrays, as JSON: dimensions, small variables, attributes, and what was written by whom."""

import hashlib
import json
from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from ..trajectories.schema import package_version
from .files import DataError
from .layout import Data

#: The version of this description.
SCHEMA = 1
#: What an array may hold: truth values, whole numbers, numbers, text.
KINDS = "biufUO"


def describe(data: Data, long: Callable[[xr.Variable], bool], *, always: bool = False) -> dict:
    """The labels of data as plain values; variables that are `long` are described, and their values left out.

    That is `always` so, or else only in nodes that have variables: coordinates alone, which children inherit, are told in full.
    """
    if isinstance(data, xr.Dataset):
        nodes = {"": _dataset(data, long, always)}
    else:
        nodes = {
            node.relative_to(data).strip("./"): _dataset(node.to_dataset(inherit=False), long, always) for node in data.subtree
        }
    tree = isinstance(data, xr.DataTree)
    return {"schema": SCHEMA, "version": package_version(), "tree": tree, "name": data.name if tree else None, "nodes": nodes}


def rebuild(labels: Mapping, arrays: Mapping[str, Mapping[str, np.ndarray]]) -> Data:
    """The data that were described, from their labels and the long arrays by node and name."""
    made = {path: _rebuilt(node, arrays.get(path, {})) for path, node in labels["nodes"].items()}
    if not labels["tree"]:
        return made[""]
    return xr.DataTree.from_dict({path or "/": ds for path, ds in made.items()}, name=labels["name"])


def text(labels: Mapping) -> str:
    """Labels as JSON; numbers are written so that they read back to the bit."""
    return json.dumps(labels, separators=(",", ":"), ensure_ascii=False)


def parsed(words: str | bytes, where: str) -> dict:
    """Labels from JSON; raises DataError for those of a later version."""
    try:
        labels = json.loads(words)
        schema = labels["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"the labels of {where} cannot be read; it was changed since it was written") from error
    if schema != SCHEMA:
        raise DataError(f"{where} has labels of version {schema}, this chaoslab reads version {SCHEMA}; install a newer one")
    return labels


def digest(array: np.ndarray) -> str:
    """A hash of an array's values in their order."""
    return hashlib.sha256(plain_bytes(np.asarray(array))).hexdigest()


def plain_bytes(array: np.ndarray) -> bytes | memoryview:
    """An array's values, little end first; text word by word."""
    if array.dtype.kind in "UOT":
        return b"".join(str(word).encode() + b"\0" for word in array.ravel())
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def checked(array: np.ndarray, name: str) -> np.ndarray:
    """An array of a kind that can be written: numbers, truth values or text (as objects)."""
    if array.dtype.kind == "T":
        array = array.astype(object)
    kind = array.dtype.kind
    mixed = kind == "O" and not all(isinstance(word, str) for word in array.ravel())
    if kind not in KINDS or mixed or (kind == "f" and array.dtype.itemsize > 8):
        raise TypeError(f"'{name}' holds {array.dtype}; numbers, truth values and text can be written. Drop it, or convert it")
    return array


def _dataset(ds: xr.Dataset, long, always: bool) -> dict:
    variables = {}
    long = long if ds.data_vars or always else lambda _: False
    for name, variable in ds.variables.items():
        if not isinstance(name, str):
            raise TypeError(f"variables have names that are text; {name!r} given")
        values = checked(variable.values, name) if not long(variable) else None
        dtype = variable.dtype if values is None else values.dtype
        dtype = "O" if np.dtype(dtype).kind in "OT" else np.dtype(dtype).newbyteorder("<").str
        described = {"dims": list(variable.dims), "dtype": dtype, "coordinate": name in ds.coords, "attrs": _attrs(variable.attrs)}
        variables[name] = described | ({} if values is None else {"values": values.tolist()})
    return {"sizes": dict(ds.sizes), "attrs": _attrs(ds.attrs), "variables": variables}


def _rebuilt(node: Mapping, arrays: Mapping[str, np.ndarray]) -> xr.Dataset:
    given = {}
    for name, told in node["variables"].items():
        if "values" in told:
            values = np.array(told["values"], dtype=told["dtype"])
        else:
            values = arrays[name]
        shape = tuple(node["sizes"][dim] for dim in told["dims"])
        given[name] = (tuple(told["dims"]), values.reshape(shape), told["attrs"])
    coordinates = {name: given.pop(name) for name, told in node["variables"].items() if told["coordinate"]}
    return xr.Dataset(given, coordinates, node["attrs"])


def _attrs(attrs: Mapping) -> dict:
    """Attributes as plain values; raises TypeError for one that JSON has no word for."""
    try:
        return json.loads(json.dumps(dict(attrs), default=_plain))
    except TypeError as error:
        raise TypeError(f"attributes are text, numbers and lists of them: {error}") from error


def _plain(value):
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{value!r} is {type(value).__name__}")
