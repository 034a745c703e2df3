"""``partsum parts``: every part and the object, for people and for the AWS CLI."""

import click

from partsum import ObjectChecksums, PartsumError
from partsum.cli.options import algorithm_option, hash_options, json_option, refuse, typed
from partsum.cli.sums.hashing import (
    CHECKSUM_TYPES,
    HashOptions,
    facts,
    object_checksums,
    part_documents,
)
from partsum.cli.terminal import attempt_only, counted, emit, emit_json, reason, say


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
@hash_options(part_size="boto3")
@click.option(
    "--checksum-type",
    type=click.Choice(CHECKSUM_TYPES, case_sensitive=False),
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
@click.argument("file", type=click.Path(readable=False, allow_dash=True))
def command(
    *,
    algorithms: tuple[str, ...],
    hashing: HashOptions,
    checksum_type: str | None,
    layout: str,
    as_json: bool,
    file: str,
) -> int:
    """Print every part of FILE, or of standard input for "-", and below them the object.

    For s3api, give -a and --checksum-type as create-multipart-upload got them, or neither.
    """
    if typed("layout") and layout != "json":
        refuse(("as_json",), f"{{}} and --format {layout} are two layouts: choose one")
    layout = "json" if as_json else layout
    if layout != "s3api":
        algorithms = algorithms or ("CRC64NVME",)
    elif len(algorithms) > 1:
        raise click.UsageError(
            "--format s3api takes one -a, the algorithm of create-multipart-upload"
        )
    elif not algorithms:
        refuse(("checksum_type",), "{} needs -a; give both as create-multipart-upload got them")
    options = hashing._replace(algorithms=tuple(dict.fromkeys(("MD5", *algorithms))))
    sums = attempt_only(options.hash, file, {"path": file} if layout == "json" else None)
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
        parts = part_documents(sums, checksums)
        values = {"etag": sums.etag, "checksums": checksums, "parts": parts}
        emit_json({"path": file} | facts(sums) | values)
    else:
        emit(_table(sums, checksums))
    return 0


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
    way = counted(len(sums.parts), "part") if sums.plan.multipart else "one PutObject"
    lines += ["", f"{'size':22}  {sums.size} bytes, {way}", f"{'ETag':22}  {sums.etag}"]
    for alg, values_by_type in checksums.items():
        lines += [f"{alg:9}  {kind:11}  {value}" for kind, value in values_by_type.items()]
    return "\n".join(line.rstrip() for line in lines)
