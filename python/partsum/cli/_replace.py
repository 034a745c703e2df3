"""A file that is written as a whole or not at all."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced(name: str) -> Iterator[Callable[[bytes], object]]:
    """Give what writes to a file that takes the place of another at the end, if all went well.

    What is no regular file, such as a FIFO or /dev/stdout, is written to. Errors name the file.
    """
    path = Path(name).resolve()  # a link stays one
    written = path
    if path.is_file() or not path.exists():
        written = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
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
