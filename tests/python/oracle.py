"""What S3 says about some bytes, in plain Python: slow, short, and by other people's code.

Everything is a function of `data` and `sizes` (the sizes of its parts). Digests are raw bytes,
CRCs big-endian.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xxhash

try:
    from awscrt import checksums as awscrt
except ImportError:  # no wheel for this interpreter: the table below does
    awscrt = None

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
MIB = 1024 * 1024

HASHLIB = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}
XXH = {"XXHASH64": xxhash.xxh64, "XXHASH3": xxhash.xxh3_64, "XXHASH128": xxhash.xxh3_128}
# name -> (bytes, reflected polynomial); all three start from and end with all ones.
CRC = {
    "CRC32": (4, 0xEDB88320),
    "CRC32C": (4, 0x82F63B78),
    "CRC64NVME": (8, 0x9A6C9329AC4BC9B5),
}
ALGORITHMS = (*CRC, *HASHLIB, *XXH)
COMPOSITE = tuple(name for name in ALGORITHMS if name != "CRC64NVME")  # may be COMPOSITE
FULL_OBJECT = tuple(CRC)  # may be FULL_OBJECT on a multipart upload


def load(name: str) -> Any:
    """A file of known answers."""
    return json.loads((VECTORS / name).read_text("utf-8"))


def byte_cycle(length: int) -> bytes:
    """0, 1, ... 250, 0, 1, ...: 251 is prime, so no two blocks in a row hold the same bytes."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def crc_plain(name: str, data: bytes | memoryview) -> int:
    """The CRC by a table of 256 entries, each made bit by bit."""
    size, polynomial = CRC[name]
    table = []
    for byte in range(256):
        entry = byte
        for _ in range(8):
            entry = entry >> 1 ^ (polynomial if entry & 1 else 0)
        table.append(entry)
    ones = (1 << 8 * size) - 1
    crc = ones
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ ones


def digest(name: str, data: bytes | memoryview) -> bytes:
    if name in HASHLIB:
        return hashlib.new(HASHLIB[name], data, usedforsecurity=False).digest()
    if name in XXH:
        return XXH[name](data).digest()  # seed 0, canonical (big-endian) order
    size = CRC[name][0]
    if name == "CRC32":
        return zlib.crc32(data).to_bytes(size, "big")
    if awscrt is None:
        return crc_plain(name, data).to_bytes(size, "big")
    return int(getattr(awscrt, name.lower())(data)).to_bytes(size, "big")


def combine_crc(name: str, first: bytes, second: bytes, second_size: int) -> bytes:
    """CRC(a + b) from CRC(a), CRC(b) and len(b): CRC(a) times x^(8 len(b)), plus CRC(b)."""
    size, polynomial = CRC[name]
    one = 1 << 8 * size - 1  # x^0: bits are reflected

    def times(a: int, b: int) -> int:
        product, bit = 0, one
        while bit:
            product ^= b if a & bit else 0
            bit >>= 1
            b = b >> 1 ^ (polynomial if b & 1 else 0)
        return product

    shift, square, exponent = one, one >> 1, 8 * second_size
    while exponent:
        shift = times(shift, square) if exponent & 1 else shift
        square = times(square, square)
        exponent >>= 1
    shifted = times(int.from_bytes(first, "big"), shift)
    return (shifted ^ int.from_bytes(second, "big")).to_bytes(size, "big")


def uniform(size: int, part_size: int) -> list[int]:
    """The sizes of the parts of a multipart upload; an empty object has one empty part."""
    count = max(1, -(-size // part_size))
    return [part_size] * (count - 1) + [size - part_size * (count - 1)]


def split(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    assert sum(sizes) == len(data)
    offset = 0
    for size in sizes:
        yield data[offset : offset + size]
        offset += size


def part_digests(name: str, data: bytes, sizes: Sequence[int]) -> list[bytes]:
    return [digest(name, part) for part in split(data, sizes)]


def composite(name: str, data: bytes, sizes: Sequence[int]) -> str:
    return f"{b64(digest(name, b''.join(part_digests(name, data, sizes))))}-{len(sizes)}"


def full_object(name: str, data: bytes) -> str:
    return b64(digest(name, data))


def multipart_etag(data: bytes, sizes: Sequence[int]) -> str:
    return f"{digest('MD5', b''.join(part_digests('MD5', data, sizes))).hex()}-{len(sizes)}"
