"""A multipart upload by boto3's client, every part and the object under checksums of partsum.

    python multipart_upload.py FILE BUCKET KEY [SHA256]

S3 refuses a part that is not as it was on disk, and the object that is not made of these parts.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import partsum

Client = Any  # boto3 makes its classes while it runs


def upload(client: Client, path: Path, bucket: str, key: str, algorithm: str) -> dict[str, Any]:
    """Upload a file, and return what S3 says of the object."""
    sums = partsum.hash_file(path, ["MD5", algorithm], part_size="8MiB")
    where = {"Bucket": bucket, "Key": key}
    created = client.create_multipart_upload(
        **where, **sums.create_multipart_upload_args(algorithm)
    )
    where["UploadId"] = created["UploadId"]

    def send(part: partsum.PartChecksums) -> dict[str, Any]:
        with path.open("rb") as file:
            file.seek(part.offset)
            body = file.read(part.size)
        arguments = sums.upload_part_args(part.number, algorithm)
        answer: dict[str, Any] = client.upload_part(**where, Body=body, **arguments)
        return answer

    try:
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(send, sums.parts))
        arguments = sums.complete_multipart_upload_args(algorithm, uploaded=answers)
        done: dict[str, Any] = client.complete_multipart_upload(**where, **arguments)
    except BaseException:
        client.abort_multipart_upload(**where)  # S3 keeps, and bills, the parts otherwise
        raise
    return done


if __name__ == "__main__":
    file, bucket, key, *rest = sys.argv[1:]
    client = boto3.client("s3")
    done = upload(client, Path(file), bucket, key, rest[0] if rest else "SHA256")
    print(done["ETag"])
