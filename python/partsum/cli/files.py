"""How verbs open files, and how they write one as a whole or not at all."""

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import BinaryIO

from partsum.cli.terminal import Callback


# Not pathlib below: to Path, an empty name is the current directory.
def has_size(name: str) -> bool:
    """Tell a regular file whose size is known from standard input, pipes, devices and /proc."""
    if name == "-":
        return False
    status = os.stat(name)  # noqa: PTH116
    if not stat.S_ISREG(status.st_mode) or status.st_size:
        return stat.S_ISREG(status.st_mode)
    with open_stream(name) as stream:  # files of /proc have bytes and say that they have none
        return not stream.read(1)


def open_stream(name: str) -> AbstractContextManager[BinaryIO]:
    """Open anything that can be read; for "-" standard input, which stays open."""
    if name != "-":
        return open(name, "rb")  # noqa: PTH123
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return nullcontext(sys.stdin.buffer)


def read_stream(
    name: str, size: int, update: Callable[[bytes], object], progress: Callback | None
) -> None:
    """Read a stream to its end, `size` bytes at a time."""
    with open_stream(name) as stream:
        while data := stream.read(size):
            update(data)
            if progress:
                progress(len(data))
            del data  # before more is read


@contextmanager
def replaced(name: str) -> Iterator[Callable[[bytes], object]]:
    """Open a file that takes the place of another at the end, if all went well.

    Yields what writes to it. What is no regular file, such as a FIFO or /dev/stdout, is written
    to directly. Errors name the file.
    """
    from pathlib import Path  # which takes longer to import than all that is here

    path = Path(name).resolve()  # a symbolic link stays one
    written = path
    if path.is_file() or not path.exists():
        written = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    try:
        with written.open("wb" if written is path else "xb") as file:
            yield file.write
            if written is not path:
                file.flush()
                os.fsync(file.fileno())
        if written is not path:
            written.replace(path)
    except BaseException as error:
        if written is not path:
            with suppress(OSError):
                written.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(written)):
            raise OSError(error.errno, error.strerror, name) from None
        raise
