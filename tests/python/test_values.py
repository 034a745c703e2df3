"""Every algorithm against other people's code, however the bytes are cut, held, fed and read."""

import array
import mmap
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from alone import SELF, alone
from hypothesis import example, given
from hypothesis import strategies as st

MIB = oracle.MIB
SMALL: dict[str, Any] = {"allow_small_parts": True}

# Where kernels go wrong: padding and blocks of 64 and 128 bytes, XXH3's 240 and 1024, tiles.
EDGES = [
    *(0, 1, 2, 3, 55, 56, 57, 63, 64, 65, 111, 112, 113, 119, 120, 127, 128, 129, 191, 192, 193),
    *(239, 240, 241, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 16383, 16384, 16385),
]

# Numbers of parts around the numbers of lanes in use anywhere: 2, 4, 8, 16, 24, 32, 48, 64.
COUNTS = [
    *(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33),
    *(47, 48, 49, 63, 64, 65, 97),
]

POOL = random.Random("partsum").randbytes(1 << 20)


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes without pattern, cut from a pool at an offset that depends on the seed."""
    start = seed * 7919 % (len(POOL) - size)
    return POOL[start : start + size]


def check(
    result: partsum.ObjectChecksums,
    data: bytes,
    sizes: Sequence[int],
    names: Sequence[str] = oracle.ALGORITHMS,
) -> None:
    """All that a multipart result says, against the oracle."""
    assert result.size == len(data)
    assert list(result.plan.sizes) == list(sizes)
    assert len(result.parts) == len(sizes)
    for name in names:
        found = [part.digest(name) for part in result.parts]
        assert found == oracle.part_digests(name, data, sizes), name
        if name != "CRC64NVME":
            assert result.composite(name) == oracle.composite(name, data, sizes), name
        if name in oracle.FULL_OBJECT:
            assert result.full_object(name) == oracle.full_object(name, data), name
    if "MD5" in names:
        assert result.etag == oracle.multipart_etag(data, sizes)


def check_single(
    result: partsum.ObjectChecksums, data: bytes, names: Sequence[str] = oracle.ALGORITHMS
) -> None:
    """All that the result of one PutObject says."""
    assert result.size == len(data)
    assert not result.plan.multipart
    for name in names:
        assert result.full_object(name) == oracle.full_object(name, data), name
    if "MD5" in names:
        assert result.etag == oracle.digest("MD5", data).hex()


@st.composite
def cut_bytes(draw: st.DrawFn, most: int = 40_000) -> tuple[bytes, list[int]]:
    """Bytes and the uneven sizes of their parts: a few long ones among many short ones."""
    count = draw(st.one_of(st.sampled_from(COUNTS), st.integers(1, 100)))
    longest = max(1, most // count)
    lengths = st.one_of(
        st.sampled_from([edge for edge in EDGES if edge and edge <= longest] or [1]),
        st.integers(1, longest),
        st.integers(1, 3),
    )
    sizes = draw(st.lists(lengths, min_size=count, max_size=count))
    return noise(sum(sizes), draw(st.integers(0, 9999))), sizes


# --- how the bytes are cut -----------------------------------------------------------------------


@given(cut_bytes())
def test_uneven_parts(cut: tuple[bytes, list[int]]) -> None:
    data, sizes = cut
    check(partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=sizes, **SMALL), data, sizes)


@given(st.integers(0, 30_000), st.integers(1, 5000), st.integers(0, 9999))
@example(0, 1, 0)
@example(200, 1, 1)
@example(4096, 64, 2)
def test_even_parts(size: int, part_size: int, seed: int) -> None:
    part_size = max(part_size, size // 200)
    data = noise(size, seed)
    result = partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=part_size, **SMALL)
    check(result, data, oracle.uniform(size, part_size))


@pytest.mark.parametrize("name", oracle.ALGORITHMS)
def test_each_algorithm_alone(name: str) -> None:
    """Alone there are no tiles to share, so each kernel runs its own loop over the whole part."""
    sizes = [size for size in EDGES if size] * 2
    data = noise(sum(sizes), 1)
    check(partsum.hash_bytes(data, [name], part_size=sizes, **SMALL), data, sizes, [name])


@pytest.mark.parametrize("count", COUNTS)
def test_numbers_of_parts_around_numbers_of_lanes(count: int) -> None:
    for part_size in (1, 64, 130, 1000):
        for last in (1, part_size):
            size = part_size * (count - 1) + last
            data = noise(size, count)
            result = partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=part_size, **SMALL)
            check(result, data, oracle.uniform(size, part_size))


@pytest.mark.parametrize("size", EDGES)
def test_lengths_as_one_object(size: int) -> None:
    data = noise(size, size)
    check_single(partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=None), data)
    check(partsum.hash_bytes(data, oracle.ALGORITHMS, part_size="5MiB"), data, [size])
    for name in oracle.ALGORITHMS:
        assert partsum.new(name, data).digest() == oracle.digest(name, data), name


@given(st.data())
def test_offsets_of_the_buffer(data: st.DataObject) -> None:
    """The first byte anywhere within a cache line, the parts at odd distances."""
    start = data.draw(st.integers(0, 129))
    part_size = data.draw(st.integers(60, 200))
    held = noise(9000, 5)
    view = memoryview(held)[start : start + data.draw(st.integers(0, 8000))]
    result = partsum.hash_bytes(view, oracle.ALGORITHMS, part_size=part_size, **SMALL)
    check(result, bytes(view), oracle.uniform(len(view), part_size))


@pytest.mark.parametrize("byte", [0x00, 0xFF, 0x80, 0x7F])
def test_carries(byte: int) -> None:
    """Constant bytes: the sums inside the rounds overflow in all lanes at once, or in none."""
    sizes = [1000, 64, 129, 1, 4096] * 7
    data = bytes([byte]) * sum(sizes)
    check(partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=sizes, **SMALL), data, sizes)


def test_lanes_that_end_at_very_different_times() -> None:
    sizes = [1, 60_000, 1, 1, 30_000, 2, 64, 1, 1, 1, 20_000, 1, 1, 1, 1, 1, 1, 128, 50_000, 3] * 2
    data = noise(sum(sizes), 3)
    for threads in (1, 2):
        result = partsum.hash_bytes(
            data, oracle.ALGORITHMS, part_size=sizes, threads=threads, **SMALL
        )
        check(result, data, sizes)


# --- where the bytes are held --------------------------------------------------------------------


def mapped(data: bytes) -> mmap.mmap:
    held = mmap.mmap(-1, len(data))
    held[:] = data
    return held


HOLDERS: dict[str, Callable[[bytes], Any]] = {
    "bytes": lambda data: data,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview of bytearray": lambda data: memoryview(bytearray(data)),
    "read-only memoryview": lambda data: memoryview(bytearray(data)).toreadonly(),
    "slice": lambda data: memoryview(b"..." + data + b"....")[3:-4],
    "cast to int": lambda data: memoryview(data).cast("i"),
    "cast to double": lambda data: memoryview(data).cast("d"),
    "cast to rows": lambda data: memoryview(data).cast("B", (len(data) // 8, 8)),
    "cast to char": lambda data: memoryview(data).cast("c"),
    "cast to bool": lambda data: memoryview(data).cast("?"),
    "array of bytes": lambda data: array.array("B", data),
    "array of signed bytes": lambda data: array.array("b", data),
    "array of doubles": lambda data: array.array("d", data),
    "array of long long": lambda data: array.array("q", data),
    "mmap": mapped,
    "memoryview of mmap": lambda data: memoryview(mapped(data)),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_buffers(holder: str) -> None:
    data = noise(8 * 2000, 11)
    held = HOLDERS[holder](data)
    result = partsum.hash_bytes(held, oracle.ALGORITHMS, part_size=700, **SMALL)
    check(result, data, oracle.uniform(len(data), 700))
    hasher = partsum.new("SHA256")
    hasher.update(held)
    assert hasher.digest() == oracle.digest("SHA256", data)
    assert partsum.new("SHA256", held).digest() == oracle.digest("SHA256", data)
    pieces = partsum.MultipartHasher(["MD5", "CRC32C"], 700, allow_small_parts=True)
    pieces.update(held)
    check(pieces.finish(), data, oracle.uniform(len(data), 700), ["MD5", "CRC32C"])


@pytest.mark.parametrize(
    "kind", ["uint8", "int16", ">u4", "float32", "float64", "complex128", "bool", "S8"]
)
def test_numpy_arrays(kind: str) -> None:
    numpy = pytest.importorskip("numpy")
    data = noise(16 * 1000, 12)
    flat = numpy.frombuffer(data, dtype=kind)
    assert not flat.flags.writeable
    for held in (flat, flat.copy(), flat.reshape(-1, 4) if flat.size % 4 == 0 else flat):
        result = partsum.hash_bytes(held, oracle.ALGORITHMS, part_size=999, **SMALL)
        check(result, data, oracle.uniform(len(data), 999))


def test_numpy_slices_that_are_contiguous() -> None:
    numpy = pytest.importorskip("numpy")
    held = numpy.arange(10_000, dtype="int32").reshape(100, 100)
    rows = held[10:20]
    result = partsum.hash_bytes(rows, ["MD5", "XXHASH3"], part_size=None)
    check_single(result, rows.tobytes(), ["MD5", "XXHASH3"])


@pytest.mark.parametrize("empty", [b"", bytearray(), memoryview(b""), array.array("d")])
def test_empty_buffers(empty: Any) -> None:
    check_single(partsum.hash_bytes(empty, oracle.ALGORITHMS), b"")
    check_single(partsum.hash_bytes(empty, oracle.ALGORITHMS, part_size=None), b"")
    check(partsum.hash_bytes(empty, oracle.ALGORITHMS, part_size="8MiB"), b"", [0])
    check(partsum.hash_bytes(empty, oracle.ALGORITHMS, part_size=[0]), b"", [0])


def test_the_buffer_is_free_again_afterwards() -> None:
    """A bytearray cannot grow while somebody holds its buffer."""
    held = bytearray(noise(5000))
    partsum.hash_bytes(held, oracle.ALGORITHMS)
    hasher = partsum.new("MD5", held)
    hasher.update(held)
    pieces = partsum.MultipartHasher(["MD5"], "5MiB")
    pieces.update(held)
    with pytest.raises(partsum.PartPlanError):
        partsum.hash_bytes(held, part_size=[1])
    held.extend(b"more")
    assert pieces.finish().etag == oracle.multipart_etag(bytes(held[:-4]), [5000])


# --- real part sizes -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big() -> bytes:
    """Four parts of 5 MiB and a little: long enough for every tile, short enough for every run."""
    return random.Random(2).randbytes(20 * MIB + 12_345)


@pytest.fixture(scope="module")
def big_file(big: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("values") / "big.bin"
    path.write_bytes(big)
    return path


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
@pytest.mark.parametrize("part_size", ["boto3", 5 * MIB, "7MB", "5.5MiB", None])
def test_bytes_with_real_part_sizes(big: bytes, part_size: Any, threads: int | None) -> None:
    if part_size == "5.5MiB":
        part_size = [6 * MIB, 5 * MIB, 9 * MIB + 1, 12_344]
    result = partsum.hash_bytes(big, oracle.ALGORITHMS, part_size=part_size, threads=threads)
    if part_size is None:
        check_single(result, big)
        return
    sizes = part_size if isinstance(part_size, list) else None
    step = {"boto3": 8 * MIB, "7MB": 7_000_000}.get(str(part_size), 5 * MIB)
    check(result, big, sizes or oracle.uniform(len(big), step))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])
def test_files(big: bytes, big_file: Path, io: Any, threads: int) -> None:
    sizes = [5 * MIB + 1, 6 * MIB, 5 * MIB + 77, 4 * MIB + 12_267]
    result = partsum.hash_file(big_file, oracle.ALGORITHMS, part_size=sizes, io=io, threads=threads)
    check(result, big, sizes)
    assert result == partsum.hash_bytes(big, oracle.ALGORITHMS, part_size=sizes)


@pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])
@given(cut=cut_bytes(most=70_000), threads=st.sampled_from([None, 1, 2, 5]))
def test_small_files(
    tmp_path_factory: pytest.TempPathFactory, io: Any, cut: tuple[bytes, list[int]], threads: int
) -> None:
    data, sizes = cut
    path = tmp_path_factory.getbasetemp() / f"small-{io}.bin"
    path.write_bytes(data)
    result = partsum.hash_file(
        path, oracle.ALGORITHMS, part_size=sizes, io=io, threads=threads, **SMALL
    )
    check(result, data, sizes)


@pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])
def test_empty_file(tmp_path: Path, io: Any) -> None:
    path = tmp_path / "empty"
    path.touch()
    check_single(partsum.hash_file(path, oracle.ALGORITHMS, io=io), b"")
    check_single(partsum.hash_file(path, oracle.ALGORITHMS, io=io, part_size=None), b"")
    check(partsum.hash_file(path, oracle.ALGORITHMS, io=io, part_size="5MiB"), b"", [0])


@pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_200_uneven_parts(tmp_path: Path, io: Any, threads: int) -> None:
    rng = random.Random(200)
    sizes = [rng.choice([1, rng.randint(1, 100), rng.randint(1, 10_000)]) for _ in range(200)]
    data = noise(sum(sizes), 17)
    path = tmp_path / "200"
    path.write_bytes(data)
    result = partsum.hash_file(
        path, oracle.ALGORITHMS, part_size=sizes, io=io, threads=threads, **SMALL
    )
    check(result, data, sizes)
    assert result == partsum.hash_bytes(
        data, oracle.ALGORITHMS, part_size=sizes, threads=threads, **SMALL
    )


def test_parts_of_one_byte(tmp_path: Path) -> None:
    data = noise(1000, 23)
    path = tmp_path / "ones"
    path.write_bytes(data)
    for result in (
        partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=1, **SMALL),
        partsum.hash_file(path, oracle.ALGORITHMS, part_size=1, **SMALL),
    ):
        check(result, data, [1] * 1000)


def test_ten_thousand_parts() -> None:
    data = noise(30_000, 29)
    result = partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=3, **SMALL)
    check(result, data, [3] * 10_000)


def test_sparse_file_with_holes(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(11 * MIB)
        file.seek(5 * MIB - 2)
        file.write(b"over the border")
    data = path.read_bytes()
    for io in ("auto", "mmap", "read", "direct"):
        result = partsum.hash_file(path, oracle.ALGORITHMS, part_size=5 * MIB, io=io)
        check(result, data, oracle.uniform(len(data), 5 * MIB))


def zeros(size: int) -> memoryview:
    """Private memory that is only read is one page of zeros, however much there is of it."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return memoryview(mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ))


needs_zeros = pytest.mark.skipif(
    not sys.platform.startswith("linux") or sys.maxsize < 2**40, reason="needs much address space"
)


@pytest.mark.slow
@needs_zeros
@pytest.mark.parametrize("name", oracle.HASHLIB)
def test_a_part_of_more_bits_than_32_bits_can_count(name: str) -> None:
    """MD5 and the SHAs end with the length of the message in bits; one lane here is that long."""
    sizes = [5 * MIB] * 4 + [512 * MIB + 65] + [5 * MIB] * 12
    held = zeros(sum(sizes))
    found = partsum.hash_bytes(held, name, part_size=sizes)
    short, long = (oracle.digest(name, held[:size]) for size in sizes[3:5])
    assert [part.digest(name) for part in found.parts] == [short] * 4 + [long] + [short] * 12
    alone = partsum.hash_bytes(held[: sizes[4]], name, part_size=None)
    assert alone.parts[0].digest(name) == long


@pytest.mark.slow
@needs_zeros
def test_a_part_of_more_bytes_than_32_bits_can_count() -> None:
    held = zeros(4096 * MIB + 7)
    names = (*oracle.CRC, *oracle.XXH)
    part = partsum.hash_bytes(held, names, part_size="5GiB").parts[0]
    for name in names:
        assert part.digest(name) == oracle.digest(name, held), name


@pytest.mark.slow
@needs_zeros
def test_offsets_of_more_than_32_bits_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "holes"
    size = 4096 * MIB + 7
    with path.open("wb") as file:
        file.write(b"begin")
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    try:
        result = partsum.hash_file(path, ["CRC64NVME"], part_size="1GiB", io="mmap")
        again = partsum.hash_file(path, ["CRC64NVME"], part_size=result.plan, io="read")
    finally:
        path.unlink()
    assert result == again
    assert list(result.plan.sizes) == [1024 * MIB] * 4 + [7]
    hole = zeros(1024 * MIB)
    first, rest = oracle.digest("CRC64NVME", b"begin"), oracle.digest("CRC64NVME", hole[5:])
    full = oracle.digest("CRC64NVME", hole)
    found = [part.digest("CRC64NVME") for part in result.parts]
    assert found[0] == oracle.combine_crc("CRC64NVME", first, rest, len(hole) - 5)
    assert found[1:4] == [full] * 3
    assert found[4] == oracle.digest("CRC64NVME", b"\0\0\0\0end")


def test_default_algorithms_are_md5_and_crc64nvme(tmp_path: Path) -> None:
    path = tmp_path / "default"
    path.write_bytes(b"default")
    for result in (partsum.hash_file(path), partsum.hash_bytes(b"default")):
        assert set(result.algorithms) == {"MD5", "CRC64NVME"}
        check_single(result, b"default", ["MD5", "CRC64NVME"])


@pytest.mark.parametrize("spell", [str.upper, str.lower, str.capitalize])
@pytest.mark.parametrize("name", oracle.ALGORITHMS)
def test_names_in_any_case_and_alone(spell: Callable[[str], str], name: str) -> None:
    spelled = spell(name)
    for given_as in (spelled, [spelled], (spelled,), iter([spelled]), {spelled}):
        result = partsum.hash_bytes(b"abc", given_as, part_size=None)
        assert list(result.algorithms) == [name]
        assert result.full_object(spelled) == oracle.full_object(name, b"abc")
    assert partsum.new(spelled, b"abc").digest() == oracle.digest(name, b"abc")


@given(st.sets(st.sampled_from(oracle.ALGORITHMS), min_size=1), cut_bytes(most=8000))
def test_any_set_of_algorithms(names: set[str], cut: tuple[bytes, list[int]]) -> None:
    data, sizes = cut
    order = sorted(names, key=lambda name: name[::-1])
    result = partsum.hash_bytes(data, order, part_size=sizes, **SMALL)
    assert sorted(result.algorithms) == sorted(names)
    check(result, data, sizes, order)


# --- fed piece by piece --------------------------------------------------------------------------


def groupings(data: bytes, rng: random.Random) -> Iterator[bytes]:
    while data:
        size = rng.choice([0, 1, rng.randint(1, 70), rng.randint(1, 3000), rng.randint(1, 40_000)])
        yield data[:size]
        data = data[size:]


@given(st.integers(0, 60_000), st.integers(1, 9000), st.integers(0, 2**32))
@example(0, 1, 0)
@example(60_000, 8192, 1)
def test_multipart_hasher_in_any_grouping(size: int, part_size: int, seed: int) -> None:
    part_size = max(part_size, size // 150)
    data = noise(size, seed)
    hasher = partsum.MultipartHasher(oracle.ALGORITHMS, part_size, **SMALL)
    for piece in groupings(data, random.Random(seed)):
        hasher.update(piece)
    fed = hasher.finish()
    check(fed, data, oracle.uniform(size, part_size))
    assert fed == partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=part_size, **SMALL)


@given(st.sampled_from(oracle.ALGORITHMS), st.integers(0, 90_000), st.integers(0, 2**32))
def test_hasher_in_any_grouping(name: str, size: int, seed: int) -> None:
    data = noise(size, seed)
    hasher = partsum.new(name)
    for piece in groupings(data, random.Random(seed)):
        hasher.update(piece)
    assert hasher.digest() == oracle.digest(name, data)


def test_multipart_hasher_with_a_preset_equals_the_file(big: bytes, big_file: Path) -> None:
    for part_size in (5 * MIB, "6 MB", "awscli", "boto3", "8MiB", "dandi"):
        hasher = partsum.MultipartHasher(["MD5", "SHA256", "CRC64NVME"], part_size)
        for start in range(0, len(big), 1_000_003):
            hasher.update(big[start : start + 1_000_003])
        fed = hasher.finish()
        assert fed == partsum.hash_file(
            big_file, ["MD5", "SHA256", "CRC64NVME"], part_size=part_size
        )
        assert fed == partsum.hash_bytes(big, ["MD5", "SHA256", "CRC64NVME"], part_size=part_size)


# --- several plans in one read -------------------------------------------------------------------


@given(
    cut_bytes(most=60_000),
    st.lists(st.integers(300, 70_000), min_size=1, max_size=5),
    st.sampled_from([None, 1, 2]),
)
def test_plans_in_one_read_equal_a_read_for_each(
    tmp_path_factory: pytest.TempPathFactory,
    cut: tuple[bytes, list[int]],
    steps: list[int],
    threads: int | None,
) -> None:
    data, sizes = cut
    path = tmp_path_factory.getbasetemp() / "plans.bin"
    path.write_bytes(data)
    plans: list[Any] = [*steps, sizes, None, "boto3"]
    names = ["MD5", "SHA1", "CRC32", "XXHASH64"]
    found = partsum.hash_plans(path, plans, names, threads=threads, **SMALL)
    assert len(found) == len(plans)
    for plan, result in zip(plans, found, strict=True):
        assert result == partsum.hash_file(path, names, part_size=plan, **SMALL)
    for step, result in zip(steps, found, strict=False):
        check(result, data, oracle.uniform(len(data), step), names)
    check(found[-3], data, sizes, names)
    check_single(found[-2], data, names)


def test_plans_with_real_part_sizes(big: bytes, big_file: Path) -> None:
    plans: list[Any] = [
        5 * MIB,
        "6MiB",
        "7 MB",
        "boto3",
        "rclone",
        None,
        partsum.plan_parts(len(big), "mc"),
    ]
    names = ["MD5", "SHA256", "CRC64NVME"]
    for io in ("mmap", "read"):
        found = partsum.hash_plans(big_file, plans, names, io=io)
        check(found[0], big, oracle.uniform(len(big), 5 * MIB), names)
        check(found[1], big, oracle.uniform(len(big), 6 * MIB), names)
        check(found[2], big, oracle.uniform(len(big), 7_000_000), names)
        check(found[3], big, oracle.uniform(len(big), 8 * MIB), names)
        check_single(found[4], big, names)
        check_single(found[5], big, names)
        check(found[6], big, oracle.uniform(len(big), 16 * MIB), names)


READ = """
    import sys
    import partsum
    from alone import bytes_read

    before = bytes_read()
    partsum.hash_plans(sys.argv[1], [plan or None for plan in sys.argv[2:]], ["MD5", "SHA1"])
    print(bytes_read() - before)
"""


@pytest.mark.skipif(not (SELF / "io").exists(), reason="needs /proc/self/io")
@pytest.mark.parametrize("plans", [["8MiB"], ["5MiB", "6MiB", "7MiB", "8MiB", ""]])
def test_plans_share_one_read(plans: list[str], big: bytes, big_file: Path) -> None:
    """Counted by the kernel: bytes through read(2) and its kin; several plans share a map."""
    assert int(alone(READ, big_file, *plans)) < 1.5 * len(big)


def test_the_same_plan_twice(big_file: Path) -> None:
    first, second = partsum.hash_plans(big_file, ["8MiB", 8 * MIB], ["MD5"])
    assert first == second


# --- progress ------------------------------------------------------------------------------------


@pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_progress_adds_up_to_the_size(big: bytes, big_file: Path, io: Any, threads: int) -> None:
    seen: list[int] = []
    result = partsum.hash_file(
        big_file, ["MD5", "SHA256"], part_size="5MiB", io=io, threads=threads, progress=seen.append
    )
    assert sum(seen) == len(big)
    assert all(isinstance(step, int) and step > 0 for step in seen)
    assert result.etag == oracle.multipart_etag(big, oracle.uniform(len(big), 5 * MIB))


def test_progress_of_several_plans_counts_the_file_once(big: bytes, big_file: Path) -> None:
    seen: list[int] = []
    partsum.hash_plans(big_file, ["5MiB", "8MiB", None], ["MD5"], progress=seen.append)
    assert sum(seen) == len(big)


def test_progress_of_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    seen: list[int] = []
    partsum.hash_file(path, progress=seen.append)
    assert sum(seen) == 0
