"""``partsum etag``: the ETag that S3 gives an object of these bytes."""

from typing import TYPE_CHECKING

import click

from partsum.cli._batches import Batches
from partsum.cli._common import Request, digest_line, facts, object_hasher, print_each
from partsum.cli._options import (
    cache_option,
    files_argument,
    json_option,
    part_size_option,
    threads_option,
)

if TYPE_CHECKING:
    from partsum.cli._cache import Cache


@click.command(
    "etag",
    short_help="Print the S3 ETag of files.",
    epilog="""\b
Examples:
  partsum etag big.tar                     after boto3's upload_file
  partsum etag --part-size 16MiB big.tar   after an upload in such parts
  partsum etag --part-size rclone big.tar  after rclone with its defaults
  partsum etag --part-size none big.tar    after one PutObject: the MD5""",
)
@part_size_option(default="boto3")
@threads_option
@cache_option
@json_option
@files_argument
def command(
    *,
    part_size: str,
    allow_small_parts: bool,
    threads: int | None,
    cache: "Cache | None",
    as_json: bool,
    files: tuple[str, ...],
) -> int:
    """Print the S3 ETag of each FILE; of standard input without FILE or for "-".

    The ETag of a multipart upload depends on the part size, and ends in the number of parts. Under
    SSE-KMS or SSE-C, and in directory buckets, S3 makes it of something else than the file's bytes.
    """
    names = files or ("-",)
    request = Request(("MD5",), part_size, allow_small_parts, threads, cache=cache)
    return print_each(
        names,
        Batches(names, object_hasher(request), lambda _name: request, lambda _request, sums: sums),
        lambda name, sums: [digest_line(sums.etag, name)],
        lambda sums: facts(sums) | {"etag": sums.etag},
        as_json=as_json,
    )
