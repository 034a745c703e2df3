"""The hashing functions for asyncio: the event loop runs on while other threads hash::

    import partsum.aio

    sums = await partsum.aio.hash_file("big.tar")

Arguments, results and exceptions are those of the functions of the same name in `partsum`, but
`progress` is called on the event loop's thread. Cancelling the task stops the hashing: files and
bytes are let go before CancelledError comes out. Many calls may run at once; those of files and
bytes share the event loop's default executor, so that a thousand of them do not start a thousand
threads. Each stream has a thread of its own, because it may wait for another one's bytes.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import partsum
from partsum._bytes_source import Fill, fill_from
from partsum._stream import hash_filled

if TYPE_CHECKING:
    from os import PathLike
    from typing import SupportsIndex

    from typing_extensions import Buffer

    from partsum._core import _Algorithm, _PartSize
    from partsum._stream import Readable

__all__ = ["hash_bytes", "hash_file", "hash_files", "hash_plans", "hash_stream"]

T = TypeVar("T")
Progress = Callable[[int], object]

# Seconds that a cancelled task waits for its thread. Hashing ends within a few hundredths; a read
# from a silent pipe cannot be ended, and must not hold up the task for ever.
GRACE = 1.0
# Seconds for which a thread takes results before it hands them over: small files come by thousands.
BURST = 0.005


async def hash_file(
    path: str | PathLike[str],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Progress | None = None,
    allow_small_parts: bool = False,
) -> partsum.ObjectChecksums:
    """`partsum.hash_file` for asyncio.

    >>> import asyncio, pathlib, tempfile, partsum.aio
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
    >>> _ = path.write_bytes(b"aaa")
    >>> asyncio.run(partsum.aio.hash_file(path, "CRC64NVME")).checksum("CRC64NVME")
    'Rnr2/5P7Gsk='
    """
    call = partial(
        partsum.hash_file,
        path,
        algorithms,
        part_size=part_size,
        threads=threads,
        io=io,
        allow_small_parts=allow_small_parts,
    )
    return await _in_executor(call, progress)


def hash_files(
    paths: Iterable[str | PathLike[str]],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Progress | None = None,
    allow_small_parts: bool = False,
) -> AsyncIterator[partsum.ObjectChecksums | partsum.FileError]:
    """`partsum.hash_files` for asyncio: an asynchronous iterator, to be taken from by one task.

    `paths` is a plain iterable and is taken from on another thread. Files are hashed while results
    are waited for, not before.

    >>> import asyncio, pathlib, tempfile, partsum.aio
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
    >>> _ = path.write_bytes(b"aaa")
    >>> async def etags():
    ...     return [sums.etag async for sums in partsum.aio.hash_files([path, path], "MD5")]
    >>> asyncio.run(etags())
    ['47bce5c74f589f4867dbd57e9ca9f808', '47bce5c74f589f4867dbd57e9ca9f808']
    """
    listening: list[Progress] = []
    failed: list[Exception] = []

    def tell(hashed: int) -> None:
        listening[0](hashed)

    results = partsum.hash_files(
        paths,
        algorithms,
        part_size=part_size,
        threads=threads,
        io=io,
        progress=tell,
        allow_small_parts=allow_small_parts,
    )

    def take(*, progress: Progress) -> list[partsum.ObjectChecksums | partsum.FileError]:
        if failed:
            raise failed.pop()
        listening[:] = [progress]
        taken: list[partsum.ObjectChecksums | partsum.FileError] = []
        end = time.monotonic() + BURST
        try:
            for result in results:
                taken.append(result)
                if time.monotonic() >= end:
                    break
        except Exception as error:
            if not taken:
                raise
            failed.append(error)  # after what came before it
        return taken

    async def each() -> AsyncIterator[partsum.ObjectChecksums | partsum.FileError]:
        while taken := await _in_executor(take, progress):
            for result in taken:
                yield result

    return each()


async def hash_bytes(
    buffer: Buffer,
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    progress: Progress | None = None,
    allow_small_parts: bool = False,
) -> partsum.ObjectChecksums:
    """`partsum.hash_bytes` for asyncio.

    >>> import asyncio, partsum.aio
    >>> asyncio.run(partsum.aio.hash_bytes(b"hello world", "sha256")).checksum("SHA256")
    'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
    """
    call = partial(
        partsum.hash_bytes,
        buffer,
        algorithms,
        part_size=part_size,
        threads=threads,
        allow_small_parts=allow_small_parts,
    )
    return await _in_executor(call, progress)


async def hash_plans(
    path: str | PathLike[str],
    plans: Iterable[_PartSize],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Progress | None = None,
    allow_small_parts: bool = False,
) -> list[partsum.ObjectChecksums]:
    """`partsum.hash_plans` for asyncio.

    >>> import asyncio, pathlib, tempfile, partsum.aio
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
    >>> _ = path.write_bytes(b"aaa")
    >>> [sums.etag for sums in asyncio.run(partsum.aio.hash_plans(path, [None, "8MiB"], "MD5"))]
    ['47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1']
    """
    call = partial(
        partsum.hash_plans,
        path,
        plans,
        algorithms,
        threads=threads,
        io=io,
        allow_small_parts=allow_small_parts,
    )
    return await _in_executor(call, progress)


async def hash_stream(
    readable: Readable,
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    memory_limit: SupportsIndex | str = "512MiB",
    progress: Progress | None = None,
    allow_small_parts: bool = False,
) -> partsum.ObjectChecksums:
    """`partsum.hash_stream` for asyncio; `readable` is read on another thread.

    Its `read` is a plain one, not a coroutine. A cancelled task waits at most a second for a read
    that does not return; the thread then ends with that read, and hashes no more.

    >>> import asyncio, io, partsum.aio
    >>> sums = asyncio.run(partsum.aio.hash_stream(io.BytesIO(b"aaa"), "CRC64NVME"))
    >>> sums.checksum("CRC64NVME")
    'Rnr2/5P7Gsk='
    """
    call = partial(
        hash_filled,
        algorithms=algorithms,
        part_size=part_size,
        threads=threads,
        memory_limit=memory_limit,
        allow_small_parts=allow_small_parts,
    )
    return await _in_own_thread(fill_from(readable), call, progress)


class _Stopped(Exception):
    """Nobody wants the result any more."""


class _Call(Generic[T]):
    """What the event loop and the thread that hashes know of each other."""

    def __init__(self, call: Callable[..., T], progress: Progress | None) -> None:
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be callable or None, not {type(progress).__name__}")
        self._call = call
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._started = False
        self._stop = False
        self._outcome: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work, on the thread; what comes of it is kept for `outcome`."""
        self._started = True
        try:
            self.check()
            self._outcome.append(self._call(progress=self._hashed))
        except BaseException as error:
            self._error = self._error or error

    def check(self) -> None:
        """Stop here if nobody wants the result any more."""
        if self._stop:
            raise _Stopped

    def _hashed(self, hashed: int) -> None:
        self.check()
        if self._progress is not None:
            self._loop.call_soon_threadsafe(self._tell, self._progress, hashed)

    def _tell(self, progress: Progress, hashed: int) -> None:
        if not self._stop:
            try:
                progress(hashed)
            except Exception as error:
                self._error = error
                self._stop = True

    async def outcome(self, done: asyncio.Future[None]) -> T:
        """Wait for the thread; stop it if the task is cancelled."""
        try:
            await asyncio.wait({done})
        except asyncio.CancelledError:
            self._stop = True
            if self._started:
                await asyncio.wait({done}, timeout=GRACE)
            done.cancel()  # one that is still in the executor's queue never starts
            raise
        # The loop told the last progress before it learnt that the thread is done.
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback has this frame
        return self._outcome.pop()


async def _in_executor(call: Callable[..., T], progress: Progress | None) -> T:
    job = _Call(call, progress)
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await job.outcome(loop.run_in_executor(None, context.run, job.run))


async def _in_own_thread(fill: Fill, call: Callable[..., T], progress: Progress | None) -> T:
    def checked_fill(view: memoryview) -> int:
        count = fill(view)
        job.check()
        return count

    job = _Call(partial(call, checked_fill), progress)
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def run() -> None:
        context.run(job.run)
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(settle)

    # A daemon, so that a read from a silent pipe does not keep the interpreter from ending.
    threading.Thread(target=run, name="partsum-aio", daemon=True).start()
    return await job.outcome(done)
