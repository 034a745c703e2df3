"""Compute a file's S3 checksums, upload it, and compare with the checksums that S3 reports.

    make demo

The program starts an S3 server on this machine and hashes a file with all ten algorithms. It
uploads the file in parts, with boto3's client and with boto3's resource, and compares the ETag and
the checksum of each object. Then it changes one byte of a part and shows that S3 rejects the part.
It leaves no files behind. The exit status is 0 only if every comparison succeeds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import partsum
from botocore.exceptions import ClientError

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "servers"))
from launch import seaweedfs

# boto3 creates its classes at run time, so there are no types to import.
Client = Any
Resource = Any
Response = Any

MIB = 2**20
PART_SIZE = "8MiB"


# Uploading with partsum ---------------------------------------------------------------------------


def upload_with_client(
    client: Client, path: Path, sums: partsum.ObjectChecksums, **target: str
) -> dict[str, Any]:
    """Upload with boto3's client: four parts at a time, each with its SHA-256."""
    upload = sums.multipart_upload("SHA256")
    created = client.create_multipart_upload(**target, **upload.create_args)
    target["UploadId"] = created["UploadId"]

    def send(part: partsum.PartChecksums) -> Response:
        arguments = upload.part_args(part.number)
        return client.upload_part(**target, Body=read(path, part), **arguments)

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(send, sums.parts))

    arguments = upload.complete_args(uploaded=responses)
    client.complete_multipart_upload(**target, **arguments)
    return arguments


def upload_with_resource(
    s3: Resource, path: Path, sums: partsum.ObjectChecksums, **target: str
) -> dict[str, Any]:
    """Upload with boto3's resource, with one CRC of the whole object.

    The responses for the parts are not needed.
    """
    upload = sums.multipart_upload("CRC64NVME")
    stored = s3.Object(target["Bucket"], target["Key"])
    created = stored.initiate_multipart_upload(**upload.create_args)
    for part in sums.parts:
        arguments = upload.part_args(part.number)
        created.Part(part.number).upload(Body=read(path, part), **arguments)

    arguments = upload.complete_args()
    created.complete(**arguments)
    return arguments


def upload_damaged_part(
    client: Client, path: Path, sums: partsum.ObjectChecksums, **target: str
) -> ClientError:
    """Upload the last part with one changed byte, and return the error that S3 answers."""
    upload = sums.multipart_upload("SHA256")
    created = client.create_multipart_upload(**target, **upload.create_args)
    target["UploadId"] = created["UploadId"]
    part = sums.parts[-1]
    body = bytearray(read(path, part))
    body[part.size // 2] ^= 0xFF
    try:
        client.upload_part(**target, Body=bytes(body), **upload.part_args(part.number))
    except ClientError as error:
        return error
    finally:
        client.abort_multipart_upload(**target)
    raise SystemExit("S3 accepted a part with a changed byte")


def read(path: Path, part: partsum.PartChecksums) -> bytes:
    """Read the bytes of one part."""
    with path.open("rb") as file:
        file.seek(part.offset)
        return file.read(part.size)


# The demonstration --------------------------------------------------------------------------------


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(
        description="Compare S3's checksums before and after an upload."
    )
    parser.add_argument(
        "--size", type=int, default=256, metavar="MIB", help="size of the file (256)"
    )
    size = max(1, parser.parse_args().size) * MIB

    with tempfile.TemporaryDirectory(prefix="partsum-demo-") as folder, seaweedfs() as server:
        path = Path(folder) / "file"
        make_file(path, size)
        client = boto3.client("s3", **server.client_kwargs)
        s3 = boto3.resource("s3", **server.client_kwargs)
        client.create_bucket(Bucket="demo")

        heading("Checksums computed before the upload")
        start = time.perf_counter()
        sums = partsum.hash_file(path, partsum.ALGORITHMS, part_size=PART_SIZE)
        seconds = time.perf_counter() - start
        show_checksums(sums)
        say()
        say(f"{size // MIB} MiB in {len(sums.parts)} parts of {PART_SIZE}, read once:")
        say(f"{seconds:.2f} s for all ten algorithms, {size / MIB / seconds:,.0f} MiB/s.")

        heading(f"Upload to {server.name} with boto3's client and SHA256")
        arguments = upload_with_client(client, path, sums, Bucket="demo", Key="by-client")
        show_call("client.complete_multipart_upload", arguments)
        say("HeadObject returns the same values:")
        stored = client.head_object(Bucket="demo", Key="by-client", ChecksumMode="ENABLED")
        expect("ETag", sums.etag, stored["ETag"].strip('"'))
        expect("SHA256", sums.checksum("SHA256"), stored["ChecksumSHA256"])

        heading(f"Upload to {server.name} with boto3's resource and CRC64NVME")
        arguments = upload_with_resource(s3, path, sums, Bucket="demo", Key="by-resource")
        show_call("MultipartUpload.complete", arguments)
        say("HeadObject returns the same values:")
        stored = client.head_object(Bucket="demo", Key="by-resource", ChecksumMode="ENABLED")
        expect("ETag", sums.etag, stored["ETag"].strip('"'))
        expect("CRC64NVME", sums.checksum("CRC64NVME"), stored["ChecksumCRC64NVME"])

        heading("Upload of a part with one changed byte")
        error = upload_damaged_part(client, path, sums, Bucket="demo", Key="damaged")
        say(str(error))
        say(sums.explain(error, number=len(sums.parts)) or "")
        expect("error code", "BadDigest", error.response["Error"]["Code"])

        s3.meta.client.close()
        client.close()


# Output -------------------------------------------------------------------------------------------


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'─' * len(text)}", flush=True)


def say(text: str = "") -> None:
    """Print text, wrapped to the width of a terminal."""
    print(textwrap.fill(text, 76, initial_indent="  ", subsequent_indent="  "), flush=True)


def show_checksums(sums: partsum.ObjectChecksums) -> None:
    """Print the ETag, and every algorithm with each of its checksum types."""
    print(f"  {'ETag':24}{sums.etag}")
    for name, algorithm in partsum.ALGORITHMS.items():
        for checksum_type in algorithm.checksum_types:
            value = sums.checksum(name, checksum_type)
            print(f"  {name:11}{checksum_type:13}{shorten(value, 50)}")


def show_call(method: str, arguments: dict[str, Any]) -> None:
    """Print the arguments of a call, with the first and the last part."""
    parts = arguments["MultipartUpload"]["Parts"]
    print(f"  {method}(")
    print('      MultipartUpload={"Parts": [')
    print(f"          {abridged(parts[0])},")
    if len(parts) > 2:
        print(f"          ... {len(parts) - 2} more ...")
    if len(parts) > 1:
        print(f"          {abridged(parts[-1])},")
    print("      ]},")
    for name, value in arguments.items():
        if name != "MultipartUpload":
            print(f"      {name}={value!r},")
    print("  )")


def expect(name: str, expected: str, stored: str) -> None:
    """Compare two values and print the result. Exit if they differ."""
    print(f"  {'✓' if stored == expected else '✗'} {name:12}{stored}", flush=True)
    if stored != expected:
        raise SystemExit(f"expected {expected}")


def shorten(text: str, width: int) -> str:
    """Replace the middle of a long text by an ellipsis."""
    if len(text) <= width:
        return text
    half = (width - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def abridged(part: dict[str, Any]) -> dict[str, Any]:
    """Shorten the checksums of a part's entry for printing."""
    return {
        name: shorten(value, 15) if isinstance(value, str) else value
        for name, value in part.items()
    }


def make_file(path: Path, size: int) -> None:
    """Write a file of random bytes."""
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))


if __name__ == "__main__":
    main()
