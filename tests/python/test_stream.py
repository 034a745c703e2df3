"""hash_stream: the same as hash_bytes, whatever the bytes come from and however they come."""

import asyncio
import errno
import gc
import gzip
import http.client
import io
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import oracle
import partsum
import partsum.aio
import pytest
import settings_hypothesis  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from store import Store

MIB = oracle.MIB
NAMES = ("MD5", "SHA256", "CRC32C", "CRC64NVME", "XXHASH3")
Source = Callable[[bytes], AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def data() -> bytes:
    return oracle.byte_cycle(23 * MIB + 5)


# --- where bytes come from -----------------------------------------------------------------------


class OnlyRead:
    """Has read() alone, and gives what it likes, but never too much."""

    def __init__(self, data: bytes, sizes: Iterator[int] | None = None, kind: Any = bytes) -> None:
        self.data = data
        self.at = 0
        self.sizes = sizes
        self.kind = kind

    def read(self, size: int) -> Any:
        size = max(1, min(size, next(self.sizes, size) if self.sizes else size))
        piece = self.data[self.at : self.at + size]
        self.at += len(piece)
        return self.kind(piece)


class OnlyReadinto:
    """Has readinto() alone."""

    def __init__(self, data: bytes, sizes: Iterator[int] | None = None) -> None:
        self.source = OnlyRead(data, sizes)

    def readinto(self, buffer: Any) -> int:
        piece = self.source.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class InheritsReadinto(io.RawIOBase):
    """readinto() is there, and says that it is not."""

    def __init__(self, data: bytes) -> None:
        self.source = OnlyRead(data)

    def read(self, size: int = -1) -> Any:
        return self.source.read(size)

    def readinto(self, buffer: Any) -> int:
        raise io.UnsupportedOperation("readinto")


@contextmanager
def pipe(data: bytes, **how: Any) -> Iterator[Any]:
    ends = os.pipe()

    def write() -> None:
        with open(ends[1], "wb", buffering=0) as end:  # noqa: PTH123
            for at in range(0, len(data), 777_777):
                end.write(data[at : at + 777_777])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with open(ends[0], "rb", **how) as end:  # noqa: PTH123
            yield end
    finally:
        thread.join()


@contextmanager
def from_socket(data: bytes) -> Iterator[Any]:
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            theirs.sendall(data)

    thread = threading.Thread(target=send)
    thread.start()
    with ours, ours.makefile("rb") as file:
        yield file
    thread.join()


@contextmanager
def on_disk(data: bytes, **how: Any) -> Iterator[Any]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with open(file.name, "rb", **how) as again:  # noqa: PTH123
            yield again


@contextmanager
def zipped(data: bytes) -> Iterator[Any]:
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("member", data)
        with zipfile.ZipFile(target) as archive, archive.open("member") as member:
            yield member


SOURCES: dict[str, Source] = {
    "BytesIO": io.BytesIO,
    "file": on_disk,
    "unbuffered file": lambda data: on_disk(data, buffering=0),
    "pipe": pipe,
    "unbuffered pipe": lambda data: pipe(data, buffering=0),
    "socket": from_socket,
    "gzip": lambda data: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data, 1))),
    "zip": zipped,
    "read alone": lambda data: nullcontext(OnlyRead(data)),
    "read returns bytearray": lambda data: nullcontext(OnlyRead(data, kind=bytearray)),
    "read returns memoryview": lambda data: nullcontext(OnlyRead(data, kind=memoryview)),
    "readinto alone": lambda data: nullcontext(OnlyReadinto(data)),
    "readinto unsupported": InheritsReadinto,
    "HashingReader": lambda data: nullcontext(partsum.HashingReader(io.BytesIO(data))),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_any_source(source: Source, data: bytes) -> None:
    with source(data) as readable:
        found = partsum.hash_stream(readable, NAMES, part_size="5MiB")
    assert found == partsum.hash_bytes(data, NAMES, part_size="5MiB")
    assert found.path is None


def test_standard_input(data: bytes) -> None:
    code = "import sys, partsum; print(partsum.hash_stream(sys.stdin.buffer).etag)"
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode() == partsum.hash_bytes(data).etag + "\n"


@pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)
def test_streaming_body(store: Store, data: bytes) -> None:
    """An object is verified while it comes down, with the parts that it went up in."""
    expected = partsum.hash_bytes(data, ["MD5", "SHA256"], part_size="8MiB")
    store.client.upload_fileobj(io.BytesIO(data), *store.where.values())
    stored = store.client.get_object(**store.where)
    found = partsum.hash_stream(stored["Body"], ["MD5", "SHA256"], part_size=expected.plan)
    assert found == expected
    assert found.matches_etag(stored["ETag"])


def test_it_begins_where_the_stream_stands_and_leaves_it_open(data: bytes) -> None:
    stream = io.BytesIO(data)
    stream.seek(1000)
    assert partsum.hash_stream(stream) == partsum.hash_bytes(data[1000:])
    assert not stream.closed
    assert stream.tell() == len(data)


class CutShort:
    """A server whose responses end after three of a hundred bytes."""

    def __enter__(self) -> str:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def _serve(self) -> None:
        with self._server, self._server.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def by_hashing_reader(body: Any) -> partsum.ObjectChecksums:
    reader = partsum.HashingReader(body, part_size=None)
    while reader.read(10):
        pass
    return reader.checksums()


@pytest.mark.parametrize(
    "function",
    [
        partsum.hash_stream,
        lambda body: asyncio.run(partsum.aio.hash_stream(body)),
        by_hashing_reader,
    ],
    ids=["hash_stream", "aio", "HashingReader"],
)
def test_a_response_that_is_cut_short(function: Callable[[Any], Any]) -> None:
    """http.client ends it as if it were whole."""
    with CutShort() as url, urllib.request.urlopen(url) as body:
        with pytest.raises(http.client.IncompleteRead) as caught:
            function(body)
        assert caught.value.expected == 97


# --- how parts are cut ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part_size", ["boto3", "5MiB", 6 * MIB + 1, None, [5 * MIB, 12 * MIB, 6 * MIB + 5], "1GiB"]
)
@pytest.mark.parametrize(
    ("memory_limit", "threads"),
    [("512MiB", None), ("512MiB", 1), (40 * MIB, 5), ("20 MB", 1), (100_000, None)],
)
def test_parts_and_memory(
    part_size: Any, memory_limit: Any, threads: int | None, data: bytes
) -> None:
    found = partsum.hash_stream(
        io.BytesIO(data), part_size=part_size, memory_limit=memory_limit, threads=threads
    )
    assert found == partsum.hash_bytes(data, part_size=part_size)


def test_a_limit_of_one_byte_is_slow_but_right() -> None:
    data = oracle.byte_cycle(300)
    found = partsum.hash_stream(io.BytesIO(data), part_size=None, memory_limit=1)
    assert found == partsum.hash_bytes(data, part_size=None)


def test_a_plan_for_the_very_bytes(data: bytes) -> None:
    plan = partsum.plan_parts(len(data), "5MiB")
    assert partsum.hash_stream(io.BytesIO(data), part_size=plan).plan == plan


@pytest.mark.parametrize("size", [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB])
def test_around_the_threshold(size: int, data: bytes) -> None:
    """part_size="boto3" is a PutObject or a multipart upload, as boto3 decides about a stream."""
    found = partsum.hash_stream(io.BytesIO(data[:size]), NAMES)
    assert found == partsum.hash_bytes(data[:size], NAMES)
    assert found.plan.multipart is (size >= 8 * MIB)


@given(
    size=st.integers(0, 40_000),
    part_size=st.one_of(
        st.integers(50, 50_000),
        st.none(),
        st.lists(st.integers(1, 5000), min_size=1, max_size=40),
    ),
    reads=st.lists(st.integers(1, 9000), max_size=30),
    memory_limit=st.sampled_from([1000, 7000, 50_000, 10**6, 10**9]),
    readinto=st.booleans(),
)
def test_any_cut_and_any_reads(
    size: int, part_size: Any, reads: list[int], memory_limit: int, readinto: bool
) -> None:
    if isinstance(part_size, list):
        size = sum(part_size)
    data = oracle.byte_cycle(size)
    source = (OnlyReadinto if readinto else OnlyRead)(data, iter(reads))
    found = partsum.hash_stream(
        source,
        ["MD5", "CRC32"],
        part_size=part_size,
        memory_limit=memory_limit,
        allow_small_parts=True,
    )
    expected = partsum.hash_bytes(
        data, ["MD5", "CRC32"], part_size=part_size, allow_small_parts=True
    )
    assert found == expected


@given(
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 20_000), max_size=10),
)
def test_multipart_hasher_with_explicit_sizes(sizes: list[int], cuts: list[int]) -> None:
    """Several parts of different sizes in one piece go through the lanes together."""
    data = oracle.byte_cycle(sum(sizes))
    hasher = partsum.MultipartHasher(["MD5", "SHA1", "CRC32"], sizes, allow_small_parts=True)
    ends = sorted(min(cut, len(data)) for cut in cuts)
    told: list[int] = []
    for start, end in zip([0, *ends], [*ends, len(data)], strict=True):
        hasher.update(data[start:end], progress=told.append)
    assert hasher.finish() == partsum.hash_bytes(
        data, ["MD5", "SHA1", "CRC32"], part_size=sizes, allow_small_parts=True
    )
    assert sum(told) == len(data)


# --- what is refused -----------------------------------------------------------------------------


class Never:
    """A stream that must not be read."""

    def read(self, size: int) -> bytes:
        raise AssertionError("it was read")


def test_presets_that_need_the_size_are_refused_before_anything_is_read() -> None:
    with pytest.raises(partsum.PartPlanError, match="rclone"):
        partsum.hash_stream(Never(), part_size="rclone")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"algorithms": ["MD6"]}, ValueError, "MD6"),
        ({"algorithms": []}, ValueError, "algorithm"),
        ({"threads": 0}, ValueError, "threads"),
        ({"part_size": "1XB"}, partsum.PartPlanError, "1XB"),
        ({"part_size": 0}, partsum.PartPlanError, "0"),
        ({"memory_limit": 0}, ValueError, "memory_limit"),
        ({"memory_limit": -1}, ValueError, "memory_limit"),
        ({"memory_limit": "lots"}, ValueError, "memory_limit.*lots"),
        ({"memory_limit": 1.5}, TypeError, "memory_limit.*float"),
        ({"memory_limit": None}, TypeError, "memory_limit.*NoneType"),
        ({"progress": 1}, TypeError, "progress"),
    ],
)
def test_wrong_arguments(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        partsum.hash_stream(Never(), **arguments)


@pytest.mark.parametrize(
    ("readable", "words"),
    [
        ("path", "hash_file"),
        (Path("path"), "hash_file"),
        (b"bytes", "hash_bytes"),
        (bytearray(b"bytes"), "hash_bytes"),
        (None, "NoneType"),
        (7, "int"),
        ([b"a"], "list"),
        (io.StringIO("text"), "text stream"),
    ],
)
def test_what_is_no_binary_stream(readable: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        partsum.hash_stream(readable)


def returns(method: str, value: Any) -> Any:
    """A stream whose read() or readinto() returns whatever that is."""
    return type("Stream", (), {method: lambda self, _: value})()


async def coroutine() -> bytes:
    return b""


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.parametrize(
    ("method", "value", "error", "words"),
    [
        ("read", "text", TypeError, "str.*binary mode"),
        ("read", 5, TypeError, "int"),
        ("read", bytes(2 * MIB), ValueError, "more than asked for"),
        ("read", bytearray(2 * MIB), ValueError, "more than asked for"),
        ("read", None, BlockingIOError, "non-blocking"),
        ("readinto", None, BlockingIOError, "non-blocking"),
        ("readinto", 2 * MIB, ValueError, "the buffer has"),
        ("readinto", -1, ValueError, "returned -1"),
        ("readinto", b"", TypeError, "bytes"),
    ],
)
def test_streams_that_misbehave(
    method: str, value: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        partsum.hash_stream(returns(method, value))
    if isinstance(caught.value, OSError):
        assert caught.value.errno == errno.EAGAIN


def test_a_coroutine_is_no_read() -> None:
    made = coroutine()
    with pytest.raises(TypeError, match="coroutine"):
        partsum.hash_stream(returns("read", made))
    made.close()


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_non_blocking_pipe(buffering: int) -> None:
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    try:
        with (
            open(ends[0], "rb", buffering=buffering) as end,  # noqa: PTH123
            pytest.raises(BlockingIOError, match="non-blocking"),
        ):
            partsum.hash_stream(end)
    finally:
        os.close(ends[1])


def test_a_plan_of_other_bytes(data: bytes) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.hash_stream(io.BytesIO(data), part_size=[5 * MIB, 5 * MIB])
    with pytest.raises(partsum.PartPlanError):
        partsum.hash_stream(io.BytesIO(data), part_size=[5 * MIB, 50 * MIB])


def test_small_parts_are_refused_as_soon_as_they_are_known(data: bytes) -> None:
    stream = io.BytesIO(data)
    with pytest.raises(partsum.PartPlanError, match="allow_small_parts"):
        partsum.hash_stream(stream, part_size="64KiB")
    with pytest.raises(partsum.PartPlanError):
        partsum.hash_stream(io.BytesIO(bytes(20_000)), part_size=1, allow_small_parts=True)


# --- progress ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part_size", ["5MiB", None])
@pytest.mark.parametrize("size", [0, 1, 23 * MIB + 5])
def test_progress_counts_every_byte_on_the_calling_thread(
    part_size: str | None, size: int, data: bytes
) -> None:
    told: list[int] = []
    threads = set()

    def progress(count: int) -> None:
        told.append(count)
        threads.add(threading.get_ident())

    partsum.hash_stream(io.BytesIO(data[:size]), part_size=part_size, progress=progress)
    assert sum(told) == size
    assert all(told)
    assert threads <= {threading.get_ident()}


def hashing_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "partsum" in thread.name]


class Gone(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 7 * MIB, 22 * MIB])
@pytest.mark.parametrize("part_size", ["5MiB", None])
@pytest.mark.parametrize("memory_limit", ["512MiB", "1MiB"])
def test_what_reading_raises_comes_out(
    after: int, part_size: str | None, memory_limit: str, data: bytes
) -> None:
    source = OnlyRead(data[:after])
    error = Gone("the peer is gone")

    class Breaks:
        def read(self, size: int) -> Any:
            if source.at == after:
                raise error
            return source.read(size)

    with pytest.raises(Gone) as caught:
        partsum.hash_stream(Breaks(), part_size=part_size, memory_limit=memory_limit)
    assert caught.value is error
    assert hashing_threads() == []


@pytest.mark.parametrize("part_size", ["5MiB", None])
def test_what_progress_raises_stops_the_work(part_size: str | None, data: bytes) -> None:
    def progress(_: int) -> None:
        raise Gone

    with pytest.raises(Gone):
        partsum.hash_stream(io.BytesIO(data), part_size=part_size, progress=progress)
    assert hashing_threads() == []


# --- nothing left behind -------------------------------------------------------------------------


def test_a_stream_that_keeps_the_buffer_does_no_harm(data: bytes) -> None:
    kept: list[Any] = []

    class Keeps(OnlyReadinto):
        def readinto(self, buffer: Any) -> int:
            kept.append(memoryview(buffer))
            return super().readinto(buffer)

    found = partsum.hash_stream(Keeps(data), part_size="5MiB")
    assert found == partsum.hash_bytes(data, part_size="5MiB")
    for view in kept:
        assert len(view) <= MIB


SELF = Path("/proc/self")


@pytest.mark.skipif(not SELF.exists(), reason="needs /proc")
def test_no_threads_descriptors_or_memory_are_left(data: bytes) -> None:
    def state() -> tuple[int, int, int]:
        gc.collect()
        status = (SELF / "status").read_text()
        anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon"))
        folders = (sum(1 for _ in (SELF / name).iterdir()) for name in ("task", "fd"))
        return (*folders, int(anonymous.split()[1]))  # type: ignore[return-value]

    def work() -> None:
        expected = partsum.hash_stream(io.BytesIO(data), part_size="5MiB")
        assert partsum.hash_stream(OnlyRead(data), part_size="5MiB") == expected
        with pytest.raises(ZeroDivisionError):
            partsum.hash_stream(io.BytesIO(data), progress=lambda _: 1 // 0)
        with pytest.raises(TypeError):
            partsum.hash_stream(returns("read", "text"))

    work()
    before = state()
    for _ in range(20):
        work()
    after = state()
    assert after[0] <= before[0]
    assert after[1] <= before[1]  # the garbage of the tests before may close some
    assert after[2] < before[2] + 24 * 1024


MEMORY = """
    import sys
    import partsum

    class Zeros:
        def __init__(self, size):
            self.left = size
        def readinto(self, buffer):
            size = min(self.left, len(buffer))
            buffer[:size] = bytes(size)
            self.left -= size
            return size

    def peak():
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmHWM"].split()[0]) * 1024

    size, part_size, limit = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    partsum.hash_stream(Zeros(30 << 20), part_size="5MiB", memory_limit="20MiB")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = peak()
    partsum.hash_stream(Zeros(size), part_size=None if part_size == "None" else part_size,
                        memory_limit=limit, threads=2)
    print(peak() - before)
"""


@pytest.mark.skipif(not (SELF / "clear_refs").exists(), reason="needs Linux")
@pytest.mark.parametrize(
    ("size", "part_size", "limit", "bound"),
    [
        (400, "8MiB", "512MiB", 128),
        (700, "50MiB", "512MiB", 512),
        (400, "8MiB", "64MiB", 64),
        (200, "8MiB", "20MiB", 20),
        (100, "64MiB", "100MiB", 4),
        (200, "None", "512MiB", 4),
        (10, "8MiB", "512MiB", 24),
    ],
)
def test_memory_stays_below_the_limit(size: int, part_size: str, limit: str, bound: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEMORY), str(size * MIB), part_size, limit],
        capture_output=True,
        text=True,
        check=True,
    )
    slack = 8 * MIB  # the stream's own pieces, the kernels' tiles
    assert int(done.stdout) < bound * MIB + slack


# --- other threads, Ctrl-C -----------------------------------------------------------------------

INTERRUPTED = """
    import os, signal, sys, threading, time
    import partsum

    started = threading.Event()

    class Endless:
        def readinto(self, buffer):
            started.set()
            return len(buffer)

    class Silent:
        def readinto(self, buffer):
            started.set()
            return pipe.readinto(buffer)

    kind = sys.argv[1]
    ends = os.pipe()
    pipe = open(ends[0], "rb", buffering=0)
    stream = Silent() if kind == "reading" else Endless()
    part_size = {"part": "5GiB"}.get(kind, "64MiB")
    sent = []
    def interrupt():
        started.wait()
        time.sleep(0.1)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        partsum.hash_stream(stream, ["SHA512"], part_size=part_size, threads=1)
    except KeyboardInterrupt:
        print(time.monotonic() - sent[0])
    assert [one.name for one in threading.enumerate() if "partsum" in one.name] == []
"""


@pytest.mark.serial
@pytest.mark.parametrize("kind", ["reading", "hashing", "part"])
def test_control_c(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(INTERRUPTED), kind],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert float(done.stdout) < 2.5


def test_other_threads_run_and_many_streams_at_once(data: bytes) -> None:
    expected = partsum.hash_bytes(data, NAMES, part_size="5MiB")
    found: list[partsum.ObjectChecksums] = []

    def work() -> None:
        found.append(partsum.hash_stream(io.BytesIO(data), NAMES, part_size="5MiB"))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork(data: bytes) -> None:
    expected = partsum.hash_stream(io.BytesIO(data)).etag
    code = f"""
        import io, os, signal, partsum
        data = (bytes(range(251)) * {len(data) // 251 + 1})[:{len(data)}]
        partsum.hash_stream(io.BytesIO(data))
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(partsum.hash_stream(io.BytesIO(data)).etag != "{expected}")
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "0\n"


def test_reading_and_hashing_overlap() -> None:
    """While one piece is hashed, the next is read: seen in the order of things, not in time."""
    seen: list[str] = []
    piece = MIB

    class Watched:
        left = 64

        def readinto(self, buffer: Any) -> int:
            seen.append("hashing" if hashing_threads() else "idle")
            time.sleep(0.001)
            self.left -= 1
            return min(piece, len(buffer)) if self.left >= 0 else 0

    partsum.hash_stream(Watched(), ["SHA512"], part_size="5MiB", memory_limit="20MiB")
    assert seen[0] == "idle"
    assert "hashing" in seen
