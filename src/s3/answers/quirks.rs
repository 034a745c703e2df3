//! Where stores that speak S3 differ from Amazon's, in what matters to a comparison: one row for each difference.

use std::str::FromStr;

use crate::error::Error;

/// A way in which a store differs from Amazon S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// ETags are MD5s of the plain bytes with SSE-C and SSE-KMS too.
    Ceph,
    /// No ETag is made of MD5s.
    ETagNotMd5,
    /// No ETag of the form `…-N` is made of MD5s.
    MultipartETagNotMd5,
    /// There is no GetObjectAttributes.
    NoObjectAttributes,
    /// ListObjectsV2 does not sort keys by their bytes.
    UnsortedListing,
}

/// A row of the table of quirks.
#[derive(Clone, Copy, Debug)]
pub struct QuirkRow {
    /// The quirk.
    pub quirk: Quirk,
    /// Its name, as users write it.
    pub name: &'static str,
    /// What is done about it.
    pub effect: &'static str,
    /// Stores that are known for it.
    pub stores: &'static str,
    /// Where that was read or measured.
    pub source: &'static str,
}

impl Quirk {
    /// Every quirk, by name.
    pub const TABLE: &'static [QuirkRow] = &[
        QuirkRow {
            quirk: Self::Ceph,
            name: "ceph",
            effect: "ETags are compared with SSE-C and SSE-KMS too: they are MD5s of the plain bytes",
            stores: "Ceph RGW",
            source: "ceph src/rgw/rgw_op.cc, RGWPutObj::execute: the MD5 is updated before the filters that compress \
                     and encrypt",
        },
        QuirkRow {
            quirk: Self::ETagNotMd5,
            name: "etag-not-md5",
            effect: "no ETag is compared",
            stores: "MinIO with --no-compat or with encryption (random values), Dell ECS",
            source: "minio issues 19593 and 20520, minio pull request 7609, irods_resource_plugin_s3 issue 1924",
        },
        QuirkRow {
            quirk: Self::MultipartETagNotMd5,
            name: "multipart-etag-not-md5",
            effect: "no ETag of the form ...-N is compared",
            stores: "SeaweedFS for objects made by UploadPartCopy, Alibaba OSS, Lyve Cloud, Cloudflare R2 for uploads \
                     before 2023-06-21",
            source: "SeaweedFS 4.48 as measured; rclone backend/s3/s3.go, setQuirks (useMultipartEtag); Cloudflare R2 \
                     documentation, Multipart upload",
        },
        QuirkRow {
            quirk: Self::NoObjectAttributes,
            name: "no-object-attributes",
            effect: "GetObjectAttributes is not tried before HeadObject of each part",
            stores: "Ceph RGW before 20, Garage",
            source: "ceph pull request 55259; Garage answers 501",
        },
        QuirkRow {
            quirk: Self::UnsortedListing,
            name: "unsorted-listing",
            effect: "verify_prefix lists everything first and sorts it in memory",
            stores: "SeaweedFS (directory by directory); S3 Express One Zone needs no switch",
            source: "SeaweedFS 4.48 as measured; Amazon S3 API Reference, ListObjectsV2: directory buckets are not \
                     listed in lexicographical order",
        },
    ];
}

impl FromStr for Quirk {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let names = || Self::TABLE.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
        Self::TABLE
            .iter()
            .find_map(|row| (row.name == text).then_some(row.quirk))
            .ok_or_else(|| Error::argument("quirks", format!("no such name: {text}; there are {}", names())))
    }
}
