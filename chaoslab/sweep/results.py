"""What a sweep gives back: rows, a table, or a labelled array over the axes."""

import json
from dataclasses import dataclass
from functools import cached_property

from .cells import Outcome


@dataclass(frozen=True, repr=False)
class Results:
    """Every cell with what became of it, in the order of the cells, and the axes where the cells are a product of such."""

    function: str
    version: str
    table: tuple[tuple[dict, Outcome], ...]
    axes: dict[str, list] | None = None

    def __repr__(self) -> str:
        failed, first = self.failed, ""
        if failed:
            place = ", ".join(f"{name}={failed[0][name]!r}" for name in self.table[0][0])
            first = f"; the first at {place}: {failed[0]['failure']}"
        return f"Results({len(self.table) - len(failed)} ok, {len(failed)} failed{first})"

    @property
    def rows(self) -> list[dict]:
        """The cells that went well, each with its result."""
        return [cell | json.loads(found.result) for cell, found in self.table if found.status == "ok"]

    @property
    def failed(self) -> list[dict]:
        """The other cells, each with its `failure` in a line and the `traceback`."""
        others = [(cell, found) for cell, found in self.table if found.status != "ok"]
        return [cell | {"failure": found.failure, "traceback": found.traceback} for cell, found in others]

    def frame(self):
        """A pandas frame, one row a cell: the cell, its result (missing where it failed), `status`, `failure`, `seconds`."""
        import pandas as pd

        ours = ("status", "failure", "seconds")
        rows = [
            cell | result | {name: getattr(found, name) for name in ours}
            for (cell, found), result in zip(self.table, self._results, strict=True)
        ]
        return pd.DataFrame(rows, columns=[*self.table[0][0], *self._names, *ours])

    def dataset(self):
        """An xarray Dataset over the axes: all that the results name, `status` and `seconds`.

        What is missing, or None, is NaN among numbers and "" among text. Lists of one shape get the dimensions `name_0`, ...
        Raises ValueError where the cells are not a product of axes, or where a result is no array over them.
        """
        import xarray as xr

        if self.axes is None:
            raise ValueError("cells given as {axis: values} make a dataset; these were given one by one, so use frame()")
        columns = {name: [result.get(name) for result in self._results] for name in self._names}
        columns |= {name: [getattr(found, name) for _, found in self.table] for name in ("status", "seconds")}
        variables, shape = {}, tuple(len(values) for values in self.axes.values())
        for name, column in columns.items():
            array = _array(name, column)
            inner = [f"{name}_{k}" for k in range(array.ndim - 1)]
            variables[name] = [*self.axes, *inner], array.reshape(shape + array.shape[1:])
        label = lambda value: json.dumps(value) if isinstance(value, list | dict) else value
        coords = {axis: [label(value) for value in values] for axis, values in self.axes.items()}
        return xr.Dataset(variables, coords, {"function": self.function, "version": self.version})

    @cached_property
    def _results(self) -> list[dict]:
        return [json.loads(found.result or "{}") for _, found in self.table]

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for result in self._results for name in result))


def _array(name: str, column: list):
    """The array (cell, ...) of a column, blank where it has None."""
    import numpy as np

    there = [value for value in column if value is not None]
    try:
        kinds = {(array.shape, array.dtype.kind == "U") for array in map(np.asarray, there)}
        array = np.array(there)
    except ValueError:  # lists of several lengths
        kinds = ()
    if there and (len(kinds) != 1 or array.dtype.kind not in "biufU"):
        raise ValueError(f"{name!r} is not in all cells a number, or text, or a list of one shape; frame() shows it as it is")
    if len(there) == len(column):
        return array
    [(shape, text)] = kinds or {((), False)}
    blank = np.full(shape, "" if text else np.nan)
    return np.array([blank if value is None else value for value in column])
