"""Upload a file in parts with a boto3 client, every part and the object with checksums.

    python multipart_upload.py FILE BUCKET KEY [ALGORITHM]

S3 rejects a part whose bytes differ from those on disk, and an object that is not made of these
parts. ALGORITHM is SHA256 by default.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import partsum

Client = Any  # boto3 creates its classes at run time


def upload_file(client: Client, path: Path, target: dict[str, str], algorithm: str) -> str:
    """Upload a file and return the ETag of the object.

    Args:
        client: A boto3 S3 client.
        path: File to upload.
        target: Bucket and Key of the object.
        algorithm: Algorithm name from `partsum.ALGORITHMS`.
    """
    sums = partsum.hash_file(path, ["MD5", algorithm], part_size="8MiB")
    upload = sums.multipart_upload(algorithm)
    created = client.create_multipart_upload(**target, **upload.create_args)
    target = {**target, "UploadId": created["UploadId"]}

    def send(part: partsum.PartChecksums) -> dict[str, Any]:
        with path.open("rb") as file:
            file.seek(part.offset)
            body = file.read(part.size)
        arguments = upload.part_args(part.number)
        response: dict[str, Any] = client.upload_part(**target, Body=body, **arguments)
        return response

    try:
        with ThreadPoolExecutor(4) as threads:
            responses = list(threads.map(send, sums.parts))
        arguments = upload.complete_args(uploaded=responses)
        etag: str = client.complete_multipart_upload(**target, **arguments)["ETag"]
    except BaseException:
        # S3 stores the parts, and charges for them, until the upload is aborted.
        client.abort_multipart_upload(**target)
        raise
    return etag


if __name__ == "__main__":
    file, bucket, key, *rest = sys.argv[1:]
    algorithm = rest[0] if rest else "SHA256"
    print(upload_file(boto3.client("s3"), Path(file), {"Bucket": bucket, "Key": key}, algorithm))
