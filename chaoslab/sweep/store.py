"""The outcomes of one function in an sqlite file: every row a transaction, whole whenever the process is killed."""

import contextlib
import os
import sqlite3
import zlib
from datetime import UTC, datetime
from pathlib import Path

from .cells import Outcome

#: What marks an sqlite file as a sweep's ("chao"), and the format of its tables.
MARK, FORMAT = 0x6368616F, 1
#: Seconds to wait for another process that writes; a row takes it some milliseconds.
PATIENCE = 60
COLUMNS = ("cell", *Outcome._fields, "date", "checksum")


class StoreError(RuntimeError):
    """The file named as a store is damaged, is something else, or cannot be read or written."""


class Store:
    """Outcomes by cell, in a file or in memory. A rollback journal, since other kinds fail on network drives.

    Raises StoreError where the file is not the store of this function and version. Nothing is ever deleted.
    """

    def __init__(self, path: str | os.PathLike | None, function: str, version: str):
        self.path = None if path is None else Path(path).absolute()
        if self.path and not self.path.parent.is_dir():
            raise StoreError(f"there is no folder {str(self.path.parent)!r} to write the store {self.path.name} into")
        with self._told():
            self.db = sqlite3.connect(self.path or ":memory:", timeout=PATIENCE, isolation_level=None)
            try:
                self._check(function, version)
            except BaseException:
                self.db.close()
                raise

    def _check(self, function: str, version: str) -> None:
        with self.db:
            self.db.execute("BEGIN")  # so that nobody writes meanwhile
            damage = self._value("PRAGMA quick_check(1)")
            expected = self._value("PRAGMA page_count") * self._value("PRAGMA page_size")
            size = self.path.stat().st_size if self.path else expected
        if damage != "ok":
            raise sqlite3.DatabaseError(damage)
        if size < expected or (size and not expected):  # a cut within the last page or the first, which sqlite takes for a whole
            raise sqlite3.DatabaseError(f"it has {size} bytes of {expected or 'at least 512'}")
        if self._value("PRAGMA application_id") != MARK:
            with self.db:
                self.db.execute("BEGIN EXCLUSIVE")  # another process may begin at the same moment
                self._create(function, version)
        if self._value("PRAGMA user_version") != FORMAT:
            raise StoreError(f"{self.path} is a store of another version of chaoslab, in another format; give another path")
        theirs = self.db.execute("SELECT function, version FROM sweep").fetchone()
        if theirs != (function, version):
            given, held = (f"{name} (version {words!r})" for name, words in ((function, version), theirs))
            raise StoreError(f"{self.path} is the store of {held}, not of {given}; give another path")

    def _create(self, function: str, version: str) -> None:
        if self._value("PRAGMA application_id") == MARK:
            return
        tables = [name for (name,) in self.db.execute("SELECT name FROM sqlite_master")]
        if tables:
            raise StoreError(f"{self.path} is an sqlite file, but no store: it holds {', '.join(tables)}; give another path")
        self.db.execute(f"PRAGMA application_id = {MARK}")
        self.db.execute(f"PRAGMA user_version = {FORMAT}")
        self.db.execute("CREATE TABLE sweep (function, version, date)")
        self.db.execute("INSERT INTO sweep VALUES (?, ?, ?)", (function, version, _now()))
        self.db.execute(f"CREATE TABLE cells ({', '.join(COLUMNS)}, PRIMARY KEY (cell)) WITHOUT ROWID")

    def _value(self, question: str):
        return self.db.execute(question).fetchone()[0]

    @contextlib.contextmanager
    def _told(self):
        try:
            yield
        except (sqlite3.Error, ValueError) as error:  # of text that is none
            advice = "give another path, or move it away to begin anew (`sqlite3 FILE .recover` shows what a damaged store holds)"
            raise StoreError(f"{self.path} cannot be used as a store: {error}; {advice}") from error

    def statuses(self) -> dict[str, str]:
        """The status of every cell that is there, once every row is found to be what was written."""
        found = {}
        with self._told():
            for *row, checksum in self.db.execute("SELECT * FROM cells"):
                if checksum != _checksum(row):
                    raise sqlite3.DatabaseError(f"the row of {row[0]} has changed since it was written")
                found[row[0]] = row[1]
        return found

    def put(self, key: str, outcome: Outcome) -> None:
        """Write a row. A result stays when the cell is run again, a failure does not."""
        row = [key, *outcome, _now()]
        insert = f"INSERT INTO cells VALUES ({', '.join('?' * len(COLUMNS))})"
        changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
        with self._told():
            self.db.execute(f"{insert} ON CONFLICT (cell) DO UPDATE SET {changes} WHERE status <> 'ok'", (*row, _checksum(row)))

    def get(self, key: str) -> Outcome:
        """What the row of this cell holds."""
        with self._told():
            return Outcome(*self.db.execute(f"SELECT {', '.join(Outcome._fields)} FROM cells WHERE cell = ?", (key,)).fetchone())

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checksum(row: list) -> int:
    return zlib.crc32(repr(row).encode())
