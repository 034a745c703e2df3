"""The command line: ``partsum VERB``. Each verb is a module, imported when the verb is called.

What verbs share is in folders by product: ``sums/`` (how files are hashed, and the lines that list
digests), ``manifests/`` and ``cached/`` (what ``--cache`` keeps); in ``options.py`` (what is
typed), ``terminal.py`` (what is printed), ``files.py`` and ``client.py`` (S3).
"""

import sys
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
"""The verbs in the order of the help. Each is a module of this package that has a `command`."""

# From click 8.2 on, `partsum` alone is an error that shows the help.
NO_VERB: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class Verbs(click.Group):
    """A click group that imports a verb when it is called, and prints every error on one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"partsum.cli.{cmd_name}").command
        return command

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:  # noqa: ANN401
        """Run a verb and exit with the status that it returns."""
        extra["prog_name"] = extra.get("prog_name") or "partsum"
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        try:
            status = run(*args, standalone_mode=False, **extra)
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
  partsum sum -a sha256 FILE...        prints what sha256sum prints
  partsum sum -c SHA256SUMS            checks as sha256sum -c does
  partsum etag big.tar                 the ETag after boto3's upload_file
  partsum parts -a crc32c big.tar      checksums of every part and the object
  partsum solve big.tar ETAG           the part size behind an ETag
  partsum verify big.tar s3://B/K      is that object this file?
  partsum upload big.tar s3://bucket/  with checksums that S3 compares
  partsum manifest DIR -o FILE         checksums to check a directory by""",
)
@click.version_option(partsum.__version__, prog_name="partsum", message="%(prog)s %(version)s")
def main() -> None:
    """Print every checksum that Amazon S3 will show for a file, before it is uploaded.

    Exit status: 0 success; 1 a mismatch, or something that cannot be read; 2 wrong usage; 3 no
    answer: what S3 says does not decide it (verify), or a manifest is out of date (manifest
    --check).
    """
