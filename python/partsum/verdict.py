"""What `verify` returns."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["BadPart", "Status", "Verdict"]


class Word(str, Enum):
    """An outcome that is equal to its name as a str."""

    def __new__(cls, value: str) -> Self:
        """The member of that name; the constructor of str would take more."""
        word = str.__new__(cls, value)
        word._value_ = value
        return word

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Status(Word):
    """The outcome of a comparison; equal to its name as a str.

    >>> import partsum
    >>> str(partsum.Status.MATCH), partsum.Status.MATCH == "MATCH"
    ('MATCH', True)
    """

    MATCH = "MATCH"
    """The bytes are the object's."""
    MISMATCH = "MISMATCH"
    """They are not."""
    NOT_COMPARABLE = "NOT_COMPARABLE"
    """What S3 said does not tell."""


class BadPart(NamedTuple):
    """A part whose bytes differ, by its own values.

    >>> import partsum
    >>> partsum.BadPart(2, 5242880, 10)
    BadPart(number=2, offset=5242880, size=10)
    """

    number: int
    """From 1."""
    offset: int
    """Where it begins in the object, in bytes."""
    size: int
    """Its bytes."""


class Verdict(NamedTuple):
    """Whether local bytes are an object's, and what that rests on.

    True in a condition only if it is a MATCH.

    >>> import partsum
    >>> verdict = partsum.verify(partsum.hash_bytes(b"aaa", "MD5"), {"ContentLength": 4})
    >>> str(verdict.status), bool(verdict)
    ('MISMATCH', False)
    """

    status: Status
    """MATCH, MISMATCH or NOT_COMPARABLE."""
    reason: str
    """Why, in words; for NOT_COMPARABLE also what would settle it."""
    evidence: tuple[str, ...]
    """The values that agreed, such as "size", "ETag", "ChecksumCRC32 of part 2"."""
    bad_parts: tuple[BadPart, ...]
    """The parts whose own values differ."""

    def __bool__(self) -> bool:
        return self.status is Status.MATCH

    @classmethod
    def _of(
        cls,
        status: str,
        reason: str,
        evidence: Iterable[str],
        bad_parts: Iterable[tuple[int, int, int]],
    ) -> Verdict:
        """What the compiled half makes it of."""
        return cls(
            Status(status), reason, tuple(evidence), tuple(BadPart(*part) for part in bad_parts)
        )


for _name in __all__:
    globals()[_name].__module__ = "partsum"  # where users find it
