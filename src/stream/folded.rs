//! CRCs by our own kernel: where the CPU has AVX2's carry-less multiplications and not those of AVX-512, which crc-fast
//! makes more of.

use super::combine::Field;
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    isa::{self, CarrylessInstructions, Isa},
    lanes::clmul::{Crc, Parameters},
};

static CRC32: Parameters = parameters(Field::CRC32);
static CRC32C: Parameters = parameters(Field::CRC32C);
static CRC64_NVME: Parameters = parameters(Field::CRC64_NVME);

const fn parameters(field: Field) -> Parameters {
    Parameters::new(field.width, field.polynomial)
}

#[derive(Clone, Debug)]
pub(crate) struct Folded {
    algorithm: Algorithm,
    crc: Crc,
}

impl Folded {
    /// `None` for what is no CRC, for other CPUs, and under `PARTSUM_ISA=portable`.
    pub(super) fn new(algorithm: Algorithm) -> Option<Self> {
        let parameters = match algorithm {
            Algorithm::Crc32 => &CRC32,
            Algorithm::Crc32c => &CRC32C,
            Algorithm::Crc64Nvme => &CRC64_NVME,
            _ => return None,
        };
        if isa::multiplies_carryless_wide() || !Isa::selected().is_ok_and(|isa| !isa.is_portable()) {
            return None;
        }
        CarrylessInstructions::detect().map(|proof| Self { algorithm, crc: Crc::new(proof, parameters) })
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
    }

    pub(super) fn digest(&self) -> Digest {
        let crc = self.crc.digest().to_be_bytes();
        Digest::new(&crc[crc.len() - self.algorithm.digest_size()..])
    }
}
