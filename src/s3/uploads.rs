//! What S3 said of the parts of an upload, against the local parts.

use super::{
    answers::{ETag, Encryption, SaidPart, Uploaded},
    object::ObjectChecksums,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    error::{Error, PartPlanError, Result},
};

impl ObjectChecksums {
    /// S3's ETag of each part, in order, once everything it said agrees with the local bytes.
    pub(super) fn compared_etags(&self, uploaded: &Uploaded) -> Result<Vec<String>> {
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
                Some(etag) => etags[index] = Some(etag.shown().to_owned()),
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
    fn disagreement(&self, index: usize, said: &SaidPart) -> Option<String> {
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
        let (etag, md5s) = (said.etag.as_ref()?, self.computed(Algorithm::Md5)?);
        // No MD5 of a part has a "-N": SeaweedFS answers such ETags for parts that were copied.
        if etag.parts().is_some() {
            return None;
        }
        let ours = md5s[index].to_hex();
        // An equal one is right whatever the encryption; another tells nothing with SSE-KMS and SSE-C.
        let plain = !matches!(said.encryption, Encryption::NotMd5(_));
        (plain && *etag != ETag::from(ours.as_str())).then(|| {
            format!(
                "has ETag {} in S3, \"{ours}\" here (S3 would answer InvalidPart to ours; with SSE-KMS or SSE-C an ETag is \
                 not an MD5, which responses of UploadPart say with ServerSideEncryption or SSECustomerAlgorithm, and \
                 ListParts does not)",
                etag.shown()
            )
        })
    }

    /// The parts of an unfinished upload that need not be sent again, and whether their ETags are no MD5s.
    ///
    /// A part is right if nothing that S3 says of it differs: its size, its ETag, and its checksum by the upload's
    /// algorithm. An upload has one encryption, which ListParts does not tell: one MD5 among the ETags tells that all are.
    /// Without one, the checksums alone tell.
    pub fn right_parts(&self, uploaded: &Uploaded, algorithm: Option<Algorithm>) -> (Vec<u32>, bool) {
        let md5s = self.computed(Algorithm::Md5);
        let is_md5 = |index: usize, said: &SaidPart| {
            let ours = md5s.map(|md5s| md5s[index].to_hex());
            said.etag.is_some() && said.etag == ours.map(ETag::from)
        };
        let index = |said: &SaidPart| {
            said.number
                .checked_sub(1)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|index| *index < self.plan().len())
        };
        let parts: Vec<_> = uploaded.parts.iter().filter_map(|said| Some((index(said)?, said))).collect();
        let encrypted = !parts.iter().any(|(index, said)| is_md5(*index, said));
        let right = parts.iter().filter(|(index, said)| {
            let checksum = said.checksums.iter().find(|(other, _)| Some(*other) == algorithm);
            let ours =
                algorithm.and_then(|algorithm| self.computed(algorithm)).map(|digests| digests[*index].to_base64());
            said.size.is_none_or(|size| size == self.plan().part(*index).size)
                && checksum.is_none_or(|(_, value)| Some(value) == ours.as_ref())
                && (is_md5(*index, said) || (encrypted && checksum.is_some()))
        });
        (right.map(|(index, _)| *index as u32 + 1).collect(), encrypted)
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
pub(super) fn same_upload(created: Option<(Algorithm, ChecksumType)>, uploaded: &Uploaded) -> Result<()> {
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
