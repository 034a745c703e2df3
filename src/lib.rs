//! Everything Amazon S3 will say about your bytes: every checksum per part, composite and of the full object, and the
//! multipart ETag, at SIMD speed and in one read.
//!
//! ```
//! use partsum::{Algorithm, Options, hash_bytes};
//!
//! let parts = [vec![b'a'; 5_242_881], vec![b'a'; 5_242_881], vec![b'a'; 10]];
//! let options = Options { part_size: "5242881".parse()?, ..Options::default() };
//! let sums = hash_bytes(&parts.concat(), &[Algorithm::Md5, Algorithm::Sha256], &options, &mut ())?;
//!
//! // What Amazon S3 answered to this very upload:
//! assert_eq!(sums.etag()?, "4d45984fc3feb2ac9b22683c49674b56-3");
//! assert_eq!(sums.composite(Algorithm::Sha256)?, "9o++y6AejqboiJ7MZCx0fahK2Vu5YC/qnNhhYsCLciI=-3");
//! # Ok::<(), partsum::Error>(())
//! ```
//!
//! How it is built: `ARCHITECTURE.md`.

mod algorithm;
mod digest;
mod error;
mod hash;
mod isa;
mod kernels;
mod lanes;
pub mod limits;
mod parts;
#[cfg(feature = "python")]
mod py;
pub mod s3;
mod schedule;
mod source;
pub mod verify;

/// Kernels without files, threads and parts. Unstable: for this crate's own benchmarks only.
#[doc(hidden)]
pub mod bench {
    use crate::{Algorithm, Digest, Isa, kernels};

    /// The digest of each message.
    pub fn hash_many(algorithm: Algorithm, isa: Isa, messages: &[&[u8]]) -> Vec<Digest> {
        kernels::hash_many(algorithm, isa, messages)
    }

    /// How many messages are hashed side by side.
    pub fn lanes(algorithm: Algorithm, isa: Isa) -> usize {
        kernels::Kernels::of(algorithm, isa).messages()
    }
}

pub use algorithm::{Algorithm, AlgorithmError, ChecksumType};
pub use digest::Digest;
pub use error::{Error, Hint, PartPlanError, Result};
pub use hash::{HashFiles, Hasher, MultipartHasher, Options, UpdateSizes, hash_bytes, hash_file, hash_plans};
pub use isa::{Isa, cpu_features};
pub use parts::{Part, PartPlan, PartSize, Preset, SmallParts, parse_size, plan_parts};
pub use s3::{ObjectChecksums, PartChecksums};
pub use schedule::{Observer, default_threads};
pub use source::Io;
pub use verify::{Status, Verdict, solve_etag, verify, verify_file};
