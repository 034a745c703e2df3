"""What partsum says before an upload, S3 says after it: plain boto3, real servers, our dicts.

Nothing here computes a checksum. The servers do, with code of their own, and they refuse a request
whose values they do not agree with; after that HeadObject has to show exactly the ETag and the
checksum that were known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import partsum
import pytest
from store import CLASSIC, KNOWN_TO, SINCE_2026, Local, Response, Store

MIB = 2**20
TYPES = dict.fromkeys(CLASSIC + SINCE_2026, ("COMPOSITE",)) | {
    "CRC32": ("COMPOSITE", "FULL_OBJECT"),
    "CRC32C": ("COMPOSITE", "FULL_OBJECT"),
    "CRC64NVME": ("FULL_OBJECT",),
}

each_algorithm = pytest.mark.parametrize(
    ("server", "algorithm"),
    [(server, name) for server, known in KNOWN_TO.items() for name in known],
    indirect=["server"],
)
each_pair = pytest.mark.parametrize(
    ("server", "algorithm", "checksum_type"),
    [
        (server, name, checksum_type)
        for server, known in KNOWN_TO.items()
        for name in known
        for checksum_type in TYPES[name]
    ],
    indirect=["server"],
)
# For what does not depend on the algorithm: each kind of it, and the type by default.
some_pairs = pytest.mark.parametrize(
    ("algorithm", "checksum_type"),
    [
        ("CRC32", "COMPOSITE"),
        ("CRC32C", "FULL_OBJECT"),
        ("SHA256", "COMPOSITE"),
        ("CRC64NVME", None),
    ],
)

SHAPES = {
    "one part": [1_234_567],
    "three uneven parts": [5 * MIB + 1, 5 * MIB + 12_345, 777],
    "twenty parts": [5 * MIB] * 19 + [99],
}


@pytest.fixture
def two_parts(local: Callable[..., Local]) -> Local:
    return local([5 * MIB + 3, 1_234])


@pytest.fixture
def three_parts(local: Callable[..., Local]) -> Local:
    return local(SHAPES["three uneven parts"])


def assert_says(
    answer: Response, sums: partsum.ObjectChecksums, algorithm: str, checksum_type: str | None
) -> None:
    """S3's answer has the ETag and the checksum of `sums`, and no other checksum."""
    assert answer["ETag"] == f'"{sums.etag}"'
    assert {name: value for name, value in answer.items() if name.startswith("Checksum")} == {
        f"Checksum{algorithm}": sums.checksum(algorithm, checksum_type),
        "ChecksumType": checksum_type or TYPES[algorithm][0],
    }


# Multipart uploads --------------------------------------------------------------------------------


@each_pair
@pytest.mark.parametrize("shape", SHAPES)
def test_multipart_upload(
    shape: str, algorithm: str, checksum_type: str, store: Store, local: Callable[..., Local]
) -> None:
    file = local(SHAPES[shape])
    sums = file.sums
    upload, responses = store.upload_parts(file, algorithm, checksum_type)
    for part, response in zip(sums.parts, responses, strict=True):
        assert response["ETag"] == f'"{part.etag}"'
        assert response[f"Checksum{algorithm}"] == part.checksum(algorithm)
    completed = store.client.complete_multipart_upload(
        **upload, **sums.complete_multipart_upload_args(algorithm, checksum_type)
    )
    assert completed["ETag"] == f'"{sums.etag}"'
    assert completed[f"Checksum{algorithm}"] == sums.checksum(algorithm, checksum_type)
    stored = store.head()
    assert_says(stored, sums, algorithm, checksum_type)
    assert stored["ContentLength"] == sums.size == len(file.data)


@each_pair
def test_without_content_md5(
    algorithm: str, checksum_type: str, store: Store, two_parts: Local
) -> None:
    """The checksum alone guards each part; the MD5s are only for the ETags at the end."""
    sums = two_parts.sums
    upload = store.begin(sums, algorithm, checksum_type)
    for part in sums.parts:
        arguments = sums.upload_part_args(part.number, algorithm, content_md5=False)
        assert "ContentMD5" not in arguments
        store.client.upload_part(**upload, Body=two_parts.body(part), **arguments)
    store.client.complete_multipart_upload(
        **upload, **sums.complete_multipart_upload_args(algorithm, checksum_type)
    )
    assert_says(store.head(), sums, algorithm, checksum_type)


@each_pair
def test_complete_without_the_value_of_the_object(
    algorithm: str, checksum_type: str, store: Store, two_parts: Local
) -> None:
    """`object_checksum=False` leaves the object's value to S3, which comes to the same."""
    sums = two_parts.sums
    upload, _ = store.upload_parts(two_parts, algorithm, checksum_type)
    arguments = sums.complete_multipart_upload_args(algorithm, checksum_type, object_checksum=False)
    assert f"Checksum{algorithm}" not in arguments
    store.client.complete_multipart_upload(**upload, **arguments)
    assert_says(store.head(), sums, algorithm, checksum_type)


@each_pair
def test_empty_multipart_upload(
    algorithm: str, checksum_type: str, store: Store, local: Callable[..., Local]
) -> None:
    """One empty part: an odd thing to do, which S3 allows."""
    empty = local(8 * MIB, 0)
    assert empty.sums.etag == "59adb24ef3cdbe0297f05b395827453f-1"
    upload, _ = store.upload_parts(empty, algorithm, checksum_type)
    store.client.complete_multipart_upload(
        **upload, **empty.sums.complete_multipart_upload_args(algorithm, checksum_type)
    )
    assert_says(store.head(), empty.sums, algorithm, checksum_type)


# What S3 said about the parts ---------------------------------------------------------------------


def in_order(responses: list[Response]) -> list[Response]:
    return responses


def numbered(responses: list[Response]) -> list[Response]:
    return [{"PartNumber": number, **response} for number, response in enumerate(responses, 1)]


def as_they_finish(responses: list[Response]) -> list[Response]:
    """Numbered, in the order in which a pool of threads may be done with them."""
    return numbered(responses)[::-1]


def by_number(responses: list[Response]) -> dict[int, Response]:
    return dict(enumerate(responses, 1))


@some_pairs
@pytest.mark.parametrize("form", [in_order, numbered, as_they_finish, by_number])
def test_complete_with_the_responses_to_the_parts(
    form: Callable[[list[Response]], list[Response] | dict[int, Response]],
    algorithm: str,
    checksum_type: str | None,
    store: Store,
    three_parts: Local,
) -> None:
    sums = three_parts.sums
    upload, responses = store.upload_parts(three_parts, algorithm, checksum_type)
    arguments = sums.complete_multipart_upload_args(algorithm, checksum_type, form(responses))
    payload = arguments["MultipartUpload"]["Parts"]
    assert [part["PartNumber"] for part in payload] == [1, 2, 3]
    assert [part["ETag"] for part in payload] == [response["ETag"] for response in responses]
    store.client.complete_multipart_upload(**upload, **arguments)
    assert_says(store.head(), sums, algorithm, checksum_type)


@some_pairs
@pytest.mark.parametrize("page_size", [2, 1000])
def test_complete_with_list_parts(
    page_size: int,
    algorithm: str,
    checksum_type: str | None,
    store: Store,
    three_parts: Local,
) -> None:
    """What a process that did not send the parts itself knows of them."""
    sums = three_parts.sums
    upload, _ = store.upload_parts(three_parts, algorithm, checksum_type)
    paginator = store.client.get_paginator("list_parts")
    pages = list(paginator.paginate(**upload, PaginationConfig={"PageSize": page_size}))
    assert len(pages) == (2 if page_size < len(sums.parts) else 1)
    uploaded = pages if len(pages) > 1 else pages[0]
    store.client.complete_multipart_upload(
        **upload, **sums.complete_multipart_upload_args(algorithm, checksum_type, uploaded)
    )
    assert_says(store.head(), sums, algorithm, checksum_type)


# Beside plain calls of the client -----------------------------------------------------------------


@some_pairs
def test_the_resource(
    algorithm: str, checksum_type: str | None, store: Store, two_parts: Local
) -> None:
    """The same dicts serve boto3's resource."""
    sums = two_parts.sums
    upload = store.resource.Object(store.bucket, "object").initiate_multipart_upload(
        **sums.create_multipart_upload_args(algorithm, checksum_type)
    )
    for part in sums.parts:
        upload.Part(part.number).upload(
            Body=two_parts.body(part), **sums.upload_part_args(part.number, algorithm)
        )
    again = store.resource.MultipartUpload(store.bucket, "object", upload.id)
    stored = again.complete(**sums.complete_multipart_upload_args(algorithm, checksum_type))
    assert stored.e_tag == f'"{sums.etag}"'
    assert_says(store.head(), sums, algorithm, checksum_type)


@pytest.mark.parametrize("calculation", ["when_supported", "when_required"])
@pytest.mark.parametrize("with_responses", [False, True])
def test_upload_without_an_algorithm(
    with_responses: bool, calculation: str, store: Store, two_parts: Local
) -> None:
    """Only ETags in the payload, though boto3 by default adds a CRC32 of its own to each part."""
    sums = two_parts.sums
    store = store.configured(request_checksum_calculation=calculation)
    upload, responses = store.upload_parts(two_parts, None)
    uploaded = responses if with_responses else None
    arguments = sums.complete_multipart_upload_args(None, uploaded=uploaded)
    payload = arguments["MultipartUpload"]["Parts"]
    assert [set(part) for part in payload] == [{"PartNumber", "ETag"}] * 2
    store.client.complete_multipart_upload(**upload, **arguments)
    stored = store.head()
    assert stored["ETag"] == f'"{sums.etag}"'
    if store.server.name == "LocalStack":  # which gives it the checksum that AWS gives it
        assert_says(stored, sums, "CRC64NVME", "FULL_OBJECT")


@some_pairs
@pytest.mark.parametrize("server", ["localstack", "fakecloud"], indirect=True)
def test_the_callers_arguments_go_beside_ours(
    algorithm: str, checksum_type: str | None, store: Store, two_parts: Local
) -> None:
    """Encryption with S3's keys, metadata, a condition: the checksums do not mind."""
    sums = two_parts.sums
    upload = store.begin(
        sums,
        algorithm,
        checksum_type,
        ServerSideEncryption="AES256",
        ContentType="application/x-tar",
        Metadata={"colour": "green"},
    )
    responses = store.send(upload, two_parts, algorithm)
    store.client.complete_multipart_upload(
        **upload,
        **sums.complete_multipart_upload_args(algorithm, checksum_type, responses),
        IfNoneMatch="*",
    )
    stored = store.head()
    assert_says(stored, sums, algorithm, checksum_type)
    assert stored["ServerSideEncryption"] == "AES256"
    assert stored["ContentType"] == "application/x-tar"
    assert stored["Metadata"] == {"colour": "green"}


@some_pairs
@pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)
def test_encryption_with_the_callers_key(
    algorithm: str, checksum_type: str | None, store: Store, two_parts: Local
) -> None:
    """The checksums are those of the bytes, not of what S3 stores."""
    sums = two_parts.sums
    key: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(range(32))}
    upload = store.begin(sums, algorithm, checksum_type, **key)
    responses = store.send(upload, two_parts, algorithm, **key)
    store.client.complete_multipart_upload(
        **upload, **key, **sums.complete_multipart_upload_args(algorithm, checksum_type, responses)
    )
    assert_says(store.head(**key), sums, algorithm, checksum_type)

    # AWS's ETags are no MD5s then, unlike these servers': the payload has to have AWS's.
    for number, response in enumerate(responses):
        assert response["SSECustomerAlgorithm"] == "AES256"
        response["ETag"] = f'"{number:032x}"'
    arguments = sums.complete_multipart_upload_args(algorithm, checksum_type, responses)
    payload = arguments["MultipartUpload"]["Parts"]
    assert [part["ETag"] for part in payload] == [response["ETag"] for response in responses]


# Whole objects, and what boto3 cuts by itself -----------------------------------------------------


@each_algorithm
@pytest.mark.parametrize("size", [0, 1, MIB + 1])
def test_put_object(size: int, algorithm: str, store: Store, local: Callable[..., Local]) -> None:
    file = local(None, size)
    sums = file.sums
    put = store.client.put_object(**store.where, Body=file.data, **sums.put_object_args(algorithm))
    assert put["ETag"] == f'"{sums.etag}"'
    stored = store.head()
    assert stored["ETag"] == f'"{sums.etag}"'
    assert stored[f"Checksum{algorithm}"] == sums.full_object(algorithm)
    assert stored["ContentLength"] == size


# The default part size is 8 MiB, and so is the size at which boto3 begins to cut.
around_the_threshold = pytest.mark.parametrize(
    ("size", "parts"),
    [(0, None), (8 * MIB - 1, None), (8 * MIB, 1), (8 * MIB + 1, 2), (20 * MIB, 3)],
)


def parts_of(etag: str) -> int | None:
    _, dash, count = etag.strip('"').partition("-")
    return int(count) if dash else None


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
@around_the_threshold
def test_upload_file(
    size: int, parts: int | None, algorithm: str, store: Store, local: Callable[..., Local]
) -> None:
    """boto3's managed transfer, guarded by the checksum of the whole object."""
    if algorithm != "CRC32" and parts:
        pytest.importorskip("awscrt", reason="boto3 needs it to compute the checksum of each part")
    file = local("boto3", size)
    arguments = file.sums.upload_file_args(algorithm)
    store.client.upload_file(str(file.path), *store.where.values(), ExtraArgs=arguments)
    stored = store.head()
    assert parts_of(stored["ETag"]) == parts
    assert stored["ETag"] == f'"{file.sums.etag}"'
    assert stored[f"Checksum{algorithm}"] == file.sums.full_object(algorithm)


@each_algorithm
def test_upload_file_in_one_piece(
    algorithm: str, store: Store, local: Callable[..., Local]
) -> None:
    """Below the threshold any algorithm will do."""
    file = local("boto3", 8 * MIB - 1)
    arguments = file.sums.upload_file_args(algorithm)
    store.client.upload_file(str(file.path), *store.where.values(), ExtraArgs=arguments)
    stored = store.head()
    assert stored["ETag"] == f'"{file.sums.etag}"'
    assert stored[f"Checksum{algorithm}"] == file.sums.full_object(algorithm)


@around_the_threshold
def test_what_boto3_uploads_by_itself(
    size: int, parts: int | None, store: Store, local: Callable[..., Local]
) -> None:
    """No argument of ours at all: by default boto3 sends CRC32, and we know what comes of it."""
    file = local("boto3", size)
    store.client.upload_file(str(file.path), *store.where.values())
    stored = store.head()
    assert stored["ETag"] == f'"{file.sums.etag}"'
    assert stored["ChecksumCRC32"] == file.sums.checksum("CRC32")
