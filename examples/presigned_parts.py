"""A client without credentials uploads parts by presigned URLs that are good for its bytes alone.

    python presigned_parts.py FILE BUCKET KEY

The client sends its checksums as JSON. The service signs a URL for each part with the part's
checksum, MD5 and length among the signed headers, so that S3 takes no other bytes; then it
completes the upload. Here both are in one process; what goes between them is plain data.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import partsum
from botocore.config import Config

Client = Any  # boto3 makes its classes while it runs

ALGORITHM = "SHA256"
LIFETIME = 3600  # seconds that a URL is good for
HEADERS = {
    "ContentLength": "Content-Length",
    "ContentMD5": "Content-MD5",
    "ChecksumSHA256": "x-amz-checksum-sha256",
}


# The service, which has credentials ---------------------------------------------------------------


def open_upload(s3: Client, where: dict[str, str], document: str) -> list[dict[str, Any]]:
    """Begin the upload; give a URL and its headers for each part. Adds UploadId to `where`."""
    sums = partsum.ObjectChecksums.from_json(document)
    arguments = sums.create_multipart_upload_args(ALGORITHM)
    where["UploadId"] = s3.create_multipart_upload(**where, **arguments)["UploadId"]
    tickets = []
    for part in sums.parts:
        signed = sums.upload_part_args(part.number, ALGORITHM)
        url = s3.generate_presigned_url("upload_part", {**where, **signed}, LIFETIME)
        headers = {HEADERS[name]: str(signed[name]) for name in HEADERS}
        tickets.append({"url": url, "headers": headers})
    return tickets


def close_upload(s3: Client, where: dict[str, str], document: str) -> dict[str, Any]:
    """Complete the upload, if every part is there as the client announced it."""
    sums = partsum.ObjectChecksums.from_json(document)
    pages = list(s3.get_paginator("list_parts").paginate(**where))
    arguments = sums.complete_multipart_upload_args(ALGORITHM, uploaded=pages)
    done: dict[str, Any] = s3.complete_multipart_upload(**where, **arguments)
    return done


# The client, which has none -----------------------------------------------------------------------


def send(path: Path, sums: partsum.ObjectChecksums, tickets: list[dict[str, Any]]) -> None:
    """PUT each part to its URL; the standard library is enough."""
    with path.open("rb") as file:
        for part, ticket in zip(sums.parts, tickets, strict=True):
            body = file.read(part.size)
            urlopen(Request(ticket["url"], body, ticket["headers"], method="PUT")).close()


if __name__ == "__main__":
    file, bucket, key = sys.argv[1:]
    service = boto3.client("s3", config=Config(signature_version="s3v4"))
    where = {"Bucket": bucket, "Key": key}
    sums = partsum.hash_file(file, ["MD5", ALGORITHM], part_size="8MiB")
    send(Path(file), sums, open_upload(service, where, sums.to_json()))
    print(close_upload(service, where, sums.to_json())["ETag"])
