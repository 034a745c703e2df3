"""The command line: ``partsum VERB``. One module per verb, imported when it is called."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

import partsum
from partsum.cli.terminal import failure, say

VERBS = (
    "sum",
    "etag",
    "parts",
    "solve",
    "verify",
    "upload",
    "resume",
    "manifest",
    "bench",
    "cache",
    "doctor",
    "completion",
)
"""One module of this package per verb, in the order of the help; each has a ``command``."""

# From click 8.2 on, `partsum` alone is an error that shows the help.
NO_VERB: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class Verbs(click.Group):
    """A group that imports a verb when it is needed and prints every error on one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs, in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"partsum.cli.{cmd_name}").command
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: object,
    ) -> Any:  # noqa: ANN401  (as click has it)
        """Run a verb and exit with what it returns; the help tells what that means."""
        prog_name = prog_name or "partsum"
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except NO_VERB as error:
            error.show()
            status = error.exit_code
        except click.UsageError as error:
            see = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
            say(" ".join(error.format_message().split()).rstrip(".") + see)
            status = error.exit_code
        except click.ClickException as error:
            say(error.format_message())
            status = error.exit_code
        except click.Abort:
            status = 130  # as a shell reports Ctrl-C
        except (OSError, partsum.PartsumError) as error:
            say(failure(error))
            status = 1
        sys.exit(status)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  partsum sum -a sha256 FILE...        as sha256sum prints it
  partsum sum -c SHA256SUMS            as sha256sum -c checks it
  partsum etag big.tar                 the ETag after boto3's upload_file
  partsum parts -a crc32c big.tar      every part, and the object
  partsum solve big.tar ETAG           the part size behind an ETag
  partsum verify big.tar s3://B/K      is that object this file?
  partsum upload big.tar s3://bucket/  under checksums that S3 compares
  partsum manifest DIR -o FILE         every file of a tree, to be checked""",
)
@click.version_option(partsum.__version__, prog_name="partsum", message="%(prog)s %(version)s")
def main() -> None:
    """Print every checksum that Amazon S3 will show for a file, before it is uploaded.

    Exit status: 0 all is well; 1 a mismatch, or something that cannot be read; 2 wrong usage; 3
    neither: what S3 says does not tell (verify), or a manifest is out of date (manifest --check).
    """
