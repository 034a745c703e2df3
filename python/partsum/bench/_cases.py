"""The cases to compare: partsum and a peer compute the same digests of the same bytes.

A peer does what a careful user writes: as many workers as partsum has threads, the parts or files
split among them, and several algorithms one after the other over a part in memory. A library is
compared with the library, a command with the command, start-up included. Both return the digests,
so that they can be compared.
"""

from __future__ import annotations

import base64
import hashlib
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
from partsum.bench._report import Result

T = TypeVar("T")
Digests: TypeAlias = Callable[[], Sequence[Any]]
Row: TypeAlias = tuple[str, str, Digests, str, str, Digests]
"""The group, how partsum computes the digests, its function, and the peer with the same two."""

SMALL_FILE = 64 << 10
# More names than that do not fit into one command line everywhere.
MOST_FILES = 10_000
MOST_WHOLE = 1 << 30
READ = 256 << 10


class Job(NamedTuple):
    """An everyday job.

    Attributes:
        name: Name that selects it.
        title: Title in reports.
        algorithms: The algorithms that it computes.

    Example:
        >>> from partsum import bench
        >>> bench.JOBS["tree"].title
        'ETags of a tree of 64 KiB files'
    """

    name: str
    title: str
    algorithms: tuple[str, ...]


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


@dataclass(frozen=True)
class Case:
    """One comparison of partsum with a peer.

    Attributes:
        result: What is compared, without the pairs of runs.
        paths: The files that are read.
        ours: Function of partsum that computes the digests.
        theirs: Function of the peer that computes the same digests.
    """

    result: Result
    paths: Sequence[Path]
    ours: Digests
    theirs: Digests

    def __str__(self) -> str:
        return f"{self.result.title}, {self.result.source}, {self.result.peer}"


class Cases:
    """Makes the cases of a run, and the files that they need in a folder."""

    def __init__(self, folder: Path, size: int, part_size: int, threads: int) -> None:
        self.skipped: dict[str, str] = {}
        self._folder = folder
        self._size = size
        self._part_size = part_size
        self._threads = threads
        self._options: dict[str, Any] = {
            "part_size": part_size,
            "threads": threads,
            "allow_small_parts": True,
        }
        self._offsets = range(0, size, part_size)
        self._digests = library_digests()
        self._memory = b""

    def of_job(self, job: Job) -> Iterator[Case]:
        """The cases of an everyday job: libraries, then commands."""
        make = {"tree": self._tree, "whole-md5": self._whole, "whole-sha256": self._whole}
        return make.get(job.name, self._object)(job)

    def of_algorithm(self, algorithm: str, source: str) -> Iterator[Case]:
        """One algorithm over every part, against each library that has it."""
        job = Job(algorithm, algorithm, (algorithm,))
        libraries = self._digests[algorithm]
        if self._are_missing(job, [] if libraries else [algorithm]):
            return iter(())
        path = None if source == "ram" else self._big_file()
        if path is None and not self._memory:
            self._memory = b"".join(_random_bytes(self._size))

        def ours() -> list[tuple[bytes]]:
            if path is None:
                sums = partsum.hash_bytes(self._memory, algorithm, **self._options)
            else:
                sums = partsum.hash_file(path, algorithm, **self._options)
            return [(part.digest(algorithm),) for part in sums.parts]

        rows: list[Row] = []
        for library, digest in libraries.items():
            # Where hashing is about as fast as copying, a careful user maps the file.
            maps = algorithm.startswith(("CRC", "XXH")) and library != "zlib"
            for reading in (("os.pread", "mmap") if maps else ("os.pread",)) if path else ("",):
                theirs = partial(self._part_digests, path, reading, [digest])
                peer = f"{library}, mmap" if reading == "mmap" else library
                how = f"{reading} and {library}" if path else library
                how += f" in {self._threads} threads"
                verb = "hash_file" if path else "hash_bytes"
                rows.append(("algorithm", verb, ours, peer, how, theirs))
        return self._cases(job, rows, [path] if path else [], source=source)

    def _object(self, job: Job) -> Iterator[Case]:
        """What S3 reports of one big object: ETag, composite, CRC of the full object."""
        path = self._big_file()
        rows: list[Row] = []
        missing = [name for name in job.algorithms if not self._can_compute(name)]
        if not self._are_missing(job, missing):
            chosen = [next(iter(self._digests[name].items())) for name in job.algorithms]
            peer = " + ".join(dict.fromkeys(library for library, _ in chosen))
            digests = [digest for _, digest in chosen]

            def ours() -> list[str]:
                return object_values(partsum.hash_file(path, job.algorithms, **self._options))

            def theirs() -> list[str]:
                return self._object_values(job, self._part_digests(path, "os.pread", digests))

            how = f"os.pread and {peer} in {self._threads} threads"
            rows.append(("everyday", "hash_file", ours, peer, how, theirs))
        algorithm, *others = job.algorithms
        if not others:  # a command computes one algorithm
            verb = ("etag",) if algorithm == "MD5" else ("sum", "-a", algorithm, "--base64")
            options = ("--part-size", str(self._part_size), "--allow-small-parts", str(path))
            how = f"dd | {{}} for each part, {self._threads} at a time"
            rows += self._commands(job, how, partial(self._dd_values, job, path), *verb, *options)
        return self._cases(job, rows, [path])

    def _tree(self, job: Job) -> Iterator[Case]:
        folder = self._folder / "tree"
        folder.mkdir(exist_ok=True)
        count = min(max(self._size // 4 // SMALL_FILE, 1), MOST_FILES)
        paths = [_random_file(folder / f"{number:06}", SMALL_FILE) for number in range(count)]
        names = [path.name for path in paths]
        rows: list[Row] = []

        def ours() -> list[str]:
            found = partsum.hash_files(paths, "MD5", threads=self._threads)
            return [getattr(one, "etag", str(one)) for one in found]

        if "hashlib" in self._digests["MD5"]:
            how = f"read_bytes and hashlib, files split among {self._threads} threads"
            theirs = partial(self._split, md5_of_files, paths)
            rows.append(("everyday", "hash_files", ours, "hashlib", how, theirs))

        def command(arguments: Sequence[str]) -> list[str]:
            return self._split(partial(_command_digests, arguments, folder), names)

        how = f"{{}} FILE..., files split among {self._threads} processes"
        rows += self._commands(job, how, command, "etag", *names, folder=folder)
        return self._cases(job, rows, paths, size=count * SMALL_FILE)

    def _whole(self, job: Job) -> Iterator[Case]:
        # One core alone hashes it, so it is smaller.
        size = min(max(self._size // 4, 1), MOST_WHOLE)
        path = _random_file(self._folder / "whole", size)
        (algorithm,) = job.algorithms
        rows: list[Row] = []

        def ours() -> list[str]:
            sums = partsum.hash_file(path, algorithm, part_size=None, threads=self._threads)
            return [sums.parts[0].digest(algorithm).hex()]

        def theirs() -> list[str]:
            return [_file_digest(path, algorithm)]

        if "hashlib" in self._digests[algorithm]:
            how = "readinto and hashlib, as hashlib.file_digest does"
            rows.append(("everyday", "hash_file with part_size=None", ours, "hashlib", how, theirs))

        def command(arguments: Sequence[str]) -> list[str]:
            return _command_digests(arguments, self._folder, [path.name])

        verb = ("sum", "-a", algorithm, path.name)
        rows += self._commands(job, "{} FILE", command, *verb, folder=self._folder)
        return self._cases(job, rows, [path], size=size)

    def _cases(
        self,
        job: Job,
        rows: Iterable[Row],
        paths: Sequence[Path],
        *,
        size: int | None = None,
        source: str = "file",
    ) -> Iterator[Case]:
        """Make a case of each row; a size is given for files that are not cut into parts."""
        messages = len(self._offsets) if size is None else len(paths)
        size = size or self._size
        for group, how, ours, peer, their_how, theirs in rows:
            what = (job.name, job.title, group, source, job.algorithms, size, messages)
            yield Case(Result(*what, how, peer, their_how, (), None), paths, ours, theirs)

    def _are_missing(self, job: Job, algorithms: list[str]) -> bool:
        """Whether libraries are missing; the report then says what to install."""
        if algorithms:
            names = ", ".join(algorithms)
            self.skipped[job.title] = f"no library here computes {names}: {BENCH_EXTRA}"
        return bool(algorithms)

    def _can_compute(self, name: str) -> bool:
        return bool(self._digests[name]) and (not _is_crc(name) or bool(combine_function(name)))

    def _big_file(self) -> Path:
        return _random_file(self._folder / "big", self._size)

    def _commands(
        self,
        job: Job,
        how: str,
        theirs: Callable[[Sequence[str]], list[str]],
        verb: str,
        *arguments: str,
        folder: Path | None = None,
    ) -> Iterator[Row]:
        """A verb of the command line against each command that computes the job's algorithm."""
        program = (sys.executable, "-m", "partsum", verb, "--threads", str(self._threads))
        ours = partial(_command_digests, program, folder, arguments)
        for peer, command in present_commands(job.algorithms[0]).items():
            digests = partial(theirs, command)
            yield "command", f"partsum {verb}", ours, peer, how.format(" ".join(command)), digests

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
        self, path: Path | None, reading: str, digests: Sequence[Digest]
    ) -> list[tuple[bytes, ...]]:
        with self._opened(path, reading) as read:

            def part(offset: int) -> tuple[bytes, ...]:
                data = read(offset)
                return tuple(digest(data) for digest in digests)

            return self._each(part, self._offsets)

    @contextmanager
    def _opened(self, path: Path | None, reading: str) -> Iterator[Callable[[int], Bytes]]:
        """Give a function that reads the part at an offset, from a file or else from memory."""
        if path is None:
            view = memoryview(self._memory)
            yield lambda offset: view[offset : offset + self._part_size]
            return
        with path.open("rb", buffering=0) as file:
            if reading == "mmap":
                view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
                yield lambda offset: view[offset : offset + self._part_size]
            else:
                yield lambda offset: os.pread(file.fileno(), self._part_size, offset)

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
