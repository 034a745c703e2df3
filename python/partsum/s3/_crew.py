"""Threads that hash and ask at the same time, and the order of what they bring."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Literal

from partsum.s3._entry import Entry

# Files that are settled one by one: one thread each, and from this size on all threads in turn.
LARGE = 64 << 20
# Batches under way; each has at most 256 keys, or one key past 256 MiB.
AHEAD = 8
BATCH_KEYS = 256
BATCH_BYTES = 256 << 20

# What a batch becomes: entries, some of which need a request first.
Batch = list["Entry | Future[Entry]"]


class Stopped(BaseException):
    """Nobody wants the result any more: for the threads alone."""


class Crew:
    """Two threads that hash batches (each with `threads` of its own), and those that ask."""

    def __init__(
        self,
        requests: int,
        *,
        threads: int | None,
        io: Literal["auto", "mmap", "read"],
        progress: Callable[[int], object] | None,
    ) -> None:
        if requests < 1:
            raise ValueError(f"requests must be at least 1, not {requests}")
        self.hashers = ThreadPoolExecutor(2, "partsum-hash")
        self.askers = ThreadPoolExecutor(requests, "partsum-ask")
        self.hashing: dict[str, Any] = {"threads": threads, "io": io, "progress": self._tick}
        self._progress = progress
        self._reporting = threading.Lock()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> Crew:
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
        if isinstance(error, Stopped) and self._failure is not None:
            raise self._failure from None

    def of_size(self, size: int) -> dict[str, Any]:
        """Arguments of Local for a file that is settled alone."""
        if size < LARGE:
            return {"hashing": {**self.hashing, "threads": 1}}
        return {"hashing": self.hashing, "turn": self._turn}

    def _tick(self, count: int) -> None:
        if self._stop.is_set():
            raise Stopped
        if self._progress is not None:
            with self._reporting:
                try:
                    self._progress(count)
                except BaseException as error:
                    self._failure = self._failure or error
                    self._stop.set()
                    raise Stopped from error

    def in_order(self, batches: Iterable[Batch | Future[Batch]]) -> Iterator[Entry]:
        """The entries of all batches, with a few batches under way."""
        waiting: deque[Batch | Future[Batch]] = deque()
        for batch in batches:
            waiting.append(batch)
            while len(waiting) > AHEAD or (waiting and _is_done(waiting[0])):
                yield from _entries(waiting.popleft())
        while waiting:
            yield from _entries(waiting.popleft())


def _is_done(batch: Batch | Future[Batch]) -> bool:
    return isinstance(batch, list) or batch.done()


def _entries(batch: Batch | Future[Batch]) -> Iterator[Entry]:
    for entry in batch if isinstance(batch, list) else batch.result():
        yield entry if isinstance(entry, Entry) else entry.result()
