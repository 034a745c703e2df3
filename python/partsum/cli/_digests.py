"""Digests of whole files, however long they are, and of the parts of the same bytes in one read."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import partsum
from partsum.cli._common import (
    CHUNK,
    MANY_PARTS,
    Request,
    facts,
    feed,
    has_size,
    object_hasher,
    plan_of,
)
from partsum.cli._progress import Callback


class Digests(NamedTuple):
    """Per algorithm the value of an object, as S3 shows it, or of all bytes as one message."""

    facts: dict[str, Any]
    values: dict[str, str]

    @classmethod
    def of_object(cls, sums: partsum.ObjectChecksums) -> "Digests":
        """Take the values that S3 shows."""
        return cls(facts(sums), {alg: sums.checksum(alg) for alg in sums.algorithms})

    @classmethod
    def of_message(cls, size: int, digests: dict[str, bytes]) -> "Digests":
        """Take the digests of bytes that were read as a stream."""
        facts = {"size": size, "multipart": False, "part_count": 1}
        return cls(facts, {alg: b64encode(digest).decode() for alg, digest in digests.items()})


class Message:
    """Hashes one message of any length."""

    def __init__(self, algorithms: Sequence[str]) -> None:
        self.size = 0
        self.hashers = {alg: partsum.new(alg) for alg in algorithms}

    def update(self, piece: bytes) -> None:
        """Take the next bytes."""
        self.size += len(piece)
        for hasher in self.hashers.values():
            hasher.update(piece)

    def digests(self) -> dict[str, bytes]:
        """Give the digest of the bytes so far, by algorithm."""
        return {alg: hasher.digest() for alg, hasher in self.hashers.items()}


def message_hasher(request: Request) -> Callable[[str, Callback | None], Digests]:
    """A function from a name to the digests of all its bytes."""
    hash_object = object_hasher(request._replace(part_size=None))

    def read(name: str, progress: Callback | None) -> Message:
        message = Message(request.algorithms)
        feed(name, CHUNK, message.update, progress)
        return message

    def hash_message(name: str, progress: Callback | None) -> Digests:
        if has_size(name):
            try:
                return Digests.of_object(hash_object(name, progress))
            except partsum.PartPlanError:
                pass  # too large for one PutObject: S3 has no such object, the file has a digest
            if request.cache:
                digests = request.cache.digests(
                    name, request.algorithms, lambda: read(name, progress).digests()
                )
                return Digests.of_message(Path(name).stat().st_size, digests)
        message = read(name, progress)
        return Digests.of_message(message.size, message.digests())

    return hash_message


class Options(NamedTuple):
    """How files are cut and read."""

    part_size: str | None
    allow_small_parts: bool
    threads: int | None
    no_mmap: bool


class Values(NamedTuple):
    """What one read of a file gave: digests of the whole, and the object of its parts."""

    whole: dict[str, str]
    sums: partsum.ObjectChecksums | None


def hash_both(
    name: str,
    whole: Sequence[str],
    composite: Sequence[str],
    options: Options,
    progress: Callback | None,
) -> Values:
    """Digests of all bytes by some algorithms, of the parts by others, in one read of a file."""
    part_size, allow_small_parts, threads, no_mmap = options
    if not composite:
        request = Request(tuple(whole), None, False, threads, no_mmap)
        return Values(message_hasher(request)(name, progress).values, None)
    if not whole:
        request = Request(tuple(composite), *options)
        return Values({}, object_hasher(request)(name, progress))
    if has_size(name):
        try:
            one, sums = partsum.hash_plans(
                name,
                [None, plan_of(part_size)],
                list(dict.fromkeys((*whole, *composite))),
                threads=threads,
                io="read" if no_mmap else "auto",
                progress=progress,
                allow_small_parts=allow_small_parts,
            )
        except partsum.PartPlanError:
            pass  # perhaps only as one PutObject; if the parts are refused, they are again below
        else:
            return Values({alg: one.checksum(alg) for alg in whole}, sums)
    message = Message(whole)
    parts = partsum.MultipartHasher(
        composite, plan_of(part_size), allow_small_parts=allow_small_parts, threads=threads
    )

    def update(piece: bytes) -> None:
        message.update(piece)
        parts.update(piece)

    feed(name, MANY_PARTS, update, progress)
    whole_values = Digests.of_message(message.size, message.digests()).values
    return Values(whole_values, parts.finish())
