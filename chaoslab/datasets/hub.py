"""A folder that the Hugging Face library reads and its hub shows: Parquet files by configuration and split, and a datasheet."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..trajectories.schema import package_version
from .datasheet import datasheet
from .files import DataError, whole
from .layout import Data
from .parquet import read_parquet, write
from .rows import columns_of, more_columns

#: The list of files and their hashes.
MANIFEST = "chaoslab.json"
#: Names the library takes.
SPLIT, CONFIG = r"\w+(\.\w+)*", r"[\w.-]+"

Split = Mapping[str, Data]


def to_hub(
    data: Data | Split | Mapping[str, Split],
    folder: str | os.PathLike,
    *,
    title: str = "Chaotic systems",
    about: str = "",
    licence: str = "cc-by-4.0",
    overwrite: bool = False,
) -> Path:
    """The path of a new folder that `datasets.load_dataset(folder, configuration, split=...)` reads.

    `data` are {configuration: {split: data}}, as in {"fine": {"train": ..., "test": ...}}; of one configuration, or one
    split, alone they are called "default" and "train". All files have the same columns, those of `to_parquet`. README.md
    holds what the hub reads and a datasheet that people read; `title` and `about` (Markdown) go into it.

    Raises FileExistsError where there is something already.
    """
    configs = _configurations(data)
    more = {}
    for splits in configs.values():
        for part in splits.values():
            for name, dtype in more_columns(part).items():
                if more.setdefault(name, dtype) != dtype:
                    raise TypeError(f"'{name}' holds {dtype} in one part and {more[name]} in another; one column has one type")
    with whole(folder, overwrite=overwrite, ours=_ours) as draft:
        draft.mkdir()
        files: dict = {}
        for config, splits in configs.items():
            (draft / "data" / config).mkdir(parents=True)
            for split, part in splits.items():
                path = f"data/{config}/{split}.parquet"
                rows = write(part, draft / path, more)
                told = {"path": path, "rows": rows, "bytes": (draft / path).stat().st_size, "sha256": _hash(draft / path)}
                files.setdefault(config, {})[split] = told
        text = datasheet(configs, files, columns_of(more), title=title, about=about, licence=licence)
        (draft / "README.md").write_text(text, encoding="utf-8")
        manifest = {"schema": 1, "version": package_version(), "files": files}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return Path(folder)


def read_hub(folder: str | os.PathLike, *, config: str | None = None, split: str | None = None) -> dict[str, dict[str, Data]]:
    """{configuration: {split: data}} of a folder that `to_hub` wrote, the same to the bit; only those asked for.

    Raises DataError for another folder, and for one whose files are missing or changed.
    """
    files = _manifest(Path(folder))
    wanted = {name: splits for name, splits in files.items() if config in (None, name)}
    if not wanted:
        raise ValueError(f"{folder} has no configuration {config!r}; it has {', '.join(files)}")
    found: dict = {}
    for name, splits in wanted.items():
        for part, told in splits.items():
            if split in (None, part):
                path = Path(folder) / told["path"]
                if not path.is_file() or path.stat().st_size != told["bytes"] or _hash(path) != told["sha256"]:
                    raise DataError(f"{path} is missing, cut short or changed since the folder was written; write it again")
                found.setdefault(name, {})[part] = read_parquet(path)
    if not found:
        raise ValueError(f"{folder} has no split {split!r}; it has {', '.join(sorted({s for v in wanted.values() for s in v}))}")
    return found


def _configurations(data) -> dict[str, dict[str, Data]]:
    """{configuration: {split: data}} from what was given; raises ValueError for names the library does not take."""
    if not isinstance(data, Mapping) or _is_data(data):
        data = {"train": data}
    if not data or not (all(map(_is_data, data.values())) or all(isinstance(part, Mapping) for part in data.values())):
        raise TypeError("data are {configuration: {split: data}}, {split: data}, or data: a Dataset or DataTree")
    if all(map(_is_data, data.values())):
        data = {"default": data}
    for config, splits in data.items():
        if not splits or not all(map(_is_data, splits.values())):
            raise TypeError(f"configuration {config!r} has splits {dict.fromkeys(splits)}; each is a Dataset or a DataTree")
        for name, pattern, what in [(config, CONFIG, "configuration"), *((split, SPLIT, "split") for split in splits)]:
            if not isinstance(name, str) or not re.fullmatch(pattern, name):
                raise ValueError(f"a {what} is named with letters, digits and underscores; {name!r} given")
    return {config: dict(splits) for config, splits in data.items()}


def _is_data(part) -> bool:
    return isinstance(part, Data)


def _manifest(folder: Path) -> dict:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["schema"] != 1:
            raise DataError(f"{folder} was written by chaoslab {manifest['version']}, which is later than this; install it")
        return manifest["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{folder} is no folder that to_hub wrote, or its {MANIFEST} was changed") from error


def _ours(folder: Path) -> bool:
    try:
        _manifest(folder)
    except DataError:
        return False
    return True


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
