"""A file becomes an object: hashed once, sent in parts, and what S3 made of it compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal

import partsum
from partsum._core import (
    ObjectChecksums,
    PartChecksums,
    PartPlan,
    _bare_etag,
    hash_file,
    plan_parts,
    verify,
)
from partsum.errors import NothingToResume
from partsum.s3._body import Body, Source, UploadStopped, progress_of
from partsum.s3._client import Argument, Client, Response, add_note, error_code, means
from partsum.s3._complete import compared, complete, put, stored
from partsum.s3._requests import Requests
from partsum.s3._resume import find, right_parts
from partsum.verdict import Verdict

# In HeadObject's answer, those of ExtraArgs that it shows.
_SHOWN = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "WebsiteRedirectLocation",
)


@dataclass(frozen=True)
class UploadResult:
    """An object that is in S3 now, and how it came there.

    Example:
        >>> import partsum.s3
        >>> [field for field in partsum.s3.UploadResult.__dataclass_fields__][:4]
        ['bucket', 'key', 'etag', 'version_id']
    """

    bucket: str
    """As given."""
    key: str
    """As given."""
    etag: str
    """S3's ETag, unquoted; with SSE-KMS and SSE-C another than `checksums.etag`."""
    version_id: str | None
    """The version, where the bucket keeps versions."""
    checksums: ObjectChecksums = field(repr=False)
    """What was known before anything was sent."""
    verdict: Verdict
    """What S3 said of the object against `checksums`: MATCH, or NOT_COMPARABLE with the reason."""
    upload_id: str | None
    """The multipart upload; None for a PutObject, and where nothing had to be sent."""
    parts_sent: tuple[int, ...]
    """The numbers of the parts that were sent; (1,) for a PutObject."""
    parts_kept: tuple[int, ...]
    """The numbers of those that S3 had already."""
    response: Response = field(repr=False, compare=False)
    """CompleteMultipartUpload's or PutObject's answer; HeadObject's where that one was lost, or
    nothing had to be sent."""


def upload_file(
    client: Client,
    path: str | PathLike[str],
    Bucket: str,
    Key: str,
    *,
    algorithm: str | None = "CRC64NVME",
    checksum_type: Literal["COMPOSITE", "FULL_OBJECT"] | str | None = None,
    part_size: str | int | Iterable[int] | PartPlan | None = "boto3",
    allow_small_parts: bool = False,
    resume: bool | Literal["only"] = False,
    on_failure: Literal["abort", "keep"] | None = None,
    max_concurrency: int = 10,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    ExtraArgs: Mapping[str, Argument] | None = None,
    Callback: Callable[[int], object] | None = None,
) -> UploadResult:
    """Upload a file with checksums that were computed before, and compare the object.

    The file is hashed once (MD5 and `algorithm`). Each part is sent with Content-MD5 and its
    checksum, so S3 rejects a part that arrives with other bytes. The upload is completed with the
    values of all parts and of the object, and S3's response is compared. A file that `part_size`
    plans as one PutObject is sent as one. The client makes all requests: its retries, timeouts and
    credentials apply, and the max_pool_connections of its Config should be `max_concurrency`.
    Directory buckets are not supported: they have no MD5.

    If the response to CompleteMultipartUpload is lost, ListParts and HeadObject show whether it
    succeeded. An error that leaves parts in S3 says so in its notes (`__notes__`).

    Args:
        client: A boto3 S3 client.
        path: File to upload (str or os.PathLike).
        Bucket: Name of the bucket.
        Key: Key of the object.
        algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. None uploads
            without one, and only the ETag is compared.
        checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list
            of sizes, a `PartPlan`, or None for one PutObject.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
        resume: Continue the latest unfinished upload of the key that was begun with this algorithm,
            and send only the parts that it lacks or that differ (by size, ETag and checksum). If
            there is none, and the object is this file already (by this checksum and by what
            ExtraArgs has that HeadObject shows), nothing is sent. "only" raises NothingToResume
            rather than begin an upload.
        on_failure: "abort" drops the parts after an error or Ctrl-C. "keep" leaves them for
            ``resume=True`` (S3 charges for them). None keeps them only if `resume` is given.
        max_concurrency: Number of parts to send at once.
        threads: Number of threads that hash; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), on
            the calling thread. An exception that it raises stops the work and propagates.
        ExtraArgs: As for boto3's upload_file, and IfMatch and IfNoneMatch, but no checksums. What
            describes the object belongs to the beginning of an upload: a resumed one keeps its own.
        Callback: As for boto3's upload_file: called from several threads with the number of bytes
            sent, negative if some are sent again, and with the size of each part that is kept.

    Returns:
        UploadResult: What was sent, and S3's response compared with the file.

    Raises:
        FileChangedError: The file changed during the upload; names the part that S3 rejected.
        PartMismatch: S3 has other bytes.
        NothingToResume: `resume` is "only", and there is no upload to continue.
        ValueError: ExtraArgs has what no upload takes.
        OSError: The file cannot be read.
        Exception: Whatever the client raises (ClientError).

    Source:
        Amazon S3 API Reference, "CompleteMultipartUpload" and "UploadPart".

    Example:
        >>> import pathlib, tempfile, partsum.s3
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> class Client:     # boto3.client("s3")
        ...     def put_object(self, *, Body, ChecksumCRC64NVME, **arguments):
        ...         return {"ETag": '"47bce5c74f589f4867dbd57e9ca9f808"',
        ...                 "ChecksumType": "FULL_OBJECT",
        ...                 "ChecksumCRC64NVME": ChecksumCRC64NVME}
        >>> result = partsum.s3.upload_file(Client(), path, "bucket", "key")
        >>> result.verdict.reason
        'ChecksumCRC64NVME FULL_OBJECT, ETag agree'
    """
    if resume not in (False, True, "only"):
        raise ValueError(f"resume={resume!r}: False, True or 'only'")
    if on_failure not in (None, "abort", "keep"):
        raise ValueError(f"on_failure={on_failure!r}: 'abort' or 'keep'")
    if max_concurrency < 1:
        raise ValueError(f"max_concurrency={max_concurrency}: at least 1")
    requests = Requests(client, Bucket, Key, ExtraArgs)
    if algorithm is not None:
        algorithm = partsum.new(algorithm).name
        checksum_type = checksum_type or partsum.ALGORITHMS[algorithm].checksum_types[0]
        checksum_type = checksum_type.upper()
    source = Source(path, Callback)
    plan = plan_parts(source.size, part_size, allow_small_parts=allow_small_parts)
    unfinished, against = None, list[str]()
    if resume:
        unfinished, against = find(requests, algorithm, checksum_type, plan, allow_small_parts)
    sums = hash_file(
        path,
        ("MD5", algorithm) if algorithm else "MD5",
        part_size=unfinished.plan if unfinished else plan,
        allow_small_parts=allow_small_parts,
        threads=threads,
        io=io,
        progress=progress,
    )
    upload = _Upload(requests, source, sums, algorithm, checksum_type, max_concurrency)
    keep = on_failure == "keep" or (on_failure is None and bool(resume))
    with progress_of(client, Callback):
        if unfinished:
            kept = right_parts(unfinished, sums, algorithm)
            return upload.in_parts(unfinished.upload_id, kept, keep)
        if resume and (head := upload.made_before()):
            return upload.result(head, None, ())
        if resume == "only":
            nothing = f"{Bucket}/{Key} has no unfinished upload that this file could go on with"
            raise NothingToResume("; ".join([nothing, *against[:3]]))
        if not sums.plan.multipart:
            return upload.at_once()
        arguments = sums.create_multipart_upload_args(algorithm, checksum_type)
        return upload.in_parts(requests.create(**arguments)["UploadId"], {}, keep)


@dataclass(frozen=True)
class _Upload:
    """One run of upload_file, once the file is hashed."""

    requests: Requests
    source: Source
    sums: ObjectChecksums
    algorithm: str | None
    checksum_type: str | None
    max_concurrency: int

    def made_before(self) -> Response | None:
        """HeadObject's answer if an earlier attempt came to its end, unknown to us."""
        head = stored(self.requests, self.sums)
        asked = {name: value for name, value in self.requests.extra.items() if name in _SHOWN}
        if head is None or any(head.get(name) != value for name, value in asked.items()):
            return None
        if self.algorithm:
            kind = self.checksum_type if self.sums.plan.multipart else "FULL_OBJECT"
            evidence = f"{partsum.ALGORITHMS[self.algorithm].field} {kind}"
            if evidence not in verify(self.sums, head).evidence:
                return None
        return head

    def at_once(self) -> UploadResult:
        """One PutObject."""
        (whole,) = self.sums.parts
        arguments = self.sums.put_object_args(self.algorithm)

        def send(body: Body) -> Response:
            return put(self.requests, self.sums, {"Body": body, **arguments})

        answer = self._sent([whole], send)[whole.number]
        self.source.require_unchanged("the object has the bytes that were hashed before")
        return self.result(answer, None, (whole.number,))

    def in_parts(self, upload_id: str, kept: Mapping[int, Response], keep: bool) -> UploadResult:
        """A multipart upload from where it stands."""

        def send(body: Body) -> Response:
            arguments = self.sums.upload_part_args(body.part.number, self.algorithm)
            return self.requests.upload_part(UploadId=upload_id, Body=body, **arguments)

        try:
            with suppress(UploadStopped):
                for number in kept:
                    self.source.moved(self.sums.parts[number - 1].size)
            missing = [part for part in self.sums.parts if part.number not in kept]
            answers = {**kept, **self._sent(missing, send)}
            self.source.require_unchanged("the upload was not completed")
            arguments = self.sums.complete_multipart_upload_args(
                self.algorithm, self.checksum_type, answers
            )
            answer = complete(self.requests, upload_id, self.sums, arguments)
        except BaseException as error:
            add_note(error, self._given_up(upload_id, keep))
            raise
        sent = tuple(sorted(answers.keys() - kept.keys()))
        return self.result(answer, upload_id, sent)

    def result(
        self, answer: Response, upload_id: str | None, sent: tuple[int, ...]
    ) -> UploadResult:
        """The outcome, once S3's answer is compared with what we know."""
        kept = {part.number for part in self.sums.parts} - set(sent)
        return UploadResult(
            bucket=self.requests.bucket,
            key=self.requests.key,
            etag=_bare_etag(answer.get("ETag") or ""),
            version_id=answer.get("VersionId"),
            checksums=self.sums,
            verdict=compared(self.sums, answer),
            upload_id=upload_id,
            parts_sent=sent,
            parts_kept=tuple(sorted(kept)),
            response=answer,
        )

    def _sent(
        self, parts: Sequence[PartChecksums], send: Callable[[Body], Response]
    ) -> dict[int, Response]:
        """S3's answers to all these parts; or the first failure, once nothing is sent any more."""
        answers: dict[int, Response] = {}
        if parts and not self.source.failure:
            workers = min(self.max_concurrency, len(parts))
            with ThreadPoolExecutor(workers, thread_name_prefix="partsum-upload") as pool:
                try:
                    sending = {pool.submit(self._send, part, send): part.number for part in parts}
                    for done in as_completed(sending):
                        answers[sending[done]] = done.result()
                except BaseException as error:
                    self.source.fail(error)
                    pool.shutdown(wait=False, cancel_futures=True)
        if self.source.failure is not None:
            raise self.source.failure
        return answers

    def _send(self, part: PartChecksums, send: Callable[[Body], Response]) -> Response:
        """Send a part; once more if the network spoilt it, which botocore takes for final."""
        self.source.check()
        with Body(self.source, part) as body:
            try:
                return self._send_once(body, send)
            except Exception as error:
                if not means(error, "OTHER_BYTES"):
                    raise
            body.seek(0)
            return self._send_once(body, send)

    def _send_once(self, body: Body, send: Callable[[Body], Response]) -> Response:
        """Send a part; say which bytes of the file S3 refused, and whether the file is to blame."""
        part = body.part
        try:
            return send(body)
        except Exception as error:
            code = error_code(error)
            if means(error, "OTHER_BYTES") and self.source.differs(part):
                where = f"bytes {part.offset}-{part.offset + part.size - 1}"
                raise self.source.changed(
                    f"part {part.number} ({where}) is no longer as it was hashed, and S3 refused "
                    f"it ({code})"
                ) from error
            if code:
                add_note(error, self.sums.explain(error, part.number))
            raise

    def _given_up(self, upload_id: str, keep: bool) -> str | None:
        """What becomes of the parts that S3 has."""
        if keep:
            return f"S3 keeps the parts of upload {upload_id}, which can be resumed"
        try:
            self.requests.abort(upload_id)
        except Exception as error:
            if not means(error, "NO_SUCH_UPLOAD"):
                return (
                    f"the upload could not be aborted, and S3 may keep its parts (upload "
                    f"{upload_id}): {type(error).__name__}: {error}"
                )
        return None
