//! What this CPU can do: its instruction set for vectors, and the special instructions beside it.
//!
//! No other file asks the CPU. An [`Isa`] other than [`Isa::PORTABLE`] comes only from [`Isa::available`], so a value of
//! that type proves that the CPU has the instructions. [`ShaInstructions`] and [`CarrylessInstructions`] are such proofs, too.

use std::{env, sync::OnceLock};

use crate::error::{Error, Result};

/// The environment variable that forces an instruction set, for tests and measurements.
pub(crate) const OVERRIDE: &str = "PARTSUM_ISA";

/// An instruction set that this CPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(IsaKind);

/// Which one it is. A value of this type proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsaKind {
    Portable,
    Avx2,
    Avx512,
}

impl IsaKind {
    /// Size of a vector.
    pub(crate) const fn vector_bytes(self) -> usize {
        match self {
            Self::Portable => 16,
            Self::Avx2 => 32,
            Self::Avx512 => 64,
        }
    }
}

/// What a CPU may have beside its vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Instructions for SHA-1 and SHA-256.
    Sha,
    /// Carry-less multiplication in vectors of 256 bits.
    Carryless256,
    /// Carry-less multiplication in vectors of 512 bits.
    Carryless512,
}

impl Feature {
    pub(crate) fn is_present(self) -> bool {
        match self {
            Self::Sha => ShaInstructions::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Carryless256 => CarrylessInstructions::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Carryless512 => has_avx512() && std::arch::is_x86_feature_detected!("vpclmulqdq"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Carryless256 | Self::Carryless512 => false,
        }
    }
}

impl Isa {
    /// Plain arrays, which the compiler vectorises for the baseline of the target.
    pub const PORTABLE: Self = Self(IsaKind::Portable);

    /// The instruction sets of this CPU, narrowest first.
    pub fn available() -> Vec<Self> {
        let mut available = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            available.push(Self(IsaKind::Avx2));
            if has_avx512() {
                available.push(Self(IsaKind::Avx512));
            }
        }
        available
    }

    /// The instruction set in use: that of `PARTSUM_ISA` if it is set, else the widest available.
    ///
    /// # Errors
    /// `PARTSUM_ISA` names something that is unknown or that this CPU lacks.
    pub fn selected() -> Result<Self> {
        static SELECTED: OnceLock<Result<Isa, String>> = OnceLock::new();
        SELECTED
            .get_or_init(|| Self::choose(env::var(OVERRIDE).ok().as_deref()))
            .clone()
            .map_err(|problem| Error::argument(OVERRIDE, problem))
    }

    fn choose(wanted: Option<&str>) -> Result<Self, String> {
        let available = Self::available();
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
            return Ok(available[available.len() - 1]);
        };
        available.iter().copied().find(|isa| isa.name().eq_ignore_ascii_case(wanted)).ok_or_else(|| {
            let names: Vec<_> = available.iter().map(|isa| isa.name()).collect();
            format!("{wanted:?} is not an instruction set that this build and CPU have: {}", names.join(", "))
        })
    }

    /// Its name, as `PARTSUM_ISA` takes it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            IsaKind::Portable => "portable",
            IsaKind::Avx2 => "avx2",
            IsaKind::Avx512 => "avx512",
        }
    }

    pub(crate) const fn kind(self) -> IsaKind {
        self.0
    }
}

/// AVX2, and the instructions for scalar words (BMI1, BMI2) that every CPU with AVX2 has as well.
#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
}

/// The parts of AVX-512 that every CPU since Skylake-X and Zen 4 has.
#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
}

/// Proof that the CPU has instructions for SHA-1 and SHA-256. RustCrypto's crates use them as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShaInstructions(());

impl ShaInstructions {
    pub(crate) fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let has = std::arch::is_x86_feature_detected!("sha")
            && std::arch::is_x86_feature_detected!("ssse3")
            && std::arch::is_x86_feature_detected!("sse4.1");
        #[cfg(target_arch = "aarch64")]
        let has = std::arch::is_aarch64_feature_detected!("sha2");
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let has = false;
        has.then_some(Self(()))
    }
}

/// Proof that the CPU has carry-less multiplication in vectors of 256 bits (AVX2 and VPCLMULQDQ).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarrylessInstructions(());

#[cfg(target_arch = "x86_64")]
impl CarrylessInstructions {
    pub(crate) fn detect() -> Option<Self> {
        let has = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("vpclmulqdq");
        has.then_some(Self(()))
    }
}

/// Names of the CPU's features that matter to the kernels, for reports.
pub fn cpu_features() -> Vec<&'static str> {
    #[allow(unused_mut)]
    let mut features = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! detect {
            ($($feature:tt),*) => { $(if std::arch::is_x86_feature_detected!($feature) { features.push($feature); })* };
        }
        detect!(
            "sse4.1",
            "pclmulqdq",
            "avx",
            "avx2",
            "bmi2",
            "sha",
            "vpclmulqdq",
            "avx512f",
            "avx512bw",
            "avx512vl",
            "avx512dq",
            "avx512ifma"
        );
    }
    features
}

#[cfg(test)]
mod tests {
    use super::Isa;

    #[test]
    fn widest_by_default_and_override_by_name() {
        let available = Isa::available();
        assert_eq!(Isa::choose(None), Ok(available[available.len() - 1]));
        assert_eq!(Isa::choose(Some("")), Isa::choose(None));
        for isa in available {
            assert_eq!(Isa::choose(Some(&isa.name().to_uppercase())), Ok(isa));
        }
    }

    #[test]
    fn unknown_override_is_refused_with_the_choices() {
        let problem = Isa::choose(Some("sse9")).unwrap_err();
        assert!(problem.contains("sse9") && problem.contains("portable"), "{problem}");
    }
}
