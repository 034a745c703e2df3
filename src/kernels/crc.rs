//! The three CRCs: of one message, and of two neighbours from the CRCs of each.
//!
//! A CRC is the remainder of a polynomial over GF(2). Appending `n` bytes multiplies what came before by `x^(8n)`, so
//! `crc(a ++ b) = crc(a) * x^(8 * len(b)) + crc(b)`; the initial and final inversions cancel out, because all three
//! CRCs start from and end with all ones. Remainders are bit-reflected: the highest bit is the coefficient of `x^0`.

use crc_fast::CrcAlgorithm;

use super::{
    choice::{Kernels, One},
    message::OneMessage,
};
use crate::{algorithm::Algorithm, digest::Digest};
#[cfg(target_arch = "x86_64")]
use crate::{isa::CarrylessInstructions, kernels::x86::clmul};

/// The arithmetic of one CRC.
#[derive(Clone, Copy, Debug)]
struct Field {
    /// Bits.
    width: u32,
    polynomial: u64,
}

/// Reflected polynomials; the CRC catalogue's CRC-32/ISO-HDLC, CRC-32/ISCSI and CRC-64/NVME.
impl Field {
    const CRC32: Self = Self { width: 32, polynomial: 0xEDB8_8320 };
    const CRC32C: Self = Self { width: 32, polynomial: 0x82F6_3B78 };
    const CRC64_NVME: Self = Self { width: 64, polynomial: 0x9A6C_9329_AC4B_C9B5 };

    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Crc32 => Some(Self::CRC32),
            Algorithm::Crc32c => Some(Self::CRC32C),
            Algorithm::Crc64Nvme => Some(Self::CRC64_NVME),
            _ => None,
        }
    }

    const fn one(self) -> u64 {
        1 << (self.width - 1)
    }

    /// Horner's rule from the highest power, which is the lowest bit.
    fn multiply(self, a: u64, b: u64) -> u64 {
        let mut product = 0u64;
        for power in 0..self.width {
            let carry = product & 1;
            product = (product >> 1) ^ (self.polynomial & carry.wrapping_neg());
            product ^= b & (a >> power & 1).wrapping_neg();
        }
        product
    }

    /// `x^(8 * bytes)`, by squaring.
    fn shift(self, bytes: u64) -> u64 {
        let mut power = self.one() >> 8;
        let mut factor = self.one();
        let mut rest = bytes;
        while rest > 0 {
            if rest & 1 == 1 {
                factor = self.multiply(factor, power);
            }
            power = self.multiply(power, power);
            rest >>= 1;
        }
        factor
    }
}

/// One message, by the kernel that the table chooses.
#[derive(Clone, Debug)]
pub(super) struct Crc {
    digest_size: usize,
    state: CrcState,
}

/// Not boxed: short messages should not allocate.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum CrcState {
    CrcFast(crc_fast::Digest),
    Crc32Fast(crc32fast::Hasher),
    Crc32c(u32),
    #[cfg(target_arch = "x86_64")]
    Fold256(clmul::Crc),
}

impl OneMessage for Crc {
    fn new(kernels: &Kernels) -> Self {
        let algorithm = kernels.algorithm;
        let state = match kernels.one {
            One::Crc32Fast => CrcState::Crc32Fast(crc32fast::Hasher::new()),
            One::Crc32c => CrcState::Crc32c(0),
            #[cfg(target_arch = "x86_64")]
            One::Fold256 => {
                let proof = CarrylessInstructions::detect().expect("the table of kernels asks for them");
                CrcState::Fold256(clmul::Crc::new(proof, parameters(algorithm)))
            }
            _ => CrcState::CrcFast(crc_fast::Digest::new(match algorithm {
                Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
                Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
                _ => CrcAlgorithm::Crc64Nvme,
            })),
        };
        Self { digest_size: algorithm.digest_size(), state }
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            CrcState::CrcFast(crc) => crc.update(bytes),
            CrcState::Crc32Fast(crc) => crc.update(bytes),
            CrcState::Crc32c(crc) => *crc = crc32c::crc32c_append(*crc, bytes),
            #[cfg(target_arch = "x86_64")]
            CrcState::Fold256(crc) => crc.update(bytes),
        }
    }

    fn digest(&self) -> Digest {
        let crc = match &self.state {
            CrcState::CrcFast(crc) => crc.finalize(),
            CrcState::Crc32Fast(crc) => u64::from(crc.clone().finalize()),
            CrcState::Crc32c(crc) => u64::from(*crc),
            #[cfg(target_arch = "x86_64")]
            CrcState::Fold256(crc) => crc.digest(),
        };
        Digest::new(&crc.to_be_bytes()[8 - self.digest_size..])
    }

    fn boxed_clone(&self) -> Box<dyn OneMessage> {
        Box::new(self.clone())
    }
}

#[cfg(target_arch = "x86_64")]
fn parameters(algorithm: Algorithm) -> &'static clmul::Parameters {
    static CRC32: clmul::Parameters = of(Field::CRC32);
    static CRC32C: clmul::Parameters = of(Field::CRC32C);
    static CRC64_NVME: clmul::Parameters = of(Field::CRC64_NVME);
    const fn of(field: Field) -> clmul::Parameters {
        clmul::Parameters::new(field.width, field.polynomial)
    }
    match algorithm {
        Algorithm::Crc32 => &CRC32,
        Algorithm::Crc32c => &CRC32C,
        _ => &CRC64_NVME,
    }
}

/// Joins the CRCs of neighbours, in order.
#[derive(Debug)]
pub(crate) struct Combiner {
    field: Field,
    crc: u64,
    /// The last length and its factor: nearly all parts of an object are equally long.
    factor: (u64, u64),
}

impl Combiner {
    /// The CRC of no bytes; `None` for algorithms that do not combine.
    pub(crate) fn new(algorithm: Algorithm) -> Option<Self> {
        Field::of(algorithm).map(|field| Self { field, crc: 0, factor: (0, field.one()) })
    }

    /// Appends the CRC of the next `bytes` bytes.
    pub(crate) fn append(&mut self, digest: &Digest, bytes: u64) {
        if self.factor.0 != bytes {
            self.factor = (bytes, self.field.shift(bytes));
        }
        let next = digest.as_bytes().iter().fold(0, |crc, byte| crc << 8 | u64::from(*byte));
        self.crc = self.field.multiply(self.factor.1, self.crc) ^ next;
    }

    /// The CRC of everything that was appended.
    pub(crate) fn digest(&self) -> Digest {
        let skip = 8 - self.field.width as usize / 8;
        Digest::new(&self.crc.to_be_bytes()[skip..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Combiner;
    use crate::{algorithm::Algorithm, digest::Digest, isa::Isa, kernels::hash_many};

    const CRCS: [(Algorithm, crc_fast::CrcAlgorithm); 3] = [
        (Algorithm::Crc32, crc_fast::CrcAlgorithm::Crc32IsoHdlc),
        (Algorithm::Crc32c, crc_fast::CrcAlgorithm::Crc32Iscsi),
        (Algorithm::Crc64Nvme, crc_fast::CrcAlgorithm::Crc64Nvme),
    ];

    fn hash(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        hash_many(algorithm, Isa::PORTABLE, &[bytes])[0]
    }

    fn combine(algorithm: Algorithm, first: &Digest, second: &Digest, bytes: u64) -> Digest {
        let mut combiner = Combiner::new(algorithm).unwrap();
        combiner.append(first, 0);
        combiner.append(second, bytes);
        combiner.digest()
    }

    fn number(digest: &Digest) -> u64 {
        digest.as_bytes().iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    #[test]
    fn only_crcs_combine() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Combiner::new(algorithm).is_some(), algorithm.is_crc(), "{algorithm}");
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_crc_of_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..600), cut in 0..600usize) {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            for (algorithm, _) in CRCS {
                let joined = combine(
                    algorithm,
                    &hash(algorithm, first),
                    &hash(algorithm, second),
                    second.len() as u64,
                );
                prop_assert_eq!(joined, hash(algorithm, &bytes));
            }
        }

        /// Lengths that no test can hash: against crc-fast's matrices and crc32fast's operator.
        #[test]
        fn lengths_up_to_2_63_equal_other_crates(a in any::<[u8; 9]>(), b in any::<[u8; 9]>(), bytes in 0..=1u64 << 63) {
            for (algorithm, peer) in CRCS {
                let (first, second) = (hash(algorithm, &a), hash(algorithm, &b));
                let ours = number(&combine(algorithm, &first, &second, bytes));
                prop_assert_eq!(ours, crc_fast::checksum_combine(peer, number(&first), number(&second), bytes));
                if algorithm == Algorithm::Crc32 {
                    let mut hasher = crc32fast::Hasher::new_with_initial_len(number(&first) as u32, 0);
                    hasher.combine(&crc32fast::Hasher::new_with_initial_len(number(&second) as u32, bytes));
                    prop_assert_eq!(ours, u64::from(hasher.finalize()));
                }
            }
        }
    }

    /// 8 GiB of zeros in doublings: lengths past 2^32 by a path that never multiplies by a long length.
    #[test]
    fn lengths_past_2_32_equal_repeated_doubling() {
        for (algorithm, _) in CRCS {
            let (mut doubled, mut bytes) = (hash(algorithm, &[0; 1024]), 1024u64);
            let block = doubled;
            while bytes < 8 << 30 {
                doubled = combine(algorithm, &doubled, &doubled, bytes);
                bytes *= 2;
            }
            let mut one_by_one = Combiner::new(algorithm).unwrap();
            for _ in 0..bytes / 1024 {
                one_by_one.append(&block, 1024);
            }
            assert_eq!(one_by_one.digest(), doubled, "{algorithm}");
        }
    }
}
