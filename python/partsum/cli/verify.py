"""``partsum verify``: whether a file is an object, by what S3 says of the object."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

import partsum
from partsum.cli._client import (
    Connection,
    S3Name,
    S3NameType,
    client_options,
    s3_reason,
    sse_c_option,
)
from partsum.cli._common import (
    NO_ANSWER,
    Failed,
    each,
    emit,
    emit_json,
    escape,
    open_stream,
    reason,
)
from partsum.cli._options import F, cache_option, json_option, threads_option
from partsum.cli._progress import Callback

if TYPE_CHECKING:
    from partsum.cli._cache import Cache

# Of a file, or of what is known of one.
Compare = Callable[[str | partsum.ObjectChecksums, Callback | None], partsum.Verdict]

STATUS = {
    partsum.Status.MATCH: 0,
    partsum.Status.MISMATCH: 1,
    partsum.Status.NOT_COMPARABLE: NO_ANSWER,
}


def _responses_option(*names: str, help: str) -> Callable[[F], F]:
    return click.option(
        *names,
        multiple=True,
        metavar="JSON",
        type=click.Path(readable=False, allow_dash=True),
        help=help,
    )


@click.command(
    "verify",
    short_help="Tell whether a file is an object in S3, without a download.",
    epilog="""\b
Examples:
  partsum verify big.tar s3://bucket/big.tar
  aws s3api head-object --bucket b --key k --checksum-mode ENABLED > head.json
  partsum verify big.tar --head head.json
  aws s3api get-object-attributes --bucket b --key k \\
      --object-attributes ETag Checksum ObjectParts ObjectSize > parts.json
  partsum verify big.tar --head head.json --attributes parts.json""",
)
@_responses_option("--head", help="What head-object printed; - for standard input. Repeatable.")
@_responses_option("--attributes", help="What get-object-attributes printed: a file for each page.")
@_responses_option("--parts", help="What list-parts printed: a file for each page.")
@_responses_option("--response", help="Any of these.")
@click.option("--version-id", metavar="ID", help="Ask for this version of the object.")
@client_options
@sse_c_option
@threads_option
@cache_option
@json_option
@click.argument("file", type=click.Path(readable=False))
@click.argument("url", metavar="[s3://BUCKET/KEY]", type=S3NameType(), required=False)
def command(
    *,
    head: tuple[str, ...],
    attributes: tuple[str, ...],
    parts: tuple[str, ...],
    response: tuple[str, ...],
    version_id: str | None,
    connection: Connection,
    sse_c: dict[str, Any],
    threads: int | None,
    cache: "Cache | None",
    as_json: bool,
    file: str,
    url: S3Name | None,
) -> int:
    """Tell whether FILE has the bytes of an object, by the checksums that S3 has of it.

    S3 is asked through boto3 for s3://BUCKET/KEY; or, without the network, it is what the AWS CLI
    printed into files. Only what S3 says is computed, in one read of the file. --cache can save
    that read where another verb has remembered what S3 says.

    Exit status: 0 MATCH, 1 MISMATCH or a file that cannot be read, 2 wrong usage, 3 NOT_COMPARABLE:
    what S3 says does not tell; the line says what would.
    """
    saved = (*head, *attributes, *parts, *response)
    if (url is None) == (not saved):
        raise click.UsageError("give either s3://BUCKET/KEY or what S3 said (--head, ...)")
    if url is None:
        compare = _with_saved(_read(saved), threads)
    elif url.is_prefix:
        raise click.UsageError(f"{url}: the key is missing")
    else:
        compare = _with_object(url, connection, sse_c, version_id, threads)

    def find(name: str, progress: Callback | None) -> partsum.Verdict:
        for sums in cache.remembered(name) if cache else ():
            if verdict := compare(sums, progress):
                return verdict
        return compare(name, progress)

    [(_, verdict)] = each([file], find)
    if isinstance(verdict, Failed):
        if as_json:
            emit_json({"path": file, "error": verdict.reason})
        return verdict.status
    if as_json:
        emit_json({"path": file} | _details(verdict))
    else:
        emit(_line(file, verdict))
    return STATUS[verdict.status]


def _with_saved(responses: Sequence[Any], threads: int | None) -> Compare:
    def compare(file: str | partsum.ObjectChecksums, progress: Callback | None) -> partsum.Verdict:
        return partsum.verify(file, responses, threads=threads, progress=progress)

    return compare


def _with_object(
    url: S3Name,
    connection: Connection,
    arguments: dict[str, Any],
    version_id: str | None,
    threads: int | None,
) -> Compare:
    from partsum.s3 import verify_object

    client = connection.client()

    def compare(file: str | partsum.ObjectChecksums, progress: Callback | None) -> partsum.Verdict:
        try:
            return verify_object(
                client,
                file,
                url.bucket,
                url.key,
                VersionId=version_id,
                threads=threads,
                progress=progress,
                **arguments,
            )
        except Exception as error:
            words = s3_reason(error)
            if words is None:
                raise
            raise partsum.PartsumError(f"{url}: {words}") from error

    return compare


def _read(names: Sequence[str]) -> list[Any]:
    """Load what S3 said; of a list, each item."""
    if names.count("-") > 1:
        raise click.UsageError("standard input can be read once only")
    nothing = partsum.hash_bytes(b"", "MD5")
    responses: list[Any] = []
    for name in names:
        shown = "standard input" if name == "-" else name
        with open_stream(name) as stream:
            try:
                document = json.load(stream)
                partsum.verify(nothing, document)  # to see whether it is a response
            except (TypeError, ValueError) as error:
                raise click.UsageError(f"{shown}: {reason(error)}") from None
        responses += document if isinstance(document, list) else [document]
    return responses


def _line(name: str, verdict: partsum.Verdict) -> str:
    mark, shown = escape(name)
    return f"{mark}{shown}: {verdict.status} ({verdict.reason})"


def _details(verdict: partsum.Verdict) -> dict[str, Any]:
    return {
        "status": str(verdict.status),
        "reason": verdict.reason,
        "evidence": list(verdict.evidence),
        "bad_parts": [part._asdict() for part in verdict.bad_parts],
    }
