"""Files that fail on demand: ``python fuse_server.py FOLDER`` mounts them until it is killed.

A file is named ``ERRNO@OFFSET``, has SIZE bytes that `content` gives, and reading the page at that
offset fails with that errno; ``0@0`` never fails. Linux, and root. The kernel's side of the
protocol is include/uapi/linux/fuse.h.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys

SIZE = 24 << 20
PAGE = 4096
LOOKUP, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 3, 14, 15, 18, 25, 26
UNANSWERED = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET
ENOENT, ENOSYS = 2, 38


def content(offset: int, size: int) -> bytes:
    """The bytes of every file: each page holds its own number over and over."""
    first, last = offset // PAGE, -(-(offset + size) // PAGE)
    pages = b"".join(page.to_bytes(8, "little") * (PAGE // 8) for page in range(first, last))
    return pages[offset - first * PAGE :][:size]


def attributes(node: int) -> bytes:
    mode, size = (stat.S_IFDIR | 0o755, 0) if node == 1 else (stat.S_IFREG | 0o644, SIZE)
    times = (0, 0, 0, 0, 0, 0)
    return struct.pack("<QQQ3Q3I7I", node, size, size // 512, *times, mode, 1, 0, 0, 0, PAGE, 0)


class Files:
    """What the kernel asks, answered."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, int]] = []

    def answer(self, opcode: int, node: int, body: bytes) -> bytes | int:
        """The reply, or an errno."""
        if opcode == LOOKUP:
            error, at, offset = body.rstrip(b"\0").partition(b"@")
            if not at:
                return ENOENT
            self.faults.append((int(error), int(offset)))
            node = len(self.faults) + 1
            return struct.pack("<4Q2I", node, 0, 3600, 3600, 0, 0) + attributes(node)
        if opcode == READ:
            start, size = struct.unpack_from("<QI", body, 8)
            fault, where = self.faults[node - 2]
            if fault and start <= where < start + size:
                return fault
            return content(start, max(0, min(size, SIZE - start)))
        return {
            # Version 7.31, asynchronous reads of 128 KiB.
            INIT: struct.pack("<4IHH4I24x", 7, 31, 128 << 10, 1, 16, 12, 128 << 10, 1, 0, 0),
            GETATTR: struct.pack("<Q2I", 3600, 0, 0) + attributes(node),
            OPEN: bytes(16),
            RELEASE: b"",
            FLUSH: b"",
        }.get(opcode, ENOSYS)


def serve(folder: str) -> None:
    """Mount, say so, and answer."""
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"faults", os.fsencode(folder), b"fuse.faults", 0, options.encode()):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), folder)
    print("mounted", flush=True)
    files = Files()
    while True:
        try:
            request = os.read(device, 1 << 20)
        except OSError:  # unmounted
            return
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if opcode in UNANSWERED:
            continue
        answer = files.answer(opcode, node, request[40:])
        error, body = (answer, b"") if isinstance(answer, int) else (0, answer)
        os.write(device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)


if __name__ == "__main__":
    serve(sys.argv[1])
