"""partsum.hash_file against what people run today, paired on the same page-cached file.

    python benches/versus_hashlib.py [--size MIB] [--pairs 7] [--markdown FILE]

The peer reads 8 MiB parts with os.pread in a ThreadPoolExecutor with as many threads as partsum
gets: hashlib for MD5 and SHA, awscrt for CRCs, xxhash for XXH; several algorithms one after the
other over each part in memory. Peer and partsum take turns; a row is the median of the pairs. Both
must give the same digests, or there is no row.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pathlib
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import awscrt
import awscrt.checksums
import partsum
import xxhash
from partsum import _core

PART = 8 * 2**20
Digest = Callable[[bytes], bytes]


def _crc(function: Callable[[bytes], int], size: int) -> Digest:
    return lambda data: function(data).to_bytes(size, "big")


PEERS: dict[str, tuple[str, Digest]] = {
    "MD5": ("hashlib", lambda data: hashlib.md5(data).digest()),
    "SHA1": ("hashlib", lambda data: hashlib.sha1(data).digest()),
    "SHA256": ("hashlib", lambda data: hashlib.sha256(data).digest()),
    "SHA512": ("hashlib", lambda data: hashlib.sha512(data).digest()),
    "CRC32": ("awscrt", _crc(awscrt.checksums.crc32, 4)),
    "CRC32C": ("awscrt", _crc(awscrt.checksums.crc32c, 4)),
    "CRC64NVME": ("awscrt", _crc(awscrt.checksums.crc64nvme, 8)),
    "XXHASH64": ("xxhash", xxhash.xxh64_digest),
    "XXHASH3": ("xxhash", xxhash.xxh3_64_digest),
    "XXHASH128": ("xxhash", xxhash.xxh3_128_digest),
}
JOBS = [
    *((name,) for name in PEERS),
    ("MD5", "CRC64NVME"),
    ("MD5", "SHA256", "CRC64NVME", "CRC32C"),
]


def peer(path: pathlib.Path, algorithms: tuple[str, ...], threads: int) -> list[list[bytes]]:
    """The digests of each part, as a careful script computes them."""
    digests = [PEERS[name][1] for name in algorithms]
    descriptor = os.open(path, os.O_RDONLY)
    try:

        def part(offset: int) -> list[bytes]:
            data = os.pread(descriptor, PART, offset)
            return [digest(data) for digest in digests]

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(part, range(0, path.stat().st_size, PART)))
    finally:
        os.close(descriptor)


def ours(path: pathlib.Path, algorithms: tuple[str, ...], threads: int) -> list[list[bytes]]:
    """The same by partsum."""
    sums = partsum.hash_file(path, algorithms, part_size=PART, threads=threads)
    return [[part.digest(name) for name in algorithms] for part in sums.parts]


def seconds(
    job: Callable[[pathlib.Path, tuple[str, ...], int], object],
    path: pathlib.Path,
    algorithms: tuple[str, ...],
    threads: int,
) -> float:
    """How long a job takes."""
    start = time.perf_counter()
    job(path, algorithms, threads)
    return time.perf_counter() - start


def machine() -> str:
    """The CPU in a line."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    info = _core.runtime_info()
    return (
        f"{model}, {os.cpu_count()} CPUs, {info['isa']}; Python {platform.python_version()}, "
        f"partsum {partsum.__version__}, awscrt {awscrt.__version__}, xxhash {xxhash.VERSION}"
    )


def rows(path: pathlib.Path, pairs: int, threads: int) -> list[str]:
    """The table, in Markdown."""
    gigabytes = path.stat().st_size / 1e9
    table = [
        "| algorithms | peer | peer GB/s | partsum GB/s | ratio (median, min-max of pairs) |",
        "|---|---|--:|--:|--:|",
    ]
    for algorithms in JOBS:
        if peer(path, algorithms, threads) != ours(path, algorithms, threads):
            raise SystemExit(f"{algorithms}: the digests differ")
        timed = [
            (seconds(peer, path, algorithms, threads), seconds(ours, path, algorithms, threads))
            for _ in range(pairs)
        ]
        ratios = sorted(theirs / mine for theirs, mine in timed)
        theirs, mine = (
            gigabytes / statistics.median(column) for column in zip(*timed, strict=True)
        )
        names = ", ".join(dict.fromkeys(PEERS[name][0] for name in algorithms))
        table.append(
            f"| {' + '.join(algorithms)} | {names} | {theirs:.2f} | {mine:.2f} "
            f"| **x{statistics.median(ratios):.1f}** ({ratios[0]:.1f}-{ratios[-1]:.1f}) |"
        )
        print(table[-1], file=sys.stderr, flush=True)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="partsum against hashlib, awscrt and xxhash")
    parser.add_argument("--size", type=int, default=1024, help="MiB in the file (default: 1024)")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs per row (default: 7)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table to this file too")
    arguments = parser.parse_args()
    size = arguments.size * 2**20
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "file"
        block = os.urandom(16 * 2**20)
        with path.open("wb") as file:
            for start in range(0, size, len(block)):
                file.write(block[: size - start])
        table = rows(path, arguments.pairs, arguments.threads)
    note = (
        f"{machine()}. {size / 2**30:g} GiB page-cached file, parts of 8 MiB, "
        f"{arguments.threads} threads, {arguments.pairs} pairs."
    )
    text = "\n".join([*table, "", note])
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
