"""`verify`: S3's recorded answers, and every way in which bytes and answers can disagree."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, cast

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from partsum import Status

MIB = 2**20
SIZES = [5242881, 5242881, 10]
DATA = b"a" * sum(SIZES)
CASES = oracle.load("aws_responses.json")["cases"]
COMPOSITE = [name for name in CASES if "checksum_composite[" in name and "parts" in name]
FULL = [name for name in CASES if "checksum_full_object[" in name]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that was uploaded when the answers were recorded."""
    path = tmp_path_factory.mktemp("verify") / "file"
    path.write_bytes(DATA)
    return path


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same but for a bit in part 2."""
    path = tmp_path_factory.mktemp("verify") / "flipped"
    data = bytearray(DATA)
    data[SIZES[0] + 7] ^= 1
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def sums(path: Path) -> partsum.ObjectChecksums:
    return partsum.hash_file(path, partsum.algorithms_available, part_size=SIZES[0])


def algorithm_of(case: str) -> str:
    return case[case.index("[") + 1 : -1]


def status(verdict: partsum.Verdict) -> str:
    assert isinstance(verdict, partsum.Verdict)
    assert verdict.reason
    return str(verdict.status)


# Answers recorded from Amazon S3 ------------------------------------------------------------------


@pytest.mark.parametrize("case", COMPOSITE)
@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        ("head-object-with-checksum", ["size", "{field} COMPOSITE"]),
        ("get-object-with-checksum", ["size", "{field} COMPOSITE"]),
        ("complete-multipart-checksum", ["{field} COMPOSITE"]),
        ("get-object-attrs", ["size", "{field} COMPOSITE", "{field} of parts 1-3"]),
        ("list-parts", ["size", "{field} of parts 1-3"]),
        ("copy-obj-checksum", ["{field} FULL_OBJECT"]),
        ("get-copy-object-attrs", ["{field} FULL_OBJECT"]),
    ],
)
def test_recorded_composite(case: str, answer: str, evidence: list[str], path: Path) -> None:
    said = CASES[case][answer]
    said = said.get("CopyObjectResult", said)
    verdict = partsum.verify(path, said)
    assert status(verdict) == "MATCH", verdict
    assert [name.format(field=f"Checksum{algorithm_of(case)}") for name in evidence] == [
        name for name in verdict.evidence if "ETag" not in name
    ]
    assert verdict.bad_parts == ()


@pytest.mark.parametrize("case", FULL)
@pytest.mark.parametrize(
    "answer",
    ["head-object-with-checksum", "complete-multipart-checksum", "get-object-attrs", "list-parts",
     "get-copy-object-attrs"],
)  # fmt: skip
def test_recorded_full_object(case: str, answer: str, path: Path) -> None:
    verdict = partsum.verify(path, CASES[case][answer])
    assert status(verdict) == "MATCH", verdict


@pytest.mark.parametrize("case", COMPOSITE + FULL)
@pytest.mark.parametrize(
    "answer",
    ["head-object-with-checksum", "complete-multipart-checksum", "get-object-attrs", "list-parts",
     "get-copy-object-attrs"],
)  # fmt: skip
def test_recorded_answers_and_one_flipped_bit(
    case: str, answer: str, path: Path, flipped: Path
) -> None:
    """What names parts names part 2 here; a guessed plan alone condemns nothing."""
    verdict = partsum.verify(flipped, CASES[case][answer])
    guessed = case in COMPOSITE and answer in (
        "head-object-with-checksum",
        "complete-multipart-checksum",
    )
    assert status(verdict) == ("NOT_COMPARABLE" if guessed else "MISMATCH"), verdict
    lists = answer == "list-parts" or (case in COMPOSITE and answer == "get-object-attrs")
    assert verdict.bad_parts == (((2, SIZES[0], SIZES[1]),) if lists else ())
    if lists:
        assert "part 2 (bytes 5242881-10485761)" in verdict.reason


@pytest.mark.parametrize("case", COMPOSITE + FULL)
def test_recorded_answers_together(case: str, path: Path, flipped: Path) -> None:
    """All answers about an object at once, in any order, and as JSON."""
    names = ["get-object-part-checksum", "get-object-attrs", "head-object-with-checksum"]
    answers = [CASES[case][name] for name in names]
    for responses in (answers, answers[::-1], tuple(answers), json.dumps(answers)):
        assert status(partsum.verify(path, responses)) == "MATCH"
        assert status(partsum.verify(flipped, responses)) == "MISMATCH"


@pytest.mark.parametrize("case", COMPOSITE + FULL)
def test_recorded_answers_and_checksums(case: str, sums: partsum.ObjectChecksums) -> None:
    """With ObjectChecksums everything that is there is compared."""
    verdict = partsum.verify(sums, CASES[case]["head-object-with-checksum"])
    kind = "COMPOSITE" if case in COMPOSITE else "FULL_OBJECT"
    assert verdict.evidence == ("size", f"Checksum{algorithm_of(case)} {kind}", "ETag")
    assert status(verdict) == "MATCH"


def test_recorded_default(tmp_path: Path) -> None:
    """An upload without an algorithm: CRC64NVME of the full object."""
    path = tmp_path / "file"
    path.write_bytes(b"aaa")
    case = CASES["complete_multipart_parts_checksum_default"]
    for answer in ("head-object-with-checksum", "get-object-attrs", "get-copy-object-attrs",
                   "complete-multipart-checksum"):  # fmt: skip
        assert status(partsum.verify(path, case[answer])) == "MATCH"
    verdict = partsum.verify(path, case["list-parts"])
    assert status(verdict) == "MATCH"
    assert verdict.evidence == ("size", "ETag of part 1")
    path.write_bytes(b"aab")
    assert status(partsum.verify(path, case["head-object-with-checksum"])) == "MISMATCH"


# Answers made up: a small object in parts of any size ---------------------------------------------


def composite_value(name: str, data: bytes, sizes: list[int]) -> str:
    return oracle.composite(name, data, sizes)


class Said:
    """What S3 would say of some bytes, cut somehow."""

    def __init__(
        self, data: bytes, sizes: list[int] | None, algorithm: str | None, kind: str = "COMPOSITE"
    ) -> None:
        self.data, self.sizes, self.algorithm = data, sizes, algorithm
        self.kind = kind if sizes else "FULL_OBJECT"

    @property
    def etag(self) -> str:
        if self.sizes:
            return oracle.multipart_etag(self.data, self.sizes)
        return oracle.digest("MD5", self.data).hex()

    @property
    def checksum(self) -> dict[str, str]:
        if self.algorithm is None:
            return {}
        if self.kind == "COMPOSITE":
            value = composite_value(self.algorithm, self.data, self.sizes or [])
        else:
            value = oracle.full_object(self.algorithm, self.data)
        return {f"Checksum{self.algorithm}": value, "ChecksumType": self.kind}

    def head(self, **more: Any) -> dict[str, Any]:
        size = len(self.data)
        return {"ContentLength": size, "ETag": f'"{self.etag}"', **self.checksum, **more}

    def parts(self, first: int = 1, last: int = 10_000) -> list[dict[str, Any]]:
        listed = []
        for number, part in enumerate(oracle.split(self.data, self.sizes or []), 1):
            if first <= number <= last:
                one: dict[str, Any] = {"PartNumber": number, "Size": len(part)}
                if self.algorithm is not None:
                    value = oracle.full_object(self.algorithm, part)
                    one[f"Checksum{self.algorithm}"] = value
                listed.append(one)
        return listed

    def attributes(self, page: int | None = None) -> list[dict[str, Any]]:
        """The pages of GetObjectAttributes."""
        checksum = {name: value.partition("-")[0] for name, value in self.checksum.items()}
        base: dict[str, Any] = {"ETag": self.etag, "ObjectSize": len(self.data)}
        if checksum:
            base["Checksum"] = checksum
        if not self.sizes:
            return [base]
        count = len(self.sizes)
        if self.kind == "FULL_OBJECT":
            return [{**base, "ObjectParts": {"TotalPartsCount": count}}]
        step = page or count
        return [
            {
                **base,
                "ObjectParts": {
                    "TotalPartsCount": count,
                    "PartNumberMarker": at,
                    "NextPartNumberMarker": min(at + step, count),
                    "IsTruncated": at + step < count,
                    "Parts": self.parts(at + 1, at + step),
                },
            }
            for at in range(0, count, step)
        ]

    def listing(self, page: int | None = None) -> list[dict[str, Any]]:
        """The pages of ListParts."""
        parts = self.parts()
        for part, data in zip(parts, oracle.split(self.data, self.sizes or []), strict=True):
            part["ETag"] = f'"{oracle.digest("MD5", data).hex()}"'
        step = page or len(parts)
        return [
            {"Parts": parts[at : at + step], "IsTruncated": at + step < len(parts)}
            for at in range(0, len(parts), step)
        ]

    def part_heads(self) -> list[dict[str, Any]]:
        """HeadObject(PartNumber=n) for every n."""
        heads, offset, total = [], 0, len(self.data)
        for part in self.parts():
            size = part["Size"]
            head = {
                "ContentLength": size,
                "ETag": f'"{self.etag}"',
                "ContentRange": f"bytes {offset}-{offset + size - 1}/{total}",
                "PartsCount": len(self.sizes or []),
            }
            if self.kind == "COMPOSITE" and self.algorithm:
                name = f"Checksum{self.algorithm}"
                head |= {name: part[name], "ChecksumType": "COMPOSITE"}
            heads.append(head)
            offset += size
        return heads


UNEVEN = [7000, 300, 12_000, 1, 999]
BYTES = oracle.byte_cycle(sum(UNEVEN))


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


def spoilt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]


@pytest.mark.parametrize("algorithm", oracle.COMPOSITE)
def test_uneven_parts_by_attributes(algorithm: str, tmp_path: Path) -> None:
    said = Said(BYTES, UNEVEN, algorithm)
    pages = said.attributes(page=2)
    for responses in (pages, pages[::-1], [said.head(), *pages]):
        verdict = partsum.verify(write(tmp_path, BYTES), responses)
        assert status(verdict) == "MATCH"
        assert f"Checksum{algorithm} of parts 1-5" in verdict.evidence
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 7299)), pages)
    assert status(verdict) == "MISMATCH"
    assert verdict.bad_parts == ((2, 7000, 300),)
    assert verdict.bad_parts[0].number == 2
    assert f"Checksum{algorithm} of part 1" in verdict.evidence
    assert f"Checksum{algorithm} of parts 3-5" in verdict.evidence
    twice = spoilt(spoilt(BYTES, 0), len(BYTES) - 1)
    verdict = partsum.verify(write(tmp_path, twice), pages)
    assert [part.number for part in verdict.bad_parts] == [1, 5]
    assert verdict.reason.startswith("parts 1, 5 differ: ")


@pytest.mark.parametrize("algorithm", [None, "SHA256", "CRC32"])
def test_uneven_parts_by_heads_of_parts(algorithm: str | None, tmp_path: Path) -> None:
    said = Said(BYTES, UNEVEN, algorithm)
    heads = said.part_heads()
    for responses in (heads, heads[::-1], [said.head(), *heads]):
        assert status(partsum.verify(write(tmp_path, BYTES), responses)) == "MATCH"
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 7000)), [said.head(), *heads])
    assert status(verdict) == "MISMATCH"
    assert verdict.bad_parts == (((2, 7000, 300),) if algorithm else ())


def test_one_head_of_a_part(tmp_path: Path) -> None:
    """Its own checksum condemns its bytes, and its size is a guess at the others'."""
    said = Said(BYTES, UNEVEN, "SHA256")
    third = said.part_heads()[2]
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 7300)), [said.head(), third])
    assert status(verdict) == "MISMATCH"
    assert verdict.bad_parts[0][1:] == (7300, 12_000)
    verdict = partsum.verify(write(tmp_path, BYTES), [said.head(), third])
    assert status(verdict) == "NOT_COMPARABLE"
    assert "GetObjectAttributes" in verdict.reason

    even = Said(BYTES, [7000, 7000, 6300], None)
    first = even.part_heads()[0]
    verdict = partsum.verify(write(tmp_path, BYTES), [even.head(), first])
    assert (status(verdict), verdict.evidence) == ("MATCH", ("size", "ETag"))
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 3)), [even.head(), first])
    assert status(verdict) == "NOT_COMPARABLE"


def test_heads_of_parts_without_content_range(tmp_path: Path) -> None:
    """Clients before 2025 leave it out of the response, but not out of its HTTP headers."""
    said = Said(BYTES, UNEVEN, None)
    heads = said.part_heads()
    for head in heads:
        content_range = head.pop("ContentRange")
        metadata = {"HTTPStatusCode": 206, "HTTPHeaders": {"content-range": content_range}}
        head["ResponseMetadata"] = metadata
    path = write(tmp_path, BYTES)
    assert status(partsum.verify(path, [said.head(), *heads])) == "MATCH"
    for head in heads:
        del head["ResponseMetadata"]
    assert status(partsum.verify(path, [said.head(), *heads])) == "MATCH"
    assert status(partsum.verify(path, [said.head(), heads[0]])) == "NOT_COMPARABLE"


def test_head_of_the_only_part(tmp_path: Path) -> None:
    said = Said(BYTES, [len(BYTES)], "SHA1")
    path = write(tmp_path, BYTES)
    assert status(partsum.verify(path, said.part_heads())) == "MATCH"
    plain = Said(BYTES, None, "SHA1")
    total = len(BYTES)
    head = plain.head(ContentRange=f"bytes 0-{total - 1}/{total}")
    assert partsum.verify(path, head).evidence == ("size", "ChecksumSHA1 FULL_OBJECT", "ETag")


@pytest.mark.parametrize("algorithm", oracle.ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 20_300])
def test_put_object(algorithm: str, size: int, tmp_path: Path) -> None:
    data = BYTES[:size]
    said = Said(data, None, algorithm)
    for responses in (said.head(), said.attributes()):
        path = write(tmp_path, data)
        verdict = partsum.verify(path, responses)
        assert verdict.evidence[:2] == ("size", f"Checksum{algorithm} FULL_OBJECT")
        # The MD5 of a small file is computed too: everything that S3 said is compared.
        assert "ETag" in verdict.evidence
        assert status(verdict) == "MATCH"
        if size:
            assert status(partsum.verify(write(tmp_path, spoilt(data, 0)), responses)) == "MISMATCH"


def test_etag_alone(tmp_path: Path) -> None:
    said = Said(BYTES, None, None)
    verdict = partsum.verify(write(tmp_path, BYTES), said.head())
    assert (status(verdict), verdict.evidence) == ("MATCH", ("size", "ETag"))
    weak = said.head(ETag=f'W/"{said.etag.upper()}"')
    assert status(partsum.verify(tmp_path / "file", weak)) == "MATCH"
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 9)), said.head())
    assert status(verdict) == "MISMATCH"
    assert "ETag" in verdict.reason


@pytest.mark.parametrize("part_size", [5 * MIB, 8 * MIB, 5_000_000, 3_495_258])
def test_multipart_etag_alone_is_tried(part_size: int, path: Path, flipped: Path) -> None:
    said = Said(DATA, oracle.uniform(len(DATA), part_size), None)
    verdict = partsum.verify(path, said.head())
    assert (status(verdict), verdict.evidence) == ("MATCH", ("size", "ETag"))
    verdict = partsum.verify(flipped, said.head())
    assert status(verdict) == "NOT_COMPARABLE"
    assert "uneven" in verdict.reason
    assert "HeadObject(PartNumber=n)" in verdict.reason


def test_one_part_leaves_nothing_to_guess(path: Path, flipped: Path) -> None:
    said = Said(DATA, [len(DATA)], None)
    assert status(partsum.verify(path, said.head())) == "MATCH"
    assert status(partsum.verify(flipped, said.head())) == "MISMATCH"


def test_uneven_parts_known_by_number_only(path: Path) -> None:
    verdict = partsum.verify(path, Said(DATA, [6 * MIB, 10, len(DATA) - 6 * MIB - 10], None).head())
    assert status(verdict) == "NOT_COMPARABLE"
    assert verdict.evidence == ("size",)


# Size first ---------------------------------------------------------------------------------------


def test_size_first(tmp_path: Path) -> None:
    """The file is not even read: a hole of a terabyte."""
    path = tmp_path / "hole"
    with path.open("wb") as file:
        file.truncate(2**40)
    seen: list[int] = []
    verdict = partsum.verify(path, Said(BYTES, UNEVEN, "SHA256").head(), progress=seen.append)
    assert status(verdict) == "MISMATCH"
    assert verdict.reason == f"the size is {len(BYTES)} bytes in S3, {2**40} here"
    assert verdict.evidence == ()
    assert seen == []


def test_sizes_of_parts_tell_the_size(tmp_path: Path) -> None:
    pages = Said(BYTES, UNEVEN, "SHA256").attributes()
    del pages[0]["ObjectSize"]
    assert status(partsum.verify(write(tmp_path, BYTES), pages)) == "MATCH"
    assert status(partsum.verify(write(tmp_path, BYTES + b"a"), pages)) == "MISMATCH"


def test_empty_objects_are_equal(tmp_path: Path) -> None:
    path = write(tmp_path, b"")
    verdict = partsum.verify(path, {"ContentLength": 0, "ETag": '"x"'})
    assert (status(verdict), verdict.evidence) == ("MATCH", ("size",))
    assert status(partsum.verify(path, {"ContentLength": 1, "ETag": '"x"'})) == "MISMATCH"


# Encryption ---------------------------------------------------------------------------------------

ENCRYPTED = [
    {"ServerSideEncryption": "aws:kms"},
    {"ServerSideEncryption": "aws:kms:dsse"},
    {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": "x"},
    {"StorageClass": "EXPRESS_ONEZONE"},
]


@pytest.mark.parametrize("encryption", ENCRYPTED, ids=str)
@pytest.mark.parametrize("sizes", [None, UNEVEN])
def test_etags_that_are_no_md5s(
    encryption: dict[str, str], sizes: list[int] | None, tmp_path: Path
) -> None:
    path = write(tmp_path, BYTES)
    head = Said(spoilt(BYTES, 0), sizes, None).head(**encryption)
    verdict = partsum.verify(path, head)
    assert status(verdict) == "NOT_COMPARABLE"
    assert "not an MD5" in verdict.reason
    assert "ChecksumMode" in verdict.reason
    # A checksum tells all the same.
    head = Said(BYTES, sizes, "CRC32C", "FULL_OBJECT").head(**encryption, ETag='"' + "0" * 32 + '"')
    assert status(partsum.verify(path, head)) == "MATCH"
    head = Said(spoilt(BYTES, 0), sizes, "CRC32C", "FULL_OBJECT").head(**encryption)
    assert status(partsum.verify(path, head)) == "MISMATCH"


def test_sse_s3_is_plain(tmp_path: Path) -> None:
    head = Said(BYTES, None, None).head(ServerSideEncryption="AES256")
    assert status(partsum.verify(write(tmp_path, BYTES), head)) == "MATCH"
    assert status(partsum.verify(write(tmp_path, spoilt(BYTES, 1)), head)) == "MISMATCH"


def test_attributes_do_not_say_the_encryption(tmp_path: Path) -> None:
    """So an ETag that differs there may be that of an encrypted object; one that agrees is not."""
    attributes = Said(BYTES, None, None).attributes()
    assert status(partsum.verify(write(tmp_path, BYTES), attributes)) == "MATCH"
    path = write(tmp_path, spoilt(BYTES, 1))
    verdict = partsum.verify(path, attributes)
    assert status(verdict) == "NOT_COMPARABLE"
    assert "HeadObject" in verdict.reason
    verdict = partsum.verify(path, [*attributes, Said(BYTES, None, None).head()])
    assert status(verdict) == "MISMATCH"


# Strong and weak ----------------------------------------------------------------------------------


def test_a_checksum_that_differs_is_not_outvoted(tmp_path: Path) -> None:
    sums = partsum.hash_bytes(BYTES, ["MD5", "CRC32", "SHA256"], part_size=None)
    for algorithm in ("CRC32", "SHA256"):
        wrong = Said(spoilt(BYTES, 0), None, algorithm).checksum
        verdict = partsum.verify(sums, Said(BYTES, None, None).head(**wrong))
        assert status(verdict) == "MISMATCH"
        assert verdict.evidence == ("size", "ETag")


def test_an_etag_that_differs(tmp_path: Path) -> None:
    """It is never outvoted, unless the store is known to make its ETags otherwise."""
    sums = partsum.hash_bytes(BYTES, ["MD5", "CRC32", "SHA256"], part_size=None)
    other = '"' + "0" * 32 + '"'
    for algorithm in ("CRC32", "SHA256"):
        head = Said(BYTES, None, algorithm).head(ETag=other)
        for local in (sums, write(tmp_path, BYTES)):
            verdict = partsum.verify(local, head)
            assert status(verdict) == "MISMATCH"
            assert verdict.hint == ("NAME_QUIRK", "etag-not-md5")
            verdict = partsum.verify(local, head, quirks="etag-not-md5")
            assert status(verdict) == "MATCH"
            assert verdict.not_compared == (("ETag", "the ETags of this store are not MD5s"),)


# Uploads that are not complete --------------------------------------------------------------------


def test_listed_parts(tmp_path: Path) -> None:
    said = Said(BYTES, UNEVEN, None)
    for pages in (said.listing(), said.listing(page=2)):
        verdict = partsum.verify(write(tmp_path, BYTES), pages)
        assert (status(verdict), verdict.evidence) == ("MATCH", ("size", "ETag of parts 1-5"))
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 7010)), said.listing())
    assert status(verdict) == "MISMATCH"
    assert verdict.bad_parts == ((2, 7000, 300),)


def test_some_listed_parts(tmp_path: Path) -> None:
    [page] = Said(BYTES, UNEVEN, None).listing()
    some = {**page, "Parts": page["Parts"][:3]}
    verdict = partsum.verify(write(tmp_path, BYTES), some)
    assert status(verdict) == "NOT_COMPARABLE"
    assert verdict.evidence == ("ETag of parts 1-3",)
    assert "19300 of the file's 20300 bytes" in verdict.reason
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 7010)), some)
    assert status(verdict) == "MISMATCH"
    assert verdict.bad_parts == ((2, 7000, 300),)
    assert status(partsum.verify(write(tmp_path, BYTES[:9000]), some)) == "MISMATCH"
    gap = {**page, "Parts": page["Parts"][:1] + page["Parts"][2:]}
    verdict = partsum.verify(write(tmp_path, BYTES), gap)
    assert (status(verdict), verdict.evidence) == ("NOT_COMPARABLE", ("ETag of part 1",))


def test_listed_etags_may_be_encrypted(tmp_path: Path) -> None:
    [page] = Said(BYTES, UNEVEN, None).listing()
    for part in page["Parts"]:
        part["ETag"] = '"' + "1" * 32 + '"'
    path = write(tmp_path, BYTES)
    verdict = partsum.verify(path, page)
    assert status(verdict) == "NOT_COMPARABLE"
    assert "SSE-KMS" in verdict.reason
    assert status(partsum.verify(path, {**page, "ServerSideEncryption": "AES256"})) == "MISMATCH"
    verdict = partsum.verify(path, {**page, "ServerSideEncryption": "aws:kms"})
    assert status(verdict) == "NOT_COMPARABLE"


def test_parts_left_out_of_the_object(tmp_path: Path) -> None:
    """An object may be completed from some of an upload's parts: those tell nothing then."""
    said = Said(BYTES, UNEVEN, None)
    upload = Said(BYTES + b"more", [*UNEVEN, 4], None)
    verdict = partsum.verify(write(tmp_path, BYTES), [said.head(), *upload.listing()])
    assert status(verdict) == "NOT_COMPARABLE"
    verdict = partsum.verify(write(tmp_path, BYTES), [said.head(), *said.listing()])
    assert (status(verdict), verdict.evidence[-1]) == ("MATCH", "ETag")


# ObjectChecksums that are not enough --------------------------------------------------------------


def test_algorithm_is_missing() -> None:
    sums = partsum.hash_bytes(BYTES, "SHA1", part_size=None)
    for algorithm in ("CRC32", "SHA256"):
        verdict = partsum.verify(sums, Said(BYTES, None, algorithm).head())
        assert status(verdict) == "NOT_COMPARABLE"
        assert verdict.hint == ("ADD_ALGORITHM", algorithm)
        assert f'add "{algorithm}" to algorithms' in verdict.reason
    verdict = partsum.verify(sums, Said(BYTES, None, None).head())
    assert 'add "MD5" to algorithms' in verdict.reason


def test_plan_is_another() -> None:
    sums = partsum.hash_bytes(BYTES, ["SHA256", "CRC32"], part_size=None)
    verdict = partsum.verify(sums, Said(BYTES, [10_000, 10_000, 300], "SHA256").attributes())
    assert status(verdict) == "NOT_COMPARABLE"
    assert "part_size=10000" in verdict.reason
    verdict = partsum.verify(sums, Said(BYTES, UNEVEN, "SHA256").head())
    assert status(verdict) == "NOT_COMPARABLE"
    assert "5 parts" in verdict.reason
    sums = partsum.hash_bytes(BYTES, ["SHA256"], part_size=10_000, allow_small_parts=True)
    verdict = partsum.verify(sums, Said(BYTES, None, "SHA256").head())
    assert status(verdict) == "NOT_COMPARABLE"
    assert "part_size=None" in verdict.reason
    verdict = partsum.verify(sums, Said(BYTES, None, "SHA256").attributes())
    assert status(verdict) == "NOT_COMPARABLE"


def test_crcs_of_finer_parts_are_enough() -> None:
    sums = partsum.hash_bytes(BYTES, ["CRC32", "MD5"], part_size=1000, allow_small_parts=True)
    sizes = [5000, 12_000, 3300]
    verdict = partsum.verify(sums, Said(BYTES, sizes, "CRC32").attributes())
    assert status(verdict) == "MATCH"
    assert verdict.evidence == ("size", "ChecksumCRC32 COMPOSITE", "ChecksumCRC32 of parts 1-3")


def test_own_plan_is_tried() -> None:
    """Equal numbers of parts may be equal parts, which only a match tells."""
    sums = partsum.hash_bytes(BYTES, "MD5", part_size=UNEVEN, allow_small_parts=True)
    assert status(partsum.verify(sums, Said(BYTES, UNEVEN, None).head())) == "MATCH"
    other = Said(spoilt(BYTES, 3), UNEVEN, None).head()
    assert status(partsum.verify(sums, other)) == "NOT_COMPARABLE"


# Answers that do not say enough, or what makes no sense -------------------------------------------


def test_nothing_but_the_size(tmp_path: Path) -> None:
    verdict = partsum.verify(write(tmp_path, BYTES), {"ContentLength": len(BYTES)})
    assert status(verdict) == "NOT_COMPARABLE"
    assert "ChecksumMode" in verdict.reason


def test_etag_of_no_known_form(tmp_path: Path) -> None:
    head = {"ContentLength": len(BYTES), "ETag": '"1-"'}
    verdict = partsum.verify(write(tmp_path, BYTES), head)
    assert status(verdict) == "NOT_COMPARABLE"


def test_value_that_is_no_digest(tmp_path: Path) -> None:
    head = {"ContentLength": len(BYTES), "ChecksumCRC32": "???", "ETag": '"1-"'}
    verdict = partsum.verify(write(tmp_path, BYTES), head)
    assert status(verdict) == "NOT_COMPARABLE"


def test_first_page_alone(tmp_path: Path) -> None:
    said = Said(BYTES, UNEVEN, "SHA256")
    first = said.attributes(page=2)[0]
    verdict = partsum.verify(write(tmp_path, BYTES), first)
    assert status(verdict) == "NOT_COMPARABLE"
    assert "ChecksumSHA256 of parts 1-2" in verdict.evidence
    assert "all pages" in verdict.reason
    verdict = partsum.verify(write(tmp_path, spoilt(BYTES, 7000)), first)
    assert (status(verdict), verdict.bad_parts) == ("MISMATCH", ((2, 7000, 300),))


def test_responses_of_two_objects(tmp_path: Path) -> None:
    path = write(tmp_path, BYTES)
    for other in (Said(BYTES[1:], None, None), Said(spoilt(BYTES, 2), None, None)):
        verdict = partsum.verify(path, [Said(BYTES, None, None).head(), other.head()])
        assert status(verdict) == "NOT_COMPARABLE"
        assert "not of one object" in verdict.reason


def test_sizes_past_all_limits(tmp_path: Path) -> None:
    """Whatever a file of JSON says, sums of it do not overflow."""
    path = write(tmp_path, BYTES)
    parts = [{"PartNumber": number, "Size": 2**64 - 1, "ETag": "x"} for number in (1, 2)]
    assert status(partsum.verify(path, {"Parts": parts})) == "NOT_COMPARABLE"
    pages = {"ETag": "x", "ObjectParts": {"Parts": parts, "TotalPartsCount": 2}}
    assert status(partsum.verify(path, pages)) == "NOT_COMPARABLE"
    assert status(partsum.verify(path, {"ContentLength": 2**64 - 1})) == "MISMATCH"
    huge = f"bytes 0-{2**64 - 2}/{2**64 - 1}"
    head = {"ContentLength": 1, "ContentRange": huge, "PartsCount": 2, "ETag": "x"}
    assert status(partsum.verify(path, head)) == "NOT_COMPARABLE"
    with pytest.raises(ValueError):
        partsum.verify(path, {"ContentLength": 2**64})


def test_many_bad_parts() -> None:
    sizes = [1] * 60
    said = Said(BYTES[:60], sizes, "CRC32").attributes()
    other = bytes(byte ^ (index % 2) for index, byte in enumerate(BYTES[:60]))
    sums = partsum.hash_bytes(other, "CRC32", part_size=sizes, allow_small_parts=True)
    verdict = partsum.verify(sums, said)
    assert [part.number for part in verdict.bad_parts] == list(range(2, 61, 2))
    assert verdict.reason.startswith("parts 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, ... (30 in all) ")
    assert len(verdict.reason) < 400


def test_upload_without_parts(tmp_path: Path) -> None:
    verdict = partsum.verify(write(tmp_path, BYTES), {"UploadId": "u", "IsTruncated": False})
    assert status(verdict) == "NOT_COMPARABLE"
    assert "0 of the file's 20300 bytes" in verdict.reason


def test_range_of_an_object_says_nothing_of_it(tmp_path: Path) -> None:
    said = Said(BYTES, None, None)
    answer = said.head(
        ContentLength=10, ContentRange=f"bytes 0-9/{len(BYTES)}", ChecksumCRC32="AAAAAA=="
    )
    assert status(partsum.verify(write(tmp_path, BYTES), answer)) == "MATCH"


def test_attributes_from_before_checksum_types(tmp_path: Path) -> None:
    for algorithm, kind in [("SHA256", "COMPOSITE"), ("CRC32", "COMPOSITE"),
                            ("CRC32", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT")]:  # fmt: skip
        pages = Said(BYTES, UNEVEN, algorithm, kind).attributes()
        sums = partsum.hash_bytes(BYTES, algorithm, part_size=UNEVEN, allow_small_parts=True)
        for page in pages:
            del page["Checksum"]["ChecksumType"]
        verdict = partsum.verify(sums, pages)
        assert status(verdict) == "MATCH"
        assert f"Checksum{algorithm} {kind}" in verdict.evidence


@pytest.mark.parametrize(
    ("responses", "error"),
    [
        (None, TypeError),
        (3, TypeError),
        ([3], TypeError),
        ([], ValueError),
        ({}, ValueError),
        ({"Contents": [], "IsTruncated": False}, ValueError),
        ({"Error": {"Code": "NoSuchKey"}}, ValueError),
        ({"ContentLength": "many"}, ValueError),
        ({"ContentLength": 1, "Checksum": 3}, TypeError),
        ({"Parts": [{"Size": 3}]}, ValueError),
        ({"ETag": 3}, TypeError),
        ({"ETag": "x", "ChecksumType": "BOTH"}, ValueError),
        ("no JSON", ValueError),
        ('"text"', TypeError),
    ],
)
def test_what_is_no_response(responses: Any, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        partsum.verify(write(tmp_path, BYTES), responses)


def test_trouble_with_the_file(tmp_path: Path) -> None:
    head = Said(BYTES, None, None).head()
    with pytest.raises(FileNotFoundError) as missing:
        partsum.verify(tmp_path / "nothing", head)
    assert missing.value.filename == str(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        partsum.verify(tmp_path, head)
    with pytest.raises(TypeError):
        partsum.verify(cast(Any, 3), head)
    with pytest.raises(ValueError):
        partsum.verify(write(tmp_path, BYTES), head, threads=0)


def test_entry_of_a_listing(tmp_path: Path) -> None:
    """list_objects_v2 says size and ETag, and not the encryption."""
    entry = {"Key": "k", "Size": len(BYTES), "ETag": f'"{Said(BYTES, None, None).etag}"'}
    assert status(partsum.verify(write(tmp_path, BYTES), entry)) == "MATCH"
    assert status(partsum.verify(write(tmp_path, BYTES[1:]), entry)) == "MISMATCH"


# The verdict itself -------------------------------------------------------------------------------


def test_verdict_is_a_value(tmp_path: Path) -> None:
    said = Said(BYTES, UNEVEN, "SHA256").attributes()
    good = partsum.verify(write(tmp_path, BYTES), said)
    bad = partsum.verify(write(tmp_path, spoilt(BYTES, 0)), said)
    for verdict in (good, bad):
        assert pickle.loads(pickle.dumps(verdict)) == verdict
        assert type(pickle.loads(pickle.dumps(verdict))) is partsum.Verdict
        with pytest.raises(AttributeError):
            verdict.__setattr__("status", Status.MATCH)
        assert "Verdict(status=" in repr(verdict)
        assert isinstance(verdict.evidence, tuple)
        assert hash(verdict) == hash(partsum.Verdict(*verdict))
    assert good
    assert not bad
    assert good != bad
    assert bad.status == "MISMATCH"
    assert f"{bad.status}" == str(bad.status) == "MISMATCH"
    assert bad.status is Status.MISMATCH
    assert json.dumps(bad.status) == '"MISMATCH"'


def test_progress_counts_the_file_once(path: Path) -> None:
    seen: list[int] = []
    case = CASES["complete_multipart_parts_checksum_composite[CRC32]"]
    partsum.verify(path, case["get-object-attrs"], progress=seen.append)
    assert sum(seen) == len(DATA)


# Any bytes, cut anyhow, spoilt anywhere -----------------------------------------------------------


@st.composite
def objects(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    sizes = draw(st.lists(st.integers(1, 400), min_size=1, max_size=12))
    data = draw(st.randoms(use_true_random=False)).randbytes(sum(sizes))
    return data, sizes


@given(objects(), st.sampled_from(oracle.COMPOSITE), st.data())
def test_any_object(cut: tuple[bytes, list[int]], algorithm: str, draw: st.DataObject) -> None:
    """Whatever S3 says: the right bytes never mismatch, spoilt ones never match."""
    data, sizes = cut
    said = Said(data, sizes, draw.draw(st.sampled_from([algorithm, None])))
    everything = [said.head(), *said.attributes(page=3), *said.part_heads(), *said.listing(page=5)]
    indices = st.lists(st.integers(0, len(everything) - 1), min_size=1, unique=True)
    responses = [everything[index] for index in draw.draw(indices)]
    at = draw.draw(st.integers(0, len(data) - 1))
    algorithms = [algorithm, "MD5"]
    right = partsum.hash_bytes(data, algorithms, part_size=sizes, allow_small_parts=True)
    wrong = partsum.hash_bytes(
        spoilt(data, at), algorithms, part_size=sizes, allow_small_parts=True
    )
    assert partsum.verify(right, responses).status is not Status.MISMATCH
    verdict = partsum.verify(wrong, responses)
    assert verdict.status is not Status.MATCH
    for part in verdict.bad_parts:
        assert part.offset <= at < part.offset + part.size
    assert partsum.verify(right, everything).status is Status.MATCH
    assert partsum.verify(wrong, everything).status is Status.MISMATCH
