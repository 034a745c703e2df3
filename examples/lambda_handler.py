"""An AWS Lambda function that compares an uploaded object with the checksums of its sender.

The sender first uploads ``KEY.partsum.json``, the output of ``sums.to_json()``, and then the
object. The bucket's notification "Object Created" calls this function. It does not download the
object, so a small function can check the largest objects.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import boto3
import partsum
from partsum.s3 import verify_object

SUFFIX = ".partsum.json"
s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
    """Check each object of a notification. Raise an error, which Lambda reports, for a mismatch."""
    records = [record["s3"] for record in event["Records"]]
    results = [
        check(record["bucket"]["name"], unquote_plus(record["object"]["key"]), record["object"])
        for record in records
        if not record["object"]["key"].endswith(SUFFIX)
    ]
    bad = [result for result in results if result["status"] == partsum.Status.MISMATCH]
    if bad:
        raise RuntimeError(f"objects differ from what was sent: {bad}")
    return {"results": results}


def check(bucket: str, key: str, stored: dict[str, Any]) -> dict[str, Any]:
    """Compare an object with the checksums of its sender."""
    document = s3.get_object(Bucket=bucket, Key=key + SUFFIX)["Body"].read()
    sums = partsum.ObjectChecksums.from_json(document)
    verdict = verify_object(s3, sums, bucket, key, VersionId=stored.get("versionId"))
    return {
        "key": key,
        "status": str(verdict.status),
        "reason": verdict.reason,
        "bad_parts": [part._asdict() for part in verdict.bad_parts],
    }
