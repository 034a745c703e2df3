"""What a figure depends on beside the code: the machine, and where the bytes were."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from partsum import _core

_SAMPLE = 256 << 10


def describe(folder: Path) -> dict[str, Any]:
    """Everything that someone needs who wants to repeat a measurement made in a folder."""
    core = _core.runtime_info()
    cpuinfo = _cpuinfo()
    return {
        "cpu": cpuinfo.get("model name") or _apple_cpu() or platform.processor() or "unknown",
        "architecture": platform.machine(),
        "virtual": "hypervisor" in cpuinfo.get("flags", "").split(),
        "cpus": os.cpu_count(),
        "cpus_allowed": core["threads"],
        "memory": total_memory(),
        "system": platform.platform(),
        "kernel": platform.release(),
        "file_system": file_system(folder),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "partsum": core["version"],
        "isa": core["isa"],
        "isa_override": core["isa_override"],
        "debug_build": core["debug_build"],
    }


def cpus_allowed() -> int:
    """CPUs that this process may use, those of its cgroup."""
    count: int = _core.runtime_info()["threads"]
    return count


def load() -> float | None:
    """How many processes wanted a CPU during the last minute."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def total_memory() -> int | None:
    """Bytes of RAM."""
    return _meminfo("MemTotal")


def available_memory() -> int | None:
    """Bytes that can be had without swapping."""
    return _meminfo("MemAvailable")


def _meminfo(key: str) -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return None


def _cpuinfo() -> dict[str, str]:
    """The first value of each key; empty where there is no /proc."""
    found: dict[str, str] = {}
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return found
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip(), value.strip())
    return found


def _apple_cpu() -> str | None:
    if sys.platform != "darwin":
        return None
    arguments = ("sysctl", "-n", "machdep.cpu.brand_string")
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip() or None


def file_system(folder: Path) -> str | None:
    """The type of the file system that a folder is on, as mount(8) names it."""
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return None
    place = folder.resolve()
    kind, depth = None, -1
    for fields in map(str.split, mounts):
        point = Path(fields[1].replace("\\040", " "))
        # Of two mounts on one folder the later one is seen.
        if (place == point or point in place.parents) and len(point.parts) >= depth:
            kind, depth = fields[2], len(point.parts)
    return kind


def cached(path: Path) -> float | None:
    """How much of a file is in the page cache, 0 to 1, by samples; None where nothing tells."""
    if not hasattr(os, "RWF_NOWAIT"):
        return None
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        offsets = range(0, size, _SAMPLE)
        there = sum(_is_cached(descriptor, offset) for offset in offsets)
        return there / len(offsets) if size else 1.0
    except OSError:  # a file system that cannot tell
        return None
    finally:
        os.close(descriptor)


def _is_cached(descriptor: int, offset: int) -> bool:
    try:
        return os.preadv(descriptor, [bytearray(1)], offset, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False


def read_through(path: Path) -> None:
    """Bring a file into the page cache."""
    piece = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(piece):
            pass
