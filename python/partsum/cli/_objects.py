"""What the JSON of several verbs says about the checksums of an object and of its parts."""

from collections.abc import Iterable
from typing import Any

from partsum import NotSupportedByS3, ObjectChecksums

TYPES = ("COMPOSITE", "FULL_OBJECT")


def object_checksums(sums: ObjectChecksums, alg: str, only: str | None = None) -> dict[str, str]:
    """Map each type that S3 can have for the object to its value; a type asked for must exist."""
    if only:
        return {only: sums.checksum(alg, only)}
    values = {}
    for kind in TYPES if sums.plan.multipart else TYPES[1:]:
        try:
            values[kind] = sums.checksum(alg, kind)
        except NotSupportedByS3:
            continue
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
