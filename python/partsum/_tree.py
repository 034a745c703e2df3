"""A directory in the order in which S3 lists keys, and which file a key means."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class EntryType(Enum):
    """What a name in a directory stands for."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    """A symbolic link that is not followed."""
    SPECIAL = "special"
    ERROR = "error"


class TreeEntry(NamedTuple):
    """A name below the directory."""

    name: bytes
    """With "/" between its components, and at the end of a directory's."""
    type: EntryType
    reason: str = ""
    """Why it is neither a file nor a directory that was read."""


def walk(directory: str, follow_symlinks: bool) -> Iterator[TreeEntry]:
    """Walk through a directory in the order of the names' bytes, which is that of S3's lists.

    The directory itself comes first, with an empty name. Only the names of one directory and of
    those above it are in memory.

    Raises:
        OSError: The directory itself cannot be read.
    """
    root = os.fsencode(directory)
    yield TreeEntry(b"", EntryType.DIRECTORY)
    # With each level its device and inode, which show a symbolic link back to it.
    levels = [(b"", iter(_entries(root, follow_symlinks)), _identity(root))]
    while levels:
        below, entries, _ = levels[-1]
        entry = next(entries, None)
        if entry is None:
            levels.pop()
            continue
        name = below + entry.name
        if entry.type is not EntryType.DIRECTORY:
            yield entry._replace(name=name)
            continue
        path = os.path.join(root, name)  # noqa: PTH118 - Path has no bytes
        try:
            identity = _identity(path)
            if any(identity == above for _, _, above in levels):
                reason = "a symbolic link to a directory that it is in"
                yield TreeEntry(name, EntryType.ERROR, reason)
                continue
            entries = iter(_entries(path, follow_symlinks))
        except OSError as error:
            reason = f"the directory cannot be read: {error.strerror}"
            yield TreeEntry(name, EntryType.ERROR, reason)
            continue
        yield TreeEntry(name, EntryType.DIRECTORY)
        levels.append((name, entries, identity))


def _identity(path: bytes) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - Path has no bytes
    return status.st_dev, status.st_ino


def _entries(path: bytes, follow_symlinks: bool) -> list[TreeEntry]:
    with os.scandir(path) as entries:
        return sorted(_entry(entry, follow_symlinks) for entry in entries)


def _entry(entry: os.DirEntry[bytes], follow_symlinks: bool) -> TreeEntry:
    try:
        if entry.is_symlink() and not follow_symlinks:
            return TreeEntry(entry.name, EntryType.SYMLINK, "a symbolic link")
        if entry.is_dir():
            return TreeEntry(entry.name + b"/", EntryType.DIRECTORY)
        if entry.is_file():
            return TreeEntry(entry.name, EntryType.FILE)
        mode = entry.stat().st_mode
    except OSError as error:
        return TreeEntry(entry.name, EntryType.ERROR, error.strerror or str(error))
    kinds = {
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    reason = f"{kinds.get(stat.S_IFMT(mode), 'it')}, not a file"
    return TreeEntry(entry.name, EntryType.SPECIAL, reason)


def key_of(Prefix: str, name: bytes) -> str | None:
    """Return the key of a name; None if it can have none, because keys are UTF-8."""
    try:
        return Prefix + name.decode()
    except UnicodeDecodeError:
        return None


def no_file(name: str) -> str | None:
    """Return why no file can have the name that a key stands for; None if one can."""
    if not name:
        return "the key is the prefix itself"
    if name.endswith("/"):
        return "the key ends in '/'"
    components = name.split("/")
    if not components[0]:
        return "the key continues with '/' after the prefix: does Prefix lack one at its end?"
    if odd := {"", ".", ".."}.intersection(components):
        return f"the key has a component {odd.pop()!r}"
    if "\0" in name:
        return "the key has a NUL"
    return None
