"""Fixtures: files to hash, and real S3 servers to compare with.

A test that takes `server` (or `client`, `bucket`, `store`) runs once for each of the three
servers. SeaweedFS is installed with the test tools, so without it such a test fails; LocalStack and
fakecloud are installed by ``tests/servers/provision.py``, and without them it is skipped.
``PARTSUM_TEST_SERVERS=seaweedfs,fakecloud`` restricts the tests to those named, which must be
there.

Tests run in several processes (pytest-xdist), and each process has servers of its own. A test that
measures time or the machine is marked `serial` and runs afterwards, alone.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import partsum
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))

import launch
import provision
from reader import reader, readers_bucket  # noqa: F401  (fixtures)
from shell import odd_files, on_terminal, slow_file  # noqa: F401  (fixtures)
from store import Client, Local, Store

SERVERS = ("seaweedfs", "localstack", "fakecloud")
WANTED = [
    name for name in os.environ.get("PARTSUM_TEST_SERVERS", "").replace(" ", "").split(",") if name
]
if unknown := set(WANTED) - set(SERVERS):
    raise pytest.UsageError(
        f"PARTSUM_TEST_SERVERS names {', '.join(sorted(unknown))}: there are {', '.join(SERVERS)}"
    )


MARKS = {"server": {"server", *SERVERS}, "slow": {"slow_file"}}  # mark -> fixtures


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they take."""
    for item in items:
        for mark, fixtures in MARKS.items():
            if fixtures.intersection(getattr(item, "fixturenames", ())):
                item.add_marker(mark)


# Files --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def make_file() -> Iterator[Callable[..., Path]]:
    """make_file(size, seed=0): a file of pseudo-random bytes.

    The same arguments give the same file, so leave it as it is.
    """
    with tempfile.TemporaryDirectory(prefix="partsum-files-") as folder:

        def make(size: int, *, seed: int = 0) -> Path:
            path = Path(folder) / f"{size}-{seed}"
            if not path.exists():
                source = random.Random(f"{size} {seed}")
                with path.open("wb") as file:
                    for at in range(0, size, 2**24):
                        file.write(source.randbytes(min(2**24, size - at)))
            return path

        yield make


# Servers ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[launch.Server]:
    """SeaweedFS, for the whole session."""
    _skip_unless_wanted("seaweedfs")
    with launch.seaweedfs() as running:
        yield running


@pytest.fixture(scope="session")
def localstack() -> Iterator[launch.Server]:
    """LocalStack, for the whole session."""
    with launch.localstack(_provisioned("localstack", provision.localstack_python)) as running:
        yield running


@pytest.fixture(scope="session")
def fakecloud() -> Iterator[launch.Server]:
    """fakecloud, for the whole session."""
    with launch.fakecloud(_provisioned("fakecloud", provision.fakecloud_binary)) as running:
        yield running


def _skip_unless_wanted(name: str) -> None:
    if WANTED and name not in WANTED:
        pytest.skip(f"PARTSUM_TEST_SERVERS leaves out {name}")


def _provisioned(name: str, find: Callable[[], Path]) -> Path:
    _skip_unless_wanted(name)
    try:
        return find()
    except provision.Unavailable as reason:
        if name in WANTED:
            raise
        pytest.skip(f"NOT TESTED against {name}: {reason}")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> launch.Server:
    """Each server in turn; a test for some of them parametrizes it with their names, `indirect`."""
    running: launch.Server = request.getfixturevalue(request.param)
    return running


# boto3 --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def no_aws_settings() -> Iterator[None]:
    """boto3 as it is without any settings of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def connect(no_aws_settings: None) -> Iterator[Callable[..., Client]]:
    """connect(server, kind="client", **config): boto3's client or resource, one per session.

    Every wait has an end.
    """
    import boto3
    from botocore.config import Config

    made: dict[tuple[object, ...], Client] = {}

    def connect(server: launch.Server, kind: str = "client", **config: object) -> Client:
        key = (server, kind, repr(config))
        if key not in made:
            limits = Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"total_max_attempts": 2},
                proxies={},
                **config,
            )
            made[key] = getattr(boto3, kind)("s3", config=limits, **server.client_kwargs)
        return made[key]

    yield connect
    for connection in made.values():
        client: Client = getattr(connection.meta, "client", connection)  # a resource's is in there
        client.close()


@pytest.fixture
def client(server: launch.Server, connect: Callable[..., Client]) -> Client:
    """A plain boto3 client of `server`."""
    return connect(server)


@pytest.fixture(scope="session")
def buckets_there() -> set[launch.Server]:
    """The servers that have the tests' bucket already."""
    return set()


@pytest.fixture
def bucket(
    server: launch.Server, client: Client, buckets_there: set[launch.Server]
) -> Iterator[str]:
    """An empty bucket of `server`, emptied after the test.

    It is the same one each time: SeaweedFS takes a second over the first object of a bucket.
    """
    name = "partsum"
    if server not in buckets_there:
        client.create_bucket(Bucket=name)
        buckets_there.add(server)
    yield name
    for upload in client.list_multipart_uploads(Bucket=name).get("Uploads", ()):
        with contextlib.suppress(client.exceptions.NoSuchUpload):
            client.abort_multipart_upload(
                Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    for stored in client.list_objects_v2(Bucket=name).get("Contents", ()):
        client.delete_object(Bucket=name, Key=stored["Key"])


@pytest.fixture
def store(server: launch.Server, bucket: str, connect: Callable[..., Client]) -> Store:
    """`bucket`, with what tests do to it over and over."""
    return Store(server, bucket, connect)


@pytest.fixture(scope="session")
def local(make_file: Callable[..., Path]) -> Callable[..., Local]:
    """local(part_size, size): a file with all ten algorithms; a list of sizes implies its size."""
    made: dict[str, Local] = {}

    def local(part_size: str | int | list[int] | None, size: int | None = None) -> Local:
        if isinstance(part_size, list):
            size = sum(part_size)
        key = f"{part_size} {size}"
        if key not in made:
            path = make_file(size)
            sums = partsum.hash_file(path, partsum.algorithms_available, part_size=part_size)
            made[key] = Local(path, path.read_bytes(), sums)
        return made[key]

    return local


@pytest.fixture
def spoil(tmp_path: Path) -> Callable[[Local, int], Path]:
    """spoil(local, at): its file with one bit flipped."""

    def spoil(local: Local, at: int) -> Path:
        path = tmp_path / "spoilt"
        path.write_bytes(local.data[:at] + bytes([local.data[at] ^ 1]) + local.data[at + 1 :])
        return path

    return spoil
