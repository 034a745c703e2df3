"""partsum.new() has the shape of hashlib.new(); MultipartHasher opens and closes once."""

import hashlib
import itertools
from typing import Any

import oracle
import partsum
import pytest

MIB = oracle.MIB
DIGEST_SIZES = {
    "MD5": 16,
    "SHA1": 20,
    "SHA256": 32,
    "SHA512": 64,
    "CRC32": 4,
    "CRC32C": 4,
    "CRC64NVME": 8,
    "XXHASH64": 8,
    "XXHASH3": 8,
    "XXHASH128": 16,
}

each_algorithm = pytest.mark.parametrize("name", oracle.ALGORITHMS)


# --- new() ---------------------------------------------------------------------------------------


@each_algorithm
def test_attributes_of_a_hashlib_object(name: str) -> None:
    hasher = partsum.new(name)
    assert hasher.name == name
    assert hasher.digest_size == DIGEST_SIZES[name] == len(hasher.digest())
    assert isinstance(hasher.block_size, int)
    assert hasher.block_size > 0
    if name in oracle.HASHLIB:
        model = hashlib.new(oracle.HASHLIB[name])
        assert hasher.block_size == model.block_size
        assert hasher.digest_size == model.digest_size
    for attribute in ("name", "digest_size", "block_size"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(hasher, attribute, 1)


@each_algorithm
def test_the_three_spellings_of_a_digest(name: str) -> None:
    expected = oracle.digest(name, b"one two")
    hasher = partsum.new(name, b"one ")
    update: Any = hasher.update
    assert update(b"two") is None
    assert hasher.digest() == expected
    assert isinstance(hasher.digest(), bytes)
    assert hasher.hexdigest() == expected.hex()
    assert hasher.b64digest() == oracle.b64(expected)


@each_algorithm
def test_digest_may_be_asked_for_at_any_time(name: str) -> None:
    data = oracle.byte_cycle(1000)
    hasher = partsum.new(name)
    ends = (0, 1, 63, 64, 65, 128, 129, 240, 241, 300, 1000)
    for start, end in itertools.pairwise((0, *ends)):
        hasher.update(data[start:end])
        assert hasher.digest() == oracle.digest(name, data[:end])
        assert hasher.digest() == oracle.digest(name, data[:end])  # asking changes nothing


@each_algorithm
def test_copy_is_independent(name: str) -> None:
    for prefix in (b"", b"shared", oracle.byte_cycle(300)):
        first = partsum.new(name, prefix)
        second = first.copy()
        assert type(second) is type(first)
        assert second.name == name
        first.update(b"left")
        second.update(b"right")
        assert first.digest() == oracle.digest(name, prefix + b"left")
        assert second.digest() == oracle.digest(name, prefix + b"right")


@each_algorithm
def test_large_updates(name: str) -> None:
    """Above the size at which the lock of the interpreter is let go."""
    data = oracle.byte_cycle(3 * MIB + 5)
    assert partsum.new(name, data).digest() == oracle.digest(name, data)
    hasher = partsum.new(name)
    hasher.update(data[: MIB + 1])
    hasher.update(data[MIB + 1 :])
    assert hasher.digest() == oracle.digest(name, data)


def test_new_objects_are_hashers() -> None:
    assert isinstance(partsum.new("MD5"), partsum.Hasher)
    assert repr(partsum.new("md5")) == "<partsum.Hasher MD5 d41d8cd98f00b204e9800998ecf8427e>"


@pytest.mark.parametrize("name", ["", "MD4", "SHA-3", "-", "crc64", "xxh3", "sha256 ", "SHA 256"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(ValueError) as refused:
        partsum.new(name)
    for known in oracle.ALGORITHMS:
        assert known in str(refused.value)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("md5", "MD5"),
        ("sha-256", "SHA256"),
        ("SHA_512", "SHA512"),
        ("crc64-nvme", "CRC64NVME"),
        ("Crc-32C", "CRC32C"),
        ("xxhash_3", "XXHASH3"),
        ("xx-hash-128", "XXHASH128"),
    ],
)
def test_names_as_people_write_them(written: str, name: str) -> None:
    assert partsum.new(written).name == name
    sums = partsum.hash_bytes(b"aaa", written, part_size=None)
    assert sums.algorithms == (name,)
    assert sums.checksum(written, "full-object") == sums.full_object(name)


@pytest.mark.parametrize("name", [None, 5, b"MD5", ["MD5"]])
def test_names_of_a_wrong_type(name: Any) -> None:
    with pytest.raises(TypeError):
        partsum.new(name)


@pytest.mark.parametrize("data", ["text", None, 5, [1, 2], iter(b"ab")])
def test_data_of_a_wrong_type(data: Any) -> None:
    with pytest.raises(TypeError):
        partsum.new("MD5", data)
    hasher = partsum.new("MD5", b"kept")
    with pytest.raises(TypeError):
        hasher.update(data)
    assert hasher.digest() == oracle.digest("MD5", b"kept")


def test_buffers_with_gaps() -> None:
    hasher = partsum.new("CRC32", b"kept")
    with pytest.raises(BufferError):
        hasher.update(memoryview(b"abcdef")[::2])
    with pytest.raises(BufferError):
        partsum.new("CRC32", memoryview(b"abcdef")[::-1])
    assert hasher.digest() == oracle.digest("CRC32", b"kept")


# --- the tables ----------------------------------------------------------------------------------


def test_algorithms_available() -> None:
    assert isinstance(partsum.algorithms_available, frozenset)
    assert partsum.algorithms_available == frozenset(oracle.ALGORITHMS)
    assert set(partsum.ALGORITHMS) == set(oracle.ALGORITHMS)


@each_algorithm
def test_rows_of_the_table_of_algorithms(name: str) -> None:
    row = partsum.ALGORITHMS[name]
    assert row.name == name
    assert row.digest_size == DIGEST_SIZES[name]
    assert row.field == f"Checksum{name}"
    expected = {
        kind
        for kind, members in (("COMPOSITE", oracle.COMPOSITE), ("FULL_OBJECT", oracle.FULL_OBJECT))
        if name in members
    }
    assert isinstance(row.checksum_types, tuple)
    assert set(row.checksum_types) == expected


# --- MultipartHasher -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 699, 700, 701, 1400, 2101])
def test_sizes_around_the_border_of_a_part(size: int) -> None:
    data = oracle.byte_cycle(size)
    hasher = partsum.MultipartHasher(oracle.ALGORITHMS, 700, allow_small_parts=True)
    for start in range(0, size, 50):
        hasher.update(data[start : start + 50])
    found = hasher.finish()
    assert list(found.plan.sizes) == oracle.uniform(size, 700)
    assert found.plan.multipart
    assert found.size == size
    assert found.etag == oracle.multipart_etag(data, oracle.uniform(size, 700))


def test_boto3_preset_decides_at_the_end() -> None:
    """Below 8 MiB boto3 sends one PutObject; from there on, parts."""
    data = oracle.byte_cycle(8 * MIB)
    for size in (0, 1, 8 * MIB - 1, 8 * MIB):
        hasher = partsum.MultipartHasher(["MD5"], "boto3")
        hasher.update(data[:size])
        found = hasher.finish()
        assert found == partsum.hash_bytes(data[:size], ["MD5"], part_size="boto3")
        assert found.plan.multipart is (size == 8 * MIB)


def test_none_is_one_put_object() -> None:
    hasher = partsum.MultipartHasher(["SHA256"], None)
    hasher.update(b"abc")
    found = hasher.finish()
    assert not found.plan.multipart
    assert found.full_object("SHA256") == oracle.full_object("SHA256", b"abc")


@pytest.mark.parametrize("preset", ["rclone", "s3fs"])
def test_presets_with_a_threshold_above_the_part_size_are_refused(preset: str) -> None:
    with pytest.raises(partsum.PartPlanError) as refused:
        partsum.MultipartHasher(["MD5"], preset)
    assert preset in str(refused.value)


def test_small_parts_need_permission() -> None:
    def fed(size: int) -> partsum.ObjectChecksums:
        hasher = partsum.MultipartHasher(["MD5"], 1000)
        hasher.update(bytes(size))
        return hasher.finish()

    assert list(fed(1000).plan.sizes) == [1000]
    with pytest.raises(partsum.PartPlanError):
        fed(1001)


@pytest.mark.parametrize("part_size", [0, -1, "8XB", "0MiB"])
def test_bad_part_sizes(part_size: Any) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.MultipartHasher(["MD5"], part_size, allow_small_parts=True)


def test_closed_hasher() -> None:
    hasher = partsum.MultipartHasher(["MD5"], "5MiB")
    hasher.update(b"abc")
    assert repr(hasher) == "<partsum.MultipartHasher MD5, 3 bytes so far>"
    hasher.finish()
    assert repr(hasher) == "<partsum.MultipartHasher closed>"
    with pytest.raises(ValueError):
        hasher.update(b"more")
    with pytest.raises(ValueError):
        hasher.update(b"")
    with pytest.raises(ValueError):
        hasher.finish()


def test_a_refused_update_leaves_the_hasher_as_it_was() -> None:
    hasher = partsum.MultipartHasher(["MD5"], "5MiB")
    hasher.update(b"abc")
    wrong: Any
    for wrong in ("text", None, 5):
        with pytest.raises(TypeError):
            hasher.update(wrong)
    with pytest.raises(BufferError):
        hasher.update(memoryview(b"abcd")[::2])
    hasher.update(b"def")
    assert hasher.finish().etag == oracle.multipart_etag(b"abcdef", [6])


def test_many_hashers_side_by_side() -> None:
    data = oracle.byte_cycle(5000)
    hashers = [
        partsum.MultipartHasher([name], 333, allow_small_parts=True)
        for name in oracle.ALGORITHMS
        for _ in range(3)
    ]
    for start in range(0, 5000, 77):
        for hasher in hashers:
            hasher.update(data[start : start + 77])
    for index, hasher in enumerate(hashers):
        name = oracle.ALGORITHMS[index // 3]
        found = [part.digest(name) for part in hasher.finish().parts]
        assert found == oracle.part_digests(name, data, oracle.uniform(5000, 333))
