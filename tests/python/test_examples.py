"""The examples, run as their users run them, against a real S3 server."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote_plus

import partsum
import provision
import pytest
from oracle import composite, full_object, multipart_etag, uniform
from reader import BUCKET, NUMBERS
from shell import MIB, pattern

if TYPE_CHECKING:
    from launch import Server
    from reader import Reader
    from store import Client

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SIZES = uniform(len(NUMBERS), 8 * MIB)
ETAG = multipart_etag(NUMBERS, SIZES)


def run(
    reader: Reader, *command: str | Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """An example in a process of its own."""
    done = subprocess.run(
        command,
        cwd=reader.folder,
        env=reader.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def run_python(
    reader: Reader, name: str, *arguments: str | Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return run(reader, sys.executable, EXAMPLES / f"{name}.py", *arguments, check=check)


def imported(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def head(reader: Reader, key: str) -> dict[str, Any]:
    stored: dict[str, Any] = reader.client.head_object(
        Bucket=BUCKET, Key=key, ChecksumMode="ENABLED"
    )
    return stored


def test_every_example_is_tested() -> None:
    ours = Path(__file__).read_text()
    for example in EXAMPLES.iterdir():
        assert example.is_dir() or example.stem in ours, example


def test_demo(reader: Reader) -> None:
    assert "✗" not in run_python(reader, "demo", "--size", "9").stdout


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("SHA256", composite("SHA256", NUMBERS, SIZES)),
        ("CRC64NVME", full_object("CRC64NVME", NUMBERS)),
    ],
)
def test_multipart_upload(reader: Reader, algorithm: str, expected: str) -> None:
    done = run_python(reader, "multipart_upload", "numbers.txt", BUCKET, "key", algorithm)
    assert done.stdout == f'"{ETAG}"\n'
    assert head(reader, "key")[f"Checksum{algorithm}"] == expected


def test_multipart_upload_that_fails_is_aborted(reader: Reader) -> None:
    done = run_python(
        reader, "multipart_upload", "numbers.txt", BUCKET, "key", "CRC31", check=False
    )
    assert done.returncode == 1
    assert "CRC31" in done.stderr
    assert "Uploads" not in reader.client.list_multipart_uploads(Bucket=BUCKET)


def test_presigned_parts(reader: Reader) -> None:
    done = run_python(reader, "presigned_parts", "numbers.txt", BUCKET, "key")
    assert done.stdout == f'"{ETAG}"\n'
    assert head(reader, "key")["ChecksumSHA256"] == composite("SHA256", NUMBERS, SIZES)


def test_presigned_url_is_good_for_its_bytes_alone(
    reader: Reader, seaweedfs: Server, connect: Callable[..., Client]
) -> None:
    example = imported("presigned_parts")
    service = connect(seaweedfs, signature_version="s3v4")
    path = reader.folder / "numbers.txt"
    sums = partsum.hash_file(path, ["MD5", "SHA256"], part_size="8MiB")
    where = {"Bucket": BUCKET, "Key": "key"}
    tickets = example.open_upload(service, where, sums.to_json())
    path.write_bytes(NUMBERS[:-9] + b"tampered\n")
    with pytest.raises(HTTPError) as refusal:
        example.send(path, sums, tickets)
    assert refusal.value.code == 400
    refusal.value.close()
    reader.client.abort_multipart_upload(**where)


LAMBDA = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lambda_handler
print(json.dumps(lambda_handler.handler(json.loads(sys.argv[2]))))
"""


def test_lambda_handler(reader: Reader) -> None:
    sums = partsum.hash_file(reader.folder / "numbers.txt", ["MD5", "CRC32"])
    key = "a key+1.txt"
    names = [f"{key}.partsum.json", key]
    event = json.dumps(
        {
            "Records": [
                {"s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(name)}}}
                for name in names
            ]
        }
    )
    reader.client.put_object(Bucket=BUCKET, Key=names[0], Body=sums.to_json())
    reader.client.upload_file(str(reader.folder / "numbers.txt"), BUCKET, key)

    done = run(reader, sys.executable, "-c", LAMBDA, EXAMPLES, event)
    [result] = json.loads(done.stdout)["results"]
    assert (result["key"], result["status"], result["bad_parts"]) == (key, "MATCH", [])

    (reader.folder / "numbers.txt").write_bytes(NUMBERS[:-1] + b" ")
    reader.client.upload_file(str(reader.folder / "numbers.txt"), BUCKET, key)
    done = run(reader, sys.executable, "-c", LAMBDA, EXAMPLES, event, check=False)
    assert done.returncode == 1
    assert "differ from what was sent" in done.stderr
    assert "MISMATCH" in done.stderr


def test_check_pointers(reader: Reader) -> None:
    data, pointer = reader.folder / "numbers.txt", reader.folder / "numbers.txt.s3"
    reader.client.upload_file(str(data), BUCKET, "v3/numbers")
    pointer.write_text(json.dumps({"bucket": BUCKET, "key": "v3/numbers"}))
    gone = reader.folder / "big.tar.s3"
    gone.write_text(json.dumps({"bucket": BUCKET, "key": "v3/gone"}))

    assert run_python(reader, "check_pointers", pointer).stdout == ""

    data.write_bytes(NUMBERS + b"1")
    done = run_python(reader, "check_pointers", pointer, gone, check=False)
    assert done.returncode == 1
    changed, missing = done.stdout.splitlines()
    assert "numbers.txt: MISMATCH with s3://bucket/v3/numbers: the size is" in changed
    assert "big.tar: s3://bucket/v3/gone: " in missing


def test_dandi_etags(reader: Reader) -> None:
    contents = {"one": NUMBERS, "three": pattern(130 * MIB), "exact": pattern(64 * MIB)}
    for name, data in contents.items():
        (reader.folder / name).write_bytes(data)
    done = run_python(reader, "dandi_etags", *contents)
    assert done.stdout.splitlines() == [
        f"{multipart_etag(data, uniform(len(data), 64 * MIB))} {name}"
        for name, data in contents.items()
    ]


def test_aws_s3api(reader: Reader) -> None:
    """The AWS CLI completes an upload by what `partsum parts --format s3api` wrote."""
    try:
        aws = provision.awscli()
    except provision.Unavailable as reason:
        pytest.skip(f"NOT TESTED with the AWS CLI: {reason}")
    # Its Python must not be given the packages of ours.
    (reader.folder / "aws").write_text(f'#!/bin/sh\nPYTHONPATH= exec {aws} "$@"\n')
    (reader.folder / "aws").chmod(0o755)
    reader.environment["PATH"] = os.pathsep.join([str(reader.folder), reader.environment["PATH"]])
    done = run(reader, EXAMPLES / "aws_s3api.sh", "numbers.txt", BUCKET, "key")
    assert done.stdout == f'"{ETAG}"\n'
    assert head(reader, "key")["ChecksumSHA256"] == composite("SHA256", NUMBERS, SIZES)
