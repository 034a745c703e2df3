"""Runs a test server while somebody holds the other end of standard input.

    guard.py REMOVE COMMAND ...

The launcher holds that end. Whether it closes it or dies, and however it dies, the guard reads an
end of file, kills the server with all that it started, and removes what REMOVE lists (as PATH does;
its first is the server's folder).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main(remove: list[str], command: list[str]) -> None:
    """Start the server, wait until it ends or nobody wants it any more, clean up."""
    folder, *files = remove
    server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True)

    def unwanted() -> None:
        sys.stdin.buffer.read()
        # Its data is scratch too, so there is nothing that a gentler signal would save.
        os.killpg(server.pid, signal.SIGKILL)

    threading.Thread(target=unwanted, daemon=True).start()
    status = server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    for file in files:
        with contextlib.suppress(OSError):
            Path(file).unlink()
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(sys.argv[1].split(os.pathsep), sys.argv[2:])
