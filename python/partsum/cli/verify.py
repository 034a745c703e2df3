"""``partsum verify``: whether a file is an object, by what S3 says of the object."""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import partsum
from partsum.cli._client import (
    Connection,
    S3Name,
    S3NameType,
    client_options,
    s3_errors,
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
    worse,
)
from partsum.cli._options import F, cache_option, json_option, threads_option
from partsum.cli._progress import Callback, Progress
from partsum.s3._quirks import QUIRKS

if TYPE_CHECKING:
    from partsum.cli._cache import Cache

# Of a file, or of what is known of one.
Compare = Callable[[str | partsum.ObjectChecksums, Callback | None], partsum.Verdict]

STATUS = {"MATCH": 0, "MISMATCH": 1, "NOT_COMPARABLE": NO_ANSWER}


class Ask(NamedTuple):
    """What to ask S3 about, and how."""

    url: S3Name
    connection: Connection
    arguments: dict[str, Any]


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
  partsum verify --quiet photos s3://bucket/photos/
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
@click.option(
    "--quirk",
    "quirks",
    multiple=True,
    metavar="NAME",
    type=click.Choice(list(QUIRKS)),
    help="What is different about a store that is not Amazon's. Repeatable. One of "
    f"{', '.join(QUIRKS)}.",
)
@click.option("--quiet", is_flag=True, help="With DIR: no line for a MATCH.")
@client_options
@sse_c_option
@threads_option
@cache_option
@json_option
@click.argument("file", metavar="FILE|DIR", type=click.Path(readable=False))
@click.argument("url", metavar="[s3://BUCKET/KEY|PREFIX/]", type=S3NameType(), required=False)
def command(
    *,
    head: tuple[str, ...],
    attributes: tuple[str, ...],
    parts: tuple[str, ...],
    response: tuple[str, ...],
    version_id: str | None,
    quirks: tuple[str, ...],
    quiet: bool,
    connection: Connection,
    sse_c: dict[str, Any],
    threads: int | None,
    cache: "Cache | None",
    as_json: bool,
    file: str,
    url: S3Name | None,
) -> int:
    """Tell whether FILE has the bytes of an object, by the checksums that S3 has of it; or whether
    the files below DIR are the objects below a prefix.

    S3 is asked through boto3 for s3://BUCKET/KEY; or, without the network, it is what the AWS CLI
    printed into files. Only what S3 says is computed, in one read of the file. --cache can save
    that read where another verb has remembered what S3 says.

    Exit status: 0 MATCH, 1 MISMATCH or something that cannot be read, 2 wrong usage, 3
    NOT_COMPARABLE: what S3 says does not tell; the line says what would. With DIR, a file or an
    object that is alone (ONLY_LOCAL, ONLY_REMOTE) is 1, and 1 comes before 3.
    """
    saved = (*head, *attributes, *parts, *response)
    if (url is None) == (not saved):
        raise click.UsageError("give either s3://BUCKET/KEY or what S3 said (--head, ...)")
    if os.path.isdir(file):  # noqa: PTH112
        if url is None or version_id:
            raise click.UsageError("a directory is compared with s3://BUCKET/PREFIX/, no version")
        prefix = url if url.is_prefix else url._replace(key=f"{url.key}/")
        ask = Ask(prefix, connection, {**sse_c, "quirks": quirks, "threads": threads})
        return verify_tree(file, ask, quiet=quiet, as_json=as_json)
    if quiet:
        raise click.UsageError("--quiet is for a directory")
    if url is None:
        compare = _with_saved(_read(saved), threads)
    else:
        if url.is_prefix:  # as the AWS CLI copies a file there
            url = url.below(os.path.basename(file))  # noqa: PTH119
        arguments = {**sse_c, "VersionId": version_id, "quirks": quirks, "threads": threads}
        compare = _with_object(Ask(url, connection, arguments))

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
        emit(_line(file, verdict.status, verdict.reason))
    return STATUS[verdict.status]


def _with_saved(responses: Sequence[Any], threads: int | None) -> Compare:
    def compare(file: str | partsum.ObjectChecksums, progress: Callback | None) -> partsum.Verdict:
        return partsum.verify(file, responses, threads=threads, progress=progress)

    return compare


def _with_object(ask: Ask) -> Compare:
    from partsum.s3 import verify_object

    client = ask.connection.client()

    def compare(file: str | partsum.ObjectChecksums, progress: Callback | None) -> partsum.Verdict:
        try:
            return verify_object(
                client, file, ask.url.bucket, ask.url.key, progress=progress, **ask.arguments
            )
        except Exception as error:
            words = s3_reason(error)
            if words is None:
                raise
            raise partsum.PartsumError(f"{ask.url}: {words}") from error

    return compare


def verify_tree(directory: str, ask: Ask, *, quiet: bool, as_json: bool) -> int:
    """Compare a directory with a prefix, say so, and return the exit status."""
    from partsum.s3 import verify_prefix

    counts: Counter[str] = Counter()
    documents: list[dict[str, Any]] = []
    status = 0
    progress = Progress(["-"])  # nobody knows yet how much it is
    bucket, prefix = ask.url
    entries = verify_prefix(
        ask.connection.client(),
        directory,
        bucket,
        prefix,
        progress=progress.callback,
        **ask.arguments,
    )
    with s3_errors(), closing(entries):
        for entry in entries:
            counts[str(entry.status)] += 1
            status = worse(status, STATUS.get(str(entry.status), 1))
            if entry and quiet:
                continue
            if as_json:
                documents.append(entry.to_dict())
                continue
            progress.clear()
            name = f"s3://{bucket}/{entry.key}" if entry.path is None else entry.path
            emit(_line(name, str(entry.status), entry.reason))
    progress.clear()
    if as_json:
        emit_json(
            {"path": directory, "url": str(ask.url), "counts": dict(counts), "entries": documents}
        )
    return status


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


def _line(name: str, status: str, why: str) -> str:
    mark, shown = escape(name)
    return f"{mark}{shown}: {status} ({why})"


def _details(verdict: partsum.Verdict) -> dict[str, Any]:
    return {
        "status": str(verdict.status),
        "reason": verdict.reason,
        "evidence": list(verdict.evidence),
        "bad_parts": [part._asdict() for part in verdict.bad_parts],
    }
