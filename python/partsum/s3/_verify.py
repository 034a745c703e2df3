"""One object: its part plan, and whether it is a local file.

What to ask S3 and what the answers mean is decided by the core; here are only the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from partsum._core import ObjectChecksums, PartPlan, _Answers
from partsum.errors import PartsumError
from partsum.s3._client import Argument, Client, error_code
from partsum.verdict import Status, Verdict


class RemoteObject:
    """An object in S3, and the requests about it."""

    def __init__(
        self,
        client: Client,
        Bucket: str,
        Key: str,
        VersionId: str | None,
        arguments: dict[str, Argument],
    ) -> None:
        self.client = client
        self.where = {"Bucket": Bucket, "Key": Key, **arguments}
        if VersionId is not None:
            self.where["VersionId"] = VersionId

    def ask(self, answers: _Answers, size: int | None = None, **purpose: bool) -> bool:
        """Make the requests that the answers so far call for; False if there were none."""
        asked = False
        while (request := answers.next_request(size, **purpose)) is not None:
            asked = True
            call = getattr(self.client, request.operation)
            try:
                response = call(**self.where, **request.arguments)
            except Exception as error:
                if not error_code(error) or not answers.refused(request, error_code(error)):
                    raise
            else:
                answers.answered(request, response)
        return asked


class Local:
    """The file that is compared, or what is known of it already."""

    def __init__(
        self,
        path: str | PathLike[str] | ObjectChecksums,
        hashing: dict[str, Any],
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        """hashing: threads, io, progress, thorough. turn: held while the file is hashed."""
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

    def verify(self, answers: _Answers) -> Verdict:
        with self.turn:
            return answers.verify(self.path, **self.hashing)


def verify_object(
    client: Client,
    path: str | PathLike[str] | ObjectChecksums,
    Bucket: str,
    Key: str,
    *,
    VersionId: str | None = None,
    quirks: str | Iterable[str] = (),
    thorough: bool = False,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    **arguments: Argument,
) -> Verdict:
    """Compare a local file with an object, without a download.

    It makes the fewest requests that can decide it. One HeadObject is enough if the sizes differ,
    and for PutObjects, full object checksums and uploads of one part. Composite checksums take one
    GetObjectAttributes per 1,000 parts more, or, where the server has none, a HeadObject per part.
    Without any checksum there is the ETag: one more HeadObject tells the size of part 1, which is
    that of all parts but the last; only if the ETag does not come out right so, each part is asked
    for.

    Args:
        client: boto3 S3 client.
        path: File to compare (str or os.PathLike), or its ObjectChecksums.
        Bucket: Bucket of the object.
        Key: Key of the object.
        VersionId: Version of the object; None is the current one.
        quirks: Names from `QUIRKS`, for a store that is not Amazon's.
        thorough: Compute also what is slow beside the rest, as in `verify`.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), on
            the calling thread. An exception that it raises stops the work and propagates.
        arguments: What HeadObject and GetObjectAttributes need besides: SSECustomerAlgorithm and
            SSECustomerKey, RequestPayer, ExpectedBucketOwner.

    Returns:
        Verdict: The outcome, and what it rests on.

    Raises:
        ClientError: S3 refused a request (botocore's exception; the client raises it).
        OSError: The file cannot be read.
        FileChangedError: The file changed while it was hashed.
        PartsumError: The store breaks its own protocol.
        ValueError: There is no such quirk.

    Example:
        >>> import io, pathlib, tempfile, partsum.s3
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> class Client:     # boto3.client("s3")
        ...     def head_object(self, **arguments):
        ...         return {"ContentLength": 3, "ETag": '"47bce5c74f589f4867dbd57e9ca9f808"'}
        >>> partsum.s3.verify_object(Client(), path, "bucket", "key").reason
        'size, ETag agree'
    """
    hashing = {"threads": threads, "io": io, "progress": progress, "thorough": thorough}
    remote = RemoteObject(client, Bucket, Key, VersionId, arguments)
    return settle(remote, _Answers(quirks), Local(path, hashing))


def settle(remote: RemoteObject, answers: _Answers, local: Local) -> Verdict:
    """Come to a verdict with as few requests as the answers call for."""
    remote.ask(answers, local.size, md5=local.has_md5)
    verdict = local.verify(answers)
    if verdict.status is Status.NOT_COMPARABLE and remote.ask(
        answers, local.size, md5=local.has_md5, undecided=True
    ):
        return local.verify(answers)
    return verdict


def object_plan(
    client: Client,
    Bucket: str,
    Key: str,
    *,
    VersionId: str | None = None,
    quirks: str | Iterable[str] = (),
    **arguments: Argument,
) -> PartPlan:
    """Find out how an object was cut into parts when it was uploaded.

    It makes one HeadObject for an object that was not uploaded in parts, or in one; else
    GetObjectAttributes for each 1,000 parts; else, where S3 does not tell the parts there,
    HeadObject for each part.

    Args:
        client: boto3 S3 client.
        Bucket: Bucket of the object.
        Key: Key of the object.
        VersionId: Version of the object; None is the current one.
        quirks: Names from `QUIRKS`, for a store that is not Amazon's.
        arguments: What HeadObject and GetObjectAttributes need besides, as in `verify_object`.

    Returns:
        PartPlan: The plan, of uneven parts too, for part_size= of everything that hashes.

    Raises:
        ClientError: S3 refused a request (botocore's exception; the client raises it).
        PartsumError: The store does not tell the parts, or its answers do not fit together, as
            when the object is replaced meanwhile.
        ValueError: There is no such quirk.

    Example:
        >>> import partsum.s3
        >>> class Client:     # boto3.client("s3")
        ...     def head_object(self, **arguments):
        ...         return {"ContentLength": 3, "ETag": '"e2c3da976e66ec9e7dc128fbc782fc91-1"'}
        >>> partsum.s3.object_plan(Client(), "bucket", "key")
        PartPlan(3 bytes, 1 part)
    """
    answers = _Answers(quirks)
    RemoteObject(client, Bucket, Key, VersionId, arguments).ask(answers)
    plan = answers.plan()
    if plan is None:
        raise PartsumError(
            f"the store does not tell the parts of {Key}: solve_etag finds them with a file's help"
        )
    return plan
