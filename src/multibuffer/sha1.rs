//! SHA-1 (FIPS 180-4), one message a lane.

#![allow(unsafe_code)]

use super::block::{Compression, Next, Streams};
use crate::{
    isa::{Isa, ShaInstructions},
    lanes::Words,
};

#[derive(Clone, Debug)]
pub(super) struct Sha1;

impl Compression<5> for Sha1 {
    type Word = u32;
    const LITTLE_ENDIAN: bool = false;
    const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    const GROUPS: usize = 1;
    const AHEAD_REGISTERS: usize = 32;

    fn min_lanes(isa: Isa) -> usize {
        match (isa.is_portable(), isa.is_avx512(), ShaInstructions::detect().is_some()) {
            // Without rotations and wide registers, lanes are slower than even one message of plain words.
            (true, ..) => usize::MAX,
            // Ten messages are twice five streams: 420 cycles for a block of each, eleven three times three or four: 519. 16
            // lanes take 430 to 490.
            (_, true, true) => 11,
            (_, false, true) => usize::MAX,
            (_, _, false) => 2,
        }
    }

    fn streams(isa: Isa) -> Option<Streams<u32, 5>> {
        streams(isa)
    }

    fn single(_: Isa, state: &mut [u32; 5], blocks: &[u8]) {
        sha1::block_api::compress(state, blocks.as_chunks().0);
    }

    #[inline(always)]
    unsafe fn block<W: Words<Word = u32>>(state: &mut [W; 5], w: &mut [W; 16], mut next: Next<'_, W>) {
        // SAFETY: the caller vouches for the CPU and for the rows of the next block.
        unsafe {
            let [mut a, mut b, mut c, mut d, mut e] = *state;
            for word in &mut *w {
                *word = word.swap_bytes();
            }

            // The schedule runs in a ring of 16 words.
            macro_rules! word {
                ($t:expr) => {{
                    if $t >= 16 {
                        let mixed = w[($t + 13) % 16].parity(w[($t + 8) % 16], w[($t + 2) % 16]).xor(w[$t % 16]);
                        w[$t % 16] = mixed.rotate_left::<1>();
                    }
                    w[$t % 16]
                }};
            }
            macro_rules! round {
                ($f:ident, $k:expr, $t:expr, $a:ident $b:ident $c:ident $d:ident $e:ident) => {
                    $e = $e.add(word!($t)).add($k).add($b.$f($c, $d)).add($a.rotate_left::<5>());
                    $b = $b.rotate_left::<30>();
                    next.after($t, 80);
                };
            }
            macro_rules! five_rounds {
                ($f:ident, $k:expr, $t:expr) => {
                    round!($f, $k, $t, a b c d e);
                    round!($f, $k, $t + 1, e a b c d);
                    round!($f, $k, $t + 2, d e a b c);
                    round!($f, $k, $t + 3, c d e a b);
                    round!($f, $k, $t + 4, b c d e a);
                };
            }
            macro_rules! twenty_rounds {
                ($f:ident, $k:literal, $t:literal) => {
                    let k = W::splat($k);
                    five_rounds!($f, k, $t);
                    five_rounds!($f, k, $t + 5);
                    five_rounds!($f, k, $t + 10);
                    five_rounds!($f, k, $t + 15);
                };
            }
            twenty_rounds!(choose, 0x5a82_7999, 0);
            twenty_rounds!(parity, 0x6ed9_eba1, 20);
            twenty_rounds!(majority, 0x8f1b_bcdc, 40);
            twenty_rounds!(parity, 0xca62_c1d6, 60);

            *state = [state[0].add(a), state[1].add(b), state[2].add(c), state[3].add(d), state[4].add(e)];
        }
    }
}

/// Several messages in turn on the SHA instructions.
#[cfg(target_arch = "x86_64")]
fn streams(isa: Isa) -> Option<Streams<u32, 5>> {
    use crate::lanes::sha;

    let instructions = ShaInstructions::detect().filter(|_| !isa.is_portable())?;
    Some(Streams {
        width: sha::SHA1_STREAMS,
        compress: Box::new(move |states, rows| sha::sha1(instructions, states, rows)),
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn streams(_: Isa) -> Option<Streams<u32, 5>> {
    None
}
