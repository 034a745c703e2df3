//! MD5 (RFC 1321), one message a lane.

#![allow(unsafe_code)]

use super::block::Compression;
use crate::{isa::Isa, lanes::Words};

#[derive(Debug)]
pub(super) struct Md5;

impl Compression<4> for Md5 {
    type Word = u32;
    const BLOCK: usize = 64;
    const LITTLE_ENDIAN: bool = true;
    const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    const GROUPS: usize = 2;

    fn min_lanes(_: Isa) -> usize {
        2
    }

    fn single(state: &mut [u32; 4], blocks: &[u8]) {
        md5::block_api::compress(state, blocks.as_chunks().0);
    }

    #[inline(always)]
    unsafe fn block<W: Words<Word = u32>>(state: &mut [W; 4], rows: &[*const u8], offset: usize) {
        // SAFETY: the caller vouches for the CPU and for 64 bytes at `offset` past each row.
        unsafe {
            let [mut a, mut b, mut c, mut d] = *state;
            let mut m = [W::splat(0); 16];
            for quarter in 0..4 {
                m[4 * quarter..][..4].copy_from_slice(&W::load(rows, offset + 16 * quarter));
            }

            // `a = b + rotate(a + f(b, c, d) + m[i] + k, s)`.
            macro_rules! step {
                ($f:ident, $a:ident $b:ident $c:ident $d:ident, $i:literal, $s:literal, $k:literal) => {
                    $a = $f($a.add(m[$i]).add(W::splat($k)), $b, $c, $d).rotate_left::<$s>().add($b)
                };
            }
            macro_rules! round {
                ($f:ident, $s0:literal $s1:literal $s2:literal $s3:literal, $(
                    $i0:literal $k0:literal, $i1:literal $k1:literal, $i2:literal $k2:literal, $i3:literal $k3:literal;
                )*) => {$(
                    step!($f, a b c d, $i0, $s0, $k0);
                    step!($f, d a b c, $i1, $s1, $k1);
                    step!($f, c d a b, $i2, $s2, $k2);
                    step!($f, b c d a, $i3, $s3, $k3);
                )*};
            }
            round!(f, 7 12 17 22,
                0 0xd76aa478, 1 0xe8c7b756, 2 0x242070db, 3 0xc1bdceee;
                4 0xf57c0faf, 5 0x4787c62a, 6 0xa8304613, 7 0xfd469501;
                8 0x698098d8, 9 0x8b44f7af, 10 0xffff5bb1, 11 0x895cd7be;
                12 0x6b901122, 13 0xfd987193, 14 0xa679438e, 15 0x49b40821;
            );
            round!(g, 5 9 14 20,
                1 0xf61e2562, 6 0xc040b340, 11 0x265e5a51, 0 0xe9b6c7aa;
                5 0xd62f105d, 10 0x02441453, 15 0xd8a1e681, 4 0xe7d3fbc8;
                9 0x21e1cde6, 14 0xc33707d6, 3 0xf4d50d87, 8 0x455a14ed;
                13 0xa9e3e905, 2 0xfcefa3f8, 7 0x676f02d9, 12 0x8d2a4c8a;
            );
            round!(h, 4 11 16 23,
                5 0xfffa3942, 8 0x8771f681, 11 0x6d9d6122, 14 0xfde5380c;
                1 0xa4beea44, 4 0x4bdecfa9, 7 0xf6bb4b60, 10 0xbebfbc70;
                13 0x289b7ec6, 0 0xeaa127fa, 3 0xd4ef3085, 6 0x04881d05;
                9 0xd9d4d039, 12 0xe6db99e5, 15 0x1fa27cf8, 2 0xc4ac5665;
            );
            round!(i, 6 10 15 21,
                0 0xf4292244, 7 0x432aff97, 14 0xab9423a7, 5 0xfc93a039;
                12 0x655b59c3, 3 0x8f0ccc92, 10 0xffeff47d, 1 0x85845dd1;
                8 0x6fa87e4f, 15 0xfe2ce6e0, 6 0xa3014314, 13 0x4e0811a1;
                4 0xf7537e82, 11 0xbd3af235, 2 0x2ad7d2bb, 9 0xeb86d391;
            );

            *state = [state[0].add(a), state[1].add(b), state[2].add(c), state[3].add(d)];
        }
    }
}

// The four round functions of RFC 1321, section 3.4, under its names, each added to a sum. `b` is the newest value: what
// can be done without it is done before.
// SAFETY of all: the caller vouches for the CPU.

#[inline(always)]
unsafe fn f<W: Words>(sum: W, b: W, c: W, d: W) -> W {
    // SAFETY: see above.
    unsafe { sum.add(b.choose(c, d)) }
}

#[inline(always)]
unsafe fn g<W: Words>(sum: W, b: W, c: W, d: W) -> W {
    // SAFETY: see above. The two halves have no bit in common, so they may be added one by one.
    unsafe { sum.add(d.and_not(c)).add(d.and(b)) }
}

#[inline(always)]
unsafe fn h<W: Words>(sum: W, b: W, c: W, d: W) -> W {
    // SAFETY: see above.
    unsafe { sum.add(c.xor(d).xor(b)) }
}

#[inline(always)]
unsafe fn i<W: Words>(sum: W, b: W, c: W, d: W) -> W {
    // SAFETY: see above.
    unsafe { sum.add(c.xor(b.or(d.not()))) }
}
