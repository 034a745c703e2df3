//! XXH64 (seed 0), one message a lane: its four accumulators are the state, four stripes of 32 bytes are a block. XXH3 (seed
//! 0) by the crate twox-hash.

#![allow(unsafe_code)]

use std::{fmt, hash::Hasher as _};

use twox_hash::{XxHash3_64, XxHash3_128};

use super::{
    choice::Kernels,
    lane_group::{Compression, NextBlock},
    message::OneMessage,
};
use crate::{algorithm::Algorithm, digest::Digest, lanes::Lanes};

#[derive(Clone, Debug)]
pub(super) struct XxHash64;

/// The primes of the specification (Cyan4973/xxHash, doc/xxhash_spec.md).
const PRIMES: [u64; 5] =
    [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5];

impl Compression<4> for XxHash64 {
    const ALGORITHM: Algorithm = Algorithm::XxHash64;
    type Word = u64;
    const LITTLE_ENDIAN: bool = true;
    const INITIAL: [u64; 4] = [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, PRIMES[0].wrapping_neg()];

    /// There is no padding: [`digest`](Self::digest) takes the bytes that fill no block.
    fn padded(_rest: &[u8], _bytes: u64) -> Vec<u8> {
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
    unsafe fn block<L: Lanes<Word = u64>>(state: &mut [L; 4], words: &mut [L; 16], _: NextBlock<'_, L>) {
        // SAFETY: the caller vouches for the CPU and for the rows of the next block.
        unsafe {
            let (p1, p2) = (L::splat(PRIMES[0]), L::splat(PRIMES[1]));
            // Written out: the compiler unrolls a loop into slower code.
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

/// One message of XXH3.
#[derive(Clone)]
pub(super) enum Xxh3 {
    Bits64(XxHash3_64),
    Bits128(XxHash3_128),
}

/// The hashers of twox-hash implement no `Debug`.
impl fmt::Debug for Xxh3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Xxh3")
    }
}

impl OneMessage for Xxh3 {
    fn new(kernels: &Kernels) -> Self {
        match kernels.algorithm {
            Algorithm::XxHash3 => Self::Bits64(XxHash3_64::with_seed(0)),
            _ => Self::Bits128(XxHash3_128::with_seed(0)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Bits64(hasher) => hasher.write(bytes),
            Self::Bits128(hasher) => hasher.write(bytes),
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Self::Bits64(hasher) => Digest::new(&hasher.finish().to_be_bytes()),
            Self::Bits128(hasher) => Digest::new(&hasher.finish_128().to_be_bytes()),
        }
    }

    fn boxed_clone(&self) -> Box<dyn OneMessage> {
        Box::new(self.clone())
    }

    /// In one call, which saves the hashers their buffers.
    fn whole(kernels: &Kernels, bytes: &[u8]) -> Digest {
        match kernels.algorithm {
            Algorithm::XxHash3 => Digest::new(&XxHash3_64::oneshot(bytes).to_be_bytes()),
            _ => Digest::new(&XxHash3_128::oneshot(bytes).to_be_bytes()),
        }
    }
}
