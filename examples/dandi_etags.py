"""An adopter's loop, replaced: the ETags of DANDI's assets (64 MiB parts), before and after.

    python dandi_etags.py FILE...

Prints each ETag, and fails if the two ways differ anywhere; on stderr, how long each of them took.
DANDI uploads every asset in parts, of 64 MiB as long as 10,000 of them suffice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from hashlib import md5
from pathlib import Path

import partsum

PART = 64 * 2**20
MOST = 10_000


def before(paths: Sequence[Path]) -> list[str]:
    """File by file, part by part, on one core."""
    etags = []
    for path in paths:
        size = path.stat().st_size
        part_size = PART if size <= PART * (MOST - 1) else -(-size // MOST)
        digests = []
        with path.open("rb") as file:
            while part := file.read(part_size):
                digests.append(md5(part, usedforsecurity=False).digest())
        whole = md5(b"".join(digests), usedforsecurity=False)
        etags.append(f"{whole.hexdigest()}-{len(digests)}")
    return etags


def after(paths: Sequence[Path]) -> list[str]:
    """All files at once; parts of all of them fill the lanes of every core."""
    etags = []
    for sums in partsum.hash_files(paths, "MD5", part_size="dandi"):
        if isinstance(sums, partsum.FileError):
            raise sums
        etags.append(sums.etag)
    return etags


def timed(way: Callable[[Sequence[Path]], list[str]], paths: Sequence[Path]) -> list[str]:
    """What it returns, with its time on stderr."""
    begun = time.perf_counter()
    etags = way(paths)
    print(f"{way.__name__:7}{time.perf_counter() - begun:8.2f} s", file=sys.stderr)
    return etags


if __name__ == "__main__":
    paths = [Path(name) for name in sys.argv[1:]]
    etags = timed(after, paths)
    if etags != timed(before, paths):
        sys.exit("the two ways differ")
    for etag, path in zip(etags, paths, strict=True):
        print(etag, path)
