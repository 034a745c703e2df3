"""Objects that other people's tools uploaded: the right file is a MATCH, a flipped bit is found.

boto3, a plain loop over upload_part, awscrt's own client, the AWS CLI (``tests/servers/provision.py
awscli``) and rclone (a package of Debian's). A tool that is not there is skipped, and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import partsum
import partsum.s3
import provision
import pytest
from launch import REGION
from store import Local, Store, requests

pytest.importorskip("boto3")

MIB = 2**20
SIZE = 20 * MIB + 1
LIMIT = 60  # seconds

Upload = Callable[[Store, Path], None]


def boto3_default(store: Store, path: Path) -> None:
    store.client.upload_file(str(path), *store.where.values())


def boto3_full_object(store: Store, path: Path) -> None:
    extra = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    store.client.upload_file(str(path), *store.where.values(), ExtraArgs=extra)


def plain_loop(store: Store, path: Path) -> None:
    """As s5cmd and others that know no checksums, with the ETags that came back."""
    client = store.configured(request_checksum_calculation="when_required").client
    upload_id = client.create_multipart_upload(**store.where)["UploadId"]
    parts: list[dict[str, Any]] = []
    with path.open("rb") as file:
        while body := file.read(6 * MIB):
            number = len(parts) + 1
            where = {**store.where, "UploadId": upload_id, "PartNumber": number}
            parts.append(
                {"PartNumber": number, "ETag": client.upload_part(**where, Body=body)["ETag"]}
            )
    client.complete_multipart_upload(
        **store.where, UploadId=upload_id, MultipartUpload={"Parts": parts}
    )


def uneven_loop(store: Store, path: Path) -> None:
    """As a writer that flushes when it likes, with checksums."""
    upload_id = store.client.create_multipart_upload(**store.where, ChecksumAlgorithm="SHA256")[
        "UploadId"
    ]
    parts: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for size in (5 * MIB, 9 * MIB + 3, SIZE):
            number = len(parts) + 1
            answer = store.client.upload_part(
                **store.where,
                UploadId=upload_id,
                PartNumber=number,
                Body=file.read(size),
                ChecksumAlgorithm="SHA256",
            )
            checksum = {"ChecksumSHA256": answer["ChecksumSHA256"]}
            parts.append({"PartNumber": number, "ETag": answer["ETag"], **checksum})
    store.client.complete_multipart_upload(
        **store.where, UploadId=upload_id, MultipartUpload={"Parts": parts}
    )


def awscrt_client(algorithm: str | None) -> Upload:
    def upload(store: Store, path: Path) -> None:
        s3 = pytest.importorskip("awscrt.s3", reason="NOT TESTED after awscrt: it is not there")
        from awscrt.auth import AwsCredentialsProvider
        from awscrt.http import HttpHeaders, HttpRequest

        server = store.server
        provider = AwsCredentialsProvider.new_static(server.access_key, server.secret_key)
        client = s3.S3Client(
            region=REGION,
            signing_config=s3.create_default_s3_signing_config(
                region=REGION, credential_provider=provider
            ),
            tls_mode=s3.S3RequestTlsMode.DISABLED,
        )
        more = {}
        if algorithm is not None:
            more["checksum_config"] = s3.S3ChecksumConfig(
                algorithm=s3.S3ChecksumAlgorithm[algorithm],
                location=s3.S3ChecksumLocation.TRAILER,
            )
        headers = HttpHeaders(
            [
                ("Host", server.endpoint.removeprefix("http://")),
                ("Content-Length", str(path.stat().st_size)),
            ]
        )
        target = f"/{store.bucket}/{store.where['Key']}"
        request = client.make_request(
            request=HttpRequest("PUT", target, headers),
            type=s3.S3RequestType.PUT_OBJECT,
            send_filepath=str(path),
            **more,
        )
        request.finished_future.result(LIMIT)

    return upload


def run(store: Store, command: list[str]) -> None:
    """A tool in a process of its own, without any settings of the user's."""
    credentials = {
        "AWS_ACCESS_KEY_ID": store.server.access_key,
        "AWS_SECRET_ACCESS_KEY": store.server.secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "NO_PROXY": "*",
    }
    done = subprocess.run(
        command,
        env={**os.environ, **credentials},
        capture_output=True,
        check=False,
        timeout=LIMIT,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def aws_cli(store: Store, path: Path) -> None:
    try:
        aws = provision.awscli()
    except provision.Unavailable as reason:
        pytest.skip(f"NOT TESTED after the AWS CLI: {reason}")
    target = f"s3://{store.bucket}/{store.where['Key']}"
    common = ["--endpoint-url", store.server.endpoint, "s3", "cp", "--quiet"]
    run(store, [str(aws), *common, str(path), target])


def rclone(*options: str) -> Upload:
    def upload(store: Store, path: Path) -> None:
        program = shutil.which("rclone")
        if program is None:
            pytest.skip("NOT TESTED after rclone: it is not on PATH (apt-get install rclone)")
        remote = {
            "endpoint": store.server.endpoint,
            "provider": "Other",
            "env-auth": "true",
            "no-check-bucket": "true",
        }
        common = [f"--s3-{name}={value}" for name, value in remote.items()]
        common += ["--config", os.devnull, "--retries", "1", *options]
        target = f":s3:{store.bucket}/{store.where['Key']}"
        run(store, [program, *common, "copyto", str(path), target])

    return upload


TOOLS: dict[str, Upload] = {
    "boto3 upload_file": boto3_default,
    "boto3 upload_file FULL_OBJECT": boto3_full_object,
    "plain loop": plain_loop,
    "uneven loop": uneven_loop,
    "awscrt": awscrt_client(None),
    "awscrt CRC32": awscrt_client("CRC32"),
    "awscrt CRC64NVME": awscrt_client("CRC64NVME"),
    "aws-cli": aws_cli,
    "rclone": rclone("--s3-upload-cutoff=5M", "--s3-chunk-size=5M"),
    "rclone, one piece": rclone(),
}
# What S3 keeps checksums of parts for, by which it can be told which part is wrong: not for objects
# without or with full object checksums.
COMPOSITE = {"boto3 upload_file", "uneven loop", "awscrt CRC32", "aws-cli"}


@pytest.mark.parametrize("tool", TOOLS)
def test_uploads_of(
    tool: str,
    store: Store,
    local: Callable[..., Local],
    spoil: Callable[[Local, int], Path],
    tmp_path: Path,
) -> None:
    file = local(None, SIZE)
    where: dict[str, Any] = store.where
    TOOLS[tool](store, file.path)
    verdict = partsum.s3.verify_object(store.client, file.path, **where)
    assert verdict.status == "MATCH", verdict
    plan = partsum.s3.object_plan(store.client, **where)
    at = 14 * MIB  # neither in the first part nor in the last
    wrong = spoil(file, at)
    verdict = partsum.s3.verify_object(store.client, wrong, **where)
    assert verdict.status == "MISMATCH", verdict
    parts = zip(range(1, len(plan) + 1), plan.offsets, plan.sizes, strict=True)
    bad = tuple(part for part in parts if part[1] <= at < part[1] + part[2])
    if tool in COMPOSITE and store.server.name != "SeaweedFS":
        assert verdict.bad_parts == bad
        assert f"part {bad[0][0]} " in verdict.reason
    else:
        assert verdict.bad_parts == ()
    # The list alone is enough wherever the parts are those of a tool we know.
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "object").symlink_to(file.path)
    with requests(store.client) as seen:
        (entry,) = partsum.s3.verify_prefix(store.client, tmp_path / "tree", store.bucket)
    assert entry.status == "MATCH", entry
    if tool not in ("plain loop", "uneven loop"):
        assert seen == ["ListObjectsV2"]
