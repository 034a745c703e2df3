"""Who else can compute S3's digests here: libraries that Python imports, and commands."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zlib
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

Bytes: TypeAlias = bytes | memoryview
Digest: TypeAlias = Callable[[Bytes], bytes]
Combine: TypeAlias = Callable[[int, int, int], int]

BENCH_EXTRA = "pip install 'partsum[bench]'"


class Peer(NamedTuple):
    """Something that partsum can be compared with, present on this machine or not.

    >>> from partsum import bench
    >>> {peer.name: peer.present for peer in bench.find_peers()}["hashlib"]
    True
    """

    name: str
    """What reports call it."""
    kind: str
    """``"library"`` or ``"command"``."""
    version: str | None
    """What it says of itself; None if it is not here."""
    install: str
    """How to get it."""

    @property
    def present(self) -> bool:
        """Whether it is here."""
        return self.version is not None


class Command(NamedTuple):
    """A command that prints the hex digests of files or of its standard input."""

    name: str
    arguments: dict[str, tuple[str, ...]]
    """By algorithm, what to run before the names of files."""
    version: tuple[str, ...]
    install: str


COREUTILS = "install the GNU coreutils"
COMMANDS = (
    Command("md5sum", {"MD5": ("md5sum",)}, ("md5sum", "--version"), COREUTILS),
    Command("sha256sum", {"SHA256": ("sha256sum",)}, ("sha256sum", "--version"), COREUTILS),
    Command(
        "openssl",
        {
            "MD5": ("openssl", "dgst", "-md5", "-r"),
            "SHA256": ("openssl", "dgst", "-sha256", "-r"),
        },
        ("openssl", "version"),
        "install the openssl command",
    ),
)


def module(name: str) -> Any | None:  # noqa: ANN401  (an extra without types)
    """Import an extra, if it is installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def _hashlib(name: str) -> Digest | None:
    try:
        hashlib.new(name, usedforsecurity=False)
    except ValueError:  # a build that is restricted to approved algorithms
        return None
    # The constructors spend less on a call than hashlib.new.
    constructor = getattr(hashlib, name)
    return lambda data: constructor(data, usedforsecurity=False).digest()


def _number(function: Callable[[Bytes], int], size: int) -> Digest:
    return lambda data: function(data).to_bytes(size, "big")


def library_digests() -> dict[str, dict[str, Digest]]:
    """By algorithm and library, what digests one message; the fastest known library first."""
    digests: dict[str, dict[str, Digest]] = {}
    for algorithm in ("MD5", "SHA1", "SHA256", "SHA512"):
        found = _hashlib(algorithm.lower())
        digests[algorithm] = {"hashlib": found} if found else {}
    digests |= {name: {} for name in ("CRC32", "CRC32C", "CRC64NVME")}
    digests |= {name: {} for name in ("XXHASH64", "XXHASH3", "XXHASH128")}
    if xxhash := module("xxhash"):
        digests["XXHASH64"]["xxhash"] = xxhash.xxh64_digest
        digests["XXHASH3"]["xxhash"] = xxhash.xxh3_64_digest
        digests["XXHASH128"]["xxhash"] = xxhash.xxh3_128_digest
    if awscrt := module("awscrt.checksums"):
        for algorithm, size in (("CRC32", 4), ("CRC32C", 4), ("CRC64NVME", 8)):
            if function := getattr(awscrt, algorithm.lower(), None):
                digests[algorithm]["awscrt"] = _number(function, size)
    digests["CRC32"]["zlib"] = _number(zlib.crc32, 4)
    return digests


def combine(algorithm: str) -> Combine | None:
    """What joins the CRCs of two neighbours, given the length of the second."""
    awscrt = module("awscrt.checksums")
    return getattr(awscrt, f"combine_{algorithm.lower()}", None)


def find_peers() -> tuple[Peer, ...]:
    """Every peer that this module knows of, also those that are not here.

    A command that computes none of S3's algorithms (b3sum) is not among them: there would be no
    digest to compare.

    >>> from partsum import bench
    >>> [peer.name for peer in bench.find_peers()]
    ['hashlib', 'zlib', 'awscrt', 'xxhash', 'md5sum', 'sha256sum', 'openssl']
    """
    awscrt, xxhash = module("awscrt"), module("xxhash")
    xxhash_version = xxhash and f"{xxhash.VERSION} (xxHash {xxhash.XXHASH_VERSION})"
    libraries = (
        Peer("hashlib", "library", _openssl_of_python(), "part of Python"),
        Peer("zlib", "library", zlib.ZLIB_RUNTIME_VERSION, "part of Python"),
        Peer("awscrt", "library", awscrt and awscrt.__version__, BENCH_EXTRA),
        Peer("xxhash", "library", xxhash_version, BENCH_EXTRA),
    )
    return libraries + tuple(
        Peer(command.name, "command", _version(command.version), command.install)
        for command in COMMANDS
    )


def present_commands(algorithm: str) -> list[Command]:
    """The commands on this machine that print this algorithm."""
    return [
        command
        for command in COMMANDS
        if algorithm in command.arguments and _version(command.version)
    ]


def _openssl_of_python() -> str:
    ssl = module("ssl")
    return ssl.OPENSSL_VERSION if ssl else "without OpenSSL"


def _version(arguments: Sequence[str]) -> str | None:
    """The first line that a command says of itself."""
    if shutil.which(arguments[0]) is None:
        return None
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=20, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.splitlines()
    return lines[0].strip() if lines else "?"
