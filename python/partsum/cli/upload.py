"""``partsum upload``: upload a file under checksums that were computed before."""

import json
import os
from typing import TYPE_CHECKING, Any, Literal

import click

from partsum import ALGORITHMS, PartsumError
from partsum.cli.client import (
    Connection,
    S3Name,
    S3NameType,
    client_options,
    s3_reason,
    sse_c_option,
)
from partsum.cli.options import AlgorithmName, F, hash_options, json_option, refuse
from partsum.cli.sums.hashing import CHECKSUM_TYPES, HashOptions, facts
from partsum.cli.terminal import ProgressBar, counted, emit, emit_json, reason, say

if TYPE_CHECKING:
    from partsum.s3 import UploadResult


def _extra_args(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        arguments = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not JSON: {error}", ctx, param) from None
    if not isinstance(arguments, dict):
        raise click.BadParameter(f"{value!r} is not a JSON object", ctx, param)
    return arguments


def upload_options(function: F) -> F:
    """Add what upload and resume share."""
    for option in (
        click.argument("target", type=S3NameType(), metavar="S3://BUCKET/KEY"),
        click.argument("file", type=click.Path(readable=False)),
        json_option,
        sse_c_option,
        click.option(
            "--extra-args",
            metavar="JSON",
            callback=_extra_args,
            help='boto3\'s ExtraArgs, such as \'{"ContentType": "text/csv"}\'.',
        ),
        client_options,
        click.option(
            "--concurrency",
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            metavar="N",
            help="Number of parts that are sent at the same time.",
        ),
        click.option(
            "--on-failure",
            type=click.Choice(["abort", "keep"]),
            help="After an error or Ctrl-C: abort the upload, or keep its parts to resume it.",
        ),
        hash_options(part_size="boto3", cache=False),
        click.option(
            "--checksum-type",
            type=click.Choice(CHECKSUM_TYPES, case_sensitive=False),
            metavar="TYPE",
            help="COMPOSITE or FULL_OBJECT; by default S3's default for the algorithm.",
        ),
        click.option(
            "-a",
            "--algorithm",
            type=AlgorithmName("none"),
            default="CRC64NVME",
            show_default=True,
            metavar="ALG",
            help=f"Checksum of the object: {', '.join(ALGORITHMS)}, or none.",
        ),
    ):
        function = option(function)
    return function


@click.command(
    "upload",
    short_help="Upload a file to S3 under checksums computed before.",
    epilog="""\b
Examples:
  partsum upload big.tar s3://bucket/backup/
  partsum upload -a sha256 --part-size 64MiB big.tar s3://bucket/big.tar
  partsum upload --resume big.tar s3://bucket/big.tar
  partsum upload --extra-args '{"StorageClass":"STANDARD_IA"}' big.tar s3://b/""",
)
@click.option(
    "--resume", is_flag=True, help="Resume an unfinished upload of the key, if there is one."
)
@upload_options
def command(*, resume: bool, **options: Any) -> int:  # noqa: ANN401  (as click has them)
    """Upload FILE. If the key is empty or ends in "/", the name of the file is added.

    FILE is hashed once. Every part is sent with its checksum and its MD5, and what S3 says of the
    object is compared with the checksums that were computed. --resume sends only the parts that S3
    does not have, and keeps the parts after a failure.
    """
    return transfer(resume=resume, **options)


def transfer(
    *,
    resume: bool | Literal["only"],
    algorithm: str,
    checksum_type: str | None,
    hashing: HashOptions,
    on_failure: Literal["abort", "keep"] | None,
    concurrency: int,
    connection: Connection,
    extra_args: dict[str, Any],
    sse_c: dict[str, Any],
    as_json: bool,
    file: str,
    target: S3Name,
) -> int:
    """Upload, print the result, and return the exit status."""
    from partsum.s3 import upload_file

    if algorithm == "none":
        refuse(("checksum_type",), "{} needs an algorithm, and -a is none")
    if target.is_prefix:
        target = target.below(os.path.basename(file))  # noqa: PTH119  (a name need not be UTF-8)
    hash_bar = ProgressBar.over([file])
    send_bar = ProgressBar.over([file], "uploading", delay=0.0)
    client = connection.client(concurrency)
    try:
        result = upload_file(
            client,
            file,
            *target,
            algorithm=None if algorithm == "none" else algorithm,
            checksum_type=checksum_type,
            resume=resume,
            on_failure=on_failure,
            max_concurrency=concurrency,
            progress=hash_bar.callback,
            ExtraArgs=extra_args | sse_c,
            Callback=send_bar.callback,
            **hashing.as_kwargs(),
        )
    except BaseException as error:
        send_bar.clear()
        hash_bar.clear()
        # Ctrl-C and what must not happen have no words.
        ours = isinstance(error, OSError | PartsumError | ValueError)
        words = reason(error) if ours else s3_reason(error)
        if words is not None:
            say(f"{file}: {words}")
        for note in getattr(error, "__notes__", ()):
            say(note)
        if words is None:
            raise
        if as_json:
            emit_json({"path": file, "bucket": target.bucket, "key": target.key, "error": words})
        return 2 if isinstance(error, ValueError) else 1
    send_bar.clear()
    hash_bar.clear()
    if as_json:
        emit_json({"path": file} | _document(result))
    else:
        emit(_line(file, target, result))
    return 0


def _line(file: str, target: S3Name, result: "UploadResult") -> str:
    if result.checksums.plan.multipart:
        sent = counted(len(result.parts_sent), "part")
        done = f"{sent} sent, {len(result.parts_kept)} kept"
    else:
        done = "sent at once" if result.parts_sent else "there already"
    verdict = result.verdict
    compared = verdict.reason if verdict else f"not compared: {verdict.reason}"
    return f"{file}: {target}: {done}; ETag {result.etag}; {compared}"


def _document(result: "UploadResult") -> dict[str, Any]:
    response, verdict = result.response, result.verdict
    return (
        {"bucket": result.bucket, "key": result.key, "version_id": result.version_id}
        | facts(result.checksums)
        | {
            "etag": result.etag,
            "checksums": {
                name: value for name, value in response.items() if name.startswith("Checksum")
            },
            "upload_id": result.upload_id,
            "parts_sent": list(result.parts_sent),
            "parts_kept": list(result.parts_kept),
            "status": str(verdict.status),
            "reason": verdict.reason,
            "evidence": list(verdict.evidence),
        }
    )
