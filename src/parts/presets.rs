//! The part plans of upload tools, each with its source.
//!
//! The rules were read in the tools' source code. Versions and settings differ: a preset is the tool's default.

use crate::limits::{MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE};

const MIB: u64 = 1 << 20;

/// How one upload tool cuts a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name in this crate.
    pub name: &'static str,
    /// The tool in words.
    pub tool: &'static str,
    /// Files of at least this many bytes are multipart uploads; smaller ones are one PutObject.
    pub threshold: u64,
    /// Bytes in a part, unless that would give too many parts.
    pub part_size: u64,
    /// Where the rule was read.
    pub source: &'static str,
    growth: Growth,
}

/// What a tool does when a file needs more than 10,000 parts of its part size.
#[derive(Debug, PartialEq, Eq)]
enum Growth {
    /// Keeps the part size: S3 refuses the upload.
    Fixed,
    /// Doubles the part size until 10,000 parts suffice, up to 5 GiB.
    Double,
    /// Uses `size / 10,000`, rounded up to a multiple of this.
    Even { align: u64 },
    /// Go's uploader: uses `size / 10,000 + 1` if `size / part size` is 10,000 or more.
    Go,
    /// rclone: uses whole MiB.
    Rclone,
    /// DANDI: uses `size / 10,000`, rounded up, from 10,000 parts on.
    Dandi,
    /// Cyberduck: uses `size / 9,999`.
    Cyberduck,
}

macro_rules! presets {
    ($($name:literal, $tool:literal, >= $threshold:expr, $part_size:expr, $growth:expr, $source:literal;)*) => {
        &[$(Preset {
            name: $name,
            tool: $tool,
            threshold: $threshold,
            part_size: $part_size,
            growth: $growth,
            source: $source,
        }),*]
    };
}

impl Preset {
    /// All presets.
    pub const ALL: &'static [Self] = presets! {
        "boto3", "boto3 and s3transfer", >= 8 * MIB, 8 * MIB, Growth::Double,
            "boto/s3transfer s3transfer/utils.py ChunksizeAdjuster; boto3/s3/transfer.py TransferConfig";
        "awscli", "AWS CLI v1 and v2, classic transfers", >= 8 * MIB, 8 * MIB, Growth::Double,
            "aws/aws-cli awscli/s3transfer/utils.py ChunksizeAdjuster";
        "crt", "AWS CRT (boto3 and AWS CLI with the crt client)", >= 8 * MIB + 1, 8 * MIB,
            Growth::Even { align: 8 * MIB },
            "awslabs/aws-c-s3 source/s3_util.c aws_s3_calculate_optimal_mpu_part_size_and_num_parts, since awscrt 0.29";
        "java", "AWS SDK for Java 2, multipart client", >= 8 * MIB + 1, 8 * MIB, Growth::Even { align: 1 },
            "aws/aws-sdk-java-v2 GenericMultipartHelper.java calculateOptimalPartSizeFor";
        "go", "AWS SDK for Go, upload manager (also Terraform)", >= 5 * MIB + 1, 5 * MIB, Growth::Go,
            "aws/aws-sdk-go-v2 feature/s3/manager/upload.go initSize";
        "js", "AWS SDK for JavaScript 3, lib-storage", >= 5 * MIB + 1, 5 * MIB, Growth::Even { align: 1 },
            "aws/aws-sdk-js-v3 lib/lib-storage/src/Upload.ts";
        "net", "AWS SDK for .NET, TransferUtility", >= 16 * MIB, 8 * MIB, Growth::Even { align: 1 },
            "aws/aws-sdk-net Custom/Transfer/Internal/MultipartUploadCommand.cs CalculatePartSize";
        "ruby", "AWS SDK for Ruby, upload_file", >= 100 * MIB, 5 * MIB, Growth::Even { align: 1 },
            "aws/aws-sdk-ruby multipart_file_uploader.rb compute_default_part_size";
        "php", "AWS SDK for PHP, ObjectUploader", >= 16 * MIB, 5 * MIB, Growth::Even { align: 1 },
            "aws/aws-sdk-php src/S3/MultipartUploader.php determinePartSize";
        "console", "AWS console in a browser (third-party evidence only)", >= 16_000_001, 17_179_870, Growth::Fixed,
            "HeadObject PartNumber=1 answers quoted in public threads: ceil(160 GiB / 10,000)";
        "mountpoint", "Mountpoint for Amazon S3", >= 1, 8 * MIB, Growth::Fixed,
            "awslabs/mountpoint-s3 mountpoint-s3-client/src/s3_crt_client.rs";
        "rclone", "rclone", >= 200 * MIB, 5 * MIB, Growth::Rclone,
            "rclone/rclone fs/chunksize/chunksize.go Calculator; backend/s3/s3.go";
        "s5cmd", "s5cmd", >= 50 * MIB + 1, 50 * MIB, Growth::Go,
            "peak/s5cmd command/cp.go defaultPartSize; storage/s3.go Put";
        "mc", "MinIO client and minio-go", >= 16 * MIB, 16 * MIB, Growth::Even { align: 16 * MIB },
            "minio/minio-go api-put-object-common.go OptimalPartInfo";
        "s3cmd", "s3cmd", >= 15 * MIB + 1, 15 * MIB, Growth::Fixed,
            "s3tools/s3cmd S3/Config.py multipart_chunk_size_mb; S3/S3.py object_put";
        "cyberduck", "Cyberduck", >= 100 * MIB + 1, 10 * MIB, Growth::Cyberduck,
            "iterate-ch/cyberduck S3MultipartUploadService.java; s3.upload.multipart.size";
        "s3a", "Hadoop S3A", >= 64 * MIB, 64 * MIB, Growth::Fixed,
            "apache/hadoop S3ABlockOutputStream.java; Constants.DEFAULT_MULTIPART_SIZE";
        "pyarrow", "pyarrow and Arrow C++", >= 0, 10 * MIB, Growth::Fixed,
            "apache/arrow cpp/src/arrow/filesystem/s3fs.cc kPartUploadSize";
        "s3fs", "s3fs (fsspec), put_file", >= 100 * MIB, 50 * MIB, Growth::Even { align: 1 },
            "fsspec/s3fs s3fs/core.py calculate_chunksize, _put_file";
        "smart_open", "smart_open", >= 1, 50 * MIB, Growth::Fixed,
            "piskvorky/smart_open smart_open/s3.py DEFAULT_PART_SIZE";
        "quilt3", "quilt3", >= 8 * MIB, 8 * MIB, Growth::Double,
            "quiltdata/quilt api/python/quilt3/checksums.py get_checksum_chunksize";
        "obstore", "obstore", >= 5 * MIB + 1, 5 * MIB, Growth::Fixed,
            "developmentseed/obstore obstore/src/put.rs";
        "dandi", "DANDI", >= 1, 64 * MIB, Growth::Dandi,
            "dandi/dandi-schema dandischema/digests/dandietag.py PartGenerator.for_file_size";
    };

    pub(crate) const BOTO3: &'static Self = &Self::ALL[0];

    /// The preset of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|preset| preset.name == name)
    }

    pub(crate) fn names() -> String {
        Self::ALL.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ")
    }

    /// Bytes in a part of a file of `size` bytes; `None` for one PutObject.
    pub(crate) fn part_size(&self, size: u64) -> Option<u64> {
        let part = self.part_size;
        (size >= self.threshold).then(|| match self.growth {
            Growth::Fixed => part,
            Growth::Double => {
                let mut part = part;
                while size.div_ceil(part) > MAX_PARTS {
                    part *= 2;
                }
                part.clamp(MIN_PART_SIZE, MAX_PART_SIZE)
            }
            Growth::Even { align } => part.max(size.div_ceil(MAX_PARTS).next_multiple_of(align)),
            Growth::Go if size / part >= MAX_PARTS => size / MAX_PARTS + 1,
            Growth::Rclone if size.div_ceil(part) > MAX_PARTS => {
                let mut part = (size / MAX_PARTS).next_multiple_of(MIB);
                if size / part == MAX_PARTS && !size.is_multiple_of(MAX_PARTS) {
                    part += MIB;
                }
                part
            }
            Growth::Dandi if size.div_ceil(part) >= MAX_PARTS => size.div_ceil(MAX_PARTS),
            Growth::Cyberduck => part.max(size / (MAX_PARTS - 1)),
            Growth::Go | Growth::Rclone | Growth::Dandi => part,
        })
    }

    /// Bytes in a part of a stream, whose size is not known yet; `None` if the rule needs the size.
    ///
    /// The rule does not need it if a stream that ends below the threshold has had one part only.
    pub(crate) fn part_size_of_stream(&self) -> Option<u64> {
        (self.threshold <= self.part_size + 1).then_some(self.part_size)
    }
}

#[cfg(test)]
mod tests {
    use super::Preset;

    /// Expected values: computed once from each tool's own code or a transcription of it.
    #[test]
    fn part_sizes_at_the_tools_own_boundaries() {
        let cases: &[(&str, u64, Option<u64>)] = &[
            ("boto3", 8_388_607, None),
            ("boto3", 8_388_608, Some(8_388_608)),
            ("boto3", 83_886_080_000, Some(8_388_608)),
            ("boto3", 83_886_080_001, Some(16_777_216)),
            ("boto3", 1 << 40, Some(134_217_728)),
            ("crt", 8_388_608, None),
            ("crt", 83_886_080_001, Some(16_777_216)),
            ("crt", 167_772_160_001, Some(25_165_824)),
            ("crt", 1 << 40, Some(117_440_512)),
            ("java", 83_886_080_001, Some(8_388_609)),
            ("go", 5_242_880, None),
            ("go", 52_428_800_000, Some(5_242_881)),
            ("js", 52_428_800_001, Some(5_242_881)),
            ("rclone", 209_715_199, None),
            ("rclone", 52_428_800_000, Some(5_242_880)),
            ("rclone", 52_428_800_001, Some(6_291_456)),
            ("rclone", 62_914_560_000, Some(6_291_456)),
            ("rclone", 62_914_560_001, Some(7_340_032)),
            ("rclone", 1 << 40, Some(110_100_480)),
            ("s5cmd", 524_288_000_000, Some(52_428_801)),
            ("mc", 167_772_160_001, Some(33_554_432)),
            ("mc", 1 << 40, Some(117_440_512)),
            ("cyberduck", 104_857_600_000, Some(10_486_808)),
            ("s3fs", 104_857_599, None),
            ("s3fs", 524_288_000_001, Some(52_428_801)),
            ("dandi", 0, None),
            ("dandi", 1, Some(67_108_864)),
            ("dandi", 671_021_531_137, Some(67_102_154)),
            ("pyarrow", 0, Some(10_485_760)),
        ];
        for (name, size, expected) in cases {
            assert_eq!(Preset::named(name).unwrap().part_size(*size), *expected, "{name} {size}");
        }
    }
}
