"""`partsum.s3.enable_checksums`: boto3 computes with our kernels, and afterwards as before."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest
from partsum.s3 import disable_checksums, enable_checksums
from store import KNOWN_TO, Store

httpchecksum = pytest.importorskip("botocore.httpchecksum")
FlexibleChecksumError = pytest.importorskip("botocore.exceptions").FlexibleChecksumError

MIB = 2**20
LISTS = ("_SUPPORTED_CHECKSUM_ALGORITHMS", "_ALGORITHMS_PRIORITY_LIST")


def tables() -> tuple[dict[str, Any], list[str], list[str]]:
    """What is in botocore's tables."""
    supported, priorities = (list(getattr(httpchecksum, name)) for name in LISTS)
    return dict(httpchecksum._CHECKSUM_CLS), supported, priorities


@pytest.fixture(autouse=True)
def before() -> Iterator[tuple[dict[str, Any], list[str], list[str]]]:
    """What was there; it is there again after each test."""
    found = tables()
    objects = [id(getattr(httpchecksum, name)) for name in ("_CHECKSUM_CLS", *LISTS)]
    yield found
    disable_checksums()
    assert tables() == found
    assert [id(getattr(httpchecksum, name)) for name in ("_CHECKSUM_CLS", *LISTS)] == objects


# Against servers, without awscrt ------------------------------------------------------------------

# Uploads in each algorithm, in pieces and at once, by a boto3 that cannot have awscrt.
UPLOADS = """
import json, sys
sys.modules["awscrt"] = None
import boto3, botocore.compat
from botocore.config import Config
from partsum.s3 import enable_checksums
assert not botocore.compat.HAS_CRT
arguments = json.loads(sys.argv[1])
client = boto3.client("s3", config=Config(retries={"total_max_attempts": 2}), **arguments["client"])
where = {"Bucket": arguments["bucket"]}
for algorithm in arguments["algorithms"]:
    for key in ("put", "upload"):
        where["Key"] = f"{algorithm} {key}"
        with enable_checksums():
            if key == "put":
                with open(arguments["small"], "rb") as body:
                    client.put_object(**where, Body=body, ChecksumAlgorithm=algorithm)
            else:
                extra = {"ChecksumAlgorithm": algorithm}
                client.upload_file(arguments["large"], *where.values(), ExtraArgs=extra)
            body = client.get_object(**where, ChecksumMode="ENABLED")["Body"]
            print(json.dumps([where["Key"], type(body).__name__, len(body.read())]))
"""


@pytest.mark.parametrize("server", ["seaweedfs", "fakecloud"], indirect=True)
def test_uploads_without_awscrt(store: Store, make_file: Callable[..., Path]) -> None:
    """What boto3 alone refuses, the server checks, and the object verifies."""
    small, large = make_file(1000), make_file(9 * MIB)
    algorithms = KNOWN_TO[store.server.name.lower()]
    arguments = {
        "client": store.server.client_kwargs,
        "bucket": store.bucket,
        "algorithms": algorithms,
        "small": str(small),
        "large": str(large),
    }
    done = subprocess.run(
        [sys.executable, "-c", UPLOADS, json.dumps(arguments)],
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(seen) == 2 * len(algorithms)
    for algorithm in algorithms:
        field = partsum.ALGORITHMS[algorithm].field
        for key, path in (("put", small), ("upload", large)):
            where: dict[str, Any] = {"Bucket": store.bucket, "Key": f"{algorithm} {key}"}
            head = store.client.head_object(**where, ChecksumMode="ENABLED")
            verdict = partsum.s3.verify_object(store.client, path, **where)
            assert verdict.status == "MATCH", (where, verdict)
            if key == "put":
                assert head[field] == oracle.full_object(algorithm, path.read_bytes())
            assert any(evidence.startswith(field) for evidence in verdict.evidence)
    # What came down was checked too, where S3 shows a value of all bytes.
    bodies = {key: kind for key, kind, _ in seen}
    for algorithm in algorithms:
        assert bodies[f"{algorithm} put"] == "StreamingChecksumBody"
    assert [size for _, _, size in seen] == [1000, 9 * MIB] * len(algorithms)


@pytest.mark.parametrize("server", ["fakecloud"], indirect=True)
def test_boto3_alone_refuses(store: Store) -> None:
    """Otherwise there would be nothing to enable."""
    for _ in range(2):
        with pytest.raises(FlexibleChecksumError, match="md5"):
            store.client.put_object(**store.where, Body=b"a", ChecksumAlgorithm="MD5")
        with enable_checksums():
            store.client.put_object(**store.where, Body=b"a", ChecksumAlgorithm="MD5")


@pytest.mark.parametrize("server", ["fakecloud"], indirect=True)
def test_downloads_are_checked(store: Store) -> None:
    with enable_checksums():
        store.client.put_object(**store.where, Body=b"abc", ChecksumAlgorithm="MD5")
        body = store.client.get_object(**store.where)["Body"]
        assert body.read() == b"abc"
        body = store.client.get_object(**store.where)["Body"]
        body._expected = oracle.b64(oracle.digest("MD5", b"abd"))
        with pytest.raises(FlexibleChecksumError):
            body.read()


# The tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", oracle.ALGORITHMS)
def test_the_values_are_right(algorithm: str, tmp_path: Path) -> None:
    """By botocore's ways of asking for them: at once, in pieces, from a file that is not at 0."""
    data = oracle.byte_cycle(3 * MIB + 5)
    path = tmp_path / "file"
    path.write_bytes(b"before" + data)
    enable_checksums()
    kind = httpchecksum._CHECKSUM_CLS[algorithm.lower()]
    expected = oracle.full_object(algorithm, data)
    assert kind().handle(data) == kind().handle(bytearray(data)) == expected
    with path.open("rb") as file:
        file.seek(6)
        assert kind().handle(file) == expected
        assert file.tell() == 6
    made = kind()
    made.update(data[:10])
    made.update(memoryview(data)[10:])
    assert made.b64digest() == expected
    assert made.digest() == oracle.digest(algorithm, data)


def test_our_kernels_are_used() -> None:
    enable_checksums()
    classes, supported, priorities = tables()
    for name in ("crc32", "crc64nvme", "xxhash64", "xxhash3", "xxhash128", "md5"):
        assert classes[name].__module__.startswith("partsum")
        assert supported.count(name) == priorities.count(name) == 1
    for name in ("sha1", "sha256"):  # hashlib's are as fast
        assert not classes[name].__module__.startswith("partsum")
    assert {name.lower() for name in partsum.ALGORITHMS} <= set(supported)


def test_twice_is_once(before: Any) -> None:
    enable_checksums()
    changed = tables()
    enable_checksums()
    assert tables() == changed != before
    disable_checksums()
    assert tables() == before
    disable_checksums()
    assert tables() == before


def test_blocks(before: Any) -> None:
    with contextlib.suppress(KeyError), enable_checksums():
        assert tables() != before
        with enable_checksums():
            pass
        assert tables() != before
        raise KeyError
    assert tables() == before
    enable_checksums()
    with enable_checksums():
        pass
    assert tables() != before
    with enable_checksums():
        disable_checksums()
        assert tables() != before
    assert tables() == before


def test_threads(before: Any) -> None:
    """Blocks of many threads overlap: nobody loses the kernels, and the last puts all back."""
    start = threading.Barrier(8)
    failures: list[BaseException] = []
    empty = oracle.full_object("MD5", b"")

    def work() -> None:
        try:
            start.wait(timeout=30)
            for _ in range(200):
                with enable_checksums():
                    assert httpchecksum._CHECKSUM_CLS["md5"]().handle(b"") == empty
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert tables() == before


def test_what_others_put_there_stays() -> None:
    """Only what is ours is taken back."""
    classes, supported = httpchecksum._CHECKSUM_CLS, httpchecksum._SUPPORTED_CHECKSUM_ALGORITHMS
    original = classes["crc32"]
    enable_checksums()
    theirs = type("Theirs", (httpchecksum.BaseChecksum,), {})
    classes["crc32"] = theirs
    supported.append("theirs")
    try:
        disable_checksums()
        assert classes["crc32"] is theirs
        assert supported[-1] == "theirs"
        assert "md5" not in supported
    finally:
        classes["crc32"] = original
        supported.remove("theirs")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_CHECKSUM_CLS", None),
        ("_CHECKSUM_CLS", {}),
        ("_CHECKSUM_CLS", [("crc32", object)]),
        ("_CHECKSUM_CLS", {"crc32": object}),
        ("_SUPPORTED_CHECKSUM_ALGORITHMS", None),
        ("_SUPPORTED_CHECKSUM_ALGORITHMS", ("crc32",)),
        ("_ALGORITHMS_PRIORITY_LIST", None),
        ("BaseChecksum", None),
        ("BaseChecksum", type("BaseChecksum", (), {"handle": lambda self, body: "?"})),
    ],
)
def test_an_unknown_layout(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is changed, and the message says what is known."""
    with monkeypatch.context() as patch:
        if value is None:
            patch.delattr(httpchecksum, name)
        else:
            patch.setattr(httpchecksum, name, value)
        names = ("_CHECKSUM_CLS", *LISTS)
        found = [repr(getattr(httpchecksum, each, None)) for each in names]
        for _ in range(2):
            with pytest.raises(partsum.PartsumError, match=r"botocore 1\.\S+ .*known are 1\.34 to"):
                enable_checksums()
        assert found == [repr(getattr(httpchecksum, each, None)) for each in names]
    with enable_checksums():  # the refusals left nothing behind
        assert "md5" in httpchecksum._CHECKSUM_CLS


def test_a_class_that_computes_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strange(httpchecksum.BaseChecksum):  # type: ignore[misc, name-defined]
        def digest(self) -> bytes:
            return b"\0\0\0\0"

    with monkeypatch.context() as patch:
        patch.setitem(httpchecksum._CHECKSUM_CLS, "crc32", Strange)
        with pytest.raises(partsum.PartsumError, match="BaseChecksum"):
            enable_checksums()


def test_without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "botocore", None)
        with pytest.raises(ImportError, match="pip install boto3"):
            enable_checksums()
