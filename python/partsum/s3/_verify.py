"""Questions about one object: its part plan, and whether it is a local file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from partsum._core import ObjectChecksums, PartPlan, hash_file, plan_parts, verify
from partsum.errors import PartsumError
from partsum.s3._object import Argument, Client, RemoteObject, Response, Shape, is_of_part
from partsum.s3._quirks import chosen
from partsum.verdict import Status, Verdict


class Local:
    """The file that is compared, or what is known of it already."""

    def __init__(
        self,
        path: str | PathLike[str] | ObjectChecksums,
        hashing: dict[str, Any],
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        """hashing: threads, io, progress. turn: held while the file is hashed."""
        self.known = path if isinstance(path, ObjectChecksums) else None
        self.path = path
        self.hashing = {} if self.known else hashing
        self.turn = nullcontext() if turn is None else turn

    @property
    def size(self) -> int:
        return self.known.size if self.known else Path(self.path).stat().st_size  # type: ignore[arg-type]

    @property
    def has_md5(self) -> bool:
        return self.known is None or "MD5" in self.known.algorithms

    def md5(self, plan: PartPlan) -> ObjectChecksums:
        """With the MD5s of these parts; what is known has its own parts."""
        if self.known:
            return self.known
        with self.turn:
            return hash_file(self.path, "MD5", part_size=plan, **self.hashing)  # type: ignore[arg-type]

    def verify(self, responses: list[Response]) -> Verdict:
        with self.turn:
            return verify(self.path, responses, **self.hashing)


def verify_object(
    client: Client,
    path: str | PathLike[str] | ObjectChecksums,
    Bucket: str,
    Key: str,
    *,
    VersionId: str | None = None,
    quirks: str | Iterable[str] = (),
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    **arguments: Argument,
) -> Verdict:
    """Whether a local file is the object, without a download and with the fewest requests.

    client: a boto3 S3 client. path: the file, or its ObjectChecksums. quirks: names from `QUIRKS`,
    for a store that is not Amazon's. arguments: what HeadObject and GetObjectAttributes need
    besides (SSECustomerAlgorithm and SSECustomerKey, RequestPayer, ExpectedBucketOwner). The
    others as in `verify`.

    One HeadObject is enough if the sizes differ, and for PutObjects, full object checksums and
    uploads of one part. Composite checksums take one GetObjectAttributes per 1,000 parts more, or,
    where the server has none, a HeadObject per part. Without any checksum there is the ETag: one
    more HeadObject tells the size of part 1, which is that of all parts but the last; only if
    the ETag does not come out right so, each part is asked for.

    Returns a Verdict. Raises what the client raises (ClientError), as `hash_file` for the file, and
    ValueError for an unknown quirk.

    >>> import io, pathlib, tempfile, partsum.s3
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
    >>> _ = path.write_bytes(b"aaa")
    >>> class Client:     # boto3.client("s3")
    ...     def head_object(self, **arguments):
    ...         return {"ContentLength": 3, "ETag": '"47bce5c74f589f4867dbd57e9ca9f808"'}
    >>> partsum.s3.verify_object(Client(), path, "bucket", "key").reason
    'size, ETag agree'
    """
    local = Local(path, {"threads": threads, "io": io, "progress": progress})
    ask = RemoteObject(client, Bucket, Key, VersionId, arguments, quirks=chosen(quirks))
    return settle(ask, local, ask.head())


def settle(ask: RemoteObject, local: Local, head: Response) -> Verdict:
    """With as few further requests as what HeadObject answered calls for."""
    shape = Shape(head)
    responses = [head]
    if local.size == head.get("ContentLength") and shape.parts > 1:
        if shape.composite:
            responses += ask.parts(shape.parts, local.size)
        elif not shape.checksum and shape.etag_is_md5 and local.has_md5:
            return _by_etag(ask, local, head, shape.parts)
    return local.verify(responses)


def object_plan(
    client: Client, Bucket: str, Key: str, *, VersionId: str | None = None, **arguments: Argument
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
    ask = RemoteObject(client, Bucket, Key, VersionId, arguments)
    head = ask.head()
    shape = Shape(head)
    size: int = head["ContentLength"]
    if shape.parts == 0:
        return plan_parts(size, None)
    if shape.parts == 1:
        return plan_parts(size, [size], allow_small_parts=True)
    answers = ask.parts(shape.parts, size)
    if not answers:
        raise PartsumError(
            f"the store does not tell the parts of {Key}: solve_etag finds them with a file's help"
        )
    return _plan(size, head, answers)


def _plan(size: int, head: Response, answers: list[Response]) -> PartPlan:
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


def _by_etag(ask: RemoteObject, local: Local, head: Response, count: int) -> Verdict:
    """By the multipart ETag, the last resort: first with equal parts, then with the true ones."""
    first = ask.head(1)
    if not is_of_part(first, head["ContentLength"]):
        return local.verify([head])
    responses = [head, first]
    even = plan_parts(head["ContentLength"], first["ContentLength"], allow_small_parts=True)
    sums = local.md5(even) if local.known or len(even) == count else None
    if sums is not None and (verdict := verify(sums, responses)):
        return verdict
    # Other bytes, or uneven parts: only all of them tell, so this costs as many requests.
    responses += [ask.head(number) for number in range(2, count + 1)]
    if sums is not None:
        verdict = verify(sums, responses)
        if local.known or verdict.status is not Status.NOT_COMPARABLE:
            return verdict
    return local.verify(responses)
