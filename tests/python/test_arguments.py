"""The arguments for boto3: what S3 takes, refused where S3 would refuse, accepted by botocore."""

import functools
import itertools
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest

MIB = oracle.MIB
DATA = oracle.byte_cycle(2500)
SIZES = [1000, 1000, 500]
LEGAL = [(name, "COMPOSITE") for name in oracle.COMPOSITE]
LEGAL += [(name, "FULL_OBJECT") for name in oracle.FULL_OBJECT]
EVERY = list(itertools.product(oracle.ALGORITHMS, ("COMPOSITE", "FULL_OBJECT")))
ILLEGAL = [pair for pair in EVERY if pair not in LEGAL]
WHERE = {"Bucket": "bucket", "Key": "key"}

legal_pairs = pytest.mark.parametrize(("name", "kind"), LEGAL)
illegal_pairs = pytest.mark.parametrize(("name", "kind"), ILLEGAL)
each_algorithm = pytest.mark.parametrize("name", oracle.ALGORITHMS)


def default_type(name: str) -> str:
    return "FULL_OBJECT" if name == "CRC64NVME" else "COMPOSITE"


@functools.cache
def multipart(*names: str) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(
        DATA, names or oracle.ALGORITHMS, part_size=1000, allow_small_parts=True
    )


@functools.cache
def single(*names: str) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(DATA, names or oracle.ALGORITHMS, part_size=None)


def md5(data: bytes) -> bytes:
    return oracle.digest("MD5", data)


def pieces() -> list[bytes]:
    return list(oracle.split(DATA, SIZES))


def answers(name: str | None = None, **more: Any) -> list[dict[str, Any]]:
    """What S3 answers to the three UploadPart requests."""
    found = []
    for data in pieces():
        answer = {"ETag": f'"{md5(data).hex()}"', "ResponseMetadata": {"HTTPStatusCode": 200}}
        if name:
            answer[f"Checksum{name}"] = oracle.full_object(name, data)
        found.append({**answer, **more})
    return found


def rows(name: str | None = None) -> list[dict[str, Any]]:
    """The Parts of ListParts."""
    return [
        {**{k: v for k, v in answer.items() if k != "ResponseMetadata"}, "PartNumber": n,
         "Size": SIZES[n - 1]}
        for n, answer in enumerate(answers(name), 1)
    ]  # fmt: skip


def completed(name: str | None = None) -> list[dict[str, Any]]:
    """The CompletedParts that S3 wants."""
    wanted = []
    for number, data in enumerate(pieces(), 1):
        part: dict[str, Any] = {"ETag": f'"{md5(data).hex()}"', "PartNumber": number}
        if name:
            part[f"Checksum{name}"] = oracle.full_object(name, data)
        wanted.append(part)
    return wanted


def value(name: str, kind: Any) -> str:
    if kind == "COMPOSITE":
        return oracle.composite(name, DATA, SIZES)
    return oracle.full_object(name, DATA)


# --- botocore as a judge, without network --------------------------------------------------------


@functools.cache
def client() -> Any:
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="testtest",
        config=Config(retries={"total_max_attempts": 1}),
    )


def accepted(operation: str, arguments: dict[str, Any]) -> None:
    """botocore's own model knows every key, and every value has the type that it wants."""
    from botocore.validate import ParamValidator

    model = client().meta.service_model.operation_model(operation)
    report = ParamValidator().validate({**WHERE, **arguments}, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    for key in ("ChecksumAlgorithm", "ChecksumType"):
        if key in arguments:
            assert arguments[key] in model.input_shape.members[key].enum


class Wire:
    """Requests as botocore would send them, caught just before the network."""

    def __init__(self, **config: Any) -> None:
        boto3 = pytest.importorskip("boto3")
        from botocore.config import Config

        self.requests: list[Any] = []
        self.client = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="testtest",
            config=Config(retries={"total_max_attempts": 1}, **config),
        )
        self.client.meta.events.register("before-send.s3", self.answer)

    def answer(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        self.requests.append(request)
        body = b""
        if "uploads" in request.url.partition("?")[2].split("&"):
            body = (
                b"<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key>"
                b"<UploadId>id</UploadId></InitiateMultipartUploadResult>"
            )
        elif request.method == "POST":
            body = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        found = AWSResponse(request.url, 200, {"ETag": '"e"'}, Raw(body))
        found._content = body
        return found

    def headers(self, index: int = -1) -> dict[str, str]:
        return {
            key.lower(): item.decode() if isinstance(item, bytes) else str(item)
            for key, item in self.requests[index].headers.items()
        }


class Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.body


def checksum_headers(headers: dict[str, str]) -> dict[str, str]:
    """All that has to do with checksums, less the type and size of the object."""
    return {
        key: item
        for key, item in headers.items()
        if key.startswith(("x-amz-checksum-", "x-amz-trailer", "x-amz-sdk-checksum", "content-md5"))
    }


# --- create_multipart_upload_args ----------------------------------------------------------------


@legal_pairs
def test_create(name: str, kind: Any) -> None:
    wanted = {"ChecksumAlgorithm": name, "ChecksumType": kind}
    assert multipart().create_multipart_upload_args(name, kind) == wanted
    assert multipart().create_multipart_upload_args(name.lower(), checksum_type=kind) == wanted
    accepted("CreateMultipartUpload", wanted)


@each_algorithm
def test_create_with_the_default_type(name: str) -> None:
    wanted = {"ChecksumAlgorithm": name, "ChecksumType": default_type(name)}
    assert multipart().create_multipart_upload_args(name) == wanted


def test_create_without_an_algorithm() -> None:
    assert multipart("MD5").create_multipart_upload_args() == {}
    assert multipart().create_multipart_upload_args(None) == {}


@illegal_pairs
def test_create_refuses_what_s3_refuses(name: str, kind: Any) -> None:
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest") as refused:
        multipart().create_multipart_upload_args(name, kind)
    assert kind in str(refused.value)
    assert name.lower() in str(refused.value).lower()


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_create_refuses_a_type_without_an_algorithm(kind: Any) -> None:
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
        multipart().create_multipart_upload_args(None, checksum_type=kind)
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
        multipart("MD5").create_multipart_upload_args(checksum_type=kind)


# --- upload_part_args ----------------------------------------------------------------------------


@each_algorithm
def test_upload_part(name: str) -> None:
    for number, data in enumerate(pieces(), 1):
        wanted = {
            "PartNumber": number,
            "ContentLength": len(data),
            "ContentMD5": oracle.b64(md5(data)),
            f"Checksum{name}": oracle.full_object(name, data),
        }
        assert multipart().upload_part_args(number, name) == wanted
        assert multipart().upload_part_args(number, name.lower()) == wanted
        accepted("UploadPart", {**wanted, "UploadId": "id"})
        del wanted["ContentMD5"]
        assert multipart().upload_part_args(number, name, content_md5=False) == wanted
        if name != "MD5":
            assert multipart(name).upload_part_args(number, name) == wanted


def test_upload_part_without_an_algorithm() -> None:
    data = pieces()[1]
    assert multipart().upload_part_args(2, None) == {
        "PartNumber": 2,
        "ContentLength": len(data),
        "ContentMD5": oracle.b64(md5(data)),
    }
    assert multipart("SHA1").upload_part_args(2, None) == {
        "PartNumber": 2,
        "ContentLength": len(data),
    }


@pytest.mark.parametrize("number", [0, -1, 4, 10_001])
def test_upload_part_of_a_number_out_of_range(number: int) -> None:
    with pytest.raises((ValueError, LookupError), match="3"):
        multipart().upload_part_args(number, "CRC32")


@pytest.mark.parametrize("number", ["1", 1.0, None])
def test_upload_part_of_a_number_of_a_wrong_type(number: Any) -> None:
    with pytest.raises(TypeError):
        multipart().upload_part_args(number, "CRC32")


def test_upload_part_with_a_checksum_that_was_not_computed() -> None:
    with pytest.raises(partsum.MissingChecksum, match="SHA256"):
        multipart("MD5").upload_part_args(1, "SHA256")
    with pytest.raises(ValueError, match="SHA256"):
        multipart().upload_part_args(1, "SHA3")


# --- complete_multipart_upload_args --------------------------------------------------------------


@legal_pairs
def test_complete(name: str, kind: Any) -> None:
    wanted = {
        "MultipartUpload": {"Parts": completed(name)},
        f"Checksum{name}": value(name, kind),
        "ChecksumType": kind,
        "MpuObjectSize": 2500,
    }
    assert multipart().complete_multipart_upload_args(name, kind) == wanted
    accepted("CompleteMultipartUpload", {**wanted, "UploadId": "id"})
    if kind == default_type(name):
        assert multipart().complete_multipart_upload_args(name.lower()) == wanted
    del wanted[f"Checksum{name}"], wanted["ChecksumType"]
    parts_only = multipart().complete_multipart_upload_args(name, kind, object_checksum=False)
    assert parts_only == wanted


def test_complete_without_an_algorithm() -> None:
    """Parts must carry no checksum then (InvalidPart), and the object no type (InvalidRequest)."""
    wanted = {"MultipartUpload": {"Parts": completed()}, "MpuObjectSize": 2500}
    assert multipart().complete_multipart_upload_args(None) == wanted
    assert multipart().complete_multipart_upload_args(None, None) == wanted
    assert multipart().complete_multipart_upload_args(None, object_checksum=False) == wanted
    assert multipart("MD5").complete_multipart_upload_args() == wanted
    accepted("CompleteMultipartUpload", {**wanted, "UploadId": "id"})


def test_complete_with_md5_alone() -> None:
    args = multipart("MD5").complete_multipart_upload_args("MD5")
    assert args["ChecksumMD5"] == oracle.composite("MD5", DATA, SIZES)
    assert args["MultipartUpload"]["Parts"] == completed("MD5")


@illegal_pairs
def test_complete_refuses_what_s3_refuses(name: str, kind: Any) -> None:
    for object_checksum in (True, False):
        with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
            multipart().complete_multipart_upload_args(name, kind, object_checksum=object_checksum)


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_complete_refuses_a_type_without_an_algorithm(kind: Any) -> None:
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
        multipart().complete_multipart_upload_args(None, kind)


def test_complete_without_md5_needs_the_etags_of_s3() -> None:
    with pytest.raises(partsum.MissingChecksum, match="MD5"):
        multipart("CRC32").complete_multipart_upload_args("CRC32")
    args = multipart("CRC32").complete_multipart_upload_args("CRC32", uploaded=answers("CRC32"))
    assert args["MultipartUpload"]["Parts"] == completed("CRC32")


def test_complete_with_a_checksum_that_was_not_computed() -> None:
    with pytest.raises(partsum.MissingChecksum, match="SHA256"):
        multipart("MD5").complete_multipart_upload_args("SHA256")
    with pytest.raises(ValueError, match="SHA256"):
        multipart().complete_multipart_upload_args("SHA3")


def test_complete_of_an_empty_object() -> None:
    empty = partsum.hash_bytes(b"", ["MD5", "CRC32"], part_size="5MiB")
    args = empty.complete_multipart_upload_args("CRC32")
    assert args["MultipartUpload"]["Parts"] == [
        {"ETag": f'"{md5(b"").hex()}"', "PartNumber": 1, "ChecksumCRC32": "AAAAAA=="}
    ]
    assert args["MpuObjectSize"] == 0


def test_complete_of_ten_thousand_parts() -> None:
    data = oracle.byte_cycle(20_000)
    result = partsum.hash_bytes(data, ["MD5", "CRC32"], part_size=2, allow_small_parts=True)
    parts = result.complete_multipart_upload_args("CRC32")["MultipartUpload"]["Parts"]
    assert [part["PartNumber"] for part in parts] == list(range(1, 10_001))


# --- uploaded= -----------------------------------------------------------------------------------


def shuffled(items: list[Any]) -> list[Any]:
    return random.Random(3).sample(items, len(items))


def page(items: list[Any], **more: Any) -> dict[str, Any]:
    return {"Parts": items, "IsTruncated": False, "UploadId": "id", "MaxParts": 1000, **more}


FORMS: dict[str, Callable[[str | None], Any]] = {
    "responses in order": answers,
    "tuple of responses": lambda name: tuple(answers(name)),
    "rows with numbers": rows,
    "rows in any order": lambda name: shuffled(rows(name)),
    "responses with numbers": lambda name: shuffled(
        [{**answer, "PartNumber": n} for n, answer in enumerate(answers(name), 1)]
    ),
    "ListParts": lambda name: page(rows(name)),
    "pages of ListParts": lambda name: [
        page(rows(name)[:2], IsTruncated=True, NextPartNumberMarker=2), page(rows(name)[2:])
    ],
    "an empty last page": lambda name: [page(rows(name)), {"IsTruncated": False}],
    "mapping": lambda name: dict(enumerate(answers(name), 1)),
    "mapping in any order": lambda name: dict(shuffled(list(enumerate(answers(name), 1)))),
}  # fmt: skip

each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@each_form
@pytest.mark.parametrize("name", [None, *oracle.ALGORITHMS])
def test_uploaded_in_every_form(form: Callable[[str | None], Any], name: str | None) -> None:
    args = multipart().complete_multipart_upload_args(name, uploaded=form(name))
    assert args == multipart().complete_multipart_upload_args(name)
    assert [part["PartNumber"] for part in args["MultipartUpload"]["Parts"]] == [1, 2, 3]


@each_form
def test_uploaded_without_md5_takes_the_etags(form: Callable[[str | None], Any]) -> None:
    for name in ("SHA256", "CRC64NVME"):
        args = multipart(name).complete_multipart_upload_args(name, uploaded=form(name))
        assert args["MultipartUpload"]["Parts"] == completed(name)


@each_form
def test_upload_without_an_algorithm_that_was_sent_checksums(
    form: Callable[[str | None], Any],
) -> None:
    """boto3 sends a CRC32 by itself; S3 answers it; Complete must not repeat it (InvalidPart)."""
    args = multipart().complete_multipart_upload_args(None, uploaded=form("CRC32"))
    assert args["MultipartUpload"]["Parts"] == completed()


def test_the_pages_of_a_paginator_and_a_generator() -> None:
    pages = [page(rows("SHA1")[:1], IsTruncated=True), page(rows("SHA1")[1:])]
    args = multipart().complete_multipart_upload_args("SHA1", uploaded=iter(pages))
    assert args["MultipartUpload"]["Parts"] == completed("SHA1")


def test_etags_without_quotes_are_the_same_etags() -> None:
    bare = [{"ETag": answer["ETag"].strip('"')} for answer in answers()]
    args = multipart().complete_multipart_upload_args(None, uploaded=bare)
    found = [part["ETag"].strip('"') for part in args["MultipartUpload"]["Parts"]]
    assert found == [answer["ETag"] for answer in bare]


KMS = [f'"{number:032x}"' for number in (0xABC, 0xDEF, 0x123)]
ENCRYPTED = {
    "SSE-KMS": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:key"},
    "DSSE-KMS": {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": "arn:aws:kms:key"},
    "SSE-C": {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
}


@pytest.mark.parametrize("encryption", ENCRYPTED.values(), ids=ENCRYPTED)
@pytest.mark.parametrize("name", [None, "CRC32", "MD5"])
def test_encrypted_etags_are_taken_not_compared(
    encryption: dict[str, str], name: str | None
) -> None:
    responses = [
        {**answer, "ETag": etag, **encryption}
        for answer, etag in zip(answers(name), KMS, strict=True)
    ]
    listed = [{**row, "ETag": etag} for row, etag in zip(rows(name), KMS, strict=True)]
    forms: list[Any] = [
        responses,
        dict(enumerate(responses, 1)),
        page(listed, **encryption),
        [page(listed[:1], **encryption), page(listed[1:], **encryption)],
    ]
    for uploaded in forms:
        args = multipart().complete_multipart_upload_args(name, uploaded=uploaded)
        wanted = [{**part, "ETag": etag} for part, etag in zip(completed(name), KMS, strict=True)]
        assert args["MultipartUpload"]["Parts"] == wanted


@pytest.mark.parametrize("encryption", ENCRYPTED.values(), ids=ENCRYPTED)
def test_encrypted_parts_are_still_compared_by_checksum(encryption: dict[str, str]) -> None:
    responses = [{**answer, "ETag": KMS[0], **encryption} for answer in answers("CRC32")]
    responses[1]["ChecksumCRC32"] = "AAAAAA=="
    with pytest.raises(partsum.PartMismatch, match="2"):
        multipart().complete_multipart_upload_args("CRC32", uploaded=responses)


def test_sse_s3_etags_are_compared() -> None:
    good = answers("CRC32", ServerSideEncryption="AES256")
    args = multipart().complete_multipart_upload_args("CRC32", uploaded=good)
    assert args == multipart().complete_multipart_upload_args("CRC32")
    good[2]["ETag"] = KMS[0]
    with pytest.raises(partsum.PartMismatch, match="3"):
        multipart().complete_multipart_upload_args("CRC32", uploaded=good)


@each_form
def test_wrong_etags_are_named(form: Callable[[str | None], Any]) -> None:
    for name in (None, "CRC32"):
        uploaded = spoil(form(name), {1: {"ETag": KMS[0]}, 3: {"ETag": KMS[1]}})
        with pytest.raises(partsum.PartMismatch) as found:
            multipart().complete_multipart_upload_args(name, uploaded=uploaded)
        assert "1" in str(found.value)
        assert "3" in str(found.value)
        assert "2" not in str(found.value).partition(":")[0]


@each_form
def test_wrong_checksums_are_named(form: Callable[[str | None], Any]) -> None:
    uploaded = spoil(form("SHA1"), {2: {"ChecksumSHA1": oracle.full_object("SHA1", b"?")}})
    with pytest.raises(partsum.PartMismatch, match="2"):
        multipart().complete_multipart_upload_args("SHA1", uploaded=uploaded)
    with pytest.raises(partsum.PartMismatch, match="2"):
        multipart("SHA1").complete_multipart_upload_args("SHA1", uploaded=uploaded)


def spoil(uploaded: Any, changes: dict[int, dict[str, Any]]) -> Any:
    """The same form with other values in some parts."""
    if isinstance(uploaded, dict) and "Parts" in uploaded:
        return {**uploaded, "Parts": spoil(uploaded["Parts"], changes)}
    if isinstance(uploaded, dict):
        return {n: {**answer, **changes.get(n, {})} for n, answer in uploaded.items()}
    if any("Parts" in item for item in uploaded):
        return [spoil(item, changes) if "Parts" in item else item for item in uploaded]
    return [
        {**item, **changes.get(item.get("PartNumber", n), {})} for n, item in enumerate(uploaded, 1)
    ]


def test_wrong_sizes_of_list_parts_are_named() -> None:
    uploaded = spoil(page(rows("CRC32")), {2: {"Size": 999}})
    with pytest.raises(partsum.PartMismatch, match="2"):
        multipart().complete_multipart_upload_args("CRC32", uploaded=uploaded)


def test_a_mismatch_is_no_value_error() -> None:
    assert issubclass(partsum.PartMismatch, partsum.PartsumError)
    assert not issubclass(partsum.PartMismatch, ValueError)


def test_missing_parts_are_named() -> None:
    forms: list[Any] = [rows()[:2], page(rows()[:2]), {1: answers()[0], 2: answers()[1]},
                        answers()[:2]]  # fmt: skip
    for uploaded in forms:
        with pytest.raises(partsum.PartsumError, match="3"):
            multipart().complete_multipart_upload_args(None, uploaded=uploaded)
    with pytest.raises(partsum.PartsumError, match="2"):
        multipart().complete_multipart_upload_args(None, uploaded=[rows()[0], rows()[2]])
    with pytest.raises(partsum.PartsumError, match="1"):
        multipart().complete_multipart_upload_args(None, uploaded=[])


def test_parts_too_many_are_named() -> None:
    extra = {**rows()[2], "PartNumber": 4}
    forms: list[Any] = [[*rows(), extra], page([*rows(), extra]), [*answers(), answers()[0]],
                        dict(enumerate([*answers(), answers()[0]], 1))]  # fmt: skip
    for uploaded in forms:
        with pytest.raises(partsum.PartsumError, match="4"):
            multipart().complete_multipart_upload_args(None, uploaded=uploaded)


def test_list_parts_tells_how_the_upload_was_created() -> None:
    asks: list[tuple[Any, ...]] = [
        ("SHA256", None, "CRC32", "COMPOSITE"),  # BadDigest
        ("CRC32", "COMPOSITE", "CRC32", "FULL_OBJECT"),  # InvalidRequest
        (None, None, "CRC32", "COMPOSITE"),  # InvalidRequest: checksums of the parts are missing
    ]
    for name, kind, created_with, created_as in asks:
        listed = page(rows(created_with), ChecksumAlgorithm=created_with, ChecksumType=created_as)
        with pytest.raises(partsum.NotSupportedByS3, match=r"InvalidRequest|BadDigest"):
            multipart().complete_multipart_upload_args(name, kind, uploaded=listed)
    listed = page(rows("CRC32"), ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    args = multipart().complete_multipart_upload_args("CRC32", "FULL_OBJECT", uploaded=listed)
    assert args == multipart().complete_multipart_upload_args("CRC32", "FULL_OBJECT")


def test_a_list_that_is_cut_short_is_refused() -> None:
    cut = page(rows()[:2], IsTruncated=True, NextPartNumberMarker=2)
    for uploaded in (cut, [cut]):
        with pytest.raises((partsum.PartsumError, ValueError), match="IsTruncated"):
            multipart().complete_multipart_upload_args(None, uploaded=uploaded)


def test_double_parts_are_refused() -> None:
    with pytest.raises((partsum.PartsumError, ValueError), match="2"):
        multipart().complete_multipart_upload_args(None, uploaded=[*rows()[:2], *rows()[1:]])


@pytest.mark.parametrize("uploaded", ["text", 5, [1, 2, 3], [None] * 3, {"a": {}}, {1: 2}])
def test_uploaded_of_a_wrong_type(uploaded: Any) -> None:
    with pytest.raises((TypeError, ValueError, partsum.PartsumError)):
        multipart().complete_multipart_upload_args(None, uploaded=uploaded)


def test_responses_without_an_etag() -> None:
    with pytest.raises((partsum.PartsumError, ValueError, LookupError), match="ETag"):
        multipart().complete_multipart_upload_args(None, uploaded=[{}, {}, {}])


# --- put_object_args -----------------------------------------------------------------------------


@each_algorithm
def test_put_object(name: str) -> None:
    wanted = {
        "ContentLength": 2500,
        "ContentMD5": oracle.b64(md5(DATA)),
        f"Checksum{name}": oracle.full_object(name, DATA),
    }
    assert single().put_object_args(name) == wanted
    assert single().put_object_args(name.lower()) == wanted
    accepted("PutObject", wanted)
    del wanted["ContentMD5"]
    assert single().put_object_args(name, content_md5=False) == wanted
    if name != "MD5":
        assert single(name).put_object_args(name) == wanted


def test_put_object_without_an_algorithm() -> None:
    assert single().put_object_args(None) == {
        "ContentLength": 2500,
        "ContentMD5": oracle.b64(md5(DATA)),
    }
    assert single("CRC32").put_object_args(None) == {"ContentLength": 2500}


def test_put_object_with_a_checksum_that_was_not_computed() -> None:
    with pytest.raises(partsum.MissingChecksum, match="SHA256"):
        single("MD5").put_object_args("SHA256")


@pytest.mark.parametrize("name", [name for name in oracle.ALGORITHMS if name not in oracle.CRC])
def test_put_object_refuses_what_only_parts_know(name: str) -> None:
    with pytest.raises(partsum.NotSupportedByS3):
        multipart().put_object_args(name)


def test_multipart_arguments_need_a_multipart_plan() -> None:
    result = single()
    asks: list[Callable[[], Any]] = [
        lambda: result.create_multipart_upload_args("CRC32"),
        lambda: result.create_multipart_upload_args(None),
        lambda: result.upload_part_args(1, "CRC32"),
        lambda: result.complete_multipart_upload_args("CRC32"),
        lambda: result.complete_multipart_upload_args(None),
    ]
    for ask in asks:
        with pytest.raises(partsum.PartPlanError):
            ask()


# --- the algorithm left out ----------------------------------------------------------------------

BUILDERS: dict[str, Callable[..., dict[str, Any]]] = {
    "create_multipart_upload_args": lambda sums, *given: sums.create_multipart_upload_args(*given),
    "upload_part_args": lambda sums, *given: sums.upload_part_args(2, *given),
    "complete_multipart_upload_args": lambda sums, *given: sums.complete_multipart_upload_args(
        *given
    ),
    "put_object_args": lambda sums, *given: sums.put_object_args(*given),
    "upload_file_args": lambda sums, *given: sums.upload_file_args(*given),
}

each_builder = pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)


@each_builder
@pytest.mark.parametrize("name", oracle.CRC)
def test_left_out_it_is_the_only_one_beside_md5(
    builder: Callable[..., dict[str, Any]], name: str
) -> None:
    sums = multipart("MD5", name)
    assert builder(sums) == builder(sums, name)
    assert builder(sums)


@each_builder
def test_left_out_it_is_asked_for_where_there_are_several(
    builder: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(partsum.InvalidArgument, match="CRC32C, SHA1") as refused:
        builder(multipart("MD5", "CRC32C", "SHA1"))
    assert refused.value.argument == "algorithm"


def test_left_out_it_is_none_beside_md5_alone() -> None:
    assert multipart("MD5").create_multipart_upload_args() == {}
    assert multipart("MD5").upload_part_args(2) == multipart().upload_part_args(2, None)
    assert single("MD5").put_object_args() == single().put_object_args(None)
    with pytest.raises(partsum.InvalidArgument, match="algorithm"):
        single("MD5").upload_file_args()
    nothing: Any = None
    with pytest.raises(TypeError, match="algorithm: must be a str, not NoneType"):
        single("CRC32").upload_file_args(nothing)


def test_left_out_it_is_the_one_that_list_parts_tells() -> None:
    listed = page(rows("SHA256"), ChecksumAlgorithm="SHA256", ChecksumType="COMPOSITE")
    args = multipart().complete_multipart_upload_args(uploaded=listed)
    assert args == multipart().complete_multipart_upload_args("SHA256")


# --- multipart_upload ----------------------------------------------------------------------------


@legal_pairs
def test_one_upload_names_its_algorithm_once(name: str, kind: Any) -> None:
    sums = multipart()
    upload = sums.multipart_upload(name.lower(), kind)
    assert (upload.algorithm, upload.checksum_type) == (name, kind)
    assert upload.create_args == sums.create_multipart_upload_args(name, kind)
    for number in (1, 2, 3):
        assert upload.part_args(number) == sums.upload_part_args(number, name)
    without_md5 = sums.upload_part_args(1, name, content_md5=False)
    assert upload.part_args(1, content_md5=False) == without_md5
    assert upload.complete_args() == sums.complete_multipart_upload_args(name, kind)
    assert upload.complete_args(answers(name)) == upload.complete_args()
    without_checksum = sums.complete_multipart_upload_args(name, kind, object_checksum=False)
    assert upload.complete_args(object_checksum=False) == without_checksum


def test_upload_without_an_algorithm() -> None:
    for upload in (multipart().multipart_upload(None), multipart("MD5").multipart_upload()):
        assert (upload.algorithm, upload.checksum_type, upload.create_args) == (None, None, {})
        assert upload.part_args(2) == multipart().upload_part_args(2, None)
        assert upload.complete_args() == multipart().complete_multipart_upload_args(None)


@illegal_pairs
def test_an_upload_is_refused_before_it_is_begun(name: str, kind: Any) -> None:
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
        multipart().multipart_upload(name, kind)


def test_an_upload_needs_parts_and_a_checksum() -> None:
    with pytest.raises(partsum.PartPlanError):
        single().multipart_upload("SHA256")
    with pytest.raises(partsum.MissingChecksum, match="SHA256"):
        multipart("MD5").multipart_upload("SHA256")
    with pytest.raises(partsum.PartPlanError, match="part 4"):
        multipart().multipart_upload("SHA256").part_args(4)


def test_an_upload_is_a_value() -> None:
    upload = multipart().multipart_upload("CRC32", "FULL_OBJECT")
    assert repr(upload) == "MultipartUpload(CRC32 FULL_OBJECT, 3 parts, 2500 bytes)"
    again = pickle.loads(pickle.dumps(upload))
    assert again.complete_args() == upload.complete_args()
    upload.create_args.clear()
    assert upload.create_args


# --- upload_file_args ----------------------------------------------------------------------------


@each_algorithm
def test_upload_file_of_a_small_file(name: str) -> None:
    transfer = pytest.importorskip("boto3.s3.transfer")
    found = single().upload_file_args(name)
    assert found[f"Checksum{name}"] == oracle.full_object(name, DATA)
    assert set(found) <= set(transfer.S3Transfer.ALLOWED_UPLOAD_ARGS)


@functools.cache
def large() -> tuple[bytes, partsum.ObjectChecksums]:
    data = random.Random(5).randbytes(8 * MIB + 5)
    return data, partsum.hash_bytes(data, oracle.ALGORITHMS)


@each_algorithm
def test_upload_file_of_a_large_file(name: str) -> None:
    data, result = large()
    if name in oracle.CRC:
        found = result.upload_file_args(name)
        assert found[f"Checksum{name}"] == oracle.full_object(name, data)
        whole = partsum.hash_bytes(data, [name], part_size=None)
        assert whole.upload_file_args(name) == found
        return
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
        result.upload_file_args(name)


@pytest.mark.parametrize("name", ["MD5", "SHA256", "XXHASH3"])
def test_upload_file_goes_by_the_size_that_boto3_will_see(name: str) -> None:
    """From 8 MiB on boto3 sends parts and asks for FULL_OBJECT, whatever plan was hashed."""
    whole = partsum.hash_bytes(large()[0], [name], part_size=None)
    with pytest.raises(partsum.NotSupportedByS3, match="InvalidRequest"):
        whole.upload_file_args(name)


@pytest.mark.parametrize("name", oracle.CRC)
@pytest.mark.parametrize("size", [2500, 8 * MIB + 5])
def test_upload_file_on_the_wire(name: str, size: int, tmp_path: Path) -> None:
    """s3transfer asks for a FULL_OBJECT upload and hands S3 our value to verify."""
    data = large()[0][:size]
    path = tmp_path / "file"
    path.write_bytes(data)
    arguments = partsum.hash_file(path, [name]).upload_file_args(name)
    wire = Wire()
    wire.client.upload_file(str(path), "bucket", "key", ExtraArgs=arguments)
    header = f"x-amz-checksum-{name.lower()}"
    value = oracle.full_object(name, data)
    if size < 8 * MIB:
        assert len(wire.requests) == 1
        assert wire.headers()[header] == value
        return
    create, complete = wire.headers(0), wire.headers(-1)
    assert create["x-amz-checksum-algorithm"] == name
    assert create["x-amz-checksum-type"] == "FULL_OBJECT"
    assert complete["x-amz-checksum-type"] == "FULL_OBJECT"
    assert complete[header] == value


# --- merged with the caller's own arguments ------------------------------------------------------


def test_arguments_merge_with_the_callers_own() -> None:
    own = {**WHERE, "UploadId": "id", "RequestPayer": "requester", "IfNoneMatch": "*"}
    args = multipart().complete_multipart_upload_args("CRC32")
    assert not set(own) & set(args)
    accepted("CompleteMultipartUpload", {**own, **args})
    body = {"Body": b"", **WHERE}
    assert not set(body) & set(multipart().upload_part_args(1, "CRC32"))
    assert not set(body) & set(single().put_object_args("CRC32"))


def test_the_dictionaries_belong_to_the_caller() -> None:
    first = multipart().complete_multipart_upload_args("CRC32")
    first["MultipartUpload"]["Parts"].clear()
    first.clear()
    again = multipart().complete_multipart_upload_args("CRC32")
    assert len(again["MultipartUpload"]["Parts"]) == 3
    assert type(again) is dict


@pytest.mark.parametrize("name", [None, *oracle.ALGORITHMS])
def test_a_whole_upload_through_a_stubbed_client(name: str | None) -> None:
    """Stubber checks every request against botocore's model and against what we expect to send."""
    pytest.importorskip("boto3")
    from botocore.stub import Stubber

    result, s3 = multipart(), client()
    with Stubber(s3) as stub:
        create = {**WHERE, **result.create_multipart_upload_args(name)}
        stub.add_response("create_multipart_upload", {"UploadId": "id"}, create)
        upload = s3.create_multipart_upload(**create)["UploadId"]
        responses = []
        for number, data in enumerate(pieces(), 1):
            sent = {**WHERE, "UploadId": upload, "Body": data}
            sent |= result.upload_part_args(number, name)
            answer = {"ETag": f'"{md5(data).hex()}"'}
            if name:
                answer[f"Checksum{name}"] = oracle.full_object(name, data)
            stub.add_response("upload_part", answer, sent)
            responses.append(s3.upload_part(**sent))
        complete = {**WHERE, "UploadId": upload}
        complete |= result.complete_multipart_upload_args(name, uploaded=responses)
        stub.add_response("complete_multipart_upload", {"ETag": f'"{result.etag}"'}, complete)
        assert result.matches_etag(s3.complete_multipart_upload(**complete)["ETag"])
        stub.assert_no_pending_responses()


# --- on the wire ---------------------------------------------------------------------------------


@each_algorithm
def test_precomputed_checksums_spare_the_second_hash(name: str, tmp_path: Path) -> None:
    """A checksum and Content-MD5 over https: the body goes unsigned, and nothing is added to it."""
    path = tmp_path / "file"
    path.write_bytes(DATA)
    wire = Wire()
    with path.open("rb") as body:
        wire.client.put_object(**WHERE, Body=body, **single().put_object_args(name))
    with path.open("rb") as body:
        args = multipart().upload_part_args(2, name)
        body.seek(1000)
        wire.client.upload_part(**WHERE, UploadId="id", Body=body.read(1000), **args)
    for index, data in ((0, DATA), (1, pieces()[1])):
        headers = wire.headers(index)
        assert wire.requests[index].url.startswith("https://")
        assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
        assert "content-encoding" not in headers
        assert headers["content-length"] == str(len(data))
        assert checksum_headers(headers) == {
            f"x-amz-checksum-{name.lower()}": oracle.full_object(name, data),
            "content-md5": oracle.b64(md5(data)),
        }


def test_without_content_md5_the_body_is_hashed_again() -> None:
    """Why content_md5=True is the default: without it botocore signs the body with its SHA-256."""
    wire = Wire()
    args = single().put_object_args("CRC32", content_md5=False)
    wire.client.put_object(**WHERE, Body=DATA, **args)
    assert wire.headers()["x-amz-content-sha256"] == oracle.digest("SHA256", DATA).hex()
    wire = Wire(s3={"payload_signing_enabled": False})
    wire.client.put_object(**WHERE, Body=DATA, **args)
    assert wire.headers()["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert checksum_headers(wire.headers()) == {
        "x-amz-checksum-crc32": oracle.full_object("CRC32", DATA)
    }


@legal_pairs
def test_create_and_complete_on_the_wire(name: str, kind: Any) -> None:
    wire = Wire()
    wire.client.create_multipart_upload(
        **WHERE, **multipart().create_multipart_upload_args(name, kind)
    )
    headers = wire.headers()
    assert headers["x-amz-checksum-algorithm"] == name
    assert headers["x-amz-checksum-type"] == kind
    args = multipart().complete_multipart_upload_args(name, kind, uploaded=answers(name))
    wire.client.complete_multipart_upload(**WHERE, UploadId="id", **args)
    headers = wire.headers()
    assert headers[f"x-amz-checksum-{name.lower()}"] == value(name, kind)
    assert headers["x-amz-checksum-type"] == kind
    assert headers["x-amz-mp-object-size"] == "2500"
    body = wire.requests[-1].body
    body = body.decode() if isinstance(body, bytes) else body
    assert body.count("<PartNumber>") == 3
    for part in completed(name):
        assert f"<Checksum{name}>{part[f'Checksum{name}']}</Checksum{name}>" in body
        assert part["ETag"].strip('"') in body
