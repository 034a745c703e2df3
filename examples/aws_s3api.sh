#!/usr/bin/env bash
# Upload a file in parts with the AWS CLI, and complete the upload with the output of partsum:
#
#     aws_s3api.sh FILE BUCKET KEY
#
# `partsum parts --format s3api` writes the ETag and the SHA-256 of every part, computed from the file on disk. S3 completes
# the upload only if the parts that arrived have these values.
set -euo pipefail
file=$1 bucket=$2 key=$3
part_size=$((8 * 1024 * 1024))
target=(--bucket "$bucket" --key "$key")

work=$(mktemp -d)
upload_id=
finish() {
  rm -rf "$work"
  if [ -n "$upload_id" ]; then # S3 stores the parts, and charges for them, until the upload is aborted
    aws s3api abort-multipart-upload "${target[@]}" --upload-id "$upload_id"
  fi
}
trap finish EXIT

partsum parts --format s3api -a sha256 --part-size $part_size "$file" >"$work/parts.json"

upload_id=$(aws s3api create-multipart-upload "${target[@]}" \
  --checksum-algorithm SHA256 --query UploadId --output text)

size=$(stat -c %s "$file")
parts=$((size ? (size + part_size - 1) / part_size : 1)) # an empty file has one empty part
for ((number = 1; number <= parts; number++)); do
  dd if="$file" of="$work/part" bs=$part_size skip=$((number - 1)) count=1 status=none
  aws s3api upload-part "${target[@]}" --upload-id "$upload_id" --part-number "$number" \
    --checksum-algorithm SHA256 --body "$work/part" >"$work/response.json"
done

aws s3api complete-multipart-upload "${target[@]}" --upload-id "$upload_id" \
  --multipart-upload "file://$work/parts.json" --query ETag --output text
upload_id=
