//! AVX2: 8 lanes of 32 bits. No rotate and no ternary logic: both are made of three instructions.

use core::arch::x86_64::*;

use super::{Kernel, Simd, Words};

pub(super) struct Avx2;

impl Simd for Avx2 {
    type Words32 = U32x8;
    const INTERLEAVES: bool = true;
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

impl Words for U32x8 {
    type Word = u32;
    const LANES: usize = 8;
    const ZERO: u32 = 0;

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn splat(word: u32) -> Self {
        Self(_mm256_set1_epi32(word as i32))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add(self, other: Self) -> Self {
        Self(_mm256_add_epi32(self.0, other.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn xor(self, other: Self) -> Self {
        Self(_mm256_xor_si256(self.0, other.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn or(self, other: Self) -> Self {
        Self(_mm256_or_si256(self.0, other.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn and(self, other: Self) -> Self {
        Self(_mm256_and_si256(self.0, other.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn and_not(self, other: Self) -> Self {
        Self(_mm256_andnot_si256(self.0, other.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn not(self) -> Self {
        Self(_mm256_xor_si256(self.0, _mm256_set1_epi32(-1)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn choose(self, yes: Self, no: Self) -> Self {
        let differ = _mm256_xor_si256(yes.0, no.0);
        Self(_mm256_xor_si256(no.0, _mm256_and_si256(self.0, differ)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn rotate_left<const BITS: i32>(self) -> Self {
        let high = _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(BITS));
        let low = _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(32 - BITS));
        Self(_mm256_or_si256(high, low))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn load(rows: &[*const u8], offset: usize) -> [Self; 4] {
        // Rows r and r + 4 share a vector, so that the transposition never crosses its 128-bit halves.
        let pair = |r: usize| {
            // SAFETY: the caller vouches for 16 bytes at `offset` past each row; the loads are unaligned ones.
            unsafe {
                let low = _mm_loadu_si128(rows[r].add(offset).cast());
                let high = _mm_loadu_si128(rows[r + 4].add(offset).cast());
                _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
            }
        };
        let (a, b, c, d) = (pair(0), pair(1), pair(2), pair(3));
        let (ab_low, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        [
            Self(_mm256_unpacklo_epi64(ab_low, cd_low)),
            Self(_mm256_unpackhi_epi64(ab_low, cd_low)),
            Self(_mm256_unpacklo_epi64(ab_high, cd_high)),
            Self(_mm256_unpackhi_epi64(ab_high, cd_high)),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn gather(mut lane: impl FnMut(usize) -> u32) -> Self {
        let words: [u32; 8] = [lane(0), lane(1), lane(2), lane(3), lane(4), lane(5), lane(6), lane(7)];
        // SAFETY: 32 bytes of an array.
        Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn scatter(self, mut lane: impl FnMut(usize, u32)) {
        let mut words = [0u32; 8];
        // SAFETY: 32 bytes of an array.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
        for (index, word) in words.into_iter().enumerate() {
            lane(index, word);
        }
    }
}
