//! S3's limits. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".

/// Parts in an upload; part numbers run from 1 to this.
pub const MAX_PARTS: u64 = 10_000;
/// Bytes in every part but the last (5 MiB).
pub const MIN_PART_SIZE: u64 = 5 << 20;
/// Bytes in a part, and in one PutObject (5 GiB).
pub const MAX_PART_SIZE: u64 = 5 << 30;
/// Bytes in an object (48.8 TiB).
pub const MAX_OBJECT_SIZE: u64 = MAX_PARTS * MAX_PART_SIZE;
