//! The error codes of S3 and of stores like it, by what they mean to partsum.

/// What an error answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The bytes that arrived are not those of the checksum.
    OtherBytes,
    /// There is no part of that number.
    NoSuchPart,
    /// The upload was completed, aborted or never created.
    NoSuchUpload,
    /// A condition of the request does not hold, such as `IfNoneMatch`.
    ConditionFailed,
    /// The store has no GetObjectAttributes, or keeps it from this caller, who may be allowed HeadObject.
    NoAttributes,
    /// The store does not know part numbers in HeadObject.
    NoPartNumbers,
}

/// Botocore takes the code from the HTTP status where an answer has no body, as HeadObject's have.
///
/// Sources: Amazon S3 API Reference, "Error responses"; answers recorded from Amazon S3; `XAmzContentSHA256Mismatch` for
/// bytes that differ: SeaweedFS; `InvalidRequest` to GetObjectAttributes: stores that refuse it for SSE-C alone.
const CODES: &[(Meaning, &[&str])] = &[
    (Meaning::OtherBytes, &["BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"]),
    (Meaning::NoSuchPart, &["416", "InvalidPartNumber", "InvalidRange", "RequestedRangeNotSatisfiable"]),
    (Meaning::NoSuchUpload, &["NoSuchUpload"]),
    (Meaning::ConditionFailed, &["PreconditionFailed"]),
    (
        Meaning::NoAttributes,
        &["403", "405", "501", "AccessDenied", "Forbidden", "InvalidRequest", "MethodNotAllowed", "NotImplemented"],
    ),
    (Meaning::NoPartNumbers, &["405", "501", "MethodNotAllowed", "NotImplemented"]),
];

impl Meaning {
    /// Whether an error of this code means that.
    pub fn has(self, code: &str) -> bool {
        CODES.iter().any(|(meaning, codes)| *meaning == self && codes.contains(&code))
    }

    /// A stable name, for front ends.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherBytes => "OTHER_BYTES",
            Self::NoSuchPart => "NO_SUCH_PART",
            Self::NoSuchUpload => "NO_SUCH_UPLOAD",
            Self::ConditionFailed => "CONDITION_FAILED",
            Self::NoAttributes => "NO_ATTRIBUTES",
            Self::NoPartNumbers => "NO_PART_NUMBERS",
        }
    }

    /// All meanings of a code.
    pub fn all(code: &str) -> impl Iterator<Item = Self> + '_ {
        CODES.iter().filter(move |(_, codes)| codes.contains(&code)).map(|(meaning, _)| *meaning)
    }
}
