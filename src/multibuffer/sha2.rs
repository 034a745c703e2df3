//! SHA-256 and SHA-512 (FIPS 180-4), one message a lane. They differ in word, constants, rotations and rounds.

#![allow(unsafe_code)]

use super::block::{Compression, Next, Streams};
use crate::{
    isa::{Isa, ShaInstructions},
    lanes::Words,
    stream::sha512,
};

macro_rules! sha2 {
    (
        $name:ident, $word:ident, $initial:expr, $constants:expr, single: $single:expr,
        // As left rotations; the last of a lower-case pair is a right shift.
        SIGMA0: $S00:literal $S01:literal $S02:literal, SIGMA1: $S10:literal $S11:literal $S12:literal,
        sigma0: $s00:literal $s01:literal $s02:literal, sigma1: $s10:literal $s11:literal $s12:literal,
        min_lanes: $min_lanes:expr,
        streams: $streams:expr,
    ) => {
        #[derive(Debug)]
        pub(super) struct $name;

        impl Compression<8> for $name {
            type Word = $word;
            const LITTLE_ENDIAN: bool = false;
            const INITIAL: [$word; 8] = $initial;
            const GROUPS: usize = 1;
            const AHEAD_REGISTERS: usize = 32;

            fn min_lanes(isa: Isa) -> usize {
                let min_lanes: fn(Isa) -> usize = $min_lanes;
                min_lanes(isa)
            }

            fn streams(isa: Isa) -> Option<Streams<$word, 8>> {
                let streams: fn(Isa) -> Option<Streams<$word, 8>> = $streams;
                streams(isa)
            }

            fn single(isa: Isa, state: &mut [$word; 8], blocks: &[u8]) {
                let single: fn(Isa, &mut [$word; 8], &[[u8; Self::BLOCK]]) = $single;
                single(isa, state, blocks.as_chunks().0);
            }

            #[inline(always)]
            unsafe fn block<W: Words<Word = $word>>(state: &mut [W; 8], w: &mut [W; 16], mut next: Next<'_, W>) {
                // SAFETY: the caller vouches for the CPU and for the rows of the next block.
                unsafe {
                    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
                    for word in &mut *w {
                        *word = word.swap_bytes();
                    }

                    // The schedule runs in a ring of 16 words: a word is replaced as soon as its round has used it, so
                    // that the two fill each other's gaps.
                    macro_rules! round {
                        (
                            $k:expr, $t:literal, $then:ident,
                            $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident
                        ) => {
                            let sigma1 =
                                $e.rotate_left::<$S10>().parity($e.rotate_left::<$S11>(), $e.rotate_left::<$S12>());
                            $h = $h.add(w[$t]).add(W::splat($k[$t])).add($e.choose($f, $g)).add(sigma1);
                            $d = $d.add($h);
                            let sigma0 =
                                $a.rotate_left::<$S00>().parity($a.rotate_left::<$S01>(), $a.rotate_left::<$S02>());
                            $h = $h.add($a.majority($b, $c)).add(sigma0);
                            $then!($t);
                        };
                    }
                    macro_rules! schedule {
                        ($t:literal) => {
                            let (x, y) = (w[($t + 1) % 16], w[($t + 14) % 16]);
                            let sigma0 =
                                x.rotate_left::<$s00>().parity(x.rotate_left::<$s01>(), x.shift_right::<$s02>());
                            let sigma1 =
                                y.rotate_left::<$s10>().parity(y.rotate_left::<$s11>(), y.shift_right::<$s12>());
                            w[$t] = w[$t].add(sigma0).add(w[($t + 9) % 16]).add(sigma1);
                        };
                    }
                    macro_rules! load {
                        ($t:literal) => {
                            next.after($t, 16);
                        };
                    }
                    macro_rules! rounds {
                        ($k:expr, $then:ident) => {
                            round!($k, 0, $then, a b c d e f g h);
                            round!($k, 1, $then, h a b c d e f g);
                            round!($k, 2, $then, g h a b c d e f);
                            round!($k, 3, $then, f g h a b c d e);
                            round!($k, 4, $then, e f g h a b c d);
                            round!($k, 5, $then, d e f g h a b c);
                            round!($k, 6, $then, c d e f g h a b);
                            round!($k, 7, $then, b c d e f g h a);
                            round!($k, 8, $then, a b c d e f g h);
                            round!($k, 9, $then, h a b c d e f g);
                            round!($k, 10, $then, g h a b c d e f);
                            round!($k, 11, $then, f g h a b c d e);
                            round!($k, 12, $then, e f g h a b c d);
                            round!($k, 13, $then, d e f g h a b c);
                            round!($k, 14, $then, c d e f g h a b);
                            round!($k, 15, $then, b c d e f g h a);
                        };
                    }
                    let (last, others) = $constants.as_chunks::<16>().0.split_last().unwrap();
                    for k in others {
                        rounds!(k, schedule);
                    }
                    rounds!(last, load);

                    for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                        *word = word.add(new);
                    }
                }
            }
        }
    };
}

sha2! {
    Sha256, u32, SHA256_INITIAL, SHA256_CONSTANTS, single: |_, state, blocks| sha2::block_api::compress256(state, blocks),
    SIGMA0: 30 19 10, SIGMA1: 26 21 7,
    sigma0: 25 14 3, sigma1: 15 13 10,
    min_lanes: |isa| if isa.is_portable() || ShaInstructions::detect().is_some() { usize::MAX } else { 2 },
    streams: sha256_streams,
}

sha2! {
    Sha512, u64, sha512::INITIAL, sha512::CONSTANTS, single: sha512::compress,
    SIGMA0: 36 30 25, SIGMA1: 50 46 23,
    sigma0: 63 56 7, sigma1: 45 3 6,
    min_lanes: |isa| if isa.is_portable() { usize::MAX } else { 3 },
    streams: |_| None,
}

/// Several messages in turn on the SHA instructions.
#[cfg(target_arch = "x86_64")]
fn sha256_streams(isa: Isa) -> Option<Streams<u32, 8>> {
    use crate::lanes::sha;

    let instructions = ShaInstructions::detect().filter(|_| !isa.is_portable())?;
    Some(Streams {
        width: sha::SHA256_STREAMS,
        compress: Box::new(move |states, rows| sha::sha256(instructions, states, rows)),
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn sha256_streams(_: Isa) -> Option<Streams<u32, 8>> {
    None
}

/// FIPS 180-4, section 5.3.3: square roots of the first primes.
const SHA256_INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// FIPS 180-4, section 4.2.2: cube roots of the first primes.
const SHA256_CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];
