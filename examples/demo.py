"""A file's S3 checksums before its upload, and S3's word for them after it.

    make demo

Starts a real S3 server on this machine, hashes a file with all ten algorithms, uploads it part by
part with plain boto3, through the client and through the resource, and asks the server what it has
stored. Then one byte of one part is flipped. Nothing is left behind, and the exit status is 0 only
if all of it went as foretold.
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

# boto3 makes its classes while it runs, so there is nothing to name here.
Client = Any
Resource = Any
Response = Any

MIB = 2**20
PART_SIZE = "8MiB"


# Uploading with partsum ---------------------------------------------------------------------------


def upload_with_client(
    client: Client, path: Path, sums: partsum.ObjectChecksums, **where: str
) -> dict[str, Any]:
    """boto3's client, four parts at a time, each under its SHA-256."""
    created = client.create_multipart_upload(**where, **sums.create_multipart_upload_args("SHA256"))
    upload = {**where, "UploadId": created["UploadId"]}

    def send(part: partsum.PartChecksums) -> Response:
        arguments = sums.upload_part_args(part.number, "SHA256")
        return client.upload_part(**upload, Body=read(path, part), **arguments)

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(send, sums.parts))

    arguments = sums.complete_multipart_upload_args("SHA256", uploaded=responses)
    client.complete_multipart_upload(**upload, **arguments)
    return arguments


def upload_with_resource(
    s3: Resource, path: Path, sums: partsum.ObjectChecksums, **where: str
) -> dict[str, Any]:
    """boto3's resource, the whole object under one CRC. What S3 says to the parts is not needed."""
    upload = s3.Object(where["Bucket"], where["Key"]).initiate_multipart_upload(
        **sums.create_multipart_upload_args("CRC64NVME")
    )
    for part in sums.parts:
        arguments = sums.upload_part_args(part.number, "CRC64NVME")
        upload.Part(part.number).upload(Body=read(path, part), **arguments)

    arguments = sums.complete_multipart_upload_args("CRC64NVME")
    upload.complete(**arguments)
    return arguments


def upload_damaged_part(
    client: Client, path: Path, sums: partsum.ObjectChecksums, **where: str
) -> ClientError:
    """One byte of the last part is not as it was hashed. Returns what S3 has to say about that."""
    created = client.create_multipart_upload(**where, **sums.create_multipart_upload_args("SHA256"))
    upload = {**where, "UploadId": created["UploadId"]}
    part = sums.parts[-1]
    body = bytearray(read(path, part))
    body[part.size // 2] ^= 0xFF
    try:
        arguments = sums.upload_part_args(part.number, "SHA256")
        client.upload_part(**upload, Body=bytes(body), **arguments)
    except ClientError as refusal:
        return refusal
    finally:
        client.abort_multipart_upload(**upload)
    raise SystemExit("S3 took a part that is damaged")


def read(path: Path, part: partsum.PartChecksums) -> bytes:
    """One part's bytes."""
    with path.open("rb") as file:
        file.seek(part.offset)
        return file.read(part.size)


# The story ----------------------------------------------------------------------------------------


def main() -> None:
    """From top to bottom."""
    parser = argparse.ArgumentParser(description="S3's checksums before an upload and after it.")
    parser.add_argument("--size", type=int, default=256, metavar="MIB", help="of the file (256)")
    size = max(1, parser.parse_args().size) * MIB

    with tempfile.TemporaryDirectory(prefix="partsum-demo-") as folder, seaweedfs() as server:
        path = Path(folder) / "file"
        make_file(path, size)
        client = boto3.client("s3", **server.client_kwargs)
        s3 = boto3.resource("s3", **server.client_kwargs)
        client.create_bucket(Bucket="demo")

        heading("What S3 will say")
        begun = time.perf_counter()
        sums = partsum.hash_file(path, partsum.ALGORITHMS, part_size=PART_SIZE)
        seconds = time.perf_counter() - begun
        show_checksums(sums)
        say()
        say(f"{size // MIB} MiB in {len(sums.parts)} parts of {PART_SIZE}, read once:")
        say(f"{seconds:.2f} s for all ten algorithms, {size / MIB / seconds:,.0f} MiB/s.")

        heading(f"What {server.name} says: boto3's client, SHA256")
        arguments = upload_with_client(client, path, sums, Bucket="demo", Key="by-client")
        show_call("client.complete_multipart_upload", arguments)
        say("HeadObject, beside what stands above:")
        stored = client.head_object(Bucket="demo", Key="by-client", ChecksumMode="ENABLED")
        expect("ETag", sums.etag, stored["ETag"].strip('"'))
        expect("SHA256", sums.checksum("SHA256"), stored["ChecksumSHA256"])

        heading(f"What {server.name} says: boto3's resource, CRC64NVME")
        arguments = upload_with_resource(s3, path, sums, Bucket="demo", Key="by-resource")
        show_call("MultipartUpload.complete", arguments)
        say("HeadObject, beside what stands above:")
        stored = client.head_object(Bucket="demo", Key="by-resource", ChecksumMode="ENABLED")
        expect("ETag", sums.etag, stored["ETag"].strip('"'))
        expect("CRC64NVME", sums.checksum("CRC64NVME"), stored["ChecksumCRC64NVME"])

        heading("One byte flipped in one part")
        refusal = upload_damaged_part(client, path, sums, Bucket="demo", Key="damaged")
        say(str(refusal))
        say(sums.explain(refusal, number=len(sums.parts)) or "")
        expect("refused", "BadDigest", refusal.response["Error"]["Code"])

        s3.meta.client.close()
        client.close()


# Telling it ---------------------------------------------------------------------------------------


def heading(text: str) -> None:
    """Begin a chapter."""
    print(f"\n{text}\n{'─' * len(text)}", flush=True)


def say(text: str = "") -> None:
    """One line, or more if it is long."""
    print(textwrap.fill(text, 76, initial_indent="  ", subsequent_indent="  "), flush=True)


def show_checksums(sums: partsum.ObjectChecksums) -> None:
    """Every value that S3 can show for this object, each algorithm in each of its types."""
    print(f"  {'ETag':24}{sums.etag}")
    for name, algorithm in partsum.ALGORITHMS.items():
        for checksum_type in algorithm.checksum_types:
            value = sums.checksum(name, checksum_type)
            print(f"  {name:11}{checksum_type:13}{shorten(value, 50)}")


def show_call(method: str, arguments: dict[str, Any]) -> None:
    """A call as it was made, without most of its parts."""
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


def expect(name: str, foretold: str, stored: str) -> None:
    """Compare, tell, and end here if it does not hold."""
    print(f"  {'✓' if stored == foretold else '✗'} {name:10}{stored}", flush=True)
    if stored != foretold:
        raise SystemExit(f"expected {foretold}")


def shorten(text: str, width: int) -> str:
    """Leave out the middle of what is wider."""
    if len(text) <= width:
        return text
    half = (width - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def abridged(part: dict[str, Any]) -> dict[str, Any]:
    """A part's entry in the payload, fit to print."""
    return {
        name: shorten(value, 15) if isinstance(value, str) else value
        for name, value in part.items()
    }


def make_file(path: Path, size: int) -> None:
    """Bytes that nobody has hashed before."""
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))


if __name__ == "__main__":
    main()
