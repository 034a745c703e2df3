"""The progress bar: on stderr, on a terminal, for what takes its time."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterable

Callback = Callable[[int], None]

# Seconds. Digests come back fast: a bar that is there for less would only flicker.
DELAY = 0.5
BETWEEN_DRAWS = 0.1
# Seconds over which the rate is averaged, roughly.
MEMORY = 3.0
# Columns that the bar with everything around it wants.
WIDE = 72


class Progress:
    """Bytes, rate and time left on one line, which `clear` takes away; nothing in a pipe."""

    def __init__(
        self, names: Iterable[str], label: str = "hashing", *, delay: float = DELAY
    ) -> None:
        """Take the names of what will be read, and the seconds that need no bar.

        Where one of them has no size, nobody knows how much there is.
        """
        self.callback: Callback | None = None
        if sys.stderr and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            sizes = [_size(name) for name in names]
            self._bar = Bar(sum(sizes) if all(sizes) else 0, label, delay)
            self.callback = self._bar.update

    def clear(self) -> None:
        """Take the bar away, so that a line can be printed in its place."""
        if self.callback:
            self._bar.clear()


class Bar:
    """Draws itself as bytes come in."""

    def __init__(self, total: int, label: str, delay: float = DELAY) -> None:
        """Take the bytes that there will be, 0 if that is not known."""
        self._delay = delay
        self._total = total
        self._label = label
        self._done = 0
        self._rate = 0.0
        self._drawn = False
        self._started = self._last = 0.0
        self._done_then = 0

    def update(self, count: int) -> None:
        """Count bytes."""
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
        """Take the line away."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def line(self, columns: int) -> str:
        """What fits into a number of columns."""
        rate = f"{bytes_text(self._rate)}/s"
        if not self._total:
            return _fitting([self._label, bytes_text(self._done), rate], columns)
        # A file that grows is longer than it was.
        part = min(1.0, self._done / self._total)
        left = max(0, self._total - self._done)
        eta = f"ETA {_clock(left / self._rate)}" if self._rate else "ETA -:--:--"
        if columns < WIDE:
            return _fitting([f"{part:4.0%}", rate, eta], columns)
        before = f"{self._label}  {part:4.0%}  ["
        after = f"]  {bytes_text(self._done)} of {bytes_text(self._total)}  {rate}  {eta}"
        width = columns - len(before) - len(after)
        filled = int(part * width)
        return f"{before}{'#' * filled}{' ' * (width - filled)}{after}"

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            pass  # the terminal is gone; the work is not


def _fitting(pieces: list[str], columns: int) -> str:
    while len("  ".join(pieces)) > columns:
        del pieces[-1]
    return "  ".join(pieces)


def bytes_text(count: float) -> str:
    """Bytes for a person, in at most eight characters."""
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
    """The width of the terminal that stderr is: stdout may be a file."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    if columns:
        return columns
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else 80


def _size(name: str) -> int:
    try:
        return os.stat(name).st_size  # noqa: PTH116  (to Path, an empty name is a folder)
    except OSError:
        return 0  # reported when its turn comes
