//! MD5 (RFC 1321), one message a lane.

#![allow(unsafe_code)]

use std::hint::black_box;

use super::lane_group::{Compression, NextBlock, in_scalar_words};
use crate::{algorithm::Algorithm, isa::Isa, lanes::Lanes};

#[derive(Clone, Debug)]
pub(super) struct Md5;

impl Compression<4> for Md5 {
    const ALGORITHM: Algorithm = Algorithm::Md5;
    type Word = u32;
    const LITTLE_ENDIAN: bool = true;
    const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

    fn in_turn(isa: Isa, states: &mut [[u32; 4]], rows: &[&[u8]]) {
        in_scalar_words::<Self, 4, 2>(isa, states, rows);
    }

    #[inline(always)]
    unsafe fn block<L: Lanes<Word = u32>>(state: &mut [L; 4], m: &mut [L; 16], mut next: NextBlock<'_, L>) {
        // SAFETY: the caller vouches for the CPU and for the rows of the next block.
        unsafe {
            let [mut a, mut b, mut c, mut d] = *state;

            // If these were known to be constants, the compiler would add them last, in the chain of dependent steps. It
            // would also keep the words in registers, which have no room for them.
            let k = black_box(&CONSTANTS);
            let m = if L::SCALAR { m } else { black_box(m) };

            // `a = b + rotate(a + f(b, c, d) + m[i] + k[t], s)`, one vector after the other: the temporaries of all vectors
            // do not fit the registers beside their states.
            macro_rules! step {
                ($f:ident, $a:ident $b:ident $c:ident $d:ident, $i:literal, $s:literal, $t:literal) => {
                    let k = L::Vector::splat(k[$t]);
                    for n in 0..$a.vectors().len() {
                        let (b, c, d) = ($b.vectors()[n], $c.vectors()[n], $d.vectors()[n]);
                        let sum = $a.vectors()[n].add(m[$i].vectors()[n]).add(k).pin();
                        $a.vectors()[n] = $f(sum, b, c, d).rotate_left::<$s>().add(b).pin();
                    }
                    next.after($t, 64);
                };
            }
            macro_rules! round {
                ($f:ident, $s0:literal $s1:literal $s2:literal $s3:literal, $(
                    $i0:literal $t0:literal, $i1:literal $t1:literal, $i2:literal $t2:literal, $i3:literal $t3:literal;
                )*) => {$(
                    step!($f, a b c d, $i0, $s0, $t0);
                    step!($f, d a b c, $i1, $s1, $t1);
                    step!($f, c d a b, $i2, $s2, $t2);
                    step!($f, b c d a, $i3, $s3, $t3);
                )*};
            }
            round!(f, 7 12 17 22,
                0 0, 1 1, 2 2, 3 3;
                4 4, 5 5, 6 6, 7 7;
                8 8, 9 9, 10 10, 11 11;
                12 12, 13 13, 14 14, 15 15;
            );
            round!(g, 5 9 14 20,
                1 16, 6 17, 11 18, 0 19;
                5 20, 10 21, 15 22, 4 23;
                9 24, 14 25, 3 26, 8 27;
                13 28, 2 29, 7 30, 12 31;
            );
            round!(h, 4 11 16 23,
                5 32, 8 33, 11 34, 14 35;
                1 36, 4 37, 7 38, 10 39;
                13 40, 0 41, 3 42, 6 43;
                9 44, 12 45, 15 46, 2 47;
            );
            round!(i, 6 10 15 21,
                0 48, 7 49, 14 50, 5 51;
                12 52, 3 53, 10 54, 1 55;
                8 56, 15 57, 6 58, 13 59;
                4 60, 11 61, 2 62, 9 63;
            );

            *state = [state[0].add(a), state[1].add(b), state[2].add(c), state[3].add(d)];
        }
    }
}

const CONSTANTS: [u32; 64] = {
    let mut constants = SINES;
    let mut t = 48;
    while t < 64 {
        constants[t] = constants[t].wrapping_sub(1); // see `i`
        t += 1;
    }
    constants
};

/// RFC 1321, section 3.4: the sines of 1 to 64.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

// The four round functions of RFC 1321, section 3.4, under its names, each added to a sum. `b` is the newest value, so
// whatever does not need it is computed first.
// SAFETY of all: the caller vouches for the CPU.

#[inline(always)]
unsafe fn f<L: Lanes>(sum: L, b: L, c: L, d: L) -> L {
    // SAFETY: see above.
    unsafe { sum.add(b.choose(c, d)) }
}

#[inline(always)]
unsafe fn g<L: Lanes>(sum: L, b: L, c: L, d: L) -> L {
    // SAFETY: see above.
    unsafe {
        if L::TERNARY {
            return sum.add(d.choose(b, c));
        }
        // The two halves have no bit in common, so adding both is the same as adding their union.
        sum.add(d.and_not(c)).add(d.and(b))
    }
}

#[inline(always)]
unsafe fn h<L: Lanes>(sum: L, b: L, c: L, d: L) -> L {
    // SAFETY: see above.
    unsafe { sum.add(c.parity(d, b)) }
}

/// `c ^ (b | !d)` is the complement of `c ^ (!b & d)`. Adding a complement is subtracting the number and 1; the constants of
/// these steps are already less by 1.
#[inline(always)]
unsafe fn i<L: Lanes>(sum: L, b: L, c: L, d: L) -> L {
    // SAFETY: see above.
    unsafe { sum.sub(c.xor(b.and_not(d))) }
}
