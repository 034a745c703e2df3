"""``partsum sum``: digests in the lines of the coreutils, or as S3 shows them."""

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from partsum.cli._batches import Batches
from partsum.cli._common import Request, digest_line, object_hasher, print_each
from partsum.cli._digests import Digests, Options, message_hasher
from partsum.cli._options import (
    algorithm_option,
    cache_option,
    files_argument,
    given_on_command_line,
    json_option,
    part_size_option,
    threads_option,
)
from partsum.cli._progress import Callback

if TYPE_CHECKING:
    from partsum.cli._cache import Cache
    from partsum.cli._check import Says


@click.command(
    "sum",
    short_help="Print digests as sha256sum does, or as S3 does; check them.",
    epilog="""\b
Examples:
  partsum sum FILE                           as sha256sum FILE
  partsum sum -a md5 FILE                    as md5sum FILE
  partsum sum -a md5 -a crc64nvme FILE       one read, in tagged lines
  partsum sum -a crc64nvme --base64 FILE     S3's full object checksum
  partsum sum -a sha1 --part-size 8MiB FILE  S3's composite checksum, ...-N
  partsum sum -c SHA256SUMS                  as sha256sum -c SHA256SUMS
  partsum sum -c --quiet --ignore-missing MD5SUMS
  partsum sum -a crc32c -c LIST              where 8 hex digits say too little
  partsum etag --part-size 64MiB FILE | partsum sum -c --part-size 64MiB""",
)
@algorithm_option("Digest to print, SHA256 by default; with --check, what to look for.")
@part_size_option(default=None)
@click.option("--base64", "as_base64", is_flag=True, help="Base64 as S3 shows it, not hex.")
@click.option("--tag", is_flag=True, help="BSD lines, ALG (NAME) = DIGEST; so with several -a.")
@click.option("-b", "--binary", "mode", flag_value="binary", help="Mark names by * in the lines.")
@click.option("-t", "--text", "mode", flag_value="text", help="Do not mark names; the default.")
@click.option(
    "-z", "--zero", is_flag=True, help="End lines with NUL, not newline; names are not escaped."
)
@click.option("--no-names", is_flag=True, help="Print digests only.")
@click.option("--raw", is_flag=True, help="Write the bytes of one digest, nothing else.")
@click.option("--no-mmap", is_flag=True, help="Read files, do not map them into memory.")
@threads_option
@cache_option
@json_option
@click.option("-c", "--check", "checking", is_flag=True, help="Read digests from FILEs, verify.")
@click.option(
    "--ignore-missing", is_flag=True, help="With -c: say nothing of files that are not there."
)
@click.option("--quiet", "says", flag_value="quiet", help="With -c: no line for a file that is OK.")
@click.option("--status", "says", flag_value="status", help="With -c: nothing but the exit status.")
@click.option("--strict", is_flag=True, help="With -c: fail if a line is improperly formatted.")
@click.option(
    "-w", "--warn", "says", flag_value="warn", help="With -c: name improperly formatted lines."
)
@files_argument
def command(
    *,
    algorithms: tuple[str, ...],
    part_size: str | None,
    allow_small_parts: bool,
    as_base64: bool,
    tag: bool,
    mode: str | None,
    zero: bool,
    no_names: bool,
    raw: bool,
    no_mmap: bool,
    threads: int | None,
    cache: "Cache | None",
    as_json: bool,
    checking: bool,
    ignore_missing: bool,
    says: "Says",
    strict: bool,
    files: tuple[str, ...],
) -> int:
    """Print the digest of each FILE; of standard input without FILE or for "-".

    Without --part-size the whole file is one message and the digest is hex, as md5sum, sha256sum
    and cksum print it. With --part-size it is S3's checksum of the object uploaded in such parts.

    --check reads what this verb, md5sum and its kin, BSD, openssl or "partsum etag" printed. The
    algorithm of a line is its tag's, or has that length: MD5, SHA1, SHA256 or SHA512 where one of
    them fits, else the one given by -a. A value that ends in -N is compared with the file cut by
    --part-size, boto3 by default. Of --quiet, --status and --warn the last one counts.
    """
    if checking:
        _refuse(
            "{} is meaningless when verifying checksums",
            {"--tag": tag, "--binary and --text": mode, "--no-names": no_names, "--raw": raw},
        )
        _refuse("{} is not supported when verifying checksums", {"--zero": zero})
        if cache and given_on_command_line("cache"):
            raise click.UsageError("with --check every file is read: --cache has no meaning")
        from partsum.cli._check import Rules, check

        return check(
            files,
            algorithms,
            Rules(says, strict, ignore_missing),
            Options(
                "boto3" if part_size is None else part_size, allow_small_parts, threads, no_mmap
            ),
            as_json=as_json,
        )
    _refuse(
        "{} is meaningful only when verifying checksums",
        {f"--{says}": says, "--strict": strict, "--ignore-missing": ignore_missing},
    )
    algorithms = algorithms or ("SHA256",)
    if tag and mode == "text":
        raise click.UsageError("--tag does not support --text mode")
    if raw and (len(algorithms) > 1 or len(files) > 1 or as_json):
        raise click.UsageError("--raw is for one digest of one file, without --json")
    tag = tag or len(algorithms) > 1
    whole = part_size is None
    request = Request(algorithms, part_size, allow_small_parts, threads, no_mmap, cache)
    hash_message = message_hasher(request)
    hash_object = object_hasher(request)

    def digests(name: str, progress: Callback | None) -> Digests:
        if whole:
            return hash_message(name, progress)
        return Digests.of_object(hash_object(name, progress))

    def lines(name: str, found: Digests) -> Iterator[str | bytes]:
        for alg, value in found.values.items():
            if raw:
                yield _raw(value)
                continue
            text = _raw(value).hex() if whole and not as_base64 else value
            yield (
                text
                if no_names
                else digest_line(
                    text,
                    name,
                    alg if tag else None,
                    mode="*" if mode == "binary" else " ",
                    escaping=not zero,
                )
            )

    names = files or ("-",)
    batches = Batches(
        names, digests, lambda _name: request, lambda _request, sums: Digests.of_object(sums)
    )
    end = b"" if raw else b"\0" if zero else b"\n"
    return print_each(names, batches, lines, _details, as_json=as_json, end=end)


def _refuse(why: str, options: dict[str, object]) -> None:
    """Refuse the first of the options that is given."""
    for option, given in options.items():
        if given:
            verb = "options are" if " and " in option else "option is"
            raise click.UsageError(why.replace("{} is", f"the {option} {verb}"))


def _details(found: Digests) -> dict[str, Any]:
    """Return what the JSON says."""
    return found.facts | {
        "checksums": {
            alg: {
                "type": "COMPOSITE" if "-" in value else "FULL_OBJECT",
                "value": value,
                "hex": _raw(value).hex(),
            }
            for alg, value in found.values.items()
        }
    }


def _raw(value: str) -> bytes:
    return b64decode(value.partition("-")[0])
