"""The hashing functions for asyncio: the event loop continues while other threads hash.

Arguments, results and exceptions are those of the functions of the same name in `partsum`, except
that `progress` is called on the event loop's thread. If the task is cancelled, hashing stops, and
files and bytes are released before CancelledError is raised. Any number of calls may run at once.
Those for files and bytes share the event loop's default executor, so that a thousand calls do not
start a thousand threads. Each stream has its own thread, because it may have to wait for the bytes
of another one.

Example::

    import partsum.aio

    sums = await partsum.aio.hash_file("big.tar")
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

import partsum
from partsum._stream import Readable, check_progress, fill_from

__all__ = ["hash_bytes", "hash_file", "hash_files", "hash_plans", "hash_stream"]

P = ParamSpec("P")
T = TypeVar("T")
Progress: TypeAlias = Callable[[int], object]
Hashing: TypeAlias = Coroutine[Any, Any, T]
Same: TypeAlias = Any  # `_as` gives them the types of the function in partsum

# Seconds that a cancelled task waits for its thread. Hashing ends within a few hundredths of a
# second. A read from a silent pipe cannot be ended, and the task must not wait for it.
GRACE = 1.0
# Seconds for which a thread collects results before it returns them, for thousands of small files.
BURST = 0.005


def _as(function: Callable[P, object]) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Give the decorated function the parameters of another one, and their documentation."""

    def decorate(awaitable: Callable[..., T]) -> Callable[P, T]:
        awaitable.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        described = inspect.cleandoc(function.__doc__ or "")
        sections = re.search(r"^Args:\n.*?(?=^Example:|\Z)", described, re.DOTALL | re.MULTILINE)
        before, example, after = inspect.cleandoc(awaitable.__doc__ or "").partition("Example:")
        awaitable.__doc__ = before + (sections[0] if sections else "") + example + after
        return awaitable

    return decorate


@_as(partsum.hash_file)
def hash_file(
    *args: Same, progress: Progress | None = None, **options: Same
) -> Hashing[partsum.ObjectChecksums]:
    """Do what `partsum.hash_file` does, with the same arguments, for asyncio.

    Example:
        >>> import asyncio, pathlib, tempfile, partsum.aio
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> asyncio.run(partsum.aio.hash_file(path, "CRC64NVME")).checksum("CRC64NVME")
        'Rnr2/5P7Gsk='
    """
    return _in_executor(partial(partsum.hash_file, *args, **options), progress)


@_as(partsum.hash_files)
def hash_files(
    *args: Same, progress: Progress | None = None, **options: Same
) -> AsyncIterator[partsum.ObjectChecksums | partsum.FileError]:
    """Do what `partsum.hash_files` does, with the same arguments, for asyncio.

    Returns an asynchronous iterator, for one task. `paths` is a plain iterable, and its items are
    taken on another thread. Files are hashed while the task waits for results, not before.

    Example:
        >>> import asyncio, pathlib, tempfile, partsum.aio
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> async def etags():
        ...     return [sums.etag async for sums in partsum.aio.hash_files([path, path], "MD5")]
        >>> asyncio.run(etags())
        ['47bce5c74f589f4867dbd57e9ca9f808', '47bce5c74f589f4867dbd57e9ca9f808']
    """
    listener: list[Progress] = []  # of the call that takes results
    failed: list[Exception] = []

    def report(hashed: int) -> None:
        listener[0](hashed)

    results = partsum.hash_files(*args, progress=report, **options)

    def take(*, progress: Progress) -> list[partsum.ObjectChecksums | partsum.FileError]:
        listener[:] = [progress]
        if failed:
            raise failed.pop()
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
            failed.append(error)  # raised after the results before it
        return taken

    async def each() -> AsyncIterator[partsum.ObjectChecksums | partsum.FileError]:
        while taken := await _in_executor(take, progress):
            for result in taken:
                yield result

    return each()


@_as(partsum.hash_bytes)
def hash_bytes(
    *args: Same, progress: Progress | None = None, **options: Same
) -> Hashing[partsum.ObjectChecksums]:
    """Do what `partsum.hash_bytes` does, with the same arguments, for asyncio.

    Example:
        >>> import asyncio, partsum.aio
        >>> asyncio.run(partsum.aio.hash_bytes(b"hello world", "sha256")).checksum("SHA256")
        'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
    """
    return _in_executor(partial(partsum.hash_bytes, *args, **options), progress)


@_as(partsum.hash_plans)
def hash_plans(
    *args: Same, progress: Progress | None = None, **options: Same
) -> Hashing[list[partsum.ObjectChecksums]]:
    """Do what `partsum.hash_plans` does, with the same arguments, for asyncio.

    Example:
        >>> import asyncio, pathlib, tempfile, partsum.aio
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> found = asyncio.run(partsum.aio.hash_plans(path, [None, "8MiB"], "MD5"))
        >>> [sums.etag for sums in found]
        ['47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1']
    """
    return _in_executor(partial(partsum.hash_plans, *args, **options), progress)


@_as(partsum.hash_stream)
def hash_stream(
    readable: Readable, *args: Same, progress: Progress | None = None, **options: Same
) -> Hashing[partsum.ObjectChecksums]:
    """Do what `partsum.hash_stream` does, with the same arguments, for asyncio.

    The stream is read on another thread: its `read` is a plain method, not a coroutine. A cancelled
    task waits at most a second for a read that does not return. The thread ends when the read
    returns, and hashes no more.

    Example:
        >>> import asyncio, io, partsum.aio
        >>> sums = asyncio.run(partsum.aio.hash_stream(io.BytesIO(b"aaa"), "CRC64NVME"))
        >>> sums.checksum("CRC64NVME")
        'Rnr2/5P7Gsk='
    """
    return _in_own_thread(readable, progress, *args, **options)


async def _in_own_thread(
    readable: Readable, progress: Progress | None, *args: Same, **options: Same
) -> partsum.ObjectChecksums:
    stoppable = _Stoppable(readable)
    call = _Call(partial(partsum.hash_stream, stoppable, *args, **options), progress)
    stoppable.check = call.check
    context = contextvars.copy_context()
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()  # cancelling it does not end the thread

    def run() -> None:
        context.run(call.run)
        future.set_result(None)

    # A daemon, so that a read from a silent pipe does not keep the interpreter from ending.
    threading.Thread(target=run, name="partsum-aio", daemon=True).start()
    return await call.result(asyncio.wrap_future(future))


async def _in_executor(function: Callable[..., T], progress: Progress | None) -> T:
    call = _Call(function, progress)
    context = contextvars.copy_context()
    done = asyncio.get_running_loop().run_in_executor(None, context.run, call.run)
    return await call.result(done)


class _Stopped(Exception):
    """The result is not needed any more."""


class _Stoppable:
    """A stream that stops between two reads."""

    check: Callable[[], None]

    def __init__(self, readable: Readable) -> None:
        self._fill = fill_from(readable)

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._fill(buffer)
        self.check()
        return count


class _Call(Generic[T]):
    """One call, as the event loop and the thread that hashes share it."""

    def __init__(self, function: Callable[..., T], progress: Progress | None) -> None:
        check_progress(progress)
        self._function = function
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._started = False
        self._stop = False
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the function, on the thread; keep its result or exception for `result`."""
        self._started = True
        try:
            self.check()
            self._result.append(self._function(progress=self._hashed))
        except BaseException as error:
            self._error = self._error or error

    def check(self) -> None:
        """Stop here if the result is not needed any more."""
        if self._stop:
            raise _Stopped

    def _hashed(self, hashed: int) -> None:
        self.check()
        if self._progress is not None:
            self._loop.call_soon_threadsafe(self._report, self._progress, hashed)

    def _report(self, progress: Progress, hashed: int) -> None:
        if not self._stop:
            try:
                progress(hashed)
            except Exception as error:
                self._error = error
                self._stop = True

    async def result(self, done: asyncio.Future[None]) -> T:
        """Wait for the thread; stop it if the task is cancelled."""
        try:
            await asyncio.wait({done})
        except asyncio.CancelledError:
            self._stop = True
            if self._started:
                await asyncio.wait({done}, timeout=GRACE)
            done.cancel()  # a call that is still in the executor's queue never starts
            raise
        # The loop has reported all progress before it learns that the thread is done.
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback has this frame
        return self._result.pop()
