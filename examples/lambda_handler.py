"""An AWS Lambda function: is the object that has just been uploaded what its sender hashed?

The sender puts ``KEY.partsum.json`` (``sums.to_json()``) into the bucket first, then the object;
the bucket's notification "Object Created" calls this. Objects are not downloaded, so the smallest
function checks the largest of them.
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
    """Check each object of a notification; raise, so that Lambda's own alarms go off."""
    records = [record["s3"] for record in event["Records"]]
    results = [
        check(record["bucket"]["name"], unquote_plus(record["object"]["key"]), record["object"])
        for record in records
        if not record["object"]["key"].endswith(SUFFIX)
    ]
    bad = [result for result in results if result["status"] == partsum.Status.MISMATCH]
    if bad:
        raise RuntimeError(f"not what was sent: {bad}")
    return {"results": results}


def check(bucket: str, key: str, stored: dict[str, Any]) -> dict[str, Any]:
    """Compare an object with what its sender said of it."""
    document = s3.get_object(Bucket=bucket, Key=key + SUFFIX)["Body"].read()
    sums = partsum.ObjectChecksums.from_json(document)
    verdict = verify_object(s3, sums, bucket, key, VersionId=stored.get("versionId"))
    return {
        "key": key,
        "status": str(verdict.status),
        "reason": verdict.reason,
        "bad_parts": [part._asdict() for part in verdict.bad_parts],
    }
