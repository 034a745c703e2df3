"""What the verbs share: files to hash, lines to print, errors."""

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar

import click

import partsum
from partsum.cli._progress import Callback, Progress

if TYPE_CHECKING:
    from partsum.cli._cache import Cache

T = TypeVar("T")

# Exit status where nothing is wrong, and yet not all is well: --help says what it means.
NO_ANSWER = 3

# Of a stream: what stays in the cache, and what holds enough parts of 8 MiB to hash them at once.
CHUNK = 1 << 20
MANY_PARTS = 128 << 20

# coreutils 9 escapes exactly these, and announces it by a backslash at the start of the line.
_NAME_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_CONTROL_ESCAPES = str.maketrans({c: repr(chr(c))[1:-1] for c in (*range(32), 127)})


# --- lines -------------------------------------------------------------------------------------


def emit(line: str | bytes, end: bytes = b"\n") -> None:
    """Print a line on stdout, names byte for byte, at once: the next file may take a while."""
    if sys.stdout is None:
        raise click.ClickException(f"write error: {os.strerror(errno.EBADF)}")
    try:
        click.echo(os.fsencode(line) + end, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Nothing more can be written: what is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise click.ClickException(f"write error: {error.strerror}") from None


def emit_json(document: object) -> None:
    """Print one JSON document, in ASCII: bytes of a name that are not UTF-8 are lone surrogates."""
    import json

    emit(json.dumps(document, indent=2))


def escape(name: str) -> tuple[str, str]:
    """What announces that a name is escaped, and the name: no name breaks its line."""
    escaped = name.translate(_NAME_ESCAPES)
    return "\\" if escaped != name else "", escaped


def digest_line(
    value: str, name: str, tag: str | None = None, *, mode: str = " ", escaping: bool = True
) -> str:
    """A line of md5sum, or with a tag, of ``md5sum --tag``."""
    mark, shown = escape(name) if escaping else ("", name)
    return f"{mark}{tag} ({shown}) = {value}" if tag else f"{mark}{value} {mode}{shown}"


def say(message: str) -> None:
    """One line on stderr: control characters are shown, every other byte stays as it is."""
    line = f"partsum: {message.translate(_CONTROL_ESCAPES)}"
    with suppress(OSError):  # there is no better place to complain
        click.echo(os.fsencode(line) + b"\n", err=True, nl=False)


def reason(error: BaseException) -> str:
    """What went wrong, without the name of the file, and in the words of the command line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = str(error).replace("allow_small_parts=True", "--allow-small-parts")
    return words.replace("part_size=", "--part-size ")


def failure(error: BaseException) -> str:
    """What went wrong, after the name of the file if the error knows it."""
    name = getattr(error, "filename", None)
    return reason(error) if name is None else f"{os.fsdecode(name)}: {reason(error)}"


# --- files -------------------------------------------------------------------------------------


def plan_of(text: str | None) -> int | str | None:
    """The library's ``part_size=`` for what the user typed."""
    if text is None or text.lower() == "none":
        return None
    return int(text) if text.isdecimal() else text


# Not pathlib below: to Path, an empty name is the current folder.
def has_size(name: str) -> bool:
    """Tell a file that says its size from standard input, a pipe, a device, a file of /proc."""
    if name == "-":
        return False
    status = os.stat(name)  # noqa: PTH116
    return stat.S_ISREG(status.st_mode) and status.st_size > 0


def _is_empty(name: str) -> bool:
    """Tell an empty file from those of /proc, which only say that they are."""
    if name == "-" or not os.path.isfile(name):  # noqa: PTH113
        return False
    with open_stream(name) as stream:
        return not stream.read(1)


def open_stream(name: str) -> AbstractContextManager[BinaryIO]:
    """Open anything that can be read; standard input for "-", which is left open."""
    if name != "-":
        return open(name, "rb")  # noqa: PTH123
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return nullcontext(sys.stdin.buffer)


def feed(
    name: str, size: int, update: Callable[[bytes], object], progress: Callback | None
) -> None:
    """Read a stream to its end in pieces of a size, and close it unless it is standard input."""
    with open_stream(name) as stream:
        while piece := stream.read(size):
            update(piece)
            if progress:
                progress(len(piece))
            del piece  # before the next one is read


class Request(NamedTuple):
    """What the library is asked for one file, or for many."""

    algorithms: tuple[str, ...]
    part_size: str | None
    allow_small_parts: bool = False
    threads: int | None = None
    no_mmap: bool = False
    cache: "Cache | None" = None


def object_hasher(request: Request) -> Callable[[str, Callback | None], partsum.ObjectChecksums]:
    """A function from a name to the object of those bytes, planned as the options say."""
    algorithms, part_size, allow_small_parts, threads, no_mmap, cache = request
    plan = plan_of(part_size)
    hash_file = cache.hash_file if cache else partsum.hash_file

    def hash_object(name: str, progress: Callback | None) -> partsum.ObjectChecksums:
        if has_size(name):
            return hash_file(
                name,
                algorithms,
                part_size=plan,
                allow_small_parts=allow_small_parts,
                threads=threads,
                io="read" if no_mmap else "auto",
                progress=progress,
            )
        if _is_empty(name):  # some presets need the size, which a stream does not have
            return partsum.hash_bytes(
                b"", algorithms, part_size=plan, allow_small_parts=allow_small_parts
            )
        with open_stream(name) as stream:
            return partsum.hash_stream(
                stream,
                algorithms,
                part_size=plan,
                allow_small_parts=allow_small_parts,
                threads=threads,
                progress=progress,
            )

    return hash_object


def facts(sums: partsum.ObjectChecksums) -> dict[str, Any]:
    """What the JSON of every verb says about an object."""
    return {
        "size": sums.size,
        "multipart": sums.plan.multipart,
        "part_count": len(sums.parts),
    }


def worse(status: int, other: int) -> int:
    """The exit status of both: wrong usage before what is wrong, that before no answer."""
    return max(status, other, key=(0, NO_ANSWER, 1, 2).index)


class Failed(NamedTuple):
    """Why a file has no result."""

    reason: str
    status: int
    missing: bool = False


def each(
    names: Sequence[str],
    hash_one: Callable[[str, Callback | None], T],
    *,
    silent: bool = False,
) -> Iterator[tuple[str, T | Failed]]:
    """Hash one name after the other; one that fails is a line on stderr, and the rest goes on."""
    progress = Progress(names)
    try:
        for name in names:
            try:
                result: T | Failed = hash_one(name, progress.callback)
            except (OSError, partsum.PartsumError, ValueError) as error:
                # A plan that S3 would refuse is the option's fault, not the file's.
                result = Failed(
                    reason(error),
                    2 if isinstance(error, ValueError) else 1,
                    isinstance(error, FileNotFoundError),
                )
            progress.clear()
            if isinstance(result, Failed) and not silent:
                say(f"{name}: {result.reason}")
            yield name, result
    finally:
        progress.clear()


def print_each(
    names: Sequence[str],
    hash_one: Callable[[str, Callback | None], T],
    lines: Callable[[str, T], Iterable[str | bytes]],
    details: Callable[[T], dict[str, Any]],
    *,
    as_json: bool,
    end: bytes = b"\n",
) -> int:
    """Print the lines of every name, or one document about all; return the exit status."""
    status = 0
    entries = []
    for name, result in each(names, hash_one):
        if isinstance(result, Failed):
            status = max(status, result.status)
            entries.append({"path": name, "error": result.reason})
        elif as_json:
            entries.append({"path": name} | details(result))
        else:
            for line in lines(name, result):
                emit(line, end)
    if as_json:
        emit_json({"files": entries})
    return status
