"""A reader of the documentation: a folder with its files, a bucket, and boto3 finding both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from launch import Server
    from store import Client

BUCKET = "bucket"
NUMBERS = b"".join(b"%d\n" % number for number in range(1, 3_000_001))  # seq 3000000


class Reader(NamedTuple):
    """Where a reader is, what is in the environment, and a client to look at the bucket with."""

    folder: Path
    environment: dict[str, str]
    client: Client


@pytest.fixture(scope="session")
def readers_bucket(seaweedfs: Server, connect: Callable[..., Client]) -> Client:
    """A client of the server that has the bucket."""
    client = connect(seaweedfs)
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def reader(seaweedfs: Server, readers_bucket: Client, tmp_path: Path) -> Iterator[Reader]:
    """A reader at the beginning of a page: the bucket is empty."""
    for name in ("numbers.txt", "big.tar"):
        (tmp_path / name).write_bytes(NUMBERS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = kept | {
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": seaweedfs.endpoint,
        "AWS_ACCESS_KEY_ID": seaweedfs.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweedfs.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    yield Reader(tmp_path, environment, readers_bucket)
    for stored in readers_bucket.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        readers_bucket.delete_object(Bucket=BUCKET, Key=stored["Key"])
