//! Whether local bytes are an S3 object's: what was computed here against what S3 says, without the network.
//!
//! S3's answers come in as [`Response`]s and are merged into [`Answers`], which know how the object is cut as far as
//! the answers tell it; `judge` compares value by value and comes to a [`Verdict`].

mod answers;
mod judge;
mod local;
mod solve;

use std::{fmt, path::Path};

pub use answers::{Answers, ContentRange, Encryption, PartPage, Response, SaidPart};
pub use solve::solve_etag;

use crate::{
    error::{Error, PartPlanError, Result},
    hash::{self, Options},
    parts::{Part, PartSize, SmallParts},
    s3::ObjectChecksums,
    schedule::Observer,
    source::{Io, Source},
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

/// The outcome and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub status: Status,
    /// Why, in words; with [`Status::NotComparable`] also what would settle it.
    pub reason: String,
    /// The values that agreed, such as `size` or `ChecksumCRC32 COMPOSITE`.
    pub evidence: Vec<String>,
    /// The parts whose own values disagree.
    pub bad_parts: Vec<Part>,
}

/// Compares checksums that are there already; nothing is read.
///
/// ```
/// use partsum::{Algorithm, Options, hash_bytes, verify::{Answers, Response, Status, verify}};
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
/// Of the options, those that say how to read count; the parts are the object's.
///
/// # Errors
/// As [`hash_file`](crate::hash_file).
pub fn verify_file(
    path: impl AsRef<Path>,
    answers: &Answers,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Verdict> {
    let path = path.as_ref();
    let size = file_size(path, options.io)?;
    let work = local::work(answers, size);
    let sums = match work.algorithms.is_empty() {
        true => Vec::new(),
        false => hash_sized(path, size, &work.plans, &work.algorithms, options, observer)?,
    };
    Ok(judge::judge(answers, size, &sums, true))
}

fn file_size(path: &Path, io: Io) -> Result<u64> {
    Ok(Source::open(path, io)?.size())
}

/// [`hash::hash_plans`] with plans that were made for this size.
fn hash_sized(
    path: &Path,
    size: u64,
    plans: &[PartSize],
    algorithms: &[crate::algorithm::Algorithm],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Vec<ObjectChecksums>> {
    // S3's own parts are as small as the store allowed.
    let options = Options { small_parts: SmallParts::Allow, ..options.clone() };
    let changed = |now| Error::FileChanged { path: path.to_owned(), change: format!("{size} bytes became {now}") };
    match hash::hash_plans(path, plans, algorithms, &options, observer) {
        Err(Error::PartPlan(PartPlanError::WrongTotal { size: now, .. })) => Err(changed(now)),
        Ok(sums) => match sums.iter().map(ObjectChecksums::size).find(|now| *now != size) {
            Some(now) => Err(changed(now)),
            None => Ok(sums),
        },
        error => error,
    }
}

#[cfg(test)]
mod tests;
