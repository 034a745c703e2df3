"""`partsum.s3.upload_file` over a bad network, and killed: the object is right or absent.

The proxy before the server has the faults, and counts the requests: nothing is sent twice that need
not be.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import partsum
import partsum.s3
import proxy
import pytest
from launch import Server
from partsum import Status
from proxy import Exchange, Fault, Proxy
from store import Local, Store

ClientError = pytest.importorskip("botocore.exceptions").ClientError
BotoCoreError = pytest.importorskip("botocore.exceptions").BotoCoreError

MIB = 2**20
UNEVEN = [5 * MIB + 1, 5 * MIB + 12_345, 777]
PARTS = ["UploadPart 1", "UploadPart 2", "UploadPart 3"]
CREATE, COMPLETE, ABORT = "CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload"
LIST, HEAD = "ListMultipartUploads", "HeadObject"

on_seaweedfs = pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)
on_two = pytest.mark.parametrize("server", ["seaweedfs", "fakecloud"], indirect=True)


@dataclass(frozen=True)
class Scene:
    """A bucket, the proxy before it, and a file to be uploaded through that."""

    store: Store
    proxy: Proxy
    file: Local

    def upload(self, **more: Any) -> partsum.s3.UploadResult:
        """Upload the file; the client makes two attempts."""
        arguments: dict[str, Any] = {**self.store.where, "part_size": UNEVEN, **more}
        client = self.store.connect(self.proxy.server)
        return partsum.s3.upload_file(client, self.file.path, **arguments)

    def is_right(self) -> bool:
        """Whether the object has the file's bytes; False if there is none. It is never wrong."""
        if self.store.keys() == []:
            return False
        got = self.store.client.get_object(**self.store.where)["Body"].read()
        assert got == self.file.data
        return True

    def uploads(self) -> list[str]:
        """The ids of unfinished uploads."""
        listed = self.store.client.list_multipart_uploads(Bucket=self.store.bucket)
        return [upload["UploadId"] for upload in listed.get("Uploads", ())]


@pytest.fixture
def scene(server: Server, store: Store, local: Callable[..., Local]) -> Iterator[Scene]:
    with proxy.proxy(server) as running:
        yield Scene(store, running, local(UNEVEN))


# What another attempt mends ----------------------------------------------------------------------

TWICE: dict[str, Fault] = {
    "dropped": proxy.dropped,
    "cut": proxy.cut,
    "lost": proxy.lost,
    "500": proxy.answered(500, "InternalError"),
    "503": proxy.answered(503, "SlowDown"),
    "500 after it was done": proxy.answered(500, "InternalError", after=True),
}
ONCE: dict[str, Fault] = {"slow": proxy.slow, "twice": proxy.twice}


@on_seaweedfs
@pytest.mark.parametrize("fault", [*TWICE, *ONCE])
@pytest.mark.parametrize("request_name", [CREATE, PARTS[1], COMPLETE, "PutObject"])
def test_one_fault(request_name: str, fault: str, scene: Scene) -> None:
    """botocore tries again; the progress comes to the size of the file all the same."""
    scene.proxy.next(request_name, (TWICE | ONCE)[fault])
    sizes = None if request_name == "PutObject" else UNEVEN
    calls: list[int] = []
    result = scene.upload(part_size=sizes, Callback=calls.append)
    assert result.verdict.status is Status.MATCH
    assert scene.is_right()
    assert sum(calls) == len(scene.file.data)
    attempts = 1 if fault in ONCE else 2
    expected = ["PutObject"] if sizes is None else [CREATE, *PARTS, COMPLETE]
    expected += [request_name] * (attempts - 1)
    asked = [name for name in scene.proxy.requests if name not in ("ListParts", HEAD)]
    assert sorted(asked) == sorted(expected)
    # The one that was begun, and whose name nobody got.
    orphan = request_name == CREATE and fault in ("lost", "500 after it was done", "twice")
    assert len(scene.uploads()) == orphan


@on_two
@pytest.mark.parametrize("sizes", [None, UNEVEN], ids=["at once", "in parts"])
def test_bytes_that_change_on_the_way(sizes: list[int] | None, scene: Scene) -> None:
    """S3 refuses them, and the file is not to blame: one more attempt, then it is an error."""
    name = PARTS[1] if sizes else "PutObject"
    scene.proxy.next(name, proxy.flipped)
    assert scene.upload(part_size=sizes).verdict
    assert scene.proxy.requests.count(name) == 2
    assert scene.is_right()
    scene.store.client.delete_object(**scene.store.where)
    scene.proxy.always[name] = proxy.flipped
    with pytest.raises(ClientError) as refusal:
        scene.upload(part_size=sizes)
    assert refusal.value.response["Error"]["Code"] in ("BadDigest", "XAmzContentSHA256Mismatch")
    assert f"part {2 if sizes else 1} (bytes " in refusal.value.__notes__[0]
    assert not scene.is_right()
    assert scene.uploads() == []


# The end ------------------------------------------------------------------------------------------


@on_two
@pytest.mark.parametrize("after", [False, True], ids=["undone", "done"])
def test_an_error_in_a_200(after: bool, scene: Scene) -> None:
    """botocore takes it for a 500 and tries again."""
    scene.proxy.next(COMPLETE, proxy.answered(200, "InternalError", after=after))
    result = scene.upload()
    assert result.verdict
    assert scene.is_right()
    assert scene.proxy.requests.count(COMPLETE) == 2
    assert set(scene.proxy.requests) - {CREATE, *PARTS, COMPLETE} <= ({HEAD} if after else set())


DONE = {
    "lost": proxy.lost,
    "500": proxy.answered(500, "InternalError", after=True),
    "error in a 200": proxy.answered(200, "InternalError", after=True),
}


@on_two
@pytest.mark.parametrize("condition", [{}, {"IfNoneMatch": "*"}], ids=["", "IfNoneMatch"])
@pytest.mark.parametrize("fault", DONE)
def test_no_answer_says_that_it_is_done(
    fault: str,
    condition: dict[str, str],
    scene: Scene,
) -> None:
    """The upload is over, and the object is there: it was completed."""
    scene.proxy.always[COMPLETE] = DONE[fault]
    result = scene.upload(ExtraArgs=condition)
    assert scene.is_right()
    assert result.verdict.status is Status.MATCH
    assert "size" in result.verdict.evidence  # HeadObject's
    assert result.response["ContentLength"] == len(scene.file.data)
    assert result.parts_sent == (1, 2, 3)
    assert scene.proxy.requests[-4:] == [COMPLETE, COMPLETE, "ListParts", HEAD]
    assert ABORT not in scene.proxy.requests


UNDONE = {
    "dropped": proxy.dropped,
    "500": proxy.answered(500, "InternalError"),
    "error in a 200": proxy.answered(200, "InternalError"),
    "refused": proxy.answered(400, "InvalidPart"),
}


@on_two
@pytest.mark.parametrize("there", [False, True], ids=["", "same bytes there before"])
@pytest.mark.parametrize("fault", UNDONE)
def test_it_is_not_done(fault: str, there: bool, scene: Scene) -> None:
    """An error, even if the object that is there has the same bytes: it is somebody else's."""
    if there:
        scene.store.client.put_object(**scene.store.where, Body=scene.file.data)
    scene.proxy.always[COMPLETE] = UNDONE[fault]
    with pytest.raises((ClientError, BotoCoreError)):
        scene.upload()
    assert scene.is_right() == there
    assert scene.uploads() == []
    asked = [] if fault == "refused" else ["ListParts"]
    assert scene.proxy.requests[4:] == [COMPLETE] * (1 if fault == "refused" else 2) + asked + [
        ABORT
    ]


@on_two
def test_nobody_can_say_whether_it_is_done(scene: Scene) -> None:
    """Then it is an error, and the object is right nevertheless."""
    scene.proxy.always[COMPLETE] = proxy.lost
    scene.proxy.always["ListParts"] = proxy.dropped
    scene.proxy.always[ABORT] = proxy.dropped
    with pytest.raises(BotoCoreError) as failure:
        scene.upload()
    found_out, aborted = failure.value.__notes__
    assert "could not be found out" in found_out
    assert "could not be aborted" in aborted
    assert scene.is_right()


@on_two
@pytest.mark.parametrize("sizes", [None, UNEVEN], ids=["at once", "in parts"])
def test_a_condition_that_fails(sizes: list[int] | None, scene: Scene) -> None:
    """A retry of ours may meet our own object; without one, it is somebody else's."""
    more = {"part_size": sizes, "ExtraArgs": {"IfNoneMatch": "*"}}
    last = COMPLETE if sizes else "PutObject"
    scene.proxy.next(last, proxy.lost)
    assert scene.upload(**more).verdict
    assert scene.is_right()
    with pytest.raises(ClientError) as refusal:
        scene.upload(**more)
    assert refusal.value.response["Error"]["Code"] == "PreconditionFailed"
    assert scene.uploads() == []


# Parts --------------------------------------------------------------------------------------------


@on_seaweedfs
@pytest.mark.parametrize("fault", ["dropped", "cut", "lost", "500", "503"])
def test_a_part_that_never_gets_through(fault: str, scene: Scene) -> None:
    """The upload is aborted; or kept, and then resumed."""
    scene.proxy.always[PARTS[1]] = TWICE[fault]
    with pytest.raises((ClientError, BotoCoreError)):
        scene.upload()
    assert scene.proxy.requests[-1] == ABORT
    assert (scene.uploads(), scene.is_right()) == ([], False)
    with pytest.raises((ClientError, BotoCoreError)):
        scene.upload(resume=True, max_concurrency=1)
    assert len(scene.uploads()) == 1
    del scene.proxy.always[PARTS[1]]
    scene.proxy.requests.clear()
    assert scene.upload(resume=True).verdict
    missing = PARTS[2:] if fault == "lost" else PARTS[1:]
    assert sorted(scene.proxy.requests) == sorted([LIST, "ListParts", *missing, COMPLETE])
    assert scene.is_right()


@on_seaweedfs
def test_abort_fails(scene: Scene) -> None:
    scene.proxy.always[PARTS[2]] = proxy.answered(503, "SlowDown")
    scene.proxy.always[ABORT] = proxy.answered(403, "AccessDenied")
    with pytest.raises(ClientError) as failure:
        scene.upload()
    assert failure.value.response["Error"]["Code"] == "SlowDown"
    (note,) = failure.value.__notes__
    assert scene.uploads()[0] in note
    assert "AccessDenied" in note


# Killed -------------------------------------------------------------------------------------------

UPLOADER = """
import json, sys
import boto3
from botocore.config import Config
import partsum.s3
path, client, arguments = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
client = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **client)
partsum.s3.upload_file(client, path, **arguments)
"""


class Uploader:
    """upload_file in a process of its own, which a fault can send a signal to."""

    def __init__(self, scene: Scene, **more: object) -> None:
        self.arguments = [
            str(scene.file.path),
            json.dumps(scene.proxy.server.client_kwargs),
            json.dumps({**scene.store.where, "part_size": UNEVEN, **more}),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> tuple[int, str]:
        self.process = subprocess.Popen(
            [sys.executable, "-c", UPLOADER, *self.arguments], stderr=subprocess.PIPE
        )
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err.decode()

    def signal(self, number: int) -> None:
        while self.process is None:
            time.sleep(0.01)
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)

    def killed(self, when: str) -> Fault:
        """A fault: the process is killed before the server acts, after it, or amid its request."""

        def kill(exchange: Exchange) -> None:
            if when == "amid":
                exchange.read_half()
            elif when == "after":
                exchange.forward()
            else:
                _ = exchange.body
            self.signal(signal.SIGKILL)
            exchange.drop()

        return kill


STAGES = {
    (LIST, "before"): [LIST, HEAD, CREATE, *PARTS, COMPLETE],
    (HEAD, "before"): [LIST, HEAD, CREATE, *PARTS, COMPLETE],
    (CREATE, "before"): [LIST, HEAD, CREATE, *PARTS, COMPLETE],
    (CREATE, "after"): [LIST, "ListParts", *PARTS, COMPLETE],
    (PARTS[0], "amid"): [LIST, "ListParts", *PARTS, COMPLETE],
    (PARTS[0], "after"): [LIST, "ListParts", *PARTS[1:], COMPLETE],
    (PARTS[1], "before"): [LIST, "ListParts", *PARTS[1:], COMPLETE],
    (PARTS[1], "amid"): [LIST, "ListParts", *PARTS[1:], COMPLETE],
    (PARTS[1], "after"): [LIST, "ListParts", PARTS[2], COMPLETE],
    (PARTS[2], "after"): [LIST, "ListParts", COMPLETE],
    (COMPLETE, "before"): [LIST, "ListParts", COMPLETE],
    (COMPLETE, "amid"): [LIST, "ListParts", COMPLETE],
    (COMPLETE, "after"): [LIST, HEAD],
    ("PutObject", "before"): [LIST, HEAD, "PutObject"],
    ("PutObject", "amid"): [LIST, HEAD, "PutObject"],
    ("PutObject", "after"): [LIST, HEAD],
}


@on_seaweedfs
@pytest.mark.parametrize("stage", STAGES, ids=" ".join)
def test_killed_and_resumed(stage: tuple[str, str], scene: Scene) -> None:
    """What the next run sends is exactly what the first one did not get done."""
    name, when = stage
    arguments: dict[str, Any] = {"resume": True, "max_concurrency": 1}
    if name == "PutObject":
        arguments["part_size"] = None
    uploader = Uploader(scene, **arguments)
    scene.proxy.next(name, uploader.killed(when))
    assert uploader.run()[0] == -signal.SIGKILL
    assert scene.is_right() == (stage in ((COMPLETE, "after"), ("PutObject", "after")))
    scene.proxy.requests.clear()
    result = scene.upload(**arguments)
    assert scene.proxy.requests == STAGES[stage]
    assert result.verdict.status is Status.MATCH
    assert scene.is_right()
    assert scene.uploads() == []


@on_seaweedfs
@pytest.mark.parametrize("victim", [2, 5])
def test_killed_amid_parts_that_go_at_once(
    victim: int,
    scene: Scene,
    local: Callable[..., Local],
) -> None:
    scene = replace(scene, file=local("5MiB", 31 * MIB))
    uploader = Uploader(scene, resume=True, part_size="5MiB", max_concurrency=3)
    scene.proxy.next(f"UploadPart {victim}", uploader.killed("amid"))
    assert uploader.run()[0] == -signal.SIGKILL
    scene.proxy.settled()
    (upload_id,) = scene.uploads()
    listed = scene.store.client.list_parts(**scene.store.where, UploadId=upload_id).get("Parts", ())
    there = {part["PartNumber"] for part in listed}
    scene.proxy.requests.clear()
    result = scene.upload(resume=True, part_size="5MiB")
    assert set(result.parts_kept) == there
    missing = [f"UploadPart {number}" for number in range(1, 8) if number not in there]
    assert sorted(scene.proxy.requests) == sorted([LIST, "ListParts", *missing, COMPLETE])
    assert scene.is_right()


@on_seaweedfs
@pytest.mark.parametrize("sizes", [None, UNEVEN], ids=["at once", "in parts"])
@pytest.mark.parametrize("resume", [False, True])
def test_ctrl_c(resume: bool, sizes: list[int] | None, scene: Scene) -> None:
    """It stops amid the body, and aborts the upload, or keeps it to be resumed."""
    uploader = Uploader(scene, resume=resume, part_size=sizes, max_concurrency=1)

    def interrupt(exchange: Exchange) -> None:
        exchange.read_half()
        uploader.signal(signal.SIGINT)
        time.sleep(0.3)
        exchange.drop()

    scene.proxy.next(PARTS[1] if sizes else "PutObject", interrupt)
    status, err = uploader.run()
    assert (status, "KeyboardInterrupt" in err) == (-signal.SIGINT, True)
    assert not scene.is_right()
    assert len(scene.uploads()) == (resume and sizes is not None)
    begun = [LIST, HEAD] if resume else []
    rest = [CREATE, *PARTS[:2], *([] if resume else [ABORT])] if sizes else ["PutObject"]
    assert scene.proxy.requests == begun + rest
