"""Trajectories longer than memory: written to a Zarr store piece by piece, and gone on with after a kill.

Until it is whole, a store has another name, `name.zarr.partial`, and beside it lies what is needed to go on. So a store
under its own name is always whole.
"""

import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

from ..integrate import Past
from ..sweep import Bar

#: Numbers a piece holds, at least one sample of every member: some 5 MB of states.
PIECE = 600_000


def write(request, path: str | os.PathLike) -> xr.Dataset:
    """Make all samples of a request, write them to `path`, and open it.

    A store that is there already is opened if it holds exactly this; raises FileExistsError if it holds something else.
    """
    path, motion = _checked(path), request.motion
    key = _fingerprint(request)
    partial, notes = path.with_name(path.name + ".partial"), path.with_name(path.name + ".partial.npz")
    if path.exists():
        found = _same(path, key)
        _clear(notes)  # which a kill at the last moment leaves
        return found
    total = motion.grid.count
    length = min(total, max(1, PIECE // (len(motion.now) * motion.system.dimension)))
    _resume(request, partial, notes, key)
    with Bar(total, path.name, initial=motion.done, unit="sample", leave=True) as bar:
        while motion.done < total:
            first = motion.done
            piece = request.piece(min(length, total - first))
            if first == 0:
                _create(piece, partial, total, length, key)
            else:
                _put(piece, partial, first)
            _save(request, notes, key)
            bar.update(motion.done - first)
    _consolidate(partial)
    os.replace(partial, path)
    _clear(notes)
    return _open(path)


def _checked(path: str | os.PathLike) -> Path:
    path = Path(path)
    if path.suffix != ".zarr":
        raise ValueError(f"to is a path that ends in .zarr, the format that can grow; {str(path)!r} given")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} into")
    return path


def _open(path: Path) -> xr.Dataset:
    return xr.open_zarr(path, chunks=None)


def _same(path: Path, key: str) -> xr.Dataset:
    try:
        found = _open(path)
    except Exception as error:  # whatever it is, it is not ours
        raise FileExistsError(f"{path} exists and is no trajectory; remove it, or write to another name") from error
    if found.attrs.get("request") != key:
        raise FileExistsError(f"{path} exists and holds another trajectory; remove it, or write to another name")
    return found


def _clear(notes: Path) -> None:
    """Remove the notes of a run, and a draft of them that a kill has left."""
    notes.unlink(missing_ok=True)
    _draft(notes).unlink(missing_ok=True)


def _draft(notes: Path) -> Path:
    return notes.with_suffix(".draft")


def _fingerprint(request) -> str:
    """A hash of all that decides the result."""
    motion, grid = request.motion, request.motion.grid
    parts = [motion.system.definition(), list(grid), motion.transient, request.attrs, motion.options["solver"]]
    parts += [request.derivative, request.varied, _streams(request)]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=_plain).encode())
    for now in motion.now:
        for array in now.parts().values() if isinstance(now, Past) else [now]:
            digest.update(_bytes(array))
    digest.update(_bytes(motion.values))
    return digest.hexdigest()


def _streams(request) -> list:
    """Where all streams of random numbers stand."""
    return [[stream.bit_generator.state for stream in group] for group in (request.motion.streams, request.watchers)]


def _bytes(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array, dtype="<f8").tobytes()


# --- the store -----------------------------------------------------------------------------------------------------------


def _create(piece: xr.Dataset, partial: Path, total: int, length: int, key: str) -> None:
    """A store with the first piece, and room for all."""
    import zarr

    chunks = {name: {"chunks": tuple(length if dim == "time" else piece.sizes[dim] for dim in piece[name].dims)}
              for name in piece.variables if "time" in piece[name].dims}  # fmt: skip
    piece.assign_attrs(request=key).to_zarr(partial, mode="w", encoding=chunks, consolidated=False, zarr_format=3)
    for _, array in zarr.open_group(partial, mode="r+").arrays():
        dims = array.metadata.dimension_names
        if "time" in dims:
            array.resize(tuple(total if dim == "time" else size for dim, size in zip(dims, array.shape, strict=True)))


def _consolidate(partial: Path) -> None:
    """Gather the metadata in one place, where readers look first."""
    import zarr

    with warnings.catch_warnings():  # that other libraries may not know it; they need not
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(partial)


def _put(piece: xr.Dataset, partial: Path, first: int) -> None:
    """Write a piece into its place; what became of the members is overwritten."""
    import zarr

    group = zarr.open_group(partial, mode="r+")
    for name, array in group.arrays():
        dims = array.metadata.dimension_names
        if "time" in dims:
            place = tuple(slice(first, first + piece.sizes["time"]) if dim == "time" else slice(None) for dim in dims)
            array[place] = piece[name].values
        elif name in ("status", "ended"):
            array[:] = piece[name].values


# --- what is needed to go on ---------------------------------------------------------------------------------------------


def _save(request, notes: Path, key: str) -> None:
    """Note where the motion stands, in one step, so that a kill leaves the old note or the new one."""
    motion = request.motion
    arrays = {"status": motion.status, "ended": motion.ended}
    for k, now in enumerate(motion.now):
        if isinstance(now, Past):
            arrays |= {f"{part}{k}": value for part, value in now.parts().items()}
    if motion.system.kind != "delay":
        arrays["now"] = motion.now
    words = {"request": key, "done": motion.done, "reasons": motion.reasons, "solver": motion.solver, "streams": _streams(request)}
    arrays["words"] = np.frombuffer(json.dumps(words, default=_plain).encode(), np.uint8)
    try:
        with _draft(notes).open("wb") as file:
            np.savez(file, **arrays)
        os.replace(_draft(notes), notes)
    finally:
        _draft(notes).unlink(missing_ok=True)


def _resume(request, partial: Path, notes: Path, key: str) -> None:
    """Set the motion to where an interrupted run left it, or clear away one that left nothing to go on from."""
    motion = request.motion
    if not (notes.exists() and partial.exists()):
        shutil.rmtree(partial, ignore_errors=True)
        _clear(notes)
        return
    with np.load(notes) as arrays:
        words = json.loads(arrays["words"].tobytes())
        if words["request"] != key:
            raise FileExistsError(
                f"{partial} is an unfinished run of something else; call that again to finish it, or remove it and {notes.name}"
            )
        motion.done, motion.reasons, motion.solver = words["done"], words["reasons"], words["solver"]
        motion.status, motion.ended = arrays["status"], arrays["ended"]
        if motion.system.kind == "delay":
            motion.now = [Past.of({part: arrays[f"{part}{k}"] for part in Past.PARTS}) for k in range(len(motion.now))]
        else:
            motion.now = arrays["now"]
    for group, states in zip((motion.streams, request.watchers), words["streams"], strict=True):
        for stream, state in zip(group, states, strict=True):
            state["state"]["state"] = np.array(state["state"]["state"], np.uint64)
            stream.bit_generator.state = state


def _plain(value):
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
