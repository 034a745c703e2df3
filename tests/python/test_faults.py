"""Files and disks that fail: an exception that says what and where, never a wrong value."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fuse_server
import oracle
import partsum
import pytest
from alone import python

MIB = oracle.MIB
NAMES = ("MD5", "CRC64NVME")
WAYS = ("auto", "mmap", "read", "direct")
each_way = pytest.mark.parametrize("io", WAYS)


# --- a file system that fails --------------------------------------------------------------------


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("fuse")
    server = subprocess.Popen(
        [sys.executable, fuse_server.__file__, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stdout
    assert server.stderr
    try:
        if server.stdout.readline() != b"mounted\n":
            reason = server.stderr.read().decode().rpartition("\n  ")[2].strip()
            pytest.skip(f"NOT TESTED with a failing file system: {reason}")
        yield folder
    finally:
        ctypes.CDLL(None).umount2(os.fsencode(folder), 2)  # MNT_DETACH
        server.kill()
        server.wait(30)
        server.stdout.close()
        server.stderr.close()


@each_way
def test_a_file_system_that_does_not_fail_yet(failing: Path, io: Any) -> None:
    found = partsum.hash_file(failing / "0@0", NAMES, part_size="5MiB", io=io)
    assert found == partsum.hash_bytes(
        fuse_server.content(0, fuse_server.SIZE), NAMES, part_size="5MiB"
    )


@each_way
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.ESTALE], ids=errno.errorcode.get)
@pytest.mark.parametrize("threads", [1, 2])
def test_errors_of_the_disk(failing: Path, io: Any, error: int, threads: int) -> None:
    """With errno, file, offset and part, whichever way the bytes were to come."""
    at = 11 * MIB + 123 * fuse_server.PAGE
    path = failing / f"{error}@{at}"
    with pytest.raises(OSError) as raised:
        partsum.hash_file(path, NAMES, part_size="5MiB", io=io, threads=threads)
    assert raised.value.errno == error
    assert raised.value.filename == str(path)
    assert not isinstance(raised.value, partsum.FileChangedError)
    message = str(raised.value)
    assert os.strerror(error) in message
    assert "in part 3" in message
    offset = int(message.partition("at byte ")[2].partition(",")[0])
    assert at - 2 * MIB < offset <= at
    if io == "mmap":
        assert offset == at


@pytest.mark.parametrize("io", ["auto", "read"])
@pytest.mark.parametrize(
    "name",
    [
        *("holes@0", "inode@0", "mtime@1", "mtime@2", "mtime@3"),
        *(f"size@{size}" for size in (0, 1, 4096, fuse_server.SIZE - 1, fuse_server.SIZE + 1)),
        f"size@{fuse_server.SIZE * 3}",
    ],
)
def test_the_bytes_are_what_reading_gives(failing: Path, io: Any, name: str) -> None:
    """Whatever the file system says of size, holes, inode numbers and times."""
    data = fuse_server.content(0, fuse_server.SIZE)
    expected = partsum.hash_bytes(data, NAMES, part_size="5MiB")
    assert partsum.hash_file(failing / name, NAMES, part_size="5MiB", io=io) == expected
    (found,) = partsum.hash_files([failing / name], NAMES, part_size="5MiB", io=io)
    assert found == expected


@pytest.mark.parametrize(
    "path", ["/sys/devices/system/cpu/online", "/proc/self/status", "/proc/version"]
)
def test_files_of_the_kernel(path: str) -> None:
    """Their sizes are 4096 or 0; their bytes are those that sha256sum reads."""
    sums = partsum.hash_file(path, "SHA256", part_size=None)
    if path == "/proc/self/status":  # another one at each read
        assert sums.size > 100
    else:
        assert sums == partsum.hash_bytes(Path(path).read_bytes(), "SHA256", part_size=None)


def test_mapping_that_cannot_be_had_is_no_error(tmp_path: Path) -> None:
    """A cached file longer than the address space that is left is read instead."""
    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20) * 300)
    code = """
        import resource, sys, partsum
        limit = 250 << 20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        print(partsum.hash_file(sys.argv[1], "MD5", threads=1).size)
    """
    done = python(code, path)
    assert (done.returncode, done.stdout) == (0, f"{300 << 20}\n"), done.stderr


@pytest.mark.parametrize("room", [1, 4, 16, 32, 64, 128])
def test_memory_that_cannot_be_had_is_an_exception(tmp_path: Path, room: int) -> None:
    """Whatever is left, the interpreter lives on."""
    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20) * 100)
    code = """
        import pathlib, resource, sys, partsum
        used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = used + (int(sys.argv[2]) << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for io in ("direct", "read", "auto"):
            try:
                print(partsum.hash_file(sys.argv[1], "MD5", threads=8, io=io).size)
            except (MemoryError, OSError, ValueError) as error:
                print(type(error).__name__)
    """
    done = python(code, path, room)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {str(100 << 20), "MemoryError", "OSError", "ValueError"}


def test_one_bad_disk_stops_no_other_file(failing: Path, make_file: Callable[..., Path]) -> None:
    good = make_file(9 * MIB)
    bad = failing / f"{errno.EIO}@{9 * MIB}"
    for io in WAYS:
        results = list(partsum.hash_files([good, bad, good], NAMES, io=io))  # type: ignore[arg-type]
        assert results[0] == results[2] == partsum.hash_file(good, NAMES)
        assert isinstance(results[1], partsum.FileError)
        assert isinstance(results[1].error, OSError)
        assert results[1].error.errno == errno.EIO


# --- reads that fail or give less than asked for -------------------------------------------------

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* FAULT_INODE: the file; FAULT_SHORT: reads give 1 to so many units of FAULT_UNIT bytes;
   FAULT_EINTR: every other read is interrupted; FAULT_ERRNO, FAULT_AT: what fails, and where. */
static long setting(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

ssize_t pread64(int fd, void *buffer, size_t count, off64_t offset) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    static unsigned calls;
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    struct stat about;
    if (fstat(fd, &about) || (long)about.st_ino != setting("FAULT_INODE"))
        return real(fd, buffer, count, offset);
    unsigned call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (setting("FAULT_EINTR") && call % 2) { errno = EINTR; return -1; }
    long most = setting("FAULT_SHORT"), unit = setting("FAULT_UNIT"), at = setting("FAULT_AT");
    if (most) {
        size_t less = (call * 2654435761u >> 8) % most * unit + unit;
        if (less < count) count = less;
    }
    if (setting("FAULT_ERRNO") && offset <= at && at < offset + (off64_t)count) {
        errno = setting("FAULT_ERRNO");
        return -1;
    }
    return real(fd, buffer, count, offset);
}
ssize_t pread(int fd, void *buffer, size_t count, off_t offset) {
    return pread64(fd, buffer, count, offset);
}
"""

INJECTED = """
    import os, sys
    path, io, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.environ["FAULT_INODE"] = str(os.stat(path).st_ino)
    import partsum
    try:
        sums = partsum.hash_file(
            path, ["MD5", "CRC64NVME"], part_size="5MiB", io=io, threads=threads
        )
        print(sums.etag, sums.checksum("CRC64NVME"))
    except OSError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def inject(
    tmp_path_factory: pytest.TempPathFactory, make_file: Callable[..., Path]
) -> Callable[..., str]:
    """What hashing says of a file, with the faults that are named by environment variables."""
    folder = tmp_path_factory.mktemp("shim")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("NOT TESTED with failing reads: no C compiler here")
    (folder / "shim.c").write_text(SHIM)
    shim = folder / "shim.so"
    build = [compiler, "-shared", "-fPIC", "-o", str(shim), str(folder / "shim.c"), "-ldl"]
    subprocess.run(build, check=True, timeout=60)
    path = make_file(11 * MIB + 1001)

    def inject(io: str, threads: int, **faults: int) -> str:
        if io == "auto":  # read, not mapped
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
        env = {f"FAULT_{name}": str(value) for name, value in faults.items()}
        done = python(INJECTED, path, io, threads, env={**env, "LD_PRELOAD": str(shim)})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    sums = partsum.hash_file(path, NAMES, part_size="5MiB")
    assert inject("read", 1) == f"{sums.etag} {sums.checksum('CRC64NVME')}"
    return inject


# The kernel never gives a part of a block, but at the end of a file.
UNITS = {"auto": 1, "read": 1, "direct": 4096}


@pytest.mark.parametrize("io", UNITS)
@pytest.mark.parametrize("threads", [1, 2])
def test_short_and_interrupted_reads(inject: Callable[..., str], io: str, threads: int) -> None:
    expected = inject("read", threads)
    assert "-3 " in expected
    unit = UNITS[io]
    for faults in ({"SHORT": 30_000 // unit}, {"EINTR": 1}, {"SHORT": 9000 // unit, "EINTR": 1}):
        assert inject(io, threads, UNIT=unit, **faults) == expected


@pytest.mark.parametrize("io", UNITS)
def test_reads_that_fail(inject: Callable[..., str], io: str) -> None:
    for error, at, part in (errno.EIO, 0, 1), (errno.ESTALE, 7 * MIB, 2), (errno.EIO, 11 * MIB, 3):
        found = inject(io, 2, ERRNO=error, AT=at)
        assert f"[Errno {error}] {os.strerror(error)} (at byte " in found
        assert f", in part {part})" in found


# --- files that change ---------------------------------------------------------------------------

CHANGES = """
    import json, os, random, sys, threading, time
    import partsum

    folder, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    MIB, source = 2**20, random.Random(seed)
    old, new = source.randbytes(2 * MIB + 5), source.randbytes(2 * MIB + 5)
    path, other = os.path.join(folder, "file"), os.path.join(folder, "other")

    def write(path, data):
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, ns=(0, 10**18))  # long ago: whatever is written from now on shows

    def rewrite():
        with open(path, "r+b", buffering=0) as file:
            for at in range(0, len(new), MIB // 4):
                file.write(new[at : at + MIB // 4])
            os.utime(file.fileno())

    def append():
        with open(path, "ab") as file:
            file.write(b"more")

    changes = {
        "truncate": lambda: os.truncate(path, source.randrange(len(old))),
        "empty": lambda: os.truncate(path, 0),
        "append": append,
        "rewrite": rewrite,
        "unlink": lambda: os.unlink(path),
        "chmod": lambda: os.chmod(path, 0o400),
        "replace": lambda: os.replace(other, path),
    }
    more = {"part_size": 300_001, "allow_small_parts": True}
    names = ["MD5", "CRC64NVME"]
    good = {partsum.hash_bytes(data, names, **more) for data in (old, new, old + b"more")}
    counts = {}
    for round in range(rounds):
        for io in ("auto", "mmap", "read", "direct"):
            for name, change in changes.items():
                if os.path.exists(path):
                    os.chmod(path, 0o600)
                write(path, old)
                write(other, new)
                if source.random() < 0.5:  # on the disk, and not in memory
                    with open(path, "rb") as file:
                        os.fsync(file.fileno())
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                start = time.perf_counter()
                partsum.hash_file(path, names, io=io, threads=2, **more)
                took = time.perf_counter() - start
                delay = source.random() * took * 1.2

                def later():
                    time.sleep(delay)
                    change()

                thread = threading.Thread(target=later)
                thread.start()
                try:
                    sums = partsum.hash_file(path, names, io=io, threads=2, **more)
                    outcome = "right" if sums in good else "WRONG"
                    if name in ("truncate", "empty") and sums.size != len(old):
                        # Opened after it was cut: the value is that of what is there now.
                        thread.join()
                        with open(path, "rb") as file:
                            now = partsum.hash_bytes(file.read(), names, **more)
                        outcome = "right" if sums == now else "WRONG"
                except partsum.FileChangedError:
                    outcome = "changed"
                except OSError as error:
                    outcome = type(error).__name__
                thread.join()
                key = f"{name} {outcome}"
                counts[key] = counts.get(key, 0) + 1
    print(json.dumps(counts))
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_files_that_change_while_they_are_hashed(tmp_path: Path, seed: int) -> None:
    """Hundreds of changes at any time: the right value or an exception, and no crash."""
    done = python(CHANGES, tmp_path, seed, 6)
    assert done.returncode == 0, (done.returncode, done.stderr)
    counts = json.loads(done.stdout)
    assert sum(counts.values()) == 6 * 4 * 7
    outcomes = {key.partition(" ")[2] for key in counts}
    assert outcomes <= {"right", "changed", "FileNotFoundError"}, counts
    assert sum(count for key, count in counts.items() if key.endswith("changed")) > 10, counts
    assert counts.pop("chmod right") == 24  # its bytes are what they were
    assert not any(key.startswith("chmod") for key in counts)


# --- the signal of a lost page -------------------------------------------------------------------

LOST = """
    import faulthandler, os, signal, sys
    import partsum
    path, when = sys.argv[1:]

    def shrink(_):
        if os.path.getsize(path):
            os.truncate(path, 0)

    def lose():
        with open(path, "wb") as file:
            for _ in range(48):
                file.write(bytes(range(256)) * 4096)
        try:
            partsum.hash_file(path, "SHA512", io="mmap", threads=1, progress=shrink)
        except partsum.FileChangedError as error:
            print("changed", flush=True)

    if when == "before":
        faulthandler.enable()
    lose()
    if when == "after":
        faulthandler.enable()
    lose()
    lose()
    os.kill(os.getpid(), signal.SIGBUS)
    print("survived")
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["never", "before", "after"])
def test_lost_pages_beside_faulthandler(tmp_path: Path, when: str) -> None:
    """Ours are an exception, whoever has the signal; any other ends the process as ever."""
    done = python(LOST, tmp_path / "file", when)
    assert done.stdout == "changed\n" * 3
    assert done.returncode == -signal.SIGBUS
    assert ("Fatal Python error: Bus error" in done.stderr) == (when != "never")


def test_mapped_files_that_shrink_under_several_readers(tmp_path: Path) -> None:
    paths = []
    for index in range(4):
        path = tmp_path / str(index)
        path.write_bytes(random.Random(index).randbytes(8 * MIB))
        paths.append(path)
    kept = partsum.hash_file(paths[3], NAMES)

    def shrink(_: int) -> None:
        for path in paths[:3]:
            os.truncate(path, 4096)

    results = list(
        partsum.hash_files(paths, (*NAMES, "SHA512"), io="mmap", threads=1, progress=shrink)
    )
    assert isinstance(results[3], partsum.ObjectChecksums)
    assert results[3].etag == kept.etag
    assert all(
        isinstance(result, partsum.FileError) and isinstance(result.error, partsum.FileChangedError)
        for result in results[:3]
    )
