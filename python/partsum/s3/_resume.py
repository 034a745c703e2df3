"""Find the unfinished upload to resume, and its parts that need not be sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from partsum._core import ObjectChecksums, PartPlan, _listed_parts, _right_parts, plan_parts
from partsum.errors import PartPlanError
from partsum.s3._client import Response, means
from partsum.s3._requests import Requests


class Unfinished(NamedTuple):
    """An unfinished upload and its parts."""

    upload_id: str
    plan: PartPlan
    """The part plan of the file under which these parts belong to it."""
    parts: Mapping[int, Response]
    """ListParts' entries by part number; only those whose size is the plan's."""


def find(
    requests: Requests,
    algorithm: str | None,
    checksum_type: str | None,
    plan: PartPlan,
    allow_small_parts: bool,
) -> tuple[Unfinished | None, list[str]]:
    """Find the latest upload that has this checksum and whose part sizes fit the file.

    An upload without parts fits every multipart plan. Also returned are the reasons why later
    uploads were rejected.
    """
    against = []
    for upload in requests.uploads():
        upload_id = upload["UploadId"]
        try:
            pages = list(requests.parts(upload_id))
        except Exception as error:
            if means(error, "NO_SUCH_UPLOAD"):  # it ended meanwhile
                continue
            raise
        told, kind, parts = _listed_parts(pages)
        begun = _begun_otherwise(pages[0], told, kind or checksum_type, (algorithm, checksum_type))
        if begun:
            against.append(f"upload {upload_id} was begun {begun}")
            continue
        rows = (part for page in pages for part in page.get("Parts") or ())
        listed = {
            number: {**row, "PartNumber": number, "Size": size}
            for row, (number, size) in zip(rows, parts, strict=True)
        }
        fitting = _fit(plan, listed, allow_small_parts)
        if fitting is not None:
            return Unfinished(upload_id, *fitting), against
        against.append(f"upload {upload_id} has parts of other sizes than this file")
    return None, against


def _begun_otherwise(
    page: Response, told: str | None, kind: str | None, asked: tuple[str | None, str | None]
) -> str | None:
    """Describe the upload's algorithm and type if they differ from those asked for."""
    if told is None:
        # Amazon says nothing of an upload that has none; other servers, of any.
        headers = page.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        none = asked[0] is not None and headers.get("server") == "AmazonS3"
        return "without a checksum" if none else None
    return None if (told, kind) == asked else f"with {told} {kind}"


def _fit(
    plan: PartPlan, listed: Mapping[int, Response], allow_small_parts: bool
) -> tuple[PartPlan, Mapping[int, Response]] | None:
    """Choose the plan that keeps all listed parts, or else the caller's plan."""
    if not listed:
        return (plan, {}) if plan.multipart else None
    asked = _matching(plan, listed)
    try:
        # Where all parts but the last are of one size, it is the largest.
        size = max(part["Size"] or 0 for part in listed.values())
        theirs = plan_parts(plan.size, size, allow_small_parts=allow_small_parts)
    except PartPlanError:
        theirs = None
    if theirs and len(_matching(theirs, listed)) == len(listed) > len(asked):
        return theirs, listed
    return (plan, asked) if asked else None


def _matching(plan: PartPlan, listed: Mapping[int, Response]) -> Mapping[int, Response]:
    """Return the listed parts whose size is the plan's."""
    return {
        number: part
        for number, part in listed.items()
        if plan.multipart and number <= len(plan) and part["Size"] == plan.sizes[number - 1]
    }


def right_parts(
    unfinished: Unfinished, sums: ObjectChecksums, algorithm: str | None
) -> dict[int, Response]:
    """Return ListParts' entries of the parts that need not be sent again."""
    numbers, encrypted = _right_parts(sums, unfinished.parts, algorithm)
    # ListParts does not tell the encryption.
    more = {"ServerSideEncryption": "aws:kms"} if encrypted else {}
    return {number: {**unfinished.parts[number], **more} for number in numbers}
