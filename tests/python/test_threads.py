"""Beside other threads, after a fork, under Ctrl-C, after many calls: nothing is left behind."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest
from alone import SELF, alone

MIB = oracle.MIB
NAMES = ("MD5", "SHA256", "SHA512", "CRC64NVME", "XXHASH3")


@pytest.fixture(scope="module")
def data() -> bytes:
    return oracle.byte_cycle(20 * MIB + 1)


@pytest.fixture(scope="module")
def path(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("threads") / "file.bin"
    path.write_bytes(data)
    return path


# --- the lock of the interpreter -----------------------------------------------------------------


def ticks_during(work: Callable[[], Any]) -> int:
    """How often another thread got its turn while `work` was in one call."""
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        start = time.perf_counter()
        work()
        end = time.perf_counter()
    finally:
        done.set()
        thread.join()
    # The very first and last may fall between the clock and the call.
    return len([tick for tick in ticks if start < tick < end]) - 2


DOORS: dict[str, Callable[[bytes, Path], Any]] = {
    "hash_bytes": lambda data, path: partsum.hash_bytes(data, ["SHA512"], threads=1),
    "hash_file": lambda data, path: partsum.hash_file(path, ["SHA512"], threads=1),
    "hash_file with progress": lambda data, path: partsum.hash_file(
        path, ["SHA512"], threads=1, progress=lambda _: None
    ),
    "hash_plans": lambda data, path: partsum.hash_plans(path, [None], ["SHA512"], threads=1),
    "Hasher.update": lambda data, path: partsum.new("SHA512").update(data),
    "new": lambda data, path: partsum.new("SHA512", data),
    "MultipartHasher.update": lambda data, path: partsum.MultipartHasher(["SHA512"], "5MiB").update(
        data
    ),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_other_threads_run_while_hashing(
    door: Callable[[bytes, Path], Any], data: bytes, path: Path
) -> None:
    """A call that kept the lock would show no tick at all, however often it is tried."""
    for _ in range(20):
        if ticks_during(lambda: door(data, path)) >= 2:
            return
    pytest.fail("no other thread ran during 20 calls")


# --- many callers at once ------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_many_python_threads_at_once(path: Path, data: bytes, threads: int | None) -> None:
    expected = {
        "file": partsum.hash_file(path, NAMES, part_size="5MiB"),
        "bytes": partsum.hash_bytes(data[: 2 * MIB], NAMES, part_size=None),
    }

    def work(index: int) -> bool:
        if index % 2:
            found = partsum.hash_file(path, NAMES, part_size="5MiB", threads=threads)
            return bool(found == expected["file"])
        found = partsum.hash_bytes(data[: 2 * MIB], NAMES, part_size=None, threads=threads)
        return bool(found == expected["bytes"])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(32)))


def test_one_result_read_by_many_threads(data: bytes) -> None:
    result = partsum.hash_bytes(data, NAMES)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: (result.etag, result.to_json(), hash(result)), range(64)))
    assert len(found) == 1


def test_one_hasher_fed_by_many_threads() -> None:
    """The order is up to them, but no byte is lost: the pieces are all the same."""
    piece = b"0123456789abcdef" * 32768  # large enough to let the lock go, and to meet
    hasher = partsum.new("MD5")
    pieces = partsum.MultipartHasher(["MD5"], "5MiB")

    def feed(_: int) -> None:
        hasher.update(piece)
        pieces.update(piece)
        hasher.digest()
        hasher.copy()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(feed, range(64)))
    whole = piece * 64
    assert hasher.digest() == oracle.digest("MD5", whole)
    assert pieces.finish() == partsum.hash_bytes(whole, ["MD5"], part_size="5MiB")


def test_a_buffer_written_to_while_it_is_hashed_does_no_harm() -> None:
    """The digest is then anybody's guess, but the interpreter lives."""
    held = bytearray(8 * MIB)
    done = threading.Event()

    def scribble() -> None:
        while not done.is_set():
            held[::4096] = os.urandom(len(held) // 4096)

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        for _ in range(5):
            assert partsum.hash_bytes(held, NAMES, part_size="5MiB").size == 8 * MIB
    finally:
        done.set()
        thread.join()


def test_progress_is_never_called_by_two_threads_at_once_after_an_error(path: Path) -> None:
    calls: list[int] = []

    def progress(_: int) -> None:
        calls.append(threading.get_ident())

    for threads in (1, 2, 5):
        partsum.hash_file(path, ["MD5"], part_size="5MiB", threads=threads, progress=progress)
    assert calls


# --- fork ----------------------------------------------------------------------------------------

FORK = """
    import os, signal, sys
    import partsum

    def work():
        data = bytes(range(256)) * 90_000
        found = partsum.hash_bytes(data, ["MD5", "SHA256", "CRC32"], part_size="5MiB", threads=2)
        return found.etag

    signal.alarm(40)  # a child that hangs is ended, and so is its parent
    before, after = sys.argv[1:]
    expected = work() if before == "used" else None
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        found = [work(), work()]
        second = os.fork()
        if second == 0:
            signal.alarm(20)
            os._exit(0 if work() == found[0] else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(second, 0)[1])
        os._exit(status if found[0] == found[1] == (expected or found[0]) else 1)
    if after == "both":
        assert work() == (expected or work())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, status
    assert work() == (expected or work())
    print("alive")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("before", ["used", "unused"])
@pytest.mark.parametrize("after", ["both", "child"])
def test_fork(before: str, after: str) -> None:
    """A pool of threads does not survive a fork; the child must not wait for it."""
    assert alone(FORK, before, after) == "alive\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_multiprocessing_by_fork_after_use(path: Path) -> None:
    code = """
        import multiprocessing, sys
        import partsum
        def work(path):
            return partsum.hash_file(path, ["MD5"], part_size="5MiB", threads=2)
        if __name__ == "__main__":
            expected = work(sys.argv[1])
            with multiprocessing.get_context("fork").Pool(3) as pool:
                found = pool.map_async(work, [sys.argv[1]] * 6).get(40)
            print(set(found) == {expected})
        """
    assert alone(code, path) == "True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_another_thread_hashes() -> None:
    code = """
        import os, signal, threading
        import partsum
        signal.alarm(40)
        data = bytes(32 << 20)
        expected = partsum.hash_bytes(data, ["MD5"], threads=2).etag
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                partsum.hash_bytes(data, ["MD5"], threads=2)
        thread = threading.Thread(target=busy)
        thread.start()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                found = partsum.hash_bytes(data, ["MD5"], threads=2).etag
                os._exit(0 if found == expected else 1)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert status == 0, status
        stop.set()
        thread.join()
        print("alive")
        """
    assert alone(code) == "alive\n"


# --- other interpreters in this process ----------------------------------------------------------

INTERPRETERS = """
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    import partsum

    expected = partsum.hash_bytes(b"abc").etag
    other = interpreters.create()
    interpreters.run_string(other, '''if True:
        try:
            import partsum
        except ImportError as error:
            print(error, flush=True)
    ''')
    assert partsum.hash_bytes(b"abc").etag == expected
    interpreters.destroy(other)
    assert partsum.hash_bytes(b"abc").etag == expected
"""


def test_other_interpreters_are_refused() -> None:
    """Classes and exceptions belong to the interpreter that made them."""
    assert "does not support loading in subinterpreters" in alone(INTERPRETERS)


# --- Ctrl-C --------------------------------------------------------------------------------------

LONG = """
    import mmap, os, signal, sys, threading, time
    import partsum

    kind, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    memory = None
    if kind in ("bytes", "pieces"):
        # Private memory that is only read is one page of zeros, however much there is of it.
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        memory = mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ)
    sent = []

    def interrupt():
        time.sleep(0.7)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    work = {
        "bytes": lambda: partsum.hash_bytes(memory, ["SHA512"], part_size="64MiB", threads=1),
        "one part": lambda: partsum.hash_file(path, ["SHA512"], part_size="5GiB", threads=2),
        "pieces": lambda: partsum.MultipartHasher(["SHA512"], "64MiB").update(memory),
        "auto": lambda: partsum.hash_file(path, ["SHA512"], threads=1),
        "mmap": lambda: partsum.hash_file(path, ["SHA512"], threads=1, io="mmap"),
        "read": lambda: partsum.hash_file(path, ["SHA512"], threads=2, io="read"),
        "plans": lambda: partsum.hash_plans(path, ["8MiB", "16MiB"], ["SHA512"], threads=1),
    }[kind]
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        work()
    except KeyboardInterrupt:
        print("interrupted after", time.monotonic() - sent[0])
    else:
        print("finished")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs holes in files and memory")
@pytest.mark.serial
@pytest.mark.parametrize("kind", ["bytes", "one part", "pieces", "auto", "mmap", "read", "plans"])
def test_control_c_stops_a_long_job(kind: str, tmp_path: Path) -> None:
    """The job would take many seconds; the bound is generous because the machine is shared."""
    path = tmp_path / "holes.bin"
    size = 48 * 1024 * MIB if kind == "bytes" else 12 * 1024 * MIB
    if kind == "one part":
        size = 5 * 1024 * MIB
    with path.open("wb") as file:
        file.truncate(size)
    found = alone(LONG, kind, path, size, timeout=100)
    assert found.startswith("interrupted after"), found
    assert float(found.rpartition(" ")[2]) < 2.5, found


def test_other_signals_are_handled_while_hashing(path: Path) -> None:
    code = """
        import os, signal, sys, threading, time
        import partsum
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
        before = partsum.hash_file(sys.argv[1], ["SHA512"])
        def send():
            for _ in range(20):
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.002)
        thread = threading.Thread(target=send)
        thread.start()
        after = [partsum.hash_file(sys.argv[1], ["SHA512"]) for _ in range(3)]
        thread.join()
        print(bool(seen), set(after) == {before})
        """
    assert alone(code, path) == "True True\n"


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="POSIX only")
def test_hashing_outside_the_main_thread_takes_no_signals(data: bytes) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(partsum.hash_bytes(data, ["SHA1"])))
    thread.start()
    thread.join()
    assert found == [partsum.hash_bytes(data, ["SHA1"])]


# --- memory --------------------------------------------------------------------------------------

MEMORY = """
    import sys
    import partsum
    from alone import memory

    path, part_size, io = sys.argv[1:]
    seen = [memory()]
    partsum.hash_file(
        path,
        ["MD5", "CRC64NVME", "XXHASH3"],
        part_size=None if part_size == "None" else part_size,
        io=io,
        progress=lambda _: seen.append(memory()),
    )
    print(max(seen) - seen[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(not SELF.exists(), reason="needs /proc")
@pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])
@pytest.mark.parametrize("part_size", ["8MiB", "256MiB", None])
def test_files_are_not_held_in_memory(tmp_path: Path, io: Any, part_size: str | None) -> None:
    path = tmp_path / "long.bin"
    with path.open("wb") as file:
        file.truncate(256 * MIB + 1)
    assert int(alone(MEMORY, path, part_size, io)) < 64 * MIB


# --- nothing left behind -------------------------------------------------------------------------

LEFT = """
    import sys
    from pathlib import Path
    import partsum
    from alone import descriptors, maps, memory, threads

    folder, names = Path(sys.argv[1]), sys.argv[2:]
    small = folder / "small.bin"
    expected = partsum.hash_file(small, names, part_size=None)

    def stop(_):
        raise ZeroDivisionError

    def raises(error, path, **more):
        try:
            partsum.hash_file(path, **more)
        except error:
            return
        raise AssertionError(error)

    def work(index):
        io = ("auto", "mmap", "read", "direct")[index % 4]
        workers = (None, 1, 2, 5)[index % 4]
        found = partsum.hash_file(small, names, part_size=None, io=io, threads=workers)
        assert found == expected
        partsum.hash_bytes(b"abc" * 1000, names, threads=workers)
        partsum.hash_plans(small, ["5MiB", None], ["MD5"], io=io, threads=workers)
        raises(FileNotFoundError, folder / "missing", io=io)
        raises(IsADirectoryError, folder, io=io)
        raises(partsum.PartPlanError, small, part_size=[1], io=io)
        raises(ZeroDivisionError, small, io=io, threads=workers, progress=stop)

    for index in range(24):
        work(index)
    before = threads(), descriptors(), memory()
    for index in range(240):
        work(index)
    after = threads(), descriptors(), memory()
    assert maps("small.bin") == 0
    assert after[1] == before[1], (before, after)
    assert after[0] <= before[0], (before, after)
    assert after[2] < before[2] + (48 << 20), (before, after)
"""


@pytest.mark.slow
@pytest.mark.skipif(not SELF.exists(), reason="needs /proc")
def test_no_threads_descriptors_or_maps_are_left(tmp_path: Path) -> None:
    (tmp_path / "small.bin").write_bytes(oracle.byte_cycle(200_000))
    alone(LEFT, tmp_path, *NAMES)
