"""The command line in real processes, beside the coreutils."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fork_server
import pytest

MIB = 1 << 20
COREUTILS = {"MD5": "md5sum", "SHA1": "sha1sum", "SHA256": "sha256sum", "SHA512": "sha512sum"}
# Everything that a line of output has to survive; a byte that is not UTF-8 and each escape.
ODD_NAMES = [
    b"plain",
    b" leading and  inner ",
    b"new\nline",
    b"back\\slash",
    b"carriage\rreturn",
    b"all\\of\nthem\r",
    b"not-utf8-\xff\xfe",
    "ünï☃".encode(),
    b"tab\tand\x1bescape",
    b"*star",
    b"(paren) = x",
    b"--option",
]

needs_coreutils = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in COREUTILS.values()), reason="no GNU coreutils here"
)
posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")


def run(
    *args: str | bytes | Path,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """``partsum ARGS`` in a process of its own."""
    arguments = [os.fsdecode(arg) for arg in args]
    return fork_server.run(arguments, stdin, {**os.environ, **(env or {})}, cwd or Path.cwd())


def ok(*args: str | bytes | Path, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    """What a run that must succeed prints; it must not say anything on stderr."""
    done = run(*args, stdin=stdin, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def ok_json(
    *args: str | bytes | Path, stdin: bytes = b"", cwd: Path | None = None
) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ok(*args, stdin=stdin, cwd=cwd))
    return document


def coreutils(*args: str | bytes, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    return subprocess.run(args, input=stdin, capture_output=True, check=False, cwd=cwd).stdout


def pattern(size: int) -> bytes:
    """Bytes of the cycle of 251, so that no two blocks are equal."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def composite(alg: str, data: bytes, part_size: int) -> str:
    """The composite checksum as hashlib makes it."""
    parts = [data[at : at + part_size] for at in range(0, len(data), part_size)]
    digests = b"".join(hashlib.new(alg, part).digest() for part in parts)
    return f"{b64(hashlib.new(alg, digests).digest())}-{len(parts)}"


def multipart_etag(data: bytes, part_size: int) -> str:
    value, _, count = composite("md5", data, part_size).rpartition("-")
    return f"{base64.b64decode(value).hex()}-{count}"


@pytest.fixture
def odd_files(tmp_path: Path) -> list[bytes]:
    """Names in ``tmp_path``, of files of different sizes, empty and past one block included."""
    names = []
    for index, name in enumerate(ODD_NAMES):
        try:
            (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(
                pattern(index * 37)
            )
        except OSError:
            continue  # the file system refuses the name
        names.append(name)
    assert len(names) > 3
    return names


@pytest.fixture
def on_terminal() -> Iterator[Callable[..., tuple[bytes, bytes]]]:
    """``partsum ARGS`` with stderr on a terminal; gives stdout and what the terminal got."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
    ours, theirs = pty.openpty()

    def run_there(*args: str | Path, term: str = "xterm") -> tuple[bytes, bytes]:
        with subprocess.Popen(
            [sys.executable, "-m", "partsum", *args],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": term, "COLUMNS": "100"},
        ) as process:
            assert process.stdout
            out = process.stdout.read()
            assert process.wait(60) == 0
        os.write(theirs, b"END")
        seen = b""
        while not seen.endswith(b"END"):
            seen += os.read(ours, 4096)
        return out, seen[:-3]

    yield run_there
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def slow_file(tmp_path: Path) -> Path:
    """A file that takes seconds, by SHA512 on one thread."""
    path = tmp_path / "slow"
    with path.open("wb") as file:
        file.truncate(1024 * MIB)
    return path
