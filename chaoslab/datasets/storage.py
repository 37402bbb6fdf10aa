"""Sets of series in Zarr: room for all, blocks put in place, checksums, and all of it opened again as it is used."""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from ..trajectories.grid import period_of
from ..trajectories.schema import DIMS
from .recipe import Recipe
from .series import BLOCK, kept, pieces, stretch, variables


class StoredArray(BackendArray):
    """An array that is read when it is used: `read(key)` gives any part of it."""

    def __init__(self, shape: tuple[int, ...], read: Callable, dtype=np.float64):
        self.shape, self.dtype, self.read = shape, np.dtype(dtype), read

    def __getitem__(self, key):
        outer = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, outer, self.read)

    def variable(self, dims: Sequence[str], attrs: Mapping | None = None) -> xr.Variable:
        """As a variable that stays where it is until it is used."""
        return xr.Variable(dims, indexing.LazilyIndexedArray(self), attrs)


def create(path: Path, recipe: Recipe) -> None:
    """Make room for a set."""
    import zarr

    root = zarr.open_group(path, mode="w", attributes={"recipe": recipe.to_json(), "hash": recipe.hash})
    for label, system in zip(recipe.labels, recipe.definitions, strict=True):
        group = root.create_group(label)
        places = kept(recipe, system)
        for name in variables(recipe, system):
            group.create_array(
                name,
                shape=(recipe.members, recipe.count, len(places)),
                chunks=(min(BLOCK, recipe.members), stretch(recipe, system), len(places)),
                dtype="float64",
                fill_value=np.nan,
                dimension_names=DIMS,
                compressors=zarr.codecs.BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),
            )


def put(path: str, system: str, block: int) -> dict:
    """Make one block and write it into its place; says the checksum of its values, and what became of its members."""
    import zarr

    group = zarr.open_group(path, mode="r+")
    recipe, digest, first, done = only(group.attrs["recipe"], system), hashlib.sha256(), block * BLOCK, 0
    for ds in pieces(recipe, recipe.definitions[0], block):
        place = slice(first, first + ds.sizes["member"]), slice(done, done + ds.sizes["time"])
        for name in ds.data_vars:
            group[system][name][place] = ds[name].values
            digest.update(np.ascontiguousarray(ds[name].values, "<f8"))
        done += ds.sizes["time"]
    known, ended = recipe.definitions[0], [None if np.isnan(one) else one for one in ds["ended"].values.tolist()]
    said = {"sha256": digest.hexdigest(), "status": ds["status"].values.tolist(), "ended": ended, "attrs": dict(ds.attrs)}
    said |= {"component": ds["component"].values.tolist(), "period": period_of(known), "lyapunov_time": known.lyapunov_time}
    return {"made": said}


def found_sum(path: str, system: str, block: int) -> dict:
    """The checksum of a block as it lies there."""
    import zarr

    group = zarr.open_group(path, mode="r")
    recipe, digest = only(group.attrs["recipe"], system), hashlib.sha256()
    members = slice(block * BLOCK, min(recipe.members, (block + 1) * BLOCK))
    length = stretch(recipe, recipe.definitions[0])
    for first in range(0, recipe.count, length):
        for name in variables(recipe, recipe.definitions[0]):
            values = group[system][name][members, first : first + length]
            digest.update(np.ascontiguousarray(values, "<f8"))
    return {"sha256": digest.hexdigest()}


def only(text: str, label: str) -> Recipe:
    """The recipe of one system of a recipe in JSON, without a look at the others."""
    said = json.loads(text)
    said["systems"] = [one for one in said["systems"] if one[0] == label]
    return Recipe.from_json(json.dumps(said))


def finish(path: Path, **said) -> None:
    """Say that a set is whole, and what is to be known of it, in one file."""
    import zarr

    group = zarr.open_group(path, mode="r+")
    group.attrs.update({**said, "complete": True})
    with warnings.catch_warnings():  # that other libraries may not know it; they need not
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(path)
