"""Measure: in pairs, in turns, and never without looking at the answers."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import partsum
from partsum._core import _parse_size
from partsum.bench import _machine
from partsum.bench._jobs import ALGORITHMS, JOBS, Task, Tasks, Way
from partsum.bench._peers import find_peers
from partsum.bench._report import Pair, Report, Result

# 32 default parts fill the lanes of a thread; a run takes the same time whatever their number.
SIZE_PER_THREAD, MOST_SIZE = 256 << 20, 2 << 30
DEFAULT_PART_SIZE = 8 << 20
SOURCES = ("file", "ram")
# Six pairs are the fewest that give an interval of 95 %.
FEWEST_PAIRS, MOST_PAIRS = 6, 15
QUICK_PAIRS = 3
SECONDS = 110.0

Size: TypeAlias = int | str


class WrongDigest(partsum.PartsumError):
    """Partsum and a peer gave different digests, or one of them another one than before.

    >>> import partsum
    >>> from partsum import bench
    >>> issubclass(bench.WrongDigest, partsum.PartsumError)
    True
    """


class Progress(NamedTuple):
    """How far a run is.

    >>> from partsum import bench
    >>> steps = []
    >>> report = bench.run([], ["MD5"], size="1MiB", pairs=1, progress=steps.append)
    >>> steps[-1].phase, steps[-1].done == steps[-1].total
    ('measure', True)
    """

    phase: str
    """``"prepare"`` (files), ``"warm up"`` (each way once, digests compared), ``"measure"``."""
    title: str
    """What is next."""
    done: int
    """Steps of this phase."""
    total: int
    """Steps of this phase."""
    seconds_left: float | None
    """Until the end of the run, once the warm-up has shown how long things take."""


def run(
    jobs: Iterable[str] | None = None,
    algorithms: Iterable[str] | None = None,
    *,
    sources: Iterable[str] = SOURCES,
    size: Size | None = None,
    part_size: Size = DEFAULT_PART_SIZE,
    pairs: int | None = None,
    threads: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    quick: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Report:
    """Compare partsum with every peer that is on this machine.

    Runs come in pairs, partsum and a peer in turns, and each round goes through all comparisons, so
    that a slow minute of the machine falls on all of them. Each answer is compared, outside of the
    time, with the one that both gave at first.

    Args:
        jobs: Names of `JOBS`; all of them by default, none if only algorithms are named.
        algorithms: S3's names; all by default, none if only jobs are named.
        sources: Where an algorithm finds its bytes: ``"file"`` (in the page cache) and ``"ram"``.
        size: Bytes of the big file; by default 256 MiB for each thread, at most 2 GiB and an eighth
            of the free memory. The tree of small files and the file that is one message have a
            quarter of it, at most 10,000 files and 1 GiB.
        part_size: Bytes of a part.
        pairs: Per comparison; by default as many as fit in about two minutes, 6 to 15.
        threads: For partsum and for the peers; by default what partsum uses by itself.
        folder: Where a folder for the files is made, and removed; by default the system's.
        quick: Half the default size and 3 pairs, for a first impression in half a minute.
        progress: Called with a `Progress` before each step; its exceptions end the run.

    Raises:
        WrongDigest: somebody computed something else: there is no report then.
        ValueError: an unknown name, or a size that memory cannot hold.
        OSError: the files cannot be written, or a command failed.
        PartsumError: a peer failed.

    >>> from partsum import bench
    >>> report = bench.run(["etag"], [], size="16MiB", pairs=1)
    >>> {result.title for result in report.results}
    {'ETag of one big file'}
    """
    if jobs is None and algorithms is None:
        jobs, algorithms = JOBS, ALGORITHMS
    names = _known(jobs or (), JOBS, "job")
    algorithms = _known([name.upper() for name in algorithms or ()], ALGORITHMS, "algorithm")
    sources = _known(sources, SOURCES, "source")
    part_bytes = _bytes(part_size, "part_size")
    count = _whole_number(threads, "threads") or _machine.cpus_allowed()
    pairs = _whole_number(pairs, "pairs") or (QUICK_PAIRS if quick else None)
    size = _default_size(count) // (2 if quick else 1) if size is None else _bytes(size, "size")
    partsum.plan_parts(size, part_bytes, allow_small_parts=True)  # refuse what S3 would
    began = time.perf_counter()
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    tell = progress or (lambda _step: None)

    with tempfile.TemporaryDirectory(prefix="partsum-bench-", dir=folder) as made:
        place = Path(made)
        _check_room(
            place,
            on_disk=size if names or (algorithms and "file" in sources) else 0,
            in_ram=size if algorithms and "ram" in sources else 0,
        )
        machine = _machine.describe(place)
        machine["load_before"] = _machine.load()
        tasks, skipped = _prepare(
            Tasks(place, size, part_bytes, count), names, algorithms, sources, tell
        )
        expected, needed = _warm_up(tasks, tell)
        if pairs is None:
            spare = SECONDS - (time.perf_counter() - began)
            pairs = min(max(int(spare / (needed or 1)), FEWEST_PAIRS), MOST_PAIRS)
        results = _measure(tasks, expected, pairs, needed * pairs, tell)
    machine["load_after"] = _machine.load()
    return Report(
        started,
        round(time.perf_counter() - began, 1),
        {
            "jobs": list(names),
            "algorithms": list(algorithms),
            "sources": list(sources),
            "size": size,
            "part_size": part_bytes,
            "pairs": pairs,
            "threads": count,
        },
        machine,
        find_peers(),
        results,
        tuple(skipped),
    )


# --- arguments -----------------------------------------------------------------------------------


def _known(names: Iterable[str], table: Iterable[str], what: str) -> tuple[str, ...]:
    if isinstance(names, str):
        names = (names,)
    names = tuple(dict.fromkeys(names))
    for name in names:
        if name not in table:
            raise ValueError(f"no {what} {name!r}: there are {', '.join(table)}")
    return names


def _bytes(size: Size, name: str) -> int:
    try:
        number = _parse_size(size) if isinstance(size, str) else size
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} must be bytes or a size such as '512MiB', not {size!r}")
    return number


def _whole_number(value: int | None, name: str) -> int | None:
    if value is not None and value < 1:
        raise ValueError(f"{name} is {value}: it takes 1 or more")
    return value


def _default_size(threads: int) -> int:
    """What keeps every thread busy and leaves most of the memory alone, in whole default parts."""
    size = min(threads * SIZE_PER_THREAD, MOST_SIZE)
    spare = _machine.available_memory()
    if spare is None:
        return size
    return min(size, max(spare // 8 // DEFAULT_PART_SIZE, 2) * DEFAULT_PART_SIZE)


def _check_room(folder: Path, on_disk: int, in_ram: int) -> None:
    """Refuse before anything is written."""
    on_disk += on_disk // 2  # the tree and the one message
    free = shutil.disk_usage(folder).free
    if on_disk > free:
        raise OSError(
            errno.ENOSPC, f"the files take {on_disk} bytes, {free} are free", os.fspath(folder)
        )
    memory = _machine.available_memory()
    if memory is not None and on_disk + in_ram > memory:
        raise ValueError(
            f"this takes {on_disk + in_ram} bytes of memory, {memory} are free: choose a smaller "
            "size"
        )


# --- the run -------------------------------------------------------------------------------------


def _prepare(
    tasks: Tasks,
    jobs: Sequence[str],
    algorithms: Sequence[str],
    sources: Sequence[str],
    tell: Callable[[Progress], object],
) -> tuple[list[Task], list[tuple[str, str]]]:
    steps: list[tuple[str, Callable[[], Iterable[Task]]]] = [
        *((JOBS[job].title, partial(tasks.of_job, job)) for job in jobs),
        *(
            (algorithm, partial(tasks.of_algorithm, algorithm, source))
            for source in sources
            for algorithm in algorithms
        ),
    ]
    made: list[Task] = []
    for done, (title, make) in enumerate(steps):
        tell(Progress("prepare", title, done, len(steps), None))
        made.extend(make())
    return made, list(dict.fromkeys(tasks.skipped))


def _warm_up(
    tasks: Sequence[Task], tell: Callable[[Progress], object]
) -> tuple[list[Sequence[Any]], float]:
    """Each way once: the answers, which must be equal, and the seconds of one round."""
    answers = []
    needed = 0.0
    for done, task in enumerate(tasks):
        tell(Progress("warm up", _name(task), done, len(tasks), None))
        _fill_cache(task)
        mine, our_seconds = _timed(task.ours)
        theirs, their_seconds = _timed(task.theirs)
        _compare(task, "they differ from the first run on", mine, theirs)
        answers.append(mine)
        needed += our_seconds + their_seconds
    return answers, needed


def _measure(
    tasks: Sequence[Task],
    expected: Sequence[Sequence[Any]],
    pairs: int,
    seconds_left: float,
    tell: Callable[[Progress], object],
) -> tuple[Result, ...]:
    measured: list[list[Pair]] = [[] for _ in tasks]
    cached: list[float | None] = [1.0 if task.paths else None for task in tasks]
    total = pairs * len(tasks)
    began = time.perf_counter()
    for number in range(pairs):
        for index, task in enumerate(tasks):
            done = number * len(tasks) + index
            tell(Progress("measure", _name(task), done, total, seconds_left))
            cached[index] = _lower(cached[index], _fill_cache(task))
            measured[index].append(_pair(task, expected[index], number))
            if done + 1 >= len(tasks):
                seconds_left = (time.perf_counter() - began) / (done + 1) * (total - done - 1)
    tell(Progress("measure", "", total, total, 0.0))
    return tuple(
        Result(
            task.job,
            task.title,
            task.group,
            task.source,
            task.algorithms,
            task.size,
            task.messages,
            task.ours.how,
            task.theirs.who,
            task.theirs.how,
            tuple(pairs_of_task),
            fraction,
        )
        for task, pairs_of_task, fraction in zip(tasks, measured, cached, strict=True)
    )


def _pair(task: Task, expected: Sequence[Any], number: int) -> Pair:
    """One run each; who begins alternates."""
    ways = [task.ours, task.theirs]
    if number % 2:
        ways.reverse()
    seconds = {}
    for way in ways:
        answer, seconds[way is task.ours] = _timed(way)
        _compare(task, f"{way.who} in pair {number + 1}", expected, answer)
    return Pair("peer" if number % 2 else "partsum", seconds[True], seconds[False])


def _timed(way: Way) -> tuple[Sequence[Any], float]:
    start = time.perf_counter()
    try:
        answer = way.run()
    except (OSError, partsum.PartsumError):
        raise
    except Exception as error:
        raise partsum.PartsumError(f"{way.how} failed: {error!r}") from error
    return answer, time.perf_counter() - start


def _compare(task: Task, when: str, expected: Sequence[Any], found: Sequence[Any]) -> None:
    if expected == found:
        return
    if len(expected) != len(found):
        what = f"{len(expected)} and {len(found)} values"
    else:
        index = next(
            i for i, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1]
        )
        what = f"value {index + 1} of {len(found)}: {_shown(expected[index])} and "
        what += _shown(found[index])
    raise WrongDigest(f"{_name(task)}: partsum and {task.theirs.who} disagree ({when}): {what}")


def _shown(value: object) -> str:
    return " ".join(one.hex() for one in value) if isinstance(value, tuple) else str(value)


def _name(task: Task) -> str:
    return f"{task.title}, {task.source}, {task.theirs.who}"


def _fill_cache(task: Task) -> float | None:
    """Read what is not in the page cache; return how much of the files is there in the end."""
    lowest: float | None = 1.0 if task.paths else None
    for path in task.paths:
        fraction = _machine.cached(path)
        if fraction != 1.0:
            _machine.read_through(path)
            fraction = _machine.cached(path)
        lowest = _lower(lowest, fraction)
    return lowest


def _lower(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)
