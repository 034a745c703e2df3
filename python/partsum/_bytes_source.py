"""Reading from whatever has `readinto` or `read`, with its oddities told apart."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import Any

Fill = Callable[[memoryview], int]


def fill_from(source: object) -> Fill:
    """Return a function that reads once into a memoryview; it returns 0 at the end only."""
    if isinstance(source, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise TypeError(
            f"a stream is wanted, an object with read() or readinto(), not {_kind(source)}: "
            "paths go to hash_file(), bytes to hash_bytes()"
        )
    if isinstance(source, io.TextIOBase):
        raise TypeError(f"{_kind(source)} is a text stream: open it with 'b', or give its .buffer")
    readinto = getattr(source, "readinto", None)
    read = getattr(source, "read", None)
    if callable(readinto):
        return _by_readinto(readinto, read if callable(read) else None)
    if callable(read):
        return _by_read(read)
    raise TypeError(f"a stream is wanted, an object with read() or readinto(), not {_kind(source)}")


def _by_readinto(readinto: Callable[[memoryview], Any], read: Callable[[int], Any] | None) -> Fill:
    fallback: Fill | None = None

    def fill(view: memoryview) -> int:
        nonlocal fallback
        if fallback is None:
            try:
                return _checked_count(readinto(view), len(view))
            except io.UnsupportedOperation:
                # Inherited from a base class that cannot do it either.
                if read is None:
                    raise
                fallback = _by_read(read)
        return fallback(view)

    return fill


def _by_read(read: Callable[[int], Any]) -> Fill:
    def fill(view: memoryview) -> int:
        data = read(len(view))
        if isinstance(data, bytes):
            count = len(data)
            if count <= len(view):
                view[:count] = data
        else:
            with checked_bytes(data) as given:
                count = len(given)
                if count <= len(view):
                    view[:count] = given
        if count > len(view):
            raise ValueError(f"read({len(view)}) returned {count} bytes, more than asked for")
        return count

    return fill


def checked_bytes(data: object) -> memoryview:
    """View what a read() returned as bytes, or say what is wrong with it."""
    if data is None:
        raise _nothing_yet("read")
    try:
        return memoryview(data).cast("B")  # type: ignore[arg-type]
    except TypeError:
        hint = ": open the stream in binary mode" if isinstance(data, str) else ""
        raise TypeError(f"read() returned {_kind(data)}, not bytes{hint}") from None


def _checked_count(count: object, room: int) -> int:
    if count is None:
        raise _nothing_yet("readinto")
    if not isinstance(count, int):
        raise TypeError(f"readinto() returned {_kind(count)}, not the number of bytes")
    if not 0 <= count <= room:
        raise ValueError(f"readinto() returned {count}, and the buffer has {room} bytes")
    return count


def _nothing_yet(method: str) -> BlockingIOError:
    problem = f"{method}() returned None: the stream is non-blocking and has no bytes yet"
    return BlockingIOError(errno.EAGAIN, f"{problem}; make it a blocking one")


def _kind(thing: object) -> str:
    return type(thing).__name__
