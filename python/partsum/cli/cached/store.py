"""The SQLite file of the cache: digests by file, plan and algorithm.

Several processes may use it at once, because it is in WAL mode. Machines cannot share a WAL, and
device numbers have a meaning on one machine only, so each machine has a file of its own.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import partsum
from partsum.cli.terminal import reason

# Seconds that a process waits for others that write.
PATIENCE = 30
# Raise it with every change of the table, and when an earlier version computed a digest wrongly.
VERSION = 1

_TABLE = """
CREATE TABLE digests (
    device TEXT NOT NULL,
    inode TEXT NOT NULL,
    plan TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    path BLOB NOT NULL,
    value BLOB NOT NULL,
    seal BLOB NOT NULL,
    PRIMARY KEY (device, inode, plan, algorithm)
)"""
_OF_FILE = "device = ? AND inode = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ?"


class StoreError(partsum.PartsumError):
    """The file cannot be used; the message says why and what to do."""


class Stamp(NamedTuple):
    """What identifies the content of a file as long as it does not change."""

    device: str  # as text: SQLite has no 64 bits without a sign
    inode: str
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Make it from the result of stat."""
        return cls(
            str(status.st_dev),
            str(status.st_ino),
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )


class Row(NamedTuple):
    """One algorithm's digests of all parts, joined."""

    plan: str
    algorithm: str
    value: bytes


def location() -> Path:
    """Return the file of this machine, below XDG_CACHE_HOME or ~/.cache."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not folder.is_absolute():  # the XDG specification says to ignore it
        try:
            folder = Path.home() / ".cache"
        except RuntimeError as error:
            raise StoreError(f"{error} Set XDG_CACHE_HOME.") from None
    return folder / "partsum" / f"checksums-{os.uname().nodename}.sqlite3"


class Store:
    """The rows. Every method raises StoreError."""

    def __init__(self) -> None:
        self.path = location()
        self._db: sqlite3.Connection | None = None

    def of_plan(self, stamp: Stamp, plan: str) -> dict[str, bytes]:
        """Return a file's digests under one plan, by algorithm."""
        return {row.algorithm: row.value for row in self._select(stamp, " AND plan = ?", plan)}

    def of_file(self, stamp: Stamp) -> list[Row]:
        """Return all digests of a file, ordered by plan."""
        return self._select(stamp, " ORDER BY plan, algorithm")

    def put(self, entries: Iterable[tuple[Stamp, bytes, Row]]) -> None:
        """Store digests of files, given with their paths, in place of older ones."""
        rows = [(*stamp, *row, path, _seal(stamp, row)) for stamp, path, row in entries]
        with self._database() as db, db:
            db.executemany(
                "INSERT OR REPLACE INTO digests (device, inode, size, mtime_ns, ctime_ns, plan,"
                " algorithm, value, path, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def counts(self) -> tuple[int, int]:
        """Count the files and the digests."""
        sql = "SELECT count(DISTINCT device || ':' || inode), count(*) FROM digests"
        with self._database() as db:
            files, digests = db.execute(sql).fetchone()
        return files, digests

    def prune(self) -> int:
        """Remove the rows of files that are gone or changed; return the number of files."""
        with self._database() as db:
            columns = ", ".join(Stamp._fields)
            rows = db.execute(f"SELECT DISTINCT {columns}, path FROM digests").fetchall()
            gone = [Stamp(*key) for *key, path in rows if _stamp(path) != Stamp(*key)]
            with db:
                db.executemany(f"DELETE FROM digests WHERE {_OF_FILE}", gone)
            db.execute("VACUUM")
        return len({(stamp.device, stamp.inode) for stamp in gone})

    def clear(self) -> None:
        """Remove all rows; remove the file if SQLite cannot use it."""
        try:
            with self._database() as db:
                with db:
                    db.execute("DELETE FROM digests")
                db.execute("VACUUM")
        except StoreError as error:
            if not _is_damage(error.__cause__):
                raise
            self.close()
            for file in self.files():
                file.unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """Return the file and those that SQLite keeps beside it."""
        return [self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm")]

    def close(self) -> None:
        """Close the file."""
        if self._db:
            self._db.close()
            self._db = None

    def _select(self, stamp: Stamp, more: str, *values: str) -> list[Row]:
        sql = f"SELECT plan, algorithm, value, seal FROM digests WHERE {_OF_FILE}{more}"
        with self._database() as db:
            found = db.execute(sql, (*stamp, *values)).fetchall()
        # SQLite does not notice a flipped bit.
        return [row for *items, seal in found if _seal(stamp, row := Row(*items)) == seal]

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Open the file if need be; word its errors."""
        try:
            self._db = self._db or self._open()
            yield self._db
        except sqlite3.Error as error:
            todo = ": 'partsum cache clear' makes a new one" if _is_damage(error) else ""
            raise StoreError(f"{self.path}: {error}{todo}") from error
        except OSError as error:
            raise StoreError(f"{self.path}: {reason(error)}") from error

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Transactions wait for their turn at the beginning, so that they cannot fail later.
        db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level="IMMEDIATE")
        try:
            if _version(db) == 0:
                _in_wal_mode(db)
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    if _version(db) == 0:  # no other process was first
                        db.execute(_TABLE)
                        db.execute(f"PRAGMA user_version = {VERSION}")
            if _version(db) != VERSION:
                raise sqlite3.DatabaseError("it was made by another version of partsum")
            db.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            db.close()
            raise
        return db


def _in_wal_mode(db: sqlite3.Connection) -> None:
    """Switch to WAL mode. While others open the file, SQLite fails at once despite its timeout."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _is_damage(error: BaseException | None) -> bool:
    """Tell a file that is no such database from errors that pass: locks, permissions, space."""
    return type(error) is sqlite3.DatabaseError


def _stamp(path: bytes) -> Stamp | None:
    try:
        return Stamp.of(os.stat(path))  # noqa: PTH116  (bytes)
    except OSError:
        return None


def _seal(stamp: Stamp, row: Row) -> bytes:
    sealed = repr((*stamp, *row))
    return partsum.new("CRC64NVME", sealed.encode()).digest()
