//! Rows of the reports that S3 writes about buckets, as responses.
//!
//! Source: Amazon S3 User Guide, "Examples: S3 Batch Operations completion reports" and "Amazon S3 Inventory list".

use super::{
    etag::ETag,
    response::{Encryption, Members, Response, etag, is_in_directory_bucket, number, text},
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    error::Error,
};

impl Response {
    /// The result of a task of "Compute checksum" in a completion report, as GetObjectAttributes would say it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for what has no checksum, or one that contradicts itself.
    pub fn of_completed_task<M: Members>(result: &M) -> Result<Self, M::Error> {
        let nothing = |reason: String| Error::argument(result.argument(), reason);
        let (Some(name), Some(checksum_type)) = (text(result, "checksumAlgorithm")?, text(result, "checksumType")?)
        else {
            return Err(nothing("the report has no checksum: was the job one of Compute checksum?".to_owned()).into());
        };
        let algorithm: Algorithm = name.parse().map_err(|_| {
            nothing(format!("the report has a checksum of an unknown algorithm, {}", name.to_uppercase()))
        })?;
        let checksum_type: ChecksumType =
            checksum_type.parse().map_err(|_| nothing(format!("the report has an unknown type, {checksum_type}")))?;
        let etag = etag(result, "etag")?;
        let (base64, hex) = (text(result, "checksum_base64")?, text(result, "checksum_hex")?);
        let shown = || format!("base64 {base64:?}, hexadecimal {hex:?}");
        // With or without "-N"; the hexadecimal form is in capitals.
        let mut digests = Vec::new();
        let mut count = None;
        for (spelt, is_hex) in [(&base64, false), (&hex, true)] {
            let Some(spelt) = spelt else { continue };
            let (digits, parts) = spelt.split_once('-').map_or((spelt.as_str(), None), |(text, n)| (text, Some(n)));
            let size = algorithm.digest_size();
            let digest = if is_hex { Digest::from_hex(digits, size) } else { Digest::from_base64(digits, size) };
            digests.push(digest.ok_or_else(|| {
                nothing(format!("the report's checksum is neither base64 nor hexadecimal of {algorithm}: {}", shown()))
            })?);
            count = count.or(parts.map(str::to_owned));
        }
        let [first, others @ ..] = &digests[..] else {
            return Err(nothing("the report has no value of its checksum".to_owned()).into());
        };
        if others.iter().any(|other| other != first) {
            return Err(nothing(format!("the report contradicts itself: {}", shown())).into());
        }
        let mut value = first.to_base64();
        if checksum_type == ChecksumType::Composite {
            let count = count.or(etag.as_ref().and_then(ETag::parts).map(|parts| parts.to_string()));
            let count = count.ok_or_else(|| {
                nothing("the report does not say of how many parts the composite checksum is".to_owned())
            })?;
            value = format!("{value}-{count}");
        }
        Ok(Self {
            etag,
            checksums: vec![(algorithm, value)],
            checksum_type: Some(checksum_type),
            attributes: true,
            ..Self::default()
        })
    }

    /// A row of an inventory, by the names of its columns.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a row without an ETag: there is nothing to compare.
    pub fn of_inventory<M: Members>(row: &M) -> Result<Self, M::Error> {
        let etag = etag(row, "ETag")?;
        if etag.is_none() {
            return Err(Error::argument(row.argument(), "the inventory has no ETags").into());
        }
        let encryption = match text(row, "EncryptionStatus")?.as_deref() {
            Some("NOT-SSE" | "SSE-S3") => Encryption::Plain,
            Some("SSE-KMS") => Encryption::told(Some("aws:kms"), None, true),
            Some("DSSE-KMS") => Encryption::told(Some("aws:kms:dsse"), None, true),
            Some("SSE-C") => Encryption::told(None, Some("AES256"), true),
            _ => Encryption::Unknown,
        };
        Ok(Self {
            size: number(row, "Size")?,
            etag,
            encryption,
            directory_bucket: is_in_directory_bucket(row)?,
            ..Self::default()
        })
    }
}
