"""Measure each mode of reading a file (``io=``), page-cached and cold.

    python benches/reading.py [--size MIB] [--pairs 7] [--folder DIR] [--markdown FILE]

The modes take turns on the same file. Before a cold run, the file is dropped from the page cache. A
cell is the median throughput in GB/s, and the CPU seconds for each GB. The last column is how much
slower "auto" is than the best of the other modes: the median over the turns. Run it on a file
system on a disk.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import tempfile
import time

import partsum
from partsum.bench._machine import describe

MODES = ("read", "mmap", "direct", "auto")
JOBS = [("MD5",), ("MD5", "SHA256", "CRC64NVME", "CRC32C")]


def cool(path: pathlib.Path) -> None:
    """Drop the file from the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def warm(path: pathlib.Path) -> None:
    """Bring the file into the page cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**24):
            pass


def measure(
    path: pathlib.Path, job: tuple[str, ...], threads: int, state: str, pairs: int
) -> dict[str, list[tuple[float, float]]]:
    """For each mode, seconds and CPU seconds of each turn."""
    taken: dict[str, list[tuple[float, float]]] = {mode: [] for mode in MODES}
    warm(path)
    expected = partsum.hash_file(path, job, part_size="8MiB")
    for turn in range(pairs):
        for mode in MODES[turn % 4 :] + MODES[: turn % 4]:
            if state == "cold":
                cool(path)
            start, cpu = time.perf_counter(), time.process_time()
            found = partsum.hash_file(path, job, part_size="8MiB", threads=threads, io=mode)  # type: ignore[arg-type]
            taken[mode].append((time.perf_counter() - start, time.process_time() - cpu))
            if found != expected:
                raise SystemExit(f"io={mode!r} gives another value")
    return taken


def row(
    path: pathlib.Path, job: tuple[str, ...], threads: int, state: str, pairs: int
) -> list[str]:
    """One line of the table."""
    taken = measure(path, job, threads, state, pairs)
    size = path.stat().st_size / 1e9
    cells = []
    for mode in MODES:
        seconds = statistics.median(wall for wall, _ in taken[mode])
        cpu = statistics.median(cpu for _, cpu in taken[mode])
        cells.append(f"{size / seconds:.2f} ({cpu / size:.2f})")
    ratios = {
        mode: statistics.median(
            auto[0] / other[0] for auto, other in zip(taken["auto"], taken[mode], strict=True)
        )
        for mode in ("read", "mmap", "direct")
    }
    best = max(ratios, key=lambda mode: ratios[mode])
    name = "MD5" if len(job) == 1 else "four"
    return [state, name, str(threads), *cells, f"{ratios[best] - 1:+.0%} ({best})"]


def main() -> None:
    """Measure all cells."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024, help="MiB (default 1024)")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--folder", help="where the file is written")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table there, too")
    asked = parser.parse_args()

    lines = [
        f"| file | algorithms | threads | {' | '.join(MODES)} | auto against the best |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = pathlib.Path(folder) / "file"
        with path.open("wb") as file:
            for _ in range(asked.size // 16):
                file.write(os.urandom(2**24))
        for state in ("cached", "cold"):
            for job in JOBS:
                for threads in (1, 2):
                    line = row(path, job, threads, state, asked.pairs)
                    lines.append(f"| {' | '.join(line)} |")
                    print(lines[-1], "load", os.getloadavg()[0], flush=True)
    machine = describe(pathlib.Path(asked.folder or tempfile.gettempdir()))
    about = (
        f"{machine['cpu']} ({machine['architecture']}), {machine['cpus']} CPUs, {machine['isa']}; "
        f"Linux {machine['kernel']}, {machine['file_system']}, partsum {machine['partsum']}. "
        f"{asked.size} MiB, parts of "
        f"8 MiB, {asked.pairs} turns."
    )
    print("\n".join(["", *lines, "", about]))
    if asked.markdown:
        asked.markdown.write_text("\n".join([*lines, "", about, ""]))


if __name__ == "__main__":
    main()
