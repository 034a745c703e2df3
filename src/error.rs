//! What can go wrong, as data: what, where, and a hint at what would help.
//!
//! Front ends word the hint for their own users; [`Display`](fmt::Display) words it for users of the crate.

use std::{fmt, io, path::PathBuf};

use crate::{
    algorithm::{Algorithm, AlgorithmError},
    limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE},
};

/// A specialised result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What would help, for a front end to say in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Compute this algorithm too.
    AddAlgorithm(Algorithm),
    /// Allow parts below S3's minimum, for a store without that rule.
    AllowSmallParts,
    /// Choose a part size, of so many bytes if that is known.
    GivePartSize(Option<u64>),
    /// Choose parts of at least so many bytes.
    EnlargeParts(u64),
    /// Hash as one PutObject.
    HashAsPutObject,
    /// Hash with the object's own parts, which are so many and of different sizes.
    HashWithObjectParts(usize),
    /// Name the algorithm that the upload was created with.
    NameAlgorithm,
    /// Give all pages of the list.
    PassAllPages,
    /// Give S3's responses to the parts, so that its own values are used.
    PassResponses,
    /// Name this quirk of the store.
    NameQuirk(&'static str),
    /// Compute what is slow to compute, too.
    BeThorough,
    /// Read through the page cache.
    UseCachedReads,
    /// Read it as a stream of unknown length.
    UseStream,
}

impl Hint {
    /// Its name for front ends, its words for users of the crate, and the value that belongs to both.
    fn row(&self) -> (&'static str, &'static str, String) {
        let none = String::new();
        match self {
            Self::AddAlgorithm(algorithm) => ("ADD_ALGORITHM", "add {} to the algorithms", algorithm.to_string()),
            Self::AllowSmallParts => ("ALLOW_SMALL_PARTS", "allow small parts for a store that accepts them", none),
            Self::GivePartSize(None) => ("GIVE_PART_SIZE", "choose a part size in bytes", none),
            Self::GivePartSize(Some(bytes)) => ("GIVE_PART_SIZE", "hash with parts of {} bytes", bytes.to_string()),
            Self::EnlargeParts(bytes) => ("ENLARGE_PARTS", "use parts of at least {} bytes", bytes.to_string()),
            Self::HashAsPutObject => ("HASH_AS_PUT_OBJECT", "hash as one PutObject", none),
            Self::HashWithObjectParts(parts) => {
                ("HASH_WITH_OBJECT_PARTS", "hash with the sizes of the object's {} parts", parts.to_string())
            }
            Self::NameAlgorithm => ("NAME_ALGORITHM", "name the algorithm", none),
            Self::PassAllPages => ("PASS_ALL_PAGES", "pass all pages of the list", none),
            Self::PassResponses => ("PASS_RESPONSES", "pass S3's responses to the parts", none),
            Self::UseCachedReads => ("USE_CACHED_READS", "read it through the page cache", none),
            Self::UseStream => ("USE_STREAM", "read it as a stream", none),
            Self::NameQuirk(quirk) => ("NAME_QUIRK", "name the quirk {} if the store has it", (*quirk).to_owned()),
            Self::BeThorough => ("BE_THOROUGH", "be thorough", none),
        }
    }

    /// A stable name, for front ends.
    pub fn name(&self) -> &'static str {
        self.row().0
    }

    /// The algorithm, size or count that belongs to it; empty if there is none.
    pub fn value(&self) -> String {
        self.row().2
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, words, value) = self.row();
        f.write_str(&words.replace("{}", &value))
    }
}

/// Why a call could not give its answer.
///
/// ```
/// use partsum::{Algorithm, Hint, Options, hash_bytes};
///
/// let error = hash_bytes(b"aaa", &[Algorithm::Sha1], &Options::default(), &mut ())?.etag().unwrap_err();
/// assert_eq!(error.hint(), Some(Hint::AddAlgorithm(Algorithm::Md5)));
/// assert_eq!(error.problem(), "MD5 was not computed, and the ETag needs it");
/// assert_eq!(error.to_string(), "MD5 was not computed, and the ETag needs it; add MD5 to the algorithms");
/// # Ok::<(), partsum::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A name that S3 does not have, or no algorithm at all.
    Algorithm(AlgorithmError),
    /// An argument that no request can have.
    InvalidArgument {
        /// The argument's name.
        argument: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
        /// What would help.
        hint: Option<Hint>,
    },
    /// A part plan that S3 would refuse, or that makes no sense.
    PartPlan(PartPlanError),
    /// S3 has no such value, or would refuse such a request.
    NotSupportedByS3 {
        /// S3's error code.
        code: &'static str,
        /// The rule.
        reason: String,
        /// What would help.
        hint: Option<Hint>,
    },
    /// The checksum was not among the algorithms that were computed.
    MissingChecksum {
        /// The algorithm that is missing.
        algorithm: Algorithm,
        /// What needs it.
        purpose: &'static str,
    },
    /// What S3 said of uploaded parts disagrees with the local bytes.
    PartMismatch {
        /// Part numbers, ascending.
        parts: Vec<u32>,
        /// What disagrees.
        reason: String,
        /// What would help.
        hint: Option<Hint>,
    },
    /// A store that speaks S3 breaks its own protocol, or its answers do not fit together.
    StoreFault {
        /// What it does.
        problem: String,
    },
    /// The operating system refused.
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
    /// A file that cannot be hashed in this way, although the operating system opens it.
    UnsuitableFile {
        /// The file.
        path: PathBuf,
        /// Why it is unsuitable.
        problem: &'static str,
        /// What would help.
        hint: Hint,
    },
    /// The file is not the one that was opened any more.
    FileChanged {
        /// The file.
        path: PathBuf,
        /// What changed.
        change: String,
    },
    /// The caller's observer asked to stop.
    Interrupted,
}

impl Error {
    pub(crate) fn argument(argument: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidArgument { argument, problem: problem.into(), hint: None }
    }

    pub(crate) fn not_supported(code: &'static str, reason: impl Into<String>) -> Self {
        Self::NotSupportedByS3 { code, reason: reason.into(), hint: None }
    }

    /// The same error with a hint, if its kind has room for one.
    pub(crate) fn with_hint(mut self, advice: Hint) -> Self {
        if let Self::InvalidArgument { hint, .. }
        | Self::NotSupportedByS3 { hint, .. }
        | Self::PartMismatch { hint, .. } = &mut self
        {
            *hint = Some(advice);
        }
        self
    }

    /// The argument that is wrong, if it is one.
    pub const fn wrong_argument(&self) -> Option<&'static str> {
        match self {
            Self::Algorithm(error) => Some(error.argument()),
            Self::InvalidArgument { argument, .. } => Some(argument),
            Self::PartPlan(error) => error.wrong_argument(),
            _ => None,
        }
    }

    /// What would help, if anything is known to.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::PartPlan(error) => error.hint(),
            Self::MissingChecksum { algorithm, .. } => Some(Hint::AddAlgorithm(*algorithm)),
            Self::InvalidArgument { hint, .. }
            | Self::NotSupportedByS3 { hint, .. }
            | Self::PartMismatch { hint, .. } => hint.clone(),
            Self::UnsuitableFile { hint, .. } => Some(hint.clone()),
            Self::Algorithm(_)
            | Self::StoreFault { .. }
            | Self::Io { .. }
            | Self::FileChanged { .. }
            | Self::Interrupted => None,
        }
    }

    /// What is wrong, without the argument's or the file's name and without the hint.
    pub fn problem(&self) -> String {
        match self {
            Self::Algorithm(error) => error.to_string(),
            Self::InvalidArgument { problem, .. } => problem.clone(),
            Self::PartPlan(error) => error.to_string(),
            Self::NotSupportedByS3 { code, reason, .. } => format!("{reason} (S3 answers {code})"),
            Self::MissingChecksum { algorithm, purpose } => {
                format!("{algorithm} was not computed, and {purpose} needs it")
            }
            Self::PartMismatch { reason, .. } => reason.clone(),
            Self::StoreFault { problem } => problem.clone(),
            Self::Io { offset, part, source, .. } => format!("{source}{}", place(*offset, *part)),
            Self::UnsuitableFile { problem, .. } => (*problem).to_owned(),
            Self::FileChanged { change, .. } => format!("the file changed while it was hashed: {change}"),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }
}

/// Where in a file an error was met, to follow what it was.
pub(crate) fn place(offset: Option<u64>, part: Option<u32>) -> String {
    match (offset, part) {
        (None, _) => String::new(),
        (Some(offset), None) => format!(" (at byte {offset})"),
        (Some(offset), Some(part)) => format!(" (at byte {offset}, in part {part})"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.wrong_argument()) {
            (Self::Io { path, .. } | Self::UnsuitableFile { path, .. } | Self::FileChanged { path, .. }, _) => {
                write!(f, "{}: ", path.display())?;
            }
            (_, Some(argument)) => write!(f, "{argument}: ")?,
            _ => {}
        }
        f.write_str(&self.problem())?;
        self.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<AlgorithmError> for Error {
    fn from(error: AlgorithmError) -> Self {
        Self::Algorithm(error)
    }
}

impl From<PartPlanError> for Error {
    fn from(error: PartPlanError) -> Self {
        Self::PartPlan(error)
    }
}

/// Why a part plan is refused; as text, without the argument's name and without the hint.
///
/// Limits: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartPlanError {
    /// Not a size.
    #[error("{text:?} is not a size; use bytes (8388608), a unit (8MiB, 64 MB) or the name of a tool ({presets})")]
    UnknownPartSize {
        /// What was given.
        text: String,
        /// The names that would be right.
        presets: String,
    },
    /// Zero, negative, or past 2^63.
    #[error("{size} is out of range: a part has 1 to {MAX_PART_SIZE} bytes (5 GiB)")]
    ImpossiblePartSize {
        /// What was given.
        size: String,
    },
    /// An object of negative size, or past 2^63.
    #[error("{size} is out of range: S3 stores objects of 0 to {MAX_OBJECT_SIZE} bytes (48.8 TiB)")]
    ImpossibleSize {
        /// What was given.
        size: String,
    },
    /// A list without parts.
    #[error("the list is empty: an upload has at least one part (S3 answers MalformedXML)")]
    NoParts,
    /// More than 10,000 parts.
    #[error("the plan has {parts} parts, and S3 allows {MAX_PARTS} (it answers InvalidArgument to more)")]
    TooManyParts {
        /// Parts in the plan.
        parts: u64,
        /// The smallest part size that fits.
        minimum: u64,
    },
    /// A part other than the last is below 5 MiB.
    #[error(
        "part {number} has {size} bytes, but every part except the last needs at least {MIN_PART_SIZE} bytes (5 MiB; S3 \
         answers EntityTooSmall)"
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
        "part {number} has {size} bytes, but a part has at most {MAX_PART_SIZE} (5 GiB; S3 answers EntityTooLarge)"
    )]
    PartTooLarge {
        /// Part number.
        number: u64,
        /// Its bytes.
        size: u64,
    },
    /// One PutObject above 5 GiB.
    #[error(
        "one PutObject cannot have {size} bytes: S3 takes up to {MAX_PART_SIZE} (5 GiB; it answers EntityTooLarge)"
    )]
    PutObjectTooLarge {
        /// Bytes in the object.
        size: u64,
    },
    /// An object above 48.8 TiB.
    #[error(
        "an object cannot have {size} bytes: S3 stores up to {MAX_OBJECT_SIZE} (48.8 TiB, {MAX_PARTS} parts of 5 GiB)"
    )]
    ObjectTooLarge {
        /// Bytes in the object.
        size: u128,
    },
    /// An explicit plan for another size.
    #[error("the parts add up to {sum} bytes, but there are {size} bytes")]
    WrongTotal {
        /// Sum of the plan.
        sum: u128,
        /// Bytes to cover.
        size: u64,
    },
    /// A preset whose rule starts from the object's size, used on data of unknown size.
    #[error("{preset:?} plans from the object's size, which is not known here")]
    SizeUnknown {
        /// The preset.
        preset: &'static str,
    },
    /// A multipart question to the plan of a PutObject.
    #[error("{purpose} needs a multipart plan, but the plan is one PutObject of {size} bytes")]
    NotMultipart {
        /// Bytes in the object.
        size: u64,
        /// What was asked for.
        purpose: &'static str,
    },
    /// A part number outside the plan.
    #[error(
        "there is no part {number}: the plan has parts 1 to {parts} (S3 answers InvalidArgument above {MAX_PARTS})"
    )]
    NoSuchPart {
        /// What was asked for.
        number: i64,
        /// Parts in the plan.
        parts: u32,
    },
}

impl PartPlanError {
    const fn wrong_argument(&self) -> Option<&'static str> {
        match self {
            Self::ObjectTooLarge { .. } | Self::NotMultipart { .. } => None,
            Self::ImpossibleSize { .. } => Some("size"),
            Self::NoSuchPart { .. } => Some("number"),
            _ => Some("part_size"),
        }
    }

    const fn hint(&self) -> Option<Hint> {
        match self {
            Self::TooManyParts { minimum, .. } => Some(Hint::EnlargeParts(*minimum)),
            Self::PartTooSmall { .. } => Some(Hint::AllowSmallParts),
            Self::PutObjectTooLarge { .. } | Self::SizeUnknown { .. } | Self::NotMultipart { .. } => {
                Some(Hint::GivePartSize(None))
            }
            _ => None,
        }
    }
}
