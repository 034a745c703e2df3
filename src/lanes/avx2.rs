//! AVX2: 8 lanes of 32 bits or 4 of 64. No rotate and no ternary logic: both are made of several instructions.

use core::arch::{asm, x86_64::*};

use super::{Kernel, Lanes, Simd, Vector};
use crate::isa::IsaKind;

pub(super) struct Avx2;

impl Simd for Avx2 {
    type Lanes32 = U32x8;
    type Lanes64 = U64x4;
    const ISA: Option<IsaKind> = Some(IsaKind::Avx2);
}

/// # Safety
/// The CPU has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn enter(kernel: impl Kernel) {
    // SAFETY: the caller vouches for AVX2.
    unsafe { kernel.run::<Avx2>() }
}

#[derive(Clone, Copy)]
pub(super) struct U32x8(__m256i);

#[derive(Clone, Copy)]
pub(super) struct U64x4(__m256i);

/// Swap the bytes of 32-bit and of 64-bit words, in every 128 bits of a vector.
pub(super) const SWAP32: [u8; 16] = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];
pub(super) const SWAP64: [u8; 16] = [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8];

/// Products of 64-bit words from those of their halves.
#[inline]
#[target_feature(enable = "avx2")]
fn mullo_epi64(a: __m256i, b: __m256i) -> __m256i {
    let crossed = _mm256_add_epi64(
        _mm256_mul_epu32(_mm256_srli_epi64::<32>(a), b),
        _mm256_mul_epu32(a, _mm256_srli_epi64::<32>(b)),
    );
    _mm256_add_epi64(_mm256_mul_epu32(a, b), _mm256_slli_epi64::<32>(crossed))
}

macro_rules! lanes {
    (
        $name:ident, $word:ident as $int:ident, $lanes:literal, $bits:literal, $swap:ident,
        $set1:ident $add:ident $sub:ident $mul:ident $sll:ident $srl:ident, $fetch:item $transpose:item
    ) => {
        impl Lanes for $name {
            register!($word, $lanes, __m256i in ymm_reg, "avx2");
            const TERNARY: bool = false;

            #[inline]
            #[target_feature(enable = "avx2")]
            unsafe fn splat(word: $word) -> Self {
                Self($set1(word as $int))
            }

            operations! {
                [inline, target_feature(enable = "avx2")]
                add(self, other) { Self($add(self.0, other.0)) }
                sub(self, other) { Self($sub(self.0, other.0)) }
                mul(self, other) { Self($mul(self.0, other.0)) }
                xor(self, other) { Self(_mm256_xor_si256(self.0, other.0)) }
                and(self, other) { Self(_mm256_and_si256(self.0, other.0)) }
                and_not(self, other) { Self(_mm256_andnot_si256(self.0, other.0)) }
                choose(self, yes, no) {
                    let differ = _mm256_xor_si256(yes.0, no.0);
                    Self(_mm256_xor_si256(no.0, _mm256_and_si256(self.0, differ)))
                }
                majority(self, b, c) {
                    // Where a and b agree it is b, else c decides. `b ^ c` is the `a ^ b` of the round before.
                    let (ab, bc) = (_mm256_xor_si256(self.0, b.0), _mm256_xor_si256(b.0, c.0));
                    Self(_mm256_xor_si256(b.0, _mm256_and_si256(ab, bc)))
                }
                parity(self, b, c) { Self(_mm256_xor_si256(_mm256_xor_si256(self.0, b.0), c.0)) }
                rotate_left<BITS>(self) {
                    let high = $sll(self.0, _mm_cvtsi32_si128(BITS));
                    let low = $srl(self.0, _mm_cvtsi32_si128($bits - BITS));
                    Self(_mm256_or_si256(high, low))
                }
                shift_right<BITS>(self) { Self($srl(self.0, _mm_cvtsi32_si128(BITS))) }
                swap_bytes(self) {
                    // SAFETY: 16 bytes of an array.
                    let order = unsafe { _mm_loadu_si128($swap.as_ptr().cast()) };
                    Self(_mm256_shuffle_epi8(self.0, _mm256_broadcastsi128_si256(order)))
                }
            }
        }

        impl Vector for $name {
            #[inline]
            #[target_feature(enable = "avx2")]
            $fetch

            #[inline]
            #[target_feature(enable = "avx2")]
            $transpose
        }
    };
}

/// Four words of each of two rows, `step` rows apart.
///
/// # Safety
/// The CPU has AVX2; there are `first + step + 1` rows, both readable for 16 bytes past `offset`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn halves(rows: &[*const u8], first: usize, step: usize, offset: usize) -> __m256i {
    // SAFETY: the caller vouches for the rows; the loads are unaligned ones.
    unsafe {
        let low = _mm_loadu_si128(rows[first].add(offset).cast());
        let high = _mm_loadu_si128(rows[first + step].add(offset).cast());
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    }
}

lanes!(
    U32x8, u32 as i32, 8, 32, SWAP32,
    _mm256_set1_epi32 _mm256_add_epi32 _mm256_sub_epi32 _mm256_mullo_epi32 _mm256_sll_epi32 _mm256_srl_epi32,
    unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self {
        // Rows 4 apart share a vector, so that the transposition never crosses its 128-bit halves.
        // SAFETY: forwarded.
        Self(unsafe { halves(rows, nth, 4, offset) })
    }
    unsafe fn transpose([Self(a), Self(b), Self(c), Self(d)]: [Self; 4]) -> [Self; 4] {
        let (ab_low, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        [
            Self(_mm256_unpacklo_epi64(ab_low, cd_low)),
            Self(_mm256_unpackhi_epi64(ab_low, cd_low)),
            Self(_mm256_unpacklo_epi64(ab_high, cd_high)),
            Self(_mm256_unpackhi_epi64(ab_high, cd_high)),
        ]
    }
);

lanes!(
    U64x4, u64 as i64, 4, 64, SWAP64,
    _mm256_set1_epi64x _mm256_add_epi64 _mm256_sub_epi64 mullo_epi64 _mm256_sll_epi64 _mm256_srl_epi64,
    unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self {
        // Rows 2 apart share a vector: words 0 and 1 of both, or words 2 and 3.
        // SAFETY: forwarded.
        Self(unsafe { halves(rows, nth / 2, 2, offset + 16 * (nth % 2)) })
    }
    unsafe fn transpose([Self(a01), Self(a23), Self(b01), Self(b23)]: [Self; 4]) -> [Self; 4] {
        [
            Self(_mm256_unpacklo_epi64(a01, b01)),
            Self(_mm256_unpackhi_epi64(a01, b01)),
            Self(_mm256_unpacklo_epi64(a23, b23)),
            Self(_mm256_unpackhi_epi64(a23, b23)),
        ]
    }
);
