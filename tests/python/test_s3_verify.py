"""`partsum.s3`: real servers are asked, as seldom as can be, through a plain boto3 client."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import partsum
import partsum.s3
import pytest
from partsum import Status
from store import KNOWN_TO, Client, Local, Store, requests

ClientError = pytest.importorskip("botocore.exceptions").ClientError

MIB = 2**20
UNEVEN = [6 * MIB, 5 * MIB + 1, 5 * MIB, 4321]
EVEN = [5 * MIB, 5 * MIB, 5 * MIB, 777]


def upload(store: Store, local: Local, algorithm: str | None, kind: str | None = None) -> None:
    """The object, by our arguments."""
    where, responses = store.upload_parts(local, algorithm, kind)
    arguments = local.sums.complete_multipart_upload_args(algorithm, kind, responses)
    store.client.complete_multipart_upload(**where, **arguments)


def ask(store: Store, path: Any, **more: Any) -> tuple[partsum.Verdict, list[str]]:
    with requests(store.client) as seen:
        where: dict[str, Any] = {**store.where, **more}
        verdict = partsum.s3.verify_object(store.client, path, **where)
    return verdict, seen


composite = pytest.mark.parametrize(
    ("server", "algorithm"),
    [
        (server, algorithm)
        for server, known in KNOWN_TO.items()
        for algorithm in known
        if algorithm != "CRC64NVME"
    ],
    indirect=["server"],
)


@composite
def test_composite(
    algorithm: str, store: Store, local: Callable[..., Local], spoil: Callable[..., Path]
) -> None:
    """Two requests, or where the server does not list parts, one for each of them."""
    file = local(UNEVEN)
    upload(store, file, algorithm, "COMPOSITE")
    verdict, seen = ask(store, file.path)
    assert verdict.status is Status.MATCH, verdict
    assert f"Checksum{algorithm} COMPOSITE" in verdict.evidence
    assert seen[:2] == ["HeadObject", "GetObjectAttributes"]
    assert seen[2:] in ([], [f"HeadObject {number}" for number in (1, 2, 3, 4)])
    verdict, again = ask(store, file.sums)
    assert verdict.status is Status.MATCH
    assert again == seen
    verdict, _ = ask(store, spoil(file, 6 * MIB))
    assert verdict.status is Status.MISMATCH
    if verdict.bad_parts:  # SeaweedFS keeps no checksums of parts
        assert verdict.bad_parts == ((2, 6 * MIB, 5 * MIB + 1),)
    else:
        assert store.server.name == "SeaweedFS"


@pytest.mark.parametrize("server", ["seaweedfs", "localstack"], indirect=True)
def test_parts_that_were_copied(store: Store, local: Callable[..., Local]) -> None:
    """SeaweedFS makes the ETag of such an object in a way of its own, which is a quirk of it."""
    file = local([5 * MIB, 5 * MIB])
    client, source = store.client, {**store.where, "Key": "source"}
    client.upload_file(str(file.path), source["Bucket"], source["Key"])
    upload = client.create_multipart_upload(**store.where)["UploadId"]
    where = {**store.where, "UploadId": upload}
    answers = [
        client.upload_part_copy(
            **where,
            PartNumber=part.number,
            CopySource=source,
            CopySourceRange=f"bytes={part.offset}-{part.offset + part.size - 1}",
        )
        for part in file.sums.parts
    ]
    arguments = file.sums.complete_multipart_upload_args(None, uploaded=answers)
    client.complete_multipart_upload(**where, **arguments)
    seaweedfs = store.server.name == "SeaweedFS"
    verdict, _ = ask(store, file.path, quirks="multipart-etag-not-md5" if seaweedfs else ())
    assert verdict.status is (Status.NOT_COMPARABLE if seaweedfs else Status.MATCH), verdict


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object(
    algorithm: str, store: Store, local: Callable[..., Local], spoil: Callable[..., Path]
) -> None:
    file = local(UNEVEN)
    upload(store, file, algorithm, "FULL_OBJECT")
    verdict, seen = ask(store, file.path)
    assert verdict.status is Status.MATCH
    assert verdict.evidence == ("size", f"Checksum{algorithm} FULL_OBJECT")
    assert seen == ["HeadObject"]
    verdict, seen = ask(store, spoil(file, 0))
    assert (verdict.status, seen) == (Status.MISMATCH, ["HeadObject"])


@pytest.mark.parametrize("size", [0, 1, 3 * MIB, 20 * MIB + 1])
def test_upload_file(
    size: int, store: Store, make_file: Callable[..., Path], tmp_path: Path
) -> None:
    """boto3 as it is by default: a composite CRC32 from 8 MiB on."""
    path = make_file(size)
    store.client.upload_file(str(path), **{"Bucket": store.bucket, "Key": "object"})
    verdict, seen = ask(store, path)
    assert verdict.status is Status.MATCH, verdict
    assert seen[0] == "HeadObject"
    assert len(seen) <= (1 if size < 8 * MIB else 5)
    assert partsum.s3.object_plan(store.client, **store.where) == partsum.plan_parts(size)
    if size:
        other = tmp_path / "other"
        other.write_bytes(b"\x00" + path.read_bytes()[1:])
        if other.read_bytes() != path.read_bytes():
            assert ask(store, other)[0].status is Status.MISMATCH
    other = tmp_path / "longer"
    other.write_bytes(path.read_bytes() + b"a")
    verdict, seen = ask(store, other)
    assert (verdict.status, seen) == (Status.MISMATCH, ["HeadObject"])


def without_checksums(client: Client) -> Any:
    """As from a store that keeps no checksums: HeadObject's answer has none."""

    def strip(parsed: dict[str, Any], **more: object) -> None:
        for name in [name for name in parsed if name.startswith("Checksum")]:
            del parsed[name]

    client.meta.events.register("after-call.s3.HeadObject", strip)
    return strip


@pytest.fixture
def unchecked(store: Store) -> Iterator[Store]:
    strip = without_checksums(store.client)
    yield store
    store.client.meta.events.unregister("after-call.s3.HeadObject", strip)


def test_etag_of_even_parts(
    unchecked: Store, local: Callable[..., Local], spoil: Callable[..., Path]
) -> None:
    """One more request for the size of the parts; all of them only before a MISMATCH is said."""
    file = local(EVEN)
    upload(unchecked, file, None)
    verdict, seen = ask(unchecked, file.path)
    assert (verdict.status, verdict.evidence) == (Status.MATCH, ("size", "ETag"))
    assert seen == ["HeadObject", "HeadObject 1"]
    verdict, seen = ask(unchecked, file.sums)
    assert (verdict.status, seen) == (Status.MATCH, ["HeadObject", "HeadObject 1"])
    verdict, seen = ask(unchecked, spoil(file, 3))
    assert verdict.status is Status.MISMATCH
    assert seen == ["HeadObject", *(f"HeadObject {number}" for number in (1, 2, 3, 4))]


def test_etag_of_uneven_parts(
    unchecked: Store, local: Callable[..., Local], spoil: Callable[..., Path]
) -> None:
    file = local(UNEVEN)
    upload(unchecked, file, None)
    verdict, seen = ask(unchecked, file.path)
    assert (verdict.status, verdict.evidence) == (Status.MATCH, ("size", "ETag"))
    assert seen == ["HeadObject", *(f"HeadObject {number}" for number in (1, 2, 3, 4))]
    assert ask(unchecked, spoil(file, 3))[0].status is Status.MISMATCH
    sums = partsum.hash_file(file.path, "SHA1")
    verdict, seen = ask(unchecked, sums)
    assert (verdict.status, seen) == (Status.NOT_COMPARABLE, ["HeadObject"])


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
@pytest.mark.parametrize("sizes", [UNEVEN, EVEN, [12_345]], ids=["uneven", "even", "one"])
def test_object_plan(
    kind: str, sizes: list[int], store: Store, local: Callable[..., Local]
) -> None:
    file = local(sizes)
    upload(store, file, "CRC32", kind)
    with requests(store.client) as seen:
        plan = partsum.s3.object_plan(store.client, **store.where)
    assert plan == file.sums.plan
    heads = [f"HeadObject {number}" for number in range(1, len(sizes) + 1)]
    if len(sizes) == 1:
        assert seen == ["HeadObject"]
    else:
        assert seen[:2] == ["HeadObject", "GetObjectAttributes"]
        assert seen[2:] in ([], heads)


def test_object_plan_of_a_put(store: Store) -> None:
    store.client.put_object(**store.where, Body=b"abc")
    with requests(store.client) as seen:
        plan = partsum.s3.object_plan(store.client, **store.where)
    assert (plan, seen) == (partsum.plan_parts(3, None), ["HeadObject"])


@pytest.mark.parametrize("server", ["localstack", "fakecloud"], indirect=True)
def test_pages_of_attributes(
    store: Store, local: Callable[..., Local], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = local([5 * MIB] * 5 + [1])
    upload(store, file, "SHA256")
    asked = store.client.get_object_attributes
    pages = []

    def two_at_a_time(**arguments: Any) -> Any:
        pages.append(arguments.get("PartNumberMarker"))
        return asked(**arguments, MaxParts=2)

    monkeypatch.setattr(store.client, "get_object_attributes", two_at_a_time)
    verdict, seen = ask(store, file.path)
    assert verdict.status is Status.MATCH
    assert pages == [None, 2, 4]
    assert seen == ["HeadObject"] + 3 * ["GetObjectAttributes"]
    assert partsum.s3.object_plan(store.client, **store.where) == file.sums.plan


@pytest.mark.parametrize("code", ["AccessDenied", "NotImplemented"])
def test_attributes_are_refused(code: str, store: Store, local: Callable[..., Local]) -> None:
    """HeadObject needs no permission of its own: the parts are asked for one by one."""
    file = local(UNEVEN)
    upload(store, file, "SHA256")

    def refuse(**more: object) -> None:
        raise ClientError({"Error": {"Code": code}}, "GetObjectAttributes")

    store.client.meta.events.register("before-call.s3.GetObjectAttributes", refuse)
    try:
        verdict, seen = ask(store, file.path)
    finally:
        store.client.meta.events.unregister("before-call.s3.GetObjectAttributes", refuse)
    assert verdict.status is Status.MATCH
    assert seen[-4:] == [f"HeadObject {number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("server", ["fakecloud"], indirect=True)
def test_kms(store: Store, local: Callable[..., Local], spoil: Callable[..., Path]) -> None:
    """The ETag is no MD5 there, whatever this server makes of it; the checksum is one."""
    file = local(UNEVEN)
    encryption = {"ServerSideEncryption": "aws:kms"}
    where = store.begin(file.sums, "SHA256", **encryption)
    responses = store.send(where, file, "SHA256")
    arguments = file.sums.complete_multipart_upload_args("SHA256", uploaded=responses)
    store.client.complete_multipart_upload(**where, **arguments)
    assert ask(store, file.path)[0].status is Status.MATCH
    assert ask(store, spoil(file, 0))[0].status is Status.MISMATCH
    strip = without_checksums(store.client)
    try:
        verdict, seen = ask(store, file.path)
    finally:
        store.client.meta.events.unregister("after-call.s3.HeadObject", strip)
    assert (verdict.status, seen) == (Status.NOT_COMPARABLE, ["HeadObject"])
    assert "SSE-KMS" in verdict.reason


CUSTOMER: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


@pytest.mark.parametrize("server", ["seaweedfs", "localstack"], indirect=True)
def test_customer_keys(store: Store, local: Callable[..., Local]) -> None:
    """The key goes with every request, and the ETag is not taken for an MD5."""
    file = local(UNEVEN)
    where = store.begin(file.sums, "SHA256", **CUSTOMER)
    responses = store.send(where, file, "SHA256", **CUSTOMER)
    arguments = file.sums.complete_multipart_upload_args("SHA256", uploaded=responses)
    store.client.complete_multipart_upload(**where, **arguments, **CUSTOMER)
    with pytest.raises(ClientError):
        ask(store, file.path)
    verdict, seen = ask(store, file.path, **CUSTOMER)
    if store.server.name == "LocalStack":  # which drops the checksum of such uploads
        assert (verdict.status, seen) == (Status.NOT_COMPARABLE, ["HeadObject"])
        assert "SSE-C" in verdict.reason
    else:
        assert verdict.status is Status.MATCH
        assert verdict.evidence == ("size", "ChecksumSHA256 COMPOSITE")
    # LocalStack has GetObjectAttributes, but not for such objects.
    assert partsum.s3.object_plan(store.client, **store.where, **CUSTOMER) == file.sums.plan


def test_version(store: Store, local: Callable[..., Local]) -> None:
    """The version that was asked for is asked for in every request."""
    file = local(UNEVEN)
    upload(store, file, "SHA256")
    version = store.head().get("VersionId", "null")
    seen = []

    def note(params: dict[str, Any], **more: object) -> None:
        seen.append(params["query_string"].get("versionId"))

    store.client.meta.events.register("before-call.s3.*", note)
    try:
        verdict, _ = ask(store, file.path, VersionId=version)
    finally:
        store.client.meta.events.unregister("before-call.s3.*", note)
    assert verdict.status is Status.MATCH
    assert set(seen) == {version}


def test_errors_come_out(store: Store, make_file: Callable[..., Path]) -> None:
    with pytest.raises(ClientError) as missing:
        partsum.s3.verify_object(store.client, make_file(3), store.bucket, "no such key")
    assert missing.value.response["Error"]["Code"] == "404"
    with pytest.raises(ClientError):
        partsum.s3.object_plan(store.client, store.bucket, "no such key")
    store.client.put_object(**store.where, Body=b"abc")
    with pytest.raises(FileNotFoundError):
        ask(store, "/no/such/file")


@pytest.mark.parametrize(
    "name", [name for name in partsum.s3.__all__ if callable(getattr(partsum.s3, name))]
)
def test_examples_run(name: str) -> None:
    example = doctest.DocTestParser().get_doctest(
        inspect.getdoc(getattr(partsum.s3, name)) or "", {}, name, None, 0
    )
    assert example.examples
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_boto3_is_not_imported() -> None:
    code = (
        "import partsum, sys; assert 'partsum.s3' not in sys.modules\n"
        "import partsum.s3; assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
