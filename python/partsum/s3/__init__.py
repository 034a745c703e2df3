"""S3 through your own boto3 client: uploads with proof, which plan an object has, is it your file.

partsum has no client and imports neither boto3 nor botocore: whatever you pass is asked.
"""

from partsum.s3._upload import UploadResult, upload_file
from partsum.s3._verify import object_plan, verify_object

__all__ = ["UploadResult", "object_plan", "upload_file", "verify_object"]
