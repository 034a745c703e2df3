"""Which files a manifest lists: those that are named, and those below the directories named."""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from partsum._tree import EntryType, walk
from partsum.cli.terminal import failure, reason, say


class ListedFile(NamedTuple):
    """A file of a manifest."""

    path: str
    """In the manifest."""
    opened: str
    """The name that opens it."""


class ListedFiles:
    """Files and directories that were named, and what could not be listed of them."""

    def __init__(
        self, names: Sequence[str], follow: bool, manifest: str | None, *, silent: bool = False
    ) -> None:
        """Take what was named.

        Args:
            names: Files and directories.
            follow: Whether to follow symbolic links below a directory.
            manifest: The manifest, which does not list itself.
            silent: Whether to say nothing about what is left out.
        """
        self._names = names
        self._follow = follow
        self._manifest = manifest
        self._silent = silent
        self.is_tree = len(names) == 1 and os.path.isdir(names[0])  # noqa: PTH112
        self.root = names[0] if self.is_tree else "."
        self.failed = 0
        self.left_out = 0

    def __iter__(self) -> Iterator[ListedFile]:
        """Find the files, each once."""
        seen: set[str] = set()
        for name in self._names:
            for file in self._named(name):
                if file.path not in seen:
                    seen.add(file.path)
                    yield file

    def _named(self, name: str) -> Iterator[ListedFile]:
        try:
            mode = os.stat(name).st_mode  # noqa: PTH116
        except OSError as error:
            self._fail(f"{name}: {reason(error)}")
            return
        if stat.S_ISREG(mode):
            yield ListedFile(name, name)
        elif not stat.S_ISDIR(mode):
            self._leave_out(name, "neither a file nor a directory")
        else:
            for below in self.below(name):
                path = os.path.join(name, below)  # noqa: PTH118
                yield ListedFile(below if self.is_tree else path, path)

    def below(self, directory: str) -> Iterator[str]:
        """Name the files below a directory, relative to it, in the order of the names' bytes."""
        ours = self._manifest and os.path.relpath(
            os.path.realpath(self._manifest), os.path.realpath(directory)
        )
        try:
            for name, kind, why in walk(directory, self._follow):
                below = os.fsdecode(name)
                shown = os.path.join(directory, below)  # noqa: PTH118
                if kind is EntryType.FILE and below != ours:
                    yield below
                elif kind is EntryType.SYMLINK:
                    self._leave_out(shown, f"{why}, which --follow follows")
                elif kind is EntryType.SPECIAL:
                    self._leave_out(shown, why)
                elif kind is EntryType.ERROR:
                    self._fail(f"{shown}: {why}")
        except OSError as error:  # the directory itself
            self._fail(failure(error))

    def _fail(self, message: str) -> None:
        self.failed += 1
        say(message)

    def _leave_out(self, name: str, why: str) -> None:
        self.left_out += 1
        if not self._silent:
            say(f"{name}: left out: {why}")
