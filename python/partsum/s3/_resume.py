"""Which unfinished upload to go on with, and which of its parts are right already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from partsum._core import ObjectChecksums, PartPlan, _listed_parts, _right_parts, plan_parts
from partsum.errors import PartPlanError
from partsum.s3._client import Response, means
from partsum.s3._requests import Requests


class Unfinished(NamedTuple):
    """An upload that was begun, and the parts that it has."""

    upload_id: str
    plan: PartPlan
    """How the file has to be cut so that the parts are its parts."""
    parts: Mapping[int, Response]
    """ListParts' members by number; only those whose size is the plan's."""


def find(
    requests: Requests,
    algorithm: str | None,
    checksum_type: str | None,
    plan: PartPlan,
    allow_small_parts: bool,
) -> tuple[Unfinished | None, list[str]]:
    """The latest upload of the key that was begun so and has parts that a cut of the file has.

    An upload of which no part has come is as good as a new one, if it was begun so. With it comes
    what was against the later ones.
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
    """Say what the upload was created with, if ListParts tells another algorithm or type."""
    if told is None:
        # Amazon says nothing of an upload that has none; other servers, of any.
        headers = page.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        none = asked[0] is not None and headers.get("server") == "AmazonS3"
        return "without a checksum" if none else None
    return None if (told, kind) == asked else f"with {told} {kind}"


def _fit(
    plan: PartPlan, listed: Mapping[int, Response], allow_small_parts: bool
) -> tuple[PartPlan, Mapping[int, Response]] | None:
    """A plan under which parts need not be sent again: one that has them all, or the caller's."""
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
    """The parts that have the plan's size."""
    return {
        number: part
        for number, part in listed.items()
        if plan.multipart and number <= len(plan) and part["Size"] == plan.sizes[number - 1]
    }


def right_parts(
    unfinished: Unfinished, sums: ObjectChecksums, algorithm: str | None
) -> dict[int, Response]:
    """Return what S3 said of the parts that need not be sent again."""
    numbers, encrypted = _right_parts(sums, unfinished.parts, algorithm)
    # ListParts does not tell the encryption.
    more = {"ServerSideEncryption": "aws:kms"} if encrypted else {}
    return {number: {**unfinished.parts[number], **more} for number in numbers}
