"""`hash_stream`: bytes of unknown length are read while others are hashed."""

from __future__ import annotations

import errno
import io
import mmap
import operator
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from partsum._core import MultipartHasher, ObjectChecksums, _parse_size

if TYPE_CHECKING:
    from typing import SupportsIndex

    from typing_extensions import Buffer, Self

    from partsum._core import _Algorithm, _PartSize


class HasReadinto(Protocol):
    """A stream that reads into memory."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class HasRead(Protocol):
    """A stream that returns bytes."""

    def read(self, size: int, /) -> Buffer | None: ...


Readable = HasReadinto | HasRead
Fill = Callable[[memoryview], int]

# Bytes of one read: between two reads, progress is reported and Ctrl-C takes effect.
READ = 1 << 20
# Seconds between two reports of progress while the caller waits for the hashing thread.
TICK = 0.01


def hash_stream(
    readable: Readable,
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    memory_limit: SupportsIndex | str = "512MiB",
    progress: Callable[[int], object] | None = None,
    allow_small_parts: bool = False,
) -> ObjectChecksums:
    """Compute every checksum that S3 will report for the bytes of a stream.

    The stream is read from its current position to its end and is left open. Two buffers, each at
    most half of `memory_limit`, are read and hashed in turn, so that reading and hashing overlap.
    They grow as bytes arrive, up to as many whole parts as are hashed as fast as they are read (two
    to eight: at most twice 64 MiB for parts of 8 MiB). If two parts do not fit into half of the
    limit, parts are hashed one after the other, which is slower and needs 2 MiB. So is
    ``part_size=None``. A stream without `readinto` needs up to 1 MiB more.

    The GIL is released while hashing, and Ctrl-C works. No thread and no buffer remains afterwards.

    Warning:
        A stream whose end cannot be told from a lost connection, such as a socket, is hashed as far
        as it was received: compare `ObjectChecksums.size` with the size that you expect.
        `http.client` and `urllib.request` know the Content-Length and boto3's StreamingBody checks
        it: a response that ends too early raises.

    Args:
        readable: Binary stream with `readinto` or `read`: a pipe, ``sys.stdin.buffer``,
            ``socket.makefile("rb")``, gzip, boto3's StreamingBody, an unbuffered file.
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, ``-`` and
            ``_`` are ignored.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list
            of sizes, a `PartPlan`, or None for one PutObject. "boto3" is what upload_fileobj does
            with a stream: one PutObject below 8 MiB, else parts of 8 MiB. Presets that need to know
            the size, such as "rclone", are refused.
        threads: Number of threads; None uses every CPU that the process may use.
        memory_limit: Memory for the buffers in bytes (int) or a size such as "512MiB".
        progress: Callable that is given the number of bytes hashed since the last call (int), on
            the calling thread. An exception that it raises stops the work and propagates.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Returns:
        The checksums; their `path` is None.

    Raises:
        PartPlanError: S3 would refuse the parts, or they depend on the size of the stream.
        ValueError: An argument has a wrong value.
        TypeError: `readable` is text, a path or bytes, or another argument has a wrong type.
        BlockingIOError: The stream is non-blocking and has no bytes yet.
        http.client.IncompleteRead: An HTTP response ended before its Content-Length.
        Exception: Whatever reading from the stream raises.

    Example:
        >>> import io, partsum
        >>> sums = partsum.hash_stream(io.BytesIO(b"aaa"), ["MD5", "CRC64NVME"], part_size="8MiB")
        >>> sums.etag, sums.checksum("CRC64NVME")
        ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
    """
    fill = fill_from(readable)
    half = max(1, _memory(memory_limit) // 2)
    check_progress(progress)
    hasher = MultipartHasher(
        algorithms, part_size, threads=threads, allow_small_parts=allow_small_parts
    )
    with _Buffer() as one, _Buffer() as other, _Worker(hasher, progress) as worker:
        offset, wanted, got = 0, 1, 1
        buffers = cycle((one, other))
        while got == wanted:
            buffer = next(buffers)
            wanted = hasher._best_piece(offset, half)
            with buffer.view(wanted) as view:
                got = _fill_up(fill, view, worker.report)
            worker.wait()
            if got:
                worker.start(buffer.view(got))
            offset += got
        worker.wait()
    return hasher.finish()


hash_stream.__module__ = "partsum"  # where users find it


def check_progress(progress: object) -> None:
    """Refuse what cannot be called."""
    if progress is not None and not callable(progress):
        raise TypeError(f"progress: must be callable or None, not {type(progress).__name__}")


def _memory(limit: SupportsIndex | str) -> int:
    if isinstance(limit, str):
        try:
            return _parse_size(limit)
        except ValueError:
            advice = "use bytes (8388608) or a unit (8MiB, 64 MB)"
            raise ValueError(f"memory_limit: {limit!r} is not a size; {advice}") from None
    if isinstance(limit, bool) or not hasattr(limit, "__index__"):
        raise TypeError(f"memory_limit: must be an int or a str, not {type(limit).__name__}")
    size = operator.index(limit)
    if size < 1:
        raise ValueError(f"memory_limit: must be 1 or more, not {size}")
    return size


# --- reading -------------------------------------------------------------------------------------


def fill_from(stream: object) -> Fill:
    """Return a function that reads once into a memoryview; it returns 0 only at the end."""
    kind = type(stream).__name__
    must_be = "readable: must be a binary stream with read() or readinto(), not"
    if isinstance(stream, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise TypeError(f"{must_be} {kind}; hash a path with hash_file(), bytes with hash_bytes()")
    if isinstance(stream, io.TextIOBase):
        raise TypeError(f"{must_be} {kind}, a text stream; open it with 'b', or pass its .buffer")
    readinto, read = (getattr(stream, name, None) for name in ("readinto", "read"))
    readinto, read = (one if callable(one) else None for one in (readinto, read))
    if not readinto and not read:
        raise TypeError(f"{must_be} {kind}")

    def fill(view: memoryview) -> int:
        nonlocal readinto
        if readinto:
            try:
                count = _checked_count(readinto(view), len(view))
            except io.UnsupportedOperation:
                # Inherited from a base class that cannot do it either.
                if not read:
                    raise
                readinto = None
        if not readinto:
            count = _read(read, view)
        if count == 0:
            check_complete(stream)
        return count

    return fill


def _read(read: Any, view: memoryview) -> int:  # noqa: ANN401
    with checked_bytes(read(len(view))) as data:
        count = len(data)
        if count > len(view):
            raise ValueError(f"read({len(view)}) returned {count} bytes, more than asked for")
        view[:count] = data
    return count


def check_complete(stream: Any) -> None:  # noqa: ANN401  (any stream)
    """Raise IncompleteRead at the end of an HTTP response that was cut short.

    http.client returns no bytes then, as at the end. https://github.com/python/cpython/issues/115997
    """
    http = sys.modules.get("http.client")
    if http and isinstance(stream, http.HTTPResponse) and stream.length:
        raise http.IncompleteRead(b"", stream.length)


def checked_bytes(data: object) -> memoryview:
    """View what read() returned as bytes, or say what is wrong with it."""
    if data is None:
        raise _nothing_yet("read")
    try:
        return memoryview(data).cast("B")  # type: ignore[arg-type]
    except TypeError:
        hint = "; open the stream in binary mode" if isinstance(data, str) else ""
        raise TypeError(f"read() returned {type(data).__name__}, not bytes{hint}") from None


def _checked_count(count: object, room: int) -> int:
    if count is None:
        raise _nothing_yet("readinto")
    if not isinstance(count, int):
        raise TypeError(f"readinto() returned {type(count).__name__}, not the number of bytes")
    if not 0 <= count <= room:
        raise ValueError(f"readinto() returned {count}, and the buffer has {room} bytes")
    return count


def _nothing_yet(method: str) -> BlockingIOError:
    problem = f"{method}() returned None: the stream is non-blocking and has no bytes yet"
    return BlockingIOError(errno.EAGAIN, f"{problem}; make it blocking")


def _fill_up(fill: Fill, view: memoryview, report: Callable[[], None]) -> int:
    """Read until the view is full or the stream ends; return the number of bytes."""
    got = 0
    while got < len(view):
        room = view[got : got + READ]
        try:
            count = fill(room)
        finally:
            # A stream that raised may still hold the view, and its exception is the better one.
            with suppress(BufferError):
                room.release()
        if count == 0:
            break
        got += count
        report()
    return got


class _Buffer:
    """Memory that is allocated when it is first written to.

    It is a map, because a bytearray is filled with zeros first: short streams would take as long as
    the longest one.
    """

    _map: mmap.mmap | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._free()

    def view(self, size: int) -> memoryview:
        """The first bytes; the caller releases the view."""
        if self._map is None or len(self._map) < size:
            self._free()
            self._map = mmap.mmap(-1, size)
            with suppress(AttributeError, OSError):  # fewer page faults, where there are such pages
                self._map.madvise(mmap.MADV_HUGEPAGE)
        with memoryview(self._map) as whole:
            return whole[:size]

    def _free(self) -> None:
        if self._map is not None:
            # A stream that keeps a view of the buffer keeps the memory.
            with suppress(BufferError):
                self._map.close()


# --- hashing -------------------------------------------------------------------------------------


class _Stopped(Exception):
    """The result is not needed any more."""


class _Worker:
    """A thread that hashes one chunk while the caller reads the next one."""

    def __init__(self, hasher: MultipartHasher, progress: Callable[[int], object] | None) -> None:
        self._hasher = hasher
        self._progress = progress
        self._hashed = 0  # written by the thread alone
        self._reported = 0
        self._stop = False
        self._chunks: SimpleQueue[memoryview | None] = SimpleQueue()
        self._ends: SimpleQueue[BaseException | None] = SimpleQueue()
        self._busy = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread, even in the middle of a chunk."""
        self._stop = True
        if self._thread is not None:
            self._chunks.put(None)
            self._thread.join()

    def start(self, chunk: memoryview) -> None:
        """Hash a chunk and release it; call wait() before the next one."""
        if self._thread is None:
            # A daemon: if the caller's thread is a daemon that waits for its stream when the
            # interpreter ends, nobody stops this one.
            self._thread = threading.Thread(target=self._run, name="partsum-stream", daemon=True)
            self._thread.start()
        self._busy = True
        self._chunks.put(chunk)

    def _run(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            end: BaseException | None = None
            try:
                with chunk:
                    self._hasher.update(chunk, progress=self._count)
            except BaseException as error:
                end = error
            self._ends.put(end)

    def _count(self, hashed: int) -> None:
        self._hashed += hashed
        if self._stop:
            raise _Stopped

    def wait(self) -> None:
        """Wait until the last chunk is hashed, and raise what that raised."""
        end: BaseException | None = None
        while self._busy:
            with suppress(Empty):
                end = self._ends.get(timeout=TICK)
                self._busy = False
            self.report()
        if end is not None:
            try:
                raise end
            finally:
                del end  # its traceback has this frame

    def report(self) -> None:
        """Call progress, on the caller's thread."""
        hashed = self._hashed
        if self._progress is not None and hashed > self._reported:
            reported, self._reported = self._reported, hashed
            self._progress(hashed - reported)
