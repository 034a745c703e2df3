"""Files that fail on demand: ``python fuse_server.py FOLDER`` mounts them until it is killed.

A file is named ``FAULT@NUMBER`` and has SIZE bytes that `content` gives. Its fault is an errno with
which reading the page at that offset fails (0 for none), or what the file system says wrongly:

- ``size@N``: the size is N bytes.
- ``holes@0``: there are no data, only a hole.
- ``inode@0``: the inode number is another one at each look.
- ``mtime@N``: the modification time has nanoseconds at the first N looks, and none afterwards.

Linux, and root. The kernel's side of the protocol is include/uapi/linux/fuse.h.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys

SIZE = 24 << 20
PAGE = 4096
LOOKUP, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, LSEEK = 1, 3, 14, 15, 18, 25, 26, 46
UNANSWERED = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET
ENOENT, ENXIO, ENOSYS = 2, 6, 38
DIRECT_IO = 1  # the kernel reads past the size that it was told
MTIME = 1_700_000_000, 123_456_789


def content(offset: int, size: int) -> bytes:
    """The bytes of every file: each page holds its own number over and over."""
    first, last = offset // PAGE, -(-(offset + size) // PAGE)
    pages = b"".join(page.to_bytes(8, "little") * (PAGE // 8) for page in range(first, last))
    return pages[offset - first * PAGE :][:size]


class Files:
    """What the kernel asks, answered."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, int]] = []
        self.looks = 0

    def fault(self, node: int) -> tuple[str, int]:
        return self.faults[node - 2] if node > 1 else ("0", 0)

    def attributes(self, node: int) -> bytes:
        """The kernel's struct fuse_attr."""
        mode, size, blocks, inode = stat.S_IFREG | 0o644, SIZE, SIZE // 512, node
        seconds, nanoseconds = MTIME
        name, number = self.fault(node)
        self.looks += 1
        if node == 1:
            mode, size, blocks = stat.S_IFDIR | 0o755, 0, 0
        elif name == "size":
            size = number
        elif name == "holes":
            blocks = 0
        elif name == "inode":
            inode = 1000 + self.looks
        elif name == "mtime" and self.looks > number:
            nanoseconds = 0
        times = (seconds,) * 3 + (0, nanoseconds, 0)
        return struct.pack("<QQQ3Q3I7I", inode, size, blocks, *times, mode, 1, 0, 0, 0, PAGE, 0)

    def answer(self, opcode: int, node: int, body: bytes) -> bytes | int:
        """The reply, or an errno."""
        if opcode == LOOKUP:
            kind, at, value = body.rstrip(b"\0").decode().partition("@")
            if not at:
                return ENOENT
            fault = kind, int(value)
            if fault not in self.faults:
                self.looks = 0
                self.faults.append(fault)
            # Only names that tell the truth are remembered.
            valid = 3600 if kind.isdecimal() else 0
            node = self.faults.index(fault) + 2
            return struct.pack("<4Q2I", node, 0, valid, valid, 0, 0) + self.attributes(node)
        name, number = self.fault(node)
        if opcode == READ:
            start, size = struct.unpack_from("<QI", body, 8)
            if name.isdecimal() and int(name) and start <= number < start + size:
                return int(name)
            return content(start, max(0, min(size, SIZE - start)))
        if opcode == LSEEK and name == "holes":
            return ENXIO
        return {
            # Version 7.31, asynchronous reads of 128 KiB.
            INIT: struct.pack("<4IHH4I24x", 7, 31, 128 << 10, 1, 16, 12, 128 << 10, 1, 0, 0),
            GETATTR: struct.pack("<Q2I", 3600 if name.isdecimal() else 0, 0, 0)
            + self.attributes(node),
            OPEN: struct.pack("<Q2I", 0, DIRECT_IO if name == "size" else 0, 0),
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
