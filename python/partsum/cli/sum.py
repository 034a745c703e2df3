"""``partsum sum``: digests in the lines of the coreutils, or as S3 shows them."""

from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import click

from partsum import ObjectChecksums, PartPlanError, new
from partsum.cli._common import (
    CHUNK,
    Callback,
    algorithm_option,
    digest_line,
    facts,
    feed,
    files_argument,
    has_size,
    json_option,
    object_hasher,
    part_size_option,
    print_each,
    threads_option,
)


@click.command(
    "sum",
    short_help="Print digests as sha256sum does, or as S3 does.",
    epilog="""\b
Examples:
  partsum sum FILE                           as sha256sum FILE
  partsum sum -a md5 FILE                    as md5sum FILE
  partsum sum -a md5 -a crc64nvme FILE       one read, in tagged lines
  partsum sum -a crc64nvme --base64 FILE     S3's full object checksum
  partsum sum -a sha1 --part-size 8MiB FILE  S3's composite checksum, ...-N""",
)
@algorithm_option("Digest to print, SHA256 by default.")
@part_size_option(default=None)
@click.option("--base64", "as_base64", is_flag=True, help="Base64 as S3 shows it, not hex.")
@click.option("--tag", is_flag=True, help="BSD lines, ALG (NAME) = DIGEST; so with several -a.")
@threads_option
@json_option
@files_argument
def command(
    *,
    algorithms: tuple[str, ...],
    part_size: str | None,
    allow_small_parts: bool,
    as_base64: bool,
    tag: bool,
    threads: int | None,
    as_json: bool,
    files: tuple[str, ...],
) -> int:
    """Print the digest of each FILE; of standard input without FILE or for "-".

    Without --part-size the whole file is one message and the digest is hex, as md5sum, sha256sum
    and cksum print it. With --part-size it is S3's checksum of the object uploaded in such parts.
    """
    algorithms = algorithms or ("SHA256",)
    tag = tag or len(algorithms) > 1
    whole = part_size is None
    hash_object = object_hasher(algorithms, part_size, allow_small_parts, threads)

    def digests(name: str, progress: Callback | None) -> Digests:
        if not whole or has_size(name):
            try:
                return Digests.of_object(hash_object(name, progress))
            except PartPlanError:
                # Too large for one PutObject: S3 has no such object, but the file has a digest.
                if not whole:
                    raise
        return Digests.of_stream(name, algorithms, progress)

    def lines(name: str, found: Digests) -> Iterator[str]:
        for alg, value in found.values.items():
            text = _hex(value) if whole and not as_base64 else value
            yield digest_line(text, name, alg if tag else None)

    return print_each(files, digests, lines, Digests.details, as_json=as_json)


class Digests(NamedTuple):
    """Per algorithm the value of an object, as S3 shows it, or of all bytes as one message."""

    facts: dict[str, Any]
    values: dict[str, str]

    @classmethod
    def of_object(cls, sums: ObjectChecksums) -> "Digests":
        """Take the values that S3 shows."""
        return cls(facts(sums), {alg: sums.checksum(alg) for alg in sums.algorithms})

    @classmethod
    def of_stream(
        cls, name: str, algorithms: Iterable[str], progress: Callback | None
    ) -> "Digests":
        """Hash one message of any length."""
        size = 0
        hashers = {alg: new(alg) for alg in algorithms}

        def update(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            for hasher in hashers.values():
                hasher.update(piece)

        feed(name, CHUNK, update, progress)
        facts = {"size": size, "multipart": False, "part_count": 1}
        return cls(facts, {alg: hasher.b64digest() for alg, hasher in hashers.items()})

    def details(self) -> dict[str, Any]:
        """Return what the JSON says."""
        return self.facts | {
            "checksums": {
                alg: {
                    "type": "COMPOSITE" if "-" in value else "FULL_OBJECT",
                    "value": value,
                    "hex": _hex(value),
                }
                for alg, value in self.values.items()
            }
        }


def _hex(value: str) -> str:
    return b64decode(value.partition("-")[0]).hex()
