//! SHA-256 by the x86 SHA extensions, several messages in turn: one stream waits four cycles for each pair of rounds, and
//! the others fill them.

use core::arch::x86_64::*;

use crate::isa::{Isa, ShaInstructions};

/// Messages that keep the unit busy. The schedules of two fit the 16 registers that the instructions can name; those of
/// four need the other 16 that AVX-512 has, and lose without them.
pub(crate) fn streams(isa: Isa) -> usize {
    if isa.is_avx512() { 4 } else { 2 }
}

/// FIPS 180-4, section 4.2.2.
#[rustfmt::skip]
const CONSTANTS: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Folds the whole blocks of each row into the state beside it; all rows are as long.
///
/// # Panics
/// If there are more rows than [`streams`], fewer states than rows, or rows of unequal length.
pub(crate) fn sha256(_: ShaInstructions, isa: Isa, states: &mut [[u32; 8]], rows: &[&[u8]]) {
    let bytes = rows.first().map_or(0, |row| row.len());
    assert!(rows.len() <= states.len() && rows.iter().all(|row| row.len() == bytes));
    assert!(rows.len() <= streams(isa), "{} rows for {} streams", rows.len(), streams(isa));
    // SAFETY: the token proves that the CPU has the SHA instructions, and more than two rows that it has AVX-512; all
    // rows were just seen to have `bytes`.
    unsafe {
        match (states, rows) {
            ([a, b, c, d, ..], [e, f, g, h]) => {
                wide([a, b, c, d], [e.as_ptr(), f.as_ptr(), g.as_ptr(), h.as_ptr()], bytes);
            }
            ([a, b, c, ..], [d, e, f]) => wide([a, b, c], [d.as_ptr(), e.as_ptr(), f.as_ptr()], bytes),
            ([a, b, ..], [c, d]) => narrow([a, b], [c.as_ptr(), d.as_ptr()], bytes),
            ([a, ..], [b]) => narrow([a], [b.as_ptr()], bytes),
            _ => {}
        }
    }
}

/// # Safety
/// As [`compress`].
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
unsafe fn narrow<const S: usize>(states: [&mut [u32; 8]; S], rows: [*const u8; S], bytes: usize) {
    // SAFETY: forwarded.
    unsafe { compress(states, rows, bytes) }
}

/// # Safety
/// As [`compress`], on a CPU that has AVX-512VL.
#[target_feature(enable = "sha,avx512f,avx512vl")]
unsafe fn wide<const S: usize>(states: [&mut [u32; 8]; S], rows: [*const u8; S], bytes: usize) {
    // SAFETY: forwarded.
    unsafe { compress(states, rows, bytes) }
}

/// # Safety
/// The CPU has the SHA instructions; each row is readable for `bytes`, a multiple of 64.
#[inline(always)]
unsafe fn compress<const S: usize>(states: [&mut [u32; 8]; S], rows: [*const u8; S], bytes: usize) {
    // SAFETY: loads and stores of 16 bytes within the states, the constants, and `bytes` past each row.
    unsafe {
        let zero = _mm_setzero_si128();
        let (mut abef, mut cdgh) = ([zero; S], [zero; S]);
        for s in 0..S {
            let dcba = _mm_loadu_si128(states[s].as_ptr().cast());
            let hgfe = _mm_loadu_si128(states[s].as_ptr().add(4).cast());
            let (cdab, efgh) = (_mm_shuffle_epi32::<0xB1>(dcba), _mm_shuffle_epi32::<0x1B>(hgfe));
            abef[s] = _mm_alignr_epi8::<8>(cdab, efgh);
            cdgh[s] = _mm_blend_epi16::<0xF0>(efgh, cdab);
        }
        let big_endian = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);

        for offset in (0..bytes).step_by(64) {
            let (abef_before, cdgh_before) = (abef, cdgh);
            // The schedule: the last 16 words of each stream.
            let mut w = [[zero; S]; 4];
            macro_rules! four_rounds {
                ($($t:literal)*) => {$(
                    for s in 0..S {
                        let words = if $t < 4 {
                            let words = _mm_loadu_si128(rows[s].add(offset + 16 * $t).cast());
                            _mm_shuffle_epi8(words, big_endian)
                        } else {
                            let (last, before) = (w[($t + 3) % 4][s], w[($t + 2) % 4][s]);
                            let sum = _mm_sha256msg1_epu32(w[$t % 4][s], w[($t + 1) % 4][s]);
                            let sum = _mm_add_epi32(sum, _mm_alignr_epi8::<4>(last, before));
                            _mm_sha256msg2_epu32(sum, last)
                        };
                        w[$t % 4][s] = words;
                        let sum = _mm_add_epi32(words, _mm_loadu_si128(CONSTANTS[$t].as_ptr().cast()));
                        cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], sum);
                        abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32::<0x0E>(sum));
                    }
                )*};
            }
            four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            for s in 0..S {
                abef[s] = _mm_add_epi32(abef[s], abef_before[s]);
                cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_before[s]);
            }
        }

        for (s, state) in states.into_iter().enumerate() {
            let (feba, dchg) = (_mm_shuffle_epi32::<0x1B>(abef[s]), _mm_shuffle_epi32::<0xB1>(cdgh[s]));
            _mm_storeu_si128(state.as_mut_ptr().cast(), _mm_blend_epi16::<0xF0>(feba, dchg));
            _mm_storeu_si128(state.as_mut_ptr().add(4).cast(), _mm_alignr_epi8::<8>(dchg, feba));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::narrow;
    use crate::isa::ShaInstructions;

    /// More streams than are used without AVX-512: slower, but the same code as with it.
    #[test]
    #[allow(clippy::print_stderr)]
    fn any_number_of_streams_equals_one_message() {
        if ShaInstructions::detect().is_none() {
            eprintln!("SKIPPED: no SHA extensions here");
            return;
        }
        check::<1>();
        check::<2>();
        check::<3>();
        check::<4>();
    }

    fn check<const S: usize>() {
        for blocks in [0, 1, 2, 7] {
            let row = |s: usize| (0..64 * blocks).map(|i| ((i + 31 * s) % 251) as u8).collect::<Vec<_>>();
            let rows: [Vec<u8>; S] = std::array::from_fn(row);
            let mut states: [[u32; 8]; S] = std::array::from_fn(|s| [s as u32 * 0x0101_0101 + 7; 8]);
            let mut expected = states;
            for (state, row) in expected.iter_mut().zip(&rows) {
                sha2::block_api::compress256(state, row.as_chunks().0);
            }
            // SAFETY: the CPU has the instructions; each row has as many blocks.
            unsafe { narrow(states.each_mut(), std::array::from_fn(|s| rows[s].as_ptr()), 64 * blocks) };
            assert_eq!(states, expected, "{S} streams, {blocks} blocks");
        }
    }
}
