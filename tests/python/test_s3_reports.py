"""`partsum.s3.verify_report`: reports spelt as AWS spells them, against a directory."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest
from partsum.s3 import Entry, verify_report

MIB = 2**20


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def outcomes(entries: Iterable[Entry]) -> dict[str | None, str]:
    return {entry.key: str(entry.status) for entry in entries}


def message(algorithm: str, value: str, *, etag: str = "", kind: str = "FULL_OBJECT") -> str:
    """ResultMessage as AWS's example has it: "=" as an escape, the other spelling in capitals."""
    text, _, count = value.partition("-")
    members = {
        "checksum_base64": value,
        "etag": etag,
        "checksumAlgorithm": algorithm,
        "checksumType": kind,
        "checksum_hex": base64.b64decode(text).hex().upper() + (f"-{count}" if count else ""),
    }
    return json.dumps(members, separators=(",", ":")).replace("=", "\\u003d")


def row(key: str, words: str, *, version: str = "", bucket: str = "bucket") -> list[str]:
    return [bucket, key, version, "succeeded", "200", "", words]


def report(folder: Path, *rows: list[str]) -> Path:
    """One file of a completion report."""
    path = folder / "report.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def full(algorithm: str, data: bytes) -> str:
    return message(algorithm, oracle.full_object(algorithm, data))


# Completion reports -------------------------------------------------------------------------------

# Word for word from "Examples: S3 Batch Operations completion reports" in the Amazon S3 User Guide.
AWS_SUCCEEDED = (
    "amzn-s3-demo-bucket1,s3-standard-1mb-test-object,,succeeded,200,,"
    '"{""checksum_base64"":""bS9TOQ\\u003d\\u003d"",""etag"":""3c3c1813042989094598e4b57ecbdc82"",'
    '""checksumAlgorithm"":""CRC32"",""checksumType"":""FULL_OBJECT"",""checksum_hex"":""6D2F5339""}"\n'
)
AWS_FAILED = (
    "amzn-s3-demo-bucket1,image_14975,,failed,200,PermanentFailure,"
    '"error details: {""failureMessage"":"Task 2845ca0d-38d9-4c4b-abcf-379dc749c452 SSE-C '
    'encryption type is not supported for this operation", ""errorCode"": ""400""}"\n'
)
AWS_LAMBDA = (
    "amzn-s3-demo-bucket1,image_17775,,succeeded,200,,\"{u'CopySourceVersionId': 'xVR78haV', "
    "u'CopyObjectResult': {u'ETag': '\"\"fe66f4390c50f29798f040d7aae72784\"\"'}}\"\n"
)


def test_rows_of_the_user_guide(tree: Path, tmp_path: Path) -> None:
    write(tree, {"s3-standard-1mb-test-object": b"a", "image_14975": b"", "image_17775": b""})
    path = tmp_path / "report.csv"
    path.write_text(AWS_SUCCEEDED + AWS_FAILED + AWS_LAMBDA)
    mismatch, failed, other = verify_report(tree, path)
    assert (mismatch.status, "bS9TOQ==" in mismatch.reason) == ("MISMATCH", True)
    assert failed.status == "ERROR"
    assert "SSE-C encryption type is not supported" in failed.reason
    assert "PermanentFailure" in failed.reason
    assert (other.status, "Compute checksum" in other.reason) == ("NOT_COMPARABLE", True)


@pytest.mark.parametrize("algorithm", oracle.ALGORITHMS)
def test_full_object(algorithm: str, tree: Path, tmp_path: Path) -> None:
    """Whatever the job computed, of small files and of large ones that were sent in parts."""
    files = {"a": b"a", "empty": b"", "b": oracle.byte_cycle(100_000), "wrong": b"w"}
    write(tree, files)
    rows = [row(name, full(algorithm, data)) for name, data in files.items() if name != "wrong"]
    rows.append(row("wrong", full(algorithm, b"W")))
    rows.append(row("absent", full(algorithm, b"")))
    write(tree, {"only here": b""})
    assert outcomes(verify_report(tree, report(tmp_path, *rows))) == {
        **dict.fromkeys(["a", "b", "empty"], "MATCH"),
        "absent": "ONLY_REMOTE",
        "only here": "ONLY_LOCAL",
        "wrong": "MISMATCH",
    }


@pytest.mark.parametrize("algorithm", ["MD5", "SHA256", "CRC64NVME"])
def test_large_files(algorithm: str, tree: Path, tmp_path: Path, make_file: Any) -> None:
    data = make_file(65 * MIB).read_bytes()
    write(tree, {"large": data})
    etag = "0" * 32 + "-9"
    words = message(algorithm, oracle.full_object(algorithm, data), etag=etag)
    (entry,) = verify_report(tree, report(tmp_path, row("large", words)))
    assert entry.status == "MATCH", entry
    with (tree / "large").open("r+b") as file:
        file.write(b"\0\1\2")
    (entry,) = verify_report(tree, report(tmp_path, row("large", words)))
    assert entry.status == "MISMATCH"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256", "XXHASH128"])
@pytest.mark.parametrize("suffix", [True, False], ids=["with -N", "without"])
def test_composite(
    algorithm: str, suffix: bool, tree: Path, tmp_path: Path, make_file: Any
) -> None:
    """Where it is known of how many parts, with the usual ways of cutting; else nothing is said."""
    data = make_file(20 * MIB + 1).read_bytes()
    write(tree, {"a": data})
    usual = oracle.composite(algorithm, data, oracle.uniform(len(data), 8 * MIB))
    odd = oracle.composite(algorithm, data, [5 * MIB, 6 * MIB, 9 * MIB + 1])
    for value, etag, status in (
        (usual, "0" * 32 + "-3", "MATCH"),
        (odd, "0" * 32 + "-3", "NOT_COMPARABLE"),
        (usual, "", "MATCH" if suffix else "NOT_COMPARABLE"),
    ):
        shown = value if suffix else value.partition("-")[0]
        words = message(algorithm, shown, etag=etag, kind="COMPOSITE")
        (entry,) = verify_report(tree, report(tmp_path, row("a", words)))
        assert entry.status == status, entry


def test_either_spelling_is_enough(tree: Path, tmp_path: Path) -> None:
    write(tree, {"a": b"a"})
    both = json.loads(full("SHA1", b"a"))
    for left_out in ("checksum_base64", "checksum_hex"):
        words = json.dumps({name: value for name, value in both.items() if name != left_out})
        assert outcomes(verify_report(tree, report(tmp_path, row("a", words)))) == {"a": "MATCH"}
    for odd in (
        {"checksum_hex": "00" * 20},
        {"checksum_base64": "?"},
        {"checksum_base64": "", "checksum_hex": ""},
        {"checksumAlgorithm": "SHA3"},
        {"checksumAlgorithm": None},
    ):
        (entry,) = verify_report(tree, report(tmp_path, row("a", json.dumps({**both, **odd}))))
        assert entry.status == "NOT_COMPARABLE", odd


def test_keys(tree: Path, tmp_path: Path) -> None:
    """URL-encoded; one that is not is understood where that leads to the right bytes."""
    names = ["a b", "a+b", "100%", "é/ü", "~x"]
    write(tree, {name: name.encode() for name in names})
    encoded = ["a+b", "a%2Bb", "100%25", "%C3%A9/%C3%BC", "%7Ex"]
    rows = [
        row(key, full("CRC32", name.encode())) for key, name in zip(encoded, names, strict=True)
    ]
    assert outcomes(verify_report(tree, report(tmp_path, *rows))) == dict.fromkeys(names, "MATCH")
    (tree / "a b").unlink()
    plain = [row(name, full("CRC32", name.encode())) for name in names if name != "a b"]
    entries = list(verify_report(tree, report(tmp_path, *plain)))
    assert outcomes(entries) == dict.fromkeys(names[1:], "MATCH")
    # But a file that only seems to be meant is not accused.
    rows = [row("a+b", full("CRC32", b"other bytes"))]
    entries = list(verify_report(tree, report(tmp_path, *rows)))
    assert (entries[0].key, entries[0].status, entries[0].path) == ("a b", "ONLY_REMOTE", None)
    assert outcomes(entries[1:]) == dict.fromkeys(names[1:], "ONLY_LOCAL")


def test_prefix_and_odd_keys(tree: Path, tmp_path: Path) -> None:
    """Nothing outside of the directory is opened, and nothing that is no file."""
    write(tree, {"a": b"a", "dir/b": b"b"})
    write(tree.parent, {"outside": b"o"})
    os.mkfifo(tree / "fifo")
    keys = ["in/a", "in/../outside", "in//a", "in/dir/", "in/", "in/fifo", "elsewhere/a", "in/dir"]
    rows = [row(key, full("CRC32", b"a" if key == "in/a" else b"")) for key in keys]
    rows.append(row("in/dir/", full("CRC32", b"not empty"), version="v2"))
    entries = list(verify_report(tree, report(tmp_path, *rows), "in/"))
    assert [(entry.key, str(entry.status)) for entry in entries] == [
        ("in/a", "MATCH"),
        ("in/../outside", "ONLY_REMOTE"),
        ("in//a", "ONLY_REMOTE"),
        ("in/dir/", "MATCH"),
        ("in/", "MATCH"),
        ("in/fifo", "NOT_COMPARABLE"),
        ("in/dir", "NOT_COMPARABLE"),
        ("in/dir/", "MISMATCH"),
        ("in/dir/b", "ONLY_LOCAL"),
    ]


def test_versions(tree: Path, tmp_path: Path) -> None:
    """Each is an object; the reason says which."""
    write(tree, {"a": b"new"})
    rows = [
        row("a", full("SHA256", b"old"), version="v1"),
        row("a", full("SHA256", b"new"), version="v2"),
        row("a", full("SHA256", b"new"), version="null"),
    ]
    entries = list(verify_report(tree, report(tmp_path, *rows)))
    assert [str(entry.status) for entry in entries] == ["MISMATCH", "MATCH", "MATCH"]
    assert entries[0].reason.startswith("version v1: ")
    assert not entries[2].reason.startswith("version")


def test_buckets(tree: Path, tmp_path: Path) -> None:
    write(tree, {"a": b"a"})
    path = report(
        tmp_path,
        row("a", full("MD5", b"a"), bucket="one"),
        row("a", full("MD5", b"b"), bucket="two"),
    )
    assert outcomes(verify_report(tree, path, Bucket="one")) == {"a": "MATCH"}
    assert outcomes(verify_report(tree, path, Bucket="two")) == {"a": "MISMATCH"}
    with pytest.raises(partsum.PartsumError, match=r"\(one, two\): pass Bucket="):
        list(verify_report(tree, path))


def manifest(folder: Path, status: str, path: Path, **more: Any) -> Path:
    """manifest.json of a completion report, beside the folder of its files as S3 has them."""
    name = hashlib.sha1(status.encode(), usedforsecurity=False).hexdigest() + ".csv"
    (folder / "results").mkdir(parents=True, exist_ok=True)
    shutil.move(path, folder / "results" / name)
    md5 = hashlib.md5((folder / "results" / name).read_bytes(), usedforsecurity=False).hexdigest()
    result = {
        "TaskExecutionStatus": status,
        "Bucket": "reports",
        "MD5Checksum": md5,
        "Key": f"some/prefix/job-f8fb9d89/results/{name}",
        **more,
    }
    document = {
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": "2019-04-05T17:48:39.725Z",
        "Results": [result],
        "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, "
        "ResultMessage",
    }
    listed = folder / "manifest.json"
    if listed.exists():
        document["Results"] = [*json.loads(listed.read_text())["Results"], result]
    listed.write_text(json.dumps(document))
    return listed


def test_manifest(tree: Path, tmp_path: Path) -> None:
    write(tree, {"a": b"a", "b": b"b"})
    job = tmp_path / "job"
    job.mkdir()
    manifest(job, "succeeded", report(tmp_path, row("a", full("SHA1", b"a"))))
    failed = ["bucket", "b", "", "failed", "404", "PermanentFailure", "Key not found"]
    listed = manifest(job, "failed", report(tmp_path, failed))
    assert outcomes(verify_report(tree, listed)) == {"a": "MATCH", "b": "ERROR"}
    # Fetched with all of its key, or all in one folder.
    for place in ("some/prefix/job-f8fb9d89/results", "."):
        other = tmp_path / place.replace("/", "-") / "x"
        (other / place).mkdir(parents=True)
        shutil.copy(listed, other)
        for file in (job / "results").iterdir():
            shutil.copy(file, other / place)
        assert outcomes(verify_report(tree, other / listed.name))["a"] == "MATCH"


def test_manifest_and_what_is_missing(tree: Path, tmp_path: Path) -> None:
    """A report that is not whole is not read as if it were."""
    job = tmp_path / "job"
    listed = manifest(job, "succeeded", report(tmp_path, row("a", full("SHA1", b"a"))))
    (file,) = (job / "results").iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(partsum.PartsumError, match=r"its MD5 is not .* fetch it again"):
        verify_report(tree, listed)
    file.unlink()
    with pytest.raises(partsum.PartsumError, match=r"results/.*\.csv, which is not there"):
        verify_report(tree, listed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "neither .*JSONDecodeError"),
        ("{}", "neither .*fileFormat"),
        ('{"Results": [{}]}', "neither .*Key"),
        ('{"Results": 1}', "neither"),
        ('{"files": [], "fileFormat": "ORC"}', "format ORC: only CSV"),
        ('{"files": [], "fileFormat": "CSV", "fileSchema": "Bucket, Size"}', "no Key"),
        ("bucket,a\n", r"report:1: no row"),
        ("\xff", "report"),
    ],
)
def test_what_is_no_report(text: str, words: str, tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(partsum.PartsumError, match=words):
        list(verify_report(tree, path))


def test_what_is_not_there(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify_report(tree, tmp_path / "absent")
    with pytest.raises(FileNotFoundError):
        verify_report(tmp_path / "absent", report(tmp_path))
    with pytest.raises(ValueError, match="threads"):
        verify_report(tree, report(tmp_path), threads=0)


def test_progress_and_many_rows(tree: Path, tmp_path: Path) -> None:
    names = [f"{number:04}" for number in range(1500)]
    write(tree, {name: name.encode() for name in names})
    path = report(tmp_path, *(row(name, full("MD5", name.encode())) for name in names))
    seen: list[int] = []
    entries = list(verify_report(tree, path, progress=seen.append))
    assert [entry.key for entry in entries] == names
    assert all(entries)
    assert sum(seen) == 4 * len(names)
    iterator = verify_report(tree, path)
    assert next(iterator)
    iterator.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("partsum-")]


# Inventories --------------------------------------------------------------------------------------

COLUMNS = [
    "Bucket",
    "Key",
    "VersionId",
    "IsLatest",
    "IsDeleteMarker",
    "Size",
    "LastModifiedDate",
    "ETag",
    "StorageClass",
    "IsMultipartUploaded",
    "EncryptionStatus",
    "ChecksumAlgorithm",
]


def listed(key: str, data: bytes, *, etag: str | None = None, **more: str) -> dict[str, str]:
    """A row as S3 writes it."""
    return {
        "Bucket": "bucket",
        "Key": key,
        "Size": str(len(data)),
        "ETag": hashlib.md5(data, usedforsecurity=False).hexdigest() if etag is None else etag,
        "IsLatest": "true",
        "IsDeleteMarker": "false",
        "StorageClass": "STANDARD",
        "EncryptionStatus": "SSE-S3",
        **more,
    }


@pytest.fixture
def inventory(tmp_path: Path) -> Callable[..., Path]:
    """inventory(rows, columns): manifest.json, two files in the places that S3 has them in."""

    def inventory(rows: list[dict[str, str]], columns: list[str] = COLUMNS) -> Path:
        config = tmp_path / "destination" / "source-bucket" / "config"
        dated = config / "2016-11-06T21-32Z"
        (config / "data").mkdir(parents=True, exist_ok=True)
        dated.mkdir(exist_ok=True)
        files = []
        for name, some in (("first", rows[:1]), ("second", rows[1:])):
            text = io.StringIO()
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows([each.get(column, "") for column in columns] for each in some)
            packed = gzip.compress(text.getvalue().encode())
            (config / "data" / f"{name}.csv.gz").write_bytes(packed)
            md5 = hashlib.md5(packed, usedforsecurity=False).hexdigest()
            key = f"destination/source-bucket/config/data/{name}.csv.gz"
            files.append({"key": key, "size": len(packed), "MD5checksum": md5})
        document = {
            "sourceBucket": "source-bucket",
            "destinationBucket": "arn:aws:s3:::destination",
            "version": "2016-11-30",
            "creationTimestamp": "1514944800000",
            "fileFormat": "CSV",
            "fileSchema": ", ".join(columns),
            "files": files,
        }
        (dated / "manifest.json").write_text(json.dumps(document))
        return dated / "manifest.json"

    return inventory


def test_inventory(inventory: Callable[..., Path], tree: Path, make_file: Any) -> None:
    large = make_file(20 * MIB + 1).read_bytes()
    etag = oracle.multipart_etag(large, oracle.uniform(len(large), 8 * MIB))
    odd = oracle.multipart_etag(large, [5 * MIB, 6 * MIB, 9 * MIB + 1])
    write(
        tree, {"a b": b"1", "size": b"1", "bytes": b"1", "kms": b"1", "only here": b"", "c": b"1"}
    )
    write(tree, {"large": large, "odd": large, "gone": b"1", "dir/x": b"1", "deleted": b"1"})
    rows = [
        listed("a+b", b"1"),
        listed("size", b"22"),
        listed("bytes", b"2"),
        listed("kms", b"2", EncryptionStatus="SSE-KMS"),
        listed("c", b"2", EncryptionStatus="SSE-C"),
        listed("large", large, etag=etag),
        listed("odd", large, etag=odd),
        listed("absent", b"1"),
        listed("gone", b"2", IsLatest="false"),
        listed("gone", b"1"),
        listed("deleted", b"", etag="", IsDeleteMarker="true", Size=""),
        listed("dir/", b""),
    ]
    entries = {entry.key: entry for entry in verify_report(tree, inventory(rows))}
    assert outcomes(entries.values()) == {
        "a b": "MATCH",
        "size": "MISMATCH",
        "bytes": "MISMATCH",
        "kms": "NOT_COMPARABLE",
        "c": "NOT_COMPARABLE",
        "large": "MATCH",
        "odd": "NOT_COMPARABLE",
        "absent": "ONLY_REMOTE",
        "gone": "MATCH",
        "deleted": "ONLY_LOCAL",
        "dir/": "MATCH",
        "dir/x": "ONLY_LOCAL",
        "only here": "ONLY_LOCAL",
    }
    assert "SSE-KMS" in entries["kms"].reason
    assert "SSE-C" in entries["c"].reason


def test_inventory_with_fewer_columns(inventory: Callable[..., Path], tree: Path) -> None:
    """A difference that is not sure to be one is not called one."""
    write(tree, {"a": b"1", "b": b"1"})
    rows = [listed("a", b"1"), listed("b", b"2")]
    path = inventory(rows, ["Bucket", "Key", "Size", "ETag"])
    assert outcomes(verify_report(tree, path)) == {"a": "MATCH", "b": "NOT_COMPARABLE"}
    path = inventory(rows, ["Bucket", "Key", "ETag", "EncryptionStatus"])
    assert outcomes(verify_report(tree, path))["a"] == "MATCH"
    path = inventory(rows, ["Bucket", "Key", "Size"])
    assert set(outcomes(verify_report(tree, path)).values()) == {"NOT_COMPARABLE"}


def test_inventory_that_is_cut_short(inventory: Callable[..., Path], tree: Path) -> None:
    path = inventory([listed("a", b"1"), listed("b", b"1")])
    document = json.loads(path.read_text())
    document["fileSchema"] = "Bucket, Key"
    path.write_text(json.dumps(document))
    with pytest.raises(partsum.PartsumError, match="12 columns, 2 in the manifest"):
        list(verify_report(tree, path))
    for file in document["files"]:
        del file["MD5checksum"]
    path.write_text(json.dumps(document))
    file = path.parent.parent / "data" / "first.csv.gz"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(partsum.PartsumError, match=r"first\.csv\.gz"):
        list(verify_report(tree, path))
