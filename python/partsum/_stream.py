"""`hash_stream`: bytes of unknown length, read and hashed at the same time."""

from __future__ import annotations

import mmap
import operator
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from partsum._bytes_source import Fill, fill_from
from partsum._core import MultipartHasher, ObjectChecksums, _parse_size

if TYPE_CHECKING:
    from typing import SupportsIndex

    from typing_extensions import Buffer

    from partsum._core import _Algorithm, _PartSize


class HasReadinto(Protocol):
    """What can be read into memory."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class HasRead(Protocol):
    """What can be read."""

    def read(self, size: int, /) -> Buffer | None: ...


Readable = HasReadinto | HasRead


# Bytes of one read: progress is told and Ctrl-C heard between two.
READ = 1 << 20
# Seconds between two looks while the caller waits for the hashing thread.
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
    """Every checksum that S3 will report for the bytes of a stream, from here to its end.

    readable: a binary stream, anything with `readinto` or `read`: a pipe, `sys.stdin.buffer`,
    `socket.makefile("rb")`, gzip, boto3's StreamingBody, an unbuffered file. It is read from where
    it stands until it returns no bytes, and left open. algorithms, part_size, threads,
    allow_small_parts: as in `hash_file`; the size is not known yet, so presets that plan from it
    (such as "rclone") raise PartPlanError. "boto3" is what boto3's upload_fileobj does with a
    stream: one PutObject if less than 8 MiB come, else parts of 8 MiB. progress: called with the
    bytes hashed since the last call (int), on the calling thread; what it raises stops the work
    and comes out.

    memory_limit: bytes (int) or a size such as "512MiB". Two buffers, each at most half of it, are
    read and hashed in turn, so that reading and hashing overlap; they grow as bytes come. Each
    holds as many whole parts as are hashed as fast as they are read (two to eight: at most twice
    64 MiB for parts of 8 MiB), or as fit. Where two parts do not fit into half the limit, they are
    hashed one after the other, more slowly, and 2 MiB suffice; part_size=None is always hashed so.
    A stream that has no `readinto` costs up to 1 MiB more.

    Returns ObjectChecksums; its path is None. What reading raises comes out as it is;
    BlockingIOError if the stream is non-blocking and has no bytes; TypeError for text, for paths
    and for bytes; ValueError for a memory_limit below 1. The GIL is released while hashing; Ctrl-C
    works. No thread and no buffer is left behind, however it ends.

    >>> import io, partsum
    >>> sums = partsum.hash_stream(io.BytesIO(b"aaa"), ["MD5", "CRC64NVME"], part_size="8MiB")
    >>> sums.etag, sums.checksum("CRC64NVME")
    ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
    """
    return hash_filled(
        fill_from(readable),
        algorithms=algorithms,
        part_size=part_size,
        threads=threads,
        memory_limit=memory_limit,
        progress=progress,
        allow_small_parts=allow_small_parts,
    )


hash_stream.__module__ = "partsum"  # where users find it


def hash_filled(
    fill: Fill,
    *,
    algorithms: _Algorithm | Iterable[_Algorithm],
    part_size: _PartSize,
    threads: int | None,
    memory_limit: SupportsIndex | str,
    progress: Callable[[int], object] | None,
    allow_small_parts: bool,
) -> ObjectChecksums:
    """`hash_stream`, of what a function reads into the memory that it is given."""
    half = max(1, _memory(memory_limit) // 2)
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be callable or None, not {type(progress).__name__}")
    hasher = MultipartHasher(
        algorithms, part_size, threads=threads, allow_small_parts=allow_small_parts
    )
    buffers = (_Pages(), _Pages())
    background = _Background(hasher, progress)
    try:
        _feed(fill, hasher, half, buffers, background)
    finally:
        background.close()
        for buffer in buffers:
            buffer.free()
    return hasher.finish()


def _feed(
    fill: Fill,
    hasher: MultipartHasher,
    half: int,
    buffers: tuple[_Pages, _Pages],
    background: _Background,
) -> None:
    offset, turn, wanted, got = 0, 0, 1, 1
    while got == wanted:
        wanted = hasher._best_piece(offset, half)
        with buffers[turn].view(wanted) as view:
            got = _fill_up(fill, view, background)
        background.wait()
        if got:
            background.start(buffers[turn].view(got))
        offset += got
        turn = 1 - turn
    background.wait()


def _fill_up(fill: Fill, view: memoryview, background: _Background) -> int:
    """Read until the view is full or the stream ends; return the number of bytes."""
    got = 0
    while got < len(view):
        room = view[got : got + READ]
        try:
            count = fill(room)
        finally:
            # What raised may still hold on to it, and is the better error.
            with suppress(BufferError):
                room.release()
        if count == 0:
            break
        got += count
        background.tell()
    return got


def _memory(limit: SupportsIndex | str) -> int:
    if isinstance(limit, str):
        try:
            return _parse_size(limit)
        except ValueError:
            raise ValueError(
                f"memory_limit must be bytes or a size such as '512MiB', not {limit!r}"
            ) from None
    if isinstance(limit, bool) or not hasattr(limit, "__index__"):
        raise TypeError(f"memory_limit must be an int or a str, not {type(limit).__name__}")
    size = operator.index(limit)
    if size < 1:
        raise ValueError(f"memory_limit is {size}: hashing a stream takes 1 byte or more")
    return size


class _Pages:
    """Memory that is not there before it is written to.

    A map and not a bytearray, which is written with zeros first: a short stream would pay for the
    longest one.
    """

    def __init__(self) -> None:
        self._map: mmap.mmap | None = None
        self._size = 0

    def view(self, size: int) -> memoryview:
        """The first bytes; to be released by the caller."""
        if self._map is None or self._size < size:
            self.free()
            self._map = mmap.mmap(-1, size)
            self._size = size
            with suppress(AttributeError, OSError):  # fewer page faults, where there are such
                self._map.madvise(mmap.MADV_HUGEPAGE)
        with memoryview(self._map) as whole:
            return whole[:size]

    def free(self) -> None:
        """Give the memory back."""
        if self._map is not None:
            # A stream that kept a view of the buffer keeps the memory, and harms only itself.
            with suppress(BufferError):
                self._map.close()
        self._map = None
        self._size = 0


class _Stopped(Exception):
    """Nobody wants the result any more."""


class _Background:
    """One thread that hashes a piece while the caller reads the next one."""

    def __init__(self, hasher: MultipartHasher, progress: Callable[[int], object] | None) -> None:
        self._hasher = hasher
        self._progress = progress
        self._hashed = 0  # written by the thread alone
        self._told = 0
        self._stop = False
        self._pieces: SimpleQueue[memoryview | None] = SimpleQueue()
        self._ends: SimpleQueue[BaseException | None] = SimpleQueue()
        self._busy = False
        self._thread: threading.Thread | None = None

    def start(self, piece: memoryview) -> None:
        """Hash a piece, and release it; only after wait()."""
        if self._thread is None:
            # A daemon: if the caller's own thread is one and stuck in a read when the interpreter
            # ends, nobody will stop this one.
            self._thread = threading.Thread(target=self._run, name="partsum-stream", daemon=True)
            self._thread.start()
        self._busy = True
        self._pieces.put(piece)

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            end: BaseException | None = None
            try:
                with piece:
                    self._hasher.update(piece, progress=self._count)
            except BaseException as error:
                end = error
            self._ends.put(end)

    def _count(self, hashed: int) -> None:
        self._hashed += hashed
        if self._stop:
            raise _Stopped

    def wait(self) -> None:
        """Wait for the last piece, and raise what it raised."""
        while self._busy:
            try:
                end = self._ends.get(timeout=TICK)
            except Empty:
                self.tell()
                continue
            self._busy = False
            self.tell()
            if end is not None:
                try:
                    raise end
                finally:
                    del end  # its traceback has this frame

    def tell(self) -> None:
        """Call progress, on the caller's thread."""
        hashed = self._hashed
        if self._progress is not None and hashed > self._told:
            told, self._told = self._told, hashed
            self._progress(hashed - told)

    def close(self) -> None:
        """End the thread, in the middle of a piece if need be."""
        self._stop = True
        if self._thread is not None:
            self._pieces.put(None)
            self._thread.join()
