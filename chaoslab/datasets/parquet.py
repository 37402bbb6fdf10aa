"""Data as one Parquet file: a row a number, with the same columns for every system, and all labels in the file's metadata."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..sweep import Bar
from ..systems import suggest
from .files import DataError, whole
from .labels import describe, digest, parsed, plain_bytes, rebuild, text
from .layout import Data, parts
from .rows import ROWS, WORDS, along_time, columns, columns_of, count, in_order, long, more_columns, spans

#: Where the labels, and their hash, lie in the metadata.
LABELS, HASH = b"chaoslab.labels", b"chaoslab.sha256"


def to_parquet(data: Data, path: str | os.PathLike, *, overwrite: bool = False) -> Path:
    """The path of a new Parquet file, "name.parquet", with all of the data: values, labels and attributes.

    One row a number, in the order system, member, time, component; piece by piece, so that data longer than memory (opened
    from Zarr) can be written. Raises FileExistsError where there is a file already.

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import read_parquet, to_parquet
    >>> ds = cl.simulate("Lorenz", periods=2)
    >>> read_parquet(to_parquet(ds, getfixture("tmp_path") / "lorenz.parquet")).identical(ds)
    True
    """
    with whole(path, suffix=".parquet", overwrite=overwrite, ours=_ours) as draft:
        write(data, draft, more_columns(data))
    return Path(path)


def read_parquet(path: str | os.PathLike, *, systems: Sequence[str] | None = None) -> Data:
    """The data of a file that `to_parquet` has written, the same to the bit; of some systems only, if they are named.

    Raises DataError for a file that is not ours, is cut short, or does not hold what was written.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        with _opened(path) as file:
            return _read(file, path, systems)
    except _broken() as error:
        raise DataError(f"{path} is not a whole Parquet file: it was cut short or changed. Write it again ({error})") from error


# --- writing -------------------------------------------------------------------------------------------------------------


def write(data: Data, path: Path, more: Mapping[str, np.dtype]) -> int:
    """Write a file and return how many rows it has; `more` are columns beside those of every file."""
    pa, pq = _library()
    types = columns_of(more)
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    labels, rows = describe(data, long), 0
    floats = [name for name, kind in types.items() if kind in ("double", "float32")]
    options = {"compression": "zstd", "write_page_checksum": True, "store_schema": False}
    options |= {"use_dictionary": [*WORDS, "member"], "column_encoding": dict.fromkeys(floats, "BYTE_STREAM_SPLIT")}
    total = sum(count(ds) for _, ds in parts(data))
    with pq.ParquetWriter(path, schema, **options) as writer, Bar(total, path.name, unit="row", unit_scale=True) as bar:
        for place, ds in parts(data):
            sums = {name: hashlib.sha256() for name in along_time(ds)}
            for span in spans(ds):
                block = ds.isel({dim: part for dim, part in span.items() if dim in ds.dims}).load()
                for name in sums:
                    if all(part.start == 0 for dim, part in span.items() if dim not in ds[name].dims):  # not spread again
                        sums[name].update(plain_bytes(in_order(block[name].variable).values))
                table = pa.table(columns(block, place, types), schema=schema)
                writer.write_table(table, row_group_size=max(1, table.num_rows))
                rows += table.num_rows
                bar.update(table.num_rows)
            labels["nodes"][place]["groups"] = len(list(spans(ds)))
            labels["nodes"][place]["sha256"] = {name: found.hexdigest() for name, found in sums.items()}
        words = text(labels)
        writer.add_key_value_metadata({LABELS: words, HASH: hashlib.sha256(words.encode()).hexdigest()})
    return rows


# --- reading -------------------------------------------------------------------------------------------------------------


def _read(file, path: Path, systems) -> Data:
    labels = _labels(file, path)
    places = list(labels["nodes"])
    chosen = _chosen(labels, systems)
    first, arrays = 0, {}
    for place in places:
        node = labels["nodes"][place]
        groups = range(first, first + node.get("groups", 0))
        first = groups.stop
        if place not in chosen:
            continue
        arrays[place] = {}
        for name, told in node["variables"].items():
            if "values" in told:
                continue
            found = _variable(file, name, told, node["sizes"], groups)
            if digest(found) != node["sha256"][name]:
                raise DataError(f"'{name}' of {place or 'the data'} in {path} is not what was written; write the file again")
            inside = [dim for dim in ROWS if dim in told["dims"]]
            arrays[place][name] = np.ascontiguousarray(found.transpose([inside.index(dim) for dim in told["dims"]]))
    labels["nodes"] = {place: labels["nodes"][place] for place in places if place in chosen}
    made = rebuild(labels, arrays)
    if systems is None or labels["tree"]:
        return made
    return made.sel(system=[str(name) for name in systems])


def _labels(file, path: Path) -> dict:
    metadata = file.metadata.metadata or {}
    if LABELS not in metadata or HASH not in metadata:
        raise DataError(f"{path} is a Parquet file, and not one that chaoslab wrote: it has no labels. Read it with pandas")
    if metadata[HASH] != hashlib.sha256(metadata[LABELS]).hexdigest().encode():
        raise DataError(f"the labels of {path} are not what was written; write the file again")
    labels = parsed(metadata[LABELS], str(path))
    if sum(node.get("groups", 0) for node in labels["nodes"].values()) != file.num_row_groups:
        raise DataError(f"{path} was written anew by something else, in other groups of rows; write the file again")
    return labels


def _chosen(labels: Mapping, systems) -> set[str]:
    """The nodes that are read: those of these systems, and all that hold no samples."""
    nodes = labels["nodes"]
    if systems is None or not labels["tree"]:
        known = _named(nodes.get("", {}), "system") if systems is not None else []
    else:
        known = [place.rpartition("/")[2] for place, node in nodes.items() if "groups" in node]
    for name in [] if systems is None else systems:
        if name not in known:
            raise ValueError(f"the file has no system {name!r}.{suggest(str(name), known)} It has {len(known)}")
    if systems is None or not labels["tree"]:
        return set(nodes)
    return {place for place, node in nodes.items() if "groups" not in node or place.rpartition("/")[2] in set(systems)}


def _named(node: Mapping, dim: str) -> list[str]:
    return list(map(str, node["variables"].get(dim, {}).get("values", []))) if dim in node.get("sizes", {}) else []


def _variable(file, name: str, told: Mapping, sizes: Mapping[str, int], groups: range) -> np.ndarray:
    """One variable's array, in the order of rows; of one that is spread over rows, what was spread."""
    dims = [dim for dim in ROWS if dim in sizes]
    shape = [sizes[dim] for dim in dims]
    alone = next((k for k, dim in enumerate(dims) if dim in told["dims"]), len(dims))
    needed = int(np.prod(shape[alone:]))  # the rest is the same again
    rows = np.empty(needed, dtype=told["dtype"])
    done = 0
    for group in groups:
        if done >= needed:
            break
        column = file.read_row_group(group, columns=[name]).column(0).to_numpy()[: needed - done]
        rows[done : done + len(column)] = column
        done += len(column)
    if done != needed:
        raise DataError(f"'{name}' has {done} of {needed} rows; write the file again")
    spread = tuple(slice(None) if dim in told["dims"] else 0 for dim in dims[alone:])
    return np.ascontiguousarray(rows.reshape(shape[alone:])[spread])


# --- the file ------------------------------------------------------------------------------------------------------------


def _ours(path: Path) -> bool:
    try:
        with _opened(path) as file:
            return LABELS in (file.metadata.metadata or {})
    except _broken():
        return False


def _broken() -> tuple[type[Exception], ...]:
    """What pyarrow raises for a changed file; the last two where the name of a column was hit."""
    pa, _ = _library()
    return pa.ArrowException, OSError, IndexError, UnicodeDecodeError


def _opened(path: Path):
    _, pq = _library()
    return pq.ParquetFile(path, page_checksum_verification=True)


def _library():
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("Parquet files need pyarrow: pip install 'chaoslab[collection]'") from error
    return pyarrow, parquet
