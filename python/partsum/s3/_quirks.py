"""Where stores that speak S3 differ from Amazon's, in what matters to a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Quirk(NamedTuple):
    """How a store differs from Amazon S3.

    >>> import partsum.s3
    >>> partsum.s3.QUIRKS["ceph"].stores
    'Ceph RGW'
    """

    name: str
    """What quirks= takes."""
    effect: str
    """What is done about it."""
    stores: str
    """Who is known for it."""
    source: str
    """Where that was read."""


_TABLE = (
    Quirk(
        "ceph",
        "ETags are compared with SSE-C and SSE-KMS too: they are MD5s of the plain bytes",
        "Ceph RGW",
        "ceph src/rgw/rgw_op.cc, RGWPutObj::execute: the MD5 is updated before the filters that "
        "compress and encrypt",
    ),
    Quirk(
        "etag-not-md5",
        "no ETag is compared",
        "MinIO with --no-compat or with encryption (random values), Dell ECS",
        "minio issues 19593 and 20520, minio pull request 7609, irods_resource_plugin_s3 issue "
        "1924",
    ),
    Quirk(
        "multipart-etag-not-md5",
        "no ETag of the form ...-N is compared",
        "Alibaba OSS, Lyve Cloud, Cloudflare R2 for uploads before 2023-06-21",
        "rclone backend/s3/s3.go, setQuirks (useMultipartEtag); Cloudflare R2 documentation, "
        "Multipart upload",
    ),
    Quirk(
        "no-object-attributes",
        "GetObjectAttributes is not tried before HeadObject of each part",
        "Ceph RGW before 20, Garage",
        "ceph pull request 55259; Garage answers 501",
    ),
    Quirk(
        "unsorted-listing",
        "verify_prefix lists everything first and sorts it in memory",
        "SeaweedFS (directory by directory); S3 Express One Zone needs no switch",
        "SeaweedFS 4.48 as measured; Amazon S3 API Reference, ListObjectsV2: directory buckets are "
        "not listed in lexicographical order",
    ),
)

QUIRKS: Mapping[str, Quirk] = MappingProxyType({quirk.name: quirk for quirk in _TABLE})
"""The switches that quirks= takes, by name."""


def chosen(quirks: str | Iterable[str]) -> frozenset[str]:
    """The names in quirks=."""
    names = frozenset([quirks] if isinstance(quirks, str) else quirks)
    if unknown := sorted(map(str, names - QUIRKS.keys())):
        raise ValueError(
            f"quirks: no such name: {', '.join(unknown)}; there are {', '.join(QUIRKS)}"
        )
    return names


def as_amazon(response: dict[str, Any], quirks: frozenset[str]) -> dict[str, Any]:
    """The response without what means another thing there than with Amazon S3."""
    if not quirks:
        return response
    dropped = set()
    multipart = "-" in response.get("ETag", "")
    if "etag-not-md5" in quirks or ("multipart-etag-not-md5" in quirks and multipart):
        dropped.add("ETag")
    if "ceph" in quirks:
        dropped |= {"ServerSideEncryption", "SSECustomerAlgorithm"}
    return {name: value for name, value in response.items() if name not in dropped}
