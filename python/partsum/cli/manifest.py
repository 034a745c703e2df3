"""``partsum manifest``: write the checksums of a directory tree into one file, or check them."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from functools import partial

import click

from partsum import ObjectChecksums
from partsum.cli.files import replaced
from partsum.cli.manifests.files import ListedFiles
from partsum.cli.manifests.format import ManifestWriter
from partsum.cli.options import (
    algorithm_option,
    hash_options,
    json_option,
    quiet_option,
    refuse,
    status_option,
)
from partsum.cli.sums.hashing import HashOptions, hash_each
from partsum.cli.terminal import Callback, Failure, Verbosity, emit, emit_json

RECENT = 3_000_000_000  # nanoseconds; the coarsest times of files are two seconds apart


@click.command(
    "manifest",
    short_help="Write the checksums of a directory tree; check it later.",
    epilog="""\b
Examples:
  partsum manifest photos -o photos.manifest
  partsum manifest --check photos.manifest
  partsum manifest --check photos.manifest /mnt/copy/photos
  partsum manifest -a sha256 -a crc32c --part-size 64MiB photos | gzip > m.gz
  partsum manifest --parts photos -o m && partsum manifest -c --json m""",
)
@click.option(
    "-o", "--output", metavar="FILE", help="Write to FILE once all is done; stdout by default."
)
@algorithm_option("Checksum beside the ETag, CRC64NVME by default.")
@hash_options(part_size="boto3")
@click.option(
    "--parts", is_flag=True, help="List every part too, so that a check finds bad ranges."
)
@click.option("-L", "--follow", is_flag=True, help="Follow symbolic links below a directory.")
@click.option("-c", "--check", "checking", is_flag=True, help="Check the files of a manifest.")
@quiet_option
@status_option
@click.option("--ignore-missing", is_flag=True, help="With -c: files that do not exist are OK.")
@click.option("--ignore-new", is_flag=True, help="With -c: do not look for files not listed.")
@json_option
@click.argument("names", nargs=-1, required=True, metavar="DIR|FILE...", type=click.Path())
def command(
    *,
    output: str | None,
    algorithms: tuple[str, ...],
    hashing: HashOptions,
    parts: bool,
    follow: bool,
    checking: bool,
    verbosity: Verbosity,
    ignore_missing: bool,
    ignore_new: bool,
    as_json: bool,
    names: tuple[str, ...],
) -> int:
    """Write a manifest of all files below DIR, or of FILEs, as JSON lines: path, size, mtime, part
    plan, ETag and checksums. With --check, name a manifest, and the DIR of the files if they moved.

    --check reads every byte. It distinguishes a file that was edited (its mtime changed) from one
    that was corrupted (it did not), and prints for each file

    \b
      OK        nothing changed
      TOUCHED   the mtime differs, the bytes do not
      CHANGED   edited: the bytes and the mtime (or the size) differ
      CORRUPT   corrupted: the bytes differ, size and mtime do not
      MISSING, UNREADABLE, NEW (below DIR, but not in the manifest)

    Exit status of --check: 0 if all files are OK or TOUCHED; 1 if one is CORRUPT, MISSING or
    UNREADABLE, or the manifest is damaged; 3 if the manifest is only out of date (CHANGED, NEW); 2
    wrong usage. What is neither a file nor a directory is left out, with a line on stderr.
    """
    if checking:
        refuse(
            ("algorithms", "parts", "follow", "output", "part_size", "allow_small_parts"),
            "{} has no meaning with --check: the manifest says it",
        )
        refuse(("cache",), "{} has no meaning with --check: every file is read")
        if len(names) > 2:
            raise click.UsageError("--check takes one manifest and at most one directory")
        from partsum.cli.manifests.check import ManifestRules, check

        rules = ManifestRules(verbosity, ignore_missing, ignore_new, hashing.threads)
        return check(names[0], names[1] if len(names) > 1 else None, rules, as_json=as_json)
    refuse(("verbosity", "ignore_missing", "ignore_new"), "{} has a meaning only with --check")
    if not output:
        refuse(("as_json",), "{} needs --output, because the manifest itself goes to stdout")
    algorithms = algorithms or ("CRC64NVME",)
    options = hashing._replace(algorithms=tuple(dict.fromkeys(("MD5", *algorithms))))
    listed = ListedFiles(names, follow, output)
    files = list(listed)
    results = hash_with_times([file.opened for file in files], options)
    status = 0
    with replaced(output) if output else nullcontext(partial(emit, end=b"")) as write:
        writer = ManifestWriter(write)
        writer.header(
            root=listed.root,
            tree=listed.is_tree,
            follow=follow,
            algorithms=algorithms,
            part_size=hashing.part_size,
        )
        for file, (sums, mtime_ns, recent) in zip(files, results, strict=True):
            if isinstance(sums, Failure):
                status = max(status, sums.status)
                listed.failed += 1
            else:
                writer.file(file.path, mtime_ns, sums, algorithms, recent=recent, parts=parts)
        counts = writer.trailer(listed.failed)
    if output and as_json:
        emit_json({"path": output} | counts | {"left_out": listed.left_out})
    return max(status, 1 if listed.failed else 0)


def hash_with_times(
    names: Sequence[str], options: HashOptions
) -> Iterator[tuple[ObjectChecksums | Failure, int, bool]]:
    """Hash files in their order; with each comes its mtime, and whether that was recent.

    The mtime is taken before the file is read: a write in between makes a later check say TOUCHED.
    Taken after, it would make the check say CORRUPT.
    """
    times: dict[str, tuple[int, bool]] = {}

    def look(name: str) -> None:
        now = time.time_ns()
        mtime_ns = os.stat(name).st_mtime_ns  # noqa: PTH116
        times[name] = mtime_ns, mtime_ns > now - RECENT

    def options_of(name: str) -> HashOptions:
        with suppress(OSError):  # which is said when its turn comes
            look(name)
        return options

    def hash_one(name: str, progress: Callback | None) -> ObjectChecksums:
        look(name)
        return options.hash(name, progress)

    for name, sums in hash_each(names, options_of, hash_one):
        yield sums, *times.pop(name, (0, False))
