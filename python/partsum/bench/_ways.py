"""How others do it: what a careful user writes with hashlib and its like, or with commands.

As many workers as partsum has threads, files and parts split among them, and the algorithms of one
read one after the other over a part in memory.
"""

from __future__ import annotations

import base64
import hashlib
import mmap
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from partsum.bench._peers import Bytes, Command, Digest, combine

A = TypeVar("A")
B = TypeVar("B")
Part = tuple[bytes, ...]
"""The digests of a part, one per algorithm."""

PIECE = 256 << 10


class Others:
    """Ways to hash a file of a size in parts of a size with a number of workers."""

    def __init__(self, size: int, part_size: int, threads: int) -> None:
        self.size = size
        self.part_size = part_size
        self.threads = threads

    @property
    def offsets(self) -> range:
        """Where parts begin."""
        return range(0, self.size, self.part_size)

    def each(self, work: Callable[[A], B], items: Iterable[A]) -> list[B]:
        """Do work on every item."""
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(work, items))

    def split(self, work: Callable[[list[A]], list[B]], items: Sequence[A]) -> list[B]:
        """Do work on every n-th item, a worker each, and put the results in order."""
        shares = [list(items[start :: self.threads]) for start in range(self.threads)]
        shares = [share for share in shares if share]
        done = self.each(work, shares)
        if list(map(len, done)) != list(map(len, shares)):
            return [result for part in done for result in part]  # which will not be believed
        return [done[index % len(done)][index // len(done)] for index in range(len(items))]

    def parts_of(self, data: memoryview, digests: Sequence[Digest]) -> list[Part]:
        """Slice memory."""

        def part(offset: int) -> Part:
            return _all(digests, data[offset : offset + self.part_size])

        return self.each(part, self.offsets)

    def read_parts(self, path: Path, digests: Sequence[Digest]) -> list[Part]:
        """Read by position."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return self.each(
                lambda offset: _all(digests, os.pread(descriptor, self.part_size, offset)),
                self.offsets,
            )
        finally:
            os.close(descriptor)

    def map_parts(self, path: Path, digests: Sequence[Digest]) -> list[Part]:
        """Map the file, which saves a copy."""
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self.parts_of(memoryview(mapped), digests)

    def dd_parts(self, path: Path, arguments: Sequence[str]) -> list[Part]:
        """Start a process per part, as shell scripts do."""
        script = f'dd if="$1" bs="$2" skip="$3" count=1 status=none | {" ".join(arguments)}'

        def part(number: int) -> Part:
            shell = ("sh", "-c", script, "sh", str(path), str(self.part_size), str(number))
            return (_digest(output(shell)),)

        return self.each(part, range(len(self.offsets)))

    def values(self, names: Sequence[str], parts: Sequence[Part]) -> list[str]:
        """What S3 shows of an object, made of the digests of its parts."""
        return [
            self._full_object(name, digests) if is_crc(name) else _composite(name, digests)
            for name, digests in zip(names, zip(*parts, strict=True), strict=True)
        ]

    def _full_object(self, name: str, digests: Sequence[bytes]) -> str:
        join = combine(name)
        if join is None:
            raise LookupError(f"no library here combines {name}")
        total = int.from_bytes(digests[0], "big")
        for offset, digest in zip(self.offsets[1:], digests[1:], strict=True):
            size = min(self.part_size, self.size - offset)
            total = join(total, int.from_bytes(digest, "big"), size)
        return _base64(total.to_bytes(len(digests[0]), "big"))


def _composite(name: str, digests: Sequence[bytes]) -> str:
    total = hashlib.new(name.lower(), b"".join(digests), usedforsecurity=False)
    text = total.hexdigest() if name == "MD5" else _base64(total.digest())
    return f"{text}-{len(digests)}"


def is_crc(name: str) -> bool:
    """Whether values of parts combine."""
    return name.startswith("CRC")


def md5_of_files(paths: Sequence[Path]) -> list[str]:
    """Read small files whole."""
    return [hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() for path in paths]


def file_digest(path: Path, algorithm: str) -> str:
    """As hashlib.file_digest, which Python 3.10 has not."""
    hasher = hashlib.new(algorithm.lower(), usedforsecurity=False)
    piece = memoryview(bytearray(PIECE))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(piece):
            hasher.update(piece[:size])
    return hasher.hexdigest()


def command_digests(
    command: Command, algorithm: str, names: Sequence[str], folder: Path
) -> list[str]:
    """What a command prints of files in a folder."""
    return words(output((*command.arguments[algorithm], *names), folder))


def output(arguments: Sequence[str], folder: Path | None = None) -> str:
    """What a command prints."""
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{arguments[0]} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def words(text: str) -> list[str]:
    """The first word of each line, where all these commands have the digest."""
    return [line.split(None, 1)[0] for line in text.splitlines() if line.strip()]


def _digest(text: str) -> bytes:
    """The digest that a command prints of its standard input; none if it prints something else."""
    try:
        return bytes.fromhex(words(text)[0])
    except (IndexError, ValueError):
        return b""


def _all(digests: Sequence[Digest], data: Bytes) -> Part:
    return tuple(digest(data) for digest in digests)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
