//! SHA-1 and SHA-256 by the x86 SHA extensions, several messages in turn: each round of a message waits four or six cycles
//! for the round before, and the rounds of the other messages fill the gap.
//!
//! The states of all messages and the newest words of their schedules fit the 16 registers that the instructions can name.
//! The older words are operands in memory. Left alone, the compiler keeps other values in registers and mixes the messages
//! until it has to spill, so assembly fixes the order: for every four rounds, first the schedules of all messages, then
//! their rounds.

#![allow(unsafe_code)]

use core::arch::{asm, x86_64::*};

use crate::isa::ShaInstructions;

/// Operands in memory must be aligned.
#[repr(align(16))]
pub(in crate::kernels) struct Aligned<T>(pub(in crate::kernels) T);

/// Byte orders for `pshufb`: big-endian words, the first one lowest (for SHA-256) or highest (for SHA-1).
static FIRST_WORD_LOWEST: Aligned<[u8; 16]> = Aligned([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);
static FIRST_WORD_HIGHEST: Aligned<[u8; 16]> = Aligned([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);

/// Defines a function that folds the whole blocks of each row into the state beside it. All rows are equally long. It panics
/// if a row is longer or shorter than another, if there are more rows than `$count`s, or without the SHA extensions.
macro_rules! in_turn {
    (
        $name:ident($words:literal words $(, $constants:ident: $type:ty)?), $($count:literal)+,
        |$states:ident, $rows:ident, $bytes:ident| $compress:expr
    ) => {
        pub(in crate::kernels) fn $name(states: &mut [[u32; $words]], rows: &[&[u8]] $(, $constants: $type)?) {
            assert!(ShaInstructions::detect().is_some(), "this CPU has no SHA extensions");
            let $bytes = rows.first().map_or(0, |row| row.len() - row.len() % 64);
            assert!(rows.iter().all(|row| row.len() - row.len() % 64 == $bytes), "rows of unequal length");
            match rows.len() {
                0 => {}
                $($count => {
                    let $states: &mut [[u32; $words]; $count] = states.first_chunk_mut().expect("a state for each row");
                    let $rows: [_; $count] = std::array::from_fn(|s| rows[s].as_ptr());
                    // SAFETY: the CPU was just seen to have the instructions, and all rows to have `bytes`.
                    unsafe { $compress }
                },)+
                more => panic!("{more} rows are more than the registers hold"),
            }
        }
    };
}
in_turn!(sha1(5 words), 1 2 3 4 5, |states, rows, bytes| compress_sha1(states, rows, bytes));
in_turn!(sha256(8 words, constants: &Aligned<[u32; 64]>), 1 2 3 4, |states, rows, bytes| {
    compress_sha256(states, rows, bytes, constants);
});

/// Saves the states before a block to memory. The end of the block adds them from there.
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
unsafe fn compress_sha256<const S: usize>(
    states: &mut [[u32; 8]; S],
    mut rows: [*const u8; S],
    bytes: usize,
    constants: &Aligned<[u32; 64]>,
) {
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
                            k = in(reg) &raw const *constants, t = const $t, out("xmm0") _,
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
    use super::{Aligned, ShaInstructions, sha1, sha256};
    use crate::kernels::sha2::SHA256_CONSTANTS;

    /// Up to `most` messages in turn, by `fold`, against one message after the other, by `compress`.
    #[allow(clippy::print_stderr)]
    fn check<const N: usize>(
        most: usize,
        fold: impl Fn(&mut [[u32; N]], &[&[u8]]),
        compress: impl Fn(&mut [u32; N], &[[u8; 64]]),
    ) {
        if ShaInstructions::detect().is_none() {
            return eprintln!("SKIPPED: no SHA extensions here");
        }
        for count in 0..=most {
            for blocks in [0, 1, 2, 7] {
                // Rows at odd addresses.
                let row = |s: usize| (0..64 * blocks + s + 1).map(|i| ((i + 31 * s) % 251) as u8).collect::<Vec<_>>();
                let rows: Vec<_> = (0..count).map(row).collect();
                let rows: Vec<&[u8]> = rows.iter().enumerate().map(|(s, row)| &row[s + 1..]).collect();
                let states = |s: usize| std::array::from_fn(|word| ((s * N + word) as u32).wrapping_mul(0x9E37_79B1));
                let mut states: Vec<[u32; N]> = (0..count).map(states).collect();
                let mut expected = states.clone();
                for (state, row) in expected.iter_mut().zip(&rows) {
                    compress(state, row.as_chunks().0);
                }
                fold(&mut states, &rows);
                assert_eq!(states, expected, "{count} messages, {blocks} blocks");
            }
        }
    }

    #[test]
    fn any_number_of_sha1_messages() {
        check(5, sha1, ::sha1::block_api::compress);
    }

    #[test]
    fn any_number_of_sha256_messages() {
        let constants = Aligned(SHA256_CONSTANTS);
        check(4, |states, rows| sha256(states, rows, &constants), ::sha2::block_api::compress256);
    }
}
