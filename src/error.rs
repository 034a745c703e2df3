//! What can go wrong, each with what to do about it.

use std::{io, path::PathBuf};

use crate::{
    algorithm::{self, Algorithm},
    limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE},
};

/// A specialised result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call could not give its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is none of the ten.
    #[error("unknown algorithm {name:?}: S3 has {}", algorithm::names())]
    UnknownAlgorithm {
        /// What was asked for.
        name: String,
    },
    /// An empty list of algorithms.
    #[error("no algorithm given: name at least one of {}", algorithm::names())]
    NoAlgorithms,
    /// Neither `COMPOSITE` nor `FULL_OBJECT`.
    #[error("unknown checksum type {name:?}: S3 has COMPOSITE and FULL_OBJECT")]
    UnknownChecksumType {
        /// What was asked for.
        name: String,
    },
    /// An argument that no request can have.
    #[error("{argument}: {problem}")]
    InvalidArgument {
        /// The argument's name.
        argument: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// A part plan that S3 would refuse, or that makes no sense.
    #[error(transparent)]
    PartPlan(#[from] PartPlanError),
    /// S3 has no such value, or would refuse such a request.
    #[error("{reason} (S3 answers {code})")]
    NotSupportedByS3 {
        /// S3's error code.
        code: &'static str,
        /// The rule.
        reason: String,
    },
    /// The checksum was not among the algorithms that were computed.
    #[error("{algorithm} was not computed: {purpose} needs it; add {:?} to algorithms=", algorithm.name())]
    MissingChecksum {
        /// The algorithm that is missing.
        algorithm: Algorithm,
        /// What needs it.
        purpose: &'static str,
    },
    /// What S3 said of uploaded parts disagrees with the local bytes.
    #[error("{reason}")]
    PartMismatch {
        /// Part numbers, ascending.
        parts: Vec<u32>,
        /// What disagrees and what to do.
        reason: String,
    },
    /// A serialised result that was tampered with or is not ours.
    #[error("not an ObjectChecksums: {0}")]
    Malformed(String),
    /// The operating system refused.
    #[error("{}: {source}{}", path.display(), place(*offset, *part))]
    Io {
        /// The file.
        path: PathBuf,
        /// Where in the file, if it was read.
        offset: Option<u64>,
        /// In which part of a multipart plan.
        part: Option<u32>,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not the one that was opened any more.
    #[error("{}: the file changed while it was hashed: {change}", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
        /// What changed.
        change: String,
    },
    /// The caller's observer asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Where an error was met, to follow what it was.
pub(crate) fn place(offset: Option<u64>, part: Option<u32>) -> String {
    match (offset, part) {
        (None, _) => String::new(),
        (Some(offset), None) => format!(" (at byte {offset})"),
        (Some(offset), Some(part)) => format!(" (at byte {offset}, in part {part})"),
    }
}

impl Error {
    pub(crate) fn not_supported(code: &'static str, reason: impl Into<String>) -> Self {
        Self::NotSupportedByS3 { code, reason: reason.into() }
    }

    pub(crate) fn argument(argument: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidArgument { argument, problem: problem.into() }
    }
}

/// Why a part plan is refused.
///
/// Limits: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartPlanError {
    /// Not a size.
    #[error(
        "part size {text:?} is neither a size such as \"8MiB\" or \"64 MB\" (MiB = 2^20, MB = 10^6 bytes) nor one of the presets {presets}"
    )]
    UnknownPartSize {
        /// What was given.
        text: String,
        /// The names that would be right.
        presets: String,
    },
    /// Zero, negative, or past 2^63.
    #[error("part size {size} is not possible: it must be between 1 byte and {MAX_PART_SIZE} bytes (5 GiB)")]
    ImpossiblePartSize {
        /// What was given.
        size: String,
    },
    /// An object of negative size, or past 2^63.
    #[error("an object of {size} bytes is not possible: S3 stores 0 to {MAX_OBJECT_SIZE} bytes (48.8 TiB)")]
    ImpossibleSize {
        /// What was given.
        size: String,
    },
    /// A list without parts.
    #[error("the list of part sizes is empty: an upload has at least one part (S3 answers MalformedXML)")]
    NoParts,
    /// More than 10,000 parts.
    #[error(
        "the plan has {parts} parts, S3 allows {MAX_PARTS}: part number {} is over the limit (S3 answers InvalidArgument); \
         use a part size of at least {minimum} bytes",
        MAX_PARTS + 1
    )]
    TooManyParts {
        /// Parts in the plan.
        parts: u64,
        /// The smallest part size that fits.
        minimum: u64,
    },
    /// A part other than the last is below 5 MiB.
    #[error(
        "part {number} has {size} bytes: every part but the last needs at least {MIN_PART_SIZE} bytes (5 MiB; S3 answers \
         EntityTooSmall); for S3-compatible stores without that rule pass allow_small_parts=True"
    )]
    PartTooSmall {
        /// Part number.
        number: u64,
        /// Its bytes.
        size: u64,
    },
    /// A part with no bytes before the last one.
    #[error("part {number} is empty: only the last part may have 0 bytes")]
    EmptyPart {
        /// Part number.
        number: u64,
    },
    /// A part above 5 GiB.
    #[error(
        "part {number} has {size} bytes: a part has at most {MAX_PART_SIZE} bytes (5 GiB; S3 answers EntityTooLarge)"
    )]
    PartTooLarge {
        /// Part number.
        number: u64,
        /// Its bytes.
        size: u64,
    },
    /// One PutObject above 5 GiB.
    #[error(
        "one PutObject of {size} bytes: it takes at most {MAX_PART_SIZE} bytes (5 GiB; S3 answers EntityTooLarge); give a part \
         size for a multipart upload"
    )]
    PutObjectTooLarge {
        /// Bytes in the object.
        size: u64,
    },
    /// An object above 48.8 TiB.
    #[error("an object of {size} bytes: S3 stores at most {MAX_OBJECT_SIZE} bytes (48.8 TiB, 10,000 parts of 5 GiB)")]
    ObjectTooLarge {
        /// Bytes in the object.
        size: u128,
    },
    /// An explicit plan for another size.
    #[error("the part sizes add up to {sum} bytes, but there are {size} bytes")]
    WrongTotal {
        /// Sum of the plan.
        sum: u128,
        /// Bytes to cover.
        size: u64,
    },
    /// A preset whose rule starts from the object's size, used on data of unknown size.
    #[error("preset {preset:?} plans from the object's size, which is not known here: give a part size in bytes")]
    SizeUnknown {
        /// The preset.
        preset: &'static str,
    },
    /// A multipart question to the plan of a PutObject.
    #[error(
        "the plan is one PutObject of {size} bytes, not a multipart upload: hash with part_size=<bytes> for {purpose}"
    )]
    NotMultipart {
        /// Bytes in the object.
        size: u64,
        /// What was asked for.
        purpose: &'static str,
    },
    /// A part number outside the plan.
    #[error(
        "there is no part {number}: the plan has parts 1 to {parts} (S3 allows 1 to {MAX_PARTS}, else it answers InvalidArgument)"
    )]
    NoSuchPart {
        /// What was asked for.
        number: i64,
        /// Parts in the plan.
        parts: u32,
    },
}
