"""How files are hashed: one or many, in parts or as one message, regular files or streams.

Also what the JSON of several verbs says about the result.
"""

import os
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import partsum
from partsum import ObjectChecksums
from partsum.cli.files import has_size, open_stream, read_stream
from partsum.cli.terminal import Callback, Failure, ProgressBar, attempt, emit, emit_json

if TYPE_CHECKING:
    from partsum.cli.cached.cache import Cache

T = TypeVar("T")

# Bytes of one read of a stream: what stays in the cache, and what holds enough parts of 8 MiB to
# hash them at once.
CHUNK = 1 << 20
MANY_PARTS = 128 << 20
# Names that are looked at before they are hashed; the library opens fewer at a time.
LOOK_AHEAD = 1024

CHECKSUM_TYPES = ("COMPOSITE", "FULL_OBJECT")


class HashOptions(NamedTuple):
    """What the library is asked for one file or for many."""

    algorithms: tuple[str, ...]
    part_size: int | str | None
    allow_small_parts: bool = False
    threads: int | None = None
    io: Literal["auto", "read"] = "auto"
    cache: "Cache | None" = None

    def as_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments of the library's functions, but for `io`."""
        return {
            "part_size": self.part_size,
            "allow_small_parts": self.allow_small_parts,
            "threads": self.threads,
        }

    def hash(self, name: str, progress: Callback | None) -> ObjectChecksums:
        """Hash a file or a stream."""
        kwargs = self.as_kwargs() | {"progress": progress}
        if has_size(name):
            hash_file = self.cache.hash_file if self.cache else partsum.hash_file
            return hash_file(name, self.algorithms, io=self.io, **kwargs)
        with open_stream(name) as stream:
            return partsum.hash_stream(stream, self.algorithms, **kwargs)

    def hash_files(
        self, names: Sequence[str], progress: Callback | None
    ) -> "Iterator[ObjectChecksums | partsum.FileError]":
        """Hash regular files at once: their parts share the SIMD lanes."""
        hash_files = self.cache.hash_files if self.cache else partsum.hash_files
        kwargs = self.as_kwargs() | {"progress": progress}
        return hash_files(names, self.algorithms, io=self.io, **kwargs)


def hash_each(
    names: Sequence[str],
    options_of: Callable[[str], HashOptions | None],
    hash_one: Callable[[str, Callback | None], T],
    *,
    silent: bool = False,
) -> Iterator[tuple[str, ObjectChecksums | T | Failure]]:
    """Hash files in their order; say which of them fail, unless the caller wants to.

    Neighbours with the same options are hashed at once.

    Args:
        names: Files, or "-" for standard input.
        options_of: Gives the options of a file; None if it has to be hashed by itself.
        hash_one: Hashes what is no regular file and what the library could not hash: it knows
            other ways, or raises what is wrong.
        silent: Whether to say nothing of files that fail.
    """
    bar = ProgressBar.over(names)
    try:
        for options, group in groupby(names, key=options_of):
            while batch := list(islice(group, LOOK_AHEAD)):
                regular = [options is not None and _is_regular(name) for name in batch]
                results: Iterator[ObjectChecksums | partsum.FileError] = iter(())
                if options and sum(regular) > 1:
                    together = [name for name, is_one in zip(batch, regular, strict=True) if is_one]
                    with suppress(ValueError):  # which hash_one raises again
                        results = options.hash_files(together, bar.callback)
                for name, is_one in zip(batch, regular, strict=True):
                    found = None
                    if is_one:
                        with suppress(ValueError):  # which hash_one raises again
                            found = next(results, None)
                    if isinstance(found, ObjectChecksums):
                        bar.clear()
                        yield name, found
                    else:
                        yield name, attempt(hash_one, name, bar, silent=silent)
    finally:
        bar.clear()


def _is_regular(name: str) -> bool:
    try:
        return has_size(name)
    except OSError:  # which hash_one raises again
        return False


def print_each(
    results: Iterable[tuple[str, T | Failure]],
    lines: Callable[[str, T], Iterable[str | bytes]],
    details: Callable[[T], dict[str, Any]],
    *,
    as_json: bool,
    end: bytes = b"\n",
) -> int:
    """Print the lines of every file, or one document about all; return the exit status."""
    status = 0
    documents: list[dict[str, Any]] = []
    for name, result in results:
        if isinstance(result, Failure):
            status = max(status, result.status)
            documents.append({"path": name, "error": result.reason})
        elif as_json:
            documents.append({"path": name} | details(result))
        else:
            for line in lines(name, result):
                emit(line, end)
    if as_json:
        emit_json({"files": documents})
    return status


# --- digests of whole files --------------------------------------------------------------------


def b64(digest: bytes) -> str:
    """Return a digest as S3 shows it."""
    return b2a_base64(digest, newline=False).decode()


class Digests(NamedTuple):
    """What one read of a file gives: digests of all its bytes, and the object of its parts."""

    size: int
    whole: dict[str, bytes]
    """The digest of all bytes, by algorithm."""
    sums: ObjectChecksums | None = None

    @classmethod
    def of(cls, sums: ObjectChecksums, *, whole: bool) -> "Digests":
        """Take an object; if `whole`, it is one PutObject, and its digests are of all bytes."""
        if not whole:
            return cls(sums.size, {}, sums)
        return cls(sums.size, {alg: sums.parts[0].digest(alg) for alg in sums.algorithms})

    @property
    def values(self) -> dict[str, str]:
        """The checksums of the object as S3 shows them, or else the digests in base64."""
        if self.sums:
            return {alg: self.sums.checksum(alg) for alg in self.sums.algorithms}
        return {alg: b64(digest) for alg, digest in self.whole.items()}


def hash_digests(
    name: str, whole: Sequence[str], options: HashOptions, progress: Callback | None
) -> Digests:
    """Hash all bytes by some algorithms, and the object by those of the options, in one read.

    A file that is too large for one PutObject has digests of all bytes nevertheless.
    """
    if not whole:
        return Digests.of(options.hash(name, progress), whole=False)
    if has_size(name):
        try:
            if not options.algorithms:
                one = options._replace(algorithms=tuple(whole), part_size=None)
                return Digests.of(one.hash(name, progress), whole=True)
            algorithms = tuple(dict.fromkeys((*whole, *options.algorithms)))
            kwargs = options.as_kwargs() | {"io": options.io, "progress": progress}
            plans = [None, kwargs.pop("part_size")]
            put, sums = partsum.hash_plans(name, plans, algorithms, **kwargs)
            return Digests(sums.size, {alg: put.parts[0].digest(alg) for alg in whole}, sums)
        except partsum.PartPlanError:
            pass  # too large for one PutObject; where the parts are refused, they are again below
        if options.cache and not options.algorithms:
            digests = options.cache.digests(
                name, whole, lambda: _hash_stream(name, whole, options, progress).whole
            )
            return Digests(os.stat(name).st_size, digests)  # noqa: PTH116
    return _hash_stream(name, whole, options, progress)


def _hash_stream(
    name: str, whole: Sequence[str], options: HashOptions, progress: Callback | None
) -> Digests:
    hashers = {alg: partsum.new(alg) for alg in whole}
    updates: list[Callable[[bytes], object]] = [hasher.update for hasher in hashers.values()]
    parts = None
    if options.algorithms:
        parts = partsum.MultipartHasher(options.algorithms, **options.as_kwargs())
        updates.append(parts.update)
    size = 0

    def update(data: bytes) -> None:
        nonlocal size
        size += len(data)
        for each in updates:
            each(data)

    read_stream(name, MANY_PARTS if parts else CHUNK, update, progress)
    digests = {alg: hasher.digest() for alg, hasher in hashers.items()}
    return Digests(size, digests, parts.finish() if parts else None)


# --- what the JSON of several verbs says -------------------------------------------------------


def facts(sums: ObjectChecksums | None, size: int = 0) -> dict[str, Any]:
    """Return what is said of an object; of a file that is one message, from its size."""
    return {
        "size": sums.size if sums else size,
        "multipart": bool(sums and sums.plan.multipart),
        "part_count": len(sums.parts) if sums else 1,
    }


def object_checksums(sums: ObjectChecksums, alg: str, only: str | None = None) -> dict[str, str]:
    """Map each checksum type that the object can have to its value.

    Args:
        sums: The object.
        alg: Algorithm name from `ALGORITHMS`.
        only: The one type that is wanted; S3 must have it for the algorithm.
    """
    if only:
        return {only: sums.checksum(alg, only)}
    values = {}
    for checksum_type in CHECKSUM_TYPES if sums.plan.multipart else CHECKSUM_TYPES[1:]:
        with suppress(partsum.NotSupportedByS3):
            values[checksum_type] = sums.checksum(alg, checksum_type)
    return values


def part_documents(sums: ObjectChecksums, algorithms: Iterable[str]) -> list[dict[str, Any]]:
    """List the parts with their values."""
    algorithms = tuple(algorithms)
    return [
        {
            "number": part.number,
            "offset": part.offset,
            "size": part.size,
            "etag": part.etag,
            "checksums": {alg: part.checksum(alg) for alg in algorithms},
        }
        for part in sums.parts
    ]
