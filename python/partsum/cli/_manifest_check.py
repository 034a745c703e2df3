"""``partsum manifest --check``: read every file that a manifest lists; tell an edit from rot."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from partsum import ObjectChecksums, PartChecksums, plan_parts
from partsum.cli._batches import Batches
from partsum.cli._common import (
    NO_ANSWER,
    Failed,
    Request,
    each,
    emit,
    emit_json,
    escape,
    object_hasher,
    open_stream,
    plan_of,
    reason,
    say,
    worse,
)
from partsum.cli._manifest import Entry, ManifestError, Reader, Tree
from partsum.cli._progress import Callback

Says = Literal["quiet", "status"] | None

OK, TOUCHED, CHANGED, CORRUPT = "OK", "TOUCHED", "CHANGED", "CORRUPT"
MISSING, NEW, UNREADABLE = "MISSING", "NEW", "UNREADABLE"
# What each does to the exit status, and the words of the summary after "n file(s)".
_STATUS = {OK: 0, TOUCHED: 0, CHANGED: NO_ANSWER, NEW: NO_ANSWER}
_SUMMARY = {
    CORRUPT: "CORRUPT: the bytes differ, size and time do not",
    MISSING: "MISSING",
    UNREADABLE: "UNREADABLE",
    CHANGED: "CHANGED since the manifest was written",
    NEW: "NEW since the manifest was written",
}


class Rules(NamedTuple):
    """What counts, what is said, and how it is read."""

    says: Says
    ignore_missing: bool
    ignore_new: bool
    threads: int | None


class Found(NamedTuple):
    """What became of a file."""

    status: str
    error: str | None = None
    bad_parts: list[PartChecksums] = []  # noqa: RUF012  (never changed)


class Checking:
    """One manifest, and the files that it lists."""

    def __init__(self, reader: Reader, name: str, root: str, rules: Rules) -> None:
        self._reader = reader
        self._name = name
        self.root = root
        self._rules = rules
        self.walk_failed = False

    def found(self) -> Iterator[tuple[str, Found]]:
        """Give what became of each file: of those listed in their order, then the new ones."""
        entries = list(self._reader.entries())
        looks = {entry.path: self._look(entry) for entry in entries}
        to_read = {self._open_name(entry): entry for entry in entries if looks[entry.path] is None}
        results = self._read(to_read)
        for entry in entries:
            yield entry.path, looks[entry.path] or self._judge(entry, next(results))
        # Of a damaged manifest, any file could be one that it listed.
        if self._reader.tree and not self._rules.ignore_new and not self._reader.problems:
            for path in self._below():
                if path not in looks:
                    yield path, Found(NEW)

    def _open_name(self, entry: Entry) -> str:
        return os.path.join(self.root, entry.path)  # noqa: PTH118

    def _look(self, entry: Entry) -> Found | None:
        """What is known without reading it."""
        try:
            status = os.stat(self._open_name(entry))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return Found(MISSING)
        except OSError as error:
            return Found(UNREADABLE, reason(error))
        if not stat.S_ISREG(status.st_mode):
            return Found(UNREADABLE, "not a regular file any more")
        return None if status.st_size == entry.size else Found(CHANGED)

    def _read(self, files: dict[str, Entry]) -> Iterator[ObjectChecksums | Failed]:
        def request(name: str) -> Request:
            entry = files[name]
            # As all were planned, so that neighbours are read at once; or as only this one was.
            part_size: str | None = self._reader.part_size
            try:
                same = (
                    plan_parts(entry.size, plan_of(part_size), allow_small_parts=True) == entry.plan
                )
            except ValueError:
                same = False
            if not same:
                part_size = str(max(1, entry.plan.sizes[0])) if entry.plan.multipart else None
            return Request(entry.algorithms, part_size, True, self._rules.threads)

        def hash_one(name: str, progress: Callback | None) -> ObjectChecksums:
            return object_hasher(request(name))(name, progress)

        names = list(files)
        batches = Batches(names, hash_one, request, lambda _request, sums: sums)
        for _, sums in each(names, batches, silent=True):
            yield sums

    def _judge(self, entry: Entry, sums: ObjectChecksums | Failed) -> Found:
        """What the bytes say, and the time, which is asked after them."""
        try:
            status = os.stat(self._open_name(entry))  # noqa: PTH116
        except OSError:
            return Found(MISSING)
        if isinstance(sums, Failed):
            return Found(MISSING if sums.missing else UNREADABLE, sums.reason)
        same_time = status.st_mtime_ns == entry.mtime_ns
        if entry.agrees(sums):
            return Found(OK if same_time else TOUCHED)
        if sums.size == entry.size and same_time and not entry.recent:
            return Found(CORRUPT, None, entry.bad_parts(sums))
        return Found(CHANGED, None, entry.bad_parts(sums))

    def _below(self) -> Iterator[str]:
        ours = None if self._name == "-" else self._name
        tree = Tree(self.root, self._reader.follow, ours, silent=True)
        yield from tree.files()
        self.walk_failed = bool(tree.failed)


def check(name: str, root: str | None, rules: Rules, *, as_json: bool) -> int:
    """Check what a manifest lists, and say so; return the exit status."""
    with open_stream(name) as stream:
        try:
            reader = Reader(stream)
            checking = Checking(reader, name, reader.root if root is None else root, rules)
            return _report(name, reader, checking, rules, as_json)
        except ManifestError as error:
            say(f"{name}: {error}")
            if as_json:
                emit_json({"manifest": name, "error": str(error)})
            return 1


def _report(name: str, reader: Reader, checking: Checking, rules: Rules, as_json: bool) -> int:
    counts: Counter[str] = Counter()
    files: list[dict[str, Any]] = []
    status = 0
    for path, found in checking.found():
        if rules.ignore_missing and found.status == MISSING:
            continue
        counts[found.status] += 1
        status = worse(status, _STATUS.get(found.status, 1))
        fine = found.status in (OK, TOUCHED)
        if rules.says == "status" or (rules.says == "quiet" and fine):
            continue
        if as_json:
            files.append(_document(path, found))
        else:
            emit(_line(path, found))
    for problem in reader.problems:
        say(f"{name}: {problem}")
    if reader.problems or checking.walk_failed:
        status = 1
    if rules.says != "status":
        for kind, words in _SUMMARY.items():
            if counts[kind]:
                say(f"WARNING: {counts[kind]} {'file' if counts[kind] == 1 else 'files'} {words}")
        if as_json:
            emit_json(
                {
                    "manifest": name,
                    "root": checking.root,
                    "problems": reader.problems,
                    "counts": dict(counts),
                    "files": files,
                }
            )
    return status


def _line(path: str, found: Found) -> str:
    mark, shown = escape(path)
    details = found.error or ", ".join(
        f"part {part.number}, bytes {part.offset}-{part.offset + part.size - 1}"
        for part in found.bad_parts
    )
    return f"{mark}{shown}: {found.status}" + (f" ({details})" if details else "")


def _document(path: str, found: Found) -> dict[str, Any]:
    document: dict[str, Any] = {"path": path, "status": found.status}
    if found.error:
        document["error"] = found.error
    if found.bad_parts:
        document["bad_parts"] = [
            {"number": part.number, "offset": part.offset, "size": part.size}
            for part in found.bad_parts
        ]
    return document
