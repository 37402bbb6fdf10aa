"""Data as rows, one a number, with the same columns for every system.

Columns: split, system, member, time, period, lyapunov_time, component, status, then state, observed, derivative and clean,
null where a system has none. What else runs along time gets a column of its own at the end.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from .layout import SAMPLED, Data, name_of, parts, shown

#: Dimensions in the order of rows.
ROWS = ("system", "member", "time", "component")
#: Columns that say what a row is.
KEYS = ("split", "system", "member", "time", "period", "lyapunov_time", "component", "status")
WORDS = ("split", "system", "component", "status")
#: Rows a group holds at most; what is written or read at once.
GROUP = 500_000


def columns_of(more: Mapping[str, np.dtype] | None = None) -> dict[str, str]:
    """Every column and the Arrow type it has, with those of further variables."""
    types = dict.fromkeys(KEYS + SAMPLED, "double") | dict.fromkeys(WORDS, "string") | {"member": "int64"}
    return types | {name: _arrow(dtype, name) for name, dtype in sorted((more or {}).items())}


def more_columns(data: Data) -> dict[str, np.dtype]:
    """Variables along time that are not in every file's columns, and their types."""
    found = {}
    for path, ds in parts(data):
        shown(ds)
        for name in along_time(ds):
            odd = set(ds[name].dims) - set(ROWS)
            if odd or name in ("split", "system", "member", "component", "status"):
                raise ValueError(f"'{name}' of {path or 'the data'} runs along {ds[name].dims}; a row has {', '.join(ROWS)}")
            dtype = np.dtype(object) if ds[name].dtype.kind in "UT" else ds[name].dtype
            if name in KEYS + SAMPLED and dtype.kind != "f":
                raise TypeError(f"'{name}' of {path or 'the data'} holds {dtype}; its column holds numbers")
            if found.setdefault(name, dtype) != dtype and name not in KEYS + SAMPLED:
                raise TypeError(f"'{name}' holds {dtype} in {path}, and {found[name]} in others; one column has one type")
    return {name: dtype for name, dtype in found.items() if name not in KEYS + SAMPLED}


def spans(ds: xr.Dataset) -> Iterator[dict[str, slice]]:
    """Places of the groups, in the order of rows: some members of a system, or a stretch of one member."""
    systems, members, times = (ds.sizes.get(dim, 1) for dim in ("system", "member", "time"))
    wide = max(1, ds.sizes.get("component", 1))
    several, length = max(1, GROUP // max(1, times * wide)), max(1, GROUP // wide)
    for system in range(systems):
        for member in range(0, members, several):
            for start in range(0, times, length):
                yield {
                    "system": slice(system, system + 1),
                    "member": slice(member, min(member + several, members)),
                    "time": slice(start, min(start + length, times)),
                }


def in_order(variable: xr.Variable) -> xr.Variable:
    """A variable with its dimensions in the order of rows."""
    return variable.transpose(*[dim for dim in ROWS if dim in variable.dims])


def columns(block: xr.Dataset, path: str, types: Mapping[str, str]) -> dict:
    """The columns of a block."""
    import pyarrow as pa

    dims = [dim for dim in ROWS if dim in block.dims]
    shape = [block.sizes[dim] for dim in dims]
    given = {"split": path.rpartition("/")[0] or None, "system": path.rpartition("/")[2] or name_of(block) or None}
    given = {name: xr.Variable((), np.array(value, object)) for name, value in given.items()}
    if "system" in block.coords:
        given["system"] = block["system"].variable
    given["member"] = _numbers(block, "member")
    given |= {name: block[name].variable for name in ("component", "status") if name in block.coords}
    given |= {name: block[name].variable for name in along_time(block)}
    made, rows = {}, int(np.prod(shape))
    for name, kind in types.items():
        if name not in given:
            made[name] = pa.nulls(rows, pa.type_for_alias(kind))
            continue
        variable = in_order(given[name])
        own = [block.sizes[dim] if dim in variable.dims else 1 for dim in dims]
        made[name] = _column(variable.values.reshape(own), shape, kind)
    return made


def _column(values: np.ndarray, shape: Sequence[int], kind: str):
    """Values spread over the rows; text by its few words."""
    import pyarrow as pa

    if kind != "string":
        return pa.array(np.broadcast_to(values, shape).reshape(-1), pa.type_for_alias(kind))
    places = np.broadcast_to(np.arange(values.size, dtype=np.int32).reshape(values.shape), shape).reshape(-1)
    words = [None if word is None else str(word) for word in values.ravel()]
    return pa.DictionaryArray.from_arrays(pa.array(places), pa.array(words, "string")).dictionary_decode()


def _numbers(block: xr.Dataset, dim: str) -> xr.Variable:
    """The numbers of members, by which they are labelled, or 0 where there are none."""
    if dim in block.coords and block[dim].dtype.kind in "iu":
        return block[dim].variable
    return xr.Variable((), np.int64(0))


def long(variable: xr.Variable) -> bool:
    return "time" in variable.dims


def along_time(ds: xr.Dataset) -> list[str]:
    return [str(name) for name, variable in ds.variables.items() if long(variable)]


def count(ds: xr.Dataset) -> int:
    return int(np.prod([ds.sizes[dim] for dim in ROWS if dim in ds.sizes]))


def _arrow(dtype: np.dtype, name: str) -> str:
    """The Arrow type of a column."""
    kinds = {"b": "bool", "O": "string", "f": f"float{8 * dtype.itemsize}"} | {k: f"{dtype.name}" for k in "iu"}
    if dtype.kind not in kinds:
        raise TypeError(f"'{name}' holds {dtype}; numbers, truth values and text can be written. Drop it, or convert it")
    return kinds[dtype.kind]
