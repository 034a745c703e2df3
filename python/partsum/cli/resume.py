"""``partsum resume``: resume an upload that broke off."""

from typing import Any

import click

from partsum.cli.upload import transfer, upload_options


@click.command(
    "resume",
    short_help="Resume an upload that broke off.",
    epilog="""\b
Examples:
  partsum upload --on-failure keep big.tar s3://bucket/big.tar
  partsum resume big.tar s3://bucket/big.tar""",
)
@upload_options
def command(**options: Any) -> int:  # noqa: ANN401  (as click has them)
    """Upload the parts of FILE that the latest unfinished upload of the key does not have, or has
    otherwise, and complete it.

    S3's parts are compared with those of FILE by size, ETag and checksum. Give -a and
    --checksum-type as the upload was begun with; its part size is found. Any tool may have begun
    it. The exit status is 1 if there is no such upload, unless the object is already FILE.
    """
    return transfer(resume="only", **options)
