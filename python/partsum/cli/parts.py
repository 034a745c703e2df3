"""``partsum parts``: every part and the object, for people and for the AWS CLI."""

from typing import TYPE_CHECKING, Any

import click

from partsum import ObjectChecksums, PartsumError
from partsum.cli._common import (
    Failed,
    Request,
    each,
    emit,
    emit_json,
    facts,
    object_hasher,
    reason,
    say,
)
from partsum.cli._objects import TYPES, object_checksums, part_documents
from partsum.cli._options import (
    algorithm_option,
    cache_option,
    json_option,
    part_size_option,
    threads_option,
)

if TYPE_CHECKING:
    from partsum.cli._cache import Cache


@click.command(
    "parts",
    short_help="Print every part of an object, for people or aws s3api.",
    epilog="""\b
Examples:
  partsum parts big.tar
  partsum parts -a sha256 -a crc32c --part-size 64MiB big.tar
  partsum parts --json big.tar
  partsum parts --format s3api -a sha256 --part-size 8MiB big.tar > parts.json
  aws s3api complete-multipart-upload --multipart-upload file://parts.json ...""",
)
@algorithm_option("Checksum beside the ETag: CRC64NVME by default, none for s3api.")
@part_size_option(default="boto3")
@click.option(
    "--checksum-type",
    type=click.Choice(TYPES, case_sensitive=False),
    metavar="TYPE",
    help="COMPOSITE or FULL_OBJECT; by default every type that S3 has for the algorithm.",
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["table", "json", "s3api"]),
    default="table",
    show_default=True,
    help="s3api is what aws s3api complete-multipart-upload reads.",
)
@json_option
@threads_option
@cache_option
@click.argument("file", type=click.Path(readable=False, allow_dash=True))
def command(
    *,
    algorithms: tuple[str, ...],
    part_size: str,
    allow_small_parts: bool,
    checksum_type: str | None,
    layout: str,
    as_json: bool,
    threads: int | None,
    cache: "Cache | None",
    file: str,
) -> int:
    """Print every part of FILE, or of standard input for "-", and below them the object.

    For s3api, give -a and --checksum-type as create-multipart-upload got them, or neither.
    """
    problem = _problem(algorithms, checksum_type, layout, as_json)
    if problem:
        raise click.UsageError(problem)
    layout = "json" if as_json else layout
    if layout != "s3api":
        algorithms = algorithms or ("CRC64NVME",)
    with_etag = tuple(dict.fromkeys(("MD5", *algorithms)))
    hash_object = object_hasher(
        Request(with_etag, part_size, allow_small_parts, threads, cache=cache)
    )
    [(_, sums)] = each([file], hash_object)
    if isinstance(sums, Failed):
        if layout == "json":
            emit_json({"path": file, "error": sums.reason})
        return sums.status
    try:
        if layout == "s3api":
            alg = algorithms[0] if algorithms else None
            emit_json(sums.complete_multipart_upload_args(alg, checksum_type)["MultipartUpload"])
            return 0
        checksums = {alg: object_checksums(sums, alg, checksum_type) for alg in algorithms}
    except (PartsumError, ValueError) as refusal:
        say(f"{file}: {reason(refusal)}")
        return 2
    if layout == "json":
        emit_json(_document(file, sums, checksums))
    else:
        emit(_table(sums, checksums))
    return 0


def _problem(
    algorithms: tuple[str, ...], checksum_type: str | None, layout: str, as_json: bool
) -> str | None:
    """Say what is wrong with the options, before anything is read."""
    if layout != "s3api":
        return None
    if as_json:
        return "--json and --format s3api are two layouts: choose one"
    if len(algorithms) > 1:
        return "--format s3api takes one -a, the algorithm of create-multipart-upload"
    if checksum_type and not algorithms:
        return "--checksum-type needs -a, both as create-multipart-upload got them"
    return None


def _document(
    file: str, sums: ObjectChecksums, checksums: dict[str, dict[str, str]]
) -> dict[str, Any]:
    return (
        {"path": file}
        | facts(sums)
        | {
            "etag": sums.etag,
            "checksums": checksums,
            "parts": part_documents(sums, checksums),
        }
    )


def _table(sums: ObjectChecksums, checksums: dict[str, dict[str, str]]) -> str:
    digits = max(len(str(sums.size)), len("OFFSET"))
    widths = {alg: max(len(alg), len(sums.parts[0].checksum(alg))) for alg in checksums}
    lines = [
        f"{'PART':>5}  {'OFFSET':>{digits}}  {'SIZE':>{digits}}  {'ETAG':32}"
        + "".join(f"  {alg:{width}}" for alg, width in widths.items())
    ]
    for part in sums.parts:
        values = "".join(f"  {part.checksum(alg):{widths[alg]}}" for alg in checksums)
        numbers = f"{part.number:5}  {part.offset:{digits}}  {part.size:{digits}}"
        lines.append(f"{numbers}  {part.etag}{values}")
    parts = "1 part" if len(sums.parts) == 1 else f"{len(sums.parts)} parts"
    way = parts if sums.plan.multipart else "one PutObject"
    lines += ["", f"{'size':22}  {sums.size} bytes, {way}", f"{'ETag':22}  {sums.etag}"]
    for alg, values_by_type in checksums.items():
        lines += [f"{alg:9}  {kind:11}  {value}" for kind, value in values_by_type.items()]
    return "\n".join(line.rstrip() for line in lines)
