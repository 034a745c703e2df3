//! The arguments of S3's requests, made so that S3 accepts them; what it would refuse is refused here.
//!
//! Rules and error codes: answers recorded from Amazon S3 on 2026-02-21 (the LocalStack project's validated
//! snapshots), and Amazon S3 API Reference, "CompleteMultipartUpload".

use super::{
    answers::Uploaded,
    object::{ObjectChecksums, type_allowed},
    uploads::same_upload,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    error::{Error, Hint, PartPlanError, Result},
    parts::Preset,
};

/// Arguments of CreateMultipartUpload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateMultipartUpload {
    /// `ChecksumAlgorithm` and `ChecksumType`.
    pub checksum: Option<(Algorithm, ChecksumType)>,
}

/// Arguments of UploadPart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadPart {
    /// `PartNumber`.
    pub number: u32,
    /// `ContentLength`.
    pub size: u64,
    /// `ContentMD5`: with it, SDKs do not hash the body again to sign it.
    pub content_md5: Option<Digest>,
    /// `Checksum<ALG>`.
    pub checksum: Option<(Algorithm, Digest)>,
}

/// Arguments of PutObject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutObject {
    /// `ContentLength`.
    pub size: u64,
    /// `ContentMD5`: with it, SDKs do not hash the body again to sign it.
    pub content_md5: Option<Digest>,
    /// `Checksum<ALG>`.
    pub checksum: Option<(Algorithm, Digest)>,
}

/// One of `MultipartUpload.Parts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    /// `PartNumber`.
    pub number: u32,
    /// `ETag`, quoted as S3 returns it.
    pub etag: String,
    /// `Checksum<ALG>`.
    pub checksum: Option<(Algorithm, Digest)>,
}

/// The object's checksum in a request: never without its type, or S3 answers BadDigest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectLevel {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// `Checksum<ALG>`; composite ones with `-N`.
    pub value: String,
    /// `ChecksumType`.
    pub checksum_type: ChecksumType,
}

/// Arguments of CompleteMultipartUpload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteMultipartUpload {
    /// `MultipartUpload.Parts`.
    pub parts: Vec<CompletedPart>,
    /// `Checksum<ALG>` and `ChecksumType`.
    pub checksum: Option<ObjectLevel>,
    /// `MpuObjectSize`.
    pub size: u64,
}

impl ObjectChecksums {
    /// Arguments that open the upload. `None` opens one without an algorithm: S3 then computes CRC64NVME by itself.
    ///
    /// # Errors
    /// [`Error::NotSupportedByS3`] for a pair that S3 refuses; [`Error::MissingChecksum`] if the parts could not be
    /// sent with it later; [`PartPlanError::NotMultipart`].
    pub fn create_multipart_upload(
        &self,
        algorithm: Option<Algorithm>,
        checksum_type: Option<ChecksumType>,
    ) -> Result<CreateMultipartUpload> {
        self.plan().require_multipart("create_multipart_upload")?;
        let Some(algorithm) = algorithm else {
            return match checksum_type {
                None => Ok(CreateMultipartUpload { checksum: None }),
                Some(_) => Err(type_without_algorithm()),
            };
        };
        let checksum_type = checksum_type.unwrap_or(algorithm.default_type());
        type_allowed(algorithm, checksum_type)?;
        self.column(algorithm, "create_multipart_upload (InvalidRequest without the parts' values)")?;
        Ok(CreateMultipartUpload { checksum: Some((algorithm, checksum_type)) })
    }

    /// Arguments that send a part. The algorithm is the one the upload was created with: S3 refuses any other.
    ///
    /// # Errors
    /// [`Error::MissingChecksum`]; [`PartPlanError::NoSuchPart`]; [`PartPlanError::NotMultipart`].
    pub fn upload_part(&self, number: i64, algorithm: Option<Algorithm>) -> Result<UploadPart> {
        let part = self.plan().numbered(number)?;
        let index = part.number as usize - 1;
        let checksum = match algorithm {
            Some(algorithm) => {
                Some((algorithm, self.column(algorithm, "upload_part (S3 answers InvalidRequest without it)")?[index]))
            }
            None => None,
        };
        let content_md5 = self.computed(Algorithm::Md5).map(|digests| digests[index]);
        Ok(UploadPart { number: part.number, size: part.size, content_md5, checksum })
    }

    /// Arguments of one PutObject of all the bytes.
    ///
    /// # Errors
    /// [`Error::NotSupportedByS3`] if the parts' digests do not tell the whole object's;
    /// [`PartPlanError::PutObjectTooLarge`]; [`Error::MissingChecksum`].
    pub fn put_object(&self, algorithm: Option<Algorithm>) -> Result<PutObject> {
        if self.size() > crate::limits::MAX_PART_SIZE {
            return Err(PartPlanError::PutObjectTooLarge { size: self.size() }.into());
        }
        let checksum = match algorithm {
            Some(algorithm) => {
                self.column(algorithm, "put_object")?;
                let digest = self.put_object_digest(algorithm).ok_or_else(|| {
                    let reason = format!(
                        "one PutObject needs the {algorithm} of all bytes, which the {algorithm}s of {} parts do not tell",
                        self.plan().len()
                    );
                    Error::not_supported("BadDigest", reason).with_hint(Hint::HashAsPutObject)
                })?;
                Some((algorithm, digest))
            }
            None => None,
        };
        Ok(PutObject { size: self.size(), content_md5: self.put_object_digest(Algorithm::Md5), checksum })
    }

    /// The checksum for `ExtraArgs` of boto3's `upload_file`, which sends any value it is given as that of the full
    /// object. Only CRCs pass on what it sends as a multipart upload: 8 MiB and more, whatever the plan here.
    ///
    /// # Errors
    /// [`Error::NotSupportedByS3`]; [`Error::MissingChecksum`].
    pub fn upload_file(&self, algorithm: Algorithm) -> Result<(Algorithm, String)> {
        if self.size() >= Preset::BOTO3.threshold {
            type_allowed(algorithm, ChecksumType::FullObject)?;
        }
        self.full_object(algorithm).map(|value| (algorithm, value))
    }

    /// Arguments that complete the upload. Algorithm and type are those it was created with; `None` means none.
    ///
    /// With `uploaded`, S3's ETags are used and everything it said is compared; without, the ETags are the MD5s.
    /// `object_level` sends the object's checksum along.
    ///
    /// # Errors
    /// [`Error::NotSupportedByS3`]; [`Error::MissingChecksum`]; [`PartPlanError::NotMultipart`];
    /// [`Error::PartMismatch`] names the parts of which S3 has other bytes, none, or too many.
    pub fn complete_multipart_upload(
        &self,
        algorithm: Option<Algorithm>,
        checksum_type: Option<ChecksumType>,
        uploaded: Option<&Uploaded>,
        object_level: bool,
    ) -> Result<CompleteMultipartUpload> {
        self.plan().require_multipart("complete_multipart_upload")?;
        let created = match (algorithm, checksum_type) {
            (Some(algorithm), wanted) => {
                let checksum_type = wanted.unwrap_or(algorithm.default_type());
                type_allowed(algorithm, checksum_type)?;
                Some((
                    algorithm,
                    checksum_type,
                    self.column(algorithm, "complete_multipart_upload (S3 answers InvalidRequest without it)")?,
                ))
            }
            (None, Some(_)) => return Err(type_without_algorithm()),
            (None, None) => None,
        };
        let etags = match uploaded {
            Some(uploaded) => {
                if uploaded.is_truncated() {
                    let problem = "ends with a page of ListParts that IsTruncated";
                    return Err(Error::argument("uploaded", problem).with_hint(Hint::PassAllPages));
                }
                same_upload(created.map(|(algorithm, checksum_type, _)| (algorithm, checksum_type)), uploaded)?;
                self.compared_etags(uploaded)?
            }
            None => self
                .column(Algorithm::Md5, "the ETag of each part")?
                .iter()
                .map(|md5| format!("\"{}\"", md5.to_hex()))
                .collect(),
        };
        let parts = self.plan().iter().zip(etags).map(|(part, etag)| CompletedPart {
            number: part.number,
            etag,
            checksum: created.map(|(algorithm, _, digests)| (algorithm, digests[part.number as usize - 1])),
        });
        let parts = parts.collect();
        let checksum = match created.filter(|_| object_level) {
            Some((algorithm, checksum_type, _)) => {
                let value = self.checksum(algorithm, Some(checksum_type))?;
                Some(ObjectLevel { algorithm, value, checksum_type })
            }
            None => None,
        };
        Ok(CompleteMultipartUpload { parts, checksum, size: self.size() })
    }
}

fn type_without_algorithm() -> Error {
    let reason = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header";
    Error::not_supported("InvalidRequest", reason).with_hint(Hint::NameAlgorithm)
}
