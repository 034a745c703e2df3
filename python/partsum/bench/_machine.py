"""What the figures depend on beside the code: the machine, and where the bytes are."""

from __future__ import annotations

import json
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from partsum.bench._peers import output

_SAMPLE = 256 << 10


def describe(folder: Path) -> dict[str, Any]:
    """Describe the machine, the system, partsum's build, and the file system of a folder."""
    doctor = json.loads(output((sys.executable, "-m", "partsum", "doctor", "--json")))
    cpu = _proc("cpuinfo")
    return {
        "cpu": cpu.get("model name") or platform.processor() or "unknown",
        "architecture": doctor["machine"],
        "virtual": "hypervisor" in cpu.get("flags", "").split(),
        "cpus": doctor["cpus"],
        "cpus_allowed": doctor["threads"],
        "memory": _memory("MemTotal"),
        "system": doctor["platform"],
        "kernel": platform.release(),
        "file_system": _file_system(folder),
        "python": doctor["python"],
        "gil": doctor["gil"],
        "partsum": doctor["version"],
        "isa": doctor["isa"],
        "isa_override": doctor["isa_override"],
        "debug_build": doctor["debug_build"],
    }


def load() -> float | None:
    """The average number of runnable processes during the last minute."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def available_memory() -> int | None:
    """Bytes of memory that can be used without swapping."""
    return _memory("MemAvailable")


def _memory(key: str) -> int | None:
    value = _proc("meminfo").get(key)
    return int(value.split()[0]) << 10 if value else None


def _proc(name: str) -> dict[str, str]:
    """The first value of each key in a file of /proc; empty on systems without /proc."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc", name).read_text().splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    return found


def _file_system(folder: Path) -> str | None:
    with suppress(OSError):  # df of other systems has no such option
        return output(("df", "--output=fstype", str(folder))).split()[-1]
    return None


def cached(path: Path) -> float | None:
    """The fraction of a file that is in the page cache, by samples; None if unknown."""
    if not hasattr(os, "RWF_NOWAIT"):
        return None
    with path.open("rb", buffering=0) as file, suppress(OSError):  # not on every file system
        offsets = range(0, os.fstat(file.fileno()).st_size, _SAMPLE)
        there = [_is_cached(file.fileno(), offset) for offset in offsets]
        return sum(there) / len(there) if there else 1.0
    return None


def _is_cached(descriptor: int, offset: int) -> bool:
    try:
        return os.preadv(descriptor, [bytearray(1)], offset, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False


def read_through(path: Path) -> None:
    """Bring a file into the page cache."""
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
