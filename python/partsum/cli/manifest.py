"""``partsum manifest``: the checksums of a tree in one file, and what became of the tree since."""

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, NamedTuple

import click

from partsum import ObjectChecksums
from partsum.cli._batches import Batches
from partsum.cli._common import Failed, Request, each, emit, emit_json, object_hasher, reason, say
from partsum.cli._manifest import Tree, Writer
from partsum.cli._options import (
    algorithm_option,
    cache_option,
    given_on_command_line,
    json_option,
    part_size_option,
    threads_option,
)
from partsum.cli._progress import Callback
from partsum.cli._replace import replaced

if TYPE_CHECKING:
    from partsum.cli._cache import Cache
    from partsum.cli._manifest_check import Says

RECENT = 3_000_000_000  # nanoseconds; the coarsest times of files are two seconds apart


@click.command(
    "manifest",
    short_help="Write the checksums of a tree; check it later.",
    epilog="""\b
Examples:
  partsum manifest photos -o photos.manifest
  partsum manifest --check photos.manifest
  partsum manifest --check photos.manifest /mnt/copy/photos
  partsum manifest -a sha256 -a crc32c --part-size 64MiB photos | gzip > m.gz
  partsum manifest --parts photos -o m && partsum manifest -c --json m""",
)
@click.option("-o", "--output", metavar="FILE", help="Write there, when it is whole; else stdout.")
@algorithm_option("Checksum beside the ETag, CRC64NVME by default.")
@part_size_option(default="boto3")
@click.option("--parts", is_flag=True, help="Also every part's, so that a check finds bad ranges.")
@click.option("-L", "--follow", is_flag=True, help="Follow symbolic links below a folder.")
@click.option("-c", "--check", "checking", is_flag=True, help="Check what a manifest lists.")
@click.option("--quiet", "says", flag_value="quiet", help="With -c: no line for a file that is OK.")
@click.option("--status", "says", flag_value="status", help="With -c: nothing but the exit status.")
@click.option("--ignore-missing", is_flag=True, help="With -c: files that are not there are OK.")
@click.option("--ignore-new", is_flag=True, help="With -c: do not look for files not listed.")
@cache_option
@threads_option
@json_option
@click.argument("names", nargs=-1, required=True, metavar="DIR|FILE...", type=click.Path())
def command(
    *,
    output: str | None,
    algorithms: tuple[str, ...],
    part_size: str,
    allow_small_parts: bool,
    parts: bool,
    follow: bool,
    checking: bool,
    says: "Says",
    ignore_missing: bool,
    ignore_new: bool,
    cache: "Cache | None",
    threads: int | None,
    as_json: bool,
    names: tuple[str, ...],
) -> int:
    """Write a manifest of all files below DIR, or of FILEs, in JSON lines: path, size, mtime, part
    plan, ETag and checksums. With --check, name a manifest and perhaps the DIR where the files are.

    \b
    --check reads every byte and says of each file
      OK        all is as it was
      TOUCHED   the time differs, the bytes do not
      CHANGED   bytes and time (or the size) differ: edited since
      CORRUPT   the bytes differ, size and time do not: they rotted
      MISSING, UNREADABLE, NEW (below DIR, and not in the manifest)

    Exit status of --check: 0 if all are OK or TOUCHED, 1 if one is CORRUPT, MISSING or UNREADABLE
    or the manifest is damaged, 3 if the manifest is only out of date: CHANGED or NEW. 2 is wrong
    usage. What is neither file nor folder is named on stderr and left out.
    """
    _refuse(
        "{} has a meaning only with --check",
        {}
        if checking
        else {f"--{says}": says, "--ignore-missing": ignore_missing} | {"--ignore-new": ignore_new},
    )
    if checking:
        _refuse(
            "{} has no meaning with --check: the manifest tells",
            {"-a": algorithms, "--parts": parts, "--follow": follow, "--output": output}
            | {"--part-size": given_on_command_line("part_size")},
        )
        _refuse(
            "{} has no meaning with --check: every file is read",
            {"--cache": cache and given_on_command_line("cache")},
        )
        if len(names) > 2:
            raise click.UsageError(
                "--check takes one manifest, and perhaps the folder of its files"
            )
        from partsum.cli._manifest_check import Rules, check

        rules = Rules(says, ignore_missing, ignore_new, threads)
        return check(names[0], names[1] if len(names) > 1 else None, rules, as_json=as_json)
    algorithms = algorithms or ("CRC64NVME",)
    request = Request(
        tuple(dict.fromkeys(("MD5", *algorithms))),
        part_size,
        allow_small_parts,
        threads,
        cache=cache,
    )
    trees = Trees(names, follow, output)
    files = list(trees.files())
    results = hashed([file.opened for file in files], request)
    with replaced(output) if output else nullcontext(_emit_line) as write:
        writer = Writer(write)
        writer.header(
            root=trees.root,
            tree=trees.is_one,
            follow=follow,
            algorithms=algorithms,
            part_size=part_size,
        )
        for file, (sums, mtime_ns, recent) in zip(files, results, strict=True):
            if isinstance(sums, Failed):
                trees.status = max(trees.status, sums.status)
                trees.failed += 1
            else:
                writer.file(file.path, mtime_ns, sums, algorithms, recent=recent, parts=parts)
        writer.failed = trees.failed
        counts = writer.trailer()
    if output and as_json:
        emit_json({"path": output} | counts | {"left_out": trees.left_out})
    return trees.status


def _refuse(why: str, options: Mapping[str, object]) -> None:
    for option, given in options.items():
        if given:
            raise click.UsageError(why.format(option))


def _emit_line(line: bytes) -> None:
    emit(line, b"")


class File(NamedTuple):
    """A file of a manifest."""

    path: str
    """In the manifest."""
    opened: str
    """The name that opens it."""


class Trees:
    """The files that are named on the command line, and below the folders named there."""

    def __init__(self, names: Sequence[str], follow: bool, output: str | None) -> None:
        self._names = names
        self._follow = follow
        self._output = output
        self.is_one = len(names) == 1 and os.path.isdir(names[0])  # noqa: PTH112
        self.root = names[0] if self.is_one else "."
        self.status = 0
        self.failed = 0
        self.left_out = 0

    def files(self) -> Iterator[File]:
        """Find them, each once."""
        seen: set[str] = set()
        for file in self._all():
            if file.path not in seen:
                seen.add(file.path)
                yield file

    def _all(self) -> Iterator[File]:
        for name in self._names:
            try:
                mode = os.stat(name).st_mode  # noqa: PTH116
            except OSError as error:
                say(f"{name}: {reason(error)}")
                self.status = 1
                self.failed += 1
                continue
            if stat.S_ISREG(mode):
                yield File(name, name)
            elif not stat.S_ISDIR(mode):
                say(f"{name}: left out: neither a file nor a folder")
                self.left_out += 1
            else:
                yield from self._below(name)

    def _below(self, folder: str) -> Iterator[File]:
        tree = Tree(folder, self._follow, self._output)
        for below in tree.files():
            path = os.path.join(folder, below)  # noqa: PTH118
            yield File(below if self.is_one else path, path)
        self.left_out += tree.left_out
        if tree.failed:
            self.status = 1
            self.failed += tree.failed


def hashed(
    names: Sequence[str], request: Request
) -> Iterator[tuple[ObjectChecksums | Failed, int, bool]]:
    """Hash files, in their order; with each its mtime, and whether that was recent.

    stat is asked before a file is read: a write that comes between makes a later check say TOUCHED.
    Asked after, it would make it say CORRUPT.
    """
    times: dict[str, tuple[int, bool]] = {}
    hash_object = object_hasher(request)

    def look(name: str) -> None:
        now = time.time_ns()
        mtime_ns = os.stat(name).st_mtime_ns  # noqa: PTH116
        times[name] = mtime_ns, mtime_ns > now - RECENT

    def ask(name: str) -> Request:
        with suppress(OSError):  # which is said when its turn comes
            look(name)
        return request

    def hash_one(name: str, progress: Callback | None) -> ObjectChecksums:
        look(name)
        return hash_object(name, progress)

    for name, sums in each(names, Batches(names, hash_one, ask, lambda _request, sums: sums)):
        yield sums, *times.pop(name, (0, False))
