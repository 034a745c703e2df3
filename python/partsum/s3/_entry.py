"""What is said of one file or object when many are compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from partsum.verdict import BadPart, Word


class EntryStatus(Word):
    """What became of a file or an object; equal to its name as a str, and to a Status of that name.

    Example:
        >>> import partsum, partsum.s3
        >>> partsum.s3.EntryStatus.MATCH == partsum.Status.MATCH == "MATCH"
        True
    """

    MATCH = "MATCH"
    """The file's bytes are the object's."""
    MISMATCH = "MISMATCH"
    """They are not."""
    NOT_COMPARABLE = "NOT_COMPARABLE"
    """Both are there, and what S3 says does not tell."""
    ONLY_LOCAL = "ONLY_LOCAL"
    """There is no such object."""
    ONLY_REMOTE = "ONLY_REMOTE"
    """There is no such file."""
    ERROR = "ERROR"
    """The file could not be read, or a request about the object failed."""


@dataclass(frozen=True)
class Entry:
    """One file, one object, or both under one key.

    True in a condition only if it is a MATCH.

    Example:
        >>> from partsum.s3 import Entry, EntryStatus
        >>> Entry("b", None, EntryStatus.ONLY_REMOTE, "there is no such file").to_json()
        '{"key": "b", "path": null, "status": "ONLY_REMOTE", "reason": "there is no such file", \
"evidence": [], "bad_parts": [], "strength": null, "not_compared": []}'
    """

    key: str | None
    """The object's key, or the one that the file would have; None if it can have none."""
    path: str | None
    """The file, below the directory as that was given; None if there is none."""
    status: EntryStatus
    """The outcome."""
    reason: str
    """Why, in words."""
    evidence: tuple[str, ...] = ()
    """The values that agreed, as in `Verdict`."""
    bad_parts: tuple[BadPart, ...] = ()
    """The parts whose own values differ, as in `Verdict`."""
    strength: Literal["cryptographic", "collision-prone", "accidental"] | None = None
    """How strong the evidence of a MATCH is, as in `Verdict`."""
    not_compared: tuple[tuple[str, str], ...] = ()
    """What S3 said and could not be compared, as in `Verdict`."""

    def __bool__(self) -> bool:
        return self.status is EntryStatus.MATCH

    def to_dict(self) -> dict[str, Any]:
        """The same of dicts, lists, str and int alone."""
        return {
            "key": self.key,
            "path": self.path,
            "status": str(self.status),
            "reason": self.reason,
            "evidence": list(self.evidence),
            "bad_parts": [part._asdict() for part in self.bad_parts],
            "strength": self.strength,
            "not_compared": [list(pair) for pair in self.not_compared],
        }

    def to_json(self) -> str:
        """One line of JSON, in ASCII: bytes of a path that are not UTF-8 are lone surrogates."""
        return json.dumps(self.to_dict())
