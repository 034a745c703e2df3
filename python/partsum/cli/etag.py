"""``partsum etag``: the ETag that S3 gives an object of these bytes."""

import click

from partsum.cli.options import files_argument, hash_options, json_option
from partsum.cli.sums.hashing import HashOptions, facts, hash_each, print_each
from partsum.cli.terminal import digest_line


@click.command(
    "etag",
    short_help="Print the S3 ETag of files.",
    epilog="""\b
Examples:
  partsum etag big.tar                     after boto3's upload_file
  partsum etag --part-size 16MiB big.tar   after an upload in 16 MiB parts
  partsum etag --part-size rclone big.tar  after rclone with its defaults
  partsum etag --part-size none big.tar    after one PutObject: the MD5""",
)
@hash_options(part_size="boto3")
@json_option
@files_argument
def command(*, hashing: HashOptions, as_json: bool, files: tuple[str, ...]) -> int:
    """Print the S3 ETag of each FILE, or of standard input without FILE or for "-".

    The ETag of a multipart upload depends on the part size and ends in the number of parts. It is
    not made from the MD5s of the bytes under SSE-KMS and SSE-C, nor in directory buckets.
    """
    options = hashing._replace(algorithms=("MD5",))
    return print_each(
        hash_each(files or ("-",), lambda _name: options, options.hash),
        lambda name, sums: [digest_line(sums.etag, name)],
        lambda sums: facts(sums) | {"etag": sums.etag},
        as_json=as_json,
    )
