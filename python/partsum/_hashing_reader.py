"""`HashingReader`: a body that boto3 sends, and whose checksums are known afterwards."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from partsum._core import MultipartHasher, ObjectChecksums
from partsum._stream import check_complete, checked_bytes
from partsum.errors import PartsumError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from partsum._core import _Algorithm, _PartSize
    from partsum._stream import HasRead


class HashingReader:
    """A body for boto3 (Body=, Fileobj=) that is hashed while boto3 reads it.

    Positions count from where the body stood when it was wrapped, so that botocore, which seeks to
    0 for a retry, sends the same bytes again. However often a byte is read (for a checksum, a
    signature or a retry), it is hashed once. The reader has a length only if the body has one.

    A body given to upload_fileobj is closed by boto3, as without this class; `checksums` still
    works. Two reads of a HashingReader must not overlap in time, as with any file. Bytes are hashed
    in `read`, at the speed of one core; `hash_stream` uses all of them.

    Args:
        body: Binary stream with `read`, seekable or not, or bytes.
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, ``-`` and
            ``_`` are ignored.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list
            of sizes, a `PartPlan`, or None for one PutObject or one part. "boto3" is what
            upload_fileobj does by default.
        threads: Number of threads; None uses every CPU that the process may use.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Raises:
        TypeError: `body` is text, a path, or has no `read`.
        ValueError: An argument has a wrong value.
        PartPlanError: The parts depend on the size of the body.

    Example:
        >>> import io, partsum
        >>> reader = partsum.HashingReader(io.BytesIO(b"aaa"), "CRC64NVME", part_size=None)
        >>> reader.read(2), reader.seek(0), reader.read()       # as for a retry
        (b'aa', 0, b'aaa')
        >>> reader.checksums().checksum("CRC64NVME")
        'Rnr2/5P7Gsk='
    """

    def __init__(
        self,
        body: HasRead | Buffer,
        algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
        *,
        part_size: _PartSize = "boto3",
        threads: int | None = None,
        allow_small_parts: bool = False,
    ) -> None:
        if isinstance(body, (bytes, bytearray, memoryview)):
            body = io.BytesIO(body)
        kind = type(body).__name__
        if isinstance(body, io.TextIOBase):
            raise TypeError(f"body: {kind} is a text stream; open it with 'b'")
        if isinstance(body, (str, os.PathLike)) or not callable(getattr(body, "read", None)):
            raise TypeError(f"body: must be a binary stream with read(), or bytes, not {kind}")
        if type(self) is HashingReader and hasattr(type(body), "__len__"):
            self.__class__ = _SizedHashingReader
        self._hasher = MultipartHasher(
            algorithms, part_size, threads=threads, allow_small_parts=allow_small_parts
        )
        self._body: Any = body
        start = _seekable_from(body)
        self._seekable = start is not None
        self._start = start or 0
        self._position = 0
        self._hashed = 0
        self._furthest = 0  # position that was read up to
        self._size: int | None = None
        self._failed: PartsumError | None = None
        self._checksums: ObjectChecksums | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        """Read from the body, and hash what was not hashed before.

        Args:
            size: Largest number of bytes; None or a negative number reads to the end.

        Returns:
            The bytes; none at the end.

        Example:
            >>> import io, partsum
            >>> partsum.HashingReader(io.BytesIO(b"abc")).read(2)
            b'ab'
        """
        data = self._body.read() if size is None or size < 0 else self._body.read(size)
        with checked_bytes(data) as view:
            if len(view) > 0:
                self._passed(view)
            elif size != 0 and self._position == self._furthest:
                # A read beyond the end returns nothing either, and is not where the end is.
                self._size = self._position
        return data if isinstance(data, bytes) else bytes(data)

    def readinto(self, buffer: Buffer, /) -> int:
        """Read from the body into memory, and hash what was not hashed before.

        Args:
            buffer: Writable buffer, which is filled as far as one read of the body fills it.

        Returns:
            The number of bytes; 0 at the end.

        Example:
            >>> import io, partsum
            >>> room = bytearray(3)
            >>> partsum.HashingReader(io.BytesIO(b"abcd")).readinto(room), bytes(room)
            (3, b'abc')
        """
        with memoryview(buffer).cast("B") as room:
            data = self.read(len(room))
            if len(data) > len(room):
                raise ValueError(f"read({len(room)}) of the body returned {len(data)} bytes")
            room[: len(data)] = data
        return len(data)

    def _passed(self, data: memoryview) -> None:
        """Hash what was read at this position, except what was hashed before."""
        begin, self._position = self._position, self._position + len(data)
        self._furthest = max(self._furthest, self._position)
        if begin <= self._hashed < self._position and self._failed is None:
            try:
                with data[self._hashed - begin :] as news:
                    self._hasher.update(news)
            except PartsumError as error:
                # The upload continues: `checksums` raises it.
                self._failed = error
            self._hashed = self._position

    def readable(self) -> bool:
        """Return True.

        Returns:
            True: the body can be read.

        Example:
            >>> import io, partsum
            >>> partsum.HashingReader(io.BytesIO()).readable()
            True
        """
        return True

    def seekable(self) -> bool:
        """Return whether the body can seek.

        Returns:
            Whether `seek` works.

        Example:
            >>> import io, partsum
            >>> partsum.HashingReader(io.BytesIO()).seekable()
            True
        """
        return self._seekable

    def tell(self) -> int:
        """Return the current position.

        Returns:
            Bytes from where the body stood when it was wrapped.

        Example:
            >>> import io, partsum
            >>> reader = partsum.HashingReader(io.BytesIO(b"abc"))
            >>> reader.read(2), reader.tell()
            (b'ab', 2)
        """
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Change the position, as `io.IOBase.seek` does.

        Args:
            offset: Bytes from the position that `whence` names.
            whence: ``os.SEEK_SET`` (where the body stood when it was wrapped), ``os.SEEK_CUR`` or
                ``os.SEEK_END``.

        Returns:
            The new position.

        Raises:
            io.UnsupportedOperation: The body cannot seek.

        Example:
            >>> import io, partsum
            >>> reader = partsum.HashingReader(io.BytesIO(b"abc"))
            >>> reader.seek(-1, 2), reader.read(), reader.seek(0)
            (2, b'c', 0)
        """
        if not self._seekable:
            raise io.UnsupportedOperation(f"{type(self._body).__name__} cannot seek")
        if whence == os.SEEK_SET:
            if offset < 0:
                raise ValueError(f"negative seek position {offset}")
            self._body.seek(self._start + offset)
        else:
            self._body.seek(offset, whence)
        self._position = self._body.tell() - self._start  # an mmap's seek() may return None
        if whence == os.SEEK_END:
            self._size = self._position - offset
        return self._position

    def close(self) -> None:
        """Close the body if it has `close`; `checksums` still works.

        Example:
            >>> import io, partsum
            >>> body = io.BytesIO(b"abc")
            >>> reader = partsum.HashingReader(body)
            >>> _ = reader.read(); reader.close(); body.closed
            True
        """
        if callable(close := getattr(self._body, "close", None)):
            self._measure()
            close()

    def _measure(self) -> None:
        """Find the size by seeking, if it is not known."""
        if self._size is None and self._seekable:
            with suppress(OSError, ValueError):  # closed by its owner
                here = self._body.tell()
                self._body.seek(0, os.SEEK_END)
                self._size = self._body.tell() - self._start
                self._body.seek(here)

    def checksums(self) -> ObjectChecksums:
        """Return the checksums of the whole body, after all of it was read.

        It may be called again.

        Returns:
            The checksums; their `path` is None.

        Raises:
            PartsumError: Bytes were skipped, or not all were read. The end of a body that cannot
                seek is known only after a read that returned nothing.
            PartPlanError: S3 would refuse the parts.
            http.client.IncompleteRead: The body is an HTTP response that ended before its
                Content-Length.

        Example:
            >>> import io, partsum
            >>> reader = partsum.HashingReader(io.BytesIO(b"aaa"), "MD5")
            >>> _ = reader.read(2)
            >>> try:
            ...     reader.checksums()
            ... except partsum.PartsumError as error:
            ...     print(error)
            1 of 3 bytes of the body were never read
        """
        if self._checksums is None:
            self._check_complete()
            try:
                self._checksums = self._hasher.finish()
            except PartsumError as error:
                self._failed = error
                raise
        return self._checksums

    def _check_complete(self) -> None:
        self._measure()
        check_complete(self._body)
        if self._hashed < self._furthest:
            raise PartsumError(
                f"bytes of the body were skipped: it was read in order up to byte {self._hashed}, "
                f"and further on up to byte {self._furthest}; read the rest from there again"
            )
        if self._size is None:
            raise PartsumError(
                f"the end of the body was not seen: {self._hashed} bytes were read, and no read "
                "after them returned nothing"
            )
        if self._hashed < self._size:
            missing = self._size - self._hashed
            raise PartsumError(f"{missing} of {self._size} bytes of the body were never read")
        if self._failed is not None:
            raise self._failed

    def __repr__(self) -> str:
        return f"<partsum.HashingReader {self._hashed} bytes hashed of {self._body!r}>"


HashingReader.__module__ = "partsum"  # where users find it


class _SizedHashingReader(HashingReader):
    """Has a length. botocore asks for it first, so a reader without one must not have `__len__`."""

    def __len__(self) -> int:
        return len(self._body) - self._start


def _seekable_from(body: Any) -> int | None:  # noqa: ANN401  (any body)
    """The position of a body that can seek; None for one that cannot."""
    try:
        if not getattr(body, "seekable", lambda: True)():
            return None
        position: int = body.tell()
        body.seek(position)
    except (AttributeError, TypeError, OSError, ValueError):
        return None
    return position
