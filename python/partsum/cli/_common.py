"""What the verbs share: options, files to hash, lines to print, errors, progress."""

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, BinaryIO, NamedTuple, TypeVar

import click

import partsum

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
Callback = Callable[[int], None]

# Digests come back fast; a bar for less than this would only flicker.
LARGE = 256 << 20
# Of a stream: what stays in the cache, and what holds enough parts of 8 MiB to hash them at once.
CHUNK = 1 << 20
MANY_PARTS = 128 << 20

# coreutils 9 escapes exactly these, and announces it by a backslash at the start of the line.
_NAME_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_CONTROL_ESCAPES = str.maketrans({c: repr(chr(c))[1:-1] for c in (*range(32), 127)})
_DECIMAL_UNIT = re.compile(r"[\d.]+\s*[kmgt]b", re.IGNORECASE)


# --- options -----------------------------------------------------------------------------------


def _unique(_ctx: click.Context, _param: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


def algorithm_option(help: str) -> Callable[[F], F]:
    """``-a ALG``, repeatable: the verb gets canonical names, each once, in the order given."""
    return click.option(
        "-a",
        "--algorithm",
        "algorithms",
        multiple=True,
        metavar="ALG",
        type=click.Choice(list(partsum.ALGORITHMS), case_sensitive=False),
        callback=_unique,
        help=f"{help} Repeatable. One of {', '.join(partsum.ALGORITHMS)}.",
    )


def plan_of(text: str | None) -> int | str | None:
    """The library's ``part_size=`` for what the user typed."""
    if text is None or text.lower() == "none":
        return None
    return int(text) if text.isdecimal() else text


def _checked_part_size(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    try:
        partsum.plan_parts(0, plan_of(value), allow_small_parts=True)
    except ValueError as error:
        raise click.BadParameter(reason(error), ctx, param) from None
    if value is not None and _DECIMAL_UNIT.fullmatch(value):
        say(f"note: {value} counts in powers of 1000; the AWS CLI takes it as {value[:-1]}iB")
    return value


def _presets(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a preset; a size is for the user to type."""
    return [name for name in (*partsum.PRESETS, "none") if name.startswith(incomplete)]


def part_size_option(default: str | None) -> Callable[[F], F]:
    """``--part-size`` and, for stores that are not S3, ``--allow-small-parts``."""

    def decorate(function: F) -> F:
        function = click.option(
            "--allow-small-parts",
            is_flag=True,
            help="Accept parts below 5 MiB, which S3 refuses and some S3-compatible stores take.",
        )(function)
        return click.option(
            "--part-size",
            metavar="SIZE|PRESET",
            default=default,
            callback=_checked_part_size,
            shell_complete=_presets,
            show_default=default is not None,
            help="8MiB, 8MB (10^6) or bytes; or as a tool does it: boto3, awscli, rclone, s5cmd, "
            "mc, ...; or none for one PutObject.",
        )(function)

    return decorate


threads_option = click.option(
    "--threads",
    "--num-threads",  # as b3sum has it
    "threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads; all CPUs by default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
# Not click's own check of the path: an unreadable file is one error line, and the rest goes on.
files_argument = click.argument(
    "files", nargs=-1, metavar="[FILE]...", type=click.Path(readable=False, allow_dash=True)
)


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


class Progress:
    """Click's own bar, on stderr, for a large job on a terminal; else it does nothing."""

    def __init__(self, names: Iterable[str], label: str = "hashing", large: int = LARGE) -> None:
        self.callback: Callback | None = None
        if not (sys.stderr and sys.stderr.isatty()):
            return
        total = sum(map(_size, names))
        if total >= large:
            self._bar = click.progressbar(
                length=total, label=label, file=sys.stderr, update_min_steps=total // 1000
            )
            self.callback = self._bar.update

    def clear(self) -> None:
        """Take the bar away, so that a line can be printed in its place."""
        if self.callback:
            sys.stderr.write("\r\x1b[K\x1b[?25h")
            sys.stderr.flush()


# Not pathlib below: to Path, an empty name is the current folder.
def _size(name: str) -> int:
    try:
        return os.stat(name).st_size  # noqa: PTH116
    except OSError:
        return 0  # reported when its turn comes


def has_size(name: str) -> bool:
    """Tell a file that says its size from standard input, a pipe, a device, a file of /proc."""
    if name == "-":
        return False
    status = os.stat(name)  # noqa: PTH116
    return stat.S_ISREG(status.st_mode) and status.st_size > 0


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


def object_hasher(
    algorithms: Sequence[str],
    part_size: str | None,
    allow_small_parts: bool,
    threads: int | None,
    no_mmap: bool = False,
) -> Callable[[str, Callback | None], partsum.ObjectChecksums]:
    """A function from a name to the object of those bytes, planned as the options say."""
    plan = plan_of(part_size)

    def hash_object(name: str, progress: Callback | None) -> partsum.ObjectChecksums:
        if has_size(name):
            return partsum.hash_file(
                name,
                algorithms,
                part_size=plan,
                allow_small_parts=allow_small_parts,
                threads=threads,
                io="read" if no_mmap else "auto",
                progress=progress,
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
