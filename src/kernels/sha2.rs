//! SHA-256 and SHA-512 (FIPS 180-4), one message a lane. They differ in word, constants, rotations and rounds.

#![allow(unsafe_code)]

use super::lane_group::{Compression, NextBlock};
#[cfg(target_arch = "x86_64")]
use super::x86::sha;
use crate::{algorithm::Algorithm, lanes::Lanes};

macro_rules! sha2 {
    (
        $name:ident, $word:ident, $initial:expr, $constants:expr, $rust_crypto:path,
        // As left rotations; the last of a lower-case row is a right shift.
        SIGMA0: $S00:literal $S01:literal $S02:literal, SIGMA1: $S10:literal $S11:literal $S12:literal,
        sigma0: $s00:literal $s01:literal $s02:literal, sigma1: $s10:literal $s11:literal $s12:literal,
        $($in_turn:item)?
    ) => {
        #[derive(Clone, Debug)]
        pub(super) struct $name;

        impl Compression<8> for $name {
            const ALGORITHM: Algorithm = Algorithm::$name;
            type Word = $word;
            const LITTLE_ENDIAN: bool = false;
            const INITIAL: [$word; 8] = $initial;

            fn rust_crypto(state: &mut [$word; 8], blocks: &[u8]) {
                $rust_crypto(state, blocks.as_chunks().0);
            }

            $($in_turn)?

            #[inline(always)]
            unsafe fn block<L: Lanes<Word = $word>>(state: &mut [L; 8], w: &mut [L; 16], mut next: NextBlock<'_, L>) {
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
                            $h = $h.add(w[$t]).add(L::splat($k[$t])).add($e.choose($f, $g)).add(sigma1);
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
    Sha256, u32, SHA256_INITIAL, SHA256_CONSTANTS, sha2::block_api::compress256,
    SIGMA0: 30 19 10, SIGMA1: 26 21 7,
    sigma0: 25 14 3, sigma1: 15 13 10,
    #[cfg(target_arch = "x86_64")]
    fn in_turn(_: crate::isa::Isa, states: &mut [[u32; 8]], rows: &[&[u8]]) {
        sha::sha256(states, rows, &SHA256_ALIGNED);
    }
}

sha2! {
    Sha512, u64, SHA512_INITIAL, SHA512_CONSTANTS, sha2::block_api::compress512,
    SIGMA0: 36 30 25, SIGMA1: 50 46 23,
    sigma0: 63 56 7, sigma1: 45 3 6,
}

/// The SHA extensions take the constants from aligned memory.
#[cfg(target_arch = "x86_64")]
static SHA256_ALIGNED: sha::Aligned<[u32; 64]> = sha::Aligned(SHA256_CONSTANTS);

/// FIPS 180-4, sections 5.3.3 and 4.2.2. SHA-256 takes the first 32 bits of the same roots as SHA-512.
const SHA256_INITIAL: [u32; 8] = first_halves(SHA512_INITIAL);
pub(super) const SHA256_CONSTANTS: [u32; 64] = first_halves(SHA512_CONSTANTS);

const fn first_halves<const N: usize, const M: usize>(words: [u64; N]) -> [u32; M] {
    let mut halves = [0; M];
    let mut i = 0;
    while i < M {
        halves[i] = (words[i] >> 32) as u32;
        i += 1;
    }
    halves
}

/// FIPS 180-4, section 5.3.5: square roots of the first primes.
#[rustfmt::skip]
const SHA512_INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
];

/// FIPS 180-4, section 4.2.3: cube roots of the first primes.
#[rustfmt::skip]
const SHA512_CONSTANTS: [u64; 80] = [
    0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538, 0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe, 0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235, 0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab, 0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725, 0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed, 0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218, 0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53, 0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373, 0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c, 0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6, 0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc, 0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
];
