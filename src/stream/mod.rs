//! CRC and XXH of one message at a time, each by the crate that is best at it; CRCs by our own kernel where that is faster
//! than any.

mod combine;
#[cfg(target_arch = "x86_64")]
mod folded;

use std::{fmt, hash::Hasher as _};

use crc_fast::CrcAlgorithm;
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

pub(crate) use self::combine::Combiner;
use crate::{algorithm::Algorithm, digest::Digest, isa};

/// The state of one message.
///
/// CRCs have three ways (`cargo bench -p partsum-benches`): crc-fast is the fastest with AVX-512's carry-less
/// multiplications, our kernel with those of AVX2. With neither, CRC32 and CRC32C have crates that beat crc-fast by a
/// third to a half.
#[derive(Clone)]
pub(crate) enum Stream {
    Crc32(crc_fast::Digest),
    Crc32Narrow(crc32fast::Hasher),
    Crc32c(crc_fast::Digest),
    Crc32cNarrow(u32),
    Crc64Nvme(crc_fast::Digest),
    #[cfg(target_arch = "x86_64")]
    Folded(folded::Folded),
    XxHash64(XxHash64),
    XxHash3(XxHash3_64),
    XxHash128(XxHash3_128),
}

impl Stream {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(crc) = folded::Folded::new(algorithm) {
            return Self::Folded(crc);
        }
        match algorithm {
            Algorithm::Crc32 if !isa::multiplies_carryless_wide() => Self::Crc32Narrow(crc32fast::Hasher::new()),
            Algorithm::Crc32c if !isa::multiplies_carryless_wide() => Self::Crc32cNarrow(0),
            Algorithm::Crc32 => Self::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32c => Self::Crc32c(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::XxHash64 => Self::XxHash64(XxHash64::with_seed(0)),
            Algorithm::XxHash3 => Self::XxHash3(XxHash3_64::with_seed(0)),
            Algorithm::XxHash128 => Self::XxHash128(XxHash3_128::with_seed(0)),
            Algorithm::Md5 | Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512 => {
                unreachable!("{algorithm} works block by block: `multibuffer` has it")
            }
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Crc32(_) | Self::Crc32Narrow(_) => Algorithm::Crc32,
            Self::Crc32c(_) | Self::Crc32cNarrow(_) => Algorithm::Crc32c,
            Self::Crc64Nvme(_) => Algorithm::Crc64Nvme,
            #[cfg(target_arch = "x86_64")]
            Self::Folded(crc) => crc.algorithm(),
            Self::XxHash64(_) => Algorithm::XxHash64,
            Self::XxHash3(_) => Algorithm::XxHash3,
            Self::XxHash128(_) => Algorithm::XxHash128,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(crc) | Self::Crc32c(crc) | Self::Crc64Nvme(crc) => crc.update(bytes),
            #[cfg(target_arch = "x86_64")]
            Self::Folded(crc) => crc.update(bytes),
            Self::Crc32Narrow(crc) => crc.update(bytes),
            Self::Crc32cNarrow(crc) => *crc = crc32c::crc32c_append(*crc, bytes),
            Self::XxHash64(hash) => hash.write(bytes),
            Self::XxHash3(hash) => hash.write(bytes),
            Self::XxHash128(hash) => hash.write(bytes),
        }
    }

    /// The digest of what has been fed so far; feeding may go on.
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Crc32(crc) | Self::Crc32c(crc) => Digest::new(&(crc.finalize() as u32).to_be_bytes()),
            #[cfg(target_arch = "x86_64")]
            Self::Folded(crc) => crc.digest(),
            Self::Crc32Narrow(crc) => Digest::new(&crc.clone().finalize().to_be_bytes()),
            Self::Crc32cNarrow(crc) => Digest::new(&crc.to_be_bytes()),
            Self::Crc64Nvme(crc) => Digest::new(&crc.finalize().to_be_bytes()),
            Self::XxHash64(hash) => Digest::new(&hash.finish().to_be_bytes()),
            Self::XxHash3(hash) => Digest::new(&hash.finish().to_be_bytes()),
            Self::XxHash128(hash) => Digest::new(&hash.finish_128().to_be_bytes()),
        }
    }
}

/// The hashers of twox-hash do not show themselves.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.algorithm())
    }
}

/// The digest of one message in one go, which spares some hashers their buffers.
pub(crate) fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    match algorithm {
        Algorithm::XxHash64 => Digest::new(&XxHash64::oneshot(0, bytes).to_be_bytes()),
        Algorithm::XxHash3 => Digest::new(&XxHash3_64::oneshot(bytes).to_be_bytes()),
        Algorithm::XxHash128 => Digest::new(&XxHash3_128::oneshot(bytes).to_be_bytes()),
        _ => {
            let mut stream = Stream::new(algorithm);
            stream.update(bytes);
            stream.digest()
        }
    }
}
