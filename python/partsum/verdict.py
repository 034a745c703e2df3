"""What `verify` returns."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

from partsum.errors import Hint

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["BadPart", "Status", "Verdict"]


class Word(str, Enum):
    """An outcome that is equal to its name as a str."""

    def __new__(cls, value: str) -> Self:
        """Make the member of that name; the constructor of str would take more."""
        word = str.__new__(cls, value)
        word._value_ = value
        return word

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Status(Word):
    """The outcome of a comparison; equal to its name as a str.

    Example:
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

    Example:
        >>> import partsum
        >>> partsum.BadPart(2, 5242880, 10)
        BadPart(number=2, offset=5242880, size=10)
    """

    number: int
    """Part number, from 1."""
    offset: int
    """Offset of the part in the object, in bytes."""
    size: int
    """Size of the part in bytes."""


class Verdict(NamedTuple):
    """Whether local bytes are an object's, and what that rests on.

    True in a condition only if it is a MATCH.

    Example:
        >>> import partsum
        >>> verdict = partsum.verify(partsum.hash_bytes(b"aaa", "MD5"), {"ContentLength": 4})
        >>> str(verdict.status), bool(verdict)
        ('MISMATCH', False)
    """

    status: Status
    """MATCH, MISMATCH or NOT_COMPARABLE."""
    reason: str
    """Why, in words; for NOT_COMPARABLE also what would decide it."""
    evidence: tuple[str, ...] = ()
    """The values that agreed, such as "size", "ETag", "ChecksumCRC32 of part 2"."""
    bad_parts: tuple[BadPart, ...] = ()
    """The parts whose own values differ."""
    strength: Literal["cryptographic", "collision-prone", "accidental"] | None = None
    """Of a MATCH, the strongest value that agreed and covers all bytes: SHA-2 is cryptographic, MD5
    and SHA-1 are collision-prone, CRCs and XXH show only accidents."""
    not_compared: tuple[tuple[str, str], ...] = ()
    """What S3 said and could not be compared: pairs of the value and the reason."""
    hint: Hint | None = None
    """What would help to compare more, if anything is known to; `reason` ends with it."""

    def __bool__(self) -> bool:
        return self.status is Status.MATCH

    @property
    def problem(self) -> str:
        """The reason without the hint, for those who word the hint themselves."""
        return self.reason.removesuffix(f"; {self.hint}") if self.hint else self.reason


for _name in __all__:
    globals()[_name].__module__ = "partsum"  # where users find it
