"""Many files at once: their parts share the SIMD lanes, and the results come one by one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import partsum
from partsum.cli._common import Request, has_size, plan_of
from partsum.cli._progress import Callback

T = TypeVar("T")

# Names looked at before they are hashed; the library opens fewer at a time.
LOOK_AHEAD = 1024


class Batches(Generic[T]):
    """Hashes one name after the other, as ``each`` wants them, and neighbours at once.

    What is no regular file, and what the library cannot hash, is left to ``hash_one``: it knows
    other ways, or says again what is wrong.
    """

    def __init__(
        self,
        names: Sequence[str],
        hash_one: Callable[[str, Callback | None], T],
        request: Callable[[str], Request | None],
        take: Callable[[Request, partsum.ObjectChecksums], T],
    ) -> None:
        """Take the names in the order of the calls, and what to ask for each; None is one alone."""
        self._names = names
        self._hash_one = hash_one
        self._request = request
        self._take = take
        self._at = 0
        self._until = 0
        self._batch: dict[int, str] = {}
        self._asked: Request | None = None
        self._results: Iterator[partsum.ObjectChecksums | partsum.FileError] = iter(())

    def __call__(self, name: str, progress: Callback | None) -> T:
        """Give the result of the next name."""
        if self._at == self._until:
            self._start(progress)
        position = self._at
        self._at += 1
        if position not in self._batch:
            return self._hash_one(name, progress)
        result = next(self._results)
        if isinstance(result, partsum.FileError):
            return self._hash_one(name, progress)
        assert self._asked  # by _start
        return self._take(self._asked, result)

    def _start(self, progress: Callback | None) -> None:
        """Hash the names from here on that are asked for the same, if there are at least two."""
        self._batch = {}
        asked = None
        for name in self._names[self._at : self._at + LOOK_AHEAD]:
            request = self._request(name)
            if request is None or (asked is not None and request != asked):
                break
            asked = request
            if _is_regular(name):
                self._batch[self._until] = name
            self._until += 1
        self._until = max(self._until, self._at + 1)
        if len(self._batch) < 2:
            self._batch = {}
        elif asked:
            hash_files = asked.cache.hash_files if asked.cache else partsum.hash_files
            self._results = hash_files(
                list(self._batch.values()),
                asked.algorithms,
                part_size=plan_of(asked.part_size),
                allow_small_parts=asked.allow_small_parts,
                threads=asked.threads,
                io="read" if asked.no_mmap else "auto",
                progress=progress,
            )
            self._asked = asked


def _is_regular(name: str) -> bool:
    try:
        return has_size(name)
    except OSError:
        return False
