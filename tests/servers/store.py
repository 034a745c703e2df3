"""A bucket on a test server, and what the tests do with it over and over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import partsum
from launch import Server

CLASSIC = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
SINCE_2026 = ("SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128")
# The algorithms of each server. One that it does not know it refuses at best, or does not look at.
KNOWN_TO = {"seaweedfs": CLASSIC, "localstack": CLASSIC, "fakecloud": CLASSIC + SINCE_2026}

Client = Any  # boto3 makes its classes while it runs: there is no name for them
Response = dict[str, Any]
Upload = dict[str, str]  # Bucket, Key and UploadId, to be passed on with **


class Local(NamedTuple):
    """A file, its bytes, and what partsum says about them."""

    path: Path
    data: bytes
    sums: partsum.ObjectChecksums

    def body(self, part: partsum.PartChecksums) -> bytes:
        """The bytes of one part."""
        return self.data[part.offset : part.offset + part.size]


@dataclass(frozen=True)
class Store:
    """A bucket, through a plain boto3 client. Where a test uploads an object, it is called that."""

    server: Server
    bucket: str
    connect: Callable[..., Client]
    config: dict[str, object] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """The client."""
        return self.connect(self.server, **self.config)

    @property
    def resource(self) -> Client:
        """The resource."""
        return self.connect(self.server, "resource", **self.config)

    @property
    def where(self) -> Upload:
        """What names the object."""
        return {"Bucket": self.bucket, "Key": "object"}

    def configured(self, **config: object) -> Store:
        """The same bucket through a client that is set up in another way."""
        return replace(self, config=config)

    def begin(
        self,
        sums: partsum.ObjectChecksums,
        algorithm: str | None,
        checksum_type: str | None = None,
        **more: object,
    ) -> Upload:
        """Create a multipart upload."""
        arguments = sums.create_multipart_upload_args(algorithm, checksum_type)
        created = self.client.create_multipart_upload(**self.where, **arguments, **more)
        return {**self.where, "UploadId": created["UploadId"]}

    def send(
        self,
        upload: Upload,
        local: Local,
        algorithm: str | None,
        parts: Iterable[partsum.PartChecksums] | None = None,
        **more: object,
    ) -> list[Response]:
        """Upload parts, all of them if not told otherwise; S3's responses to them."""
        return [
            self.client.upload_part(
                **upload,
                Body=local.body(part),
                **local.sums.upload_part_args(part.number, algorithm),
                **more,
            )
            for part in (local.sums.parts if parts is None else parts)
        ]

    def upload_parts(
        self, local: Local, algorithm: str | None, checksum_type: str | None = None
    ) -> tuple[Upload, list[Response]]:
        """All of a multipart upload but its end."""
        upload = self.begin(local.sums, algorithm, checksum_type)
        return upload, self.send(upload, local, algorithm)

    def head(self, **more: object) -> Response:
        """What S3 says about the object."""
        answer: Response = self.client.head_object(**self.where, ChecksumMode="ENABLED", **more)
        return answer

    def keys(self) -> list[str]:
        """What is in the bucket."""
        listed = self.client.list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in listed.get("Contents", ())]


@contextlib.contextmanager
def requests(client: Client) -> Iterator[list[str]]:
    """The operations that go to the server, in order; a head of one part with its number."""
    seen: list[str] = []

    def note(model: Any, params: Any, **more: object) -> None:
        number = params["query_string"].get("partNumber")
        seen.append(model.name if number is None else f"{model.name} {number}")

    client.meta.events.register("before-call.s3.*", note)
    try:
        yield seen
    finally:
        client.meta.events.unregister("before-call.s3.*", note)
