"""What S3 refuses: the user gets S3's own error, and partsum's, where it knew, names the same code.

Two context managers carry the tests: `refused_locally` for our typed errors, whose messages name
the code that S3 would answer with, and `refused_by_s3` for botocore's ClientError. Where a test has
both, they stand one above the other.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable, Iterator

import launch
import partsum
import pytest
from store import KNOWN_TO, Client, Local, Store

ClientError = pytest.importorskip("botocore.exceptions").ClientError
S3UploadFailedError = pytest.importorskip("boto3.exceptions").S3UploadFailedError

MIB = 2**20
WITH_BOTH_TYPES = ("CRC32", "CRC32C")
SIZES = [5 * MIB, 5 * MIB, 12_345]


def each_algorithm(*, but: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    pairs = [(server, name) for server, known in KNOWN_TO.items() for name in known]
    return pytest.mark.parametrize(
        ("server", "algorithm"), [pair for pair in pairs if pair[1] not in but], indirect=["server"]
    )


def on(*servers: str) -> pytest.MarkDecorator:
    """The servers that answer as AWS does in this case."""
    return pytest.mark.parametrize("server", servers, indirect=True)


@contextlib.contextmanager
def refused_locally(
    code: str, error: type[partsum.PartsumError], *, part: int | None = None
) -> Iterator[None]:
    """partsum raises `error`, and its message has S3's code and the number of the part."""
    with pytest.raises(error, match=rf"\b{code}\b") as refusal:
        yield
    assert isinstance(refusal.value, partsum.PartsumError)
    assert part is None or re.search(rf"\bpart {part}\b", str(refusal.value))


@contextlib.contextmanager
def refused_by_s3(code: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """The server refuses, and botocore's error reaches us as it was made."""
    with pytest.raises(ClientError) as refusal:
        yield refusal
    assert refusal.value.response["Error"]["Code"] == code


@pytest.fixture
def file(local: Callable[..., Local]) -> Local:
    return local(SIZES)


@pytest.fixture
def damaged(file: Local) -> Local:
    """The same but for one bit in the middle of part 2, and well aware of it."""
    data = flipped(file.data, SIZES[0] + SIZES[1] // 2)
    return Local(file.path, data, partsum.hash_bytes(data, file.sums.algorithms, part_size=SIZES))


def explain(sums: partsum.ObjectChecksums, refusal: Exception, number: int | None = None) -> str:
    """What partsum has to add to S3's words."""
    explanation = sums.explain(refusal, number)
    assert explanation is not None
    return explanation


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# Bytes that are not the ones that were hashed -----------------------------------------------------


@each_algorithm()
@pytest.mark.parametrize("content_md5", [True, False], ids=["and Content-MD5", "alone"])
def test_one_flipped_bit_in_a_part(
    content_md5: bool, algorithm: str, store: Store, file: Local
) -> None:
    """S3 refuses the part, and the upload goes on with the right bytes as if nothing had been."""
    upload = store.begin(file.sums, algorithm)
    store.send(upload, file, algorithm, file.sums.parts[:2])
    last = file.sums.parts[2]
    arguments = file.sums.upload_part_args(last.number, algorithm, content_md5=content_md5)
    body = file.body(last)
    with refused_by_s3("BadDigest") as refusal:
        store.client.upload_part(**upload, Body=flipped(body, len(body) // 2), **arguments)
    explained = explain(file.sums, refusal.value, last.number)
    assert explained.startswith("BadDigest: part 3 (bytes 10485760-10498104): ")
    store.client.upload_part(**upload, Body=body, **arguments)
    store.client.complete_multipart_upload(
        **upload, **file.sums.complete_multipart_upload_args(algorithm)
    )
    assert file.sums.matches_etag(store.head()["ETag"])


def test_one_flipped_bit_without_an_algorithm(store: Store, file: Local, damaged: Local) -> None:
    """Content-MD5 is in the dict of its own accord, and is enough."""
    part = file.sums.parts[1]
    upload = store.begin(file.sums, None)
    with refused_by_s3("BadDigest"):
        store.client.upload_part(
            **upload, Body=damaged.body(part), **file.sums.upload_part_args(part.number, None)
        )


@each_algorithm()
def test_one_flipped_bit_in_a_put(algorithm: str, store: Store, file: Local) -> None:
    body = file.data[:100_000]
    sums = partsum.hash_bytes(body, [algorithm], part_size=None)
    with refused_by_s3("BadDigest"):
        store.client.put_object(
            **store.where, Body=flipped(body, 50_000), **sums.put_object_args(algorithm)
        )
    assert store.keys() == []


@pytest.mark.parametrize("algorithm", [None, "SHA256", "CRC32C", "CRC64NVME"])
def test_a_part_of_other_bytes(
    algorithm: str | None, store: Store, file: Local, damaged: Local
) -> None:
    """Somebody sent other bytes for part 2, with the right checksum of those."""
    upload = store.begin(file.sums, algorithm)
    responses = store.send(upload, damaged, algorithm)
    with refused_locally("InvalidPart", partsum.PartMismatch, part=2):
        file.sums.complete_multipart_upload_args(algorithm, uploaded=responses)
    with refused_by_s3("InvalidPart"):
        store.client.complete_multipart_upload(
            **upload, **file.sums.complete_multipart_upload_args(algorithm)
        )
    assert store.keys() == []


@pytest.mark.parametrize("algorithm", [*WITH_BOTH_TYPES, "CRC64NVME"])
def test_the_value_of_another_object(
    algorithm: str, store: Store, file: Local, damaged: Local
) -> None:
    """The last line of defence: the checksum of the whole object on CompleteMultipartUpload."""
    upload, responses = store.upload_parts(file, algorithm, "FULL_OBJECT")
    right = file.sums.complete_multipart_upload_args(algorithm, "FULL_OBJECT", responses)
    wrong = right | {f"Checksum{algorithm}": damaged.sums.full_object(algorithm)}
    with refused_by_s3("BadDigest"):
        store.client.complete_multipart_upload(**upload, **wrong)
    assert store.keys() == []
    store.client.complete_multipart_upload(**upload, **right)  # the parts are still there


# Lists of parts that are not the parts ------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [None, "SHA1", "CRC32C"])
def test_wrong_order(algorithm: str | None, store: Store, file: Local) -> None:
    upload, responses = store.upload_parts(file, algorithm)
    right = file.sums.complete_multipart_upload_args(algorithm, uploaded=responses)

    # Responses without numbers count as in the order of the parts. These are not.
    swapped = copy.deepcopy(right)
    first, second, _ = swapped["MultipartUpload"]["Parts"]
    first["ETag"], second["ETag"] = second["ETag"], first["ETag"]
    with refused_locally("InvalidPart", partsum.PartMismatch):
        file.sums.complete_multipart_upload_args(
            algorithm, uploaded=[responses[1], responses[0], responses[2]]
        )
    with refused_by_s3("InvalidPart"):
        store.client.complete_multipart_upload(**upload, **swapped)

    # A payload of ours is never in the wrong order. This is what S3 makes of one that is.
    descending = copy.deepcopy(right)
    descending["MultipartUpload"]["Parts"].reverse()
    with refused_by_s3("InvalidPartOrder"):
        store.client.complete_multipart_upload(**upload, **descending)
    store.client.complete_multipart_upload(**upload, **right)


@pytest.mark.parametrize("algorithm", [None, "SHA256", "CRC64NVME"])
def test_a_part_that_was_never_sent(algorithm: str | None, store: Store, file: Local) -> None:
    upload = store.begin(file.sums, algorithm)
    store.send(upload, file, algorithm, [file.sums.parts[0], file.sums.parts[2]])
    with refused_locally("InvalidPart", partsum.PartMismatch, part=2):
        file.sums.complete_multipart_upload_args(
            algorithm, uploaded=store.client.list_parts(**upload)
        )
    with refused_by_s3("InvalidPart") as refusal:
        store.client.complete_multipart_upload(
            **upload, **file.sums.complete_multipart_upload_args(algorithm)
        )
    if store.server.name == "LocalStack":  # which tells the number of the part, as AWS does
        explained = explain(file.sums, refusal.value)
        assert explained.startswith("InvalidPart: part 2 (bytes 5242880-10485759): ")
    assert store.keys() == []


@pytest.mark.parametrize("algorithm", [None, "CRC32"])
def test_an_etag_that_s3_never_gave(algorithm: str | None, store: Store, file: Local) -> None:
    nobodys = f'"{"0" * 32}"'
    upload, responses = store.upload_parts(file, algorithm)
    responses[0]["ETag"] = nobodys
    with refused_locally("InvalidPart", partsum.PartMismatch, part=1):
        file.sums.complete_multipart_upload_args(algorithm, uploaded=responses)
    arguments = file.sums.complete_multipart_upload_args(algorithm)
    arguments["MultipartUpload"]["Parts"][0]["ETag"] = nobodys
    with refused_by_s3("InvalidPart"):
        store.client.complete_multipart_upload(**upload, **arguments)


# Uploads that S3 does not allow -------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [None, "SHA256", "CRC64NVME"])
def test_a_small_part_before_the_last(algorithm: str | None, store: Store, file: Local) -> None:
    data, sizes = file.data[: 6 * MIB], [5 * MIB - 1, MIB + 1]
    with refused_locally("EntityTooSmall", partsum.PartPlanError, part=1):
        partsum.hash_bytes(data, part_size=sizes)
    sums = partsum.hash_bytes(data, file.sums.algorithms, part_size=sizes, allow_small_parts=True)
    upload, _ = store.upload_parts(Local(file.path, data, sums), algorithm)
    with refused_by_s3("EntityTooSmall"):
        store.client.complete_multipart_upload(
            **upload, **sums.complete_multipart_upload_args(algorithm)
        )


@on("localstack", "fakecloud")
@pytest.mark.parametrize("number", [-1, 0, 10_001])
def test_a_part_number_that_s3_does_not_have(number: int, store: Store, file: Local) -> None:
    upload = store.begin(file.sums, None)
    arguments = file.sums.upload_part_args(3, None) | {"PartNumber": number}
    with refused_locally("InvalidArgument", partsum.PartPlanError):
        file.sums.upload_part_args(number, None)
    with refused_by_s3("InvalidArgument"):
        store.client.upload_part(**upload, Body=file.data[-SIZES[2] :], **arguments)


def test_more_parts_than_s3_has_numbers_for() -> None:
    """10,001 parts: the same code as for part number 10,001, before the first byte is read."""
    with refused_locally("InvalidArgument", partsum.PartPlanError):
        partsum.plan_parts(10_001 * 5 * MIB, 5 * MIB)


@each_algorithm(but=WITH_BOTH_TYPES)
def test_a_checksum_type_that_the_algorithm_does_not_have(
    algorithm: str, store: Store, file: Local
) -> None:
    sums = file.sums
    checksum_type = "COMPOSITE" if algorithm == "CRC64NVME" else "FULL_OBJECT"
    for ask in (
        sums.checksum,
        sums.create_multipart_upload_args,
        sums.complete_multipart_upload_args,
    ):
        with refused_locally("InvalidRequest", partsum.NotSupportedByS3):
            ask(algorithm, checksum_type)
    with refused_by_s3("InvalidRequest"):
        store.client.create_multipart_upload(
            **store.where, ChecksumAlgorithm=algorithm, ChecksumType=checksum_type
        )


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_the_value_of_a_whole_object_that_cannot_have_one(
    algorithm: str, store: Store, local: Callable[..., Local]
) -> None:
    """boto3's managed transfer takes any checksum for the whole object's: no SHA can be one."""
    file = local("boto3", 8 * MIB)
    with refused_locally("InvalidRequest", partsum.NotSupportedByS3):
        file.sums.upload_file_args(algorithm)
    whole = partsum.hash_bytes(file.data, [algorithm], part_size=None).full_object(algorithm)
    with pytest.raises(S3UploadFailedError, match=r"\(InvalidRequest\)"):
        store.client.upload_file(
            str(file.path), *store.where.values(), ExtraArgs={f"Checksum{algorithm}": whole}
        )


@on("localstack", "fakecloud")
def test_a_type_without_an_algorithm(store: Store, file: Local) -> None:
    with refused_locally("InvalidRequest", partsum.NotSupportedByS3):
        file.sums.create_multipart_upload_args(None, "FULL_OBJECT")
    with refused_by_s3("InvalidRequest"):
        store.client.create_multipart_upload(**store.where, ChecksumType="FULL_OBJECT")


@on("localstack", "fakecloud")
@pytest.mark.parametrize("algorithm", ["SHA256", "CRC32"])
def test_a_composite_upload_without_the_checksums_of_its_parts(
    algorithm: str, store: Store, file: Local
) -> None:
    upload, _ = store.upload_parts(file, algorithm)
    sums = partsum.hash_bytes(file.data, ["MD5"], part_size=SIZES)
    with refused_locally("InvalidRequest", partsum.MissingChecksum):
        sums.complete_multipart_upload_args(algorithm)
    with refused_by_s3("InvalidRequest"):
        store.client.complete_multipart_upload(**upload, **sums.complete_multipart_upload_args())


@on("localstack", "fakecloud")
def test_the_size_of_another_object(store: Store, file: Local) -> None:
    upload, _ = store.upload_parts(file, "CRC32")
    arguments = file.sums.complete_multipart_upload_args("CRC32")
    assert arguments["MpuObjectSize"] == len(file.data)
    with refused_by_s3("InvalidRequest"):
        store.client.complete_multipart_upload(
            **upload, **arguments | {"MpuObjectSize": len(file.data) - 1}
        )
    store.client.complete_multipart_upload(**upload, **arguments)


@on("localstack")
def test_checksums_of_parts_for_an_upload_without_an_algorithm(store: Store, file: Local) -> None:
    """Why complete_multipart_upload_args() has to be told the algorithm of the upload."""
    upload, responses = store.upload_parts(file, None)
    payload = file.sums.complete_multipart_upload_args("CRC32")["MultipartUpload"]
    with refused_by_s3("InvalidPart"):
        store.client.complete_multipart_upload(**upload, MultipartUpload=payload)
    store.client.complete_multipart_upload(
        **upload, **file.sums.complete_multipart_upload_args(None, uploaded=responses)
    )


# Refusals that have nothing to do with us ---------------------------------------------------------


def test_no_such_upload(store: Store, file: Local) -> None:
    client, sums = store.client, file.sums
    upload = store.begin(sums, "SHA256")
    client.abort_multipart_upload(**upload)
    with refused_by_s3("NoSuchUpload"):
        store.send(upload, file, "SHA256", file.sums.parts[2:])
    with refused_by_s3("NoSuchUpload") as refusal:
        client.complete_multipart_upload(**upload, **sums.complete_multipart_upload_args("SHA256"))
    assert explain(sums, refusal.value).startswith("NoSuchUpload: ")
    with pytest.raises(client.exceptions.NoSuchUpload):  # boto3's own class for it
        client.list_parts(**upload)


def test_a_key_that_exists(store: Store, file: Local) -> None:
    """The caller's condition goes beside our arguments, and S3's answer to it comes through."""
    store.client.put_object(**store.where, Body=b"first")
    upload, responses = store.upload_parts(file, "CRC64NVME")
    with refused_by_s3("PreconditionFailed") as refusal:
        store.client.complete_multipart_upload(
            **upload,
            **file.sums.complete_multipart_upload_args("CRC64NVME", uploaded=responses),
            IfNoneMatch="*",
        )
    assert file.sums.explain(refusal.value) is None
    assert store.head()["ContentLength"] == len(b"first")


@on("seaweedfs")
def test_a_wrong_secret_key(
    server: launch.Server, bucket: str, connect: Callable[..., Client], file: Local
) -> None:
    forged = launch.Server(server.name, server.endpoint, secret_key="guessed")
    with refused_by_s3("SignatureDoesNotMatch"):
        Store(forged, bucket, connect).begin(file.sums, "SHA256")
