"""Measure pairs of runs in turns, and compare the digests of every run."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import partsum
from partsum.bench import _machine
from partsum.bench._cases import JOBS, Case, Cases, Digests
from partsum.bench._peers import ALGORITHMS, find_peers
from partsum.bench._report import Report, Result, RunPair

# 32 default parts fill the lanes of a thread; a run takes the same time whatever their number.
SIZE_PER_THREAD, MOST_SIZE = 256 << 20, 2 << 30
DEFAULT_PART_SIZE = 8 << 20
SOURCES = ("file", "ram")
# Six pairs are the fewest that give an interval of 95 %.
FEWEST_PAIRS, MOST_PAIRS = 6, 15
QUICK_PAIRS = 3
SECONDS = 110.0


class WrongDigest(partsum.PartsumError):
    """Partsum and a peer computed different digests, or one of them changed its digests.

    Example:
        >>> import partsum
        >>> from partsum import bench
        >>> issubclass(bench.WrongDigest, partsum.PartsumError)
        True
    """


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        phase: ``"prepare"`` (write files), ``"warm up"`` (run everything once) or ``"measure"``.
        title: The next step.
        done: Number of steps of this phase that are done.
        total: Number of steps of this phase.
        seconds_left: Seconds until the end of the run; None before the warm-up has shown how long
            runs take.

    Example:
        >>> from partsum import bench
        >>> steps = []
        >>> report = bench.run([], ["MD5"], size="1MiB", pairs=1, progress=steps.append)
        >>> steps[-1].phase, steps[-1].done == steps[-1].total
        ('measure', True)
    """

    phase: str
    title: str
    done: int
    total: int
    seconds_left: float | None


def run(
    jobs: Iterable[str] | None = None,
    algorithms: Iterable[str] | None = None,
    *,
    sources: Iterable[str] = SOURCES,
    size: int | str | None = None,
    part_size: int | str = DEFAULT_PART_SIZE,
    pairs: int | None = None,
    threads: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    quick: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Report:
    """Compare partsum with every peer on this machine.

    Partsum and a peer run in turns, and each round goes through all comparisons, so that a slow
    minute of the machine affects all of them. The digests of every run are compared with those of
    the first run, outside of the measured time.

    Args:
        jobs: Names from `JOBS`; None is all of them, or none if only algorithms are given.
        algorithms: One algorithm name or an iterable of names; case, ``-`` and ``_`` are ignored.
            None is all of them, or none if only jobs are given.
        sources: Where an algorithm finds its bytes: ``"file"`` (in the page cache) and ``"ram"``.
        size: Size of the big file in bytes (int) or a size such as "512MiB". None is 256 MiB for
            each thread, at most 2 GiB and an eighth of the available memory. The tree of small
            files and the file that is one message have a quarter of it, at most 10,000 files and
            1 GiB.
        part_size: Part size in bytes (int) or a size such as "8MiB".
        pairs: Pairs of runs for each comparison; None is as many as fit into about two minutes,
            from 6 to 15.
        threads: Number of threads, for partsum and for the peers; None uses every CPU that the
            process may use.
        folder: Folder in which a temporary folder for the files is made; None is the system's.
        quick: Use half the default size and 3 pairs, for a first impression in half a minute.
        progress: Callable that is given a `Progress` before each step. An exception that it raises
            stops the run and propagates.

    Returns:
        The results of all comparisons.

    Raises:
        WrongDigest: Two digests that should be equal are not; there is no report then.
        ValueError: A name is unknown, or a size does not fit into memory.
        OSError: The files cannot be written, or a command failed.
        PartsumError: A library failed.

    Example:
        >>> from partsum import bench
        >>> report = bench.run(["etag"], [], size="16MiB", pairs=1)
        >>> {result.title for result in report.results}
        {'ETag of one big file'}
    """
    if jobs is None and algorithms is None:
        jobs, algorithms = JOBS, ALGORITHMS
    names = _known(jobs or (), JOBS, "jobs")
    algorithms = (algorithms,) if isinstance(algorithms, str) else algorithms or ()
    algorithms = [re.sub("[-_]", "", name).upper() for name in algorithms]
    algorithms = _known(algorithms, ALGORITHMS, "algorithms")
    sources = _known(sources, SOURCES, "sources")
    part_bytes = _bytes(part_size, "part_size")
    pairs = _positive(pairs, "pairs") or (QUICK_PAIRS if quick else None)
    began = time.perf_counter()
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    machine = _machine.describe(Path(folder or tempfile.gettempdir()))
    count = _positive(threads, "threads") or machine["cpus_allowed"]
    size = _default_size(count) // (2 if quick else 1) if size is None else _bytes(size, "size")
    partsum.plan_parts(size, part_bytes, allow_small_parts=True)  # refuse what S3 would refuse
    machine["load_before"] = _machine.load()
    tell = progress or (lambda _step: None)
    with tempfile.TemporaryDirectory(prefix="partsum-bench-", dir=folder) as made:
        _check_room(
            Path(made),
            on_disk=size if names or (algorithms and "file" in sources) else 0,
            in_ram=size if algorithms and "ram" in sources else 0,
        )
        maker = Cases(Path(made), size, part_bytes, count)
        steps = [(JOBS[name].title, partial(maker.of_job, JOBS[name])) for name in names]
        for source in sources:
            steps += [(name, partial(maker.of_algorithm, name, source)) for name in algorithms]
        cases: list[Case] = []
        for done, (title, make) in enumerate(steps):
            tell(Progress("prepare", title, done, len(steps), None))
            cases.extend(make())
        expected, needed = _warm_up(cases, tell)
        if pairs is None:
            spare = SECONDS - (time.perf_counter() - began)
            pairs = min(max(int(spare / (needed or 1)), FEWEST_PAIRS), MOST_PAIRS)
        results = _measure(cases, expected, pairs, needed * pairs, tell)
    machine["load_after"] = _machine.load()
    options = {
        "jobs": list(names),
        "algorithms": list(algorithms),
        "sources": list(sources),
        "size": size,
        "part_size": part_bytes,
        "pairs": pairs,
        "threads": count,
    }
    seconds = round(time.perf_counter() - began, 1)
    skipped = tuple(maker.skipped.items())
    return Report(started, seconds, options, machine, find_peers(), results, skipped)


# --- arguments -----------------------------------------------------------------------------------


def _known(names: Iterable[str], table: Iterable[str], argument: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys((names,) if isinstance(names, str) else names))
    for name in found:
        if name not in table:
            raise ValueError(f"{argument}: {name!r} is not one of {', '.join(table)}")
    return found


def _bytes(size: int | str, argument: str) -> int:
    match = re.fullmatch(r"([0-9]+) *(?:(?:([KMGT])(I?))?B)?", str(size).strip().upper())
    number = 0
    if match:
        power = " KMGT".index(match[2] or " ")
        number = int(match[1]) * (1024 if match[3] else 1000) ** power
    if number < 1:
        advice = "use bytes (8388608) or a unit (8MiB, 64 MB)"
        raise ValueError(f"{argument}: {size!r} is not a size; {advice}")
    return number


def _positive(value: int | None, argument: str) -> int | None:
    if value is not None and value < 1:
        raise ValueError(f"{argument}: must be 1 or more, not {value}")
    return value


def _default_size(threads: int) -> int:
    """Enough to keep every thread busy, in whole default parts; most of the memory stays free."""
    size = min(threads * SIZE_PER_THREAD, MOST_SIZE)
    available = _machine.available_memory()
    if available is None:
        return size
    return min(size, max(available // 8 // DEFAULT_PART_SIZE, 2) * DEFAULT_PART_SIZE)


def _check_room(folder: Path, on_disk: int, in_ram: int) -> None:
    on_disk += on_disk // 2  # the tree and the file that is one message
    free = shutil.disk_usage(folder).free
    if on_disk > free:
        problem = f"the files take {on_disk} bytes, {free} are free"
        raise OSError(errno.ENOSPC, problem, os.fspath(folder))
    memory = _machine.available_memory()
    if memory is not None and on_disk + in_ram > memory:
        taken = on_disk + in_ram
        raise ValueError(
            f"size: takes {taken} bytes of memory, {memory} are free; use a smaller one"
        )


# --- the run -------------------------------------------------------------------------------------


def _warm_up(
    cases: Sequence[Case], tell: Callable[[Progress], object]
) -> tuple[list[Sequence[Any]], float]:
    """Run everything once: return the digests of each case, and the seconds of one round."""
    expected = []
    needed = 0.0
    for done, case in enumerate(cases):
        tell(Progress("warm up", str(case), done, len(cases), None))
        _fill_cache(case)
        ours, our_seconds = _timed(case.ours, case.result.ours)
        theirs, their_seconds = _timed(case.theirs, case.result.how)
        _compare(case, "they differ from the first run on", ours, theirs)
        expected.append(ours)
        needed += our_seconds + their_seconds
    return expected, needed


def _measure(
    cases: Sequence[Case],
    expected: Sequence[Sequence[Any]],
    pairs: int,
    seconds_left: float,
    tell: Callable[[Progress], object],
) -> tuple[Result, ...]:
    results = [case.result for case in cases]
    done, total = 0, pairs * len(cases)
    began = time.perf_counter()
    for number in range(pairs):
        for index, case in enumerate(cases):
            tell(Progress("measure", str(case), done, total, seconds_left))
            cached = _fill_cache(case)
            before = results[index]
            results[index] = replace(
                before,
                pairs=(*before.pairs, _run_pair(case, expected[index], number)),
                cached=_lowest([before.cached, cached] if number else [cached]),
            )
            done += 1
            if done >= len(cases):
                seconds_left = (time.perf_counter() - began) / done * (total - done)
    tell(Progress("measure", "", total, total, 0.0))
    return tuple(results)


def _run_pair(case: Case, expected: Sequence[Any], number: int) -> RunPair:
    """Run each of the two once. They take turns to be the first."""
    order = [
        ("partsum", "partsum", case.ours, case.result.ours),
        ("peer", case.result.peer, case.theirs, case.result.how),
    ]
    seconds = {}
    for role, name, digests, how in reversed(order) if number % 2 else order:
        found, seconds[role] = _timed(digests, how)
        _compare(case, f"{name} in pair {number + 1}", expected, found)
    return RunPair(next(iter(seconds)), **seconds)


def _timed(digests: Digests, how: str) -> tuple[Sequence[Any], float]:
    start = time.perf_counter()
    try:
        found = digests()
    except (OSError, partsum.PartsumError):
        raise
    except Exception as error:
        raise partsum.PartsumError(f"{how} failed: {error!r}") from error
    return found, time.perf_counter() - start


def _compare(case: Case, when: str, expected: Sequence[Any], found: Sequence[Any]) -> None:
    if expected == found:
        return
    problem = f"{len(expected)} and {len(found)} values"
    if len(expected) == len(found):
        different = (one != other for one, other in zip(expected, found, strict=True))
        index = list(different).index(True)
        shown = f"{_shown(expected[index])} and {_shown(found[index])}"
        problem = f"value {index + 1} of {len(found)}: {shown}"
    raise WrongDigest(f"{case}: partsum and {case.result.peer} disagree ({when}): {problem}")


def _shown(value: object) -> str:
    return " ".join(one.hex() for one in value) if isinstance(value, tuple) else str(value)


def _fill_cache(case: Case) -> float | None:
    """Read the files that are not in the page cache; return the lowest fraction after that."""
    fractions = []
    for path in case.paths:
        if (fraction := _machine.cached(path)) != 1.0:
            _machine.read_through(path)
            fraction = _machine.cached(path)
        fractions.append(fraction)
    return _lowest(fractions)


def _lowest(fractions: Sequence[float | None]) -> float | None:
    """The lowest of them; None if one is unknown or there is none."""
    known = [fraction for fraction in fractions if fraction is not None]
    return min(known) if known and len(known) == len(fractions) else None
