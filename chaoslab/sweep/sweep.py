"""A function over labelled cells: systems x settings x seeds.

A finished cell is one row of an sqlite file, written in one transaction, so that Ctrl-C or a kill costs the cells under way
and no others. A cell that fails is a row too, with its traceback, and does not stop the rest.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import closing

from .bar import Bar
from .cells import check_call, identity, labelled
from .results import Results
from .store import Store
from .workers import way


def sweep(
    function: Callable[..., Mapping],
    cells: Iterable[Mapping] | Mapping[str, Iterable],
    *,
    store: str | os.PathLike | None = None,
    version: str = "",
    workers: int | None = None,
    client=None,
    executor: Executor | None = None,
    retry: bool = False,
    progress: bool = True,
    label: str | None = None,
) -> Results:
    """The results of `function(**cell)` for every cell, in the order of the cells.

    Cells that the store holds are not run again, failed ones only with `retry`; so the same call goes on after an interruption.
    Two sweeps may write to one store: at worst a cell runs twice, and its first result stays. A row costs some milliseconds of
    writing, so let a cell take longer.

    Parameters
    ----------
    function : gives a mapping of names to numbers, text, booleans, None, or lists and mappings of these; NumPy's arrays and
        scalars become lists and numbers. Processes need it at the top of a module; `functools.partial` of such is one too.
    cells : mappings with the same keys, or one mapping of axes to their values, whose product is taken. 28 and 28.0 differ.
    store : path of an sqlite file; in memory without.
    version : of the function, in any words: a store is for one function and version. Nothing else notices that it has changed.
    workers : processes, one for each core by default (at most 100); with 0 the cells run here, where a debugger sees them.
    client : a `dask.distributed` Client, whose workers run the cells instead.
    executor : any `concurrent.futures` executor, which runs them instead.
    label : the words before the progress bar.

    A cell whose process dies runs again when the others are done, alone; if that dies too, it has failed.

    Raises TypeError or ValueError where cells or function do not fit, StoreError where the store does not, and RuntimeError
    where no process can start or the executor breaks.

    >>> def divide(a, b):
    ...     return {"quotient": a // b, "rest": a % b}
    >>> found = sweep(divide, {"a": [7, 9], "b": [4, 0]}, workers=0, progress=False)
    >>> found
    Results(2 ok, 2 failed; the first at a=7, b=0: ZeroDivisionError: integer division or modulo by zero)
    >>> found.rows[0]
    {'a': 7, 'b': 4, 'quotient': 1, 'rest': 3}
    """
    name = identity(function)
    if store is not None and "<lambda>" in name:
        raise ValueError("a store knows its function by name, and a lambda has none; define it with def")
    table, axes = labelled(cells)
    check_call(function, name, next(iter(table.values())))
    run = way(function, name, workers, client, executor)
    with closing(Store(store, name, version)) as rows:
        known = rows.statuses()
        left = [key for key in table if key not in known or (retry and known[key] == "failed")]
        failed = sum(known.get(key) == "failed" for key in table.keys() - set(left))
        look = {"initial": len(table) - len(left), "unit": "cell", "leave": True}
        with (
            Bar(len(table), label or name.split(" with ")[0], shown=progress and bool(left), patience=0.0, **look) as bar,
            closing(run(left)) as outcomes,
        ):
            for key, outcome in outcomes:
                rows.put(key, outcome)
                failed += outcome.status == "failed"
                bar.update(failed=failed)
        return Results(name, version, tuple((cell, rows.get(key)) for key, cell in table.items()), axes)
