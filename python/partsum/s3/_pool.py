"""Thread pools that hash files and make requests at the same time, and order the results."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from stat import S_ISREG
from types import TracebackType
from typing import Any, Literal, NamedTuple

from partsum._core import _Answers
from partsum.s3._entry import Entry, EntryStatus
from partsum.verdict import Verdict

# Files that are settled one by one: one thread each, and from this size on all threads in turn.
LARGE = 64 << 20
# Batches under way; each has at most 256 keys, or one key past 256 MiB.
AHEAD = 8
BATCH_KEYS = 256
BATCH_BYTES = 256 << 20

# What a batch becomes: entries, some of which need a request first.
Batch = list["Entry | Future[Entry]"]


class FileAndObject(NamedTuple):
    """A file and an object under one key."""

    key: str
    path: str
    answers: _Answers
    """S3's responses about the object so far."""
    note: str = ""
    """Text that goes before the reason."""
    instead_of: str | None = None
    """The likelier reading of the key, which belongs to no file; None if `key` is the likeliest."""

    def entry(self, verdict: Verdict) -> Entry:
        status = EntryStatus(verdict.status)
        reason = self.note + verdict.reason
        return Entry(self.key, self.path, status, reason, *verdict[2:6])

    def failed(self, error: BaseException) -> Entry:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Entry(self.key, self.path, EntryStatus.ERROR, self.note + words)


class ComparisonStopped(BaseException):
    """Stops the threads when the result is no longer wanted."""


class ComparisonPool:
    """Two threads that hash batches (each uses `threads` threads), and threads for requests."""

    def __init__(
        self,
        requests: int,
        *,
        threads: int | None,
        io: Literal["auto", "mmap", "read", "direct"],
        progress: Callable[[int], object] | None,
        thorough: bool = False,
    ) -> None:
        if requests < 1:
            raise ValueError(f"requests must be at least 1, not {requests}")
        self.hashers = ThreadPoolExecutor(2, "partsum-hash")
        self.askers = ThreadPoolExecutor(requests, "partsum-ask")
        self.hashing: dict[str, Any] = {"threads": threads, "io": io, "progress": self._tick}
        self._progress = progress
        self.thorough = thorough
        self._reporting = threading.Lock()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> ComparisonPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for pool in (self.hashers, self.askers):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (self.hashers, self.askers):
            pool.shutdown()
        if isinstance(error, ComparisonStopped) and self._failure is not None:
            raise self._failure from None

    def of_size(self, size: int) -> dict[str, Any]:
        """Return Local's arguments for a file that is compared by itself."""
        hashing = {**self.hashing, "thorough": self.thorough}
        if size < LARGE:
            return {"hashing": {**hashing, "threads": 1}}
        return {"hashing": hashing, "turn": self._turn}

    def _tick(self, count: int) -> None:
        if self._stop.is_set():
            raise ComparisonStopped
        if self._progress is not None:
            with self._reporting:
                try:
                    self._progress(count)
                except BaseException as error:
                    self._failure = self._failure or error
                    self._stop.set()
                    raise ComparisonStopped from error

    def in_order(self, batches: Iterable[Batch | Future[Batch]]) -> Iterator[Entry]:
        """Yield the entries of all batches in order, with at most a few batches under way."""
        waiting: deque[Batch | Future[Batch]] = deque()
        for batch in batches:
            waiting.append(batch)
            while len(waiting) > AHEAD or (waiting and _is_done(waiting[0])):
                yield from _entries(waiting.popleft())
        while waiting:
            yield from _entries(waiting.popleft())


def batches(items: Iterable[Entry | FileAndObject]) -> Iterator[list[Entry | FileAndObject]]:
    """Group items into batches that are large enough for a task."""
    batch: list[Entry | FileAndObject] = []
    size = 0
    for item in items:
        batch.append(item)
        size += (item.answers.size or 0) if isinstance(item, FileAndObject) else 0
        if len(batch) == BATCH_KEYS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def by_size(pair: FileAndObject) -> Entry | None:
    """Return an entry if the size decides, or if the path is not a regular file."""
    try:
        status = os.stat(pair.path)  # noqa: PTH116 - a Path for each costs as much
    except OSError as error:
        return pair.failed(error)
    if not S_ISREG(status.st_mode):
        reason = f"{pair.note}it is no regular file"
        return Entry(pair.key, pair.path, EntryStatus.NOT_COMPARABLE, reason)
    ours, theirs = status.st_size, pair.answers.size
    if theirs in (None, ours):
        return None
    reason = f"{pair.note}the size is {theirs} bytes in S3, {ours} here"
    return Entry(pair.key, pair.path, EntryStatus.MISMATCH, reason)


def _is_done(batch: Batch | Future[Batch]) -> bool:
    return isinstance(batch, list) or batch.done()


def _entries(batch: Batch | Future[Batch]) -> Iterator[Entry]:
    for entry in batch if isinstance(batch, list) else batch.result():
        yield entry if isinstance(entry, Entry) else entry.result()
