"""What stores answer in the field: each case at every door that reads S3's answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oracle
import partsum
import partsum.s3
import pytest
from partsum.s3 import EntryStatus

SIZES = [700, 300, 120]
DATA = oracle.byte_cycle(sum(SIZES))
ETAG = oracle.multipart_etag(DATA, SIZES)
PLAIN = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
COMPOSITE = oracle.composite("CRC32C", DATA, SIZES)
OTHER = bytes([DATA[0] ^ 1]) + DATA[1:]


class Refused(Exception):
    """As botocore's ClientError."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Store:
    """A client whose only object answers as it is told to; it knows the parts by these numbers."""

    def __init__(self, head: dict[str, Any], numbers: tuple[int, ...] = (1, 2, 3)) -> None:
        self.head = {"ContentLength": len(DATA), **head}
        self.numbers = numbers
        self.requests: list[Any] = []

    def head_object(self, **arguments: Any) -> dict[str, Any]:
        number = arguments.get("PartNumber")
        self.requests.append(number)
        if number is None:
            return self.head
        if number not in self.numbers:
            raise Refused("416")
        index = self.numbers.index(number)
        start, size = sum(SIZES[:index]), SIZES[index]
        place = f"bytes {start}-{start + size - 1}/{len(DATA)}"
        part = {"ContentLength": size, "ContentRange": place, "PartsCount": len(SIZES)}
        kept = {name: value for name, value in self.head.items() if "Checksum" not in name}
        return {**kept, **part}

    def get_object_attributes(self, **arguments: Any) -> dict[str, Any]:
        self.requests.append("attributes")
        raise Refused("NotImplemented")

    def list_objects_v2(self, **arguments: Any) -> dict[str, Any]:
        entry = {"Key": "file", "Size": str(len(DATA)), "ETag": self.head["ETag"]}
        return {"Contents": [entry], "IsTruncated": False}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tree" / "file"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


def everywhere(store: Store, path: Path, **more: Any) -> set[str]:
    """The verdicts of all doors that ask a client."""
    (entry,) = partsum.s3.verify_prefix(store, path.parent, "bucket", **more)
    verdict = partsum.s3.verify_object(store, path, "bucket", "file", **more)
    return {str(entry.status), str(verdict.status)}


def uploaded(form: Callable[[str], str] = str, **more: Any) -> list[dict[str, Any]]:
    parts = oracle.split(DATA, SIZES)
    etags = [hashlib.md5(part, usedforsecurity=False).hexdigest() for part in parts]
    return [{"ETag": form(f'"{etag}"'), **more} for etag in etags]


def sums(*algorithms: str) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(
        DATA, algorithms or ("MD5", "SHA256"), part_size=SIZES, allow_small_parts=True
    )


# Checksums without a type -------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["CRC32C", "SHA256"])
def test_a_composite_value_without_count_and_type(algorithm: str, path: Path) -> None:
    value = oracle.composite(algorithm, DATA, SIZES).partition("-")[0]
    head = {"ETag": f'"{ETAG}"', f"Checksum{algorithm}": value}
    assert everywhere(Store(head), path) == {"MATCH"}
    known = partsum.hash_file(path, ["MD5", algorithm], part_size=SIZES, allow_small_parts=True)
    assert partsum.verify(known, {"ContentLength": len(DATA), **head})
    path.write_bytes(OTHER)
    assert everywhere(Store(head), path) == {"MISMATCH"}


# Part numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [(1, 3, 7), (2, 3, 4), (1, 2, 9)])
def test_part_numbers_with_gaps(numbers: tuple[int, ...], path: Path) -> None:
    head = {"ETag": f'"{ETAG}"'}
    assert everywhere(Store(head, numbers), path) == {"MATCH"}
    plan = partsum.s3.object_plan(Store(head, numbers), "bucket", "file")
    assert list(plan.sizes) == SIZES
    path.write_bytes(OTHER)
    assert everywhere(Store(head, numbers), path) == {"MISMATCH"}


def test_no_part_can_be_asked_for(path: Path) -> None:
    """The bound is S3's highest part number, and the error is a typed one."""
    store = Store({"ETag": f'"{ETAG}"'}, ())
    with pytest.raises(partsum.PartsumError, match="does not tell the parts of file"):
        partsum.s3.object_plan(store, "bucket", "file")
    assert len(store.requests) <= 10_002


@pytest.mark.parametrize("count", [10_001, 4_000_000_000, 5000])
def test_a_count_of_parts_that_cannot_be(count: int, path: Path) -> None:
    store = Store({"ETag": f'"{"0" * 32}-{count}"'})
    assert everywhere(store, path) == {"NOT_COMPARABLE"}
    with pytest.raises(partsum.PartsumError, match=str(count)):
        partsum.s3.object_plan(store, "bucket", "file")
    assert len(store.requests) < 10


def test_a_marker_that_repeats() -> None:
    store = Store({"ETag": f'"{ETAG}"'})
    page = {"Parts": [{"PartNumber": 1, "Size": 700}], "IsTruncated": True, "TotalPartsCount": 3}
    answer = {"ETag": ETAG, "ObjectParts": {**page, "NextPartNumberMarker": 1}}
    store.get_object_attributes = lambda **arguments: answer  # type: ignore[method-assign]
    with pytest.raises(partsum.PartsumError, match="GetObjectAttributes of the store is at fault"):
        partsum.s3.object_plan(store, "bucket", "file")


def test_parts_count_in_every_answer(path: Path) -> None:
    """Classified by all members: without a range, a plain answer is about all of the object."""
    head = {"ContentLength": len(DATA) + 1, "ETag": f'"{ETAG}"', "PartsCount": 3}
    assert partsum.verify(path, head).status == "MISMATCH"
    assert partsum.verify(path, json.dumps(head)).status == "MISMATCH"
    assert partsum.verify(sums(), {**head, "ContentLength": len(DATA)})
    store = Store({"ETag": f'"{ETAG}"', "PartsCount": 3})
    assert everywhere(store, path) == {"MATCH"}


# ETags --------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[str], str]] = {
    "weak": lambda etag: f"W/{etag}",
    "upper case": str.upper,
    "blanks": lambda etag: f"  {etag} ",
    "bare": lambda etag: etag.strip('"'),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_forms_of_etags(form: Callable[[str], str], path: Path) -> None:
    for etag in (ETAG, PLAIN):
        assert everywhere(Store({"ETag": form(f'"{etag}"')}), path) == {"MATCH"}
    assert list(partsum.s3.object_plan(Store({"ETag": form(ETAG)}), "b", "file").sizes) == SIZES
    assert sums().matches_etag(form(f'"{ETAG}"'))
    assert partsum.verify(sums(), {"Size": len(DATA), "ETag": form(ETAG)})
    args = sums().complete_multipart_upload_args("SHA256", uploaded=uploaded(form))
    assert [part["PartNumber"] for part in args["MultipartUpload"]["Parts"]] == [1, 2, 3]
    assert partsum.solve_etag(path, form(ETAG), candidates=[SIZES]) == [sums().plan]


def test_an_etag_that_is_no_md5_is_shown_as_it_is(path: Path) -> None:
    verdict = partsum.verify(path, {"ContentLength": len(DATA), "ETag": '"0x8DC_AbC"'})
    assert verdict.status == "NOT_COMPARABLE"
    assert "0x8DC_AbC" in verdict.reason


ENCRYPTED = ["aws:kms", "aws:kms:dsse", "aws:fsx", "aws:backup", ""]


@pytest.mark.parametrize("kind", ENCRYPTED)
@pytest.mark.parametrize("etag", [ETAG, PLAIN])
def test_an_equal_etag_is_a_proof_whatever_the_encryption(kind: str, etag: str, path: Path) -> None:
    head = {"ETag": f'"{etag}"', "ServerSideEncryption": kind, "ContentLength": len(DATA)}
    assert partsum.verify(sums("MD5") if etag == ETAG else path, head)
    head["ETag"] = f'"{"0" * 32}"'
    if kind:
        assert partsum.verify(path, head).status == "NOT_COMPARABLE"
        assert everywhere(Store(head), path) == {"NOT_COMPARABLE"}


# uploaded= ----------------------------------------------------------------------------------------


def test_answers_of_upload_part_copy() -> None:
    answers: list[dict[str, Any]] = [{"CopyPartResult": answer} for answer in uploaded()]
    expected = sums().complete_multipart_upload_args("SHA256")
    assert sums().complete_multipart_upload_args("SHA256", uploaded=answers) == expected
    answers[1]["CopyPartResult"]["ETag"] = '"0"'
    with pytest.raises(partsum.PartMismatch, match="part 2"):
        sums().complete_multipart_upload_args("SHA256", uploaded=answers)


def test_answers_that_were_json() -> None:
    expected = sums().complete_multipart_upload_args("SHA256")
    numbered = {str(number): answer for number, answer in enumerate(uploaded(), 1)}
    rows = [
        {**answer, "PartNumber": n, "Size": str(SIZES[int(n) - 1])}
        for n, answer in numbered.items()
    ]
    page = {"Parts": rows, "IsTruncated": "false", "ChecksumAlgorithm": "", "ChecksumType": None}
    for answers in (numbered, uploaded(), rows, page, [page]):
        for form in (answers, json.dumps(answers), json.dumps(answers).encode()):
            assert sums().complete_multipart_upload_args("SHA256", uploaded=form) == expected  # type: ignore[arg-type]


def test_the_answers_tell_the_algorithm() -> None:
    values = [oracle.full_object("SHA256", part) for part in oracle.split(DATA, SIZES)]
    answers = [
        {**one, "ChecksumSHA256": value} for one, value in zip(uploaded(), values, strict=True)
    ]
    both = sums("MD5", "SHA256", "CRC32")
    expected = both.complete_multipart_upload_args("SHA256")
    assert both.complete_multipart_upload_args(uploaded=answers) == expected
    parts = [{**one, "PartNumber": number} for number, one in enumerate(answers, 1)]
    page = {"Parts": parts, "ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}
    assert both.complete_multipart_upload_args(uploaded=page) == expected


# A verdict is a proof -----------------------------------------------------------------------------


def test_contrary_evidence_is_never_dropped(path: Path) -> None:
    """A CRC32 can be forged; the MD5 in the same answer tells."""
    head = {"ETag": f'"{"1" * 32}"', "ChecksumType": "FULL_OBJECT"}
    head["ChecksumCRC32"] = oracle.full_object("CRC32", DATA)
    assert everywhere(Store(head), path) == {"MISMATCH"}
    assert partsum.verify(path, {"ContentLength": len(DATA), **head}).status == "MISMATCH"


def listing(**more: Any) -> dict[str, Any]:
    parts = [
        {"PartNumber": number, "Size": size, **answer}
        for number, (size, answer) in enumerate(zip(SIZES, uploaded(), strict=True), 1)
    ]
    return {"Parts": parts, "IsTruncated": False, "UploadId": "u", **more}


@pytest.mark.parametrize(
    ("more", "expected"),
    [({"ServerSideEncryption": "aws:kms"}, "NOT_COMPARABLE"), ({}, "MISMATCH")],
)
def test_a_pending_upload_is_not_the_object(
    more: dict[str, str], expected: str, path: Path
) -> None:
    old = {"ContentLength": len(DATA), "ETag": f'"{"0" * 32}"', **more}
    assert partsum.verify(path, [old, listing()]).status == expected


def test_the_last_page_alone(path: Path) -> None:
    page = listing(PartNumberMarker=1000, NextPartNumberMarker=1003)
    for number, part in enumerate(page["Parts"], 1001):
        part["PartNumber"] = number
    assert partsum.verify(path, page).status == "NOT_COMPARABLE"
    first = {**listing(PartNumberMarker=0, NextPartNumberMarker=1), "IsTruncated": True}
    first["Parts"] = first["Parts"][:1]
    last = listing(PartNumberMarker=2)
    last["Parts"] = last["Parts"][2:]
    assert partsum.verify(path, [first, last]).status == "NOT_COMPARABLE"
    middle = {**listing(PartNumberMarker=1, NextPartNumberMarker=2), "IsTruncated": True}
    middle["Parts"] = middle["Parts"][1:2]
    assert partsum.verify(path, [last, first, middle])


@pytest.mark.parametrize(
    "answer",
    [
        {"DeleteMarker": True, "VersionId": "v"},
        {"ETag": f'"{PLAIN}"', "ResponseMetadata": {"HTTPStatusCode": 304}},
        {"ETag": f'"{PLAIN}"', "ResponseMetadata": {"HTTPStatusCode": 412}},
    ],
)
def test_answers_that_say_nothing_of_an_object(answer: dict[str, Any], path: Path) -> None:
    with pytest.raises(ValueError, match="response_or_responses"):
        partsum.verify(path, answer)


def test_answers_of_two_versions(path: Path) -> None:
    head = {"ContentLength": len(DATA), "ETag": f'"{PLAIN}"'}
    answers = [{**head, "VersionId": "a"}, {**head, "VersionId": "b"}]
    assert partsum.verify(path, answers).status == "NOT_COMPARABLE"


@pytest.mark.parametrize(
    "page",
    [
        {"Contents": [{"Key": "photos/2024/f", "Size": 3, "ETag": "x"}]},
        {"Contents": [{"Size": 3}]},
        {"Contents": [], "IsTruncated": True},
        {"Contents": [], "IsTruncated": True, "NextContinuationToken": "again"},
    ],
)
def test_a_list_that_is_at_fault(page: dict[str, Any], path: Path) -> None:
    store = Store({"ETag": "x"})
    store.list_objects_v2 = lambda **arguments: page  # type: ignore[method-assign]
    with pytest.raises(partsum.PartsumError, match="at fault"):
        list(partsum.s3.verify_prefix(store, path.parent, "bucket", "photos/2023/"))


def test_a_truncated_page_without_a_token(path: Path) -> None:
    """A sorted list goes on after its last key."""
    store = Store({"ETag": f'"{PLAIN}"'})
    asked: list[Any] = []

    def page(**arguments: Any) -> dict[str, Any]:
        asked.append(arguments.get("StartAfter"))
        keys = ["file"] if len(asked) == 1 else ["other"]
        contents = [{"Key": key, "Size": len(DATA), "ETag": PLAIN} for key in keys]
        return {"Contents": contents, "IsTruncated": len(asked) == 1}

    store.list_objects_v2 = page  # type: ignore[method-assign]
    entries = list(partsum.s3.verify_prefix(store, path.parent, "bucket"))
    assert [entry.status for entry in entries] == [EntryStatus.MATCH, EntryStatus.ONLY_REMOTE]
    assert asked == [None, "file"]


def test_strength_and_what_was_not_compared(path: Path) -> None:
    head = {"ContentLength": len(DATA), "ETag": '"opaque"', "ChecksumType": "FULL_OBJECT"}
    head["ChecksumCRC64NVME"] = oracle.full_object("CRC64NVME", DATA)
    verdict = partsum.verify(path, head)
    assert (verdict.status, verdict.strength) == ("MATCH", "accidental")
    assert verdict.not_compared[0][0] == "ETag"
    for algorithm, strength in (("SHA1", "collision-prone"), ("SHA256", "cryptographic")):
        head[f"Checksum{algorithm}"] = oracle.full_object(algorithm, DATA)
        assert partsum.verify(path, head).strength == strength
    assert partsum.verify(path, {"ContentLength": 1}).strength is None


def test_json_that_is_nested_too_deeply(path: Path) -> None:
    with pytest.raises(ValueError, match="nested"):
        partsum.verify(path, "[" * 100_000)
