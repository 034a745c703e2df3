"""Ways to read a file: each gives the same values, and does what it promises."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import mmap
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import oracle
import partsum
import partsum.aio
import pytest
from alone import alone

MIB = oracle.MIB
NAMES = ("MD5", "SHA256", "CRC64NVME")
WAYS = ("auto", "mmap", "read", "direct")
each_way = pytest.mark.parametrize("io", WAYS)


def cached(path: Path) -> int:
    """Pages of the file that are in the page cache."""
    libc = ctypes.CDLL(None, use_errno=True)
    size = path.stat().st_size
    pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as held:
        start = ctypes.addressof(ctypes.c_char.from_buffer(held))
        if libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(size), pages):
            raise OSError(ctypes.get_errno(), "mincore")
    return sum(page & 1 for page in pages)


def drop(path: Path) -> None:
    """Take the file out of the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


READ = """
    import sys
    import partsum
    from alone import bytes_read

    path, io = sys.argv[1:]
    before = bytes_read()
    partsum.hash_file(path, "MD5", io=io)
    print(bytes_read() - before)
"""


def bytes_read(path: Path, io: str) -> int:
    """The bytes of read(2) and its kin that hashing the file takes in a process of its own."""
    return int(alone(READ, path, io))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on a file system that knows O_DIRECT, and can forget what it has cached."""
    folder = tmp_path_factory.mktemp("reading")
    path = folder / "probe"
    path.write_bytes(bytes(MIB))
    drop(path)
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        pytest.skip(f"NOT TESTED: no O_DIRECT in {folder}")
    if cached(path):
        pytest.skip(f"NOT TESTED: {folder} is in memory")
    return folder


# --- the same values -----------------------------------------------------------------------------

SIZES = [1, 511, 4095, 4096, 4097, MIB - 1, 4 * MIB + 513, 20 * MIB + 4095]
PLANS = ("boto3", "5MiB", 999_983)


@pytest.fixture(scope="module")
def sized(
    disk: Path, make_file: Callable[..., Path]
) -> list[tuple[Path, str | int, partsum.ObjectChecksums]]:
    """A file of each size; each part size and what it gives."""
    found = []
    for size in SIZES:
        path = disk / str(size)
        data = make_file(size).read_bytes()
        path.write_bytes(data)
        for plan in PLANS:
            more: Any = {"part_size": plan, "allow_small_parts": True}
            found.append((path, plan, partsum.hash_bytes(data, NAMES, **more)))
    return found


@each_way
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("state", ["cached", "cold"])
def test_any_size(
    sized: list[tuple[Path, str | int, partsum.ObjectChecksums]], io: Any, threads: int, state: str
) -> None:
    for path, plan, expected in sized:
        if state == "cold":
            drop(path)
        else:
            path.read_bytes()
        more: Any = {"part_size": plan, "threads": threads, "allow_small_parts": True}
        assert partsum.hash_file(path, NAMES, io=io, **more) == expected


@each_way
def test_many_small_parts_at_odd_places(
    disk: Path, make_file: Callable[..., Path], io: Any
) -> None:
    data = make_file(3 * MIB + 17).read_bytes()
    path = disk / "odd"
    path.write_bytes(data)
    source = random.Random(5)
    sizes: list[int] = []
    while (left := len(data) - sum(sizes)) > 0:
        sizes.append(min(left, source.choice([1, 100, 5000, 20_000, 70_001])))
    more: Any = {"part_size": sizes, "allow_small_parts": True}
    drop(path)
    found = partsum.hash_file(path, NAMES, io=io, **more)
    assert found == partsum.hash_bytes(data, NAMES, **more)


def test_every_verb_reads_directly(disk: Path, make_file: Callable[..., Path]) -> None:
    data = make_file(17 * MIB + 1).read_bytes()
    path = disk / "verbs"
    path.write_bytes(data)
    drop(path)
    before = cached(path)
    sums = partsum.hash_file(path, NAMES, io="direct")
    files = list(partsum.hash_files([path, path], NAMES, io="direct"))
    assert files == [sums, sums]
    assert partsum.hash_plans(path, ["boto3", None], NAMES, io="direct")[0] == sums
    head = {"ContentLength": len(data), "ETag": sums.etag}
    assert partsum.verify(path, head, io="direct").status == "MATCH"
    assert partsum.solve_etag(path, sums.etag, io="direct")[0] == sums.plan
    assert asyncio.run(partsum.aio.hash_file(path, NAMES, io="direct")) == sums
    assert cached(path) == before == 0


# --- the page cache ------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_direct_leaves_the_page_cache_alone(disk: Path, threads: int) -> None:
    path = disk / "cold"
    path.write_bytes(random.Random(1).randbytes(24 * MIB + 100))
    drop(path)
    assert cached(path) == 0
    partsum.hash_file(path, NAMES, io="direct", threads=threads)
    assert cached(path) == 0
    partsum.hash_file(path, NAMES, io="read", threads=threads)
    assert cached(path) > 0.9 * path.stat().st_size / mmap.PAGESIZE


def test_direct_sees_what_is_not_on_the_disk_yet(disk: Path) -> None:
    data = random.Random(2).randbytes(9 * MIB)
    path = disk / "dirty"
    path.write_bytes(data)
    assert partsum.hash_file(path, NAMES, io="direct") == partsum.hash_bytes(data, NAMES)


def test_what_is_cached_is_mapped_and_what_is_cold_is_read(disk: Path) -> None:
    path = disk / "auto"
    path.write_bytes(random.Random(3).randbytes(16 * MIB))
    for state, expected in {"cached": 0, "cold": 16 * MIB}.items():
        if state == "cold":
            drop(path)
        # The probes themselves, and /proc, are a few bytes.
        assert 0 <= bytes_read(path, "auto") - expected < MIB, state


def test_file_systems_without_direct_reads_say_so() -> None:
    """A binary file of sysfs has its true size, and nothing to be read past."""
    path = Path("/sys/kernel/notes")
    if not path.exists():
        pytest.skip("NOT TESTED: no such file of sysfs here")
    assert partsum.hash_file(path) == partsum.hash_bytes(path.read_bytes())
    with pytest.raises(OSError, match=r"O_DIRECT.*io=\"auto\"") as refused:
        partsum.hash_file(path, io="direct")
    assert refused.value.errno == errno.EINVAL
    assert refused.value.filename == str(path)
    (failed,) = partsum.hash_files([path], io="direct")
    assert isinstance(failed, partsum.FileError)
    assert isinstance(failed.error, OSError)


# --- holes ---------------------------------------------------------------------------------------


def sparse(path: Path, size: int, islands: dict[int, bytes]) -> bytes:
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in islands.items():
            file.seek(offset)
            file.write(data)
    return path.read_bytes() if size <= 64 * MIB else b""


@each_way
@pytest.mark.parametrize("seed", range(4))
def test_holes_anywhere(disk: Path, io: Any, seed: int) -> None:
    source = random.Random(seed)
    size = source.randrange(20 * MIB, 30 * MIB)
    islands = {
        source.randrange(size - 300_000): source.randbytes(
            source.choice([1, 4096, 65_536, 300_000])
        )
        for _ in range(source.randrange(8))
    }
    path = disk / "sparse"
    data = sparse(path, size, islands)
    drop(path)
    for part_size in ("8MiB", 777_777, None):
        more: Any = {"part_size": part_size, "allow_small_parts": True, "threads": 2}
        assert partsum.hash_file(path, NAMES, io=io, **more) == (
            partsum.hash_bytes(data, NAMES, **more)
        )


@each_way
def test_holes_are_not_read(disk: Path, io: Any) -> None:
    path = disk / "holes"
    size = 256 * MIB
    sparse(path, size, {100 * MIB: b"x" * 2 * MIB, size - 1: b"."})
    if path.stat().st_blocks * 512 > 8 * MIB:
        pytest.skip("NOT TESTED: no holes on this file system")
    drop(path)
    assert bytes_read(path, io) < 32 * MIB
    assert cached(path) * mmap.PAGESIZE < 32 * MIB
    sums = partsum.hash_file(path, NAMES, part_size="8MiB", io=io)
    assert sums.parts[0] == partsum.hash_bytes(bytes(8 * MIB), NAMES, part_size="8MiB").parts[0]


# --- what is no regular file ---------------------------------------------------------------------


@pytest.fixture
def block_device(tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    data = random.Random(4).randbytes(6 * MIB + 512)
    backing = tmp_path / "backing"
    backing.write_bytes(data)
    command = ["losetup", "--find", "--show", str(backing)]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        pytest.skip("NOT TESTED: no losetup here")
    if found.returncode:
        pytest.skip(f"NOT TESTED: no loop device to be had: {found.stderr.strip()}")
    device = found.stdout.strip()
    try:
        yield device, data
    finally:
        subprocess.run(["losetup", "--detach", device], check=True, timeout=30)


def test_block_devices(block_device: tuple[str, bytes]) -> None:
    device, data = block_device
    expected = partsum.hash_bytes(data, NAMES, part_size="5MiB")
    for io in WAYS:
        found = partsum.hash_file(device, NAMES, part_size="5MiB", io=io)  # type: ignore[arg-type]
        assert (found.size, found) == (len(data), expected)


@each_way
def test_names_that_are_too_long(tmp_path: Path, io: Any) -> None:
    for name in ("x" * 300, "/".join(["d" * 200] * 30)):
        with pytest.raises(OSError) as refused:
            partsum.hash_file(tmp_path / name, io=io)
        assert refused.value.errno == errno.ENAMETOOLONG
        assert refused.value.filename == str(tmp_path / name)


def test_deep_folders_are_reached_from_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name is longer than the system takes, but the whole path is."""
    monkeypatch.chdir(tmp_path)
    for _ in range(25):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    Path("file").write_bytes(b"aaa")
    whole = tmp_path.joinpath(*["d" * 200] * 25, "file")
    assert partsum.hash_file("file", "MD5").etag == oracle.digest("MD5", b"aaa").hex()
    with pytest.raises(OSError) as refused:
        partsum.hash_file(whole)
    assert refused.value.errno == errno.ENAMETOOLONG


# --- memory, and nothing left behind -------------------------------------------------------------


MEMORY = """
    import sys
    import partsum
    from alone import memory

    class Enough(Exception): pass

    path, io, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    hashed, seen = 0, [memory()]

    def progress(more):
        global hashed
        hashed += more
        seen.append(memory())
        if hashed >= limit:
            raise Enough

    try:
        partsum.hash_file(path, ["MD5", "CRC64NVME"], threads=2, io=io, progress=progress)
    except Enough:
        pass
    print(max(seen) - seen[0])
"""


@pytest.fixture(scope="module")
def much_data(disk: Path) -> Path:
    """256 MiB of data."""
    path = disk / "much"
    with path.open("wb") as file:
        for _ in range(16):
            file.write(random.Random(6).randbytes(16 * MIB))
    return path


@pytest.mark.slow
@each_way
def test_memory_is_flat(much_data: Path, io: Any) -> None:
    """The bound that the documentation gives: 18 MiB for each of two threads."""
    drop(much_data)
    assert int(alone(MEMORY, much_data, io, 2 * 2**30)) < 36 * MIB


@pytest.mark.slow
@each_way
def test_memory_is_flat_over_holes(tmp_path: Path, io: Any) -> None:
    path = tmp_path / "holes"
    with path.open("wb") as file:
        try:
            file.truncate(2**40)
        except OSError:
            pytest.skip("NOT TESTED: no file of 1 TiB here")
    assert int(alone(MEMORY, path, io, 2 * 2**30)) < 36 * MIB


LEAKS = """
    import sys
    import partsum
    from alone import descriptors, maps, memory, threads

    def held():
        return maps("leaks.bin"), descriptors(), threads(), memory()

    path, ways = sys.argv[1], sys.argv[2:]

    def work(calls):
        for index in range(calls):
            partsum.hash_file(path, "CRC32C", io=ways[index % len(ways)], threads=1)

    work(200)
    before = held()
    work(10_000)
    after = held()
    assert after[0] == 0, after
    assert after[1:3] == before[1:3], (before, after)
    assert after[3] < before[3] + (8 << 20), (before, after)
"""


@pytest.mark.slow
def test_nothing_is_left_after_ten_thousand_calls(disk: Path) -> None:
    path = disk / "leaks.bin"
    path.write_bytes(bytes(100_000))
    alone(LEAKS, path, *WAYS)
