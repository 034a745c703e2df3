"""`partsum.s3.verify_prefix`: trees against real servers, and what it makes of errors."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pickle
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import partsum
import partsum.s3
import pytest
from partsum.s3 import QUIRKS, Entry, EntryStatus, verify_prefix
from store import Store, requests

ClientError = pytest.importorskip("botocore.exceptions").ClientError

MIB = 2**20


def outcomes(entries: Iterator[Entry] | list[Entry]) -> dict[str | None, str]:
    return {entry.key: str(entry.status) for entry in entries}


def quirks_of(store: Store) -> list[str]:
    """What the server needs, as its users would have to say."""
    return ["unsorted-listing"] if store.server.name == "SeaweedFS" else []


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


# Real servers -------------------------------------------------------------------------------------


def test_every_outcome(store: Store, tree: Path, make_file: Callable[..., Path]) -> None:
    """One request for the list, and more only for the file whose bytes differ."""
    large = make_file(20 * MIB + 1).read_bytes()
    same = {"a": b"a", "a-b": b"", "deep/er/a": b"3", "deep/er-": b"4", "é": b"5", "large": large}
    write(tree, {**same, "bytes": b"ours", "only here": b"6", "size": b"ours"})
    (tree / "empty directory").mkdir()
    for name in same:
        store.client.upload_file(str(tree / name), store.bucket, f"in/{name}")
    there = {
        "bytes": b"your",
        "size": b"yours",
        "only there": b"7",
        "deep/": b"",
        "a/x": b"",
        "": b"",
    }
    if store.server.name != "SeaweedFS":  # which keeps files in directories
        there |= {"odd//key": b"", "..": b"", "only there/": b""}
    for name, data in there.items():
        store.client.put_object(Bucket=store.bucket, Key=f"in/{name}", Body=data)
    store.client.put_object(Bucket=store.bucket, Key="in.txt", Body=b"not below the prefix")
    with requests(store.client) as seen:
        entries = list(
            verify_prefix(store.client, tree, store.bucket, "in/", quirks=quirks_of(store))
        )
    keys = [entry.key for entry in entries]
    assert keys == sorted(keys, key=lambda key: str(key).encode())
    expected = dict.fromkeys(same, "MATCH")
    expected |= {"bytes": "MISMATCH", "size": "MISMATCH", "only here": "ONLY_LOCAL"}
    expected |= dict.fromkeys(there.keys() - expected.keys() - {"", "deep/"}, "ONLY_REMOTE")
    found = {str(key).removeprefix("in/"): status for key, status in outcomes(entries).items()}
    markers = {name: found.pop(name) for name in ("", "deep/") if name in found}
    assert set(markers.values()) <= {"MATCH"}
    assert found == expected
    assert seen == ["ListObjectsV2", "HeadObject"]
    for entry in entries:
        assert entry.path is None or Path(entry.path).exists()
        assert (entry.path is None) == (entry.status == "ONLY_REMOTE")
    reasons = {entry.key: entry.reason for entry in entries}
    assert reasons["in/large"] == "size, ETag agree"
    assert reasons["in/size"] == "the size is 5 bytes in S3, 4 here"
    store.client.delete_object(Bucket=store.bucket, Key="in.txt")


def test_a_part_that_differs(store: Store, tree: Path, make_file: Callable[..., Path]) -> None:
    """The list, then as for one object alone."""
    data = make_file(20 * MIB + 1).read_bytes()
    write(tree, {"large": data})
    store.client.upload_file(str(tree / "large"), store.bucket, "large")
    write(tree, {"large": data[: 9 * MIB] + b"\0" + data[9 * MIB + 1 :]})
    with requests(store.client) as seen:
        (entry,) = verify_prefix(store.client, tree, store.bucket)
    assert (entry.status, bool(entry)) == ("MISMATCH", False)
    assert seen[:3] == ["ListObjectsV2", "HeadObject", "GetObjectAttributes"]
    assert seen[3:] in ([], [f"HeadObject {number}" for number in (1, 2, 3)])
    if store.server.name == "SeaweedFS":  # which keeps no checksums of parts
        assert entry.bad_parts == ()
    else:
        assert entry.bad_parts == ((2, 8 * MIB, 8 * MIB),)
        assert "part 2" in entry.reason


@pytest.mark.parametrize("server", ["localstack", "fakecloud"], indirect=True)
def test_pages_and_order(store: Store, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of UTF-8 are the order: neither that of UTF-16, nor directory by directory."""
    names = ["a", "a-", "a/b", "a/b-c", "a/b.", "a0", "A", "~", "b/c", "b-"]
    if store.server.name != "LocalStack":  # which loses such keys at the end of a page
        names += ["\uff61", "\U00010000", "é", "e\u0301"]
    write(tree, {name: name.encode() for name in names if name != "a"})
    for name in names:
        store.client.put_object(Bucket=store.bucket, Key=name, Body=name.encode())
    asked = store.client.list_objects_v2
    monkeypatch.setattr(
        store.client, "list_objects_v2", lambda **arguments: asked(**arguments, MaxKeys=2)
    )
    with requests(store.client) as seen:
        entries = list(verify_prefix(store.client, tree, store.bucket))
    assert [entry.key for entry in entries] == sorted(names, key=str.encode)
    assert outcomes(entries) == {**dict.fromkeys(names, "MATCH"), "a": "ONLY_REMOTE"}
    assert Counter(seen) == {"ListObjectsV2": len(names) // 2}


def test_a_request_that_fails(store: Store, tree: Path) -> None:
    """It costs its own entry alone."""
    write(tree, dict.fromkeys("abc", b"ours"))
    for name in "abc":
        store.client.put_object(Bucket=store.bucket, Key=name, Body=b"your")

    def deny(params: Any, **more: object) -> None:
        if params["url_path"].endswith("/b"):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "HeadObject")

    store.client.meta.events.register("before-call.s3.HeadObject", deny)
    try:
        entries = list(verify_prefix(store.client, tree, store.bucket))
    finally:
        store.client.meta.events.unregister("before-call.s3.HeadObject", deny)
    assert outcomes(entries) == {"a": "MISMATCH", "b": "ERROR", "c": "MISMATCH"}
    assert "AccessDenied" in entries[1].reason


def test_a_list_that_fails(store: Store, tree: Path) -> None:
    with pytest.raises(ClientError):
        list(verify_prefix(store.client, tree, "no-such-bucket"))


@pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)
def test_a_list_out_of_order(store: Store, tree: Path) -> None:
    for key in ("a/b", "a-"):
        store.client.put_object(Bucket=store.bucket, Key=key, Body=b"")
    with pytest.raises(partsum.PartsumError, match=r"'a-' comes after 'a/b'.*unsorted-listing"):
        list(verify_prefix(store.client, tree, store.bucket))
    entries = verify_prefix(store.client, tree, store.bucket, quirks="unsorted-listing")
    assert outcomes(entries) == {"a-": "ONLY_REMOTE", "a/b": "ONLY_REMOTE"}


@pytest.mark.parametrize("server", ["seaweedfs", "localstack"], indirect=True)
def test_customer_keys(store: Store, tree: Path) -> None:
    """The key goes to HeadObject, the only one that takes it; without it there is an ERROR."""
    customer: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    write(tree, {"same": b"same", "wrong": b"ours"})
    for name in ("same", "wrong"):
        where = {"Bucket": store.bucket, "Key": name}
        store.client.put_object(**where, Body=b"same", ChecksumAlgorithm="SHA256", **customer)
    entries = outcomes(verify_prefix(store.client, tree, store.bucket, **customer))
    assert entries == {"same": "MATCH", "wrong": "MISMATCH"}
    assert outcomes(verify_prefix(store.client, tree, store.bucket))["wrong"] == "ERROR"


# The directory ------------------------------------------------------------------------------------


class Fake:
    """A client with objects that answer as they are told to; thread-safe enough."""

    def __init__(self, objects: dict[str, dict[str, Any]], page: int = 1000) -> None:
        self.objects = objects
        self.page = page
        self.seen: list[str] = []

    def list_objects_v2(self, **arguments: Any) -> dict[str, Any]:
        self.seen.append("list")
        begin = int(arguments.get("ContinuationToken", 0))
        keys = sorted(self.objects, key=str.encode)
        page = [key for key in keys if key.startswith(arguments["Prefix"])][begin:]
        contents = [self.listed(key) for key in page[: self.page]]
        more = len(page) > self.page
        token = {"NextContinuationToken": str(begin + self.page)} if more else {}
        return {"Contents": contents, "IsTruncated": more, **token}

    def listed(self, key: str) -> dict[str, Any]:
        answer = self.objects[key]
        return {"Key": key, "Size": answer["ContentLength"], "ETag": answer["ETag"]}

    def head_object(self, **arguments: Any) -> dict[str, Any]:
        self.seen.append("head")
        return self.objects[arguments["Key"]]


def plain(data: bytes) -> dict[str, Any]:
    """HeadObject's answer for a PutObject."""
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"ContentLength": len(data), "ETag": f'"{etag}"'}


def encrypted(data: bytes) -> dict[str, Any]:
    """The same with SSE-KMS."""
    crc = partsum.new("CRC64NVME", data).b64digest()
    answer = {"ETag": f'"{"0" * 32}"', "ServerSideEncryption": "aws:kms"}
    return {**plain(data), **answer, "ChecksumCRC64NVME": crc, "ChecksumType": "FULL_OBJECT"}


def test_names_that_are_no_keys_and_keys_that_are_no_names(tree: Path) -> None:
    os.close(os.open(os.fsencode(tree) + b"/not utf-8 \xff", os.O_CREAT))
    (tree / "up").mkdir()
    (tree.parent / "outside").write_bytes(b"a")
    keys = ["../outside", "./up", "up", "up//x", "up/", "up/../../outside", "x\0y", "/etc/passwd"]
    client = Fake({**{f"in/{key}": plain(b"a") for key in keys}, "in/up/": plain(b"")})
    entries = list(verify_prefix(client, tree, "bucket", "in/"))
    there: dict[str | None, str] = {f"in/{key}": "ONLY_REMOTE" for key in keys}
    assert outcomes(entries) == {**there, "in/up/": "MATCH", None: "ONLY_LOCAL"}
    (lost,) = (entry for entry in entries if entry.key is None)
    assert json.loads(lost.to_json())["path"] == lost.path
    assert os.fsencode(str(lost.path)).endswith(b"\xff")
    assert client.seen == ["list"]


def test_a_prefix_without_its_slash(tree: Path) -> None:
    """It is taken as it is, and the reason says what may have been meant."""
    write(tree, {"a": b"a"})
    client = Fake({"in/a": plain(b"a"), "in-a": plain(b"a"), "in": plain(b"")})
    entries = list(verify_prefix(client, tree, "bucket", "in"))
    assert outcomes(entries) == {
        "in": "ONLY_REMOTE",
        "in-a": "ONLY_REMOTE",
        "in/a": "ONLY_REMOTE",
        "ina": "ONLY_LOCAL",
    }
    assert "does Prefix lack one" in entries[2].reason
    assert outcomes(verify_prefix(client, tree, "bucket", "in-")) == {"in-a": "MATCH"}


def test_what_is_neither_file_nor_directory(tree: Path) -> None:
    """It is never opened: a FIFO would wait for ever."""
    (tree / "dir").mkdir()
    write(tree, {"dir/file": b"a"})
    os.mkfifo(tree / "fifo")
    (tree / "broken").symlink_to("nowhere")
    (tree / "link").symlink_to("dir/file")
    (tree / "linked").symlink_to("dir")
    (tree / "dir" / "loop").symlink_to("..")
    with contextlib.ExitStack() as stack:
        folder = os.open(tree, os.O_DIRECTORY)
        stack.callback(os.close, folder)
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.bind(f"/proc/self/fd/{folder}/socket")  # a path of its own may be too long
        keys = ["dir/file", "dir/loop/x", "fifo", "link", "linked/file", "socket"]
        client = Fake({key: plain(b"a") for key in keys})
        followed = outcomes(verify_prefix(client, tree, "bucket"))
        left = outcomes(verify_prefix(client, tree, "bucket", follow_symlinks=False))
    assert followed == {
        "broken": "ERROR",
        "dir/file": "MATCH",
        "dir/loop/": "ERROR",
        "dir/loop/x": "ERROR",
        "fifo": "NOT_COMPARABLE",
        "link": "MATCH",
        "linked/file": "MATCH",
        "linked/loop/": "ERROR",
        "socket": "NOT_COMPARABLE",
    }
    links = ["broken", "dir/loop", "link", "linked"]
    assert left == {
        **dict.fromkeys(["fifo", "socket", *links], "NOT_COMPARABLE"),
        "dir/file": "MATCH",
        "dir/loop/x": "ONLY_REMOTE",
        "linked/file": "ONLY_REMOTE",
    }


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory of somebody who is not root, whom permissions bind."""
    with tempfile.TemporaryDirectory(prefix="partsum-prefix-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        was = os.geteuid()
        if was == 0:
            os.chown(path, 65534, -1)
            os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(was)
            for each in path.rglob("*"):
                each.chmod(0o700)


def test_what_may_not_be_read(unprivileged: Path) -> None:
    """Nobody knows what is in a directory that is closed, so nothing is said of its objects."""
    write(unprivileged, {"a": b"a", "closed file": b"a", "closed/a": b"a", "z": b"a"})
    (unprivileged / "closed file").chmod(0)
    (unprivileged / "closed").chmod(0)
    keys = ["a", "closed file", "closed-", "closed/a", "closed/b", "z"]
    entries = verify_prefix(Fake({key: plain(b"a") for key in keys}), unprivileged, "bucket")
    assert outcomes(entries) == {
        "a": "MATCH",
        "closed file": "ERROR",
        "closed-": "ONLY_REMOTE",
        "closed/": "ERROR",
        "closed/a": "ERROR",
        "closed/b": "ERROR",
        "z": "MATCH",
    }
    for status in ("absent", "a"):
        with pytest.raises(OSError, match=status):
            verify_prefix(Fake({}), unprivileged / status, "bucket")


def test_a_file_that_goes(tree: Path) -> None:
    write(tree, dict.fromkeys("abc", b"a"))
    client = Fake({name: plain(b"a") for name in "abc"})
    entries = verify_prefix(client, tree, "bucket")
    listed = client.listed

    def remove(key: str) -> dict[str, Any]:
        # It is in the walk's hands by the time that the second page is asked for.
        (tree / "b").unlink(missing_ok=True)
        return listed(key)

    def page(**arguments: Any) -> dict[str, Any]:
        if "ContinuationToken" in arguments:
            (tree / "b").unlink(missing_ok=True)
        return Fake.list_objects_v2(client, **arguments)

    client.page = 1
    client.list_objects_v2 = page  # type: ignore[method-assign]
    found = outcomes(entries)
    assert {found["a"], found["c"]} == {"MATCH"}
    assert found["b"] in ("ERROR", "ONLY_REMOTE")


# What S3 says -------------------------------------------------------------------------------------


def test_etags_that_are_no_md5s(tree: Path) -> None:
    """HeadObject decides, once for each; soon it comes first, and files are read once."""
    write(tree, {f"{number:04}": b"%d" % number for number in range(3000)})
    objects = {path.name: encrypted(path.read_bytes()) for path in tree.iterdir()}
    objects["0007"] |= {"ChecksumCRC64NVME": "AAAAAAAAAAA="}
    objects["2999"] = plain(b"2999")
    client = Fake(objects)
    hashed: list[int] = []
    entries = list(verify_prefix(client, tree, "bucket", progress=hashed.append))
    wrong = [entry.key for entry in entries if not entry]
    assert (len(entries), wrong) == (3000, ["0007"])
    assert client.seen.count("head") in (2999, 3000)
    once = sum(path.stat().st_size for path in tree.iterdir())
    assert once <= sum(hashed) < 2 * once


def test_encrypted_without_checksum(tree: Path) -> None:
    write(tree, {"a": b"a"})
    answer = {name: value for name, value in encrypted(b"a").items() if "Checksum" not in name}
    (entry,) = verify_prefix(Fake({"a": answer}), tree, "bucket")
    assert entry.status is EntryStatus.NOT_COMPARABLE
    assert "SSE-KMS" in entry.reason


def with_etag(etag: str, **more: Any) -> dict[str, Any]:
    return {**plain(b"a"), "ETag": f'"{etag}"', **more}


MULTIPART = hashlib.md5(hashlib.md5(b"a", usedforsecurity=False).digest(), usedforsecurity=False)
CRC = {"ChecksumCRC32": "6Le+Qw==", "ChecksumType": "FULL_OBJECT"}


@pytest.mark.parametrize(
    ("quirk", "answer", "without", "with_it", "heads"),
    [
        (
            "ceph",
            with_etag("0" * 32, ServerSideEncryption="aws:kms"),
            "NOT_COMPARABLE",
            "MISMATCH",
            1,
        ),
        ("etag-not-md5", with_etag("0" * 32), "MISMATCH", "NOT_COMPARABLE", 1),
        ("etag-not-md5", with_etag("0" * 32, **CRC), "MISMATCH", "MATCH", 1),
        ("multipart-etag-not-md5", with_etag("0" * 32 + "-1"), "MISMATCH", "NOT_COMPARABLE", 1),
        ("multipart-etag-not-md5", plain(b"a"), "MATCH", "MATCH", 0),
        (
            "multipart-etag-not-md5",
            with_etag(f"{MULTIPART.hexdigest()}-1", **CRC),
            "MATCH",
            "MATCH",
            1,
        ),
    ],
)
def test_quirks(
    quirk: str, answer: dict[str, Any], without: str, with_it: str, heads: int, *, tree: Path
) -> None:
    """Each says what changes, in a prefix and in one object, and nothing else does."""
    write(tree, {"a": b"a"})
    client = Fake({"a": answer})
    for quirks, expected in (((), without), (quirk, with_it)):
        (entry,) = verify_prefix(client, tree, "bucket", quirks=quirks)
        verdict = partsum.s3.verify_object(client, tree / "a", "bucket", "a", quirks=quirks)
        assert (str(entry.status), str(verdict.status)) == (expected, expected)
    client.seen.clear()
    list(verify_prefix(client, tree, "bucket", quirks=[quirk]))
    assert client.seen.count("head") == heads


def test_without_object_attributes(tree: Path) -> None:
    """The request that such a store refuses is not made."""
    data = bytes(range(256)) * 2
    algorithms, sizes = ("MD5", "SHA256"), [256, 256]
    sums = partsum.hash_bytes(data, algorithms, part_size=sizes, allow_small_parts=True)
    whole = {"ContentLength": 512, "ETag": f'"{sums.etag}"', "ChecksumType": "COMPOSITE"}
    (tree / "a").write_bytes(data)

    class Client(Fake):
        def head_object(self, **arguments: Any) -> dict[str, Any]:
            number = arguments.get("PartNumber")
            if number is None:
                return {**whole, "ChecksumSHA256": sums.composite("SHA256")}
            self.seen.append(f"head {number}")
            part = sums.parts[number - 1]
            place = {"ContentLength": 256, "PartsCount": 2}
            span = f"bytes {part.offset}-{part.offset + 255}/512"
            return {
                **whole,
                **place,
                "ContentRange": span,
                "ChecksumSHA256": part.checksum("SHA256"),
            }

        def get_object_attributes(self, **arguments: Any) -> dict[str, Any]:
            raise AssertionError("asked for attributes")

    client = Client({"a": whole})
    quirks = "no-object-attributes"
    assert partsum.s3.verify_object(client, tree / "a", "b", "a", quirks=quirks)
    assert all(verify_prefix(client, tree, "b", quirks=quirks))
    assert client.seen.count("head 1") == client.seen.count("head 2") == 2


@pytest.mark.parametrize("more", [{}, {"PartsCount": 3}], ids=["silent", "counts them always"])
def test_a_store_that_knows_no_part_numbers(more: dict[str, Any], tree: Path) -> None:
    """It answers for the whole object: one such answer is enough."""
    data = bytes(12 * MIB)
    (tree / "a").write_bytes(data)
    etag = partsum.hash_file(tree / "a", "MD5", part_size="5MiB").etag
    answer = {"ContentLength": len(data), "ETag": f'"{etag}"', **more}
    client = Fake({"a": {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}})
    verdict = partsum.s3.verify_object(client, tree / "a", "b", "a")
    assert (verdict.status, client.seen) == ("MATCH", ["head", "head"])
    client.get_object_attributes = lambda **arguments: {}  # type: ignore[attr-defined]
    with pytest.raises(partsum.PartsumError, match="does not tell the parts of a"):
        partsum.s3.object_plan(client, "b", "a")


def test_quirks_have_their_sources() -> None:
    assert list(QUIRKS) == sorted(QUIRKS)
    for name, quirk in QUIRKS.items():
        assert quirk.name == name
        assert all(quirk)


@pytest.mark.parametrize("quirks", ["cehp", ["ceph", "cehp"]])
def test_unknown_quirks(quirks: Any, tree: Path) -> None:
    with pytest.raises(ValueError, match=r"cehp.*there are ceph, etag-not-md5"):
        verify_prefix(Fake({}), tree, "bucket", quirks=quirks)
    with pytest.raises(ValueError, match=r"cehp.*there are ceph, etag-not-md5"):
        partsum.s3.verify_object(Fake({}), tree, "bucket", "key", quirks=quirks)


def test_wrong_arguments_are_refused_at_once(tree: Path) -> None:
    wrong: list[dict[str, Any]] = [{"threads": 0}, {"io": "fast"}, {"requests": 0}]
    for arguments in wrong:
        with pytest.raises(ValueError, match=next(iter(arguments))):
            verify_prefix(Fake({}), tree, "bucket", **arguments)


def test_arguments_go_where_they_belong(tree: Path) -> None:
    """list_objects_v2 takes no keys of the customer's."""
    write(tree, {"a": b"a"})
    asked: dict[str, set[str]] = {}

    class Client(Fake):
        def list_objects_v2(self, **arguments: Any) -> dict[str, Any]:
            asked["list"] = set(arguments)
            return super().list_objects_v2(**arguments)

        def head_object(self, **arguments: Any) -> dict[str, Any]:
            asked["head"] = set(arguments)
            return super().head_object(**arguments)

    more: dict[str, Any] = {
        "RequestPayer": "requester",
        "SSECustomerKey": "k",
        "SSECustomerAlgorithm": "AES256",
    }
    (entry,) = verify_prefix(Client({"a": encrypted(b"a")}), tree, "bucket", **more)
    assert entry
    assert asked["list"] == {"Bucket", "Prefix", "RequestPayer"}
    assert asked["head"] == {"Bucket", "Key", "ChecksumMode", *more}


def test_directory_buckets_need_no_switch(tree: Path) -> None:
    """Their lists are in no order, and their ETags are no MD5s."""
    write(tree, dict.fromkeys(("a", "b", "c"), b"a"))

    class Client(Fake):
        def list_objects_v2(self, **arguments: Any) -> dict[str, Any]:
            answer = super().list_objects_v2(**arguments)
            for entry in answer["Contents"]:
                entry["StorageClass"] = "EXPRESS_ONEZONE"
            answer["Contents"].reverse()
            return answer

    answer = with_etag("0" * 32, StorageClass="EXPRESS_ONEZONE", **CRC)
    client = Client(dict.fromkeys("abc", answer))
    entries = list(verify_prefix(client, tree, "bucket--usw2-az1--x-s3"))
    assert [(entry.key, bool(entry)) for entry in entries] == [
        ("a", True),
        ("b", True),
        ("c", True),
    ]
    assert client.seen == ["list", "head", "head", "head"]


# Many of them -------------------------------------------------------------------------------------


def test_requests_overlap(tree: Path) -> None:
    """As many as allowed are under way at once, and never more."""
    write(tree, {f"{number:02}": b"a" for number in range(24)})
    gate = threading.Barrier(4)
    running = [0]
    most = [0]
    lock = threading.Lock()

    class Client(Fake):
        def head_object(self, **arguments: Any) -> dict[str, Any]:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            gate.wait(timeout=30)  # nobody gets on before four are here
            with lock:
                running[0] -= 1
            return super().head_object(**arguments)

    client = Client({f"{number:02}": encrypted(b"a") for number in range(24)})
    assert all(verify_prefix(client, tree, "bucket", requests=4))
    assert most[0] == 4


def test_the_list_is_not_run_ahead_of(tree: Path) -> None:
    """Memory does not grow with the number of keys: pages are asked for as entries are taken."""
    client = Fake({f"{number:06}": plain(b"a") for number in range(50_000)})
    entries = verify_prefix(client, tree, "bucket")
    assert client.seen == []
    assert next(entries).status == "ONLY_REMOTE"
    assert len(client.seen) <= 5
    assert sum(1 for _ in entries) == 49_999
    assert len(client.seen) == 50


def threads_of_ours() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("partsum-")]


def test_closing_ends_it(tree: Path) -> None:
    write(tree, {f"{number:04}": b"a" for number in range(2000)})
    client = Fake({f"{number:04}": encrypted(b"a") for number in range(2000)})
    entries = verify_prefix(client, tree, "bucket", requests=2)
    assert next(entries)
    entries.close()
    assert threads_of_ours() == []
    assert client.seen.count("head") < 2000


def test_progress(tree: Path) -> None:
    write(tree, {name: bytes(1000) for name in "abc"})
    client = Fake({name: plain(bytes(1000)) for name in "abc"})
    seen: list[int] = []
    assert all(verify_prefix(client, tree, "bucket", progress=seen.append))
    assert sum(seen) == 3000


@pytest.mark.parametrize("answer", [plain, encrypted])
def test_progress_that_raises(answer: Callable[[bytes], dict[str, Any]], tree: Path) -> None:
    write(tree, {name: bytes(1000) for name in "abc"})
    client = Fake({name: answer(bytes(1000)) for name in "abc"})
    error = OSError("not of a file")

    def fail(count: int) -> None:
        raise error

    with pytest.raises(OSError, match="not of a file") as raised:
        list(verify_prefix(client, tree, "bucket", progress=fail))
    assert raised.value is error
    assert threads_of_ours() == []


def test_entries() -> None:
    part = partsum.BadPart(2, 5, 10)
    entry = Entry("é", "tree/é", EntryStatus.MISMATCH, "why", ("size",), (part,))
    assert json.loads(entry.to_json()) == entry.to_dict()
    assert "\n" not in entry.to_json()
    assert entry.to_dict()["bad_parts"] == [{"number": 2, "offset": 5, "size": 10}]
    assert pickle.loads(pickle.dumps(entry)) == entry
    assert hash(entry) == hash(dataclasses.replace(entry))
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.key = "a"  # type: ignore[misc]
    assert {str(status) for status in partsum.Status} < {str(status) for status in EntryStatus}
