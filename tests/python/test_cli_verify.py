"""``partsum verify`` in real processes: what the AWS CLI saved, and real servers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import partsum
import pytest
from launch import Server
from shell import MIB, ok, ok_json, run
from store import Local, Store

PARTS = [5 * MIB, 5 * MIB + 1, 77]


@pytest.fixture(scope="module")
def file(make_file: Callable[..., Path]) -> Path:
    return make_file(sum(PARTS))


@pytest.fixture(scope="module")
def sums(file: Path) -> partsum.ObjectChecksums:
    return partsum.hash_file(file, ["MD5", "CRC32", "CRC64NVME"], part_size=PARTS)


@pytest.fixture
def spoilt(file: Path, tmp_path: Path) -> Path:
    """The file with a bit of its second part flipped."""
    data = bytearray(file.read_bytes())
    data[PARTS[0]] ^= 1
    path = tmp_path / "spoilt"
    path.write_bytes(data)
    return path


@pytest.fixture
def saved(sums: partsum.ObjectChecksums, tmp_path: Path) -> dict[str, str]:
    """What the AWS CLI prints about the object, in its layout; the names of the files by verb."""
    documents: dict[str, Any] = {
        "head": {
            "AcceptRanges": "bytes",
            "LastModified": "2026-01-01T00:00:00+00:00",
            "ContentLength": sums.size,
            "ETag": f'"{sums.etag}"',
            "ChecksumCRC32": sums.composite("CRC32"),
            "ChecksumType": "COMPOSITE",
            "Metadata": {},
        },
        "attributes": {
            "ETag": sums.etag,
            "ObjectSize": sums.size,
            "Checksum": {
                "ChecksumCRC32": sums.composite("CRC32").partition("-")[0],
                "ChecksumType": "COMPOSITE",
            },
            "ObjectParts": {
                "TotalPartsCount": 3,
                "Parts": [
                    {
                        "PartNumber": part.number,
                        "Size": part.size,
                        "ChecksumCRC32": part.checksum("CRC32"),
                    }
                    for part in sums.parts
                ],
            },
        },
        "parts": {
            "Parts": [
                {"PartNumber": part.number, "Size": part.size, "ETag": f'"{part.etag}"'}
                for part in sums.parts
            ],
        },
        "full": {
            "ContentLength": sums.size,
            "ChecksumCRC64NVME": sums.full_object("CRC64NVME"),
            "ChecksumType": "FULL_OBJECT",
        },
        "kms": {
            "ContentLength": sums.size,
            "ETag": f'"{sums.etag}"',
            "ServerSideEncryption": "aws:kms",
        },
    }
    names = {}
    for name, document in documents.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document))
        names[name] = str(path)
    return names


@pytest.mark.parametrize(
    ("options", "evidence"),
    [
        (["--head", "full"], "size, ChecksumCRC64NVME FULL_OBJECT"),
        (["--response", "full"], "size, ChecksumCRC64NVME FULL_OBJECT"),
        (["--head", "head", "--attributes", "attributes"], "ChecksumCRC32 COMPOSITE"),
        (["--attributes", "attributes"], "ChecksumCRC32 COMPOSITE"),
        (["--head", "head", "--parts", "parts"], "ChecksumCRC32 COMPOSITE"),
    ],
)
def test_saved_responses(
    options: list[str], evidence: str, saved: dict[str, str], file: Path, spoilt: Path
) -> None:
    args = [saved.get(option, option) for option in options]
    line = ok("verify", file, *args).decode()
    assert line.startswith(f"{file}: MATCH (size, ")
    assert evidence in line
    assert line.endswith(" agree)\n")
    done = run("verify", spoilt, *args)
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (1, b"", 1)
    assert f"{spoilt}: MISMATCH (".encode() in done.stdout


def test_bad_parts_are_named(saved: dict[str, str], spoilt: Path) -> None:
    args = ("--head", saved["head"], "--attributes", saved["attributes"])
    first, last = PARTS[0], PARTS[0] + PARTS[1] - 1
    assert f"part 2 (bytes {first}-{last})".encode() in run("verify", spoilt, *args).stdout
    document = json.loads(run("verify", "--json", spoilt, *args).stdout)
    assert document["status"] == "MISMATCH"
    assert document["bad_parts"] == [{"number": 2, "offset": first, "size": PARTS[1]}]


def test_json(saved: dict[str, str], file: Path) -> None:
    document = ok_json("verify", "--json", file, "--head", saved["full"])
    evidence = ["size", "ChecksumCRC64NVME FULL_OBJECT"]
    assert document == {
        "path": str(file),
        "status": "MATCH",
        "reason": "size, ChecksumCRC64NVME FULL_OBJECT agree",
        "evidence": evidence,
        "bad_parts": [],
        "strength": "accidental",
        "not_compared": [],
        "hint": None,
    }


def test_standard_input_and_lists(saved: dict[str, str], file: Path) -> None:
    both = [json.loads(Path(saved[name]).read_bytes()) for name in ("head", "attributes")]
    for document in (both, both[1]):
        assert b": MATCH (" in ok(
            "verify", file, "--head", "-", stdin=json.dumps(document).encode()
        )


def test_not_comparable_is_status_3(saved: dict[str, str], file: Path) -> None:
    done = run("verify", file, "--head", saved["kms"])
    assert (done.returncode, done.stderr) == (3, b"")
    assert b": NOT_COMPARABLE (" in done.stdout
    assert b"SSE-KMS" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", b"line 1"), ("{}", b"HeadObject"), ("[1]", b"not int")],
)
def test_what_is_no_response(text: str, words: bytes, file: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    done = run("verify", file, "--head", tmp_path / "x.json")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"x.json: " in done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["s3://bucket/key", "--head", "x.json"],
        ["--head", "-", "--parts", "-"],
        ["bucket/key"],
        ["--quiet", "s3://bucket/key"],
        ["--quirk", "nonsense", "s3://bucket/key"],
    ],
)
def test_wrong_usage(args: list[str], file: Path) -> None:
    done = run("verify", file, *args)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.parametrize("bad", ["file", "response"])
def test_what_cannot_be_read_is_status_1(
    bad: str, saved: dict[str, str], file: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    args = (gone, "--head", saved["full"]) if bad == "file" else (file, "--head", gone)
    done = run("verify", *args)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b"gone: No such file or directory\n")


# --- servers -----------------------------------------------------------------------------------


@pytest.fixture
def remote(server: Server) -> Callable[..., Any]:
    """remote(*args): ``partsum verify`` that asks the server."""
    environment = {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    options = ("--endpoint-url", server.endpoint, "--region", "us-east-1")

    def remote(*args: str | Path) -> Any:
        return run("verify", *options, *args, env=environment)

    return remote


def test_an_object(
    remote: Callable[..., Any], store: Store, local: Callable[..., Local], spoilt: Path
) -> None:
    """A composite checksum of uneven parts, which only the server knows."""
    there = local(PARTS)
    where, responses = store.upload_parts(there, "CRC32", "COMPOSITE")
    arguments = there.sums.complete_multipart_upload_args("CRC32", "COMPOSITE", responses)
    store.client.complete_multipart_upload(**where, **arguments)
    url = f"s3://{store.bucket}/{where['Key']}"

    done = remote(there.path, url)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith(f"{there.path}: MATCH (size, ")
    done = remote("--json", spoilt, url)
    assert (done.returncode, done.stderr) == (1, b"")
    assert json.loads(done.stdout)["status"] == "MISMATCH"

    done = remote(there.path, f"{url}-gone")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert f"{url}-gone: S3 answers 404".encode() in done.stderr
    done = remote("--json", there.path, f"{url}-gone")
    assert "404" in json.loads(done.stdout)["error"]


def test_a_file_and_a_prefix(
    remote: Callable[..., Any], store: Store, make_file: Callable[..., Path]
) -> None:
    """The key is the one that the AWS CLI copies the file to."""
    path = make_file(1000)
    store.client.put_object(Bucket=store.bucket, Key=f"in/{path.name}", Body=path.read_bytes())
    done = remote(path, f"s3://{store.bucket}/in/")
    assert (done.returncode, done.stderr) == (0, b"")
    assert remote(path, f"s3://{store.bucket}").returncode == 1  # not there


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    """A directory whose files are below in/ in the bucket."""
    root = tmp_path / "folder"
    (root / "b").mkdir(parents=True)
    for name in ("a", "b/c", "b.x"):
        (root / name).write_bytes(name.encode())
        store.client.put_object(Bucket=store.bucket, Key=f"in/{name}", Body=name.encode())
    return root


@pytest.mark.parametrize("end", ["", "/"])
def test_a_directory(end: str, remote: Callable[..., Any], store: Store, folder: Path) -> None:
    url = f"s3://{store.bucket}/in{end}"
    unsorted = ("--quirk", "unsorted-listing")  # as SeaweedFS is
    done = remote(*unsorted, folder, url)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line.split(": MATCH (")[0] for line in done.stdout.decode().splitlines()] == [
        str(folder / name) for name in ("a", "b.x", "b/c")
    ]
    assert remote(*unsorted, "--quiet", folder, url).stdout == b""

    (folder / "a").write_bytes(b"A")
    (folder / "b.x").unlink()
    (folder / "new").write_bytes(b"new")
    done = remote(*unsorted, "--quiet", folder, url)
    assert (done.returncode, done.stderr) == (1, b"")
    assert [line.split(" (")[0] for line in done.stdout.decode().splitlines()] == [
        f"{folder}/a: MISMATCH",
        f"s3://{store.bucket}/in/b.x: ONLY_REMOTE",
        f"{folder}/new: ONLY_LOCAL",
    ]
    document = json.loads(remote(*unsorted, "--json", folder, url).stdout)
    assert document["url"] == f"s3://{store.bucket}/in/"
    assert document["counts"] == {"MATCH": 1, "MISMATCH": 1, "ONLY_REMOTE": 1, "ONLY_LOCAL": 1}
    assert [entry["key"] for entry in document["entries"]] == ["in/a", "in/b.x", "in/b/c", "in/new"]


def test_a_directory_and_no_bucket(remote: Callable[..., Any], tmp_path: Path) -> None:
    done = remote(tmp_path, "s3://no-such-bucket/")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"NoSuchBucket" in done.stderr


@pytest.mark.parametrize("args", [["--head", "x.json"], ["--version-id", "1", "s3://bucket/"]])
def test_a_directory_needs_a_prefix(args: list[str], tmp_path: Path) -> None:
    done = run("verify", tmp_path, *args)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


def test_without_boto3(file: Path, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError")
    path = f"{tmp_path}:{Path(partsum.__file__).parents[1]}"
    done = run("verify", file, "s3://bucket/key", env={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"pip install 'partsum[s3]'" in done.stderr
