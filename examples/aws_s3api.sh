#!/usr/bin/env bash
# A multipart upload with the AWS CLI alone, completed by partsum's payload file:
#
#     aws_s3api.sh FILE BUCKET KEY
#
# The payload has the ETag and the SHA-256 of every part, computed from the disk before anything was sent. S3 completes
# the upload only if what arrived is that.
set -euo pipefail
file=$1 bucket=$2 key=$3
part_size=$((8 * 1024 * 1024))
target=(--bucket "$bucket" --key "$key")

work=$(mktemp -d)
upload_id=
finish() {
  rm -rf "$work"
  if [ -n "$upload_id" ]; then # something went wrong: S3 keeps, and bills, the parts otherwise
    aws s3api abort-multipart-upload "${target[@]}" --upload-id "$upload_id"
  fi
}
trap finish EXIT

partsum parts --format s3api -a sha256 --part-size $part_size "$file" >"$work/parts.json"

upload_id=$(aws s3api create-multipart-upload "${target[@]}" \
  --checksum-algorithm SHA256 --query UploadId --output text)

size=$(stat -c %s "$file")
parts=$((size ? (size + part_size - 1) / part_size : 1)) # an empty file is one empty part
for ((number = 1; number <= parts; number++)); do
  dd if="$file" of="$work/part" bs=$part_size skip=$((number - 1)) count=1 status=none
  aws s3api upload-part "${target[@]}" --upload-id "$upload_id" --part-number "$number" \
    --checksum-algorithm SHA256 --body "$work/part" >"$work/answer.json"
done

aws s3api complete-multipart-upload "${target[@]}" --upload-id "$upload_id" \
  --multipart-upload "file://$work/parts.json" --query ETag --output text
upload_id=
