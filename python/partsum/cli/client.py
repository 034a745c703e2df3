"""What the verbs that make requests share: s3:// names, the boto3 client, S3's errors."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from partsum.cli.options import grouped
from partsum.cli.terminal import failure

Client = Any  # boto3 makes its classes while it runs: there is no name for them

# A bucket, or the ARN of an access point, which may have one "/" itself.
_NAME = re.compile(
    r"s3://(?P<bucket>arn:[^:/]+:s3[^:/]*:[^:/]*:\d*:"
    r"(?:outpost[:/][^:/]+[:/])?accesspoint[:/][^:/]+|[^:/]+)(?:/(?P<key>.*))?",
    re.DOTALL,
)
_SSE_C_KEY_SIZE = 32  # AES256, the only algorithm that S3 has for it


class S3Name(NamedTuple):
    """An s3:// name: of an object, or where the key is empty or ends in "/", of a prefix."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_prefix(self) -> bool:
        """Whether this is the name of a prefix."""
        return self.key == "" or self.key.endswith("/")

    def below(self, name: str) -> "S3Name":
        """Name an object of a prefix."""
        return S3Name(self.bucket, self.key + name)


class S3NameType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``s3://BUCKET/KEY``; as in the AWS CLI, "%20" and "?" are characters of the key."""

    name = "s3://bucket/key"

    def convert(
        self, value: str | S3Name, param: click.Parameter | None, ctx: click.Context | None
    ) -> S3Name:
        """Split a name."""
        if isinstance(value, S3Name):
            return value
        match = _NAME.fullmatch(value)
        if not match:
            self.fail(f"{value!r} is not s3://BUCKET/KEY.", param, ctx)
        return S3Name(match["bucket"], match["key"] or "")


class Connection(NamedTuple):
    """How to reach S3, as the options say; all else is boto3's own configuration."""

    endpoint_url: str | None = None
    profile: str | None = None
    region: str | None = None
    no_sign_request: bool = False

    def client(self, connections: int = 10) -> Client:
        """Make a boto3 client that can hold so many connections at once."""
        try:
            import boto3
            from botocore import UNSIGNED
            from botocore.config import Config
        except ImportError:
            raise click.ClickException(
                "requests to S3 need boto3, which is not installed: pip install 'partsum[s3]'"
            ) from None
        config = Config(
            max_pool_connections=connections,
            signature_version=UNSIGNED if self.no_sign_request else None,
        )
        with s3_errors():
            session = boto3.Session(profile_name=self.profile, region_name=self.region)
            try:
                return session.client("s3", endpoint_url=self.endpoint_url, config=config)
            except ValueError as error:  # "Invalid endpoint: ..."
                raise click.UsageError(str(error)) from None


CLIENT_OPTIONS = Connection._fields

client_options = grouped(
    "connection",
    Connection,
    CLIENT_OPTIONS,
    click.option("--endpoint-url", metavar="URL", help="Server to use instead of Amazon's."),
    click.option("--profile", metavar="NAME", help="Profile of your AWS configuration."),
    click.option("--region", metavar="NAME", help="Region of the bucket."),
    click.option("--no-sign-request", is_flag=True, help="Use no credentials."),
)
"""The AWS CLI's options for endpoint and credentials; the verb gets a `connection`."""


def _sse_c(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        key = Path(value).read_bytes()
    except OSError as error:
        raise click.BadParameter(failure(error), ctx, param) from None
    if len(key) != _SSE_C_KEY_SIZE:
        raise click.BadParameter(
            f"{value}: {len(key)} bytes; a key for SSE-C has {_SSE_C_KEY_SIZE}", ctx, param
        )
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}


sse_c_option = click.option(
    "--sse-c-key",
    "sse_c",
    metavar="FILE",
    callback=_sse_c,
    help="File with the 32 bytes of your own encryption key (SSE-C).",
)
"""The verb gets `sse_c`: arguments of a request, none without the option."""


def s3_reason(error: BaseException) -> str | None:
    """Return what S3 or botocore said on one line; None for an exception that is not theirs."""
    if "botocore" not in sys.modules:
        return None
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code, message = str(answer.get("Code", "")), str(answer.get("Message", ""))
        # HeadObject has no body: its code is the status.
        said = f"{code} ({status})" if status and code != str(status) else code
        words = f"S3 answers {said} to {error.operation_name}: {message}"
    elif isinstance(error, BotoCoreError):
        words = str(error)
    else:
        return None
    return " ".join(words.split()).rstrip(".: ")


@contextmanager
def s3_errors() -> Iterator[None]:
    """Turn errors of S3 and botocore into one line on stderr and exit status 1."""
    try:
        yield
    except Exception as error:
        words = s3_reason(error)
        if words is None:
            raise
        raise click.ClickException(words) from error
