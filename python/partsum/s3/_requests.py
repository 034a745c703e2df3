"""The requests of an upload. Each gets the members of boto3's ExtraArgs that it accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from partsum.s3._client import Argument, Client, Response

_EVERY_REQUEST = frozenset({"ExpectedBucketOwner", "RequestPayer"})
# Without the key at the end, S3 completes the upload and drops the object's checksum.
_CUSTOMER_KEY = frozenset({"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"})
_CONDITIONS = frozenset({"IfMatch", "IfNoneMatch"})
_OF_THE_OBJECT = frozenset(
    {
        "ACL",
        "BucketKeyEnabled",
        "CacheControl",
        "ContentDisposition",
        "ContentEncoding",
        "ContentLanguage",
        "ContentType",
        "Expires",
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWriteACP",
        "Metadata",
        "ObjectLockEventHold",
        "ObjectLockEventHoldDurationDays",
        "ObjectLockEventHoldDurationYears",
        "ObjectLockLegalHoldStatus",
        "ObjectLockMode",
        "ObjectLockRetainUntilDate",
        "SSEKMSEncryptionContext",
        "SSEKMSKeyId",
        "ServerSideEncryption",
        "StorageClass",
        "Tagging",
        "WebsiteRedirectLocation",
    }
)
ALLOWED = _EVERY_REQUEST | _CUSTOMER_KEY | _CONDITIONS | _OF_THE_OBJECT
"""boto3's ALLOWED_UPLOAD_ARGS and the conditions, without checksums, which partsum computes."""


class Requests:
    """The requests about one key."""

    def __init__(
        self, client: Client, Bucket: str, Key: str, extra: Mapping[str, Argument] | None
    ) -> None:
        self.client = client
        self.bucket = Bucket
        self.key = Key
        self.extra = dict(extra or {})
        for name in self.extra:
            if name == "MpuObjectSize" or name.startswith("Checksum"):
                raise ValueError(
                    f"ExtraArgs has {name!r}: the checksums of an upload come from the file; "
                    "choose them by algorithm= and checksum_type="
                )
            if name not in ALLOWED:
                raise ValueError(
                    f"ExtraArgs has {name!r}, which no upload takes: there are "
                    f"{', '.join(sorted(ALLOWED))}"
                )

    def put_object(self, **arguments: Argument) -> Response:
        """Upload the object with one PutObject."""
        return self._ask(self.client.put_object, ALLOWED, arguments)

    def create(self, **arguments: Argument) -> Response:
        """Create a multipart upload."""
        create = self.client.create_multipart_upload
        return self._ask(create, ALLOWED - _CONDITIONS, arguments)

    def upload_part(self, **arguments: Argument) -> Response:
        """Upload one part."""
        return self._ask(self.client.upload_part, _EVERY_REQUEST | _CUSTOMER_KEY, arguments)

    def complete(self, **arguments: Argument) -> Response:
        """Complete the multipart upload."""
        takes = _EVERY_REQUEST | _CUSTOMER_KEY | _CONDITIONS
        return self._ask(self.client.complete_multipart_upload, takes, arguments)

    def abort(self, upload_id: str) -> None:
        """Abort a multipart upload, which deletes its parts."""
        abort = self.client.abort_multipart_upload
        self._ask(abort, _EVERY_REQUEST, {"UploadId": upload_id})

    def head(self) -> Response:
        """Request HeadObject with checksums."""
        takes = _EVERY_REQUEST | _CUSTOMER_KEY
        return self._ask(self.client.head_object, takes, {"ChecksumMode": "ENABLED"})

    def uploads(self) -> list[Response]:
        """Return the unfinished uploads of exactly this key, the latest first."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket, Prefix=self.key, **self._of(_EVERY_REQUEST)
        )
        found: list[Response] = [
            upload
            for page in pages
            for upload in page.get("Uploads", ())
            if upload["Key"] == self.key
        ]
        # Some servers do not say when an upload was begun.
        return sorted(found, key=lambda upload: str(upload.get("Initiated", "")))[::-1]

    def parts(self, upload_id: str) -> Iterator[Response]:
        """Return the pages of ListParts."""
        # Not every server makes pages by itself.
        pages: Iterator[Response] = self.client.get_paginator("list_parts").paginate(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=upload_id,
            **self._of(_EVERY_REQUEST | _CUSTOMER_KEY),
            PaginationConfig={"PageSize": 1000},
        )
        return iter(pages)

    def _of(self, takes: frozenset[str]) -> dict[str, Argument]:
        return {name: value for name, value in self.extra.items() if name in takes}

    def _ask(self, call: Any, takes: frozenset[str], arguments: Response) -> Response:  # noqa: ANN401
        answer: Response = call(Bucket=self.bucket, Key=self.key, **self._of(takes), **arguments)
        return answer
