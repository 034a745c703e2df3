"""The body of a request: one part of a file. All bodies of an upload share one Source."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from partsum._core import PartChecksums, new
from partsum.errors import FileChangedError
from partsum.s3._client import Argument, Client

_PIECE = 1 << 20
_EVENT = "request-created.s3"
_SIGNING, _SENDING = "partsum-upload-signing", "partsum-upload-sending"


class UploadStopped(BaseException):
    """Ends a request in the middle of its body.

    It is a BaseException, because botocore retries a request after an Exception.
    """


class Source:
    """The file that is uploaded, and the first failure. A failure ends all requests."""

    def __init__(
        self, path: str | os.PathLike[str], callback: Callable[[int], object] | None
    ) -> None:
        self.path = Path(path)
        self.failure: BaseException | None = None
        self._callback = callback
        self._before = self.path.stat()
        self.size = self._before.st_size

    def fail(self, error: BaseException) -> None:
        """Record the first failure, so that all requests stop."""
        if self.failure is None and not isinstance(error, UploadStopped):
            self.failure = error

    def check(self) -> None:
        """Raise UploadStopped after a failure."""
        if self.failure is not None:
            raise UploadStopped

    def moved(self, count: int) -> None:
        """Report bytes that were sent. A negative count means that they are sent again."""
        if self._callback is None or count == 0:
            return
        try:
            self._callback(count)
        except BaseException as error:
            self.fail(error)
            raise UploadStopped from error

    def changed(self, how: str) -> FileChangedError:
        """Return the error for a file that changed."""
        words = f"the file changed while it was uploaded: {how}"
        return FileChangedError(errno.EBUSY, words, str(self.path))

    def require_unchanged(self, outcome: str) -> None:
        """Raise FileChangedError if the file was replaced, written to or resized."""
        try:
            now = self.path.stat()
        except OSError as error:
            raise self.changed(f"{error.strerror}; {outcome}") from error
        before = self._before
        for what, same in (
            (f"{before.st_size} bytes became {now.st_size}", now.st_size == before.st_size),
            ("it was replaced", (now.st_dev, now.st_ino) == (before.st_dev, before.st_ino)),
            ("it was written to", now.st_mtime_ns == before.st_mtime_ns),
        ):
            if not same:
                raise self.changed(f"{what}; {outcome}")

    def differs(self, part: PartChecksums) -> bool:
        """Return whether the part's bytes differ from those that were hashed."""
        hasher = new("MD5")
        left = part.size
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(part.offset)
                while left and (piece := file.read(min(left, _PIECE))):
                    hasher.update(piece)
                    left -= len(piece)
        except OSError:
            return True
        return hasher.digest() != part.digest("MD5")


class Body:
    """One part of the file as a readable object. It never holds the whole part in memory.

    Reads count as progress only while the part is sent: signing over plain HTTP also reads it.
    """

    def __init__(self, source: Source, part: PartChecksums) -> None:
        self.part = part
        self._source = source
        self._at = 0
        self._sending = False
        self._file = source.path.open("rb", buffering=0)
        self._file.seek(part.offset)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, or b"" at the end."""
        self._source.check()
        left = self.part.size - self._at
        wanted = left if size is None or size < 0 else min(size, left)
        try:
            piece = self._file.read(wanted)
        except OSError as error:
            error.filename = str(self._source.path)
            self._source.fail(error)
            raise UploadStopped from error
        if wanted and not piece:
            end = self.part.offset + self._at
            self._source.fail(self._source.changed(f"it ends at byte {end}"))
            raise UploadStopped
        self._at += len(piece)
        if self._sending:
            self._source.moved(len(piece))
        return piece

    def tell(self) -> int:
        """Return the offset of the next read in the body."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset: botocore seeks to send a body again and to measure it."""
        self._source.check()
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.part.size}[whence]
        at = min(max(base + offset, 0), self.part.size)
        self._file.seek(self.part.offset + at)
        if self._sending:
            self._source.moved(at - self._at)
        self._at = at
        return at

    def sending(self, yes: bool) -> None:
        """Set whether reads count as sent bytes."""
        self._sending = yes

    def __enter__(self) -> Body:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


@contextmanager
def progress_of(client: Client, callback: Callable[[int], object] | None) -> Iterator[None]:
    """Tell bodies when they are sent, by the client's events, as s3transfer does."""
    if callback is None:
        yield
        return
    events = client.meta.events
    # Signing happens between the first and the last handler of this event.
    for register, mark, name in (
        (events.register_first, _before_signing, _SIGNING),
        (events.register_last, _after_signing, _SENDING),
    ):
        register(_EVENT, mark, unique_id=name, unique_id_uses_count=True)
    try:
        yield
    finally:
        for name in (_SIGNING, _SENDING):
            events.unregister(_EVENT, unique_id=name, unique_id_uses_count=True)


def _before_signing(request: Argument, **_: Argument) -> None:
    _mark(request, False)


def _after_signing(request: Argument, **_: Argument) -> None:
    _mark(request, True)


def _mark(request: Argument, sending: bool) -> None:
    # botocore may wrap a body, to let a checksum follow it.
    body = getattr(request.body, "_raw", request.body)
    if isinstance(body, Body):
        body.sending(sending)
