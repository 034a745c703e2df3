"""A directory against what S3 wrote about a bucket: completion reports and inventories."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from io import TextIOWrapper
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote, unquote_plus

from partsum._core import ObjectChecksums, _Answers, hash_bytes, hash_file, hash_files
from partsum._tables import ALGORITHMS
from partsum._tree import EntryType, key_of, no_file, walk
from partsum.errors import FileError, InvalidArgument, PartsumError
from partsum.s3._entry import Entry, EntryStatus
from partsum.s3._pool import LARGE, Batch, ComparisonPool, FileAndObject, batches, by_size
from partsum.verdict import Verdict

# What is in no URL-encoded key; a percent sign only before two hexadecimal digits.
_NOT_ENCODED = re.compile(r"[^!-~]|%(?![0-9A-Fa-f]{2})")


class _Row(NamedTuple):
    """One object that the report is about."""

    bucket: str
    keys: list[str]
    """The readings of its key, the likeliest first."""
    version: str
    answers: _Answers
    trouble: tuple[EntryStatus, str] | None = None
    """Why there is nothing to compare."""


def verify_report(
    directory: str | PathLike[str],
    report: str | PathLike[str],
    Prefix: str = "",
    *,
    Bucket: str | None = None,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
) -> Generator[Entry, None, None]:
    """Compare the files below a directory with a report of S3, without the network.

    The report is a file that was fetched from S3: manifest.json of the completion report of an S3
    Batch Operations job "Compute checksum", one of its CSV files, or manifest.json of an S3
    Inventory in the format CSV. The CSV files that a manifest lists are looked for beside it and
    above it, under as much of their key as exists. Their MD5s are checked.

    Of a completion report, the checksums are compared; it has no sizes. Composite checksums are
    tried with every usual part plan: a match is a MATCH, no match is NOT_COMPARABLE. An inventory
    has no checksums: sizes are compared, and ETags if its EncryptionStatus says that they are MD5s.
    Each version in a completion report is compared and named in the reason; of an inventory, the
    latest version is.

    Keys are URL-encoded in both. A key of a completion report that belongs to no file is also tried
    as it stands, but only for a MATCH. Memory holds the names of the files that were found.

    Args:
        directory: Directory to compare (str or os.PathLike).
        report: The report (str or os.PathLike).
        Prefix: What the keys begin with, as in `verify_prefix`. Rows of other keys are skipped.
        Bucket: Skip the rows of other buckets; needed if the report has several.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), by
            one thread at a time. An exception that it raises stops the work and propagates.

    Yields:
        Entry: One for each row, in the order of the report, then ONLY_LOCAL for each file without a
        row, in the order of the keys' bytes. A task that failed is an ERROR with what the report
        says.

    Raises:
        OSError: The directory or the report cannot be read.
        PartsumError: The file is no such report, is incomplete, or is about several buckets.

    Source:
        Amazon S3 User Guide, "Examples: S3 Batch Operations completion reports" and "Amazon S3
        Inventory list".

    Example:
        >>> import csv, pathlib, tempfile, partsum.s3
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> (folder / "tree").mkdir()
        >>> _ = (folder / "tree" / "a b").write_bytes(b"aaa")
        >>> message = '{"checksum_base64": "8AdzLQ==", "checksumAlgorithm": "CRC32", ' \\
        ...           '"checksumType": "FULL_OBJECT", "checksum_hex": "F007732D"}'
        >>> with (folder / "report.csv").open("w") as file:
        ...     row = ["bucket", "a+b", "", "succeeded", "200", "", message]
        ...     _ = csv.writer(file).writerow(row)
        >>> for entry in partsum.s3.verify_report(folder / "tree", folder / "report.csv"):
        ...     print(entry.key, entry.status, entry.reason)
        a b MATCH ChecksumCRC32 FULL_OBJECT agrees
    """
    directory = os.fspath(directory)
    with os.scandir(directory):
        pass  # it is there, and may be read
    hash_files((), threads=threads, io=io)  # what is wrong with those, it says at once
    rows = _rows(Path(report))
    pool = ComparisonPool(1, threads=threads, io=io, progress=progress)
    return _verify(pool, directory, _wanted(rows, Prefix, Bucket), Prefix)


def _verify(
    pool: ComparisonPool, directory: str, rows: Iterator[_Row], prefix: str
) -> Generator[Entry, None, None]:
    join = _Join(pool, directory, prefix)
    with pool:
        paired = batches(join.paired(row) for row in rows)
        yield from pool.in_order(pool.hashers.submit(join.examined, batch) for batch in paired)
    yield from join.left_over()


def _wanted(rows: Iterator[_Row], prefix: str, bucket: str | None) -> Iterator[_Row]:
    """The rows of the bucket, and of them the readings of keys below the prefix."""
    only = bucket
    for row in rows:
        only = only or row.bucket
        if row.bucket != only:
            if bucket is None:
                raise PartsumError(
                    f"the report is about several buckets ({only}, {row.bucket}): pass Bucket="
                )
            continue
        if keys := [key for key in row.keys if key.startswith(prefix)]:
            yield row._replace(keys=keys)


class _Join:
    """The files below a directory, and which of them the report was about."""

    def __init__(self, pool: ComparisonPool, directory: str, prefix: str) -> None:
        self.pool = pool
        self.directory = directory
        self.prefix = prefix
        self.met: set[str] = set()

    def paired(self, row: _Row) -> Entry | FileAndObject:
        note = f"version {row.version}: " if row.version else ""
        key, *others = row.keys
        path = self.path(key)
        if path is not None:
            self.met.add(key)
        if row.trouble is not None:
            return Entry(key, path, row.trouble[0], note + row.trouble[1])
        if path is not None:
            return FileAndObject(key, path, row.answers, note)
        for other in others:
            if (path := self.path(other)) is not None:
                return FileAndObject(other, path, row.answers, note, instead_of=key)
        reason = no_file(key[len(self.prefix) :]) or "there is no such file"
        return Entry(key, None, EntryStatus.ONLY_REMOTE, note + reason)

    def path(self, key: str) -> str | None:
        """The file or directory that a key stands for, if it is there."""
        name = key[len(self.prefix) :]
        itself = key == self.prefix and key.endswith("/")
        if no_file(name.removesuffix("/")) is not None and not itself:
            return None
        path = os.path.join(self.directory, name)  # noqa: PTH118 - as it was given
        there = os.path.isdir(path) if key.endswith("/") else os.path.lexists(path)  # noqa: PTH112
        return path if there else None

    def examined(self, batch: list[Entry | FileAndObject]) -> Batch:
        """Small files of one algorithm are hashed together."""
        done: dict[int, Entry] = {}
        together: dict[str, dict[int, FileAndObject]] = defaultdict(dict)
        for index, item in enumerate(batch):
            if isinstance(item, Entry):
                done[index] = item
            elif item.path.endswith("/"):
                done[index] = _marker(item)
            elif (entry := by_size(item)) is not None:
                done[index] = entry
            elif (algorithm := _whole(item)) is not None:
                together[algorithm][index] = item
            else:
                done[index] = self.alone(item)
        for algorithm, pairs in together.items():
            paths = [pair.path for pair in pairs.values()]
            sums = hash_files(paths, algorithm, part_size=None, **self.pool.hashing)
            for (index, pair), result in zip(pairs.items(), sums, strict=True):
                done[index] = self.by_sums(pair, result)
        return [done[index] for index in range(len(batch))]

    def by_sums(self, pair: FileAndObject, sums: ObjectChecksums | FileError) -> Entry:
        if isinstance(sums, FileError):
            return pair.failed(sums.error)
        return self.entry(pair, pair.answers.verify(sums))

    def alone(self, pair: FileAndObject) -> Entry:
        try:
            return self.entry(pair, pair.answers.verify(pair.path, **self.pool.hashing))
        except (OSError, PartsumError) as error:
            return pair.failed(error)

    def entry(self, pair: FileAndObject, verdict: Verdict) -> Entry:
        if pair.instead_of is None:
            return pair.entry(verdict)
        if verdict:
            self.met.add(pair.key)
            return pair.entry(verdict)
        reason = f"{pair.note}there is no such file; that called {pair.key!r} is another"
        return Entry(pair.instead_of, None, EntryStatus.ONLY_REMOTE, reason)

    def left_over(self) -> Iterator[Entry]:
        """The files that no row was about."""
        for found in walk(self.directory, follow_symlinks=True):
            key = key_of(self.prefix, found.name)
            path = os.path.join(self.directory, os.fsdecode(found.name))  # noqa: PTH118
            if found.type is EntryType.DIRECTORY or key in self.met:
                continue
            if found.type is EntryType.FILE:
                reason = "the report has no such object" if key else "its name is not UTF-8"
                yield Entry(key, path, EntryStatus.ONLY_LOCAL, reason)
            elif found.type is EntryType.SPECIAL:
                yield Entry(key, path, EntryStatus.NOT_COMPARABLE, found.reason)
            else:
                yield Entry(key, path, EntryStatus.ERROR, found.reason)


def _marker(pair: FileAndObject) -> Entry:
    """The entry of a key that ends in "/" where there is such a directory."""
    try:
        same = pair.answers.verify(hash_bytes(b"", list(ALGORITHMS), part_size=None))
    except PartsumError as error:
        return pair.failed(error)
    if same:
        reason = f"{pair.note}a marker of a folder, and there is a directory"
        return Entry(pair.key, pair.path, EntryStatus.MATCH, reason)
    reason = f"{pair.note}a directory here, an object that is not empty in S3"
    return Entry(pair.key, pair.path, EntryStatus.MISMATCH, reason)


def _whole(pair: FileAndObject) -> str | None:
    """The algorithm, of a small file that is compared as one message."""
    try:
        if Path(pair.path).stat().st_size >= LARGE:
            return None
    except OSError:
        return None
    return pair.answers.whole_algorithm


# The files that S3 wrote --------------------------------------------------------------------------


def _rows(report: Path) -> Iterator[_Row]:
    """Of a manifest's files, or of one file of a completion report."""
    with report.open("rb") as file:
        is_json = file.read(64).lstrip()[:1] == b"{"
    if not is_json:
        return _completed([report])
    try:
        manifest = json.loads(report.read_bytes())
        if "Results" in manifest:
            listed = [(result["Key"], result.get("MD5Checksum")) for result in manifest["Results"]]
            return _completed([_fetched(report, key, md5) for key, md5 in listed])
        if manifest["fileFormat"] != "CSV":
            raise PartsumError(
                f"{report}: an inventory in the format {manifest['fileFormat']}: only CSV is read; "
                "configure the inventory with that"
            )
        columns = [column.strip() for column in manifest["fileSchema"].split(",")]
        listed = [(file["key"], file.get("MD5checksum")) for file in manifest["files"]]
        return _inventoried([_fetched(report, key, md5) for key, md5 in listed], columns)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PartsumError(
            f"{report}: the manifest.json of neither a completion report nor an inventory: "
            f"{type(error).__name__}: {error}"
        ) from error


def _fetched(manifest: Path, key: str, md5: str | None) -> Path:
    """Where the file of that key is, as somebody fetched it together with its manifest."""
    components = [component for component in key.split("/") if component not in ("", ".", "..")]
    places = [manifest.absolute().parent, *manifest.absolute().parent.parents]
    for place in places:
        for first in range(len(components)):
            path = place.joinpath(*components[first:])
            if not path.is_file():
                continue
            if md5 and hash_file(path, "MD5", part_size=None).etag != md5.lower():
                raise PartsumError(
                    f"{path}: its MD5 is not {md5}, as {manifest} has it: fetch it again"
                )
            return path
    raise PartsumError(f"{manifest} lists {key}, which is not there: fetch it, too")


def _csv(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        binary = gzip.GzipFile(fileobj=file) if packed else file
        with TextIOWrapper(binary, "utf-8", newline="") as text:
            try:
                yield from csv.reader(text)
            except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise PartsumError(f"{path}: {error}") from error


def _completed(paths: list[Path]) -> Iterator[_Row]:
    """The rows of a completion report: Bucket, Key, VersionId, TaskStatus, ..., ResultMessage.

    The manifest says that ErrorCode comes before HTTPStatusCode; AWS's examples have it after.
    """
    for path in paths:
        for line, cells in enumerate(_csv(path), 1):
            if not cells or cells[:2] == ["Bucket", "Key"]:
                continue
            if len(cells) < 7:
                raise PartsumError(f"{path}:{line}: no row of a completion report")
            bucket, key, version, status, first, second, *message = cells
            # Messages of failures are not quoted so that each is one cell.
            words = ",".join(message)
            if status == "succeeded":
                answers, trouble = _said("task", _result(words))
            else:
                codes = " ".join(code for code in (first, second) if code)
                answers = _Answers()
                trouble = EntryStatus.ERROR, f"the task {status} ({codes}): {words}"
            if version == "null":
                version = ""
            yield _Row(bucket, _readings(key), version, answers, trouble)


def _readings(key: str) -> list[str]:
    if _NOT_ENCODED.search(key):
        return [key]
    return list(dict.fromkeys([unquote_plus(key), unquote(key), key]))


def _result(message: str) -> dict[str, str]:
    """Return the result of a task; nothing of one that has no JSON."""
    try:
        result = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return result if isinstance(result, dict) else {}


def _said(
    source: Literal["task", "inventory"], row: dict[str, str]
) -> tuple[_Answers, tuple[EntryStatus, str] | None]:
    """Return what a row says of its object, and why there is nothing to compare."""
    answers = _Answers()
    try:
        answers.include(source, row)
    except InvalidArgument as error:
        return answers, (EntryStatus.NOT_COMPARABLE, error.problem)
    except TypeError as error:
        return answers, (EntryStatus.NOT_COMPARABLE, str(error))
    return answers, None


def _inventoried(paths: list[Path], columns: list[str]) -> Iterator[_Row]:
    """The rows of an inventory: the latest versions of what is there."""
    if missing := {"Bucket", "Key"}.difference(columns):
        raise PartsumError(f"the inventory has no {' and no '.join(sorted(missing))}")
    for path in paths:
        for line, cells in enumerate(_csv(path), 1):
            if len(cells) != len(columns):
                raise PartsumError(
                    f"{path}:{line}: {len(cells)} columns, {len(columns)} in the manifest"
                )
            row = dict(zip(columns, cells, strict=True))
            if row.get("IsLatest") == "false" or row.get("IsDeleteMarker") == "true":
                continue
            answers, trouble = _said("inventory", row)
            yield _Row(row["Bucket"], [unquote_plus(row["Key"])], "", answers, trouble)
