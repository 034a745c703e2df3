//! All checksums of one object.

use std::{
    fmt,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
};

use super::answers::ETag;
use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    error::{Error, Hint, Result},
    kernels::{Combiner, Message},
    parts::{Part, PartPlan},
};

/// The digests of an object's parts, and every value that S3 makes of them.
///
/// Equality means the same bytes cut the same way, as far as the same algorithms can tell: the path does not count, nor
/// does the order of the algorithms.
#[derive(Clone)]
pub struct ObjectChecksums {
    path: Option<PathBuf>,
    plan: PartPlan,
    /// One digest per part for each algorithm, in the order they were asked for.
    columns: Vec<(Algorithm, Vec<Digest>)>,
}

/// The digests of one part. As with [`ObjectChecksums`], the order of the algorithms does not count for equality.
#[derive(Clone, Debug)]
pub struct PartChecksums {
    part: Part,
    digests: Vec<(Algorithm, Digest)>,
}

impl ObjectChecksums {
    /// # Panics
    /// If a column has not one digest per part.
    pub(crate) fn new(path: Option<PathBuf>, plan: PartPlan, columns: Vec<(Algorithm, Vec<Digest>)>) -> Self {
        assert!(columns.iter().all(|(_, digests)| digests.len() == plan.len()));
        Self { path, plan, columns }
    }

    /// From what [`part_values`](Self::part_values) gave: base64 for each part.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a value is not the base64 of a digest or their number is not the plan's.
    pub fn from_part_values(path: Option<PathBuf>, plan: PartPlan, data: &[(Algorithm, Vec<String>)]) -> Result<Self> {
        let requested: Vec<_> = data.iter().map(|(algorithm, _)| *algorithm).collect();
        if Algorithm::distinct(&requested)?.len() != data.len() {
            return Err(Error::argument("data", "an algorithm is there twice"));
        }
        let columns = data.iter().map(|(algorithm, values)| {
            if values.len() != plan.len() {
                let problem = format!("{} values of {algorithm} for {} parts", values.len(), plan.len());
                return Err(Error::argument("data", problem));
            }
            let digest = |text: &String| {
                Digest::from_base64(text, algorithm.digest_size()).ok_or_else(|| {
                    Error::argument("data", format!("{text:?} is not the base64 of a {algorithm} digest"))
                })
            };
            Ok((*algorithm, values.iter().map(digest).collect::<Result<_>>()?))
        });
        Ok(Self { path, plan: plan.clone(), columns: columns.collect::<Result<_>>()? })
    }

    /// Base64 of each part's digest, for each algorithm.
    pub fn part_values(&self) -> Vec<(Algorithm, Vec<String>)> {
        let values = |digests: &Vec<Digest>| digests.iter().map(Digest::to_base64).collect();
        self.columns.iter().map(|(algorithm, digests)| (*algorithm, values(digests))).collect()
    }

    /// The file, if it was one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Bytes in the object.
    pub const fn size(&self) -> u64 {
        self.plan.size()
    }

    /// How it was cut.
    pub const fn plan(&self) -> &PartPlan {
        &self.plan
    }

    /// What was computed, in the order it was asked for.
    pub fn algorithms(&self) -> impl ExactSizeIterator<Item = Algorithm> + '_ {
        self.columns.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The parts in order; one for a PutObject.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = PartChecksums> + '_ {
        self.plan.iter().enumerate().map(|(index, part)| {
            let digest = |(algorithm, digests): &(Algorithm, Vec<Digest>)| (*algorithm, digests[index]);
            PartChecksums { part, digests: self.columns.iter().map(digest).collect() }
        })
    }

    pub(crate) fn computed(&self, algorithm: Algorithm) -> Option<&[Digest]> {
        self.columns.iter().find_map(|(column, digests)| (*column == algorithm).then_some(&digests[..]))
    }

    pub(super) fn column(&self, algorithm: Algorithm, purpose: &'static str) -> Result<&[Digest]> {
        self.computed(algorithm).ok_or(Error::MissingChecksum { algorithm, purpose })
    }

    /// The ETag, unquoted: the MD5 of a PutObject; of a multipart upload the MD5 of the parts' MD5s, then `-N`.
    ///
    /// S3 gives this ETag to objects in general purpose buckets that are stored in plain text or with SSE-S3.
    /// Source: Amazon S3 API Reference, "Object", ETag; User Guide, "Checking object integrity".
    ///
    /// # Errors
    /// [`Error::MissingChecksum`] without MD5.
    pub fn etag(&self) -> Result<String> {
        let parts = self.column(Algorithm::Md5, "the ETag")?;
        Ok(match self.plan.multipart() {
            true => format!("{}-{}", digest_of_digests(Algorithm::Md5, parts).to_hex(), parts.len()),
            false => parts[0].to_hex(),
        })
    }

    /// Whether `etag` is [`etag`](Self::etag), as S3 or an HTTP header writes it; compared as [`ETag`] does.
    ///
    /// # Errors
    /// [`Error::MissingChecksum`] without MD5.
    pub fn matches_etag(&self, etag: &str) -> Result<bool> {
        Ok(ETag::from(self.etag()?) == ETag::from(etag))
    }

    /// The composite checksum, `base64-N`: the algorithm over the parts' digests.
    ///
    /// # Errors
    /// [`Error::NotSupportedByS3`] for CRC64NVME and for a PutObject; [`Error::MissingChecksum`].
    pub fn composite(&self, algorithm: Algorithm) -> Result<String> {
        if !self.plan.multipart() {
            let reason = "a PutObject has no composite checksum: its ChecksumType is FULL_OBJECT";
            return Err(Error::not_supported("InvalidRequest", reason).with_hint(Hint::GivePartSize(None)));
        }
        type_allowed(algorithm, ChecksumType::Composite)?;
        let parts = self.column(algorithm, "the composite checksum")?;
        Ok(format!("{}-{}", digest_of_digests(algorithm, parts).to_base64(), parts.len()))
    }

    /// The checksum of the whole object: CRCs by combining those of the parts, the others of a PutObject only.
    ///
    /// # Errors
    /// [`Error::NotSupportedByS3`] for the algorithms that do not combine, on a multipart upload;
    /// [`Error::MissingChecksum`].
    pub fn full_object(&self, algorithm: Algorithm) -> Result<String> {
        if self.plan.multipart() {
            type_allowed(algorithm, ChecksumType::FullObject)?;
        }
        let parts = self.column(algorithm, "the full object checksum")?;
        Ok(self.whole(algorithm, parts).unwrap_or(parts[0]).to_base64())
    }

    /// The digest of all bytes, where the parts' digests tell it.
    fn whole(&self, algorithm: Algorithm, parts: &[Digest]) -> Option<Digest> {
        if let [only] = parts {
            return Some(*only);
        }
        let mut combiner = Combiner::new(algorithm)?;
        for (part, digest) in self.plan.iter().zip(parts) {
            combiner.append(digest, part.size);
        }
        Some(combiner.digest())
    }

    /// The digest that one PutObject of these bytes would have.
    pub(super) fn put_object_digest(&self, algorithm: Algorithm) -> Option<Digest> {
        self.whole(algorithm, self.computed(algorithm)?)
    }

    /// The object's checksum of that type; without one, of the type that S3 gives it by default.
    ///
    /// # Errors
    /// As [`composite`](Self::composite) and [`full_object`](Self::full_object).
    pub fn checksum(&self, algorithm: Algorithm, checksum_type: Option<ChecksumType>) -> Result<String> {
        let default = if self.plan.multipart() { algorithm.default_type() } else { ChecksumType::FullObject };
        match checksum_type.unwrap_or(default) {
            ChecksumType::Composite => self.composite(algorithm),
            ChecksumType::FullObject => self.full_object(algorithm),
        }
    }
}

/// In the algorithms' own order, for comparisons.
fn sorted<T>(columns: &[(Algorithm, T)]) -> Vec<&(Algorithm, T)> {
    let mut columns: Vec<_> = columns.iter().collect();
    columns.sort_by_key(|(algorithm, _)| *algorithm);
    columns
}

impl PartialEq for ObjectChecksums {
    fn eq(&self, other: &Self) -> bool {
        self.plan == other.plan && sorted(&self.columns) == sorted(&other.columns)
    }
}

impl Eq for ObjectChecksums {}

impl Hash for ObjectChecksums {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.plan.hash(state);
        sorted(&self.columns).hash(state);
    }
}

impl fmt::Debug for ObjectChecksums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.algorithms().map(Algorithm::name).collect();
        f.debug_struct("ObjectChecksums")
            .field("path", &self.path)
            .field("plan", &self.plan)
            .field("algorithms", &algorithms)
            .finish_non_exhaustive()
    }
}

impl PartialEq for PartChecksums {
    fn eq(&self, other: &Self) -> bool {
        self.part == other.part && sorted(&self.digests) == sorted(&other.digests)
    }
}

impl Eq for PartChecksums {}

impl Hash for PartChecksums {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.part.hash(state);
        sorted(&self.digests).hash(state);
    }
}

impl PartChecksums {
    #[cfg(feature = "python")]
    pub(crate) const fn new(part: Part, digests: Vec<(Algorithm, Digest)>) -> Self {
        Self { part, digests }
    }

    /// Number, offset and size.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The part's ETag, unquoted: its MD5.
    ///
    /// # Errors
    /// [`Error::MissingChecksum`] without MD5.
    pub fn etag(&self) -> Result<String> {
        Ok(self.digest(Algorithm::Md5)?.to_hex())
    }

    /// The part's digest.
    ///
    /// # Errors
    /// [`Error::MissingChecksum`] if it was not computed.
    pub fn digest(&self, algorithm: Algorithm) -> Result<&Digest> {
        let found = self.digests.iter().find_map(|(column, digest)| (*column == algorithm).then_some(digest));
        found.ok_or(Error::MissingChecksum { algorithm, purpose: "the part's checksum" })
    }

    /// All of them, in the order they were asked for.
    pub fn digests(&self) -> &[(Algorithm, Digest)] {
        &self.digests
    }
}

/// The digest of the concatenated digests.
pub(crate) fn digest_of_digests(algorithm: Algorithm, parts: &[Digest]) -> Digest {
    let mut message = Message::new(algorithm);
    parts.iter().for_each(|digest| message.update(digest.as_bytes()));
    message.digest()
}

/// Whether a multipart upload may have this pair; the message is what S3 answers to CreateMultipartUpload.
///
/// Source: answers recorded from Amazon S3 (2026-02-21) for the classic five; the User Guide's list for the others.
pub(super) fn type_allowed(algorithm: Algorithm, checksum_type: ChecksumType) -> Result<()> {
    if algorithm.checksum_types().contains(&checksum_type) {
        return Ok(());
    }
    let lower = algorithm.name().to_lowercase();
    let why = match checksum_type {
        ChecksumType::Composite => "it is always a full object checksum",
        ChecksumType::FullObject => "only CRCs of parts combine into the whole object's; use COMPOSITE, or a PutObject",
    };
    Err(Error::not_supported(
        "InvalidRequest",
        format!("The {checksum_type} checksum type cannot be used with the {lower} checksum algorithm: {why}"),
    ))
}
