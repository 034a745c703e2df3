"""Code that runs in an interpreter of its own, and what that process uses.

A test process has threads, files and memory of all tests before, so what a call uses is measured in
a process that does nothing else. The code there may import this module.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

SELF = Path("/proc/self")  # Linux


def python(
    code: str, *arguments: object, env: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter.

    Args:
        code: Python code, indented as a whole or not; it may import the helpers of the tests.
        arguments: What the code finds in ``sys.argv``, as strings.
        env: Environment variables beside those of this process.
        timeout: Seconds after which the process is killed.

    Returns:
        The exit status and the output.
    """
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def alone(code: str, *arguments: object, timeout: float = 120) -> str:
    """Run code like `python`; it must succeed, and what it prints is returned."""
    done = python(code, *arguments, timeout=timeout)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout


# What the process of the caller uses --------------------------------------------------------------


def bytes_read() -> int:
    """Bytes read so far by read(2) and its kin."""
    return int((SELF / "io").read_text().split()[1])


def memory() -> int:
    """Bytes of memory that were allocated, without mapped files."""
    lines = (SELF / "status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024


def descriptors() -> int:
    """Number of open file descriptors."""
    return sum(1 for _ in (SELF / "fd").iterdir())


def threads() -> int:
    """Number of threads, Python's and others."""
    return sum(1 for _ in (SELF / "task").iterdir())


def maps(name: str) -> int:
    """Number of mappings of files whose path contains `name`."""
    return sum(name in line for line in (SELF / "maps").read_text().splitlines())
