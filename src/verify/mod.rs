//! Whether local bytes are an S3 object's: what was computed here against what S3 says, without the network.
//!
//! [`Answers`] are what S3 said; `local` says what of a file they call for, `judge` compares value by value and comes to a
//! [`Verdict`].

mod judge;
mod local;
mod solve;

use std::{fmt, path::Path};

pub use solve::solve_etag;

use crate::{
    algorithm::Algorithm,
    error::{Hint, Result},
    hash::{self, Options},
    parts::Part,
    s3::{Answers, ObjectChecksums},
    schedule::Observer,
    source::Source,
};

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The bytes are the object's.
    Match,
    /// They are not.
    Mismatch,
    /// What S3 said does not tell.
    NotComparable,
}

impl Status {
    /// `MATCH`, `MISMATCH` or `NOT_COMPARABLE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::Mismatch => "MISMATCH",
            Self::NotComparable => "NOT_COMPARABLE",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How hard it is to make other bytes with the values that agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// CRCs and XXH: they show accidents, and anybody can make other bytes with the same value.
    Accidental,
    /// MD5 and SHA-1: two files with one value can be made on purpose.
    CollisionProne,
    /// SHA-2.
    Cryptographic,
}

impl Strength {
    /// `accidental`, `collision-prone` or `cryptographic`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accidental => "accidental",
            Self::CollisionProne => "collision-prone",
            Self::Cryptographic => "cryptographic",
        }
    }

    const fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 | Algorithm::Sha512 => Self::Cryptographic,
            Algorithm::Md5 | Algorithm::Sha1 => Self::CollisionProne,
            _ => Self::Accidental,
        }
    }
}

/// The outcome and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub status: Status,
    /// Why, in words; with [`Status::NotComparable`] also what would decide it.
    pub reason: String,
    /// The values that agreed, such as `size` or `ChecksumCRC32 COMPOSITE`.
    pub evidence: Vec<String>,
    /// The parts whose own values disagree.
    pub bad_parts: Vec<Part>,
    /// Of a match: the strongest value that agreed and covers all bytes.
    pub strength: Option<Strength>,
    /// Values that S3 said and that were not compared, each with the reason.
    pub not_compared: Vec<(String, String)>,
    /// What would help to compare more.
    pub hint: Option<Hint>,
}

impl Verdict {
    const fn without_values(status: Status, reason: String) -> Self {
        Self {
            status,
            reason,
            evidence: Vec::new(),
            bad_parts: Vec::new(),
            strength: None,
            not_compared: Vec::new(),
            hint: None,
        }
    }
}

/// Compares checksums that are there already; nothing is read.
///
/// ```
/// use partsum::{Algorithm, Options, hash_bytes, s3::{Answers, Response}, verify::{Status, verify}};
///
/// let sums = hash_bytes(b"aaa", &[Algorithm::Md5], &Options::default(), &mut ())?;
/// let said = Response { size: Some(3), etag: Some("\"47bce5c74f589f4867dbd57e9ca9f808\"".into()), ..Response::default() };
/// let verdict = verify(&sums, &Answers::new(&[said]));
/// assert_eq!((verdict.status, verdict.evidence), (Status::Match, vec!["size".to_owned(), "ETag".to_owned()]));
/// # Ok::<(), partsum::Error>(())
/// ```
pub fn verify(sums: &ObjectChecksums, answers: &Answers) -> Verdict {
    judge::judge(answers, sums.size(), std::slice::from_ref(sums), false)
}

/// Compares a file, of which only what the answers call for is computed, in one read. Not even that, if the sizes differ.
///
/// Of the options, those that say how to read count; the parts are the object's. `thorough` computes an MD5 even where it
/// is one long message beside a faster checksum, and tries every usual plan for a multipart ETag.
///
/// # Errors
/// As [`hash_file`](crate::hash_file).
pub fn verify_file(
    path: impl AsRef<Path>,
    answers: &Answers,
    thorough: bool,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Verdict> {
    let mut known = Vec::new();
    verify_more(path, answers, &mut known, thorough, options, observer)
}

/// The same with checksums that are known already, to which those are added that are computed.
pub(crate) fn verify_more(
    path: impl AsRef<Path>,
    answers: &Answers,
    known: &mut Vec<ObjectChecksums>,
    thorough: bool,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Verdict> {
    let path = path.as_ref();
    let source = Source::open(path, options.io)?;
    let size = source.size();
    known.retain(|sums| sums.size() == size);
    let wanted = local::wanted(answers, size, thorough);
    let has = |plan: &_| {
        let planned = crate::parts::PartPlan::new(size, plan, crate::parts::SmallParts::Allow);
        let same = |sums: &&ObjectChecksums| planned.as_ref().is_ok_and(|plan| sums.plan() == plan);
        let all =
            |sums: &ObjectChecksums| wanted.algorithms.iter().all(|algorithm| sums.computed(*algorithm).is_some());
        known.iter().filter(same).any(all)
    };
    let missing: Vec<_> = wanted.plans.iter().filter(|plan| !has(plan)).cloned().collect();
    if !missing.is_empty() && !wanted.algorithms.is_empty() {
        known.extend(hash::hash_opened(path, source, &missing, &wanted.algorithms, options, observer)?);
    }
    Ok(judge::judge(answers, size, known, true))
}

#[cfg(test)]
mod tests;
