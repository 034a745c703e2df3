"""The manifest of a directory: one JSON object per line, of three kinds.

The first line is the header::

    {"format": "partsum.Manifest/1", "partsum": "0.1.0", "root": "photos", "tree": true,
     "follow_symlinks": false, "algorithms": ["CRC64NVME"], "part_size": "boto3"}

`root` is the directory that the paths are relative to, as it was named on the command line; `tree`
tells whether all files below it are listed. `part_size` is what the parts were planned by.

One line for each file follows, in the order of the bytes of their paths::

    {"path": "2024/a.tif", "size": 20971520, "mtime_ns": 1718000000000000000, "multipart": true,
     "part_count": 3, "part_size": 8388608, "etag": "...-3",
     "checksums": {"CRC64NVME": {"FULL_OBJECT": "..."}}}

Bytes of a path that are not UTF-8 are lone surrogates, as in Python. `part_size` is null for one
PutObject. `recent` is present, and true, if the file had changed less than 3 seconds before it was
read: its mtime then cannot show a later edit. `parts` is present if it was asked for.

The last line is the trailer, without which a manifest was cut short::

    {"files": 1, "bytes": 20971520, "failed": 0, "sha256": "..."}

`failed` counts files that could not be read and are not listed. `sha256` is the hexadecimal digest
of all lines before, with their line ends.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import partsum
from partsum.cli.sums.hashing import CHECKSUM_TYPES, facts, object_checksums, part_documents

FORMAT = "partsum.Manifest/1"


class ManifestError(partsum.PartsumError):
    """What is read is no manifest."""


class ManifestWriter:
    """Writes a manifest line by line."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Take the function that writes bytes."""
        self._write = write
        self._digest = partsum.new("SHA256")
        self._files = 0
        self._bytes = 0

    def header(self, **fields: object) -> None:
        """Write the first line."""
        self._line({"format": FORMAT, "partsum": partsum.__version__, **fields})

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
        """Write the line of a file, of which MD5 was computed as well."""
        algorithms = tuple(algorithms)
        entry = {"path": path, "size": sums.size, "mtime_ns": mtime_ns} | facts(sums)
        entry["part_size"] = sums.plan.sizes[0] if sums.plan.multipart else None
        entry["etag"] = sums.etag
        entry["checksums"] = {alg: object_checksums(sums, alg) for alg in algorithms}
        if recent:
            entry["recent"] = True
        if parts:
            entry["parts"] = part_documents(sums, algorithms)
        self._line(entry)
        self._files += 1
        self._bytes += sums.size

    def trailer(self, failed: int) -> dict[str, Any]:
        """Write the last line; return the counts in it."""
        counts = {"files": self._files, "bytes": self._bytes, "failed": failed}
        self._line(counts | {"sha256": self._digest.hexdigest()})
        return counts

    def _line(self, document: dict[str, Any]) -> None:
        line = json.dumps(document).encode() + b"\n"
        self._digest.update(line)
        self._write(line)


class ManifestEntry(NamedTuple):
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
    def of(cls, line: dict[str, Any]) -> "ManifestEntry":
        """Read a line; raises ValueError, TypeError or LookupError for what is no entry."""
        path, size, mtime_ns, etag = (line[key] for key in ("path", "size", "mtime_ns", "etag"))
        checksums = line["checksums"]
        if not (isinstance(path, str) and isinstance(mtime_ns, int) and isinstance(etag, str)):
            raise TypeError
        if not path or b"\0" in os.fsencode(path):  # which no file can have
            raise ValueError(path)
        for alg, values in checksums.items():
            if alg not in partsum.ALGORITHMS or not values.keys() <= set(CHECKSUM_TYPES):
                raise ValueError(alg)
        if line["multipart"]:
            # An empty object has one part of 0 bytes, and no plan has such a part size.
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
        """The algorithms that a check computes."""
        return tuple(dict.fromkeys(("MD5", *self.checksums)))

    def agrees(self, sums: partsum.ObjectChecksums) -> bool:
        """Tell whether all values are those of the bytes."""
        return sums.etag == self.etag and all(
            values.items() <= object_checksums(sums, alg).items()
            for alg, values in self.checksums.items()
        )

    def bad_parts(self, sums: partsum.ObjectChecksums) -> list[partsum.PartChecksums]:
        """Return the parts that differ, if the manifest lists the parts."""
        now = part_documents(sums, self.checksums) if self.parts else []
        return [
            part
            for part, then, found in zip(sums.parts, self.parts, now, strict=False)
            if then != found
        ]


class ManifestReader:
    """Reads a manifest; `problems` says afterwards what is wrong with it."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Read the header; raises ManifestError if it is none."""
        self._lines = iter(lines)
        self._digest = partsum.new("SHA256")
        header = self._document(next(self._lines, b""))
        made_as = header.get("format")
        if not isinstance(made_as, str) or not made_as.startswith("partsum.Manifest/"):
            raise ManifestError("not a manifest of partsum")
        if made_as != FORMAT:
            raise ManifestError(
                f"{made_as} was written by another version of partsum; this one reads {FORMAT}"
            )
        self.root = header["root"] if isinstance(header.get("root"), str) else "."
        self.tree = bool(header.get("tree"))
        self.follow = bool(header.get("follow_symlinks"))
        self.part_size = str(header.get("part_size"))
        self.problems: list[str] = []

    def entries(self) -> Iterator[ManifestEntry]:
        """Give what it lists, each path once."""
        seen: set[str] = set()
        trailer: dict[str, Any] | None = None
        sealed = ""
        for number, line in enumerate(self._lines, start=2):
            before = self._digest.hexdigest() if b'"sha256"' in line else ""
            document = self._document(line)
            if trailer is not None:
                self.problems.append(f"line {number}: follows the trailer")
                return
            if "path" not in document and "files" in document:
                trailer, sealed = document, before
                continue
            try:
                entry = ManifestEntry.of(document)
            except (ValueError, TypeError, LookupError, AttributeError):
                self.problems.append(f"line {number}: not the entry of a file")
                continue
            if entry.path in seen:
                self.problems.append(f"line {number}: this path was listed before")
                continue
            seen.add(entry.path)
            yield entry
        if trailer is None:
            self.problems.append("cut short: the trailer is missing")
        elif trailer.get("files") != len(seen) or trailer.get("sha256") != sealed:
            self.problems.append("damaged: the lines are not those that the trailer describes")

    def _document(self, line: bytes) -> dict[str, Any]:
        self._digest.update(line)
        try:
            document = json.loads(line)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}
