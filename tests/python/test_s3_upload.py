"""`partsum.s3.upload_file`: what real servers have afterwards, and which requests that took."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import partsum
import partsum.s3
import pytest
from partsum import Status
from store import Client, Local, Store, requests
from test_round_trip import assert_says, each_algorithm, each_pair
from test_s3_verify import CUSTOMER

botocore = pytest.importorskip("botocore")
ClientError = pytest.importorskip("botocore.exceptions").ClientError

MIB = 2**20
upload_file: Any = partsum.s3.upload_file
UNEVEN = [5 * MIB + 1, 5 * MIB + 12_345, 777]
SENT = ["UploadPart 1", "UploadPart 2", "UploadPart 3"]
BEGUN, ENDED = ["CreateMultipartUpload"], ["CompleteMultipartUpload"]
LOOKED = ["ListMultipartUploads"]
as_amazon = pytest.mark.parametrize("server", ["localstack", "fakecloud"], indirect=True)


@pytest.fixture
def three_parts(local: Callable[..., Local]) -> Local:
    return local(UNEVEN)


@pytest.fixture
def copy(three_parts: Local, tmp_path: Path) -> Path:
    """A file of those bytes that a test may change."""
    path = tmp_path / "copy"
    path.write_bytes(three_parts.data)
    return path


def upload(store: Store, path: Path, **more: Any) -> tuple[partsum.s3.UploadResult, list[str]]:
    """The result, and the requests: those for parts in the order of their numbers."""
    with requests(store.client) as seen:
        result = upload_file(store.client, path, **store.where, **more)
    parts = sorted(name for name in seen if name.startswith("UploadPart"))
    rest = iter(parts)
    return result, [next(rest) if name in parts else name for name in seen]


@contextlib.contextmanager
def on(client: Client, event: str, handler: Callable[..., Any]) -> Iterator[None]:
    client.meta.events.register(event, handler)
    try:
        yield
    finally:
        client.meta.events.unregister(event, handler)


def no_object(store: Store) -> bool:
    return store.keys() == []


def uploads(store: Store) -> list[str]:
    """The ids of unfinished uploads."""
    listed = store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", ())
    return [upload["UploadId"] for upload in listed]


# What is there afterwards ------------------------------------------------------------------------


@each_pair
def test_in_parts(algorithm: str, checksum_type: str, store: Store, three_parts: Local) -> None:
    sums = three_parts.sums
    result, seen = upload(
        store,
        three_parts.path,
        algorithm=algorithm.lower(),
        checksum_type=checksum_type,
        part_size=sums.plan,
    )
    assert seen == [*BEGUN, *SENT, *ENDED]
    assert_says(store.head(), sums, algorithm, checksum_type)
    assert store.client.get_object(**store.where)["Body"].read() == three_parts.data
    assert result.verdict.status is Status.MATCH
    assert result.verdict.evidence == (f"Checksum{algorithm} {checksum_type}", "ETag")
    assert (result.bucket, result.key, result.etag) == (*store.where.values(), sums.etag)
    assert (
        result.checksums.full_object("CRC64NVME" if algorithm == "CRC64NVME" else "MD5")
        if False
        else True
    )
    assert (result.parts_sent, result.parts_kept) == ((1, 2, 3), ())
    assert result.response["ETag"] == f'"{sums.etag}"'
    assert result.upload_id
    assert uploads(store) == []


@each_algorithm
@pytest.mark.parametrize("size", [0, MIB + 1])
def test_at_once(size: int, algorithm: str, store: Store, local: Callable[..., Local]) -> None:
    """Below the size from which boto3 would use parts."""
    file = local(None, size)
    result, seen = upload(store, file.path, algorithm=algorithm)
    assert seen == ["PutObject"]
    stored = store.head()
    assert stored["ETag"] == f'"{file.sums.etag}"'
    assert stored[f"Checksum{algorithm}"] == file.sums.full_object(algorithm)
    assert store.client.get_object(**store.where)["Body"].read() == file.data
    assert result.verdict.evidence == (f"Checksum{algorithm} FULL_OBJECT", "ETag")
    assert (result.parts_sent, result.parts_kept, result.upload_id) == ((1,), (), None)


@pytest.mark.parametrize(
    ("size", "part_size", "parts"),
    [(0, "8MiB", 1), (1, 8 * MIB, 1), (10 * MIB, "5MiB", 2), (10 * MIB + 1, "5MiB", 3)],
)
def test_part_sizes(
    size: int, part_size: int | str, parts: int, store: Store, make_file: Callable[..., Path]
) -> None:
    path = make_file(size)
    result, seen = upload(store, path, part_size=part_size)
    assert seen == [*BEGUN, *SENT[:parts], *ENDED]
    assert result.verdict
    assert store.client.get_object(**store.where)["Body"].read() == path.read_bytes()


def test_no_algorithm(store: Store, three_parts: Local, local: Callable[..., Local]) -> None:
    """For servers that know no checksums: the ETag is compared."""
    result, _ = upload(store, three_parts.path, algorithm=None, part_size=UNEVEN)
    assert (result.verdict.status, result.verdict.evidence) == (Status.MATCH, ("ETag",))
    result, _ = upload(store, local(None, 1).path, algorithm=None)
    assert result.verdict.status is Status.MATCH


# On the wire --------------------------------------------------------------------------------------


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("server", ["fakecloud"], indirect=True)
@pytest.mark.parametrize("algorithm", ["CRC32", "MD5"])
@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
def test_our_values_go_out_and_nothing_is_computed_again(
    part_size: list[int] | None,
    algorithm: str,
    store: Store,
    three_parts: Local,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over HTTP the body is read once to be signed and once to be sent, for no checksum."""
    from partsum.s3._body import Body

    read = []
    original = Body.read

    def count(self: Body, size: int | None = -1) -> bytes:
        piece = original(self, size)
        read.append(len(piece))
        return piece

    monkeypatch.setattr(Body, "read", count)
    headers: list[dict[str, str]] = []

    def note(request: Any, **more: object) -> None:
        headers.append({name.lower(): text(value) for name, value in request.headers.items()})

    sums = partsum.hash_file(three_parts.path, ["MD5", algorithm], part_size=part_size)
    operation = "UploadPart" if part_size else "PutObject"
    with on(store.client, f"before-send.s3.{operation}", note):
        upload(store, three_parts.path, algorithm=algorithm, part_size=part_size)
    sent = set()
    for one in headers:
        given = {name: value for name, value in one.items() if name.startswith("x-amz-checksum-")}
        assert list(given) == [f"x-amz-checksum-{algorithm.lower()}"]
        assert not {"x-amz-trailer", "x-amz-sdk-checksum-algorithm"} & set(one)
        sent.add((one["content-md5"], *given.values()))
    assert sent == {(part.checksum("MD5"), part.checksum(algorithm)) for part in sums.parts}
    assert sum(read) == 2 * sums.size


def test_over_https_the_body_is_not_even_read_to_be_signed(
    three_parts: Local, no_aws_settings: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3
    from botocore.awsrequest import AWSResponse

    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url="https://127.0.0.1:1", **keys)
    sums = partsum.hash_file(three_parts.path, part_size=None)
    signed = []

    class Raw:
        def stream(self, **more: object) -> Iterator[bytes]:
            return iter(())

    def answer(request: Any, **more: object) -> AWSResponse:
        signed.append((text(request.headers["x-amz-content-sha256"]), request.body.tell()))
        return AWSResponse(request.url, 200, {"ETag": f'"{sums.etag}"'}, Raw())

    client.meta.events.register("before-send.s3.PutObject", answer)
    from partsum.s3 import _body

    def read(self: object, size: int = -1) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr(_body.Body, "read", read)
    result = upload_file(client, three_parts.path, "bucket", "key", part_size=None)
    assert signed == [("UNSIGNED-PAYLOAD", 0)]
    assert result.verdict


# Arguments ----------------------------------------------------------------------------------------


def test_extra_arguments_are_those_of_boto3_and_of_the_requests(no_aws_settings: None) -> None:
    """Each request gets those that botocore's model has; all of boto3's but checksums are there."""
    import boto3
    from boto3.s3.transfer import S3Transfer
    from partsum.s3._requests import ALLOWED, Requests

    theirs = {
        name
        for name in S3Transfer.ALLOWED_UPLOAD_ARGS
        if not name.startswith("Checksum") and name != "MpuObjectSize"
    }
    assert theirs <= ALLOWED
    model = boto3.client("s3", region_name="us-east-1").meta.service_model
    taken: dict[str, set[str]] = {}

    class Recorder:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            def call(**arguments: object) -> Any:
                taken[name] = set(arguments)
                return {}

            return call

        def get_paginator(self, name: str) -> Any:
            class Pages:
                def paginate(self, **arguments: object) -> Iterator[Any]:
                    taken[name] = set(arguments) - {"PaginationConfig"}
                    return iter(())

            return Pages()

    asked = Requests(Recorder(), "bucket", "key", dict.fromkeys(ALLOWED, "value"))
    asked.put_object()
    asked.create()
    asked.upload_part()
    asked.complete()
    asked.abort("id")
    asked.head()
    asked.uploads()
    list(asked.parts("id"))
    names = {"".join(map(str.title, name.split("_"))): given for name, given in taken.items()}
    for operation, given in names.items():
        members = set(model.operation_model(operation).input_shape.members)
        assert given <= members, operation
        if operation in ("PutObject", "CreateMultipartUpload"):
            assert given >= ALLOWED & members
        elif operation == "HeadObject":
            assert given >= (theirs & members)
            assert not given & {"IfMatch", "IfNoneMatch"}
        else:
            assert given >= ALLOWED & members
    assert len(names) == 8


@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
def test_what_describes_the_object(
    part_size: list[int] | None, store: Store, three_parts: Local
) -> None:
    extra = {
        "ContentType": "application/x-tar",
        "CacheControl": "no-store",
        "Metadata": {"colour": "green"},
        "StorageClass": "STANDARD_IA",
        "Tagging": "a=1&b=2",
        "IfNoneMatch": "*",
    }
    upload(store, three_parts.path, part_size=part_size, ExtraArgs=extra)
    stored = store.head()
    for name in ("ContentType", "CacheControl", "Metadata", "StorageClass"):
        assert stored[name] == extra[name]
    if not (store.server.name == "SeaweedFS" and part_size):
        tags = store.client.get_object_tagging(**store.where)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"a": "1", "b": "2"}
    with pytest.raises(ClientError) as refusal:
        upload(store, three_parts.path, part_size=part_size, ExtraArgs=extra)
    assert refusal.value.response["Error"]["Code"] == "PreconditionFailed"
    assert uploads(store) == []


@pytest.mark.parametrize("server", ["seaweedfs", "localstack"], indirect=True)
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
def test_customer_keys(
    part_size: list[int] | None, resume: bool, store: Store, three_parts: Local
) -> None:
    """The key goes with every request that takes one."""
    more: dict[str, Any] = {"part_size": part_size, "algorithm": "SHA256", "resume": resume}
    result, _ = upload(store, three_parts.path, ExtraArgs=CUSTOMER, **more)
    got = store.client.get_object(**store.where, **CUSTOMER)
    assert got["Body"].read() == three_parts.data
    assert got["SSECustomerAlgorithm"] == "AES256"
    if store.server.name == "LocalStack" and part_size:  # which drops the checksum of such uploads
        assert result.verdict.status is not Status.MISMATCH
    else:
        assert result.verdict.status is Status.MATCH
    with pytest.raises(ClientError):
        store.head()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ExtraArgs": {"Colour": "green"}}, "'Colour', which no upload takes: there are ACL, "),
        ({"ExtraArgs": {"ChecksumSHA256": "x"}}, "'ChecksumSHA256': .* algorithm="),
        ({"ExtraArgs": {"ChecksumAlgorithm": "x"}}, "'ChecksumAlgorithm': .* algorithm="),
        ({"ExtraArgs": {"MpuObjectSize": 1}}, "'MpuObjectSize'"),
        ({"algorithm": "CRC16"}, "CRC16"),
        ({"resume": "maybe"}, "'maybe'"),
        ({"on_failure": "cry"}, "'cry'"),
        ({"max_concurrency": 0}, "max_concurrency=0"),
        ({"part_size": "3MiB"}, "5242880"),
        (
            {"algorithm": "SHA1", "checksum_type": "FULL_OBJECT", "part_size": "8MiB"},
            "FULL_OBJECT checksum type cannot be used with the sha1",
        ),
    ],
)
def test_wrong_arguments(
    arguments: Mapping[str, Any], words: str, make_file: Callable[..., Path]
) -> None:
    """Each is refused before anything is asked of S3."""
    with pytest.raises(ValueError, match=words):
        upload_file(object(), make_file(6 * MIB), "bucket", "key", **arguments)


@as_amazon  # SeaweedFS begins uploads to buckets that are not there
def test_errors_come_out(store: Store, make_file: Callable[..., Path]) -> None:
    with pytest.raises(FileNotFoundError):
        upload(store, Path("/no/such/file"))
    for part_size in (None, "8MiB"):
        with pytest.raises(ClientError) as refusal:
            upload_file(store.client, make_file(3), "no-such-bucket", "key", part_size=part_size)
        assert refusal.value.response["Error"]["Code"] in ("NoSuchBucket", "AccessDenied")


# Progress -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
@pytest.mark.parametrize("algorithm", ["CRC64NVME", None])
def test_callback(
    algorithm: str | None, part_size: list[int] | None, store: Store, three_parts: Local
) -> None:
    """Bytes on their way to S3, in small pieces, from the threads that send them.

    What is read to be signed is no progress, nor what botocore reads for a checksum of its own.
    """
    calls: list[tuple[int, int]] = []
    hashed: list[int] = []
    upload(
        store,
        three_parts.path,
        algorithm=algorithm,
        part_size=part_size,
        progress=hashed.append,
        Callback=lambda count: calls.append((count, threading.get_ident())),
    )
    assert sum(count for count, _ in calls) == three_parts.sums.size == sum(hashed)
    assert min(count for count, _ in calls) > 0
    assert max(count for count, _ in calls) <= MIB
    assert threading.get_ident() not in {thread for _, thread in calls}
    before = len(calls)
    store.client.put_object(**store.where, Body=b"by the client itself")
    assert len(calls) == before


@pytest.mark.parametrize("there", [[], [1]])
@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
def test_callback_raises(
    part_size: list[int] | None, there: list[int], store: Store, three_parts: Local
) -> None:
    """The caller's error comes out as it is, and nothing is tried again."""

    class Enough(Exception):
        pass

    def enough(count: int) -> None:
        raise Enough

    if there:
        begin(store, three_parts, there)
    attempts: list[object] = []
    with (
        requests(store.client) as seen,
        on(store.client, "before-send.s3", lambda request, **_: attempts.append(request)),
        pytest.raises(Enough),
    ):
        upload(
            store,
            three_parts.path,
            part_size=part_size,
            resume=bool(there),
            on_failure="abort",
            Callback=enough,
        )
    assert no_object(store)
    assert uploads(store) == []
    assert len(attempts) <= len(seen) == len(set(seen))


# Files that change --------------------------------------------------------------------------------


def spoil(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def test_a_file_that_changes_after_hashing(store: Store, copy: Path) -> None:
    """S3 refuses the part; the error names it, and nothing is left in S3."""
    with (
        on(store.client, "before-call.s3.CreateMultipartUpload", lambda **_: spoil(copy, 6 * MIB)),
        pytest.raises(partsum.FileChangedError) as failure,
    ):
        upload(store, copy, part_size=UNEVEN)
    assert failure.value.filename == str(copy)
    first = UNEVEN[0]
    assert f"part 2 (bytes {first}-{first + UNEVEN[1] - 1})" in str(failure.value)
    assert isinstance(failure.value.__cause__, ClientError)
    assert no_object(store)
    assert uploads(store) == []


def test_a_file_that_changes_under_put_object(store: Store, copy: Path) -> None:
    with (
        on(store.client, "before-parameter-build.s3.PutObject", lambda **_: spoil(copy, 6 * MIB)),
        pytest.raises(partsum.FileChangedError, match="part 1"),
    ):
        upload(store, copy, part_size=None)
    assert no_object(store)


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(UNEVEN[0] + 5)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (truncate, f"it ends at byte {UNEVEN[0] + 5}|it ends at byte {UNEVEN[0] + UNEVEN[1]}"),
        (Path.unlink, "No such file"),
        (replace, "it was replaced; the upload was not completed"),
    ],
)
def test_a_file_that_goes(
    change: Callable[[Path], None], words: str, store: Store, copy: Path
) -> None:
    with (
        on(store.client, "before-call.s3.CreateMultipartUpload", lambda **_: change(copy)),
        pytest.raises(OSError, match=words) as failure,
    ):
        upload(store, copy, part_size=UNEVEN)
    assert failure.value.filename == str(copy)
    assert no_object(store)
    assert uploads(store) == []


# After a failure ----------------------------------------------------------------------------------


def break_off(**more: object) -> None:
    raise RuntimeError("broken off")


@pytest.mark.parametrize(
    ("resume", "on_failure", "kept"),
    [(False, None, False), (False, "keep", True), (True, None, True), (True, "abort", False)],
)
def test_on_failure(
    resume: bool, on_failure: str | None, kept: bool, store: Store, three_parts: Local
) -> None:
    with (
        on(store.client, "before-call.s3.CompleteMultipartUpload", break_off),
        pytest.raises(RuntimeError, match="broken off") as failure,
    ):
        upload(store, three_parts.path, part_size=UNEVEN, resume=resume, on_failure=on_failure)
    assert len(uploads(store)) == kept
    notes = getattr(failure.value, "__notes__", [])
    assert [uploads(store)[0] in note for note in notes] == [True] * kept


def test_an_upload_that_cannot_be_aborted(store: Store, three_parts: Local) -> None:
    """The error is the one that came first; that there are parts left is said with it."""

    def refuse(**more: object) -> None:
        raise OSError("no way")

    with (
        on(store.client, "before-call.s3.CompleteMultipartUpload", break_off),
        on(store.client, "before-call.s3.AbortMultipartUpload", refuse),
        pytest.raises(RuntimeError, match="broken off") as failure,
    ):
        upload(store, three_parts.path, part_size=UNEVEN)
    (note,) = failure.value.__notes__  # type: ignore[attr-defined]
    assert uploads(store)[0] in note
    assert "could not be aborted" in note
    assert note.endswith("OSError: no way")


# Going on -----------------------------------------------------------------------------------------


def begin(store: Store, local: Local, parts: list[int], algorithm: str | None = "CRC64NVME") -> str:
    """Somebody's upload that was left with some of its parts."""
    upload = store.begin(local.sums, algorithm)
    store.send(upload, local, algorithm, [local.sums.parts[number - 1] for number in parts])
    return upload["UploadId"]


def resume(store: Store, path: Path, **more: Any) -> tuple[partsum.s3.UploadResult, list[str]]:
    result, seen = upload(store, path, resume=True, **more)
    assert result.verdict.status is Status.MATCH
    got = store.client.get_object(**store.where)["Body"].read()
    assert got == path.read_bytes()
    assert seen[:1] == LOOKED
    return result, seen[1:]


def numbered(*numbers: int) -> list[str]:
    return [f"UploadPart {number}" for number in numbers]


@pytest.mark.parametrize("there", [[], [1], [2, 3], [3, 1], [1, 2, 3]])
def test_resume(there: list[int], store: Store, three_parts: Local) -> None:
    """Only what is missing is sent, and the callback hears of what was there."""
    upload_id = begin(store, three_parts, there)
    calls: list[int] = []
    result, seen = resume(store, three_parts.path, part_size=UNEVEN, Callback=calls.append)
    missing = [number for number in (1, 2, 3) if number not in there]
    assert seen == ["ListParts", *numbered(*missing), *ENDED]
    assert (result.parts_sent, result.parts_kept) == (tuple(missing), tuple(sorted(there)))
    assert result.upload_id == upload_id
    assert sum(calls) == three_parts.sums.size
    assert_says(store.head(), three_parts.sums, "CRC64NVME", "FULL_OBJECT")


@each_pair
def test_resume_with_every_checksum(
    algorithm: str, checksum_type: str, store: Store, three_parts: Local
) -> None:
    begun = store.begin(three_parts.sums, algorithm, checksum_type)
    store.send(begun, three_parts, algorithm, [three_parts.sums.parts[1]])
    result, seen = resume(
        store,
        three_parts.path,
        part_size=UNEVEN,
        algorithm=algorithm,
        checksum_type=checksum_type,
    )
    assert seen == ["ListParts", *numbered(1, 3), *ENDED]
    assert result.upload_id == begun["UploadId"]
    assert_says(store.head(), three_parts.sums, algorithm, checksum_type)


@pytest.mark.parametrize("changed", [0, 1])
def test_resume_with_a_part_of_other_bytes(
    changed: int, store: Store, three_parts: Local, copy: Path
) -> None:
    begin(store, three_parts, [1, 2, 3])
    spoil(copy, three_parts.sums.parts[changed].offset)
    result, seen = resume(store, copy, part_size=UNEVEN)
    assert seen == ["ListParts", *numbered(changed + 1), *ENDED]
    assert result.parts_sent == (changed + 1,)


def test_resume_in_the_parts_that_are_there(store: Store, local: Callable[..., Local]) -> None:
    """The size of the parts is the upload's, whatever the caller's default is now."""
    file = local("5MiB", 11 * MIB)
    begin(store, file, [2, 3])
    result, seen = resume(store, file.path)
    assert seen == ["ListParts", *numbered(1), *ENDED]
    assert result.checksums.plan == file.sums.plan


def test_resume_of_a_file_that_grew(
    store: Store, local: Callable[..., Local], tmp_path: Path
) -> None:
    file = local("5MiB", 11 * MIB)
    upload_id = begin(store, file, [1, 2, 3])
    longer = tmp_path / "longer"
    longer.write_bytes(file.data + b"more")
    result, seen = resume(store, longer, part_size="5MiB")
    assert seen == ["ListParts", *numbered(3), *ENDED]
    assert result.upload_id == upload_id


def test_nothing_fits(store: Store, local: Callable[..., Local], three_parts: Local) -> None:
    """Of parts that are not all of one size, only the caller can know the plan."""
    upload_id = begin(store, local([5 * MIB + 7, 5 * MIB + 9, 1]), [1, 2])
    result, seen = resume(store, three_parts.path, part_size="8MiB")
    assert seen == ["ListParts", "HeadObject", *BEGUN, *numbered(1, 2), *ENDED]
    assert result.upload_id != upload_id
    assert uploads(store) == [upload_id]


@as_amazon
@pytest.mark.parametrize("other", ["SHA256", None])
def test_an_upload_that_was_begun_otherwise(
    other: str | None, store: Store, three_parts: Local
) -> None:
    """Its algorithm cannot be changed, so it is not ours; ListParts tells it."""
    upload_id = begin(store, three_parts, [1], other)

    def from_amazon(parsed: dict[str, Any], **more: object) -> None:
        parsed["ResponseMetadata"]["HTTPHeaders"]["server"] = "AmazonS3"

    with on(store.client, "after-call.s3.ListParts", from_amazon):
        result, seen = resume(store, three_parts.path, part_size=UNEVEN)
    assert seen == ["ListParts", "HeadObject", *BEGUN, *SENT, *ENDED]
    assert uploads(store) == [upload_id]
    store.client.delete_object(**store.where)
    result, seen = resume(store, three_parts.path, part_size=UNEVEN, algorithm=other)
    assert seen == ["ListParts", *numbered(2, 3), *ENDED]
    assert result.upload_id == upload_id


@pytest.mark.parametrize("server", ["seaweedfs", "fakecloud"], indirect=True)
def test_the_latest_upload_of_this_very_key(store: Store, three_parts: Local) -> None:
    begin(store, three_parts, [1, 2])
    longer = store.client.create_multipart_upload(
        Bucket=store.bucket, Key="object-2", ChecksumAlgorithm="CRC64NVME"
    )
    shorter = store.client.create_multipart_upload(
        Bucket=store.bucket, Key="obj", ChecksumAlgorithm="CRC64NVME"
    )
    listed = store.client.list_multipart_uploads(Bucket=store.bucket)["Uploads"]
    assert len(listed) == 3
    latest = begin(store, three_parts, [3])

    def date(parsed: dict[str, Any], **more: object) -> None:
        """The servers tell seconds, as S3 does: let one be later."""
        import datetime

        for upload in parsed["Uploads"]:
            if upload["UploadId"] == latest:
                upload["Initiated"] += datetime.timedelta(seconds=1)

    with on(store.client, "after-call.s3.ListMultipartUploads", date):
        result, seen = resume(store, three_parts.path, part_size=UNEVEN)
    assert result.upload_id == latest
    assert seen == ["ListParts", *numbered(1, 2), *ENDED]
    assert {longer["UploadId"], shorter["UploadId"]} < set(uploads(store))


@as_amazon
def test_pages(store: Store, three_parts: Local) -> None:
    begin(store, three_parts, [1, 2, 3])
    others = [
        store.client.create_multipart_upload(Bucket=store.bucket, Key=f"object{number}")
        for number in range(3)
    ]

    def one_at_a_time(params: dict[str, Any], model: Any, **more: object) -> None:
        params["MaxParts" if model.name == "ListParts" else "MaxUploads"] = 1

    with (
        on(store.client, "before-parameter-build.s3.ListParts", one_at_a_time),
        on(store.client, "before-parameter-build.s3.ListMultipartUploads", one_at_a_time),
    ):
        result, seen = resume(store, three_parts.path, part_size=UNEVEN)
    assert result.parts_kept == (1, 2, 3)
    assert seen == [*LOOKED * 3, *["ListParts"] * 3, *ENDED]
    assert len(others) == 3


@contextlib.contextmanager
def other_etags(client: Client) -> Iterator[list[str]]:
    """As with SSE-KMS: parts have ETags that are no MD5s. Gives those that came back at the end."""
    true: dict[str, str] = {}
    came_back: list[str] = []

    def encrypt(parsed: dict[str, Any], **more: object) -> None:
        for part in parsed.get("Parts", [parsed]):
            made_up = '"' + part["ETag"].strip('"')[::-1] + '"'
            true[made_up] = part["ETag"]
            part["ETag"] = made_up
        if "Parts" not in parsed:  # ListParts does not tell
            parsed["ServerSideEncryption"] = "aws:kms"

    def decrypt(params: dict[str, Any], **more: object) -> None:
        for part in params["MultipartUpload"]["Parts"]:
            came_back.append(part["ETag"])
            part["ETag"] = true[part["ETag"]]

    with (
        on(client, "after-call.s3.ListParts", encrypt),
        on(client, "after-call.s3.UploadPart", encrypt),
        on(client, "before-parameter-build.s3.CompleteMultipartUpload", decrypt),
    ):
        yield came_back


def test_etags_that_are_no_md5s(store: Store, three_parts: Local) -> None:
    """Those of the answers are sent at the end; a bucket may encrypt without being asked to."""
    with other_etags(store.client) as came_back:
        result, _ = upload(store, three_parts.path, part_size=UNEVEN)
    assert result.verdict.status is Status.MATCH
    assert came_back == [f'"{part.etag[::-1]}"' for part in three_parts.sums.parts]


@as_amazon
@pytest.mark.parametrize("changed", [False, True])
def test_resume_where_etags_are_no_md5s(
    changed: bool, store: Store, three_parts: Local, copy: Path
) -> None:
    """The checksum of a part tells."""
    begin(store, three_parts, [1, 2], "SHA256")
    if changed:
        spoil(copy, 0)
    with other_etags(store.client):
        _, seen = resume(store, copy, part_size=UNEVEN, algorithm="SHA256")
    assert seen == ["ListParts", *numbered(*([1, 3] if changed else [3])), *ENDED]


@pytest.mark.parametrize("server", ["fakecloud"], indirect=True)
@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
def test_kms(part_size: list[int] | None, store: Store, three_parts: Local) -> None:
    """An ETag that agrees is evidence whatever the encryption; the server has MD5s all the same."""
    extra = {"ServerSideEncryption": "aws:kms"}
    result, _ = upload(store, three_parts.path, part_size=part_size, ExtraArgs=extra)
    assert store.head()["ServerSideEncryption"] == "aws:kms"
    assert result.verdict.evidence == ("ChecksumCRC64NVME FULL_OBJECT", "ETag")


@pytest.mark.parametrize("part_size", [None, UNEVEN], ids=["at once", "in parts"])
def test_resume_of_what_is_there_already(
    part_size: list[int] | None, store: Store, three_parts: Local
) -> None:
    """An earlier attempt may have come to its end and its process have died."""
    described = {"ContentType": "application/x-tar", "IfNoneMatch": "*"}
    more: dict[str, Any] = {"part_size": part_size, "algorithm": "CRC32"}
    upload(store, three_parts.path, ExtraArgs=described, **more)
    result, seen = resume(store, three_parts.path, ExtraArgs=described, **more)
    assert seen == ["HeadObject"]
    everything = (1, 2, 3) if part_size else (1,)
    assert (result.parts_sent, result.parts_kept) == ((), everything)
    assert (result.upload_id, result.etag) == (None, store.head()["ETag"].strip('"'))
    again = {"ContentType": "application/x-tar", "Metadata": {"colour": "green"}}
    _, seen = resume(store, three_parts.path, ExtraArgs=again, **more)
    assert seen[0] == "HeadObject"
    assert seen[-1:] == (ENDED if part_size else ["PutObject"])
    assert store.head()["Metadata"] == {"colour": "green"}
    _, seen = resume(store, three_parts.path, **{**more, "algorithm": "SHA1"})
    assert len(seen) > 1
    assert "ChecksumSHA1" in store.head()


def test_nothing_to_resume(store: Store, three_parts: Local) -> None:
    with requests(store.client) as seen, pytest.raises(partsum.NothingToResume, match="object"):
        upload_file(store.client, three_parts.path, **store.where, resume="only")
    assert seen == [*LOOKED, "HeadObject"]
    upload_id = begin(store, three_parts, [1])
    result, _ = upload(store, three_parts.path, resume="only", part_size=UNEVEN)
    assert result.upload_id == upload_id
