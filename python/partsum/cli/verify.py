"""``partsum verify``: whether a file is an object, by what S3 says about the object."""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import click

import partsum
from partsum.cli.client import (
    CLIENT_OPTIONS,
    Client,
    Connection,
    S3Name,
    S3NameType,
    client_options,
    s3_errors,
    s3_reason,
    sse_c_option,
)
from partsum.cli.files import open_stream
from partsum.cli.options import F, cache_option, json_option, refuse, threads_option
from partsum.cli.terminal import (
    NO_ANSWER,
    Callback,
    ProgressBar,
    attempt_only,
    emit,
    emit_json,
    reason,
    verdict_line,
    worse,
)
from partsum.s3 import QUIRKS

if TYPE_CHECKING:
    from partsum.cli.cached.cache import Cache

# Of a file, or of the checksums that are known of one.
Compare = Callable[[str | partsum.ObjectChecksums, Callback | None], partsum.Verdict]

STATUS = {"MATCH": 0, "MISMATCH": 1, "NOT_COMPARABLE": NO_ANSWER}


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
@_responses_option("--head", help="Output of head-object; - for standard input. Repeatable.")
@_responses_option("--attributes", help="Output of get-object-attributes: one file per page.")
@_responses_option("--parts", help="Output of list-parts: one file per page.")
@_responses_option("--response", help="Any of these.")
@click.option("--version-id", metavar="ID", help="Version of the object.")
@click.option(
    "--quirk",
    "quirks",
    multiple=True,
    metavar="NAME",
    type=click.Choice(list(QUIRKS)),
    help="How a store differs from Amazon S3. Repeatable. One of " + ", ".join(QUIRKS) + ".",
)
@click.option(
    "--thorough",
    is_flag=True,
    help="Compute also what is slow beside the rest: the MD5 of a large file in one piece, and "
    "every usual part size for an ETag.",
)
@click.option("--quiet", is_flag=True, help="With DIR: print no line for a MATCH.")
@client_options
@sse_c_option
@threads_option
@cache_option(
    "Use the checksums of FILE that another verb kept, if they decide it; off by default."
)
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
    thorough: bool,
    quiet: bool,
    connection: Connection,
    sse_c: dict[str, Any],
    threads: int | None,
    cache: "Cache | None",
    as_json: bool,
    file: str,
    url: S3Name | None,
) -> int:
    """Tell whether FILE has the bytes of an object, by the checksums that S3 has of the object; or
    whether the files below DIR are the objects below a prefix.

    partsum asks S3 through boto3 about s3://BUCKET/KEY. Without a network, it reads what the AWS
    CLI printed into files. It computes only the checksums that S3 reports, in one read of FILE;
    with --cache, the checksums that another verb kept can save that read.

    Exit status: 0 MATCH; 1 MISMATCH, or something that cannot be read; 2 wrong usage; 3
    NOT_COMPARABLE: what S3 says does not decide it, and the line says what would. With DIR, a file
    or an object that is alone (ONLY_LOCAL, ONLY_REMOTE) is 1, and 1 comes before 3.
    """
    saved = (*head, *attributes, *parts, *response)
    if (url is None) == (not saved):
        raise click.UsageError("give either s3://BUCKET/KEY or what S3 said (--head, ...)")
    remote_only = ("version_id", "quirks", "sse_c", *CLIENT_OPTIONS)
    arguments: dict[str, Any] = {
        **sse_c,
        "quirks": quirks,
        "thorough": thorough,
        "threads": threads,
    }
    if os.path.isdir(file):  # noqa: PTH112
        if url is None:
            raise click.UsageError("a directory is compared with s3://BUCKET/PREFIX/")
        refuse(("version_id", "cache"), "{} has no meaning for a directory")
        prefix = url if url.is_prefix else url._replace(key=f"{url.key}/")
        client = connection.client()
        return verify_tree(client, file, prefix, arguments, quiet=quiet, as_json=as_json)
    refuse(("quiet",), "{} is for a directory")
    if url is None:
        refuse(remote_only, "{} has no meaning without s3://BUCKET/KEY: nothing is asked")
        compare: Compare = partial(_with_saved, _read(saved), threads, thorough)
    else:
        if url.is_prefix:  # as the AWS CLI copies a file there
            url = url.below(os.path.basename(file))  # noqa: PTH119
        arguments["VersionId"] = version_id
        compare = partial(_with_object, connection.client(), url, arguments)

    def find(name: str, progress: Callback | None) -> partsum.Verdict:
        for sums in cache.remembered(name) if cache else ():
            if verdict := compare(sums, progress):
                return verdict
        return compare(name, progress)

    verdict = attempt_only(find, file, {"path": file} if as_json else None)
    if as_json:
        emit_json({"path": file} | _plain(verdict))
    else:
        emit(verdict_line(file, verdict.status, verdict.reason))
    return STATUS[verdict.status]


def _with_saved(
    responses: Sequence[Any],
    threads: int | None,
    thorough: bool,
    file: str | partsum.ObjectChecksums,
    progress: Callback | None,
) -> partsum.Verdict:
    return partsum.verify(file, responses, threads=threads, progress=progress, thorough=thorough)


def _with_object(
    client: Client,
    url: S3Name,
    arguments: dict[str, Any],
    file: str | partsum.ObjectChecksums,
    progress: Callback | None,
) -> partsum.Verdict:
    from partsum.s3 import verify_object

    try:
        return verify_object(client, file, *url, progress=progress, **arguments)
    except Exception as error:
        words = s3_reason(error)
        if words is None:
            raise
        raise partsum.PartsumError(f"{url}: {words}") from error


def verify_tree(
    client: Client,
    directory: str,
    url: S3Name,
    arguments: dict[str, Any],
    *,
    quiet: bool,
    as_json: bool,
) -> int:
    """Compare a directory with a prefix, print what was found, and return the exit status."""
    from partsum.s3 import verify_prefix

    counts: Counter[str] = Counter()
    documents: list[dict[str, Any]] = []
    status = 0
    bar = ProgressBar(0)  # nobody knows yet how much it is
    entries = verify_prefix(client, directory, *url, progress=bar.callback, **arguments)
    with s3_errors(), closing(entries):
        for entry in entries:
            counts[str(entry.status)] += 1
            status = worse(status, STATUS.get(str(entry.status), 1))
            if entry and quiet:
                continue
            if as_json:
                documents.append(entry.to_dict())
                continue
            bar.clear()
            name = f"s3://{url.bucket}/{entry.key}" if entry.path is None else entry.path
            emit(verdict_line(name, str(entry.status), entry.reason))
    bar.clear()
    if as_json:
        found = {"counts": dict(counts), "entries": documents}
        emit_json({"path": directory, "url": str(url)} | found)
    return status


def _read(names: Sequence[str]) -> list[Any]:
    """Load what S3 said; of a list, each item."""
    if names.count("-") > 1:
        raise click.UsageError("standard input can be read only once")
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


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return what JSON takes: every field of a verdict by its name."""
    if hasattr(value, "_asdict"):
        return {name: _plain(field) for name, field in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
