"""What is compared: for each job partsum's way and the ways of its peers, on the same bytes.

A way returns its answer, so that answers can be compared. A library is compared with the library, a
command with the command, start-up included.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import partsum
from partsum.bench._peers import (
    BENCH_EXTRA,
    Command,
    combine,
    library_digests,
    present_commands,
)
from partsum.bench._ways import (
    Others,
    command_digests,
    file_digest,
    is_crc,
    md5_of_files,
    output,
    words,
)

SMALL_FILE = 64 << 10
# A command takes no more names than this with ease.
MOST_FILES = 10_000
MOST_WHOLE = 1 << 30


class Job(NamedTuple):
    """Something that users do every day.

    >>> from partsum import bench
    >>> bench.JOBS["tree"].title
    'ETags of a tree of 64 KiB files'
    """

    name: str
    """What selects it."""
    title: str
    """What reports call it."""
    algorithms: tuple[str, ...]
    """What it computes."""


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        job.name: job
        for job in (
            Job("etag", "ETag of one big file", ("MD5",)),
            Job("etag-crc64nvme", "ETag and CRC64NVME", ("MD5", "CRC64NVME")),
            Job("sha256-composite", "SHA-256 composite", ("SHA256",)),
            Job(
                "four",
                "MD5, SHA-256 and two CRCs at once",
                ("MD5", "SHA256", "CRC64NVME", "CRC32C"),
            ),
            Job("tree", "ETags of a tree of 64 KiB files", ("MD5",)),
            Job("whole-md5", "MD5 of a file as one message", ("MD5",)),
            Job("whole-sha256", "SHA-256 of a file as one message", ("SHA256",)),
        )
    }
)
"""The everyday jobs by name."""


# The order of reports: the slow ones first, and each family together.
ALGORITHMS = (
    *("MD5", "SHA1", "SHA256", "SHA512"),
    *("CRC32", "CRC32C", "CRC64NVME"),
    *("XXHASH64", "XXHASH3", "XXHASH128"),
)


@dataclass(frozen=True)
class Way:
    """One way to do a task."""

    who: str
    how: str
    run: Callable[[], Sequence[Any]] = field(repr=False)


@dataclass(frozen=True)
class Task:
    """One comparison: partsum and a peer."""

    job: str
    title: str
    group: str
    source: str
    algorithms: tuple[str, ...]
    size: int
    messages: int
    paths: tuple[Path, ...] = field(repr=False)
    ours: Way
    theirs: Way


class Tasks:
    """The comparisons of a run, and the bytes that they need, made in a folder."""

    def __init__(self, folder: Path, size: int, part_size: int, threads: int) -> None:
        self.folder = folder
        self.size = size
        self.part_size = part_size
        self.threads = threads
        self.skipped: list[tuple[str, str]] = []
        self._others = Others(size, part_size, threads)
        self._digests = library_digests()
        self._buffer: bytes | None = None

    # --- bytes ---------------------------------------------------------------------------------

    def _file(self) -> Path:
        return _random_file(self.folder / "big", self.size)

    def _whole(self) -> Path:
        """One core alone hashes it, so it is smaller."""
        return _random_file(self.folder / "whole", min(max(self.size // 4, 1), MOST_WHOLE))

    def _tree(self) -> list[Path]:
        tree = self.folder / "tree"
        tree.mkdir(exist_ok=True)
        count = min(max(self.size // 4 // SMALL_FILE, 1), MOST_FILES)
        return [_random_file(tree / f"{number:06}", SMALL_FILE) for number in range(count)]

    def _ram(self) -> bytes:
        if self._buffer is None:
            self._buffer = b"".join(_random_pieces(self.size))
        return self._buffer

    # --- comparisons ---------------------------------------------------------------------------

    def of_job(self, name: str) -> Iterator[Task]:
        """The comparisons of an everyday job: libraries, then commands."""
        job = JOBS[name]
        if name == "tree":
            yield from self._tree_tasks(job)
        elif name.startswith("whole-"):
            yield from self._whole_tasks(job)
        else:
            yield from self._object_tasks(job)

    def of_algorithm(self, algorithm: str, source: str) -> Iterator[Task]:
        """The digest of every part by one algorithm, against each library that has it."""
        digests = self._digests[algorithm]
        if not digests:
            self.skipped.append((algorithm, _missing(algorithm)))
            return
        names, others = (algorithm,), self._others
        threads = f"{self.threads} threads"
        task = partial(
            Task,
            job=algorithm,
            title=algorithm,
            group="algorithm",
            source=source,
            algorithms=names,
            size=self.size,
            messages=len(others.offsets),
        )

        def parts_of(sums: partsum.ObjectChecksums) -> list[tuple[bytes]]:
            return [(part.digest(algorithm),) for part in sums.parts]

        if source == "ram":
            ours = Way("partsum", "hash_bytes", lambda: parts_of(self._hash_bytes(names)))
            for who, digest in digests.items():
                run = partial(others.parts_of, memoryview(self._ram()), [digest])
                yield task(paths=(), ours=ours, theirs=Way(who, f"{who} in {threads}", run))
            return
        path = self._file()
        ours = Way("partsum", "hash_file", lambda: parts_of(self._hash_file(path, names)))
        for who, digest in digests.items():
            run = partial(others.read_parts, path, [digest])
            theirs = Way(who, f"os.pread and {who} in {threads}", run)
            yield task(paths=(path,), ours=ours, theirs=theirs)
            # Where hashing is about as fast as copying, a careful script maps the file.
            if algorithm.startswith(("CRC", "XXH")) and who != "zlib":
                run = partial(others.map_parts, path, [digest])
                theirs = Way(f"{who}, mmap", f"mmap and {who} in {threads}", run)
                yield task(paths=(path,), ours=ours, theirs=theirs)

    def _object_tasks(self, job: Job) -> Iterator[Task]:
        """What S3 shows of one big object: ETag, composite, or CRC of all bytes."""
        path, names, others = self._file(), job.algorithms, self._others
        task = partial(_task, job, size=self.size, messages=len(others.offsets), paths=(path,))
        missing = [
            name
            for name in names
            if not self._digests[name] or (is_crc(name) and combine(name) is None)
        ]
        if missing:
            self.skipped.append((job.title, _missing(*missing)))
        else:
            chosen = [next(iter(self._digests[name].items())) for name in names]
            who = " + ".join(dict.fromkeys(library for library, _ in chosen))
            digests = [digest for _, digest in chosen]
            yield task(
                Way("partsum", "hash_file", lambda: _values(self._hash_file(path, names))),
                Way(
                    who,
                    f"os.pread and {who} in {self.threads} threads",
                    lambda: others.values(names, others.read_parts(path, digests)),
                ),
            )
        if len(names) > 1:
            return  # a command computes one algorithm
        algorithm = names[0]
        verb = ("etag",) if algorithm == "MD5" else ("sum", "-a", algorithm, "--base64")
        options = ("--part-size", str(self.part_size), "--allow-small-parts")
        for command in present_commands(algorithm):
            arguments = command.arguments[algorithm]

            def theirs(arguments: Sequence[str] = arguments) -> list[str]:
                return others.values(names, others.dd_parts(path, arguments))

            yield task(
                self._command(*verb, *options, str(path)),
                Way(
                    command.name,
                    f"dd | {' '.join(arguments)} for each part, {self.threads} at a time",
                    theirs,
                ),
                group="command",
            )

    def _tree_tasks(self, job: Job) -> Iterator[Task]:
        paths, others = self._tree(), self._others
        names = [path.name for path in paths]
        task = partial(
            _task, job, size=len(paths) * SMALL_FILE, messages=len(paths), paths=tuple(paths)
        )

        def ours() -> list[str]:
            found = partsum.hash_files(paths, ("MD5",), threads=self.threads)
            return [
                one.etag if isinstance(one, partsum.ObjectChecksums) else str(one) for one in found
            ]

        if "hashlib" in self._digests["MD5"]:
            yield task(
                Way("partsum", "hash_files", ours),
                Way(
                    "hashlib",
                    f"read_bytes and hashlib, files split among {self.threads} threads",
                    lambda: others.split(md5_of_files, paths),
                ),
            )
        folder = paths[0].parent
        for command in present_commands("MD5"):

            def theirs(command: Command = command) -> list[str]:
                return others.split(
                    lambda share: command_digests(command, "MD5", share, folder), names
                )

            yield task(
                self._command("etag", *names, folder=folder),
                Way(
                    command.name,
                    f"{' '.join(command.arguments['MD5'])} FILE..., files split among "
                    f"{self.threads} processes",
                    theirs,
                ),
                group="command",
            )

    def _whole_tasks(self, job: Job) -> Iterator[Task]:
        (algorithm,) = job.algorithms
        path = self._whole()
        task = partial(_task, job, size=path.stat().st_size, messages=1, paths=(path,))

        def ours() -> list[str]:
            sums = partsum.hash_file(path, job.algorithms, part_size=None, threads=self.threads)
            return [sums.parts[0].digest(algorithm).hex()]

        if "hashlib" in self._digests[algorithm]:
            yield task(
                Way("partsum", "hash_file with part_size=None", ours),
                Way(
                    "hashlib",
                    "readinto and hashlib, as hashlib.file_digest does",
                    lambda: [file_digest(path, algorithm)],
                ),
            )
        for command in present_commands(algorithm):
            yield task(
                self._command("sum", "-a", algorithm, path.name, folder=path.parent),
                Way(
                    command.name,
                    f"{' '.join(command.arguments[algorithm])} FILE",
                    partial(command_digests, command, algorithm, [path.name], path.parent),
                ),
                group="command",
            )

    # --- partsum's ways ------------------------------------------------------------------------

    def _hash_file(self, path: Path, names: tuple[str, ...]) -> partsum.ObjectChecksums:
        return partsum.hash_file(
            path, names, part_size=self.part_size, threads=self.threads, allow_small_parts=True
        )

    def _hash_bytes(self, names: tuple[str, ...]) -> partsum.ObjectChecksums:
        return partsum.hash_bytes(
            self._ram(),
            names,
            part_size=self.part_size,
            threads=self.threads,
            allow_small_parts=True,
        )

    def _command(self, verb: str, *arguments: str, folder: Path | None = None) -> Way:
        """``partsum VERB`` in a process of its own."""
        command = (sys.executable, "-m", "partsum", verb, "--threads", str(self.threads))
        return Way(
            "partsum", f"partsum {verb}", lambda: words(output((*command, *arguments), folder))
        )


def _task(
    job: Job,
    ours: Way,
    theirs: Way,
    *,
    size: int,
    messages: int,
    paths: tuple[Path, ...],
    group: str = "everyday",
) -> Task:
    return Task(
        job.name, job.title, group, "file", job.algorithms, size, messages, paths, ours, theirs
    )


def _values(sums: partsum.ObjectChecksums) -> list[str]:
    """The values that S3 shows, as `Others.values` makes them."""
    return [
        sums.etag
        if name == "MD5"
        else sums.full_object(name)
        if is_crc(name)
        else sums.composite(name)
        for name in sums.algorithms
    ]


def _missing(*algorithms: str) -> str:
    return f"no library here computes {', '.join(algorithms)}: {BENCH_EXTRA}"


def _random_pieces(size: int) -> Iterator[bytes]:
    """Random bytes, so that no two parts are equal."""
    for start in range(0, size, 1 << 20):
        yield os.urandom(min(1 << 20, size - start))


def _random_file(path: Path, size: int) -> Path:
    """Make a file of random bytes, unless it is there already."""
    if not path.exists():
        try:
            with path.open("wb") as file:
                file.writelines(_random_pieces(size))
        except OSError as error:  # a full disk: writing does not say where
            error.filename = os.fspath(path)
            raise
    return path
