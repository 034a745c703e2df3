"""What the command line prints: lines, messages, exit statuses, and the progress bar."""

import errno
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import Any, Literal, NamedTuple, TypeVar

import click

import partsum

T = TypeVar("T")
Callback = Callable[[int], None]
Verbosity = Literal["quiet", "status", "warn"] | None
"""What --check prints. Of several options the last one counts, as with the coreutils."""

# coreutils 9 escapes exactly these, and marks the line with a backslash at its start.
_NAME_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_CONTROL_ESCAPES = str.maketrans({c: repr(chr(c))[1:-1] for c in (*range(32), 127)})


# --- lines on stdout ---------------------------------------------------------------------------


def emit(line: str | bytes, end: bytes = b"\n") -> None:
    """Print a line on stdout at once, because the next file may take a while.

    Names keep their bytes.
    """
    if sys.stdout is None:
        raise click.ClickException(f"write error: {os.strerror(errno.EBADF)}")
    try:
        click.echo(os.fsencode(line) + end, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Python flushes its buffer again at exit, which must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise click.ClickException(f"write error: {error.strerror}") from None


def emit_json(document: object) -> None:
    """Print one JSON document in ASCII; bytes of a name that are not UTF-8 are lone surrogates."""
    import json

    emit(json.dumps(document, indent=2))


def escape(name: str) -> tuple[str, str]:
    """Return the mark of an escaped name (a backslash or nothing) and the name on one line."""
    escaped = name.translate(_NAME_ESCAPES)
    return "\\" if escaped != name else "", escaped


def digest_line(
    value: str, name: str, tag: str | None = None, *, mode: str = " ", escaping: bool = True
) -> str:
    """Return a line of md5sum, or with a tag, of ``md5sum --tag``."""
    mark, shown = escape(name) if escaping else ("", name)
    return f"{mark}{tag} ({shown}) = {value}" if tag else f"{mark}{value} {mode}{shown}"


def verdict_line(name: str, status: str, details: str = "") -> str:
    """Return the line that tells what a comparison found about a file."""
    mark, shown = escape(name)
    return f"{mark}{shown}: {status}" + (f" ({details})" if details else "")


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as "1 part" and "2 parts"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


# --- messages on stderr ------------------------------------------------------------------------


def say(message: str) -> None:
    """Print one line on stderr. Control characters are escaped, all other bytes are kept."""
    line = f"partsum: {message.translate(_CONTROL_ESCAPES)}"
    with suppress(OSError):  # there is no better place to complain
        click.echo(os.fsencode(line) + b"\n", err=True, nl=False)


# The arguments and the hints of the library's errors, in the words of the command line.
_ARGUMENTS = {
    "algorithm": "-a",
    "algorithms": "-a",
    "checksum_type": "--checksum-type",
    "etag": "ETAG",
    "part_size": "--part-size",
    "plans": "--part-size",
    "threads": "--threads",
}
_HINTS = {
    "ADD_ALGORITHM": "add -a {}",
    "ALLOW_SMALL_PARTS": "give --allow-small-parts for a store that accepts them",
    "BE_THOROUGH": "give --thorough",
    "ENLARGE_PARTS": "give --part-size {} or more",
    "GIVE_PART_SIZE": "give --part-size {}",
    "HASH_AS_PUT_OBJECT": "give --part-size none",
    "HASH_WITH_OBJECT_PARTS": "its {} parts have different sizes, and --part-size is one size",
    "NAME_ALGORITHM": "give -a",
    "NAME_QUIRK": "give --quirk {} if the store is known for it",
    "PASS_ALL_PAGES": "give the output of list-parts for all pages",
    "USE_STREAM": "save it to a file first",
}


def reason(error: BaseException) -> str:
    """Return what went wrong and what to do, without the name of the file."""
    problem = getattr(error, "problem", None)
    if problem is None:  # not an error of the library
        return getattr(error, "strerror", None) or str(error)
    argument = getattr(error, "argument", None)  # or an environment variable
    text = f"{_ARGUMENTS.get(argument, argument)}: {problem}" if argument else str(problem)
    name, value = getattr(error, "hint", None) or ("", "")
    return f"{text}; {_HINTS[name].format(value or 'BYTES')}" if name in _HINTS else text


def failure(error: BaseException) -> str:
    """Return what went wrong, after the name of the file if the error has one."""
    name = getattr(error, "filename", None)
    return reason(error) if name is None else f"{os.fsdecode(name)}: {reason(error)}"


# --- exit statuses -----------------------------------------------------------------------------

NO_ANSWER = 3
"""Exit status where nothing is wrong and yet not all is well: --help says what it means."""


def worse(status: int, other: int) -> int:
    """Return the exit status of both: wrong usage, then what is wrong, then no answer."""
    return max(status, other, key=(0, NO_ANSWER, 1, 2).index)


# --- files that fail ---------------------------------------------------------------------------


class Failure(NamedTuple):
    """Why a file has no result."""

    reason: str
    status: int
    """The exit status."""
    missing: bool
    """Whether there is no such file."""


def attempt(
    work: Callable[[str, Callback | None], T],
    name: str,
    bar: "ProgressBar | None" = None,
    *,
    silent: bool = False,
) -> T | Failure:
    """Work on one file under a progress bar; say what fails, unless the caller wants to."""
    bar = bar or ProgressBar.over([name])
    try:
        return work(name, bar.callback)
    except (OSError, partsum.PartsumError, ValueError) as error:
        # ValueError: an option is at fault, such as a part size that S3 would refuse.
        status = 2 if isinstance(error, ValueError) else 1
        failed = Failure(reason(error), status, isinstance(error, FileNotFoundError))
    finally:
        bar.clear()
    if not silent:
        say(f"{name}: {failed.reason}")
    return failed


def attempt_only(
    work: Callable[[str, Callback | None], T], name: str, document: dict[str, Any] | None
) -> T:
    """Work on the only file of a verb; if that fails, end the verb.

    Args:
        work: What to do with the file.
        name: The file.
        document: With --json, what the JSON says beside the error; None without.
    """
    result = attempt(work, name)
    if isinstance(result, Failure):
        if document is not None:
            emit_json(document | {"error": result.reason})
        click.get_current_context().exit(result.status)
    return result


# --- progress ----------------------------------------------------------------------------------

# Seconds. Digests come back fast: a bar that is there for less would only flicker.
DELAY = 0.5
BETWEEN_DRAWS = 0.1
# Seconds over which the rate is averaged, roughly.
MEMORY = 3.0
# Columns that the bar with everything around it takes.
WIDE = 72


class ProgressBar:
    """Bytes, rate and time left on one line of stderr, which `clear` takes away."""

    def __init__(self, total: int, label: str = "hashing", *, delay: float = DELAY) -> None:
        """Begin with nothing done.

        Args:
            total: Number of bytes that there will be, 0 if that is not known.
            label: What is being done.
            delay: Seconds that need no bar.
        """
        self.callback: Callback | None = self.update if _on_terminal() else None
        """What to call with numbers of bytes; None where there is no terminal."""
        self._total = total
        self._label = label
        self._delay = delay
        self._lock = Lock()  # uploads count from several threads
        self._done = self._done_then = 0
        self._rate = 0.0
        self._drawn = False
        self._started = self._last = 0.0

    @classmethod
    def over(
        cls, names: Iterable[str], label: str = "hashing", *, delay: float = DELAY
    ) -> "ProgressBar":
        """Make the bar for files; where one of them has no size, the total is unknown."""
        sizes = [_size(name) for name in names] if _on_terminal() else []
        return cls(sum(sizes) if all(sizes) else 0, label, delay=delay)

    def update(self, count: int) -> None:
        """Count bytes, and draw if it is time."""
        with self._lock:
            now = time.monotonic()
            first = not self._done
            if first:  # other work may have come before
                self._started = self._last = now
            self._done += count
            passed = now - self._last
            if now - self._started < self._delay or (passed < BETWEEN_DRAWS and not first):
                return
            if passed:
                rate = (self._done - self._done_then) / passed
                weight = 1 - math.exp(-passed / MEMORY) if self._rate else 1.0
                self._rate += weight * (rate - self._rate)
            self._last, self._done_then = now, self._done
            self._write(f"\r{self.line(_columns() - 1)}\x1b[K")
            self._drawn = True

    def clear(self) -> None:
        """Take the line away, so that another can be printed in its place."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def line(self, columns: int) -> str:
        """Return what fits into a number of columns."""
        rate = f"{bytes_text(self._rate)}/s"
        if not self._total:
            return _fitting([self._label, bytes_text(self._done), rate], columns)
        # A file may grow while it is hashed.
        part = min(1.0, self._done / self._total)
        left = max(0, self._total - self._done)
        eta = f"ETA {_clock(left / self._rate)}" if self._rate else "ETA -:--:--"
        if columns < WIDE:
            return _fitting([f"{part:4.0%}", rate, eta], columns)
        before = f"{self._label}  {part:4.0%}  ["
        after = f"]  {bytes_text(self._done)} of {bytes_text(self._total)}  {rate}  {eta}"
        width = columns - len(before) - len(after)
        return f"{before}{'#' * int(part * width):{width}}{after}"

    def _write(self, text: str) -> None:
        with suppress(OSError):  # the terminal is gone; the work goes on
            sys.stderr.write(text)
            sys.stderr.flush()


def _on_terminal() -> bool:
    return bool(sys.stderr and sys.stderr.isatty()) and os.environ.get("TERM") != "dumb"


def _fitting(pieces: list[str], columns: int) -> str:
    while len("  ".join(pieces)) > columns:
        del pieces[-1]
    return "  ".join(pieces)


def bytes_text(count: float) -> str:
    """Return a number of bytes for people, in at most eight characters."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while count >= 1000 and len(units) > 1:
        count /= 1024
        del units[0]
    digits = 0 if units[0] == "B" or count >= 99.95 else 1
    return f"{count:.{digits}f} {units[0]}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _columns() -> int:
    """Return the width of stderr's terminal: stdout, which shutil asks, may be a file."""
    with suppress(OSError, ValueError):
        if columns := os.get_terminal_size(sys.stderr.fileno()).columns:
            return columns
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else 80


def _size(name: str) -> int:
    try:
        return os.stat(name).st_size  # noqa: PTH116  (to Path, an empty name is a directory)
    except OSError:
        return 0  # reported when its turn comes
