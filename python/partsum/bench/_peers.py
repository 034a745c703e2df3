"""The peers: libraries and commands that compute the same digests."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import partsum

Bytes: TypeAlias = bytes | memoryview
Digest: TypeAlias = Callable[[Bytes], bytes]

BENCH_EXTRA = "pip install 'partsum[bench]'"
COREUTILS = "install the GNU coreutils"
# In the order of reports: the slow ones first, each family together.
ALGORITHMS = (
    *("MD5", "SHA1", "SHA256", "SHA512"),
    *("CRC32", "CRC32C", "CRC64NVME"),
    *("XXHASH64", "XXHASH3", "XXHASH128"),
)
COMMANDS: dict[str, dict[str, tuple[str, ...]]] = {
    "md5sum": {"MD5": ("md5sum",)},
    "sha256sum": {"SHA256": ("sha256sum",)},
    "openssl": {
        "MD5": ("openssl", "dgst", "-md5", "-r"),
        "SHA256": ("openssl", "dgst", "-sha256", "-r"),
    },
}
"""By command and algorithm, the arguments that print the hex digests of the files after them."""


class Peer(NamedTuple):
    """A library or command that partsum can be compared with, whether it is installed or not.

    Attributes:
        name: Name in reports.
        kind: ``"library"`` or ``"command"``.
        version: The version that it reports; None if it is not installed.
        install: How to install it.

    Example:
        >>> from partsum import bench
        >>> {peer.name: peer.present for peer in bench.find_peers()}["hashlib"]
        True
    """

    name: str
    kind: str
    version: str | None
    install: str

    @property
    def present(self) -> bool:
        """Whether it is installed."""
        return self.version is not None


def find_peers() -> tuple[Peer, ...]:
    """Find all peers that the benchmark knows, installed or not.

    A command that computes none of S3's algorithms (b3sum) is not among them, because there would
    be no digest to compare.

    Returns:
        Libraries, then commands.

    Example:
        >>> from partsum import bench
        >>> [peer.name for peer in bench.find_peers()]
        ['hashlib', 'zlib', 'awscrt', 'xxhash', 'md5sum', 'sha256sum', 'openssl']
    """
    ssl, awscrt, xxhash = _module("ssl"), _module("awscrt"), _module("xxhash")
    xxhash_version = xxhash and f"{xxhash.VERSION} (xxHash {xxhash.XXHASH_VERSION})"
    openssl = ssl.OPENSSL_VERSION if ssl else "without OpenSSL"
    return (
        Peer("hashlib", "library", openssl, "part of Python"),
        Peer("zlib", "library", zlib.ZLIB_RUNTIME_VERSION, "part of Python"),
        Peer("awscrt", "library", awscrt and awscrt.__version__, BENCH_EXTRA),
        Peer("xxhash", "library", xxhash_version, BENCH_EXTRA),
        Peer("md5sum", "command", _command_version("md5sum"), COREUTILS),
        Peer("sha256sum", "command", _command_version("sha256sum"), COREUTILS),
        Peer("openssl", "command", _command_version("openssl"), "install the openssl command"),
    )


def library_digests() -> dict[str, dict[str, Digest]]:
    """By algorithm and library, functions that digest one message; the fastest library first."""
    found: dict[str, dict[str, Digest]] = {name: {} for name in ALGORITHMS}
    for name in ALGORITHMS[:4]:
        with suppress(ValueError):  # a build that is restricted to approved algorithms
            hashlib.new(name, usedforsecurity=False)
            # The constructors take less time to call than hashlib.new.
            found[name]["hashlib"] = partial(_hashlib_digest, getattr(hashlib, name.lower()))
    awscrt = _module("awscrt.checksums")
    for name in ALGORITHMS[4:7]:
        if function := getattr(awscrt, name.lower(), None):
            found[name]["awscrt"] = partial(_crc_digest, name, function)
    found["CRC32"]["zlib"] = partial(_crc_digest, "CRC32", zlib.crc32)
    if xxhash := _module("xxhash"):
        found["XXHASH64"]["xxhash"] = xxhash.xxh64_digest
        found["XXHASH3"]["xxhash"] = xxhash.xxh3_64_digest
        found["XXHASH128"]["xxhash"] = xxhash.xxh3_128_digest
    return found


def combine_function(algorithm: str) -> Callable[[int, int, int], int] | None:
    """The library function that combines two CRCs, given the size of the second message."""
    return getattr(_module("awscrt.checksums"), f"combine_{algorithm.lower()}", None)


def present_commands(algorithm: str) -> dict[str, tuple[str, ...]]:
    """By name, the arguments of each installed command that computes an algorithm."""
    return {
        name: arguments[algorithm]
        for name, arguments in COMMANDS.items()
        if algorithm in arguments and _command_version(name)
    }


def output(arguments: Sequence[str], folder: Path | None = None) -> str:
    """Run a command and return what it prints; OSError if it fails."""
    done = subprocess.run(
        arguments, cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise OSError(f"{arguments[0]} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _module(name: str) -> Any | None:  # noqa: ANN401  (an extra without types)
    try:
        return import_module(name)
    except ImportError:
        return None


def _hashlib_digest(constructor: Any, data: Bytes) -> bytes:  # noqa: ANN401
    digest: bytes = constructor(data, usedforsecurity=False).digest()
    return digest


def _crc_digest(algorithm: str, function: Callable[[Bytes], int], data: Bytes) -> bytes:
    return function(data).to_bytes(partsum.ALGORITHMS[algorithm].digest_size, "big")


def _command_version(name: str) -> str | None:
    """The first line that a command prints about itself; None if it does not run."""
    if shutil.which(name):
        with suppress(OSError):
            lines = output((name, "version" if name == "openssl" else "--version")).splitlines()
            return lines[0].strip() if lines else "?"
    return None
