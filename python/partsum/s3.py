"""Questions to S3 about an object, through your own boto3 client.

partsum has no client and imports neither boto3 nor botocore: whatever you pass is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

from partsum._core import ObjectChecksums, PartPlan, hash_file, plan_parts, verify
from partsum.errors import PartsumError
from partsum.verdict import Status, Verdict

__all__ = ["object_plan", "verify_object"]

_Client: TypeAlias = Any  # boto3 makes its classes while it runs: there is no name for them
_Argument: TypeAlias = Any
_Response: TypeAlias = dict[str, Any]

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


def verify_object(
    client: _Client,
    path: str | PathLike[str] | ObjectChecksums,
    Bucket: str,
    Key: str,
    *,
    VersionId: str | None = None,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read"] = "auto",
    progress: Callable[[int], object] | None = None,
    **arguments: _Argument,
) -> Verdict:
    """Whether a local file is the object, without a download and with the fewest requests.

    client: a boto3 S3 client. path: the file, or its ObjectChecksums. arguments: what HeadObject
    and GetObjectAttributes need besides (SSECustomerAlgorithm and SSECustomerKey, RequestPayer,
    ExpectedBucketOwner). The others as in `verify`.

    One HeadObject is enough if the sizes differ, and for PutObjects, full object checksums and
    uploads of one part. Composite checksums take one GetObjectAttributes per 1,000 parts more, or,
    where the server has none, a HeadObject per part. Without any checksum there is the ETag: one
    more HeadObject tells the size of part 1, which is that of all parts but the last; only if
    the ETag does not come out right so, each part is asked for.

    Returns a Verdict. Raises what the client raises (ClientError), and as `hash_file` for the file.

    >>> import io, pathlib, tempfile, partsum.s3
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
    >>> _ = path.write_bytes(b"aaa")
    >>> class Client:     # boto3.client("s3")
    ...     def head_object(self, **arguments):
    ...         return {"ContentLength": 3, "ETag": '"47bce5c74f589f4867dbd57e9ca9f808"'}
    >>> partsum.s3.verify_object(Client(), path, "bucket", "key").reason
    'size, ETag agree'
    """
    hashing: dict[str, Any] = {"threads": threads, "io": io, "progress": progress}
    if isinstance(path, ObjectChecksums):
        hashing = {}
    ask = _Object(client, Bucket, Key, VersionId, arguments)
    head = ask.head()
    shape = _Shape(head)
    responses = [head]
    size = path.size if isinstance(path, ObjectChecksums) else Path(path).stat().st_size
    if size == head.get("ContentLength") and shape.parts > 1:
        if shape.composite:
            responses += ask.parts(shape.parts)
        elif not shape.checksum and shape.etag_is_md5 and _has_md5(path):
            return _by_etag(ask, path, head, shape.parts, hashing)
    return verify(path, responses, **hashing)


def object_plan(
    client: _Client, Bucket: str, Key: str, *, VersionId: str | None = None, **arguments: _Argument
) -> PartPlan:
    """How an object was cut when it was uploaded: for part_size= of everything that hashes.

    One HeadObject for an object that was not uploaded in parts, or in one; else GetObjectAttributes
    for each 1,000 parts; else, where S3 does not tell the parts there, HeadObject for each part.
    arguments: as in `verify_object`.

    Returns a PartPlan, uneven parts included. Raises what the client raises (ClientError), and
    PartsumError if the answers do not fit together, as when the object is replaced meanwhile.

    >>> import partsum.s3
    >>> class Client:     # boto3.client("s3")
    ...     def head_object(self, **arguments):
    ...         return {"ContentLength": 3, "ETag": '"e2c3da976e66ec9e7dc128fbc782fc91-1"'}
    >>> partsum.s3.object_plan(Client(), "bucket", "key")
    PartPlan(3 bytes, 1 part)
    """
    ask = _Object(client, Bucket, Key, VersionId, arguments)
    head = ask.head()
    shape = _Shape(head)
    size: int = head["ContentLength"]
    if shape.parts == 0:
        return plan_parts(size, None)
    if shape.parts == 1:
        return plan_parts(size, [size], allow_small_parts=True)
    return _plan(size, head, ask.parts(shape.parts))


class _Shape:
    """What the answer to HeadObject tells of an object's kind."""

    def __init__(self, head: _Response) -> None:
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


class _Object:
    """An object, and the requests that concern it."""

    def __init__(
        self, client: _Client, Bucket: str, Key: str, VersionId: str | None, arguments: _Response
    ) -> None:
        self.client = client
        self.where = {"Bucket": Bucket, "Key": Key, **arguments}
        if VersionId is not None:
            self.where["VersionId"] = VersionId

    def head(self, number: int | None = None) -> _Response:
        part = {} if number is None else {"PartNumber": number}
        answer: _Response = self.client.head_object(**self.where, ChecksumMode="ENABLED", **part)
        # The response does not say which part it is about.
        return {**answer, **part}

    def parts(self, count: int) -> list[_Response]:
        """The sizes of all parts, with their checksums where S3 has them."""
        pages = list(self.attributes())
        listed = sum(len(page["ObjectParts"].get("Parts", ())) for page in pages)
        if listed == count:
            return pages
        return [self.head(number) for number in range(1, count + 1)]

    def attributes(self) -> Iterator[_Response]:
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
            yield page
            marker = parts.get("NextPartNumberMarker")
            if not parts.get("IsTruncated") or marker in (None, more.get("PartNumberMarker")):
                return
            more = {"PartNumberMarker": int(marker)}


def _plan(size: int, head: _Response, answers: list[_Response]) -> PartPlan:
    """The plan that the parts' sizes make."""
    sizes: list[int] = []
    for answer in answers:
        if answer.get("ETag", "").strip('"') != head.get("ETag", "").strip('"'):
            raise PartsumError("the object was replaced between two requests: ask again")
        if "ObjectParts" in answer:
            sizes += [part["Size"] for part in answer["ObjectParts"]["Parts"]]
        else:
            sizes.append(answer["ContentLength"])
    return plan_parts(size, sizes, allow_small_parts=True)


def _has_md5(path: str | PathLike[str] | ObjectChecksums) -> bool:
    return not isinstance(path, ObjectChecksums) or "MD5" in path.algorithms


def _by_etag(
    ask: _Object,
    path: str | PathLike[str] | ObjectChecksums,
    head: _Response,
    count: int,
    hashing: dict[str, Any],
) -> Verdict:
    """By the multipart ETag, the last resort: first with equal parts, then with the true ones."""
    responses = [head, ask.head(1)]
    even = plan_parts(head["ContentLength"], responses[1]["ContentLength"], allow_small_parts=True)
    if isinstance(path, ObjectChecksums):
        sums = path
    elif len(even) == count:
        sums = hash_file(path, "MD5", part_size=even, **hashing)
    else:
        sums = None
    if sums is not None and (verdict := verify(sums, responses)):
        return verdict
    # Other bytes, or uneven parts: only all of them tell, so this costs as many requests.
    responses += [ask.head(number) for number in range(2, count + 1)]
    if sums is not None:
        verdict = verify(sums, responses)
        if sums is path or verdict.status is not Status.NOT_COMPARABLE:
            return verdict
    return verify(path, responses, **hashing)
