//! XXH64 (seed 0), one message a lane: its four accumulators are the state, four stripes of 32 bytes are a block.

#![allow(unsafe_code)]

use super::block::{Compression, Next};
use crate::{digest::Digest, isa::Isa, lanes::Words};

#[derive(Clone, Debug)]
pub(super) struct XxHash64;

/// The primes of the specification (Cyan4973/xxHash, doc/xxhash_spec.md).
const PRIMES: [u64; 5] =
    [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5];

impl Compression<4> for XxHash64 {
    type Word = u64;
    const LITTLE_ENDIAN: bool = true;
    const INITIAL: [u64; 4] = [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, PRIMES[0].wrapping_neg()];
    const GROUPS: usize = 1;
    const AHEAD_REGISTERS: usize = usize::MAX; // a word is used once: there is no time to load another in

    fn min_lanes(isa: Isa) -> usize {
        match (isa.is_portable(), isa.is_avx512()) {
            (true, _) => usize::MAX,
            (_, true) => 2,
            // No product of 64-bit words: each is made of three narrower ones.
            (_, false) => 4,
        }
    }

    /// The bytes that fill no block go into the digest as they are.
    fn end(_rest: &[u8], _bytes: u64) -> Vec<u8> {
        Vec::new()
    }

    fn digest(state: &[u64; 4], rest: &[u8], bytes: u64) -> Digest {
        let [p1, p2, p3, p4, p5] = PRIMES;
        let add = |sum: u64, word: u64| sum.wrapping_add(word.wrapping_mul(p2)).rotate_left(31).wrapping_mul(p1);
        let round = |word| add(0, word);
        let mut state = *state;
        let (stripes, rest) = rest.as_chunks::<32>();
        for stripe in stripes {
            for (sum, word) in state.iter_mut().zip(stripe.as_chunks().0) {
                *sum = add(*sum, u64::from_le_bytes(*word));
            }
        }
        let mut hash = p5;
        if bytes >= 32 {
            let turned = state.iter().zip([1, 7, 12, 18]).map(|(word, bits)| word.rotate_left(bits));
            hash = turned.fold(0, u64::wrapping_add);
            for word in state {
                hash = (hash ^ round(word)).wrapping_mul(p1).wrapping_add(p4);
            }
        }
        hash = hash.wrapping_add(bytes);
        let (words, rest) = rest.as_chunks::<8>();
        for word in words {
            hash = (hash ^ round(u64::from_le_bytes(*word))).rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
        }
        let (words, rest) = rest.as_chunks::<4>();
        for word in words {
            let word = u64::from(u32::from_le_bytes(*word)).wrapping_mul(p1);
            hash = (hash ^ word).rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        }
        for byte in rest {
            hash = (hash ^ u64::from(*byte).wrapping_mul(p5)).rotate_left(11).wrapping_mul(p1);
        }
        hash = (hash ^ hash >> 33).wrapping_mul(p2);
        hash = (hash ^ hash >> 29).wrapping_mul(p3);
        Digest::new(&(hash ^ hash >> 32).to_be_bytes())
    }

    #[inline(always)]
    unsafe fn block<W: Words<Word = u64>>(state: &mut [W; 4], words: &mut [W; 16], _: Next<'_, W>) {
        // SAFETY: the caller vouches for the CPU and for the rows of the next block.
        unsafe {
            let (p1, p2) = (W::splat(PRIMES[0]), W::splat(PRIMES[1]));
            // Written out: the compiler's own way to unroll it is slower.
            macro_rules! stripes {
                ($($stripe:literal)*) => {$(
                    for i in 0..4 {
                        state[i] = state[i].add(words[4 * $stripe + i].mul(p2)).rotate_left::<31>().mul(p1);
                    }
                )*};
            }
            stripes!(0 1 2 3);
        }
    }
}
