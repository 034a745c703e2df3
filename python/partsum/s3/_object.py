"""An object in S3, and the requests that concern it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from partsum.s3._quirks import as_amazon

Client: TypeAlias = Any  # boto3 makes its classes while it runs: there is no name for them
Argument: TypeAlias = Any
Response: TypeAlias = dict[str, Any]

# What a server answers that has no GetObjectAttributes, or keeps it from this caller, who may be
# allowed HeadObject all the same; InvalidRequest is what some answer for SSE-C objects alone.
# Anything else (no such key, no such bucket, ...) comes out.
_NO_ATTRIBUTES = {
    "403",
    "405",
    "501",
    "AccessDenied",
    "Forbidden",
    "InvalidRequest",
    "MethodNotAllowed",
    "NotImplemented",
}


def is_of_part(head: Response, size: int) -> bool:
    """Whether HeadObject with a part number was answered for that part of an object of that size.

    A store without part numbers answers for the whole object.
    """
    partial = head.get("ResponseMetadata", {}).get("HTTPStatusCode") == 206
    return partial or "ContentRange" in head or head.get("ContentLength") != size


class Shape:
    """What the answer to HeadObject tells of an object's kind."""

    def __init__(self, head: Response) -> None:
        etag = head.get("ETag", "").strip().removeprefix("W/").strip('"')
        digest, _, suffix = etag.partition("-")
        values = [
            value
            for name, value in head.items()
            if name.startswith("Checksum") and name not in ("ChecksumType", "ChecksumAlgorithm")
        ]
        composites = [value for value in values if "-" in value]
        # Directory buckets have ETags of another form: there the checksum tells the number.
        count = suffix or (composites[0].rpartition("-")[2] if composites else "")
        self.parts = int(count) if count.isdecimal() else 0
        self.checksum = bool(values)
        self.composite = bool(composites)
        encrypted = head.get("ServerSideEncryption", "AES256") != "AES256"
        self.etag_is_md5 = (
            len(digest) == 32
            and not encrypted
            and "SSECustomerAlgorithm" not in head
            and head.get("StorageClass") != "EXPRESS_ONEZONE"
        )


class RemoteObject:
    """An object, and the requests that concern it."""

    def __init__(
        self,
        client: Client,
        Bucket: str,
        Key: str,
        VersionId: str | None,
        arguments: Response,
        *,
        quirks: frozenset[str] = frozenset(),
    ) -> None:
        self.client = client
        self.quirks = quirks
        self.where = {"Bucket": Bucket, "Key": Key, **arguments}
        if VersionId is not None:
            self.where["VersionId"] = VersionId

    def head(self, number: int | None = None) -> Response:
        part = {} if number is None else {"PartNumber": number}
        answer: Response = self.client.head_object(**self.where, ChecksumMode="ENABLED", **part)
        # The response does not say which part it is about.
        return as_amazon({**answer, **part}, self.quirks)

    def parts(self, count: int, size: int) -> list[Response]:
        """The sizes of all parts, with their checksums where S3 has them.

        None of them from a store that does not know part numbers.
        """
        pages = [] if "no-object-attributes" in self.quirks else list(self.attributes())
        listed = sum(len(page["ObjectParts"].get("Parts", ())) for page in pages)
        if listed == count:
            return pages
        first = self.head(1)
        if not is_of_part(first, size):
            return []
        return [first, *(self.head(number) for number in range(2, count + 1))]

    def attributes(self) -> Iterator[Response]:
        """The pages of GetObjectAttributes that have parts; boto3 has no paginator for it.

        In general purpose buckets S3 lists the parts of objects with composite checksums only.
        """
        wanted = ["ETag", "Checksum", "ObjectParts", "ObjectSize"]
        more: dict[str, Any] = {}
        while True:
            try:
                page = self.client.get_object_attributes(
                    **self.where, ObjectAttributes=wanted, **more
                )
            except self.client.exceptions.ClientError as refusal:
                if refusal.response["Error"]["Code"] in _NO_ATTRIBUTES:
                    return
                raise
            parts = page.get("ObjectParts", {})
            if "Parts" not in parts:
                return
            yield as_amazon(page, self.quirks)
            marker = parts.get("NextPartNumberMarker")
            if not parts.get("IsTruncated") or marker in (None, more.get("PartNumberMarker")):
                return
            more = {"PartNumberMarker": int(marker)}
