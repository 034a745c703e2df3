"""Write byte_cycle.json: ten digests of the byte cycle 0, 1, ... 250, 0, 1, ... at telling lengths.

The values are other people's: hashlib, zlib, awscrt (CRCs) and xxhash, and where two of them know
an algorithm they must agree. `python make_byte_cycle.py --check` compares the file with what would
be written.
"""

import hashlib
import json
import sys
import zlib
from pathlib import Path

import awscrt.checksums
import xxhash

FILE = Path(__file__).with_name("byte_cycle.json")

LENGTHS = [
    *(0, 1, 3),
    *(55, 56, 57, 63, 64, 65),  # padding and block of MD5, SHA-1, SHA-256
    *(111, 112, 113, 119, 120, 127, 128, 129),  # padding and block of SHA-512
    *(239, 240, 241),  # XXH3 changes method above 240 bytes
    *(255, 256, 1023, 1024, 1025),  # XXH3's stripes and blocks
    *(4096, 16383, 16384, 16385),  # a page, and a tile of 16 KiB
    *(65537, 1048577),
]


def digests(data: bytes) -> dict[str, str]:
    crt = awscrt.checksums
    xxh = crt.XXHash
    found = {
        "CRC32": zlib.crc32(data).to_bytes(4, "big"),
        "CRC32C": crt.crc32c(data).to_bytes(4, "big"),
        "CRC64NVME": crt.crc64nvme(data).to_bytes(8, "big"),
        "SHA1": hashlib.sha1(data).digest(),
        "SHA256": hashlib.sha256(data).digest(),
        "SHA512": hashlib.sha512(data).digest(),
        "MD5": hashlib.md5(data).digest(),
        "XXHASH64": xxhash.xxh64(data).digest(),
        "XXHASH3": xxhash.xxh3_64(data).digest(),
        "XXHASH128": xxhash.xxh3_128(data).digest(),
    }
    assert found["CRC32"] == crt.crc32(data).to_bytes(4, "big")
    assert found["XXHASH64"] == xxh.compute_xxhash64(data)
    assert found["XXHASH3"] == xxh.compute_xxhash3_64(data)
    assert found["XXHASH128"] == xxh.compute_xxhash3_128(data)
    return {name: value.hex() for name, value in found.items()}


def content() -> str:
    cycle = bytes(range(251)) * (max(LENGTHS) // 251 + 1)
    document = {
        "source": "computed by make_byte_cycle.py: hashlib, zlib, awscrt 0.38.1 and xxhash 4.1.0, "
        "which agree where two of them know an algorithm",
        "input": "length bytes of the cycle 0, 1, ... 250, 0, 1, ...; digests are hex, "
        "CRCs and XXH big-endian",
        "cases": [{"length": n, "digests": digests(cycle[:n])} for n in LENGTHS],
    }
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if FILE.read_text("utf-8") == content() else "byte_cycle.json is out of date")
    FILE.write_text(content(), "utf-8")
