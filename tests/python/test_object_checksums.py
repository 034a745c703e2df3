"""The result as a value: members, refusals, equality, pickles, JSON, ETags as written."""

import copy
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

MIB = oracle.MIB
DATA = oracle.byte_cycle(2500)
SIZES = [1000, 1000, 500]


def multipart(names: Any = oracle.ALGORITHMS) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(DATA, names, part_size=1000, allow_small_parts=True)


def single(names: Any = oracle.ALGORITHMS) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(DATA, names, part_size=None)


def one_part(names: Any = oracle.ALGORITHMS) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(DATA, names, part_size="5MiB")


SHAPES = {"multipart": multipart, "one part": one_part, "PutObject": single}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


# --- members -------------------------------------------------------------------------------------


def test_members() -> None:
    result = multipart()
    assert result.path is None
    assert result.size == 2500
    assert result.plan == partsum.plan_parts(2500, 1000, allow_small_parts=True)
    assert list(result.algorithms) == list(oracle.ALGORITHMS)
    assert len(result.parts) == 3
    assert result.etag == oracle.multipart_etag(DATA, SIZES)


def test_path_is_the_file_that_was_hashed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    for given_as in (path, str(path)):
        found = partsum.hash_file(given_as).path
        assert found is not None
        assert os.fspath(found) == str(path)


def test_parts() -> None:
    result = multipart()
    assert [part.number for part in result.parts] == [1, 2, 3]
    assert [part.offset for part in result.parts] == [0, 1000, 2000]
    assert [part.size for part in result.parts] == SIZES
    for part, data in zip(result.parts, oracle.split(DATA, SIZES), strict=True):
        assert part.etag == oracle.digest("MD5", data).hex()
        for name in oracle.ALGORITHMS:
            assert part.digest(name) == oracle.digest(name, data)
            assert part.digest(name.lower()) == part.digest(name)
            assert part.checksum(name) == oracle.full_object(name, data)


def test_parts_are_a_sequence() -> None:
    parts = multipart().parts
    assert parts[-1].number == 3
    assert [part.number for part in reversed(list(parts))] == [3, 2, 1]
    assert [part.number for part in parts[1:]] == [2, 3]
    with pytest.raises(IndexError):
        parts[3]
    with pytest.raises(IndexError):
        parts[-4]


def test_part_of_one_put_object() -> None:
    parts = single().parts
    assert len(parts) == 1
    assert (parts[0].number, parts[0].offset, parts[0].size) == (1, 0, 2500)
    assert parts[0].etag == single().etag


@pytest.mark.parametrize("name", oracle.ALGORITHMS)
def test_kinds_of_checksum_of_a_multipart_upload(name: str) -> None:
    for shape, sizes in ((multipart, SIZES), (one_part, [2500])):
        result = shape()
        composite = oracle.composite(name, DATA, sizes)
        full = oracle.full_object(name, DATA)
        if name in oracle.COMPOSITE:
            assert result.composite(name) == composite
            assert result.checksum(name, "COMPOSITE") == composite
        else:
            with pytest.raises(partsum.NotSupportedByS3, match=r"(?i)CRC64NVME"):
                result.composite(name)
            with pytest.raises(partsum.NotSupportedByS3):
                result.checksum(name, "COMPOSITE")
        if name in oracle.FULL_OBJECT:
            assert result.full_object(name) == full
            assert result.checksum(name, "FULL_OBJECT") == full
        else:
            with pytest.raises(partsum.NotSupportedByS3, match=f"(?i){name}"):
                result.full_object(name)
            with pytest.raises(partsum.NotSupportedByS3):
                result.checksum(name, "FULL_OBJECT")
        assert result.checksum(name) == (full if name == "CRC64NVME" else composite)
        assert result.checksum(name.lower()) == result.checksum(name)


@pytest.mark.parametrize("name", oracle.ALGORITHMS)
def test_one_put_object_has_a_full_object_checksum_of_any_algorithm(name: str) -> None:
    result = single()
    full = oracle.full_object(name, DATA)
    assert result.full_object(name) == full
    assert result.checksum(name) == full
    assert result.checksum(name, "FULL_OBJECT") == full
    with pytest.raises(partsum.NotSupportedByS3):
        result.composite(name)
    with pytest.raises(partsum.NotSupportedByS3):
        result.checksum(name, "COMPOSITE")


@each_shape
def test_what_was_not_computed_is_missing(shape: Callable[..., partsum.ObjectChecksums]) -> None:
    result = shape(["CRC32"])
    with pytest.raises(partsum.MissingChecksum, match="MD5"):
        _ = result.etag
    with pytest.raises(partsum.MissingChecksum, match="MD5"):
        result.matches_etag('"abc"')
    with pytest.raises(partsum.MissingChecksum, match="MD5"):
        _ = result.parts[0].etag
    for ask in (result.checksum, result.parts[0].checksum, result.parts[0].digest):
        with pytest.raises(partsum.MissingChecksum, match="SHA1"):
            ask("SHA1")
    assert issubclass(partsum.MissingChecksum, LookupError)
    with pytest.raises(partsum.MissingChecksum, match="CRC64NVME"):
        result.full_object("CRC64NVME")
    if result.plan.multipart:
        with pytest.raises(partsum.MissingChecksum, match="CRC32C"):
            result.composite("CRC32C")


@each_shape
def test_unknown_names(shape: Callable[..., partsum.ObjectChecksums]) -> None:
    result = shape()
    asks: list[Callable[[Any], Any]] = [
        result.checksum,
        result.composite,
        result.full_object,
        result.parts[0].checksum,
        result.parts[0].digest,
    ]
    for ask in asks:
        with pytest.raises(ValueError, match="CRC64NVME"):
            ask("SHA3")
        with pytest.raises(TypeError):
            ask(5)
    wrong: Any = "WHOLE"
    with pytest.raises(ValueError):
        result.checksum("CRC32", wrong)


# --- frozen, equal, hashed, printed --------------------------------------------------------------


@each_shape
def test_frozen(shape: Callable[..., partsum.ObjectChecksums]) -> None:
    result = shape()
    for name in ("path", "size", "plan", "algorithms", "parts", "etag", "anything"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(result, name, None)
    for name in ("number", "offset", "size", "etag", "anything"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(result.parts[0], name, None)
    parts: Any = result.parts
    with pytest.raises(TypeError):
        parts[0] = parts[0]
    with pytest.raises((AttributeError, TypeError)):
        delattr(result, "size")


@each_shape
def test_equality_ignores_path_and_order(
    shape: Callable[..., partsum.ObjectChecksums], tmp_path: Path
) -> None:
    first = shape(["MD5", "SHA1", "CRC32"])
    second = shape(["CRC32", "MD5", "SHA1"])
    assert first == second
    assert (first != second) is False
    assert hash(first) == hash(second)
    assert len({first, second}) == 1
    path = tmp_path / "file"
    path.write_bytes(DATA)
    from_file = partsum.hash_file(
        path, ["SHA1", "MD5", "CRC32"], part_size=first.plan, allow_small_parts=True
    )
    assert from_file == first
    assert hash(from_file) == hash(first)


def test_inequality() -> None:
    first = multipart(["MD5", "SHA1"])
    assert first != multipart(["MD5"])
    assert first != multipart(["MD5", "SHA256"])
    assert first != single(["MD5", "SHA1"])
    assert one_part() != single()
    other = bytes([DATA[0] ^ 1]) + DATA[1:]
    assert first != partsum.hash_bytes(
        other, ["MD5", "SHA1"], part_size=1000, allow_small_parts=True
    )
    assert first != "first"
    assert first.__eq__("first") is NotImplemented
    unordered: Any = first
    with pytest.raises(TypeError):
        _ = unordered < one_part()


def test_parts_compare_and_hash() -> None:
    first, second = multipart(["MD5", "SHA1"]).parts, multipart(["SHA1", "MD5"]).parts
    assert list(first) == list(second)
    assert hash(first[0]) == hash(second[0])
    assert first[0] != first[1]
    assert first[0] != "part"


@each_shape
def test_repr_is_short(shape: Callable[..., partsum.ObjectChecksums]) -> None:
    result = shape()
    assert "ObjectChecksums" in repr(result)
    assert "2500" in repr(result)
    assert len(repr(result)) < 300
    assert "PartChecksums" in repr(result.parts[0])
    assert len(repr(result.parts[0])) < 500  # ten digests
    assert str(result) == repr(result)


@each_shape
def test_pickles_and_copies(shape: Callable[..., partsum.ObjectChecksums], tmp_path: Path) -> None:
    result = shape()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(result, protocol))
        assert again == result
        assert again.to_dict() == result.to_dict()
        part = pickle.loads(pickle.dumps(result.parts[0], protocol))
        assert part == result.parts[0]
        assert part.checksum("SHA1") == result.parts[0].checksum("SHA1")
    assert copy.copy(result) == result
    assert copy.deepcopy(result) == result
    path = tmp_path / "file"
    path.write_bytes(DATA)
    assert pickle.loads(pickle.dumps(partsum.hash_file(path))).path == str(path)


# --- to_dict and back ----------------------------------------------------------------------------


def test_dictionary_of_a_multipart_upload() -> None:
    names = ["MD5", "CRC32"]
    assert multipart(names).to_dict() == {
        "format": "partsum.ObjectChecksums/1",
        "path": None,
        "size": 2500,
        "multipart": True,
        "part_sizes": SIZES,
        "checksums": {
            name: [oracle.b64(digest) for digest in oracle.part_digests(name, DATA, SIZES)]
            for name in names
        },
    }


def test_dictionary_of_one_put_object() -> None:
    found = single(["SHA256"]).to_dict()
    assert found["multipart"] is False
    assert found["part_sizes"] == [2500]
    assert found["checksums"] == {"SHA256": [oracle.full_object("SHA256", DATA)]}


@each_shape
def test_round_trips(shape: Callable[..., partsum.ObjectChecksums], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    for result in (shape(), shape(["XXHASH3"]), partsum.hash_file(path, ["CRC32C"])):
        document = result.to_dict()
        for again in (
            partsum.ObjectChecksums.from_dict(document),
            partsum.ObjectChecksums.from_dict(json.loads(json.dumps(document))),
            partsum.ObjectChecksums.from_json(result.to_json()),
        ):
            assert again == result
            assert again.path == result.path
            assert again.to_dict() == document
        assert json.loads(result.to_json()) == document


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=40),
    st.sets(st.sampled_from(oracle.ALGORITHMS), min_size=1),
)
def test_round_trips_of_anything(sizes: list[int], names: set[str]) -> None:
    data = oracle.byte_cycle(sum(sizes))
    result = partsum.hash_bytes(data, sorted(names), part_size=sizes, allow_small_parts=True)
    assert partsum.ObjectChecksums.from_json(result.to_json()) == result
    assert pickle.loads(pickle.dumps(result)) == result


def test_empty_object_round_trips() -> None:
    for part_size in (None, "8MiB", "boto3"):
        result = partsum.hash_bytes(b"", part_size=part_size)
        assert partsum.ObjectChecksums.from_dict(result.to_dict()) == result


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document.pop(key)


def setting(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document.update({key: value})


def sums(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document["checksums"].update(values)


MD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
TAMPERED: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{f"no {key}": without(key) for key in ("format", "size", "multipart", "part_sizes")},
    "no checksums": without("checksums"),
    "another format": setting("format", "partsum.ObjectChecksums/2"),
    "format of another type": setting("format", 1),
    "size too large": setting("size", 2501),
    "size too small": setting("size", 2499),
    "negative size": setting("size", -1),
    "size as text": setting("size", "2500"),
    "size as float": setting("size", 2500.0),
    "multipart as text": setting("multipart", "yes"),
    "parts without multipart": setting("multipart", False),
    "one part too few": setting("part_sizes", [1000, 1500]),
    "one part too many": setting("part_sizes", [1000, 1000, 500, 0]),
    "no parts": setting("part_sizes", []),
    "parts that do not add up": setting("part_sizes", [1000, 1000, 501]),
    "negative part": setting("part_sizes", [3000, -1000, 500]),
    "parts as text": setting("part_sizes", "1000"),
    "part as text": setting("part_sizes", [1000, 1000, "500"]),
    "path as number": setting("path", 5),
    "no algorithm": setting("checksums", {}),
    "checksums as list": setting("checksums", []),
    "unknown algorithm": sums(SHA3=[MD5] * 3),
    "too few checksums": sums(MD5=[MD5] * 2),
    "too many checksums": sums(MD5=[MD5] * 4),
    "checksums as one text": sums(MD5=MD5),
    "checksum of another type": sums(MD5=[MD5, MD5, 5]),
    "checksum of another length": sums(MD5=[MD5, MD5, "AAAAAA=="]),
    "checksum cut short": sums(MD5=[MD5, MD5, MD5[:-1]]),
    "checksum that is not base64": sums(MD5=[MD5, MD5, "1B2M2Y8AsgTp*AmY7PhCfg=="]),
    "checksum in hex": sums(MD5=[MD5, MD5, "d41d8cd98f00b204e9800998ecf8427e"]),
    "checksum with a count": sums(MD5=[MD5, MD5, MD5 + "-3"]),
    "checksum with spare bits": sums(MD5=[MD5, MD5, "1B2M2Y8AsgTpgAmY7PhCfh=="]),
}


@pytest.mark.parametrize("tampering", TAMPERED.values(), ids=TAMPERED)
def test_tampered_input_is_refused(tampering: Callable[[dict[str, Any]], Any]) -> None:
    document = multipart(["MD5", "CRC32"]).to_dict()
    partsum.ObjectChecksums.from_dict(copy.deepcopy(document))
    tampering(document)
    with pytest.raises(ValueError):
        partsum.ObjectChecksums.from_dict(document)
    with pytest.raises(ValueError):
        partsum.ObjectChecksums.from_json(json.dumps(document))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"text"', "{}"])
def test_text_that_is_no_document(text: str) -> None:
    with pytest.raises(ValueError):
        partsum.ObjectChecksums.from_json(text)


def test_results_come_only_from_hashing() -> None:
    made_by_us: Any
    for made_by_us in (partsum.ObjectChecksums, partsum.PartChecksums, partsum.PartPlan):
        with pytest.raises(TypeError):
            made_by_us()


# --- explain -------------------------------------------------------------------------------------


def test_explain_finds_the_refusal_behind_other_exceptions() -> None:
    refusal: Any = Exception("An error occurred (InvalidPart)")
    refusal.response = {"Error": {"Code": "InvalidPart", "PartNumber": "2"}}
    direct = multipart().explain(refusal)
    assert direct is not None
    assert direct.startswith("InvalidPart: part 2 (bytes 1000-1999): ")

    def upload_file() -> None:
        try:
            raise refusal
        except Exception as error:
            raise RuntimeError("upload failed") from error

    with pytest.raises(RuntimeError) as failed:
        upload_file()
    assert multipart().explain(failed.value) == direct
    assert multipart().explain({"Error": {"Code": "InvalidPart"}}, 2) == direct


@pytest.mark.parametrize("error", [None, 5, "text", {}, [], ValueError("no"), {"Error": None}])
def test_explain_says_what_is_no_error_of_s3(error: Any) -> None:
    explained = multipart().explain(error)
    assert explained is not None
    assert "not an error that S3 answered" in explained


def test_explain_never_raises() -> None:
    class Odd(Exception):
        @property
        def response(self) -> Any:
            raise RuntimeError

    number: Any = "2"
    assert multipart().explain(Odd(), number)
    assert multipart().explain({"Error": {"Code": "AccessDenied"}}) is None


# --- ETags as S3 and other stores write them -----------------------------------------------------


@each_shape
def test_matches_etag(shape: Callable[..., partsum.ObjectChecksums]) -> None:
    result = shape(["MD5"])
    etag = result.etag
    for written in (etag, f'"{etag}"', f'W/"{etag}"'):
        assert result.matches_etag(written), written
    hexadecimal, dash, count = etag.partition("-")
    flipped = f"{int(hexadecimal[0], 16) ^ 1:x}{hexadecimal[1:]}"
    wrong = [
        "",
        '""',
        hexadecimal[:-1],
        f'"{flipped}{dash}{count}"',
        f"{hexadecimal}-7",
        "x" + etag,
    ]
    if dash:
        wrong += [hexadecimal, f'"{hexadecimal}"', f"{hexadecimal}-", f"{hexadecimal}-0{count}"]
    else:
        wrong += [f"{hexadecimal}-1"]
    for written in wrong:
        assert not result.matches_etag(written), written
    nothing: Any = None
    with pytest.raises(TypeError):
        result.matches_etag(nothing)
