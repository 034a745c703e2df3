"""The files of a tree: always in the same order, and nothing passed over in silence."""

import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

Tell = Callable[[str, str], None]
"""Takes the name of what is no file, and what it is."""

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class _Item(NamedTuple):
    name: str
    entry: os.DirEntry[str]
    above: tuple[tuple[int, int], ...]
    """Device and inode of the folders that it is in."""


def walk(
    top: str, *, follow: bool, odd: Tell, failed: Callable[[str, OSError], None]
) -> Iterator[str]:
    """Name the regular files below a folder, relative to it, in the order of the names' bytes.

    Symbolic links are followed if asked to, but never round in a circle. What is neither a file nor
    a folder goes to `odd`, a folder that cannot be read to `failed`, both with the name from `top`.
    """
    stack = _inside(top, "", (), failed)
    while stack:
        name, entry, above = stack.pop()
        try:
            status = entry.stat(follow_symlinks=follow)
        except OSError as error:  # gone meanwhile, or a link that leads nowhere
            failed(entry.path, error)
            continue
        if stat.S_ISREG(status.st_mode):
            yield name
        elif not stat.S_ISDIR(status.st_mode):
            odd(entry.path, _KINDS.get(stat.S_IFMT(status.st_mode), "no file"))
        elif (status.st_dev, status.st_ino) in above:
            odd(entry.path, "a symbolic link to a folder above it")
        else:
            stack += _inside(entry.path, f"{name}/", above, failed)


def _inside(
    folder: str,
    prefix: str,
    above: tuple[tuple[int, int], ...],
    failed: Callable[[str, OSError], None],
) -> list[_Item]:
    """What is in a folder, last name first."""
    try:
        status = os.stat(folder)  # noqa: PTH116
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: os.fsencode(entry.name), reverse=True)
    except OSError as error:
        failed(folder, error)
        return []
    above = (*above, (status.st_dev, status.st_ino))
    return [_Item(prefix + entry.name, entry, above) for entry in found]


def name_below(top: str, file: str) -> str | None:
    """Name a file as `walk` does; None if it is not below the folder."""
    name = os.path.relpath(os.path.realpath(file), os.path.realpath(top))
    return None if name.startswith(f"..{os.sep}") else name
