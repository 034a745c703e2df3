"""The exceptions of partsum, all below `PartsumError`.

Trouble with files stays `OSError` with errno and filename, wrong arguments stay `ValueError` and
`TypeError`.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "FileChangedError",
    "FileError",
    "MissingChecksum",
    "NotSupportedByS3",
    "NothingToResume",
    "PartMismatch",
    "PartPlanError",
    "PartsumError",
]


class PartsumError(Exception):
    """Base of partsum's own exceptions.

    >>> import partsum
    >>> try:
    ...     partsum.plan_parts(0, "8XB")
    ... except partsum.PartsumError as error:
    ...     print(type(error).__name__)
    PartPlanError
    """


class PartPlanError(PartsumError, ValueError):
    """A part plan that S3 would refuse; the message names the part and the limit.

    >>> import partsum
    >>> partsum.plan_parts(6 * 2**30, None)
    Traceback (most recent call last):
        ...
    partsum.errors.PartPlanError: one PutObject of 6442450944 bytes: it takes at most 5368709120 \
bytes (5 GiB; S3 answers EntityTooLarge); give a part size for a multipart upload
    """


class NotSupportedByS3(PartsumError, ValueError):
    """S3 has no such value, or would refuse such a request; the message names S3's error code.

    >>> import partsum
    >>> partsum.hash_bytes(b"aaa", "SHA1", part_size="8MiB").full_object("SHA1")
    Traceback (most recent call last):
        ...
    partsum.errors.NotSupportedByS3: The FULL_OBJECT checksum type cannot be used with the sha1 \
checksum algorithm: only CRCs of parts combine into the whole object's; use COMPOSITE, or a \
PutObject (S3 answers InvalidRequest)
    """


class MissingChecksum(PartsumError, LookupError):
    """The checksum was not among the algorithms that were asked for.

    >>> import partsum
    >>> partsum.hash_bytes(b"aaa", "SHA1").etag
    Traceback (most recent call last):
        ...
    partsum.errors.MissingChecksum: MD5 was not computed: the ETag needs it; add "MD5" to \
algorithms=
    """


class NothingToResume(PartsumError, LookupError):
    """There is no unfinished upload to go on with.

    >>> import partsum
    >>> issubclass(partsum.NothingToResume, LookupError)
    True
    """


class PartMismatch(PartsumError):
    """What S3 said of uploaded parts, or of the object, disagrees with the local bytes.

    `.parts` has the part numbers (tuple of int).

    >>> import partsum
    >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32"], part_size="8MiB")
    >>> answers = [{"ETag": '"0"', "ChecksumCRC32": "AAAAAA=="}]
    >>> try:
    ...     sums.complete_multipart_upload_args("CRC32", uploaded=answers)
    ... except partsum.PartMismatch as error:
    ...     error.parts
    (1,)
    """

    def __init__(self, message: str, parts: Sequence[int] = ()) -> None:
        super().__init__(message, tuple(parts))
        self.parts: tuple[int, ...] = tuple(parts)

    def __str__(self) -> str:
        return str(self.args[0])


class FileChangedError(PartsumError, OSError):
    """The file was written to, truncated, replaced or removed while it was hashed.

    There is no result to trust. An OSError with errno and filename.

    >>> import partsum
    >>> issubclass(partsum.FileChangedError, OSError)
    True
    """


class FileError(PartsumError):
    """What `hash_files` yields for a file that it could not hash; it may be raised, too.

    `.path` is the file (str), `.error` what `hash_file` would have raised (OSError, PartPlanError,
    ...).

    >>> import partsum
    >>> (result,) = partsum.hash_files(["/no/such/file"])
    >>> result.path, type(result.error).__name__
    ('/no/such/file', 'FileNotFoundError')
    """

    def __init__(self, path: str, error: Exception) -> None:
        super().__init__(path, error)
        self.path: str = path
        self.error: Exception = error
        self.__cause__ = error

    def __str__(self) -> str:
        return f"{self.path}: {getattr(self.error, 'strerror', None) or self.error}"
