"""The manifest of a tree: one JSON object a line, in three kinds.

The first line is the header::

    {"format": "partsum.Manifest/1", "partsum": "0.1.0", "root": "photos", "tree": true,
     "follow_symlinks": false, "algorithms": ["CRC64NVME"], "part_size": "boto3"}

`root` is the folder that the paths are relative to, as it was named on the command line; `tree`
tells whether all files below it are listed. `part_size` is how the parts were planned.

Then one line for each file, in the order of the bytes of their paths::

    {"path": "2024/a.tif", "size": 20971520, "mtime_ns": 1718000000000000000, "multipart": true,
     "part_count": 3, "part_size": 8388608, "etag": "...-3",
     "checksums": {"CRC64NVME": {"FULL_OBJECT": "..."}}}

Bytes of a path that are not UTF-8 are lone surrogates, as Python has them. `part_size` is null for
one PutObject. `recent` is there, and true, if the file had changed less than 3 seconds before it
was read: then its time does not tell a later edit. `parts` is there if it was asked for.

The last line is the trailer, without which a manifest is known to be cut short::

    {"files": 1, "bytes": 20971520, "failed": 0, "sha256": "..."}

`failed` counts files that could not be read and are not listed. `sha256` is the hexadecimal digest
of all the lines before, line ends included.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import partsum
from partsum._tree import Kind, walk
from partsum.cli._common import failure, say
from partsum.cli._objects import TYPES, object_checksums, part_documents

FORMAT = "partsum.Manifest/1"


class ManifestError(partsum.PartsumError):
    """What is read is no manifest."""


class Writer:
    """Writes a manifest line by line."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Take what writes bytes."""
        self._write = write
        self._digest = partsum.new("SHA256")
        self.files = 0
        self.bytes = 0
        self.failed = 0

    def header(
        self, *, root: str, tree: bool, follow: bool, algorithms: Iterable[str], part_size: str
    ) -> None:
        """Write the first line."""
        self._line(
            {
                "format": FORMAT,
                "partsum": partsum.__version__,
                "root": root,
                "tree": tree,
                "follow_symlinks": follow,
                "algorithms": list(algorithms),
                "part_size": part_size,
            }
        )

    def file(
        self,
        path: str,
        mtime_ns: int,
        sums: partsum.ObjectChecksums,
        algorithms: Iterable[str],
        *,
        recent: bool,
        parts: bool,
    ) -> None:
        """Write the line of a file; MD5 is among what was hashed."""
        algorithms = tuple(algorithms)
        plan = sums.plan
        entry: dict[str, Any] = {
            "path": path,
            "size": sums.size,
            "mtime_ns": mtime_ns,
            "multipart": plan.multipart,
            "part_count": len(plan),
            "part_size": plan.sizes[0] if plan.multipart else None,
            "etag": sums.etag,
            "checksums": {alg: object_checksums(sums, alg) for alg in algorithms},
        }
        if recent:
            entry["recent"] = True
        if parts:
            entry["parts"] = part_documents(sums, algorithms)
        self._line(entry)
        self.files += 1
        self.bytes += sums.size

    def trailer(self) -> dict[str, Any]:
        """Write the last line; return what it says."""
        counts = {"files": self.files, "bytes": self.bytes, "failed": self.failed}
        self._line(counts | {"sha256": self._digest.hexdigest()})
        return counts

    def _line(self, document: dict[str, Any]) -> None:
        line = json.dumps(document).encode() + b"\n"
        self._digest.update(line)
        self._write(line)


class Tree:
    """The regular files below a folder."""

    def __init__(
        self, folder: str, follow: bool, manifest: str | None, *, silent: bool = False
    ) -> None:
        """Take the manifest that is not to list itself; silent leaves out without a word."""
        self._folder = folder
        self._follow = follow
        self._silent = silent
        self._manifest = manifest and os.path.relpath(
            os.path.realpath(manifest), os.path.realpath(folder)
        )
        self.left_out = 0
        self.failed = 0

    def files(self) -> Iterator[str]:
        """Name them, relative to the folder and in the order of the names' bytes."""
        try:
            for name, kind, why in walk(self._folder, self._follow):
                below = os.fsdecode(name)
                shown = os.path.join(self._folder, below)  # noqa: PTH118
                if kind is Kind.FILE and below != self._manifest:
                    yield below
                elif kind is Kind.SPECIAL:
                    self.left_out += 1
                    if not self._silent:
                        what = why.replace("and follow_symlinks=False", "which --follow follows")
                        say(f"{shown}: left out: {what}")
                elif kind is Kind.ERROR:
                    self.failed += 1
                    say(f"{shown}: {why}")
        except OSError as error:  # the folder itself
            self.failed += 1
            say(failure(error))


class Entry(NamedTuple):
    """What a manifest says of a file."""

    path: str
    size: int
    mtime_ns: int
    plan: partsum.PartPlan
    etag: str
    checksums: dict[str, dict[str, str]]
    recent: bool
    parts: list[dict[str, Any]]
    """Empty if they are not listed."""

    @classmethod
    def of(cls, line: dict[str, Any]) -> "Entry":
        """Read a line; raises ValueError, TypeError or LookupError for what is none."""
        path, size, mtime_ns, etag = (line[key] for key in ("path", "size", "mtime_ns", "etag"))
        checksums = line["checksums"]
        if not (isinstance(path, str) and isinstance(mtime_ns, int) and isinstance(etag, str)):
            raise TypeError
        if not path or b"\0" in os.fsencode(path):  # which no file can have
            raise ValueError(path)
        for alg, values in checksums.items():
            if alg not in partsum.ALGORITHMS or not values.keys() <= set(TYPES):
                raise ValueError(alg)
        if line["multipart"]:
            # Of the one part of an empty object, no size would do.
            part_size = max(1, line["part_size"])
            plan = partsum.plan_parts(size, part_size, allow_small_parts=True)
        else:
            plan = partsum.plan_parts(size, None)
        parts = line.get("parts", [])
        if len(plan) != line["part_count"] or (parts and len(parts) != len(plan)):
            raise ValueError(path)
        return cls(path, size, mtime_ns, plan, etag, checksums, bool(line.get("recent")), parts)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What has to be computed."""
        return tuple(dict.fromkeys(("MD5", *self.checksums)))

    def agrees(self, sums: partsum.ObjectChecksums) -> bool:
        """Tell whether all values are those of the bytes."""
        return sums.etag == self.etag and all(
            values.items() <= object_checksums(sums, alg).items()
            for alg, values in self.checksums.items()
        )

    def bad_parts(self, sums: partsum.ObjectChecksums) -> list[partsum.PartChecksums]:
        """Give the parts of the bytes that differ, if the manifest lists them."""
        now = part_documents(sums, self.checksums) if self.parts else []
        return [
            part
            for part, then, found in zip(sums.parts, self.parts, now, strict=False)
            if then != found
        ]


class Reader:
    """Reads a manifest; what is wrong with it is in `problems` afterwards."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Read the header; raises ManifestError if it is none."""
        self._lines = iter(lines)
        self._digest = partsum.new("SHA256")
        header = self._document(next(self._lines, b""))
        made_as = header.get("format")
        if not isinstance(made_as, str) or not made_as.startswith("partsum.Manifest/"):
            raise ManifestError("this is not a manifest that partsum wrote")
        if made_as != FORMAT:
            raise ManifestError(
                f"{made_as} is of another version of partsum: this one reads {FORMAT}"
            )
        self.root = header["root"] if isinstance(header.get("root"), str) else "."
        self.tree = bool(header.get("tree"))
        self.follow = bool(header.get("follow_symlinks"))
        self.part_size = str(header.get("part_size"))
        self.problems: list[str] = []

    def entries(self) -> Iterator[Entry]:
        """Give what it lists, each path once."""
        seen: set[str] = set()
        trailer: dict[str, Any] | None = None
        sealed = ""
        for number, line in enumerate(self._lines, start=2):
            before = self._digest.hexdigest() if b'"sha256"' in line else ""
            document = self._document(line)
            if trailer is not None:
                self.problems.append(f"line {number}: nothing may follow the last line")
                return
            if "path" not in document and "files" in document:
                trailer, sealed = document, before
                continue
            try:
                entry = Entry.of(document)
            except (ValueError, TypeError, LookupError, AttributeError):
                self.problems.append(f"line {number}: not the entry of a file")
                continue
            if entry.path in seen:
                self.problems.append(f"line {number}: listed before")
                continue
            seen.add(entry.path)
            yield entry
        if trailer is None:
            self.problems.append("cut short: the last line is missing")
        elif trailer.get("files") != len(seen) or trailer.get("sha256") != sealed:
            self.problems.append("not as it was written: its last line tells of other lines")

    def _document(self, line: bytes) -> dict[str, Any]:
        self._digest.update(line)
        try:
            document = json.loads(line)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}
