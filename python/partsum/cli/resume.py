"""``partsum resume``: go on with an upload that broke off."""

from typing import Any

import click

from partsum.cli.upload import transfer, upload_options


@click.command(
    "resume",
    short_help="Go on with an upload that broke off.",
    epilog="""\b
Examples:
  partsum upload --on-failure keep big.tar s3://bucket/big.tar
  partsum resume big.tar s3://bucket/big.tar""",
)
@upload_options
def command(**options: Any) -> int:  # noqa: ANN401  (as click has them)
    """Send what the latest unfinished upload of a key still lacks of FILE, and complete it.

    S3's parts are compared with the file's by size, ETag and checksum; -a and --checksum-type are
    those that the upload was begun with, and its part size is found out. Any tool may have begun
    it. Exit status 1 if there is no such upload, unless the object is there and is the file.
    """
    return transfer(resume="only", **options)
