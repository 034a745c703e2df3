"""``partsum solve``: find the part size behind an ETag, and the tools that use it."""

from typing import Any

import click

import partsum
from partsum.cli.options import json_option, part_size_option, threads_option
from partsum.cli.terminal import Callback, attempt_only, counted, emit, emit_json, say


@click.command(
    "solve",
    short_help="Find the part size behind an ETag.",
    epilog="""\b
Examples:
  partsum solve big.tar 9bb58f26192e4ba00f01e2e7b136bbd8-5
  partsum solve --part-size 64MiB --part-size dandi big.tar 9bb...-5
  partsum solve --json big.tar 9bb...-5""",
)
@part_size_option(multiple=True, help="Try this part size and no other. Repeatable.")
@threads_option
@json_option
@click.argument("file", type=click.Path(readable=False))
@click.argument("etag")
def command(
    *,
    part_size: tuple[int | str | None, ...],
    threads: int | None,
    as_json: bool,
    file: str,
    etag: str,
) -> int:
    """Print the part sizes that give FILE the S3 ETag ETAG, and the tools that use them by default.

    Every usual part size is tried in one read. Each line begins with what other verbs take as
    --part-size. Quotes around the ETag do not matter. The exit status is 1 if no part size fits:
    the bytes differ, the parts are uneven, or the ETag is no MD5 (SSE-KMS, SSE-C).
    """

    def solve(name: str, progress: Callback | None) -> list[partsum.PartPlan]:
        return partsum.solve_etag(
            name, etag, candidates=part_size or None, threads=threads, progress=progress
        )

    document: dict[str, Any] = {"path": file, "etag": etag}
    plans = attempt_only(solve, file, document if as_json else None)
    if as_json:
        emit_json(document | {"plans": [_details(plan) for plan in plans]})
    elif plans:
        width = max(len(_part_size(plan)) for plan in plans)
        for plan in plans:
            emit(f"{_part_size(plan):{width}}  {_in_words(plan)}")
    else:
        tried = "no part size that was given" if part_size else "no usual part size"
        say(
            f"{file}: {tried} gives this ETag: the bytes differ, the parts are uneven, or the ETag"
            " is no MD5 (SSE-KMS, SSE-C)"
        )
    return 0 if plans else 1


def _part_size(plan: partsum.PartPlan) -> str:
    """Return what --part-size takes for a plan."""
    if not plan.multipart:
        return "none"
    mebibytes, rest = divmod(plan.sizes[0], 1 << 20)
    return str(plan.sizes[0]) if rest or not mebibytes else f"{mebibytes}MiB"


def _in_words(plan: partsum.PartPlan) -> str:
    tools = f", the default of {', '.join(plan.presets)}" if plan.presets else ""
    return (counted(len(plan), "part") if plan.multipart else "one PutObject") + tools


def _details(plan: partsum.PartPlan) -> dict[str, Any]:
    return {
        "size": plan.size,
        "multipart": plan.multipart,
        "part_count": len(plan),
        "part_size": plan.sizes[0] if plan.multipart else None,
        "presets": list(plan.presets),
    }
