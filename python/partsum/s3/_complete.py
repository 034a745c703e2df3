"""Complete an upload, and find out whether it succeeded if the response was lost."""

from __future__ import annotations

from contextlib import suppress

from partsum._core import ObjectChecksums, verify
from partsum.errors import PartMismatch
from partsum.s3._client import Response, add_note, http_status, means
from partsum.s3._requests import Requests
from partsum.verdict import Status, Verdict


def complete(
    requests: Requests, upload_id: str, sums: ObjectChecksums, arguments: Response
) -> Response:
    """Complete the upload and return S3's response.

    botocore retries after a lost connection, 500, 503 and an error inside a 200. If the first
    attempt succeeded, the retry gets NoSuchUpload, or PreconditionFailed with IfNoneMatch. In that
    case HeadObject's response is returned if the object has the file's bytes.
    """
    try:
        return requests.complete(UploadId=upload_id, **arguments)
    except Exception as error:
        if _says_nothing_of_the_upload(error):
            try:
                if _is_over(requests, upload_id, error) and (head := stored(requests, sums)):
                    return head
            except Exception as refusal:
                add_note(
                    error,
                    "whether the upload was completed all the same could not be found out: "
                    f"{type(refusal).__name__}: {refusal}",
                )
        raise


def put(requests: Requests, sums: ObjectChecksums, arguments: Response) -> Response:
    """Return PutObject's response, or HeadObject's if an earlier attempt had succeeded."""
    try:
        return requests.put_object(**arguments)
    except Exception as error:
        # Without a second attempt, the object that is in the way is somebody else's.
        if means(error, "CONDITION_FAILED") and _attempts(error) > 1:
            with suppress(Exception):
                if head := stored(requests, sums):
                    return head
        raise


def stored(requests: Requests, sums: ObjectChecksums) -> Response | None:
    """Return HeadObject's response if it shows that the object has the file's bytes."""
    try:
        head = requests.head()
    except Exception as error:
        if http_status(error) in (403, 404):
            return None
        raise
    return head if verify(sums, head) else None


def compared(sums: ObjectChecksums, answer: Response) -> Verdict:
    """Compare S3's response about the new object with the file.

    Raises:
        PartMismatch: The store accepted other bytes without checking them.
    """
    verdict = verify(sums, answer)
    if verdict.status is Status.MISMATCH:
        raise PartMismatch(
            f"S3 stored something else than the file: {verdict.reason}",
            [part.number for part in verdict.bad_parts],
        )
    return verdict


def _attempts(error: Exception) -> int:
    response = getattr(error, "response", {})
    return 1 + int(response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _says_nothing_of_the_upload(error: Exception) -> bool:
    """Return whether the upload may have succeeded in spite of this error."""
    status = http_status(error)
    ended = means(error, "NO_SUCH_UPLOAD") or means(error, "CONDITION_FAILED")
    return status == 0 or status >= 500 or ended


def _is_over(requests: Requests, upload_id: str, error: Exception) -> bool:
    """Return whether S3 no longer has the upload, because it was completed or aborted."""
    if means(error, "NO_SUCH_UPLOAD"):
        return True
    try:
        next(requests.parts(upload_id), None)
    except Exception as refusal:
        if not means(refusal, "NO_SUCH_UPLOAD"):
            raise
        return True
    return False
