"""Long scans in chunks: here, or by a sweep that stores each; what an interruption has left is shown and kept."""

import json
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache

import numpy as np
import psutil

from ..sweep import Bar, sweep
from ..sweep.cells import identity, key_of, plain
from ..sweep.store import Store
from ..systems import System, suggest
from ..trajectories import TrajectoryWarning
from ..trajectories.parameters import labels
from ..trajectories.schema import package_version

#: What became of a value of a parameter, in words.
STATUSES = ("ok", "rests", "escaped", "failed", "not computed")


def chunked(
    function: Callable,
    cells: Sequence[dict],
    *,
    store: str | os.PathLike | None,
    client,
    workers: int | None,
    progress: bool,
    label: str,
) -> list[dict | None]:
    """The results of `function(**cell)` in the order of the cells; None for those that an interruption has left.

    With a store or a client they are a sweep's cells, which another call does not compute again. Raises KeyboardInterrupt where
    nothing had been done, RuntimeError where a cell failed.
    """
    if store is None and client is None:
        found = _here(function, cells, progress, label)
    else:
        found = _swept(function, cells, store, client, workers, progress, label)
    left = sum(one is None for one in found)
    if left == len(found):
        raise KeyboardInterrupt
    if left:
        again = "; the same call goes on from there" if store is not None else ""
        words = f"{label}: interrupted, {len(found) - left} of {len(found)} parts are done{again}"
        warnings.warn(words, TrajectoryWarning, stacklevel=3)
    return found


def _here(function, cells, progress, label) -> list:
    found = [None] * len(cells)
    with Bar(len(cells), label, shown=progress) as bar:
        try:
            for k, cell in enumerate(cells):
                found[k] = function(**cell)
                bar.update()
        except KeyboardInterrupt:
            pass  # the caller is told by what is missing
    return found


def _swept(function, cells, store, client, workers, progress, label) -> list:
    version = package_version()
    options = {"store": store, "version": version, "progress": progress, "label": label, "retry": True}
    try:
        table = sweep(function, cells, client=client, workers=None if client is not None else workers, **options).table
    except KeyboardInterrupt:
        if store is None:
            raise
        with closing(Store(store, identity(function), version)) as rows:
            known = rows.statuses()
        done = [cell for cell in cells if known.get(_key(cell)) == "ok"]
        table = sweep(function, done, workers=0, **options).table if done else ()
    for _, outcome in table:
        if outcome.status != "ok":
            raise RuntimeError(f"{label}: {outcome.failure}\n{outcome.traceback}")
    results = {key_of(cell): json.loads(outcome.result) for cell, outcome in table}
    return [results.get(_key(cell)) for cell in cells]


def _key(cell: dict) -> str:
    """A cell's name in the store."""
    return key_of(plain(cell, "the cell"))


def stacked(parts: Sequence[dict | None], cells: Sequence[dict], counted: str) -> dict[str, np.ndarray]:
    """Columns of all parts, one behind the other; NaN, or the fate "not computed", for parts that are missing."""
    whole = next(part for part in parts if part is not None)
    columns = {}
    for key, sample in whole.items():
        sample, rows = np.asarray(sample), []
        for part, cell in zip(parts, cells, strict=True):
            if part is not None:
                rows.append(np.asarray(part[key]))
            elif sample.dtype.kind in "US":
                rows.append(np.full((len(cell[counted]), *sample.shape[1:]), "not computed" if key == "fate" else ""))
            else:
                rows.append(np.full((len(cell[counted]), *sample.shape[1:]), np.nan if sample.dtype.kind == "f" else 0))
        columns[key] = np.concatenate(rows)
    return columns


@lru_cache(maxsize=16)
def rebuilt(definition: str) -> System:
    """A system from the JSON that a cell's function carries."""
    return System(**json.loads(definition))


def checked_axis(system: System, parameter: str, values, taken: Sequence[str]) -> np.ndarray:
    """The values of a scanned parameter, ascending; raises ValueError for what is none."""
    known = labels(system)
    if parameter not in known:
        near = suggest(str(parameter), known)
        raise ValueError(f"{system.label} has no parameter {parameter!r}.{near} It has {', '.join(known)}")
    if parameter in taken:
        raise ValueError(f"the parameter {parameter!r} has the name of something that is measured; rename it: {', '.join(taken)}")
    values = np.atleast_1d(np.asarray(values, float))
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"values of {parameter} are finite numbers, as np.linspace gives; shape {values.shape} given")
    if len(np.unique(values)) < len(values):
        raise ValueError(f"values of {parameter} are each there once; {len(values) - len(np.unique(values))} are repeated")
    return np.sort(values)


def fits_in_memory(numbers: float, what: str) -> None:
    """Refuse what would not fit, before anything is computed."""
    free = psutil.virtual_memory().available
    if 8 * numbers > 0.5 * free:
        raise MemoryError(f"{what} need {8 * numbers / 1e9:.3g} GB, {free / 1e9:.3g} GB are free; ask for fewer")


def tell(system: System, status: np.ndarray, where: Sequence[str], reasons: Sequence[str]) -> None:
    """Warn of values at which the motion has ended."""
    for word in ("escaped", "failed"):
        places = np.flatnonzero(status == word)
        if len(places):
            first, last, reason = where[places[0]], where[places[-1]], reasons[places[0]]
            span = f"at {first}" if len(places) == 1 else f"from {first} to {last}"
            why = f" ({reason})" if reason else ""
            words = f"{system.label} {word} at {len(places)} of {len(status)} points, {span}{why}; gaps there"
            warnings.warn(words, TrajectoryWarning, stacklevel=3)
