"""Checksums that are kept for files, and used while the inode says that nothing has changed.

Values are kept by the file's device, inode, size, mtime and ctime (which no program can set), the
part plan and the algorithm. They are stored only if all of that is the same before and after the
file is hashed, and if both times were older than `SETTLED` before: then a later write gives the
file another time, even where the clock of the file system is coarse. (git calls the others "racily
clean".) Nothing is served for a file whose times are so recent, or in the future of a clock that
was set back.

These changes are not noticed: stores to a shared mapping that leave the times as they are (tmpfs;
elsewhere, to a page that is dirty already), writes on a file server whose clock is seconds behind,
a name that leads to another file while it is hashed and back again before the end, and writes to
the disk below the file system.
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
from partsum.cli.terminal import Callback, say

if TYPE_CHECKING:
    from partsum.cli.cached.store import Row, Stamp, Store

T = TypeVar("T")

# Nanoseconds. The coarsest times are FAT's, of two seconds.
SETTLED = 3_000_000_000
# A transaction costs as much as hashing a small file: so many digests are stored at once, or those
# of so many seconds.
AT_ONCE = 256
BETWEEN_STORES = 1.0

_WHOLE = "whole"


class Cache:
    """Has the library's `hash_file` and `hash_files`, for files that have a size.

    What is wrong with the cache is said once, and the files are hashed without it.
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
        """Do what the library's function does, with the same options."""
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
        """Do what the library's function does, but read only the files that are not known."""
        planning: dict[str, Any] = {
            "part_size": part_size,
            "allow_small_parts": allow_small_parts,
        }
        self._flush()  # so that a file that is named twice is found
        stamps = [_look(name) for name in names]
        known: list[partsum.ObjectChecksums | None] = []
        for stamp in stamps:
            known.append(None)
            if stamp:
                with suppress(partsum.PartPlanError):  # which the library raises again
                    plan = partsum.plan_parts(stamp.size, **planning)
                    values = self._find(stamp, _key(plan), algorithms)
                    known[-1] = _sums(plan, values) if values else None
        computed = partsum.hash_files(
            [name for name, sums in zip(names, known, strict=True) if not sums],
            algorithms,
            progress=progress,
            **planning,
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
                    self._keep(name, stamp, _key(result.plan), values)
                yield result

    def digests(
        self, name: str, algorithms: Sequence[str], compute: Callable[[], dict[str, bytes]]
    ) -> dict[str, bytes]:
        """Return digests of all bytes of a file, which may be too large for one PutObject."""
        self._flush()
        stamp = _look(name)
        found = stamp and self._find(stamp, _WHOLE, algorithms)
        if found:
            return found
        values = compute()
        if stamp:
            self._keep(name, stamp, _WHOLE, values)
        return values

    def remembered(self, name: str) -> Iterator[partsum.ObjectChecksums]:
        """Give all that is known of a file, one plan after the other."""
        self._flush()
        stamp = _look(name)
        if not stamp:
            return
        rows: list[Row] = self._use(lambda store: store.of_file(stamp), [])
        for plan, of_plan in groupby(rows, key=lambda row: row.plan):
            values = {row.algorithm: row.value for row in of_plan}
            yield _sums(_plan_of(plan, stamp.size), values)

    def close(self) -> None:
        """Store what is not yet stored, and close the cache's file."""
        self._flush()
        if self._store:
            self._store.close()

    def _find(
        self, stamp: "Stamp", plan: str, algorithms: Sequence[str]
    ) -> dict[str, bytes] | None:
        """Return the digests by all of the algorithms, or nothing: one read computes them all."""
        values: dict[str, bytes] = self._use(lambda store: store.of_plan(stamp, plan), {})
        if not values.keys() >= set(algorithms):
            return None
        return {algorithm: values[algorithm] for algorithm in algorithms}

    def _keep(self, name: str, before: "Stamp", plan: str, values: dict[str, bytes]) -> None:
        """Add digests to those that are stored next."""
        from partsum.cli.cached.store import Row, Stamp

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
            self._use(lambda store: store.put(pending), None)
        self._stored = time.monotonic()

    def _use(self, work: "Callable[[Store], T]", otherwise: T) -> T:
        """Return what the store gives, or something else where there is none."""
        if self._given_up:
            return otherwise
        why = "this Python was built without SQLite"
        with suppress(ImportError):
            from partsum.cli.cached.store import Store, StoreError

            try:
                self._store = self._store or Store()
                return work(self._store)
            except StoreError as error:
                why = str(error)
        say(f"note: no cache: {why}")
        self._given_up = True
        return otherwise


def _look(name: str) -> "Stamp | None":
    """Return what shows a change; None if nothing does, or if the file cannot be read at all.

    The file is opened, because NFS then asks the server for the times.
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
    from partsum.cli.cached.store import Stamp

    return Stamp.of(status)


def _key(plan: partsum.PartPlan) -> str:
    """Return the sizes of the parts, runs of equal ones as "8388608*12"."""
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


def _sums(plan: partsum.PartPlan, values: dict[str, bytes]) -> partsum.ObjectChecksums:
    checksums = {}
    for algorithm, value in values.items():
        step = partsum.ALGORITHMS[algorithm].digest_size
        parts = [value[at : at + step] for at in range(0, len(value), step)]
        checksums[algorithm] = [b2a_base64(part, newline=False).decode() for part in parts]
    return partsum.ObjectChecksums.from_dict(
        {
            "format": "partsum.ObjectChecksums/1",
            "path": None,
            "size": plan.size,
            "multipart": plan.multipart,
            "part_sizes": plan.sizes,
            "checksums": checksums,
        }
    )
