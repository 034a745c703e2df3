//! SHA-1 (FIPS 180-4), one message a lane.

#![allow(unsafe_code)]

use super::lane_group::{Compression, NextBlock};
#[cfg(target_arch = "x86_64")]
use super::x86::sha;
use crate::{algorithm::Algorithm, lanes::Lanes};

#[derive(Clone, Debug)]
pub(super) struct Sha1;

impl Compression<5> for Sha1 {
    const ALGORITHM: Algorithm = Algorithm::Sha1;
    type Word = u32;
    const LITTLE_ENDIAN: bool = false;
    const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

    fn rust_crypto(state: &mut [u32; 5], blocks: &[u8]) {
        sha1::block_api::compress(state, blocks.as_chunks().0);
    }

    #[cfg(target_arch = "x86_64")]
    fn in_turn(_: crate::isa::Isa, states: &mut [[u32; 5]], rows: &[&[u8]]) {
        sha::sha1(states, rows);
    }

    #[inline(always)]
    unsafe fn block<L: Lanes<Word = u32>>(state: &mut [L; 5], w: &mut [L; 16], mut next: NextBlock<'_, L>) {
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
                    let k = L::splat($k);
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
