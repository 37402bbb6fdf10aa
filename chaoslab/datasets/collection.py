"""The standard collection: series of every chaotic flow and delay system that are shipped, the same bytes for everyone."""

import json
import lzma
import zipfile
from functools import lru_cache
from importlib.resources import files

import numpy as np
import xarray as xr

from ..systems import suggest
from .assemble import Shape, tree, univariate
from .packing import unpack
from .recipe import Recipe, chaotic
from .storage import StoredArray

#: Samples a period, by name.
GRANULARITIES = {"coarse": 15, "fine": 100}
#: Series of each system, by split.
MEMBERS = {"train": 1, "test": 10}
#: Noise of the process, in deviations per square root of the period.
NOISE = 0.025
#: What values are rounded to, in deviations: clean ones, and noisy ones, less than half of what noise does between two samples.
CLEAN, NOISY = 5e-5, 1e-3
#: Components of each system at most. Those of larger systems are alike.
COMPONENTS = 12
#: Length in periods.
PERIODS = 12
#: The file that says how the collection was made.
MANIFEST = "collection.json.xz"


def standard(
    split: str = "test", *, granularity: str = "fine", noise: bool = False, components: str = "all", systems=None
) -> Recipe:
    """The recipe of a part of the standard collection, or of some of its systems; `build` makes the same anew.

    `standard("train").with_(periods=100)` is the long set.
    """
    _among(split, MEMBERS, "split")
    _among(granularity, GRANULARITIES, "granularity")
    return Recipe(
        chaotic() if systems is None else systems,
        split=split,
        members=MEMBERS[split],
        periods=PERIODS,
        samples=GRANULARITIES[granularity],
        components="first" if components == "first" else COMPONENTS,
        process_noise=NOISE if noise else 0.0,
        resolution=NOISY if noise else CLEAN,
    )


def open_collection(
    split: str = "test", *, granularity: str = "fine", noise: bool = False, components: str = "all"
) -> xr.DataTree | xr.Dataset:
    """A part of the shipped collection: a DataTree of trajectory datasets or, with components="first", one univariate Dataset.

    Twelve dominant periods of every chaotic flow and delay system; values are read as they are used. Systems of more than twelve
    components have twelve of them, evenly spaced.

    Parameters
    ----------
    split : "train", of one series a system, or "test", of ten that start elsewhere on the attractor
    granularity : "coarse", 15 samples a period, or "fine", 100
    noise : whether the motion is moved by noise, of 0.025 deviations per square root of the period. Noise drives
        single series of twelve systems out of their basins: they end early, as `status` says
    components : "all" or "first", the first observed coordinate

    Values are rounded: clean ones to 5e-5 deviations at most, noisy ones to 1e-3. Raises ValueError for an unknown part, and for
    files that were changed since they were shipped.

    >>> import chaoslab as cl
    >>> cl.open_collection("train", granularity="coarse")["Lorenz"].state.shape
    (1, 180, 3)
    """
    _among(split, MEMBERS, "split")
    _among(granularity, GRANULARITIES, "granularity")
    _among(components, ("all", "first"), "components")
    said = manifest()
    part = part_name(split, granularity, noise)
    layout = Shape(MEMBERS[split], PERIODS * GRANULARITIES[granularity], GRANULARITIES[granularity])
    entries, told = {}, said["parts"][part]
    for name, made in told["systems"].items():
        known = said["systems"][name]
        entry = known | made | {"attrs": known["attrs"] | made["attrs"]}
        shape = layout.members, layout.count, len(entry["component"])
        entry["arrays"] = {key: StoredArray(shape, _reader(part, f"{name}/{key}")) for key in entry.pop("variables")}
        entries[name] = entry
    about = {"title": f"chaoslab's collection: {split}, {granularity}, {'noisy' if noise else 'clean'}", "recipe": told["recipe"]}
    about |= {key: said[key] for key in ("version", "date", "command", "licence")}
    return (univariate if components == "first" else tree)(layout, entries, about)


def part_name(split: str, granularity: str, noise: bool) -> str:
    """The name of a part's file, without its ending."""
    return f"{split}-{granularity}-{'noisy' if noise else 'clean'}"


@lru_cache(maxsize=1)
def manifest() -> dict:
    """How the shipped collection was made, and what is in it."""
    return json.loads(lzma.decompress(folder().joinpath(MANIFEST).read_bytes()))


def folder():
    """Where the shipped files lie."""
    return files("chaoslab.datasets").joinpath("collection")


def _reader(part: str, name: str):
    return lambda key: _unpacked(part, name)[key]


@lru_cache(maxsize=64)
def _unpacked(part: str, name: str) -> np.ndarray:
    try:
        with zipfile.ZipFile(folder().joinpath(f"{part}.zip").open("rb")) as file:
            values = unpack(file.read(name))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, lzma.LZMAError) as error:
        raise ValueError(f"{name} of the shipped part {part} is not as it was shipped ({error}); install chaoslab again") from error
    values.flags.writeable = False
    return values


def _among(value, allowed, what: str) -> None:
    if value not in allowed:
        raise ValueError(f"{what} is one of {', '.join(allowed)}; {value!r} given.{suggest(str(value), allowed)}")
