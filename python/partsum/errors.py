"""The exceptions of partsum, all below `PartsumError`.

Trouble with files stays `OSError` with errno and filename; arguments of a wrong type stay
`TypeError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "FileChangedError",
    "FileError",
    "Hint",
    "InvalidArgument",
    "MissingChecksum",
    "NotSupportedByS3",
    "NothingToResume",
    "PartMismatch",
    "PartPlanError",
    "PartsumError",
]

# The core's hints in the words of Python.
_WORDS = {
    "ADD_ALGORITHM": 'add "{}" to algorithms',
    "BE_THOROUGH": "pass thorough=True",
    "ALLOW_SMALL_PARTS": "pass allow_small_parts=True for a store that accepts them",
    "ENLARGE_PARTS": "use a part_size of at least {} bytes",
    "GIVE_PART_SIZE": "hash with part_size={}",
    "HASH_AS_PUT_OBJECT": "hash with part_size=None",
    "HASH_WITH_OBJECT_PARTS": "hash with part_size=[...], the sizes of the object's {} parts",
    "NAME_ALGORITHM": "name the algorithm",
    "NAME_QUIRK": 'pass quirks="{}" if the store is known for it',
    "PASS_ALL_PAGES": "pass all pages, client.get_paginator('list_parts').paginate(...)",
    "PASS_RESPONSES": "pass uploaded=, the responses of S3",
    "USE_CACHED_READS": 'use io="auto" or io="read"',
    "USE_STREAM": "use hash_stream",
}


class Hint(NamedTuple):
    """What would help after an error, as data; `str(hint)` words it for Python.

    Example:
        >>> import partsum
        >>> hint = partsum.Hint("ADD_ALGORITHM", "MD5")
        >>> str(hint)
        'add "MD5" to algorithms'
    """

    name: str
    """Which hint it is, such as "ADD_ALGORITHM"."""
    value: str = ""
    """The algorithm or number that belongs to it; empty if there is none."""

    def __str__(self) -> str:
        return _WORDS.get(self.name, self.name).format(self.value or "<bytes>")


class PartsumError(Exception):
    """Base of partsum's own exceptions.

    `str(error)` is the argument, the problem and the hint in one sentence; each is an attribute.

    Args:
        problem: What is wrong.
        argument: Name of the argument that is wrong, if it is one.
        hint: What would help, if anything is known to.

    Attributes:
        problem (str): What is wrong, without the argument's name and without the hint.
        argument (str | None): Name of the argument that is wrong, if it is one.
        hint (Hint | None): What would help, if anything is known to.

    Example:
        >>> import partsum
        >>> try:
        ...     partsum.plan_parts(6 * 2**30, None)
        ... except partsum.PartsumError as error:
        ...     error.argument, error.hint
        ('part_size', Hint(name='GIVE_PART_SIZE', value=''))
    """

    def __init__(
        self, problem: str = "", argument: str | None = None, hint: Hint | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.argument = argument
        self.hint = hint

    def __str__(self) -> str:
        named = f"{self.argument}: {self.problem}" if self.argument else self.problem
        return f"{named}; {self.hint}" if self.hint else named


class InvalidArgument(PartsumError, ValueError):
    """An argument has a value that makes no sense; the message names the argument.

    Example:
        >>> import partsum
        >>> partsum.hash_bytes(b"aaa", threads=0)
        Traceback (most recent call last):
            ...
        partsum.InvalidArgument: threads: must be at least 1, not 0
    """


class PartPlanError(PartsumError, ValueError):
    """S3 would refuse the part plan; the message names the part and the limit.

    Example:
        >>> import partsum
        >>> partsum.plan_parts(6 * 2**30, None)
        Traceback (most recent call last):
            ...
        partsum.PartPlanError: part_size: one PutObject cannot have 6442450944 bytes: S3 takes up \
to 5368709120 (5 GiB; it answers EntityTooLarge); hash with part_size=<bytes>
    """


class NotSupportedByS3(PartsumError, ValueError):
    """S3 has no such value, or would refuse such a request; the message names S3's error code.

    Example:
        >>> import partsum
        >>> partsum.hash_bytes(b"aaa", "SHA1", part_size="8MiB").full_object("SHA1")
        Traceback (most recent call last):
            ...
        partsum.NotSupportedByS3: The FULL_OBJECT checksum type cannot be used with the \
sha1 checksum algorithm: only CRCs of parts combine into the whole object's; use COMPOSITE, or a \
PutObject (S3 answers InvalidRequest)
    """


class MissingChecksum(PartsumError, LookupError):
    """A value needs a checksum that was not among the algorithms to compute.

    Example:
        >>> import partsum
        >>> partsum.hash_bytes(b"aaa", "SHA1").etag
        Traceback (most recent call last):
            ...
        partsum.MissingChecksum: MD5 was not computed, and the ETag needs it; add "MD5" to \
algorithms
    """


class NothingToResume(PartsumError, LookupError):
    """There is no unfinished upload to resume.

    Example:
        >>> import partsum
        >>> issubclass(partsum.NothingToResume, LookupError)
        True
    """


class PartMismatch(PartsumError):
    """What S3 says of the uploaded parts, or of the object, disagrees with the local bytes.

    Args:
        problem: What disagrees.
        parts: Numbers of the parts that disagree.
        hint: What would help, if anything is known to.

    Attributes:
        parts (tuple[int, ...]): Numbers of the parts that disagree, ascending.

    Example:
        >>> import partsum
        >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32"], part_size="8MiB")
        >>> answers = [{"ETag": '"0"', "ChecksumCRC32": "AAAAAA=="}]
        >>> try:
        ...     sums.complete_multipart_upload_args("CRC32", uploaded=answers)
        ... except partsum.PartMismatch as error:
        ...     error.parts
        (1,)
    """

    def __init__(self, problem: str, parts: Iterable[int] = (), hint: Hint | None = None) -> None:
        super().__init__(problem, hint=hint)
        self.parts: tuple[int, ...] = tuple(parts)


class FileChangedError(PartsumError, OSError):
    """The file was written to, truncated, replaced or removed while it was hashed.

    There is no result to trust. An OSError with errno and filename.

    Example:
        >>> import partsum
        >>> issubclass(partsum.FileChangedError, OSError)
        True
    """

    def __init__(self, errno: int, strerror: str, filename: str | bytes | None = None) -> None:
        super().__init__(strerror)
        OSError.__init__(self, errno, strerror, filename)

    __str__ = OSError.__str__


class FileError(PartsumError):
    """What `hash_files` yields for a file that it could not hash; it may be raised, too.

    Args:
        path: The file.
        error: What `hash_file` would have raised.

    Attributes:
        path (str): The file.
        error (Exception): What `hash_file` would have raised: OSError, PartPlanError, ...

    Example:
        >>> import partsum
        >>> (result,) = partsum.hash_files(["/no/such/file"])
        >>> result.path, type(result.error).__name__
        ('/no/such/file', 'FileNotFoundError')
    """

    def __init__(self, path: str, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        super().__init__(reason, hint=getattr(error, "hint", None))
        self.args = (path, error)
        self.path: str = path
        self.error: Exception = error
        self.__cause__ = error

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


for _name in __all__:
    globals()[_name].__module__ = "partsum"  # where users find it
