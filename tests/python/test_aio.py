"""partsum.aio: the same results, while the event loop runs on."""

import asyncio
import contextvars
import doctest
import inspect
import io
import mmap
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import oracle
import partsum
import partsum.aio
import pytest
from test_public_names import FUNCTIONS, follows

MIB = oracle.MIB
NAMES = ("MD5", "SHA256", "CRC64NVME")
aio = partsum.aio


@pytest.fixture(scope="module")
def data() -> bytes:
    return oracle.byte_cycle(20 * MIB + 1)


@pytest.fixture(scope="module")
def path(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("aio") / "file.bin"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes a minute to hash."""
    path = tmp_path_factory.mktemp("aio") / "holes.bin"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * MIB)
    return path


class Endless:
    """A stream without an end."""

    reads = 0

    def readinto(self, buffer: Any) -> int:
        self.reads += 1
        return len(buffer)


def hashing_threads() -> list[str]:
    """Python's own ones; those of the executor stay for the next call."""
    return [thread.name for thread in threading.enumerate() if "partsum" in thread.name]


def gone(timeout: float = 10) -> bool:
    end = time.monotonic() + timeout
    while hashing_threads() and time.monotonic() < end:
        time.sleep(0.01)
    return not hashing_threads()


# --- the same ------------------------------------------------------------------------------------


def test_the_same_results(path: Path, data: bytes) -> None:
    async def main() -> None:
        options: Any = {"part_size": "5MiB", "threads": 2}
        expected = partsum.hash_file(path, NAMES, **options)
        assert await aio.hash_file(path, NAMES, **options) == expected
        expected = partsum.hash_bytes(data, NAMES, **options)
        assert await aio.hash_bytes(data, NAMES, **options) == expected
        assert await aio.hash_stream(io.BytesIO(data), NAMES, **options) == expected
        plans: Any = ["5MiB", None, "boto3"]
        assert await aio.hash_plans(path, plans, NAMES) == partsum.hash_plans(path, plans, NAMES)
        assert await aio.hash_bytes(b"") == partsum.hash_bytes(b"")

    asyncio.run(main())


def test_files_in_order_and_bad_ones_as_results(path: Path, tmp_path: Path) -> None:
    small = []
    for index in range(600):
        small.append(tmp_path / str(index))
        small[-1].write_bytes(index.to_bytes(2, "big") * (index % 50))
    paths = [path, *small[:300], tmp_path / "missing", *small[300:], path]
    seen: list[int] = []
    told_on: set[int] = set()

    def progress(hashed: int) -> None:
        seen.append(hashed)
        told_on.add(threading.get_ident())

    async def main() -> list[Any]:
        return [result async for result in aio.hash_files(paths, NAMES, progress=progress)]

    found = asyncio.run(main())
    failed = found.pop(301)
    assert isinstance(failed, partsum.FileError)
    assert isinstance(failed.error, FileNotFoundError)
    assert found == [partsum.hash_file(path, NAMES) for path in paths if path.exists()]
    assert sum(seen) == sum(path.stat().st_size for path in paths if path.exists())
    assert told_on == {threading.get_ident()}


def test_files_whose_iterable_raises(path: Path) -> None:
    """What was hashed before comes out before."""
    found: list[Any] = []

    def paths() -> Iterator[Path]:
        yield from [path] * 256
        raise LookupError("no more")

    async def main() -> None:
        found.extend([result async for result in aio.hash_files([path], "CRC32")])
        async for result in aio.hash_files(paths(), "CRC32"):
            found.append(result)

    with pytest.raises(LookupError, match="no more"):
        asyncio.run(main())
    assert len(found) == 257
    with pytest.raises(ValueError, match="no algorithm"):
        aio.hash_files([], [])


def test_files_are_let_go_when_the_task_is_cancelled(path: Path, endless: Path) -> None:
    """One that is done, and one that takes long."""
    found: list[Any] = []

    async def take() -> None:
        async for result in aio.hash_files([path, endless], "SHA512"):
            found.append(result)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(take(), 0.5)

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("name", aio.__all__)
def test_signatures(name: str) -> None:
    follows(inspect.signature(getattr(aio, name)), FUNCTIONS[name])


@pytest.mark.parametrize("name", aio.__all__)
def test_documentation(name: str) -> None:
    text = getattr(aio, name).__doc__
    assert ">>> " in text
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: aio.hash_file("missing"), FileNotFoundError),
        (lambda: aio.hash_file("missing", "MD6"), ValueError),
        (lambda: aio.hash_file("missing", progress=1), TypeError),  # type: ignore[arg-type]
        (lambda: aio.hash_bytes("text"), TypeError),  # type: ignore[arg-type]
        (lambda: aio.hash_plans("missing", []), ValueError),
        (lambda: aio.hash_stream("path"), TypeError),  # type: ignore[arg-type]
        (lambda: aio.hash_stream(io.BytesIO(), part_size="rclone"), partsum.PartPlanError),
        (lambda: aio.hash_stream(io.BytesIO(), progress=1), TypeError),  # type: ignore[arg-type]
    ],
)
def test_the_same_exceptions(
    call: Callable[[], Coroutine[Any, Any, Any]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        asyncio.run(call())
    assert gone()


def test_a_stream_that_raises_stop_iteration_hangs_nobody() -> None:
    class Stops:
        def read(self, size: int) -> bytes:
            raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(asyncio.wait_for(aio.hash_stream(Stops()), 30))


# --- the event loop runs on ----------------------------------------------------------------------

CALLS: dict[str, Callable[[bytes, Path], Awaitable[Any]]] = {
    "hash_file": lambda data, path: aio.hash_file(path, ["SHA512"], part_size=None),
    "hash_bytes": lambda data, path: aio.hash_bytes(data, ["SHA512"], part_size=None),
    "hash_plans": lambda data, path: aio.hash_plans(path, [None, "5MiB"], ["SHA512"]),
    "hash_stream": lambda data, path: aio.hash_stream(io.BytesIO(data), ["SHA512"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_coroutine_keeps_ticking(
    call: Callable[[bytes, Path], Awaitable[Any]], data: bytes, path: Path
) -> None:
    """A call that blocked the loop would let none through, however often it is tried."""

    async def main() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        ticker = asyncio.create_task(tick())
        await asyncio.sleep(0)
        await call(data, path)
        seen = ticks
        ticker.cancel()
        return seen

    assert max(asyncio.run(main()) for _ in range(5)) >= 2


def test_many_at_once(path: Path, data: bytes) -> None:
    async def main() -> list[Any]:
        calls: list[Awaitable[Any]] = []
        for _ in range(12):
            calls.append(aio.hash_file(path, NAMES))
            calls.append(aio.hash_bytes(data[: 9 * MIB], NAMES))
            calls.append(aio.hash_stream(io.BytesIO(data), NAMES))
        return await asyncio.gather(*calls)

    found = asyncio.run(main())
    assert set(found[0::3]) == {partsum.hash_file(path, NAMES)}
    assert set(found[1::3]) == {partsum.hash_bytes(data[: 9 * MIB], NAMES)}
    assert set(found[2::3]) == {partsum.hash_bytes(data, NAMES)}
    assert gone()


def test_streams_may_wait_for_each_other() -> None:
    """More silent pipes than the default executor has threads, written to by that executor."""

    async def main() -> None:
        ends = [os.pipe() for _ in range(48)]
        files = [open(end, "rb") for end, _ in ends]  # noqa: PTH123, SIM115
        tasks = [asyncio.create_task(aio.hash_stream(file)) for file in files]
        await asyncio.sleep(0.1)

        def write(end: int) -> None:
            os.write(end, b"abc")
            os.close(end)

        await asyncio.gather(*(asyncio.to_thread(write, end) for _, end in reversed(ends)))
        assert set(await asyncio.gather(*tasks)) == {partsum.hash_bytes(b"abc")}
        for file in files:
            file.close()

    asyncio.run(asyncio.wait_for(main(), 60))
    assert gone()


def test_context_variables_reach_the_stream() -> None:
    name = contextvars.ContextVar("name", default="unset")
    seen: list[str] = []

    class Asks(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            seen.append(name.get())
            return super().readinto(buffer)

    async def main() -> None:
        name.set("set")
        await aio.hash_stream(Asks(b"abc"))

    asyncio.run(main())
    assert set(seen) == {"set"}


# --- progress ------------------------------------------------------------------------------------


def test_progress_is_called_on_the_loop_and_counts_every_byte(path: Path, data: bytes) -> None:
    async def main() -> None:
        loop_thread = threading.get_ident()
        told: list[int] = []

        def progress(count: int) -> None:
            assert threading.get_ident() == loop_thread
            asyncio.get_running_loop()
            told.append(count)

        await aio.hash_file(path, progress=progress)
        await aio.hash_bytes(data, progress=progress)
        await aio.hash_plans(path, ["5MiB", "6MiB"], progress=progress)
        await aio.hash_stream(io.BytesIO(data), progress=progress)
        assert sum(told) == 4 * len(data)

    asyncio.run(main())


class Gone(Exception):
    pass


def test_what_progress_raises_stops_the_work_and_comes_out(endless: Path) -> None:
    def progress(_: int) -> None:
        raise Gone

    async def main() -> None:
        for call in (
            aio.hash_file(endless, ["SHA512"], progress=progress),
            aio.hash_stream(Endless(), ["SHA512"], progress=progress, part_size=None),
            aio.hash_bytes(b"abc", progress=progress),
        ):
            with pytest.raises(Gone):
                await asyncio.wait_for(call, 30)

    asyncio.run(main())
    assert gone()


# --- cancellation --------------------------------------------------------------------------------


@pytest.mark.serial
@pytest.mark.parametrize("kind", ["file", "bytes", "plans", "stream", "parts"])
def test_cancelling_stops_the_hashing(kind: str, endless: Path) -> None:
    stream = Endless()
    # Private memory that is only read is one page of zeros, however much there is of it.
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    zeros = mmap.mmap(-1, 48 * 1024 * MIB, flags=flags, prot=mmap.PROT_READ)

    async def main() -> None:
        calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "file": lambda: aio.hash_file(endless, ["SHA512"]),
            "bytes": lambda: aio.hash_bytes(zeros, ["SHA512"], part_size="64MiB"),
            "plans": lambda: aio.hash_plans(endless, ["8MiB", "16MiB"], ["SHA512"]),
            "stream": lambda: aio.hash_stream(stream, ["SHA512"], part_size=None),
            "parts": lambda: aio.hash_stream(stream, ["SHA512"], part_size="64MiB"),
        }
        task = asyncio.create_task(calls[kind]())
        await asyncio.sleep(0.3)
        assert not task.done()
        task.cancel()
        start = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - start < 2.5  # on a shared machine; hundredths of a second else

    start = time.monotonic()
    asyncio.run(main())
    # asyncio.run waits for the executor: a call that went on would take a minute.
    assert time.monotonic() - start < 15
    assert gone()
    reads = stream.reads
    time.sleep(0.05)
    assert stream.reads == reads
    zeros.close()  # nobody holds on to it


def test_a_silent_pipe_does_not_hold_up_cancellation() -> None:
    ends = os.pipe()

    async def main() -> None:
        with open(ends[0], "rb", closefd=False) as pipe:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(aio.hash_stream(pipe), 0.1)
            os.close(ends[1])  # the read ends, and so does its thread
            await asyncio.to_thread(gone)

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 10
    assert hashing_threads() == []
    os.close(ends[0])


def test_a_silent_pipe_does_not_keep_the_interpreter_alive() -> None:
    code = """
        import asyncio, os
        import partsum.aio

        async def main():
            pipe = open(os.pipe()[0], "rb", closefd=False, buffering=0)
            try:
                await asyncio.wait_for(partsum.aio.hash_stream(pipe), 0.1)
            except asyncio.TimeoutError:
                print("timed out")

        asyncio.run(main())
        """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "timed out\n", "")


def test_calls_that_wait_for_the_executor_are_cancelled_too(endless: Path) -> None:
    async def main() -> None:
        calls = [aio.hash_file(endless, ["SHA512"], threads=1) for _ in range(60)]
        tasks = [asyncio.create_task(call) for call in calls]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 15
