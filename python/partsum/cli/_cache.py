"""Checksums remembered for files of which the inode says that nothing has changed.

Values are kept by the file's device, inode, size, mtime and ctime (which no program can set), the
part plan and the algorithm. They are stored only if all that was the same before and after the file
was hashed, and if both times were older than `SETTLED` before: then a later write gives it another
time, even where the file system's clock is coarse. (git calls the others "racily clean".) Nor is
anything taken for a file whose times are so recent, or in the future of a clock that was set back.

What no time tells is not seen: stores to a shared mapping that leave the times as they are (tmpfs;
elsewhere, to a page that is dirty already), a file server whose clock is seconds behind, a name
that leads to another file while it is hashed and back again before the end, writes to the disk
below the file system.
"""

import os
import stat
import time
from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import partsum
from partsum.cli._common import say
from partsum.cli._progress import Callback

if TYPE_CHECKING:
    from partsum.cli._digest_store import Row, Stamp, Store

T = TypeVar("T")

# Nanoseconds. The coarsest times are FAT's, of two seconds.
SETTLED = 3_000_000_000
# A transaction costs as much as hashing a small file: digests are stored so many at once, or those
# of so many seconds.
AT_ONCE = 256
BETWEEN_STORES = 1.0

_WHOLE = "whole"


class Cache:
    """Has the library's `hash_file` and `hash_files`, for files that have a size.

    What is wrong with the cache is said once, and then it is done without.
    """

    def __init__(self) -> None:
        self._store: Store | None = None
        self._given_up = False
        self._pending: list[tuple[Stamp, bytes, Row]] = []
        self._stored = 0.0

    def hash_file(
        self,
        name: str,
        algorithms: Sequence[str],
        **options: Any,  # noqa: ANN401
    ) -> partsum.ObjectChecksums:
        """As the library's, with the same options."""
        [result] = self.hash_files([name], algorithms, **options)
        if isinstance(result, partsum.FileError):
            raise result.error
        return result

    def hash_files(
        self,
        names: Sequence[str],
        algorithms: Sequence[str],
        *,
        part_size: int | str | None,
        allow_small_parts: bool,
        progress: Callback | None,
        **how: Any,  # noqa: ANN401
    ) -> Iterator[partsum.ObjectChecksums | partsum.FileError]:
        """As the library's; what is known is not read."""
        self._flush()  # so that a file that is named twice is found
        stamps = [_look(name) for name in names]
        known: list[partsum.ObjectChecksums | None] = []
        for stamp in stamps:
            known.append(None)
            if stamp:
                with suppress(partsum.PartPlanError):  # which the library says again
                    plan = partsum.plan_parts(
                        stamp.size, part_size, allow_small_parts=allow_small_parts
                    )
                    values = self._find(stamp, _key(plan), algorithms)
                    known[-1] = _sums(stamp.size, plan, values) if values else None
        computed = partsum.hash_files(
            [name for name, sums in zip(names, known, strict=True) if not sums],
            algorithms,
            part_size=part_size,
            allow_small_parts=allow_small_parts,
            progress=progress,
            **how,
        )
        for name, stamp, sums in zip(names, stamps, known, strict=True):
            if sums:
                if progress:
                    progress(sums.size)
                yield sums
            else:
                result = next(computed)
                if stamp and isinstance(result, partsum.ObjectChecksums):
                    values = {alg: _digests(result, alg) for alg in result.algorithms}
                    self._remember(name, stamp, _key(result.plan), values)
                yield result

    def digests(
        self, name: str, algorithms: Sequence[str], compute: Callable[[], dict[str, bytes]]
    ) -> dict[str, bytes]:
        """Digests of all bytes of a file, which may be longer than an object without parts."""
        self._flush()
        stamp = _look(name)
        found = stamp and self._find(stamp, _WHOLE, algorithms)
        if found:
            return found
        values = compute()
        if stamp:
            self._remember(name, stamp, _WHOLE, values)
        return values

    def remembered(self, name: str) -> Iterator[partsum.ObjectChecksums]:
        """All that is known of a file, one plan after the other."""
        self._flush()
        stamp = _look(name)
        if not stamp:
            return
        rows: list[Row] = self._do(lambda store: store.of_file(stamp), [])
        for plan, of_plan in groupby(rows, key=lambda row: row.plan):
            values = {row.algorithm: row.value for row in of_plan}
            yield _sums(stamp.size, _plan_of(plan, stamp.size), values)

    def close(self) -> None:
        """Store what is not yet stored, and close the cache's file."""
        self._flush()
        if self._store:
            self._store.close()

    def _find(
        self, stamp: "Stamp", plan: str, algorithms: Sequence[str]
    ) -> dict[str, bytes] | None:
        """Find the digests by all of the algorithms, or nothing: a file is read once for all."""

        values: dict[str, bytes] = self._do(lambda store: store.of_plan(stamp, plan), {})
        if not values.keys() >= set(algorithms):
            return None
        return {algorithm: values[algorithm] for algorithm in algorithms}

    def _remember(self, name: str, before: "Stamp", plan: str, values: dict[str, bytes]) -> None:
        """Put the digests with those that are stored next."""
        from partsum.cli._digest_store import Row, Stamp

        try:
            after = Stamp.of(os.stat(name))  # noqa: PTH116
        except OSError:
            return
        if after == before:
            path = os.fsencode(os.path.abspath(name))  # noqa: PTH100
            self._pending += [(before, path, Row(plan, alg, values[alg])) for alg in values]
        if len(self._pending) >= AT_ONCE or time.monotonic() > self._stored + BETWEEN_STORES:
            self._flush()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if pending:
            self._do(lambda store: store.put(pending), None)
        self._stored = time.monotonic()

    def _do(self, work: "Callable[[Store], T]", otherwise: T) -> T:
        """Give what the store gives; without one, something else."""
        if self._given_up:
            return otherwise
        try:
            from partsum.cli._digest_store import Store, StoreError
        except ImportError:
            return self._give_up("this Python was built without SQLite", otherwise)
        try:
            self._store = self._store or Store()
            return work(self._store)
        except StoreError as error:
            return self._give_up(str(error), otherwise)

    def _give_up(self, why: str, otherwise: T) -> T:
        say(f"note: no cache: {why}")
        self._given_up = True
        return otherwise


def _look(name: str) -> "Stamp | None":
    """What tells of a change; None if it does not, or if the file cannot be read at all.

    The file is opened, because that makes NFS ask the server for the times.
    """
    now = time.time_ns()
    try:
        file = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(file)
        finally:
            os.close(file)
    except OSError:
        return None
    settled = max(status.st_mtime_ns, status.st_ctime_ns) < now - SETTLED
    if not settled or not stat.S_ISREG(status.st_mode) or not status.st_size:
        return None
    from partsum.cli._digest_store import Stamp

    return Stamp.of(status)


def _key(plan: partsum.PartPlan) -> str:
    """The sizes of the parts, runs of equal ones as "8388608*12"."""
    if not plan.multipart:
        return _WHOLE
    return "+".join(f"{size}*{len(list(run))}" for size, run in groupby(plan.sizes))


def _plan_of(key: str, size: int) -> partsum.PartPlan:
    if key == _WHOLE:
        return partsum.plan_parts(size, None)
    runs = (map(int, run.split("*")) for run in key.split("+"))
    sizes = [part for part, count in runs for _ in range(count)]
    return partsum.plan_parts(size, sizes, allow_small_parts=True)


def _digests(sums: partsum.ObjectChecksums, algorithm: str) -> bytes:
    return b"".join(part.digest(algorithm) for part in sums.parts)


def _sums(size: int, plan: partsum.PartPlan, values: dict[str, bytes]) -> partsum.ObjectChecksums:
    checksums = {}
    for algorithm, value in values.items():
        step = partsum.ALGORITHMS[algorithm].digest_size
        parts = [value[at : at + step] for at in range(0, len(value), step)]
        checksums[algorithm] = [b2a_base64(part, newline=False).decode() for part in parts]
    return partsum.ObjectChecksums.from_dict(
        {
            "format": "partsum.ObjectChecksums/1",
            "path": None,
            "size": size,
            "multipart": plan.multipart,
            "part_sizes": plan.sizes,
            "checksums": checksums,
        }
    )
