//! AVX-512: 16 lanes of 32 bits or 8 of 64. Rotations and all functions of three operands are one instruction each.

use core::arch::{asm, x86_64::*};

use super::{
    Kernel, Lanes, Simd, Vector,
    avx2::{SWAP32, SWAP64, halves},
};
use crate::isa::IsaKind;

pub(super) struct Avx512;

impl Simd for Avx512 {
    type Lanes32 = U32x16;
    type Lanes64 = U64x8;
    const ISA: Option<IsaKind> = Some(IsaKind::Avx512);
}

/// # Safety
/// The CPU has AVX-512F, BW, DQ and VL.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn enter(kernel: impl Kernel) {
    // SAFETY: the caller vouches for AVX-512.
    unsafe { kernel.run::<Avx512>() }
}

#[derive(Clone, Copy)]
pub(super) struct U32x16(__m512i);

#[derive(Clone, Copy)]
pub(super) struct U64x8(__m512i);

/// Truth tables for ternary logic: bit `4a + 2b + c` is the result.
const CHOOSE: i32 = 0xCA;
const MAJORITY: i32 = 0xE8;
const PARITY: i32 = 0x96;

/// Four words of each of four rows, `step` rows apart: one 128-bit quarter a row. The compiler makes these inserts of masked
/// broadcasts, too.
///
/// # Safety
/// The CPU has AVX-512; there are `first + 3 * step + 1` rows, each readable for 16 bytes past `offset`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn quarters(rows: &[*const u8], first: usize, step: usize, offset: usize) -> __m512i {
    // SAFETY: forwarded.
    let (low, high) = unsafe { (halves(rows, first, step, offset), halves(rows, first + 2 * step, step, offset)) };
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
}

macro_rules! lanes {
    (
        $name:ident, $word:ident as $int:ident, $lanes:literal, $swap:ident,
        $set1:ident $add:ident $sub:ident $mul:ident $rol:ident $srl:ident $ternary:ident, $fetch:item $transpose:item
    ) => {
        impl Lanes for $name {
            register!($word, $lanes, __m512i in zmm_reg, "avx512f,avx512bw,avx512dq,avx512vl");
            const TERNARY: bool = true;

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn splat(word: $word) -> Self {
                Self($set1(word as $int))
            }

            operations! {
                [inline, target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                add(self, other) { Self($add(self.0, other.0)) }
                sub(self, other) { Self($sub(self.0, other.0)) }
                mul(self, other) { Self($mul(self.0, other.0)) }
                xor(self, other) { Self(_mm512_xor_si512(self.0, other.0)) }
                and(self, other) { Self(_mm512_and_si512(self.0, other.0)) }
                and_not(self, other) { Self(_mm512_andnot_si512(self.0, other.0)) }
                choose(self, yes, no) { Self($ternary::<CHOOSE>(self.0, yes.0, no.0)) }
                majority(self, b, c) { Self($ternary::<MAJORITY>(self.0, b.0, c.0)) }
                parity(self, b, c) { Self($ternary::<PARITY>(self.0, b.0, c.0)) }
                rotate_left<BITS>(self) { Self($rol::<BITS>(self.0)) }
                shift_right<BITS>(self) { Self($srl(self.0, _mm_cvtsi32_si128(BITS))) }
                swap_bytes(self) {
                    // SAFETY: 16 bytes of an array.
                    let order = unsafe { _mm_loadu_si128($swap.as_ptr().cast()) };
                    Self(_mm512_shuffle_epi8(self.0, _mm512_broadcast_i32x4(order)))
                }
            }
        }

        impl Vector for $name {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            $fetch

            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            $transpose
        }
    };
}

lanes!(
    U32x16, u32 as i32, 16, SWAP32,
    _mm512_set1_epi32 _mm512_add_epi32 _mm512_sub_epi32 _mm512_mullo_epi32 _mm512_rol_epi32 _mm512_srl_epi32 _mm512_ternarylogic_epi32,
    unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self {
        // Rows 4 apart share a vector, so that the transposition never crosses its 128-bit quarters.
        // SAFETY: forwarded.
        Self(unsafe { quarters(rows, nth, 4, offset) })
    }
    unsafe fn transpose([Self(a), Self(b), Self(c), Self(d)]: [Self; 4]) -> [Self; 4] {
        let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        [
            Self(_mm512_unpacklo_epi64(ab_low, cd_low)),
            Self(_mm512_unpackhi_epi64(ab_low, cd_low)),
            Self(_mm512_unpacklo_epi64(ab_high, cd_high)),
            Self(_mm512_unpackhi_epi64(ab_high, cd_high)),
        ]
    }
);

lanes!(
    U64x8, u64 as i64, 8, SWAP64,
    _mm512_set1_epi64 _mm512_add_epi64 _mm512_sub_epi64 _mm512_mullo_epi64 _mm512_rol_epi64 _mm512_srl_epi64 _mm512_ternarylogic_epi64,
    unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self {
        // Rows 2 apart share a vector: words 0 and 1 of four rows, or words 2 and 3.
        // SAFETY: forwarded.
        Self(unsafe { quarters(rows, nth / 2, 2, offset + 16 * (nth % 2)) })
    }
    unsafe fn transpose([Self(a01), Self(a23), Self(b01), Self(b23)]: [Self; 4]) -> [Self; 4] {
        [
            Self(_mm512_unpacklo_epi64(a01, b01)),
            Self(_mm512_unpackhi_epi64(a01, b01)),
            Self(_mm512_unpacklo_epi64(a23, b23)),
            Self(_mm512_unpackhi_epi64(a23, b23)),
        ]
    }
);
