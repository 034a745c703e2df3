//! SHA-1 and SHA-256 by the x86 SHA extensions, several messages in turn: the rounds of one stream wait six or four
//! cycles for those before them, and the others fill the gaps.
//!
//! The states of all streams and the newest words of their schedules fit the 16 registers that the instructions can name;
//! the older words are operands in memory. The compiler, left alone, keeps other things in registers and mixes the
//! streams until they spill, so the order is written down: for every four rounds first the schedules of all streams,
//! then their rounds. Measured on Zen 3, in cycles for a block, with 1 to 5 streams: SHA-1 126, 68, 53, 45, 42; SHA-256 128,
//! 64, 57, 54, and no room for a fifth.

use core::arch::{asm, x86_64::*};

use crate::isa::ShaInstructions;

/// Messages that keep the unit busy.
pub(crate) const SHA1_STREAMS: usize = 5;
pub(crate) const SHA256_STREAMS: usize = 4;

/// Operands in memory must be aligned.
#[repr(align(16))]
struct Aligned<T>(T);

/// FIPS 180-4, section 4.2.2.
#[rustfmt::skip]
static SHA256_CONSTANTS: Aligned<[[u32; 4]; 16]> = Aligned([
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
]);

/// Big-endian words, the first one lowest, as SHA-256 takes them; and highest, as SHA-1 does.
static FIRST_WORD_LOWEST: Aligned<[u8; 16]> = Aligned([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);
static FIRST_WORD_HIGHEST: Aligned<[u8; 16]> = Aligned([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);

/// Defines a function that folds the whole blocks of each row into the state beside it; all rows are as long. It panics if
/// there are more rows than so many streams, or states, or if a row is longer or shorter than another.
macro_rules! streams {
    ($name:ident, $words:literal, $streams:literal, $compress:ident, $($count:literal)+) => {
        pub(crate) fn $name(_: ShaInstructions, states: &mut [[u32; $words]], rows: &[&[u8]]) {
            let bytes = rows.first().map_or(0, |row| row.len() - row.len() % 64);
            assert!(rows.iter().all(|row| row.len() - row.len() % 64 == bytes), "rows of unequal length");
            match rows.len() {
                0 => {}
                // SAFETY: the token proves that the CPU has the instructions; all rows were just seen to have `bytes`.
                $($count => unsafe {
                    let states: &mut [[u32; $words]; $count] = states.first_chunk_mut().expect("a state for each row");
                    $compress(states, std::array::from_fn(|s| rows[s].as_ptr()), bytes);
                },)+
                more => panic!("{more} rows for {} streams", $streams),
            }
        }
    };
}
streams!(sha1, 5, 5, compress_sha1, 1 2 3 4 5);
streams!(sha256, 8, 4, compress_sha256, 1 2 3 4);

/// Puts the states before a block aside, into memory: that is where the end of the block adds them from.
macro_rules! save {
    ($low:ident, $high:ident, $before:ident) => {
        for s in 0..S {
            asm!(
                "movdqa [{before}], {low}",
                "movdqa [{before} + 16], {high}",
                low = in(xmm_reg) $low[s], high = in(xmm_reg) $high[s], before = in(reg) &raw mut $before[s],
                options(nostack, preserves_flags),
            );
        }
    };
}

/// Loads the first four quarters of a block into the newest words and the ring.
macro_rules! load {
    ($t:expr, $row:expr, $order:expr, $newest:expr, $ring:expr) => {
        asm!(
            "movdqu {newest}, [{row} + 16*{t}]",
            "pshufb {newest}, [{order}]",
            "movdqa [{ring} + 16*{t}], {newest}",
            newest = out(xmm_reg) $newest, row = in(reg) $row, order = in(reg) &raw const $order, ring = in(reg) $ring,
            t = const $t, options(nostack, preserves_flags),
        )
    };
}

/// # Safety
/// The CPU has the SHA instructions; each row is readable for `bytes`, a multiple of 64.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
unsafe fn compress_sha1<const S: usize>(states: &mut [[u32; 5]; S], mut rows: [*const u8; S], bytes: usize) {
    // SAFETY: loads and stores of 16 bytes within the states, the rings, and `bytes` past each row.
    unsafe {
        let zero = _mm_setzero_si128();
        let (mut abcd, mut e) = ([zero; S], [zero; S]);
        for (s, state) in states.iter().enumerate() {
            abcd[s] = _mm_shuffle_epi32::<0x1B>(_mm_loadu_si128(state.as_ptr().cast()));
            e[s] = _mm_set_epi32(state[4].cast_signed(), 0, 0, 0);
        }
        let (mut newest, mut rings, mut before) = ([zero; S], [[zero; 4]; S], [[zero; 2]; S]);
        for _ in 0..bytes / 64 {
            save!(abcd, e, before);
            macro_rules! four_rounds {
                ($f:literal: $($t:literal)+) => {$(
                    for s in 0..S {
                        let ring = rings[s].as_mut_ptr();
                        if $t < 4 {
                            load!($t % 4, rows[s], FIRST_WORD_HIGHEST, newest[s], ring);
                        } else {
                            asm!(
                                "movdqa {w}, [{ring} + 16*({t} % 4)]",
                                "sha1msg1 {w}, [{ring} + 16*(({t} + 1) % 4)]",
                                "pxor {w}, [{ring} + 16*(({t} + 2) % 4)]",
                                "sha1msg2 {w}, {newest}",
                                "movdqa {newest}, {w}",
                                "movdqa [{ring} + 16*({t} % 4)], {w}",
                                newest = inout(xmm_reg) newest[s], ring = in(reg) ring, w = out(xmm_reg) _, t = const $t,
                                options(nostack, preserves_flags),
                            );
                        }
                    }
                    for s in 0..S {
                        // The next rounds' e is made of this a.
                        let before: __m128i;
                        if $t == 0 {
                            asm!(
                                "movdqa {before}, {abcd}",
                                "paddd {e}, {w}",
                                "sha1rnds4 {abcd}, {e}, {f}",
                                before = out(xmm_reg) before, abcd = inout(xmm_reg) abcd[s], e = inout(xmm_reg) e[s] => _,
                                w = in(xmm_reg) newest[s], f = const $f, options(nomem, nostack, preserves_flags),
                            );
                        } else {
                            asm!(
                                "movdqa {before}, {abcd}",
                                "sha1nexte {e}, {w}",
                                "sha1rnds4 {abcd}, {e}, {f}",
                                before = out(xmm_reg) before, abcd = inout(xmm_reg) abcd[s], e = inout(xmm_reg) e[s] => _,
                                w = in(xmm_reg) newest[s], f = const $f, options(nomem, nostack, preserves_flags),
                            );
                        }
                        e[s] = before;
                    }
                )+};
            }
            four_rounds!(0: 0 1 2 3 4);
            four_rounds!(1: 5 6 7 8 9);
            four_rounds!(2: 10 11 12 13 14);
            four_rounds!(3: 15 16 17 18 19);
            for s in 0..S {
                asm!(
                    "paddd {abcd}, [{before}]",
                    "sha1nexte {e}, [{before} + 16]",
                    abcd = inout(xmm_reg) abcd[s], e = inout(xmm_reg) e[s], before = in(reg) &raw const before[s],
                    options(readonly, nostack, preserves_flags),
                );
                rows[s] = rows[s].add(64);
            }
        }
        for (s, state) in states.iter_mut().enumerate() {
            _mm_storeu_si128(state.as_mut_ptr().cast(), _mm_shuffle_epi32::<0x1B>(abcd[s]));
            state[4] = _mm_extract_epi32::<3>(e[s]).cast_unsigned();
        }
    }
}

/// # Safety
/// The CPU has the SHA instructions; each row is readable for `bytes`, a multiple of 64.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
unsafe fn compress_sha256<const S: usize>(states: &mut [[u32; 8]; S], mut rows: [*const u8; S], bytes: usize) {
    // SAFETY: loads and stores of 16 bytes within the states, the rings, the constants, and `bytes` past each row.
    unsafe {
        let zero = _mm_setzero_si128();
        let (mut abef, mut cdgh) = ([zero; S], [zero; S]);
        for (s, state) in states.iter().enumerate() {
            let dcba = _mm_loadu_si128(state.as_ptr().cast());
            let hgfe = _mm_loadu_si128(state.as_ptr().add(4).cast());
            let (cdab, efgh) = (_mm_shuffle_epi32::<0xB1>(dcba), _mm_shuffle_epi32::<0x1B>(hgfe));
            abef[s] = _mm_alignr_epi8::<8>(cdab, efgh);
            cdgh[s] = _mm_blend_epi16::<0xF0>(efgh, cdab);
        }
        let (mut newest, mut rings, mut before) = ([zero; S], [[zero; 4]; S], [[zero; 2]; S]);
        for _ in 0..bytes / 64 {
            save!(abef, cdgh, before);
            macro_rules! four_rounds {
                ($($t:literal)+) => {$(
                    for s in 0..S {
                        let ring = rings[s].as_mut_ptr();
                        if $t < 4 {
                            load!($t % 4, rows[s], FIRST_WORD_LOWEST, newest[s], ring);
                        } else {
                            asm!(
                                "movdqa {w}, [{ring} + 16*({t} % 4)]",
                                "sha256msg1 {w}, [{ring} + 16*(({t} + 1) % 4)]",
                                "movdqa {seventh}, {newest}",
                                "palignr {seventh}, [{ring} + 16*(({t} + 2) % 4)], 4",
                                "paddd {w}, {seventh}",
                                "sha256msg2 {w}, {newest}",
                                "movdqa {newest}, {w}",
                                "movdqa [{ring} + 16*({t} % 4)], {w}",
                                newest = inout(xmm_reg) newest[s], ring = in(reg) ring, w = out(xmm_reg) _,
                                seventh = out(xmm_reg) _, t = const $t, options(nostack, preserves_flags),
                            );
                        }
                    }
                    for s in 0..S {
                        asm!(
                            "movdqa xmm0, {w}",
                            "paddd xmm0, [{k} + 16*{t}]",
                            "sha256rnds2 {cdgh}, {abef}",
                            "pshufd xmm0, xmm0, 0x0E",
                            "sha256rnds2 {abef}, {cdgh}",
                            abef = inout(xmm_reg) abef[s], cdgh = inout(xmm_reg) cdgh[s], w = in(xmm_reg) newest[s],
                            k = in(reg) &raw const SHA256_CONSTANTS, t = const $t, out("xmm0") _,
                            options(readonly, nostack, preserves_flags),
                        );
                    }
                )+};
            }
            four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            for s in 0..S {
                asm!(
                    "paddd {abef}, [{before}]",
                    "paddd {cdgh}, [{before} + 16]",
                    abef = inout(xmm_reg) abef[s], cdgh = inout(xmm_reg) cdgh[s], before = in(reg) &raw const before[s],
                    options(readonly, nostack, preserves_flags),
                );
                rows[s] = rows[s].add(64);
            }
        }
        for (s, state) in states.iter_mut().enumerate() {
            let (feba, dchg) = (_mm_shuffle_epi32::<0x1B>(abef[s]), _mm_shuffle_epi32::<0xB1>(cdgh[s]));
            _mm_storeu_si128(state.as_mut_ptr().cast(), _mm_blend_epi16::<0xF0>(feba, dchg));
            _mm_storeu_si128(state.as_mut_ptr().add(4).cast(), _mm_alignr_epi8::<8>(dchg, feba));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SHA1_STREAMS, SHA256_STREAMS, ShaInstructions, sha1, sha256};

    /// Any number of streams, by `fold`, against one message at a time, by `compress`.
    #[allow(clippy::print_stderr)]
    fn check<const N: usize>(
        most: usize,
        fold: impl Fn(ShaInstructions, &mut [[u32; N]], &[&[u8]]),
        compress: impl Fn(&mut [u32; N], &[[u8; 64]]),
    ) {
        let Some(instructions) = ShaInstructions::detect() else {
            return eprintln!("SKIPPED: no SHA extensions here");
        };
        for streams in 0..=most {
            for blocks in [0, 1, 2, 7] {
                // Rows at odd addresses.
                let row = |s: usize| (0..64 * blocks + s + 1).map(|i| ((i + 31 * s) % 251) as u8).collect::<Vec<_>>();
                let rows: Vec<_> = (0..streams).map(row).collect();
                let rows: Vec<&[u8]> = rows.iter().enumerate().map(|(s, row)| &row[s + 1..]).collect();
                let states = |s: usize| std::array::from_fn(|word| ((s * N + word) as u32).wrapping_mul(0x9E37_79B1));
                let mut states: Vec<[u32; N]> = (0..streams).map(states).collect();
                let mut expected = states.clone();
                for (state, row) in expected.iter_mut().zip(&rows) {
                    compress(state, row.as_chunks().0);
                }
                fold(instructions, &mut states, &rows);
                assert_eq!(states, expected, "{streams} streams, {blocks} blocks");
            }
        }
    }

    #[test]
    fn any_number_of_sha1_streams() {
        check(SHA1_STREAMS, sha1, ::sha1::block_api::compress);
    }

    #[test]
    fn any_number_of_sha256_streams() {
        check(SHA256_STREAMS, sha256, ::sha2::block_api::compress256);
    }
}
