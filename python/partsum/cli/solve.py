"""``partsum solve``: from an ETag back to the parts, and to the tools that cut so."""

from typing import Any

import click

import partsum
from partsum.cli._common import Failed, each, emit, emit_json, plan_of, say
from partsum.cli._options import json_option, part_sizes_option, size_text, threads_option
from partsum.cli._progress import Callback


@click.command(
    "solve",
    short_help="Find the part size behind an ETag.",
    epilog="""\b
Examples:
  partsum solve big.tar 9bb58f26192e4ba00f01e2e7b136bbd8-5
  partsum solve --part-size 64MiB --part-size dandi big.tar 9bb...-5
  partsum solve --json big.tar 9bb...-5""",
)
@part_sizes_option("Try this and no other. Repeatable.")
@threads_option
@json_option
@click.argument("file", type=click.Path(readable=False))
@click.argument("etag")
def command(
    *,
    part_sizes: tuple[str, ...],
    threads: int | None,
    as_json: bool,
    file: str,
    etag: str,
) -> int:
    """Print the part plans under which FILE has an S3 ETAG, and the tools that cut so by default.

    Every usual plan is tried in one read. Each line begins with what other verbs take for
    --part-size. Quotes around the ETag do not matter. Exit status 1 if no plan fits: the bytes are
    others, the parts uneven, or the ETag is no MD5 (SSE-KMS, SSE-C).
    """
    candidates = [plan_of(text) for text in part_sizes] or None

    def solve(name: str, progress: Callback | None) -> list[partsum.PartPlan]:
        return partsum.solve_etag(
            name, etag, candidates=candidates, threads=threads, progress=progress
        )

    [(_, plans)] = each([file], solve)
    if isinstance(plans, Failed):
        if as_json:
            emit_json({"path": file, "etag": etag, "error": plans.reason})
        return plans.status
    if as_json:
        emit_json({"path": file, "etag": etag, "plans": [_details(plan) for plan in plans]})
    elif plans:
        width = max(len(_part_size(plan)) for plan in plans)
        for plan in plans:
            emit(f"{_part_size(plan):{width}}  {_in_words(plan)}")
    else:
        plans_tried = "none of the plans given" if candidates else "no usual plan"
        say(
            f"{file}: {plans_tried} gives this ETag: other bytes, other parts, or no MD5 at all"
            " (SSE-KMS, SSE-C)"
        )
    return 0 if plans else 1


def _part_size(plan: partsum.PartPlan) -> str:
    return size_text(plan.sizes[0]) if plan.multipart else "none"


def _in_words(plan: partsum.PartPlan) -> str:
    parts = "1 part" if len(plan) == 1 else f"{len(plan)} parts"
    tools = f", the default of {', '.join(plan.presets)}" if plan.presets else ""
    return (parts if plan.multipart else "one PutObject") + tools


def _details(plan: partsum.PartPlan) -> dict[str, Any]:
    return {
        "size": plan.size,
        "multipart": plan.multipart,
        "part_count": len(plan),
        "part_size": plan.sizes[0] if plan.multipart else None,
        "presets": list(plan.presets),
    }
