"""Which unfinished upload to go on with, and which of its parts are right already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import partsum
from partsum._core import ObjectChecksums, PartChecksums, PartPlan, plan_parts
from partsum.errors import PartPlanError
from partsum.s3._object import Response
from partsum.s3._requests import Requests, error_code


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
            if error_code(error) == "NoSuchUpload":  # it ended meanwhile
                continue
            raise
        begun = _begun_otherwise(pages[0], algorithm, checksum_type)
        if begun:
            against.append(f"upload {upload_id} was begun {begun}")
            continue
        listed = {part["PartNumber"]: part for page in pages for part in page.get("Parts", ())}
        fitting = _fit(plan, listed, allow_small_parts)
        if fitting is not None:
            return Unfinished(upload_id, *fitting), against
        against.append(f"upload {upload_id} has parts of other sizes than this file")
    return None, against


def _begun_otherwise(
    page: Response, algorithm: str | None, checksum_type: str | None
) -> str | None:
    """What the upload was created with, if ListParts tells another algorithm or type."""
    told = page.get("ChecksumAlgorithm")
    if told is None:
        # Amazon says nothing of an upload that has none; other servers, of any.
        headers = page.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        none = algorithm is not None and headers.get("server") == "AmazonS3"
        return "without a checksum" if none else None
    kind = page.get("ChecksumType", checksum_type)
    return None if (told, kind) == (algorithm, checksum_type) else f"with {told} {kind}"


def _fit(
    plan: PartPlan, listed: Mapping[int, Response], allow_small_parts: bool
) -> tuple[PartPlan, Mapping[int, Response]] | None:
    """A plan under which parts need not be sent again: one that has them all, or the caller's."""
    if not listed:
        return (plan, {}) if plan.multipart else None
    asked = _matching(plan, listed)
    try:
        # Where all parts but the last are of one size, it is the largest.
        size = max(part["Size"] for part in listed.values())
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
    """What S3 said of the parts that have the file's bytes."""
    parts = {number: sums.parts[number - 1] for number in unfinished.parts}
    # With SSE-KMS and SSE-C no ETag is an MD5, and ListParts does not tell the encryption.
    md5s = [number for number, part in parts.items() if _has_md5(unfinished.parts[number], part)]
    encrypted = {} if md5s else {"ServerSideEncryption": "aws:kms"}
    right = {}
    for number, part in parts.items():
        said = unfinished.parts[number]
        field = partsum.ALGORITHMS[algorithm].field if algorithm else ""
        checksum = said.get(field)
        if checksum is not None and checksum != part.checksum(algorithm or ""):
            continue
        if number in md5s or (encrypted and checksum is not None):
            right[number] = {**said, **encrypted}
    return right


def _has_md5(said: Response, part: PartChecksums) -> bool:
    return str(said.get("ETag", "")).strip('"').lower() == part.etag
