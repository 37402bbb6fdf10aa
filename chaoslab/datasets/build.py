"""From a recipe to its series: made once, on all cores, kept by their hash, checked, and opened again as they are used."""

import errno
import json
import os
import shutil
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import xarray as xr

from ..sweep import sweep
from ..trajectories import TrajectoryWarning
from . import storage
from .assemble import Shape, tree, univariate
from .recipe import Recipe
from .series import blocks, plan

#: Numbers up to this many are made here, without processes, which take seconds to start.
FEW = 3_000_000


def build(
    recipe: Recipe,
    *,
    to: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    verify: bool = True,
    retry: bool = False,
    workers: int | None = None,
    client=None,
    progress: bool = True,
) -> xr.DataTree | xr.Dataset:
    """The series of a recipe: a DataTree with a trajectory dataset for each system or, univariate, one Dataset.

    What was built before is opened, not made again; values are read as they are used. An interrupted build goes on when it is
    called again. The same recipe gives the same values on one machine to the bit, whatever the number of workers. Elsewhere the
    last digits may differ, and chaos lets that grow by exp(time / Lyapunov time): in a series of 12 periods to about 1e-9 of a
    deviation in most systems. Rounded values (`resolution`) then agree but for a few in a million.

    Parameters
    ----------
    to : a folder "name.zarr" to write to, with coordinates that other programs read too; in the cache without
    cache : a folder that keeps what was built; $CHAOSLAB_CACHE, or the user's cache folder without
    verify : compare all values with their checksums; what does not agree is built again, and said
    retry : try systems again that had failed
    workers, client : as in `sweep`. dask's workers need to see the same folder

    Systems that fail are left out, warned of and named in the attribute `failures`. Raises OSError where the disk is full; what
    has been made is kept.
    """
    if not isinstance(recipe, Recipe):
        raise TypeError(f"build takes a Recipe, as in build(Recipe(['Lorenz'])); {recipe!r} given")
    if recipe.corruptions:
        from .corrupt import corrupt

        clean = recipe.with_(corruptions=())
        found = build(clean, cache=cache, verify=verify, retry=retry, workers=workers, client=client, progress=progress)
        return corrupt(found, recipe.corruptions, rng=recipe.seed)
    path = _target(to) if to is not None else _cache(cache) / f"{recipe.hash}.zarr"
    how = {"workers": _workers(recipe, workers) if client is None else None, "client": client, "progress": progress}
    with _alone(path):
        if not _ready(path, recipe, ours=to is None):
            _make(path, recipe, how, labels=to is not None)
        elif verify:
            _mend(path, recipe, how)
        if retry:
            _again(path, recipe, how)
    return open_built(path)


def open_built(path: str | os.PathLike) -> xr.DataTree | xr.Dataset:
    """The set that lies at a path, read as it is used; raises ValueError if none does, or not a whole one."""
    import zarr

    path = Path(path)
    said = _said(path)
    if not said.get("complete"):
        raise ValueError(f"{path} holds no whole set of series" + (": its building was interrupted" if said else ""))
    group = zarr.open_group(path, mode="r")
    recipe, failures = Recipe.from_json(said["recipe"]), said["failures"]
    if failures:
        first, why = next(iter(failures.items()))
        words = f"{len(failures)} of {len(recipe.systems)} systems failed and are left out; the first is {first}: {why}"
        warnings.warn(words, TrajectoryWarning, stacklevel=2)
    entries = {}
    for label in recipe.labels:
        if label not in failures:
            arrays = {name: _stored(group[label][name]) for name in group[label].array_keys() if name in ("state", "observed")}
            entries[label] = {"arrays": arrays, **said["systems"][label]}
    make = univariate if recipe.components == "first" else tree
    return make(
        Shape(recipe.members, recipe.count, recipe.samples),
        entries,
        {"recipe": said["recipe"], "hash": recipe.hash, "failures": json.dumps(failures)},
    )


def _stored(array) -> storage.StoredArray:
    return storage.StoredArray(array.shape, lambda key: array.oindex[key], array.dtype)


# --- making --------------------------------------------------------------------------------------------------------------


def _make(path: Path, recipe: Recipe, how: Mapping, *, labels: bool) -> None:
    """Build beside the path, going on where an interrupted run had stopped, and rename at the end."""
    partly, notes = path.with_name(path.name + ".partial"), path.with_name(path.name + ".sqlite")
    if not (notes.exists() and _said(partly).get("hash") == recipe.hash):
        shutil.rmtree(partly, ignore_errors=True)
        notes.unlink(missing_ok=True)
        storage.create(partly, recipe)
    done = _put(partly, recipe, _cells(recipe), {"store": notes, "retry": True, "version": recipe.hash, **how})
    storage.finish(partly, **_manifest(recipe, done))
    if labels:
        _write_labels(partly)
    os.replace(partly, path)
    notes.unlink(missing_ok=True)


def _cells(recipe: Recipe) -> list[dict]:
    return [{"system": label, "block": block} for label in recipe.labels for block in range(blocks(recipe))]


def _put(path: Path, recipe: Recipe, cells: list[dict], how: Mapping) -> dict[tuple[str, int], Mapping | str]:
    """What was said of each cell that was made: its results, or why it failed."""
    rows = sweep(partial(storage.put, str(path)), cells, label=f"series of {len(recipe.systems)} systems", **how).table
    said = {}
    for cell, outcome in rows:
        if outcome.status != "ok" and f"[Errno {errno.ENOSPC}]" in outcome.failure:
            raise OSError(
                errno.ENOSPC, "the disk is full; what has been made is kept, and the same call goes on from there", str(path)
            )
        said[cell["system"], cell["block"]] = json.loads(outcome.result)["made"] if outcome.status == "ok" else outcome.failure
    return said


def _manifest(recipe: Recipe, said: Mapping) -> dict:
    """Checksums and what became of every member, by system; the failed ones apart."""
    failures = {label: why for (label, _), why in said.items() if isinstance(why, str)}
    systems = {}
    for label in recipe.labels:
        if label not in failures:
            parts = [said[label, block] for block in range(blocks(recipe))]
            systems[label] = {name: parts[0][name] for name in ("attrs", "component", "period", "lyapunov_time")}
            systems[label] |= {name: [one for part in parts for one in part[name]] for name in ("status", "ended")}
            systems[label]["sha256"] = [part["sha256"] for part in parts]
    return {"systems": systems, "failures": failures}


def _mend(path: Path, recipe: Recipe, how: Mapping) -> None:
    """Build again what does not agree with its checksum."""
    said = _said(path)
    cells = [cell for cell in _cells(recipe) if cell["system"] in said["systems"]]
    found = sweep(partial(storage.found_sum, str(path)), cells, label="checking", **how).table if cells else ()
    wrong = [cell for cell, seen in found if seen.status != "ok" or json.loads(seen.result)["sha256"] != _sum(said, cell)]
    if wrong:
        names = sorted({cell["system"] for cell in wrong})
        words = f"{path} does not agree with its checksums in {', '.join(names[:5])}{' ...' * (len(names) > 5)}; it is built again"
        warnings.warn(words, TrajectoryWarning, stacklevel=3)
        _replace(path, recipe, said, wrong, how)


def _again(path: Path, recipe: Recipe, how: Mapping) -> None:
    """Try what had failed again."""
    said = _said(path)
    cells = [cell for cell in _cells(recipe) if cell["system"] in said["failures"]]
    if cells:
        _replace(path, recipe, said, cells, how)


def _replace(path: Path, recipe: Recipe, said: dict, cells: list[dict], how: Mapping) -> None:
    known = {(label, k): _block(one, k) for label, one in said["systems"].items() for k in range(blocks(recipe))}
    known |= {(label, 0): why for label, why in said["failures"].items()}
    touched = {cell["system"] for cell in cells}
    known = {key: one for key, one in known.items() if key[0] not in touched or not isinstance(one, str)}
    storage.finish(path, **_manifest(recipe, known | _put(path, recipe, cells, how)))


def _block(one: Mapping, block: int) -> dict:
    """What the manifest says of one block of a system."""
    part = slice(block * storage.BLOCK, (block + 1) * storage.BLOCK)
    return one | {"status": one["status"][part], "ended": one["ended"][part], "sha256": one["sha256"][block]}


def _sum(said: Mapping, cell: Mapping) -> str:
    return said["systems"][cell["system"]]["sha256"][cell["block"]]


def _write_labels(path: Path) -> None:
    """Coordinates and attributes beside the arrays, so that any program that reads Zarr has them."""
    found = open_built(path)
    nodes = {"": found} if isinstance(found, xr.Dataset) else {name: node.to_dataset() for name, node in found.children.items()}
    for name, ds in nodes.items():
        if name:
            ds.drop_vars(list(ds.data_vars)).to_zarr(path, group=name, mode="a", consolidated=False, zarr_format=3)


# --- where it lies -------------------------------------------------------------------------------------------------------


def _target(path: str | os.PathLike) -> Path:
    path = Path(path)
    if path.suffix != ".zarr":
        raise ValueError(f"to is a path that ends in .zarr; {str(path)!r} given")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} into")
    return path


def _cache(folder: str | os.PathLike | None) -> Path:
    if folder is None:
        folder = os.environ.get("CHAOSLAB_CACHE")
    if folder is None:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("chaoslab")
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def _alone(path: Path):
    """A lock that the system takes from a process that dies; says so where another process has it."""
    try:
        from filelock import FileLock, Timeout
    except ImportError as error:
        raise ImportError("building sets needs filelock and zarr: pip install chaoslab[files]") from error
    lock = FileLock(f"{path}.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        warnings.warn(f"another process builds {path.name}; waiting for it", TrajectoryWarning, stacklevel=3)
        return lock.acquire()


def _said(path: Path) -> dict:
    """The attributes of a set, empty where there is none that can be read."""
    try:
        return json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError):
        return {}


def _ready(path: Path, recipe: Recipe, *, ours: bool) -> bool:
    """Whether the whole set is there. What else lies in the cache under its name is removed, and said; elsewhere it is an error."""
    said = _said(path)
    if said.get("complete") and said.get("hash") == recipe.hash:
        return True
    if path.exists():
        if not ours:
            raise FileExistsError(f"{path} exists and is not this set; remove it, or write to another name")
        warnings.warn(f"{path} is not the set that its name says; it is built again", TrajectoryWarning, stacklevel=3)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return False


def _workers(recipe: Recipe, workers: int | None) -> int | None:
    if workers is not None:
        return workers
    return 0 if plan(recipe)["numbers"] < FEW else None
