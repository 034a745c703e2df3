"""HashingReader: boto3 sends it as any body, and it knows its checksums afterwards."""

import io
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from botocore.awsrequest import AWSResponse
from botocore.utils import determine_content_length
from hypothesis import given
from hypothesis import strategies as st
from store import Client, Store

MIB = oracle.MIB
NAMES = ("MD5", "SHA256", "CRC32", "CRC64NVME")
seaweedfs = pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)


@pytest.fixture(scope="module")
def data() -> bytes:
    return oracle.byte_cycle(17 * MIB + 3)


class Plain:
    """A body that can be read, and nothing else."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class Sized(Plain):
    """A body that knows its length."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size = len(data)

    def __len__(self) -> int:
        return self._size


def drained(reader: partsum.HashingReader) -> partsum.HashingReader:
    while reader.read(1_000_003):
        pass
    return reader


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("part_size", ["boto3", "5MiB", None, [5 * MIB, 12 * MIB + 3]])
@pytest.mark.parametrize("wrap", [io.BytesIO, Plain, Sized, bytes, bytearray, memoryview])
def test_any_body(wrap: Callable[[bytes], Any], part_size: Any, data: bytes) -> None:
    reader = partsum.HashingReader(wrap(data), NAMES, part_size=part_size)
    expected = partsum.hash_bytes(data, NAMES, part_size=part_size)
    assert drained(reader).checksums() == expected
    assert reader.checksums() is reader.checksums()


def test_files_maps_and_other_readers(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    expected = partsum.hash_bytes(data)
    with path.open("rb") as file, path.open("rb", buffering=0) as raw:
        assert drained(partsum.HashingReader(file)).checksums() == expected
        assert drained(partsum.HashingReader(raw)).checksums() == expected
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            reader = partsum.HashingReader(mapped)
            assert len(reader) == len(data)  # type: ignore[arg-type]
            assert drained(reader).checksums() == expected
    twice = partsum.HashingReader(partsum.HashingReader(io.BytesIO(data)))
    assert drained(twice).checksums() == expected


def test_empty_body() -> None:
    expected = partsum.hash_bytes(b"")
    assert partsum.HashingReader(b"").checksums() == expected
    assert drained(partsum.HashingReader(Plain(b""))).checksums() == expected


def test_a_body_that_was_read_before() -> None:
    """Positions count from there, and what lies before is no part of it."""
    body = io.BytesIO(b"header" + b"abc")
    body.seek(6)
    reader = partsum.HashingReader(body)
    assert reader.tell() == 0
    assert determine_content_length(reader) == 3
    assert reader.read() == b"abc"
    assert reader.seek(0) == 0
    assert reader.read(1) == b"a"
    assert reader.seek(-1, os.SEEK_END) == 2
    assert reader.seek(-2, os.SEEK_CUR) == 0
    assert reader.checksums() == partsum.hash_bytes(b"abc")


def test_length_only_where_the_body_tells_it() -> None:
    with pytest.raises(TypeError):
        len(partsum.HashingReader(io.BytesIO(b"abc")))  # type: ignore[arg-type]
    assert not hasattr(partsum.HashingReader(Plain(b"abc")), "__len__")
    assert bool(partsum.HashingReader(io.BytesIO(b"")))
    reader = partsum.HashingReader(Sized(b"abc"))
    assert len(reader) == 3  # type: ignore[arg-type]
    assert isinstance(reader, partsum.HashingReader)
    assert determine_content_length(reader) == 3
    assert determine_content_length(partsum.HashingReader(Plain(b"abc"))) is None
    assert determine_content_length(partsum.HashingReader(io.BytesIO(b"abc"))) == 3


def test_a_body_that_cannot_seek() -> None:
    reader = partsum.HashingReader(Plain(b"abc"))
    assert not reader.seekable()
    assert reader.readable()
    assert reader.read(2) == b"ab"
    assert reader.tell() == 2
    with pytest.raises(io.UnsupportedOperation, match="Plain cannot seek"):
        reader.seek(0)
    ends = os.pipe()
    os.close(ends[1])
    with open(ends[0], "rb") as pipe:  # noqa: PTH123
        assert not partsum.HashingReader(pipe).seekable()


def test_readinto() -> None:
    reader = partsum.HashingReader(Plain(b"abcdef"), "MD5")
    room = bytearray(4)
    assert (reader.readinto(room), bytes(room)) == (4, b"abcd")
    assert (reader.readinto(room), bytes(room)) == (2, b"efcd")
    assert reader.readinto(room) == 0
    assert reader.checksums() == partsum.hash_bytes(b"abcdef", "MD5")


def test_close_closes_the_body_and_keeps_the_checksums() -> None:
    body = io.BytesIO(b"abc")
    reader = partsum.HashingReader(body)
    assert reader.read(3) == b"abc"
    reader.close()
    reader.close()
    assert body.closed
    assert reader.checksums() == partsum.hash_bytes(b"abc")
    partsum.HashingReader(Plain(b"")).close()


@pytest.mark.parametrize("body", [None, 5, "path", Path("path"), io.StringIO("text"), [b"a"]])
def test_what_is_no_body(body: Any) -> None:
    with pytest.raises(TypeError):
        partsum.HashingReader(body)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="MD6"):
        partsum.HashingReader(b"", "MD6")
    with pytest.raises(partsum.PartPlanError, match="rclone"):
        partsum.HashingReader(b"", part_size="rclone")


@pytest.mark.parametrize(
    ("value", "error"), [("text", TypeError), (None, BlockingIOError), (5, TypeError)]
)
def test_bodies_that_misbehave(value: Any, error: type[Exception]) -> None:
    body = type("Body", (), {"read": lambda self, size=-1: value})()
    with pytest.raises(error):
        partsum.HashingReader(body).read(10)


# --- order ---------------------------------------------------------------------------------------


@given(
    size=st.integers(0, 3000),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(-1, 900)),
            st.tuples(st.just("seek"), st.integers(0, 4000)),
            st.tuples(st.just("end"), st.integers(-3000, 0)),
        ),
        max_size=25,
    ),
)
def test_any_order_of_reads_and_seeks(size: int, steps: list[tuple[str, int]]) -> None:
    """It is the body in everything; and what was not read in order is missed or made up for."""
    data = oracle.byte_cycle(size)
    body = io.BytesIO(data)
    reader = partsum.HashingReader(io.BytesIO(data), ["MD5", "CRC32"])
    in_order = 0
    for what, number in steps:
        if what == "read":
            before = body.tell()
            piece = body.read(number)
            assert reader.read(number) == piece
            if before <= in_order:
                in_order = max(in_order, before + len(piece))
        elif what == "seek" or size + number < 0:
            assert reader.seek(abs(number)) == body.seek(abs(number))
        else:
            assert reader.seek(number, os.SEEK_END) == body.seek(number, os.SEEK_END)
        assert reader.tell() == body.tell()
    if in_order < size:
        with pytest.raises(partsum.PartsumError):
            reader.checksums()
        reader.seek(in_order)
        assert reader.read() == data[in_order:]
    assert reader.checksums() == partsum.hash_bytes(data, ["MD5", "CRC32"])


def test_bytes_are_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = partsum.HashingReader(io.BytesIO(bytes(1000)))
    fed: list[int] = []

    class Spy:
        def update(self, data: Any) -> None:
            fed.append(len(data))

    monkeypatch.setattr(reader, "_hasher", Spy())
    for _ in range(3):
        reader.seek(0)
        assert len(reader.read(600)) == 600
        assert len(reader.read()) == 400
    assert fed == [600, 400]


def test_a_hole_is_told() -> None:
    reader = partsum.HashingReader(io.BytesIO(bytes(1000)))
    reader.read(100)
    reader.seek(300)
    reader.read()
    with pytest.raises(partsum.PartsumError, match=r"skipped.*up to byte 100, .*up to byte 1000"):
        reader.checksums()
    reader.seek(50)
    reader.read()
    assert reader.checksums() == partsum.hash_bytes(bytes(1000))


def test_not_everything_was_read() -> None:
    reader = partsum.HashingReader(io.BytesIO(bytes(1000)))
    reader.read(100)
    with pytest.raises(partsum.PartsumError, match="900 of 1000 bytes"):
        reader.checksums()
    assert reader.tell() == 100
    plain = partsum.HashingReader(Plain(bytes(1000)))
    plain.read(1000)
    with pytest.raises(partsum.PartsumError, match="end of the body was not seen: 1000"):
        plain.checksums()
    assert plain.read(1) == b""
    assert plain.checksums() == partsum.hash_bytes(bytes(1000))


def test_a_plan_that_does_not_fit_breaks_no_upload() -> None:
    reader = partsum.HashingReader(Plain(bytes(30_000)), part_size=[10, 20])
    drained(reader)
    for _ in range(2):
        with pytest.raises(partsum.PartPlanError):
            reader.checksums()
    short = partsum.HashingReader(b"abc", part_size=[10, 20], allow_small_parts=True)
    assert short.read() == b"abc"
    for _ in range(2):
        with pytest.raises(partsum.PartPlanError):
            short.checksums()


# --- boto3 ---------------------------------------------------------------------------------------


class FailsOnce:
    """The first attempt of a request reads its body, and comes to nothing."""

    def __init__(self, client: Client, operation: str) -> None:
        self.attempts = 0
        self.client = client
        self.event = f"before-send.s3.{operation}"

    def __enter__(self) -> "FailsOnce":
        self.client.meta.events.register(self.event, self.send)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.meta.events.unregister(self.event, self.send)

    def send(self, request: Any, **_: object) -> AWSResponse | None:
        self.attempts += 1
        if self.attempts > 1:
            return None
        request.body.read(100_000)
        answer = AWSResponse(request.url, 503, {}, None)
        answer._content = b""
        return answer


@pytest.fixture
def make_body(tmp_path: Path) -> Callable[..., Any]:
    """make_body(kind, size): a body of that kind."""

    def make(kind: str, size: int = 17 * MIB + 3) -> Any:
        data = oracle.byte_cycle(size)
        if kind == "file":
            path = tmp_path / "body"
            path.write_bytes(data)
            return path.open("rb")
        return {"BytesIO": io.BytesIO, "plain": Plain}[kind](data)

    return make


@seaweedfs
@pytest.mark.parametrize("kind", ["BytesIO", "file"])
@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("calculation", ["when_supported", "when_required"])
def test_put_object(
    kind: str, retry: bool, calculation: str, store: Store, make_body: Callable[..., Any]
) -> None:
    """Signed and checksummed by botocore, which reads the body twice before it sends it."""
    store = store.configured(request_checksum_calculation=calculation)
    with make_body(kind) as body:
        data = body.read()
        body.seek(0)
        reader = partsum.HashingReader(body, NAMES, part_size=None)
        if retry:
            with FailsOnce(store.client, "PutObject") as hook:
                store.client.put_object(**store.where, Body=reader)
            assert hook.attempts == 2
        else:
            store.client.put_object(**store.where, Body=reader)
        sums = reader.checksums()
    assert sums == partsum.hash_bytes(data, NAMES, part_size=None)
    stored = store.head()
    assert sums.matches_etag(stored["ETag"])
    assert stored["ContentLength"] == len(data)


@seaweedfs
@pytest.mark.parametrize("retry", [False, True])
def test_upload_part(retry: bool, store: Store, data: bytes) -> None:
    upload = store.begin(partsum.hash_bytes(data, ["MD5", "CRC32"], part_size=len(data)), "CRC32")
    reader = partsum.HashingReader(io.BytesIO(data), ["MD5", "CRC32"], part_size=None)
    with FailsOnce(store.client, "UploadPart") as hook:
        hook.attempts = 0 if retry else 1
        answer = store.client.upload_part(**upload, PartNumber=1, Body=reader)
    assert hook.attempts == 2
    sums = reader.checksums()
    assert sums.matches_etag(answer["ETag"])
    assert answer["ChecksumCRC32"] == sums.full_object("CRC32")
    store.client.complete_multipart_upload(
        **upload,
        MultipartUpload={
            "Parts": [
                {
                    "PartNumber": 1,
                    "ETag": answer["ETag"],
                    "ChecksumCRC32": answer["ChecksumCRC32"],
                }
            ]
        },
    )
    assert store.head()["ETag"] == f'"{partsum.hash_bytes(data, part_size=len(data)).etag}"'


@seaweedfs
@pytest.mark.parametrize("kind", ["BytesIO", "file", "plain"])
@pytest.mark.parametrize("size", [3 * MIB, 8 * MIB, 17 * MIB + 3])
@pytest.mark.parametrize("retry", [False, True])
def test_upload_fileobj(
    kind: str, size: int, retry: bool, store: Store, make_body: Callable[..., Any]
) -> None:
    """boto3 cuts as part_size="boto3" says, whether it can see the end or not."""
    data = oracle.byte_cycle(size)
    reader = partsum.HashingReader(make_body(kind, size), NAMES)
    operation = "UploadPart" if size >= 8 * MIB else "PutObject"
    if retry:
        with FailsOnce(store.client, operation) as hook:
            store.client.upload_fileobj(reader, *store.where.values())
        assert hook.attempts > 1
    else:
        store.client.upload_fileobj(reader, *store.where.values())
    reader.close()
    sums = reader.checksums()
    assert sums == partsum.hash_bytes(data, NAMES)
    stored = store.head()
    assert sums.matches_etag(stored["ETag"])
    assert stored["ChecksumCRC32"] == sums.checksum("CRC32")


@seaweedfs
def test_rewound_after_the_middle(store: Store, data: bytes) -> None:
    """botocore goes back to 0 for a retry: that has to be where the body began."""
    body = io.BytesIO(data)
    body.seek(MIB)
    reader = partsum.HashingReader(body, NAMES, part_size=None)
    with FailsOnce(store.client, "PutObject"):
        store.client.put_object(**store.where, Body=reader)
    stored = store.head()
    assert stored["ContentLength"] == len(data) - MIB
    assert reader.checksums().matches_etag(stored["ETag"])
