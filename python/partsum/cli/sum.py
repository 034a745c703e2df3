"""``partsum sum``: digests in the lines of the coreutils, or as S3 shows them."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import click

from partsum import ObjectChecksums
from partsum.cli.options import (
    algorithm_option,
    files_argument,
    hash_options,
    json_option,
    quiet_option,
    refuse,
    status_option,
    typed,
    verbosity_option,
)
from partsum.cli.sums.hashing import (
    Digests,
    HashOptions,
    facts,
    hash_digests,
    hash_each,
    print_each,
)
from partsum.cli.terminal import Callback, Failure, Verbosity, digest_line

# One option, others that have no meaning with it, and the message about one of them.
_LINES = ("tag", "mode", "zero", "no_names", "as_base64")
_MEANINGLESS = "the {} option is meaningless when verifying checksums"
_REFUSED = (
    ("checking", ("tag",), _MEANINGLESS),
    (
        "checking",
        ("mode",),
        "the --binary and --text options are meaningless when verifying checksums",
    ),
    ("checking", ("no_names", "raw", "as_base64"), _MEANINGLESS),
    ("checking", ("zero",), "the {} option is not supported when verifying checksums"),
    ("checking", ("cache",), "with --check every file is read: {} has no meaning"),
    ("raw", ("as_json", *_LINES), "--raw writes the bytes of one digest only: {} has no meaning"),
    ("as_json", _LINES, "--json has names, hex and base64: {} has no meaning"),
    ("no_names", ("tag", "mode"), "--no-names prints digests only: {} has no meaning"),
)


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
  partsum sum -a crc32c -c LIST              8 hex digits could be CRC32
  partsum etag --part-size 64MiB FILE | partsum sum -c --part-size 64MiB""",
)
@algorithm_option("Digest to print, SHA256 by default; with --check, which to look for.")
@hash_options(part_size=None)
@click.option("--base64", "as_base64", is_flag=True, help="Print base64 as S3 does, not hex.")
@click.option("--tag", is_flag=True, help="Print ALG (NAME) = DIGEST; the default with several -a.")
@click.option("-b", "--binary", "mode", flag_value="binary", help="Mark names with * in the lines.")
@click.option("-t", "--text", "mode", flag_value="text", help="Do not mark names; the default.")
@click.option(
    "-z", "--zero", is_flag=True, help="End lines with NUL, not newline; names are not escaped."
)
@click.option("--no-names", is_flag=True, help="Print digests only.")
@click.option("--raw", is_flag=True, help="Write the bytes of one digest and nothing else.")
@click.option("--no-mmap", is_flag=True, help="Read files; do not map them into memory.")
@json_option
@click.option(
    "-c", "--check", "checking", is_flag=True, help="Read digests from FILEs and verify them."
)
@click.option(
    "--ignore-missing", is_flag=True, help="With -c: say nothing about files that do not exist."
)
@quiet_option
@status_option
@click.option("--strict", is_flag=True, help="With -c: fail if a line is improperly formatted.")
@verbosity_option("warn", "say which lines are improperly formatted.", "-w")
@files_argument
def command(
    *,
    algorithms: tuple[str, ...],
    hashing: HashOptions,
    as_base64: bool,
    tag: bool,
    mode: str | None,
    zero: bool,
    no_names: bool,
    raw: bool,
    no_mmap: bool,
    as_json: bool,
    checking: bool,
    ignore_missing: bool,
    verbosity: Verbosity,
    strict: bool,
    files: tuple[str, ...],
) -> int:
    """Print the digest of each FILE, or of standard input without FILE or for "-".

    Without --part-size the whole file is one message and the digest is hex, as md5sum, sha256sum
    and cksum print it. With --part-size it is S3's checksum of the object that is uploaded in such
    parts.

    --check reads what this verb, md5sum and its relatives, BSD, openssl or "partsum etag" printed.
    The algorithm of a line is that of its tag. Without a tag, it follows from the length of the
    digest: MD5, SHA1, SHA256 or SHA512 where one of them fits, otherwise the one given by -a. A
    value that ends in -N is compared with the file in parts of --part-size, boto3 by default. Of
    --quiet, --status and --warn the last one counts.
    """
    for option, names, why in _REFUSED:
        if typed(option):
            refuse(names, why)
    if no_mmap:
        hashing = hashing._replace(io="read")
    if checking:
        from partsum.cli.sums.check import CheckRules, check

        if not typed("part_size"):
            hashing = hashing._replace(part_size="boto3")
        rules = CheckRules(verbosity, strict, ignore_missing)
        hashing = hashing._replace(cache=None)
        return check(files, algorithms, rules, hashing, as_json=as_json)
    refuse(
        ("verbosity", "strict", "ignore_missing"),
        "the {} option is meaningful only when verifying checksums",
    )
    whole = not typed("part_size")
    if whole:
        refuse(("allow_small_parts",), "{} needs --part-size")
    if tag and mode == "text":
        raise click.UsageError("--tag does not support --text mode")
    algorithms = algorithms or ("SHA256",)
    if raw and (len(algorithms) > 1 or len(files) > 1):
        raise click.UsageError("--raw is for one digest of one file")
    tag = tag or len(algorithms) > 1
    options = hashing._replace(algorithms=algorithms)

    def hash_one(name: str, progress: Callback | None) -> Digests:
        if whole:
            return hash_digests(name, algorithms, options._replace(algorithms=()), progress)
        return hash_digests(name, (), options, progress)

    def results() -> Iterator[tuple[str, Digests | Failure]]:
        for name, result in hash_each(files or ("-",), lambda _name: options, hash_one):
            if isinstance(result, ObjectChecksums):
                yield name, Digests.of(result, whole=whole)
            else:
                yield name, result

    def lines(name: str, digests: Digests) -> Iterator[str | bytes]:
        for alg, value in digests.values.items():
            text = _raw(value).hex() if whole and not as_base64 else value
            if raw:
                yield _raw(value)
            elif no_names:
                yield text
            else:
                mark = "*" if mode == "binary" else " "
                yield digest_line(text, name, alg if tag else None, mode=mark, escaping=not zero)

    end = b"" if raw else b"\0" if zero else b"\n"
    return print_each(results(), lines, _details, as_json=as_json, end=end)


def _details(digests: Digests) -> dict[str, Any]:
    """Return what the JSON says."""
    return facts(digests.sums, digests.size) | {
        "checksums": {
            alg: {
                "type": "COMPOSITE" if "-" in value else "FULL_OBJECT",
                "value": value,
                "hex": _raw(value).hex(),
            }
            for alg, value in digests.values.items()
        }
    }


def _raw(value: str) -> bytes:
    return b64decode(value.partition("-")[0])
