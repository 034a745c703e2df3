"""Published and recorded answers: what real Amazon S3 said about known bytes."""

import base64
import subprocess
import sys
from typing import Any

import oracle
import partsum
import pytest
from alone import python

MULTIPART = oracle.load("aws_multipart.json")
RESPONSES = oracle.load("aws_responses.json")
SMALL = oracle.load("small.json")
CYCLE = oracle.load("byte_cycle.json")
SIZES = [part["count"] for part in MULTIPART["input"]["parts"]]


@pytest.fixture(scope="module")
def recorded_bytes() -> bytes:
    return b"".join(part["repeat"].encode() * part["count"] for part in MULTIPART["input"]["parts"])


@pytest.fixture(scope="module")
def recorded(recorded_bytes: bytes) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(recorded_bytes, oracle.ALGORITHMS, part_size=SIZES)


def test_etags_recorded_from_s3(recorded: partsum.ObjectChecksums) -> None:
    assert recorded.etag == MULTIPART["etag"]
    assert [part.etag for part in recorded.parts] == MULTIPART["part_etags"]


@pytest.mark.parametrize("name", MULTIPART["checksums"])
def test_checksums_recorded_from_s3(recorded: partsum.ObjectChecksums, name: str) -> None:
    expected = MULTIPART["checksums"][name]
    assert [part.checksum(name) for part in recorded.parts] == expected["parts"]
    if expected["composite"] is None:
        with pytest.raises(partsum.NotSupportedByS3):
            recorded.composite(name)
    else:
        assert recorded.composite(name) == expected["composite"]
    if expected["full_object"] is None:
        with pytest.raises(partsum.NotSupportedByS3):
            recorded.full_object(name)
    else:
        assert recorded.full_object(name) == expected["full_object"]


@pytest.mark.parametrize("name", MULTIPART["checksums"])
def test_the_same_bytes_by_one_put_object(recorded_bytes: bytes, name: str) -> None:
    single = partsum.hash_bytes(recorded_bytes, ["MD5", name], part_size=None)
    assert single.etag == MULTIPART["single_put_etag"]
    assert single.full_object(name) == MULTIPART["checksums"][name]["single_put"]
    assert single.checksum(name) == MULTIPART["checksums"][name]["single_put"]


def checksum_fields(response: dict[str, Any]) -> dict[str, str]:
    return {
        key.removeprefix("Checksum"): value
        for key, value in response.items()
        if key.removeprefix("Checksum") in oracle.ALGORITHMS
    }


def whole_upload_cases() -> list[str]:
    begin = "complete_multipart_parts_checksum_"
    prefixes = (f"{begin}composite[", f"{begin}full_object[")
    return [name for name in RESPONSES["cases"] if name.startswith(prefixes)]


@pytest.mark.parametrize("case", whole_upload_cases())
def test_every_answer_of_a_recorded_upload(recorded: partsum.ObjectChecksums, case: str) -> None:
    """UploadPart, ListParts, Complete, Head, Get, attributes: each value is one of ours."""
    answers = RESPONSES["cases"][case]
    algorithm = answers["create-mpu-checksum"]["ChecksumAlgorithm"]
    kind = answers["create-mpu-checksum"]["ChecksumType"]
    ours = recorded.checksum(algorithm, kind)
    for index, part in enumerate(recorded.parts):
        answer = answers[f"upload-part-{index}"]
        assert answer["ETag"] == f'"{part.etag}"'
        assert checksum_fields(answer) == {algorithm: part.checksum(algorithm)}
    for row in answers["list-parts"]["Parts"]:
        part = recorded.parts[row["PartNumber"] - 1]
        assert (part.number, part.size) == (row["PartNumber"], row["Size"])
        assert checksum_fields(row) == {algorithm: part.checksum(algorithm)}
    for name in (
        "complete-multipart-checksum",
        "get-object-with-checksum",
        "head-object-with-checksum",
    ):
        assert checksum_fields(answers[name]) == {algorithm: ours}
        assert recorded.matches_etag(answers[name]["ETag"])
    assert answers["head-object-with-checksum"]["ContentLength"] == recorded.size
    attributes = answers["get-object-attrs"]
    assert checksum_fields(attributes["Checksum"]) == {algorithm: ours.partition("-")[0]}
    assert recorded.matches_etag(attributes["ETag"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == len(recorded.parts)
    last = answers["get-object-part-checksum"]
    assert last["ContentLength"] == recorded.parts[2].size
    assert last["ContentRange"].startswith(f"bytes {recorded.parts[2].offset}-")


@pytest.mark.parametrize(
    "case", [name for name in RESPONSES["cases"] if "type_default_for_checksum" in name]
)
def test_default_type_recorded_from_s3(recorded: partsum.ObjectChecksums, case: str) -> None:
    answer = RESPONSES["cases"][case]["create-mpu-default-checksum-type"]
    algorithm, kind = answer["ChecksumAlgorithm"], answer["ChecksumType"]
    expected = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    assert recorded.create_multipart_upload_args(algorithm) == expected
    assert recorded.checksum(algorithm) == recorded.checksum(algorithm, kind)


@pytest.mark.parametrize(
    "case", [name for name in RESPONSES["cases"] if "checksum_type_compatibility" in name]
)
def test_legal_pairs_recorded_from_s3(recorded: partsum.ObjectChecksums, case: str) -> None:
    kind: Any
    kind, algorithm = case.rpartition("[")[2].rstrip("]").split("-")
    answers = RESPONSES["cases"][case]
    if "create-mpu-checksum" in answers:
        arguments = recorded.create_multipart_upload_args(algorithm, kind)
        assert arguments == answers["create-mpu-checksum"]
        return
    error = answers["create-mpu-checksum-exc"]["Error"]
    with pytest.raises(partsum.NotSupportedByS3) as refused:
        recorded.create_multipart_upload_args(algorithm, kind)
    assert error["Code"] in str(refused.value)
    assert kind in str(refused.value)
    assert algorithm.lower() in str(refused.value).lower()


@pytest.mark.parametrize("row", SMALL["single"], ids=lambda row: repr(row["input"]["text"]))
@pytest.mark.parametrize("name", oracle.ALGORITHMS)
def test_published_digests_of_texts(row: dict[str, Any], name: str) -> None:
    text = row["input"]["text"].encode()
    expected = row["checksums"].get(name)
    if expected is None:
        expected = oracle.full_object(name, text)
    single = partsum.hash_bytes(text, name, part_size=None)
    assert single.full_object(name) == expected
    assert partsum.new(name, text).b64digest() == expected
    assert partsum.new(name, text).digest() == base64.b64decode(expected)


@pytest.mark.parametrize("row", SMALL["one_part"], ids=lambda row: repr(row["input"]["text"]))
def test_uploads_of_one_part_recorded_from_s3(row: dict[str, Any]) -> None:
    text = row["input"]["text"].encode()
    upload = partsum.hash_bytes(text, oracle.ALGORITHMS, part_size=5 * oracle.MIB)
    for key, expected in row["one_part_upload"].items():
        name, _, what = key.partition("_")
        if key == "etag":
            assert upload.etag == expected
        elif what == "full_object":
            assert upload.full_object(name) == expected
        elif what == "composite":
            assert upload.composite(name) == expected
        else:
            assert what == "part"
            assert upload.parts[0].checksum(name) == expected


@pytest.mark.parametrize("name", oracle.CRC)
def test_crc_check_values_of_the_catalogue(name: str) -> None:
    assert partsum.new(name, b"123456789").hexdigest() == SMALL["check"][name]


@pytest.mark.parametrize("row", CYCLE["cases"], ids=lambda row: str(row["length"]))
def test_byte_cycle(row: dict[str, Any]) -> None:
    """The lengths at which padding, blocks, stripes and tiles go wrong, all algorithms at once."""
    data = oracle.byte_cycle(row["length"])
    single = partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=None)
    for name, expected in row["digests"].items():
        assert single.full_object(name) == oracle.b64(bytes.fromhex(expected)), name
        assert partsum.new(name, data).hexdigest() == expected, name


def test_byte_cycle_as_the_parts_of_one_object() -> None:
    """All the interesting lengths side by side in the lanes, in one call."""
    rows = CYCLE["cases"]
    sizes = [row["length"] for row in rows if row["length"]]
    data = b"".join(oracle.byte_cycle(size) for size in sizes)
    upload = partsum.hash_bytes(data, oracle.ALGORITHMS, part_size=sizes, allow_small_parts=True)
    rows = [row for row in rows if row["length"]]
    for part, row in zip(upload.parts, rows, strict=True):
        assert {name: part.digest(name).hex() for name in oracle.ALGORITHMS} == row["digests"]


FORCED = """
    import sys
    import partsum
    import test_vectors

    assert partsum._core.runtime_info()["isa"] == sys.argv[1]
    for row in test_vectors.CYCLE["cases"]:
        test_vectors.test_byte_cycle(row)
    test_vectors.test_byte_cycle_as_the_parts_of_one_object()
"""


@pytest.mark.parametrize("isa", partsum._core.runtime_info()["isas_available"])
def test_byte_cycle_under_a_forced_instruction_set(isa: str) -> None:
    """PARTSUM_ISA reaches the kernels; the Rust tests check each kernel on each of them."""
    done = python(FORCED, isa, env={"PARTSUM_ISA": isa})
    assert done.returncode == 0, done.stderr


def test_byte_cycle_file_is_what_its_script_writes() -> None:
    pytest.importorskip("awscrt")
    script = oracle.VECTORS / "make_byte_cycle.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_oracle_itself_against_the_recordings(recorded_bytes: bytes) -> None:
    assert oracle.multipart_etag(recorded_bytes, SIZES) == MULTIPART["etag"]
    for name, expected in MULTIPART["checksums"].items():
        digests = oracle.part_digests(name, recorded_bytes, SIZES)
        assert [oracle.b64(digest) for digest in digests] == expected["parts"]
        if expected["composite"] is not None:
            assert oracle.composite(name, recorded_bytes, SIZES) == expected["composite"]
        if expected["full_object"] is not None:
            assert oracle.full_object(name, recorded_bytes) == expected["full_object"]
    for name in oracle.CRC:
        assert f"{oracle.crc_plain(name, b'123456789'):x}" == SMALL["check"][name]
