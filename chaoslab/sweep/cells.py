"""Cells and their functions: labelled in JSON, named for the store, run one at a time."""

import functools
import inspect
import itertools
import json
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import NamedTuple

#: Whether a cell is being run, so that work within it shows no progress of its own.
inside: ContextVar[bool] = ContextVar("inside", default=False)
#: What a table of results says beside the cells' and the results' own names.
RESERVED = {"status", "failure", "traceback", "seconds"}


class Outcome(NamedTuple):
    """What became of a cell, in text and numbers, which pass between all processes and into the store.

    `status` is "ok" or "failed", `result` JSON, `failure` the error in a line, `seconds` the time that the function took.
    """

    status: str
    result: str | None
    failure: str | None
    traceback: str | None
    seconds: float | None
    versions: str


def labelled(cells) -> tuple[dict[str, dict], dict[str, list] | None]:
    """Each cell under its key, in order, and the axes where the cells are a product of such."""
    axes = None
    if isinstance(cells, Mapping):
        axes = {axis: _values(axis, values) for axis, values in cells.items()}
        cells = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
    table = {}
    for number, cell in enumerate(cells):
        if not isinstance(cell, Mapping):
            raise TypeError(f"a cell is a mapping of names to values, as in {{'system': 'Lorenz', 'seed': 0}}; {cell!r} given")
        cell = plain(cell, f"cell {number}")
        first = next(iter(table.values()), cell)
        if set(cell) != set(first):
            raise ValueError(f"cells have the same keys: cell 0 has {', '.join(first)}; cell {number} has {', '.join(cell)}")
        if not cell or set(cell) & RESERVED:
            reserved = ", ".join(sorted(RESERVED))
            raise ValueError(f"a cell has some keys, but none of {reserved}; cell {number} has {', '.join(cell) or 'none'}")
        if key_of(cell) in table:
            raise ValueError(f"cell {number} is there twice: {key_of(cell)}")
        table[key_of(cell)] = cell
    if not table:
        raise ValueError("there are no cells")
    return table, axes


def _values(axis: str, values) -> list:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"the axis {axis!r} is a list of values; {values!r} given, so write [{values!r}]")
    values = [plain(value, f"the axis {axis!r}") for value in values]
    if not values:
        raise ValueError(f"the axis {axis!r} has no values, so there are no cells")
    return values


def plain(value, place: str):
    """The value in JSON's own types, which come back from the store as they went in; raises TypeError where it has none."""
    if hasattr(value, "tolist"):  # arrays, and their scalars
        value = value.tolist()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(item, place) for item in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: plain(item, place) for name, item in value.items()}
    kind = "mapping whose keys are not text" if isinstance(value, Mapping) else type(value).__name__
    allowed = "numbers, text, True, False, None, and lists and mappings of these"
    raise TypeError(f"{place} has {value!r}, a {kind}; a store holds {allowed}")


def key_of(cell: dict) -> str:
    """The cell's JSON, its keys in alphabetical order. Inside of its values order counts, as the function sees it."""
    return json.dumps({name: cell[name] for name in sorted(cell)})


def identity(function) -> str:
    """What a store knows a function by: the names of its module and itself, and what is bound to it."""
    if isinstance(function, functools.partial):
        bound = plain([function.args, function.keywords], "what is bound to the function")
        return f"{identity(function.func)} with {json.dumps(bound, sort_keys=True)}"
    if not callable(function) or inspect.ismethod(function) or not hasattr(function, "__qualname__"):
        raise TypeError(f"a function is swept, or functools.partial of one; {function!r} given")
    module = function.__module__
    if module == "__main__":  # what a script defines has the same name when the script is imported
        main = sys.modules[module]
        spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        module = spec.name if spec else Path(path).stem if path else module
    return f"{module}.{function.__qualname__}"


def check_call(function: Callable, name: str, cell: dict) -> None:
    """Raise TypeError where the function does not take the keys of the cell, before every cell fails of it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some functions written in C do not say what they take
    try:
        signature.bind(**cell)
    except TypeError as error:
        raise TypeError(f"{name} does not take the keys of the cells, {', '.join(cell)}: {error}") from None


def run(function: Callable, key: str) -> Outcome:
    """Run one cell; whatever the function raises is its outcome."""
    begin, token = time.perf_counter(), inside.set(True)
    try:
        cell = json.loads(key)
        result = function(**cell)
        if not isinstance(result, Mapping):
            raise TypeError(f"the function gives a mapping, as in {{'value': 1.0}}; here it gave {result!r}")
        result = plain(result, "the result")
        if taken := result.keys() & (RESERVED | cell.keys()):
            raise ValueError(f"the result names {', '.join(sorted(taken))}, as the cell or the table of results does; rename it")
        found = "ok", json.dumps(result), None, None
    except (Exception, SystemExit) as error:
        failure = "".join(traceback.format_exception_only(error)).strip()
        found = "failed", None, _encodable(failure), _encodable(traceback.format_exc())
    finally:
        inside.reset(token)
    return Outcome(*found, time.perf_counter() - begin, versions())


def _encodable(text: str) -> str:
    """Text that sqlite takes: the file names in a message may hold what is none."""
    return text.encode("utf-8", "backslashreplace").decode()


@functools.cache
def versions() -> str:
    """What ran the cell: Python, chaoslab, and what its numbers rest on."""
    found = [f"python {platform.python_version()}"]
    for name in ("chaoslab", "numpy", "heyoka"):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {installed(name)}")
    return ", ".join(found)
