"""Many files: the same values as one by one, in order, whatever happens to some of them."""

from __future__ import annotations

import errno
import gc
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import partsum
import pytest
import settings_hypothesis  # noqa: F401
from alone import descriptors
from hypothesis import given, settings
from hypothesis import strategies as st

MIB = 2**20
NAMES = ["MD5", "SHA1", "SHA256", "SHA512", "CRC32", "CRC64NVME", "XXHASH3"]


def write(folder: Path, sizes: list[int]) -> list[Path]:
    """Files of these sizes, no two alike."""
    paths = []
    for index, size in enumerate(sizes):
        path = folder / f"{index:05}"
        path.write_bytes((index.to_bytes(4, "big") * (size // 4 + 1))[:size])
        paths.append(path)
    return paths


def one_by_one(paths: list[Path], **options: object) -> list[partsum.ObjectChecksums]:
    return [partsum.hash_file(path, NAMES, **options) for path in paths]  # type: ignore[arg-type]


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(0, 200_000), max_size=40), threads=st.integers(1, 3))
def test_equal_to_one_by_one(
    sizes: list[int], threads: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    paths = write(tmp_path_factory.mktemp("files"), sizes)
    results = list(partsum.hash_files(paths, NAMES, threads=threads))
    assert results == one_by_one(paths)
    assert [result.path for result in results] == [str(path) for path in paths]


@pytest.mark.parametrize("empty", range(70))
def test_empty_files_wait_for_their_turn_too(tmp_path: Path, empty: int) -> None:
    """Those that find no lane in the first wave are not done because nothing of them is left."""
    paths = write(tmp_path, [0] * empty + [1])
    results = list(partsum.hash_files(paths, NAMES, threads=1))
    assert results == one_by_one(paths)


@pytest.mark.parametrize("io", ["auto", "read", "mmap", "direct"])
def test_small_and_large_with_parts(tmp_path: Path, io: str) -> None:
    """Some have one part, some several, one is larger than a whole batch of the others."""
    paths = write(tmp_path, [0, 1, 9 * MIB, 100, 40 * MIB, 16 * 1024, 16 * 1024 + 1, 8 * MIB, 5])
    assert list(partsum.hash_files(paths, NAMES, io=io)) == one_by_one(paths)  # type: ignore[arg-type]
    parts = list(partsum.hash_files(paths, NAMES, part_size="5MiB"))
    assert parts == one_by_one(paths, part_size="5MiB")


def test_more_files_than_may_be_open(tmp_path: Path) -> None:
    paths = write(tmp_path, [20_000] * 700)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 400), hard))
    try:
        results = list(partsum.hash_files(paths, ["CRC32"]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [result.path for result in results] == [str(path) for path in paths]
    assert len({result.checksum("CRC32") for result in results}) == 700  # type: ignore[union-attr]


def test_bad_files_are_results_and_stop_nothing(tmp_path: Path) -> None:
    good = write(tmp_path, [10, 9 * MIB])
    folder, missing, fifo = tmp_path / "folder", tmp_path / "missing", tmp_path / "fifo"
    folder.mkdir()
    os.mkfifo(fifo)
    results = list(partsum.hash_files([missing, good[0], folder, fifo, good[1]], NAMES))
    assert [result for result in results if isinstance(result, partsum.ObjectChecksums)] == (
        one_by_one(good)
    )
    bad = [result for result in results if isinstance(result, partsum.FileError)]
    assert [failure.path for failure in bad] == [str(missing), str(folder), str(fifo)]
    assert isinstance(bad[0].error, FileNotFoundError)
    assert isinstance(bad[1].error, IsADirectoryError)
    assert isinstance(bad[2].error, OSError)
    assert bad[0].error.errno == errno.ENOENT
    assert str(missing) in str(bad[0])
    with pytest.raises(partsum.PartsumError) as raised:
        raise bad[0]
    assert raised.value.__cause__ is bad[0].error


def test_a_plan_that_s3_refuses_is_that_files_error(tmp_path: Path) -> None:
    paths = write(tmp_path, [100, 3 * MIB, 200])
    results = list(partsum.hash_files(paths, "MD5", part_size="1MiB"))
    assert isinstance(results[1], partsum.FileError)
    assert isinstance(results[1].error, partsum.PartPlanError)
    assert [type(result) for result in results[::2]] == [partsum.ObjectChecksums] * 2


@pytest.mark.parametrize("io", ["read", "mmap", "direct"])
def test_a_file_that_shrinks_is_that_files_error(tmp_path: Path, io: str) -> None:
    paths = write(tmp_path, [0, 64 * MIB, 32 * MIB])

    def shrink(_: int) -> None:
        if paths[1].stat().st_size:
            os.truncate(paths[1], 0)

    results = list(
        partsum.hash_files(paths, "SHA512", progress=shrink, threads=1, io=io)  # type: ignore[arg-type]
    )
    assert isinstance(results[1], partsum.FileError)
    assert isinstance(results[1].error, partsum.FileChangedError)
    assert results[2] == partsum.hash_file(paths[2], "SHA512")


def test_paths_are_taken_as_results_are_wanted(tmp_path: Path) -> None:
    paths = write(tmp_path, [10] * 1000)
    taken = 0

    def source() -> Iterator[Path]:
        nonlocal taken
        for path in paths:
            taken += 1
            yield path

    results = partsum.hash_files(source(), "CRC32")
    assert taken == 0
    next(results)
    assert 0 < taken < 1000
    assert len(list(results)) == 999
    assert list(results) == []


def test_what_the_iterable_raises_comes_out(tmp_path: Path) -> None:
    def source() -> Iterator[Path]:
        yield from write(tmp_path, [10])
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(partsum.hash_files(source(), "CRC32"))


def test_progress_adds_up_and_its_exceptions_stop_the_work(tmp_path: Path) -> None:
    paths = write(tmp_path, [3 * MIB] * 5 + [10] * 5)
    seen: list[int] = []
    list(partsum.hash_files(paths, "MD5", progress=seen.append))
    assert sum(seen) == 15 * MIB + 50

    def stop(_: int) -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        list(partsum.hash_files(paths, "MD5", progress=stop))


def test_wrong_arguments_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="paths: must be an iterable of paths, not "):
        partsum.hash_files(str(tmp_path))
    with pytest.raises(TypeError):
        partsum.hash_files(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no algorithm"):
        partsum.hash_files([], [])
    with pytest.raises(ValueError, match="threads"):
        partsum.hash_files([], threads=0)
    with pytest.raises(TypeError):
        list(partsum.hash_files([7]))  # type: ignore[list-item]
    assert list(partsum.hash_files([])) == []


def test_threads_may_share_it(tmp_path: Path) -> None:
    paths = write(tmp_path, [5000] * 600)
    results = partsum.hash_files(paths, "MD5")
    seen: list[str] = []

    def take() -> None:
        seen.extend(result.path or "" for result in results)

    workers = [threading.Thread(target=take) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(seen) == [str(path) for path in paths]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    paths = write(tmp_path, [30_000] * 300)
    gc.collect()  # what the tests before left, too, has descriptors
    before = descriptors()
    for _ in range(5):
        list(partsum.hash_files(paths, "CRC32"))
        next(partsum.hash_files(paths, "CRC32"))
    assert descriptors() <= before
