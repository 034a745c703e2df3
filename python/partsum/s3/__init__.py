"""S3 through your own boto3 client: uploads with proof, which plan an object has, is it your file.

partsum has no client and imports neither boto3 nor botocore: whatever you pass is asked.
"""

from partsum.s3._botocore import disable_checksums, enable_checksums
from partsum.s3._entry import Entry, EntryStatus
from partsum.s3._prefix import verify_prefix
from partsum.s3._quirks import QUIRKS, Quirk
from partsum.s3._report import verify_report
from partsum.s3._upload import UploadResult, upload_file
from partsum.s3._verify import object_plan, verify_object

__all__ = [
    "QUIRKS",
    "Entry",
    "EntryStatus",
    "Quirk",
    "UploadResult",
    "disable_checksums",
    "enable_checksums",
    "object_plan",
    "upload_file",
    "verify_object",
    "verify_prefix",
    "verify_report",
]

for _name in set(__all__) - {"QUIRKS"}:
    globals()[_name].__module__ = "partsum.s3"  # where users find it
