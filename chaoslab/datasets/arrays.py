"""Data as plain numpy arrays with the labels among them, in memory or as one npz file."""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .files import DataError, whole
from .labels import checked, describe, digest, parsed, rebuild, text
from .layout import Data

#: The array that holds the labels of all others, as text.
LABELS = "labels"


def to_numpy(data: Data) -> dict[str, np.ndarray]:
    """All arrays of the data by name ("state"; in a tree "Lorenz/state"), and their labels as JSON in "labels".

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import from_numpy, to_numpy
    >>> ds = cl.simulate("Lorenz", periods=2)
    >>> arrays = to_numpy(ds)
    >>> arrays["state"].shape
    (1, 200, 3)
    >>> from_numpy(arrays).identical(ds)
    True
    """
    labels = describe(data, lambda _: True, always=True)
    nodes = {"": data} if not labels["tree"] else {place: data[place or "/"].to_dataset(inherit=False) for place in labels["nodes"]}
    arrays = {}
    for place, ds in nodes.items():
        for name, variable in ds.variables.items():
            values = checked(variable.values, name)
            arrays[f"{place}/{name}" if place else name] = values.astype(str) if values.dtype == object else values
    if LABELS in arrays:
        raise ValueError(f"a variable cannot be called {LABELS!r}, which holds the labels of all; rename it")
    return arrays | {LABELS: np.array(text(labels))}


def from_numpy(arrays: Mapping[str, np.ndarray]) -> Data:
    """The data that `to_numpy` took apart; raises DataError where arrays are missing or have another shape."""
    if LABELS not in arrays:
        raise DataError(f"there is no array {LABELS!r} with the labels of the others; to_numpy writes one")
    labels = parsed(str(arrays[LABELS]), "the arrays")
    found = {}
    for place, node in labels["nodes"].items():
        found[place] = {}
        for name, told in node["variables"].items():
            key = f"{place}/{name}" if place else name
            shape = tuple(node["sizes"][dim] for dim in told["dims"])
            if key not in arrays or np.shape(arrays[key]) != shape:
                given = f"{np.shape(arrays[key])} given" if key in arrays else "it is missing"
                raise DataError(f"the array {key!r} has shape {shape} by its labels; {given}")
            found[place][name] = np.asarray(arrays[key]).astype(told["dtype"])
    return rebuild(labels, found)


def to_npz(data: Data, path: str | os.PathLike, *, overwrite: bool = False) -> Path:
    """The path of a new file "name.npz" with the arrays of `to_numpy`, compressed; numpy alone reads it.

    Raises FileExistsError where there is a file already.
    """
    arrays = to_numpy(data)
    sums = np.array(json.dumps({key: digest(values) for key, values in arrays.items()}))
    with whole(path, suffix=".npz", overwrite=overwrite, ours=_ours) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays, sha256=sums)
    return Path(path)


def read_npz(path: str | os.PathLike) -> Data:
    """The data of a file that `to_npz` wrote, the same to the bit; raises DataError for another, or one that was changed."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        sums = json.loads(str(arrays.pop("sha256")))
    except KeyError as error:
        raise DataError(f"{path} holds arrays, and not those of chaoslab: it has no hashes. Read it with numpy") from error
    except Exception as error:  # zip, zlib and numpy each have their own
        raise DataError(f"{path} is not a whole npz file: it was cut short or changed. Write it again ({error})") from error
    wrong = [key for key in {*sums, *arrays} if key not in arrays or digest(arrays[key]) != sums.get(key)]
    if wrong:
        raise DataError(f"{sorted(wrong)[0]!r} in {path} is not what was written; write the file again")
    return from_numpy(arrays)


def _ours(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as file:
            return {f"{LABELS}.npy", "sha256.npy"} <= set(file.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
