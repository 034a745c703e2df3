"""`partsum upload` and `partsum resume` in real processes, against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import partsum
import proxy
import pytest
from launch import Server
from partsum.cli.client import S3NameType
from proxy import Exchange
from shell import ok, ok_json, run
from store import Local, Store
from test_s3_verify import CUSTOMER

pytest.importorskip("boto3")

MIB = 2**20
UNEVEN = [5 * MIB + 1, 5 * MIB + 12_345, 777]

pytestmark = [
    pytest.mark.parametrize("server", ["seaweedfs"], indirect=True),
    pytest.mark.usefixtures("settings"),
]


@pytest.fixture
def settings(no_aws_settings: None, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's settings, as boto3 finds them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def file(local: Callable[..., Local]) -> Local:
    return local("5MiB", 11 * MIB)


def one_line(*args: str | Path, status: int = 1, env: dict[str, str] | None = None) -> str:
    """What a run that must fail says, on one line."""
    done = run(*args, env=env)
    err = done.stderr.decode()
    assert (done.returncode, err.count("\n")) == (status, 1), err
    assert err.startswith("partsum: ")
    return err.removeprefix("partsum: ").rstrip("\n")


def test_upload(store: Store, file: Local) -> None:
    name = f"s3://{store.bucket}/object"
    said = ok("upload", "--part-size", "5MiB", file.path, name).decode()
    assert said == (
        f"{file.path}: {name}: 3 parts sent, 0 kept; ETag {file.sums.etag}; "
        "ChecksumCRC64NVME FULL_OBJECT, ETag agree\n"
    )
    assert store.client.get_object(**store.where)["Body"].read() == file.data


@pytest.mark.parametrize("prefix", ["", "/", "/some/prefix/"])
def test_under_its_own_name(prefix: str, store: Store, file: Local) -> None:
    ok("upload", file.path, f"s3://{store.bucket}{prefix}")
    assert store.keys() == [f"{prefix.lstrip('/')}{file.path.name}"]


@pytest.mark.parametrize(
    ("options", "algorithm", "kind"),
    [
        (["-a", "sha256"], "SHA256", "COMPOSITE"),
        (["-a", "CRC32C", "--checksum-type", "full_object"], "CRC32C", "FULL_OBJECT"),
        (["-a", "none"], None, None),
    ],
)
def test_json(
    options: list[str], algorithm: str | None, kind: str | None, store: Store, file: Local
) -> None:
    name = f"s3://{store.bucket}/object"
    told = ok_json("upload", "--json", "--part-size", "5MiB", *options, file.path, name)
    assert told.pop("upload_id")
    checksums = {}
    if algorithm:
        value = file.sums.checksum(algorithm, kind)
        checksums = {f"Checksum{algorithm}": value, "ChecksumType": kind}
    evidence = [f"Checksum{algorithm} {kind}", "ETag"] if algorithm else ["ETag"]
    assert told == {
        "path": str(file.path),
        **{"bucket": store.bucket, "key": "object", "version_id": None},
        **{"size": 11 * MIB, "multipart": True, "part_count": 3},
        **{"etag": file.sums.etag, "checksums": checksums},
        **{"parts_sent": [1, 2, 3], "parts_kept": []},
        "status": "MATCH",
        "reason": ", ".join(evidence) + (" agree" if algorithm else " agrees"),
        "evidence": evidence,
    }


@pytest.mark.parametrize(
    ("name", "bucket", "key"),
    [
        ("s3://b", "b", ""),
        ("s3://b/", "b", ""),
        ("s3://b/a/b%20c?d=#e\nf", "b", "a/b%20c?d=#e\nf"),
        ("s3://b//a", "b", "/a"),
        (
            "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/point/a/b",
            "arn:aws:s3:us-east-1:123456789012:accesspoint/point",
            "a/b",
        ),
        (
            "s3://arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/accesspoint/point/a",
            "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/accesspoint/point",
            "a",
        ),
        (
            "s3://arn:aws:s3::123456789012:accesspoint:m.mrap/a",
            "arn:aws:s3::123456789012:accesspoint:m.mrap",
            "a",
        ),
    ],
)
def test_names(name: str, bucket: str, key: str) -> None:
    """As the AWS CLI takes them."""
    found = S3NameType().convert(name, None, None)
    assert found == (bucket, key)
    assert found.is_prefix == (key == "")
    assert str(found) == (name if key else f"s3://{bucket}/")


def begin(store: Store, file: Local, *parts: int) -> str:
    upload = store.begin(file.sums, "CRC64NVME")
    store.send(upload, file, "CRC64NVME", [file.sums.parts[number - 1] for number in parts])
    return upload["UploadId"]


@pytest.mark.parametrize("verb", [["resume"], ["upload", "--resume"]], ids=" ".join)
def test_resume(verb: list[str], store: Store, file: Local) -> None:
    """The part size is that of the upload."""
    upload_id = begin(store, file, 3, 1)
    name = f"s3://{store.bucket}/object"
    told = ok_json(*verb, "--json", file.path, name)
    assert told["upload_id"] == upload_id
    assert (told["parts_sent"], told["parts_kept"]) == ([2], [1, 3])
    assert store.client.get_object(**store.where)["Body"].read() == file.data
    begin(store, file, 2)
    assert "; 2 parts sent, 1 kept; " in ok(*verb, file.path, name).decode().replace(": ", "; ")
    again = ok(*verb, "--part-size", "5MiB", file.path, name).decode()
    assert ": 0 parts sent, 3 kept; " in again


def test_nothing_to_resume(store: Store, file: Local) -> None:
    name = f"s3://{store.bucket}/object"
    told = one_line("resume", file.path, name)
    assert told == (
        f"{file.path}: {store.bucket}/object has no unfinished upload that this file could go on "
        "with"
    )
    odd = partsum.hash_file(file.path, part_size=[6 * MIB, 5 * MIB])
    upload = store.begin(odd, "CRC64NVME")
    (part, _) = odd.parts
    body = file.data[: part.size]
    arguments = odd.upload_part_args(1, "CRC64NVME")
    store.client.upload_part(**upload, Body=body, **arguments)
    small = file.path.with_name("other")
    small.write_bytes(b"small")
    try:
        told = one_line("resume", small, name)
    finally:
        small.unlink()
    assert told.endswith(f"; upload {upload['UploadId']} has parts of other sizes than this file")
    done = run("resume", "--json", small.with_name("none"), name)
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "No such file or directory")


def test_small_files(store: Store, make_file: Callable[..., Path]) -> None:
    path = make_file(5)
    name = f"s3://{store.bucket}/object"
    assert ": sent at once; " in ok("upload", path, name).decode()
    assert ": there already; " in ok("upload", "--resume", path, name).decode()
    assert ": there already; " in ok("resume", path, name).decode()


def test_arguments_of_the_object(store: Store, file: Local, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(CUSTOMER["SSECustomerKey"].encode())
    extra = {"ContentType": "text/csv", "Metadata": {"colour": "green"}}
    options = ["--extra-args", json.dumps(extra), "--sse-c-key", str(key)]
    ok("upload", *options, file.path, f"s3://{store.bucket}/object")
    stored = store.head(**CUSTOMER)
    assert (stored["ContentType"], stored["Metadata"]) == ("text/csv", {"colour": "green"})


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["{file}", "bucket/key"], 2, "'bucket/key' is not s3://BUCKET/KEY"),
        (["{file}", "s3:///key"], 2, "'s3:///key' is not s3://BUCKET/KEY"),
        (["{file}"], 2, "Missing argument 'S3://BUCKET/KEY'"),
        (["/no/such/file", "s3://partsum/"], 1, "/no/such/file: No such file or directory"),
        (["{file}", "s3://partsum/", "-a", "crc16"], 2, "'crc16' is not one of"),
        (["{file}", "s3://partsum/", "--part-size", "3MiB"], 2, "5242880"),
        (["{file}", "s3://partsum/", "--extra-args", "{"], 2, "'{' is not JSON"),
        (["{file}", "s3://partsum/", "--extra-args", "[]"], 2, "'[]' is not a JSON object"),
        (["{file}", "s3://partsum/", "--extra-args", '{"A": 1}'], 2, "'A', which no upload takes"),
        (["{file}", "s3://partsum/", "--sse-c-key", "{file}"], 2, "a key for SSE-C has 32"),
        (["{file}", "s3://partsum/", "--endpoint-url", "nonsense"], 2, "Invalid endpoint"),
        (["{file}", "s3://partsum/", "--endpoint-url", "http://127.0.0.1:1"], 1, "connect"),
        (["{file}", "s3://partsum/", "--profile", "nobody"], 1, "profile (nobody)"),
        (["{file}", "s3://UP/", "--no-sign-request"], 1, ""),
    ],
)
def test_errors(args: list[str], status: int, words: str, file: Local) -> None:
    filled = [arg.replace("{file}", str(file.path)) for arg in args]
    assert words in one_line("upload", *filled, status=status)


def test_s3_refuses(store: Store, file: Local) -> None:
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
    name = f"s3://{store.bucket}/object"
    told = one_line("upload", file.path, name, env=wrong)
    assert told.startswith(
        f"{file.path}: S3 answers SignatureDoesNotMatch (403) to CreateMultipartUpload: "
    )


def test_no_credentials(file: Local) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    told = one_line("upload", file.path, "s3://partsum/", env=nobody)
    assert told == f"{file.path}: Unable to locate credentials"


@pytest.mark.parametrize("verb", ["upload", "resume"])
def test_boto3_is_missing(verb: str, file: Local, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError('gone')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    told = one_line(verb, file.path, "s3://partsum/", env={"PYTHONPATH": path})
    assert told.endswith("pip install 'partsum[s3]'")


@pytest.mark.parametrize("on_failure", ["abort", "keep"])
def test_ctrl_c(on_failure: str, server: Server, store: Store, file: Local) -> None:
    """130, as a shell has it, and what became of the parts."""
    with proxy.proxy(server) as faulty:
        args: list[Any] = ["upload", "--part-size", "5MiB", "--concurrency", "1"]
        args += ["--on-failure", on_failure, "--endpoint-url", faulty.server.endpoint]
        args += [file.path, f"s3://{store.bucket}/object"]
        process = subprocess.Popen(
            [sys.executable, "-m", "partsum", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

        def interrupt(exchange: Exchange) -> None:
            exchange.read_half()
            process.send_signal(signal.SIGINT)
            exchange.handler.rfile.read(exchange.size - exchange.size // 2)
            exchange.drop()

        faulty.next("UploadPart 2", interrupt)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    left = store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])
    if on_failure == "abort":
        assert (left, err.decode().strip()) == ([], "")
    else:
        (upload,) = left
        assert err.decode() == (
            f"partsum: S3 keeps the parts of upload {upload['UploadId']}, which can be resumed\n"
            "\n"  # click's
        )
        told = ok_json("resume", "--json", file.path, f"s3://{store.bucket}/object")
        assert (told["parts_sent"], told["parts_kept"]) == ([2, 3], [1])
    assert store.keys() in ([], ["object"])


def test_progress(
    store: Store, file: Local, on_terminal: Callable[..., tuple[bytes, bytes]]
) -> None:
    out, seen = on_terminal("upload", file.path, f"s3://{store.bucket}/object")
    assert out.endswith(b"agree\n")
    assert b"uploading" in seen
    assert b"ETA" in seen
