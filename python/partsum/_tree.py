"""A directory as S3 would list it, and which file a key means."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What is in a directory."""

    FILE = "file"
    DIRECTORY = "directory"
    SPECIAL = "special"
    ERROR = "error"


class Found(NamedTuple):
    """A name below the directory."""

    name: bytes
    """With "/" between its components, and at the end of a directory's."""
    kind: Kind
    reason: str = ""
    """Why it is neither a file nor a directory that was read."""


def walk(directory: str, follow_symlinks: bool) -> Iterator[Found]:
    """Everything below a directory, in the order of the names' bytes, which is that of S3's lists.

    The directory itself comes first, with an empty name. The names of one directory and of those
    above it are in memory. Raises OSError if the directory itself cannot be read.
    """
    root = os.fsencode(directory)
    yield Found(b"", Kind.DIRECTORY)
    # A directory's own place in the file system, to know it again below.
    levels = [(b"", iter(_names(root, follow_symlinks)), _identity(root))]
    while levels:
        below, found, _ = levels[-1]
        entry = next(found, None)
        if entry is None:
            levels.pop()
            continue
        name = below + entry.name
        if entry.kind is not Kind.DIRECTORY:
            yield Found(name, entry.kind, entry.reason)
            continue
        path = os.path.join(root, name)  # noqa: PTH118 - Path has no bytes
        try:
            identity = _identity(path)
            if any(identity == above for _, _, above in levels):
                yield Found(name, Kind.ERROR, "a symbolic link to a directory that it is in")
                continue
            names = _names(path, follow_symlinks)
        except OSError as error:
            yield Found(name, Kind.ERROR, f"the directory cannot be read: {error.strerror}")
            continue
        yield Found(name, Kind.DIRECTORY)
        levels.append((name, iter(names), identity))


def _identity(path: bytes) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - Path has no bytes
    return status.st_dev, status.st_ino


def _names(path: bytes, follow_symlinks: bool) -> list[Found]:
    with os.scandir(path) as entries:
        found = [_found(entry, follow_symlinks) for entry in entries]
    return sorted(found, key=lambda each: each.name)


def _found(entry: os.DirEntry[bytes], follow_symlinks: bool) -> Found:
    try:
        if entry.is_symlink() and not follow_symlinks:
            return Found(entry.name, Kind.SPECIAL, "a symbolic link, and follow_symlinks=False")
        if entry.is_dir():
            return Found(entry.name + b"/", Kind.DIRECTORY)
        if entry.is_file():
            return Found(entry.name, Kind.FILE)
        mode = entry.stat().st_mode
    except OSError as error:
        return Found(entry.name, Kind.ERROR, error.strerror or str(error))
    kinds = {
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return Found(entry.name, Kind.SPECIAL, f"{kinds.get(stat.S_IFMT(mode), 'it')}, not a file")


def key_of(Prefix: str, name: bytes) -> str | None:
    """The key of a name; None if it can have none, for keys are UTF-8."""
    try:
        return Prefix + name.decode()
    except UnicodeDecodeError:
        return None


def no_file(name: str) -> str | None:
    """Why no file can have the name that a key stands for; None if one can."""
    if not name:
        return "the key is the prefix itself"
    if name.endswith("/"):
        return "the key ends in '/'"
    components = name.split("/")
    if not components[0]:
        return "the key goes on with '/' after the prefix: does Prefix lack one at its end?"
    if odd := {"", ".", ".."}.intersection(components):
        return f"the key has a component {odd.pop()!r}"
    if "\0" in name:
        return "the key has a NUL"
    return None
