"""Files and folders that are there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class DataError(ValueError):
    """A file that is no data of chaoslab's, or no longer what was written; says which, and what to do."""


@contextmanager
def whole(path: str | os.PathLike, *, suffix: str = "", overwrite: bool, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A temporary name beside `path` to write a file or make a folder at, which takes its place when all went well.

    What is there already is only replaced when asked to, and only if it is `ours`; raises FileExistsError if not.
    """
    path = Path(path)
    if path.suffix != suffix:
        wanted = f"a path that ends in {suffix}" if suffix else "a folder, without a suffix"
        raise ValueError(f"this is written to {wanted}; {str(path)!r} given")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name} into")
    _free(path, overwrite, ours)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
    try:
        yield draft / path.name
        _sync(draft / path.name)
        _free(path, overwrite, ours)  # another process may have been faster
        if path.is_dir():
            os.replace(path, draft / "old")  # a folder cannot take the place of a full one
        os.replace(draft / path.name, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _free(path: Path, overwrite: bool, ours: Callable[[Path], bool]) -> None:
    if not os.path.lexists(path):
        return
    if not ours(path):
        raise FileExistsError(f"{path} exists and was not written by chaoslab; remove it, or write to another name")
    if not overwrite:
        raise FileExistsError(f"{path} exists; give overwrite=True to replace it, or write to another name")


def _sync(path: Path) -> None:
    """Wait until files are on the disk, so that a name never comes before what it names."""
    for file in [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
