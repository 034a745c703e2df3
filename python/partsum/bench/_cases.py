"""The cases to compare: partsum and a peer compute the same digests of the same bytes.

A peer does what a careful user writes: as many workers as partsum has threads, the parts or files
split among them, and several algorithms one after the other over a part in memory. A library is
compared with the library, a command with the command, start-up included. Every contender returns
its digests, so that they can be compared.
"""

from __future__ import annotations

import base64
import hashlib
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

import partsum
from partsum.bench._peers import (
    BENCH_EXTRA,
    Bytes,
    Digest,
    combine_function,
    library_digests,
    output,
    present_commands,
)

T = TypeVar("T")
Opened: TypeAlias = AbstractContextManager[Callable[[int], Bytes]]
"""Gives the bytes of the part at an offset."""

SMALL_FILE = 64 << 10
# More names than that do not fit into one command line everywhere.
MOST_FILES = 10_000
MOST_WHOLE = 1 << 30
READ = 256 << 10


class Job(NamedTuple):
    """An everyday job.

    Example:
        >>> from partsum import bench
        >>> bench.JOBS["tree"].title
        'ETags of a tree of 64 KiB files'
    """

    name: str
    """Name that selects it."""
    title: str
    """Title in reports."""
    algorithms: tuple[str, ...]
    """The algorithms that it computes."""


_FOUR = ("MD5", "SHA256", "CRC64NVME", "CRC32C")
_JOBS = (
    Job("etag", "ETag of one big file", ("MD5",)),
    Job("etag-crc64nvme", "ETag and CRC64NVME", ("MD5", "CRC64NVME")),
    Job("sha256-composite", "SHA-256 composite", ("SHA256",)),
    Job("four", "MD5, SHA-256 and two CRCs at once", _FOUR),
    Job("tree", "ETags of a tree of 64 KiB files", ("MD5",)),
    Job("whole-md5", "MD5 of a file as one message", ("MD5",)),
    Job("whole-sha256", "SHA-256 of a file as one message", ("SHA256",)),
)
JOBS: Mapping[str, Job] = MappingProxyType({job.name: job for job in _JOBS})
"""The everyday jobs by name."""


class Contender(NamedTuple):
    """Partsum or a peer, and how it computes the digests of a case."""

    name: str
    how: str
    digests: Callable[[], Sequence[Any]]


@dataclass(frozen=True)
class Case:
    """One comparison of partsum with a peer."""

    job: Job
    group: str
    source: str
    size: int
    messages: int
    paths: tuple[Path, ...]
    partsum: Contender = field(repr=False)
    peer: Contender = field(repr=False)

    def __str__(self) -> str:
        return f"{self.job.title}, {self.source}, {self.peer.name}"


class Cases:
    """Makes the cases of a run, and the files that they need in a folder."""

    def __init__(self, folder: Path, size: int, part_size: int, threads: int) -> None:
        self.skipped: dict[str, str] = {}
        self._folder = folder
        self._size = size
        self._part_size = part_size
        self._threads = threads
        self._offsets = range(0, size, part_size)
        self._digests = library_digests()
        self._memory: bytes | None = None

    def of_job(self, job: Job) -> Iterator[Case]:
        """The cases of an everyday job: libraries, then commands."""
        make = {"tree": self._tree, "whole-md5": self._whole, "whole-sha256": self._whole}
        yield from make.get(job.name, self._object)(job)

    def of_algorithm(self, algorithm: str, source: str) -> Iterator[Case]:
        """One algorithm over every part, against each library that has it."""
        job = Job(algorithm, algorithm, (algorithm,))
        if self._are_missing(job, [] if self._digests[algorithm] else [algorithm]):
            return
        path = None if source == "ram" else self._big_file()

        def ours() -> list[tuple[bytes]]:
            sums = self._hash_bytes(job) if path is None else self._hash_file(path, job)
            return [(part.digest(algorithm),) for part in sums.parts]

        contender = Contender("partsum", "hash_file" if path else "hash_bytes", ours)
        for library, digest in self._digests[algorithm].items():
            how = f"{library} in {self._threads} threads"
            ways: list[tuple[str, str, Callable[[], Opened]]]
            if path is None:
                ways = [("", "", self._open_memory)]
            else:
                ways = [("", "os.pread and ", partial(self._open_file, path))]
                # Where hashing is about as fast as copying, a careful user maps the file.
                if algorithm.startswith(("CRC", "XXH")) and library != "zlib":
                    ways.append((", mmap", "mmap and ", partial(self._open_map, path)))
            for suffix, reading, opened in ways:
                theirs = partial(self._part_digests, opened, [digest])
                peer = Contender(library + suffix, reading + how, theirs)
                paths = (path,) if path else ()
                messages = len(self._offsets)
                yield Case(job, "algorithm", source, self._size, messages, paths, contender, peer)

    def _object(self, job: Job) -> Iterator[Case]:
        """What S3 reports of one big object: ETag, composite, CRC of the full object."""
        path = self._big_file()
        case = partial(
            Case, job, source="file", size=self._size, messages=len(self._offsets), paths=(path,)
        )
        missing = [name for name in job.algorithms if not self._can_compute(name)]
        if not self._are_missing(job, missing):
            chosen = [next(iter(self._digests[name].items())) for name in job.algorithms]
            libraries = " + ".join(dict.fromkeys(library for library, _ in chosen))
            digests = [digest for _, digest in chosen]

            def theirs() -> list[str]:
                parts = self._part_digests(partial(self._open_file, path), digests)
                return self._object_values(job, parts)

            yield case(
                group="everyday",
                partsum=Contender(
                    "partsum", "hash_file", lambda: object_values(self._hash_file(path, job))
                ),
                peer=Contender(
                    libraries, f"os.pread and {libraries} in {self._threads} threads", theirs
                ),
            )
        algorithm, *others = job.algorithms
        if others:
            return  # a command computes one algorithm
        verb = ("etag",) if algorithm == "MD5" else ("sum", "-a", algorithm, "--base64")
        options = ("--part-size", str(self._part_size), "--allow-small-parts", str(path))
        for name, arguments in present_commands(algorithm).items():
            how = f"dd | {' '.join(arguments)} for each part, {self._threads} at a time"
            yield case(
                group="command",
                partsum=self._command(*verb, *options),
                peer=Contender(name, how, partial(self._dd_values, job, path, arguments)),
            )

    def _tree(self, job: Job) -> Iterator[Case]:
        folder = self._folder / "tree"
        folder.mkdir(exist_ok=True)
        count = min(max(self._size // 4 // SMALL_FILE, 1), MOST_FILES)
        paths = [_random_file(folder / f"{number:06}", SMALL_FILE) for number in range(count)]
        names = [path.name for path in paths]
        case = partial(
            Case, job, source="file", size=count * SMALL_FILE, messages=count, paths=tuple(paths)
        )

        def ours() -> list[str]:
            found = partsum.hash_files(paths, "MD5", threads=self._threads)
            return [getattr(one, "etag", str(one)) for one in found]

        if "hashlib" in self._digests["MD5"]:
            how = f"read_bytes and hashlib, files split among {self._threads} threads"
            yield case(
                group="everyday",
                partsum=Contender("partsum", "hash_files", ours),
                peer=Contender("hashlib", how, lambda: self._split(md5_of_files, paths)),
            )
        for name, arguments in present_commands("MD5").items():
            command = f"{' '.join(arguments)} FILE..."
            yield case(
                group="command",
                partsum=self._command("etag", *names, folder=folder),
                peer=Contender(
                    name,
                    f"{command}, files split among {self._threads} processes",
                    partial(self._split, partial(_command_digests, arguments, folder), names),
                ),
            )

    def _whole(self, job: Job) -> Iterator[Case]:
        # One core alone hashes it, so it is smaller.
        size = min(max(self._size // 4, 1), MOST_WHOLE)
        path = _random_file(self._folder / "whole", size)
        (algorithm,) = job.algorithms
        case = partial(Case, job, source="file", size=size, messages=1, paths=(path,))

        def ours() -> list[str]:
            sums = partsum.hash_file(path, algorithm, part_size=None, threads=self._threads)
            return [sums.parts[0].digest(algorithm).hex()]

        if "hashlib" in self._digests[algorithm]:
            yield case(
                group="everyday",
                partsum=Contender("partsum", "hash_file with part_size=None", ours),
                peer=Contender(
                    "hashlib",
                    "readinto and hashlib, as hashlib.file_digest does",
                    lambda: [_file_digest(path, algorithm)],
                ),
            )
        for name, arguments in present_commands(algorithm).items():
            theirs = partial(_command_digests, arguments, self._folder, [path.name])
            yield case(
                group="command",
                partsum=self._command("sum", "-a", algorithm, path.name, folder=self._folder),
                peer=Contender(name, f"{' '.join(arguments)} FILE", theirs),
            )

    def _are_missing(self, job: Job, algorithms: list[str]) -> bool:
        """Whether libraries are missing; the report then says what to install."""
        if algorithms:
            names = ", ".join(algorithms)
            self.skipped[job.title] = f"no library here computes {names}: {BENCH_EXTRA}"
        return bool(algorithms)

    def _can_compute(self, name: str) -> bool:
        return bool(self._digests[name]) and (not _is_crc(name) or bool(combine_function(name)))

    # --- the bytes -----------------------------------------------------------------------------

    def _big_file(self) -> Path:
        return _random_file(self._folder / "big", self._size)

    def _in_memory(self) -> bytes:
        if self._memory is None:
            self._memory = b"".join(_random_bytes(self._size))
        return self._memory

    def _slice(self, data: memoryview, offset: int) -> memoryview:
        return data[offset : offset + self._part_size]

    def _open_memory(self) -> Opened:
        return nullcontext(partial(self._slice, memoryview(self._in_memory())))

    @contextmanager
    def _open_map(self, path: Path) -> Iterator[Callable[[int], Bytes]]:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        yield partial(self._slice, memoryview(mapped))

    @contextmanager
    def _open_file(self, path: Path) -> Iterator[Callable[[int], Bytes]]:
        with path.open("rb", buffering=0) as file:
            yield lambda offset: os.pread(file.fileno(), self._part_size, offset)

    # --- partsum -------------------------------------------------------------------------------

    def _hash_file(self, path: Path, job: Job) -> partsum.ObjectChecksums:
        return partsum.hash_file(
            path,
            job.algorithms,
            part_size=self._part_size,
            threads=self._threads,
            allow_small_parts=True,
        )

    def _hash_bytes(self, job: Job) -> partsum.ObjectChecksums:
        return partsum.hash_bytes(
            self._in_memory(),
            job.algorithms,
            part_size=self._part_size,
            threads=self._threads,
            allow_small_parts=True,
        )

    def _command(self, verb: str, *arguments: str, folder: Path | None = None) -> Contender:
        command = (sys.executable, "-m", "partsum", verb, "--threads", str(self._threads))
        return Contender(
            "partsum", f"partsum {verb}", partial(_command_digests, command, folder, arguments)
        )

    # --- peers ---------------------------------------------------------------------------------

    def _each(self, work: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(work, items))

    def _split(self, work: Callable[[list[Any]], list[str]], items: Sequence[Any]) -> list[str]:
        """Give every n-th item to each worker; return the results in order."""
        shares = [list(items[start :: self._threads]) for start in range(self._threads)]
        found = [""] * len(items)
        for start, digests in enumerate(self._each(work, filter(None, shares))):
            if len(digests) != len(shares[start]):
                return digests  # not one for each file: the comparison fails
            found[start :: self._threads] = digests
        return found

    def _part_digests(
        self, opened: Callable[[], Opened], digests: Sequence[Digest]
    ) -> list[tuple[bytes, ...]]:
        with opened() as read:

            def part(offset: int) -> tuple[bytes, ...]:
                data = read(offset)
                return tuple(digest(data) for digest in digests)

            return self._each(part, self._offsets)

    def _dd_values(self, job: Job, path: Path, arguments: Sequence[str]) -> list[str]:
        """Start a process for each part, as shell scripts do."""
        script = f'dd if="$1" bs="$2" skip="$3" count=1 status=none | {" ".join(arguments)}'

        def part(number: int) -> tuple[bytes]:
            shell = ("sh", "-c", script, "sh", str(path), str(self._part_size), str(number))
            try:
                return (bytes.fromhex(_first_words(output(shell))[0]),)
            except (IndexError, ValueError):  # it printed no digest: the comparison fails
                return (b"",)

        return self._object_values(job, self._each(part, range(len(self._offsets))))

    def _object_values(self, job: Job, parts: Sequence[tuple[bytes, ...]]) -> list[str]:
        """The values that S3 reports, from the digests of the parts."""
        columns = zip(job.algorithms, zip(*parts, strict=True), strict=True)
        return [
            self._combined(name, digests) if _is_crc(name) else _composite(name, digests)
            for name, digests in columns
        ]

    def _combined(self, name: str, digests: Sequence[bytes]) -> str:
        combine = combine_function(name)
        assert combine  # _can_compute
        total = int.from_bytes(digests[0], "big")
        for offset, digest in zip(self._offsets[1:], digests[1:], strict=True):
            size = min(self._part_size, self._size - offset)
            total = combine(total, int.from_bytes(digest, "big"), size)
        return _base64(total.to_bytes(len(digests[0]), "big"))


def object_values(sums: partsum.ObjectChecksums) -> list[str]:
    """The values that S3 reports of an object, as the peers compute them."""
    return [
        sums.etag
        if name == "MD5"
        else sums.full_object(name)
        if _is_crc(name)
        else sums.composite(name)
        for name in sums.algorithms
    ]


def md5_of_files(paths: Sequence[Path]) -> list[str]:
    """Read small files at once."""
    return [hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in paths]


def _file_digest(path: Path, algorithm: str) -> str:
    """The same as hashlib.file_digest, which Python 3.10 does not have."""
    hasher = hashlib.new(algorithm.lower(), usedforsecurity=False)
    buffer = memoryview(bytearray(READ))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            hasher.update(buffer[:size])
    return hasher.hexdigest()


def _command_digests(
    command: Sequence[str], folder: Path | None, arguments: Sequence[str]
) -> list[str]:
    return _first_words(output((*command, *arguments), folder))


def _first_words(text: str) -> list[str]:
    """The first word of each line: that is where all these commands print the digest."""
    return [line.split(None, 1)[0] for line in text.splitlines() if line.strip()]


def _composite(name: str, digests: Sequence[bytes]) -> str:
    total = hashlib.new(name.lower(), b"".join(digests), usedforsecurity=False)
    text = total.hexdigest() if name == "MD5" else _base64(total.digest())
    return f"{text}-{len(digests)}"


def _is_crc(name: str) -> bool:
    return name.startswith("CRC")


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _random_bytes(size: int) -> Iterator[bytes]:
    """Random bytes, so that no two parts are equal."""
    for start in range(0, size, 1 << 20):
        yield os.urandom(min(1 << 20, size - start))


def _random_file(path: Path, size: int) -> Path:
    if not path.exists():
        try:
            with path.open("wb") as file:
                file.writelines(_random_bytes(size))
        except OSError as error:  # a full disk: the error does not name the file
            error.filename = os.fspath(path)
            raise
    return path
