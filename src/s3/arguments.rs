//! The arguments of S3's requests, made so that S3 accepts them; what it would refuse is refused here.
//!
//! Rules and error codes: answers recorded from Amazon S3 on 2026-02-21 (the LocalStack project's validated
//! snapshots), and Amazon S3 API Reference, "CompleteMultipartUpload".

use super::object::{ObjectChecksums, type_allowed};
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

/// What S3 said of the parts: UploadPart's or ListParts' responses.
#[derive(Clone, Debug, Default)]
pub struct Uploaded {
    /// The upload's algorithm, where a response tells it.
    pub algorithm: Option<Algorithm>,
    /// The upload's type, where a response tells it.
    pub checksum_type: Option<ChecksumType>,
    /// The parts, in any order.
    pub parts: Vec<UploadedPart>,
}

/// What S3 said of one part.
#[derive(Clone, Debug, Default)]
pub struct UploadedPart {
    /// `PartNumber`.
    pub number: i64,
    /// `ETag`, as returned.
    pub etag: Option<String>,
    /// `Size`.
    pub size: Option<u64>,
    /// `Checksum<ALG>` values.
    pub checksums: Vec<(Algorithm, String)>,
    /// With SSE-KMS and SSE-C the ETag is not the part's MD5.
    pub encrypted: bool,
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

    /// S3's ETag of each part, in order, once everything it said agrees with the local bytes.
    fn compared_etags(&self, uploaded: &Uploaded) -> Result<Vec<String>> {
        let count = self.plan().len();
        let mut etags: Vec<Option<String>> = vec![None; count];
        let mut problems: Vec<(u32, String)> = Vec::new();
        for said in &uploaded.parts {
            let index = match usize::try_from(said.number) {
                Ok(number) if (1..=count).contains(&number) => number - 1,
                _ => {
                    return Err(PartPlanError::NoSuchPart { number: said.number, parts: count as u32 }.into());
                }
            };
            let number = index as u32 + 1;
            if etags[index].is_some() {
                problems.push((number, "is there twice (S3 would answer InvalidPartOrder)".to_owned()));
                continue;
            }
            if let Some(problem) = self.disagreement(index, said) {
                problems.push((number, problem));
            }
            match &said.etag {
                Some(etag) => etags[index] = Some(etag.clone()),
                None => problems.push((number, "has no ETag in the response".to_owned())),
            }
        }
        for (index, etag) in etags.iter().enumerate() {
            let number = index as u32 + 1;
            if etag.is_none() && !problems.iter().any(|(part, _)| *part == number) {
                problems.push((number, "is missing: upload it first (S3 would answer InvalidPart)".to_owned()));
            }
        }
        match part_mismatch(problems) {
            Some(mismatch) => Err(mismatch),
            None => Ok(etags.into_iter().flatten().collect()),
        }
    }

    /// How what S3 said of a part differs from the local bytes.
    fn disagreement(&self, index: usize, said: &UploadedPart) -> Option<String> {
        let part = self.plan().part(index);
        let sized = said.size.filter(|size| *size != part.size);
        if let Some(size) = sized {
            return Some(format!("has {size} bytes in S3, {} here (S3 would answer InvalidRequest)", part.size));
        }
        for (algorithm, value) in &said.checksums {
            let Some(digests) = self.computed(*algorithm) else {
                continue;
            };
            let ours = digests[index].to_base64();
            if ours != *value {
                let field = algorithm.field();
                return Some(format!("has {field} {value:?} in S3, {ours:?} here (S3 would answer InvalidPart)"));
            }
        }
        let (etag, md5s) = (said.etag.as_deref()?, self.computed(Algorithm::Md5)?);
        let ours = md5s[index].to_hex();
        (!said.encrypted && !etag.trim_matches('"').eq_ignore_ascii_case(&ours)).then(|| {
            format!(
                "has ETag {etag} in S3, \"{ours}\" here (S3 would answer InvalidPart to ours; with SSE-KMS or SSE-C an ETag \
                 is not an MD5: pass the responses of upload_part, which tell the encryption, or add \
                 ServerSideEncryption to the list_parts page)"
            )
        })
    }
}

/// All problems in one error; the first few in words.
fn part_mismatch(mut problems: Vec<(u32, String)>) -> Option<Error> {
    problems.sort_by_key(|(number, _)| *number);
    let mut parts: Vec<u32> = problems.iter().map(|(number, _)| *number).collect();
    parts.dedup();
    let (first, others) = parts.split_first()?;
    let numbers = match others.len() {
        0 => format!("part {first}"),
        1..10 => format!("parts {}", parts.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
        more => format!("part {first} and {more} more parts"),
    };
    let words: Vec<_> = problems.iter().take(3).map(|(number, problem)| format!("part {number} {problem}")).collect();
    let reason = format!("{numbers} of the upload cannot be completed: {}", words.join("; "));
    Some(Error::PartMismatch { parts, reason, hint: None })
}

/// Whether the responses belong to an upload created with this algorithm and type.
fn same_upload(created: Option<(Algorithm, ChecksumType)>, uploaded: &Uploaded) -> Result<()> {
    if created.is_none() && uploaded.checksum_type == Some(ChecksumType::FullObject) {
        // S3 takes the parts of such an upload without their checksums.
        return Ok(());
    }
    if let Some(theirs) = uploaded.algorithm.filter(|theirs| created.map(|(ours, _)| ours) != Some(*theirs)) {
        let reason = format!(
            "the upload was created with {theirs}: CompletedPart must carry {}, the checksum of no other algorithm",
            theirs.field()
        );
        return Err(Error::not_supported("BadDigest", reason));
    }
    if let Some(theirs) = uploaded.checksum_type.filter(|theirs| created.is_some_and(|(_, ours)| ours != *theirs)) {
        let reason = format!(
            "The upload was created using the {theirs} checksum mode. The complete request must use the same checksum mode"
        );
        return Err(Error::not_supported("InvalidRequest", reason));
    }
    Ok(())
}

fn type_without_algorithm() -> Error {
    let reason = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header";
    Error::not_supported("InvalidRequest", reason).with_hint(Hint::NameAlgorithm)
}
