"""CRCs of pieces joined without the bytes, against awscrt and one-shot CRCs, at any size."""

import random
from functools import reduce

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from partsum import _core

awscrt = pytest.importorskip("awscrt.checksums")

crc_names = st.sampled_from(tuple(oracle.CRC))
# Every bit length equally often: the interesting sizes are not the typical ones.
# (A second piece of no bytes has the CRC 0; any other would be a contradiction.)
huge_sizes = st.integers(0, 63).flatmap(lambda bits: st.integers(1, 1 << bits))
POWERS = [1 << bits for bits in (1, 3, 20, 31, 32, 33, 40, 53, 62, 63)]


def awscrt_combine(name: str, first: bytes, second: bytes, second_size: int) -> bytes:
    numbers = int.from_bytes(first, "big"), int.from_bytes(second, "big")
    joined = getattr(awscrt, f"combine_{name.lower()}")(*numbers, second_size)
    return int(joined).to_bytes(len(first), "big")


@given(crc_names, st.binary(max_size=3000), st.binary(max_size=3000))
def test_two_pieces_equal_one_shot(name: str, first: bytes, second: bytes) -> None:
    digests = oracle.digest(name, first), oracle.digest(name, second)
    joined = _core.combine_crc(name, *digests, len(second))
    assert joined == oracle.digest(name, first + second)
    assert joined == awscrt_combine(name, *digests, len(second))


@given(crc_names, st.binary(min_size=16, max_size=16), huge_sizes)
def test_huge_second_pieces(name: str, noise: bytes, size: int) -> None:
    width = oracle.CRC[name][0]
    first, second = noise[:width], noise[8 : 8 + width]
    joined = _core.combine_crc(name, first, second, size)
    assert joined == oracle.combine_crc(name, first, second, size)
    assert joined == awscrt_combine(name, first, second, size)


@pytest.mark.parametrize("name", oracle.CRC)
@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("delta", [-1, 0, 1])
def test_around_powers_of_two(name: str, power: int, delta: int) -> None:
    width, size = oracle.CRC[name][0], power + delta
    first, second = bytes(range(1, width + 1)), bytes(range(101, width + 101))
    joined = _core.combine_crc(name, first, second, size)
    assert joined == oracle.combine_crc(name, first, second, size)
    assert joined == awscrt_combine(name, first, second, size)


@given(crc_names, st.binary(min_size=24, max_size=24), huge_sizes, huge_sizes)
def test_joining_is_associative(name: str, noise: bytes, second: int, third: int) -> None:
    second, third = -(-second // 2), -(-third // 2)  # their sum stays within 2^63
    width = oracle.CRC[name][0]
    a, b, c = noise[:width], noise[8 : 8 + width], noise[16 : 16 + width]
    left = _core.combine_crc(name, _core.combine_crc(name, a, b, second), c, third)
    right = _core.combine_crc(name, a, _core.combine_crc(name, b, c, third), second + third)
    assert left == right


@pytest.mark.parametrize("name", oracle.CRC)
def test_empty_pieces_change_nothing(name: str) -> None:
    empty, some = oracle.digest(name, b""), oracle.digest(name, b"some bytes")
    assert empty == bytes(oracle.CRC[name][0])
    assert _core.combine_crc(name, some, empty, 0) == some
    assert _core.combine_crc(name, empty, some, 10) == some
    assert _core.combine_crc(name, empty, empty, 0) == empty


@pytest.mark.parametrize("name", oracle.CRC)
def test_eight_exbibytes_of_zeros_by_doubling(name: str) -> None:
    """CRC(2^k zeros) by doubling k times, joined in one step at the top."""
    crc, size = oracle.digest(name, b"\0"), 1
    while size < 1 << 62:
        crc, size = _core.combine_crc(name, crc, crc, size), size * 2
        if size == 1 << 16:
            assert crc == oracle.digest(name, bytes(size))
    expected = oracle.combine_crc(name, crc, crc, size)
    assert _core.combine_crc(name, crc, crc, size) == expected


@given(crc_names, st.lists(st.integers(1, 700), min_size=1, max_size=60), st.integers(0, 2**32))
def test_full_object_of_many_parts(name: str, sizes: list[int], seed: int) -> None:
    data = random.Random(seed).randbytes(sum(sizes))
    upload = partsum.hash_bytes(data, [name], part_size=sizes, allow_small_parts=True)
    assert upload.full_object(name) == oracle.full_object(name, data)
    digests = [(part.digest(name), part.size) for part in upload.parts]
    joined = reduce(lambda a, b: (awscrt_combine(name, a[0], b[0], b[1]), 0), digests)[0]
    assert upload.full_object(name) == oracle.b64(joined)


@pytest.mark.parametrize("name", oracle.CRC)
def test_one_part_is_cut_for_the_threads_and_joined(name: str) -> None:
    data = random.Random(name).randbytes(9 * oracle.MIB + 13)
    for threads in (1, 2, 5):
        single = partsum.hash_bytes(data, [name], part_size=None, threads=threads)
        assert single.full_object(name) == oracle.full_object(name, data)
        upload = partsum.hash_bytes(data, [name], part_size=oracle.MIB * 100, threads=threads)
        assert upload.full_object(name) == single.full_object(name)
        assert upload.parts[0].digest(name) == oracle.digest(name, data)


def test_names_are_case_insensitive_and_only_crcs_join() -> None:
    assert _core.combine_crc("crc32", b"\0" * 4, b"abcd", 7) == b"abcd"
    with pytest.raises(ValueError):
        _core.combine_crc("SHA256", bytes(32), bytes(32), 1)
    with pytest.raises(ValueError):
        _core.combine_crc("CRC16", bytes(2), bytes(2), 1)


@pytest.mark.parametrize("name", oracle.CRC)
def test_digests_of_a_wrong_size_are_refused(name: str) -> None:
    right = bytes(oracle.CRC[name][0])
    for wrong in (b"", right[:-1], right + b"\0"):
        with pytest.raises(ValueError):
            _core.combine_crc(name, wrong, right, 1)
        with pytest.raises(ValueError):
            _core.combine_crc(name, right, wrong, 1)
