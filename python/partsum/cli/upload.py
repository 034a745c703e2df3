"""``partsum upload``: a file becomes an object, every part under checksums known before."""

import json
import os
import threading
from typing import TYPE_CHECKING, Any, Literal

import click

from partsum import ALGORITHMS, PartsumError
from partsum.cli._client import (
    Connection,
    F,
    S3Name,
    S3NameType,
    client_options,
    s3_reason,
    sse_c_option,
)
from partsum.cli._common import emit, emit_json, facts, plan_of, reason, say
from partsum.cli._options import json_option, part_size_option, threads_option
from partsum.cli._progress import Callback, Progress

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
    """What upload and resume share."""
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
        threads_option,
        click.option(
            "--concurrency",
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            metavar="N",
            help="Parts that are sent at the same time.",
        ),
        click.option(
            "--on-failure",
            type=click.Choice(["abort", "keep"]),
            help="After an error or Ctrl-C: drop the parts, or keep them, to resume.",
        ),
        part_size_option(default="boto3"),
        click.option(
            "--checksum-type",
            type=click.Choice(["COMPOSITE", "FULL_OBJECT"], case_sensitive=False),
            metavar="TYPE",
            help="COMPOSITE or FULL_OBJECT; S3's default for the algorithm by default.",
        ),
        click.option(
            "-a",
            "--algorithm",
            type=click.Choice([*ALGORITHMS, "none"], case_sensitive=False),
            default="CRC64NVME",
            show_default=True,
            metavar="ALG",
            help=f"The object's checksum: {', '.join(ALGORITHMS)}, or none.",
        ),
    ):
        function = option(function)
    return function


@click.command(
    "upload",
    short_help="Upload a file to S3 under checksums known before.",
    epilog="""\b
Examples:
  partsum upload big.tar s3://bucket/backup/
  partsum upload -a sha256 --part-size 64MiB big.tar s3://bucket/big.tar
  partsum upload --resume big.tar s3://bucket/big.tar
  partsum upload --extra-args '{"StorageClass":"STANDARD_IA"}' big.tar s3://b/""",
)
@click.option(
    "--resume", is_flag=True, help="Go on with an unfinished upload of the key, if there is one."
)
@upload_options
def command(*, resume: bool, **options: Any) -> int:  # noqa: ANN401  (as click has them)
    """Upload FILE; with a key that is empty or ends in "/", under its own name there.

    The file is hashed once, every part is sent under its checksum and its MD5, and what S3 says of
    the object is compared with what was known before. --resume sends only what S3 does not have
    yet, and keeps after a failure what it has.
    """
    return transfer(resume=resume, **options)


def transfer(
    *,
    resume: bool | Literal["only"],
    algorithm: str,
    checksum_type: str | None,
    part_size: str,
    allow_small_parts: bool,
    on_failure: Literal["abort", "keep"] | None,
    concurrency: int,
    threads: int | None,
    connection: Connection,
    extra_args: dict[str, Any],
    sse_c: dict[str, Any],
    as_json: bool,
    file: str,
    target: S3Name,
) -> int:
    """Upload, print what came of it, and return the exit status."""
    from partsum.s3 import upload_file

    if target.is_prefix:
        target = target.below(os.path.basename(file))  # noqa: PTH119  (a name need not be UTF-8)
    hashing = Progress([file])
    sending = Progress([file], "uploading", delay=0.0)
    client = connection.client(concurrency)
    try:
        result = upload_file(
            client,
            file,
            target.bucket,
            target.key,
            algorithm=None if algorithm == "none" else algorithm,
            checksum_type=checksum_type,
            part_size=plan_of(part_size),
            allow_small_parts=allow_small_parts,
            resume=resume,
            on_failure=on_failure,
            max_concurrency=concurrency,
            threads=threads,
            progress=hashing.callback,
            ExtraArgs=extra_args | sse_c,
            Callback=_one_at_a_time(sending.callback),
        )
    except BaseException as error:
        sending.clear()
        hashing.clear()
        words = _words(error)
        if words is not None:
            say(f"{file}: {words}")
        for note in getattr(error, "__notes__", ()):
            say(note.replace("resume=True", "partsum resume").replace("resume=False", "upload"))
        if words is None:
            raise
        if as_json:
            emit_json({"path": file, "bucket": target.bucket, "key": target.key, "error": words})
        return 2 if isinstance(error, ValueError) else 1
    sending.clear()
    hashing.clear()
    if as_json:
        emit_json({"path": file} | _document(result))
    else:
        emit(_line(file, target, result))
    return 0


def _words(error: BaseException) -> str | None:
    """What went wrong; None for Ctrl-C, and for what must not happen."""
    if isinstance(error, OSError | PartsumError | ValueError):
        return reason(error)
    return s3_reason(error)


def _one_at_a_time(callback: Callback | None) -> Callback | None:
    """A bar that several threads may move."""
    if callback is None:
        return None
    lock = threading.Lock()

    def move(count: int) -> None:
        with lock:
            callback(count)

    return move


def _line(file: str, target: S3Name, result: "UploadResult") -> str:
    done = (
        f"{_parts(len(result.parts_sent))} sent, {len(result.parts_kept)} kept"
        if result.checksums.plan.multipart
        else "sent at once"
        if result.parts_sent
        else "there already"
    )
    verdict = result.verdict
    compared = verdict.reason if verdict else f"not compared: {verdict.reason}"
    return f"{file}: {target}: {done}; ETag {result.etag}; {compared}"


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count} parts"


def _document(result: "UploadResult") -> dict[str, Any]:
    verdict = result.verdict
    return (
        {"bucket": result.bucket, "key": result.key, "version_id": result.version_id}
        | facts(result.checksums)
        | {
            "etag": result.etag,
            "checksums": {
                name: value
                for name, value in result.response.items()
                if name.startswith("Checksum")
            },
            "upload_id": result.upload_id,
            "parts_sent": list(result.parts_sent),
            "parts_kept": list(result.parts_kept),
            "status": str(verdict.status),
            "reason": verdict.reason,
            "evidence": list(verdict.evidence),
        }
    )
