"""``partsum doctor``: what this machine can do, and what partsum uses of it."""

import os
import platform
import sys
from typing import Any

import click

from partsum import _core
from partsum.cli.options import json_option
from partsum.cli.terminal import emit, emit_json

PACKAGES = ("boto3", "botocore", "awscrt")


@click.command(
    "doctor",
    short_help="Print what this machine can do.",
    epilog="""\b
Examples:
  partsum doctor
  partsum doctor --json
  PARTSUM_ISA=portable partsum doctor    what is used without SIMD""",
)
@json_option
def command(as_json: bool) -> int:
    """Print what this machine can do and what partsum uses of it. Please add it to bug reports."""
    report = _report()
    if as_json:
        emit_json(report)
    else:
        width = max(map(len, report)) + 2
        for key, value in report.items():
            emit(f"{key.replace('_', ' '):{width}}{_text(value)}")
        for hint in _hints(report):
            emit(f"\n{hint}")
    return 0


def _report() -> dict[str, Any]:
    try:
        core = _core.runtime_info()
    except ValueError as error:  # PARTSUM_ISA
        raise click.UsageError(str(error)) from None
    return {
        "version": core["version"],
        "debug_build": core["debug_build"],
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": core["threads"],
        "cpu_features": core["cpu_features"],
        "isa": core["isa"],
        "isas_available": core["isas_available"],
        "isa_override": core["isa_override"],
        "lanes": core["lanes"],
        "packages": {name: _installed(name) for name in PACKAGES},
    }


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _text(value: object) -> str:
    match value:
        case bool() | None:
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
        case list():
            return " ".join(map(str, value)) or "no"
        case _:
            return str(value)


def _hints(report: dict[str, Any]) -> list[str]:
    hints = []
    if report["debug_build"]:
        hints.append("This is a debug build, which is many times slower: build in release mode.")
    if report["isa_override"]:
        hints.append("PARTSUM_ISA chooses the instruction set: unset it for the fastest one.")
    if not report["packages"]["boto3"]:
        hints.append("partsum.s3 needs boto3: pip install 'partsum[s3]'.")
    return hints
