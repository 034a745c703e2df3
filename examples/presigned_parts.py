"""A client without credentials uploads parts with presigned URLs.

    python presigned_parts.py FILE BUCKET KEY

The client sends its checksums to a service, as JSON. The service signs one URL per part, together
with the part's checksum, MD5 and length, so that S3 accepts no other bytes at that URL. At the end,
the service completes the upload. This program runs both sides in one process.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import partsum
from botocore.config import Config

Client = Any  # boto3 creates its classes at run time

ALGORITHM = "SHA256"
LIFETIME = 3600  # seconds until a URL expires
HEADERS = {
    "ContentLength": "Content-Length",
    "ContentMD5": "Content-MD5",
    "ChecksumSHA256": "x-amz-checksum-sha256",
}


# The service. It has credentials. -----------------------------------------------------------------


def open_upload(s3: Client, target: dict[str, str], document: str) -> list[dict[str, Any]]:
    """Create the upload and return one URL with headers per part. Adds UploadId to `target`."""
    sums = partsum.ObjectChecksums.from_json(document)
    upload = sums.multipart_upload(ALGORITHM)
    created = s3.create_multipart_upload(**target, **upload.create_args)
    target["UploadId"] = created["UploadId"]
    tickets = []
    for part in sums.parts:
        signed = upload.part_args(part.number)
        url = s3.generate_presigned_url("upload_part", {**target, **signed}, LIFETIME)
        headers = {HEADERS[name]: str(signed[name]) for name in HEADERS}
        tickets.append({"url": url, "headers": headers})
    return tickets


def close_upload(s3: Client, target: dict[str, str], document: str) -> dict[str, Any]:
    """Complete the upload if every part has the checksums that the client sent."""
    sums = partsum.ObjectChecksums.from_json(document)
    pages = list(s3.get_paginator("list_parts").paginate(**target))
    arguments = sums.multipart_upload(ALGORITHM).complete_args(uploaded=pages)
    done: dict[str, Any] = s3.complete_multipart_upload(**target, **arguments)
    return done


# The client. It has no credentials. ---------------------------------------------------------------


def send(path: Path, sums: partsum.ObjectChecksums, tickets: list[dict[str, Any]]) -> None:
    """PUT each part to its URL with the standard library."""
    with path.open("rb") as file:
        for part, ticket in zip(sums.parts, tickets, strict=True):
            body = file.read(part.size)
            urlopen(Request(ticket["url"], body, ticket["headers"], method="PUT")).close()


if __name__ == "__main__":
    file, bucket, key = sys.argv[1:]
    service = boto3.client("s3", config=Config(signature_version="s3v4"))
    target = {"Bucket": bucket, "Key": key}
    sums = partsum.hash_file(file, ["MD5", ALGORITHM], part_size="8MiB")
    send(Path(file), sums, open_upload(service, target, sums.to_json()))
    print(close_upload(service, target, sums.to_json())["ETag"])
