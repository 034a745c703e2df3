//! Reflected CRCs by carry-less multiplication of 256-bit vectors: twice as fast as with vectors of 128 bits.
//!
//! A message is a polynomial over GF(2), its first bit the highest power, and its CRC is `message * x^64 mod P`. A CRC of
//! 32 bits is one of 64 bits modulo `P * x^32`, which reflected is the same number: the kernel does not know the width.
//!
//! *Folding* replaces 16 bytes by others that are `n` bytes further on and leave the same remainder: `a * x^64 + b` by
//! `a * (x^(8n + 64) mod P) + b * (x^(8n) mod P)`, two multiplications whose sum has 16 bytes again. Four vectors of two
//! times 16 bytes keep the multiplier busy. V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using
//! PCLMULQDQ Instruction", Intel, 2009.
//!
//! Bit `i` of a reflected word is the coefficient of `x^(63 - i)`, and bit `i` of a product that of `x^(126 - i)`. Read as
//! one of 128 bits it is `x` times too high, so all factors are kept divided by `x`.

#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::{isa::CarrylessInstructions, lanes::prefetch};

/// Bytes that are folded at a time.
const STRIDE: usize = 128;
/// How far ahead memory is prefetched. The CPU's own prefetcher stops at the end of each page.
const PREFETCH_DISTANCE: usize = 2048;

/// The polynomial of the `crc32` instruction.
const CASTAGNOLI: u64 = 0x82F6_3B78;

/// The factors of `a` and `b`, the two words of 16 bytes.
type Fold = [u64; 2];

/// A reflected CRC that starts from and ends with all ones.
#[derive(Debug)]
pub(in crate::kernels) struct Parameters {
    ones: u64,
    /// `P` without `x^64`.
    polynomial: u64,
    /// `x^128 / P`, without its lowest bit.
    reciprocal: u64,
    // The factors that move 16 bytes by so many bytes.
    by_128: Fold,
    by_96: Fold,
    by_64: Fold,
    by_32: Fold,
    by_16: Fold,
}

impl Parameters {
    /// Of `width` bits, at most 64.
    pub(in crate::kernels) const fn new(width: u32, polynomial: u64) -> Self {
        Self {
            ones: u64::MAX >> (64 - width),
            polynomial,
            reciprocal: reciprocal(polynomial),
            by_128: fold_by(polynomial, 128),
            by_96: fold_by(polynomial, 96),
            by_64: fold_by(polynomial, 64),
            by_32: fold_by(polynomial, 32),
            by_16: fold_by(polynomial, 16),
        }
    }
}

const fn times_x(value: u64, polynomial: u64) -> u64 {
    (value >> 1) ^ (polynomial & (value & 1).wrapping_neg())
}

/// `x^exponent mod P`.
const fn power(polynomial: u64, exponent: usize) -> u64 {
    let mut power = 1 << 63;
    let mut i = 0;
    while i < exponent {
        power = times_x(power, polynomial);
        i += 1;
    }
    power
}

/// The factors that move 16 bytes on by so many bytes.
const fn fold_by(polynomial: u64, bytes: usize) -> Fold {
    [power(polynomial, 8 * bytes + 63), power(polynomial, 8 * bytes - 1)]
}

/// Long division, from the highest power of the quotient, which is the lowest bit.
const fn reciprocal(polynomial: u64) -> u64 {
    let mut quotient = 1;
    let mut rest = polynomial;
    let mut i = 1;
    while i < 64 {
        quotient |= (rest & 1) << i;
        rest = times_x(rest, polynomial);
        i += 1;
    }
    quotient
}

/// The CRC of one message.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Crc {
    parameters: &'static Parameters,
    state: u64,
    _proof: CarrylessInstructions,
}

impl Crc {
    pub(in crate::kernels) const fn new(proof: CarrylessInstructions, parameters: &'static Parameters) -> Self {
        Self { parameters, state: parameters.ones, _proof: proof }
    }

    pub(in crate::kernels) fn update(&mut self, bytes: &[u8]) {
        // SAFETY: the token proves that the CPU has the instructions.
        self.state = unsafe { update(self.parameters, self.state, bytes) };
    }

    pub(in crate::kernels) const fn digest(&self) -> u64 {
        self.state ^ self.parameters.ones
    }
}

#[target_feature(enable = "avx2,vpclmulqdq")]
fn update(p: &Parameters, state: u64, bytes: &[u8]) -> u64 {
    if let Some((first, rest)) = bytes.split_first_chunk() {
        let mut vectors = load_stride(first);
        vectors[0] = add(vectors[0], state);
        fold_strides(p, vectors, rest, bytes)
    } else if let Some((first, rest)) = bytes.split_first_chunk() {
        fold_vectors(p, add(load_256(first), state), rest, bytes)
    } else if let Some((first, rest)) = bytes.split_first_chunk() {
        fold_tail(p, _mm_xor_si128(load_128(first), word(state)), rest, bytes)
    } else {
        short(p, state, bytes)
    }
}

/// The CRC of four vectors and the `rest` of the `whole` message, which come after them.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_strides(p: &Parameters, mut vectors: [__m256i; 4], mut rest: &[u8], whole: &[u8]) -> u64 {
    if p.polynomial == CASTAGNOLI {
        rest = fold_beside_crc32(p, &mut vectors, rest);
    }
    let fold = both(p.by_128);
    let (strides, rest) = rest.as_chunks();
    for stride in strides {
        prefetch(stride.as_ptr().wrapping_add(PREFETCH_DISTANCE), STRIDE);
        vectors = fold_stride(vectors, fold, stride);
    }
    let [a, b, c, mut d] = vectors;
    d = fold_256(a, both(p.by_96), d);
    d = fold_256(b, both(p.by_64), d);
    d = fold_256(c, both(p.by_32), d);
    fold_vectors(p, d, rest, whole)
}

/// Castagnoli's polynomial has an instruction of its own, which does not use the multiplier. Three streams of bytes go
/// through it while about as many bytes after them are folded. Three, because its latency is three cycles. Returns the
/// bytes that do not fill a block.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_beside_crc32<'a>(p: &Parameters, vectors: &mut [__m256i; 4], bytes: &'a [u8]) -> &'a [u8] {
    const ROUNDS: usize = 8;
    /// Of each stream in a round.
    const WORDS: usize = 5;
    const STREAM: usize = ROUNDS * WORDS * 8;
    const BLOCK: usize = 3 * STREAM + ROUNDS * STRIDE;
    const ROUND: usize = BLOCK / ROUNDS;
    const OVER_STREAMS: Fold = fold_by(CASTAGNOLI, 3 * STREAM + STRIDE);
    /// What moves the CRC of each stream to the last stride of the block.
    const TO_LAST: [u64; 3] = [to_last(2), to_last(1), to_last(0)];
    const fn to_last(streams: usize) -> u64 {
        power(CASTAGNOLI, 8 * (streams * STREAM + (ROUNDS - 1) * STRIDE) + 63)
    }

    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        let (streams, strides) = block.split_at(3 * STREAM);
        let (streams, _) = streams.as_chunks::<{ 8 * WORDS }>();
        let (strides, _) = strides.as_chunks();
        let mut fold = both(OVER_STREAMS);
        let mut crcs = [0; 3];
        for (round, stride) in strides.iter().enumerate() {
            // From first to last: faster from memory than in the order of use.
            prefetch(block.as_ptr().wrapping_add(BLOCK + ROUND * round), ROUND);
            *vectors = fold_stride(*vectors, fold, stride);
            fold = both(p.by_128);
            for i in 0..WORDS {
                for (stream, crc) in crcs.iter_mut().enumerate() {
                    let (words, _) = streams[ROUNDS * stream + round].as_chunks();
                    *crc = _mm_crc32_u64(*crc, u64::from_le_bytes(words[i]));
                }
            }
        }
        for (crc, factor) in crcs.into_iter().zip(TO_LAST) {
            let moved = _mm_clmulepi64_si128::<0x00>(word(crc), word(factor));
            vectors[0] = _mm256_xor_si256(vectors[0], _mm256_zextsi128_si256(moved));
        }
    }
    rest
}

/// The CRC of a vector and the `rest` after it.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_vectors(p: &Parameters, mut vector: __m256i, rest: &[u8], whole: &[u8]) -> u64 {
    let (chunks, rest) = rest.as_chunks();
    for chunk in chunks {
        vector = fold_256(vector, both(p.by_32), load_256(chunk));
    }
    let (low, high) = (_mm256_castsi256_si128(vector), _mm256_extracti128_si256::<1>(vector));
    fold_tail(p, fold_128(low, p.by_16, high), rest, whole)
}

/// The CRC of 16 bytes and the `rest` after them, fewer than 32.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_tail(p: &Parameters, mut vector: __m128i, mut rest: &[u8], whole: &[u8]) -> u64 {
    if let Some((next, after)) = rest.split_first_chunk() {
        vector = fold_128(vector, p.by_16, load_128(next));
        rest = after;
    }
    if let Some(last) = whole.last_chunk().filter(|_| !rest.is_empty()) {
        // The vector and the rest, cut again 16 bytes before the end. An index with the highest bit gives a zero.
        const INDICES: [u8; 48] = {
            let mut indices = [0x80; 48];
            let mut i = 0;
            while i < 16 {
                indices[16 + i] = i as u8;
                i += 1;
            }
            indices
        };
        let (up, down) = INDICES[rest.len()..].split_at(16);
        let (up, down) = (load_128(up.first_chunk().unwrap()), load_128(down.first_chunk().unwrap()));
        let end = _mm_blendv_epi8(_mm_shuffle_epi8(vector, down), load_128(last), down);
        vector = fold_128(_mm_shuffle_epi8(vector, up), p.by_16, end);
    }
    remainder_128(p, vector)
}

/// Fewer than 16 bytes, by loads that overlap.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn short(p: &Parameters, state: u64, bytes: &[u8]) -> u64 {
    let size = bytes.len();
    if size > 8 {
        let (first, last) = (bytes.first_chunk().unwrap(), bytes.last_chunk().unwrap());
        let low = (u64::from_le_bytes(*first) ^ state) << (8 * (16 - size));
        let high = u64::from_le_bytes(*last) ^ state >> (8 * (size - 8));
        return remainder_128(p, _mm_unpacklo_epi64(word(low), word(high)));
    }
    let byte = |i: usize| u64::from(bytes[i]) << (8 * i);
    let message = match size {
        0 => return state,
        1..4 => byte(0) | byte(size / 2) | byte(size - 1),
        _ => {
            let (first, last) = (bytes.first_chunk().unwrap(), bytes.last_chunk().unwrap());
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (size - 4))
        }
    };
    // The part of the state past the bytes stays.
    let past = state.checked_shr(8 * size as u32).unwrap_or(0);
    remainder_64(p, word((message ^ state) << (8 * (8 - size)))) ^ past
}

/// `vector * x^64 mod P`.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn remainder_128(p: &Parameters, vector: __m128i) -> u64 {
    let folded = _mm_clmulepi64_si128::<0x00>(vector, word(p.by_16[1]));
    remainder_64(p, _mm_xor_si128(folded, _mm_srli_si128::<8>(vector)))
}

/// `vector mod P`, by Barrett: the high half times the reciprocal is the quotient. Both factors have 65 bits; the lowest,
/// which a word has no room for, changes nothing in the quotient, and is added to the product where it is set.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn remainder_64(p: &Parameters, vector: __m128i) -> u64 {
    let quotient = _mm_clmulepi64_si128::<0x00>(vector, word(p.reciprocal));
    let product = _mm_clmulepi64_si128::<0x00>(quotient, word(p.polynomial << 1 | 1));
    let lowest = _mm_cvtsi128_si64(quotient) & (p.polynomial as i64 >> 63);
    (_mm_extract_epi64::<1>(_mm_xor_si128(vector, product)) ^ lowest) as u64
}

/// Moves four vectors by `fold`, onto `next`.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_stride(vectors: [__m256i; 4], fold: __m256i, next: &[u8; STRIDE]) -> [__m256i; 4] {
    let ([a, b, c, d], [e, f, g, h]) = (vectors, load_stride(next));
    [fold_256(a, fold, e), fold_256(b, fold, f), fold_256(c, fold, g), fold_256(d, fold, h)]
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_256(vector: __m256i, fold: __m256i, next: __m256i) -> __m256i {
    let low = _mm256_clmulepi64_epi128::<0x00>(vector, fold);
    let high = _mm256_clmulepi64_epi128::<0x11>(vector, fold);
    _mm256_xor_si256(_mm256_xor_si256(low, next), high)
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold_128(vector: __m128i, fold: Fold, next: __m128i) -> __m128i {
    let fold = _mm256_castsi256_si128(both(fold));
    let low = _mm_clmulepi64_si128::<0x00>(vector, fold);
    let high = _mm_clmulepi64_si128::<0x11>(vector, fold);
    _mm_xor_si128(_mm_xor_si128(low, next), high)
}

/// The same for both halves of a vector.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn both([a, b]: Fold) -> __m256i {
    _mm256_broadcastsi128_si256(_mm_set_epi64x(b as i64, a as i64))
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn word(word: u64) -> __m128i {
    _mm_cvtsi64_si128(word as i64)
}

/// Adds the state to the first 8 bytes of the vector.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn add(vector: __m256i, state: u64) -> __m256i {
    _mm256_xor_si256(vector, _mm256_zextsi128_si256(word(state)))
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn load_stride(bytes: &[u8; STRIDE]) -> [__m256i; 4] {
    let (chunks, _) = bytes.as_chunks();
    [load_256(&chunks[0]), load_256(&chunks[1]), load_256(&chunks[2]), load_256(&chunks[3])]
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn load_256(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn load_128(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CASTAGNOLI, Crc, Parameters};
    use crate::isa::CarrylessInstructions;

    static CRC32: Parameters = Parameters::new(32, 0xEDB8_8320);
    static CRC32C: Parameters = Parameters::new(32, CASTAGNOLI);
    static CRC64_NVME: Parameters = Parameters::new(64, 0x9A6C_9329_AC4B_C9B5);

    type Peer = fn(&[u8]) -> u64;

    const PEERS: [(&str, &Parameters, Peer); 5] = [
        ("CRC32, crc32fast", &CRC32, |bytes| u64::from(crc32fast::hash(bytes))),
        ("CRC32, crc-fast", &CRC32, |bytes| crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes)),
        ("CRC32C, crc32c", &CRC32C, |bytes| u64::from(crc32c::crc32c(bytes))),
        ("CRC32C, crc-fast", &CRC32C, |bytes| crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes)),
        ("CRC64NVME, crc-fast", &CRC64_NVME, |bytes| crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes)),
    ];

    #[allow(clippy::print_stderr)]
    fn instructions() -> Option<CarrylessInstructions> {
        let instructions = CarrylessInstructions::detect();
        if instructions.is_none() {
            eprintln!("SKIPPED: no VPCLMULQDQ here");
        }
        instructions
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count as u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 41) as u8).collect()
    }

    fn crc(instructions: CarrylessInstructions, parameters: &'static Parameters, chunks: &[&[u8]]) -> u64 {
        let mut crc = Crc::new(instructions, parameters);
        for chunk in chunks {
            crc.update(chunk);
        }
        crc.digest()
    }

    #[test]
    fn each_length_at_each_alignment_equals_other_crates() {
        let Some(instructions) = instructions() else { return };
        let bytes = bytes(700);
        for (name, parameters, peer) in PEERS {
            for length in 0..=600 {
                for start in 0..=32 {
                    let message = &bytes[start..start + length];
                    assert_eq!(crc(instructions, parameters, &[message]), peer(message), "{name}: {length} at {start}");
                }
            }
        }
    }

    /// Lengths around the blocks (1984 bytes) in which CRC32C goes through two units, and long ones.
    #[test]
    fn blocks_and_what_is_left_of_them_equal_other_crates() {
        let Some(instructions) = instructions() else { return };
        let bytes = bytes(3 << 20);
        let near_blocks = (1..5).flat_map(|blocks| (-1..=1).map(move |more| 128 + 1984 * blocks + more));
        for (name, parameters, peer) in PEERS {
            for length in near_blocks.clone().map(|length| length as usize).chain([65_536, 99_999, bytes.len()]) {
                let message = &bytes[..length];
                assert_eq!(crc(instructions, parameters, &[message]), peer(message), "{name}: {length}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_chunks_equal_the_whole(
            bytes in proptest::collection::vec(any::<u8>(), 0..20_000),
            cuts in proptest::collection::vec((any::<proptest::sample::Index>(), 0..40usize), 0..6),
        ) {
            let Some(instructions) = instructions() else { return Ok(()) };
            // Some cuts anywhere, each with another one near it, so that there are short chunks.
            let mut at: Vec<usize> = cuts
                .iter()
                .map(|(cut, more)| (cut.index(bytes.len() + 1), more))
                .flat_map(|(cut, more)| [cut, (cut + more).min(bytes.len())])
                .collect();
            at.sort_unstable();
            let mut chunks = Vec::new();
            let mut rest = &bytes[..];
            for cut in at {
                let (chunk, after) = rest.split_at(cut - (bytes.len() - rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            for (name, parameters, peer) in PEERS {
                prop_assert_eq!(crc(instructions, parameters, &chunks), peer(&bytes), "{}", name);
            }
        }
    }
}
