"""``partsum manifest --check``: read every file that a manifest lists, and tell what changed.

An edit changes the mtime of a file. Corruption does not.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from partsum import ObjectChecksums, PartChecksums, plan_parts
from partsum.cli.files import open_stream
from partsum.cli.manifests.files import ListedFiles
from partsum.cli.manifests.format import ManifestEntry, ManifestError, ManifestReader
from partsum.cli.options import part_size_of
from partsum.cli.sums.hashing import HashOptions, hash_each
from partsum.cli.terminal import (
    NO_ANSWER,
    Callback,
    Failure,
    Verbosity,
    counted,
    emit,
    emit_json,
    reason,
    say,
    verdict_line,
    worse,
)

OK, TOUCHED, CHANGED, CORRUPT = "OK", "TOUCHED", "CHANGED", "CORRUPT"
MISSING, NEW, UNREADABLE = "MISSING", "NEW", "UNREADABLE"
# The exit status of each (1 for the others), and the words of the summary after "n file(s)".
_STATUS = {OK: 0, TOUCHED: 0, CHANGED: NO_ANSWER, NEW: NO_ANSWER}
_SUMMARY = {
    CORRUPT: "CORRUPT: the bytes differ, size and mtime do not",
    MISSING: "MISSING",
    UNREADABLE: "UNREADABLE",
    CHANGED: "CHANGED since the manifest was written",
    NEW: "NEW since the manifest was written",
}


class ManifestRules(NamedTuple):
    """What counts as a difference, what is printed, and how files are read."""

    verbosity: Verbosity
    ignore_missing: bool
    ignore_new: bool
    threads: int | None


class Finding(NamedTuple):
    """What was found about a file."""

    status: str
    error: str | None = None
    bad_parts: list[PartChecksums] = []  # noqa: RUF012  (never changed)


class ManifestCheck:
    """One manifest, and the files that it lists."""

    def __init__(self, reader: ManifestReader, name: str, root: str, rules: ManifestRules) -> None:
        self._reader = reader
        self._rules = rules
        self.root = root
        ours = None if name == "-" else name
        self.files = ListedFiles([root], reader.follow, ours, silent=True)

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Give what was found: of the files listed in their order, then of the new ones."""
        entries = list(self._reader.entries())
        looks = {entry.path: self._look(entry) for entry in entries}
        to_read = {self._opened(entry): entry for entry in entries if looks[entry.path] is None}
        results = self._read(to_read)
        for entry in entries:
            yield entry.path, looks[entry.path] or self._judge(entry, next(results))
        # Of a damaged manifest, any file could be one that it listed.
        if self._reader.tree and not self._rules.ignore_new and not self._reader.problems:
            for path in self.files.below(self.root):
                if path not in looks:
                    yield path, Finding(NEW)

    def _opened(self, entry: ManifestEntry) -> str:
        return os.path.join(self.root, entry.path)  # noqa: PTH118

    def _look(self, entry: ManifestEntry) -> Finding | None:
        """Return what is known without reading the file."""
        try:
            status = os.stat(self._opened(entry))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return Finding(MISSING)
        except OSError as error:
            return Finding(UNREADABLE, reason(error))
        if not stat.S_ISREG(status.st_mode):
            return Finding(UNREADABLE, "no longer a regular file")
        return None if status.st_size == entry.size else Finding(CHANGED)

    def _read(self, files: dict[str, ManifestEntry]) -> Iterator[ObjectChecksums | Failure]:
        def options_of(name: str) -> HashOptions:
            return HashOptions(
                files[name].algorithms, self._part_size(files[name]), True, self._rules.threads
            )

        def hash_one(name: str, progress: Callback | None) -> ObjectChecksums:
            return options_of(name).hash(name, progress)

        for _, sums in hash_each(list(files), options_of, hash_one, silent=True):
            yield sums

    def _part_size(self, entry: ManifestEntry) -> int | str | None:
        """Return the manifest's part size, so that neighbours are read at once, if it fits."""
        part_size = part_size_of(self._reader.part_size)
        with suppress(ValueError):
            if plan_parts(entry.size, part_size, allow_small_parts=True) == entry.plan:
                return part_size
        return max(1, entry.plan.sizes[0]) if entry.plan.multipart else None

    def _judge(self, entry: ManifestEntry, sums: ObjectChecksums | Failure) -> Finding:
        """Return what the bytes show together with the mtime, which is asked for after them."""
        try:
            status = os.stat(self._opened(entry))  # noqa: PTH116
        except OSError:
            return Finding(MISSING)
        if isinstance(sums, Failure):
            return Finding(MISSING if sums.missing else UNREADABLE, sums.reason)
        same_time = status.st_mtime_ns == entry.mtime_ns
        if entry.agrees(sums):
            return Finding(OK if same_time else TOUCHED)
        corrupt = sums.size == entry.size and same_time and not entry.recent
        return Finding(CORRUPT if corrupt else CHANGED, None, entry.bad_parts(sums))


def check(name: str, root: str | None, rules: ManifestRules, *, as_json: bool) -> int:
    """Check what a manifest lists, print what was found, and return the exit status."""
    with open_stream(name) as stream:
        try:
            reader = ManifestReader(stream)
            root = reader.root if root is None else root
            return _report(name, reader, ManifestCheck(reader, name, root, rules), rules, as_json)
        except ManifestError as error:
            say(f"{name}: {error}")
            if as_json:
                emit_json({"manifest": name, "error": str(error)})
            return 1


def _report(
    name: str, reader: ManifestReader, checked: ManifestCheck, rules: ManifestRules, as_json: bool
) -> int:
    counts: Counter[str] = Counter()
    documents: list[dict[str, Any]] = []
    status = 0
    for path, finding in checked.findings():
        if rules.ignore_missing and finding.status == MISSING:
            continue
        counts[finding.status] += 1
        status = worse(status, _STATUS.get(finding.status, 1))
        fine = finding.status in (OK, TOUCHED)
        if rules.verbosity == "status" or (rules.verbosity == "quiet" and fine):
            continue
        if as_json:
            documents.append(_document(path, finding))
        else:
            emit(verdict_line(path, finding.status, finding.error or _ranges(finding.bad_parts)))
    for problem in reader.problems:
        say(f"{name}: {problem}")
    if reader.problems or checked.files.failed:
        status = 1
    if rules.verbosity != "status":
        for kind, words in _SUMMARY.items():
            if counts[kind]:
                say(f"WARNING: {counted(counts[kind], 'file')} {words}")
        if as_json:
            emit_json(
                {
                    "manifest": name,
                    "root": checked.root,
                    "problems": reader.problems,
                    "counts": dict(counts),
                    "files": documents,
                }
            )
    return status


def _ranges(parts: list[PartChecksums]) -> str:
    return ", ".join(
        f"part {part.number}, bytes {part.offset}-{part.offset + part.size - 1}" for part in parts
    )


def _document(path: str, finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = {"path": path, "status": finding.status}
    if finding.error:
        document["error"] = finding.error
    if finding.bad_parts:
        document["bad_parts"] = [
            {"number": part.number, "offset": part.offset, "size": part.size}
            for part in finding.bad_parts
        ]
    return document
